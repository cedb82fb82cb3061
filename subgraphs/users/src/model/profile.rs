//! What a person says about themself: a name, and when their day of learning starts.

use common::Error;
use jiff::tz::TimeZone;
use unicode_normalization::UnicodeNormalization;

/// Most characters of a name.
const MAX_NAME: usize = 50;
/// The longest name of a time zone is half of this; what is longer is not looked up.
const MAX_TIME_ZONE: usize = 64;

/// What a person wants to be called: 1 to 50 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonName(String);

impl PersonName {
    /// Takes a name without the blanks around it, in the normal form NFC.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `argument` when it is empty, too long, or holds characters that print nothing or turn the direction of text.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let length = || Error::invalid(argument, format!("a name has 1 to {MAX_NAME} characters"));
        if text.len() > 16 * MAX_NAME {
            return Err(length());
        }
        let name: String = text.nfc().collect();
        if !(1..=MAX_NAME).contains(&name.chars().count()) {
            return Err(length());
        }
        if name.chars().any(|c| c.is_control() || turns_text(c)) {
            return Err(Error::invalid(argument, "a name is one line without control characters"));
        }
        Ok(Self(name))
    }

    /// A name as a store kept it: it was checked when it was put there.
    #[must_use]
    pub(crate) const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Line breaks, and the marks that override the direction of text and can make a name read as another.
pub(super) const fn turns_text(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The name of a time zone in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// Looks a name up, whatever its case.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `argument` when there is no such time zone.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let found = (text.len() <= MAX_TIME_ZONE).then(|| TimeZone::get(text).ok()).flatten();
        match found.as_ref().and_then(TimeZone::iana_name) {
            Some(name) => Ok(Self(name.to_owned())),
            None => Err(Error::invalid(
                argument,
                "there is no such time zone: expected an IANA name such as Europe/Zurich",
            )),
        }
    }

    /// A name as a store kept it: it was checked when it was put there.
    #[must_use]
    pub(crate) const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self("UTC".into())
    }
}

/// The hour at which a new day of learning starts: 0 to 23, local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RolloverHour(u8);

impl RolloverHour {
    /// Takes an hour.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `argument` when it is not one of 0 to 23.
    pub fn new(argument: &str, hour: i32) -> Result<Self, Error> {
        match u8::try_from(hour) {
            Ok(hour @ 0..=23) => Ok(Self(hour)),
            _ => Err(Error::invalid(argument, format!("{hour} is no hour: expected 0 to 23"))),
        }
    }

    /// The hour.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for RolloverHour {
    /// Late enough for those who learn past midnight.
    fn default() -> Self {
        Self(4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_1_to_50_characters() {
        assert_eq!(PersonName::new("", "  Ada Lovelace ").unwrap().as_str(), "Ada Lovelace");
        assert_eq!(PersonName::new("", "Jose\u{301}").unwrap().as_str(), "Jos\u{e9}");
        assert!(PersonName::new("", &"é".repeat(50)).is_ok());
        let (long, longer) = ("é".repeat(51), "x".repeat(1 << 20));
        for text in ["", "   ", "a\nb", "a\0b", "abc\u{202e}cba", &long, &longer] {
            let error = PersonName::new("input.name", text).unwrap_err();
            assert!(error.to_string().starts_with("input.name: a name"), "{error}");
        }
    }

    #[test]
    fn a_time_zone_is_known_and_spelt_as_the_database_spells_it() {
        assert_eq!(TimeZoneName::new("", "europe/zurich").unwrap().as_str(), "Europe/Zurich");
        assert_eq!(TimeZoneName::new("", "UTC").unwrap().as_str(), "UTC");
        for text in ["", "Mars/Olympus", "../../etc/passwd", "Etc/Unknown", "+01:00"] {
            assert!(TimeZoneName::new("input.timeZone", text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_hour_is_one_of_a_day() {
        assert_eq!(RolloverHour::new("", 23).unwrap().get(), 23);
        for hour in [-1, 24, 260, i32::MAX] {
            assert!(RolloverHour::new("input.rolloverHour", hour).is_err(), "{hour}");
        }
    }
}
