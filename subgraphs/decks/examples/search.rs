//! How long search takes over 100,000 cards in SQLite: the middle and the longest of 20 runs for each query.
//! `cargo run --release -p decks --example search`.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]
#![expect(clippy::unwrap_used, reason = "it ends at the first surprise")]

use std::sync::Arc;
use std::time::Instant;

use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{Clock, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{CardText, Content, Description, Name, NewDeck, NewNote, Tag, Tags};
use decks::service::Service;
use decks::store::sqlite::{MIGRATIONS, SqliteStore};

const CARDS: usize = 100_000;
const RUNS: usize = 20;
const QUERIES: &[&str] = &[
    "",
    "common",
    "word777",
    "word77*",
    "\"common word777\"",
    "common -word777 tag:part7",
    "(word1 or word2) -common",
    "word12 or tag:part3",
    "deck:deck added:7 common",
    "absent",
    "common word1 word2",
];

#[tokio::main]
async fn main() {
    let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
    let store = Arc::new(SqliteStore::new(sqlite));
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    let service = Service::new(store, outbox, Clock::System);
    let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
    let (name, description) = (Name::new("name", "deck").unwrap(), Description::default());
    let new = NewDeck { id: None, name, description, color: None, parent: None };
    let deck = service.create_deck(&viewer, &new).await.unwrap().id;
    for start in (0..CARDS).step_by(1_000) {
        let notes: Vec<NewNote> = (start..start + 1_000).map(note).collect();
        service.create_notes(&viewer, deck, &notes).await.unwrap();
    }
    println!("{:<32} {:>7} {:>10} {:>10}", "query", "cards", "median ms", "longest ms");
    for query in QUERIES {
        let mut times = Vec::new();
        let mut found = 0;
        for _ in 0..RUNS {
            let page = PageRequest { direction: Direction::Forward, limit: 50, cursor: None };
            let start = Instant::now();
            found = service.search(&viewer, query, page).await.unwrap().1.rows.len();
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        println!("{query:<32} {found:>7} {:>10.2} {:>10.2}", times[RUNS / 2], times[RUNS - 1]);
    }
}

fn note(nth: usize) -> NewNote {
    let text = |text: String| CardText::new("text", text).unwrap();
    let question = text(format!("What is common word{} and word{}?", nth % 1_000, nth % 97));
    let answer = text(format!("A common answer of about as many words as answers have, word{nth}"));
    let tag = Tag::new("tag", &format!("part{}", nth % 10)).unwrap();
    NewNote {
        id: None,
        card: None,
        guid: None,
        content: Content::basic(&question, &answer),
        tags: Tags::new("tags", vec![tag]).unwrap(),
        source: None,
    }
}
