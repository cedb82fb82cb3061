//! Backups of MongoDB. In place of its tools stand programs that note how they were called; dumping and bringing back is the test's own part.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use common::mongo::Mongo;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::program::Start;
use crate::server::Server;
use crate::{EMAIL, Home, asked, log_in, places};

/// The tools: each notes its arguments and its settings file, and waits until the test did its part.
const TOOL: &str = r#"#!/bin/sh
here=$(dirname "$0")
name=$(basename "$0")
echo "$@" >"$here/$name.arguments"
cp "$2" "$here/$name.config"
[ "$name" = mongodump ] || cat >"$here/$name.input"
touch "$here/$name.waits"
until [ -e "$here/$name.goes" ]; do sleep 0.05; done
rm "$here/$name.waits" "$here/$name.goes"
[ "$name" = mongorestore ] || cat "$here/archive"
[ ! -e "$here/$name.fails" ]
"#;

struct Tools(PathBuf);

impl Tools {
    fn write(folder: &Path) -> Self {
        let tools = folder.join("tools");
        fs::create_dir(&tools).unwrap();
        for name in ["mongodump", "mongorestore"] {
            let path = tools.join(name);
            fs::write(&path, TOOL).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        }
        // More than a pipe holds.
        let archive: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
        fs::write(tools.join("archive"), archive).unwrap();
        Self(tools)
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.0.display())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn is_there(&self, name: &str) -> bool {
        self.0.join(name).exists()
    }

    fn touch(&self, name: &str) {
        fs::write(self.0.join(name), "").unwrap();
    }

    async fn waits(&self, tool: &str) {
        let waits = async {
            while !self.is_there(&format!("{tool}.waits")) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waits).await.expect("the tool is called");
    }
}

/// All documents, by database and collection.
type Dump = Vec<(String, String, Vec<Document>)>;

async fn dump(uri: &str) -> Dump {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    let mut dump = Dump::new();
    for database in client.list_database_names().await.unwrap() {
        if !database.starts_with("spacey_") {
            continue;
        }
        let of = client.database(&database);
        for name in of.list_collection_names().await.unwrap() {
            let all = of.collection::<Document>(&name).find(doc! {}).await.unwrap();
            dump.push((database.clone(), name, all.try_collect().await.unwrap()));
        }
    }
    dump
}

async fn bring_back(uri: &str, dump: &Dump) {
    let client = mongodb::Client::with_uri_str(uri).await.unwrap();
    for (database, name, documents) in dump {
        let of = client.database(database);
        of.collection::<Document>(name).drop().await.unwrap();
        of.create_collection(name).await.unwrap();
        if !documents.is_empty() {
            of.collection::<Document>(name).insert_many(documents).await.unwrap();
        }
    }
}

