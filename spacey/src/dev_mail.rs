//! `/dev/mail`: the mailbox folder in a browser, for development on one's own machine.
//!
//! Mail holds secrets, so this is served in development mode on a loopback address only, and only to requests that name such an address: a
//! page of another site that has its name lead here is refused. What mail says is escaped, or shown in a frame that can run nothing.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::MailId;
use users::mail::{Mailbox, StoredLetter};

/// Styles only; frames of this origin.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Nothing but styles; links open pages of their own.
const LETTER_POLICY: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The pages.
pub(crate) fn routes(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail/{id}", get(letter))
        .route("/dev/mail/{id}/html", get(html))
        .with_state(mailbox)
}

async fn list(State(mailbox): State<Mailbox>, headers: HeaderMap) -> Response {
    if !names_this_machine(&headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let letters = match mailbox.letters().await {
        Ok(letters) => letters,
        Err(error) => return failed(&error),
    };
    let mut rows = String::new();
    for letter in &letters {
        rows.push_str(&format!(
            "<li><a href=\"/dev/mail/{}\">{}</a> to {}</li>\n",
            letter.id,
            escape(&letter.subject),
            escape(&letter.to)
        ));
    }
    if letters.is_empty() {
        rows.push_str("<li>No mail has been sent yet.</li>");
    }
    page("Mail", &format!("<h1>Mail</h1>\n<ol>\n{rows}</ol>\n"))
}

async fn letter(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&mailbox, &id, &headers).await {
        Ok(letter) => page(
            &letter.subject,
            &format!(
                "<p><a href=\"/dev/mail\">All mail</a></p>\n<h1>{}</h1>\n<p>To {}</p>\n<pre>{}</pre>\n<iframe src=\"/dev/mail/{}/html\" title=\"The mail as HTML\"></iframe>\n",
                escape(&letter.subject),
                escape(&letter.to),
                escape(&letter.text),
                letter.id
            ),
        ),
        Err(response) => *response,
    }
}

async fn html(
    State(mailbox): State<Mailbox>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&mailbox, &id, &headers).await {
        Ok(letter) => answer(LETTER_POLICY, letter.html),
        Err(response) => *response,
    }
}

async fn find(
    mailbox: &Mailbox,
    id: &str,
    headers: &HeaderMap,
) -> Result<StoredLetter, Box<Response>> {
    let absent = || Box::new(StatusCode::NOT_FOUND.into_response());
    // An id is a UUID: no name of a file elsewhere is one.
    let id: MailId = id.parse().map_err(|_| absent())?;
    if !names_this_machine(headers) {
        return Err(absent());
    }
    match mailbox.letter(id).await {
        Ok(letter) => letter.ok_or_else(absent),
        Err(error) => Err(Box::new(failed(&error))),
    }
}

/// Whether the request was sent to a name that can only mean this machine.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|digit| digit.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title>\n<style>body {{ font-family: sans-serif; margin: 2rem; }} iframe {{ width: 100%; height: 24rem; border: 1px solid; }} pre {{ white-space: pre-wrap; }}</style></head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    );
    answer(PAGE_POLICY, html)
}

fn answer(policy: &'static str, html: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, html).into_response()
}

fn failed(error: &std::io::Error) -> Response {
    tracing::error!(%error, "the mailbox cannot be read");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    async fn get(mailbox: &Mailbox, host: &str, path: &str) -> (StatusCode, String, String) {
        let request = Request::get(path).header(HOST, host).body(Body::empty()).unwrap();
        let response = routes(mailbox.clone()).oneshot(request).await.unwrap();
        let policy = response.headers().get(CONTENT_SECURITY_POLICY);
        let policy = policy.map(|policy| policy.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, policy, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn mail_is_shown_escaped_to_this_machine_only() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::new(folder.path());
        let (status, _, body) = get(&mailbox, "localhost:8080", "/dev/mail").await;
        assert!(status == StatusCode::OK && body.contains("No mail"), "{body}");

        let letter = StoredLetter {
            id: MailId::new(),
            to: "\"><script>@example.org".into(),
            subject: "<b>Hello</b>".into(),
            text: "</pre><script>alert(1)</script>".into(),
            html: "<p>html</p><script>alert(1)</script>".into(),
        };
        let file = folder.path().join(format!("{}.json", letter.id));
        std::fs::write(file, serde_json::to_vec(&letter).unwrap()).unwrap();
        let one = format!("/dev/mail/{}", letter.id);
        for host in ["localhost", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            for path in ["/dev/mail", &one] {
                let (status, policy, body) = get(&mailbox, host, path).await;
                assert_eq!(status, StatusCode::OK, "{host} {path}");
                assert!(policy.starts_with("default-src 'none';"), "{policy}");
                assert!(!body.contains("<script") && body.contains("&lt;b&gt;Hello"), "{body}");
            }
        }
        let (_, policy, body) = get(&mailbox, "localhost", &format!("{one}/html")).await;
        assert_eq!(body, letter.html);
        assert!(policy.starts_with("sandbox ") && !policy.contains("allow-scripts"), "{policy}");

        for host in ["attacker.example", "localhost.attacker.example:8080", "", "127.0.0.1.nip.io"]
        {
            for path in ["/dev/mail", &one, &format!("{one}/html")] {
                assert_eq!(get(&mailbox, host, path).await.0, StatusCode::NOT_FOUND, "{host}");
            }
        }
        for path in ["/dev/mail/..%2Fnotes", "/dev/mail/12", "/dev/mail/12/html"] {
            assert_eq!(get(&mailbox, "localhost", path).await.0, StatusCode::NOT_FOUND, "{path}");
        }
        let absent = format!("/dev/mail/{}", MailId::new());
        assert_eq!(get(&mailbox, "localhost", &absent).await.0, StatusCode::NOT_FOUND);
    }
}
