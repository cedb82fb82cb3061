//! The command line. What a command does is in `commands`; settings come from the environment, not from flags.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A flashcard-learning backend: a federated GraphQL gateway over five domains.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything in one process: gateway, five subgraphs, and the card-generation service.
    Serve(ServeArgs),
    /// Run the gateway alone, over subgraphs that run elsewhere: Spacey's own, or with --supergraph those of any supergraph.
    Gateway(GatewayArgs),
    /// Run one subgraph alone.
    Subgraph(SubgraphArgs),
    /// Compose subgraph schemas into a supergraph schema.
    Compose(ComposeArgs),
    /// Print the plan by which an operation is answered.
    Plan(PlanArgs),
    /// Write the schema files: one for each subgraph, the supergraph's, and the clients'.
    Schema(SchemaArgs),
    /// Manage accounts in this machine's data.
    Admin(AdminArgs),
    /// Manage the keys that sign access tokens.
    Keys(KeysArgs),
    /// Back up all data, as they are at one moment, to SPACEY_BACKUP_TO, and remove the oldest beyond SPACEY_BACKUP_KEEP. Spacey may run meanwhile.
    Backup(BackupArgs),
    /// Bring a backup back. Spacey must not run meanwhile.
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// Only list the backups that are there, the oldest first.
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Which one, as `backup --list` names it; without it the latest.
    pub(crate) name: Option<String>,
    /// Move what is in the data folder aside, into a folder in it; of MongoDB drop the collections first.
    #[arg(long)]
    pub(crate) replace: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Print each setting and where it came from, secrets masked, and end.
    #[arg(long)]
    pub(crate) print_settings: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// Print each setting and where it came from, secrets masked, and end.
    #[arg(long)]
    pub(crate) print_settings: bool,
    /// Be a general router for this supergraph schema, whoever composed it: subgraphs are called at the addresses it has for them.
    #[arg(long, value_name = "FILE")]
    pub(crate) supergraph: Option<PathBuf>,
    /// Be a general router for what the subgraphs of this YAML file compose to, as `spacey compose` reads it.
    #[arg(long, value_name = "FILE", conflicts_with = "supergraph")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen, such as 127.0.0.1:4000 or 4000; in place of SPACEY_HOST and PORT.
    #[arg(long, value_name = "ADDRESS", value_parser = parse_listen)]
    pub(crate) listen: Option<SocketAddr>,
    /// Show clients the subgraphs' errors as they are, and how an operation was run to those who ask; in place of SPACEY_MODE.
    #[arg(long)]
    pub(crate) development: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SubgraphArgs {
    /// Which one.
    #[arg(value_enum)]
    pub(crate) name: SubgraphName,
    /// Print each setting and where it came from, secrets masked, and end.
    #[arg(long)]
    pub(crate) print_settings: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum SubgraphName {
    Users,
    Config,
    Decks,
    Learning,
    Generation,
}

impl SubgraphName {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Config => "config",
            Self::Decks => "decks",
            Self::Learning => "learning",
            Self::Generation => "generation",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ComposeArgs {
    /// A subgraph: its name, its schema file, and after an @ the address it answers at.
    #[arg(required_unless_present = "config", conflicts_with = "config", value_name = "NAME=FILE[@URL]", value_parser = parse_subgraph)]
    pub(crate) subgraphs: Vec<SubgraphFile>,
    /// The subgraphs as a YAML file, as rover reads it: `subgraphs: {NAME: {routing_url, schema: {file | subgraph_url}}}`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Write the schema there rather than to standard output; only when it composes.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the schema that clients see in place of the supergraph's.
    #[arg(long)]
    pub(crate) api: bool,
    /// What becomes of a list of objects that clients see and that says nothing of its size by `@listSize`: it cannot be priced.
    #[arg(long, value_enum, default_value_t = RequireListSize::Off, value_name = "HOW")]
    pub(crate) require_list_size: RequireListSize,
    /// How errors and hints are written to standard error.
    #[arg(long, value_enum, default_value_t = DiagnosticFormat::Text)]
    pub(crate) format: DiagnosticFormat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubgraphFile {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RequireListSize {
    /// Nothing composes.
    Error,
    /// A hint tells of it.
    Warn,
    /// Nothing is said.
    Off,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DiagnosticFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The supergraph schema; without it this program's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) supergraph: Option<PathBuf>,
    /// Which operation of the document, where it holds several.
    #[arg(long, value_name = "NAME")]
    pub(crate) operation_name: Option<String>,
    /// How the plan is written: as the text that other planners print too, or as JSON with the document of each fetch.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub(crate) format: PlanFormat,
    /// The file with the operation.
    #[arg(value_name = "FILE")]
    pub(crate) operation: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PlanFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// Write nothing; fail when a file is not what it would be.
    #[arg(long)]
    pub(crate) check: bool,
    /// The folder of the files.
    #[arg(default_value = "schema")]
    pub(crate) folder: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdminCommand {
    /// Make an account with the role ADMIN; the password is read from standard input. An account that exists keeps its password.
    Create {
        /// The e-mail address to sign in with.
        email: String,
        /// The name shown to others.
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Show each key: its name, what it is for, when it was made, and whether it signs.
    List,
    /// Make a key, which signs within seconds, and remove those no token of which can be good any more.
    Rotate {
        /// What the key is for; without it what SPACEY_JWT_ALGORITHM says.
        #[arg(long, value_enum)]
        algorithm: Option<KeyAlgorithmName>,
    },
    /// Remove a key that does not sign: its tokens are good no more within seconds.
    Retire {
        /// The key's name, as `list` shows it.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum KeyAlgorithmName {
    Eddsa,
    Hs256,
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    }
    // The one name that everybody means by a number.
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_| "an IP address and a port, or a port alone, is accepted".to_owned())
}

fn parse_subgraph(text: &str) -> Result<SubgraphFile, String> {
    let (name, rest) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} has no =: NAME=FILE or NAME=FILE@URL is accepted"))?;
    let (file, url) = match rest.split_once("@http") {
        Some((file, rest)) => (file, Some(format!("http{rest}"))),
        None => (rest, None),
    };
    if name.is_empty() || file.is_empty() {
        return Err(format!("{text:?}: NAME=FILE or NAME=FILE@URL is accepted"));
    }
    Ok(SubgraphFile { name: name.to_owned(), file: PathBuf::from(file), url })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn where_to_listen_is_an_address_or_a_port() {
        for (text, address) in [
            ("4000", "127.0.0.1:4000"),
            ("localhost:4000", "127.0.0.1:4000"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:0", "[::1]:0"),
        ] {
            assert_eq!(parse_listen(text).unwrap().to_string(), address);
        }
        assert!(parse_listen("example.org:80").is_err() && parse_listen("70000").is_err());
    }

    #[test]
    fn a_subgraph_is_a_name_a_file_and_perhaps_an_address() {
        let subgraph = parse_subgraph("decks=schema/decks.graphql@http://localhost:1/graphql");
        assert_eq!(
            subgraph,
            Ok(SubgraphFile {
                name: "decks".into(),
                file: "schema/decks.graphql".into(),
                url: Some("http://localhost:1/graphql".into()),
            })
        );
        assert_eq!(parse_subgraph("a=b@c.graphql").unwrap().file, PathBuf::from("b@c.graphql"));
        assert!(parse_subgraph("decks").is_err() && parse_subgraph("=x").is_err());
    }
}
