//! Queries to one subgraph that are the same and under way at the same time share one answer, where a setting says so.
//!
//! The same are those with the same address, the same headers and the same body: who asks is told by headers, so nobody is given another's
//! answer. A cookie that the answer sets is only for whoever asked first. Mutations are never shared.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use http::header::SET_COOKIE;
use http::{HeaderMap, Request, Response, Uri};
use url::Url;

use super::call::{Attempts, CallError, SubgraphClient, SubgraphSetupError};
use super::settings::SubgraphSettings;
use crate::inflight::Inflight;

type Answer = Result<Response<Bytes>, Arc<CallError>>;

/// Calls one subgraph, each query once at a time where its answer may be shared.
#[derive(Debug)]
pub(crate) struct SharingClient {
    client: Arc<SubgraphClient>,
    under_way: Option<Inflight<Same, (Answer, Attempts)>>,
}

impl SharingClient {
    /// A client for the subgraph at `address`.
    ///
    /// # Errors
    /// When the address cannot be used, TLS cannot be set up, or a setting makes no sense.
    pub(crate) fn new(
        address: &Url,
        settings: &SubgraphSettings,
    ) -> Result<Self, SubgraphSetupError> {
        let client = Arc::new(SubgraphClient::new(address, settings)?);
        Ok(Self { client, under_way: settings.share_queries.then(Inflight::default) })
    }

    /// The client that shares nothing.
    pub(crate) fn alone(&self) -> &SubgraphClient {
        &self.client
    }

    /// Sends a request and takes in the answer, whatever its status. One that is a `query` changes nothing: it may be sent twice, and
    /// its answer shared.
    ///
    /// # Errors
    /// [`CallError`] when there is no answer.
    pub(crate) async fn call(
        &self,
        request: Request<Bytes>,
        query: bool,
        attempts: &mut Attempts,
    ) -> Answer {
        let Some(under_way) = self.under_way.as_ref().filter(|_| query) else {
            let request = request.map(Into::into);
            return self.client.call(request, query, attempts).await.map_err(Arc::new);
        };
        let same = Same::of(&request);
        let client = self.client.clone();
        let call = || async move {
            let mut attempts = Attempts::default();
            let request = request.map(Into::into);
            (client.call(request, true, &mut attempts).await.map_err(Arc::new), attempts)
        };
        let ((mut answer, made), own) = under_way.run(same, call).await;
        *attempts = if own { made } else { Attempts(Some(0)) };
        if let Ok(answer) = &mut answer
            && !own
        {
            answer.headers_mut().remove(SET_COOKIE);
        }
        answer
    }
}

/// What makes two requests the same.
#[derive(Clone, PartialEq, Eq)]
struct Same {
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Same {
    fn of(request: &Request<Bytes>) -> Self {
        Self {
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        }
    }
}

// Requests with the same body mostly have the same headers; those that do not are told apart by comparing.
impl Hash for Same {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.body.hash(state);
    }
}
