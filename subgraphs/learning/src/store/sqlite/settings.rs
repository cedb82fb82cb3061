//! Settings of decks and presets.

use common::{PresetId, StoreError, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{rows, submit};
use crate::model::{DeckRow, MAX_PRESETS, OwnSettings, Preset, Shelf};
use crate::store::{Changed, SettingsChange};

pub(super) fn shelf(connection: &Connection, owner: UserId) -> Result<Shelf, StoreError> {
    let mut decks = connection.prepare_cached(include_str!("sql/deck_rows.sql"))?;
    let decks = decks.query_map([owner], |row| {
        let own = match row.get(2)? {
            None => OwnSettings::default(),
            Some(version) => {
                OwnSettings { version, preset: row.get(3)?, patch: rows::json(row, 4)? }
            }
        };
        Ok(DeckRow { id: row.get(0)?, parent: row.get(1)?, archived: row.get(5)?, own })
    })?;
    let decks = rows::all(decks)?;
    Ok(Shelf { decks, presets: presets(connection, owner)? })
}

fn presets(connection: &Connection, owner: UserId) -> Result<Vec<Preset>, StoreError> {
    let mut presets = connection.prepare_cached(include_str!("sql/presets.sql"))?;
    let presets = presets.query_map([owner], |row| {
        Ok(Preset {
            id: row.get(0)?,
            name: row.get(1)?,
            version: row.get(2)?,
            patch: rows::json(row, 3)?,
        })
    })?;
    rows::all(presets)
}

pub(super) fn put(
    connection: &Connection,
    owner: UserId,
    change: &SettingsChange,
) -> Result<Changed<OwnSettings>, StoreError> {
    let stored = connection
        .query_row(
            "SELECT coalesce(s.version, 0) FROM deck AS d
             LEFT JOIN deck_settings AS s ON s.owner = d.owner AND s.deck = d.id
             WHERE d.id = ?1 AND d.owner = ?2 AND d.deleted = 0",
            params![change.deck, owner],
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    let Some(version) = stored else { return Ok(Changed::NotFound) };
    if change.expected.is_some_and(|expected| expected != version) {
        return Ok(Changed::VersionIs(version));
    }
    // A reset keeps a row, so that versions go on growing.
    let own = OwnSettings { version: version + 1, ..change.own.clone().unwrap_or_default() };
    connection.execute(
        "INSERT INTO deck_settings (owner, deck, version, preset, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (owner, deck) DO UPDATE SET
             version = excluded.version, preset = excluded.preset, body = excluded.body",
        params![owner, change.deck, own.version, own.preset, submit::json(&own.patch)?],
    )?;
    changed(connection, owner)?;
    Ok(Changed::Done(own))
}

pub(super) fn put_preset(
    connection: &Connection,
    owner: UserId,
    preset: &Preset,
    expected: Option<i64>,
) -> Result<Changed<Preset>, StoreError> {
    let presets = presets(connection, owner)?;
    if presets.iter().any(|other| other.name == preset.name && other.id != preset.id) {
        return Ok(Changed::NameTaken);
    }
    let version = presets.iter().find(|other| other.id == preset.id).map(|other| other.version);
    match (version, expected) {
        (None, Some(_)) => return Ok(Changed::NotFound),
        (None, None) if presets.len() >= MAX_PRESETS => return Ok(Changed::Full),
        (Some(version), Some(expected)) if version != expected => {
            return Ok(Changed::VersionIs(version));
        }
        _ => {}
    }
    let preset = Preset { version: version.unwrap_or(0) + 1, ..preset.clone() };
    connection.execute(
        "INSERT INTO preset (owner, id, name, version, body) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (owner, id) DO UPDATE SET
             name = excluded.name, version = excluded.version, body = excluded.body",
        params![owner, preset.id, preset.name, preset.version, submit::json(&preset.patch)?],
    )?;
    changed(connection, owner)?;
    Ok(Changed::Done(preset))
}

pub(super) fn delete_preset(
    connection: &Connection,
    owner: UserId,
    id: PresetId,
    expected: Option<i64>,
) -> Result<Changed<()>, StoreError> {
    let version = connection
        .query_row(
            "SELECT version FROM preset WHERE owner = ?1 AND id = ?2",
            params![owner, id],
            |row| row.get::<_, i64>(0),
        )
        .optional()?;
    let Some(version) = version else { return Ok(Changed::NotFound) };
    if expected.is_some_and(|expected| expected != version) {
        return Ok(Changed::VersionIs(version));
    }
    connection.execute("DELETE FROM preset WHERE owner = ?1 AND id = ?2", params![owner, id])?;
    changed(connection, owner)?;
    Ok(Changed::Done(()))
}

/// Notes that the owner's settings changed, for those who ask what did.
fn changed(connection: &Connection, owner: UserId) -> Result<(), StoreError> {
    let seq = submit::next_seq(connection, owner)?;
    connection
        .execute("UPDATE sync SET settings_seq = ?2 WHERE owner = ?1", params![owner, seq])?;
    Ok(())
}
