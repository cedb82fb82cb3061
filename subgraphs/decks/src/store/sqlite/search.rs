//! Searching cards: conditions as SQL, words as an expression of FTS5.
//!
//! What learning says of cards stands in a narrow table in the order of the search, which is looked through where nothing better is known.
//!
//! A text is put into FTS5 as its folded words, and its owner as a word in a column of its own, so that nobody's cards are looked at but the
//! owner's. Words that must be there in any case drive the query; it ends as soon as the page is full. What holds for few cards is looked up first, so
//! that few are found as fast as many.

use common::sqlite::Sqlite;
use common::{CardId, StoreError, UserId};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::rows::{self, CARD, blob, list};
use crate::model::Card;
use crate::search::text::words;
use crate::search::{Filter, SearchKey, Study, Words};

/// How many cards of earlier versions are taken in at once.
const BATCH: usize = 1_000;
/// Cards with a tag are looked up all together when they are no more than these, and otherwise one by one until the page is full;
const FEW_TAGGED: usize = 2_000;
/// so are those of decks, where words or what was learned drives the query.
const FEW_IN_DECKS: usize = 10_000;

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
    let texts = Texts::of(filter.clone());
    let few = few(connection, owner, &texts)?;
    let mut found = Vec::new();
    let first = after.map_or(0, |SearchKey(tier, _)| tier);
    for tier in first..=u8::from(!texts.must.is_empty()) {
        let cursor = after.filter(|key| key.0 == tier).map(|key| key.1);
        let (text, values) = page(owner, &texts, &few, tier, cursor, limit - found.len());
        let mut select = connection.prepare_cached(&text)?;
        let cards = select.query_map(params_from_iter(values), rows::card)?;
        for card in cards {
            found.push((tier, card?));
        }
        if found.len() == limit {
            break;
        }
    }
    Ok(found)
}

/// The query for some cards of a tier.
fn page(
    owner: UserId,
    texts: &Texts,
    few: &[Filter],
    tier: u8,
    after: Option<CardId>,
    limit: usize,
) -> (String, Vec<Value>) {
    let mut sql = Sql { values: Vec::new(), owner, number: texts.number(), few };
    let from = sql.source(texts, Some(tier));
    let mut conditions = sql.conditions(&texts.rest);
    let number = sql.number;
    if let Some(after) = after {
        let id = sql.value(blob(after.uuid()));
        conditions += &format!(" AND {number} < (SELECT seq FROM card WHERE id = {id})");
    }
    let limit = sql.value(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
    let text =
        format!("SELECT {CARD} FROM {from} AND {conditions} ORDER BY {number} DESC LIMIT {limit}");
    (text, sql.values)
}

/// How many cards are found.
pub(super) fn count(
    connection: &Connection,
    owner: UserId,
    filter: &Filter,
) -> Result<i64, StoreError> {
    let texts = Texts::of(filter.clone());
    let few = few(connection, owner, &texts)?;
    let mut sql = Sql { values: Vec::new(), owner, number: texts.number(), few: &few };
    let from = sql.source(&texts, None);
    let conditions = sql.conditions(&texts.rest);
    let text = format!("SELECT count(*) FROM {from} AND {conditions}");
    let mut select = connection.prepare_cached(&text)?;
    Ok(select.query_row(params_from_iter(sql.values), |row| row.get(0))?)
}

/// Those of the conditions on tags and decks that hold for few cards.
fn few(connection: &Connection, owner: UserId, texts: &Texts) -> Result<Vec<Filter>, StoreError> {
    let number = texts.number();
    let mut found = Vec::new();
    for leaf in texts.rest.iter().flat_map(leaves) {
        let most = match leaf {
            Filter::Tag(_) => FEW_TAGGED,
            // Without words or learning the narrow index has the deck.
            Filter::Decks(_) if number != "card.seq" => FEW_IN_DECKS,
            _ => continue,
        };
        let mut sql = Sql { values: Vec::new(), owner, number, few: &[] };
        let numbers = sql.numbers(leaf).unwrap_or_default();
        let text = format!("SELECT count(*) FROM ({numbers} LIMIT {})", most + 1);
        let mut select = connection.prepare_cached(&text)?;
        let count: i64 = select.query_row(params_from_iter(sql.values), |row| row.get(0))?;
        if usize::try_from(count).is_ok_and(|count| count <= most) {
            found.push(leaf.clone());
        }
    }
    Ok(found)
}

/// The conditions in a condition.
fn leaves(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(leaves).collect(),
        Filter::Not(part) => leaves(part),
        leaf => vec![leaf],
    }
}

