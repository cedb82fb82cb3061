//! The download of everything that is a person's, of a graph that is made for this: shelves with boxes with things.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use async_graphql::{Context, EmptyMutation, EmptySubscription, ID, Object, Schema, SimpleObject};
use axum::Router;
use axum::body::Body;
use common::Caller;
use common::endpoint::SchemaEndpoint;
use federation::compose::{SubgraphSdl, compose};
use futures::StreamExt;
use gateway::{ExportList, ExportSettings, GatewaySettings, Transport};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Identity, Memory, send};
use tower::ServiceExt;

static EXPORT: ExportSettings = ExportSettings {
    path: "/export",
    file_name: "things.json",
    format: "things/1",
    document: "
        query Me { me { name note } }
        query Tags { me { tags } }
        query Boxes($after: String) { me { boxes(first: 2, after: $after) { ...Boxes } } }
        query Things($of: ID!, $after: String) { box(id: $of) { things(first: 3, after: $after) { ...Things } } }
        fragment Boxes on Boxes { nodes { id things(first: 2) { ...Things } } pageInfo { hasNextPage endCursor } }
        fragment Things on Things { nodes { text } pageInfo { hasNextPage endCursor } }",
    sections: &[
        ExportList { name: "profile", operation: "Me", at: "me" },
        ExportList { name: "tags", operation: "Tags", at: "me.tags" },
        ExportList { name: "boxes", operation: "Boxes", at: "me.boxes" },
    ],
    nested: &[ExportList { name: "things", operation: "Things", at: "box.things" }],
};

/// Which box's things cannot be had beyond the first page, and after which the session ends; none by default.
struct Broken {
    at: AtomicI32,
    ends_at: AtomicI32,
    revocations: Arc<common::Revocations>,
}

const BOXES: i32 = 5;

#[derive(SimpleObject)]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(SimpleObject)]
struct Boxes {
    nodes: Vec<Case>,
    page_info: PageInfo,
}

#[derive(SimpleObject)]
struct Things {
    nodes: Vec<Thing>,
    page_info: PageInfo,
}

#[derive(SimpleObject)]
struct Thing {
    text: String,
}

/// The numbers of a page, and where it lies.
fn page(first: i32, after: Option<String>, all: i32) -> (Vec<i32>, PageInfo) {
    let start = after.map_or(0, |cursor| cursor.parse().unwrap());
    let end = all.min(start + first);
    let info = PageInfo { has_next_page: end < all, end_cursor: Some(end.to_string()) };
    ((start..end).collect(), info)
}

struct Case(i32);

#[Object(name = "Box")]
impl Case {
    async fn id(&self) -> ID {
        self.0.into()
    }

    /// As many as the box's number says, twice.
    async fn things(
        &self,
        ctx: &Context<'_>,
        first: i32,
        after: Option<String>,
    ) -> async_graphql::Result<Things> {
        let broken = ctx.data::<Arc<Broken>>()?;
        if after.is_some() && broken.at.load(Ordering::SeqCst) == self.0 {
            return Err("the disk is gone".into());
        }
        if after.is_some() && broken.ends_at.load(Ordering::SeqCst) == self.0 {
            let viewer = ctx.data::<Arc<Caller>>()?.viewer.as_ref().unwrap();
            broken.revocations.revoke(viewer.session, jiff::Timestamp::MAX);
        }
        let (numbers, page_info) = page(first, after, self.0 * 2);
        let text = |number| format!("\"{number}\" in {}", self.0);
        let nodes = numbers.into_iter().map(|number| Thing { text: text(number) }).collect();
        Ok(Things { nodes, page_info })
    }
}

struct Me;

#[Object]
impl Me {
    async fn name(&self, ctx: &Context<'_>) -> String {
        ctx.data::<Arc<Caller>>().unwrap().viewer.as_ref().unwrap().user.to_string()
    }

    async fn note(&self) -> Option<String> {
        None
    }

    async fn tags(&self) -> Vec<&str> {
        vec!["a", "b"]
    }

