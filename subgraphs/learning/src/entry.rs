//! An entry of the log, as clients send it and as stores keep it. An entry that exists is valid, and never changes.

use common::{CardId, DeckId, LearningSessionId, ReviewId};
use jiff::{SignedDuration, Timestamp};

use crate::scheduler::{
    Action, AnswerKey, Calendar, Day, Entry, Phase, Rating, RulesId, UnknownTimeZone,
};
use crate::tally::Counted;

/// The longest time a review may take, in milliseconds: an hour.
pub const MAX_DURATION_MS: u32 = 3_600_000;
/// How far a device's clock may be ahead of ours.
pub const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_hours(24);
/// 2000-01-01T00:00:00Z: an entry before it comes from a clock that was never set.
pub const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);
/// The highest flag.
pub const MAX_FLAG: u8 = 7;
/// How many days ahead a due date may be set.
pub const MAX_DUE_DAYS: u32 = 36_500;

/// An entry as a client sends it.
#[derive(Debug, Clone)]
pub struct EntryInput {
    /// Made by the client.
    pub id: ReviewId,
    /// The card it is about.
    pub card: CardId,
    /// What it says.
    pub action: Action,
    /// When it was made, by the client's clock.
    pub at: Timestamp,
    /// How long it took, in milliseconds; 0 for what is no review.
    pub duration_ms: i32,
    /// Where the person was; without it, the time zone of the account.
    pub time_zone: Option<String>,
    /// The learning session it belongs to.
    pub session: Option<LearningSessionId>,
}

/// Why an entry is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// Its moment is too far ahead.
    #[error("{1} {0} lies more than 24 hours in the future: check the device's clock")]
    Future(Timestamp, &'static str),
    /// Its moment is too long ago.
    #[error("{1} {0} lies before the year 2000: check the device's clock")]
    Past(Timestamp, &'static str),
    /// It took too long, or less than no time.
    #[error("durationMs {0} is out of range: 0 to {MAX_DURATION_MS}")]
    Duration(i32),
    /// Its time zone is none.
    #[error("timeZone {0}")]
    TimeZone(#[from] UnknownTimeZone),
    /// There is no such flag.
    #[error("flag {0} is out of range: 0 (none) to {MAX_FLAG}")]
    Flag(u8),
    /// The due date is too far away.
    #[error(
        "dueOn {0} is out of range: from the day before it is set to {MAX_DUE_DAYS} days after it"
    )]
    Due(jiff::civil::Date),
}

/// An entry of the log, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Made by the client, unique for its owner.
    pub id: ReviewId,
    /// The card it is about.
    pub card: CardId,
    /// What it says.
    pub action: Action,
    /// When it was made, by the client's clock, to the millisecond. A clock that is ahead is kept as it is, so that a device and the store agree
    /// on the log; what is computed from it treats the future as now.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u32,
    /// The time zone that was sent with it.
    pub time_zone: Option<String>,
    /// The learning session that was sent with it.
    pub session: Option<LearningSessionId>,
    /// Its local day, by the time zone sent with it and the rollover hour when it arrived. Kept, so that a later change of either does
    /// not change what a replay gives.
    pub day: Day,
    /// The hour on the wall, where it was made: 0 to 23.
    pub hour: u8,
    /// When it arrived here.
    pub received_at: Timestamp,
}

impl LogEntry {
    /// Checks what a client sent. `calendar` is the person's.
    ///
    /// # Errors
    /// The first rule it does not keep.
    pub fn new(
        input: EntryInput,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Result<Self, InvalidEntry> {
        let EntryInput { id, card, action, at, duration_ms, time_zone, session } = input;
        let field = if action.rating().is_some() { "reviewedAt" } else { "at" };
        if at.duration_since(now) > MAX_CLOCK_SKEW {
            return Err(InvalidEntry::Future(at, field));
        }
        if at < EARLIEST {
            return Err(InvalidEntry::Past(at, field));
        }
        let duration_ms = u32::try_from(duration_ms)
            .ok()
            .filter(|duration| *duration <= MAX_DURATION_MS)
            .ok_or(InvalidEntry::Duration(duration_ms))?;
        let elsewhere = match &time_zone {
            Some(time_zone) => Some(calendar.in_time_zone(time_zone)?),
            None => None,
        };
        let calendar = elsewhere.as_ref().unwrap_or(calendar);
        let (day, hour) = (calendar.day_of(at), calendar.hour_of(at));
        match action {
            Action::Flag(flag) if flag > MAX_FLAG => return Err(InvalidEntry::Flag(flag)),
            Action::SetDue(due) if due.0 < day.0 - 1 || due.since(day) > MAX_DUE_DAYS => {
                return Err(InvalidEntry::Due(due.date()));
            }
            _ => {}
        }
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let received_at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        Ok(Self { id, card, action, at, duration_ms, time_zone, session, day, hour, received_at })
    }

    /// Its place in the log of its card.
    #[must_use]
    pub const fn key(&self) -> AnswerKey {
        (self.at, self.id)
    }

    /// What the scheduler takes of it.
    #[must_use]
    pub const fn entry(&self, rules: RulesId) -> Entry {
        Entry { id: self.id, action: self.action, at: self.at, day: self.day, rules }
    }

    /// Whether `other` says the same: then one of them was sent twice.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        self.id == other.id
            && self.card == other.card
            && self.action == other.action
            && self.at == other.at
            && self.duration_ms == other.duration_ms
            && self.time_zone == other.time_zone
            && self.session == other.session
    }
}

