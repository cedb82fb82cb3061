//! The GraphQL schema of the domain: mapping only. Rules are in [`crate::service`].

mod batch;
mod card;
mod deck;
mod fast;
mod input;
mod mutation;

use std::sync::Arc;

use async_graphql::{Any, Context, EmptySubscription, Object, Schema, Union};
use common::graphql::entities::Representation;
use common::graphql::fast::FastOptions;
use common::graphql::{Result, caller};
use common::{CardId, DeckId, UserId};

use crate::service::Service;
use batch::{CardBatch, DeckBatch};
use card::CardNode;
use deck::{DeckNode, UserNode};
use mutation::Mutation;

/// The subgraph's schema over the domain.
#[must_use]
pub(crate) fn schema(service: Arc<Service>) -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query, Mutation, EmptySubscription).data(service).finish()
}

/// What can be asked.
#[derive(Debug)]
pub(crate) struct Query;

/// What can be asked.
#[Object]
impl Query {
    /// One of the viewer's decks; null when there is none with this id.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deck's id.")] id: DeckId,
    ) -> Result<Option<DeckNode>> {
        let decks = ctx.data::<Arc<Service>>()?.decks(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(DeckBatch::nodes(decks).pop())
    }

    /// One of the viewer's cards; null when there is none with this id.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The card's id.")] id: CardId,
    ) -> Result<Option<CardNode>> {
        let cards = ctx.data::<Arc<Service>>()?.cards(caller(ctx)?.viewer()?, vec![id]).await?;
        Ok(CardBatch::nodes(cards).pop())
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
        let decks = ctx.data::<Arc<Service>>()?.decks(viewer, deck_ids);
        let cards = ctx.data::<Arc<Service>>()?.cards(viewer, card_ids);
        let (decks, cards) = futures::future::try_join(decks, cards).await?;
        let decks = DeckBatch::by_id(decks);
        let cards = CardBatch::by_id(cards);

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
    /// A person, to whom decks belong.
    User(UserNode),
    /// A deck.
    Deck(DeckNode),
    /// A card.
    Card(CardNode),
}
