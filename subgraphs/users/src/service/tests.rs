//! The rules that take a look behind the GraphQL schema: what work an answer costs, what is kept of secrets, what is told to others.

mod mail;
mod timing;

use std::collections::VecDeque;
use std::sync::Mutex;

use common::event::UserChanged;
use common::sqlite::Sqlite;
use common::{Endpoint, EndpointError, Event, SubgraphRequest, Viewer, testing};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::MIGRATIONS;
use crate::hashing::{HashingCost, Verdict};
use crate::mail::{Letter, MailError, Mailer};
use crate::model::PasswordHash;
use crate::store::AccountStore;
use crate::store::sqlite::SqliteStore;

struct Fixture {
    _folder: TempDir,
    sqlite: Sqlite,
    store: SqliteStore,
    service: Service,
    clock: Clock,
    told: Arc<Told>,
    mailer: Arc<Scripted>,
}

/// A mailer that answers what it was told to, and else takes everything; it remembers what it was handed.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<MailError>>,
    handed: Mutex<Vec<Letter>>,
}

impl Mailer for Scripted {
    fn send(&self, letter: Letter) -> BoxFuture<'_, std::result::Result<(), MailError>> {
        self.handed.lock().unwrap().push(letter);
        let answer = self.answers.lock().unwrap().pop_front().map_or(Ok(()), Err);
        Box::pin(async { answer })
    }
}

/// A subscriber that remembers what it was told.
#[derive(Default)]
struct Told(Mutex<Vec<UserChanged>>);

impl Endpoint for Told {
    fn name(&self) -> &str {
        "told"
    }

    fn sdl(&self) -> BoxFuture<'_, Result<String, EndpointError>> {
        Box::pin(async { Ok(String::new()) })
    }

    fn execute(
        &self,
        _request: SubgraphRequest,
        _caller: Arc<Caller>,
    ) -> BoxFuture<'_, Result<async_graphql::Response, EndpointError>> {
        Box::pin(async { Ok(async_graphql::Response::default()) })
    }

    fn apply(&self, events: Arc<[Event]>) -> BoxFuture<'_, Result<(), EndpointError>> {
        let users = events.iter().filter_map(|event| match event {
            Event::User(user) => Some(user.clone()),
            _ => None,
        });
        self.0.lock().unwrap().extend(users);
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), EndpointError>> {
        Box::pin(async { Ok(()) })
    }
}

fn service(
    store: &SqliteStore,
    clock: &Clock,
    told: &Arc<Told>,
    mailer: &Arc<Scripted>,
    cost: HashingCost,
) -> Service {
    let store: Arc<dyn Store> = Arc::new(store.clone());
    let outbox = Outbox::start("users", store.clone(), vec![told.clone()]);
    let settings = UsersSettings { hashing_cost: cost, ..UsersSettings::default() };
    let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
    let revocations = Arc::new(Revocations::new(clock.clone()));
    Service::new(
        store,
        outbox,
        settings,
        Arc::new(tokens),
        revocations,
        mailer.clone(),
        clock.clone(),
    )
}

fn fixture() -> Fixture {
    fixture_with(HashingCost::new(64, 1, 1).unwrap())
}

fn fixture_with(cost: HashingCost) -> Fixture {
    let (folder, sqlite) = testing::sqlite(MIGRATIONS);
    let (store, told) = (SqliteStore::new(sqlite.clone()), Arc::<Told>::default());
    let clock = Clock::manual(Timestamp::now());
    let mailer = Arc::<Scripted>::default();
    let service = service(&store, &clock, &told, &mailer, cost);
    Fixture { _folder: folder, sqlite, store, service, clock, told, mailer }
}

const PASSWORD: &str = "correct horse";

fn input(email: &str) -> SignUp<'_> {
    SignUp { email, password: PASSWORD, name: "Ada", time_zone: Some("Asia/Tokyo") }
}

impl Fixture {
    /// Another run of the program on the same store.
    fn restarted(&self) -> Service {
        let cost = HashingCost::new(64, 1, 1).unwrap();
        service(&self.store, &self.clock, &self.told, &self.mailer, cost)
    }

