//! The program as separate services with the Python one beside them: each a process that can be killed and started again by itself.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::PERSON;
use super::tap::Tap;

/// How long a start may take, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(120);
const SECRET: &str = "a-secret-of-more-than-thirty-two-characters";

/// Which process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Service {
    Users,
    Config,
    Decks,
    Learning,
    Generation,
    Gateway,
    /// The card-generation service.
    Python,
}

use Service::{Config, Decks, Gateway, Generation, Learning, Python, Users};

const ALL: [Service; 7] = [Python, Learning, Config, Decks, Generation, Users, Gateway];

/// All of them.
pub(super) struct Services {
    folder: TempDir,
    ports: HashMap<Service, u16>,
    running: HashMap<Service, Child>,
    model: String,
    store: Vec<(&'static str, String)>,
    /// Before decks, for generation.
    pub(super) tap: Tap,
}

impl Services {
    /// Starts all on a store: `MONGO_DB_CONNECTION`, or files where that is not set.
    pub(super) async fn start(model: String, store: Vec<(&'static str, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // All at once, so that each is another.
        let listeners = ALL.map(|service| (service, TcpListener::bind("127.0.0.1:0").unwrap()));
        let port = |(service, listener): &(_, TcpListener)| {
            (*service, listener.local_addr().unwrap().port())
        };
        let ports: HashMap<_, _> = listeners.iter().map(port).collect();
        drop(listeners);
        let tap = Tap::before(format!("http://127.0.0.1:{}", ports[&Decks])).await;
        let mut services = Self { folder, ports, running: HashMap::new(), model, store, tap };
        services.create_person().await;
        for service in ALL {
            services.begin(service);
            services.is_ready(service).await;
        }
        services
    }

    pub(super) fn url(&self, service: Service) -> String {
        format!("http://127.0.0.1:{}", self.ports[&service])
    }

    /// SIGKILL to all of them at once, and their ends.
    pub(super) async fn kill(&mut self, services: &[Service]) {
        let mut children: Vec<Child> =
            services.iter().map(|service| self.running.remove(service).unwrap()).collect();
        for child in &mut children {
            child.start_kill().unwrap();
        }
        for mut child in children {
            child.wait().await.unwrap();
        }
    }

    /// Starts them again, and waits until they are ready.
    pub(super) async fn restart(&mut self, services: &[Service]) {
        for service in services {
            self.begin(*service);
        }
        for service in services {
            self.is_ready(*service).await;
        }
    }

    /// Lets a process stand still, or go on.
    pub(super) fn freeze(&self, service: Service, still: bool) {
        let id = self.running[&service].id().unwrap();
        let signal = if still { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_raw(id.cast_signed()).unwrap(), signal).unwrap();
    }

    fn begin(&mut self, service: Service) {
        let mut command = if service == Python { self.python() } else { self.spacey(service) };
        let log =
            std::fs::File::create(self.folder.path().join(format!("{service:?}.log"))).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.running.insert(service, child);
    }

    async fn is_ready(&mut self, service: Service) {
        let path = if service == Python { "/ping" } else { "/health/ready" };
        let url = format!("{}{path}", self.url(service));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let ready = async {
            loop {
                let answer = http.get(&url).timeout(Duration::from_secs(5)).send().await;
                if answer.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(START, ready).await.is_err() {
            panic!("{service:?} does not start: {}", self.log(service));
        }
    }

    pub(super) fn log(&self, service: Service) -> String {
        let log = std::fs::read(self.folder.path().join(format!("{service:?}.log"))).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn environment(&self) -> Vec<(String, String)> {
        let data = self.folder.path().display().to_string();
        let mut all: Vec<(String, String)> = [
            ("SPACEY_DATA_DIR", &*data),
            ("SPACEY_LOG", "warn"),
            ("SPACEY_SERVICE_SECRET", SECRET),
            ("SPACEY_GENERATION_SECRET", SECRET),
            ("SPACEY_COST_MAXIMUM_MODE", "off"),
            ("SPACEY_COST_THROTTLE_MODE", "off"),
            ("SPACEY_ARGON2_MEMORY_KIB", "64"),
            ("SPACEY_ARGON2_ITERATIONS", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        all.extend(self.store.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        all
    }

    fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
        command.env_clear().envs(self.environment()).current_dir(self.folder.path());
        command
    }

    fn spacey(&self, service: Service) -> Command {
        let mut command = self.program();
        let name = |service: Service| format!("{service:?}").to_lowercase();
        if service == Gateway {
            command.arg("gateway");
        } else {
            command.args(["subgraph", &name(service)]);
        }
        for other in [Users, Config, Decks, Learning, Generation] {
            if other != service {
                let variable = format!("SPACEY_SUBGRAPH_{}_URL", name(other).to_uppercase());
                let by_tap = (service, other) == (Generation, Decks);
                command.env(variable, if by_tap { self.tap.url.clone() } else { self.url(other) });
            }
        }
        command
            .env("PORT", self.ports[&service].to_string())
            .env("SPACEY_HOST", "127.0.0.1")
            .env("SPACEY_GENERATION_URL", self.url(Python));
        command
    }

    fn python(&self) -> Command {
        let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../card-generation");
        let python = folder.join(".venv/bin/python");
        assert!(python.exists(), "{} is missing: make test makes it", python.display());
        let mut command = Command::new(python);
        command
            .args(["-m", "card_generation"])
            .current_dir(folder)
            .env_clear()
            .env("SPACEY_GENERATION_SECRET", SECRET)
            .env("SPACEY_GENERATION_PORT", self.ports[&Python].to_string())
            .env("SPACEY_GENERATION_DATA_DIR", self.folder.path().join("python"))
            .env("OPENAI_BASE_URL", &self.model);
        command
    }

    /// Makes an account that may generate cards, before anything runs.
    async fn create_person(&self) {
        let mut command = self.program();
        command.args(["admin", "create", PERSON.0]).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(PERSON.1.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
