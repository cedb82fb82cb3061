//! The HTTP front of the federated graph: who is asking, which operation, which subgraphs, which bytes.
//!
//! A request's way is the list in [`pipeline`]. Planning and execution are `federation`'s, which knows nothing of HTTP or identity; the
//! domains are reached through [`Transport`], and nothing above it knows whether they run in this process or another one. Both ends
//! of the protocol between processes are in [`remote`].

mod authenticate;
mod browser;
mod cache;
mod code;
mod decode;
mod execute;
mod gateway;
mod graphiql;
mod health;
mod observe;
mod outcome;
mod panic;
mod pipeline;
mod prepare;
mod remote;
mod respond;
mod settings;
mod transport;

pub use code::Code;
pub use gateway::{Gateway, GatewayError};
pub use health::Drain;
pub use remote::{HttpEndpoint, HttpEndpointError, subgraph_router};
pub use settings::{
    BrowserSettings, DeveloperSettings, GatewaySettings, HttpSettings, OperationSettings,
};
pub use transport::Transport;

/// An error with its causes, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
