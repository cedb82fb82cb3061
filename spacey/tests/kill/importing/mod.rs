//! Imports: a client that sends small files of all forms, with media and what was learned, looks at what is in them, has them imported, calls some
//! of them off, and deletes what it imported before. What came of an import is there whole or not at all, its media and its log among it.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use crate::account::Account;
use crate::load::{Load, World};
use crate::program::{Client, Lost};
use crate::seen::Seen;
use file::{Drawing, Import, Shown};

/// So many imports are kept before some are deleted.
const KEPT: usize = 5;
/// How long an import may take once nobody kills.
const TAKES: Duration = Duration::from_secs(120);
/// The states in which nothing happens to an import until somebody asks.
const AT_REST: [&str; 5] = ["UPLOADING", "PREVIEW", "DONE", "FAILED", "CANCELLED"];

/// The import that is under way.
#[derive(Debug, Clone)]
struct Job {
    import: Import,
    /// None as long as nobody said that it began.
    id: Option<Value>,
    /// Whether it was asked to be run, and whether that was answered.
    run: Option<bool>,
    /// Whether it was asked to be called off.
    is_called_off: bool,
}

pub(crate) struct Importing {
    account: Account,
    drawing: Drawing,
    /// Whether what was learned goes along: nobody else adds to this person's log then.
    with_reviews: bool,
    /// What was imported and is there.
    there: Vec<Import>,
    /// The media of all that were ever imported.
    media: BTreeSet<String>,
    log: u64,
    job: Option<Job>,
    /// Whether the oldest is being deleted.
    deleting: bool,
    acknowledged: u64,
    in_doubt: u64,
}

impl Importing {
    pub(crate) fn new(
        account: Account,
        name: &'static str,
        dice: StdRng,
        with_reviews: bool,
    ) -> Self {
        Self {
            account,
            drawing: Drawing::new(name, dice, with_reviews),
            with_reviews,
            there: Vec::new(),
            media: BTreeSet::new(),
            log: 0,
            job: None,
            deleting: false,
            acknowledged: 0,
            in_doubt: 0,
        }
    }

    async fn step(&mut self, client: &Client) -> Result<(), Lost> {
        if self.job.is_none() && self.there.len() > KEPT {
            self.deleting = true;
            let root = self.there[0].decks.first().unwrap();
            let deck = self.account.deck_named(client, root).await?;
            let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { trashId } }";
            self.account.ask(client, delete, &json!({ "id": deck })).await?;
            self.deleting = false;
            self.there.remove(0);
            self.acknowledged += 1;
            return Ok(());
        }
        if self.job.is_none() {
            let import = self.drawing.draw();
            let input = json!({ "name": import.name, "data": STANDARD.encode(&import.bytes) });
            self.job = Some(Job { import, id: None, run: None, is_called_off: false });
            let send = "mutation($input: ImportFileInput!) { importFile(input: $input) { import { id } } }";
            let mut data = self.account.ask(client, send, &json!({ "input": input })).await?;
            if let Some(job) = &mut self.job {
                job.id = Some(data["importFile"]["import"]["id"].take());
            }
            self.acknowledged += 1;
        }
        self.go_on(client).await
    }

    /// Goes on with the import that is under way.
    async fn go_on(&mut self, client: &Client) -> Result<(), Lost> {
        let Some(Job { id: Some(id), run, .. }) = self.job.clone() else { return Ok(()) };
        let variables = json!({ "id": id });
        if run.is_none() {
            let (state, job) = self.account.import(client, &id, &["PREVIEW", "FAILED"]).await?;
            if state == "FAILED" {
                self.is_over(&state, &job);
                return Ok(());
            }
            let Some(under_way) = &mut self.job else { return Ok(()) };
            let notes = under_way.import.notes.len();
            assert_eq!(
                (&job["preview"]["notes"], &job["preview"]["problemCount"]),
                (&json!(notes), &json!(0)),
                "{job}"
            );
            under_way.is_called_off = self.drawing.dice.random_bool(0.1);
            if !under_way.is_called_off {
                under_way.run = Some(false);
                let run = "mutation($id: ID!) { runImport(input: { id: $id }) { import { id } } }";
                self.account.ask(client, run, &variables).await?;
                if let Some(job) = &mut self.job {
                    job.run = Some(true);
                    job.is_called_off = self.drawing.dice.random_bool(0.3);
                }
                self.acknowledged += 1;
            }
        }
        if self.job.as_ref().is_some_and(|job| job.is_called_off) {
            let moment = Duration::from_millis(self.drawing.dice.random_range(0..150));
            tokio::time::sleep(moment).await;
            let cancel =
                "mutation($id: ID!) { cancelImport(input: { id: $id }) { import { id } } }";
            // Where it is too late it goes through.
            if self.account.ask_unless(client, cancel, &variables, "CONFLICT").await?.is_some() {
                self.acknowledged += 1;
            }
        }
        let (state, job) =
            self.account.import(client, &id, &["DONE", "FAILED", "CANCELLED"]).await?;
        self.is_over(&state, &job);
        Ok(())
    }

    fn is_over(&mut self, state: &str, job: &Value) {
        let Some(Job { import, is_called_off, .. }) = self.job.take() else { return };
        match state {
            "DONE" => {
                self.media.extend(import.media.iter().cloned());
                self.log += import.log;
                self.there.push(import);
            }
            // It is given up after so many beginnings.
            "FAILED" => assert_eq!(job["error"]["code"], "INTERRUPTED", "{job}"),
            _ => assert!(is_called_off, "{job}"),
        }
    }

    async fn check(&mut self, world: &World<'_>) {
        let after = format!("after kill {}", world.kill);
        if let Some(job) = self.job.clone() {
            self.in_doubt += u64::from(job.id.is_none() || job.run == Some(false));
            let found = self.account.imports(world.client).await.unwrap();
            let is_it = |found: &&Value| match &job.id {
                Some(id) => found["id"] == *id,
                None => found["name"] == job.import.name.as_str(),
            };
            let found = found.iter().find(is_it);
            assert!(found.is_some() || job.id.is_none(), "{after}: {job:?} is lost");
            let state = found.map_or("", |found| found["state"].as_str().unwrap());
            match (state, &job) {
                ("", Job { id: None, .. }) => self.job = None,
                // Its file did not arrive.
                ("UPLOADING", Job { id: None, .. }) => {
                    let cancel =
                        "mutation($id: ID!) { cancelImport(input: { id: $id }) { import { id } } }";
                    let id = found.map(|found| found["id"].clone());
                    self.account.ask(world.client, cancel, &json!({ "id": id })).await.unwrap();
                    self.job = None;
                }
                ("PREVIEW", Job { run: None | Some(false), .. }) => {
                    if let Some(job) = &mut self.job {
                        job.id = found.map(|found| found["id"].clone());
                        job.run = None;
                    }
                }
                ("DONE" | "FAILED" | "CANCELLED", _) => {
                    self.is_over(state, found.unwrap_or(&Value::Null));
                }
                _ => panic!("{after}: {state} is wrong for {job:?}"),
            }
        }
        let mut expected = self.shown();
        let seen = self.seen(world.seen);
        if std::mem::take(&mut self.deleting) {
            self.in_doubt += 1;
            if seen != expected {
                self.there.remove(0);
                expected = self.shown();
            }
        }
        assert_eq!(seen, expected, "{after}: imports are not there as they were said to be");
        let media = self.account.media(world.client).await;
        assert_eq!(media, self.media, "{after}: media");
        if self.with_reviews {
            let log = world.stores.log_size(self.account.user).await;
            assert_eq!(log, self.log, "{after}: the log of what was learned before");
        }
    }

    /// The notes that are there, and the names of the decks.
    fn shown(&self) -> (BTreeMap<String, Shown>, BTreeSet<String>) {
        let notes = self.there.iter().flat_map(|import| import.notes.clone());
        let decks = self.there.iter().flat_map(|import| import.decks.clone());
        (notes.collect(), decks.collect())
    }

    fn seen(&self, seen: &Seen) -> (BTreeMap<String, Shown>, BTreeSet<String>) {
        let is_ours = |text: &str| text.split('-').next() == Some(self.drawing.name);
        let notes = seen.notes.values().filter(|note| is_ours(&note.fields[0])).map(|note| {
            let deck = |card| seen.decks[&seen.cards[card].deck].name.clone();
            let decks = note.cards.values().map(deck).collect();
            let shown = (note.kind.clone(), note.fields.clone(), note.tags.clone(), decks);
            (note.fields[0].clone(), shown)
        });
        let decks = seen.decks.values().map(|deck| deck.name.clone());
        (notes.collect(), decks.filter(|name| is_ours(name)).collect())
    }
}

