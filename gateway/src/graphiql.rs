//! Serves GraphiQL out of the binary: the page at `/graphiql`, its files below `/graphiql/`.
//!
//! The build embeds what `make graphiql` bundles. Without a bundle the page says how to get it. Nothing is loaded from elsewhere: the
//! content security policy forbids it.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderName, StatusCode};

include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

const PAGE: &str = "index.html";
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; \
    base-uri 'none'; frame-ancestors 'none'; form-action 'none'";
const ABSENT: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
    <title>GraphiQL is not in this build</title>\n<h1>GraphiQL is not in this build</h1>\n\
    <p>Run <code>make graphiql</code>, then build again. The graph itself answers at <code>/graphql</code>.</p>\n</html>\n";

/// The routes of GraphiQL.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/graphiql", get(|| async { page(FILES) })).route(
        "/graphiql/{*path}",
        get(|Path(path): Path<String>| async move { file(FILES, &path) }),
    )
}

fn page(files: &[(&str, &'static [u8])]) -> Response {
    let html = find(files, PAGE).unwrap_or(ABSENT.as_bytes());
    answer(StatusCode::OK, "text/html; charset=utf-8", "no-cache", html)
}

fn file(files: &[(&str, &'static [u8])], path: &str) -> Response {
    // The names of assets change with what is in them.
    let caching = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    match find(files, path) {
        Some(bytes) => answer(StatusCode::OK, content_type(path), caching, bytes),
        None => answer(StatusCode::NOT_FOUND, "text/plain", "no-cache", b"there is no such file\n"),
    }
}

fn find(files: &[(&str, &'static [u8])], path: &str) -> Option<&'static [u8]> {
    files.iter().find(|(name, _)| *name == path).map(|(_, bytes)| *bytes)
}

fn answer(
    status: StatusCode,
    content_type: &'static str,
    caching: &'static str,
    body: &'static [u8],
) -> Response {
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, content_type), (CACHE_CONTROL, caching), (CONTENT_SECURITY_POLICY, POLICY)];
    (status, headers, body).into_response()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("ttf") => "font/ttf",
        Some("wasm") => "application/wasm",
        Some("txt" | "md") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &[(&str, &[u8])] = &[
        ("index.html", b"<p>"),
        ("assets/a-1b.js", b"1"),
        ("assets/f.ttf", b"f"),
        ("x.svg", b"s"),
    ];

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    #[test]
    fn the_page_is_checked_for_news_and_loads_nothing_from_elsewhere() {
        let page = page(BUNDLE);
        assert_eq!(header(&page, CACHE_CONTROL), "no-cache");
        assert_eq!(header(&page, CONTENT_TYPE), "text/html; charset=utf-8");
        assert!(
            header(&page, CONTENT_SECURITY_POLICY)
                .starts_with("default-src 'none'; script-src 'self';")
        );
    }

    #[test]
    fn assets_are_kept_for_good() {
        let script = file(BUNDLE, "assets/a-1b.js");
        assert_eq!(header(&script, CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert!(header(&script, CACHE_CONTROL).contains("immutable"));
        assert_eq!(header(&file(BUNDLE, "assets/f.ttf"), CONTENT_TYPE), "font/ttf");
        assert_eq!(header(&file(BUNDLE, "x.svg"), CACHE_CONTROL), "no-cache");
    }

    #[tokio::test]
    async fn without_a_bundle_the_page_says_how_to_get_it() {
        let body = axum::body::to_bytes(page(&[]).into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("make graphiql"));
    }

    #[test]
    fn other_paths_are_not_found() {
        for path in ["", "assets/none.js", "../Cargo.toml", "assets/../index.html"] {
            assert_eq!(file(BUNDLE, path).status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
}
