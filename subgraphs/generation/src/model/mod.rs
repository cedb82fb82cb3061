//! Jobs that make drafts of cards, and the drafts: a value that exists is valid.
//!
//! A job with its drafts is one thing: it is read, changed and stored as a whole, each time with the next version.

mod content;
mod input;

use common::{CardId, ContentId, DeckId, DraftId, GenerationJobId, NoteId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::allowance::price;
pub use content::{
    Annotation, Content, ContentSource, DEFAULT_CONTENT_PAGE, GIVEN_UP_AFTER, Kind, MAX_ANNOTATED,
    MAX_ANNOTATIONS, MAX_CONTENTS, MAX_NAME, MAX_PDF, MAX_PROCESSING, Pdf, Status, StoredFile,
    annotations,
};
pub use input::{
    Choice, DEFAULT_CARDS, DraftEdit, IdempotencyKey, Instructions, MAX_CARDS, MAX_INSTRUCTIONS,
    MAX_KEY, MAX_TEXT, Source, Wanted, max_cards, side, text,
};

/// How long a job is kept after it ended, and its idempotency key with it.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a job is begun at most: one that takes its process down each time ends as failed.
pub const MAX_ATTEMPTS: u32 = 3;
/// The most characters of a draft's question or answer: what a card takes.
pub const MAX_SIDE: usize = 10_000;
/// How many jobs a page holds when nothing is said.
pub const DEFAULT_PAGE: u32 = 20;

/// What becomes of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "GenerationState")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is under way.
    Running,
    /// Its drafts can be accepted, edited and rejected.
    Ready,
    /// It made nothing, for the reason that `failure` has.
    Failed,
    /// Its owner ended it before it was done.
    Cancelled,
}

impl State {
    /// The number by which stores keep it: those below 2 are not over.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Queued => 0,
            Self::Running => 1,
            Self::Ready => 2,
            Self::Failed => 3,
            Self::Cancelled => 4,
        }
    }

    /// Whether it changes no more by itself.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.number() >= 2
    }
}

/// What a running job does, in the order in which it does it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, async_graphql::Enum,
)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "GenerationStep")]
pub enum Step {
    /// Nothing yet: it waits for its turn.
    Waiting,
    /// The page or file that it is about is fetched and read.
    Reading,
    /// The generating service has been asked.
    Asking,
    /// Drafts come.
    Drafting,
    /// It is over.
    Done,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Which one.
    pub id: GenerationJobId,
    /// Whose it is.
    pub owner: UserId,
    /// Grows with each change.
    pub version: i64,
    /// Its place in the queue: see [`crate::queue`].
    pub turn: i64,
    /// What is wanted.
    pub request: Request,
    /// What became of it.
    pub state: State,
    /// What it does.
    pub step: Step,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was begun, the first time.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// The drafts, as far as they are there.
    pub drafts: Vec<Draft>,
    /// The most drafts that were there: where the service is asked again they come anew, but the job is no less far.
    #[serde(default)]
    pub most_drafts: u32,
    /// Who made them.
    pub generator: Option<Generator>,
    /// How many cards were left out.
    pub rejected: u32,
    /// What a person should know about the drafts.
    pub notices: Vec<Notice>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What it costs, in points.
    #[serde(default)]
    pub points: u32,
    /// Whether these were given back.
    #[serde(default)]
    pub refunded: bool,
}

/// What is wanted of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The deck that the cards are meant for.
    pub deck: DeckId,
    /// Where the text is to be had; `None` when it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Of which content the text is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentId>,
    /// The text to make them of; empty until it is had.
    pub text: String,
    /// What the person wishes besides.
    pub instructions: Option<String>,
    /// The most drafts.
    pub max_cards: u32,
    /// The most that were asked for, where limits left fewer: limits may change, what was asked for does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_cards: Option<u32>,
    /// The name of the prompt that was chosen.
    pub prompt: Option<String>,
    /// The client's key, by which asking twice makes one job.
    pub key: Option<String>,
}

