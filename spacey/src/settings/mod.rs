//! The settings of every command: a small struct for each concern, read and cross-checked at start.
//!
//! A setting's name is its environment variable; in `spacey.toml` it is the same in lower case without `SPACEY_`. `PORT`,
//! `MONGO_DB_CONNECTION` and `DB_NAME` carry the names they always had.

mod accounts;
mod admission;
mod backups;
mod cost;
mod documents;
mod keys;
mod limits;
mod mail;
mod observed;
pub(crate) mod reader;
mod subgraphs;
#[cfg(test)]
mod tests;
mod uploads;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use reader::{Reader, SettingErrors, Shown};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

pub(crate) use accounts::Accounts;
pub(crate) use backups::Backups;
pub(crate) use cost::Cost;
pub(crate) use documents::Documents;
pub(crate) use keys::Keys;
pub(crate) use limits::Limits;
pub(crate) use mail::Mail;
pub(crate) use observed::Observed;
pub(crate) use subgraphs::Policies;
pub(crate) use uploads::Uploads;

/// Where the settings file is looked for when nothing else is said.
const DEFAULT_FILE: &str = "spacey.toml";

/// Everything that can be set.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: Listen,
    pub(crate) data: Data,
    pub(crate) backups: Backups,
    pub(crate) keys: Keys,
    pub(crate) subgraphs: Subgraphs,
    pub(crate) generation: Generation,
    pub(crate) http: Http,
    pub(crate) uploads: Uploads,
    pub(crate) documents: Documents,
    /// How many operations run at once, and what becomes of others.
    pub(crate) admission: gateway::AdmissionSettings,
    pub(crate) cost: Cost,
    /// How large operations and what they bring about may be.
    pub(crate) limits: Limits,
    pub(crate) accounts: Accounts,
    pub(crate) mail: Mail,
    /// `SPACEY_CONFIG_…`: what overrides the values that the config domain keeps.
    pub(crate) config: config::Environment,
    pub(crate) log: Log,
    pub(crate) observed: Observed,
    /// What was read, in order, for `--print-settings`.
    pub(crate) shown: Vec<Shown>,
}

/// Where to listen, and how to stop.
#[derive(Debug, Clone)]
pub(crate) struct Listen {
    /// `SPACEY_HOST`: the address to listen on.
    pub(crate) host: IpAddr,
    /// `PORT`: the port; 0 takes a free one.
    pub(crate) port: u16,
    /// `SPACEY_DRAIN_SECONDS`: how long requests under way may still take when the program is asked to stop.
    pub(crate) drain: Duration,
}

/// Where data is kept.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    /// `SPACEY_DATA_DIR`: the folder of the database files and keys.
    pub(crate) dir: PathBuf,
    /// `MONGO_DB_CONNECTION`: a MongoDB replica set to use in place of SQLite.
    pub(crate) mongo: Option<SecretString>,
    /// `DB_NAME`: the prefix of the database names there.
    pub(crate) db_name: String,
}

/// Subgraphs that run elsewhere. One that is not named runs in this process.
#[derive(Debug, Clone)]
pub(crate) struct Subgraphs {
    /// `SPACEY_SUBGRAPH_{USERS,CONFIG,DECKS,LEARNING,GENERATION}_URL`, by subgraph name.
    pub(crate) remote: BTreeMap<&'static str, Url>,
    /// How each of them is called, and each of any supergraph by the general router.
    pub(crate) policies: Policies,
    /// `SPACEY_RELOAD_SECONDS`: how often to look whether the schema changed; none for never.
    pub(crate) reload: Option<Duration>,
}

/// The card-generation service.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    /// `SPACEY_GENERATION_URL`: where it listens. Without it, one that `spacey serve` starts gets a free port on loopback.
    pub(crate) url: Option<Url>,
    /// `SPACEY_GENERATION_COMMAND`: how to start it, split at spaces; `spacey serve` then starts and stops it.
    pub(crate) command: Option<Vec<String>>,
    /// `SPACEY_GENERATION_SECRET`: what it shares with the generation subgraph.
    pub(crate) secret: Option<SecretString>,
    /// `SPACEY_GENERATION_TIMEOUT_SECONDS`: how long one generation may take.
    pub(crate) timeout: Duration,
    /// `SPACEY_GENERATION_JOBS`: how many generations run at the same time, in all processes; none in this one when it is 0.
    pub(crate) concurrency: usize,
    /// `SPACEY_GENERATION_POINTS`: what a person may use up in a day.
    pub(crate) points: u32,
    /// `SPACEY_GENERATION_CALLBACK`: a private address on which it is listened for cards that the service tells by itself.
    pub(crate) callback: Option<SocketAddr>,
}

