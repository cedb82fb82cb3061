//! The rules of card generation: who may, of which text, for which deck, and by which prompt.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
use common::endpoint::Domain;
use common::prompt::{Prompt, Prompts};
use common::service_config::ServiceValues;
use common::{Caller, Clock, DeckId, Endpoint, Error, Event, Role, ServiceConfig, SubgraphRequest};
use futures::future::BoxFuture;
use reqwest::header::HeaderValue;
use serde_json::Value as Json;

use crate::answer::Note;
use crate::client::{Client, Generation};

/// The most characters of a text, which config may lower.
const MAX_TEXT: u32 = 20_000;
/// The most cards of one text, which config may lower.
const MAX_CARDS: u32 = 100;
/// How many cards are made when nothing is said.
pub(crate) const DEFAULT_CARDS: i32 = 20;
/// The feature's flag.
const FEATURE: &str = "cardGeneration";
/// The most characters of an idempotency key.
const MAX_KEY: usize = 200;

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) deck: DeckId,
    pub(crate) text: String,
    pub(crate) max_cards: i32,
    pub(crate) idempotency_key: Option<String>,
    /// The name of one of the prompts in config; the default when absent.
    pub(crate) prompt: Option<String>,
}

/// What is generated at most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Characters of a text.
    pub(crate) text: u32,
    /// Cards of a text.
    pub(crate) cards: u32,
}

/// The rules of card generation.
pub(crate) struct Service {
    client: Client,
    decks: Arc<dyn Endpoint>,
    config: ServiceConfig,
    clock: Clock,
    deck_query: Arc<str>,
}

impl Service {
    pub(crate) fn new(
        client: Client,
        decks: Arc<dyn Endpoint>,
        config: ServiceConfig,
        clock: Clock,
    ) -> Self {
        let deck_query = "query ($id: ID!) { deck(id: $id) { id } }".into();
        Self { client, decks, config, clock, deck_query }
    }

    /// What is generated at most.
    pub(crate) async fn limits(&self) -> Limits {
        Limits::of(&*self.config.current().await)
    }

    /// Makes drafts of a text for one of the viewer's decks, for those with a verified address and the role BETA. Nothing is stored.
    pub(crate) async fn generate(
        &self,
        caller: &Arc<Caller>,
        wanted: Wanted,
    ) -> Result<Note, Error> {
        caller.verified()?;
        let viewer = caller.with_role(Role::Beta)?;
        let config = self.config.current().await;
        if config.feature(FEATURE, Some(viewer)) == Some(false) {
            let message = "cards are not generated for this account now".into();
            return Err(Error::Unavailable { code: "FEATURE_DISABLED", message });
        }
        let limits = Limits::of(&config);
        let generation = Generation {
            user: viewer.user,
            deck: wanted.deck,
            max_cards: max_cards(wanted.max_cards, limits.cards)?,
            idempotency_key: wanted.idempotency_key.map(idempotency_key).transpose()?,
            text: text(wanted.text, limits.text)?,
            prompt: prompt(&config, wanted.prompt.as_deref())?,
        };
        self.own_deck(caller, wanted.deck).await?;
        let started = self.clock.now();
        let result = self.client.generate(&generation).await;
        let elapsed_ms = self.clock.now().duration_since(started).as_millis();
        let request_id = &*caller.request_id;
        match result {
            Ok(note) => {
                let (drafts, rejected) = (note.drafts.len(), note.rejected);
                let prompt = generation.prompt.as_ref().map(|prompt| prompt.name.as_str());
                tracing::info!(
                    request_id,
                    prompt,
                    drafts,
                    rejected,
                    elapsed_ms,
                    "made drafts of cards"
                );
                Ok(note)
            }
            Err(error) => {
                tracing::warn!(request_id, elapsed_ms, "card generation: {error}");
                Err(error.into())
            }
        }
    }

