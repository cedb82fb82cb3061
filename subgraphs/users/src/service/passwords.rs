//! Passwords that change, and addresses that are confirmed: by who knows the present password, or by the secret of a mail.
//!
//! A secret is good once, for one purpose and a limited time. Asking for one tells nothing of whether there is an account: it queues the
//! same for every address, and only who sends the mail looks.

use common::{Caller, Error};

use super::Service;
use crate::hashing::Verdict;
use crate::model::{
    AttemptKey, Email, MailGrant, MailKind, MailSecret, NewPassword, PasswordHash, Purpose,
    QueuedMail, SecurityEventKind, TypedPassword, User,
};
use crate::store::{Keys, Sessions};

/// What is the same for every secret that is no good.
pub(super) const WRONG_SECRET: Error =
    Error::WrongCredentials("the link is not valid, was used, or has expired: ask for a new mail");
const WRONG_PASSWORD: Error = Error::WrongCredentials("this is not your present password");

impl Service {
    /// Finds out whether accounts have hashes of the program before this one, so that a wrong password takes the same time for all.
    pub(crate) async fn expect_legacy_hashes(&self) -> Result<(), Error> {
        if let Some(cost) = self.store.legacy_cost().await? {
            self.hasher.expect_legacy(cost);
        }
        Ok(())
    }

    /// Changes the password of the signed-in person, who knows the present one, and ends their other sessions.
    pub(crate) async fn change_password(
        &self,
        caller: &Caller,
        current: &str,
        new: &str,
    ) -> Result<User, Error> {
        let session = self.in_person(caller)?.session;
        let (user, typed) = self.confirm_password(caller, current).await?;
        let password = NewPassword::new("input.newPassword", new, &user.email)?;
        let (_, old) = typed;
        let hash = self.hasher.hash(&password).await?;
        self.withdraw_email_change(user.id).await?;
        if !self.store.replace_hash(user.id, old, hash).await? {
            return Err(Error::Conflict("the password was changed meanwhile: try again".into()));
        }
        self.end(Sessions::OthersOf(user.id, session)).await?;
        self.note(caller, Some(user.id), SecurityEventKind::PasswordChanged, None).await?;
        self.mail(MailKind::PasswordChanged, &user.email).await?;
        Ok(user)
    }

    /// The signed-in person's account and what is kept of their password, if `typed` is it.
    pub(super) async fn confirm_password(
        &self,
        caller: &Caller,
        typed: &str,
    ) -> Result<(User, (TypedPassword, crate::model::PasswordHash)), Error> {
        let viewer = self.in_person(caller)?;
        // Whoever got hold of a session cannot guess on.
        let key = AttemptKey::of_user("password", viewer.user);
        self.admit(key, self.settings.limits.log_in).await?;
        let user = self.find(viewer.user).await?.ok_or(Error::Unauthenticated)?;
        let Some((user, hash)) = self.store.user_by_email(&user.email).await? else {
            return Err(Error::Unauthenticated);
        };
        let typed = TypedPassword::new(typed);
        if self.hasher.verify(&typed, Some(&hash)).await? == Verdict::Wrong {
            return Err(WRONG_PASSWORD);
        }
        self.store.forget_attempts(key).await?;
        Ok((user, (typed, hash)))
    }

    /// Sends the signed-in person a mail by which they confirm their address.
    pub(crate) async fn send_verification(&self, caller: &Caller) -> Result<Email, Error> {
        let viewer = self.in_person(caller)?;
        let user = self.find(viewer.user).await?.ok_or(Error::Unauthenticated)?;
        if user.email_verified {
            return Err(Error::Conflict("the address is confirmed already".into()));
        }
        self.admit(AttemptKey::of_email("mail", &user.email), self.settings.limits.mail).await?;
        self.mail(MailKind::VerifyEmail, &user.email).await?;
        Ok(user.email)
    }