/// The HTTP front.
#[derive(Debug, Clone)]
pub(crate) struct Http {
    /// `SPACEY_CORS_ORIGINS`: origins whose pages may call the graph, separated by commas.
    pub(crate) cors_origins: Vec<String>,
    /// `SPACEY_BODY_LIMIT_BYTES`: the largest request body.
    pub(crate) body_limit: usize,
    pub(crate) share_queries: bool,
    /// `SPACEY_REQUEST_TIMEOUT_SECONDS`: how long a request may take.
    pub(crate) request_timeout: Duration,
    /// `SPACEY_STREAMS_PER_CLIENT`: how many connections for subscriptions one client may have.
    pub(crate) streams_per_client: usize,
    /// `SPACEY_OPERATIONS_PER_STREAM`: how many operations one such connection carries.
    pub(crate) operations_per_stream: usize,
    /// `SPACEY_GRAPHIQL`: whether `/graphiql` is served.
    pub(crate) graphiql: bool,
    /// `SPACEY_INTROSPECTION`: whether clients may ask for the schema.
    pub(crate) introspection: bool,
    /// `SPACEY_MODE` is `development`: clients see subgraphs' errors as they are, and may ask how their operation was run.
    pub(crate) development: bool,
    /// `SPACEY_ERROR_EXTENSIONS`: what is left of the extensions of errors that are masked.
    pub(crate) error_extensions: Vec<String>,
    /// `SPACEY_SECURE_COOKIES`: whether cookies are for HTTPS only.
    pub(crate) secure_cookies: bool,
    /// `SPACEY_TRUSTED_PROXIES`: networks of proxies that are believed when they say for whom they pass a request on.
    pub(crate) trusted_proxies: Vec<IpNet>,
}

/// Logs, on standard error.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// `SPACEY_LOG`: a `tracing` filter such as `info,gateway=debug`.
    pub(crate) filter: String,
    /// `SPACEY_LOG_FORMAT`: `text` or `json`.
    pub(crate) json: bool,
}

impl Settings {
    /// Reads the environment, and the file that `SPACEY_CONFIG` names, or `spacey.toml` where there is one.
    pub(crate) fn load(environment: BTreeMap<String, String>) -> Result<Self, SettingErrors> {
        let named = environment.get("SPACEY_CONFIG").filter(|name| !name.is_empty()).cloned();
        let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.to_owned());
        let mut reader = Reader::new(environment, Path::new(&path), named.is_some());
        let sections = Self::read(&mut reader);
        let shown = reader.finish()?;
        // Every section is there when the reader holds no error.
        sections.map(|settings| Self { shown, ..settings }).ok_or_else(|| SettingErrors(Vec::new()))
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        let listen = Listen::read(reader);
        let data = Data::read(reader);
        let backups = Backups::read(reader);
        let keys = Keys::read(reader, data.as_ref());
        let subgraphs = Subgraphs::read(reader);
        let generation = Generation::read(reader);
        let http = Http::read(reader, listen.as_ref());
        let uploads = Uploads::read(reader);
        let documents = Documents::read(reader);
        let admission = admission::read(reader);
        let cost = Cost::read(reader);
        let limits = Limits::read(reader);
        let accounts = Accounts::read(reader, listen.as_ref());
        let mail = Mail::read(reader);
        let config = config(reader);
        let log = Log::read(reader);
        let observed = Observed::read(reader);
        if let (Some(listen), Some(accounts)) = (&listen, &accounts)
            && accounts.demo
            && !listen.host.is_loopback()
        {
            reader.contradiction(format!(
                "SPACEY_DEMO is true while SPACEY_HOST is {}: a demo account is for a loopback address only",
                listen.host
            ));
        }
        Some(Self {
            listen: listen?,
            data: data?,
            backups: backups?,
            keys: keys?,
            subgraphs: subgraphs?,
            generation: generation?,
            http: http?,
            uploads: uploads?,
            documents: documents?,
            admission: admission?,
            cost: cost?,
            limits: limits?,
            accounts: accounts?,
            mail: mail?,
            config: config?,
            log: log?,
            observed: observed?,
            shown: Vec::new(),
        })
    }
}

