//! Decks that are published: what is said of them, and their releases, which never change.
//!
//! Nothing here names the author's own decks and notes: what is published has origins, ids made of theirs that lead back to nothing.

use common::{DeckId, Error, PublicationId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Content, Description, MAX_CARDS_AT_ONCE, Name, Tag, Tags, within};
use crate::search::text::words;

/// The least and the most characters of a slug.
const SLUG: (usize, usize) = (3, 60);
/// The most tags of a published deck.
pub const MAX_PUBLIC_TAGS: usize = 20;
/// The most characters of a release's note on what has changed.
pub const MAX_CHANGE_NOTE: usize = 2_000;
/// The most decks in a release.
pub const MAX_PUBLISHED_DECKS: usize = 500;
/// The most cards that the notes of a release make.
pub const MAX_PUBLISHED_CARDS: usize = MAX_CARDS_AT_ONCE;
/// The most bytes of text in a release: those of its notes and of the cards they make.
pub const MAX_PUBLISHED_TEXT: usize = 16 << 20;
/// The most releases of a deck.
pub const MAX_RELEASES: i64 = 1_000;
/// As if so many people had rated a deck besides, with the stars of [`RATED_MIDDLE`]: one voice makes no best deck.
pub const RATED_BESIDES: i64 = 5;
/// The stars in the middle.
pub const RATED_MIDDLE: i64 = 3;

/// Slugs that addresses of a front end may need for something else.
const RESERVED: [&str; 24] = [
    "about",
    "account",
    "admin",
    "api",
    "browse",
    "clone",
    "deck",
    "decks",
    "edit",
    "graphql",
    "help",
    "login",
    "logout",
    "new",
    "popular",
    "public",
    "publish",
    "search",
    "settings",
    "signup",
    "spacey",
    "static",
    "undefined",
    "null",
];

/// A valid slug, by which a published deck is found: lower-case letters, digits and single hyphens between them; not a reserved word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slug(pub(crate) String);

impl Slug {
    /// Checks a slug and writes it in lower case.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let slug = text.to_ascii_lowercase();
        within(argument, &slug, SLUG.0, SLUG.1)?;
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let edges = slug.starts_with('-') || slug.ends_with('-') || slug.contains("--");
        if edges || !slug.chars().all(known) {
            let message = "is no slug: expected letters a to z, digits, and single hyphens between them, such as french-verbs";
            return Err(Error::invalid(argument, message));
        }
        if RESERVED.contains(&&*slug) {
            return Err(Error::invalid(argument, format!("{slug} is reserved: choose another")));
        }
        Ok(Self(slug))
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// A valid note on what has changed: up to [`MAX_CHANGE_NOTE`] characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeNote(pub(crate) String);

impl ChangeNote {
    /// Checks a note.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: String) -> Result<Self, Error> {
        within(argument, &text, 0, MAX_CHANGE_NOTE)?;
        Ok(Self(text))
    }
}

/// What others may do with a published deck besides learning with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Licence {
    /// Anything.
    Cc0,
    /// Anything that names the author.
    CcBy,
    /// The same, under the same licence.
    CcBySa,
    /// Anything that names the author and earns nothing.
    CcByNc,
    /// The same, under the same licence.
    CcByNcSa,
    /// Nothing.
    AllRightsReserved,
}

impl Licence {
    const ALL: [Self; 6] = [
        Self::Cc0,
        Self::CcBy,
        Self::CcBySa,
        Self::CcByNc,
        Self::CcByNcSa,
        Self::AllRightsReserved,
    ];

    /// The number by which stores keep it.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The licence that stores keep by this number.
    #[must_use]
    pub fn of_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|licence| licence.number() == number)
    }
}

