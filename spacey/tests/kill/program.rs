//! The program as a process, and a client that tells an answer from none.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// How long a start may take, on a machine that is busy with other tests.
const START: Duration = Duration::from_secs(120);

/// A process that was started, whether or not it listens yet.
pub(crate) struct Start {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Start {
    /// Starts `spacey serve` on the data in a folder.
    pub(crate) fn begin(data: &Path, more: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
        command
            .arg("serve")
            .env_clear()
            .env("PORT", "0")
            .env("SPACEY_DATA_DIR", data)
            .env("SPACEY_LOG", "error")
            // It is asked for more in a moment than any client is granted.
            .env("SPACEY_COST_MAXIMUM_MODE", "off")
            .env("SPACEY_COST_THROTTLE_MODE", "off")
            // So that a password costs nothing.
            .env("SPACEY_ARGON2_MEMORY_KIB", "64")
            .env("SPACEY_ARGON2_ITERATIONS", "1")
            .envs(more.iter().map(|(name, value)| (name, value)))
            .current_dir(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output }
    }

    /// Waits until it listens.
    pub(crate) async fn listens(mut self) -> Program {
        let listens = async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("listens on http://") {
                    return format!("http://{}/graphql", address.trim());
                }
            }
            panic!("the program ended before it listened");
        };
        let address = tokio::time::timeout(START, listens).await.expect("it starts in time");
        // Whichever test comes first.
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut output = self.output;
        // What it prints later must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Program { child: self.child, client: Client { http, address } }
    }

    /// SIGKILL.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A process that listens.
pub(crate) struct Program {
    child: Child,
    client: Client,
}

impl Program {
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    /// SIGKILL, and waits until its files are free.
    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// No answer came: what was asked is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lost;

/// A client of one run of the program.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    address: String,
}

impl Client {
    /// The answer to an operation, whole, or [`Lost`] when none came or only a part of it.
    pub(crate) async fn answer(
        &self,
        token: Option<&str>,
        query: &str,
        variables: &Value,
    ) -> Result<Value, Lost> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(&self.address).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|_| Lost)?;
        response.json().await.map_err(|_| Lost)
    }
}
