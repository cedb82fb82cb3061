//! The stores beneath the program: where they are, and what is read of them past the graph, by the domains' own code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::mongo::Mongo;
use common::outbox::OutboxStore;
use common::sqlite::Sqlite;
use common::{Backend, CardId, DeckId, NoteId, UserId};
use decks::store::mongo::MongoStore;
use decks::store::sqlite::SqliteStore;
use futures::TryStreamExt;
use learning::store::Store;
use mongodb::bson::{self, Document, doc};
use rusqlite::params;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;
use uuid::Uuid;

use crate::program::{Program, Start};
use crate::seen::{Seen, SeenCard};
use crate::server::Server;

/// How long what was not told to others may wait after a start.
const TOLD: Duration = Duration::from_secs(60);

/// Where the program keeps its data, and the same stores opened beside it.
pub(crate) struct Stores {
    folder: TempDir,
    server: Option<Server>,
    opened: Option<Opened>,
}

/// The database of a domain.
pub(crate) async fn database(server: &Server, domain: &str) -> Mongo {
    Mongo::connect(&server.uri, &format!("spacey_{domain}")).await.unwrap()
}

/// What learning keeps of what decks told it of a card.
#[derive(Debug, PartialEq, Eq)]
struct Copied {
    deck: Uuid,
    note: Uuid,
    position: i64,
    tags: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct CardDoc {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    deck: bson::Uuid,
    note: bson::Uuid,
    position: i64,
    #[serde(default)]
    tags: Vec<String>,
}

struct Opened {
    learning: Arc<dyn Store>,
    outbox: Arc<dyn OutboxStore>,
    raw: Backend,
}

impl Stores {
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), server: None, opened: None }
    }

    pub(crate) async fn mongo() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Some(Server::start(folder.path()).await);
        Self { folder, server, opened: None }
    }

    pub(crate) const fn name(&self) -> &'static str {
        if self.server.is_some() { "MongoDB" } else { "SQLite" }
    }

    pub(crate) fn begin_start(&self) -> Start {
        let mongo = self.server.as_ref().map(|server| ("MONGO_DB_CONNECTION", server.uri.clone()));
        Start::begin(self.folder.path(), mongo.as_slice())
    }

    /// Starts the program, waits until it listens, and opens the stores beside it.
    pub(crate) async fn start(&mut self) -> Program {
        let program = self.begin_start().listens().await;
        if self.opened.is_none() {
            self.opened = Some(self.open().await);
        }
        program
    }

    async fn open(&self) -> Opened {
        let Some(server) = &self.server else {
            let open = |name: &str, migrations| {
                Sqlite::open(self.folder.path().join(name), migrations).unwrap()
            };
            let learning = open("learning.db", learning::MIGRATIONS);
            let decks = SqliteStore::open(open("decks.db", decks::MIGRATIONS)).await.unwrap();
            let raw = Backend::Sqlite(learning.clone());
            let learning = learning::store::open(Backend::Sqlite(learning)).await.unwrap();
            return Opened { learning, outbox: Arc::new(decks), raw };
        };
        let learning = database(server, "learning").await;
        let decks = MongoStore::open(database(server, "decks").await).await.unwrap();
        let raw = Backend::Mongo(learning.clone());
        let learning = learning::store::open(Backend::Mongo(learning)).await.unwrap();
        Opened { learning, outbox: Arc::new(decks), raw }
    }

    fn opened(&self) -> &Opened {
        self.opened.as_ref().unwrap()
    }

    /// What learning keeps.
    pub(crate) fn learning(&self) -> &dyn Store {
        &*self.opened().learning
    }

    /// Waits until decks and learning have told each other all that was not told before the kill.
    pub(crate) async fn wait_until_all_is_told(&self) {
        let Opened { learning, outbox, .. } = self.opened();
        let empty = async {
            while !outbox.pending(1).await.unwrap().is_empty()
                || !learning.pending(1).await.unwrap().is_empty()
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(TOLD, empty).await.expect("what waits in the outbox is delivered");
    }

    /// What a killed process was at is free for the next one. SQLite's file has one user, who sees to it at its start; with MongoDB another
    /// may be at work, so that it is waited for half a minute, which is spared here.
    pub(crate) async fn free_claims(&self) {
        let Some(server) = &self.server else { return };
        let decks = database(server, "decks").await;
        let claimed = doc! { "work": true };
        let free = doc! { "$set": { "claimedUntil": null } };
        decks.collection::<Document>("transfers").update_many(claimed, free).await.unwrap();
    }

    /// How many entries the log of a person has.
    pub(crate) async fn log_size(&self, owner: UserId) -> u64 {
        let count = match &self.opened().raw {
            Backend::Sqlite(sqlite) => {
                let count = move |connection: &rusqlite::Connection| {
                    let select = "SELECT count(*) FROM review WHERE owner = ?1";
                    Ok(connection.query_row(select, params![owner], |row| row.get::<_, i64>(0))?)
                };
                sqlite.read(count).await.unwrap()
            }
            Backend::Mongo(mongo) => {
                let reviews = mongo.collection::<Document>("reviews");
                reviews.count_documents(doc! { "owner": owner }).await.unwrap().cast_signed()
            }
        };
        count.cast_unsigned()
    }

    /// Learning's copy of a person's decks and cards is what decks has: the same ones, each in the same place and with the same tags.
    pub(crate) async fn compare_copies(&self, owner: UserId, seen: &Seen) {
        let shelf = self.learning().shelf(owner).await.unwrap();
        let copied: BTreeMap<Uuid, Option<Uuid>> = shelf
            .decks
            .iter()
            .map(|deck| (deck.id.uuid(), deck.parent.map(|parent| parent.uuid())))
            .collect();
        let decks = seen.decks.iter().map(|(id, deck)| (*id, deck.parent)).collect();
        assert_eq!(copied, decks, "learning's decks");
        let copy = |(id, card): (&Uuid, &SeenCard)| {
            let (deck, note, position) = (card.deck, card.note, card.position);
            (*id, Copied { deck, note, position, tags: seen.notes[&note].tags.clone() })
        };
        let cards: BTreeMap<Uuid, Copied> = seen.cards.iter().map(copy).collect();
        let copied = self.copied(owner).await;
        for (id, card) in &cards {
            assert_eq!(copied.get(id), Some(card), "learning's copy of the card {id}");
        }
        assert_eq!(copied.len(), cards.len(), "learning knows cards that are not there");
    }

    async fn copied(&self, owner: UserId) -> BTreeMap<Uuid, Copied> {
        match &self.opened().raw {
            Backend::Sqlite(sqlite) => {
                let read = move |connection: &rusqlite::Connection| {
                    let mut select = connection.prepare(
                        "SELECT id, deck, note, position, tags FROM card WHERE owner = ?1 AND live = 1",
                    )?;
                    let rows = select.query_map(params![owner], |row| {
                        let tags: String = row.get(4)?;
                        let copied = Copied {
                            deck: row.get::<_, DeckId>(1)?.uuid(),
                            note: row.get::<_, NoteId>(2)?.uuid(),
                            position: row.get(3)?,
                            tags: serde_json::from_str(&tags).unwrap(),
                        };
                        Ok((row.get::<_, CardId>(0)?.uuid(), copied))
                    })?;
                    Ok(rows.collect::<rusqlite::Result<_>>()?)
                };
                sqlite.read(read).await.unwrap()
            }
            Backend::Mongo(mongo) => {
                let cards = mongo.collection::<CardDoc>("cards");
                let cards = cards.find(doc! { "owner": owner, "live": true }).await.unwrap();
                let cards: Vec<CardDoc> = cards.try_collect().await.unwrap();
                let copied = |card: CardDoc| {
                    let [id, deck, note] =
                        [card.id, card.deck, card.note].map(|id| Uuid::from_bytes(id.bytes()));
                    let tags = card.tags.into_iter().collect();
                    (id, Copied { deck, note, position: card.position, tags })
                };
                cards.into_iter().map(copied).collect()
            }
        }
    }
}
