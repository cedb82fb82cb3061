//! A MongoDB server of a test's own, which takes the commands that make it fail, and may ask for TLS and a password.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use tempfile::TempDir;
use tokio::time::sleep;

/// The server; it ends with the value.
pub(crate) struct Server {
    child: Child,
    port: u16,
    /// Removed with the value.
    _folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    /// Starts it in `folder` with further arguments, as a replica set of one; `options` are those of the connection string.
    pub(crate) async fn start(folder: TempDir, arguments: &[&str], options: &str) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let child = Command::new(program())
            .args(["--replSet", "rs0", "--bind_ip", "127.0.0.1", "--nounixsocket"])
            .args(["--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25"])
            .args(["--setParameter", "enableTestCommands=1"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .args(["--port", &port.to_string()])
            .arg("--dbpath")
            .arg(folder.path())
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, port, _folder: folder };
        server.initiate(options).await;
        server
    }

    /// The connection string, with further options.
    pub(crate) fn uri(&self, who: &str, options: &str) -> String {
        format!("mongodb://{who}127.0.0.1:{}/?replicaSet=rs0{options}", self.port)
    }

    /// Connected to directly, as whoever sets it up is.
    pub(crate) async fn direct(&self, options: &str) -> Client {
        let uri = format!(
            "mongodb://127.0.0.1:{}/?directConnection=true&serverSelectionTimeoutMS=15000{options}",
            self.port
        );
        Client::with_uri_str(uri).await.unwrap()
    }

    async fn initiate(&self, options: &str) {
        let admin = self.direct(options).await.database("admin");
        let host = format!("127.0.0.1:{}", self.port);
        let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": host }] };
        admin.run_command(doc! { "replSetInitiate": config }).await.unwrap();
        for _ in 0..600 {
            let hello = admin.run_command(doc! { "hello": 1 }).await.unwrap();
            if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("the server did not become primary within 30 seconds");
    }

    /// Lets `commands` fail so often, in the way that `how` says.
    pub(crate) async fn fail(&self, times: i32, commands: &[&str], how: Document) {
        let mut data = doc! { "failCommands": commands.to_vec(), "appName": "spacey test" };
        data.extend(how);
        let fail =
            doc! { "configureFailPoint": "failCommand", "mode": { "times": times }, "data": data };
        self.direct("").await.database("admin").run_command(fail).await.unwrap();
    }
}

fn program() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../e2e/test-servers");
    let said = Command::new(script).arg("mongod").output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

/// Writes a file that nobody else may read, which is all that the server accepts.
pub(crate) fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
