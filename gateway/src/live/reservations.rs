//! Event streams that were reserved: the single connection mode of GraphQL over SSE, in which one stream carries the answers of
//! operations that other requests start and stop.
//!
//! A reservation is found by its token, which nobody can guess. Refused: a second stream for one token, an operation of another
//! viewer than the one who reserved, two operations under one id, and more operations than a connection may have. A stream that is
//! not fetched in time is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::UserId;
use tokio::task::AbortHandle;
use uuid::Uuid;

use super::{Inbox, Message, Outbox, Permit};
use crate::authenticate::Identity;
use crate::code::Code;
use crate::outcome::Outcome;

/// The reserved streams, by token. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reservations(Arc<Mutex<HashMap<Uuid, Arc<Reservation>>>>);

/// A stream, reserved or open.
#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) identity: Identity,
    pub(crate) outbox: Outbox<Message>,
    inner: Mutex<Inner>,
    /// Held as long as the stream.
    _permit: Permit,
}

#[derive(Debug)]
struct Inner {
    /// Taken by the request that opens the stream.
    inbox: Option<Inbox<Message>>,
    /// By id. One that is being started has no handle yet.
    operations: HashMap<String, Option<AbortHandle>>,
}

impl Reservations {
    /// Reserves a stream for `identity`; the token finds it.
    pub(crate) fn reserve(
        &self,
        identity: Identity,
        (outbox, inbox): (Outbox<Message>, Inbox<Message>),
        permit: Permit,
    ) -> Uuid {
        // Version 4 holds 122 random bits of the system's generator.
        let token = Uuid::new_v4();
        let inner = Inner { inbox: Some(inbox), operations: HashMap::new() };
        let reservation =
            Reservation { identity, outbox, inner: Mutex::new(inner), _permit: permit };
        self.lock().insert(token, Arc::new(reservation));
        token
    }

    /// The stream of a token.
    ///
    /// # Errors
    /// [`Code::StreamNotFound`] when there is none.
    pub(crate) fn find(&self, token: Uuid) -> Result<Arc<Reservation>, Outcome> {
        self.lock().get(&token).cloned().ok_or_else(not_found)
    }

    /// Forgets a stream that nobody has fetched.
    pub(crate) fn forget_unless_open(&self, token: Uuid) {
        let mut reservations = self.lock();
        if reservations.get(&token).is_some_and(|stream| stream.lock().inbox.is_some()) {
            reservations.remove(&token);
        }
    }

    /// Ends a stream with all its operations.
    pub(crate) fn end(&self, token: Uuid) {
        if let Some(reservation) = self.lock().remove(&token) {
            reservation.lock().operations.drain().filter_map(|(_, task)| task).for_each(|task| {
                task.abort();
            });
        }
    }

    /// A panic elsewhere leaves the map whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Reservation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// What the stream is to carry.
    ///
    /// # Errors
    /// [`Code::StreamConflict`] when it is open already.
    pub(crate) fn open(&self) -> Result<Inbox<Message>, Outcome> {
        self.lock().inbox.take().ok_or_else(|| {
            Outcome::refused(Code::StreamConflict, "this event stream is open already")
        })
    }

    /// Makes room for an operation under `id`, which has no task yet.
    ///
    /// # Errors
    /// [`Code::StreamNotFound`] when the stream is another viewer's, [`Code::StreamConflict`] when the id is taken,
    /// [`Code::TooManyStreams`] when there are `most` operations already.
    pub(crate) fn admit(
        self: &Arc<Self>,
        id: &str,
        viewer: Option<UserId>,
        most: usize,
    ) -> Result<Admitted, Outcome> {
        if self.identity.viewer.as_ref().map(|viewer| viewer.user) != viewer {
            return Err(not_found());
        }
        let mut inner = self.lock();
        if inner.operations.contains_key(id) {
            return Err(Outcome::refused(
                Code::StreamConflict,
                format!("an operation with the id {id:?} is under way on this event stream"),
            ));
        }
        if inner.operations.len() >= most {
            return Err(Outcome::refused(
                Code::TooManyStreams,
                format!("an event stream carries {most} operations at most"),
            ));
        }
        inner.operations.insert(id.to_owned(), None);
        Ok(Admitted { stream: Arc::clone(self), id: Some(id.to_owned()) })
    }

    /// Notes the task of an admitted operation, or aborts it when it was stopped meanwhile.
    fn started(&self, id: &str, task: AbortHandle) {
        match self.lock().operations.get_mut(id) {
            Some(slot) => *slot = Some(task),
            None => task.abort(),
        }
    }

    /// Stops an operation, or forgets one that is done.
    pub(crate) fn stop(&self, id: &str) {
        if let Some(Some(task)) = self.lock().operations.remove(id) {
            task.abort();
        }
    }

    /// A panic elsewhere leaves the map whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to start an operation on a stream. Who does not start it, also because the client is gone, leaves its id free.
#[derive(Debug)]
pub(crate) struct Admitted {
    stream: Arc<Reservation>,
    id: Option<String>,
}

impl Admitted {
    /// Notes the task of the operation, or aborts it when it was stopped meanwhile.
    pub(crate) fn started(mut self, task: AbortHandle) {
        if let Some(id) = self.id.take() {
            self.stream.started(&id, task);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.stream.stop(id);
        }
    }
}

fn not_found() -> Outcome {
    Outcome::refused(
        Code::StreamNotFound,
        "there is no event stream under this token: reserve one by PUT",
    )
}
