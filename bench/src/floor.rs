//! The floor: an axum handler written by hand for one query. It runs the statements that the domains run, from the same files, reads
//! only the columns that the answer needs, and serialises the same JSON. What Spacey takes beyond it is the price of being general.
//!
//! It checks no token, parses no GraphQL, and keeps one connection for each file.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use learning::choice::{When, Wish, choose, window};
use learning::model::{Candidate, DeckRow, OwnSettings, Shelf};
use learning::scheduler::{
    Calendar, CardState, Day, Due, HalfLife, Memory, Model, Rating, Rules, Scheduler, Settings,
    deck_score,
};
use learning::service::Moment;
use learning::shelf::Tree;
use learning::store::QueueCards;
use learning::tally::Tally;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Row, params};
use serde::Serialize;
use uuid::Uuid;

use crate::Result;

macro_rules! sql {
    (users $name:literal) => {
        include_str!(concat!("../../subgraphs/users/src/store/sql/", $name, ".sql"))
    };
    (decks $name:literal) => {
        include_str!(concat!("../../subgraphs/decks/src/store/sqlite/sql/", $name, ".sql"))
    };
    (learning $name:literal) => {
        include_str!(concat!("../../subgraphs/learning/src/store/sqlite/sql/", $name, ".sql"))
    };
}

const COLORS: [&str; 8] =
    ["#FFEC87", "#BEBDFF", "#FFAB87", "#87FFE9", "#FF87DD", "#FF878E", "#CFFFAA", "#87DBFF"];

struct Floor {
    user: Uuid,
    users: Connection,
    decks: Connection,
    learning: Connection,
    model: Model,
    rules: Rules,
}

#[derive(Serialize)]
struct Answer {
    data: Data,
}

