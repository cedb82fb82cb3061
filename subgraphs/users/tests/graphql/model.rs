//! Any sequence of what people do with accounts, compared with a simple model of what must come of it.

mod addresses;

use common::{Client, KeyVerifier, Viewer};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};
use users::Limits;

use self::addresses::Link;
use crate::world::{LOG_IN, LOG_OUT, REFRESH, SIGN_UP, World};

const EMAILS: [&str; 3] = ["ada@example.org", "eve@example.org", "joe@example.org"];
const PASSWORDS: [&str; 2] = ["correct horse", "another horse"];
const DAY: i64 = 24;

const END_OTHERS: &str = "mutation { endOtherSessions { endedCount } }";
const CHANGE: &str =
    "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { user { id } } }";
const REQUEST: &str = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { email } }";
const RESET: &str =
    "mutation($input: ResetPasswordInput!) { resetPassword(input: $input) { email } }";
const CREATE_KEY: &str =
    "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret apiKey { id } } }";
const REVOKE_KEY: &str =
    "mutation($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { revokedId } }";
const DELETE: &str =
    "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletionDueAt } }";
const ME: &str = "{ viewer { email pendingEmail emailVerified deletionDueAt sessions { id } } }";

/// What somebody does. A number stands for one of those there are at that moment: an address, a password, a session, a key.
#[derive(Debug, Clone, Copy)]
enum Operation {
    SignUp(usize, usize),
    LogIn(usize, usize),
    LogOut(usize),
    EndOthers(usize),
    ChangePassword(usize, usize, usize),
    Refresh(usize),
    RefreshWithTheFirst(usize),
    ResetPassword(usize, usize),
    RequestEmail(usize, usize, usize),
    ConfirmEmail(usize),
    UndoEmail(usize, usize),
    CreateKey(usize),
    RevokeKey(usize, usize),
    Delete(usize, usize),
    DaysPass(i64),
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let (email, password, any) = (0..EMAILS.len(), 0..PASSWORDS.len(), 0..64_usize);
    prop_oneof![
        3 => (email.clone(), password.clone()).prop_map(|(e, p)| SignUp(e, p)),
        6 => (email.clone(), password.clone()).prop_map(|(e, p)| LogIn(e, p)),
        1 => any.clone().prop_map(LogOut),
        1 => any.clone().prop_map(EndOthers),
        2 => (any.clone(), password.clone(), password.clone()).prop_map(|(s, a, b)| ChangePassword(s, a, b)),
        2 => any.clone().prop_map(Refresh),
        1 => any.clone().prop_map(RefreshWithTheFirst),
        1 => (email.clone(), password.clone()).prop_map(|(e, p)| ResetPassword(e, p)),
        3 => (any.clone(), password.clone(), email).prop_map(|(s, p, e)| RequestEmail(s, p, e)),
        3 => any.clone().prop_map(ConfirmEmail),
        1 => (any.clone(), password.clone()).prop_map(|(s, p)| UndoEmail(s, p)),
        2 => any.clone().prop_map(CreateKey),
        1 => (any.clone(), any.clone()).prop_map(|(s, k)| RevokeKey(s, k)),
        1 => (any, password).prop_map(|(s, p)| Delete(s, p)),
        1 => (1..20_i64).prop_map(DaysPass),
    ]
}

#[derive(Debug, Clone)]
struct Account {
    email: usize,
    password: usize,
    is_verified: bool,
    pending: Option<usize>,
    delete_at: Option<Timestamp>,
    is_gone: bool,
}

#[derive(Debug)]
struct Session {
    account: usize,
    viewer: Viewer,
    refresh_tokens: Vec<Value>,
    refreshed_at: Timestamp,
    expires_at: Timestamp,
    is_good: bool,
}

#[derive(Debug)]
struct Key {
    account: usize,
    secret: String,
    id: Value,
    expires_at: Timestamp,
    is_good: bool,
}

/// What must be.
#[derive(Debug, Default)]
struct Model {
    /// To new addresses, and to former ones, the oldest first.
    confirming: Vec<Link>,
    undoing: Vec<Link>,
    accounts: Vec<Account>,
    sessions: Vec<Session>,
    keys: Vec<Key>,
}

