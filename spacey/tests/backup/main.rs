//! A restore drill: the program is backed up while people write, everything is destroyed, and what was acknowledged before the backup began is
//! there again. And what a backup refuses: data in use, data that would be lost, and what is damaged.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

#[expect(dead_code, reason = "a part of it is for other tests")]
#[path = "../kill/program.rs"]
mod program;
#[path = "../kill/server.rs"]
mod server;

mod mongo;
mod s3;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use program::{Client, Start};
use serde_json::{Value, json};
use tokio::sync::Mutex;

const EMAIL: &str = "ada@spacey.example";
const PASSWORD: &str = "correct horse battery staple";

/// Folders of data and of backups.
struct Home {
    folder: tempfile::TempDir,
    /// What is set besides.
    more: Vec<(&'static str, String)>,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap(), more: Vec::new() };
        fs::create_dir(home.data()).unwrap();
        home
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn backups(&self) -> std::path::PathBuf {
        self.folder.path().join("backups")
    }

    fn spacey(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spacey"));
        command
            .args(arguments)
            .env_clear()
            .env("SPACEY_DATA_DIR", self.data())
            .env("SPACEY_BACKUP_TO", self.backups())
            .env("SPACEY_BACKUP_KEEP", "2")
            .env("SPACEY_ARGON2_MEMORY_KIB", "64")
            .env("SPACEY_ARGON2_ITERATIONS", "1")
            .envs(self.more.iter().map(|(name, value)| (name, value)))
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.spacey(arguments, PASSWORD);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, arguments: &[&str]) -> String {
        let output = self.spacey(arguments, "");
        assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8(output.stderr).unwrap()
    }

    fn listed(&self) -> Vec<String> {
        self.succeeds(&["backup", "--list"]).lines().map(str::to_owned).collect()
    }
}

async fn asked(client: &Client, token: Option<&str>, query: &str, variables: Value) -> Value {
    let answer = client.answer(token, query, &variables).await.unwrap();
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"].clone()
}

async fn log_in(client: &Client) -> String {
    let query = "mutation($email: String!, $password: String!) { logIn(input: { email: $email, password: $password }) { accessToken } }";
    let data = asked(client, None, query, json!({ "email": EMAIL, "password": PASSWORD })).await;
    data["logIn"]["accessToken"].as_str().unwrap().to_owned()
}

/// The names of all decks.
async fn decks(client: &Client) -> BTreeSet<String> {
    let token = log_in(client).await;
    let query = "query($after: String) { viewer { decks(first: 100, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } } }";
    let (mut names, mut after) = (BTreeSet::new(), Value::Null);
    loop {
        let data = asked(client, Some(&token), query, json!({ "after": after })).await;
        let page = &data["viewer"]["decks"];
        for node in page["nodes"].as_array().unwrap() {
            names.insert(node["name"].as_str().unwrap().to_owned());
        }
        if page["pageInfo"]["hasNextPage"] == false {
            return names;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Where a phone would go on from these places, or from the beginning.
async fn places(client: &Client, token: &str, variables: Value) -> [Value; 2] {
    let query = "query($decks: String, $cards: String) { \
        viewer { \
            deckChanges(since: $decks, first: 500) { nextCursor resetRequired } \
            learningChanges(since: $cards, first: 500) { nextCursor resetRequired } } }";
    let data = asked(client, Some(token), query, variables).await;
    ["deckChanges", "learningChanges"].map(|name| data["viewer"][name].clone())
}

/// Makes deck after deck, and keeps the names of those that were acknowledged.
async fn writes(client: Client, acknowledged: Arc<Mutex<Vec<String>>>, stop: Arc<AtomicBool>) {
    let token = log_in(&client).await;
    let query = "mutation($name: String!) { createDeck(input: { name: $name }) { deck { id } } }";
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let name = format!("deck {number}");
        asked(&client, Some(&token), query, json!({ "name": name })).await;
        acknowledged.lock().await.push(name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_before_a_backup_is_there_after_everything_was_destroyed() {
    let home = Arc::new(Home::new());
    home.succeeds(&["admin", "create", EMAIL]);
    let program = Start::begin(&home.data(), &[]).listens().await;
    let (acknowledged, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn(writes(program.client(), Arc::clone(&acknowledged), stop.clone()));

    while acknowledged.lock().await.len() < 5 {
        tokio::task::yield_now().await;
    }
    let before: BTreeSet<_> = acknowledged.lock().await.iter().cloned().collect();
    let backing_up = home.clone();
    let told = tokio::task::spawn_blocking(move || backing_up.succeeds(&["backup"])).await.unwrap();
    let during = acknowledged.lock().await.len();
    // Nobody was held up for long, and writing goes on.
    while acknowledged.lock().await.len() < during + 5 {
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    let made = acknowledged.lock().await.len();
    // A phone that has seen all of it.
    let token = log_in(&program.client()).await;
    let [decks_seen, cards_seen] = places(&program.client(), &token, json!({})).await;
    let (decks_seen, cards_seen) =
        (decks_seen["nextCursor"].clone(), cards_seen["nextCursor"].clone());
    assert!(decks_seen.is_string() && cards_seen.is_string());
    let name = home.listed().pop().unwrap();
    assert!(told.starts_with(&format!("{name}: 5 files")), "{told}");

    let refused = home.fails(&["restore", "--replace"]);
    assert!(refused.contains("in use: stop Spacey first"), "{refused}");
    program.kill().await;
    fs::remove_dir_all(home.data()).unwrap();

    assert_eq!(home.succeeds(&["restore"]), format!("{name} is back\n"));
    let program = Start::begin(&home.data(), &[]).listens().await;
    let found = decks(&program.client()).await;
    assert!(before.is_subset(&found), "{before:?} {found:?}");
    assert!(found.len() <= during + 1, "nothing of what came later: {found:?}");
    // Those that are there are the first: none is missing in between.
    for number in 0..found.len() {
        assert!(found.contains(&format!("deck {number}")), "{number}: {found:?}");
    }
    // It takes writes as ever, soon more of them than the phone had seen; which is told that it knows what is not there any more.
    let token = log_in(&program.client()).await;
    let query = "mutation($name: String!) { createDeck(input: { name: $name }) { deck { id } } }";
    for number in 0..=made {
        let name = json!({ "name": format!("later {number}") });
        asked(&program.client(), Some(&token), query, name).await;
    }
    let seen = json!({ "decks": decks_seen, "cards": cards_seen });
    for place in places(&program.client(), &token, seen).await {
        assert_eq!(place["resetRequired"], true, "{place}");
    }
    let [decks_seen, cards_seen] = places(&program.client(), &token, json!({})).await;
    let seen = json!({ "decks": decks_seen["nextCursor"], "cards": cards_seen["nextCursor"] });
    for place in places(&program.client(), &token, seen).await {
        assert_eq!(place["resetRequired"], false, "{place}");
    }
    program.kill().await;
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_there_is_not_lost_and_what_is_damaged_not_brought_back() {
    let home = Home::new();
    let nothing = home.fails(&["backup"]);
    assert!(nothing.contains("there is nothing to back up in"), "{nothing}");
    assert!(home.fails(&["restore"]).contains("there is no backup yet"));

    home.succeeds(&["admin", "create", EMAIL]);
    home.succeeds(&["backup"]);
    let name = home.listed().pop().unwrap();
    let there = files(&home.data());
    let refused = home.fails(&["restore"]);
    assert!(refused.contains("is there already: with --replace"), "{refused}");
    let absent = home.fails(&["restore", "spacey-2020", "--replace"]);
    assert!(absent.contains(&format!("there is no backup \"spacey-2020\"; there are: {name}")));
    assert_eq!(files(&home.data()), there);

    // Nothing is touched unless all of it is whole.
    let object = home.backups().join(&name).join("users.db.zst");
    let whole = fs::read(&object).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xFF;
    for wrong in [damaged, whole[..middle].to_vec(), Vec::new()] {
        fs::write(&object, wrong).unwrap();
        let refused = home.fails(&["restore", "--replace"]);
        assert!(refused.contains("users.db.zst is damaged"), "{refused}");
        assert_eq!(files(&home.data()), there);
    }
    fs::write(&object, whole).unwrap();

    // A list that leads out of the folder, or that a newer program wrote.
    let list = home.backups().join(&name).join("manifest.json");
    let text = fs::read_to_string(&list).unwrap();
    for (from, to, says) in [
        ("\"path\": \"users.db\"", "\"path\": \"../users.db\"", "is no file of a data folder"),
        ("\"format\": 1", "\"format\": 2", "a newer program made it"),
        ("\"format\": 1", "\"format\": \"x\"", "its list cannot be read"),
    ] {
        assert!(text.contains(from), "{text}");
        fs::write(&list, text.replace(from, to)).unwrap();
        let refused = home.fails(&["restore", "--replace"]);
        assert!(refused.contains(says), "{refused}");
        assert_eq!(files(&home.data()), there);
    }
    fs::write(&list, text).unwrap();

    let told = home.succeeds(&["restore", "--replace"]);
    let aside = told.lines().nth(1).unwrap().rsplit(' ').next().unwrap().to_owned();
    assert!(Path::new(&aside).join("users.db").exists(), "{told}");
    home.succeeds(&["admin", "create", EMAIL]);
}

#[test]
fn the_latest_are_kept_and_what_broke_off_is_none() {
    let home = Home::new();
    home.succeeds(&["admin", "create", EMAIL]);
    let broken_off = home.backups().join("spacey-20200101T000000Z");
    fs::create_dir_all(&broken_off).unwrap();
    fs::write(broken_off.join("users.db.zst"), "half").unwrap();
    let strange = home.backups().join("mine");
    fs::create_dir(&strange).unwrap();
    fs::write(strange.join("notes.txt"), "not ours").unwrap();
    assert!(home.listed().is_empty());
    let mut made = Vec::new();
    for _ in 0..3 {
        let told = home.succeeds(&["backup"]);
        made.push(told.split(':').next().unwrap().to_owned());
        // Names are to the second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }
    assert_eq!(home.listed(), made[1..]);
    assert!(!home.backups().join(&made[0]).join("users.db.zst").exists());
    assert!(!broken_off.join("users.db.zst").exists());
    assert!(strange.join("notes.txt").exists());
}
