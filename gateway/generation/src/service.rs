//! The rules of card generation: who may, of which text, for which deck.

use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
use common::endpoint::Domain;
use common::{Caller, Clock, DeckId, Endpoint, Error, Event, Role, SubgraphRequest};
use futures::future::BoxFuture;
use reqwest::header::HeaderValue;

use crate::answer::Note;
use crate::client::{Client, Generation};

/// The most characters of a text.
pub(crate) const MAX_TEXT: usize = 20_000;
/// The most cards of one text.
pub(crate) const MAX_CARDS: i32 = 100;
/// How many cards are made when nothing is said.
pub(crate) const DEFAULT_CARDS: i32 = 20;
/// The most characters of an idempotency key.
const MAX_KEY: usize = 200;

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) deck: DeckId,
    pub(crate) text: String,
    pub(crate) max_cards: i32,
    pub(crate) idempotency_key: Option<String>,
}

/// The rules of card generation.
pub(crate) struct Service {
    client: Client,
    decks: Arc<dyn Endpoint>,
    clock: Clock,
    deck_query: Arc<str>,
}

impl Service {
    pub(crate) fn new(client: Client, decks: Arc<dyn Endpoint>, clock: Clock) -> Self {
        let deck_query = "query ($id: ID!) { deck(id: $id) { id } }".into();
        Self { client, decks, clock, deck_query }
    }

    /// Makes drafts of a text for one of the viewer's decks, for those with a verified address and the role BETA. Nothing is stored.
    pub(crate) async fn generate(
        &self,
        caller: &Arc<Caller>,
        wanted: Wanted,
    ) -> Result<Note, Error> {
        caller.verified()?;
        let user = caller.with_role(Role::Beta)?.user;
        let generation = Generation {
            user,
            deck: wanted.deck,
            max_cards: max_cards(wanted.max_cards)?,
            idempotency_key: wanted.idempotency_key.map(idempotency_key).transpose()?,
            text: text(wanted.text)?,
        };
        self.own_deck(caller, wanted.deck).await?;
        let started = self.clock.now();
        let result = self.client.generate(&generation).await;
        let elapsed_ms = self.clock.now().duration_since(started).as_millis();
        let request_id = &*caller.request_id;
        match result {
            Ok(note) => {
                let (drafts, rejected) = (note.drafts.len(), note.rejected);
                tracing::info!(request_id, drafts, rejected, elapsed_ms, "made drafts of cards");
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

fn text(text: String) -> Result<String, Error> {
    let count = text.chars().count();
    if count > MAX_TEXT {
        let message = format!("has {count} characters: 1 to {MAX_TEXT} are accepted");
        return Err(Error::invalid("input.text", message));
    }
    if text.trim().is_empty() {
        return Err(Error::invalid("input.text", "is blank: there is nothing to make cards of"));
    }
    Ok(text)
}

fn max_cards(count: i32) -> Result<usize, Error> {
    let within = (1..=MAX_CARDS).contains(&count).then(|| usize::try_from(count).ok()).flatten();
    let message = || format!("{count} is out of range: 1 to {MAX_CARDS}");
    within.ok_or_else(|| Error::invalid("input.maxCards", message()))
}

fn idempotency_key(key: String) -> Result<HeaderValue, Error> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    let value = HeaderValue::try_from(key).ok();
    value.filter(|key| visible && (1..=MAX_KEY).contains(&key.len())).ok_or_else(|| {
        let message = format!("1 to {MAX_KEY} visible ASCII characters are accepted");
        Error::invalid("input.idempotencyKey", message)
    })
}