fn config(reader: &mut Reader) -> Option<config::Environment> {
    match config::Environment::read(&reader.named("SPACEY_CONFIG_", "")) {
        Ok(environment) => {
            environment.iter().for_each(|(name, value)| reader.show(name, value));
            Some(environment)
        }
        Err(wrong) => {
            wrong.iter().for_each(|wrong| reader.contradiction(wrong.to_string()));
            None
        }
    }
}

impl Listen {
    fn read(reader: &mut Reader) -> Option<Self> {
        let host = reader.get("SPACEY_HOST", "an IP address is accepted", "127.0.0.1", parse);
        let port = reader.get("PORT", "a port from 0 to 65535 is accepted", "8080", parse);
        let drain = seconds(reader, "SPACEY_DRAIN_SECONDS", "10");
        Some(Self { host: host?, port: port?, drain: drain? })
    }
}

impl Data {
    fn read(reader: &mut Reader) -> Option<Self> {
        let dir = reader.get("SPACEY_DATA_DIR", "a folder is accepted", "data", path);
        let mongo = reader.secret(
            "MONGO_DB_CONNECTION",
            "an address such as mongodb://host:27017/?replicaSet=rs0 is accepted",
            |text| {
                let known = ["mongodb://", "mongodb+srv://"];
                known
                    .iter()
                    .any(|scheme| text.starts_with(scheme))
                    .then(|| SecretString::from(text))
            },
        );
        let db_name = reader.get(
            "DB_NAME",
            "1 to 40 letters, digits, - and _ are accepted",
            "spacey",
            |text| {
                let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                ((1..=40).contains(&text.len()) && text.chars().all(fine)).then(|| text.to_owned())
            },
        );
        Some(Self { dir: dir?, mongo, db_name: db_name? })
    }
}

impl Subgraphs {
    fn read(reader: &mut Reader) -> Option<Self> {
        let mut remote = BTreeMap::new();
        for (subgraph, name) in [
            ("users", "SPACEY_SUBGRAPH_USERS_URL"),
            ("config", "SPACEY_SUBGRAPH_CONFIG_URL"),
            ("decks", "SPACEY_SUBGRAPH_DECKS_URL"),
            ("learning", "SPACEY_SUBGRAPH_LEARNING_URL"),
            ("generation", "SPACEY_SUBGRAPH_GENERATION_URL"),
        ] {
            if let Some(url) = reader.optional(name, HTTP_ADDRESS, http_url) {
                remote.insert(subgraph, url);
            }
        }
        let reload = reader.get(
            "SPACEY_RELOAD_SECONDS",
            "a number of seconds from 0, for never, to 3600 is accepted",
            "5",
            |text| text.parse().ok().filter(|seconds| *seconds <= 3600).map(Duration::from_secs),
        );
        let policies = Policies::read(reader)?;
        let reload = Some(reload?).filter(|every| !every.is_zero());
        Some(Self { remote, policies, reload })
    }
}

impl Generation {
    fn read(reader: &mut Reader) -> Option<Self> {
        let url = reader.optional("SPACEY_GENERATION_URL", HTTP_ADDRESS, http_url);
        let command = reader.optional(
            "SPACEY_GENERATION_COMMAND",
            "a program and its arguments are accepted",
            |text| {
                let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
                (!words.is_empty()).then_some(words)
            },
        );
        let secret = long_secret(reader, "SPACEY_GENERATION_SECRET");
        let timeout = seconds(reader, "SPACEY_GENERATION_TIMEOUT_SECONDS", "60");
        let concurrency = reader.get(
            "SPACEY_GENERATION_JOBS",
            "a number from 0, for none in this process, to 64 is accepted",
            "4",
            |text| text.parse().ok().filter(|count| *count <= 64),
        );
        let points = reader.get(
            "SPACEY_GENERATION_POINTS",
            "a number of points from 110, what the largest job costs, to 10000000 is accepted",
            "3000",
            |text| text.parse().ok().filter(|points| (110..=10_000_000).contains(points)),
        );
        let accepted = "an IP address with a port, such as 127.0.0.1:8092, is accepted";
        let callback = reader.optional("SPACEY_GENERATION_CALLBACK", accepted, parse);
        let (timeout, concurrency, points) = (timeout?, concurrency?, points?);
        Some(Self { url, command, secret, timeout, concurrency, points, callback })
    }
}

