//! HTTP requests to the gateway, one after the other: each is answered in the media type that it says, with a reason and a code where
//! it is refused, and never because something in the gateway broke.
//!
//! An input is requests as HTTP/1.1 writes them, with `===` on a line between them. `{token}` stands for the event stream that was
//! reserved last. What HTTP itself cannot say never reaches the gateway, and is passed over.

use axum::body::Body;
use http::header::{ACCEPT_ENCODING, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode, Uri};

use crate::gateway::{library, read, router, send, well_formed};
use crate::runtime;

const BETWEEN: &[u8] = b"\n===\n";
const MOST_REQUESTS: usize = 8;

/// Sends `data` as requests.
pub fn run(data: &[u8]) {
    runtime::with_time(async {
        let router = router(library::endpoints());
        let mut token = String::new();
        for text in split(data, BETWEEN).take(MOST_REQUESTS) {
            let Some(request) = request(text, &token) else { continue };
            let method = request.method().clone();
            let is_graph = request.uri().path() == "/graphql";
            let response = send(&router, request).await;
            let (parts, body) = response.into_parts();
            let (body, has_ended) = read(body).await;
            if is_graph {
                well_formed::answer(&method, parts.status, &parts.headers, &body, has_ended);
            } else {
                assert!(parts.status.as_u16() < 500, "{}", parts.status);
            }
            if is_graph && parts.status == StatusCode::CREATED {
                token = String::from_utf8_lossy(&body).into_owned();
            }
        }
    });
}

/// The request that `text` writes; nothing where it is none.
fn request(text: &[u8], token: &str) -> Option<Request<Body>> {
    let (head, body) = match split_once(text, b"\n\n") {
        Some((head, body)) => (head, body),
        None => (text, &[][..]),
    };
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = std::str::from_utf8(lines.next()?).ok()?.replace("{token}", token);
    let (method, target) = first.split_once(' ')?;
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = target.parse::<Uri>().ok()?;
    for line in lines {
        let Some((name, value)) = split_once(line, b":") else { continue };
        let value = match std::str::from_utf8(value) {
            Ok(text) => HeaderValue::from_str(text.replace("{token}", token).trim()),
            Err(_) => HeaderValue::from_bytes(value.trim_ascii()),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), value) {
            request.headers_mut().append(name, value);
        }
    }
    // What a compressor makes of an answer is its own affair.
    request.headers_mut().remove(ACCEPT_ENCODING);
    Some(request)
}

fn split_once<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..position], &bytes[position + at.len()..]))
}

fn split<'a>(bytes: &'a [u8], at: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (first, after) = split_once(bytes, at).map_or((bytes, None), |(a, b)| (a, Some(b)));
        rest = after;
        Some(first)
    })
}
