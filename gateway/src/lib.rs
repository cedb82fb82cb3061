//! The HTTP front of the federated graph: who is asking, which operation, which subgraphs, which bytes.
//!
//! A request's way is the list in `pipeline.rs`. Planning and execution are `federation`'s, which knows nothing of HTTP or identity; the
//! domains are reached through [`Transport`], and nothing above it knows whether they run in this process or another one. Both ends
//! of the protocol between processes are in `remote/`.

mod admission;
mod authenticate;
mod authorise;
mod bounds;
mod browser;
mod buckets;
mod cache;
mod caching;
mod charge;
mod client;
mod code;
mod decode;
mod documents;
mod error;
mod execute;
mod explain;
mod export;
mod extensions;
mod files;
mod gateway;
mod graph;
mod graphiql;
mod health;
mod http_client;
mod inflight;
mod live;
mod mask;
mod metrics;
mod observe;
mod outcome;
mod payload;
mod pipeline;
mod points;
mod prepare;
mod pressure;
mod remote;
mod respond;
mod response_cache;
mod settings;
mod state;
mod streams;
mod subgraph;
mod transport;
mod trusted;
mod under_way;
mod upload_memory;
mod uploads;
mod well_known;

pub use authenticate::{IssuerError, IssuerSettings, KeyFetchSettings, Recognition};
pub use buckets::StoreError;

pub use federation::{ExecuteSettings, Limit, OperationLimits};
pub use gateway::{Gateway, GatewayError, Replaced};
pub use health::Drain;
pub use http_client::{
    ClientError, ClientIdentity, ClientSettings, ClientSetupError, HttpVersion, Pieces,
    SubgraphHttpClient, TlsSettings,
};
pub use remote::{
    GraphQlSubgraph, GraphQlSubgraphError, HttpEndpoint, HttpEndpointError, RemoteAdmissions,
    RemoteKeys, key_router, people_router, revocation_router, subgraph_router,
};
pub use settings::{
    AdmissionSettings, Allowance, BrowserSettings, CostSettings, DeveloperSettings,
    DocumentSettings, ErrorSettings, ExportList, ExportSettings, FileSettings, GatewaySettings,
    HttpSettings, Mode, OperationSettings, SharedBuckets, StreamSettings, Untrusted,
    UploadSettings,
};
pub use subgraph::{
    BreakerSettings, EndToEndHeader, HeaderMatch, HeaderMatchError, HeaderPattern, HeaderRules,
    Merge, RequestRule, ResponseRule, RetrySettings, SubgraphSettings, SubgraphSetupError,
};
pub use transport::Transport;
pub use trusted::{TrustedDocuments, TrustedDocumentsError};