impl Request {
    /// What tells two requests with one key apart.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let Self { deck, address, content, text, instructions, prompt, key: _, .. } = self;
        let wanted_cards = self.wanted_cards.unwrap_or(self.max_cards);
        // What was found elsewhere is not what was asked for.
        let given = address.is_none() && content.is_none();
        let text = given.then_some(text);
        let content = content.map(|id| id.to_string());
        let mut hash = Sha256::new();
        hash.update(deck.uuid().as_bytes());
        hash.update(wanted_cards.to_be_bytes());
        for part in
            [text, address.as_ref(), content.as_ref(), instructions.as_ref(), prompt.as_ref()]
        {
            let part = part.map(String::as_bytes);
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
        hash.finalize().into()
    }
}

/// A card that is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// Which one: it follows from the job and the place, so that a job begun again makes the same ones.
    pub id: DraftId,
    /// Its question.
    pub question: String,
    /// Its answer.
    pub answer: String,
    /// Where in the text it comes from, in UTF-16 code units.
    pub source: Option<(i32, i32)>,
    /// Whether the person changed it.
    pub edited: bool,
    /// What the person did with it.
    pub fate: Fate,
}

/// What a person did with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// Nothing yet.
    Proposed,
    /// It became this card.
    Accepted {
        /// The deck it went into.
        deck: DeckId,
        /// Its note.
        note: NoteId,
        /// The note's card.
        card: CardId,
    },
    /// It is not wanted.
    Rejected,
}

/// A question and an answer that the service made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Where in the text it comes from, in UTF-16 code units.
    pub source: Option<(i32, i32)>,
}

/// Who made the drafts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// Its name.
    pub name: String,
    /// The language model it uses.
    pub model: Option<String>,
}

/// Something a person should know about the drafts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
}

