//! The log of security events: what is noted, and who may read it.

use common::page::{Page, PageRequest};
use common::{Caller, Error, Role, SecurityEventId, UserId};

use super::Service;
use crate::model::{SecurityEvent, SecurityEventKind};

impl Service {
    /// Notes what happened to an account, or about an address that has none.
    pub(super) async fn note(
        &self,
        caller: &Caller,
        user: Option<UserId>,
        kind: SecurityEventKind,
        detail: Option<String>,
    ) -> Result<(), Error> {
        let event = SecurityEvent {
            id: SecurityEventId::new(),
            user,
            actor: caller.viewer.as_ref().map(|viewer| viewer.user),
            kind,
            at: self.now(),
            client: caller.client.clone(),
            detail,
        };
        Ok(self.store.insert_security_event(event).await?)
    }

    /// A page of the events of an account, for its owner and for those who administer.
    pub(crate) async fn security_events_of(
        &self,
        caller: &Caller,
        user: UserId,
        page: PageRequest<SecurityEventId>,
    ) -> Result<Page<SecurityEvent>, Error> {
        let viewer = self.in_person(caller)?;
        if viewer.user != user && !viewer.roles.admin {
            return Err(Error::not_found("user", user));
        }
        Ok(self.store.security_event_page(Some(user), page).await?)
    }

    /// A page of all events, for those who administer.
    pub(crate) async fn security_events(
        &self,
        caller: &Caller,
        page: PageRequest<SecurityEventId>,
    ) -> Result<Page<SecurityEvent>, Error> {
        self.in_person(caller)?;
        caller.with_role(Role::Admin)?;
        Ok(self.store.security_event_page(None, page).await?)
    }
}