async fn runs(home: &Arc<Home>, arguments: &[&'static str]) -> String {
    let (home, arguments) = (home.clone(), arguments.to_vec());
    tokio::task::spawn_blocking(move || home.succeeds(&arguments)).await.unwrap()
}

async fn is_refused(home: &Arc<Home>, arguments: &[&'static str]) -> String {
    let (home, arguments) = (home.clone(), arguments.to_vec());
    tokio::task::spawn_blocking(move || home.fails(&arguments)).await.unwrap()
}

async fn make_deck(client: &crate::program::Client, name: &str) {
    let token = log_in(client).await;
    let query = "mutation($name: String!) { createDeck(input: { name: $name }) { deck { id } } }";
    asked(client, Some(&token), query, json!({ "name": name })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongodb_is_brought_back_whole_and_only_where_nothing_is_lost_unasked() {
    let mut home = Home::new();
    let server = Server::start(home.folder.path()).await;
    let tools = Tools::write(home.folder.path());
    let set = ("MONGO_DB_CONNECTION", server.uri.clone());
    home.more = vec![set.clone(), ("PATH", tools.path())];
    let home = Arc::new(home);

    runs(&home, &["admin", "create", EMAIL]).await;
    let program = Start::begin(&home.data(), std::slice::from_ref(&set)).listens().await;
    make_deck(&program.client(), "kept").await;
    let backing_up = tokio::spawn({
        let home = home.clone();
        async move { runs(&home, &["backup"]).await }
    });
    tools.waits("mongodump").await;
    let dumped = dump(&server.uri).await;
    tools.touch("mongodump.goes");
    let told = backing_up.await.unwrap();
    assert!(told.contains(": 1 files, 3000000 bytes"), "{told}");
    let arguments = tools.read("mongodump.arguments");
    assert!(arguments.starts_with("--config ") && !arguments.contains("mongodb://"), "{arguments}");
    assert!(arguments.ends_with(" --oplog --gzip --archive --quiet\n"), "{arguments}");
    assert_eq!(tools.read("mongodump.config"), format!("uri: \"{}\"\n", server.uri));
    let name = home.listed().pop().unwrap();

    // What comes later: a deck, a collection, and a phone that has seen all of it.
    make_deck(&program.client(), "lost").await;
    let raw = mongodb::Client::with_uri_str(&server.uri).await.unwrap();
    let later = raw.database("spacey_decks").collection::<Document>("later");
    later.insert_one(doc! { "a": 1 }).await.unwrap();
    let token = log_in(&program.client()).await;
    let seen = places(&program.client(), &token, json!({})).await;
    let seen = json!({ "decks": seen[0]["nextCursor"], "cards": seen[1]["nextCursor"] });

    let refused = is_refused(&home, &["restore", "--replace"]).await;
    assert!(refused.contains("in use from 127.0.0.1: stop Spacey first"), "{refused}");
    program.kill().await;
    // The server sees at once that the connections of a killed process are gone, or soon.
    let refused = loop {
        let refused = is_refused(&home, &["restore"]).await;
        if !refused.contains("in use") {
            break refused;
        }
    };
    assert!(refused.contains("is there already: with --replace it is dropped"), "{refused}");
    let strange = raw.database("payroll").collection::<Document>("people");
    strange.insert_one(doc! { "a": 1 }).await.unwrap();
    let refused = is_refused(&home, &["restore", "--replace"]).await;
    assert!(refused.contains("not Spacey's (payroll)"), "{refused}");
    raw.database("payroll").drop().await.unwrap();

    // The tool is given nothing that is damaged.
    let object = home.backups().join(&name).join("mongodb.archive.gz");
    let whole = fs::read(&object).unwrap();
    let mut damaged = whole.clone();
    damaged[1_500_000] ^= 0xFF;
    for wrong in [damaged, whole[..1_500_000].to_vec(), [&whole[..], b"more"].concat()] {
        fs::write(&object, wrong).unwrap();
        let refused = is_refused(&home, &["restore", "--replace"]).await;
        assert!(refused.contains("mongodb.archive.gz is damaged"), "{refused}");
        assert!(!tools.is_there("mongorestore.arguments"));
    }
    fs::write(&object, &whole).unwrap();
    // Nor is it called where what there is of a database belongs elsewhere.
    assert_eq!(dump(&server.uri).await.len(), dumped.len() + 1);

    // One that fails is told of.
    tools.touch("mongorestore.fails");
    tools.touch("mongorestore.goes");
    let failed = is_refused(&home, &["restore", "--replace"]).await;
    assert!(failed.contains("mongorestore failed") && failed.contains("not whole"), "{failed}");
    fs::remove_file(tools.0.join("mongorestore.fails")).unwrap();

    let restoring = tokio::spawn({
        let home = home.clone();
        async move { runs(&home, &["restore", "--replace"]).await }
    });
    tools.waits("mongorestore").await;
    assert_eq!(fs::read(tools.0.join("mongorestore.input")).unwrap(), whole);
    bring_back(&server.uri, &dumped).await;
    tools.touch("mongorestore.goes");
    assert_eq!(restoring.await.unwrap(), format!("{name} is back\n"));
    let arguments = tools.read("mongorestore.arguments");
    assert!(arguments.ends_with(" --oplogReplay --gzip --archive --quiet --drop\n"), "{arguments}");
    assert_eq!(later.count_documents(doc! {}).await.unwrap(), 0, "what came later is gone");
    for domain in ["users", "config", "decks", "learning", "generation"] {
        let database = format!("spacey_{domain}");
        assert_ne!(Mongo::connect(&server.uri, &database).await.unwrap().era(), 0, "{domain}");
    }

    let program = Start::begin(&home.data(), &[set]).listens().await;
    assert_eq!(crate::decks(&program.client()).await, ["kept".to_owned()].into());
    let token = log_in(&program.client()).await;
    for number in 0..5 {
        make_deck(&program.client(), &format!("later {number}")).await;
    }
    for place in places(&program.client(), &token, seen).await {
        assert_eq!(place["resetRequired"], true, "{place}");
    }
    let seen = places(&program.client(), &token, json!({})).await;
    let seen = json!({ "decks": seen[0]["nextCursor"], "cards": seen[1]["nextCursor"] });
    for place in places(&program.client(), &token, seen).await {
        assert_eq!(place["resetRequired"], false, "{place}");
    }
    program.kill().await;
}

#[test]
fn without_mongodbs_tools_it_is_said_what_to_do() {
    let mut home = Home::new();
    let uri = "mongodb://user:secret@127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200";
    home.more = vec![("PATH", home.folder.path().display().to_string())];
    home.more.push(("MONGO_DB_CONNECTION", uri.to_owned()));
    let told = home.fails(&["backup"]);
    assert!(told.contains("install MongoDB's database tools"), "{told}");
    assert!(told.contains("spacey_learning") && !told.contains("secret"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_mongorestore_nothing_is_changed() {
    let mut home = Home::new();
    let server = Server::start(home.folder.path()).await;
    let tools = Tools::write(home.folder.path());
    home.more = vec![("MONGO_DB_CONNECTION", server.uri.clone()), ("PATH", tools.path())];
    tools.touch("mongodump.goes");
    home.succeeds(&["backup"]);
    fs::remove_file(tools.0.join("mongorestore")).unwrap();
    let told = home.fails(&["restore"]);
    assert!(told.contains("mongorestore cannot be run"), "{told}");
    assert!(dump(&server.uri).await.is_empty());
}
