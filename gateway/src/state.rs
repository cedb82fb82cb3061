//! What the steps of a request share: made once, when the gateway starts. Only the graph is replaced, as a whole.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use common::{Client, RefreshCookie};
use federation::{OperationKind, Prepared, Variables};
use http::HeaderMap;

use crate::admission::{Admission, Permit as Place};
use crate::authenticate::{Authenticator, Identity};
use crate::buckets::Buckets;
use crate::client::{Application, ClientKey};
use crate::code::Code;
use crate::decode::{GraphQlRequest, form_limits};
use crate::documents::Documents;
use crate::graph::Graph;
use crate::health::Drain;
use crate::live::{Clients, Permit, Reservations};
use crate::outcome::Outcome;
use crate::response_cache::ResponseCache;
use crate::settings::GatewaySettings;
use crate::under_way::UnderWay;
use crate::upload_memory::{Room, UploadMemory};
use crate::uploads::most_bytes;

/// What the steps of a request share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) graph: ArcSwap<Graph>,
    /// Whether a newer supergraph is there that cannot be used.
    pub(crate) is_stale: AtomicBool,
    /// None where everybody is anonymous.
    pub(crate) authenticator: Option<Arc<Authenticator>>,
    pub(crate) documents: Documents,
    pub(crate) admission: Arc<Admission>,
    pub(crate) settings: GatewaySettings,
    pub(crate) under_way: UnderWay,
    pub(crate) responses: ResponseCache,
    /// How many points clients have left.
    pub(crate) buckets: Buckets,
    pub(crate) drain: Drain,
    pub(crate) clients: Clients,
    /// Who has a download under way.
    pub(crate) exports: Clients,
    /// Who sends files.
    pub(crate) uploads: Clients,
    /// Room for what they send.
    pub(crate) upload_memory: UploadMemory,
    pub(crate) reservations: Reservations,
}

impl State {
    /// Who is asking; nobody where nobody is asked who he is.
    ///
    /// # Errors
    /// As those of [`Authenticator::authenticate`].
    pub(crate) async fn identify(
        &self,
        headers: &HeaderMap,
        client: &Client,
        by_safe_method: bool,
    ) -> Result<Identity, Outcome> {
        match &self.authenticator {
            Some(authenticator) => {
                authenticator.authenticate(headers, client, by_safe_method).await
            }
            None => Ok(Identity::default()),
        }
    }

    /// The right to send files, and room for them.
    ///
    /// # Errors
    /// [`Code::TooManyUploads`] when the client has as many such requests under way as it may, [`Code::Overloaded`] when all clients
    /// together have as many bytes under way as they may.
    pub(crate) fn admit_upload(
        &self,
        headers: &HeaderMap,
        identity: &Identity,
        client: &Client,
    ) -> Result<(Permit, Room), Outcome> {
        let most = self.settings.uploads.at_once;
        let permit = self
            .uploads
            .admit(ClientKey::of(identity.viewer.as_ref(), client), most)
            .map_err(|_| {
                let message =
                    format!("a client may have {most} requests with files under way: wait for one");
                Outcome::refused(Code::TooManyUploads, message)
            })?;
        let limits = form_limits(&self.settings.http, &self.settings.uploads);
        Ok((permit, self.upload_memory.take(most_bytes(headers, &limits))?))
    }

    /// A place among the operations that run.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when there is none.
    pub(crate) async fn admit(
        &self,
        prepared: &Prepared,
        variables: &Variables,
        identity: &Identity,
    ) -> Result<Place, Outcome> {
        let is_cheap = || {
            let estimate = prepared.estimate(variables, &self.settings.cost.assumed);
            let most = f64::from(self.settings.admission.cheap_cost);
            estimate.is_ok_and(|estimate| estimate <= most)
        };
        self.admission.enter(identity.viewer.is_some(), is_cheap).await
    }

    /// The same for an answer that comes in parts, until its first part is there. A subscription takes none, since it may have to wait for
    /// its first event; how many there are is bounded for each client.
    ///
    /// # Errors
    /// As those of [`admit`](Self::admit).
    pub(crate) async fn admit_opening(
        &self,
        prepared: &Prepared,
        variables: &Variables,
        identity: &Identity,
    ) -> Result<Option<Place>, Outcome> {
        match prepared.kind() {
            OperationKind::Subscription => Ok(None),
            OperationKind::Query | OperationKind::Mutation => {
                self.admit(prepared, variables, identity).await.map(Some)
            }
        }
    }

    /// What is asked for, ready to run.
    ///
    /// # Errors
    /// As those of [`Documents::find`] and of [`Operations::prepare`](crate::prepare::Operations::prepare).
    pub(crate) async fn prepare(
        &self,
        graph: &Graph,
        request: &GraphQlRequest,
        application: &Application,
    ) -> Result<Arc<Prepared>, Outcome> {
        let found = self.documents.find(&request.asked, application)?;
        let prepared = graph.operations.prepare(&found.text, request).await?;
        self.documents.keep(&found);
        Ok(prepared)
    }

    /// The refresh token of a browser that lets us keep its tokens in cookies.
    pub(crate) fn refresh_cookie(&self, headers: &HeaderMap) -> Option<RefreshCookie> {
        self.authenticator.as_ref()?.refresh_cookie(headers)
    }
}
