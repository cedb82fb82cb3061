//! Arguments and small types that several lists share.

use async_graphql::{Enum, InputObject};
use common::Error;

use crate::model::{CardList, CardSort, DeckFilter, DeckOrder, DeckSort, NoteKind, Tag};

/// What cards a note makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "NoteKind")]
pub(super) enum NoteType {
    /// One card: from `Front` to `Back`.
    Basic,
    /// Two cards: from `Front` to `Back`, and from `Back` to `Front`.
    BasicReversed,
    /// A card for each number of a deletion in `Text`, such as `{{c1::text}}` or `{{c1::text::hint}}`. The answer is the whole text with
    /// `Extra` below it.
    Cloze,
    /// One card from `Front` to `Back`, whose answer is typed.
    Typed,
}

/// Which way a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum OrderDirection {
    /// From the least to the greatest.
    Asc,
    /// From the greatest to the least.
    Desc,
}

/// What a list of decks is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum DeckOrderField {
    /// By name, without regard to case.
    Name,
    /// By the time of making.
    CreatedAt,
    /// By the time of the last change of name, description, color, parent or whether it is archived.
    UpdatedAt,
    /// By the place among the decks of the same parent, as `moveDeck` puts them.
    Position,
}

/// The order of a list of decks.
#[derive(Debug, Clone, Copy, InputObject)]
#[graphql(name = "DeckOrder")]
pub(super) struct DeckOrderInput {
    /// What to sort by.
    #[graphql(default_with = "DeckOrderField::CreatedAt")]
    field: DeckOrderField,
    /// Which way to sort.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for DeckOrderInput {
    fn default() -> Self {
        Self { field: DeckOrderField::CreatedAt, direction: OrderDirection::Asc }
    }
}

impl From<DeckOrderInput> for DeckOrder {
    fn from(order: DeckOrderInput) -> Self {
        let by = match order.field {
            DeckOrderField::Name => DeckSort::Name,
            DeckOrderField::CreatedAt => DeckSort::CreatedAt,
            DeckOrderField::UpdatedAt => DeckSort::UpdatedAt,
            DeckOrderField::Position => DeckSort::Position,
        };
        Self { by, descending: order.direction == OrderDirection::Desc }
    }
}

/// Which decks are meant. What is absent leaves none out.
#[derive(Debug, Clone, Copy, Default, InputObject)]
#[graphql(name = "DeckFilter")]
pub(super) struct DeckFilterInput {
    /// True: only those that lie in no other deck.
    #[graphql(default)]
    top_level: bool,
    /// Those that are archived, or those that are not.
    archived: Option<bool>,
}

impl From<DeckFilterInput> for DeckFilter {
    fn from(filter: DeckFilterInput) -> Self {
        Self { parent: filter.top_level.then_some(None), archived: filter.archived }
    }
}

/// What a list of cards is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum CardOrderField {
    /// By the place in the deck, as `moveCards` puts them.
    Position,
    /// By the time of making.
    CreatedAt,
    /// By the time of the last change or move.
    UpdatedAt,
}

/// The order of a list of cards.
#[derive(Debug, Clone, Copy, InputObject)]
#[graphql(name = "CardOrder")]
pub(super) struct CardOrderInput {
    /// What to sort by.
    #[graphql(default_with = "CardOrderField::Position")]
    field: CardOrderField,
    /// Which way to sort.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl Default for CardOrderInput {
    fn default() -> Self {
        Self { field: CardOrderField::Position, direction: OrderDirection::Asc }
    }
}

/// Which cards are meant. What is absent leaves none out.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "CardFilter")]
pub(super) struct CardFilterInput {
    /// Only those whose note has this tag, or one below it.
    tag: Option<String>,
    /// Only those of notes of this type.
    #[graphql(name = "type")]
    kind: Option<NoteType>,
}

/// A list of cards as the arguments describe it.
pub(super) fn card_list(
    filter: Option<CardFilterInput>,
    order: Option<CardOrderInput>,
) -> Result<CardList, Error> {
    let (filter, order) = (filter.unwrap_or_default(), order.unwrap_or_default());
    Ok(CardList {
        by: match order.field {
            CardOrderField::Position => CardSort::Position,
            CardOrderField::CreatedAt => CardSort::CreatedAt,
            CardOrderField::UpdatedAt => CardSort::UpdatedAt,
        },
        descending: order.direction == OrderDirection::Desc,
        tag: filter.tag.map(|tag| Tag::new("filter.tag", &tag)).transpose()?,
        kind: filter.kind.map(NoteKind::from),
    })
}
