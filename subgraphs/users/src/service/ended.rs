//! Which sessions were ended lately, for processes that did not end them.

use common::Error;
use common::revocation::{Ended, EndedSession, FEED_OVERLAP};
use jiff::Timestamp;

use super::Service;
use super::keys::session_of;

impl Service {
    /// The sessions that were ended, and the API keys that were revoked, since the answer that gave `cursor`, but none so long ago that no access token of it is good. A cursor
    /// that was never given is as good as none.
    pub(crate) async fn ended_since(&self, cursor: Option<i64>) -> Result<Ended, Error> {
        let (now, lifetime) = (self.now(), self.tokens.lifetime());
        let longest = now.saturating_sub(lifetime).unwrap_or(Timestamp::MIN);
        let asked = cursor.and_then(|cursor| Timestamp::from_millisecond(cursor).ok());
        let since = asked.filter(|asked| *asked <= now).unwrap_or(longest).max(longest);
        let mut sessions = Vec::new();
        let keys = self.store.revoked_since(since).await?;
        let keys = keys.into_iter().map(|(key, revoked)| (session_of(key), revoked));
        for (id, ended) in self.store.ended_since(since).await?.into_iter().chain(keys) {
            let until = ended.saturating_add(lifetime).unwrap_or(Timestamp::MAX);
            sessions.push(EndedSession { id, until: until.as_millisecond() });
        }
        let next = now.saturating_sub(FEED_OVERLAP).unwrap_or(Timestamp::MIN);
        Ok(Ended { sessions, cursor: next.as_millisecond() })
    }
}
