//! What all connections that last have in common: room for messages that is bounded, a heartbeat, an end for a reason, and a limit
//! of how many a client may have. It knows no wire format.
//!
//! The policy for a client that reads slowly: its messages wait in a bounded queue, and while that is full nothing is taken from the
//! subgraphs. No event is dropped to make room, since a later one may build on it; a message that found no room for as long as
//! [`StreamSettings::patience`](crate::settings::StreamSettings::patience) ends the connection.

mod clients;
mod outlet;
mod queue;
mod reservations;

pub(crate) use clients::{Clients, Permit};
pub(crate) use outlet::{Next, Outlet};
pub(crate) use queue::{Gone, Inbox, Outbox, queue};
pub(crate) use reservations::Reservations;

use std::sync::Arc;

use crate::code::Code;
use crate::outcome::{Outcome, Part};

/// What an operation puts in the queue of its connection.
#[derive(Debug)]
pub(crate) struct Message {
    /// The operation, as the client named it; empty where a connection has only one.
    pub(crate) id: Arc<str>,
    pub(crate) content: Content,
}

/// A part of an operation's answer, or its end.
#[derive(Debug)]
pub(crate) enum Content {
    Part(Part),
    /// It could not be run, or broke. Nothing but [`Content::Complete`] follows.
    Failed(Outcome),
    /// It is done.
    Complete,
}

/// Why a connection ends before its operations do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The credentials are good no more.
    Expired,
    /// The gateway stops.
    ShuttingDown,
    /// The client reads too slowly.
    TooSlow,
}

impl End {
    const fn code(self) -> Code {
        match self {
            Self::Expired => Code::Unauthenticated,
            Self::ShuttingDown => Code::ShuttingDown,
            Self::TooSlow => Code::StreamTooSlow,
        }
    }

    /// What the client is told.
    pub(crate) fn outcome(self) -> Outcome {
        Outcome::refused(self.code(), self.message())
    }

    pub(crate) const fn message(self) -> &'static str {
        match self {
            Self::Expired => "the token has expired or its session was ended: sign in again",
            Self::ShuttingDown => "the server stops: connect again",
            Self::TooSlow => "messages were read too slowly: connect again",
        }
    }
}
