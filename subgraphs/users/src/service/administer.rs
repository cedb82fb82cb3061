//! What those with the role ADMIN do: find people, give and take roles, end sessions.

use common::page::{Page, PageRequest};
use common::{Caller, Error, Role, UserId, Viewer};

use super::Service;
use crate::model::{SecurityEventKind, User};
use crate::store::Sessions;

/// The longest text that people are looked for by.
const MAX_SEARCH: usize = 254;

impl Service {
    /// Anybody's account.
    pub(crate) async fn user(&self, caller: &Caller, id: UserId) -> Result<Option<User>, Error> {
        self.administrator(caller)?;
        self.find(id).await
    }

    /// A page of all accounts, or of those whose address or name has `text` in it.
    pub(crate) async fn users(
        &self,
        caller: &Caller,
        text: Option<&str>,
        page: PageRequest<UserId>,
    ) -> Result<Page<User>, Error> {
        self.administrator(caller)?;
        let text = text.map(str::trim).filter(|text| !text.is_empty());
        if text.is_some_and(|text| text.len() > MAX_SEARCH) {
            let message = format!("a text to look for has at most {MAX_SEARCH} bytes");
            return Err(Error::invalid("search", message));
        }
        Ok(self.store.user_page(text.map(str::to_owned), page).await?)
    }

    /// Ends all sessions of a person, and answers how many there were.
    pub(crate) async fn end_sessions_of(
        &self,
        caller: &Caller,
        id: UserId,
    ) -> Result<usize, Error> {
        self.administrator(caller)?;
        self.find(id).await?.ok_or_else(|| Error::not_found("user", id))?;
        let ended = self.end(Sessions::Of(id)).await?;
        self.note(caller, Some(id), SecurityEventKind::SessionsEnded, None).await?;
        Ok(ended)
    }

    /// Gives a role to somebody or takes it from them, for those who administer. Taking one signs the person out everywhere, since what
    /// they carry says they have it.
    pub(crate) async fn set_role(
        &self,
        caller: &Caller,
        id: UserId,
        role: Role,
        granted: bool,
    ) -> Result<User, Error> {
        self.administrator(caller)?;
        if role == Role::User {
            let message = "everybody has the role USER: only BETA and ADMIN can be given or taken";
            return Err(Error::invalid("input.role", message));
        }
        let user = self
            .change(id, role == Role::Admin && !granted, |user| match role {
                Role::User => {}
                Role::Beta => user.roles.beta = granted,
                Role::Admin => user.roles.admin = granted,
            })
            .await?;
        if !granted {
            self.end(Sessions::Of(id)).await?;
        }
        let kind =
            if granted { SecurityEventKind::RoleGranted } else { SecurityEventKind::RoleRevoked };
        self.note(caller, Some(id), kind, Some(role.label().to_owned())).await?;
        Ok(user)
    }

    fn administrator<'a>(&self, caller: &'a Caller) -> Result<&'a Viewer, Error> {
        caller.with_role(Role::Admin)?;
        self.in_person(caller)
    }
}