    async fn account(&self, email: &str) -> (User, PasswordHash) {
        let email = Email::new("", email).unwrap();
        self.store.user_by_email(&email).await.unwrap().unwrap()
    }

    async fn signed_in(&self, email: &str) -> Viewer {
        let signed_in = self.service.log_in(&nobody(), email, PASSWORD).await.unwrap();
        self.service.tokens.verify(&signed_in.access_token, self.clock.now()).unwrap()
    }

    /// Statements and hashes that a call takes: the least of a few, since deliveries go on behind it.
    async fn work<T>(&self, call: impl AsyncFn() -> T) -> (u64, u64) {
        let mut least = (u64::MAX, u64::MAX);
        for _ in 0..5 {
            let before = (self.sqlite.statements(), self.service.hasher.runs());
            call().await;
            let after = (self.sqlite.statements(), self.service.hasher.runs());
            least = least.min((after.0 - before.0, after.1 - before.1));
        }
        least
    }
}

fn nobody() -> Caller {
    Caller::anonymous("test")
}

fn as_caller(viewer: &Viewer) -> Caller {
    Caller::new(Some(viewer.clone()), "test")
}

#[tokio::test]
async fn signing_up_with_a_taken_address_gets_the_same_answer_and_changes_nothing() {
    let it = fixture();
    let first = it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let account = it.account("ada@example.org").await;
    let again = SignUp { password: "another password", name: "Eve", ..input("Ada@Example.org") };
    let second = it.service.sign_up(&nobody(), again).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(it.account("ada@example.org").await, account);
    assert!(it.service.log_in(&nobody(), "ada@example.org", PASSWORD).await.is_ok());
    assert!(it.service.log_in(&nobody(), "ada@example.org", "another password").await.is_err());
}

#[tokio::test]
async fn a_taken_address_takes_one_hash_like_a_free_one() {
    let it = fixture();
    for email in ["ada@example.org", "ada@example.org", "eve@example.org"] {
        let before = it.service.hasher.runs();
        it.service.sign_up(&nobody(), input(email)).await.unwrap();
        assert_eq!(it.service.hasher.runs() - before, 1, "{email}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_take_the_same_work() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let wrong = it
        .work(async || it.service.log_in(&nobody(), "ada@example.org", "wrong horse").await)
        .await;
    let unknown = it
        .work(async || it.service.log_in(&nobody(), "eve@example.org", "wrong horse").await)
        .await;
    assert_eq!(wrong.1, 1);
    assert_eq!(wrong, unknown);
    let wrong = it.service.log_in(&nobody(), "ada@example.org", "wrong horse").await.err().unwrap();
    let unknown =
        it.service.log_in(&nobody(), "eve@example.org", "wrong horse").await.err().unwrap();
    let nonsense =
        it.service.log_in(&nobody(), "nonsense", &"x".repeat(1 << 20)).await.err().unwrap();
    for error in [wrong, unknown, nonsense] {
        assert_eq!(
            (error.code(), &*error.to_string()),
            ("WRONG_CREDENTIALS", "wrong e-mail address or password")
        );
    }
}

#[tokio::test]
async fn a_bcrypt_hash_lets_in_once_and_is_replaced() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let (user, hash) = it.account("ada@example.org").await;
    let legacy = PasswordHash(bcrypt::hash(PASSWORD, 4).unwrap());
    it.store.replace_hash(user.id, hash, legacy.clone()).await.unwrap();
    assert!(it.service.log_in(&nobody(), "ada@example.org", "wrong horse").await.is_err());
    assert_eq!(it.account("ada@example.org").await.1, legacy);

    it.service.log_in(&nobody(), "ada@example.org", PASSWORD).await.unwrap();
    let (after, replaced) = it.account("ada@example.org").await;
    assert!(replaced.0.starts_with("$argon2id$"), "{}", replaced.0);
    assert_eq!(after, user, "nothing else changed");
    it.service.log_in(&nobody(), "ada@example.org", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn no_secret_is_in_the_database() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let signed_in = it.service.log_in(&nobody(), "ada@example.org", PASSWORD).await.unwrap();
    let token = signed_in.refresh_token.encode();
    let bytes = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, &token).unwrap();
    let mut files = std::fs::read(it.sqlite.path()).unwrap();
    files.extend(std::fs::read(it.sqlite.path().with_extension("db-wal")).unwrap());
    let held = |secret: &[u8]| files.windows(secret.len()).any(|window| window == secret);
    assert!(held(b"ada@example.org"), "the right files were read");
    for secret in [PASSWORD.as_bytes(), token.as_bytes(), &bytes[..16], &bytes[16..]] {
        assert!(!held(secret));
    }
    assert!(!held(signed_in.access_token.as_bytes()));
}

#[tokio::test]
async fn every_change_is_told_with_a_higher_version() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let viewer = it.signed_in("ada@example.org").await;
    let change = |hour| ProfileChange { name: None, time_zone: None, rollover_hour: Some(hour) };
    for hour in [0, 0, 23] {
        it.service.update_profile(&as_caller(&viewer), change(hour)).await.unwrap();
    }
    let told: Vec<_> =
        it.told.0.lock().unwrap().iter().map(|it| (it.version, it.rollover_hour)).collect();
    assert_eq!(told, [(1, 4), (2, 0), (3, 23)], "a change to the same value is none");
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_made() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let caller = as_caller(&it.signed_in("ada@example.org").await);
    let change = |name, time_zone, rollover_hour| {
        it.service.update_profile(&caller, ProfileChange { name, time_zone, rollover_hour })
    };
    let (one, two, three) = tokio::join!(
        change(Some("Countess"), None, None),
        change(None, Some("Europe/London"), None),
        change(None, None, Some(2))
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let (user, _) = it.account("ada@example.org").await;
    let kept = (user.name.as_str(), user.time_zone.as_str(), user.rollover_hour.get());
    assert_eq!((kept, user.version), (("Countess", "Europe/London", 2), 4));
}

#[tokio::test]
async fn a_restart_knows_the_sessions_that_ended_lately() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("ada@example.org")).await.unwrap();
    let (early, late) =
        (it.signed_in("ada@example.org").await, it.signed_in("ada@example.org").await);
    it.service.log_out(&as_caller(&early)).await.unwrap();
    it.clock.advance(SignedDuration::from_mins(15));
    it.service.log_out(&as_caller(&late)).await.unwrap();
    assert!(it.service.revocations.is_revoked(late.session));

    let restarted = it.restarted();
    restarted.load_revocations().await.unwrap();
    assert!(restarted.revocations.is_revoked(late.session));
    assert!(!restarted.revocations.is_revoked(early.session), "its tokens have expired");
}

