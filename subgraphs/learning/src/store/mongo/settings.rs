//! Settings of decks and presets.

use common::{PresetId, StoreError, UserId};
use futures::{FutureExt, TryStreamExt};
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};

use super::documents::{Owned, PresetDoc};
use super::submit::{Attempt, next_seq, try_inner};
use super::{MongoStore, ONE_BATCH, json};
use crate::model::{DeckRow, MAX_PRESETS, OwnSettings, Preset, Shelf};
use crate::store::{Changed, SettingsChange};

pub(super) async fn shelf(store: &MongoStore, owner: UserId) -> Result<Shelf, StoreError> {
    let decks = store.collections.decks.find(doc! { "owner": owner, "deleted": false });
    let decks: Vec<_> = decks.batch_size(ONE_BATCH).await?.try_collect().await?;
    let row = |deck: super::documents::DeckDoc| {
        let own = deck.own.map(|own| {
            let (version, preset) = (own.version, own.preset.map(Into::into));
            Ok::<_, StoreError>(OwnSettings { version, preset, patch: json(&own.body)? })
        });
        let own = own.transpose()?.unwrap_or_default();
        Ok(DeckRow {
            id: deck.id.into(),
            parent: deck.parent.map(Into::into),
            archived: deck.archived == Some(true),
            own,
        })
    };
    let presets = store.collections.presets.find(doc! { "owner": owner });
    let presets = presets.sort(doc! { "name": 1, "_id.id": 1 }).batch_size(ONE_BATCH).await?;
    let presets: Vec<PresetDoc> = presets.try_collect().await?;
    Ok(Shelf {
        decks: decks.into_iter().map(row).collect::<Result<_, StoreError>>()?,
        presets: presets.into_iter().map(PresetDoc::read).collect::<Result<_, StoreError>>()?,
    })
}

impl PresetDoc {
    fn read(self) -> Result<Preset, StoreError> {
        let patch = json(&self.body)?;
        Ok(Preset { id: self.key.id.into(), name: self.name, version: self.version, patch })
    }
}

pub(super) async fn put(
    store: &MongoStore,
    owner: UserId,
    change: SettingsChange,
) -> Result<Changed<OwnSettings>, StoreError> {
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, change) = (store.clone(), change.clone());
            async move { put_once(&store, session, owner, &change).await }.boxed()
        })
        .await?
}

async fn put_once(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    change: &SettingsChange,
) -> Attempt<Changed<OwnSettings>> {
    let decks = &store.collections.decks;
    let which = doc! { "_id": change.deck, "owner": owner, "deleted": false };
    let Some(deck) = decks.find_one(which.clone()).session(&mut *session).await? else {
        return Ok(Ok(Changed::NotFound));
    };
    let version = deck.own.map_or(0, |own| own.version);
    if change.expected.is_some_and(|expected| expected != version) {
        return Ok(Ok(Changed::VersionIs(version)));
    }
    // A reset keeps a version, so that they go on growing.
    let own = OwnSettings { version: version + 1, ..change.own.clone().unwrap_or_default() };
    let body = try_inner!(super::to_json(&own.patch));
    let doc = doc! { "version": own.version, "preset": own.preset, "body": body };
    decks.update_one(which, doc! { "$set": { "own": doc } }).session(&mut *session).await?;
    changed(store, session, owner).await?;
    Ok(Ok(Changed::Done(own)))
}

pub(super) async fn put_preset(
    store: &MongoStore,
    owner: UserId,
    preset: Preset,
    expected: Option<i64>,
) -> Result<Changed<Preset>, StoreError> {
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let (store, preset) = (store.clone(), preset.clone());
            async move { put_preset_once(&store, session, owner, preset, expected).await }.boxed()
        })
        .await?
}

async fn put_preset_once(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    preset: Preset,
    expected: Option<i64>,
) -> Attempt<Changed<Preset>> {
    // Two at once meet here: one of them begins anew, and reads what the other one wrote.
    changed(store, session, owner).await?;
    let presets = store.collections.presets.find(doc! { "owner": owner });
    let mut presets = presets.batch_size(ONE_BATCH).session(&mut *session).await?;
    let presets: Vec<PresetDoc> = presets.stream(&mut *session).try_collect().await?;
    let id = preset.id.to_bson();
    if presets.iter().any(|other| other.name == preset.name && other.key.id != id) {
        return Ok(Ok(Changed::NameTaken));
    }
    let version = presets.iter().find(|other| other.key.id == id).map(|other| other.version);
    match (version, expected) {
        (None, Some(_)) => return Ok(Ok(Changed::NotFound)),
        (None, None) if presets.len() >= MAX_PRESETS => return Ok(Ok(Changed::Full)),
        (Some(version), Some(expected)) if version != expected => {
            return Ok(Ok(Changed::VersionIs(version)));
        }
        _ => {}
    }
    let preset = Preset { version: version.unwrap_or(0) + 1, ..preset };
    let body = try_inner!(super::to_json(&preset.patch));
    let set = doc! {
        "owner": owner, "name": &preset.name, "version": preset.version, "body": body,
    };
    store
        .collections
        .presets
        .update_one(Owned::one(owner, id), doc! { "$set": set })
        .upsert(true)
        .session(&mut *session)
        .await?;
    Ok(Ok(Changed::Done(preset)))
}

pub(super) async fn delete_preset(
    store: &MongoStore,
    owner: UserId,
    id: PresetId,
    expected: Option<i64>,
) -> Result<Changed<()>, StoreError> {
    let store = store.clone();
    let mongo = store.mongo.clone();
    mongo
        .transaction(move |session| {
            let store = store.clone();
            async move { delete_once(&store, session, owner, id, expected).await }.boxed()
        })
        .await
}

async fn delete_once(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
    id: PresetId,
    expected: Option<i64>,
) -> mongodb::error::Result<Changed<()>> {
    let which: Document = Owned::one(owner, id.to_bson());
    let presets = &store.collections.presets;
    let Some(preset) = presets.find_one(which.clone()).session(&mut *session).await? else {
        return Ok(Changed::NotFound);
    };
    if expected.is_some_and(|expected| expected != preset.version) {
        return Ok(Changed::VersionIs(preset.version));
    }
    presets.delete_one(which).session(&mut *session).await?;
    changed(store, session, owner).await?;
    Ok(Changed::Done(()))
}

/// Notes that the owner's settings changed, for those who ask what did.
async fn changed(
    store: &MongoStore,
    session: &mut ClientSession,
    owner: UserId,
) -> mongodb::error::Result<()> {
    let seq = next_seq(store, session, owner).await?;
    store
        .collections
        .sync
        .update_one(doc! { "_id": owner }, doc! { "$set": { "settingsSeq": seq } })
        .session(&mut *session)
        .await?;
    Ok(())
}
