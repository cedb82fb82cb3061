//! Which fields of decks and cards are plain, so that long lists and `_entities` resolve in one pass. Each says the same as the resolver
//! of its name; a test compares them.

use async_graphql::{Name, Value};
use common::graphql::DateTime;
use common::graphql::fast::{Fast, PlainField};

use super::Entity;
use super::card::CardNode;
use super::deck::DeckNode;
use super::media::MediaNode;
use super::note::NoteNode;
use super::user::UserNode;

/// Writes the plain fields of one type down once, for lists of the type and for lists of entities.
macro_rules! plain_fields {
    ($node:ident is $name:ident: $($field:literal => $read:expr,)*) => {
        impl Fast for $node {
            fn concrete_type(&self) -> &'static str {
                stringify!($name)
            }

            fn plain_field(_: &str, field: &str) -> Option<PlainField<Self>> {
                Some(match field {
                    $($field => |node: &$node| {
                        let read: fn(&$node) -> Value = $read;
                        read(node)
                    },)*
                    _ => return None,
                })
            }
        }

        impl $node {
            fn plain_field_of_entity(field: &str) -> Option<PlainField<Entity>> {
                Some(match field {
                    $($field => |entity: &Entity| {
                        let read: fn(&$node) -> Value = $read;
                        match entity {
                            Entity::$name(node) => read(node),
                            _ => Value::Null,
                        }
                    },)*
                    _ => return None,
                })
            }
        }
    };
}

plain_fields! { CardNode is Card:
    "id" => |node| node.card.id.into(),
    "type" => |node| Value::Enum(Name::new(node.card.kind.label())),
    "ordinal" => |node| node.card.ordinal.into(),
    "question" => |node| node.card.question.clone().into(),
    "answer" => |node| node.card.answer.clone().into(),
    "position" => |node| node.card.position.into(),
    "createdAt" => |node| DateTime(node.card.created_at).into(),
    "updatedAt" => |node| DateTime(node.card.updated_at).into(),
    "version" => |node| node.card.version.into(),
    "sourceStartIndex" => |node| node.card.source.map(|source| source.start).into(),
    "sourceEndIndex" => |node| node.card.source.map(|source| source.end).into(),
}

plain_fields! { DeckNode is Deck:
    "id" => |node| node.deck.id.into(),
    "name" => |node| node.deck.name.clone().into(),
    "description" => |node| node.deck.description.clone().into(),
    "color" => |node| node.deck.color.clone().into(),
    "createdAt" => |node| DateTime(node.deck.created_at).into(),
    "updatedAt" => |node| DateTime(node.deck.updated_at).into(),
    "version" => |node| node.deck.version.into(),
    "archived" => |node| node.deck.archived.into(),
    "position" => |node| node.deck.position.into(),
    "cardCount" => |node| node.deck.card_count.into(),
}

plain_fields! { NoteNode is Note:
    "id" => |node| node.note.id.into(),
    "guid" => |node| node.note.guid.text().into(),
    "type" => |node| Value::Enum(Name::new(node.note.content.kind().label())),
    "createdAt" => |node| DateTime(node.note.created_at).into(),
    "updatedAt" => |node| DateTime(node.note.updated_at).into(),
    "version" => |node| node.note.version.into(),
}

plain_fields! { MediaNode is Media:
    "id" => |node| node.media.id.into(),
    "name" => |node| node.media.name.text().into(),
    "sha256" => |node| node.media.hash.to_string().into(),
    "contentType" => |node| node.media.kind.content_type().into(),
    "size" => |node| node.media.size.into(),
    "url" => |node| node.media.path().into(),
    "createdAt" => |node| DateTime(node.media.created_at).into(),
}

plain_fields! { UserNode is User:
    "id" => |node| node.id.into(),
}

impl Fast for Entity {
    fn concrete_type(&self) -> &'static str {
        match self {
            Self::User(node) => node.concrete_type(),
            Self::Deck(node) => node.concrete_type(),
            Self::Note(node) => node.concrete_type(),
            Self::Card(node) => node.concrete_type(),
            Self::Media(node) => node.concrete_type(),
        }
    }

    fn plain_field(concrete_type: &str, field: &str) -> Option<PlainField<Self>> {
        match concrete_type {
            "User" => UserNode::plain_field_of_entity(field),
            "Deck" => DeckNode::plain_field_of_entity(field),
            "Note" => NoteNode::plain_field_of_entity(field),
            "Card" => CardNode::plain_field_of_entity(field),
            "Media" => MediaNode::plain_field_of_entity(field),
            _ => None,
        }
    }
}