/// Why a job made nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs, such as `GENERATION_TIMEOUT`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Job {
    /// One that waits for its turn, which the store gives it.
    #[must_use]
    pub const fn new(id: GenerationJobId, owner: UserId, request: Request, now: Timestamp) -> Self {
        let points = price(request.max_cards);
        Self {
            id,
            owner,
            version: 1,
            turn: 0,
            request,
            state: State::Queued,
            step: Step::Waiting,
            attempts: 0,
            created_at: now,
            started_at: None,
            finished_at: None,
            drafts: Vec::new(),
            most_drafts: 0,
            generator: None,
            rejected: 0,
            notices: Vec::new(),
            failure: None,
            points,
            refunded: false,
        }
    }

    /// It is begun, or begun again.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.version += 1;
        self.state = State::Running;
        self.attempts += 1;
        self.started_at.get_or_insert(now);
    }

    /// It does this now, unless it was further already: asked again, it does what it did before.
    pub(crate) fn reach(&mut self, step: Step) {
        self.step = self.step.max(step);
    }

    /// It is over. Answers how many points are to be given back: all, when it failed or was cancelled before it was begun.
    pub(crate) fn end(&mut self, state: State, now: Timestamp) -> u32 {
        self.state = state;
        self.step = Step::Done;
        self.finished_at = Some(now);
        self.refunded = state == State::Failed || (state == State::Cancelled && self.attempts == 0);
        if self.refunded { self.points } else { 0 }
    }

    /// Takes what the service made as its drafts, each with the id of its place.
    pub(crate) fn propose(&mut self, proposals: Vec<Proposal>) {
        self.drafts.clear();
        proposals.into_iter().for_each(|proposal| self.add(proposal));
    }

    /// Adds a draft.
    pub(crate) fn add(&mut self, proposal: Proposal) {
        let place = self.drafts.len().to_string();
        let Proposal { question, answer, source } = proposal;
        self.drafts.push(Draft {
            id: Uuid::new_v5(&self.id.uuid(), place.as_bytes()).into(),
            question,
            answer,
            source,
            edited: false,
            fate: Fate::Proposed,
        });
        self.most_drafts = self.most_drafts.max(self.drafts.len() as u32);
    }

    /// How far it is, 0 to 1. It never falls, also not when the job is begun or asked for again.
    #[must_use]
    pub fn progress(&self) -> f64 {
        match self.step {
            Step::Waiting => 0.0,
            Step::Reading => 0.05,
            Step::Asking => 0.1,
            Step::Drafting => {
                let share = f64::from(self.most_drafts) / f64::from(self.request.max_cards.max(1));
                0.8f64.mul_add(share.min(1.0), 0.1)
            }
            Step::Done => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str, instructions: Option<&str>) -> Request {
        Request {
            deck: Uuid::nil().into(),
            address: None,
            content: None,
            text: text.into(),
            instructions: instructions.map(str::to_owned),
            max_cards: 20,
            wanted_cards: None,
            prompt: None,
            key: None,
        }
    }

    #[test]
    fn requests_that_differ_anywhere_have_another_digest() {
        let digests = [
            request("ab", None),
            request("a", Some("b")),
            request("ab", Some("")),
            Request { max_cards: 21, ..request("ab", None) },
            Request { prompt: Some(String::new()), ..request("ab", None) },
            Request { deck: Uuid::max().into(), ..request("ab", None) },
            Request { address: Some("ab".into()), ..request("", None) },
            Request { content: Some(Uuid::nil().into()), ..request("", None) },
        ]
        .map(|request| request.digest());
        let different: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(different.len(), digests.len());
        let same = Request { key: Some("k".into()), ..request("ab", None) };
        assert_eq!(same.digest(), digests[0]);
        let fewer = Request { max_cards: 5, wanted_cards: Some(20), ..request("ab", None) };
        assert_eq!(fewer.digest(), digests[0], "limits are not what was asked for");
        let read = Request { address: Some("ab".into()), ..request("found there", None) };
        assert_eq!(read.digest(), digests[6]);
    }

    #[test]
    fn a_job_that_is_begun_again_makes_drafts_with_the_same_ids() {
        let proposal =
            || Proposal { question: "q".into(), answer: "a".into(), source: Some((0, 1)) };
        let now = Timestamp::UNIX_EPOCH;
        let mut job = Job::new(GenerationJobId::new(), UserId::new(), request("a", None), now);
        job.begin(now);
        job.add(proposal());
        job.add(proposal());
        let first: Vec<_> = job.drafts.iter().map(|draft| draft.id).collect();
        assert_ne!(first[0], first[1]);
        job.begin(now);
        job.propose(vec![proposal(), proposal()]);
        assert_eq!(job.drafts.iter().map(|draft| draft.id).collect::<Vec<_>>(), first);
        assert_eq!((job.attempts, job.version), (2, 3));
    }

    #[test]
    fn progress_never_goes_back() {
        let now = Timestamp::UNIX_EPOCH;
        let mut job = Job::new(GenerationJobId::new(), UserId::new(), request("a", None), now);
        let mut seen = vec![(job.step, job.progress())];
        // It is asked for three times, once by another process, and is less far each time.
        for drafts in [12, 5, 30] {
            job.begin(now);
            job.drafts.clear();
            for step in [Step::Reading, Step::Asking, Step::Drafting] {
                job.reach(step);
                seen.push((job.step, job.progress()));
            }
            for _ in 0..drafts {
                job.add(Proposal { question: "q".into(), answer: "a".into(), source: None });
                seen.push((job.step, job.progress()));
            }
        }
        job.end(State::Ready, now);
        seen.push((job.step, job.progress()));
        assert!(seen.is_sorted(), "{seen:?}");
        assert_eq!(seen.last(), Some(&(Step::Done, 1.0)));
        assert!(seen.iter().any(|(_, progress)| (0.5..0.6).contains(progress)), "{seen:?}");
    }
}
