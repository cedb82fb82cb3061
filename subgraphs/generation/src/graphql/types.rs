//! Jobs and drafts as the schema shows them.

use async_graphql::{Enum, Object, SimpleObject};
use common::graphql::{DateTime, PageInfo};
use common::page::{Page, encode_cursor};
use common::{CardId, ContentId, DeckId, DraftId, GenerationJobId};

use crate::model::{Draft, Failure, Fate, Generator, Job, Notice, State, Step};
use crate::service::Accepted;

/// What card generation takes.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerationLimits {
    /// The most characters (Unicode scalar values) of a text.
    pub(crate) max_text_length: u32,
    /// The most drafts of one text.
    pub(crate) max_cards: u32,
}

/// What a person has left for jobs.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerationAllowance {
    /// Points that are there now.
    pub(crate) points: u32,
    /// The most points there can be: as many are given in a day.
    pub(crate) maximum: u32,
}

/// A job that makes drafts of cards.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct GenerationJob {
    /// Its id, a UUID.
    id: GenerationJobId,
    /// What became of it.
    state: State,
    /// What it does.
    step: Step,
    /// How far it is, 0 to 1.
    progress: f64,
    /// Grows with each change.
    version: i64,
    /// The deck that the cards are meant for.
    deck: Option<DeckStub>,
    /// Where the text is from: an address, or a DOI; null when it was given.
    source_url: Option<String>,
    /// Of which content the text is; null when it is of none. It may be deleted by now.
    content_id: Option<ContentId>,
    /// The text that they are made of; empty until it was read, when it is from elsewhere.
    text: String,
    /// What was wished besides.
    instructions: Option<String>,
    /// The most drafts that were asked for.
    max_cards: u32,
    /// When it was asked for.
    created_at: DateTime,
    /// When it was begun.
    started_at: Option<DateTime>,
    /// When it was over.
    finished_at: Option<DateTime>,
    /// Who made the drafts; null when the service does not say.
    generator: Option<CardGenerator>,
    /// The drafts, at most `maxCards`, as far as they are there. While it is running they may still change; accept, edit and reject them when it is READY.
    drafts: Vec<CardDraft>,
    /// How many cards were left out: beyond `maxCards`, or unusable.
    rejected: u32,
    /// What a person should know about the drafts.
    notices: Vec<GenerationNotice>,
    /// Why it FAILED.
    failure: Option<GenerationFailure>,
    /// What it costs, in points.
    points: u32,
    /// Whether these were given back: when it FAILED, and when it was CANCELLED before it was begun.
    refunded: bool,
}

impl From<Job> for GenerationJob {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            state: job.state,
            step: job.step,
            progress: job.progress(),
            version: job.version,
            deck: Some(DeckStub { id: job.request.deck }),
            source_url: job.request.address,
            content_id: job.request.content,
            text: job.request.text,
            instructions: job.request.instructions,
            max_cards: job.request.max_cards,
            created_at: DateTime(job.created_at),
            started_at: job.started_at.map(DateTime),
            finished_at: job.finished_at.map(DateTime),
            generator: job.generator.map(Into::into),
            drafts: job.drafts.into_iter().map(Into::into).collect(),
            rejected: job.rejected,
            notices: job.notices.into_iter().map(Into::into).collect(),
            failure: job.failure.map(Into::into),
            points: job.points,
            refunded: job.refunded,
        }
    }
}

/// A deck, of which only the id is known here.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Deck", unresolvable = "id")]
pub(crate) struct DeckStub {
    /// The deck's id, a UUID.
    id: DeckId,
}

/// A card, of which only the id is known here.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(name = "Card", unresolvable = "id")]
pub(crate) struct CardStub {
    /// The card's id, a UUID.
    id: CardId,
}

/// What makes drafts of cards.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct CardGenerator {
    /// Its name.
    name: String,
    /// The language model it uses; null when it uses none.
    model: Option<String>,
}

impl From<Generator> for CardGenerator {
    fn from(Generator { name, model }: Generator) -> Self {
        Self { name, model }
    }
}

/// What a person did with a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum DraftState {
    /// Nothing yet.
    Proposed,
    /// It became a card.
    Accepted,
    /// It is not wanted.
    Rejected,
}