/// A deck that is, or was, published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Which one.
    pub id: PublicationId,
    /// The author's deck.
    pub deck: DeckId,
    /// The author.
    pub owner: UserId,
    /// By which it is found.
    pub slug: String,
    /// What it is called.
    pub title: String,
    /// What it is about; may be empty.
    pub description: String,
    /// Its tags.
    pub tags: Tags,
    /// Its licence.
    pub licence: Licence,
    /// What the author wants to be called; `None` shows no name.
    pub author: Option<String>,
    /// Whether it can be found and cloned now.
    pub listed: bool,
    /// When it was published first.
    pub created_at: Timestamp,
    /// When its latest release came.
    pub updated_at: Timestamp,
    /// The number of its latest release, from 1.
    pub release: i64,
    /// How many decks are in that.
    pub deck_count: i64,
    /// How many notes are in that.
    pub note_count: i64,
    /// How many cards those make.
    pub card_count: i64,
    /// How many files the notes name.
    pub media_count: i64,
    /// How many bytes those have.
    pub media_bytes: i64,
    /// The sum of all stars.
    pub rating_sum: i64,
    /// How many people rated it.
    pub rating_count: i64,
    /// How many people have a clone that is not deleted.
    pub subscriber_count: i64,
    /// Grows when anything but ratings and subscribers changes.
    pub revision: i64,
}

impl Publication {
    /// The words it is found by, each once: those of title, description, tags and the author's name.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let tags = self.tags.list().iter().map(Tag::text);
        let texts = [&*self.title, &*self.description].into_iter().chain(tags);
        let texts = texts.chain(self.author.as_deref());
        let mut words: Vec<String> = texts.flat_map(words).map(|word| word.folded).collect();
        words.sort_unstable();
        words.dedup();
        words
    }

    /// By what it is sorted where the best rated come first, in thousandths of a star.
    #[must_use]
    pub const fn rank(&self) -> i64 {
        rank(self.rating_sum, self.rating_count)
    }

    /// The mean of its stars.
    #[must_use]
    pub fn rating(&self) -> Option<f64> {
        let count = i32::try_from(self.rating_count).ok().filter(|count| *count > 0)?;
        Some(self.rating_sum as f64 / f64::from(count))
    }
}

/// See [`Publication::rank`].
#[must_use]
const fn rank(sum: i64, count: i64) -> i64 {
    (sum + RATED_BESIDES * RATED_MIDDLE) * 1_000 / (count + RATED_BESIDES)
}

/// What to publish, and what to say of it; `None` leaves it as it is, or as the deck has it.
#[derive(Debug, Clone)]
pub struct Publish {
    /// Which deck, with those in it.
    pub deck: DeckId,
    /// Its slug; it must be given the first time.
    pub slug: Option<Slug>,
    /// Its title.
    pub title: Option<Name>,
    /// Its description.
    pub description: Option<Description>,
    /// Its tags.
    pub tags: Option<Tags>,
    /// Its licence; it must be given the first time.
    pub licence: Option<Licence>,
    /// What the author wants to be called, or that no name is shown.
    pub author: Option<Option<Name>>,
    /// What has changed since the last release.
    pub change_note: ChangeNote,
    /// Refuse when another release is the latest by now; 0 for none.
    pub expected_release: Option<i64>,
}

/// Checks the tags of a published deck.
///
/// # Errors
/// [`Error::Invalid`] naming `argument`.
pub fn public_tags(argument: &str, texts: &[String]) -> Result<Tags, Error> {
    if texts.len() > MAX_PUBLIC_TAGS {
        let message = format!("names {} tags: at most {MAX_PUBLIC_TAGS} are accepted", texts.len());
        return Err(Error::invalid(argument, message));
    }
    let tag = |(index, text): (usize, &String)| Tag::new(&format!("{argument}[{index}]"), text);
    Tags::new(argument, texts.iter().enumerate().map(tag).collect::<Result<_, _>>()?)
}

