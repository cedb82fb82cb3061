//! A MongoDB server of a test's own.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::testing;
use tokio::process::{Child, Command};

/// A MongoDB server of the test's own. What a killed process left undone in a transaction is locked until the server ends that, which is by
/// default after a minute or more; here after two seconds.
pub(crate) struct Server {
    pub(crate) uri: String,
    _process: Child,
}

impl Server {
    pub(crate) async fn start(folder: &Path) -> Self {
        let servers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/test-servers");
        let program = Command::new(servers).arg("mongod").output().await.unwrap();
        assert!(program.status.success(), "{}", String::from_utf8_lossy(&program.stderr));
        let program = String::from_utf8(program.stdout).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let database = folder.join("mongod");
        std::fs::create_dir(&database).unwrap();
        let process = Command::new(program.trim())
            .args(["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--nounixsocket"])
            .args(["--port", &port.to_string(), "--oplogSize", "64"])
            .args(["--wiredTigerCacheSizeGB", "0.25"])
            .args(["--setParameter", "transactionLifetimeLimitSeconds=2"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args([Path::new("--dbpath"), &database])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("127.0.0.1:{port}");
        while tokio::net::TcpStream::connect(&address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { uri: testing::replica_set(&address).await, _process: process }
    }
}
