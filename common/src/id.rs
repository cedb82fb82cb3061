//! Identifiers: a type for each kind of thing, so that a deck's id cannot be taken for a card's.
//!
//! Each is a UUID, version 7 where we make it (in order of making, which keeps indexes compact), any version where a client
//! makes it. In GraphQL it is an `ID` in the hyphenated form, in SQLite a 16-byte blob, in MongoDB a binary UUID.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use async_graphql::{
    ContextSelectionSet, ID, InputType, InputValueError, InputValueResult, OutputType, Positioned,
    ServerResult, Value, parser::types::Field, registry::Registry,
};
use mongodb::bson::{self, Bson};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID where an id was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id: expected a UUID such as 018f3c1e-7b2a-7cc0-9d5e-0123456789ab")]
pub struct InvalidId(String);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, later in order than those made before it.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "each call gives another id: there is no default one")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// The form MongoDB keeps.
            #[must_use]
            pub const fn to_bson(self) -> bson::Uuid {
                bson::Uuid::from_bytes(self.0.into_bytes())
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl From<bson::Uuid> for $name {
            fn from(uuid: bson::Uuid) -> Self {
                Self(Uuid::from_bytes(uuid.bytes()))
            }
        }

        impl From<$name> for Bson {
            fn from(id: $name) -> Self {
                Self::from(id.to_bson())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId(text.chars().take(60).collect()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.as_hyphenated())
            }
        }

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Uuid::from_slice(value.as_blob()?).map(Self).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }

        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                let mut buffer = Uuid::encode_buffer();
                Self::String(id.0.as_hyphenated().encode_lower(&mut buffer).to_owned())
            }
        }

        impl InputType for $name {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                <ID as InputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as InputType>::create_type_info(registry)
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let id = ID::parse(value).map_err(InputValueError::propagate)?;
                id.parse::<Self>().map_err(InputValueError::custom)
            }

            fn to_value(&self) -> Value {
                (*self).into()
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                <ID as OutputType>::type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <ID as OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                _ctx: &ContextSelectionSet<'_>,
                _field: &Positioned<Field>,
            ) -> ServerResult<Value> {
                Ok((*self).into())
            }
        }
    )*};
}

ids! {
    /// A person's account.
    UserId;
    /// A signed-in device: made at login, ended by logout.
    SessionId;
    /// A deck.
    DeckId;
    /// A card.
    CardId;
    /// A note, of which cards are made.
    NoteId;
    /// An entry of the trash: what was deleted at once.
    TrashId;
    /// An import or an export.
    TransferId;
    /// A deck that is published.
    PublicationId;
    /// An image or a sound of a person.
    MediaId;
    /// A review: made by the client, so that sending it twice stores it once.
    ReviewId;
    /// A named set of study settings.
    PresetId;
    /// A fitting of the memory model to a person's reviews.
    FitId;
    /// A session of learning: made by the client or by us when it starts.
    LearningSessionId;
    /// An entry of an outbox.
    EventId;
    /// A key by which a script acts for a person.
    ApiKeyId;
    /// A mail that waits to be sent.
    MailId;
    /// An entry of the log of what happened to an account's security.
    SecurityEventId;
    /// A change of a setting.
    ConfigChangeId;
    /// A job that makes drafts of cards.
    GenerationJobId;
    /// A draft of a card.
    DraftId;
    /// A page or a file that a person reads, and makes cards of.
    ContentId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_other_text_is_refused() {
        let id = DeckId::new();
        assert_eq!(id.to_string().parse::<DeckId>(), Ok(id));
        let error = "12".parse::<DeckId>().unwrap_err();
        assert!(error.to_string().starts_with("\"12\" is not an id"), "{error}");
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..1000).map(|_| CardId::new()).collect();
        assert!(ids.is_sorted());
    }
}
