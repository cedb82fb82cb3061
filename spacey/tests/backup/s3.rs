//! Backups in an S3-compatible store: moto, which `make test-s3` installs, as a server of the test's own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rand::RngExt;

use crate::{EMAIL, Home, files};

struct Store {
    process: Child,
    address: String,
}

impl Store {
    fn start() -> Self {
        let program =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/backup/moto/.venv/bin/moto_server");
        assert!(program.exists(), "moto is not installed: run `make test-s3`");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = format!("127.0.0.1:{port}");
        let store = Self { process, address: format!("http://{address}") };
        let listens = (0..1_200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            TcpStream::connect(&address).is_ok()
        });
        assert!(listens, "moto does not listen after a minute");
        store
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A request to the store, as its owner.
async fn send(method: reqwest::Method, url: &str, body: Vec<u8>) -> (u16, Vec<u8>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.request(method, url).body(body).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

/// A database of another program in the data folder, of more than one part of an upload.
fn make_large(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("CREATE TABLE noise (bytes BLOB)").unwrap();
    let mut bytes = vec![0u8; 12 << 20];
    rand::rng().fill(&mut bytes[..]);
    connection.execute("INSERT INTO noise VALUES (?)", [bytes]).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_in_an_s3_compatible_store_are_kept_counted_and_brought_back() {
    let store = Store::start();
    let mut home = Home::new();
    home.more = vec![
        ("SPACEY_BACKUP_TO", "s3://nightly/spacey/one".to_owned()),
        ("AWS_ENDPOINT_URL", store.address.clone()),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "of-nobody".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ];
    home.succeeds(&["admin", "create", EMAIL]);
    make_large(&home.data().join("large.db"));

    let absent = home.fails(&["backup"]);
    assert!(absent.contains("the place of backups") && absent.contains("nightly"), "{absent}");
    assert!(!absent.contains("of-nobody"), "{absent}");
    let bucket = format!("{}/nightly", store.address);
    assert_eq!(send(reqwest::Method::PUT, &bucket, Vec::new()).await.0, 200);
    // What is not ours, and what broke off.
    for name in ["other/spacey-20200101T000000Z/manifest.json", "spacey/one/mine/notes.txt"] {
        let url = format!("{bucket}/{name}");
        assert_eq!(send(reqwest::Method::PUT, &url, b"{}".to_vec()).await.0, 200);
    }
    let broken_off = format!("{bucket}/spacey/one/spacey-20200101T000000Z/users.db.zst");
    send(reqwest::Method::PUT, &broken_off, b"half".to_vec()).await;
    assert!(home.listed().is_empty());

    let mut made = Vec::new();
    for _ in 0..3 {
        let told = home.succeeds(&["backup"]);
        assert!(told.contains("in s3://nightly/spacey/one"), "{told}");
        made.push(told.split(':').next().unwrap().to_owned());
        // Names are to the second.
        std::thread::sleep(Duration::from_millis(1_100));
    }
    assert_eq!(home.listed(), made[1..], "two are kept");
    let removed = format!("{bucket}/spacey/one/{}/large.db.zst", made[0]);
    for gone in [removed, broken_off] {
        assert_eq!(send(reqwest::Method::GET, &gone, Vec::new()).await.0, 404, "{gone}");
    }
    let (status, listed) = send(reqwest::Method::GET, &bucket, Vec::new()).await;
    let listed = String::from_utf8(listed).unwrap();
    assert!(status == 200 && listed.contains("other/spacey-2020"), "{listed}");
    assert!(listed.contains("spacey/one/mine/notes.txt"), "{listed}");

    let there = files(&home.data());
    fs::remove_dir_all(home.data()).unwrap();
    // Nothing comes back of one that is damaged; another one does.
    let object = format!("{bucket}/spacey/one/{}/large.db.zst", made[2]);
    let (_, whole) = send(reqwest::Method::GET, &object, Vec::new()).await;
    assert!(whole.len() > 10 << 20, "{}", whole.len());
    let mut damaged = whole.clone();
    damaged[6 << 20] ^= 0xFF;
    send(reqwest::Method::PUT, &object, damaged).await;
    let refused = home.fails(&["restore"]);
    assert!(refused.contains("large.db.zst is damaged"), "{refused}");
    assert!(files(&home.data()).iter().all(|(path, _)| !path.ends_with(".db")));
    assert_eq!(home.succeeds(&["restore", &made[1]]), format!("{} is back\n", made[1]));
    let back = files(&home.data());
    let names = |files: &[(String, Vec<u8>)]| {
        let names = files.iter().map(|(path, _)| path.clone());
        names.filter(|path| path.ends_with(".db")).collect::<Vec<_>>()
    };
    assert_eq!(names(&back), names(&there));
    let count: i64 = rusqlite::Connection::open(home.data().join("large.db"))
        .unwrap()
        .query_row("SELECT sum(length(bytes)) FROM noise", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 12 << 20);
}
