//! A subgraph of anybody's, reached by GraphQL over HTTP: `POST` with `{query, operationName?, variables?}` to the very address that the
//! supergraph has for it.
//!
//! Refused: an answer with a status other than 2xx, unless it has GraphQL errors in its body, because many servers tell them so. Whether
//! any other is a GraphQL response is for the engine to find out.

use std::sync::Arc;

use bytes::Bytes;
use common::EndpointError;
use federation::{Events, FetchError, FetchRequest, OperationKind};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use super::subscribe::{Subscription, socket_address, subscribe};
use super::{Attempts, unanswered};
use crate::subgraph::{HeaderRules, SharingClient, SubgraphSettings, SubgraphSetupError};
use crate::uploads::{Forwarded, Uploads};

/// How much of an unexpected answer goes to the log, in bytes.
const SHOWN: usize = 200;
const PREFLIGHTED: HeaderName = HeaderName::from_static("apollo-require-preflight");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/graphql-response+json, application/json;q=0.9");

/// Why a subgraph cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum GraphQlSubgraphError {
    /// The supergraph says nothing about where it is.
    #[error("the supergraph has no address for the subgraph {name}, and no setting gives one")]
    NoAddress {
        /// The subgraph.
        name: String,
    },
    /// The address is none.
    #[error(
        "the address of the subgraph {name}, {address:?}, cannot be used: http:// or https://, a host, and perhaps a port and a path are accepted"
    )]
    Address {
        /// The subgraph.
        name: String,
        /// What was given.
        address: String,
    },
    /// A setting cannot be used.
    #[error("the subgraph {name} cannot be called as it is set")]
    Settings {
        /// The subgraph.
        name: String,
        /// Why.
        #[source]
        source: SubgraphSetupError,
    },
}

/// A subgraph that speaks GraphQL over HTTP and nothing of Spacey's.
#[derive(Debug)]
pub struct GraphQlSubgraph {
    name: String,
    address: Uri,
    /// Where subscriptions are opened.
    socket: String,
    client: SharingClient,
    headers: HeaderRules,
    errors_shown: bool,
}

impl GraphQlSubgraph {
    /// The subgraph `name`, which answers at `address`.
    ///
    /// # Errors
    /// [`GraphQlSubgraphError`] when the address is empty or cannot be used, or a setting cannot.
    pub fn new(
        name: impl Into<String>,
        address: &str,
        settings: &SubgraphSettings,
    ) -> Result<Self, GraphQlSubgraphError> {
        let name = name.into();
        if address.is_empty() {
            return Err(GraphQlSubgraphError::NoAddress { name });
        }
        let Some((url, address)) = usable(address) else {
            return Err(GraphQlSubgraphError::Address { name, address: address.to_owned() });
        };
        match SharingClient::new(&url, settings) {
            Ok(client) => Ok(Self {
                name,
                socket: socket_address(&address.to_string()),
                address,
                client,
                headers: settings.headers.clone(),
                errors_shown: settings.errors_shown,
            }),
            Err(source) => Err(GraphQlSubgraphError::Settings { name, source }),
        }
    }

    pub(crate) fn header_rules(&self) -> &HeaderRules {
        &self.headers
    }

    pub(crate) fn errors_are_shown(&self) -> bool {
        self.errors_shown
    }

    /// The name it was composed under.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs an operation for the engine, with the files in it, `client` being the headers of the client's request; beside the body of the
    /// answer, its headers.
    pub(crate) async fn fetch(
        &self,
        fetch: FetchRequest<'_>,
        uploads: Option<&Uploads>,
        client: &HeaderMap,
        attempts: &mut Attempts,
    ) -> Result<(Bytes, HeaderMap), EndpointError> {
        let repeatable = fetch.kind == OperationKind::Query;
        let answer = match uploads.and_then(|uploads| uploads.forward(&fetch.body)) {
            Some(Forwarded { content_type, body }) => {
                let mut request = self.request(body, client);
                request.headers_mut().insert(CONTENT_TYPE, content_type);
                // For servers that refuse forms which any site's page could send.
                request.headers_mut().insert(PREFLIGHTED, HeaderValue::from_static("true"));
                let answer = self.client.alone().call(request, false, attempts).await;
                answer.map_err(Arc::new)
            }
            None => self.client.call(self.request(fetch.body, client), repeatable, attempts).await,
        };
        let (parts, body) = answer.map_err(|error| unanswered(&self.name, error))?.into_parts();
        if !parts.status.is_success() && !tells_errors(&body) {
            let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
            return Err(self.answered(format!("status {}: {shown}", parts.status.as_u16())));
        }
        Ok((body, parts.headers))
    }

