//! The card-generation service as a child process: started with the program, restarted when it dies, stopped with it.
//!
//! It gets its settings through its environment, among them the shared secret. It listens on loopback only.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use secrecy::{ExposeSecret, SecretString};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use url::Url;

/// How long it may take to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait before a restart: doubled each time, up to the second.
const RESTART_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// Having run this long, it counts as having started well.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// A child process that is kept running until it is stopped.
#[derive(Debug)]
pub(crate) struct Sidecar {
    stop: watch::Sender<bool>,
    supervisor: JoinHandle<()>,
}

/// How to start it.
#[derive(Debug, Clone)]
pub(crate) struct SidecarCommand {
    pub(crate) words: Vec<String>,
    pub(crate) url: Url,
    pub(crate) secret: SecretString,
    pub(crate) data_dir: std::path::PathBuf,
    /// How long the generation subgraph waits for one generation.
    pub(crate) timeout: Duration,
}

impl SidecarCommand {
    /// How many seconds the service may wait for its model: less than that waits for the service, so that the reason arrives.
    fn model_timeout(&self) -> u64 {
        self.timeout.as_secs().saturating_sub(5).clamp(1, 600)
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let (program, arguments) = self
            .words
            .split_first()
            .ok_or_else(|| std::io::Error::other("the command is empty"))?;
        Command::new(program)
            .args(arguments)
            .env("SPACEY_GENERATION_HOST", self.url.host_str().unwrap_or("127.0.0.1"))
            .env(
                "SPACEY_GENERATION_PORT",
                self.url.port_or_known_default().unwrap_or(8091).to_string(),
            )
            .env("SPACEY_GENERATION_SECRET", self.secret.expose_secret())
            .env("SPACEY_GENERATION_DATA_DIR", &self.data_dir)
            .env("SPACEY_GENERATION_TIMEOUT_SECONDS", self.model_timeout().to_string())
            .env("SPACEY_GENERATION_EXIT_WITH_PARENT", "1")
            // A group of its own: Ctrl-C in the terminal is for this program, which then stops the service.
            .process_group(0)
            .stdin(Stdio::null())
            // Standard output is this program's own answer.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
    }
}

impl Sidecar {
    /// Starts the service and keeps it running. Must be called within a tokio runtime.
    pub(crate) fn start(command: SidecarCommand) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, supervisor: tokio::spawn(supervise(command, stopped)) }
    }

    /// Asks it to stop, and kills it when it does not.
    pub(crate) async fn stop(self) {
        // The supervisor may have ended already.
        let _ = self.stop.send(true);
        drop(self.supervisor.await);
    }
}

async fn supervise(command: SidecarCommand, mut stop: watch::Receiver<bool>) {
    let mut wait = RESTART_AFTER.0;
    while !*stop.borrow() {
        let started = tokio::time::Instant::now();
        match command.spawn() {
            Ok(mut child) => {
                tokio::select! {
                    status = child.wait() => match status {
                        Ok(status) => tracing::error!(%status, "the card-generation service ended"),
                        Err(error) => tracing::error!(%error, "the card-generation service is lost"),
                    },
                    _ = stop.changed() => return end(child).await,
                }
            }
            Err(error) => {
                tracing::error!(%error, program = ?command.words.first(), "the card-generation service does not start");
            }
        }
        if started.elapsed() > STABLE_AFTER {
            wait = RESTART_AFTER.0;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => return,
        }
        wait = (wait * 2).min(RESTART_AFTER.1);
    }
}

async fn end(mut child: Child) {
    if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // It may be gone by itself.
        let _ = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        tracing::warn!("the card-generation service did not stop and is killed");
        drop(child.kill().await);
    }
}