/// A query taken apart: what FTS5 answers as one expression, and the rest.
struct Texts {
    /// Words that must be there.
    must: Vec<Words>,
    /// Other expressions that must hold.
    also: Vec<String>,
    /// Expressions that must not hold.
    never: Vec<String>,
    rest: Vec<Filter>,
}

impl Texts {
    fn of(filter: Filter) -> Self {
        let (must, parts) = filter.split();
        let mut texts = Self { must, also: Vec::new(), never: Vec::new(), rest: Vec::new() };
        for part in parts {
            match in_texts(&part) {
                Some(text) => texts.also.push(text),
                None => texts.rest.push(part),
            }
        }
        // FTS5 denies only something of something.
        if texts.drive() {
            let denied = |part: &Filter| match part {
                Filter::Not(inner) => in_texts(inner),
                _ => None,
            };
            texts.never = texts.rest.iter().filter_map(denied).collect();
            texts.rest.retain(|part| denied(part).is_none());
        }
        texts
    }

    /// Whether it is asked what learning says.
    fn ask_study(&self) -> bool {
        self.rest.iter().any(asks_study)
    }

    /// The number of a card, as what the query begins with has it.
    fn number(&self) -> &'static str {
        match (self.drive(), self.ask_study()) {
            (true, _) if self.rare().is_none() => "card_text.rowid",
            (_, true) => "study.seq",
            (_, false) => "card.seq",
        }
    }

    /// The index of what must hold and holds for few cards: the query begins with these, and looks for words in them.
    fn rare(&self) -> Option<&'static str> {
        self.rest.iter().find_map(|part| match part {
            Filter::Study(Study::Suspended) => Some("study_suspended"),
            Filter::Study(Study::Leech) => Some("study_leech"),
            _ => None,
        })
    }

    /// Whether there are texts to look for, which is then where the query begins.
    fn drive(&self) -> bool {
        !self.must.is_empty() || !self.also.is_empty()
    }
}

/// A filter as an expression of FTS5, if it is about nothing but words and asks for some.
fn in_texts(filter: &Filter) -> Option<String> {
    match filter {
        Filter::Words(words) => Some(format!("({{question answer}} : ({}))", expression(words))),
        Filter::Any(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(in_texts).collect();
            Some(format!("({})", parts?.join(" OR ")))
        }
        Filter::All(parts) => {
            let (mut wanted, mut denied) = (Vec::new(), Vec::new());
            for part in parts {
                match part {
                    Filter::Not(part) => denied.push(in_texts(part)?),
                    part => wanted.push(in_texts(part)?),
                }
            }
            if wanted.is_empty() {
                return None;
            }
            Some(without(format!("({})", wanted.join(" AND ")), &denied))
        }
        Filter::Not(_)
        | Filter::Decks(_)
        | Filter::Tag(_)
        | Filter::Since(_)
        | Filter::Study(_) => None,
    }
}

fn asks_study(filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(asks_study),
        Filter::Not(part) => asks_study(part),
        Filter::Study(_) => true,
        Filter::Words(_) | Filter::Decks(_) | Filter::Tag(_) | Filter::Since(_) => false,
    }
}

fn without(wanted: String, denied: &[String]) -> String {
    denied.iter().fold(wanted, |text, denied| format!("({text} NOT {denied})"))
}

/// A statement that is put together; values only ever go in as parameters.
struct Sql<'a> {
    values: Vec<Value>,
    owner: UserId,
    /// The number of a card.
    number: &'static str,
    /// What holds for few cards.
    few: &'a [Filter],
}

