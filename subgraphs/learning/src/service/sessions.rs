//! Learning sessions: a stretch of learning in one deck, started and finished by the client.

use common::page::{Page, PageRequest};
use common::{DeckId, Error, LearningSessionId, Viewer};

use super::Service;
use crate::model::{Session, SessionKey};
use crate::store::Started;

impl Service {
    /// Starts a session in one of the viewer's decks. With an id that was used before, it answers that session: starting twice does no harm.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a deck, [`Error::Conflict`] when the id names a session in another deck; [`Error::Store`].
    pub async fn start_session(
        &self,
        viewer: &Viewer,
        deck: DeckId,
        id: Option<LearningSessionId>,
    ) -> Result<Session, Error> {
        let id = id.unwrap_or_else(LearningSessionId::new);
        let (owner, started_at) = (viewer.user, self.clock.now());
        let session = Session { id, owner, deck, started_at, finished_at: None };
        match self.store.start_session(session).await? {
            Started::Session(session) if session.deck == deck => Ok(session),
            Started::Session(_) => {
                Err(Error::Conflict(format!("session {id} is one of another deck: make a new id")))
            }
            Started::UnknownDeck => Err(Error::not_found("deck", deck)),
        }
    }

    /// Finishes a session; one that was finished before stays as it was.
    ///
    /// # Errors
    /// [`Error::NotFound`] without such a session; [`Error::Store`].
    pub async fn finish_session(
        &self,
        viewer: &Viewer,
        id: LearningSessionId,
    ) -> Result<Session, Error> {
        let finished = self.store.finish_session(viewer.user, id, self.clock.now()).await?;
        finished.ok_or_else(|| Error::not_found("learning session", id))
    }

    /// A page of the viewer's sessions, newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn sessions(
        &self,
        viewer: &Viewer,
        page: PageRequest<SessionKey>,
    ) -> Result<Page<Session>, Error> {
        let rows = self.store.sessions(viewer.user, page.clone()).await?;
        Ok(Page::from_overfull(&page, rows))
    }
}
