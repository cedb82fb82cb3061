//! Answers that are the same for everybody are kept: served without a subgraph, for as long as they may be and what they tell of stays as
//! it is, and never to somebody whom they are not for. Wherever the subgraph runs.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_graphql::{Context, EmptySubscription, Error, Object, Schema};
use axum::Router;
use axum::body::Body;
use common::endpoint::{Domain, SchemaEndpoint};
use common::graphql::sdl::authenticated;
use common::{
    Caller, Clock, Endpoint, Error as DomainError, Event, PublicRevision, Roles, SessionId, UserId,
    Viewer,
};
use federation::compose::{SubgraphSdl, compose};
use futures::future::{BoxFuture, join_all};
use gateway::{Allowance, CostSettings, GatewaySettings, Mode, Transport, subgraph_router};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{Answer, Identity, post, remote, send, serve, service_tokens};

/// A board with a notice that everybody reads.
#[derive(Default)]
struct Board {
    notice: Mutex<String>,
    revision: PublicRevision,
    /// How often anything was read.
    reads: AtomicUsize,
    slow: Mutex<Duration>,
}

impl Domain for Board {
    fn apply<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<(), DomainError>> {
        Box::pin(async {
            "from afar".clone_into(&mut self.notice.lock().unwrap());
            self.revision.advance();
            Ok(())
        })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), DomainError>> {
        Box::pin(async { Ok(()) })
    }

    fn public_revision(&self) -> u64 {
        self.revision.get()
    }
}

struct Reading;

#[Object(name = "Query")]
impl Reading {
    #[graphql(cache_control(max_age = 60))]
    async fn notice(&self, ctx: &Context<'_>, #[graphql(default)] line: i32) -> String {
        let board = ctx.data_unchecked::<Arc<Board>>();
        board.reads.fetch_add(1, Ordering::SeqCst);
        let notice = board.notice.lock().unwrap().clone();
        let slow = *board.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        format!("{notice} {line}")
    }
    #[graphql(cache_control(max_age = 60), directive = authenticated::apply())]
    async fn members(&self, ctx: &Context<'_>) -> Option<&str> {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst);
        Some("for members")
    }
    #[graphql(cache_control(max_age = 60, private))]
    async fn viewer(&self, ctx: &Context<'_>) -> Option<String> {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst);
        let caller = ctx.data_unchecked::<Arc<Caller>>();
        caller.viewer.as_ref().map(|viewer| viewer.user.to_string())
    }
    #[graphql(cache_control(no_cache))]
    async fn now(&self, ctx: &Context<'_>) -> usize {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst)
    }
    #[graphql(cache_control(max_age = 60))]
    async fn fails(&self, ctx: &Context<'_>) -> Result<Option<bool>, Error> {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst);
        Err(Error::new("no luck"))
    }
    #[graphql(cache_control(max_age = 60))]
    async fn long(&self, ctx: &Context<'_>, bytes: usize) -> String {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst);
        "x".repeat(bytes)
    }
    #[graphql(cache_control(max_age = 60))]
    async fn cookie(&self, ctx: &Context<'_>) -> bool {
        ctx.data_unchecked::<Arc<Board>>().reads.fetch_add(1, Ordering::SeqCst);
        ctx.append_http_header("set-cookie", "one=1; HttpOnly");
        true
    }
}

struct Writing;

#[Object(name = "Mutation")]
impl Writing {
    async fn post(&self, ctx: &Context<'_>, text: String) -> bool {
        let board = ctx.data_unchecked::<Arc<Board>>();
        *board.notice.lock().unwrap() = text;
        board.revision.advance();
        true
    }
    async fn look(&self) -> bool {
        true
    }
}

struct World {
    board: Arc<Board>,
    endpoint: Arc<dyn Endpoint>,
    identity: Identity,
    router: Router,
}

fn endpoint(board: &Arc<Board>) -> Arc<dyn Endpoint> {
    let schema = Schema::build(Reading, Writing, EmptySubscription)
        .enable_federation()
        .data(board.clone())
        .finish();
    Arc::new(SchemaEndpoint::new("board", schema, board.clone()))
}

