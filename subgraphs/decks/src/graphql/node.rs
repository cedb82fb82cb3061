//! Relay's global ids. Ids are UUIDs, unique over all types: none has to be made from another.
//!
//! This subgraph finds what is its own, and the viewer. The fields that other subgraphs add to these types are theirs to answer, as
//! everywhere.

use async_graphql::{ID, Interface};

use super::batch::{CardBatch, DeckBatch};
use super::card::CardNode;
use super::deck::DeckNode;
use super::media::MediaNode;
use super::note::NoteNode;
use super::user::UserNode;
use crate::service::Node;

/// Anything with an id by which it can be read again.
#[derive(Debug, Clone, Interface)]
#[graphql(
    name = "Node",
    field(name = "id", ty = "ID", desc = "The id, unique over all types: a UUID.")
)]
pub(super) enum NodeInterface {
    /// A person: the viewer.
    User(UserNode),
    /// A deck.
    Deck(DeckNode),
    /// A note.
    Note(NoteNode),
    /// A card.
    Card(CardNode),
    /// A media file.
    Media(MediaNode),
}

/// Things that were read together, in their order.
pub(super) fn nodes(found: Vec<Option<Node>>) -> Vec<Option<NodeInterface>> {
    let (mut decks, mut notes, mut cards) = (Vec::new(), Vec::new(), Vec::new());
    let mut order = Vec::with_capacity(found.len());
    for node in found {
        order.push(match node {
            None => Place::Nothing,
            Some(Node::User(id)) => Place::User(id),
            Some(Node::Deck(deck)) => {
                decks.push(deck);
                Place::Deck
            }
            Some(Node::Note(note)) => {
                notes.push(note);
                Place::Note
            }
            Some(Node::Card(card)) => {
                cards.push(card);
                Place::Card
            }
            Some(Node::Media(media)) => Place::Media(media.into()),
        });
    }
    let mut decks = DeckBatch::nodes(decks).into_iter();
    let mut notes = NoteNode::of(notes).into_iter();
    let mut cards = CardBatch::nodes(cards).into_iter();
    let node = |place| match place {
        Place::Nothing => None,
        Place::User(id) => Some(NodeInterface::User(UserNode { id })),
        Place::Media(media) => Some(NodeInterface::Media(media)),
        Place::Deck => decks.next().map(NodeInterface::Deck),
        Place::Note => notes.next().map(NodeInterface::Note),
        Place::Card => cards.next().map(NodeInterface::Card),
    };
    order.into_iter().map(node).collect()
}

/// What stands where in the list.
enum Place {
    Nothing,
    User(common::UserId),
    Deck,
    Note,
    Card,
    Media(MediaNode),
}
