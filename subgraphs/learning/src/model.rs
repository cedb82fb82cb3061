//! The things of this domain, and what they accept. A value that exists is valid.

use std::ops::RangeInclusive;

use common::{CardId, DeckId, LearningSessionId, ReviewId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::scheduler::{
    Answer, AnswerKey, Calendar, Day, Due, HalfLife, Memory, Rating, UnknownTimeZone,
};

/// How many reviews one call may submit.
pub const BATCH: RangeInclusive<usize> = 1..=1000;
/// How many cards the study queue may be asked for.
pub const QUEUE: RangeInclusive<i32> = 1..=200;
/// The longest time a review may take, in milliseconds: an hour.
pub const MAX_DURATION_MS: u32 = 3_600_000;
/// How far a device's clock may be ahead of ours.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);
/// 2000-01-01T00:00:00Z: a review before it comes from a clock that was never set.
pub const EARLIEST_REVIEW: Timestamp = Timestamp::constant(946_684_800, 0);

/// A review as a client sends it.
#[derive(Debug, Clone)]
pub struct ReviewInput {
    /// Made by the client.
    pub id: ReviewId,
    /// The card that was reviewed.
    pub card: CardId,
    /// How well it was remembered.
    pub rating: Rating,
    /// When, by the client's clock.
    pub reviewed_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// Where the person was; without it, the time zone of the account.
    pub time_zone: Option<String>,
    /// The learning session it belongs to.
    pub session: Option<LearningSessionId>,
}

/// Why a review is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidReview {
    /// Its moment is too far ahead.
    #[error("reviewedAt {0} lies more than 24 hours in the future: check the device's clock")]
    Future(Timestamp),
    /// Its moment is too long ago.
    #[error("reviewedAt {0} lies before the year 2000: check the device's clock")]
    Past(Timestamp),
    /// It took too long, or less than no time.
    #[error("durationMs {0} is out of range: 0 to {MAX_DURATION_MS}")]
    Duration(i32),
    /// Its time zone is none.
    #[error("timeZone {0}")]
    TimeZone(#[from] UnknownTimeZone),
}

/// A review in the log. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Made by the client, unique for its owner.
    pub id: ReviewId,
    /// The card that was reviewed.
    pub card: CardId,
    /// How well it was remembered.
    pub rating: Rating,
    /// When, by the client's clock, to the millisecond. A clock that is ahead is kept as it is, so that a device and the store agree on the
    /// log; what is computed from it treats the future as now.
    pub reviewed_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// The time zone that was sent with it.
    pub time_zone: Option<String>,
    /// The learning session that was sent with it.
    pub session: Option<LearningSessionId>,
    /// Its local day, by the time zone sent with it and the rollover hour when it arrived. Kept, so that a later change of either does
    /// not change what a replay gives.
    pub day: Day,
    /// When it arrived here.
    pub received_at: Timestamp,
}

impl Review {
    /// Checks what a client sent. `calendar` is the person's.
    ///
    /// # Errors
    /// The first rule it does not keep.
    pub fn new(
        input: ReviewInput,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<Self, InvalidReview> {
        let ReviewInput { id, card, rating, reviewed_at, duration_ms, time_zone, session } = input;
        if reviewed_at.duration_since(now) > MAX_CLOCK_SKEW {
            return Err(InvalidReview::Future(reviewed_at));
        }
        if reviewed_at < EARLIEST_REVIEW {
            return Err(InvalidReview::Past(reviewed_at));
        }
        let duration_ms = u32::try_from(duration_ms)
            .ok()
            .filter(|duration| *duration <= MAX_DURATION_MS)
            .ok_or(InvalidReview::Duration(duration_ms))?;
        let day = match &time_zone {
            Some(time_zone) => calendar.in_time_zone(time_zone)?.day_of(reviewed_at),
            None => calendar.day_of(reviewed_at),
        };
        let reviewed_at =
            Timestamp::from_millisecond(reviewed_at.as_millisecond()).unwrap_or(reviewed_at);
        Ok(Self {
            id,
            card,
            rating,
            reviewed_at,
            duration_ms,
            time_zone,
            session,
            day,
            received_at: now,
        })
    }

    /// What the scheduler takes of it.
    #[must_use]
    pub const fn answer(&self) -> Answer {
        Answer { id: self.id, rating: self.rating, at: self.reviewed_at, day: self.day }
    }

    /// Its place in the log of its card.
    #[must_use]
    pub const fn key(&self) -> AnswerKey {
        (self.reviewed_at, self.id)
    }

    /// Whether `other` says the same: then one of them was sent twice.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.id == other.id
            && self.card == other.card
            && self.rating == other.rating
            && self.reviewed_at == other.reviewed_at
            && self.duration_ms == other.duration_ms
            && self.time_zone == other.time_zone
            && self.session == other.session
    }
}

/// A card as this domain keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredCard {
    /// Which card.
    pub id: CardId,
    /// The deck it lies in.
    pub deck: DeckId,
    /// What its reviews led to; `None` for a new card.
    pub memory: Option<Memory>,
    /// Which model made the memory.
    pub model: i64,
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
}

/// A deck as this domain keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDeck {
    /// Which deck.
    pub id: DeckId,
    /// How many of its cards were never studied.
    pub new: usize,
    /// The others.
    pub studied: Vec<Studied>,
}

/// A person as this domain keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// IANA name.
    pub time_zone: String,
    /// 0 to 23.
    pub rollover_hour: u8,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> ReviewInput {
        ReviewInput {
            id: ReviewId::new(),
            card: CardId::new(),
            rating: Rating::Good,
            reviewed_at: now(),
            duration_ms: 1200,
            time_zone: None,
            session: None,
        }
    }

    fn now() -> Timestamp {
        "2026-03-01T10:00:00Z".parse().unwrap()
    }

    fn check(input: ReviewInput) -> Result<Review, String> {
        Review::new(input, &Calendar::default(), now()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let error = check(ReviewInput { duration_ms: -1, ..input() }).unwrap_err();
        assert_eq!(error, "durationMs -1 is out of range: 0 to 3600000");
        assert!(check(ReviewInput { duration_ms: 3_600_001, ..input() }).is_err());
        assert!(check(ReviewInput { duration_ms: 3_600_000, ..input() }).is_ok());
        let ahead = |hours| now() + SignedDuration::from_hours(hours);
        assert!(check(ReviewInput { reviewed_at: ahead(24), ..input() }).is_ok());
        let error = check(ReviewInput { reviewed_at: ahead(25), ..input() }).unwrap_err();
        assert!(error.contains("24 hours in the future"), "{error}");
        let unset = "1999-12-31T23:59:59Z".parse().unwrap();
        let error = check(ReviewInput { reviewed_at: unset, ..input() }).unwrap_err();
        assert!(error.contains("before the year 2000"), "{error}");
        let error = check(ReviewInput { time_zone: Some("Moon".into()), ..input() }).unwrap_err();
        assert_eq!(
            error,
            "timeZone \"Moon\" is not a time zone: expected an IANA name such as Europe/Zurich"
        );
    }

    #[test]
    fn the_day_is_that_of_the_place_it_was_sent_from() {
        let late = "2026-03-01T03:30:00Z".parse().unwrap();
        let at_home = check(ReviewInput { reviewed_at: late, ..input() }).unwrap();
        let in_tokyo = ReviewInput {
            reviewed_at: late,
            time_zone: Some("Asia/Tokyo".into()),
            ..input()
        };
        assert_eq!(check(in_tokyo).unwrap().day, at_home.day.plus(1));
    }
}