    /// Confirms the address of the account that a secret was sent for.
    pub(crate) async fn verify_email(&self, caller: &Caller, secret: &str) -> Result<User, Error> {
        self.admit_secret(caller).await?;
        let hash = MailSecret::parse(secret).ok_or(WRONG_SECRET)?.hash();
        let taken = self.store.take_mail_token(hash, Purpose::VerifyEmail, self.now()).await?;
        let MailGrant { user: id, email } = taken.ok_or(WRONG_SECRET)?;
        let user =
            self.change(id, false, |user| user.email_verified |= user.email == email).await?;
        if user.email != email {
            return Err(WRONG_SECRET);
        }
        self.note(caller, Some(id), SecurityEventKind::EmailVerified, None).await?;
        Ok(user)
    }

    /// Sends a mail by which a new password can be set, if the address has an account. Nothing here knows whether it has.
    pub(crate) async fn request_password_reset(
        &self,
        caller: &Caller,
        email: &str,
    ) -> Result<Email, Error> {
        let email = Email::new("input.email", email)?;
        let key = AttemptKey::of_network("reset", &caller.client);
        self.admit(key, self.settings.limits.reset).await?;
        let owner = self.store.user_by_email(&email).await?.map(|(user, _)| user.id);
        self.note(caller, owner, SecurityEventKind::PasswordResetRequested, None).await?;
        // Whoever asks too often is not told: it would show that somebody else asked.
        if self.may_mail(&email).await? {
            self.mail(MailKind::ResetPassword, &email).await?;
        }
        Ok(email)
    }

    /// Sets a new password for the account that a secret was sent for. Every session and API key of it ends: somebody else may have made
    /// them. Its address is confirmed by it too.
    pub(crate) async fn reset_password(
        &self,
        caller: &Caller,
        secret: &str,
        new: &str,
    ) -> Result<User, Error> {
        self.admit_secret(caller).await?;
        let hash = MailSecret::parse(secret).ok_or(WRONG_SECRET)?.hash();
        let (purpose, now) = (Purpose::ResetPassword, self.now());
        let grant = self.store.mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        let id = grant.user;
        // A mail to an address that the account has no more is good for nothing.
        let sent_to_it = |user: &User| user.email == grant.email;
        let user = self.find(id).await?.filter(sent_to_it).ok_or(WRONG_SECRET)?;
        // A password that is refused leaves the secret good for another try.
        let password = NewPassword::new("input.newPassword", new, &user.email)?;
        let new = self.hasher.hash(&password).await?;
        self.store.take_mail_token(hash, purpose, now).await?.ok_or(WRONG_SECRET)?;
        self.replace_password(&user, &new).await?.ok_or(WRONG_SECRET)?;
        let user = self.change(id, false, |user| user.email_verified = true).await?;
        self.note(caller, Some(id), SecurityEventKind::PasswordReset, None).await?;
        self.mail(MailKind::PasswordChanged, &user.email).await?;
        Ok(user)
    }

    /// Gives an account another password, whatever the present one is. Every session and API key ends. None when there is no such account.
    pub(super) async fn replace_password(
        &self,
        user: &User,
        new: &PasswordHash,
    ) -> Result<Option<()>, Error> {
        self.withdraw_email_change(user.id).await?;
        loop {
            let Some((_, old)) = self.store.user_by_email(&user.email).await? else {
                return Ok(None);
            };
            if self.store.replace_hash(user.id, old, new.clone()).await? {
                break;
            }
        }
        if !user.email_verified {
            // Nobody knew that the address was theirs for whom another issuer vouched.
            self.store.forget_people(user.id).await?;
        }
        self.end(Sessions::Of(user.id)).await?;
        self.revoke_keys(Keys::Of(user.id)).await?;
        Ok(Some(()))
    }

    /// Queues a mail and wakes whoever sends it.
    pub(super) async fn mail(&self, kind: MailKind, to: &Email) -> Result<(), Error> {
        self.store.queue_mail(QueuedMail::new(kind, to.clone(), self.now())).await?;
        self.mail_waits.notify_one();
        Ok(())
    }

    /// A secret of 256 bits is not guessed; who tries all the same is slowed down.
    pub(super) async fn admit_secret(&self, caller: &Caller) -> Result<(), Error> {
        let key = AttemptKey::of_network("secret", &caller.client);
        self.admit(key, self.settings.limits.reset).await
    }
}
