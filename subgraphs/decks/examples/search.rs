//! How long search takes over 100,000 cards: the middle and the longest of 20 runs for each query, of a page of 50 and of the count. In SQLite, or with
//! `-- mongo` in a MongoDB at `127.0.0.1:27117`. `cargo run --release -p decks --example search`.

#![expect(clippy::print_stdout, reason = "it prints what it measures")]
#![expect(clippy::unwrap_used, reason = "it ends at the first surprise")]

use std::sync::Arc;
use std::time::Instant;

use common::endpoint::Domain;
use common::event::{CardStudied, CardsStudied, StudyDue, StudyState};
use common::outbox::Outbox;
use common::page::{Direction, PageRequest};
use common::viewer::Roles;
use common::{Calendar, CardId, Clock, Event, SessionId, UserId, Viewer, testing};
use decks::NAME;
use decks::model::{CardText, Content, Description, Name, NewDeck, NewNote, Tag, Tags};
use decks::service::Service;
use decks::store::Store;
use decks::store::mongo::MongoStore;
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
    "is:new",
    "is:due",
    "is:learning",
    "is:review",
    "is:suspended",
    "is:buried",
    "is:leech",
    "rated:1",
    "rated:1:1",
    "rated:30:2",
    "is:due -tag:part3",
    "common is:due",
    "word777 is:due",
    "common is:leech",
    "is:leech or is:suspended",
    "is:leech is:suspended",
    "(is:due or rated:1) -is:suspended",
];

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "mongo") {
        let store = MongoStore::open(testing::mongo().await).await.unwrap();
        measure(Arc::new(store)).await;
    } else {
        let (_folder, sqlite) = testing::sqlite(MIGRATIONS);
        measure(Arc::new(SqliteStore::new(sqlite))).await;
    }
}

async fn measure(store: Arc<impl Store + 'static>) {
    let outbox = Outbox::start(NAME, store.clone(), Vec::new());
    let service = Service::new(store, outbox, Clock::System);
    let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
    let (name, description) = (Name::new("name", "deck").unwrap(), Description::default());
    let new = NewDeck { id: None, name, description, color: None, parent: None };
    let deck = service.create_deck(&viewer, &new).await.unwrap().id;
    for start in (0..CARDS).step_by(1_000) {
        let notes: Vec<NewNote> = (start..start + 1_000).map(note).collect();
        let (_, made) = service.create_notes(&viewer, deck, &notes).await.unwrap();
        let cards = made.iter().flat_map(|note| &note.cards);
        let cards = cards.enumerate().map(|(nth, card)| studied(card.id, start + nth)).collect();
        let event = Event::Studied(CardsStudied { owner: viewer.user, cards });
        service.apply(&[event]).await.unwrap();
    }
    println!(
        "{:<36} {:>7} {:>10} {:>10} {:>10} {:>10}",
        "query", "cards", "median ms", "longest ms", "count ms", "longest ms"
    );
    for query in QUERIES {
        let (mut pages, mut counts) = (Vec::new(), Vec::new());
        let mut found = 0;
        for _ in 0..RUNS {
            let page = PageRequest { direction: Direction::Forward, limit: 50, cursor: None };
            let start = Instant::now();
            let (parsed, _) = service.search(&viewer, query, page).await.unwrap();
            pages.push(start.elapsed().as_secs_f64() * 1e3);
            let start = Instant::now();
            found = service.search_count(&viewer, &parsed).await.unwrap();
            counts.push(start.elapsed().as_secs_f64() * 1e3);
        }
        for times in [&mut pages, &mut counts] {
            times.sort_by(f64::total_cmp);
        }
        let [page, longest_page] = [pages[RUNS / 2], pages[RUNS - 1]];
        let [count, longest] = [counts[RUNS / 2], counts[RUNS - 1]];
        println!(
            "{query:<36} {found:>7} {page:>10.2} {longest_page:>10.2} {count:>10.2} {longest:>10.2}"
        );
    }
}

/// What was learned of a card: half are new, one in a hundred is due, one in a thousand is what few are.
fn studied(card: CardId, nth: usize) -> CardStudied {
    let now = Clock::System.now();
    let today = Calendar::default().day_of(now);
    let (rare, learned) = (nth % 1_000 == 7, nth % 2 == 1);
    let days = u32::try_from(nth % 100).unwrap();
    let answered = now - jiff::SignedDuration::from_hours(24 * i64::from(days));
    let mut last = [None; 4];
    last[nth / 2 % 4] = learned.then_some(answered);
    CardStudied {
        card,
        version: 1,
        state: if rare {
            StudyState::Learning
        } else if learned {
            StudyState::Review
        } else {
            StudyState::New
        },
        due: learned.then(|| StudyDue::On(today.plus(if days == 1 { 0 } else { days + 1 }))),
        suspended: nth % 1_000 == 9,
        buried_until: (nth % 1_000 == 11).then(|| today.plus(1)),
        flag: 0,
        lapses: 0,
        leech: nth % 1_000 == 13,
        answered: last,
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
