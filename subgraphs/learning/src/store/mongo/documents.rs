//! The documents as MongoDB keeps them. They are private to this store: everything else sees the domain's own types.

use common::mongo::Mongo;
use common::{StoreError, UserId};
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{DateTime, Document, Uuid, doc};
use mongodb::options::IndexOptions;
use serde::{Deserialize, Serialize};

use crate::model::{Review, Session, StoredCard, Studied};
use crate::scheduler::{Answer, CardState, Day, Due, HalfLife, Memory, Rating};

/// The collections of this domain.
#[derive(Debug, Clone)]
pub(super) struct Collections {
    pub(super) persons: Collection<PersonDoc>,
    pub(super) decks: Collection<DeckDoc>,
    pub(super) cards: Collection<CardDoc>,
    pub(super) reviews: Collection<ReviewDoc>,
    pub(super) days: Collection<DayDoc>,
    pub(super) sessions: Collection<SessionDoc>,
}

impl Collections {
    /// The collections, with the indexes that the queries rely on.
    pub(super) async fn open(mongo: &Mongo) -> Result<Self, StoreError> {
        let of_live = |field: Option<&str>| {
            let mut filter = doc! { "live": true };
            if let Some(field) = field {
                filter.insert(field, doc! { "$exists": true });
            }
            filter
        };
        let new = doc! { "live": true, "state": 0 };
        let indexes = [
            ("decks", "by_owner", doc! { "owner": 1 }, None),
            ("cards", "of_deck", doc! { "deck": 1, "owner": 1 }, None),
            ("cards", "in_steps", doc! { "owner": 1, "memory.dueAt": 1 }, Some(of_live(Some("memory.dueAt")))),
            ("cards", "learned", doc! { "owner": 1, "memory.dueDay": 1 }, Some(of_live(Some("memory.dueDay")))),
            ("cards", "new", doc! { "owner": 1, "deck": 1, "position": 1, "_id": 1 }, Some(new)),
            ("cards", "by_introduction", doc! { "owner": 1, "memory.introducedDay": 1 }, None),
            ("cards", "by_review", doc! { "owner": 1, "memory.reviewedDay": 1 }, None),
            ("reviews", "of_card", doc! { "owner": 1, "card": 1, "reviewedAt": 1, "_id.id": 1 }, None),
            ("days", "by_day", doc! { "owner": 1, "day": -1 }, None),
            ("sessions", "by_start", doc! { "owner": 1, "startedAt": -1, "_id.id": -1 }, None),
        ];
        for (collection, name, keys, filter) in indexes {
            let options = IndexOptions::builder().partial_filter_expression(filter).build();
            mongo.ensure_index(collection, name, keys, options).await?;
        }
        Ok(Self {
            persons: mongo.collection("persons"),
            decks: mongo.collection("decks"),
            cards: mongo.collection("cards"),
            reviews: mongo.collection("reviews"),
            days: mongo.collection("days"),
            sessions: mongo.collection("sessions"),
        })
    }
}

/// The key of what is unique for its owner.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Owned {
    pub(super) owner: Uuid,
    pub(super) id: Uuid,
}

impl Owned {
    pub(super) fn document(owner: UserId, id: Uuid) -> Document {
        doc! { "owner": owner, "id": id }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonDoc {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) version: i64,
    pub(super) deleted: bool,
    pub(super) time_zone: String,
    pub(super) rollover_hour: u8,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeckDoc {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) version: i64,
    pub(super) deleted: bool,
}

/// What is read of a card. The copies of what decks tells are written field by field, apart from the memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CardDoc {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) deck: Uuid,
    pub(super) version: i64,
    pub(super) model: i64,
    pub(super) state: u8,
    pub(super) memory: Option<MemoryDoc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemoryDoc {
    step: u8,
    #[serde(flatten)]
    due: DueDoc,
    stability: f32,
    difficulty: f32,
    half_life: f64,
    reps: u32,
    lapses: u32,
    leech: bool,
    last_reviewed_at: DateTime,
    last_review: Uuid,
    last_day: Day,
    introduced_day: Day,
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed_day: Option<Day>,
}

/// Exactly one of the two, so that the partial indexes hold what they are for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum DueDoc {
    #[serde(rename = "dueAt")]
    At(DateTime),
    #[serde(rename = "dueDay")]
    On(Day),
}

