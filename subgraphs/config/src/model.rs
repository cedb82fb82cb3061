//! The keys, their types and bounds, and what overrides a default. A [`Frontend`] that exists is valid.

use std::collections::BTreeMap;

use async_graphql::Enum;
use common::UserId;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The colours of the program before this one, so that nobody's decks change theirs.
const DECK_COLORS: [&str; 8] =
    ["#FFEC87", "#BEBDFF", "#FFAB87", "#87FFE9", "#FF87DD", "#FF878E", "#CFFFAA", "#87DBFF"];
/// Most colours to choose from.
const MAX_COLORS: usize = 32;
/// Most characters of the message.
const MAX_MESSAGE: usize = 500;

/// What can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Enum)]
#[graphql(name = "ConfigKey")]
pub enum Key {
    /// A list of 1 to 32 colours, each once, as `#RRGGBB`.
    DeckColors,
    /// A text of 1 to 500 characters; reset it to show none.
    WelcomeMessage,
    /// A version of three numbers such as `1.4.0`.
    MinimumClientVersion,
    /// True or false.
    SignUpOpen,
}

impl Key {
    /// Every key, in the order in which they are listed.
    pub const ALL: [Self; 4] =
        [Self::DeckColors, Self::WelcomeMessage, Self::MinimumClientVersion, Self::SignUpOpen];

    /// The name under which a store keeps it. It never changes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeckColors => "deckColors",
            Self::WelcomeMessage => "welcomeMessage",
            Self::MinimumClientVersion => "minimumClientVersion",
            Self::SignUpOpen => "signUpOpen",
        }
    }

    /// The key of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.name() == name)
    }

    /// What it is for.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::DeckColors => {
                "The colours to choose from for a deck: 1 to 32 of the form #RRGGBB."
            }
            Self::WelcomeMessage => "Shown to everybody who opens the app: 1 to 500 characters.",
            Self::MinimumClientVersion => {
                "Clients older than this ask to be updated: three numbers such as 1.4.0."
            }
            Self::SignUpOpen => {
                "Whether the front end offers to sign up. It informs and enforces nothing."
            }
        }
    }
}

/// What the front end is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frontend {
    deck_colors: Vec<String>,
    welcome_message: Option<String>,
    minimum_client_version: String,
    sign_up_open: bool,
}

impl Default for Frontend {
    fn default() -> Self {
        Self {
            deck_colors: DECK_COLORS.map(str::to_owned).to_vec(),
            welcome_message: None,
            minimum_client_version: "0.0.0".into(),
            sign_up_open: true,
        }
    }
}

impl Frontend {
    /// The colours to choose from for a deck, as `#RRGGBB` in capitals.
    #[must_use]
    pub fn deck_colors(&self) -> &[String] {
        &self.deck_colors
    }

    /// What to show to everybody, if anything.
    #[must_use]
    pub fn welcome_message(&self) -> Option<&str> {
        self.welcome_message.as_deref()
    }

    /// The oldest client that need not be updated.
    #[must_use]
    pub fn minimum_client_version(&self) -> &str {
        &self.minimum_client_version
    }

    /// Whether to offer to sign up.
    #[must_use]
    pub const fn sign_up_open(&self) -> bool {
        self.sign_up_open
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: Key) -> Value {
        match key {
            Key::DeckColors => json!(self.deck_colors),
            Key::WelcomeMessage => json!(self.welcome_message),
            Key::MinimumClientVersion => json!(self.minimum_client_version),
            Key::SignUpOpen => json!(self.sign_up_open),
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// [`InvalidValue`] that says what is accepted; then nothing was changed.
    pub fn set(&mut self, key: Key, value: &Value) -> Result<(), InvalidValue> {
        match key {
            Key::DeckColors => self.deck_colors = colors(value)?,
            Key::WelcomeMessage => self.welcome_message = Some(message(value)?),
            Key::MinimumClientVersion => self.minimum_client_version = version(value)?,
            Key::SignUpOpen => {
                let refused = || InvalidValue::new(value, "true or false");
                self.sign_up_open = value.as_bool().ok_or_else(refused)?;
            }
        }
        Ok(())
    }
}

/// A value that a key cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value} is not accepted: expected {expected}")]
pub struct InvalidValue {
    /// The value, shortened.
    value: String,
    /// What is accepted.
    expected: String,
}

impl InvalidValue {
    fn new(value: &Value, expected: impl Into<String>) -> Self {
        let mut value = value.to_string();
        if value.chars().count() > 60 {
            value = value.chars().take(59).chain(['…']).collect();
        }
        Self { value, expected: expected.into() }
    }
}

fn colors(value: &Value) -> Result<Vec<String>, InvalidValue> {
    let list = || InvalidValue::new(value, format!("a list of 1 to {MAX_COLORS} colours"));
    let given = value.as_array().ok_or_else(list)?;
    if !(1..=MAX_COLORS).contains(&given.len()) {
        return Err(list());
    }
    let mut colors = Vec::with_capacity(given.len());
    for color in given {
        let text = color.as_str().filter(|text| is_color(text));
        let text = text.ok_or_else(|| InvalidValue::new(color, "a colour such as #FFEC87"))?;
        let text = text.to_ascii_uppercase();
        if colors.contains(&text) {
            return Err(InvalidValue::new(color, "each colour once"));
        }
        colors.push(text);
    }
    Ok(colors)
}

fn is_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn message(value: &Value) -> Result<String, InvalidValue> {
    let refused = || InvalidValue::new(value, format!("a text of 1 to {MAX_MESSAGE} characters"));
    let text = value.as_str().ok_or_else(refused)?.trim();
    let fits = (1..=MAX_MESSAGE).contains(&text.chars().count());
    if fits { Ok(text.to_owned()) } else { Err(refused()) }
}

fn version(value: &Value) -> Result<String, InvalidValue> {
    let refused = || InvalidValue::new(value, "three numbers such as 1.4.0");
    let text = value.as_str().ok_or_else(refused)?;
    let numbers: Option<Vec<u16>> = text.split('.').map(number).collect();
    match numbers {
        Some(numbers) if numbers.len() == 3 => Ok(text.to_owned()),
        _ => Err(refused()),
    }
}

/// A number in its one form: digits only, without leading zeros.
fn number(text: &str) -> Option<u16> {
    let number = text.parse::<u16>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// What an administrator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What.
    pub key: String,
    /// To which value.
    pub value: Value,
    /// When.
    pub set_at: Timestamp,
    /// Who.
    pub set_by: UserId,
}

/// All of it at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// What is in effect.
    pub frontend: Frontend,
    overrides: BTreeMap<Key, (Timestamp, UserId)>,
}

impl Snapshot {
    /// The defaults under `overrides`. One that is unknown or breaks a rule, as an older or newer program may have left it, has no effect.
    #[must_use]
    pub fn of(overrides: &[Override]) -> Self {
        let mut snapshot = Self::default();
        for each in overrides {
            let Some(key) = Key::named(&each.key) else {
                tracing::warn!(key = each.key, "an override of an unknown key has no effect");
                continue;
            };
            match snapshot.frontend.set(key, &each.value) {
                Ok(()) => drop(snapshot.overrides.insert(key, (each.set_at, each.set_by))),
                Err(error) => {
                    tracing::warn!(key = each.key, %error, "an override has no effect");
                }
            }
        }
        snapshot
    }