/// A card that is proposed.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct CardDraft {
    /// Its id, a UUID.
    id: DraftId,
    /// The question: 1 to 10,000 characters.
    question: String,
    /// The answer: 1 to 10,000 characters.
    answer: String,
    /// Where in the text it comes from: the index of the first UTF-16 code unit, as JavaScript, Swift and Kotlin count. Null when the service
    /// named no place, or none within the text.
    source_start_index: Option<i32>,
    /// Where in the text it comes from: the index beyond the last UTF-16 code unit. Null together with `sourceStartIndex`.
    source_end_index: Option<i32>,
    /// Whether a person changed its texts.
    edited: bool,
    /// What was done with it.
    state: DraftState,
    /// The card that it became; null as long as it is none, and when that was deleted.
    card: Option<CardStub>,
}

impl From<Draft> for CardDraft {
    fn from(draft: Draft) -> Self {
        let (source_start_index, source_end_index) = draft.source.unzip();
        let (state, card) = match draft.fate {
            Fate::Proposed => (DraftState::Proposed, None),
            Fate::Accepted { card, .. } => (DraftState::Accepted, Some(CardStub { id: card })),
            Fate::Rejected => (DraftState::Rejected, None),
        };
        Self {
            id: draft.id,
            question: draft.question,
            answer: draft.answer,
            source_start_index,
            source_end_index,
            edited: draft.edited,
            state,
            card,
        }
    }
}

/// Something a person should know about the drafts.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct GenerationNotice {
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

impl From<Notice> for GenerationNotice {
    fn from(Notice { code, message }: Notice) -> Self {
        Self { code, message }
    }
}

/// Why a job made nothing.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct GenerationFailure {
    /// For programs: GENERATION_UNAVAILABLE when the service is down or refuses for now, GENERATION_TIMEOUT when it was too slow,
    /// GENERATION_SOURCE_REFUSED when the address leads into a private network, GENERATION_SOURCE_UNREADABLE when there is no text to be had of the source,
    /// GENERATION_INTERRUPTED when a process went away and nobody knows what the service made, GENERATION_FAILED for anything else.
    code: String,
    /// For people.
    message: String,
}

impl From<Failure> for GenerationFailure {
    fn from(Failure { code, message }: Failure) -> Self {
        Self { code, message }
    }
}

/// A job that was asked for.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerateCardsPayload {
    /// The job; with the key of an earlier one, that one.
    pub(crate) job: GenerationJob,
}

/// A job that was cancelled.
#[derive(Debug, SimpleObject)]
pub(crate) struct CancelGenerationPayload {
    /// The job as it is now.
    pub(crate) job: GenerationJob,
}

/// A job that was deleted.
#[derive(Debug, SimpleObject)]
pub(crate) struct DeleteGenerationJobPayload {
    /// The job's id.
    pub(crate) deleted_id: GenerationJobId,
}

/// A draft that was edited.
#[derive(Debug, SimpleObject)]
pub(crate) struct EditDraftPayload {
    /// The draft.
    pub(crate) draft: CardDraft,
    /// Its job.
    pub(crate) job: GenerationJob,
}

/// Drafts of which somebody decided.
#[derive(Debug, SimpleObject)]
pub(crate) struct DecideDraftsPayload {
    /// The drafts that were named, in the order of the job.
    drafts: Vec<CardDraft>,
    /// Their job.
    job: GenerationJob,
}

impl From<Accepted> for DecideDraftsPayload {
    fn from(Accepted { job, drafts }: Accepted) -> Self {
        Self { drafts: drafts.into_iter().map(Into::into).collect(), job: job.into() }
    }
}

/// A page of jobs.
pub(crate) struct GenerationJobConnection(pub(crate) Page<Job>);

/// A page of jobs.
#[Object]
impl GenerationJobConnection {
    /// The jobs with their cursors.
    async fn edges(&self) -> Vec<GenerationJobEdge> {
        let edge = |job: &Job| GenerationJobEdge { cursor: cursor(job), node: job.clone().into() };
        self.0.rows.iter().map(edge).collect()
    }

    /// The jobs.
    async fn nodes(&self) -> Vec<GenerationJob> {
        self.0.rows.iter().cloned().map(Into::into).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, cursor)
    }
}

/// A job in a list.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerationJobEdge {
    /// Names the job's place in the list, for `after` and `before`.
    cursor: String,
    /// The job.
    node: GenerationJob,
}

fn cursor(job: &Job) -> String {
    encode_cursor(&job.id)
}