impl Sql<'_> {
    fn value(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    /// What the cards are read from. Tier 0: those with the words in the question, 1: the others, none: all.
    fn source(&mut self, texts: &Texts, tier: Option<u8>) -> String {
        let owner = self.value(blob(self.owner.uuid()));
        let mine = format!("card.owner_id = {owner} AND card.trash_id IS NULL");
        if !texts.drive() && !texts.ask_study() {
            return format!("card WHERE {mine}");
        }
        // The order in which the tables stand is that in which they are read: narrow ones first.
        let learned = format!("study.owner_id = {owner}");
        let index = texts.rare().map(|index| format!("INDEXED BY {index} ")).unwrap_or_default();
        if !texts.drive() {
            return format!(
                "study {index}CROSS JOIN card ON card.seq = study.seq WHERE {learned} AND {mine}"
            );
        }
        let mut wanted = vec![format!("owner : \"{}\"", token(self.owner))];
        let mut denied = texts.never.clone();
        let expressions: Vec<String> = texts.must.iter().map(expression).collect();
        let in_question = format!("({{question}} : ({}))", expressions.join(" AND "));
        let anywhere = expressions.iter().map(|text| format!("({{question answer}} : ({text}))"));
        match tier.filter(|_| !expressions.is_empty()) {
            Some(0) => wanted.push(in_question),
            Some(_) => {
                wanted.extend(anywhere);
                denied.push(in_question);
            }
            None => wanted.extend(anywhere),
        }
        wanted.extend(texts.also.iter().cloned());
        let text = without(format!("({})", wanted.join(" AND ")), &denied);
        let text = self.value(Value::from(text));
        let tables = match (texts.ask_study(), texts.rare()) {
            (false, _) => "card_text".to_owned(),
            (true, None) => {
                format!("card_text CROSS JOIN study ON study.seq = card_text.rowid AND {learned}")
            }
            (true, Some(_)) => format!(
                "study {index}CROSS JOIN card_text ON card_text.rowid = study.seq AND {learned}"
            ),
        };
        format!(
            "{tables} CROSS JOIN card ON card.seq = card_text.rowid WHERE card_text MATCH {text} AND {mine}"
        )
    }

    fn conditions(&mut self, filters: &[Filter]) -> String {
        let mut parts = vec!["TRUE".to_owned()];
        parts.extend(filters.iter().map(|filter| self.condition(filter)));
        parts.join(" AND ")
    }

    /// The numbers of the cards for which a condition on tags or decks holds, as a query.
    fn numbers(&mut self, filter: &Filter) -> Option<String> {
        Some(match filter {
            Filter::Tag(tag) => {
                let owner = self.value(blob(self.owner.uuid()));
                let (key, below) = (tag.key(), tag.key_below());
                // What comes after everything that begins so: the separator ends with a colon, after which comes the semicolon.
                let beyond = format!("{key}:;");
                let [key, below, beyond] = [key, below, beyond].map(|key| self.value(key.into()));
                let of = "SELECT card.seq FROM note_tag CROSS JOIN card ON card.note_id = note_tag.note_id WHERE note_tag.owner_id";
                format!(
                    "{of} = {owner} AND key = {key} UNION ALL {of} = {owner} AND key >= {below} AND key < {beyond}"
                )
            }
            Filter::Decks(decks) => {
                let decks = self.value(list(decks.iter().map(|deck| deck.uuid())));
                format!(
                    "SELECT seq FROM card WHERE deck_id IN (SELECT unhex(value) FROM json_each({decks}))"
                )
            }
            _ => return None,
        })
    }

    fn condition(&mut self, filter: &Filter) -> String {
        if self.few.contains(filter) {
            let numbers = self.numbers(filter).unwrap_or_default();
            // FTS5 would look for words anew for each number: the plus keeps it from that.
            let plus = if self.number.starts_with("card_text") { "+" } else { "" };
            return format!("({plus}{} IN ({numbers}))", self.number);
        }
        match filter {
            Filter::Decks(decks) if decks.is_empty() => "FALSE".to_owned(),
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
                let number = self.number;
                format!("({number} IN (SELECT rowid FROM card_text WHERE card_text MATCH {text}))")
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
            Filter::Study(study) => self.study(*study),
        }
    }

    fn study(&mut self, study: Study) -> String {
        let mut value = |number: i64| self.value(Value::from(number));
        match study {
            Study::State(states) => {
                let numbers: Vec<String> =
                    states.iter().map(|state| state.number().to_string()).collect();
                format!("(study.state IN ({}))", numbers.join(", "))
            }
            Study::Due(today, tomorrow) => {
                let (today, tomorrow) = (value(today.0.into()), value(tomorrow.as_millisecond()));
                format!(
                    "(coalesce(study.due_day <= {today}, study.due_at < {tomorrow}, 0) AND study.suspended = 0 \
                    AND (study.buried_until IS NULL OR study.buried_until <= {today}))"
                )
            }
            Study::Suspended => "(study.suspended = 1)".to_owned(),
            Study::Buried(today) => {
                let today = value(today.0.into());
                format!("(study.buried_until IS NOT NULL AND study.buried_until > {today})")
            }
            Study::Leech => "(study.leech = 1)".to_owned(),
            Study::Answered(since, rating) => {
                let since = value(since.as_millisecond());
                let column =
                    rating.and_then(|rating| ["again", "hard", "good", "easy"].get(rating));
                let column = column.unwrap_or(&"answered_at");
                format!("(study.{column} IS NOT NULL AND study.{column} >= {since})")
            }
        }
    }
}

/// Words as FTS5 looks for them. They are letters and digits only, so that nothing in them has a meaning there.
fn expression(words: &Words) -> String {
    let prefix = if words.prefix { " *" } else { "" };
    format!("\"{}\"{prefix}", words.words.join(" "))
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
