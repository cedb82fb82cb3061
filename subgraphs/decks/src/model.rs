//! Decks and cards, and what may be said of them. A [`NewDeck`] or [`NewCard`] that exists is valid.
//!
//! Lengths count Unicode scalar values. Errors name the argument by its path from the mutation's `input`.

use common::{CardId, DeckId, Error, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The most characters of a deck's name, without white space around it.
pub const MAX_NAME: usize = 100;
/// The most characters of a deck's description.
pub const MAX_DESCRIPTION: usize = 2_000;
/// The most characters of a question, and of an answer.
pub const MAX_CARD_TEXT: usize = 10_000;
/// The most decks of one person.
pub const MAX_DECKS: i64 = 10_000;
/// The most cards in one deck.
pub const MAX_CARDS: i64 = 100_000;
/// The most cards that one mutation makes, moves or deletes.
pub const MAX_BATCH: usize = 500;
/// How many rows a page holds when nothing is said.
pub const DEFAULT_PAGE: u32 = 50;

/// A deck.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deck {
    /// Which one.
    pub id: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// What it is called.
    pub name: String,
    /// What it is about; may be empty.
    pub description: String,
    /// `#RRGGBB` in capitals.
    pub color: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name, description or color last changed.
    pub updated_at: Timestamp,
    /// Grows when its name, description or color changes.
    pub version: i64,
    /// How many cards lie in it.
    pub card_count: i64,
    /// No card lies beyond this place.
    pub last_place: i64,
    /// Grows with each write, also when cards come and go: a change made of an older state is refused.
    pub revision: i64,
}

impl Deck {
    /// Its name for sorting: without regard to case.
    #[must_use]
    pub fn sort_name(&self) -> String {
        self.name.to_lowercase()
    }
}

/// A card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Which one.
    pub id: CardId,
    /// The deck it lies in.
    pub deck: DeckId,
    /// Whose it is.
    pub owner: UserId,
    /// Its place in the deck: see [`crate::place`].
    pub position: i64,
    /// As it was written.
    pub question: String,
    /// As it was written.
    pub answer: String,
    /// Where in a source text it comes from.
    pub source: Option<Source>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    pub version: i64,
}

/// What is known of a person here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub id: UserId,
    /// How many decks.
    pub deck_count: i64,
    /// Whether the account is gone: nothing is made for it any more.
    pub gone: bool,
    /// Grows with each write; 0 when nothing was ever written.
    pub revision: i64,
}

impl Owner {
    /// Somebody of whom nothing is known yet.
    #[must_use]
    pub const fn new(id: UserId) -> Self {
        Self { id, deck_count: 0, gone: false, revision: 0 }
    }
}

/// A part of a source text, `start..end` in UTF-16 code units, as JavaScript, Swift and Kotlin count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Where it starts.
    pub start: i32,
    /// Where it ends: beyond its last unit.
    pub end: i32,
}

impl Source {
    /// Checks two optional indices. `path` is where they were given.
    ///
    /// # Errors
    /// [`Error::Invalid`] when only one is given, one is negative, or they are reversed.
    pub fn new(path: &str, start: Option<i32>, end: Option<i32>) -> Result<Option<Self>, Error> {
        match (start, end) {
            (None, None) => Ok(None),
            (Some(start), Some(end)) if 0 <= start && start <= end => Ok(Some(Self { start, end })),
            (Some(_), Some(_)) => Err(Error::invalid(
                format!("{path}.sourceEndIndex"),
                "0 ≤ sourceStartIndex ≤ sourceEndIndex must hold",
            )),
            (Some(_), None) => Err(Error::invalid(
                format!("{path}.sourceEndIndex"),
                "is missing: give both sourceStartIndex and sourceEndIndex, or none",
            )),
            (None, Some(_)) => Err(Error::invalid(
                format!("{path}.sourceStartIndex"),
                "is missing: give both sourceStartIndex and sourceEndIndex, or none",
            )),
        }
    }
}

/// A valid name of a deck: 1 to [`MAX_NAME`] characters, none of them a control character, no white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub(crate) String);

