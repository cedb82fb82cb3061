//! The end of an account: its owner asks for it, may change their mind for a while, and then every domain forgets them.

use common::{Caller, Error};
use jiff::Timestamp;

use super::Service;
use crate::model::{MailKind, SecurityEventKind, User};
use crate::store::{Keys, Sessions};

/// How many accounts are deleted in one go.
const AT_ONCE: u32 = 50;

impl Service {
    /// Has the signed-in person's account deleted after a while, and signs them out everywhere. Logging in before that keeps it.
    pub(crate) async fn request_deletion(
        &self,
        caller: &Caller,
        password: &str,
    ) -> Result<Timestamp, Error> {
        let (user, _) = self.confirm_password(caller, password).await?;
        if user.roles.admin {
            let message = "an account with the role ADMIN is not deleted: let another administrator take the role first";
            return Err(Error::Conflict(message.into()));
        }
        let delete_at =
            self.now().saturating_add(self.settings.deletion_grace).unwrap_or(Timestamp::MAX);
        let user = self.change(user.id, false, |user| user.delete_at = Some(delete_at)).await?;
        self.end(Sessions::Of(user.id)).await?;
        self.revoke_keys(Keys::Of(user.id)).await?;
        self.note(caller, Some(user.id), SecurityEventKind::DeletionRequested, None).await?;
        self.mail(MailKind::DeletionRequested, &user.email).await?;
        Ok(delete_at)
    }

    /// Keeps an account whose owner has logged in.
    pub(super) async fn cancel_deletion(&self, caller: &Caller, user: User) -> Result<User, Error> {
        if user.delete_at.is_none() {
            return Ok(user);
        }
        let kept = self.change(user.id, false, |user| user.delete_at = None).await?;
        self.note(caller, Some(kept.id), SecurityEventKind::DeletionCancelled, None).await?;
        Ok(kept)
    }

    /// Deletes the accounts whose time has come. Every domain is told by an event that is kept with the deletion.
    pub(crate) async fn delete_due(&self) -> Result<(), Error> {
        loop {
            let now = self.now();
            let due = self.store.users_to_delete(now, AT_ONCE).await?;
            let mut removed = 0;
            for mut user in due {
                user.version += 1;
                // One that was changed meanwhile, by its owner who logged in, stays.
                if self.store.remove_user(user).await? {
                    removed += 1;
                }
            }
            if removed == 0 {
                return Ok(());
            }
            self.outbox.flush().await;
        }
    }

    /// Forgets what has been kept long enough.
    pub(crate) async fn tidy_up(&self) -> Result<(), Error> {
        let now = self.now();
        self.store.purge_attempts(now).await?;
        let before = now.saturating_sub(self.settings.security_events_kept);
        self.store.purge_security_events(before.unwrap_or(Timestamp::MIN)).await?;
        self.delete_due().await
    }
}
