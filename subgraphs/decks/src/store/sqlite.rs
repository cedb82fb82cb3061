//! Decks and cards in a SQLite file.

use std::collections::HashMap;

use common::outbox::OutboxStore;
use common::page::{Direction, Page, PageRequest};
use common::sqlite::Sqlite;
use common::{CardId, DeckId, Event, EventId, StoreError, UserId};
use futures::future::BoxFuture;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Params, Row, params, params_from_iter};
use uuid::Uuid;

use super::{Changes, Commit, MovedCard, OutlineCard, Reply, Stale, Store, outcome, pages};
use crate::model::{Card, CardKey, Deck, DeckKey, DeckOrder, DeckSort, Owner, Source};

/// The scripts that make the tables, in order.
pub const MIGRATIONS: &[&str] = &[include_str!("migrations/0001_decks_and_cards.sql")];

/// Decks and cards in a SQLite file that was opened with [`MIGRATIONS`].
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses the file.
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }

    fn rows<'a, T: Send + 'static>(
        &'a self,
        sql: impl Into<std::borrow::Cow<'static, str>>,
        values: Vec<Value>,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Reply<'a, Vec<T>> {
        let sql = sql.into();
        Box::pin(self.0.read(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params_from_iter(values), read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        }))
    }
}

impl Store for SqliteStore {
    fn owner(&self, id: UserId) -> Reply<'_, Owner> {
        Box::pin(self.0.read(move |connection| {
            let sql = "SELECT deck_count, gone, revision FROM owner WHERE id = ?1";
            let row = connection.prepare_cached(sql)?.query_row([id], |row| {
                let (deck_count, gone, revision) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(Owner { id, deck_count, gone, revision })
            });
            Ok(row.optional()?.unwrap_or_else(|| Owner::new(id)))
        }))
    }

    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>> {
        let ids = list(ids.into_iter().map(DeckId::uuid));
        self.rows(include_str!("sql/decks.sql"), vec![ids], deck)
    }

    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>> {
        let ids = list(ids.into_iter().map(CardId::uuid));
        self.rows(include_str!("sql/cards.sql"), vec![ids], card)
    }

    fn deleted(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>> {
        let sql = "SELECT id FROM deleted WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
        // Any of the id types reads the bytes.
        self.rows(sql, vec![list(ids)], |row| row.get(0).map(DeckId::uuid))
    }

    fn deck_page(
        &self,
        owner: UserId,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>> {
        let key = match order.by {
            DeckSort::Name => "sort_name",
            DeckSort::CreatedAt => "created_at",
            DeckSort::UpdatedAt => "updated_at",
        };
        let descending = order.descending != (page.direction == Direction::Backward);
        let mut values = vec![blob(owner.uuid()), Value::from(i64::from(page.limit) + 1)];
        values.extend(page.cursor.iter().flat_map(|cursor| match cursor {
            DeckKey::Name(name, id) => [Value::from(name.clone()), blob(id.uuid())],
            DeckKey::CreatedAt(at, id) | DeckKey::UpdatedAt(at, id) => {
                [Value::from(*at), blob(id.uuid())]
            }
        }));
        let sql = include_str!("sql/deck_page.sql").replace("{key}", key);
        let rows = self.rows(directed(&sql, key, descending, &page), values, deck);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>> {
        let ids = list(decks.into_iter().map(DeckId::uuid));
        let mut values = vec![ids, Value::from(i64::from(page.limit) + 1)];
        values.extend(
            page.cursor.iter().flat_map(|CardKey(at, id)| [Value::from(*at), blob(id.uuid())]),
        );
        let descending = page.direction == Direction::Backward;
        let sql = directed(include_str!("sql/card_pages.sql"), "position", descending, &page);
        let rows = self.rows(sql, values, card);
        Box::pin(async move { Ok(pages(&page, rows.await?)) })
    }

    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>> {
        let sql = "SELECT id, position, version, created_at FROM card WHERE deck_id = ?1 ORDER BY position, id";
        self.rows(sql, vec![blob(deck.uuid())], |row| {
            Ok(OutlineCard {
                id: row.get(0)?,
                position: row.get(1)?,
                version: row.get(2)?,
                created_at: time(row, 3)?,
            })
        })
    }

    fn commit(&self, changes: Changes) -> Reply<'_, Commit> {
        Box::pin(async move {
            outcome(self.0.write(move |connection| write(connection, &changes)).await)
        })
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.0.ping())
    }
}

