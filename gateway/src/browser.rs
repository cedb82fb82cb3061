//! What browsers are told: who may call from another origin, and how to treat what they get. And compression, which all clients like.

use std::time::Duration;

use axum::Router;
use axum::response::Response;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{
    DefaultPredicate, NotForContentType, Predicate, SizeAbove,
};
use tower_http::cors::CorsLayer;

use crate::caching::tag_encoding;
use crate::observe::REQUEST_ID;
use crate::points;
use crate::settings::BrowserSettings;

/// An answer below this many bytes fits a packet as it is.
const WORTH_COMPRESSING: u64 = 1024;
/// How long a browser may remember what it was told about an origin.
const PREFLIGHT_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Puts compression, headers and the rules for other origins around `router`.
pub(crate) fn guard<S>(router: Router<S>, settings: &BrowserSettings) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let compression = CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(
        DefaultPredicate::new()
            .and(SizeAbove::new(WORTH_COMPRESSING))
            // A compressor would hold back the parts of an answer that lasts.
            .and(NotForContentType::const_new("multipart/mixed"))
            // Sounds are compressed already, as images are, which the default leaves alone.
            .and(NotForContentType::const_new("audio/")),
    );
    let router = router.layer(compression).layer(axum::middleware::map_response(with_headers));
    if settings.allowed_origins.is_empty() { router } else { router.layer(cors(settings)) }
}

fn cors(settings: &BrowserSettings) -> CorsLayer {
    let own = |name| HeaderName::from_static(name);
    CorsLayer::new()
        .allow_origin(settings.allowed_origins.clone())
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            REQUEST_ID,
            own("apollo-require-preflight"),
            own("x-apollo-operation-name"),
            own("x-graphql-event-stream-token"),
            own("x-cost"),
            own("x-spacey-csrf"),
        ])
        .expose_headers(
            points::HEADERS
                .map(own)
                .into_iter()
                .chain([REQUEST_ID, RETRY_AFTER])
                .collect::<Vec<_>>(),
        )
        .max_age(PREFLIGHT_AGE)
}

async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    tag_encoding(headers);
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
