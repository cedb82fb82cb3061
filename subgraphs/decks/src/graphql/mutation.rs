//! What can be changed of decks and cards.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};
use common::graphql::fast::FastList;
use common::graphql::{Result, caller};
use common::{CardId, DeckId, TrashId};

use super::batch::{CardBatch, DeckBatch, NotesOfCards};
use super::card::CardNode;
use super::deck::DeckNode;
use super::input::{
    CopyCardsInput, CopyDeckInput, CreateCardsInput, CreateDeckInput, DeleteCardsInput,
    DeleteDeckInput, MoveCardsInput, MoveDeckInput, RestoreDeletedInput, UpdateCardInput,
    UpdateDeckInput,
};
use super::note::NoteNode;
use super::trash::TrashEntry;
use crate::model::{CardEdit, DeckEdit, Move, Name, NewDeck};
use crate::service::Service;

/// What can be changed of decks and cards.
#[derive(Debug, Default)]
pub(crate) struct CardMutation;

/// What can be changed of decks and cards.
#[Object]
impl CardMutation {
    /// Makes a deck, at the end of its parent's. A person can have 10,000, in one another at most 16 deep.
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

    /// Changes a deck's name, description or color, or archives it. Another version than the expected one is the error CONFLICT, with the
    /// deck as it is in `extensions.current`.
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

    /// Moves a deck with all that is in it: into another or to the top, and to a place among the decks there.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn move_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck, and where it goes.")] input: MoveDeckInput,
    ) -> Result<MoveDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let deck = ctx.data::<Arc<Service>>()?.move_deck(viewer, input.into()).await?;
        Ok(MoveDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Copies a deck with the decks in it and all their cards, of which nothing is learned yet: at most 10,000 cards.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn copy_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck, and where its copy goes.")] input: CopyDeckInput,
    ) -> Result<CopyDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let CopyDeckInput { id, parent_id, .. } = input;
        let name = input.name.map(|name| Name::new("input.name", &name)).transpose()?;
        let service = ctx.data::<Arc<Service>>()?;
        let deck = service.copy_deck(viewer, id, parent_id, name.as_ref()).await?;
        Ok(CopyDeckPayload { deck: DeckBatch::node(deck) })
    }

    /// Deletes a deck with the decks in it and all their cards. For 30 days `restoreDeleted` brings it back, with what was learned.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_deck(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which deck.")] input: DeleteDeckInput,
    ) -> Result<DeleteDeckPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let trash_id = ctx.data::<Arc<Service>>()?.delete_deck(viewer, input.id).await?;
        Ok(DeleteDeckPayload { deleted_id: input.id, trash_id })
    }

    /// Makes cards at the end of a deck: all, or none. A deck holds 100,000. Each is the one card of a note of the type BASIC.
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
        let batch = CardBatch::of(&deck, NotesOfCards::new(cards.iter()));
        let node = |card| CardNode { card: Arc::new(card), batch: Arc::clone(&batch) };
        let cards: Vec<_> = cards.into_iter().map(node).collect();
        Ok(CreateCardsPayload { deck, cards: cards.into() })
    }

    /// Changes a card's question or answer, which are its note's: the other side of a reversed card changes along. A cloze is edited by
    /// `updateNotes`. Another version than the expected one is the error CONFLICT, with the card as it is in `extensions.current`.
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

    /// Copies the notes of cards, each once with all its cards, of which nothing is learned yet: all, or none.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn copy_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cards, and where the copies go.")] input: CopyCardsInput,
    ) -> Result<CopyCardsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let CopyCardsInput { card_ids, deck_id } = input;
        let service = ctx.data::<Arc<Service>>()?;
        let (deck, notes) = service.copy_cards(viewer, &card_ids, deck_id).await?;
        Ok(CopyCardsPayload { deck: DeckBatch::node(deck), notes: NoteNode::of(notes) })
    }

    /// Deletes cards: all, or none. For 30 days `restoreDeleted` brings them back, with what was learned. A note without a card is gone
    /// with its last one.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_cards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which cards.")] input: DeleteCardsInput,
    ) -> Result<DeleteCardsPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let trash_id = ctx.data::<Arc<Service>>()?.delete_cards(viewer, &input.ids).await?;
        Ok(DeleteCardsPayload { deleted_ids: input.ids, trash_id })
    }

    /// Takes everything out of the trash that was deleted at once. A deck whose parent is gone comes back at the top.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn restore_deleted(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry of the trash.")] input: RestoreDeletedInput,
    ) -> Result<RestoreDeletedPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let entry = ctx.data::<Arc<Service>>()?.restore(viewer, input.trash_id).await?;
        Ok(RestoreDeletedPayload { restored: TrashEntry::from(&entry) })
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
    /// The entry of the trash it lies in.
    trash_id: TrashId,
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
    /// The entry of the trash they lie in.
    trash_id: TrashId,
}

/// The deck that was moved.
#[derive(Debug, SimpleObject)]
pub(super) struct MoveDeckPayload {
    /// The deck.
    deck: DeckNode,
}

/// The copy of a deck.
#[derive(Debug, SimpleObject)]
pub(super) struct CopyDeckPayload {
    /// The copy.
    deck: DeckNode,
}

/// The copies of cards.
#[derive(Debug, SimpleObject)]
pub(super) struct CopyCardsPayload {
    /// The deck they lie in.
    deck: DeckNode,
    /// The notes that were made, in the order in which the cards name them.
    notes: Vec<NoteNode>,
}

/// What was restored.
#[derive(Debug, SimpleObject)]
pub(super) struct RestoreDeletedPayload {
    /// The entry of the trash, which is no longer there.
    restored: TrashEntry,
}
