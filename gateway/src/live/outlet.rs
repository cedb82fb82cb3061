//! What a connection writes next: a message, a sign of life, or the reason of its end.

use std::sync::Arc;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::queue::Taken;
use super::{End, Inbox};
use crate::authenticate::{Authenticator, Identity};
use crate::health::Drain;
use crate::settings::StreamSettings;

/// The writing side of a connection that lasts.
pub(crate) struct Outlet<T> {
    inbox: Inbox<T>,
    identity: Identity,
    /// None where everybody is anonymous.
    authenticator: Option<Arc<Authenticator>>,
    drain: Drain,
    heartbeat: Interval,
}

/// What to write next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    Message(T),
    /// Nothing was written for a while: show that the connection is alive.
    Heartbeat,
    /// All operations are done.
    Done,
    /// It ends now, whatever is under way.
    End(End),
}

impl<T> Outlet<T> {
    pub(crate) fn new(
        inbox: Inbox<T>,
        identity: Identity,
        authenticator: Option<Arc<Authenticator>>,
        drain: Drain,
        settings: &StreamSettings,
    ) -> Self {
        let mut heartbeat = interval_at(Instant::now() + settings.heartbeat, settings.heartbeat);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { inbox, identity, authenticator, drain, heartbeat }
    }

    /// Waits for what is to be written next. It may be dropped while waiting; nothing is lost.
    pub(crate) async fn next(&mut self) -> Next<T> {
        let next = tokio::select! {
            biased;
            () = self.drain.begun() => return Next::End(End::ShuttingDown),
            taken = self.inbox.take() => match taken {
                Taken::Message(message) => Next::Message(message),
                Taken::Closed => return Next::Done,
                Taken::TooSlow => return Next::End(End::TooSlow),
            },
            _ = self.heartbeat.tick() => Next::Heartbeat,
        };
        if self.authenticator.as_ref().is_some_and(|known| !known.is_still_good(&self.identity)) {
            return Next::End(End::Expired);
        }
        self.heartbeat.reset();
        next
    }
}
