//! The domain with a manual clock and a mailbox, and how to ask it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Variables;
use common::token::AccessTokens;
use common::{
    Backend, Caller, Client, Clock, Revocations, Roles, SubgraphRequest, Viewer, testing,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use users::mail::{Mailbox, StoredLetter};
use users::{HashingCost, Limits, MIGRATIONS, Users, UsersSettings};

pub(crate) struct World {
    pub(crate) users: Users,
    pub(crate) tokens: Arc<AccessTokens>,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) clock: Clock,
    pub(crate) backend: Backend,
    pub(crate) mailbox: Mailbox,
    _mail: tempfile::TempDir,
    _folder: Option<tempfile::TempDir>,
}

/// An answer: its JSON and the cookies it sets.
pub(crate) struct Answer {
    pub(crate) json: Value,
    pub(crate) cookies: Vec<String>,
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        Self::on_sqlite_with(Limits::default()).await
    }

    pub(crate) async fn on_sqlite_with(limits: Limits) -> Self {
        let (folder, sqlite) = testing::sqlite(MIGRATIONS);
        let clock = Clock::manual(Timestamp::now());
        Self { _folder: Some(folder), ..Self::at(Backend::Sqlite(sqlite), clock, limits).await }
    }

    pub(crate) async fn on_mongo() -> Self {
        Self::on_mongo_with(Limits::default()).await
    }

    pub(crate) async fn on_mongo_with(limits: Limits) -> Self {
        let clock = Clock::manual(Timestamp::now());
        Self::at(Backend::Mongo(testing::mongo().await), clock, limits).await
    }

    async fn at(backend: Backend, clock: Clock, limits: Limits) -> Self {
        let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
        let tokens = Arc::new(tokens);
        let mail = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::new(mail.path());
        let revocations = Arc::new(Revocations::new(clock.clone()));
        let settings = UsersSettings {
            hashing_cost: HashingCost::new(64, 1, 1).unwrap(),
            hashing_threads: NonZeroUsize::new(2).unwrap(),
            public_url: "https://app.example".into(),
            limits,
            ..UsersSettings::default()
        };
        let users = users::open(
            backend.clone(),
            settings,
            Arc::clone(&tokens),
            Arc::clone(&revocations),
            Arc::new(mailbox.clone()),
            Vec::new(),
            clock.clone(),
        );
        let users = users.await.unwrap();
        Self { users, tokens, revocations, clock, backend, mailbox, _mail: mail, _folder: None }
    }

    /// The same after a restart of the program.
    pub(crate) async fn restarted(self) -> Self {
        let Self { backend, clock, _folder, _mail: first, .. } = self;
        let again = Self::at(backend, clock, Limits::default()).await;
        drop(first);
        Self { _folder, ..again }
    }

    pub(crate) async fn ask(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Answer {
        self.ask_from(Client::default(), viewer, document, variables).await
    }

    /// Asks from somewhere.
    pub(crate) async fn ask_from(
        &self,
        client: Client,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Answer {
        let caller = Caller { client, ..Caller::new(viewer.cloned(), "test") };
        self.ask_as(caller, document, variables).await
    }

    pub(crate) async fn ask_as(&self, caller: Caller, document: &str, variables: Value) -> Answer {
        let request = SubgraphRequest {
            document: document.into(),
            operation_name: None,
            variables: Variables::from_json(variables),
        };
        let response = self.users.endpoint.execute(request, Arc::new(caller)).await.unwrap();
        let cookies = response.http_headers.get_all("set-cookie").iter();
        let cookies = cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
        Answer { json: serde_json::to_value(&response).unwrap(), cookies }
    }

    /// The data of an answer that must have no error.
    pub(crate) async fn data(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> Value {
        let mut answer = self.ask(viewer, document, variables).await.json;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"].take()
    }

    /// Code, argument and message of the one error of an answer that must have one.
    pub(crate) async fn error(
        &self,
        viewer: Option<&Viewer>,
        document: &str,
        variables: Value,
    ) -> (String, Value, String) {
        let answer = self.ask(viewer, document, variables).await.json;
        error_of(&answer)
    }

    /// The newest mail to somebody with this subject, when it has come.
    pub(crate) async fn mail(&self, to: &str, subject: &str) -> StoredLetter {
        for _ in 0..500 {
            let letters = self.mailbox.letters().await.unwrap();
            let found = letters.into_iter().find(|it| it.to == to && it.subject == subject);
            if let Some(letter) = found {
                return letter;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no mail {subject:?} to {to} has come: {:?}", self.mailbox.letters().await);
    }

    /// The secret of the newest mail to somebody with this subject.
    pub(crate) async fn secret(&self, to: &str, subject: &str) -> String {
        let letter = self.mail(to, subject).await;
        let (_, secret) = letter.text.split_once("#token=").unwrap();
        secret.split_whitespace().next().unwrap().to_owned()
    }

    pub(crate) async fn sign_up(&self, email: &str) {
        let input = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        self.data(None, SIGN_UP, json!({ "input": input })).await;
    }

    pub(crate) async fn log_in(&self, email: &str) -> Value {
        let input = json!({ "email": email, "password": PASSWORD });
        self.data(None, LOG_IN, json!({ "input": input })).await["logIn"].take()
    }

    pub(crate) fn viewer(&self, auth: &Value) -> Viewer {
        self.tokens.verify(auth["accessToken"].as_str().unwrap(), self.clock.now()).unwrap()
    }

    pub(crate) async fn signed_in(&self, email: &str) -> Viewer {
        self.sign_up(email).await;
        self.viewer(&self.log_in(email).await)
    }

    pub(crate) async fn admin(&self) -> Viewer {
        let roles = Roles { beta: false, admin: true };
        let ensured = self.users.ensure_account("root@example.org", "Root", PASSWORD, roles);
        ensured.await.unwrap();
        self.viewer(&self.log_in("root@example.org").await)
    }

    pub(crate) fn statements(&self) -> u64 {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.statements(),
            Backend::Mongo(mongo) => mongo.commands(),
        }
    }
}

/// Code, argument and message of the one error of an answer that must have one.
pub(crate) fn error_of(answer: &Value) -> (String, Value, String) {
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1), "{answer}");
    let error = &answer["errors"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let extensions = &error["extensions"];
    (text(&extensions["code"]), extensions["argument"].clone(), text(&error["message"]))
}

pub(crate) const PASSWORD: &str = "correct horse";
pub(crate) const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { email } }";
pub(crate) const LOG_IN: &str = "mutation($input: LogInInput!) { logIn(input: $input) {
    accessToken accessTokenExpiresAt refreshToken user { id email } } }";
pub(crate) const REFRESH: &str =
    "mutation($input: RefreshTokensInput!) { refreshTokens(input: $input) {
    accessToken refreshToken user { id roles } } }";
pub(crate) const LOG_OUT: &str = "mutation { logOut { loggedOut } }";
pub(crate) const UPDATE: &str =
    "mutation($input: UpdateProfileInput!) { updateProfile(input: $input) {
    user { name timeZone rolloverHour } } }";
pub(crate) const SET_ROLE: &str =
    "mutation($input: SetRoleInput!) { setRole(input: $input) { user { id roles } } }";
pub(crate) const VIEWER: &str =
    "{ viewer { id email name roles emailVerified timeZone rolloverHour createdAt } }";
pub(crate) const ENTITIES: &str = "query($r: [_Any!]!) { _entities(representations: $r) {
    __typename ... on User { id name timeZone } } }";
