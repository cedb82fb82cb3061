//! The GraphQL schema of the domain: mapping only. Rules are in [`crate::service`].
//!
//! It contributes fields to entities of other subgraphs. They are nullable, so that without this subgraph the rest of an answer stands.

mod card;
mod deck;
mod fast;
mod fit;
mod inputs;
mod mutation;
mod scalar;
mod session;
mod settings;
mod statistics;
mod sync;
mod user;

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Any, Context, EmptySubscription, Object, Schema, Union};
use common::graphql::entities::Representation;
use common::graphql::fast::FastOptions;
use common::graphql::{Result, caller};
use common::{CardId, DeckId, UserId};

use crate::service::Service;
use card::CardNode;
use deck::DeckNode;
use mutation::Mutation;
use user::UserNode;

/// The subgraph's schema over the domain.
#[must_use]
pub(crate) fn schema(service: Arc<Service>) -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query, Mutation, EmptySubscription).data(service).finish()
}

/// What can be asked: all of it hangs on people, decks and cards.
#[derive(Debug)]
pub(crate) struct Query;

#[Object]
impl Query {
    /// What is known of a person's cards, each as JSON, for the service that exports them: at most 50. No client can ask for it.
    #[graphql(inaccessible)]
    async fn card_histories(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose cards.")] owner: UserId,
        #[graphql(desc = "Which cards.")] card_ids: Vec<CardId>,
    ) -> Result<Vec<String>> {
        let service = ctx.data::<Arc<Service>>()?;
        let found = service.histories(caller(ctx)?, owner, card_ids).await?;
        let texts: std::result::Result<_, _> = found.iter().map(serde_json::to_string).collect();
        Ok(texts.map_err(|error| common::StoreError::Other(Box::new(error)))?)
    }

    /// The entities with these keys, in order; null for what does not exist or is not the viewer's.
    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        representations: Vec<Any>,
    ) -> Result<FastOptions<Entity>> {
        let wanted = Representation::read_all(representations)?;
        let Some(viewer) = &caller(ctx)?.viewer else {
            return Ok(FastOptions(wanted.iter().map(|_| None).collect()));
        };
        let deck_ids: Vec<DeckId> = Representation::ids(&wanted, "Deck", "id")?;
        let card_ids: Vec<CardId> = Representation::ids(&wanted, "Card", "id")?;
        let service = ctx.data::<Arc<Service>>()?;
        let (decks, cards) = futures::future::try_join(
            service.decks(viewer, deck_ids),
            service.cards(viewer, card_ids),
        )
        .await?;
        let decks: HashMap<DeckId, _> = DeckNode::by_id(decks);
        let cards = CardNode::by_id(cards);

        let entity = |wanted: &Representation| {
            Ok(match &*wanted.typename {
                "Deck" => decks.get(&wanted.id("id")?).cloned().map(Entity::Deck),
                "Card" => cards.get(&wanted.id("id")?).cloned().map(Entity::Card),
                "User" => Some(wanted.id::<UserId>("id")?)
                    .filter(|id| *id == viewer.user)
                    .map(|id| Entity::User(UserNode { id })),
                _ => return Err(wanted.unknown_type()),
            })
        };
        let entities: std::result::Result<_, common::Error> = wanted.iter().map(entity).collect();
        Ok(FastOptions(entities?))
    }
}

/// Anything another subgraph can name by its key.
#[derive(Debug, Clone, Union)]
#[graphql(name = "_Entity")]
enum Entity {
    /// A person, who learns.
    User(UserNode),
    /// A deck.
    Deck(DeckNode),
    /// A card.
    Card(CardNode),
}
