//! Operations with files: received by the multipart request specification, passed on to subgraphs of every kind, and refused with a reason and
//! without effect where they are not what they should be.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use federation::compose::{SubgraphSdl, compose};
use gateway::{
    GatewaySettings, GraphQlSubgraph, HttpSettings, SubgraphSettings, Transport, UploadSettings,
};
use serde_json::{Value, json};
use support::forms::{file, files, form, part, request, strange, text};
use support::{Answer, Identity, over_http, send};

const UPLOAD: &str = "mutation($file: Upload!, $name: String) { upload(file: $file, name: $name) { name contentType size sum } }";
const ALLOWED: (&str, &str) = ("apollo-require-preflight", "1");

struct Target {
    router: Router,
    identity: Identity,
}

impl Target {
    async fn new(over: bool, settings: GatewaySettings) -> Self {
        let (endpoint, sdl) = files();
        let (address, strange_sdl) = strange().await;
        let subgraph = |name: &str, sdl| SubgraphSdl { name: name.into(), url: None, sdl };
        let subgraphs = [subgraph("files", sdl), subgraph("strange", strange_sdl)];
        let supergraph = compose(&subgraphs).unwrap().supergraph_sdl;
        let mut transports = match over {
            true => over_http(vec![endpoint]).await,
            false => vec![Transport::InProcess(endpoint)],
        };
        let strange =
            GraphQlSubgraph::new("strange", &address, &SubgraphSettings::default()).unwrap();
        transports.push(Transport::GraphQl(Arc::new(strange)));
        let identity = Identity::new();
        let gateway = identity.gateway(&supergraph, transports, settings).unwrap();
        Self { router: gateway.router(), identity }
    }

    async fn both() -> [Self; 2] {
        [Self::new(false, small()).await, Self::new(true, small()).await]
    }

    async fn send(&self, body: impl Into<Body>) -> Answer {
        send(&self.router, request(body, &[ALLOWED])).await
    }

    fn token(&self) -> String {
        let viewer = common::Viewer::new(
            common::UserId::new(),
            common::SessionId::new(),
            common::Roles::default(),
        );
        self.identity.tokens.issue(&viewer, self.identity.clock.now()).unwrap().0
    }
}

fn small() -> GatewaySettings {
    let uploads = UploadSettings {
        file_bytes: 1_000,
        files: 3,
        total_bytes: 1_500,
        places: 4,
        ..UploadSettings::default()
    };
    GatewaySettings { uploads, ..GatewaySettings::default() }
}

fn operations(query: &str, variables: Value) -> Vec<u8> {
    text("operations", &json!({ "query": query, "variables": variables }).to_string())
}

fn map(map: Value) -> Vec<u8> {
    text("map", &map.to_string())
}

