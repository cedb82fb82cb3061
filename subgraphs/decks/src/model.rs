//! Decks, notes and cards, and what may be said of them. A [`NewDeck`], [`NewNote`] or [`NewCard`] that exists is valid.
//!
//! Lengths count Unicode scalar values. Errors name the argument by its path from the mutation's `input`.

mod card;
mod change;
mod clones;
mod deck;
mod media;
mod note;
mod public_media;
mod share;
mod tag;
mod transfer;
mod trash;

use common::{Error, UserId};
use jiff::SignedDuration;

pub use card::{Card, CardEdit, CardKey, CardList, CardSort, Move, NewCard};
pub use change::{ChangeKey, Kind, Person};
pub use clones::{
    Links, NewClone, NoteLink, PublicFilter, PublicKey, PublicOrder, Pull, Rating, Subscription,
};
pub use deck::{
    Deck, DeckEdit, DeckFilter, DeckKey, DeckMove, DeckOrder, DeckSort, NewDeck, paths,
};
pub use media::{
    ContentHash, MAX_MEDIA_NAME, MAX_MEDIA_OF_NOTE, Media, MediaFilter, MediaKind, MediaLimits,
    MediaName, MediaTotals, NewMedia,
};
pub use note::{
    Content, Field, FieldEdit, Guid, MAX_DELETIONS, MAX_EXTRA_FIELDS, MAX_GUID, NewNote, Note,
    NoteEdit, NoteKind, Written,
};
pub use public_media::{MAX_PUBLISHED_FILES, MAX_PUBLISHED_MEDIA, PublishedMedia, published_name};
pub use share::{
    ChangeNote, Licence, MAX_CHANGE_NOTE, MAX_PUBLIC_TAGS, MAX_PUBLISHED_CARDS,
    MAX_PUBLISHED_DECKS, MAX_PUBLISHED_TEXT, MAX_RELEASES, Publication, Publish, PublishedDeck,
    PublishedNote, PublishedPlace, RATED_BESIDES, RATED_MIDDLE, Release, SampleKey, Slug, origin,
    public_tags,
};
pub use tag::{MAX_TAG, MAX_TAG_LEVELS, MAX_TAGS, Tag, Tagged, Tagging, Tags};
pub use transfer::{
    Direction, Duplicates, ExportOptions, FILE_KEPT, FileDeck, FileFormat, FileName, ImportOptions,
    Item, MAX_EXPORT_DECKS, MAX_FILE, MAX_PART, MAX_PROBLEMS, MAX_TRANSFER_DECKS, MAX_TRANSFERS,
    MAX_UNDER_WAY, Preview, Problem, Problems, Report, SAMPLE, SampleNote, TRANSFER_KEPT, Transfer,
    TransferBody, TransferError, TransferState,
};
pub use trash::{Trash, TrashKey, TrashKind};

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
/// The most cards, notes or decks that one mutation names.
pub const MAX_BATCH: usize = 1_000;
/// The most cards that one mutation makes or deletes where it names what they belong to.
pub const MAX_CARDS_AT_ONCE: usize = 10_000;
/// The most levels of decks in decks.
pub const MAX_DEPTH: usize = 16;
/// How long what was deleted can be restored.
pub const TRASH_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How many rows a page holds when nothing is said.
pub const DEFAULT_PAGE: u32 = 50;

/// What is known of a person here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub id: UserId,
    /// How many decks, without those in the trash.
    pub deck_count: i64,
    /// How many media files.
    pub media_count: i64,
    /// How many bytes of media are stored.
    pub media_bytes: i64,
    /// Whether the account is gone: nothing is made for it any more.
    pub gone: bool,
    /// Grows with each write; 0 when nothing was ever written.
    pub revision: i64,
}

impl Owner {
    /// Somebody of whom nothing is known yet.
    #[must_use]
    pub const fn new(id: UserId) -> Self {
        Self { id, deck_count: 0, media_count: 0, media_bytes: 0, gone: false, revision: 0 }
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

pub(crate) fn within(argument: &str, text: &str, least: usize, most: usize) -> Result<(), Error> {
    let count = text.chars().count();
    if (least..=most).contains(&count) {
        return Ok(());
    }
    let found = if count == 0 { "is empty".to_owned() } else { format!("has {count} characters") };
    Err(Error::invalid(argument, format!("{found}: {least} to {most} characters are accepted")))
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