impl OutboxStore for SqliteStore {
    fn pending(&self, limit: usize) -> BoxFuture<'_, Result<Vec<(EventId, Event)>, StoreError>> {
        let sql = "SELECT id, event FROM outbox ORDER BY id LIMIT ?1";
        let limit = Value::from(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.rows(sql, vec![limit], |row| {
            Ok((row.get::<_, EventId>(0)?, row.get::<_, String>(1)?))
        });
        Box::pin(async move {
            let event = |(id, text): (EventId, String)| match serde_json::from_str(&text) {
                Ok(event) => Ok((id, event)),
                Err(error) => Err(StoreError::Corrupt(format!("event {id}: {error}"))),
            };
            rows.await?.into_iter().map(event).collect()
        })
    }

    fn delivered(&self, events: Vec<EventId>) -> BoxFuture<'_, Result<(), StoreError>> {
        let ids = list(events.into_iter().map(EventId::uuid));
        Box::pin(self.0.write(move |connection| {
            let sql = "DELETE FROM outbox WHERE id IN (SELECT unhex(value) FROM json_each(?1))";
            connection.prepare_cached(sql)?.execute([ids])?;
            Ok(())
        }))
    }
}

/// Fills in the direction of a page's query, and the condition for what lies beyond its cursor: parameters 3 and 4.
fn directed<K>(sql: &str, key: &str, descending: bool, page: &PageRequest<K>) -> String {
    let (direction, sign) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let beyond = match &page.cursor {
        Some(_) => format!("AND ({key}, id) {sign} (?3, ?4)"),
        None => String::new(),
    };
    sql.replace("{direction}", direction).replace("{beyond}", &beyond)
}

/// Ids as the queries take many of them: a JSON list of hexadecimal texts.
fn list(ids: impl IntoIterator<Item = Uuid>) -> Value {
    let mut text = String::from("[");
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        text.push('"');
    }
    text.push(']');
    Value::from(text)
}

fn blob(id: Uuid) -> Value {
    Value::from(id.into_bytes().to_vec())
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    let at: i64 = row.get(index)?;
    Timestamp::from_millisecond(at).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, at))
}

fn deck(row: &Row<'_>) -> rusqlite::Result<Deck> {
    Ok(Deck {
        id: row.get(0)?,
        owner: row.get(1)?,
        name: row.get(2)?,
        description: row.get(3)?,
        color: row.get(4)?,
        created_at: time(row, 5)?,
        updated_at: time(row, 6)?,
        version: row.get(7)?,
        card_count: row.get(8)?,
        last_place: row.get(9)?,
        revision: row.get(10)?,
    })
}

fn card(row: &Row<'_>) -> rusqlite::Result<Card> {
    let source: (Option<i32>, Option<i32>) = (row.get(6)?, row.get(7)?);
    Ok(Card {
        id: row.get(0)?,
        deck: row.get(1)?,
        owner: row.get(2)?,
        position: row.get(3)?,
        question: row.get(4)?,
        answer: row.get(5)?,
        source: source.0.zip(source.1).map(|(start, end)| Source { start, end }),
        created_at: time(row, 8)?,
        updated_at: time(row, 9)?,
        version: row.get(10)?,
    })
}

