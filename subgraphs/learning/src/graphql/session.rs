//! Learning sessions in GraphQL.

use async_graphql::{Object, SimpleObject};
use common::graphql::{DateTime, PageInfo};
use common::page::{Page, encode_cursor};
use common::{DeckId, LearningSessionId};

use crate::model::Session;

/// How many sessions a page holds unless asked otherwise.
pub(super) const DEFAULT_PAGE: u32 = 50;

/// A stretch of learning in one deck.
#[derive(Debug, Clone, SimpleObject)]
pub(super) struct LearningSession {
    /// The session's id, a UUID.
    id: LearningSessionId,
    /// The id of the deck that is learned.
    deck_id: DeckId,
    /// When it started.
    started_at: DateTime,
    /// When it was finished; null while it runs.
    finished_at: Option<DateTime>,
}

impl From<&Session> for LearningSession {
    fn from(session: &Session) -> Self {
        Self {
            id: session.id,
            deck_id: session.deck,
            started_at: DateTime(session.started_at),
            finished_at: session.finished_at.map(DateTime),
        }
    }
}

/// A page of a person's learning sessions.
#[derive(Debug)]
pub(super) struct LearningSessionConnection {
    pub(super) page: Page<Session>,
}

/// A page of a person's learning sessions.
#[Object]
impl LearningSessionConnection {
    /// The sessions with their cursors.
    async fn edges(&self) -> Vec<LearningSessionEdge> {
        let edge = |session| LearningSessionEdge { cursor: cursor(session), node: session.into() };
        self.page.rows.iter().map(edge).collect()
    }

    /// The sessions.
    async fn nodes(&self) -> Vec<LearningSession> {
        self.page.rows.iter().map(LearningSession::from).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, cursor)
    }
}

fn cursor(session: &Session) -> String {
    encode_cursor(&(session.started_at, session.id))
}

/// A session in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct LearningSessionEdge {
    /// Names the session's place in the list, for `after` and `before`.
    cursor: String,
    /// The session.
    node: LearningSession,
}
