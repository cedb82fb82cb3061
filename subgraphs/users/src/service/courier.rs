//! Sends the mail that waits. What is sent is made here, at the last moment: the text, and the secret of the link.
//!
//! A mail that the server has taken is forgotten; one that it refused for good, too. One that could not be sent is tried again after a pause
//! that doubles, for a day. While it is being sent nobody else sends it; after a crash within that time it is sent once more, under the same
//! message id.

use std::time::Duration;

use common::Error;
use jiff::SignedDuration;

use super::Service;
use crate::mail::{Content, Letter, Link, MailError};
use crate::model::{Email, MailKind, MailSecret, MailToken, Purpose, QueuedMail, User};

/// How many are sent at the same time.
const AT_ONCE: u32 = 4;
/// How long sending one may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long nobody else tries: longer than sending may take.
const CLAIMED_FOR: SignedDuration = SignedDuration::from_mins(2);
/// The pause after the first try that failed.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// After how long a mail is given up.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Service {
    /// Sends what may be sent now, and answers how many mails it dealt with.
    pub(crate) async fn send_mail(&self) -> Result<usize, Error> {
        let mut count = 0;
        loop {
            let now = self.now();
            let until = now.saturating_add(CLAIMED_FOR).unwrap_or(now);
            let claimed = self.store.claim_mail(now, until, AT_ONCE).await?;
            if claimed.is_empty() {
                return Ok(count);
            }
            count += claimed.len();
            let sent = claimed.into_iter().map(|mail| self.deliver(mail));
            for result in futures::future::join_all(sent).await {
                result?;
            }
        }
    }

    async fn deliver(&self, mail: QueuedMail) -> Result<(), Error> {
        let Some(letter) = self.letter(&mail).await? else {
            return Ok(self.store.forget_mail(mail.id).await?);
        };
        let sending = tokio::time::timeout(PATIENCE, self.mailer.send(letter));
        let sent = sending.await.unwrap_or_else(|elapsed| Err(MailError::Later(Box::new(elapsed))));
        let (id, kind) = (mail.id, mail.kind.as_str());
        match sent {
            Ok(()) => tracing::debug!(%id, kind, "a mail was sent"),
            Err(MailError::Never(error)) => tracing::warn!(%id, kind, %error, "a mail was refused"),
            Err(MailError::Later(error)) => {
                let now = self.now();
                if now.duration_since(mail.created_at) < GIVE_UP_AFTER {
                    let due_at = now.saturating_add(pause_after(mail.attempts)).unwrap_or(now);
                    tracing::info!(%id, kind, %error, %due_at, "a mail is tried again later");
                    return Ok(self.store.put_off_mail(id, due_at).await?);
                }
                tracing::warn!(%id, kind, %error, "a mail is given up");
            }
        }
        Ok(self.store.forget_mail(id).await?)
    }

    /// What to send; nothing when there is no account, or no reason any more.
    async fn letter(&self, mail: &QueuedMail) -> Result<Option<Letter>, Error> {
        let Some((kind, user)) = self.subject(mail).await? else { return Ok(None) };
        let (settings, to) = (&self.settings, &mail.recipient);
        let page = |path| format!("{}{path}", settings.public_url);
        let (link, lifetime) = match kind {
            MailKind::VerifyEmail if user.email_verified => return Ok(None),
            MailKind::DeletionRequested if user.delete_at.is_none() => return Ok(None),
            MailKind::VerifyEmail => {
                let lifetime = settings.verification_lifetime;
                let secret = self.secret(&user, to, Purpose::VerifyEmail, lifetime).await?;
                let address = page(format!("/verify-email#token={secret}"));
                (Some(Link { label: "Confirm the address", address }), lifetime)
            }
            MailKind::ResetPassword => {
                let lifetime = settings.reset_lifetime;
                let secret = self.secret(&user, to, Purpose::ResetPassword, lifetime).await?;
                let address = page(format!("/reset-password#token={secret}"));
                (Some(Link { label: "Set a new password", address }), lifetime)
            }
            MailKind::ConfirmEmailChange => {
                let lifetime = settings.email_change_lifetime;
                let secret = self.secret(&user, to, Purpose::ChangeEmail, lifetime).await?;
                let address = page(format!("/confirm-email-change#token={secret}"));
                (Some(Link { label: "Confirm the new address", address }), lifetime)
            }
            MailKind::EmailChanged => {
                let lifetime = settings.email_undo_lifetime;
                let secret = self.secret(&user, to, Purpose::UndoEmailChange, lifetime).await?;
                let address = page(format!("/undo-email-change#token={secret}"));
                (Some(Link { label: "Undo the change", address }), lifetime)
            }
            MailKind::AddressTaken
            | MailKind::AddressWanted
            | MailKind::EmailChangeRequested
            | MailKind::PasswordChanged => {
                let label = "Go to Spacey";
                (Some(Link { label, address: page(String::new()) }), SignedDuration::ZERO)
            }
            MailKind::DeletionRequested => (None, settings.deletion_grace),
        };
        let content = Content::new(kind, &user.name, link, &in_words(lifetime));
        Ok(Some(Letter {
            id: mail.id,
            to: mail.recipient.clone(),
            subject: content.subject,
            text: content.text(),
            html: content.html(),
        }))
    }

    /// What a mail is, and of whose account it speaks; nothing when there is no account, or no reason any more.
    async fn subject(&self, mail: &QueuedMail) -> Result<Option<(MailKind, User)>, Error> {
        let owner = self.store.user_by_email(&mail.recipient).await?.map(|(user, _)| user);
        let Some(about) = mail.about else { return Ok(owner.map(|owner| (mail.kind, owner))) };
        let user = self.find(about).await?;
        Ok(match mail.kind {
            // Whether the address was free is seen only here, by nobody but who reads mail sent there.
            MailKind::ConfirmEmailChange if owner.is_some() => {
                owner.map(|owner| (MailKind::AddressWanted, owner))
            }
            MailKind::ConfirmEmailChange => user
                .filter(|user| user.pending_email.as_ref() == Some(&mail.recipient))
                .map(|user| (mail.kind, user)),
            kind => user.filter(|user| user.email != mail.recipient).map(|user| (kind, user)),
        })
    }

    /// A new secret for who reads mail sent to an address. It stands behind the `#` of a link, the part that browsers send to no server and no other page.
    async fn secret(
        &self,
        user: &User,
        email: &Email,
        purpose: Purpose,
        lifetime: SignedDuration,
    ) -> Result<String, Error> {
        let (secret, now) = (MailSecret::generate(), self.now());
        let expires_at = now.saturating_add(lifetime).unwrap_or(now);
        let (hash, email) = (secret.hash(), email.clone());
        let token = MailToken { hash, user: user.id, purpose, email, expires_at };
        self.store.insert_mail_token(token, now).await?;
        Ok(secret.encode())
    }
}

fn pause_after(attempts: u32) -> SignedDuration {
    let factor = 2_i32.checked_pow(attempts.saturating_sub(1)).unwrap_or(i32::MAX);
    FIRST_PAUSE.checked_mul(factor).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

/// A duration as people say it, in the largest unit that divides it.
fn in_words(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = [(86_400, "day"), (3600, "hour"), (60, "minute")]
        .into_iter()
        .find(|(unit, _)| seconds >= *unit && seconds % unit == 0)
        .map_or((seconds, "second"), |(unit, name)| (seconds / unit, name));
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_words() {
        for (seconds, words) in [
            (86_400, "1 day"),
            (172_800, "2 days"),
            (3600, "1 hour"),
            (90 * 60, "90 minutes"),
            (61, "61 seconds"),
        ] {
            assert_eq!(in_words(SignedDuration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let pauses = [1, 2, 3, 8, 60].map(|attempts| pause_after(attempts).as_secs());
        assert_eq!(pauses, [30, 60, 120, 3600, 3600]);
    }
}