    /// Opens a subscription for the engine, over a WebSocket at the same address, with what the rules let through of `client`, the
    /// headers of the client's request.
    pub(crate) async fn open(
        &self,
        request: FetchRequest<'_>,
        client: &HeaderMap,
    ) -> Result<Events, FetchError> {
        let mut headers = HeaderMap::new();
        self.headers.to_subgraph(client, &mut headers);
        let subscription = Subscription {
            name: &self.name,
            address: &self.socket,
            headers,
            operation: &request.body,
        };
        subscribe(self.client.alone(), subscription).await
    }

    /// Its schema with federation directives, as it tells it by `_service { sdl }`.
    ///
    /// # Errors
    /// [`EndpointError`] when it does not answer, or answers something else.
    pub async fn sdl(&self) -> Result<String, EndpointError> {
        let body = Bytes::from_static(br#"{"query":"{ _service { sdl } }"}"#);
        let request = self.request(body, &HeaderMap::new());
        let answer = self.client.call(request, true, &mut Attempts::default()).await;
        let (parts, body) = answer.map_err(|error| unanswered(&self.name, error))?.into_parts();
        let told: Result<ServiceAnswer, _> = serde_json::from_slice(&body);
        told.map(|answer| answer.data.service.sdl).map_err(|_| {
            let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN)]);
            self.answered(format!("status {}: {shown}", parts.status.as_u16()))
        })
    }

    fn request<B>(&self, body: B, client: &HeaderMap) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.address.clone();
        request.headers_mut().insert(CONTENT_TYPE, JSON);
        request.headers_mut().insert(ACCEPT, ACCEPTED);
        self.headers.to_subgraph(client, request.headers_mut());
        request
    }

    fn answered(&self, answer: String) -> EndpointError {
        EndpointError::Malformed { endpoint: self.name.clone(), answer }
    }
}

/// The address, where it is one that can be called.
fn usable(address: &str) -> Option<(Url, Uri)> {
    let url = Url::parse(address).ok()?;
    let called = matches!(url.scheme(), "http" | "https") && url.has_host();
    // What is sent is what was written, not what became of it on the way.
    called.then_some((url, address.parse().ok()?))
}

/// The answer to `{ _service { sdl } }`.
#[derive(Deserialize)]
struct ServiceAnswer {
    data: ServiceData,
}

#[derive(Deserialize)]
struct ServiceData {
    #[serde(rename = "_service")]
    service: Service,
}

#[derive(Deserialize)]
struct Service {
    sdl: String,
}

/// Whether an answer is a GraphQL response with errors.
fn tells_errors(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Answer {
        errors: Vec<IgnoredAny>,
    }
    serde_json::from_slice::<Answer>(body).is_ok_and(|answer| !answer.errors.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_used_as_it_is() {
        for address in
            ["http://localhost:4001/products", "https://example.org", "http://[::1]:1/graphql?a=b"]
        {
            assert_eq!(usable(address).unwrap().1.to_string().trim_end_matches('/'), address);
        }
    }

    #[test]
    fn an_address_that_cannot_be_called_is_refused_by_name() {
        let settings = SubgraphSettings::default();
        for address in
            ["products", "ftp://x/", "http://", "/graphql", "localhost:4001", "http://a b"]
        {
            let error =
                GraphQlSubgraph::new("products", address, &settings).unwrap_err().to_string();
            assert!(error.contains("products") && error.contains("http://"), "{error}");
        }
        let error = GraphQlSubgraph::new("products", "", &settings).unwrap_err().to_string();
        assert!(error.contains("no address for the subgraph products"), "{error}");
    }
}