    async fn boxes(&self, first: i32, after: Option<String>) -> Boxes {
        let (numbers, page_info) = page(first, after, BOXES);
        Boxes { nodes: numbers.into_iter().map(Case).collect(), page_info }
    }
}

struct Query;

#[Object]
impl Query {
    async fn me(&self, ctx: &Context<'_>) -> Option<Me> {
        ctx.data::<Arc<Caller>>().unwrap().viewer.as_ref().map(|_| Me)
    }

    #[graphql(name = "box")]
    async fn case(&self, id: ID) -> Option<Case> {
        id.parse().ok().map(Case)
    }
}

struct Shelf {
    router: Router,
    identity: Identity,
    broken: Arc<Broken>,
}

impl Shelf {
    fn new() -> Self {
        let identity = Identity::new();
        let broken = Arc::new(Broken {
            at: AtomicI32::new(-1),
            ends_at: AtomicI32::new(-1),
            revocations: identity.revocations.clone(),
        });
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
            .data(broken.clone())
            .enable_federation()
            .finish();
        let sdl = common::graphql::sdl::federation_sdl(&schema);
        let shelf = SubgraphSdl { name: "shelf".into(), url: None, sdl };
        let endpoint = SchemaEndpoint::new("shelf", schema, Arc::new(Memory::default()));
        let supergraph = compose(&[shelf]).unwrap().supergraph_sdl;
        let settings = GatewaySettings { export: Some(&EXPORT), ..GatewaySettings::default() };
        let transports = vec![Transport::InProcess(Arc::new(endpoint))];
        let gateway = identity.gateway(&supergraph, transports, settings).unwrap();
        Self { router: gateway.router(), identity, broken }
    }

    fn somebody(&self, scopes: &[&str]) -> (String, common::Viewer) {
        let viewer = common::Viewer::new(
            common::UserId::new(),
            common::SessionId::new(),
            common::Roles::default(),
        );
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let viewer = common::Viewer { scopes, ..viewer };
        (self.identity.tokens.issue(&viewer, self.identity.clock.now()).unwrap().0, viewer)
    }

    /// Downloads what must break off, and tell nothing of why.
    async fn breaks_off(&self, bearer: &str) {
        let request = request(&[("authorization", bearer)]);
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "the head was sent by then");
        let mut body = response.into_body().into_data_stream();
        let (mut text, mut failed) = (Vec::new(), false);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => text.extend_from_slice(&piece),
                Err(_) => failed = true,
            }
        }
        assert!(failed, "the connection is cut, not ended");
        let text = String::from_utf8(text).unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{text}");
        assert!(!text.contains("disk") && !text.contains("counts"), "{text}");
    }

    async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        send(&self.router, request(headers)).await
    }
}

