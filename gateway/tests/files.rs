//! Files that a subgraph keeps, by plain HTTP: who gets them, which part, and with which headers; in the process and over services.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::ops::Range;
use std::sync::Arc;

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use common::endpoint::{Domain, SchemaEndpoint};
use common::{Error, Event, FileBytes, FileInfo, UserId, Viewer};
use federation::compose::{SubgraphSdl, compose};
use futures::StreamExt;
use futures::future::BoxFuture;
use gateway::{FileSettings, GatewaySettings, Transport};
use http::Request;
use support::{Answer, Identity, over_http, send};
use tower::ServiceExt;
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(7);
const BROKEN: Uuid = Uuid::from_u128(8);
const SIZE: usize = 3_000_000;
const NAME: &str = "ä b\"c.png";
const URL: &str = "/media/00000000-0000-0000-0000-000000000007/%C3%A4%20b%22c.png";

struct Query;

#[Object]
impl Query {
    async fn nothing(&self) -> Option<i32> {
        None
    }
}

/// Keeps one file of one person, and one that cannot be read to its end.
struct Shelf(UserId);

fn content() -> Bytes {
    (0..SIZE).map(|n| (n % 251) as u8).collect::<Vec<u8>>().into()
}

impl Domain for Shelf {
    fn apply<'a>(&'a self, _: &'a [Event]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn file<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
    ) -> BoxFuture<'a, Result<Option<FileInfo>, Error>> {
        let mine = viewer.user == self.0 && [ID, BROKEN].contains(&id);
        Box::pin(async move {
            Ok(mine.then(|| FileInfo {
                name: NAME.into(),
                content_type: "image/png".into(),
                size: SIZE as u64,
                tag: "abc".into(),
            }))
        })
    }

    fn file_bytes<'a>(
        &'a self,
        viewer: &'a Viewer,
        id: Uuid,
        range: Range<u64>,
    ) -> BoxFuture<'a, Result<Option<FileBytes>, Error>> {
        let mine = viewer.user == self.0;
        Box::pin(async move {
            let bytes = content().slice(range.start as usize..range.end as usize);
            let pieces: Vec<_> =
                bytes.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let broken = async { Err::<Bytes, _>("the disk is gone".into()) };
            let pieces = futures::stream::iter(pieces);
            Ok(mine.then(|| match id {
                BROKEN => pieces.take(1).chain(futures::stream::once(broken)).boxed(),
                _ => pieces.boxed(),
            }))
        })
    }
}

struct Target {
    router: Router,
    identity: Identity,
    owner: Viewer,
}

