//! Search: the grammar of queries, and what of a card they match. It is pure; a query that does not parse is answered with the place and what was
//! expected there.
//!
//! ```text
//! query   = and { "or" and }
//! and     = unary { unary }
//! unary   = "-" unary | "(" query ")" | term
//! term    = word | word "*" | '"' words '"' | "deck:" name | "tag:" name | "added:" days
//!         | "is:" state | "rated:" days [ ":" rating ]
//! ```

mod parse;
pub mod text;

use std::ops::Range;

use common::event::StudyState;
use common::{CardId, Day, DeckId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use parse::{MAX_DEPTH, MAX_QUERY, MAX_TERMS, parse};

use crate::model::Tag;

/// A query as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// All of these hold: the empty list holds for every card.
    All(Vec<Query>),
    /// One of these holds.
    Any(Vec<Query>),
    /// This does not hold.
    Not(Box<Query>),
    /// The question or the answer has these words.
    Words(Words),
    /// It lies in a deck of this name or path, or in one within.
    Deck(String),
    /// Its note has this tag, or one below it.
    Tag(Tag),
    /// It was made in the last so many days of 24 hours.
    Added(u32),
    /// What learning says of it.
    Is(Is),
    /// It was answered within the last so many local days, today among them, with this rating of the four if one is given.
    Rated(u32, Option<usize>),
}

/// What can be asked of a card's learning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// It comes back before this local day ends, and is kept away by nothing.
    Due,
    /// It was never studied.
    New,
    /// It is in its learning or relearning steps.
    Learning,
    /// It was learned, and may have been forgotten since.
    Review,
    /// It comes no more.
    Suspended,
    /// It comes no more on this local day.
    Buried,
    /// It was forgotten too often.
    Leech,
}

impl Is {
    /// All of them by the words that ask for them.
    pub const ALL: [(&str, Self); 7] = [
        ("due", Self::Due),
        ("new", Self::New),
        ("learning", Self::Learning),
        ("review", Self::Review),
        ("suspended", Self::Suspended),
        ("buried", Self::Buried),
        ("leech", Self::Leech),
    ];
}

/// Words that follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The words, folded: at least one.
    pub words: Vec<String>,
    /// The last is the beginning of a word.
    pub prefix: bool,
}

/// A query as a store answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All of these hold.
    All(Vec<Filter>),
    /// One of these holds.
    Any(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
    /// The question or the answer has these words.
    Words(Words),
    /// It lies in one of these decks.
    Decks(Vec<DeckId>),
    /// Its note has this tag, or one below it.
    Tag(Tag),
    /// It was made at this moment or later.
    Since(Timestamp),
    /// What learning says of it.
    Study(Study),
}

/// What learning may say of a card, as a store answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Study {
    /// It is in one of these states.
    State(&'static [StudyState]),
    /// It comes back on the local day or earlier, or before the next one starts; neither suspended nor buried.
    Due(Day, Timestamp),
    /// It comes no more.
    Suspended,
    /// It comes no more on this local day.
    Buried(Day),
    /// It was forgotten too often.
    Leech,
    /// It was answered at this moment or later, with this rating of the four if one is given.
    Answered(Timestamp, Option<usize>),
}

impl Filter {
    /// What must hold in any case, apart: words, and the rest.
    #[must_use]
    pub fn split(self) -> (Vec<Words>, Vec<Filter>) {
        match self {
            Self::Words(words) => (vec![words], Vec::new()),
            Self::All(parts) => {
                let (mut words, mut rest) = (Vec::new(), Vec::new());
                for part in parts {
                    let (mut more, mut other) = part.split();
                    words.append(&mut more);
                    rest.append(&mut other);
                }
                (words, rest)
            }
            other => (Vec::new(), vec![other]),
        }
    }
}

/// A card's place among those that are found: what its cursor says. 0 for those with the words in the question, which come first, 1 for the others; the
/// latest first in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SearchKey(pub u8, pub CardId);

impl Query {
    /// The words that are looked for, without those that must not be there.
    #[must_use]
    pub fn wanted(&self) -> Vec<&Words> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::wanted).collect(),
            Self::Words(words) => vec![words],
            Self::Not(_)
            | Self::Deck(_)
            | Self::Tag(_)
            | Self::Added(_)
            | Self::Is(_)
            | Self::Rated(..) => Vec::new(),
        }
    }
}

/// Where a text has the words: ranges in UTF-16 code units, in order, none of which touches another.
#[must_use]
pub fn matches(wanted: &[&Words], text: &str) -> Vec<Range<usize>> {
    let words = text::words(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    for start in 0..words.len() {
        for Words { words: wanted, prefix } in wanted {
            let Some(here) = words.get(start..start + wanted.len()) else { continue };
            let last = wanted.len() - 1;
            let same = here.iter().zip(wanted).enumerate().all(|(nth, (word, wanted))| {
                word.folded == *wanted
                    || (*prefix && nth == last && word.folded.starts_with(wanted.as_str()))
            });
            if same {
                found.push(here[0].range.start..here[last].range.end);
            }
        }
    }
    found.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in found {
        match joined.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => joined.push(range),
        }
    }
    let units = |at: usize| text[..at].encode_utf16().count();
    joined.into_iter().map(|range| units(range.start)..units(range.end)).collect()
}
