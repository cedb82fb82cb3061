//! Stores for tests: a fresh SQLite file, or a fresh database on the MongoDB replica set that `make test-servers` starts.
//!
//! A test that needs a server fails when it is missing. It never passes without having run.

#![expect(clippy::unwrap_used, reason = "only tests call this")]

mod described;
mod fields;
mod heard;

use std::path::PathBuf;

use mongodb::bson::doc;
use tokio::time::{Duration, sleep};
use uuid::Uuid;

use crate::mongo::Mongo;
use crate::sqlite::Sqlite;
pub use described::check_page;
pub use heard::{Expected, Heard};

/// Where `make test-servers` lets MongoDB listen.
const MONGODB: &str = "127.0.0.1:27117";

/// A fresh SQLite file with `migrations` applied. It is removed with the folder that comes with it.
///
/// # Panics
/// When the file cannot be made.
#[must_use]
pub fn sqlite(migrations: &[&str]) -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("test.db");
    let store = Sqlite::open(path, migrations).unwrap();
    (folder, store)
}

/// A fresh, empty database on the test replica set.
///
/// # Panics
/// When the server is not running.
pub async fn mongo() -> Mongo {
    let uri = mongo_uri().await;
    let name = format!("test_{}", Uuid::new_v4().simple());
    Mongo::connect(&uri, &name).await.unwrap()
}

/// Where the test replica set is.
///
/// # Panics
/// When the server is not running.
pub async fn mongo_uri() -> String {
    let address = std::env::var("SPACEY_TEST_MONGODB").unwrap_or_else(|_| MONGODB.into());
    replica_set(&address).await
}

/// Makes the server a replica set of one, unless it is one already, and waits until it takes writes. Answers where that is.
///
/// # Panics
/// When the server does not answer.
pub async fn replica_set(address: &str) -> String {
    let uri = format!("mongodb://{address}/?directConnection=true&serverSelectionTimeoutMS=3000");
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let admin = client.database("admin");
    let config = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": address }] };
    for attempt in 0.. {
        let hello = admin.run_command(doc! { "hello": 1 }).await.unwrap_or_else(|error| {
            panic!("MongoDB does not answer at {address}: run `make test-servers` ({error})")
        });
        if hello.get_bool("isWritablePrimary").unwrap_or(false) {
            break;
        }
        if !hello.contains_key("setName") {
            // Another test may do the same at this moment: then this one fails, and the next look finds a set.
            drop(admin.run_command(doc! { "replSetInitiate": config.clone() }).await);
        }
        assert!(attempt < 300, "MongoDB at {address} did not become primary in 15 seconds");
        sleep(Duration::from_millis(50)).await;
    }
    format!("mongodb://{address}/?replicaSet=rs0")
}
