//! The inputs of card generation's mutations.

use async_graphql::{ID, InputObject, OneofObject};
use common::{ContentId, DeckId, DraftId, Error, GenerationJobId};

use crate::address::SourceAddress;
use crate::model::{DEFAULT_CARDS, IdempotencyKey, Instructions, Source, Wanted};

/// What to make cards of, and how.
#[derive(Debug, InputObject)]
pub(crate) struct GenerateCardsInput {
    /// The deck the cards are meant for: one of the viewer's.
    deck_id: DeckId,
    /// What to make cards of.
    source: GenerationSourceInput,
    /// What you wish besides, such as the language of the questions, or what to leave out: at most 2,000 characters.
    instructions: Option<String>,
    /// The most drafts: 1 to 100. There are never more than `generationLimits` says.
    #[graphql(default_with = "Some(DEFAULT_CARDS)")]
    max_cards: Option<i32>,
    /// A key of the client's own making, 1 to 200 visible ASCII characters. Sending the same input with the same key again answers the same
    /// job, as long as it is kept: 30 days after it is over.
    idempotency_key: Option<ID>,
    /// The name of one of the prompts that those who administer have set; when absent, their default. The error for any other name lists them.
    prompt: Option<String>,
}

/// What to make cards of.
#[derive(Debug, OneofObject)]
pub(crate) enum GenerationSourceInput {
    /// A text: 1 to 20,000 characters, or fewer where `generationLimits` says so.
    Text(String),
    /// A page, a PDF or a plain text in the public internet, by its address (http or https), or an article by its DOI, such as `10.1000/182`. Of a
    /// long one the beginning is used.
    Url(String),
    /// One of the viewer's contents, by its id. One that is still PROCESSING is waited for. Of a long one the beginning is used.
    ContentId(ContentId),
}

impl GenerateCardsInput {
    pub(crate) fn wanted(self) -> Result<Wanted, Error> {
        let source = match self.source {
            GenerationSourceInput::Text(text) => Source::Text(text),
            GenerationSourceInput::Url(url) => Source::Address(SourceAddress::new(&url)?),
            GenerationSourceInput::ContentId(id) => Source::Content(id),
        };
        Ok(Wanted {
            deck: self.deck_id,
            source,
            instructions: self.instructions.map(Instructions::new).transpose()?.flatten(),
            max_cards: self.max_cards.unwrap_or(DEFAULT_CARDS),
            key: self.idempotency_key.map(|key| IdempotencyKey::new(key.0)).transpose()?,
            prompt: self.prompt,
        })
    }
}

/// A job.
#[derive(Debug, InputObject)]
pub(crate) struct GenerationJobInput {
    /// The job's id.
    pub(crate) job_id: GenerationJobId,
}

/// New texts of a draft.
#[derive(Debug, InputObject)]
pub(crate) struct EditDraftInput {
    /// The job's id.
    pub(crate) job_id: GenerationJobId,
    /// The draft's id.
    pub(crate) draft_id: DraftId,
    /// The new question: 1 to 10,000 characters. When absent it stays as it is.
    pub(crate) question: Option<String>,
    /// The new answer: 1 to 10,000 characters. When absent it stays as it is.
    pub(crate) answer: Option<String>,
}

/// Drafts to make cards of.
#[derive(Debug, InputObject)]
pub(crate) struct AcceptDraftsInput {
    /// The job's id.
    pub(crate) job_id: GenerationJobId,
    /// The drafts, 1 to 100; when absent all that are proposed.
    pub(crate) draft_ids: Option<Vec<DraftId>>,
    /// The deck they go into; when absent the one that the job was asked for with.
    pub(crate) deck_id: Option<DeckId>,
}

/// Drafts that are not wanted.
#[derive(Debug, InputObject)]
pub(crate) struct RejectDraftsInput {
    /// The job's id.
    pub(crate) job_id: GenerationJobId,
    /// The drafts, 1 to 100; when absent all that are proposed.
    pub(crate) draft_ids: Option<Vec<DraftId>>,
}