/// A release: what a published deck was at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Of what.
    pub publication: PublicationId,
    /// Its number: 1 for the first.
    pub number: i64,
    /// What the author says has changed; may be empty.
    pub change_note: String,
    /// When it was published.
    pub published_at: Timestamp,
    /// How many decks are in it.
    pub deck_count: i64,
    /// How many notes are in it.
    pub note_count: i64,
    /// How many cards those make.
    pub card_count: i64,
}

/// A deck in a release. Those of a release come with each deck after the one it lies in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedDeck {
    /// By which it is known in all releases.
    pub origin: Uuid,
    /// The origin of the deck it lies in; `None` for the first one.
    pub parent: Option<Uuid>,
    /// What it is called.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Its color.
    pub color: Option<String>,
}

/// A note as some releases that follow one another have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedNote {
    /// Of what.
    pub publication: PublicationId,
    /// By which it is known in all releases.
    pub origin: Uuid,
    /// The first release that has it so.
    pub since: i64,
    /// The first release after that which has not; `None` while the latest has it.
    pub until: Option<i64>,
    /// The origin of the deck it lies in.
    pub deck: Uuid,
    /// Its place there.
    pub position: i64,
    /// What it says.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
}

impl PublishedNote {
    /// Whether a release has it so.
    #[must_use]
    pub fn is_in(&self, release: i64) -> bool {
        self.since <= release && self.until.is_none_or(|until| release < until)
    }

    /// Whether it is the same as another, in whichever releases.
    #[must_use]
    pub fn says_what(&self, other: &Self) -> bool {
        (self.deck, self.position) == (other.deck, other.position)
            && self.content == other.content
            && self.tags == other.tags
    }

    /// Its place in the list of a release's notes.
    #[must_use]
    pub const fn key(&self) -> SampleKey {
        (self.deck, self.position, self.origin)
    }
}

/// Where a note of a release lies, without what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPlace {
    /// By which the note is known in all releases.
    pub origin: Uuid,
    /// The first release that has it so.
    pub since: i64,
    /// The origin of the deck it lies in.
    pub deck: Uuid,
    /// Its position there.
    pub position: i64,
}

/// A note's place in the list of a release's notes: its deck, its place there, itself.
pub type SampleKey = (Uuid, i64, Uuid);

/// The origin of what is in a published deck. It is the same in all releases, and leads back to nothing.
#[must_use]
pub fn origin(publication: PublicationId, id: Uuid) -> Uuid {
    Uuid::new_v5(&publication.uuid(), id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_and_says_what_is_wrong() {
        assert_eq!(Slug::new("slug", "French-Verbs2").unwrap().text(), "french-verbs2");
        for (wrong, why) in [
            ("ab", "has 2 characters"),
            (&*"a".repeat(61), "has 61 characters"),
            ("-abc", "is no slug"),
            ("abc-", "is no slug"),
            ("a--b", "is no slug"),
            ("a_b", "is no slug"),
            ("äbc", "is no slug"),
            ("a b", "is no slug"),
            ("Search", "search is reserved"),
        ] {
            let error = Slug::new("slug", wrong).unwrap_err().to_string();
            assert!(error.starts_with("slug: ") && error.contains(why), "{wrong}: {error}");
        }
    }

    #[test]
    fn one_voice_makes_no_best_deck() {
        assert_eq!(rank(0, 0), 3_000);
        assert!(rank(5, 1) < rank(45, 10), "five stars once, four and a half ten times");
        assert!(rank(1, 1) < rank(0, 0));
    }

    #[test]
    fn an_origin_is_the_same_each_time_and_another_elsewhere() {
        let (one, other, id) = (PublicationId::new(), PublicationId::new(), Uuid::now_v7());
        assert_eq!(origin(one, id), origin(one, id));
        assert_ne!(origin(one, id), origin(other, id));
        assert_ne!(origin(one, id), id);
    }

    #[test]
    fn licences_are_kept_by_their_numbers() {
        for licence in Licence::ALL {
            assert_eq!(Licence::of_number(licence.number()), Some(licence));
        }
        assert_eq!(Licence::of_number(6), None);
    }
}