impl Model {
    fn account_of(&self, email: usize) -> Option<usize> {
        self.accounts.iter().position(|account| account.email == email && !account.is_gone)
    }

    /// The session that a number stands for, of those that are good.
    fn session(&self, number: usize) -> Option<usize> {
        let is_good = |index: &usize| self.sessions[*index].is_good;
        let good: Vec<_> = (0..self.sessions.len()).filter(is_good).collect();
        number.checked_rem(good.len()).map(|number| good[number])
    }

    fn end_sessions(&mut self, account: usize, but: Option<usize>) {
        for (index, session) in self.sessions.iter_mut().enumerate() {
            if session.account == account && Some(index) != but {
                session.is_good = false;
            }
        }
    }

    fn revoke_keys(&mut self, account: usize) {
        self.keys
            .iter_mut()
            .filter(|key| key.account == account)
            .for_each(|key| key.is_good = false);
    }
}

/// The code of the error of an answer, or `-`.
fn code(answer: &Value) -> String {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("-").to_owned()
}

struct Run {
    world: World,
    model: Model,
}

impl Run {
    async fn ask(&self, viewer: Option<&Viewer>, document: &str, input: Value) -> Value {
        self.world.ask(viewer, document, json!({ "input": input })).await.json
    }

    async fn perform(&mut self, operation: Operation) -> Result<(), TestCaseError> {
        let now = self.world.clock.now();
        match operation {
            Operation::SignUp(email, password) => {
                let input =
                    json!({ "email": EMAILS[email], "password": PASSWORDS[password], "name": "P" });
                let answer = self.ask(None, SIGN_UP, input).await;
                prop_assert_eq!(code(&answer), "-");
                if self.model.account_of(email).is_none() {
                    let (is_verified, pending, delete_at, is_gone) = (false, None, None, false);
                    self.model.accounts.push(Account {
                        email,
                        password,
                        is_verified,
                        pending,
                        delete_at,
                        is_gone,
                    });
                }
            }
            Operation::LogIn(email, password) => {
                let input = json!({ "email": EMAILS[email], "password": PASSWORDS[password] });
                let answer = self.ask(None, LOG_IN, input).await;
                let account = self.model.account_of(email);
                let account = account.filter(|it| self.model.accounts[*it].password == password);
                prop_assert_eq!(
                    code(&answer),
                    if account.is_some() { "-" } else { "WRONG_CREDENTIALS" }
                );
                if let Some(account) = account {
                    let auth = &answer["data"]["logIn"];
                    self.model.accounts[account].delete_at = None;
                    self.model.sessions.push(Session {
                        account,
                        viewer: self.world.viewer(auth),
                        refresh_tokens: vec![auth["refreshToken"].clone()],
                        refreshed_at: now,
                        expires_at: now + SignedDuration::from_hours(30 * DAY),
                        is_good: true,
                    });
                }
            }
            Operation::LogOut(session) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let viewer = self.model.sessions[index].viewer.clone();
                prop_assert_eq!(code(&self.ask(Some(&viewer), LOG_OUT, Value::Null).await), "-");
                self.model.sessions[index].is_good = false;
            }
            Operation::EndOthers(session) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let viewer = self.model.sessions[index].viewer.clone();
                let answer = self.ask(Some(&viewer), END_OTHERS, Value::Null).await;
                prop_assert_eq!(code(&answer), "-");
                self.model.end_sessions(self.model.sessions[index].account, Some(index));
            }
            Operation::ChangePassword(session, current, new) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let account = self.model.sessions[index].account;
                let input =
                    json!({ "currentPassword": PASSWORDS[current], "newPassword": PASSWORDS[new] });
                let viewer = self.model.sessions[index].viewer.clone();
                let answer = self.ask(Some(&viewer), CHANGE, input).await;
                let is_right = self.model.accounts[account].password == current;
                prop_assert_eq!(code(&answer), if is_right { "-" } else { "WRONG_CREDENTIALS" });
                if is_right {
                    self.model.accounts[account].password = new;
                    self.model.accounts[account].pending = None;
                    self.model.end_sessions(account, Some(index));
                }
            }
            Operation::Refresh(session) => self.refresh(session, false).await?,
            Operation::RefreshWithTheFirst(session) => self.refresh(session, true).await?,
            Operation::ResetPassword(email, password) => self.reset(email, password).await?,
            Operation::RequestEmail(session, password, email) => {
                self.request_email(session, password, email).await?;
            }
            Operation::ConfirmEmail(link) => self.confirm_email(link).await?,
            Operation::UndoEmail(link, password) => self.undo_email(link, password).await?,
            Operation::CreateKey(session) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let expires_at = now + SignedDuration::from_hours(30 * DAY);
                let input =
                    json!({ "name": "k", "scopes": ["READ"], "expiresAt": expires_at.to_string() });
                let (viewer, account) =
                    (self.model.sessions[index].viewer.clone(), self.model.sessions[index].account);
                let answer = self.ask(Some(&viewer), CREATE_KEY, input).await;
                let is_room =
                    |key: &&Key| key.account == account && key.is_good && key.expires_at > now;
                let is_full = self.model.keys.iter().filter(is_room).count() >= 20;
                prop_assert_eq!(code(&answer), if is_full { "LIMIT_EXCEEDED" } else { "-" });
                if !is_full {
                    let made = &answer["data"]["createApiKey"];
                    let (secret, id) =
                        (made["secret"].as_str().unwrap().to_owned(), made["apiKey"]["id"].clone());
                    self.model.keys.push(Key { account, secret, id, expires_at, is_good: true });
                }
            }
            Operation::RevokeKey(session, key) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let Some(key) = key.checked_rem(self.model.keys.len()) else { return Ok(()) };
                let (session, key) = (&self.model.sessions[index], &mut self.model.keys[key]);
                let viewer = session.viewer.clone();
                let is_theirs = key.account == session.account && key.is_good;
                key.is_good &= !is_theirs;
                let input = json!({ "apiKeyId": key.id });
                let answer = self.ask(Some(&viewer), REVOKE_KEY, input).await;
                prop_assert_eq!(code(&answer), if is_theirs { "-" } else { "NOT_FOUND" });
            }
            Operation::Delete(session, password) => {
                let Some(index) = self.model.session(session) else { return Ok(()) };
                let account = self.model.sessions[index].account;
                let viewer = self.model.sessions[index].viewer.clone();
                let answer = self
                    .ask(Some(&viewer), DELETE, json!({ "password": PASSWORDS[password] }))
                    .await;
                let is_right = self.model.accounts[account].password == password;
                prop_assert_eq!(code(&answer), if is_right { "-" } else { "WRONG_CREDENTIALS" });
                if is_right {
                    self.model.accounts[account].delete_at =
                        Some(now + SignedDuration::from_hours(14 * DAY));
                    self.model.end_sessions(account, None);
                    self.model.revoke_keys(account);
                }
            }
            Operation::DaysPass(days) => {
                self.world.clock.advance(SignedDuration::from_hours(days * DAY));
                self.world.users.tidy_up().await.unwrap();
                let now = self.world.clock.now();
                for account in &mut self.model.accounts {
                    account.is_gone |= account.delete_at.is_some_and(|at| at <= now);
                }
                for session in &mut self.model.sessions {
                    session.is_good &= session.expires_at > now;
                }
            }
        }
        Ok(())
    }

    async fn refresh(&mut self, session: usize, with_the_first: bool) -> Result<(), TestCaseError> {
        let Some(index) = session.checked_rem(self.model.sessions.len()) else { return Ok(()) };
        let now = self.world.clock.now();
        let session = &self.model.sessions[index];
        let tokens = &session.refresh_tokens;
        let token = if with_the_first { &tokens[0] } else { &tokens[tokens.len() - 1] };
        // Also the one before, for a while: no day has passed since.
        let is_repeated =
            with_the_first && tokens.len() == 2 && session.refreshed_at == now && session.is_good;
        let is_present = !with_the_first || tokens.len() == 1 || is_repeated;
        let is_good = session.is_good && is_present;
        let answer = self.ask(None, REFRESH, json!({ "refreshToken": token })).await;
        prop_assert_eq!(code(&answer), if is_good { "-" } else { "WRONG_CREDENTIALS" });
        let session = &mut self.model.sessions[index];
        if is_good && is_repeated {
            let again = &answer["data"]["refreshTokens"]["refreshToken"];
            prop_assert_eq!(again, &session.refresh_tokens[1]);
        } else if is_good {
            session.refreshed_at = now;
            session.refresh_tokens.push(answer["data"]["refreshTokens"]["refreshToken"].clone());
            session.expires_at = now + SignedDuration::from_hours(30 * DAY);
        } else if !is_present {
            session.is_good = false;
        }
        Ok(())
    }

    async fn reset(&mut self, email: usize, password: usize) -> Result<(), TestCaseError> {
        let subject = "Set a new password";
        let count = async |run: &Self| {
            let letters = run.world.mailbox.letters().await.unwrap();
            letters.iter().filter(|it| it.to == EMAILS[email] && it.subject == subject).count()
        };
        let before = count(self).await;
        let answer = self.ask(None, REQUEST, json!({ "email": EMAILS[email] })).await;
        prop_assert_eq!(code(&answer), "-");
        let Some(account) = self.model.account_of(email) else { return Ok(()) };
        while count(self).await == before {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let secret = self.world.secret(EMAILS[email], subject).await;
        let input = json!({ "token": secret, "newPassword": PASSWORDS[password] });
        prop_assert_eq!(code(&self.ask(None, RESET, input.clone()).await), "-");
        prop_assert_eq!(code(&self.ask(None, RESET, input).await), "WRONG_CREDENTIALS");
        let it = &mut self.model.accounts[account];
        (it.password, it.is_verified, it.pending) = (password, true, None);
        self.model.end_sessions(account, None);
        self.model.revoke_keys(account);
        Ok(())
    }

    /// Whether the program is in the state of the model.
    async fn check(&self) -> Result<(), TestCaseError> {
        let now = self.world.clock.now();
        for session in &self.model.sessions {
            let account = &self.model.accounts[session.account];
            if !session.is_good {
                continue;
            }
            prop_assert!(!self.world.revocations.is_revoked(session.viewer.session));
            let me = self.world.data(Some(&session.viewer), ME, json!({})).await;
            let me = &me["viewer"];
            prop_assert_eq!(&me["email"], EMAILS[account.email]);
            prop_assert_eq!(&me["emailVerified"], account.is_verified);
            prop_assert_eq!(me["pendingEmail"].as_str(), account.pending.map(|it| EMAILS[it]));
            prop_assert_eq!(me["deletionDueAt"].is_null(), account.delete_at.is_none());
            let good =
                self.model.sessions.iter().filter(|it| it.account == session.account && it.is_good);
            prop_assert_eq!(me["sessions"].as_array().unwrap().len(), good.count());
        }
        for key in &self.model.keys {
            let is_good =
                key.is_good && key.expires_at > now && !self.model.accounts[key.account].is_gone;
            let found = self.world.users.identify(&key.secret, &Client::default()).await.unwrap();
            prop_assert_eq!(found.is_some(), is_good);
        }
        Ok(())
    }
}

/// As many attempts as anybody likes: what is tried here is what comes of them.
fn unlimited() -> Limits {
    let mut limits = Limits::default();
    for backoff in [
        &mut limits.log_in,
        &mut limits.log_in_anywhere,
        &mut limits.log_in_network,
        &mut limits.sign_up,
        &mut limits.reset,
        &mut limits.mail,
    ] {
        backoff.free = u32::MAX;
    }
    limits
}

fn hold(cases: u32, world: impl AsyncFn() -> World) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let sequences = proptest::collection::vec(operation(), 1..60);
    let result = TestRunner::new(config).run(&sequences, |operations| {
        runtime.block_on(async {
            let mut run = Run { world: world().await, model: Model::default() };
            for operation in operations {
                run.perform(operation).await?;
                run.check().await?;
            }
            Ok(())
        })
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

#[test]
fn any_sequence_leads_to_what_the_model_says_on_sqlite() {
    hold(64, async || World::on_sqlite_with(unlimited()).await);
}

#[test]
fn any_sequence_leads_to_what_the_model_says_on_mongo() {
    hold(6, async || World::on_mongo_with(unlimited()).await);
}