impl Http {
    fn read(reader: &mut Reader, listen: Option<&Listen>) -> Option<Self> {
        let cors_origins = reader.get(
            "SPACEY_CORS_ORIGINS",
            "origins such as https://app.example.org, separated by commas, are accepted; * is not",
            "",
            |text| {
                list(text)
                    .map(|origin| {
                        let url = Url::parse(origin).ok()?;
                        (url.origin().ascii_serialization() == origin).then(|| origin.to_owned())
                    })
                    .collect()
            },
        );
        let share_queries = flag(reader, "SPACEY_SHARE_QUERIES", false);
        let body_limit = reader.get(
            "SPACEY_BODY_LIMIT_BYTES",
            "a number from 1024 to 104857600 is accepted",
            "1048576",
            |text| text.parse().ok().filter(|bytes| (1024..=104_857_600).contains(bytes)),
        );
        let request_timeout = seconds(reader, "SPACEY_REQUEST_TIMEOUT_SECONDS", "90");
        let mut count = |name, default| {
            reader.get(name, "a number from 1 to 100000 is accepted", default, |text| {
                text.parse().ok().filter(|count| (1..=100_000).contains(count))
            })
        };
        let streams_per_client = count("SPACEY_STREAMS_PER_CLIENT", "100");
        let operations_per_stream = count("SPACEY_OPERATIONS_PER_STREAM", "100");
        let development = reader.get(
            "SPACEY_MODE",
            "production and development are accepted",
            "production",
            |text| match text {
                "production" => Some(false),
                "development" => Some(true),
                _ => None,
            },
        );
        // What developers use, others have no need of: the schema is not told to whoever comes along.
        let loopback = listen.is_some_and(|listen| listen.host.is_loopback());
        let for_developers = loopback || development == Some(true);
        let graphiql = flag(reader, "SPACEY_GRAPHIQL", for_developers);
        let introspection = flag(reader, "SPACEY_INTROSPECTION", for_developers);
        let error_extensions = reader.get(
            "SPACEY_ERROR_EXTENSIONS",
            "names separated by commas are accepted",
            "code",
            |text| Some(list(text).map(str::to_owned).collect()),
        );
        // Browsers send a Secure cookie to a plain http://localhost too, but not to another plain address.
        let secure_cookies = flag(reader, "SPACEY_SECURE_COOKIES", !loopback);
        let trusted_proxies = reader.get(
            "SPACEY_TRUSTED_PROXIES",
            "networks such as 10.0.0.0/8 or addresses, separated by commas, are accepted",
            "",
            |text| list(text).map(network).collect(),
        );
        Some(Self {
            cors_origins: cors_origins?,
            body_limit: body_limit?,
            share_queries: share_queries?,
            request_timeout: request_timeout?,
            streams_per_client: streams_per_client?,
            operations_per_stream: operations_per_stream?,
            graphiql: graphiql?,
            introspection: introspection?,
            development: development?,
            error_extensions: error_extensions?,
            secure_cookies: secure_cookies?,
            trusted_proxies: trusted_proxies?,
        })
    }
}

impl Log {
    fn read(reader: &mut Reader) -> Option<Self> {
        let filter = reader.get(
            "SPACEY_LOG",
            "a filter such as info or info,gateway=debug is accepted",
            "info",
            |text| text.parse::<tracing_subscriber::EnvFilter>().ok().map(|_| text.to_owned()),
        );
        let json =
            reader.get(
                "SPACEY_LOG_FORMAT",
                "text and json are accepted",
                "text",
                |text| match text {
                    "text" => Some(false),
                    "json" => Some(true),
                    _ => None,
                },
            );
        Some(Self { filter: filter?, json: json? })
    }
}

const HTTP_ADDRESS: &str = "an address such as http://127.0.0.1:8091 is accepted";

/// The parts of a text that are separated by commas.
fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn parse<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

fn seconds(reader: &mut Reader, name: &'static str, default: &str) -> Option<Duration> {
    reader.get(name, "a number of seconds from 1 to 3600 is accepted", default, |text| {
        let seconds = text.parse().ok().filter(|seconds| (1..=3600).contains(seconds))?;
        Some(Duration::from_secs(seconds))
    })
}

fn flag(reader: &mut Reader, name: &'static str, default: bool) -> Option<bool> {
    reader.get(name, "true and false are accepted", default.to_string(), parse)
}

fn long_secret(reader: &mut Reader, name: &'static str) -> Option<SecretString> {
    reader.secret(name, "a secret of at least 32 characters is accepted", |text| {
        let secret = SecretString::from(text);
        (secret.expose_secret().len() >= 32).then_some(secret)
    })
}
