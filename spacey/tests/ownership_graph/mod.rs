//! The whole graph in one process with three people: Ada, who has things; Eve, who has some of her own and everything it takes but Ada's
//! permission; and somebody who administers.

#![expect(clippy::unwrap_used, reason = "only tests call this")]

mod service;

use std::sync::Arc;

use async_graphql::{Name, Variables};
use axum::Router;
use axum::body::{Body, to_bytes};
use common::graphql::Upload;
use common::token::AccessTokens;
use common::{
    Backend, Caller, Clock, Endpoint, Later, Revocations, Roles, SessionId, SubgraphRequest,
    Viewer, testing,
};
use federation::Supergraph;
use federation::compose::{SubgraphSdl, compose};
use gateway::{Gateway, GatewaySettings, Recognition, Transport};
use generation::GenerationSettings;
use generation::queue::Bounds;
use http::{Request, header};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use users::{HashingCost, UsersSettings};

/// Is in every text of Ada's.
pub(crate) const SECRET: &str = "Ada's secret";
/// What ids of no things begin with; two digits make each another.
const ABSENT: &str = "018f0000-0000-7000-8000-0000000dea";
/// The names that stand for ids.
const NAMES: [&str; 18] = [
    "deck",
    "card",
    "other_card",
    "session",
    "review",
    "user",
    "signed_in",
    "api_key",
    "note",
    "trash",
    "preset",
    "import",
    "export",
    "media",
    "job",
    "waiting_job",
    "draft",
    "content",
];
const PASSWORD: &str = "correct horse battery staple";

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Ada,
    Eve,
    Admin,
    Nobody,
}