fn upload(bytes: &[u8]) -> Vec<Vec<u8>> {
    vec![
        operations(UPLOAD, json!({ "file": null })),
        map(json!({ "0": ["variables.file"] })),
        file("0", "a.png", bytes),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_reaches_a_subgraph_of_any_kind() {
    for target in Target::both().await {
        let all_bytes: Vec<u8> = (0..=255).chain(*b"\r\n------for\r\n--").collect();
        let sum: i32 = all_bytes.iter().map(|byte| i32::from(*byte)).sum();
        let answer = target.send(form(&upload(&all_bytes))).await;
        let sent = json!({ "name": "a.png", "contentType": "image/png", "size": all_bytes.len(), "sum": sum });
        assert_eq!(answer.json(), json!({ "data": { "upload": sent } }));

        // In an input, in a list with gaps, the same file in two places.
        let attach = "mutation($note: Note!) { attach(note: $note) { name size } }";
        let note = json!({ "note": { "text": "t ", "files": [null, null, null] } });
        let places = json!({ "x y": ["variables.note.files.0", "variables.note.files.2"] });
        let parts = [operations(attach, note), map(places), file("x y", "ä%22b%0A.png", b"12345")];
        let sent = json!({ "name": "t ä\"b\n.png", "size": 5 });
        assert_eq!(
            target.send(form(&parts)).await.json()["data"]["attach"],
            json!([sent, null, sent])
        );

        // Anybody's subgraph gets a form too, and only of the files that are its own.
        let both = "mutation($a: Upload!, $list: [Upload!]!) { upload(file: $a) { size } keep(files: $list) { name contentType size sum } }";
        let parts = [
            operations(both, json!({ "a": null, "list": [null, null] })),
            map(json!({ "a": ["variables.a", "variables.list.1"], "b": ["variables.list.0"] })),
            file("b", "b.png", b"\x01\x02"),
            part("content-disposition: form-data; name=\"a\"; filename=\"a\"", b"\x03"),
        ];
        let answer = target.send(form(&parts)).await.json();
        assert_eq!(
            answer["data"],
            json!({ "upload": { "size": 1 }, "keep": [
                { "name": "b.png", "contentType": "image/png", "size": 2, "sum": 3 },
                { "name": "a", "contentType": "application/octet-stream", "size": 1, "sum": 3 },
            ] }),
            "{answer}"
        );
        // An empty file is a file.
        let answer = target.send(form(&upload(b""))).await.json();
        assert_eq!(answer["data"]["upload"]["size"], 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_a_file_is_one() {
    for target in Target::both().await {
        for file in [
            json!("#__graphql_file__:0"),
            json!("file-00000000000000000000000000000000-0"),
            json!({ "name": "a", "contentType": null, "bytes": "AA==" }),
            json!(7),
        ] {
            let body = json!({ "query": UPLOAD, "variables": { "file": file } }).to_string();
            let answer = send(&target.router, support::post(&body).body(Body::from(body)).unwrap());
            let answer = answer.await.json();
            assert!(answer["data"]["upload"].is_null(), "{answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        }
        // A file where none belongs is a wrong value.
        let parts = [
            operations(UPLOAD, json!({ "file": null, "name": null })),
            map(json!({ "0": ["variables.file", "variables.name"] })),
            file("0", "a.png", b"1"),
        ];
        let answer = target.send(form(&parts)).await.json();
        assert!(!answer["errors"][0].is_null(), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_such_form_is_refused_with_the_reason() {
    let target = Target::new(false, small()).await;
    let fine = || upload(b"12345");
    let with_map = |places: Value| {
        vec![
            operations(UPLOAD, json!({ "file": null, "list": [null] })),
            map(places),
            file("0", "a", b"1"),
        ]
    };
    let raw_map = |json: &str| {
        vec![operations(UPLOAD, json!({ "file": null })), text("map", json), file("0", "a", b"1")]
    };
    let malformed = "UPLOAD_MALFORMED";
    let rows: Vec<(Vec<Vec<u8>>, &str, &str)> = vec![
        (vec![], malformed, "the part operations is missing"),
        (vec![fine()[0].clone()], malformed, "the part map is missing"),
        (vec![fine()[1].clone()], malformed, "the part operations is missing"),
        (
            vec![fine()[2].clone()],
            malformed,
            "the part operations is missing: \"0\" came in its place",
        ),
        (vec![fine()[0].clone(), fine()[2].clone()], malformed, "the part map is missing: \"0\""),
        (fine()[..2].to_vec(), malformed, "the file \"0\" that map names was not sent"),
        ([fine(), vec![file("0", "b", b"2")]].concat(), malformed, "the file \"0\" is sent twice"),
        ([fine(), vec![file("1", "b", b"2")]].concat(), malformed, "\"1\" is not named in map"),
        (
            [fine(), vec![operations("{ __typename }", json!({}))]].concat(),
            malformed,
            "\"operations\" is not named",
        ),
        (
            vec![fine()[0].clone(), fine()[1].clone(), text("0", "12345")],
            malformed,
            "it has no filename",
        ),
        (
            vec![
                fine()[0].clone(),
                fine()[1].clone(),
                part("content-disposition: form-data; filename=\"a\"", b"1"),
            ],
            malformed,
            "a part of the form has no name",
        ),
        (vec![part("x: y", b"1")], malformed, ""),
        (raw_map("not json"), malformed, "map cannot be read"),
        (raw_map("[\"variables.file\"]"), malformed, "map cannot be read"),
        (raw_map("{\"0\": \"variables.file\"}"), malformed, "map cannot be read"),
        (raw_map("{\"0\": [7]}"), malformed, "map cannot be read"),
        (
            raw_map("{\"0\": [\"variables.file\"], \"0\": [\"variables.file\"]}"),
            malformed,
            "\"0\" twice",
        ),
        (raw_map("{}"), malformed, "map names no file"),
        (raw_map("{\"0\": []}"), malformed, "no place for the file \"0\""),
        (raw_map("{\"operations\": [\"variables.file\"]}"), malformed, "the name \"operations\""),
        (with_map(json!({ "0": ["file"] })), malformed, "only such as variables.file"),
        (with_map(json!({ "0": ["query"] })), malformed, "only such as variables.file"),
        (with_map(json!({ "0": ["0.variables.file"] })), malformed, "only such as variables.file"),
        (with_map(json!({ "0": ["variables"] })), malformed, "only such as variables.file"),
        (with_map(json!({ "0": ["variables."] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.absent"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.file.x"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.__proto__"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.constructor.prototype.x"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list.__proto__.x"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list.1"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list.00"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list.-1"] })), malformed, "has no null"),
        (with_map(json!({ "0": ["variables.list.length"] })), malformed, "has no null"),
        (
            with_map(json!({ "0": ["variables.list.99999999999999999999999"] })),
            malformed,
            "has no null",
        ),
        (with_map(json!({ "0": ["variables.file", "variables.file"] })), malformed, "has no null"),
        (
            with_map(json!({ "0": vec!["variables.file"; 5] })),
            "UPLOAD_TOO_MANY",
            "5 places: at most 4",
        ),
        (
            with_map(json!({ "0": ["variables.file"], "1": ["x"], "2": ["x"], "3": ["x"] })),
            "UPLOAD_TOO_MANY",
            "4 files: at most 3",
        ),
        (upload(&[7; 1_001]), "UPLOAD_TOO_LARGE", "the file \"0\" may have 1000 bytes at most"),
        (
            vec![
                operations(
                    "mutation($a: Upload!, $b: Upload!) { a: upload(file: $a) { size } b: upload(file: $b) { size } }",
                    json!({ "a": null, "b": null }),
                ),
                map(json!({ "0": ["variables.a"], "1": ["variables.b"] })),
                file("0", "a", &[1; 900]),
                file("1", "b", &[1; 900]),
            ],
            "UPLOAD_TOO_LARGE",
            "all files together may have 1500 bytes at most",
        ),
        (
            vec![
                text("operations", "[{\"query\": \"{ __typename }\"}]"),
                map(json!({ "0": ["variables.file"] })),
                file("0", "a", b"1"),
            ],
            "BATCH_NOT_ACCEPTED",
            "batches are not accepted",
        ),
        (
            vec![
                text(
                    "operations",
                    "{\"query\": \"mutation($f: Upload!) { upload(file: $f) { size } }\"}",
                ),
                map(json!({ "0": ["variables.f"] })),
                file("0", "a", b"1"),
            ],
            malformed,
            "has no null",
        ),
        (
            vec![
                operations(
                    "query($file: Upload) { look(file: $file) { size } }",
                    json!({ "file": null }),
                ),
                map(json!({ "0": ["variables.file"] })),
                file("0", "a", b"1"),
            ],
            "UPLOAD_NOT_ALLOWED",
            "only a mutation",
        ),
    ];
    for (parts, code, message) in rows {
        let shown = String::from_utf8_lossy(&parts.concat()).into_owned();
        let answer = target.send(form(&parts)).await;
        assert_eq!(answer.code(), code, "{shown}\n{}", answer.text());
        assert!(answer.message().contains(message), "{shown}\n{}", answer.text());
        assert!(answer.json().get("data").is_none());
        let status = if code.starts_with("UPLOAD_TOO") { 413 } else { 400 };
        assert_eq!(answer.status, status, "{shown}");
    }
    let unbounded = http::Request::post("/graphql")
        .header("content-type", "multipart/form-data")
        .header(ALLOWED.0, ALLOWED.1)
        .body(Body::from(form(&fine())))
        .unwrap();
    let answer = send(&target.router, unbounded).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (400, malformed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_breaks_off_or_dawdles_is_refused() {
    let whole = form(&upload(&[7; 500]));
    let target = Target::new(false, small()).await;
    for end in [0, 10, 60, whole.len() / 2, whole.len() - 20] {
        let answer = target.send(whole[..end].to_vec()).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "UPLOAD_MALFORMED"), "{end}");
        let pieces =
            vec![Ok(Bytes::from(whole[..end].to_vec())), Err(std::io::Error::other("gone"))];
        let answer = target.send(Body::from_stream(futures::stream::iter(pieces))).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (400, "UPLOAD_MALFORMED"), "{end}");
    }
    let http =
        HttpSettings { request_timeout: Duration::from_millis(300), ..HttpSettings::default() };
    let target = Target::new(false, GatewaySettings { http, ..small() }).await;
    let bytes = whole.clone();
    let slow = async_stream::stream! {
        for byte in bytes {
            tokio::time::sleep(Duration::from_millis(5)).await;
            yield Ok::<_, std::io::Error>(Bytes::from(vec![byte]));
        }
    };
    let answer = target.send(Body::from_stream(slow)).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (408, "REQUEST_TIMEOUT"));
    // A form may come in pieces of any size.
    let target = Target::new(false, small()).await;
    let pieces =
        whole.chunks(3).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)));
    let pieces: Vec<_> = pieces.collect();
    let answer = target.send(Body::from_stream(futures::stream::iter(pieces))).await;
    assert_eq!(answer.json()["data"]["upload"]["size"], 500);
}

/// A body that counts what is taken of it.
fn counted(bytes: Vec<u8>) -> (Body, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let pieces: Vec<Bytes> = bytes.chunks(64).map(Bytes::copy_from_slice).collect();
    let stream = futures::stream::iter(pieces.into_iter().map(move |piece| {
        count.fetch_add(piece.len(), Ordering::SeqCst);
        Ok::<_, std::io::Error>(piece)
    }));
    (Body::from_stream(stream), taken)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_send_files_is_told_before_they_are_received() {
    let uploads = UploadSettings { anonymous: false, ..small().uploads };
    let target = Target::new(false, GatewaySettings { uploads, ..small() }).await;
    let bearer = format!("Bearer {}", target.token());
    let cookie = format!("spacey-access={}", target.token());
    for (headers, expected) in [
        (vec![], (403, "CSRF_PREVENTION")),
        (vec![("cookie", &*cookie)], (403, "CSRF_PREVENTION")),
        (vec![("authorization", &*bearer)], (403, "CSRF_PREVENTION")),
        (vec![("x-requested-with", "x"), ("cookie", &*cookie)], (403, "CSRF_PREVENTION")),
        (vec![ALLOWED], (401, "UNAUTHENTICATED")),
        (vec![ALLOWED, ("authorization", "Bearer nonsense")], (401, "UNAUTHENTICATED")),
        (vec![ALLOWED, ("cookie", "spacey-access=nonsense")], (401, "UNAUTHENTICATED")),
    ] {
        let (body, taken) = counted(form(&upload(&[7; 500])));
        let answer = send(&target.router, request(body, &headers)).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), expected, "{headers:?}");
        assert_eq!(taken.load(Ordering::SeqCst), 0, "{headers:?}");
    }
    for headers in [
        [ALLOWED, ("authorization", &*bearer)],
        [("x-spacey-csrf", "1"), ("cookie", &*cookie)],
        [("x-apollo-operation-name", "Upload"), ("cookie", &*cookie)],
    ] {
        let answer = send(&target.router, request(form(&upload(&[7; 500])), &headers)).await;
        assert_eq!(answer.json()["data"]["upload"]["size"], 500, "{headers:?}");
    }
}

/// Sends a form that never ends: again, where others had the room at that moment.
fn waits(target: &Target, authorization: String) -> tokio::task::JoinHandle<()> {
    let router = target.router.clone();
    tokio::spawn(async move {
        loop {
            let never = Body::from_stream(futures::stream::pending::<std::io::Result<Bytes>>());
            let headers = [ALLOWED, ("authorization", &*authorization)];
            let answer = send(&router, request(never, &headers)).await;
            assert!(matches!(answer.status.as_u16(), 429 | 503), "{}", answer.status);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn all_clients_together_cannot_fill_the_memory() {
    let uploads = UploadSettings { memory: 3 << 20, ..small().uploads };
    let target = Arc::new(Target::new(false, GatewaySettings { uploads, ..small() }).await);
    let (one, other) = (target.token(), target.token());
    let headers = |token: &str| format!("Bearer {token}");
    let waiting = waits(&target, headers(&one));
    // A form that does not say how long it is may be as long as any.
    let again = || request(form(&upload(b"1")), &[ALLOWED, ("authorization", &*headers(&other))]);
    let refused = loop {
        let answer = send(&target.router, again()).await;
        if answer.status != 200 {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((refused.status.as_u16(), &*refused.code()), (503, "OVERLOADED"));
    assert_eq!(refused.header("retry-after"), "1");
    waiting.abort();
    let _ = waiting.await;
    assert_eq!(send(&target.router, again()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_cannot_fill_the_memory() {
    let uploads = UploadSettings { at_once: 2, ..small().uploads };
    let target = Arc::new(Target::new(false, GatewaySettings { uploads, ..small() }).await);
    let bearer = format!("Bearer {}", target.token());
    let headers = [ALLOWED, ("authorization", &*bearer)];
    let waiting = [(), ()].map(|()| waits(&target, bearer.clone()));
    let refused = loop {
        let answer = send(&target.router, request(form(&upload(b"1")), &headers)).await;
        if answer.status != 200 {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!((refused.status.as_u16(), &*refused.code()), (429, "TOO_MANY_UPLOADS"));
    // Others may.
    let other = format!("Bearer {}", target.token());
    let headers_of_other = [ALLOWED, ("authorization", &*other)];
    let answer = send(&target.router, request(form(&upload(b"1")), &headers_of_other)).await;
    assert_eq!(answer.status, 200);
    for request in waiting {
        request.abort();
        let _ = request.await;
    }
    let answer = send(&target.router, request(form(&upload(b"1")), &headers)).await;
    assert_eq!(answer.status, 200);
}