fn kept(bytes: usize) -> GatewaySettings {
    GatewaySettings { kept_answers: bytes, ..GatewaySettings::default() }
}

impl World {
    async fn over(
        board: Arc<Board>,
        transport: impl Into<Transport>,
        settings: GatewaySettings,
    ) -> Self {
        let endpoint = endpoint(&board);
        let sdl = endpoint.sdl().await.unwrap();
        let sdl = compose(&[SubgraphSdl { name: "board".into(), url: None, sdl }]).unwrap();
        let identity = Identity::new();
        let gateway = identity.gateway(&sdl.supergraph_sdl, vec![transport.into()], settings);
        let router = gateway.unwrap().router();
        Self { board, endpoint, identity, router }
    }

    async fn here(settings: GatewaySettings) -> Self {
        let board = Arc::new(Board::default());
        Self::over(board.clone(), endpoint(&board), settings).await
    }

    /// With the subgraph behind HTTP, by Spacey's protocol.
    async fn apart(settings: GatewaySettings) -> Self {
        let board = Arc::new(Board::default());
        let router = subgraph_router(endpoint(&board), service_tokens(), Clock::System);
        let remote = remote("board", serve(router).await);
        Self::over(board, Arc::new(remote), settings).await
    }

    async fn both() -> [Self; 2] {
        [Self::here(kept(1 << 20)).await, Self::apart(kept(1 << 20)).await]
    }

    fn reads(&self) -> usize {
        self.board.reads.load(Ordering::SeqCst)
    }

    async fn ask(&self, query: &str, token: Option<&str>) -> Answer {
        let body = json!({ "query": query }).to_string();
        let mut request = post(&body);
        if let Some(token) = token {
            request = request.header("authorization", token);
        }
        send(&self.router, request.body(Body::from(body)).unwrap()).await
    }

