//! What can be set about the gateway: a small struct for each concern. Where a value comes from is the program's affair.

use std::sync::Arc;
use std::time::Duration;

use common::Viewer;
use federation::{ExecuteSettings, Limit, OperationLimits};
use http::HeaderValue;
use ipnet::IpNet;
use secrecy::SecretString;

use crate::authenticate::IssuerSettings;
use crate::trusted::TrustedDocuments;

/// Everything that can be set.
#[derive(Debug, Clone, Default)]
pub struct GatewaySettings {
    /// What is accepted over HTTP.
    pub http: HttpSettings,
    /// What is accepted of files that come with operations.
    pub uploads: UploadSettings,
    /// The files that subgraphs keep, where they are served.
    pub files: &'static [FileSettings],
    /// How browsers are recognised and kept apart.
    pub browser: BrowserSettings,
    /// Who else issues access tokens that are accepted.
    pub issuers: Vec<IssuerSettings>,
    /// How many operations run at once, and what becomes of others.
    pub admission: AdmissionSettings,
    /// What answers that last may take up.
    pub streams: StreamSettings,
    /// What is remembered of operations, and how large they may be.
    pub operations: OperationSettings,
    /// How many bytes of answers are kept that are the same for everybody; 0 for none.
    pub kept_answers: usize,
    /// Which operations may be asked for without their text, and which alone are answered.
    pub documents: DocumentSettings,
    /// The bounds of what one operation asks of the subgraphs.
    pub execution: ExecuteSettings,
    /// What operations may cost, and how much of that clients have.
    pub cost: CostSettings,
    /// What clients are told of subgraphs' errors.
    pub errors: ErrorSettings,
    /// How long an operation takes that is told of in the log, with its plan; none is told of without.
    pub slow: Option<Duration>,
    /// What is there for developers.
    pub developer: DeveloperSettings,
    /// The download of everything that is a person's, where there is one.
    pub export: Option<&'static ExportSettings>,
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
    /// Networks of proxies in front of the gateway, which are believed when they say for whom they pass a request on.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            body_limit: 1 << 20,
            query_string_limit: 16 << 10,
            request_timeout: Duration::from_secs(30),
            share_queries: false,
            trusted_proxies: Vec::new(),
        }
    }
}

/// What is accepted of files that come with operations, in forms of the GraphQL multipart request specification.
#[derive(Debug, Clone)]
pub struct UploadSettings {
    /// The most bytes of one file.
    pub file_bytes: usize,
    /// The most files of one request.
    pub files: usize,
    /// The most bytes of all files of one request.
    pub total_bytes: usize,
    /// The most places that the files of one request may have among its variables.
    pub places: usize,
    /// How many requests with files one client may have under way.
    pub at_once: usize,
    /// How many bytes all requests with files may have together that are under way.
    pub memory: u64,
    /// Whether they are taken from people who are not signed in.
    pub anonymous: bool,
}

impl Default for UploadSettings {
    fn default() -> Self {
        Self {
            file_bytes: 10 << 20,
            files: 10,
            total_bytes: 32 << 20,
            places: 50,
            at_once: 4,
            memory: 512 << 20,
            anonymous: true,
        }
    }
}

/// The files that a subgraph of Spacey's keeps, served at `{path}/{id}/{name}`.
#[derive(Debug, Clone, Copy)]
pub struct FileSettings {
    /// What their addresses begin with, such as `/media`.
    pub path: &'static str,
    /// The subgraph.
    pub subgraph: &'static str,
}

/// How browsers are recognised and kept apart.
#[derive(Debug, Clone, Default)]
pub struct BrowserSettings {
    /// Whether the access token's cookie is for HTTPS only: it is then called `__Host-spacey-access`, else `spacey-access`.
    pub secure_cookies: bool,
    /// The origins whose pages may call the graph with the visitor's credentials, such as `https://app.example`. None by default.
    pub allowed_origins: Vec<HeaderValue>,
}

/// How many operations run at once, and what becomes of others. Subscriptions and answers in parts have bounds of their own.
#[derive(Debug, Clone)]
pub struct AdmissionSettings {
    /// How many run at once; three quarters of them at most for those who are not signed in.
    pub running: usize,
    /// How many wait for a place; more are refused at once.
    pub waiting: usize,
    /// How long one waits at most.
    pub patience: Duration,
    /// How late the process may be with everything, all the time, before it turns all operations away, and the least important when it is half
    /// as late; none for however late.
    pub late: Option<Duration>,
    /// What an operation may be estimated at to count as cheap, in points.
    pub cheap_cost: u32,
}

impl Default for AdmissionSettings {
    fn default() -> Self {
        Self {
            running: 512,
            waiting: 512,
            patience: Duration::from_millis(500),
            late: Some(Duration::from_millis(200)),
            cheap_cost: 100,
        }
    }
}

/// What answers that last may take up: subscriptions, and the WebSockets and event streams that carry them.
#[derive(Debug, Clone)]
pub struct StreamSettings {
    /// How many operations one connection may have under way.
    pub operations_per_connection: usize,
    /// How many such connections one client may have: one viewer, or one address where nobody is signed in.
    pub connections_per_client: usize,
    /// How many messages wait for a client that reads slowly.
    pub buffer: usize,
    /// How long a message may wait for room before its client counts as too slow and is cut off.
    pub patience: Duration,
    /// How long a connection stays silent at most. Each time, the client's credentials are looked at again.
    pub heartbeat: Duration,
    /// How long a client may take to begin: to say who it is on a WebSocket, to fetch an event stream that it reserved.
    pub init_timeout: Duration,
}

