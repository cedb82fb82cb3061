//! The GraphQL schema of card generation: mapping only. Rules are in [`crate::service`].

use std::sync::Arc;

use async_graphql::{Context, EmptySubscription, ID, InputObject, Object, Schema, SimpleObject};
use common::graphql::Result;
use common::graphql::sdl::{BETA, VERIFIED, all_of};
use common::{Caller, DeckId};

use crate::answer::{self, Note};
use crate::service::{DEFAULT_CARDS, Service, Wanted};

pub(crate) fn schema(service: Arc<Service>) -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query, Mutation, EmptySubscription).data(service).finish()
}

/// What can be asked.
#[derive(Debug)]
pub(crate) struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// What card generation takes.
    async fn generation_limits(&self, ctx: &Context<'_>) -> Result<GenerationLimits> {
        let limits = ctx.data::<Arc<Service>>()?.limits().await;
        Ok(GenerationLimits { max_text_length: limits.text, max_cards: limits.cards })
    }
}

/// What card generation takes.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerationLimits {
    /// The most characters (Unicode scalar values) of a text.
    max_text_length: u32,
    /// The most drafts of one text.
    max_cards: u32,
}

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Makes drafts of cards from a text. It takes a verified address and the role BETA. Nothing is stored: add the ones you want with `createCards`. It may take a minute. When the service
    /// that makes them is down, slow or broken, the error's code is GENERATION_UNAVAILABLE, GENERATION_TIMEOUT or GENERATION_FAILED. It is
    /// FEATURE_DISABLED for those who do not have the feature `cardGeneration`.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[VERIFIED, BETA])))]
    async fn generate_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The text, and what to make of it.")] input: GenerateCardsInput,
    ) -> Result<Option<GenerateCardsPayload>> {
        let caller = ctx.data::<Arc<Caller>>()?;
        let service = ctx.data::<Arc<Service>>()?;
        let deck = input.deck_id;
        let note = service.generate(caller, input.into()).await?;
        // Nullable, so that a failure takes nothing else of the answer with it.
        Ok(Some(GenerateCardsPayload::new(deck, note)))
    }
}

/// A text to make cards of.
#[derive(Debug, InputObject)]
pub(crate) struct GenerateCardsInput {
    /// The deck the cards are meant for: one of the viewer's.
    deck_id: DeckId,
    /// The text: 1 to 20,000 characters, or fewer where `generationLimits` says so.
    text: String,
    /// The most drafts: 1 to 100. There are never more than `generationLimits` says.
    #[graphql(default_with = "Some(DEFAULT_CARDS)")]
    max_cards: Option<i32>,
    /// A key of the client's own making, 1 to 200 visible ASCII characters. Sending the same input with the same key again answers the same
    /// drafts, as long as the service remembers them.
    idempotency_key: Option<ID>,
    /// The name of one of the prompts that those who administer have set; when absent, their default. The error for any other name lists them.
    prompt: Option<String>,
}

impl From<GenerateCardsInput> for Wanted {
    fn from(input: GenerateCardsInput) -> Self {
        Self {
            deck: input.deck_id,
            text: input.text,
            max_cards: input.max_cards.unwrap_or(DEFAULT_CARDS),
            idempotency_key: input.idempotency_key.map(|key| key.0),
            prompt: input.prompt,
        }
    }
}

/// What came of a text.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerateCardsPayload {
    /// The deck the cards are meant for.
    deck: Option<DeckStub>,
    /// The generating service's own id of the text and its drafts.
    note_id: ID,
    /// Who made the drafts; null when the service does not say.
    generator: Option<CardGenerator>,
    /// The drafts, at most `maxCards`. Each could be made a card as it is.
    drafts: Vec<CardDraft>,
    /// How many cards were left out: beyond `maxCards`, or unusable.
    rejected: u32,
    /// What a person should know about the drafts.
    notices: Vec<GenerationNotice>,
}

impl GenerateCardsPayload {
    fn new(deck: DeckId, note: Note) -> Self {
        let Note { id, generator, drafts, rejected, notices } = note;
        Self {
            deck: Some(DeckStub { id: deck }),
            note_id: id.into(),
            generator: generator.map(Into::into),
            drafts: drafts.into_iter().map(Into::into).collect(),
            rejected,
            notices: notices.into_iter().map(Into::into).collect(),
        }
    }
}

/// A deck, of which only the id is known here.
#[derive(Debug, SimpleObject)]
#[graphql(name = "Deck", unresolvable = "id")]
pub(crate) struct DeckStub {
    /// The deck's id, a UUID.
    id: DeckId,
}

/// What makes drafts of cards.
#[derive(Debug, SimpleObject)]
pub(crate) struct CardGenerator {
    /// Its name.
    name: String,
    /// The language model it uses; null when it uses none.
    model: Option<String>,
}

impl From<answer::Generator> for CardGenerator {
    fn from(generator: answer::Generator) -> Self {
        Self { name: generator.name, model: generator.model }
    }
}

/// A card that is proposed.
#[derive(Debug, SimpleObject)]
pub(crate) struct CardDraft {
    /// The question: 1 to 10,000 characters.
    question: String,
    /// The answer: 1 to 10,000 characters.
    answer: String,
    /// Where in the text it comes from: the index of the first UTF-16 code unit, as JavaScript, Swift and Kotlin count. Null when the service
    /// named no place, or none within the text.
    source_start_index: Option<i32>,
    /// Where in the text it comes from: the index beyond the last UTF-16 code unit. Null together with `sourceStartIndex`.
    source_end_index: Option<i32>,
}

impl From<answer::Draft> for CardDraft {
    fn from(draft: answer::Draft) -> Self {
        let answer::Draft { question, answer, source } = draft;
        let (source_start_index, source_end_index) =
            source.map(|source| (source.start, source.end)).unzip();
        Self { question, answer, source_start_index, source_end_index }
    }
}

/// Something a person should know about the drafts.
#[derive(Debug, SimpleObject)]
pub(crate) struct GenerationNotice {
    /// For programs.
    code: String,
    /// For people.
    message: String,
}

impl From<answer::Notice> for GenerationNotice {
    fn from(notice: answer::Notice) -> Self {
        Self { code: notice.code, message: notice.message }
    }
}