#[tokio::test]
async fn who_signed_up_with_the_address_of_an_administrator_to_be_gets_nothing() {
    let it = fixture();
    it.service.sign_up(&nobody(), input("root@example.org")).await.unwrap();
    let stranger = it.signed_in("root@example.org").await;
    let admin = Roles { beta: false, admin: true };
    let password = "the operator's own";
    it.service.ensure_account("root@example.org", "Root", password, admin).await.unwrap();
    assert!(it.service.revocations.is_revoked(stranger.session));
    let (user, hash) = it.account("root@example.org").await;
    assert!(user.email_verified && user.roles.admin);
    let opens = async |password: &str| {
        let typed = crate::model::TypedPassword::new(password);
        it.service.hasher.verify(&typed, Some(&hash)).await.unwrap() != Verdict::Wrong
    };
    assert!(opens(password).await && !opens(PASSWORD).await);
}

#[tokio::test]
async fn an_account_is_ensured_again_without_harm() {
    let it = fixture();
    let beta = Roles { beta: true, admin: false };
    let ensure = async |password, roles| {
        it.service.ensure_account("demo@example.org", "Demo", password, roles).await
    };
    let id = ensure(PASSWORD, beta).await.unwrap();
    let before = it.account("demo@example.org").await;
    assert_eq!(ensure("another password", beta).await.unwrap(), id);
    assert_eq!(it.account("demo@example.org").await, before);

    let admin = Roles { beta: false, admin: true };
    assert_eq!(ensure(PASSWORD, admin).await.unwrap(), id);
    let (user, hash) = it.account("demo@example.org").await;
    assert_eq!((user.roles, hash), (Roles { beta: true, admin: true }, before.1));
    assert!(ensure("short", beta).await.is_err(), "the rules hold for it too");
}
