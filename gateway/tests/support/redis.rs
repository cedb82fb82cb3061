//! A Redis server of a test's own, which it may kill, stop for a while and start again. It keeps nothing over a restart.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::Client;
use secrecy::SecretString;

pub(crate) const PASSWORD: &str = "only-for-tests";

pub(crate) struct RedisServer {
    port: u16,
    running: Option<Child>,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        // Somebody else may take the port before the server does: then it ends, and another is tried.
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = Self { port, running: None };
            if server.start_again().await {
                return server;
            }
        }
        panic!("redis-server does not start");
    }

    pub(crate) fn url(&self) -> SecretString {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/0", self.port).into()
    }

    /// Whether it runs now.
    pub(crate) async fn start_again(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        let port = self.port.to_string();
        command.args(["--bind", "127.0.0.1", "--port", &port, "--requirepass", PASSWORD]);
        command.args(["--save", "", "--appendonly", "no", "--dir", "/tmp"]);
        let running = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        self.running =
            Some(running.expect("redis-server must be installed: it is a package of Debian's"));
        for _ in 0..100 {
            if self.running.as_mut().unwrap().try_wait().unwrap().is_some() {
                return false;
            }
            if self.ask(redis::cmd("PING")).await.is_some() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server does not answer within five seconds");
    }

    /// At once, as when the machine goes down.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().unwrap();
            running.wait().unwrap();
        }
    }

    /// Sends it `STOP`, upon which it keeps its connections and answers nothing, or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.running.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    }

    /// What it answers, as text; none where it does not.
    pub(crate) async fn ask(&self, command: redis::Cmd) -> Option<String> {
        let url = secrecy::ExposeSecret::expose_secret(&self.url()).to_owned();
        let mut connection =
            Client::open(url).unwrap().get_multiplexed_async_connection().await.ok()?;
        command.query_async(&mut connection).await.ok()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