impl Target {
    async fn new(over: bool) -> Self {
        let owner = Viewer::new(UserId::new(), common::SessionId::new(), common::Roles::default());
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).finish();
        let sdl = common::graphql::sdl::federation_sdl(&schema);
        let shelf = SubgraphSdl { name: "shelf".into(), url: None, sdl };
        let supergraph = compose(&[shelf]).unwrap().supergraph_sdl;
        let endpoint = Arc::new(SchemaEndpoint::new("shelf", schema, Arc::new(Shelf(owner.user))));
        let transports = match over {
            true => over_http(vec![endpoint]).await,
            false => vec![Transport::InProcess(endpoint)],
        };
        let identity = Identity::new();
        const FILES: &[FileSettings] = &[FileSettings { path: "/media", subgraph: "shelf" }];
        let settings = GatewaySettings { files: FILES, ..GatewaySettings::default() };
        let gateway = identity.gateway(&supergraph, transports, settings).unwrap();
        Self { router: gateway.router(), identity, owner }
    }

    async fn both() -> [Self; 2] {
        [Self::new(false).await, Self::new(true).await]
    }

    fn token(&self, viewer: &Viewer) -> String {
        self.identity.tokens.issue(viewer, self.identity.clock.now()).unwrap().0
    }

    fn request(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    /// The owner's request, recognised by the cookie alone as an `<img>` is.
    async fn get(&self, method: &str, url: &str, headers: &[(&str, &str)]) -> Answer {
        let cookie = format!("spacey-access={}", self.token(&self.owner));
        let headers = [headers, &[("cookie", &*cookie)]].concat();
        send(&self.router, self.request(method, url, &headers)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gets_the_file_with_headers_that_let_it_do_nothing() {
    for target in Target::both().await {
        let answer = target.get("GET", URL, &[]).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body == content());
        for (name, value) in [
            ("content-type", "image/png"),
            ("content-length", "3000000"),
            ("accept-ranges", "bytes"),
            ("etag", "\"abc\""),
            ("cache-control", "private, max-age=31536000, immutable"),
            ("content-security-policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-site"),
            (
                "content-disposition",
                "inline; filename=\"__b_c.png\"; filename*=UTF-8''%C3%A4%20b%22c%2Epng",
            ),
        ] {
            assert_eq!(answer.header(name), value, "{name}");
        }
        let bearer = format!("Bearer {}", target.token(&target.owner));
        let by_token = target.request("GET", URL, &[("authorization", &bearer)]);
        assert_eq!(send(&target.router, by_token).await.status, 200);

        let head = target.get("HEAD", URL, &[("range", "bytes=0-1")]).await;
        assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), "3000000");
        for known in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            let answer = target.get("GET", URL, &[("if-none-match", known)]).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{known}");
            assert_eq!(answer.header("etag"), "\"abc\"");
        }
        assert_eq!(target.get("GET", URL, &[("if-none-match", "\"x\"")]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_sent_as_they_are_asked_for() {
    for target in Target::both().await {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=1000000-1999999", 1_000_000..2_000_000),
            ("bytes=1048575-1048577", 1_048_575..1_048_578),
            ("bytes=2999999-", 2_999_999..SIZE),
            ("bytes=-5", SIZE - 5..SIZE),
            ("bytes=0-99999999", 0..SIZE),
        ] {
            let answer = target.get("GET", URL, &[("range", range), ("if-range", "\"abc\"")]).await;
            assert_eq!(answer.status, 206, "{range}");
            assert!(answer.body == content()[expected.clone()], "{range}");
            let told = format!("bytes {}-{}/3000000", expected.start, expected.end - 1);
            assert_eq!(answer.header("content-range"), told);
            assert_eq!(answer.header("content-length"), expected.len().to_string());
        }
        for range in ["bytes=3000000-", "bytes=-0"] {
            let answer = target.get("GET", URL, &[("range", range)]).await;
            assert_eq!(answer.status, 416, "{range}");
            assert_eq!(answer.header("content-range"), "bytes */3000000");
            assert_eq!(answer.code(), "RANGE_NOT_SATISFIABLE");
        }
        for headers in [
            [("range", "bytes=0-1"), ("if-range", "\"other\"")],
            [("range", "bytes=0-1,5-6"), ("accept", "*/*")],
            [("range", "bytes=x"), ("accept", "*/*")],
        ] {
            let answer = target.get("GET", URL, &headers).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, SIZE), "{headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_gets_it_and_nobody_learns_that_it_is_there() {
    for target in Target::both().await {
        let other = Viewer::new(UserId::new(), common::SessionId::new(), common::Roles::default());
        let cookie = format!("spacey-access={}", target.token(&other));
        let theirs = send(&target.router, target.request("GET", URL, &[("cookie", &cookie)])).await;
        let absent = URL.replace("007", "009");
        let absent = target.get("GET", &absent, &[]).await;
        assert_eq!((theirs.status.as_u16(), theirs.text()), (404, absent.text()));
        assert_eq!(theirs.code(), "FILE_NOT_FOUND");
        let headers = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            headers
        };
        assert_eq!(headers(&theirs), headers(&absent));

        let anonymous = send(&target.router, target.request("GET", URL, &[])).await;
        assert_eq!((anonymous.status.as_u16(), &*anonymous.code()), (401, "UNAUTHENTICATED"));
        let wrong = target.request("GET", URL, &[("cookie", "spacey-access=nonsense")]);
        assert_eq!(send(&target.router, wrong).await.status, 401);
        let of_another_site = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        let answer = target.get("GET", URL, &of_another_site).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "CSRF_PREVENTION"));
        for site in ["same-origin", "same-site", "none"] {
            let answer = target.get("GET", URL, &[("sec-fetch-site", site)]).await;
            assert_eq!(answer.status, 200, "{site}");
        }
        for url in [
            "/media/x/y",
            "/media/00000000-0000-0000-0000-000000000007/other.png",
            "/media/00000000-0000-0000-0000-000000000007/..%2Fx",
            "/media/..%2f..%2fetc/passwd",
        ] {
            assert_eq!(target.get("GET", url, &[]).await.status, 404, "{url}");
        }
        let answer = target.get("POST", URL, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_to_its_end_breaks_off() {
    let target = Target::new(false).await;
    let cookie = format!("spacey-access={}", target.token(&target.owner));
    let url = URL.replace("007", "008");
    let request = target.request("GET", &url, &[("cookie", &cookie)]);
    let response = target.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let pieces: Vec<_> = response.into_body().into_data_stream().collect().await;
    assert!(pieces.len() == 2 && pieces[0].is_ok() && pieces[1].is_err());
    // Where it is known before anything was sent, it is said.
    let target = Target::new(true).await;
    let answer = target.get("GET", &url, &[]).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "SERVICE_UNAVAILABLE"));
    assert!(!answer.text().contains("disk"));
}
