//! The pages that the links in mails lead to, for an installation without a front end of its own: they confirm an address, set a new password,
//! confirm a change of the address, or undo it.
//!
//! A page is the same for everybody and holds no secret: the link's stands behind its `#` and is sent to nobody but the graph, by the page's script, in a
//! POST of JSON as any front end's. Refused by the content security policy: whatever comes from elsewhere, scripts and styles within the page,
//! forms that go anywhere, frames. No page leads on to another.

use axum::Router;
use axum::http::HeaderName;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");
const PASSWORD: &str = "<label>New password <input id=\"password\" type=\"password\" autocomplete=\"new-password\" minlength=\"8\" required></label>\n<label>The same again <input id=\"again\" type=\"password\" autocomplete=\"new-password\" required></label>\n";

/// A page behind a link.
struct Page {
    /// Its path without the slash, by which the script knows it, too.
    name: &'static str,
    title: &'static str,
    text: &'static str,
    /// What its button says.
    button: &'static str,
    /// Whether it asks for a new password.
    password: bool,
}

/// The paths are those that the users domain writes into mails.
const PAGES: [Page; 4] = [
    Page {
        name: "verify-email",
        title: "Confirm your e-mail address",
        text: "Confirm that the address to which the mail was sent is yours.",
        button: "Confirm the address",
        password: false,
    },
    Page {
        name: "reset-password",
        title: "Set a new password",
        text: "Choose a new password of at least 8 characters. Everybody who is logged in to your account is logged out.",
        button: "Set the password",
        password: true,
    },
    Page {
        name: "confirm-email-change",
        title: "Confirm your new e-mail address",
        text: "Confirm that your account is to have the address to which the mail was sent. Everybody who is logged in to it elsewhere is logged out.",
        button: "Confirm the new address",
        password: false,
    },
    Page {
        name: "undo-email-change",
        title: "Undo the change of your e-mail address",
        text: "Your account gets the address back to which the mail was sent. Choose a new password of at least 8 characters: whoever changed the address knew the old one. Everybody who is logged in to your account is logged out.",
        button: "Undo the change",
        password: true,
    },
];

/// The pages, with the script and the style that they share.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |content_type, text| get(async move || answer(content_type, text));
    let files = Router::new()
        .route("/mail-pages/page.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/mail-pages/page.css", file("text/css; charset=utf-8", STYLE));
    PAGES.iter().fold(files, |router, page| {
        let path = format!("/{}", page.name);
        router.route(&path, get(async || answer("text/html; charset=utf-8", page.html())))
    })
}

impl Page {
    fn html(&self) -> String {
        let Self { name, title, text, button, password } = self;
        let password = if *password { PASSWORD } else { "" };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<link rel=\"stylesheet\" href=\"/mail-pages/page.css\">\n<script type=\"module\" src=\"/mail-pages/page.js\"></script>\n</head>\n<body data-page=\"{name}\">\n<h1>{title}</h1>\n<p>{text}</p>\n<form hidden>\n{password}<button>{button}</button>\n</form>\n<p role=\"status\"></p>\n<noscript><p>This page needs JavaScript.</p></noscript>\n</body>\n</html>\n"
        )
    }
}

fn answer(content_type: &'static str, text: impl Into<String>) -> Response {
    let headers: [(HeaderName, &str); 6] = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, text.into()).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;

    use super::*;

    async fn get(path: &str) -> (StatusCode, Vec<String>, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = routes().oneshot(request).await.unwrap();
        let header = |name| response.headers()[name].to_str().unwrap().to_owned();
        let headers = if response.status() == StatusCode::OK {
            vec![
                header(CONTENT_SECURITY_POLICY),
                header(REFERRER_POLICY),
                header(CACHE_CONTROL),
                header(X_CONTENT_TYPE_OPTIONS),
            ]
        } else {
            Vec::new()
        };
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn each_page_is_careful_and_loads_nothing_from_elsewhere() {
        let files = ["mail-pages/page.js", "mail-pages/page.css"];
        for path in PAGES.iter().map(|page| page.name).chain(files) {
            let (status, headers, body) = get(&format!("/{path}")).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            assert_eq!(headers, [POLICY, "no-referrer", "no-store", "nosniff"], "{path}");
            assert!(!body.contains("http:") && !body.contains("https:"), "{path}");
            assert!(!body.contains("<style") && !body.contains("<script>"), "{path}");
        }
        assert!(!POLICY.contains("unsafe"));
    }

    #[tokio::test]
    async fn what_a_request_says_is_not_in_the_page() {
        let plain = get("/reset-password").await;
        assert_eq!(get("/reset-password?token=secret&next=//attacker.example").await, plain);
        assert_eq!(get("/reset-password/x").await.0, StatusCode::NOT_FOUND);
    }

    #[test]
    fn the_script_knows_each_page() {
        for page in &PAGES {
            assert!(SCRIPT.contains(&format!("'{}': {{", page.name)), "{}", page.name);
        }
    }
}