impl Name {
    /// Trims and checks a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let name = text.trim();
        if name.chars().any(char::is_control) {
            return Err(Error::invalid(argument, "must not hold control characters"));
        }
        within(argument, name, 1, MAX_NAME)?;
        Ok(Self(name.to_owned()))
    }
}

/// A valid description: up to [`MAX_DESCRIPTION`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description(pub(crate) String);

impl Description {
    /// Checks a description.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: String) -> Result<Self, Error> {
        within(argument, &text, 0, MAX_DESCRIPTION)?;
        Ok(Self(text))
    }
}

/// A valid color, `#RRGGBB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color(pub(crate) String);

impl Color {
    /// Checks a color and writes it in capitals.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        match text.strip_prefix('#') {
            Some(digits) if digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()) => {
                Ok(Self(text.to_ascii_uppercase()))
            }
            _ => Err(Error::invalid(argument, "is not a color: expected #RRGGBB such as #FFEC87")),
        }
    }
}

/// A valid question or answer: 1 to [`MAX_CARD_TEXT`] characters, not only white space, kept as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardText(pub(crate) String);

impl CardText {
    /// Checks a question or an answer.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: String) -> Result<Self, Error> {
        within(argument, &text, 1, MAX_CARD_TEXT)?;
        if text.trim().is_empty() {
            return Err(Error::invalid(argument, "must not be blank"));
        }
        Ok(Self(text))
    }
}

fn within(argument: &str, text: &str, least: usize, most: usize) -> Result<(), Error> {
    let count = text.chars().count();
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let found = if count == 0 { "is empty".to_owned() } else { format!("has {count} characters") };
    Err(Error::invalid(argument, format!("{found}: {least} to {most} characters are accepted")))
}

/// A deck to be made.
#[derive(Debug, Clone)]
pub struct NewDeck {
    /// The client's own id, so that making it twice makes it once.
    pub id: Option<DeckId>,
    /// Its name.
    pub name: Name,
    /// Its description.
    pub description: Description,
    /// Its color.
    pub color: Option<Color>,
}

impl NewDeck {
    /// Whether `deck` is what would be made.
    #[must_use]
    pub fn describes(&self, deck: &Deck) -> bool {
        deck.name == self.name.0
            && deck.description == self.description.0
            && deck.color.as_ref() == self.color.as_ref().map(|color| &color.0)
    }
}

/// What to change about a deck; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct DeckEdit {
    /// Which deck.
    pub id: DeckId,
    /// Its new name.
    pub name: Option<Name>,
    /// Its new description.
    pub description: Option<Description>,
    /// Its new color, or none any more.
    pub color: Option<Option<Color>>,
    /// Refuse when it has another version by now.
    pub expected_version: Option<i64>,
}

/// A card to be made.
#[derive(Debug, Clone)]
pub struct NewCard {
    /// The client's own id, so that making it twice makes it once.
    pub id: Option<CardId>,
    /// Its question.
    pub question: CardText,
    /// Its answer.
    pub answer: CardText,
    /// Where it comes from.
    pub source: Option<Source>,
}

impl NewCard {
    /// Whether `card` is what would be made in `deck`.
    #[must_use]
    pub fn describes(&self, card: &Card, deck: DeckId) -> bool {
        card.deck == deck
            && card.question == self.question.0
            && card.answer == self.answer.0
            && card.source == self.source
    }
}

/// What to change about a card; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct CardEdit {
    /// Which card.
    pub id: CardId,
    /// Its new question.
    pub question: Option<CardText>,
    /// Its new answer.
    pub answer: Option<CardText>,
    /// Refuse when it has another version by now.
    pub expected_version: Option<i64>,
}

/// Where cards are to lie.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which cards, in their new order.
    pub cards: Vec<CardId>,
    /// The deck to move them to; `None`: that of `before`, or else the one they lie in.
    pub deck: Option<DeckId>,
    /// The card before which they will lie; `None`: at the end.
    pub before: Option<CardId>,
}