    /// Asks the decks subgraph, as the same caller, whether the deck is there for them.
    async fn own_deck(&self, caller: &Arc<Caller>, deck: DeckId) -> Result<(), Error> {
        let mut variables = Variables::default();
        variables.insert(Name::new("id"), deck.into());
        let document = Arc::clone(&self.deck_query);
        let request = SubgraphRequest { document, operation_name: None, variables };
        let failed = |reason: &dyn std::fmt::Display| {
            tracing::warn!(request_id = &*caller.request_id, "card generation: decks: {reason}");
            let message = "decks are not available now; try again later".into();
            Error::Unavailable { code: "GENERATION_UNAVAILABLE", message }
        };
        let response = self.decks.execute(request, Arc::clone(caller)).await;
        let response = response.map_err(|error| failed(&error))?;
        if let Some(error) = response.errors.first() {
            return Err(failed(&error.message));
        }
        match &response.data {
            Value::Object(data) if matches!(data.get("deck"), Some(Value::Object(_))) => Ok(()),
            _ => Err(Error::not_found("deck", deck)),
        }
    }
}

impl Domain for Service {
    fn apply<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// Always: without the Python service one mutation fails, and everything else does its work.
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

impl Limits {
    /// What config says, but never more than what is built in.
    fn of(config: &ServiceValues) -> Self {
        let limit = |key: &str, most: u32| {
            let configured = config.get(key).and_then(Json::as_u64);
            configured.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(most).clamp(1, most)
        };
        Self {
            text: limit("generationTextLength", MAX_TEXT),
            cards: limit("generationCards", MAX_CARDS),
        }
    }
}

/// The prompt with the name that is asked for, else the default of those in config; none for the one that is built into the service.
fn prompt(config: &ServiceValues, wanted: Option<&str>) -> Result<Option<Prompt>, Error> {
    let read = |value| {
        Prompts::from_value(value)
            .inspect_err(|error| tracing::warn!("the built-in prompt is used: {error}"))
            .ok()
    };
    let prompts = config.get("cardPrompt").and_then(read);
    let Some(name) = wanted else { return Ok(prompts.map(Prompts::into_default)) };
    if !config.are_known() {
        let message = "prompts cannot be chosen now: try again later, or ask for none".into();
        return Err(Error::Unavailable { code: "GENERATION_UNAVAILABLE", message });
    }
    if let Some(prompt) = prompts.as_ref().and_then(|prompts| prompts.named(name)) {
        return Ok(Some(prompt.clone()));
    }
    let names = prompts.iter().flat_map(Prompts::names).map(|name| format!("{name:?}"));
    let names = names.collect::<Vec<_>>().join(", ");
    let accepted = if names.is_empty() {
        "there are none to choose from: leave it out".to_owned()
    } else {
        format!("{names} are accepted")
    };
    Err(Error::invalid("input.prompt", format!("there is no such prompt: {accepted}")))
}

fn text(text: String, most: u32) -> Result<String, Error> {
    let count = text.chars().count();
    if count > most as usize {
        let message = format!("has {count} characters: 1 to {most} are accepted");
        return Err(Error::invalid("input.text", message));
    }
    if text.trim().is_empty() {
        return Err(Error::invalid("input.text", "is blank: there is nothing to make cards of"));
    }
    Ok(text)
}

/// As many as are wanted, or as there may be.
fn max_cards(count: i32, most: u32) -> Result<usize, Error> {
    let within = u32::try_from(count).ok().filter(|count| (1..=MAX_CARDS).contains(count));
    let message = || format!("{count} is out of range: 1 to {MAX_CARDS}");
    let count = within.ok_or_else(|| Error::invalid("input.maxCards", message()))?;
    Ok(count.min(most) as usize)
}

fn idempotency_key(key: String) -> Result<HeaderValue, Error> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::try_from(key).ok();
    value.filter(|key| visible && (1..=MAX_KEY).contains(&key.len())).ok_or_else(|| {
        let message = format!("1 to {MAX_KEY} visible ASCII characters are accepted");
        Error::invalid("input.idempotencyKey", message)
    })
}
