//! The gateways under measurement, each a process of its own on the same core.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;

use super::load;
use crate::Result;
use crate::process::Server;

/// The core that gateways run on, one at a time.
const CORE: &str = "0";
/// How long a gateway may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whose gateway it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Maker {
    Spacey,
    Hive,
}

/// Which requests that are under way at the same time and the same share one answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    Off,
    SubgraphRequests,
    ClientRequests,
}

impl Maker {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spacey => "Spacey",
            Self::Hive => "Hive Router",
        }
    }
}

impl Sharing {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::SubgraphRequests => "of subgraph requests",
            Self::ClientRequests => "of client requests too",
        }
    }
}

/// Where the programs are.
pub(crate) struct Programs<'a> {
    pub(crate) spacey: &'a Path,
    pub(crate) hive: &'a Path,
}

/// A gateway that runs.
pub(crate) struct Gateway {
    pub(crate) maker: Maker,
    pub(crate) address: SocketAddr,
    pub(crate) server: Server,
}

impl Gateway {
    /// Starts a gateway for the supergraph in `folder`, and waits until it answers `request`.
    pub(crate) async fn start(
        programs: &Programs<'_>,
        maker: Maker,
        sharing: Sharing,
        folder: &Path,
        request: &[u8],
    ) -> Result<Self> {
        let supergraph = folder.join("supergraph.graphql");
        let server = match maker {
            Maker::Spacey => {
                let mut command = pinned(programs.spacey);
                command.arg("gateway").arg("--supergraph").arg(&supergraph);
                command.env("PORT", "0").env("SPACEY_LOG", "warn");
                command.env("SPACEY_SUBGRAPH_SHARE_QUERIES", on(sharing != Sharing::Off));
                command.env("SPACEY_SHARE_QUERIES", on(sharing == Sharing::ClientRequests));
                Server::announcing(&mut command).await?
            }
            Maker::Hive => {
                let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
                let config = folder.join(format!("hive-{port}.yaml"));
                tokio::fs::write(&config, hive_config(&supergraph, port, sharing)?).await?;
                let mut command = pinned(programs.hive);
                command.env("ROUTER_CONFIG_FILE_PATH", &config).env("LOG_LEVEL", "warn");
                Server::at(&mut command, format!("http://127.0.0.1:{port}"))?
            }
        };
        let address = server.address.trim_start_matches("http://").parse()?;
        let gateway = Self { maker, address, server };
        tokio::time::timeout(PATIENCE, async {
            while load::ask(address, request).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .map_err(|_| format!("{} does not answer", maker.name()))?;
        Ok(gateway)
    }
}

const fn on(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

/// A program on the gateways' core.
fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.arg("-c").arg(CORE).arg(program);
    command
}

/// The peer's settings: its fastest client mode, one worker for its one core, and nothing that it would do besides answering.
fn hive_config(supergraph: &Path, port: u16, sharing: Sharing) -> Result<String> {
    let mut config = String::new();
    writeln!(config, "supergraph:\n  source: file\n  path: {}", supergraph.display())?;
    writeln!(config, "http:\n  host: 127.0.0.1\n  port: {port}\n  workers: 1")?;
    writeln!(config, "traffic_shaping:\n  http_client_mode: per_worker")?;
    writeln!(config, "  all:\n    dedupe_enabled: {}", sharing != Sharing::Off)?;
    writeln!(
        config,
        "  router:\n    dedupe:\n      enabled: {}",
        sharing == Sharing::ClientRequests
    )?;
    Ok(config)
}
