//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::fast::FastList;
use common::graphql::{Result, caller};
use common::{CardId, DeckId};

use super::batch::{CardBatch, DeckBatch};
use super::card::CardNode;
use super::deck::DeckNode;
use super::input::{
    CreateCardsInput, CreateDeckInput, DeleteCardsInput, DeleteDeckInput, MoveCardsInput,
    UpdateCardInput, UpdateDeckInput,
};
use crate::model::{CardEdit, DeckEdit, Move, NewDeck};
use crate::service::Service;

/// What can be changed.
#[derive(Debug)]
pub(crate) struct Mutation;

/// What can be changed.
#[Object]
impl Mutation {
    /// Makes a deck. A person can have 10,000.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn create_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The deck to make.")] input: CreateDeckInput,
    ) -> Result<CreateDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck =
            ctx.data::<Arc<Service>>()?.create_deck(viewer, &NewDeck::try_from(input)?).await?;
        Ok(CreateDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Changes a deck's name, description or color.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn update_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck, and what to change.")] input: UpdateDeckInput,
    ) -> Result<UpdateDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck =
            ctx.data::<Arc<Service>>()?.update_deck(viewer, &DeckEdit::try_from(input)?).await?;
        Ok(UpdateDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Deletes a deck with its cards, for good.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck.")] input: DeleteDeckInput,
    ) -> Result<DeleteDeckPayload> {
        ctx.data::<Arc<Service>>()?.delete_deck(caller(ctx)?.viewer()?, input.id).await?;
        Ok(DeleteDeckPayload { deleted_id: input.id })
    }

    /// Makes cards at the end of a deck: all, or none. A deck holds 100,000.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn create_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The cards to make, and where.")] input: CreateCardsInput,
    ) -> Result<CreateCardsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck = input.deck_id;
        let (deck, cards) =
            ctx.data::<Arc<Service>>()?.create_cards(viewer, deck, &input.cards()?).await?;
        let deck = DeckBatch::node(deck);
        let batch = CardBatch::of(&deck);
        let node = |card| CardNode { card: Arc::new(card), batch: Arc::clone(&batch) };
        let cards: Vec<_> = cards.into_iter().map(node).collect();
        Ok(CreateCardsPayload { deck, cards: cards.into() })
    }

    /// Changes a card's question or answer.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn update_card(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which card, and what to change.")] input: UpdateCardInput,
    ) -> Result<UpdateCardPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let card =
            ctx.data::<Arc<Service>>()?.update_card(viewer, &CardEdit::try_from(input)?).await?;
        Ok(UpdateCardPayload { card: CardBatch::node(card) })
    }

    /// Puts cards in another place in their deck, or into another deck. They keep their ids and what was learned.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn move_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cards, and where they go.")] input: MoveCardsInput,
    ) -> Result<MoveCardsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let cards = ctx.data::<Arc<Service>>()?.move_cards(viewer, &Move::from(input)).await?;
        Ok(MoveCardsPayload { cards: CardBatch::nodes(cards).into() })
    }

    /// Deletes cards, for good: all, or none.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cards.")] input: DeleteCardsInput,
    ) -> Result<DeleteCardsPayload> {
        ctx.data::<Arc<Service>>()?.delete_cards(caller(ctx)?.viewer()?, &input.ids).await?;
        Ok(DeleteCardsPayload { deleted_ids: input.ids })
    }
}

/// The deck that was made.
#[derive(Debug, SimpleObject)]
pub(super) struct CreateDeckPayload {
    /// The deck.
    deck: DeckNode,
}

/// The deck that was changed.
#[derive(Debug, SimpleObject)]
pub(super) struct UpdateDeckPayload {
    /// The deck.
    deck: DeckNode,
}

/// The deck that was deleted.
#[derive(Debug, SimpleObject)]
pub(super) struct DeleteDeckPayload {
    /// Its id.
    deleted_id: DeckId,
}

/// The cards that were made.
#[derive(Debug, SimpleObject)]
pub(super) struct CreateCardsPayload {
    /// The deck they lie in.
    deck: DeckNode,
    /// The cards, in the order they were given.
    cards: FastList<CardNode>,
}

/// The card that was changed.
#[derive(Debug, SimpleObject)]
pub(super) struct UpdateCardPayload {
    /// The card.
    card: CardNode,
}

/// The cards that were moved.
#[derive(Debug, SimpleObject)]
pub(super) struct MoveCardsPayload {
    /// The cards, in the order they were given.
    cards: FastList<CardNode>,
}

/// The cards that were deleted.
#[derive(Debug, SimpleObject)]
pub(super) struct DeleteCardsPayload {
    /// Their ids.
    deleted_ids: Vec<CardId>,
}
