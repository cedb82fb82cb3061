//! Making [`Changes`] in one transaction, and deleting for good. Whatever is found in another state than the decision was made on fails the
//! transaction, which undoes all.

use common::{EventId, StoreError, TrashId};
use rusqlite::{Connection, Params, params};

use super::{media, publish, rows, search, sync, transfers};
use crate::model::{Card, Deck, Note, Owner, Tag, Trash, TrashKind};
use crate::store::{Changes, MovedCard, Stale, Uncovered};

pub(super) fn write(connection: &Connection, changes: &Changes) -> Result<(), StoreError> {
    let change = match changes.person() {
        Some(person) => sync::next(connection, person)?,
        None => 0,
    };
    if let Some(Owner { id, deck_count, media_count, media_bytes, gone, revision }) = changes.owner
    {
        let sql = include_str!("sql/put_owner.sql");
        let values = params![id, deck_count, gone, revision, media_count, media_bytes];
        exactly_one(connection, sql, values)?;
    }
    changes.trash.iter().try_for_each(|trash| insert_trash(connection, trash))?;
    for (deck, trash) in &changes.trashed_with_deck {
        let sql = "UPDATE card SET trash_id = ?2, version = version + 1, change = ?3 WHERE deck_id = ?1 AND trash_id IS NULL";
        connection.prepare_cached(sql)?.execute(params![deck, trash, change])?;
    }
    changes.new_decks.iter().try_for_each(|deck| insert_deck(connection, deck, change))?;
    changes.decks.iter().try_for_each(|deck| update_deck(connection, deck, change))?;
    changes.new_notes.iter().try_for_each(|note| insert_note(connection, note, change))?;
    changes.notes.iter().try_for_each(|note| update_note(connection, note, change))?;
    changes.new_cards.iter().try_for_each(|card| insert_card(connection, card, change))?;
    changes.cards.iter().try_for_each(|card| update_card(connection, card, change))?;
    for moved in &changes.moved_cards {
        let sql = include_str!("sql/move_card.sql");
        let MovedCard { id, version, deck, position, .. } = moved;
        let updated_at = moved.updated_at.as_millisecond();
        exactly_one(connection, sql, params![id, version, deck, position, updated_at, change])?;
    }
    for trash in &changes.restored {
        let sql = "UPDATE card SET trash_id = NULL, version = version + 1, change = ?2 WHERE trash_id = ?1";
        connection.prepare_cached(sql)?.execute(params![trash, change])?;
        exactly_one(connection, "DELETE FROM trash WHERE id = ?1", [trash])?;
    }
    for deck in &changes.deleted_decks {
        delete_deck(connection, deck)?;
    }
    for Uncovered { id, version, trash } in &changes.uncovered {
        let sql = include_str!("sql/uncover_card.sql");
        exactly_one(connection, sql, params![id, version, trash, change])?;
    }
    if let Some(transfer) = &changes.transfer {
        transfers::put(connection, transfer)?;
        transfers::put_items(connection, transfer.id, &changes.new_items)?;
        if let Some(number) = changes.done_items {
            let sql = "DELETE FROM transfer_item WHERE transfer_id = ?1 AND number <= ?2";
            connection.prepare_cached(sql)?.execute(params![transfer.id, number])?;
        }
    }
    publish::write(connection, &changes.sharing)?;
    media::write(connection, changes)?;
    if let Some(person) = changes.person().filter(|_| changes.moves_trash()) {
        // Notes come and go with their cards.
        let sql = "UPDATE note SET change = ?2 WHERE change <> ?2
            AND id IN (SELECT note_id FROM card WHERE owner_id = ?1 AND change = ?2)";
        connection.prepare_cached(sql)?.execute(params![person, change])?;
    }
    if let Some(person) = changes.person().filter(|_| changes.ends_account()) {
        for sql in ["DELETE FROM sync WHERE owner_id = ?1", "DELETE FROM person WHERE id = ?1"] {
            connection.execute(sql, [person])?;
        }
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
pub(super) fn exactly_one(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<(), StoreError> {
    match connection.prepare_cached(sql)?.execute(values)? {
        1 => Ok(()),
        _ => Err(StoreError::Other(Box::new(Stale))),
    }
}

fn insert_deck(connection: &Connection, deck: &Deck, change: i64) -> Result<(), StoreError> {
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
        deck.parent(),
        rows::path(&deck.ancestors),
        deck.position,
        deck.archived,
        deck.trash,
        change,
    ])?;
    Ok(())
}

fn update_deck(connection: &Connection, deck: &Deck, change: i64) -> Result<(), StoreError> {
    let values = params![
        deck.id,
        deck.revision,
        deck.name,
        deck.sort_name(),
        deck.description,
        deck.color,
        deck.updated_at.as_millisecond(),
        deck.version,
        deck.card_count,
        deck.last_place,
        deck.parent(),
        rows::path(&deck.ancestors),
        deck.position,
        deck.archived,
        deck.trash,
        change,
    ];
    exactly_one(connection, include_str!("sql/update_deck.sql"), values)
}

fn insert_note(connection: &Connection, note: &Note, change: i64) -> Result<(), StoreError> {
    let (fields, tags) = rows::texts(&note.content, &note.tags)?;
    connection.prepare_cached(include_str!("sql/insert_note.sql"))?.execute(params![
        note.id,
        note.owner,
        note.guid.text(),
        note.content.kind().number(),
        fields,
        tags,
        note.created_at.as_millisecond(),
        note.updated_at.as_millisecond(),
        note.version,
        change,
    ])?;
    insert_tags(connection, note)?;
    media::write_names(connection, note)
}

fn update_note(connection: &Connection, note: &Note, change: i64) -> Result<(), StoreError> {
    let (fields, tags) = rows::texts(&note.content, &note.tags)?;
    let kind = note.content.kind().number();
    let updated_at = note.updated_at.as_millisecond();
    let values = params![note.id, note.version, kind, fields, tags, updated_at, change];
    exactly_one(connection, include_str!("sql/update_note.sql"), values)?;
    connection.prepare_cached("DELETE FROM note_tag WHERE note_id = ?1")?.execute([note.id])?;
    insert_tags(connection, note)?;
    media::write_names(connection, note)
}

fn insert_tags(connection: &Connection, note: &Note) -> Result<(), StoreError> {
    let sql = "INSERT INTO note_tag (owner_id, key, note_id, tag) VALUES (?1, ?2, ?3, ?4)";
    for tag in note.tags.list() {
        let values = params![note.owner, Tag::key(tag), note.id, tag.text()];
        connection.prepare_cached(sql)?.execute(values)?;
    }
    Ok(())
}

fn insert_card(connection: &Connection, card: &Card, change: i64) -> Result<(), StoreError> {
    connection.prepare_cached(include_str!("sql/insert_card.sql"))?.execute(params![
        card.id,
        card.note,
        card.ordinal,
        card.kind.number(),
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
        card.trash,
        change,
    ])?;
    let sql = "INSERT INTO study (owner_id, seq) SELECT owner_id, seq FROM card WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([card.id])?;
    search::write_words(connection, card)
}

fn update_card(connection: &Connection, card: &Card, change: i64) -> Result<(), StoreError> {
    let values = params![
        card.id,
        card.version,
        card.deck,
        card.position,
        card.question,
        card.answer,
        card.kind.number(),
        card.updated_at.as_millisecond(),
        card.trash,
        change,
    ];
    exactly_one(connection, include_str!("sql/update_card.sql"), values)?;
    search::write_words(connection, card)
}

fn insert_trash(connection: &Connection, trash: &Trash) -> Result<(), StoreError> {
    let kind = match trash.kind {
        TrashKind::Deck => 0,
        TrashKind::Cards => 1,
        TrashKind::Edit => 2,
        TrashKind::Import => 3,
        TrashKind::Media => 4,
    };
    let sql = "INSERT INTO trash (id, owner_id, kind, title, deck_count, card_count, deleted_at, media_count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        trash.id,
        trash.owner,
        kind,
        trash.title,
        trash.deck_count,
        trash.card_count,
        trash.deleted_at.as_millisecond(),
        trash.media_count,
    ])?;
    Ok(())
}

