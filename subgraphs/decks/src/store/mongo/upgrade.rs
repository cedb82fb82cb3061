//! Carries data of earlier versions over: decks get their places, and each card that was made before there were notes gets its own.
//! What is done already is not done again, so it may be broken off at any instant and begun anew by several processes at once.

use common::{DeckId, StoreError};
use futures::TryStreamExt;
use mongodb::bson::{Bson, Document, Uuid, doc};
use serde::{Deserialize, Serialize};

use super::MongoStore;
use super::documents::{DeckDocument, EventDocument, IdDocument};
use super::filters::all;
use super::media::names_in;
use super::terms::{self, WordsDocument};
use super::told::StudyDocument;
use crate::model::{Deck, Note, NoteKind};

/// How many cards are carried over at once.
const BATCH: i64 = 1_000;

/// A card that was made before there were notes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldCard {
    #[serde(rename = "_id")]
    id: Uuid,
    owner: Uuid,
    question: String,
    answer: String,
    created_at: Bson,
    updated_at: Bson,
}

pub(super) async fn upgrade(store: &MongoStore) -> Result<(), StoreError> {
    place_decks(store).await?;
    while make_notes(store).await? {}
    while fold_words(store).await? {}
    number(store).await?;
    while tell_decks(store).await? {}
    while find_media(store).await? {}
    find_by_terms(store).await
}

/// Looks at the terms of some cards, by id, and makes those anew that processes of earlier versions left as they were while these wrote beside this one.
/// Answers where to go on; `None` once all were looked at.
pub(super) async fn renew_terms(
    store: &MongoStore,
    after: Option<uuid::Uuid>,
    limit: u32,
) -> Result<Option<uuid::Uuid>, StoreError> {
    let cards = store.cards.clone_with_type::<IdDocument>();
    let after = after.map(|id| doc! { "$gt": Uuid::from_bytes(id.into_bytes()) });
    let mut range = after.unwrap_or_default();
    let last = cards.find_one(doc! { "_id": or_any(&range) }).projection(doc! { "_id": 1 });
    let last = last.sort(doc! { "_id": 1 }).skip(u64::from(limit.saturating_sub(1))).await?;
    let last = last.map(|card| card.id);
    range.extend(last.map(|last| ("$lte".to_owned(), Bson::from(last))));
    let mut stale = terms::are_stale();
    stale.insert("_id", or_any(&range));
    let renewed = cards.update_many(stale, vec![terms::renewal()]).await?.modified_count;
    if renewed > 0 {
        tracing::info!(renewed, "cards are found again by what an earlier version wrote of them");
    }
    Ok(last.map(|last| uuid::Uuid::from_bytes(last.bytes())))
}

fn or_any(range: &Document) -> Document {
    if range.is_empty() {
        doc! { "$exists": true }
    } else {
        range.clone()
    }
}

/// Gives cards their terms that were found by words alone.
async fn find_by_terms(store: &MongoStore) -> Result<(), StoreError> {
    let cards = store.cards.clone_with_type::<Document>();
    let before = doc! { "terms": { "$exists": false } };
    cards.update_many(before, vec![terms::renewal(), doc! { "$unset": "words" }]).await?;
    Ok(())
}

async fn place_decks(store: &MongoStore) -> Result<(), StoreError> {
    let decks = store.decks.clone_with_type::<Document>();
    let pipeline = vec![
        doc! { "$match": { "position": { "$exists": false } } },
        doc! { "$setWindowFields": {
            "partitionBy": "$owner",
            "sortBy": { "createdAt": 1, "_id": 1 },
            "output": { "rank": { "$sum": 1, "window": { "documents": ["unbounded", "current"] } } },
        } },
        doc! { "$project": {
            "position": { "$toLong": { "$multiply": ["$rank", crate::place::STEP] } },
            "parent": null,
            "ancestors": [],
            "archived": { "$literal": false },
            "trash": null,
        } },
        doc! { "$merge": { "into": decks.name(), "whenMatched": "merge", "whenNotMatched": "discard" } },
    ];
    decks.aggregate(pipeline).await?.try_collect::<Vec<Document>>().await?;
    Ok(())
}

