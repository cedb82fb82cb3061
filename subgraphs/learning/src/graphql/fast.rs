//! Which fields are plain, so that long lists and `_entities` resolve in one pass. Each says the same as the resolver of its name; a test
//! compares them.

use async_graphql::Value;
use async_graphql::resolver_utils::enum_value;
use common::graphql::DateTime;
use common::graphql::fast::{Fast, PlainField};

use super::Entity;
use super::card::{CardNode, ReviewNode};
use super::deck::DeckNode;
use super::user::UserNode;

impl Fast for Entity {
    fn concrete_type(&self) -> &'static str {
        match self {
            Self::User(_) => "User",
            Self::Deck(_) => "Deck",
            Self::Card(_) => "Card",
        }
    }

    fn plain_field(concrete_type: &str, field: &str) -> Option<PlainField<Self>> {
        Some(match (concrete_type, field) {
            ("User", "id") => |entity| user(entity, |user| user.id.into()),
            ("Deck", "id") => |entity| deck(entity, |deck| deck.deck.id.into()),
            ("Deck", "recallScore") => |entity| deck(entity, |deck| deck.deck.recall_score.into()),
            ("Deck", "retrievability") => {
                |entity| deck(entity, |deck| deck.deck.retrievability.into())
            }
            ("Card", "id") => |entity| card(entity, |node| node.card.id.into()),
            ("Card", "state") => |entity| card(entity, |node| enum_value(node.card.state())),
            ("Card", "due") => |entity| card(entity, |node| node.card.due.map(DateTime).into()),
            ("Card", "retrievability") => {
                |entity| card(entity, |node| node.card.retrievability.into())
            }
            ("Card", "recallScore") => |entity| card(entity, |node| node.card.recall_score.into()),
            _ => return None,
        })
    }
}

fn user(entity: &Entity, read: fn(&UserNode) -> Value) -> Value {
    match entity {
        Entity::User(user) => read(user),
        _ => Value::Null,
    }
}

fn deck(entity: &Entity, read: fn(&DeckNode) -> Value) -> Value {
    match entity {
        Entity::Deck(deck) => read(deck),
        _ => Value::Null,
    }
}

fn card(entity: &Entity, read: fn(&CardNode) -> Value) -> Value {
    match entity {
        Entity::Card(card) => read(card),
        _ => Value::Null,
    }
}

impl Fast for ReviewNode {
    fn concrete_type(&self) -> &'static str {
        "Review"
    }

    fn plain_field(_: &str, field: &str) -> Option<PlainField<Self>> {
        Some(match field {
            "id" => |review| review.id.into(),
            "rating" => |review| enum_value(review.rating),
            "practice" => |review| review.practice.into(),
            "undone" => |review| review.undone.into(),
            "reviewedAt" => |review| review.reviewed_at.into(),
            "durationMs" => |review| review.duration_ms.into(),
            "timeZone" => |review| review.time_zone.clone().into(),
            "receivedAt" => |review| review.received_at.into(),
            _ => return None,
        })
    }
}