/// An entry in the log, with what was noted when it was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The entry as it was sent.
    pub sent: LogEntry,
    /// The deck that its card lay in then: the work counts there.
    pub deck: DeckId,
    /// The rules that were in force for that deck then.
    pub rules: RulesId,
    /// Among which reviews it counts, as far as the log goes now.
    pub phase: Phase,
}

impl Logged {
    /// What the scheduler takes of it.
    #[must_use]
    pub const fn entry(&self) -> Entry {
        self.sent.entry(self.rules)
    }

    /// What is counted of it, in a phase; `None` for what is no review.
    #[must_use]
    pub fn counted(&self, phase: Phase) -> Option<Counted> {
        let rating: Rating = self.sent.action.rating()?;
        Some(Counted { phase, rating, hour: self.sent.hour, duration_ms: self.sent.duration_ms })
    }

    /// Whether it is a review that was undone.
    #[must_use]
    pub fn is_undone(&self) -> bool {
        self.sent.action.rating().is_some() && self.phase == Phase::Uncounted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input() -> EntryInput {
        EntryInput {
            id: ReviewId::new(),
            card: CardId::new(),
            action: Action::Answer(Rating::Good),
            at: now(),
            duration_ms: 1200,
            time_zone: None,
            session: None,
        }
    }

    fn now() -> Timestamp {
        "2026-03-01T10:00:00Z".parse().unwrap()
    }

    fn check(input: EntryInput) -> Result<LogEntry, String> {
        LogEntry::new(input, &Calendar::default(), now()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_out_of_range_is_refused_with_the_range() {
        let error = check(EntryInput { duration_ms: -1, ..input() }).unwrap_err();
        assert_eq!(error, "durationMs -1 is out of range: 0 to 3600000");
        assert!(check(EntryInput { duration_ms: 3_600_001, ..input() }).is_err());
        assert!(check(EntryInput { duration_ms: 3_600_000, ..input() }).is_ok());
        let ahead = |hours| now() + SignedDuration::from_hours(hours);
        assert!(check(EntryInput { at: ahead(24), ..input() }).is_ok());
        let error = check(EntryInput { at: ahead(25), ..input() }).unwrap_err();
        assert!(
            error.starts_with("reviewedAt") && error.contains("24 hours in the future"),
            "{error}"
        );
        let unset = "1999-12-31T23:59:59Z".parse().unwrap();
        let error = check(EntryInput { at: unset, ..input() }).unwrap_err();
        assert!(error.contains("before the year 2000"), "{error}");
        let error = check(EntryInput { time_zone: Some("Moon".into()), ..input() }).unwrap_err();
        assert_eq!(
            error,
            "timeZone \"Moon\" is not a time zone: expected an IANA name such as Europe/Zurich"
        );
        let error = check(EntryInput { action: Action::Flag(8), ..input() }).unwrap_err();
        assert_eq!(error, "flag 8 is out of range: 0 (none) to 7");
        let today = Calendar::default().day_of(now());
        let due = |day| check(EntryInput { action: Action::SetDue(day), ..input() });
        assert!(due(today.plus(36_501)).is_err() && due(Day(today.0 - 2)).is_err());
        assert!(due(today.plus(36_500)).is_ok() && due(today).is_ok());
    }

    #[test]
    fn the_day_is_that_of_the_place_it_was_sent_from() {
        let late = "2026-03-01T03:30:00Z".parse().unwrap();
        let at_home = check(EntryInput { at: late, ..input() }).unwrap();
        let in_tokyo = EntryInput { at: late, time_zone: Some("Asia/Tokyo".into()), ..input() };
        let in_tokyo = check(in_tokyo).unwrap();
        assert_eq!((in_tokyo.day, in_tokyo.hour), (at_home.day.plus(1), 12));
        assert_eq!(at_home.hour, 3);
    }
}

/// When a card was last answered with each rating, by its log in any order: what was undone does not count.
#[must_use]
pub fn answered<'a>(log: impl IntoIterator<Item = &'a Logged>) -> [Option<Timestamp>; 4] {
    let mut answered = [None; 4];
    for logged in log.into_iter().filter(|logged| !logged.is_undone()) {
        if let Some(rating) = logged.sent.action.rating() {
            let last: &mut Option<Timestamp> = &mut answered[rating.place()];
            *last = (*last).max(Some(logged.sent.at));
        }
    }
    answered
}