    async fn data(&self, query: &str) -> Value {
        let answer = self.ask(query, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert!(answer.json().get("errors").is_none(), "{}", answer.text());
        answer.json()["data"].clone()
    }

    fn token(&self, roles: Roles) -> String {
        let viewer = Viewer::new(UserId::new(), SessionId::new(), roles);
        let now = self.identity.clock.now();
        format!("Bearer {}", self.identity.tokens.issue(&viewer, now).unwrap().0)
    }
}

#[tokio::test]
async fn what_is_the_same_for_everybody_is_asked_for_once() {
    for world in World::both().await {
        for _ in 0..3 {
            assert_eq!(world.data("{ notice }").await, json!({ "notice": " 0" }));
        }
        assert_eq!(world.reads(), 1);
        // Other variables, another text, and another way to say it are others.
        let with = |line| json!({ "query": "query($line: Int!) { notice(line: $line) }", "variables": { "line": line } });
        for (line, reads) in [(1, 2), (2, 3), (1, 3)] {
            let body = with(line).to_string();
            let request = post(&body).body(Body::from(body)).unwrap();
            let answer = send(&world.router, request).await;
            assert_eq!(answer.json()["data"]["notice"], format!(" {line}"));
            assert_eq!(world.reads(), reads);
        }
        // The media type is the client's own affair.
        let body = json!({ "query": "{ notice }" }).to_string();
        let request = post(&body).header("accept", "application/graphql-response+json");
        let answer = send(&world.router, request.body(Body::from(body)).unwrap()).await;
        assert!(answer.header("content-type").starts_with("application/graphql-response+json"));
        assert_eq!((answer.header("cache-control"), world.reads()), ("no-store", 3));
    }
}

#[tokio::test]
async fn nobody_reads_what_was_before_a_change_he_was_told_of() {
    for world in World::both().await {
        for number in 1..=3 {
            let text = format!("mutation {{ post(text: \"{number}\") }}");
            world.data(&text).await;
            for _ in 0..2 {
                assert_eq!(world.data("{ notice }").await["notice"], format!("{number} 0"));
            }
            assert_eq!(world.reads(), number);
        }
        // What changes nothing that is public does not count.
        world.data("mutation { look }").await;
        world.data("{ notice }").await;
        assert_eq!(world.reads(), 3);
    }
}

#[tokio::test]
async fn an_answer_that_was_begun_before_a_change_is_not_kept_beyond_it() {
    for world in World::both().await {
        *world.board.slow.lock().unwrap() = Duration::from_millis(300);
        let (before, ()) = tokio::join!(world.data("{ notice }"), async {
            while world.reads() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            world.data("mutation { post(text: \"new\") }").await;
        });
        assert_eq!(before["notice"], " 0");
        assert_eq!(world.data("{ notice }").await["notice"], "new 0");
    }
}

#[tokio::test]
async fn a_change_that_came_by_another_way_is_seen_here_at_once_and_elsewhere_when_it_is_asked_for()
{
    let here = World::here(kept(1 << 20)).await;
    here.data("{ notice }").await;
    here.endpoint.apply(Arc::new([])).await.unwrap();
    assert_eq!(here.data("{ notice }").await["notice"], "from afar 0");

    let board = Arc::new(Board::default());
    let router = subgraph_router(endpoint(&board), service_tokens(), Clock::System);
    let remote = Arc::new(remote("board", serve(router).await));
    let apart = World::over(board, remote.clone(), kept(1 << 20)).await;
    apart.data("{ notice }").await;
    apart.endpoint.apply(Arc::new([])).await.unwrap();
    assert_eq!(apart.data("{ notice }").await["notice"], " 0", "it may be kept for a minute");
    remote.look_for_changes().await.unwrap();
    assert_eq!(apart.data("{ notice }").await["notice"], "from afar 0");
}

#[tokio::test]
async fn what_is_for_one_viewer_or_not_for_keeping_is_never_kept() {
    for world in World::both().await {
        let (one, other) = (world.token(Roles::default()), world.token(Roles::default()));
        let mut seen = Vec::new();
        for token in [&one, &other, &one] {
            let answer = world.ask("{ notice viewer }", Some(token)).await;
            seen.push(answer.json()["data"]["viewer"].as_str().unwrap().to_owned());
        }
        assert!(seen[0] != seen[1] && seen[0] == seen[2], "{seen:?}");
        for query in ["{ notice now }", "{ fails }", "{ notice fails }", "{ cookie }", "{ viewer }"]
        {
            let reads = world.reads();
            for _ in 0..2 {
                let answer = world.ask(query, None).await;
                let has_cookie = answer.headers.contains_key("set-cookie");
                assert_eq!(has_cookie, query == "{ cookie }", "{query}");
            }
            assert!(world.reads() >= reads + 2, "{query}");
        }
    }
}

#[tokio::test]
async fn each_standing_has_answers_of_its_own() {
    for world in World::both().await {
        let user = world.token(Roles::default());
        let beta = world.token(Roles { beta: true, admin: false });
        for token in [&user, &beta, &user, &world.token(Roles::default())] {
            let answer = world.ask("{ members }", Some(token)).await;
            assert_eq!(answer.json()["data"]["members"], "for members");
        }
        assert_eq!(world.reads(), 2, "one for each standing, not for each viewer");
        for _ in 0..2 {
            let answer = world.ask("{ members }", None).await;
            assert_eq!(answer.code(), "UNAUTHENTICATED");
            assert_eq!(answer.json()["data"]["members"], Value::Null);
        }
        assert_eq!(world.reads(), 2);
        let expired = world.ask("{ notice }", Some("Bearer nonsense")).await;
        assert_eq!(expired.status, StatusCode::UNAUTHORIZED, "whoever asks is known first");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_as_long_as_it_may_be_and_says_how_much_longer() {
    let world = World::here(kept(1 << 20)).await;
    let get = async || {
        let request = Request::get("/graphql?query=%7B%20notice%20%7D");
        send(&world.router, request.body(Body::empty()).unwrap()).await
    };
    let first = get().await;
    assert_eq!(first.header("cache-control"), "public, max-age=60");
    tokio::time::advance(Duration::from_secs(20)).await;
    let later = get().await;
    assert_eq!(later.header("cache-control"), "public, max-age=40");
    assert_eq!((later.header("etag"), later.text()), (first.header("etag"), first.text()));
    let request = Request::get("/graphql?query=%7B%20notice%20%7D");
    let request =
        request.header("if-none-match", first.header("etag")).body(Body::empty()).unwrap();
    assert_eq!(send(&world.router, request).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(world.reads(), 1);
    tokio::time::advance(Duration::from_secs(40)).await;
    assert_eq!(get().await.header("cache-control"), "public, max-age=60");
    assert_eq!(world.reads(), 2);
}

#[tokio::test]
async fn of_many_who_wait_for_an_old_answer_one_has_it_made() {
    for world in World::both().await {
        world.data("{ notice }").await;
        world.data("mutation { post(text: \"new\") }").await;
        *world.board.slow.lock().unwrap() = Duration::from_millis(200);
        let answers = join_all((0..20).map(|_| world.data("{ notice }"))).await;
        assert!(answers.iter().all(|answer| answer["notice"] == "new 0"), "{answers:?}");
        assert_eq!(world.reads(), 2);
    }
}

#[tokio::test]
async fn whoever_was_to_make_it_may_go_away() {
    let world = World::here(kept(1 << 20)).await;
    world.data("{ notice }").await;
    world.data("mutation { post(text: \"new\") }").await;
    *world.board.slow.lock().unwrap() = Duration::from_secs(600);
    let leaving = tokio::time::timeout(Duration::from_millis(50), world.data("{ notice }"));
    assert!(leaving.await.is_err());
    *world.board.slow.lock().unwrap() = Duration::ZERO;
    assert_eq!(world.data("{ notice }").await["notice"], "new 0");
}

#[tokio::test]
async fn it_stays_within_its_bound_and_keeps_what_is_used() {
    let world = World::here(kept(100_000)).await;
    for number in 0..1000 {
        world.data(&format!("{{ a{number}: long(bytes: 1000) }}")).await;
        world.data("{ notice }").await;
    }
    // Of the latest some are there, of the first none; what is asked for all the time is.
    let reads = world.reads();
    assert_eq!(reads, 1001);
    let mut there = 0;
    for number in 0..1000 {
        let before = world.reads();
        // Each makes room by taking it from another, so it is looked for from the end.
        world.data(&format!("{{ a{}: long(bytes: 1000) }}", 999 - number)).await;
        there += usize::from(world.reads() == before);
    }
    assert!((1..=100).contains(&there), "{there} of a kilobyte each");
    // One that would take an eighth of the room is not kept.
    let reads = world.reads();
    for _ in 0..2 {
        world.data("{ long(bytes: 13000) }").await;
    }
    assert_eq!(world.reads(), reads + 2);
}

#[tokio::test]
async fn it_can_be_off() {
    let world = World::here(kept(0)).await;
    world.data("{ notice }").await;
    world.data("{ notice }").await;
    assert_eq!(world.reads(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_kept_costs_a_point() {
    let cost = CostSettings {
        throttle: Mode::Enforce,
        everybody: Allowance { capacity: 42, restore_rate: 1 },
        ..CostSettings::default()
    };
    let world = World::here(GatewaySettings { cost, ..kept(1 << 20) }).await;
    // Twenty points for what it may cost, and for what it did.
    let query = "query Dear { notice __type(name: \"Query\") { name } a: __type(name: \"Query\") { name } }";
    let made = world.ask(query, None).await;
    assert_eq!(made.header("x-ratelimit-remaining"), "22", "{}", made.text());
    let kept = world.ask(query, None).await;
    assert_eq!(kept.json()["data"], made.json()["data"]);
    let status = json!({ "maximumAvailable": 42, "currentlyAvailable": 21, "restoreRate": 1 });
    assert_eq!(
        kept.json()["extensions"]["cost"],
        json!({ "requestedQueryCost": 20, "actualQueryCost": 0, "throttleStatus": status })
    );
    assert_eq!(kept.header("x-ratelimit-remaining"), "21");
    for _ in 0..21 {
        world.ask(query, None).await;
    }
    let refused = world.ask(query, None).await;
    assert_eq!(refused.code(), "THROTTLED");
    assert_eq!(world.reads(), 1);
}