impl Account {
    /// The deck with a name.
    async fn deck_named(&self, client: &Client, name: &str) -> Result<Value, Lost> {
        let query = "query { viewer { decks(first: 500) { nodes { id name } } } }";
        let data = self.ask(client, query, &json!({})).await?;
        let decks = data["viewer"]["decks"]["nodes"].as_array().unwrap();
        Ok(decks.iter().find(|deck| deck["name"] == name).unwrap()["id"].clone())
    }

    /// Waits until an import is in one of these states.
    async fn import(
        &self,
        client: &Client,
        id: &Value,
        states: &[&str],
    ) -> Result<(String, Value), Lost> {
        let query = "query($id: ID!) { importJob(id: $id) { state preview { notes problemCount problems { place message } }
            error { code message } } }";
        let began = std::time::Instant::now();
        loop {
            let mut data = self.ask(client, query, &json!({ "id": id })).await?;
            let job = data["importJob"].take();
            let state = job["state"].as_str().unwrap();
            if states.contains(&state) {
                return Ok((state.to_owned(), job));
            }
            assert!(began.elapsed() < TAKES, "{job} does not become {states:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn imports(&self, client: &Client) -> Result<Vec<Value>, Lost> {
        let query = "query { importJobs { id name state error { code message } } }";
        let data = self.ask(client, query, &json!({})).await?;
        Ok(data["importJobs"].as_array().unwrap().clone())
    }

    /// Waits until nothing happens to the person's imports any more.
    pub(crate) async fn wait_for_imports(&self, client: &Client) {
        let began = std::time::Instant::now();
        loop {
            let imports = self.imports(client).await.unwrap();
            let is_at_rest = |import: &&Value| AT_REST.contains(&import["state"].as_str().unwrap());
            let busy: Vec<&Value> = imports.iter().filter(|import| !is_at_rest(import)).collect();
            if busy.is_empty() {
                return;
            }
            assert!(began.elapsed() < TAKES, "they do not come to an end: {busy:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The names of all media.
    async fn media(&self, client: &Client) -> BTreeSet<String> {
        const MEDIA: &str = "query($first: Int, $after: String) { viewer { list: mediaFiles(first: $first, after: $after) {
            nodes { name } pageInfo { hasNextPage endCursor } } } }";
        let files = self.pages(client, MEDIA).await;
        files.iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl Load for Importing {
    fn step<'a>(&'a mut self, client: &'a Client) -> BoxFuture<'a, Result<(), Lost>> {
        self.step(client).boxed()
    }

    fn check<'a>(&'a mut self, world: &'a World<'a>) -> BoxFuture<'a, ()> {
        self.check(world).boxed()
    }

    fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    fn in_doubt(&self) -> u64 {
        self.in_doubt
    }
}
