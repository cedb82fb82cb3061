//! Decks, notes and cards in a SQLite file. Longer statements are in `sql/`, one a file.

mod media;
mod outbox;
mod publish;
mod rows;
mod search;
mod sharing;
mod sync;
mod told;
mod transfers;
mod write;

use std::collections::HashMap;

use common::event::{CardsStudied, UserChanged};
use common::page::{Direction, Page, PageRequest};
use common::sqlite::Sqlite;
use common::{CardId, DeckId, NoteId, StoreError, TrashId, UserId};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params_from_iter};
use uuid::Uuid;

use super::{
    Changes, Commit, OutlineCard, Reply, Store, card_pages, child_pages, outcome, reading_down,
};
use crate::model::{
    Card, CardKey, CardList, CardSort, ChangeKey, Deck, DeckFilter, DeckKey, DeckOrder, DeckSort,
    Note, Owner, Person, Tag, Tagged, Trash, TrashKey,
};
use crate::search::{Filter, SearchKey};
use rows::{CARD, DECK, NOTE, blob, list};
use write::exactly_one;

/// The scripts that make the tables, in order.
pub const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_decks_and_cards.sql"),
    include_str!("migrations/0002_notes_and_trash.sql"),
    include_str!("migrations/0003_search.sql"),
    include_str!("migrations/0004_study_and_sync.sql"),
    include_str!("migrations/0005_sharing.sql"),
    include_str!("migrations/0006_media.sql"),
    include_str!("migrations/0007_transfers.sql"),
    include_str!("migrations/0008_staged_media.sql"),
    include_str!("migrations/0009_public_media.sql"),
    include_str!("migrations/0010_narrow_search.sql"),
    include_str!("migrations/0011_trashed_media.sql"),
];

/// Decks, notes and cards in a SQLite file that was opened with [`MIGRATIONS`].
#[derive(Debug, Clone)]
pub struct SqliteStore(Sqlite);

impl SqliteStore {
    /// Uses the file.
    #[must_use]
    pub const fn new(sqlite: Sqlite) -> Self {
        Self(sqlite)
    }

    /// Uses the file, takes the cards of earlier versions into the search, and looks which media their notes name.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub async fn open(sqlite: Sqlite) -> Result<Self, StoreError> {
        search::take_in_old(&sqlite).await?;
        media::read_old(&sqlite).await?;
        // Whoever was at work on a transfer is gone: nobody else uses the file.
        let release = |connection: &rusqlite::Connection| {
            connection.execute("UPDATE transfer SET claimed_until = NULL WHERE work = 1", [])?;
            Ok(())
        };
        sqlite.write(release).await?;
        Ok(Self(sqlite))
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

    fn count(&self, sql: &'static str, values: Vec<Value>) -> Reply<'_, i64> {
        let rows = self.rows(sql, values, |row| row.get(0));
        Box::pin(async move { Ok(rows.await?.pop().unwrap_or(0)) })
    }

    fn decks_by(&self, sql: &str, values: Vec<Value>) -> Reply<'_, Vec<Deck>> {
        self.rows(sql.replace("{columns}", DECK), values, rows::deck)
    }

    fn cards_by(&self, sql: &str, values: Vec<Value>) -> Reply<'_, Vec<Card>> {
        self.rows(sql.replace("{columns}", CARD), values, rows::card)
    }

    fn notes_by(&self, sql: &str, values: Vec<Value>) -> Reply<'_, Vec<Note>> {
        self.rows(sql.replace("{columns}", NOTE), values, rows::note)
    }
}

impl Store for SqliteStore {
    fn era(&self) -> i32 {
        self.0.era()
    }