/// A card as far as a deck's numbers need it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProgressDoc {
    pub(super) deck: Uuid,
    pub(super) memory: Option<StudiedDoc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StudiedDoc {
    #[serde(flatten)]
    due: DueDoc,
    stability: f32,
    half_life: f64,
    last_day: Day,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReviewDoc {
    #[serde(rename = "_id")]
    pub(super) key: Owned,
    pub(super) owner: Uuid,
    pub(super) card: Uuid,
    rating: u8,
    reviewed_at: DateTime,
    received_at: DateTime,
    duration_ms: u32,
    time_zone: Option<String>,
    session: Option<Uuid>,
    day: Day,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DayDoc {
    pub(super) day: Day,
    pub(super) reviews: u32,
    pub(super) duration_ms: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionDoc {
    #[serde(rename = "_id")]
    key: Owned,
    deck: Uuid,
    started_at: DateTime,
    finished_at: Option<DateTime>,
}

/// The form MongoDB keeps a moment in.
pub(super) fn date(moment: Timestamp) -> DateTime {
    DateTime::from_millis(moment.as_millisecond())
}

fn moment(date: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(date.timestamp_millis())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
}

fn rating(number: u8) -> Result<Rating, StoreError> {
    Rating::from_number(number)
        .ok_or_else(|| StoreError::Corrupt(format!("{number} is not a rating")))
}

impl DueDoc {
    fn read(self) -> Result<Due, StoreError> {
        Ok(match self {
            Self::At(date) => Due::At(moment(date)?),
            Self::On(day) => Due::On(day),
        })
    }
}

impl From<Due> for DueDoc {
    fn from(due: Due) -> Self {
        match due {
            Due::At(moment) => Self::At(date(moment)),
            Due::On(day) => Self::On(day),
        }
    }
}

impl From<&Memory> for MemoryDoc {
    fn from(memory: &Memory) -> Self {
        let (last_reviewed_at, last_review) = memory.last;
        Self {
            step: memory.step,
            due: memory.due.into(),
            stability: memory.stability,
            difficulty: memory.difficulty,
            half_life: memory.half_life.0,
            reps: memory.reps,
            lapses: memory.lapses,
            leech: memory.leech,
            last_reviewed_at: date(last_reviewed_at),
            last_review: last_review.to_bson(),
            last_day: memory.last_day,
            introduced_day: memory.introduced_day,
            reviewed_day: memory.reviewed_day,
        }
    }
}

impl CardDoc {
    pub(super) fn read(self) -> Result<StoredCard, StoreError> {
        let state = CardState::from_number(self.state)
            .ok_or_else(|| StoreError::Corrupt(format!("{} is not a state", self.state)))?;
        let memory = self.memory.map(|memory| memory.read(state)).transpose()?;
        Ok(StoredCard { id: self.id.into(), deck: self.deck.into(), memory, model: self.model })
    }
}

impl MemoryDoc {
    fn read(self, state: CardState) -> Result<Memory, StoreError> {
        Ok(Memory {
            state,
            step: self.step,
            due: self.due.read()?,
            stability: self.stability,
            difficulty: self.difficulty,
            half_life: HalfLife(self.half_life),
            reps: self.reps,
            lapses: self.lapses,
            leech: self.leech,
            last: (moment(self.last_reviewed_at)?, self.last_review.into()),
            last_day: self.last_day,
            introduced_day: self.introduced_day,
            reviewed_day: self.reviewed_day,
        })
    }
}

impl StudiedDoc {
    pub(super) fn read(self) -> Result<Studied, StoreError> {
        Ok(Studied {
            due: self.due.read()?,
            stability: self.stability,
            half_life: HalfLife(self.half_life),
            last_day: self.last_day,
        })
    }
}

impl ReviewDoc {
    pub(super) fn new(owner: UserId, review: &Review) -> Self {
        Self {
            key: Owned { owner: owner.to_bson(), id: review.id.to_bson() },
            owner: owner.to_bson(),
            card: review.card.to_bson(),
            rating: review.rating.number(),
            reviewed_at: date(review.reviewed_at),
            received_at: date(review.received_at),
            duration_ms: review.duration_ms,
            time_zone: review.time_zone.clone(),
            session: review.session.map(|session| session.to_bson()),
            day: review.day,
        }
    }

    pub(super) fn read(self) -> Result<Review, StoreError> {
        Ok(Review {
            id: self.key.id.into(),
            card: self.card.into(),
            rating: rating(self.rating)?,
            reviewed_at: moment(self.reviewed_at)?,
            duration_ms: self.duration_ms,
            time_zone: self.time_zone,
            session: self.session.map(Into::into),
            day: self.day,
            received_at: moment(self.received_at)?,
        })
    }

    pub(super) fn answer(self) -> Result<Answer, StoreError> {
        Ok(self.read()?.answer())
    }
}

impl SessionDoc {
    pub(super) fn read(self) -> Result<Session, StoreError> {
        Ok(Session {
            id: self.key.id.into(),
            owner: self.key.owner.into(),
            deck: self.deck.into(),
            started_at: moment(self.started_at)?,
            finished_at: self.finished_at.map(moment).transpose()?,
        })
    }
}
