//! The documents as MongoDB keeps them. They are private to this store: everything else sees the domain's own types.

use common::mongo::Mongo;
use common::{StoreError, UserId};
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::bson::{DateTime, Document, Uuid, doc};
use mongodb::options::IndexOptions;
use serde::{Deserialize, Serialize};

use super::log::{ReviewDoc, TallyDoc};
use super::tell::EventDoc;
use crate::model::{Candidate, Session, StoredCard, Studied};
use crate::scheduler::{CardState, Day, Due, HalfLife, Memory, Progress};

/// The collections of this domain.
#[derive(Debug, Clone)]
pub(super) struct Collections {
    pub(super) persons: Collection<PersonDoc>,
    pub(super) decks: Collection<DeckDoc>,
    pub(super) cards: Collection<CardDoc>,
    pub(super) reviews: Collection<ReviewDoc>,
    pub(super) tallies: Collection<TallyDoc>,
    pub(super) rules: Collection<RulesDoc>,
    pub(super) presets: Collection<PresetDoc>,
    pub(super) sync: Collection<SyncDoc>,
    pub(super) sessions: Collection<SessionDoc>,
    pub(super) outbox: Collection<EventDoc>,
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
            (
                "cards",
                "in_steps",
                doc! { "owner": 1, "memory.dueAt": 1 },
                Some(of_live(Some("memory.dueAt"))),
            ),
            (
                "cards",
                "learned",
                doc! { "owner": 1, "memory.dueDay": 1 },
                Some(of_live(Some("memory.dueDay"))),
            ),
            ("cards", "new", doc! { "owner": 1, "deck": 1, "position": 1, "_id": 1 }, Some(new)),
            ("cards", "studied", doc! { "owner": 1, "memory.lastDay": 1 }, None),
            ("cards", "by_seq", doc! { "owner": 1, "seq": 1, "_id": 1 }, None),
            ("reviews", "by_time", doc! { "owner": 1, "reviewedAt": -1, "_id.id": -1 }, None),
            ("rules", "by_owner", doc! { "owner": 1 }, None),
            ("presets", "by_name", doc! { "owner": 1, "name": 1, "_id.id": 1 }, None),
            ("fits", "newest", doc! { "owner": 1, "startedAt": -1, "_id.id": -1 }, None),
            (
                "reviews",
                "of_card",
                doc! { "owner": 1, "card": 1, "reviewedAt": 1, "_id.id": 1 },
                None,
            ),
            ("tallies", "by_day", doc! { "owner": 1, "deck": 1, "day": -1 }, None),
            ("outbox", "_id_", doc! { "_id": 1 }, None),
            ("sessions", "by_start", doc! { "owner": 1, "startedAt": -1, "_id.id": -1 }, None),
        ];
        for (collection, name, keys, filter) in indexes {
            let options = IndexOptions::builder().partial_filter_expression(filter).build();
            mongo.ensure_index(collection, name, keys, options).await?;
        }
        // Before they were in the order that is asked for.
        mongo.drop_index("presets", "by_owner").await?;
        mongo.drop_index("fits", "by_start").await?;
        // A person has one fitting under way.
        let under_way = doc! { "lease": { "$exists": true } };
        let partial = || IndexOptions::builder().partial_filter_expression(under_way.clone());
        let (one, left) = (partial().unique(true).build(), partial().build());
        mongo.ensure_index("fits", "one_under_way", doc! { "owner": 1 }, one).await?;
        mongo.ensure_index("fits", "left", doc! { "lease": 1 }, left).await?;
        Ok(Self {
            persons: mongo.collection("persons"),
            decks: mongo.collection("decks"),
            cards: mongo.collection("cards"),
            reviews: mongo.collection("reviews"),
            tallies: mongo.collection("tallies"),
            rules: mongo.collection("rules"),
            presets: mongo.collection("presets"),
            sync: mongo.collection("sync"),
            sessions: mongo.collection("sessions"),
            outbox: mongo.collection("outbox"),
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

    /// Finds one. It names the owner twice, since that alone says which shard has it.
    pub(super) fn one(owner: UserId, id: Uuid) -> Document {
        doc! { "_id": Self::document(owner, id), "owner": owner }
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
    #[serde(default)]
    pub(super) weights: Vec<WeightsDoc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WeightsDoc {
    pub(super) version: i64,
    pub(super) numbers: Vec<f32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeckDoc {
    #[serde(rename = "_id")]
    pub(super) id: Uuid,
    pub(super) owner: Uuid,
    pub(super) version: i64,
    pub(super) deleted: bool,
    pub(super) parent: Option<Uuid>,
    /// Absent where it was not told yet.
    pub(super) archived: Option<bool>,
    /// What it sets itself.
    pub(super) own: Option<OwnDoc>,
}

/// What a deck sets itself; the body is JSON, as in SQLite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OwnDoc {
    pub(super) version: i64,
    pub(super) preset: Option<Uuid>,
    pub(super) body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PresetDoc {
    #[serde(rename = "_id")]
    pub(super) key: Owned,
    pub(super) owner: Uuid,
    pub(super) name: String,
    pub(super) version: i64,
    pub(super) body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct RulesDoc {
    pub(super) id: i64,
    pub(super) body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncDoc {
    pub(super) seq: i64,
    #[serde(default)]
    pub(super) settings_seq: i64,
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
    #[serde(default)]
    weights: i64,
    pub(super) state: u8,
    pub(super) memory: Option<MemoryDoc>,
    #[serde(default)]
    suspended: bool,
    buried_until: Option<Day>,
    #[serde(default)]
    flag: u8,
    /// Absent in a card without a log, and where it is not told of yet.
    #[serde(default)]
    answered: [Option<DateTime>; 4],
    last_entry_at: Option<DateTime>,
    last_entry: Option<Uuid>,
    #[serde(default)]
    pub(super) live: bool,
    #[serde(default)]
    pub(super) seq: i64,
}

/// A card as far as choosing among many needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CandidateDoc {
    #[serde(rename = "_id")]
    id: Uuid,
    deck: Uuid,
    note: Option<Uuid>,
    memory: Option<UrgencyDoc>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UrgencyDoc {
    #[serde(flatten)]
    due: DueDoc,
    stability: f32,
    last_day: Day,
}

impl CandidateDoc {
    pub(super) fn read(self, today: Day) -> Result<Candidate, StoreError> {
        let urgency = self.memory.as_ref().map_or(0.0, |memory| {
            f64::from(today.0.saturating_sub(memory.last_day.0)) / f64::from(memory.stability)
        });
        let due = self.memory.map(|memory| memory.due.read()).transpose()?;
        let note = self.note.map(Into::into);
        Ok(Candidate { id: self.id.into(), deck: self.deck.into(), note, due, urgency })
    }
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
    #[serde(default)]
    weights: i64,
    #[serde(default)]
    suspended: bool,
    buried_until: Option<Day>,
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

pub(super) fn moment(date: DateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(date.timestamp_millis())
        .map_err(|error| StoreError::Corrupt(error.to_string()))
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
        }
    }
}

impl CardDoc {
    pub(super) fn read(self) -> Result<StoredCard, StoreError> {
        let state = CardState::from_number(self.state)
            .ok_or_else(|| StoreError::Corrupt(format!("{} is not a state", self.state)))?;
        let memory = self.memory.map(|memory| memory.read(state)).transpose()?;
        let last = match self.last_entry_at.zip(self.last_entry) {
            Some((at, id)) => Some((moment(at)?, id.into())),
            // From before there were other entries than answers.
            None => memory.as_ref().map(|memory| memory.last),
        };
        let mut answered = [None; 4];
        for (known, at) in answered.iter_mut().zip(self.answered) {
            *known = at.map(moment).transpose()?;
        }
        Ok(StoredCard {
            id: self.id.into(),
            deck: self.deck.into(),
            progress: Progress {
                memory,
                suspended: self.suspended,
                buried_until: self.buried_until,
                flag: self.flag,
                answered,
                last,
            },
            model: self.model,
            weights: self.weights,
        })
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
        })
    }
}

impl ProgressDoc {
    /// Whether it comes at all on a local day.
    pub(super) fn comes(&self, today: Day) -> bool {
        !self.suspended && self.buried_until.is_none_or(|until| until <= today)
    }

    pub(super) fn read(self, today: Day) -> Result<Option<Studied>, StoreError> {
        let comes = self.comes(today);
        let Some(memory) = self.memory else { return Ok(None) };
        Ok(Some(Studied {
            due: memory.due.read()?,
            stability: memory.stability,
            half_life: HalfLife(memory.half_life),
            last_day: memory.last_day,
            weights: self.weights,
            comes,
        }))
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