fn delete_deck(connection: &Connection, deck: &Deck) -> Result<(), StoreError> {
    delete_cards(connection, "SELECT seq FROM card WHERE deck_id = ?1", params![deck.id])?;
    connection.prepare_cached("INSERT INTO deleted (id) VALUES (?1)")?.execute([deck.id])?;
    connection.prepare_cached("DELETE FROM cloned_deck WHERE deck_id = ?1")?.execute([deck.id])?;
    if let Some(trash) = deck.trash {
        let sql = "DELETE FROM trash WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM deck WHERE trash_id = ?1 AND id <> ?2)";
        connection.prepare_cached(sql)?.execute(params![trash, deck.id])?;
    }
    let sql = "DELETE FROM deck WHERE id = ?1 AND revision = ?2";
    exactly_one(connection, sql, params![deck.id, deck.revision])
}

/// Deletes the cards that a query gives the numbers of, and the notes that have no card left. Answers how many cards.
fn delete_cards(
    connection: &Connection,
    query: &str,
    values: impl Params,
) -> Result<usize, StoreError> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS going (seq INTEGER PRIMARY KEY); DELETE FROM going;",
    )?;
    let count = connection.execute(&format!("INSERT INTO going {query}"), values)?;
    if count == 0 {
        return Ok(0);
    }
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS going_note (id BLOB PRIMARY KEY) WITHOUT ROWID; DELETE FROM going_note;
        INSERT INTO deleted (id) SELECT id FROM card WHERE seq IN (SELECT seq FROM going);
        INSERT OR IGNORE INTO going_note SELECT note_id FROM card WHERE seq IN (SELECT seq FROM going);
        DELETE FROM study WHERE (owner_id, seq) IN (SELECT owner_id, seq FROM card WHERE seq IN (SELECT seq FROM going));
        DELETE FROM card_text WHERE rowid IN (SELECT seq FROM going);
        DELETE FROM card WHERE seq IN (SELECT seq FROM going);
        DELETE FROM going_note WHERE EXISTS (SELECT 1 FROM card WHERE note_id = going_note.id);
        INSERT INTO deleted (id) SELECT id FROM going_note;
        DELETE FROM note_tag WHERE note_id IN (SELECT id FROM going_note);
        DELETE FROM note_media WHERE note_id IN (SELECT id FROM going_note);
        DELETE FROM note WHERE id IN (SELECT id FROM going_note);",
    )?;
    Ok(count)
}

/// Deletes a part of an entry of the trash for good; answers whether the entry is gone.
pub(super) fn purge(
    connection: &Connection,
    trash: TrashId,
    limit: u32,
) -> Result<bool, StoreError> {
    // A deck takes all cards along that still lie in it, whatever else they were deleted by.
    let query = "SELECT seq FROM card WHERE trash_id = ?1
        UNION SELECT card.seq FROM card JOIN deck ON deck.id = card.deck_id WHERE deck.trash_id = ?1 LIMIT ?2";
    if delete_cards(connection, query, params![trash, limit])? == limit as usize {
        return Ok(false);
    }
    for sql in [
        "INSERT INTO deleted (id) SELECT id FROM deck WHERE trash_id = ?1",
        "DELETE FROM cloned_deck WHERE deck_id IN (SELECT id FROM deck WHERE trash_id = ?1)",
        "DELETE FROM deck WHERE trash_id = ?1",
        "DELETE FROM trash WHERE id = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([trash])?;
    }
    Ok(true)
}