    fn owner(&self, id: UserId) -> Reply<'_, Owner> {
        Box::pin(self.0.read(move |connection| {
            let sql = include_str!("sql/owner.sql");
            let row = connection.prepare_cached(sql)?.query_row([id], |row| {
                Ok(Owner {
                    id,
                    deck_count: row.get(0)?,
                    gone: row.get(1)?,
                    revision: row.get(2)?,
                    media_count: row.get(3)?,
                    media_bytes: row.get(4)?,
                })
            });
            Ok(row.optional()?.unwrap_or_else(|| Owner::new(id)))
        }))
    }

    fn decks(&self, ids: Vec<DeckId>) -> Reply<'_, Vec<Deck>> {
        let ids = list(ids.into_iter().map(DeckId::uuid));
        self.decks_by(include_str!("sql/decks.sql"), vec![ids])
    }

    fn cards(&self, ids: Vec<CardId>) -> Reply<'_, Vec<Card>> {
        let ids = list(ids.into_iter().map(CardId::uuid));
        self.cards_by(include_str!("sql/cards.sql"), vec![ids])
    }

    fn notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Note>> {
        let ids = list(ids.into_iter().map(NoteId::uuid));
        self.notes_by(include_str!("sql/notes.sql"), vec![ids])
    }

    fn notes_by_guid(&self, owner: UserId, guids: Vec<String>) -> Reply<'_, Vec<Note>> {
        let guids = Value::from(serde_json::Value::from(guids).to_string());
        let sql = include_str!("sql/notes_by_guid.sql");
        self.notes_by(sql, vec![blob(owner.uuid()), guids])
    }

    fn cards_of_notes(&self, ids: Vec<NoteId>) -> Reply<'_, Vec<Card>> {
        let ids = list(ids.into_iter().map(NoteId::uuid));
        self.cards_by(include_str!("sql/cards_of_notes.sql"), vec![ids])
    }

    fn taken(&self, ids: Vec<Uuid>) -> Reply<'_, Vec<Uuid>> {
        let sql = include_str!("sql/taken.sql");
        // Any of the id types reads the bytes.
        self.rows(sql, vec![list(ids)], |row| row.get(0).map(DeckId::uuid))
    }

    fn deck_page(
        &self,
        owner: UserId,
        filter: DeckFilter,
        order: DeckOrder,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, Page<Deck>> {
        let key = match order.by {
            DeckSort::Name => "sort_name",
            DeckSort::CreatedAt => "created_at",
            DeckSort::UpdatedAt => "updated_at",
            DeckSort::Position => "position",
        };
        let mut values = vec![blob(owner.uuid()), Value::from(i64::from(page.limit) + 1)];
        let sql = include_str!("sql/deck_page.sql").replace("{key}", key);
        let sql = directed(&sql, key, order.descending, &page, &mut values, deck_key);
        let sql = filtered(&sql, filter, &mut values);
        let rows = self.decks_by(&sql, values);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn deck_count(&self, owner: UserId, filter: DeckFilter) -> Reply<'_, i64> {
        let mut values = vec![blob(owner.uuid())];
        let sql = filtered(include_str!("sql/deck_count.sql"), filter, &mut values);
        let rows = self.rows(sql, values, |row| row.get(0));
        Box::pin(async move { Ok(rows.await?.pop().unwrap_or_default()) })
    }

    fn child_pages(
        &self,
        parents: Vec<DeckId>,
        page: PageRequest<DeckKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Deck>>> {
        let ids = list(parents.into_iter().map(DeckId::uuid));
        let mut values = vec![ids, Value::from(i64::from(page.limit) + 1)];
        let sql = include_str!("sql/child_pages.sql");
        let sql = directed(sql, "position", false, &page, &mut values, deck_key);
        let rows = self.decks_by(&sql, values);
        Box::pin(async move { Ok(child_pages(&page, rows.await?)) })
    }

    fn child_counts(&self, parents: Vec<DeckId>) -> Reply<'_, HashMap<DeckId, i64>> {
        let sql = "SELECT parent_id, count(*) FROM deck \
            WHERE parent_id IN (SELECT unhex(value) FROM json_each(?1)) AND trash_id IS NULL GROUP BY parent_id";
        let ids = list(parents.into_iter().map(DeckId::uuid));
        let rows = self.rows(sql, vec![ids], |row| Ok((row.get(0)?, row.get(1)?)));
        Box::pin(async move { Ok(rows.await?.into_iter().collect()) })
    }

    fn siblings(&self, owner: UserId, parent: Option<DeckId>) -> Reply<'_, Vec<(DeckId, i64)>> {
        let parent = parent.map_or(Value::Null, |parent| blob(parent.uuid()));
        let sql = include_str!("sql/siblings.sql");
        self.rows(sql, vec![blob(owner.uuid()), parent], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    fn descendants(&self, owner: UserId, deck: DeckId) -> Reply<'_, Vec<Deck>> {
        Box::pin(async move {
            let Some(deck) = self.decks(vec![deck]).await?.pop() else { return Ok(Vec::new()) };
            let path = Value::from(rows::path(&deck.ancestors_of_children()));
            let values = vec![blob(owner.uuid()), path];
            self.decks_by(include_str!("sql/descendants.sql"), values).await
        })
    }

    fn any_deck(&self, id: DeckId) -> Reply<'_, Option<Deck>> {
        let sql = "SELECT {columns} FROM deck WHERE id = ?1";
        let found = self.decks_by(sql, vec![blob(id.uuid())]);
        Box::pin(async move { Ok(found.await?.pop()) })
    }

    fn any_decks(&self, owner: UserId, limit: u32) -> Reply<'_, Vec<Deck>> {
        let values = vec![blob(owner.uuid()), Value::from(limit)];
        self.decks_by(include_str!("sql/any_decks.sql"), values)
    }

    fn card_pages(
        &self,
        decks: Vec<DeckId>,
        of: CardList,
        page: PageRequest<CardKey>,
    ) -> Reply<'_, HashMap<DeckId, Page<Card>>> {
        let ids = list(decks.into_iter().map(DeckId::uuid));
        let mut values = vec![ids, Value::from(i64::from(page.limit) + 1)];
        let key = match of.by {
            CardSort::Position => "position",
            CardSort::CreatedAt => "created_at",
            CardSort::UpdatedAt => "updated_at",
        };
        let sql = include_str!("sql/card_pages.sql").replace("{key}", key);
        let sql = directed(&sql, key, of.descending, &page, &mut values, |CardKey(_, at, id)| {
            [Value::from(*at), blob(id.uuid())]
        });
        let sql = only(&sql, &of, &mut values);
        let rows = self.cards_by(&sql, values);
        Box::pin(async move { Ok(card_pages(&page, &of, rows.await?)) })
    }

    fn card_counts(&self, decks: Vec<DeckId>, of: CardList) -> Reply<'_, HashMap<DeckId, i64>> {
        let mut values = vec![list(decks.into_iter().map(DeckId::uuid))];
        let sql = only(include_str!("sql/card_counts.sql"), &of, &mut values);
        let rows = self.rows(sql, values, |row| Ok((row.get(0)?, row.get(1)?)));
        Box::pin(async move { Ok(rows.await?.into_iter().collect()) })
    }

    fn outline(&self, deck: DeckId) -> Reply<'_, Vec<OutlineCard>> {
        let sql = include_str!("sql/outline.sql");
        self.rows(sql, vec![blob(deck.uuid())], rows::outline)
    }

    fn card_ids(&self, decks: Vec<DeckId>, limit: u32) -> Reply<'_, Vec<CardId>> {
        let ids = list(decks.into_iter().map(DeckId::uuid));
        let values = vec![ids, Value::from(limit)];
        self.rows(include_str!("sql/card_ids.sql"), values, |row| row.get(0))
    }

    fn tags(
        &self,
        owner: UserId,
        below: Option<Tag>,
        page: PageRequest<String>,
    ) -> Reply<'_, Page<Tagged>> {
        let (direction, sign) = match page.direction {
            Direction::Forward => ("ASC", ">"),
            Direction::Backward => ("DESC", "<"),
        };
        let sql = include_str!("sql/tags.sql");
        let sql = sql.replace("{direction}", direction).replace("{sign}", sign);
        let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let values = vec![
            blob(owner.uuid()),
            Value::from(i64::from(page.limit) + 1),
            text(page.cursor.clone()),
            text(below.as_ref().map(Tag::key)),
            text(below.as_ref().map(Tag::key_below)),
        ];
        let rows = self.rows(sql, values, rows::tagged);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn tag_count(&self, owner: UserId, below: Option<Tag>) -> Reply<'_, i64> {
        let text = |text: Option<String>| text.map_or(Value::Null, Value::from);
        let values = vec![
            blob(owner.uuid()),
            text(below.as_ref().map(Tag::key)),
            text(below.as_ref().map(Tag::key_below)),
        ];
        self.count(include_str!("sql/tag_count.sql"), values)
    }

    fn notes_with_tag(
        &self,
        owner: UserId,
        tag: Tag,
        after: Option<NoteId>,
        limit: u32,
    ) -> Reply<'_, Vec<Note>> {
        let (key, below) = (Value::from(tag.key()), Value::from(tag.key_below()));
        let after = after.map_or(Value::from(Vec::new()), |after| blob(after.uuid()));
        let values = vec![blob(owner.uuid()), key, below, Value::from(limit), after];
        self.notes_by(include_str!("sql/notes_with_tag.sql"), values)
    }

    fn trash(&self, ids: Vec<TrashId>) -> Reply<'_, Vec<Trash>> {
        let ids = list(ids.into_iter().map(TrashId::uuid));
        self.rows(include_str!("sql/trash.sql"), vec![ids], rows::trash)
    }

    fn trash_page(&self, owner: UserId, page: PageRequest<TrashKey>) -> Reply<'_, Page<Trash>> {
        let mut values = vec![blob(owner.uuid()), Value::from(i64::from(page.limit) + 1)];
        let sql = include_str!("sql/trash_page.sql");
        let sql = directed(sql, "deleted_at", true, &page, &mut values, |(at, id)| {
            [Value::from(*at), blob(id.uuid())]
        });
        let rows = self.rows(sql, values, rows::trash);
        Box::pin(async move { Ok(Page::from_overfull(&page, rows.await?)) })
    }

    fn trash_count(&self, owner: UserId) -> Reply<'_, i64> {
        let sql = "SELECT count(*) FROM trash WHERE owner_id = ?1 AND kind NOT IN (2, 3)";
        self.count(sql, vec![blob(owner.uuid())])
    }

    fn trashed_decks(&self, trash: TrashId) -> Reply<'_, Vec<Deck>> {
        self.decks_by(include_str!("sql/trashed_decks.sql"), vec![blob(trash.uuid())])
    }

    fn trashed_cards(&self, trash: TrashId, limit: u32) -> Reply<'_, Vec<Card>> {
        let values = vec![blob(trash.uuid()), Value::from(limit)];
        self.cards_by(include_str!("sql/trashed_cards.sql"), values)
    }

    fn trashed_counts(&self, trash: TrashId) -> Reply<'_, HashMap<DeckId, i64>> {
        let sql = "SELECT deck_id, count(*) FROM card WHERE trash_id = ?1 GROUP BY deck_id";
        let rows = self.rows(sql, vec![blob(trash.uuid())], |row| Ok((row.get(0)?, row.get(1)?)));
        Box::pin(async move { Ok(rows.await?.into_iter().collect()) })
    }

    fn expired(&self, before: Timestamp) -> Reply<'_, Option<Trash>> {
        let values = vec![Value::from(before.as_millisecond())];
        let rows = self.rows(include_str!("sql/expired.sql"), values, rows::trash);
        Box::pin(async move { Ok(rows.await?.pop()) })
    }

    fn purge(&self, trash: TrashId, limit: u32) -> Reply<'_, bool> {
        Box::pin(self.0.write(move |connection| write::purge(connection, trash, limit)))
    }

    fn search(
        &self,
        owner: UserId,
        filter: Filter,
        after: Option<SearchKey>,
        limit: u32,
    ) -> Reply<'_, Vec<(u8, Card)>> {
        Box::pin(
            self.0.read(move |connection| search::search(connection, owner, &filter, after, limit)),
        )
    }

    fn search_count(&self, owner: UserId, filter: Filter) -> Reply<'_, i64> {
        Box::pin(self.0.read(move |connection| search::count(connection, owner, &filter)))
    }

    fn put_person(&self, user: UserChanged) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| told::put_person(connection, &user)))
    }

    fn person(&self, id: UserId) -> Reply<'_, Option<Person>> {
        Box::pin(self.0.read(move |connection| told::person(connection, id)))
    }

    fn put_study(&self, studied: Vec<CardsStudied>) -> Reply<'_, ()> {
        Box::pin(self.0.write(move |connection| told::put_study(connection, &studied)))
    }

    fn changes(
        &self,
        owner: UserId,
        after: ChangeKey,
        limit: u32,
    ) -> Reply<'_, (Vec<ChangeKey>, i64)> {
        Box::pin(self.0.read(move |connection| sync::changes(connection, owner, after, limit)))
    }

    fn commit(&self, changes: Changes) -> Reply<'_, Commit> {
        Box::pin(async move {
            outcome(self.0.write(move |connection| write::write(connection, &changes)).await)
        })
    }

    fn ping(&self) -> Reply<'_, ()> {
        Box::pin(self.0.ping())
    }
}

