//! The mutations' inputs, and how they become valid values of the model.

use async_graphql::{InputObject, MaybeUndefined};
use common::{CardId, DeckId, Error, TrashId};

use crate::model::{
    CardEdit, CardText, Color, DeckEdit, DeckMove, Description, Move, Name, NewCard, NewDeck,
    Source,
};

/// A deck to be made.
#[derive(Debug, InputObject)]
pub(super) struct CreateDeckInput {
    /// An id of the client's own making, any UUID. With it, sending the mutation twice makes the deck once.
    id: Option<DeckId>,
    /// What it is called: 1 to 100 characters without white space around them, no control characters.
    name: String,
    /// What it is about: up to 2,000 characters. Empty when absent.
    description: Option<String>,
    /// Its color, `#RRGGBB`. None when absent.
    color: Option<String>,
    /// The deck it will lie in. At the top when absent.
    parent_id: Option<DeckId>,
}

impl TryFrom<CreateDeckInput> for NewDeck {
    type Error = Error;

    fn try_from(input: CreateDeckInput) -> Result<Self, Error> {
        Ok(Self {
            id: input.id,
            name: Name::new("input.name", &input.name)?,
            description: description(input.description)?,
            color: color(input.color)?,
            parent: input.parent_id,
        })
    }
}

/// What to change about a deck. What is absent stays as it is.
#[derive(Debug, InputObject)]
pub(super) struct UpdateDeckInput {
    /// Which deck.
    id: DeckId,
    /// Its new name: 1 to 100 characters without white space around them, no control characters.
    name: Option<String>,
    /// Its new description: up to 2,000 characters. Null empties it.
    description: MaybeUndefined<String>,
    /// Its new color, `#RRGGBB`. Null takes it away.
    color: MaybeUndefined<String>,
    /// Whether it is put aside: then neither its cards nor those of the decks in it are learned.
    archived: Option<bool>,
    /// The version the client has seen: when the deck has another by now, nothing is changed and the error is CONFLICT.
    expected_version: Option<i64>,
}

impl TryFrom<UpdateDeckInput> for DeckEdit {
    type Error = Error;

    fn try_from(input: UpdateDeckInput) -> Result<Self, Error> {
        Ok(Self {
            id: input.id,
            name: input.name.map(|name| Name::new("input.name", &name)).transpose()?,
            description: given(input.description).map(description).transpose()?,
            color: given(input.color).map(color).transpose()?,
            archived: input.archived,
            expected_version: input.expected_version,
        })
    }
}

/// Which deck to delete.
#[derive(Debug, InputObject)]
pub(super) struct DeleteDeckInput {
    /// Which deck. The decks in it and all their cards are deleted with it.
    pub(super) id: DeckId,
}

/// Cards to be made in one deck.
#[derive(Debug, InputObject)]
pub(super) struct CreateCardsInput {
    /// The deck at whose end they will lie.
    pub(super) deck_id: DeckId,
    /// The cards: 1 to 1,000. All are made, or none.
    cards: Vec<NewCardInput>,
}

/// A card to be made.
#[derive(Debug, InputObject)]
#[graphql(name = "NewCard")]
pub(super) struct NewCardInput {
    /// An id of the client's own making, any UUID. With it, sending the mutation twice makes the card once.
    id: Option<CardId>,
    /// The question: 1 to 10,000 characters, kept as written.
    question: String,
    /// The answer: 1 to 10,000 characters, kept as written.
    answer: String,
    /// Where in a source text it comes from: the index of the first UTF-16 code unit. Give both indices, or none.
    source_start_index: Option<i32>,
    /// Where in a source text it comes from: the index beyond the last UTF-16 code unit.
    source_end_index: Option<i32>,
}

