//! Searching cards: conditions as SQL, words as an expression of FTS5.
//!
//! A text is put into FTS5 as its folded words, and its owner as a word in a column of its own, so that nobody's cards are looked at but the
//! owner's. Words that must be there in any case drive the query; it ends as soon as the page is full.

use common::sqlite::Sqlite;
use common::{CardId, StoreError, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::rows::{self, CARD, blob, list};
use crate::model::Card;
use crate::search::text::words;
use crate::search::{Filter, SearchKey, Words};

/// How many cards of earlier versions are taken in at once.
const BATCH: usize = 1_000;

/// Writes the words of a card, in place of those it had.
pub(super) fn write_words(connection: &Connection, card: &Card) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO card_text (rowid, owner, question, answer) \
        SELECT seq, ?2, ?3, ?4 FROM card WHERE id = ?1";
    let values = params![card.id, token(card.owner), folded(&card.question), folded(&card.answer)];
    connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Takes in cards that were made before there was search.
pub(super) async fn take_in_old(sqlite: &Sqlite) -> Result<(), StoreError> {
    while sqlite.write(take_in_some).await? {}
    Ok(())
}

fn take_in_some(connection: &Connection) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT {CARD} FROM card WHERE seq > (SELECT coalesce(max(rowid), 0) FROM card_text) ORDER BY seq LIMIT {BATCH}"
    );
    let mut select = connection.prepare_cached(&sql)?;
    let cards = select.query_map([], rows::card)?.collect::<rusqlite::Result<Vec<_>>>()?;
    cards.iter().try_for_each(|card| write_words(connection, card))?;
    Ok(cards.len() == BATCH)
}

fn folded(text: &str) -> String {
    let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
    words.join(" ")
}

fn token(owner: UserId) -> String {
    owner.uuid().simple().to_string()
}

/// One page of the cards that are found, with their tiers, one more than the page holds where there is one.
pub(super) fn search(
    connection: &Connection,
    owner: UserId,
    filter: &Filter,
    after: Option<SearchKey>,
    limit: u32,
) -> Result<Vec<(u8, Card)>, StoreError> {
    let limit = limit as usize + 1;
    let (must, rest) = filter.clone().split();
    let mut found = Vec::new();
    let first = after.map_or(0, |SearchKey(tier, _)| tier);
    let last = u8::from(!must.is_empty());
    for tier in first..=last {
        let cursor = after.filter(|key| key.0 == tier).map(|key| key.1);
        let wanted = limit - found.len();
        let query = Select { owner, must: &must, rest: &rest, tier, cursor };
        let cards = query.run(connection, wanted)?;
        found.extend(cards.into_iter().map(|card| (tier, card)));
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// How many cards are found.
pub(super) fn count(
    connection: &Connection,
    owner: UserId,
    filter: &Filter,
) -> Result<i64, StoreError> {
    let (must, rest) = filter.clone().split();
    let mut sql = Sql { values: Vec::new(), owner };
    let from = sql.source(&must, None);
    let conditions = sql.conditions(&rest);
    let text = format!("SELECT count(*) FROM {from} AND {conditions}");
    let mut select = connection.prepare_cached(&text)?;
    Ok(select.query_row(params_from_iter(sql.values), |row| row.get(0))?)
}

struct Select<'a> {
    owner: UserId,
    must: &'a [Words],
    rest: &'a [Filter],
    tier: u8,
    cursor: Option<CardId>,
}

impl Select<'_> {
    fn run(&self, connection: &Connection, limit: usize) -> Result<Vec<Card>, StoreError> {
        let mut sql = Sql { values: Vec::new(), owner: self.owner };
        let from = sql.source(self.must, Some(self.tier));
        let mut conditions = sql.conditions(self.rest);
        let number = if self.must.is_empty() { "card.seq" } else { "card_text.rowid" };
        if let Some(cursor) = self.cursor {
            let id = sql.value(blob(cursor.uuid()));
            conditions += &format!(" AND {number} < (SELECT seq FROM card WHERE id = {id})");
        }
        let limit = sql.value(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
        let text = format!(
            "SELECT {CARD} FROM {from} AND {conditions} ORDER BY {number} DESC LIMIT {limit}"
        );
        let mut select = connection.prepare_cached(&text)?;
        let cards = select.query_map(params_from_iter(sql.values), rows::card)?;
        Ok(cards.collect::<rusqlite::Result<_>>()?)
    }
}

/// A statement that is put together; values only ever go in as parameters.
struct Sql {
    values: Vec<Value>,
    owner: UserId,
}

impl Sql {
    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// What the cards are read from. Tier 0: those with the words in the question, 1: the others, none: all.
    fn source(&mut self, must: &[Words], tier: Option<u8>) -> String {
        let owner = self.value(blob(self.owner.uuid()));
        let mine = format!("card.owner_id = {owner} AND card.trash_id IS NULL");
        if must.is_empty() {
            return format!("card WHERE {mine}");
        }
        let own = format!("owner : \"{}\"", token(self.owner));
        let expressions: Vec<String> = must.iter().map(expression).collect();
        let all = expressions.join(" AND ");
        let text = match tier {
            Some(0) => format!("{own} AND {{question}} : ({all})"),
            Some(_) => {
                let either: Vec<String> =
                    expressions.iter().map(|e| format!("{{question answer}} : ({e})")).collect();
                format!("({own} AND {}) NOT ({{question}} : ({all}))", either.join(" AND "))
            }
            None => format!("{own} AND {{question answer}} : ({all})"),
        };
        let text = self.value(Value::from(text));
        format!(
            "card_text CROSS JOIN card ON card.seq = card_text.rowid WHERE card_text MATCH {text} AND {mine}"
        )
    }

    fn conditions(&mut self, filters: &[Filter]) -> String {
        let mut parts = vec!["TRUE".to_owned()];
        parts.extend(filters.iter().map(|filter| self.condition(filter)));
        parts.join(" AND ")
    }

    fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::All(parts) => format!("({})", self.conditions(parts)),
            Filter::Any(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
                format!("({})", parts.join(" OR "))
            }
            Filter::Not(part) => format!("NOT {}", self.condition(part)),
            Filter::Words(words) => {
                let own = token(self.owner);
                let words = expression(words);
                let text = format!("owner : \"{own}\" AND {{question answer}} : ({words})");
                let text = self.value(Value::from(text));
                format!("(card.seq IN (SELECT rowid FROM card_text WHERE card_text MATCH {text}))")
            }
            Filter::Decks(decks) => {
                let decks = self.value(list(decks.iter().map(|deck| deck.uuid())));
                format!("(card.deck_id IN (SELECT unhex(value) FROM json_each({decks})))")
            }
            Filter::Tag(tag) => {
                let (key, below) = (tag.key(), tag.key_below());
                let (key, below) = (self.value(Value::from(key)), self.value(Value::from(below)));
                format!(
                    "EXISTS (SELECT 1 FROM note_tag WHERE note_id = card.note_id \
                    AND (key = {key} OR substr(key, 1, length({below})) = {below}))"
                )
            }
            Filter::Since(at) => {
                let at = self.value(Value::from(at.as_millisecond()));
                format!("(card.created_at >= {at})")
            }
        }
    }
}

/// Words as FTS5 looks for them. They are letters and digits only, so that nothing in them has a meaning there.
fn expression(words: &Words) -> String {
    let prefix = if words.prefix { " *" } else { "" };
    format!("\"{}\"{prefix}", words.words.join(" "))
}
