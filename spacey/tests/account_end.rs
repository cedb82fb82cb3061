//! An account that is deleted leaves nothing of its owner in any domain: users, decks, learning and generation together, on both stores, with nothing
//! between them but events. What is left is looked for in every table and collection there is, byte by byte.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_graphql::{Name, Variables};
use axum::extract::Query;
use axum::routing::post;
use axum::{Json, Router};
use common::graphql::Upload;
use common::mongo::Mongo;
use common::sqlite::Sqlite;
use common::token::AccessTokens;
use common::{
    Backend, Caller, Clock, Endpoint, Later, Revocations, Roles, SubgraphRequest, Viewer, testing,
};
use futures::TryStreamExt;
use generation::GenerationSettings;
use generation::queue::Bounds;
use jiff::{SignedDuration, Timestamp};
use mongodb::bson::{RawDocumentBuf, doc};
use rusqlite::types::ValueRef;
use serde_json::{Value, json};
use users::{HashingCost, MIGRATIONS, Users, UsersSettings};

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery staple";
/// A word that is in all that the person writes.
const WORD: &str = "quixotic";
/// That word, a comma and that word.
const WORD_IN_BASE64: &str = "cXVpeG90aWMscXVpeG90aWM=";
const TIME_ZONE: &str = "Pacific/Kiritimati";
/// Where it is kept that an account was there, so that what arrives late makes nothing anew: an id, and no more.
const TOMBSTONES: [&str; 4] = ["owner", "owners", "person", "persons"];

struct World {
    users: Users,
    decks: Arc<dyn Endpoint>,
    learning: Arc<dyn Endpoint>,
    generation: Arc<dyn Endpoint>,
    /// What the card-generation service was asked to delete.
    deleted: Arc<Mutex<Vec<String>>>,
    tokens: Arc<AccessTokens>,
    clock: Clock,
    _mail: tempfile::TempDir,
}

impl World {
    async fn open([users, decks, learning, generation]: [Backend; 4]) -> Self {
        // As the program does at its start.
        drop(rustls::crypto::ring::default_provider().install_default());
        let clock = Clock::manual(Timestamp::now());
        let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
        let tokens = Arc::new(tokens);
        let mail = tempfile::tempdir().unwrap();
        let later = Later::new("decks");
        let learning = learning::open(learning, vec![later.clone()], clock.clone()).await.unwrap();
        let subscribers = vec![learning.clone()];
        let decks = decks::open(decks, subscribers, clock.clone()).await.unwrap();
        later.is(&decks);
        let deleted = Arc::<Mutex<Vec<String>>>::default();
        let settings = GenerationSettings {
            url: service(deleted.clone()).await,
            secret: "a secret of thirty-two characters".into(),
            timeout: generation::DEFAULT_TIMEOUT,
            bounds: Bounds::default(),
        };
        let config = learning.clone();
        let generation =
            generation::open(generation, settings, decks.clone(), config, clock.clone());
        let generation = generation.await.unwrap();
        let hashing_cost = HashingCost::new(64, 1, 1).unwrap();
        let users = users::open(
            users,
            UsersSettings { hashing_cost, ..UsersSettings::default() },
            tokens.clone(),
            Arc::new(Revocations::new(clock.clone())),
            Arc::new(users::mail::Mailbox::new(mail.path())),
            vec![decks.clone(), learning.clone(), generation.clone()],
            clock.clone(),
        );
        let users = users.await.unwrap();
        Self { users, decks, learning, generation, deleted, tokens, clock, _mail: mail }
    }

    async fn ask(
        &self,
        domain: &Arc<dyn Endpoint>,
        viewer: Option<&Viewer>,
        mutation: &str,
        input: Value,
    ) -> Value {
        let request = SubgraphRequest {
            document: mutation.into(),
            operation_name: None,
            variables: Variables::from_json(json!({ "input": input })),
        };
        let caller = Arc::new(Caller::new(viewer.cloned(), "test"));
        let response = domain.execute(request, caller).await.unwrap();
        assert!(response.errors.is_empty(), "{mutation}: {:?}", response.errors);
        response.data.into_json().unwrap()
    }

