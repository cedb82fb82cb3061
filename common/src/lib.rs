//! What every crate of Spacey shares: ids, clock, errors, identity, the [`Endpoint`] seam between the gateway
//! and the domains, events between domains, and the plumbing of both kinds of store.
//!
//! It knows no domain: no table, no GraphQL type and no rule of one belongs here.

pub mod api_key;
pub mod calendar;
pub mod client;
pub mod clock;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod feature;
pub mod file;
pub mod graphql;
pub mod history;
pub mod id;
pub mod later;
pub mod metrics;
pub mod mongo;
pub mod outbox;
pub mod page;
pub mod prompt;
pub mod public;
pub mod revocation;
pub mod service_config;
pub mod sqlite;
pub mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod token;
pub mod trace;
pub mod viewer;
pub mod vouched;

pub use api_key::KeyVerifier;
pub use calendar::{Calendar, Day};
pub use client::Client;
pub use clock::Clock;
pub use endpoint::{Endpoint, EndpointError, SubgraphRequest};
pub use error::{Error, StoreError};
pub use event::Event;
pub use file::{FileBytes, FileInfo};
pub use id::{
    ApiKeyId, CardId, ConfigChangeId, ContentId, DeckId, DraftId, EventId, FitId, GenerationJobId,
    LearningSessionId, MailId, MediaId, NoteId, PresetId, PublicationId, ReviewId, SecurityEventId,
    SessionId, TransferId, TrashId, UserId,
};
pub use later::Later;
pub use public::PublicRevision;
pub use revocation::Revocations;
pub use service_config::ServiceConfig;
pub use viewer::{Caller, RefreshCookie, Role, Roles, Viewer};

/// Where a domain keeps its data: the same rules run over either.
#[derive(Debug, Clone)]
pub enum Backend {
    /// One file in the data folder.
    Sqlite(sqlite::Sqlite),
    /// A database of a replica set.
    Mongo(mongo::Mongo),
}
