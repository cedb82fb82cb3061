//! What can be set about the gateway: a small struct for each concern. Where a value comes from is the program's affair.

use std::time::Duration;

use federation::ExecuteSettings;
use http::HeaderValue;

/// Everything that can be set.
#[derive(Debug, Clone, Default)]
pub struct GatewaySettings {
    /// What is accepted over HTTP.
    pub http: HttpSettings,
    /// How browsers are recognised and kept apart.
    pub browser: BrowserSettings,
    /// What is remembered of operations.
    pub operations: OperationSettings,
    /// The bounds of what one operation asks of the subgraphs.
    pub execution: ExecuteSettings,
    /// What clients are told of subgraphs' errors.
    pub errors: ErrorSettings,
    /// What is there for developers.
    pub developer: DeveloperSettings,
}

/// What is accepted over HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The largest request body, in bytes.
    pub body_limit: usize,
    /// The longest query string of a GET request, in bytes.
    pub query_string_limit: usize,
    /// How long one request may take, from its first byte to its answer.
    pub request_timeout: Duration,
    /// Whether clients' queries that are the same, headers included, share one answer while it is under way.
    pub share_queries: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_limit: 1 << 20,
            query_string_limit: 16 << 10,
            request_timeout: Duration::from_secs(30),
            share_queries: false,
        }
    }
}

/// How browsers are recognised and kept apart.
#[derive(Debug, Clone, Default)]
pub struct BrowserSettings {
    /// Whether the access token's cookie is for HTTPS only: it is then called `__Host-spacey-access`, else `spacey-access`.
    pub secure_cookies: bool,
    /// The origins whose pages may call the graph with the visitor's credentials, such as `https://app.example`. None by default.
    pub allowed_origins: Vec<HeaderValue>,
}

/// What is remembered of operations.
#[derive(Debug, Clone)]
pub struct OperationSettings {
    /// How many bytes of prepared operations are kept at most: their texts, plans and shapes, roughly.
    pub cached_bytes: usize,
}

impl Default for OperationSettings {
    fn default() -> Self {
        Self { cached_bytes: 64 << 20 }
    }
}

/// What clients are told of subgraphs' errors. Spacey's own subgraphs, and others that are trusted with it, are shown as they are.
#[derive(Debug, Clone)]
pub struct ErrorSettings {
    /// Whether a fixed text stands in place of their messages.
    pub masked: bool,
    /// The keys of `extensions` that are left then.
    pub allowed_extensions: Vec<String>,
}

impl Default for ErrorSettings {
    fn default() -> Self {
        Self { masked: true, allowed_extensions: vec!["code".to_owned()] }
    }
}

/// What is there for developers.
#[derive(Debug, Clone)]
pub struct DeveloperSettings {
    /// Whether `/graphiql` is served.
    pub graphiql: bool,
    /// Whether clients may ask for the schema.
    pub introspection: bool,
    /// Whether clients may ask how their operation was run.
    pub explain: bool,
}

impl Default for DeveloperSettings {
    fn default() -> Self {
        Self { graphiql: true, introspection: true, explain: false }
    }
}