/// Makes the notes of some cards; answers whether there may be more.
async fn make_notes(store: &MongoStore) -> Result<bool, StoreError> {
    let cards = store.cards.clone_with_type::<OldCard>();
    let found = cards.find(doc! { "note": { "$exists": false } }).limit(BATCH).await?;
    let found: Vec<OldCard> = found.try_collect().await?;
    if found.is_empty() {
        return Ok(false);
    }
    let (mut notes, mut updates) = (Vec::new(), Vec::new());
    for card in &found {
        // Made of the card's, so that whoever does it again makes the same.
        let card_id = uuid::Uuid::from_bytes(card.id.bytes());
        let id = uuid::Uuid::new_v5(&card_id, b"note");
        let note = Uuid::from_bytes(id.into_bytes());
        notes.push(doc! {
            "q": { "_id": note },
            "u": { "$setOnInsert": {
                "owner": card.owner,
                "guid": id.simple().to_string(),
                "kind": NoteKind::Basic.number(),
                "fields": [["Front", &card.question], ["Back", &card.answer]],
                "createdAt": card.created_at.clone(),
                "updatedAt": card.updated_at.clone(),
                "version": 1i64,
                "tags": [],
                "tagKeys": [],
            } },
            "upsert": true,
        });
        updates.push(doc! {
            "q": { "_id": card.id, "note": { "$exists": false } },
            "u": { "$set": {
                "note": note,
                "ordinal": 0i64,
                "kind": NoteKind::Basic.number(),
                "trash": null,
                "tags": [],
                "tagKeys": [],
            } },
        });
    }
    // The notes first: a card is done when it has one.
    run(store, store.notes.name(), notes).await?;
    run(store, store.cards.name(), updates).await?;
    Ok(true)
}

/// Numbers what is from before changes had numbers, and notes of its cards that learning told nothing of them yet.
async fn number(store: &MongoStore) -> Result<(), StoreError> {
    let study = mongodb::bson::serialize_to_bson(&StudyDocument::default())
        .map_err(|error| StoreError::Other(Box::new(error)))?;
    let cards = store.cards.clone_with_type::<Document>();
    let untold = doc! { "study": { "$exists": false } };
    cards.update_many(untold, doc! { "$set": { "study": study } }).await?;
    for collection in [store.notes.name(), store.cards.name()] {
        let documents = store.mongo.collection::<Document>(collection);
        let before = doc! { "change": { "$exists": false } };
        documents.update_many(before, doc! { "$set": { "change": 0i64 } }).await?;
    }
    Ok(())
}

/// Tells others once more of decks from before they were told which are put aside, and where those lie that were moved; answers whether there may be more.
async fn tell_decks(store: &MongoStore) -> Result<bool, StoreError> {
    let before = doc! { "change": { "$exists": false } };
    let found = store.decks.find(before).limit(BATCH).await?;
    let found: Vec<DeckDocument> = found.try_collect().await?;
    let decks: Vec<Deck> = found.into_iter().map(Deck::try_from).collect::<Result<_, _>>()?;
    let live = decks.iter().filter(|deck| deck.trash.is_none());
    let events = live.map(|deck| EventDocument::new(&deck.told(false)));
    let events: Vec<EventDocument> = events.collect::<Result<_, _>>()?;
    // The events first: who is broken off between the two tells twice, which does no harm.
    if !events.is_empty() {
        store.outbox.insert_many(events).await?;
    }
    let ids: Vec<DeckId> = decks.iter().map(|deck| deck.id).collect();
    let numbered = doc! { "$set": { "change": 0i64 } };
    let these = doc! { "_id": { "$in": ids }, "change": { "$exists": false } };
    store.decks.update_many(these, numbered).await?;
    Ok(!decks.is_empty())
}

/// Folds the words of cards that were made before there was search; answers whether there may be more.
async fn fold_words(store: &MongoStore) -> Result<bool, StoreError> {
    let cards = store.cards.clone_with_type::<OldCard>();
    let found = cards.find(doc! { "foldedQuestion": { "$exists": false } }).limit(BATCH).await?;
    let found: Vec<OldCard> = found.try_collect().await?;
    if found.is_empty() {
        return Ok(false);
    }
    let updates = found.iter().map(|card| {
        let words = WordsDocument::new(&card.question, &card.answer);
        let unchanged = doc! { "_id": card.id, "question": &card.question, "answer": &card.answer };
        doc! { "q": unchanged, "u": { "$set": words.to_fields() } }
    });
    run(store, store.cards.name(), updates.collect()).await?;
    Ok(true)
}

/// Looks which files the notes name that were written before there were any; answers whether there may be more.
async fn find_media(store: &MongoStore) -> Result<bool, StoreError> {
    let found = store.notes.find(doc! { "media": { "$exists": false } }).limit(BATCH).await?;
    let found = all(found, Note::try_from).await?;
    if found.is_empty() {
        return Ok(false);
    }
    let update = |note: &Note| {
        let unchanged = doc! { "_id": note.id, "version": note.version };
        doc! { "q": unchanged, "u": { "$set": { "media": names_in(note) } } }
    };
    run(store, store.notes.name(), found.iter().map(update).collect()).await?;
    Ok(true)
}

pub(super) async fn run(
    store: &MongoStore,
    collection: &str,
    updates: Vec<Document>,
) -> Result<(), StoreError> {
    let command = doc! { "update": collection, "updates": updates };
    let answer = store.mongo.database().run_command(command).await?;
    match answer.get_array("writeErrors").ok().and_then(|list| list.first()) {
        Some(error) => Err(StoreError::Other(error.to_string().into())),
        None => Ok(()),
    }
}