/// What somebody has, by the names that stand for it in documents.
type Things = Vec<(&'static str, String)>;

pub(crate) struct Graph {
    router: Router,
    tokens: Arc<AccessTokens>,
    endpoints: Vec<Arc<dyn Endpoint>>,
    supergraph: String,
    ada: Viewer,
    eve: Viewer,
    admin: Viewer,
    adas: Things,
    eves: Things,
    _folders: Vec<TempDir>,
    _mail: TempDir,
}

impl Graph {
    pub(crate) async fn open() -> Self {
        Self::open_with(UsersSettings {
            hashing_cost: HashingCost::new(64, 1, 1).unwrap(),
            ..UsersSettings::default()
        })
        .await
    }

    pub(crate) async fn open_with(settings: UsersSettings) -> Self {
        // As the program does at its start.
        drop(rustls::crypto::ring::default_provider().install_default());
        let clock = Clock::System;
        let mut folders = Vec::new();
        let mut backend = |migrations| {
            let (folder, sqlite) = testing::sqlite(migrations);
            folders.push(folder);
            Backend::Sqlite(sqlite)
        };
        let key = AccessTokens::generate_pem().unwrap();
        let tokens = Arc::new(AccessTokens::from_pem(&key).unwrap());
        let revocations = Arc::new(Revocations::default());
        let later = Later::new("decks");
        let learning =
            learning::open(backend(learning::MIGRATIONS), vec![later.clone()], clock.clone())
                .await
                .unwrap();
        let decks = decks::open(backend(decks::MIGRATIONS), vec![learning.clone()], clock.clone())
            .await
            .unwrap();
        later.is(&decks);
        let config = config::open(
            backend(config::MIGRATIONS),
            config::Environment::default(),
            clock.clone(),
        )
        .await
        .unwrap();
        let service = GenerationSettings {
            url: service::listen().await,
            secret: "a secret of thirty-two characters".into(),
            timeout: generation::DEFAULT_TIMEOUT,
            bounds: Bounds::default(),
        };
        let jobs = backend(generation::MIGRATIONS);
        let generation =
            generation::open(jobs, service, decks.clone(), config.clone(), clock.clone());
        let generation = generation.await.unwrap();
        let mail = tempfile::tempdir().unwrap();
        let users = users::open(
            backend(users::MIGRATIONS),
            settings,
            tokens.clone(),
            revocations.clone(),
            Arc::new(users::mail::Mailbox::new(mail.path().to_owned())),
            vec![decks.clone(), learning.clone(), generation.clone()],
            clock.clone(),
        )
        .await
        .unwrap();

        let endpoints = vec![users.endpoint.clone(), config, decks, learning, generation];
        let mut sdls = Vec::new();
        for endpoint in &endpoints {
            let sdl = endpoint.sdl().await.unwrap();
            sdls.push(SubgraphSdl { name: endpoint.name().to_owned(), url: None, sdl });
        }
        let supergraph = compose(&sdls).unwrap().supergraph_sdl;
        let transports: Vec<Transport> =
            endpoints.iter().cloned().map(Transport::InProcess).collect();
        let recognition = Recognition {
            tokens: Some(tokens.clone()),
            keys: Some(Arc::new(users.clone())),
            admissions: None,
            revocations,
            clock,
        };
        let settings = GatewaySettings::default();
        let gateway = Gateway::new(&supergraph, transports, recognition, settings);

        let beta = Roles { beta: true, admin: false };
        let person = async |email: &str, name: &str, roles| {
            let user = users.ensure_account(email, name, PASSWORD, roles).await.unwrap();
            Viewer { verified: true, ..Viewer::new(user, SessionId::new(), roles) }
        };
        let mut graph = Self {
            router: gateway.unwrap().router(),
            tokens,
            endpoints,
            supergraph,
            ada: person("ada@example.org", SECRET, beta).await,
            eve: person("eve@example.org", "Eve", beta).await,
            admin: person("root@example.org", "Root", Roles { beta: true, admin: true }).await,
            adas: Vec::new(),
            eves: Vec::new(),
            _folders: folders,
            _mail: mail,
        };
        graph.adas = graph.things(Who::Ada, SECRET).await;
        graph.eves = graph.things(Who::Eve, "Eve's own").await;
        graph
    }

    /// Makes a deck with cards, a session and a review.
    async fn things(&self, who: Who, text: &str) -> Things {
        let name = format!("{text} deck");
        let id = |answer: &Value, path: &str| {
            let found = answer.pointer(path).and_then(Value::as_str);
            found.unwrap_or_else(|| panic!("{path} of {answer}")).to_owned()
        };
        let create = format!(
            "mutation {{ createDeck(input: {{ name: {name:?}, description: {name:?} }}) {{ deck {{ id }} }} }}"
        );
        let deck = id(&self.run(who, &create).await, "/data/createDeck/deck/id");
        let cards = format!(
            "mutation {{ createCards(input: {{ deckId: {deck:?}, cards: [{{ question: {text:?}, answer: {text:?} }}, {{ question: {text:?}, answer: \"2\" }}] }}) {{ cards {{ id }} }} }}"
        );
        let cards = self.run(who, &cards).await;
        let (card, other) = (
            id(&cards, "/data/createCards/cards/0/id"),
            id(&cards, "/data/createCards/cards/1/id"),
        );
        let of_card = format!("{{ card(id: {card:?}) {{ note {{ id }} }} }}");
        let note = id(&self.run(who, &of_card).await, "/data/card/note/id");
        let tag = format!(
            "mutation {{ tagNotes(input: {{ noteIds: [{note:?}], add: [{:?}] }}) {{ __typename }} }}",
            text.replace(' ', "-")
        );
        self.run(who, &tag).await;
        let gone =
            format!("mutation {{ createDeck(input: {{ name: {name:?} }}) {{ deck {{ id }} }} }}");
        let gone = id(&self.run(who, &gone).await, "/data/createDeck/deck/id");
        let gone = format!("mutation {{ deleteDeck(input: {{ id: {gone:?} }}) {{ trashId }} }}");
        let trash = id(&self.run(who, &gone).await, "/data/deleteDeck/trashId");
        let media = self.upload(who, &format!("{text}.png")).await;
        let session = format!(
            "mutation {{ startSession(input: {{ deckId: {deck:?} }}) {{ session {{ id }} }} }}"
        );
        let session = id(&self.run(who, &session).await, "/data/startSession/session/id");
        let review = uuid::Uuid::new_v4().to_string();
        let submit = format!(
            "mutation {{ submitReviews(input: {{ reviews: [{{ id: {review:?}, cardId: {card:?}, rating: GOOD, reviewedAt: \"2026-01-02T00:00:00Z\" }}] }}) {{ results {{ status }} }} }}"
        );
        let submitted = self.run(who, &submit).await;
        assert_eq!(submitted["data"]["submitReviews"]["results"][0]["status"], "ACCEPTED");
        let preset = format!(
            "mutation {{ saveStudyPreset(input: {{ name: {text:?}, settings: {{ newPerDay: 7 }} }}) {{ preset {{ id }} }} }}"
        );
        let preset = id(&self.run(who, &preset).await, "/data/saveStudyPreset/preset/id");
        let [job, waiting_job] = [text, service::SLOW].map(|wanted| {
            format!(
                "mutation {{ generateCards(input: {{ deckId: {deck:?}, source: {{ text: {text:?} }}, instructions: {wanted:?} }}) {{ job {{ id }} }} }}"
            )
        });
        let job = id(&self.run(who, &job).await, "/data/generateCards/job/id");
        let waiting_job = id(&self.run(who, &waiting_job).await, "/data/generateCards/job/id");
        let ready = format!("{{ generationJob(id: {job:?}) {{ state drafts {{ id }} }} }}");
        let draft = loop {
            let answer = self.run(who, &ready).await;
            if answer["data"]["generationJob"]["state"] == "READY" {
                break id(&answer, "/data/generationJob/drafts/0/id");
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        let running = format!("{{ generationJob(id: {waiting_job:?}) {{ step }} }}");
        while self.run(who, &running).await["data"]["generationJob"]["step"] != "ASKING" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let content = self.read_content(who, text).await;
        let import = format!(
            "mutation {{ importFile(input: {{ name: {text:?}, data: \"YSxi\", isComplete: false }}) {{ import {{ id }} }} }}"
        );
        let import = id(&self.run(who, &import).await, "/data/importFile/import/id");
        let export = format!(
            "mutation {{ exportDecks(input: {{ deckIds: [{deck:?}], format: JSON }}) {{ export {{ id }} }} }}"
        );
        let export = id(&self.run(who, &export).await, "/data/exportDecks/export/id");
        let slug = if who == Who::Ada { "adas-own" } else { "eves-own" };
        for share in [
            format!(
                "mutation {{ publishDeck(input: {{ deckId: {deck:?}, slug: {slug:?}, licence: CC0 }}) {{ publicDeck {{ slug }} }} }}"
            ),
            format!(
                "mutation {{ unpublishDeck(input: {{ deckId: {deck:?} }}) {{ deck {{ id }} }} }}"
            ),
        ] {
            let shared = self.run(who, &share).await;
            assert_eq!(shared.get("errors"), None, "{shared}");
        }
        let viewer = self.viewer(who).unwrap();
        let key = format!(
            "mutation {{ createApiKey(input: {{ name: {text:?}, scopes: [READ], expiresAt: \"{}\" }}) {{ apiKey {{ id }} }} }}",
            jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)
        );
        let api_key = id(&self.run(who, &key).await, "/data/createApiKey/apiKey/id");
        let email = if who == Who::Ada { "ada@example.org" } else { "eve@example.org" };
        let log_in = format!(
            "mutation {{ logIn(input: {{ email: {email:?}, password: {PASSWORD:?} }}) {{ accessToken }} }}"
        );
        let token = id(&self.run(Who::Nobody, &log_in).await, "/data/logIn/accessToken");
        let signed_in = self.tokens.verify(&token, jiff::Timestamp::now()).unwrap().session;
        vec![
            ("signed_in", signed_in.to_string()),
            ("api_key", api_key),
            ("deck", deck),
            ("card", card),
            ("other_card", other),
            ("note", note),
            ("trash", trash),
            ("media", media),
            ("session", session),
            ("review", review),
            ("preset", preset),
            ("job", job),
            ("waiting_job", waiting_job),
            ("draft", draft),
            ("content", content),
            ("import", import),
            ("export", export),
            ("slug", slug.to_owned()),
            ("user", viewer.user.to_string()),
            ("email", email.to_owned()),
        ]
    }

    /// Adds a content, marks something in it, and waits until it is read.
    async fn read_content(&self, who: Who, text: &str) -> String {
        let url = format!("http://93.184.216.34/{}", text.replace(' ', "-"));
        let add = format!(
            "mutation {{ addContent(input: {{ source: {{ url: {url:?} }} }}) {{ content {{ id }} }} }}"
        );
        let added = self.run(who, &add).await;
        let id = added["data"]["addContent"]["content"]["id"].as_str().unwrap().to_owned();
        let status = format!("{{ content(id: {id:?}) {{ status }} }}");
        while self.run(who, &status).await["data"]["content"]["status"] != "PROCESSED" {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let mark = format!(
            "mutation {{ annotateContent(input: {{ contentId: {id:?}, annotations: [{{ startPath: \"\", startOffset: 0, endPath: \"\", endOffset: 0, color: \"\", text: {text:?} }}] }}) {{ content {{ id }} }} }}"
        );
        let marked = self.run(who, &mark).await;
        assert_eq!(marked.get("errors"), None, "{marked}");
        id
    }

    /// Stores a file. JSON cannot write one, so it is handed to the domain.
    async fn upload(&self, who: Who, name: &str) -> String {
        let bytes = [b"\x89PNG\r\n\x1a\n", name.as_bytes()].concat().into();
        let file = Upload { name: name.to_owned(), content_type: None, bytes };
        let mut variables = Variables::default();
        variables.insert(Name::new("file"), file.into());
        let document =
            "mutation($file: Upload!) { uploadMedia(input: { file: $file }) { media { id } } }";
        let request =
            SubgraphRequest { document: document.into(), operation_name: None, variables };
        let decks = self.endpoints.iter().find(|endpoint| endpoint.name() == "decks").unwrap();
        let caller = Arc::new(Caller::new(self.viewer(who).cloned(), "test"));
        let response = decks.execute(request, caller).await.unwrap();
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let data = response.data.into_json().unwrap();
        data["uploadMedia"]["media"]["id"].as_str().unwrap().to_owned()
    }

    fn viewer(&self, who: Who) -> Option<&Viewer> {
        match who {
            Who::Ada => Some(&self.ada),
            Who::Eve => Some(&self.eve),
            Who::Admin => Some(&self.admin),
            Who::Nobody => None,
        }
    }

    /// The document with what is Ada's in its places, and Eve's in hers.
    pub(crate) fn with_adas(&self, document: &str) -> String {
        self.filled(document, |name| lookup(&self.adas, name))
    }

    /// The same with what is Eve's own everywhere. What is one of a kind is another of hers.
    pub(crate) fn with_eves(&self, document: &str) -> String {
        self.filled(document, |name| lookup(&self.eves, name))
    }

    /// The same with what was never there.
    pub(crate) fn with_absent(&self, document: &str) -> String {
        self.filled(document, absent)
    }

    fn filled(&self, document: &str, value: impl Fn(&str) -> String) -> String {
        let mut text = document.to_owned();
        for (name, _) in &self.adas {
            text = text.replace(&format!("{{my_{name}}}"), &lookup(&self.eves, name));
            text = text.replace(&format!("{{{name}}}"), &value(name));
        }
        text
    }

    /// Whether a text has anything that is Ada's.
    pub(crate) fn tells_of_ada(&self, text: &str) -> bool {
        text.contains(SECRET)
            || text.contains(&SECRET.replace(' ', "-"))
            || self.adas.iter().any(|(_, id)| text.contains(id))
    }

    /// An id of Ada's and an absent one, for entities of a type.
    pub(crate) fn ids_of(&self, ty: &str) -> (String, String) {
        let name = match ty {
            "Deck" => "deck",
            "Card" => "card",
            "Note" => "note",
            "Media" => "media",
            "User" => "user",
            other => panic!("the entity {other} has no id in this test: give it one"),
        };
        (lookup(&self.adas, name), absent(name))
    }

    pub(crate) fn endpoints(&self) -> &[Arc<dyn Endpoint>] {
        &self.endpoints
    }

    /// The schema that clients see.
    pub(crate) fn api_sdl(&self) -> String {
        Supergraph::parse(&self.supergraph).unwrap().api_sdl()
    }

    /// Everything of Ada's, as she sees it.
    pub(crate) async fn state(&self) -> Value {
        let document = "{ generationJobs { nodes { id version state drafts { id question state } } }
            contents { nodes { id version read annotations { text } } }
            viewer { id email name roles timeZone rolloverHour deletionDueAt sessions { id } apiKeys { id name }
            tags { nodes { name noteCount } } trash { nodes { id title } } mediaFiles { totalCount nodes { id name size } }
            decks(first: 100) { nodes { id name path description color version archived position publication { slug release } source { release }
                studySettings { version presetId own { newPerDay } }
                cards(first: 100) { nodes { id question answer note { id version tags fields { value } } position version state due reps suspended flag reviews { nodes { id rating undone } } } } } }
            studyPresets { id name version own { newPerDay } } learningSessions { nodes { id finishedAt } } studyQueue(limit: 100) { card { id } } }
            importJobs { id name state size } exportJobs { id name } }";
        let state = self.run(Who::Ada, document).await;
        assert_eq!(state.get("errors"), None, "{state}");
        state
    }

    /// The answer to a document.
    pub(crate) async fn run(&self, who: Who, document: &str) -> Value {
        let token = |viewer| self.tokens.issue(viewer, jiff::Timestamp::now()).unwrap().0;
        self.run_with(self.viewer(who).map(token), document).await
    }

    /// An API key of somebody's.
    pub(crate) async fn api_key(&self, who: Who, scopes: &str) -> String {
        let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let make = format!(
            "mutation {{ createApiKey(input: {{ name: \"k\", scopes: [{scopes}], expiresAt: \"{expires}\" }}) {{ secret }} }}"
        );
        let made = self.run(who, &make).await;
        made["data"]["createApiKey"]["secret"].as_str().unwrap().to_owned()
    }

    /// The answer to a document with a token or an API key.
    pub(crate) async fn run_with(&self, bearer: Option<String>, document: &str) -> Value {
        let body = json!({ "query": document }).to_string();
        let mut request =
            Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let request = request.body(Body::from(body)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        // A slip in a document must not pass for a refusal.
        assert!(!text.contains("\"GRAPHQL_"), "{document}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// What a subgraph answers to a document about entities, as the gateway or anybody with its secret would ask.
    pub(crate) async fn ask(
        &self,
        endpoint: &Arc<dyn Endpoint>,
        who: Who,
        document: &str,
        representations: Value,
    ) -> Value {
        let caller = Caller::new(self.viewer(who).cloned(), "test");
        let mut variables = Variables::default();
        variables
            .insert(Name::new("of"), async_graphql::Value::from_json(representations).unwrap());
        let request =
            SubgraphRequest { document: document.into(), operation_name: None, variables };
        let response = endpoint.execute(request, Arc::new(caller)).await.unwrap();
        serde_json::to_value(response).unwrap()
    }
}

fn lookup(things: &Things, name: &str) -> String {
    things.iter().find(|(known, _)| *known == name).unwrap().1.clone()
}

fn absent(name: &str) -> String {
    match NAMES.iter().position(|known| *known == name) {
        Some(index) => format!("{ABSENT}{index:02x}"),
        None => "nobody@example.org".to_owned(),
    }
}

/// The answer with one text in place of whichever id was asked with.
pub(crate) fn masked(answer: Value, graph: &Graph) -> Value {
    let mut text = answer.to_string();
    let ids = graph.adas.iter().chain(&graph.eves).map(|(_, id)| id.clone());
    for id in ids.chain(NAMES.map(absent)).chain([absent("email")]) {
        text = text.replace(&id, "…");
    }
    serde_json::from_str(&text).unwrap()
}
