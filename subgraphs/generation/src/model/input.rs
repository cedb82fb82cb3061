//! What a person gives: checked here, with an error that says what is accepted.

use common::{ContentId, DeckId, DraftId, Error, GenerationJobId};

use super::MAX_SIDE;
use crate::address::SourceAddress;

/// The most characters of a text, which config may lower.
pub const MAX_TEXT: u32 = 20_000;
/// The most cards of one text, which config may lower.
pub const MAX_CARDS: u32 = 100;
/// How many cards are made when nothing is said.
pub const DEFAULT_CARDS: i32 = 20;
/// The most characters of instructions.
pub const MAX_INSTRUCTIONS: usize = 2_000;
/// The most characters of an idempotency key.
pub const MAX_KEY: usize = 200;

/// A job that is wanted, with what depends on config not yet checked.
#[derive(Debug)]
pub struct Wanted {
    /// The deck that the cards are meant for.
    pub deck: DeckId,
    /// What to make them of.
    pub source: Source,
    /// What the person wishes besides.
    pub instructions: Option<Instructions>,
    /// The most drafts.
    pub max_cards: i32,
    /// The client's key.
    pub key: Option<IdempotencyKey>,
    /// The name of one of the prompts in config; the default when absent.
    pub prompt: Option<String>,
}

/// What to make cards of.
#[derive(Debug)]
pub enum Source {
    /// A text.
    Text(String),
    /// What is at an address.
    Address(SourceAddress),
    /// A content of the person's.
    Content(ContentId),
}

/// Valid instructions: 1 to [`MAX_INSTRUCTIONS`] characters, not blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions(pub(crate) String);

impl Instructions {
    /// Checks instructions; blank ones are none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when they are too long.
    pub fn new(text: String) -> Result<Option<Self>, Error> {
        let count = text.chars().count();
        if count > MAX_INSTRUCTIONS {
            let message =
                format!("has {count} characters: at most {MAX_INSTRUCTIONS} are accepted");
            return Err(Error::invalid("input.instructions", message));
        }
        Ok((!text.trim().is_empty()).then_some(Self(text)))
    }
}

/// A valid key: 1 to [`MAX_KEY`] visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub(crate) String);

impl IdempotencyKey {
    /// Checks a key.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn new(key: String) -> Result<Self, Error> {
        let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=MAX_KEY).contains(&key.len()) {
            return Ok(Self(key));
        }
        let message = format!("1 to {MAX_KEY} visible ASCII characters are accepted");
        Err(Error::invalid("input.idempotencyKey", message))
    }
}

/// Some drafts of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The job.
    pub job: GenerationJobId,
    /// Which drafts; `None` for all that are proposed.
    pub drafts: Option<Vec<DraftId>>,
}

impl Choice {
    /// Checks how many drafts are named.
    ///
    /// # Errors
    /// [`Error::Invalid`] for none, and for more than a job has.
    pub fn new(job: GenerationJobId, drafts: Option<Vec<DraftId>>) -> Result<Self, Error> {
        let most = MAX_CARDS as usize;
        if let Some(drafts) = &drafts
            && !(1..=most).contains(&drafts.len())
        {
            let message = format!(
                "names {} drafts: 1 to {most} are accepted, or leave it out for all that are proposed",
                drafts.len()
            );
            return Err(Error::invalid("input.draftIds", message));
        }
        Ok(Self { job, drafts })
    }
}

/// A draft as the person wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftEdit {
    /// The job.
    pub job: GenerationJobId,
    /// Which of its drafts.
    pub draft: DraftId,
    /// The new question; `None` leaves it.
    pub question: Option<String>,
    /// The new answer; `None` leaves it.
    pub answer: Option<String>,
}

/// Checks the question or answer of a draft: 1 to [`MAX_SIDE`] characters, not blank.
///
/// # Errors
/// [`Error::Invalid`] naming `argument`.
pub fn side(argument: &str, text: String) -> Result<String, Error> {
    let count = text.chars().count();
    if count > MAX_SIDE {
        let message = format!("has {count} characters: 1 to {MAX_SIDE} are accepted");
        return Err(Error::invalid(argument, message));
    }
    if text.trim().is_empty() {
        return Err(Error::invalid(argument, "is blank: a card has a question and an answer"));
    }
    Ok(text)
}

/// Checks a text of at most `most` characters.
///
/// # Errors
/// [`Error::Invalid`].
pub fn text(text: String, most: u32) -> Result<String, Error> {
    let count = text.chars().count();
    if count > most as usize {
        let message = format!("has {count} characters: 1 to {most} are accepted");
        return Err(Error::invalid("input.source.text", message));
    }
    if text.trim().is_empty() {
        let message = "is blank: there is nothing to make cards of";
        return Err(Error::invalid("input.source.text", message));
    }
    Ok(text)
}

/// How many cards are wanted.
///
/// # Errors
/// [`Error::Invalid`] out of 1 to [`MAX_CARDS`].
pub fn max_cards(count: i32) -> Result<u32, Error> {
    let within = u32::try_from(count).ok().filter(|count| (1..=MAX_CARDS).contains(count));
    let message = || format!("{count} is out of range: 1 to {MAX_CARDS}");
    within.ok_or_else(|| Error::invalid("input.maxCards", message()))
}
