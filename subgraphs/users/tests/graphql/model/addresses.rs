//! What the model says of addresses that are changed: by links in mails, of which each is good once, for a while, and as long as it is wanted.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::json;

use super::{DAY, EMAILS, PASSWORDS, Run, code};

const REQUEST_EMAIL: &str =
    "mutation($input: RequestEmailChangeInput!) { requestEmailChange(input: $input) { email } }";
const CONFIRM_EMAIL: &str =
    "mutation($input: ConfirmEmailChangeInput!) { confirmEmailChange(input: $input) { email } }";
const UNDO_EMAIL: &str =
    "mutation($input: UndoEmailChangeInput!) { undoEmailChange(input: $input) { email } }";
const WANTED_SUBJECT: &str = "Your e-mail address was asked for";
const CONFIRM_SUBJECT: &str = "Confirm your new e-mail address";
const CHANGED_SUBJECT: &str = "Your e-mail address was changed";

/// A link in a mail, to an address of an account.
#[derive(Debug)]
pub(super) struct Link {
    account: usize,
    email: usize,
    secret: String,
    expires_at: Timestamp,
    is_good: bool,
}

impl Run {
    /// How many mails with this subject somebody got.
    async fn mails(&self, email: usize, subject: &str) -> usize {
        let letters = self.world.mailbox.letters().await.unwrap();
        letters.iter().filter(|it| it.to == EMAILS[email] && it.subject == subject).count()
    }

    /// Waits for a mail that comes after `before` of its kind.
    async fn mail_after(&self, email: usize, subject: &str, before: usize) {
        while self.mails(email, subject).await == before {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// The link in the newest mail of its kind.
    async fn link(&self, account: usize, email: usize, subject: &str) -> Link {
        let secret = self.world.secret(EMAILS[email], subject).await;
        let days = if subject == CONFIRM_SUBJECT { 1 } else { 7 };
        let expires_at = self.world.clock.now() + SignedDuration::from_hours(days * DAY);
        Link { account, email, secret, expires_at, is_good: true }
    }

    pub(super) async fn request_email(
        &mut self,
        session: usize,
        password: usize,
        email: usize,
    ) -> Result<(), TestCaseError> {
        let Some(index) = self.model.session(session) else { return Ok(()) };
        let viewer = self.model.sessions[index].viewer.clone();
        let number = self.model.sessions[index].account;
        let subject = match self.model.account_of(email) {
            Some(_) => WANTED_SUBJECT,
            None => CONFIRM_SUBJECT,
        };
        let before = self.mails(email, subject).await;
        let input = json!({ "currentPassword": PASSWORDS[password], "newEmail": EMAILS[email] });
        let answer = self.ask(Some(&viewer), REQUEST_EMAIL, input).await;
        let account = &mut self.model.accounts[number];
        let expected = match (account.password == password, account.email == email) {
            (false, _) => "WRONG_CREDENTIALS",
            (true, true) => "BAD_USER_INPUT",
            (true, false) => "-",
        };
        prop_assert_eq!(code(&answer), expected);
        if expected == "-" {
            account.pending = Some(email);
            self.mail_after(email, subject, before).await;
            if subject == CONFIRM_SUBJECT {
                let link = self.link(number, email, subject).await;
                self.model.confirming.push(link);
            }
        }
        Ok(())
    }

    pub(super) async fn confirm_email(&mut self, link: usize) -> Result<(), TestCaseError> {
        let Some(index) = link.checked_rem(self.model.confirming.len()) else { return Ok(()) };
        let now = self.world.clock.now();
        let link = &self.model.confirming[index];
        let (number, email, secret) = (link.account, link.email, link.secret.clone());
        let account = &self.model.accounts[number];
        let wanted = !account.is_gone && account.pending == Some(email);
        let is_good = link.is_good && link.expires_at > now && wanted;
        let expected = match (is_good, self.model.account_of(email)) {
            (false, _) => "WRONG_CREDENTIALS",
            (true, Some(_)) => "CONFLICT",
            (true, None) => "-",
        };
        let (former, was_verified) = (account.email, account.is_verified);
        let before = self.mails(former, CHANGED_SUBJECT).await;
        let answer = self.ask(None, CONFIRM_EMAIL, json!({ "token": secret })).await;
        prop_assert_eq!(code(&answer), expected);
        if expected == "-" {
            let account = &mut self.model.accounts[number];
            (account.email, account.is_verified, account.pending) = (email, true, None);
            let theirs = self.model.confirming.iter_mut().filter(|it| it.account == number);
            theirs.for_each(|it| it.is_good = false);
            self.model.end_sessions(number, None);
            if was_verified {
                self.mail_after(former, CHANGED_SUBJECT, before).await;
                let link = self.link(number, former, CHANGED_SUBJECT).await;
                self.model.undoing.push(link);
            }
        }
        Ok(())
    }

    pub(super) async fn undo_email(
        &mut self,
        link: usize,
        password: usize,
    ) -> Result<(), TestCaseError> {
        let Some(index) = link.checked_rem(self.model.undoing.len()) else { return Ok(()) };
        let now = self.world.clock.now();
        let link = &self.model.undoing[index];
        let (number, email, secret) = (link.account, link.email, link.secret.clone());
        let expires_at = link.expires_at;
        let is_good = link.is_good && expires_at > now && !self.model.accounts[number].is_gone;
        let owner = self.model.account_of(email);
        let expected = match (is_good, owner.is_some_and(|owner| owner != number)) {
            (false, _) => "WRONG_CREDENTIALS",
            (true, true) => "CONFLICT",
            (true, false) => "-",
        };
        let input = json!({ "token": secret, "newPassword": PASSWORDS[password] });
        prop_assert_eq!(code(&self.ask(None, UNDO_EMAIL, input).await), expected);
        if expected == "-" {
            let account = &mut self.model.accounts[number];
            (account.email, account.password) = (email, password);
            (account.is_verified, account.pending) = (true, None);
            for it in self.model.undoing.iter_mut().filter(|it| it.account == number) {
                it.is_good &= it.expires_at < expires_at;
            }
            self.model.end_sessions(number, None);
            self.model.revoke_keys(number);
        }
        Ok(())
    }
}