    /// Signs up, and uses everything there is.
    async fn live(&self) -> Viewer {
        let users = &self.users.endpoint;
        let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) { email } }";
        let account =
            json!({ "email": EMAIL, "password": PASSWORD, "name": WORD, "timeZone": TIME_ZONE });
        self.ask(users, None, sign_up, account).await;
        let log_in = "mutation($input: LogInInput!) { logIn(input: $input) { accessToken } }";
        let login = json!({ "email": EMAIL, "password": PASSWORD });
        let data = self.ask(users, None, log_in, login).await;
        let token = data["logIn"]["accessToken"].as_str().unwrap();
        let ada = self.tokens.verify(token, self.clock.now()).unwrap();
        let viewer = Some(&ada);

        let key = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
        let expires = self.clock.now() + SignedDuration::from_hours(300 * 24);
        let input = json!({ "name": WORD, "scopes": ["READ"], "expiresAt": expires.to_string() });
        self.ask(users, viewer, key, input).await;

        let deck =
            "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let mut decks = Vec::new();
        for _ in 0..2 {
            let data = self.ask(&self.decks, viewer, deck, json!({ "name": WORD })).await;
            decks.push(data["createDeck"]["deck"]["id"].clone());
        }
        let notes = "mutation($input: CreateNotesInput!) { createNotes(input: $input) { notes { cards { id } } } }";
        let note = json!({ "type": "BASIC_REVERSED", "tags": [WORD], "fields": [
            { "name": "Front", "value": WORD }, { "name": "Back", "value": format!("![](media:{WORD}.png)") } ] });
        let mut cards = Vec::new();
        for deck in &decks {
            let input = json!({ "deckId": deck, "notes": [note, note] });
            let data = self.ask(&self.decks, viewer, notes, input).await;
            cards.push(data["createNotes"]["notes"][0]["cards"][0]["id"].clone());
        }
        self.upload(&ada).await;
        let review = |card: &Value| {
            json!({ "id": uuid::Uuid::new_v4(), "cardId": card, "rating": "GOOD",
                "reviewedAt": self.clock.now().to_string() })
        };
        let submit = "mutation($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
        let reviews: Vec<_> = cards.iter().map(review).collect();
        self.ask(&self.learning, viewer, submit, json!({ "reviews": reviews })).await;
        let session = "mutation($input: StartSessionInput!) { startSession(input: $input) { session { id } } }";
        self.ask(&self.learning, viewer, session, json!({ "deckId": decks[0] })).await;
        let preset = "mutation($input: SaveStudyPresetInput!) { saveStudyPreset(input: $input) { preset { id } } }";
        let input = json!({ "name": WORD, "settings": { "newPerDay": 7 } });
        self.ask(&self.learning, viewer, preset, input).await;
        let generate =
            "mutation($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }";
        let input = json!({ "deckId": decks[0], "source": { "text": WORD }, "instructions": WORD,
            "idempotencyKey": WORD });
        // It takes a verified address and a role.
        let may = Viewer {
            verified: true,
            roles: common::Roles { beta: true, admin: false },
            ..ada.clone()
        };
        self.ask(&self.generation, Some(&may), generate, input).await;
        let add =
            "mutation($input: AddContentInput!) { addContent(input: $input) { content { id } } }";
        let source = json!({ "source": { "url": format!("http://93.184.216.34/{WORD}") } });
        self.ask(&self.generation, Some(&may), add, source).await;
        let import =
            "mutation($input: ImportFileInput!) { importFile(input: $input) { import { id } } }";
        let input = json!({ "name": WORD, "data": WORD_IN_BASE64, "isComplete": false });
        self.ask(&self.decks, viewer, import, input).await;
        let input = json!({ "name": WORD, "data": WORD_IN_BASE64 });
        self.ask(&self.decks, viewer, import, input).await;
        let export =
            "mutation($input: ExportDecksInput!) { exportDecks(input: $input) { export { id } } }";
        self.ask(&self.decks, viewer, export, json!({ "format": "JSON" })).await;
        self.exported(viewer).await;
        self.share(&ada, &decks[0]).await;
        let delete = "mutation($input: DeleteDeckInput!) { deleteDeck(input: $input) { trashId } }";
        self.ask(&self.decks, viewer, delete, json!({ "id": decks[1] })).await;
        ada
    }

    /// Waits until an export is complete.
    async fn exported(&self, viewer: Option<&Viewer>) {
        for _ in 0..3_000 {
            let data = self.ask(&self.decks, viewer, "{ exportJobs { state } }", Value::Null).await;
            if data["exportJobs"][0]["state"] == "DONE" {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the export is never complete");
    }

    /// Publishes a deck, and clones and rates somebody else's.
    async fn share(&self, ada: &Viewer, deck: &Value) {
        let publish = "mutation($input: PublishDeckInput!) { publishDeck(input: $input) { publicDeck { slug } } }";
        let input = json!({ "deckId": deck, "slug": "adas", "licence": "CC0", "title": WORD, "description": WORD,
            "tags": [WORD], "authorName": WORD, "changeNote": WORD });
        self.ask(&self.decks, Some(ada), publish, input).await;

        let bob = Viewer::new(common::UserId::new(), common::SessionId::new(), Roles::default());
        let create =
            "mutation($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let data = self.ask(&self.decks, Some(&bob), create, json!({ "name": "Bob" })).await;
        let bobs = &data["createDeck"]["deck"]["id"];
        let cards =
            "mutation($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }";
        let input = json!({ "deckId": bobs, "cards": [{ "question": "q", "answer": "a" }] });
        self.ask(&self.decks, Some(&bob), cards, input).await;
        let input = json!({ "deckId": bobs, "slug": "bobs", "licence": "CC0" });
        self.ask(&self.decks, Some(&bob), publish, input).await;
        let clone = "mutation($input: ClonePublicDeckInput!) { clonePublicDeck(input: $input) { deck { id } } }";
        self.ask(&self.decks, Some(ada), clone, json!({ "slug": "bobs" })).await;
        let rate = "mutation($input: RatePublicDeckInput!) { ratePublicDeck(input: $input) { publicDeck { slug } } }";
        self.ask(&self.decks, Some(ada), rate, json!({ "slug": "bobs", "stars": 5 })).await;
    }

    /// Stores an image. JSON cannot write one.
    async fn upload(&self, ada: &Viewer) {
        let bytes = [b"\x89PNG\r\n\x1a\n", WORD.as_bytes()].concat().into();
        let file = Upload { name: format!("{WORD}.png"), content_type: None, bytes };
        let mut variables = Variables::default();
        variables.insert(Name::new("file"), file.into());
        let document =
            "mutation($file: Upload!) { uploadMedia(input: { file: $file }) { media { id } } }";
        let request =
            SubgraphRequest { document: document.into(), operation_name: None, variables };
        let caller = Arc::new(Caller::new(Some(ada.clone()), "test"));
        let response = self.decks.execute(request, caller).await.unwrap();
        assert!(response.errors.is_empty(), "{:?}", response.errors);
    }

    /// Deletes the account, and lets the time pass in which that can be undone.
    async fn end(&self, ada: &Viewer) {
        let delete = "mutation($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletionDueAt } }";
        let input = json!({ "password": PASSWORD });
        self.ask(&self.users.endpoint, Some(ada), delete, input).await;
        self.clock.advance(SignedDuration::from_hours(15 * 24));
        self.users.tidy_up().await.unwrap();
    }
}

/// A card-generation service that takes contents, makes no cards, and notes whom it is to forget; says where it is.
async fn service(deleted: Arc<Mutex<Vec<String>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let content = || json!({ "id": WORD, "processing_status": "processing" });
    let add = move || async move { Json(json!({ "data": content() })) };
    let list = move || async move { Json(json!({ "data": [content()] })) };
    let forget = move |Query(of): Query<Vec<(String, String)>>| async move {
        deleted.lock().unwrap().push(of[0].1.clone());
        Json(json!({ "message": "success", "status_code": 200 }))
    };
    let router = Router::new()
        .route("/content", post(add).get(list))
        .route("/user", axum::routing::delete(forget));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// Every row or document there is, with the name of its table.
trait Contents {
    async fn rows(&self) -> Vec<(String, Vec<u8>)>;
}

impl Contents for Sqlite {
    async fn rows(&self) -> Vec<(String, Vec<u8>)> {
        let read = |connection: &rusqlite::Connection| {
            let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
            let mut tables = connection.prepare(tables)?;
            let tables: Vec<String> =
                tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            let mut found = Vec::new();
            for table in tables {
                let mut select = connection.prepare(&format!("SELECT * FROM {table}"))?;
                let columns = select.column_count();
                let mut rows = select.query([])?;
                while let Some(row) = rows.next()? {
                    let mut bytes = Vec::new();
                    for column in 0..columns {
                        match row.get_ref(column)? {
                            ValueRef::Blob(value) | ValueRef::Text(value) => bytes.extend(value),
                            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => {}
                        }
                    }
                    found.push((table.clone(), bytes));
                }
            }
            Ok(found)
        };
        self.read(read).await.unwrap()
    }
}

impl Contents for Mongo {
    async fn rows(&self) -> Vec<(String, Vec<u8>)> {
        let any = self.collection::<RawDocumentBuf>("any");
        let database = any.client().database(&any.namespace().db);
        let mut found = Vec::new();
        for name in database.list_collection_names().await.unwrap() {
            let collection = database.collection::<RawDocumentBuf>(&name);
            let all = collection.find(doc! {}).await.unwrap();
            let all: Vec<RawDocumentBuf> = all.try_collect().await.unwrap();
            found.extend(all.into_iter().map(|document| (name.clone(), document.into_bytes())));
        }
        found
    }
}

/// The tables that hold any of `secrets`.
async fn holding(stores: &[impl Contents; 4], secrets: &[&[u8]]) -> Vec<String> {
    let mut tables = Vec::new();
    for store in stores {
        for (table, bytes) in store.rows().await {
            let holds =
                |secret: &&[u8]| bytes.windows(secret.len()).any(|window| window == *secret);
            if secrets.iter().any(holds) && !tables.contains(&table) {
                tables.push(table);
            }
        }
    }
    tables
}

async fn nothing_is_left(world: World, stores: [impl Contents; 4]) {
    let ada = world.live().await;
    let id = ada.user.uuid().into_bytes();
    let words = [EMAIL, WORD, TIME_ZONE].map(str::as_bytes);
    let all = [words[0], words[1], words[2], &id];
    let before = holding(&stores, &all).await;
    assert!(before.len() >= 20, "where it is all kept: {before:?}");
    world.end(&ada).await;
    await_nothing(&stores, &words, &[], "what the person wrote").await;
    // The card-generation service is told to forget the person, and once more when what it was at is done.
    let deleted = || world.deleted.lock().unwrap().clone();
    let began = Instant::now();
    let of_ada = ada.user.to_string();
    for times in 1..=2 {
        while deleted().len() < times && began.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(deleted(), vec![of_ada.clone(); times], "what the service has");
        world.clock.advance(SignedDuration::from_mins(16));
    }
    await_nothing(&stores, &all, &TOMBSTONES, "who the person was").await;
}

/// Waits until no table but those of `but` holds any of `secrets`: what others are told arrives later where the machine is busy.
async fn await_nothing(stores: &[impl Contents; 4], secrets: &[&[u8]], but: &[&str], what: &str) {
    let began = Instant::now();
    loop {
        let mut left = holding(stores, secrets).await;
        left.retain(|table| !but.contains(&&**table));
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {left:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn in_sqlite() {
    let stores = [MIGRATIONS, decks::MIGRATIONS, learning::MIGRATIONS, generation::MIGRATIONS];
    let stores = stores.map(testing::sqlite);
    let backend = |(_, sqlite): &(_, Sqlite)| Backend::Sqlite(sqlite.clone());
    let world = World::open(stores.each_ref().map(backend)).await;
    nothing_is_left(world, stores.each_ref().map(|(_, sqlite)| sqlite.clone())).await;
}

#[tokio::test]
async fn in_mongodb() {
    let stores = [
        testing::mongo().await,
        testing::mongo().await,
        testing::mongo().await,
        testing::mongo().await,
    ];
    let world = World::open(stores.clone().map(Backend::Mongo)).await;
    nothing_is_left(world, stores).await;
}