fn request(headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::get("/export");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn it_is_one_document_with_every_page_of_every_list_and_counts_at_the_end() {
    let shelf = Shelf::new();
    let (token, viewer) = shelf.somebody(&[]);
    let answer = shelf.get(&[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"things.json\"");
    let mut document = answer.json();
    assert!(document["exportedAt"].as_str().unwrap().ends_with('Z'));
    document.as_object_mut().unwrap().remove("exportedAt");
    let things = |of: i32| (0..of * 2).map(move |n| json!({ "text": format!("\"{n}\" in {of}") }));
    let boxes = (0..BOXES)
        .map(|n| json!({ "id": n.to_string(), "things": things(n).collect::<Vec<Value>>() }));
    let expected = json!({
        "format": "things/1",
        "profile": { "name": viewer.user.to_string(), "note": null },
        "tags": ["a", "b"],
        "boxes": boxes.collect::<Vec<Value>>(),
        "counts": { "tags": 2, "boxes": 5, "things": 20 },
    });
    assert_eq!(document, expected);
    assert!(answer.text().ends_with("\"counts\":{\"tags\":2,\"boxes\":5,\"things\":20}}\n"));
}

#[tokio::test]
async fn who_may_have_it_is_whoever_logged_in_and_asked_himself() {
    let shelf = Shelf::new();
    assert_eq!(shelf.get(&[]).await.code(), "UNAUTHENTICATED");
    let (token, _) = shelf.somebody(&["read"]);
    let answer = shelf.get(&[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "FORBIDDEN"));
    let (token, viewer) = shelf.somebody(&[]);
    let cookie = format!("spacey-access={token}");
    let answer = shelf.get(&[("cookie", &cookie)]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "CSRF_PREVENTION"));
    let answer = shelf.get(&[("cookie", &cookie), ("x-spacey-csrf", "1")]).await;
    assert_eq!(answer.status, StatusCode::OK);
    let request = Request::post("/export").header("authorization", format!("Bearer {token}"));
    let answer = send(&shelf.router, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let until = shelf.identity.clock.now() + common::token::ACCESS_TOKEN_LIFETIME;
    shelf.identity.revocations.revoke(viewer.session, until);
    let answer = shelf.get(&[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_page_that_cannot_be_had_cuts_the_document_short() {
    let shelf = Shelf::new();
    let (token, _) = shelf.somebody(&[]);
    let bearer = format!("Bearer {token}");
    for broken in [2, 4] {
        shelf.broken.at.store(broken, Ordering::SeqCst);
        shelf.breaks_off(&bearer).await;
    }
    shelf.broken.at.store(-1, Ordering::SeqCst);
    let whole = shelf.get(&[("authorization", &bearer)]).await;
    assert_eq!(whole.json()["counts"]["things"], 20, "the place was given back");
}

#[tokio::test]
async fn it_ends_with_the_session_and_not_with_the_token() {
    let shelf = Shelf::new();
    let (token, _) = shelf.somebody(&[]);
    let bearer = format!("Bearer {token}");
    let slow = shelf.router.clone().oneshot(request(&[("authorization", &bearer)])).await.unwrap();
    shelf.identity.clock.advance(common::token::ACCESS_TOKEN_LIFETIME);
    let whole = axum::body::to_bytes(slow.into_body(), usize::MAX).await.unwrap();
    assert!(serde_json::from_slice::<Value>(&whole).is_ok(), "what was begun is finished");

    let (token, _) = shelf.somebody(&[]);
    shelf.broken.ends_at.store(2, Ordering::SeqCst);
    shelf.breaks_off(&format!("Bearer {token}")).await;
}

#[tokio::test]
async fn a_client_notices_over_the_network_that_it_broke_off_also_compressed() {
    // As the program does at its start.
    drop(rustls::crypto::ring::default_provider().install_default());
    let shelf = Shelf::new();
    let (token, _) = shelf.somebody(&[]);
    let url = support::serve(shelf.router.clone()).await.join("/export").unwrap();
    let client = reqwest::Client::new();
    for encoding in ["identity", "gzip"] {
        let download = async || {
            let request = client.get(url.clone()).bearer_auth(&token);
            let response = request.header("accept-encoding", encoding).send().await.unwrap();
            assert_eq!(response.status().as_u16(), 200);
            response.bytes().await
        };
        shelf.broken.at.store(-1, Ordering::SeqCst);
        assert!(!download().await.unwrap().is_empty(), "{encoding}");
        shelf.broken.at.store(4, Ordering::SeqCst);
        assert!(download().await.is_err(), "{encoding}");
    }
}

#[tokio::test]
async fn a_person_has_one_at_a_time() {
    let shelf = Shelf::new();
    let ((ada, _), (eve, _)) = (shelf.somebody(&[]), shelf.somebody(&[]));
    let (ada, eve) = (format!("Bearer {ada}"), format!("Bearer {eve}"));
    let first = shelf.router.clone().oneshot(request(&[("authorization", &ada)])).await.unwrap();
    let again = shelf.get(&[("authorization", &ada)]).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "EXPORT_UNDER_WAY")
    );
    assert_eq!(shelf.get(&[("authorization", &eve)]).await.status, StatusCode::OK);
    let whole = axum::body::to_bytes(first.into_body(), usize::MAX).await.unwrap();
    assert!(serde_json::from_slice::<Value>(&whole).is_ok());
    assert_eq!(shelf.get(&[("authorization", &ada)]).await.status, StatusCode::OK);
}