/// Fills in the direction of a page's query, and the condition for what lies beyond its cursor.
fn directed<K>(
    sql: &str,
    key: &str,
    list_descends: bool,
    page: &PageRequest<K>,
    values: &mut Vec<Value>,
    read: impl Fn(&K) -> [Value; 2],
) -> String {
    let descending = reading_down(list_descends, page);
    let (direction, sign) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    let beyond = match &page.cursor {
        Some(cursor) => {
            values.extend(read(cursor));
            format!("AND ({key}, id) {sign} (?{}, ?{})", values.len() - 1, values.len())
        }
        None => String::new(),
    };
    sql.replace("{direction}", direction).replace("{beyond}", &beyond)
}

fn deck_key(key: &DeckKey) -> [Value; 2] {
    match key {
        DeckKey::Name(name, id) => [Value::from(name.clone()), blob(id.uuid())],
        DeckKey::CreatedAt(at, id) | DeckKey::UpdatedAt(at, id) | DeckKey::Position(at, id) => {
            [Value::from(*at), blob(id.uuid())]
        }
    }
}

/// Fills in the conditions of a filter of decks.
fn filtered(sql: &str, filter: DeckFilter, values: &mut Vec<Value>) -> String {
    let mut conditions = String::new();
    if let Some(parent) = filter.parent {
        values.push(parent.map_or(Value::Null, |parent| blob(parent.uuid())));
        conditions.push_str(&format!(" AND parent_id IS ?{}", values.len()));
    }
    if let Some(archived) = filter.archived {
        values.push(Value::from(archived));
        conditions.push_str(&format!(" AND archived = ?{}", values.len()));
    }
    sql.replace("{filter}", &conditions)
}

/// Fills in the conditions of a filter of cards.
fn only(sql: &str, list: &CardList, values: &mut Vec<Value>) -> String {
    let mut conditions = String::new();
    if let Some(kind) = list.kind {
        values.push(Value::from(kind.number()));
        conditions.push_str(&format!(" AND entry.kind = ?{}", values.len()));
    }
    if let Some(tag) = &list.tag {
        values.extend([Value::from(tag.key()), Value::from(tag.key_below())]);
        let (tag, below) = (values.len() - 1, values.len());
        conditions.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM note_tag WHERE note_id = entry.note_id \
            AND (key = ?{tag} OR substr(key, 1, length(?{below})) = ?{below}))"
        ));
    }
    sql.replace("{filter}", &conditions)
}
