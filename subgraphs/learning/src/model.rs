//! The things of this domain, and what they accept. A value that exists is valid.

use std::ops::RangeInclusive;

use common::{CardId, DeckId, LearningSessionId, NoteId, PresetId, UserId};
use jiff::Timestamp;

use crate::scheduler::{Calendar, Day, Due, HalfLife, Memory, Patch, Progress};

/// How many reviews one call may submit.
pub const BATCH: RangeInclusive<usize> = 1..=1000;
/// How many cards the study queue may be asked for.
pub const QUEUE: RangeInclusive<i32> = 1..=200;
/// Which of a person's last reviews can be undone.
pub const UNDOABLE: u32 = 100;
/// For how many days a place among the changes can be gone on from.
pub const RETENTION_DAYS: i64 = 180;
/// How many days statistics may be asked of at once: a hundred years.
pub const RANGE_DAYS: u32 = 36_525;
/// How many presets a person may keep.
pub const MAX_PRESETS: usize = 100;

/// A card as this domain keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCard {
    /// Which card.
    pub id: CardId,
    /// The deck it lies in.
    pub deck: DeckId,
    /// What its log led to.
    pub progress: Progress,
    /// Which model and rules made it.
    pub model: i64,
    /// Which of the owner's weights made it; 0 for those of the average person.
    pub weights: i64,
}

impl StoredCard {
    /// A card without a log.
    #[must_use]
    pub fn new(id: CardId, deck: DeckId) -> Self {
        Self { id, deck, progress: Progress::default(), model: 0, weights: 0 }
    }

    /// What its answers led to; `None` for a new card.
    #[must_use]
    pub const fn memory(&self) -> Option<&Memory> {
        self.progress.memory.as_ref()
    }
}

/// What a deck's numbers are computed from: one studied card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Studied {
    /// When it comes back: at a moment while it is in its steps, on a day once it is learned.
    pub due: Due,
    /// Days until the probability of recall falls to 0.9.
    pub stability: f32,
    /// What the recall score is computed from.
    pub half_life: HalfLife,
    /// The local day of the last review.
    pub last_day: Day,
    /// Which of the owner's weights made the stability.
    pub weights: i64,
    /// Whether it comes at all on this local day: it is neither suspended nor buried.
    pub comes: bool,
}

/// A deck as this domain keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDeck {
    /// Which deck.
    pub id: DeckId,
    /// How many of its cards were never studied.
    pub new: usize,
    /// How many of these come on no day, because they are suspended or buried.
    pub new_away: usize,
    /// The others.
    pub studied: Vec<Studied>,
}

/// A person as this domain keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// IANA name.
    pub time_zone: String,
    /// 0 to 23.
    pub rollover_hour: u8,
    /// The weights that were fitted to the person, by version; the last ones count.
    pub weights: Vec<Weights>,
}

/// Weights of the memory model.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Grows with each fit; 0 is the average person's.
    pub version: i64,
    /// 21 numbers.
    pub numbers: Vec<f32>,
}

impl Person {
    /// The person's calendar. An account whose time zone is not known any more falls back to UTC.
    #[must_use]
    pub fn calendar(&self) -> Calendar {
        Calendar::new(&self.time_zone, self.rollover_hour).unwrap_or_default()
    }
}

/// A stretch of learning in one deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Unique for its owner.
    pub id: LearningSessionId,
    /// Whose it is.
    pub owner: UserId,
    /// The deck that is learned.
    pub deck: DeckId,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was finished, if it was.
    pub finished_at: Option<Timestamp>,
}

/// The sort key of a session: newest first.
pub type SessionKey = (Timestamp, LearningSessionId);

/// The work of a person in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Reviews on this local day.
    pub reviews_today: u32,
    /// The time they took, in milliseconds.
    pub time_today_ms: i64,
    /// Local days in a row with a review, up to today, or up to yesterday while today has none yet.
    pub streak_days: u32,
    /// Studied cards that come back before this local day ends.
    pub due_today: u32,
    /// Cards never studied.
    pub new_cards: u32,
}

/// A deck in the tree of its owner's decks, with what it sets itself.
#[derive(Debug, Clone, PartialEq)]
pub struct DeckRow {
    /// Which deck.
    pub id: DeckId,
    /// The deck it lies in.
    pub parent: Option<DeckId>,
    /// Whether it is put aside itself.
    pub archived: bool,
    /// Its settings, unless it inherits all.
    pub own: OwnSettings,
}

/// What a deck sets itself. At version 0 it inherits everything.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OwnSettings {
    /// Grows with each change.
    pub version: i64,
    /// The preset it starts from, instead of what it inherits.
    pub preset: Option<PresetId>,
    /// What it sets over that.
    pub patch: Patch,
}

/// A named set of settings: over the defaults, it stands for what a deck would inherit.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Which preset, unique for its owner.
    pub id: PresetId,
    /// 1 to 100 characters, unique for its owner.
    pub name: String,
    /// Grows with each change.
    pub version: i64,
    /// What it sets.
    pub patch: Patch,
}

/// All of a person's decks and presets.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Shelf {
    /// The decks, in any order.
    pub decks: Vec<DeckRow>,
    /// The presets, by name.
    pub presets: Vec<Preset>,
}

/// A card that could come next, as far as choosing among many needs it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Which card.
    pub id: CardId,
    /// The deck it lies in.
    pub deck: DeckId,
    /// The note it is made of.
    pub note: Option<NoteId>,
    /// When it comes back; `None` for a new card.
    pub due: Option<Due>,
    /// How far the probability of recall has fallen: days since the last answer over stability. 0 for a new card.
    pub urgency: f64,
}

impl Candidate {
    /// The moment it is due at, while it is in its steps.
    #[must_use]
    pub const fn due_at(&self) -> Option<Timestamp> {
        match self.due {
            Some(Due::At(at)) => Some(at),
            _ => None,
        }
    }
}
