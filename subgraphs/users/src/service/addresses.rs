//! Another address for an account: asked for by who knows the password, and confirmed by who reads mail sent there.
//!
//! Until then the present address stays good, and its owner is told. Afterwards the former address, if it was confirmed, is sent a link that undoes it: whoever has taken
//! over an account cannot keep it by changing its address. Asking tells nothing of whether another account has the address: it queues the same mail in
//! both cases, and only who sends it looks. Setting a password in whichever way takes back what was asked for before.

use common::{Caller, Error, UserId};

use super::Service;
use super::passwords::WRONG_SECRET;
use crate::model::{
    AttemptKey, Email, MailKind, MailSecret, NewPassword, Purpose, QueuedMail, SecurityEventKind,
    User,
};
use crate::store::Sessions;

impl Service {
    /// Sends a mail by which the account of the signed-in person, who knows its password, gets another address.
    pub(crate) async fn request_email_change(
        &self,
        caller: &Caller,
        password: &str,
        new: &str,
    ) -> Result<Email, Error> {
        let email = Email::new("input.newEmail", new)?;
        let (user, _) = self.confirm_password(caller, password).await?;
        if user.email == email {
            return Err(Error::invalid(
                "input.newEmail",
                "it is the address of the account already",
            ));
        }
        // One account is no means to send mail to many addresses.
        self.admit(AttemptKey::of_user("email", user.id), self.settings.limits.mail).await?;
        let pending = Some(email.clone());
        self.change(user.id, false, |user| user.pending_email.clone_from(&pending)).await?;
        let detail = Some(email.as_str().to_owned());
        self.note(caller, Some(user.id), SecurityEventKind::EmailChangeRequested, detail).await?;
        // Whoever asks too often for one address is not told: it would show that somebody else asked.
        if self.may_mail(&email).await? {
            self.mail_about(MailKind::ConfirmEmailChange, &email, user.id).await?;
        }
        self.mail(MailKind::EmailChangeRequested, &user.email).await?;
        Ok(email)
    }

    /// Gives an account the address that a secret was sent to, if that is still what its owner wants. Its sessions end, but for the one that
    /// this is asked with.
    pub(crate) async fn confirm_email_change(
        &self,
        caller: &Caller,
        secret: &str,
    ) -> Result<User, Error> {
        self.admit_secret(caller).await?;
        let hash = MailSecret::parse(secret).ok_or(WRONG_SECRET)?.hash();
        let (purpose, now) = (Purpose::ChangeEmail, self.now());
        let grant = self.store.mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        let (id, new) = (grant.user, grant.email);
        let wanted = |user: &User| user.pending_email.as_ref() == Some(&new);
        let former = self.find(id).await?.filter(wanted).ok_or(WRONG_SECRET)?;
        let confirm = |user: &mut User| {
            if wanted(user) {
                user.email = new.clone();
                user.email_verified = true;
                user.pending_email = None;
            }
        };
        let user = self.change(id, false, confirm).await?;
        // The first of two at the same time takes it.
        self.store.take_mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        if user.email != new {
            return Err(WRONG_SECRET);
        }
        let ending = match &caller.viewer {
            Some(viewer) if viewer.user == id => Sessions::OthersOf(id, viewer.session),
            _ => Sessions::Of(id),
        };
        self.end(ending).await?;
        let detail = Some(former.email.as_str().to_owned());
        self.note(caller, Some(id), SecurityEventKind::EmailChanged, detail).await?;
        // Who mistyped their address at first must not hand the account to whoever has that one.
        if former.email_verified {
            self.mail_about(MailKind::EmailChanged, &former.email, id).await?;
        }
        Ok(user)
    }

    /// Gives an account the former address again that a secret was sent to, and a new password. All sessions and API keys of it end.
    ///
    /// # Errors
    /// Among others [`Error::Conflict`] when another account has the address by now; then the secret stays good.
    pub(crate) async fn undo_email_change(
        &self,
        caller: &Caller,
        secret: &str,
        new: &str,
    ) -> Result<User, Error> {
        self.admit_secret(caller).await?;
        let hash = MailSecret::parse(secret).ok_or(WRONG_SECRET)?.hash();
        let (purpose, now) = (Purpose::UndoEmailChange, self.now());
        let grant = self.store.mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        let password = NewPassword::new("input.newPassword", new, &grant.email)?;
        let new = self.hasher.hash(&password).await?;
        let restore = |user: &mut User| {
            user.email = grant.email.clone();
            user.email_verified = true;
        };
        let user = self.change(grant.user, false, restore).await?;
        self.store.take_mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        self.replace_password(&user, &new).await?.ok_or(WRONG_SECRET)?;
        self.note(caller, Some(user.id), SecurityEventKind::EmailChangeUndone, None).await?;
        self.mail(MailKind::PasswordChanged, &user.email).await?;
        Ok(user)
    }

    /// Takes back what was asked for and not confirmed: somebody else may have asked.
    pub(super) async fn withdraw_email_change(&self, user: UserId) -> Result<(), Error> {
        self.change(user, false, |user| user.pending_email = None).await.map(drop)
    }

    /// Queues a mail to an address that is not the account's.
    async fn mail_about(&self, kind: MailKind, to: &Email, user: UserId) -> Result<(), Error> {
        let mail = QueuedMail::new(kind, to.clone(), self.now()).about(user);
        self.store.queue_mail(mail).await?;
        self.mail_waits.notify_one();
        Ok(())
    }
}