impl CreateCardsInput {
    /// The cards, checked.
    pub(super) fn cards(self) -> Result<Vec<NewCard>, Error> {
        let card = |(index, card): (usize, NewCardInput)| {
            let path = format!("input.cards[{index}]");
            let source = Source::new(&path, card.source_start_index, card.source_end_index)?;
            Ok(NewCard {
                id: card.id,
                question: CardText::new(&format!("{path}.question"), card.question)?,
                answer: CardText::new(&format!("{path}.answer"), card.answer)?,
                source,
            })
        };
        self.cards.into_iter().enumerate().map(card).collect()
    }
}

/// What to change about a card. What is absent stays as it is.
#[derive(Debug, InputObject)]
pub(super) struct UpdateCardInput {
    /// Which card.
    id: CardId,
    /// Its new question: 1 to 10,000 characters, kept as written.
    question: Option<String>,
    /// Its new answer: 1 to 10,000 characters, kept as written.
    answer: Option<String>,
    /// The version the client has seen: when the card has another by now, nothing is changed and the error is CONFLICT.
    expected_version: Option<i64>,
}

impl TryFrom<UpdateCardInput> for CardEdit {
    type Error = Error;

    fn try_from(input: UpdateCardInput) -> Result<Self, Error> {
        let text = |argument, text: Option<String>| {
            text.map(|text| CardText::new(argument, text)).transpose()
        };
        Ok(Self {
            id: input.id,
            question: text("input.question", input.question)?,
            answer: text("input.answer", input.answer)?,
            expected_version: input.expected_version,
        })
    }
}

/// Where to move cards.
#[derive(Debug, InputObject)]
pub(super) struct MoveCardsInput {
    /// Which cards, 1 to 1,000, in their new order: they will lie next to each other.
    card_ids: Vec<CardId>,
    /// The deck to move them to. When absent: the deck of `beforeCardId`, or else the one they lie in.
    deck_id: Option<DeckId>,
    /// The card before which they will lie. When absent: at the end of the deck.
    before_card_id: Option<CardId>,
}

impl From<MoveCardsInput> for Move {
    fn from(input: MoveCardsInput) -> Self {
        Self { cards: input.card_ids, deck: input.deck_id, before: input.before_card_id }
    }
}

/// Which cards to delete.
#[derive(Debug, InputObject)]
pub(super) struct DeleteCardsInput {
    /// Which cards: 1 to 1,000. All are deleted, or none.
    pub(super) ids: Vec<CardId>,
}

/// Where to move a deck.
#[derive(Debug, InputObject)]
pub(super) struct MoveDeckInput {
    /// Which deck. The decks in it go along.
    id: DeckId,
    /// The deck it will lie in. At the top when absent.
    parent_id: Option<DeckId>,
    /// The deck of the same parent before which it will lie. When absent: at the end.
    before_deck_id: Option<DeckId>,
}

impl From<MoveDeckInput> for DeckMove {
    fn from(input: MoveDeckInput) -> Self {
        Self { id: input.id, parent: input.parent_id, before: input.before_deck_id }
    }
}

/// Where to copy a deck.
#[derive(Debug, InputObject)]
pub(super) struct CopyDeckInput {
    /// Which deck.
    pub(super) id: DeckId,
    /// The deck its copy will lie in. At the top when absent.
    pub(super) parent_id: Option<DeckId>,
    /// The copy's name. That of the deck when absent.
    pub(super) name: Option<String>,
}

/// Where to copy cards.
#[derive(Debug, InputObject)]
pub(super) struct CopyCardsInput {
    /// Which cards: 1 to 1,000. Their notes are copied.
    pub(super) card_ids: Vec<CardId>,
    /// The deck at whose end the copies will lie.
    pub(super) deck_id: DeckId,
}

/// What to take out of the trash.
#[derive(Debug, InputObject)]
pub(super) struct RestoreDeletedInput {
    /// Which entry.
    pub(super) trash_id: TrashId,
}

/// What was said, where null says something else than nothing.
pub(super) fn given<T>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

fn description(text: Option<String>) -> Result<Description, Error> {
    Description::new("input.description", text.unwrap_or_default())
}

fn color(text: Option<String>) -> Result<Option<Color>, Error> {
    text.map(|text| Color::new("input.color", &text)).transpose()
}