/// What a list of decks is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeckSort {
    /// Their name, without regard to case.
    Name,
    /// When they were made.
    CreatedAt,
    /// When they last changed.
    UpdatedAt,
}

/// The order of a list of decks. Decks of the same value are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeckOrder {
    /// What it is sorted by.
    pub by: DeckSort,
    /// From the greatest to the least.
    pub descending: bool,
}

/// A deck's place in a list of decks: what its cursor says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeckKey {
    /// In a list by name.
    Name(String, DeckId),
    /// In a list by time of making, in milliseconds since the epoch.
    CreatedAt(i64, DeckId),
    /// In a list by time of change, in milliseconds since the epoch.
    UpdatedAt(i64, DeckId),
}

impl DeckKey {
    /// The key of `deck` in a list sorted `by`.
    #[must_use]
    pub fn of(deck: &Deck, by: DeckSort) -> Self {
        match by {
            DeckSort::Name => Self::Name(deck.sort_name(), deck.id),
            DeckSort::CreatedAt => Self::CreatedAt(deck.created_at.as_millisecond(), deck.id),
            DeckSort::UpdatedAt => Self::UpdatedAt(deck.updated_at.as_millisecond(), deck.id),
        }
    }

    /// What the list that this key belongs to is sorted by.
    #[must_use]
    pub const fn sort(&self) -> DeckSort {
        match self {
            Self::Name(..) => DeckSort::Name,
            Self::CreatedAt(..) => DeckSort::CreatedAt,
            Self::UpdatedAt(..) => DeckSort::UpdatedAt,
        }
    }
}

/// A card's place in the list of its deck's cards: what its cursor says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CardKey(pub i64, pub CardId);

impl CardKey {
    /// The key of `card`.
    #[must_use]
    pub const fn of(card: &Card) -> Self {
        Self(card.position, card.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn names_are_trimmed_and_counted_in_characters() {
        assert_eq!(Name::new("input.name", "  Ω  ").unwrap(), Name("Ω".into()));
        assert!(Name::new("input.name", &"😀".repeat(100)).is_ok());
        assert_eq!(
            refused(Name::new("input.name", &"a".repeat(101))),
            "input.name: has 101 characters: 1 to 100 characters are accepted"
        );
        assert_eq!(
            refused(Name::new("input.name", " \t ")),
            "input.name: is empty: 1 to 100 characters are accepted"
        );
        assert!(refused(Name::new("input.name", "a\u{0}b")).contains("control characters"));
    }

    #[test]
    fn a_color_has_six_digits() {
        assert_eq!(Color::new("c", "#ffec87").unwrap(), Color("#FFEC87".into()));
        for wrong in ["", "#", "FFEC87", "#FFEC8", "#FFEC8G", "#FFEC877", "#ÄÄÄ"] {
            assert!(refused(Color::new("c", wrong)).contains("#RRGGBB"), "{wrong}");
        }
    }

    #[test]
    fn card_texts_are_kept_as_written() {
        let text = " **x**\r\n ";
        assert_eq!(CardText::new("q", text.into()).unwrap(), CardText(text.into()));
        assert!(refused(CardText::new("q", "\n ".into())).contains("blank"));
        assert!(CardText::new("q", "語".repeat(10_000)).is_ok());
        assert!(refused(CardText::new("q", "語".repeat(10_001))).contains("10001"));
        assert!(Description::new("d", "x".repeat(2_001)).is_err());
    }

    #[test]
    fn a_source_has_two_ends_in_order() {
        assert_eq!(Source::new("p", None, None).unwrap(), None);
        assert_eq!(Source::new("p", Some(2), Some(2)).unwrap(), Some(Source { start: 2, end: 2 }));
        assert!(refused(Source::new("p", Some(3), Some(2))).starts_with("p.sourceEndIndex"));
        assert!(refused(Source::new("p", Some(-1), Some(2))).starts_with("p.sourceEndIndex"));
        assert!(refused(Source::new("p", None, Some(2))).starts_with("p.sourceStartIndex"));
        assert!(refused(Source::new("p", Some(2), None)).starts_with("p.sourceEndIndex"));
    }
}