impl Default for StreamSettings {
    fn default() -> Self {
        Self {
            operations_per_connection: 100,
            connections_per_client: 100,
            buffer: 64,
            patience: Duration::from_secs(10),
            heartbeat: Duration::from_secs(10),
            init_timeout: Duration::from_secs(10),
        }
    }
}

/// What is remembered of operations, and how large they may be.
#[derive(Debug, Clone)]
pub struct OperationSettings {
    /// How many bytes of prepared operations are kept at most: their texts, plans and shapes, roughly.
    pub cached_bytes: usize,
    /// How large one may be.
    pub limits: OperationLimits,
    /// How deep lists and objects may nest in the value of a variable; the variables of all requests are held to it.
    pub variables_depth: Limit,
}

impl Default for OperationSettings {
    fn default() -> Self {
        Self {
            cached_bytes: 64 << 20,
            limits: OperationLimits {
                aliases: Limit::of(100),
                root_fields: Limit::of(50),
                directives: Limit::of(300),
                fragments: Limit::of(200),
                ..OperationLimits::default()
            },
            variables_depth: Limit::of(32),
        }
    }
}

/// Whether a rule is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is of no concern.
    #[default]
    Off,
    /// What it would refuse goes into the log, and is answered.
    Measure,
    /// What breaks it is refused.
    Enforce,
}

/// What operations may cost, and how much of that clients have. By default it is of no concern.
#[derive(Debug, Clone)]
pub struct CostSettings {
    /// What is assumed where the supergraph does not tell.
    pub assumed: federation::CostSettings,
    /// Whether an operation may cost at most [`maximum_cost`](Self::maximum_cost).
    pub maximum: Mode,
    /// What one operation may be estimated at, in points.
    pub maximum_cost: u32,
    /// Whether clients have buckets of points, and pay by them.
    pub throttle: Mode,
    /// The bucket of whoever has no other: each account without a further role, and each network from which nobody signed in.
    pub everybody: Allowance,
    /// That of accounts with the role `BETA`.
    pub beta: Allowance,
    /// That of accounts with the role `ADMIN`.
    pub admin: Allowance,
    /// Where buckets are that gateways share; none where each gateway has its own.
    pub shared: Option<SharedBuckets>,
}

/// A Redis in which gateways share the buckets of points.
#[derive(Debug, Clone)]
pub struct SharedBuckets {
    /// Its address: `redis://` or, with TLS, `rediss://`, with user, password and number of the database where it has them.
    pub url: SecretString,
    /// How long it may take to answer. Then gateways go on without it until it answers again.
    pub timeout: Duration,
    /// How many gateways share it: meanwhile each grants this part of a bucket; at least 1.
    pub gateways: u32,
}

/// A bucket of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// How many points it holds.
    pub capacity: u32,
    /// How many are restored each second; at least 1.
    pub restore_rate: u32,
}

impl Default for CostSettings {
    fn default() -> Self {
        Self {
            assumed: federation::CostSettings::default(),
            maximum: Mode::Off,
            maximum_cost: 5_000,
            throttle: Mode::Off,
            everybody: Allowance { capacity: 10_000, restore_rate: 500 },
            beta: Allowance { capacity: 20_000, restore_rate: 1_000 },
            admin: Allowance { capacity: 100_000, restore_rate: 5_000 },
            shared: None,
        }
    }
}

impl CostSettings {
    /// Whether nothing is estimated.
    pub(crate) fn is_off(&self) -> bool {
        self.maximum == Mode::Off && self.throttle == Mode::Off
    }

    /// The bucket of whoever asks.
    pub(crate) fn allowance(&self, viewer: Option<&Viewer>) -> Allowance {
        match viewer.map(|viewer| viewer.roles) {
            Some(roles) if roles.admin => self.admin,
            Some(roles) if roles.beta => self.beta,
            _ => self.everybody,
        }
    }
}

/// Which operations may be asked for without their text, and which alone are answered.
#[derive(Debug, Clone)]
pub struct DocumentSettings {
    /// How many bytes of texts are kept by their hash at most (automatic persisted queries); 0 for none.
    pub persisted_bytes: usize,
    /// The documents that applications were built with.
    pub trusted: Arc<TrustedDocuments>,
    /// What becomes of all others.
    pub untrusted: Untrusted,
}

impl Default for DocumentSettings {
    fn default() -> Self {
        Self { persisted_bytes: 16 << 20, trusted: Arc::default(), untrusted: Untrusted::Answered }
    }
}

/// What becomes of an operation that is not among the trusted documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untrusted {
    /// It is answered.
    Answered,
    /// It is answered, and a line in the log says so.
    Logged,
    /// It is refused.
    Refused,
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

/// A download of everything that is a person's.
#[derive(Debug)]
pub struct ExportSettings {
    /// Where it is asked for.
    pub path: &'static str,
    /// What to call the file, in ASCII without quotation marks.
    pub file_name: &'static str,
    /// Names the form of the document, for whoever reads it.
    pub format: &'static str,
    /// A GraphQL document with all the operations.
    pub document: &'static str,
    /// The members of the document in their order, at least one. The first tells whether there is an account.
    pub sections: &'static [ExportList],
    /// The connections within nodes, by the names of their fields.
    pub nested: &'static [ExportList],
}

/// A part of a download.
#[derive(Debug)]
pub struct ExportList {
    /// What it is called there. For a connection within nodes: its field, the same wherever it is.
    pub name: &'static str,
    /// Which operation answers it. Where it is a connection, with `$after: String`, and within nodes with the `$of: ID!` of the node.
    pub operation: &'static str,
    /// Where it stands in the operation's data: names with points between them.
    pub at: &'static str,
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
