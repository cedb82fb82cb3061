//! Local days. A day of learning starts at the rollover hour of a person's time zone, so that midnight does not cut an evening in two.
//! Domains that ask for the day of a moment must all get the same one.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A local day, counted from 1970-01-01.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// How many days lie between `earlier` and this one; 0 when `earlier` is in fact later, as after a journey westward.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u32 {
        let days = self.0.saturating_sub(earlier.0);
        if days > 0 { days.unsigned_abs() } else { 0 }
    }

    /// The day that comes `days` later.
    #[must_use]
    pub const fn plus(self, days: u32) -> Self {
        Self(self.0.saturating_add_unsigned(days))
    }

    /// Its place in the week, from Monday: 0 to 6.
    #[must_use]
    pub const fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0.rem_euclid(7) as usize + 3) % 7
    }

    /// Its date.
    #[must_use]
    pub fn date(self) -> Date {
        let since_epoch = SignedDuration::from_hours(i64::from(self.0) * 24);
        date(1970, 1, 1).saturating_add(since_epoch)
    }

    /// The day with this date.
    #[must_use]
    pub fn from_date(day: Date) -> Self {
        let days = day.duration_since(date(1970, 1, 1)).as_hours() / 24;
        // A date lies within the years -9999 to 9999, whose days fit.
        Self(i32::try_from(days).unwrap_or(i32::MAX))
    }
}

/// A text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time zone: expected an IANA name such as Europe/Zurich")]
pub struct UnknownTimeZone(String);

/// Which moments belong to which local day.
#[derive(Debug, Clone)]
pub struct Calendar {
    time_zone: TimeZone,
    rollover_hour: u8,
}

impl Calendar {
    /// The hour at which a day starts unless the person chose another.
    pub const ROLLOVER_HOUR: u8 = 4;

    /// The calendar of a time zone whose days start at `rollover_hour`, 0 to 23.
    ///
    /// # Errors
    /// When `time_zone` is not an IANA name.
    pub fn new(time_zone: &str, rollover_hour: u8) -> Result<Self, UnknownTimeZone> {
        let unknown = |_| UnknownTimeZone(time_zone.chars().take(60).collect());
        let time_zone = TimeZone::get(time_zone).map_err(unknown)?;
        Ok(Self { time_zone, rollover_hour: rollover_hour.min(23) })
    }

    /// The same rollover hour in another time zone.
    ///
    /// # Errors
    /// When `time_zone` is not an IANA name.
    pub fn in_time_zone(&self, time_zone: &str) -> Result<Self, UnknownTimeZone> {
        Self::new(time_zone, self.rollover_hour)
    }

    /// The local day of a moment: the local date after subtracting the rollover hour.
    #[must_use]
    pub fn day_of(&self, moment: Timestamp) -> Day {
        let offset = i64::from(self.time_zone.to_offset(moment).seconds());
        let local = moment.as_second() + offset - i64::from(self.rollover_hour) * 3600;
        // A timestamp lies within the years -9999 to 9999, whose days fit.
        Day(i32::try_from(local.div_euclid(86_400)).unwrap_or(i32::MAX))
    }

    /// The hour on the wall at a moment: 0 to 23.
    #[must_use]
    pub fn hour_of(&self, moment: Timestamp) -> u8 {
        self.time_zone.to_datetime(moment).hour().unsigned_abs()
    }

    /// When a local day starts.
    #[must_use]
    pub fn start_of(&self, day: Day) -> Timestamp {
        let start = day.date().at(i8::try_from(self.rollover_hour).unwrap_or(0), 0, 0, 0);
        // Only at the very ends of the calendar is there no such moment.
        self.time_zone.to_timestamp(start).unwrap_or(Timestamp::MAX)
    }
}

impl Default for Calendar {
    fn default() -> Self {
        Self { time_zone: TimeZone::UTC, rollover_hour: Self::ROLLOVER_HOUR }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_starts_at_the_rollover_hour() {
        let calendar = Calendar::new("Europe/Zurich", 4).unwrap();
        let evening = calendar.day_of(at("2026-01-10T21:00:00+01:00"));
        assert_eq!(calendar.day_of(at("2026-01-11T03:59:59+01:00")), evening);
        assert_eq!(calendar.day_of(at("2026-01-11T04:00:00+01:00")), evening.plus(1));
        assert_eq!(calendar.start_of(evening.plus(1)), at("2026-01-11T04:00:00+01:00"));
    }

    #[test]
    fn daylight_saving_moves_the_start_with_the_clock_on_the_wall() {
        let calendar = Calendar::new("Europe/Zurich", 4).unwrap();
        // 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
        let spring = calendar.day_of(at("2026-03-28T12:00:00Z"));
        assert_eq!(calendar.start_of(spring.plus(1)), at("2026-03-29T02:00:00Z"));
        assert_eq!(calendar.start_of(spring), at("2026-03-28T03:00:00Z"));
        let autumn = calendar.day_of(at("2026-10-25T02:59:59Z"));
        assert_eq!(calendar.start_of(autumn.plus(1)), at("2026-10-25T03:00:00Z"));
        // An hour that the clock skips: the day starts when it has been skipped.
        let skipped = Calendar::new("Europe/Zurich", 2).unwrap();
        assert_eq!(skipped.start_of(spring.plus(1)), at("2026-03-29T01:00:00Z"));
    }

    #[test]
    fn every_moment_lies_in_its_day() {
        for zone in ["UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"] {
            let calendar = Calendar::new(zone, 4).unwrap();
            for hours in 0..24 * 400 {
                let moment = at("2025-12-01T00:30:00Z") + SignedDuration::from_hours(hours);
                let day = calendar.day_of(moment);
                assert!(calendar.start_of(day) <= moment, "{zone} {moment}");
                assert!(moment < calendar.start_of(day.plus(1)), "{zone} {moment}");
            }
        }
    }

    #[test]
    fn a_journey_westward_takes_no_days_away() {
        assert_eq!(Day(10).since(Day(11)), 0);
        assert_eq!(Day(11).since(Day(10)), 1);
    }

    #[test]
    fn a_day_has_a_date_and_a_weekday() {
        let day = Day::from_date(date(2026, 3, 2));
        assert_eq!((day.date(), day.weekday()), (date(2026, 3, 2), 0), "a Monday");
        assert_eq!((Day(-1).date(), Day(-1).weekday()), (date(1969, 12, 31), 2));
        assert_eq!(Day::from_date(date(1969, 12, 31)), Day(-1));
    }

    #[test]
    fn an_unknown_time_zone_is_named() {
        let error = Calendar::new("Mars/Olympus", 4).unwrap_err();
        assert!(error.to_string().contains("\"Mars/Olympus\" is not a time zone"), "{error}");
    }
}