    /// When and by whom the default of `key` was overridden, if it was.
    #[must_use]
    pub fn overridden(&self, key: Key) -> Option<(Timestamp, UserId)> {
        self.overrides.get(&key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_that_keeps_the_rules_is_taken_and_read_back() {
        for (key, given, kept) in [
            (Key::DeckColors, json!(["#ffec87", "#000000"]), json!(["#FFEC87", "#000000"])),
            (Key::WelcomeMessage, json!(" Hello! "), json!("Hello!")),
            (Key::MinimumClientVersion, json!("1.20.3"), json!("1.20.3")),
            (Key::SignUpOpen, json!(false), json!(false)),
        ] {
            let mut frontend = Frontend::default();
            frontend.set(key, &given).unwrap();
            assert_eq!(frontend.get(key), kept);
            for other in Key::ALL.into_iter().filter(|other| *other != key) {
                assert_eq!(frontend.get(other), Frontend::default().get(other));
            }
            // What is kept is taken again.
            frontend.set(key, &kept).unwrap();
        }
    }

    #[test]
    fn every_value_that_breaks_a_rule_is_refused_and_changes_nothing() {
        let many: Vec<_> = (0..33).map(|n| format!("#0000{n:02X}")).collect();
        for (key, value) in [
            (Key::DeckColors, json!([])),
            (Key::DeckColors, json!(many)),
            (Key::DeckColors, json!("#FFEC87")),
            (Key::DeckColors, json!(["#FFEC8"])),
            (Key::DeckColors, json!(["#FFEC8G"])),
            (Key::DeckColors, json!(["red; background: url(//evil)"])),
            (Key::DeckColors, json!(["#FFEC87", "#ffec87"])),
            (Key::DeckColors, json!([1])),
            (Key::WelcomeMessage, json!(null)),
            (Key::WelcomeMessage, json!("  ")),
            (Key::WelcomeMessage, json!("x".repeat(501))),
            (Key::WelcomeMessage, json!({ "$gt": "" })),
            (Key::MinimumClientVersion, json!("1.2")),
            (Key::MinimumClientVersion, json!("1.2.3.4")),
            (Key::MinimumClientVersion, json!("1.02.3")),
            (Key::MinimumClientVersion, json!("1.+2.3")),
            (Key::MinimumClientVersion, json!(1.2)),
            (Key::SignUpOpen, json!("true")),
            (Key::SignUpOpen, json!(1)),
        ] {
            let mut frontend = Frontend::default();
            let error = frontend.set(key, &value).unwrap_err().to_string();
            assert!(error.contains("expected") && error.chars().count() < 140, "{error}");
            assert_eq!(frontend, Frontend::default(), "{value}");
        }
    }

    #[test]
    fn an_override_that_is_no_good_has_no_effect() {
        let of = |key: &str, value| Override {
            key: key.into(),
            value,
            set_at: Timestamp::UNIX_EPOCH,
            set_by: UserId::new(),
        };
        let kept = of("signUpOpen", json!(false));
        let snapshot =
            Snapshot::of(&[of("gone", json!(1)), of("deckColors", json!(7)), kept.clone()]);
        assert_eq!(snapshot.frontend.deck_colors(), DECK_COLORS);
        assert!(!snapshot.frontend.sign_up_open());
        assert_eq!(snapshot.overridden(Key::DeckColors), None);
        assert_eq!(snapshot.overridden(Key::SignUpOpen), Some((kept.set_at, kept.set_by)));
    }

    #[test]
    fn names_are_told_apart() {
        for key in Key::ALL {
            assert_eq!(Key::named(key.name()), Some(key));
        }
        assert_eq!(Key::named("nonsense"), None);
    }
}
