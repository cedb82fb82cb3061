//! What is asked of the decks subgraph, by the graph and as the person: whether a deck is theirs. It never reads its store.

use std::fmt::Display;
use std::sync::Arc;

use async_graphql::{Name, Value, Variables};
use common::event::DraftsAccepted;
use common::{Caller, DeckId, Endpoint, Error, Event, SubgraphRequest};

/// The most cards of a deck: what decks takes by its other mutations. It is looked at here because decks refuses nothing that was accepted.
const MAX_CARDS: i64 = 100_000;

/// The decks subgraph, wherever it runs.
pub(crate) struct Decks {
    endpoint: Arc<dyn Endpoint>,
    query: Arc<str>,
}

/// How many cards a deck still takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room(i64);

impl Room {
    /// Whether so many find room.
    pub(crate) fn takes(self, cards: usize) -> Result<(), Error> {
        if i64::try_from(cards).is_ok_and(|cards| cards <= self.0) {
            return Ok(());
        }
        let message = format!("a deck holds at most {MAX_CARDS} cards");
        Err(Error::LimitExceeded { message })
    }
}

impl Decks {
    pub(crate) fn new(endpoint: Arc<dyn Endpoint>) -> Self {
        Self { endpoint, query: "query ($id: ID!) { deck(id: $id) { id cardCount } }".into() }
    }

    /// The room in a deck of the caller's.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`] when decks does not answer.
    pub(crate) async fn room(&self, caller: &Arc<Caller>, deck: DeckId) -> Result<Room, Error> {
        let mut variables = Variables::default();
        variables.insert(Name::new("id"), deck.into());
        let document = Arc::clone(&self.query);
        let request = SubgraphRequest { document, operation_name: None, variables };
        let response = self.endpoint.execute(request, Arc::clone(caller)).await;
        let response = response.map_err(|error| failed(caller, &error))?;
        if let Some(error) = response.errors.first() {
            return Err(failed(caller, &error.message));
        }
        let found = match &response.data {
            Value::Object(data) => data.get("deck"),
            _ => None,
        };
        match found {
            Some(Value::Object(found)) => match found.get("cardCount") {
                Some(Value::Number(count)) => {
                    Ok(Room(MAX_CARDS - count.as_i64().unwrap_or(i64::MAX)))
                }
                _ => Err(failed(caller, &"a deck without cardCount")),
            },
            _ => Err(Error::not_found("deck", deck)),
        }
    }

    /// Has decks make cards; when it answers they are stored. Those that are there, or were, are left alone.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when decks does not answer.
    pub(crate) async fn tell(
        &self,
        caller: &Arc<Caller>,
        accepted: Vec<DraftsAccepted>,
    ) -> Result<(), Error> {
        let events: Arc<[Event]> = accepted.into_iter().map(Event::Accepted).collect();
        self.endpoint.apply(events).await.map_err(|error| failed(caller, &error))
    }
}

fn failed(caller: &Caller, reason: &dyn Display) -> Error {
    tracing::warn!(request_id = &*caller.request_id, "card generation: decks: {reason}");
    let message = "decks are not available now; try again later".into();
    Error::Unavailable { code: "GENERATION_UNAVAILABLE", message }
}