fn write(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    if let Some(Owner { id, deck_count, gone, revision }) = changes.owner {
        let sql = include_str!("sql/put_owner.sql");
        exactly_one(connection, sql, params![id, deck_count, gone, revision])?;
    }
    for deck in &changes.new_decks {
        insert_deck(connection, deck)?;
    }
    for deck in &changes.decks {
        update_deck(connection, deck)?;
    }
    for card in &changes.new_cards {
        insert_card(connection, card)?;
    }
    for card in &changes.edited_cards {
        let sql = "UPDATE card SET question = ?3, answer = ?4, updated_at = ?5, version = ?2 \
                   WHERE id = ?1 AND version = ?2 - 1";
        let Card { id, version, question, answer, .. } = card;
        let updated_at = card.updated_at.as_millisecond();
        exactly_one(connection, sql, params![id, version, question, answer, updated_at])?;
    }
    for moved in &changes.moved_cards {
        let sql = "UPDATE card SET deck_id = ?3, position = ?4, updated_at = ?5, version = ?2 \
                   WHERE id = ?1 AND version = ?2 - 1";
        let MovedCard { id, version, deck, position, .. } = moved;
        let updated_at = moved.updated_at.as_millisecond();
        exactly_one(connection, sql, params![id, version, deck, position, updated_at])?;
    }
    for (id, version) in &changes.deleted_cards {
        let sql = "DELETE FROM card WHERE id = ?1 AND version = ?2";
        exactly_one(connection, sql, params![id, version])?;
        connection.prepare_cached("INSERT INTO deleted (id) VALUES (?1)")?.execute([id])?;
    }
    for deck in &changes.deleted_decks {
        delete_deck(connection, deck)?;
    }
    for event in &changes.events {
        let text = serde_json::to_string(event).map_err(|e| StoreError::Other(Box::new(e)))?;
        connection
            .prepare_cached("INSERT INTO outbox (id, event) VALUES (?1, ?2)")?
            .execute(params![EventId::new(), text])?;
    }
    Ok(())
}

/// Changes one row. When it is not there in the state that the change was decided on, everything is undone.
fn exactly_one(connection: &Connection, sql: &str, values: impl Params) -> Result<(), StoreError> {
    match connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        _ => Err(StoreError::Other(Box::new(Stale))),
    }
}

fn insert_deck(connection: &Connection, deck: &Deck) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/insert_deck.sql"))?.execute(params![
        deck.id,
        deck.owner,
        deck.name,
        deck.sort_name(),
        deck.description,
        deck.color,
        deck.created_at.as_millisecond(),
        deck.updated_at.as_millisecond(),
        deck.version,
        deck.card_count,
        deck.last_place,
        deck.revision,
    ])?;
    Ok(())
}

fn update_deck(connection: &Connection, deck: &Deck) -> Result<(), StoreError> {
    let values = params![
        deck.id,
        deck.name,
        deck.sort_name(),
        deck.description,
        deck.color,
        deck.updated_at.as_millisecond(),
        deck.version,
        deck.card_count,
        deck.revision,
        deck.last_place,
    ];
    exactly_one(connection, include_str!("sql/update_deck.sql"), values)
}

fn insert_card(connection: &Connection, card: &Card) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/insert_card.sql"))?.execute(params![
        card.id,
        card.deck,
        card.owner,
        card.position,
        card.question,
        card.answer,
        card.source.map(|source| source.start),
        card.source.map(|source| source.end),
        card.created_at.as_millisecond(),
        card.updated_at.as_millisecond(),
        card.version,
    ])?;
    Ok(())
}

fn delete_deck(connection: &Connection, deck: &Deck) -> Result<(), StoreError> {
    for sql in [
        "INSERT INTO deleted (id) SELECT id FROM card WHERE deck_id = ?1",
        "DELETE FROM card WHERE deck_id = ?1",
        "INSERT INTO deleted (id) VALUES (?1)",
    ] {
        connection.prepare_cached(sql)?.execute([deck.id])?;
    }
    let sql = "DELETE FROM deck WHERE id = ?1 AND revision = ?2";
    exactly_one(connection, sql, params![deck.id, deck.revision])
}