#[derive(Serialize)]
struct Data {
    viewer: Viewer,
    config: Config,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Viewer {
    id: Uuid,
    name: String,
    decks: Decks,
    study_queue: Vec<StudyItem>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Decks {
    total_count: i64,
    nodes: Vec<Deck>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Deck {
    id: Uuid,
    name: String,
    counts: Counts,
    recall_score: f64,
    retrievability: Option<f64>,
    cards: Cards,
}

#[derive(Serialize, Default)]
struct Counts {
    new: usize,
    learning: usize,
    review: usize,
}

#[derive(Serialize, Default)]
struct Cards {
    nodes: Vec<Card>,
}

#[derive(Serialize)]
struct Card {
    question: String,
    answer: String,
    state: Option<&'static str>,
    due: Option<String>,
    retrievability: Option<f64>,
}

#[derive(Serialize)]
struct StudyItem {
    card: QueuedCard,
    previews: Vec<Preview>,
}

#[derive(Serialize)]
struct QueuedCard {
    id: Uuid,
    question: Option<String>,
}

#[derive(Serialize)]
struct Preview {
    rating: &'static str,
    interval: f64,
    due: String,
}

#[derive(Serialize)]
struct Config {
    frontend: Frontend,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Frontend {
    deck_colors: [&'static str; 8],
}

/// Serves the query for one person until the program is killed.
pub(crate) async fn serve(folder: &Path, user: Uuid) -> Result<()> {
    let open = |name: &str| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(folder.join(name), flags)?;
        // As the product's own connections.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok::<_, rusqlite::Error>(connection)
    };
    let (model, rules) = (Model::average()?, Rules::default());
    let (users, decks, learning) = (open("users.db")?, open("decks.db")?, open("learning.db")?);
    let floor = Arc::new(Mutex::new(Floor { user, users, decks, learning, model, rules }));
    let router = Router::new().route("/graphql", post(handle)).with_state(floor);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("The floor listens on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

async fn handle(State(floor): State<Arc<Mutex<Floor>>>, _body: Bytes) -> Response {
    let answer = tokio::task::spawn_blocking(move || {
        let floor = floor.lock().unwrap_or_else(PoisonError::into_inner);
        floor.answer()
    });
    match answer.await {
        Ok(Ok(json)) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

impl Floor {
    fn answer(&self) -> Result<Vec<u8>> {
        let name = self
            .users
            .prepare_cached(sql!(users "users"))?
            .query_row([hex_list(&[self.user])], |row| row.get(2))?;
        let moment = self.moment()?;
        let viewer = Viewer {
            id: self.user,
            name,
            decks: self.decks(&moment)?,
            study_queue: self.study_queue(&moment)?,
        };
        let config = Config { frontend: Frontend { deck_colors: COLORS } };
        Ok(serde_json::to_vec(&Answer { data: Data { viewer, config } })?)
    }

    fn moment(&self) -> Result<Moment> {
        let mut select = self.learning.prepare_cached(sql!(learning "person"))?;
        let (zone, hour) = select
            .query_row([self.user.as_bytes()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        Ok(Moment::new(Timestamp::now(), Calendar::new(&zone, hour)?))
    }

    fn decks(&self, moment: &Moment) -> Result<Decks> {
        let page = sql!(decks "deck_page")
            .replace("{columns}", "id, name")
            .replace("{key}", "created_at")
            .replace("{direction}", "ASC")
            .replace("{filter}", "")
            .replace("{beyond}", "");
        let mut select = self.decks.prepare_cached(&page)?;
        let rows = select.query_map(params![self.user.as_bytes(), 21], |row| {
            Ok((uuid(row, 0)?, row.get::<_, String>(1)?))
        })?;
        let named = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let total_count = self
            .decks
            .prepare_cached(&sql!(decks "deck_count").replace("{filter}", ""))?
            .query_row([self.user.as_bytes()], |row| row.get(0))?;
        let ids: Vec<Uuid> = named.iter().take(20).map(|(id, _)| *id).collect();
        let mut cards = self.cards(&ids, moment)?;
        let mut numbers = self.numbers(&ids, moment)?;
        let nodes = named.into_iter().take(20).map(|(id, name)| {
            let (counts, recall_score, retrievability) = numbers.remove(&id).unwrap_or_default();
            let cards = Cards { nodes: cards.remove(&id).unwrap_or_default() };
            Deck { id, name, counts, recall_score, retrievability, cards }
        });
        Ok(Decks { total_count, nodes: nodes.collect() })
    }

    fn cards(&self, decks: &[Uuid], moment: &Moment) -> Result<HashMap<Uuid, Vec<Card>>> {
        let pages = sql!(decks "card_pages")
            .replace(
                "{columns}",
                "card.id, card.deck_id, card.position, card.question, card.answer",
            )
            .replace("{key}", "position")
            .replace("{direction}", "ASC")
            .replace("{filter}", "")
            .replace("{beyond}", "");
        let mut select = self.decks.prepare_cached(&pages)?;
        let mut rows = select.query(params![hex_list(decks), 51])?;
        let mut read = Vec::new();
        while let Some(row) = rows.next()? {
            let (id, deck): (Uuid, Uuid) = (uuid(row, 0)?, uuid(row, 1)?);
            let position: i64 = row.get(2)?;
            read.push((deck, position, id, row.get::<_, String>(3)?, row.get::<_, String>(4)?));
        }
        read.sort_unstable_by_key(|(deck, position, id, ..)| (*deck, *position, *id));

        let ids: Vec<Uuid> = read.iter().map(|(_, _, id, ..)| *id).collect();
        let mut select = self.learning.prepare_cached(sql!(learning "cards"))?;
        let mut rows = select.query(params![self.user.as_bytes(), hex_list(&ids)])?;
        let mut known = HashMap::with_capacity(ids.len());
        while let Some(row) = rows.next()? {
            let (id, state): (Uuid, u8) = (uuid(row, 0)?, row.get(4)?);
            if state == 0 {
                known.insert(id, (state_name(state), None, None));
                continue;
            }
            let due = match row.get::<_, Option<i64>>(6)? {
                Some(at) => Timestamp::from_millisecond(at)?,
                None => moment.due_at(Due::On(Day(row.get(7)?))),
            };
            let days = moment.today.since(Day(row.get(16)?));
            let retrievability = self.model.retrievability(row.get(8)?, days);
            known.insert(id, (state_name(state), Some(format!("{due:.3}")), Some(retrievability)));
        }
        let mut decks: HashMap<Uuid, Vec<Card>> = HashMap::new();
        for (deck, _, id, question, answer) in read {
            let cards = decks.entry(deck).or_default();
            if cards.len() < 50 {
                let (state, due, retrievability) =
                    known.remove(&id).map_or((None, None, None), |(s, d, r)| (Some(s), d, r));
                cards.push(Card { question, answer, state, due, retrievability });
            }
        }
        Ok(decks)
    }

    fn numbers(&self, decks: &[Uuid], moment: &Moment) -> Result<HashMap<Uuid, Numbers>> {
        let mut select = self.learning.prepare_cached(sql!(learning "decks"))?;
        let today = moment.today.0;
        let mut rows = select.query(params![self.user.as_bytes(), hex_list(decks), today])?;
        let mut decks: HashMap<Uuid, (Counts, Vec<f64>, f64)> = HashMap::new();
        while let Some(row) = rows.next()? {
            let (counts, recalls, sum) = decks.entry(uuid(row, 0)?).or_default();
            match row.get::<_, Option<u8>>(1)? {
                None => continue,
                Some(0) => counts.new += 1,
                Some(_) => {
                    match (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<i32>>(3)?) {
                        (Some(at), _) => {
                            let day = moment.calendar.day_of(Timestamp::from_millisecond(at)?);
                            counts.learning += usize::from(day <= moment.today);
                        }
                        (None, Some(day)) => counts.review += usize::from(Day(day) <= moment.today),
                        (None, None) => {}
                    }
                    let days = moment.today.since(Day(row.get(6)?));
                    recalls.push(HalfLife(row.get(5)?).recall(days));
                    *sum += self.model.retrievability(row.get(4)?, days);
                }
            }
        }
        let numbers = |(id, (counts, recalls, sum)): (Uuid, (Counts, Vec<f64>, f64))| {
            let studied = recalls.len();
            #[expect(clippy::cast_precision_loss, reason = "a deck has fewer than 2^52 cards")]
            let retrievability = (studied > 0).then(|| sum / studied as f64);
            let score = deck_score(counts.new + studied, recalls);
            (id, (counts, score, retrievability))
        };
        Ok(decks.into_iter().map(numbers).collect())
    }

    fn tree(&self) -> Result<Tree> {
        let mut select = self.learning.prepare_cached(sql!(learning "deck_rows"))?;
        let rows = select.query_map([self.user.as_bytes()], |row| {
            let own = OwnSettings::default();
            Ok(DeckRow { id: uuid(row, 0)?.into(), parent: None, archived: false, own })
        })?;
        let decks = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Tree::new(&Shelf { decks, presets: Vec::new() }))
    }

    fn candidates(&self, moment: &Moment, decks: &[Uuid]) -> Result<QueueCards> {
        let (user, decks) = (self.user.as_bytes(), hex_list(decks));
        let today = moment.today;
        let settings = Settings::default();
        let ahead = moment.now.saturating_add(settings.learn_ahead)?.as_millisecond();
        let none = rusqlite::types::Null;
        let mut select = self.learning.prepare_cached(sql!(learning "done"))?;
        let done = select.query_map(params![user, today.0, decks], |row| {
            let tally = Tally::from_bytes(row.get(1)?, row.get_ref(2)?.as_blob()?);
            Ok((uuid(row, 0)?.into(), tally.done()))
        })?;
        let done = done.collect::<rusqlite::Result<HashMap<_, _>>>()?;
        let read = |row: &Row<'_>| candidate(row, today);
        let mut select = self.learning.prepare_cached(sql!(learning "steps"))?;
        let steps = select.query_map(params![user, decks, today.0, ahead, none, 20], read)?;
        let mut steps = steps.collect::<rusqlite::Result<Vec<_>>>()?;
        steps.sort_unstable_by_key(|card| (card.due_at(), card.id));
        let many = window(settings.reviews_per_day);
        let mut select = self.learning.prepare_cached(sql!(learning "learned_cards"))?;
        let learned = select.query_map(params![user, decks, today.0, today.0, none, many], read)?;
        let learned = learned.collect::<rusqlite::Result<Vec<_>>>()?;
        let mut select = self.learning.prepare_cached(sql!(learning "new_cards"))?;
        let new = select.query_map(params![user, decks, today.0, none, 40], read)?;
        let new = new.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(QueueCards { done, steps, learned, new, studied: Vec::new() })
    }

    fn study_queue(&self, moment: &Moment) -> Result<Vec<StudyItem>> {
        let (now, today) = (moment.now, moment.today);
        let tree = self.tree()?;
        let decks: Vec<Uuid> = tree.subtree(None).into_iter().map(|deck| deck.uuid()).collect();
        let cards = self.candidates(moment, &decks)?;
        let wish = Wish { deck: None, extra_new: 0, extra_reviews: 0 };
        let mut chosen = choose(cards, &tree, &wish, When { now, today });
        chosen.truncate(20);
        let ids: Vec<Uuid> = chosen.iter().map(|card| card.uuid()).collect();
        let mut select = self.learning.prepare_cached(sql!(learning "cards"))?;
        let rows = select.query_map(params![self.user.as_bytes(), hex_list(&ids)], memory)?;
        let mut memories = rows.collect::<rusqlite::Result<HashMap<Uuid, Option<Memory>>>>()?;
        let queue: Vec<(Uuid, Option<Memory>)> =
            ids.into_iter().filter_map(|id| Some((id, memories.remove(&id)?))).collect();

        let ids: Vec<Uuid> = queue.iter().map(|(id, _)| *id).collect();
        let cards = sql!(decks "cards").replace("{columns}", "id, question");
        let mut select = self.decks.prepare_cached(&cards)?;
        let rows = select.query_map([hex_list(&ids)], |row| Ok((uuid(row, 0)?, row.get(1)?)))?;
        let mut questions = rows.collect::<rusqlite::Result<HashMap<Uuid, String>>>()?;
        let item = |(id, memory): (Uuid, Option<Memory>)| {
            let scheduler = Scheduler { model: &self.model, rules: &self.rules };
            let previews = scheduler.previews(id.into(), memory.as_ref(), now, today)?;
            let preview = |preview: learning::scheduler::Preview| Preview {
                rating: rating_name(preview.rating),
                interval: preview.interval.as_secs_f64(),
                due: format!("{:.3}", moment.due_at(preview.due)),
            };
            let card = QueuedCard { id, question: questions.remove(&id) };
            Ok(StudyItem { card, previews: previews.map(preview).into() })
        };
        queue.into_iter().map(item).collect()
    }
}

type Numbers = (Counts, f64, Option<f64>);

fn candidate(row: &Row<'_>, today: Day) -> rusqlite::Result<Candidate> {
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    let due = match (row.get::<_, Option<i64>>(3)?, row.get::<_, Option<i32>>(4)?) {
        (Some(ms), _) => Some(Due::At(at(ms))),
        (None, day) => day.map(|day| Due::On(Day(day))),
    };
    let urgency = match (row.get::<_, Option<i32>>(5)?, row.get::<_, Option<f64>>(6)?) {
        (Some(last), Some(stability)) => f64::from(today.0 - last) / stability,
        _ => 0.0,
    };
    let (id, deck) = (uuid(row, 0)?.into(), uuid(row, 1)?.into());
    Ok(Candidate { id, deck, note: None, due, urgency })
}

fn memory(row: &Row<'_>) -> rusqlite::Result<(Uuid, Option<Memory>)> {
    let id = uuid(row, 0)?;
    let Some(state) = CardState::from_number(row.get(4)?).filter(|s| *s != CardState::New) else {
        return Ok((id, None));
    };
    let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX);
    let due = match row.get::<_, Option<i64>>(6)? {
        Some(ms) => Due::At(at(ms)),
        None => Due::On(Day(row.get(7)?)),
    };
    let memory = Memory {
        state,
        step: row.get(5)?,
        due,
        stability: row.get(8)?,
        difficulty: row.get(9)?,
        half_life: HalfLife(row.get(10)?),
        reps: row.get(11)?,
        lapses: row.get(12)?,
        leech: row.get(13)?,
        last: (at(row.get(14)?), row.get(15)?),
        last_day: Day(row.get(16)?),
    };
    Ok((id, Some(memory)))
}

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

fn hex_list(ids: &[Uuid]) -> String {
    let mut list = String::with_capacity(2 + ids.len() * 35);
    list.push('[');
    for (index, id) in ids.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a String does not fail.
        let _ = write!(list, "{comma}\"{}\"", id.as_simple());
    }
    list.push(']');
    list
}

const fn state_name(state: u8) -> &'static str {
    ["NEW", "LEARNING", "REVIEW", "RELEARNING"][state as usize % 4]
}

const fn rating_name(rating: Rating) -> &'static str {
    match rating {
        Rating::Again => "AGAIN",
        Rating::Hard => "HARD",
        Rating::Good => "GOOD",
        Rating::Easy => "EASY",
    }
}
