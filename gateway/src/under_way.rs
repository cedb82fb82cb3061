//! Clients' queries that are the same and under way at the same time share one answer, where a setting says so.
//!
//! The same are those with the same operation, variables, headers (but for the request's id) and media type: the viewer is told by headers,
//! so nobody is given another's answer. A cookie that the answer sets is only for whoever asked first. Mutations and subscriptions are
//! never shared, and whoever shares has been authenticated by himself.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use federation::{Object, OperationKind, Prepared};
use http::header::SET_COOKIE;
use http::{HeaderMap, Response};

use crate::decode::MediaType;
use crate::inflight::Inflight;
use crate::observe::REQUEST_ID;
use crate::respond::Written;

pub(crate) type Answer = Response<Written>;

/// The queries that are under way.
#[derive(Debug)]
pub(crate) struct UnderWay(Option<Queries>);

#[derive(Debug, Default)]
pub(crate) struct Queries(Inflight<Same, Answer>);

impl UnderWay {
    /// It holds queries only where they are shared.
    pub(crate) fn new(shared: bool) -> Self {
        Self(shared.then(Queries::default))
    }

    /// Where to look for the same as this operation; nowhere when its answer is not for sharing.
    pub(crate) fn of(&self, prepared: &Prepared) -> Option<&Queries> {
        self.0.as_ref().filter(|_| prepared.kind() == OperationKind::Query)
    }
}

impl Queries {
    /// The answer of the same query that is under way, else what `running` gives.
    pub(crate) async fn answer(
        &self,
        same: Same,
        running: impl Future<Output = Answer> + Send + 'static,
    ) -> Answer {
        let (mut answer, own) = self.0.run(same, || running).await;
        if !own {
            answer.headers_mut().remove(SET_COOKIE);
        }
        answer
    }
}

/// What makes two queries the same.
#[derive(Clone)]
pub(crate) struct Same {
    /// Operations are prepared once: the same text is the same allocation, which lives as long as this does.
    prepared: Arc<Prepared>,
    /// As JSON text.
    variables: Vec<u8>,
    headers: HeaderMap,
    media_type: MediaType,
}

impl Same {
    pub(crate) fn new(
        prepared: &Arc<Prepared>,
        variables: &Object,
        headers: &HeaderMap,
        media_type: MediaType,
    ) -> Self {
        let mut headers = headers.clone();
        headers.remove(REQUEST_ID);
        // Texts, numbers and names always serialise.
        let variables = serde_json::to_vec(variables).unwrap_or_default();
        Self { prepared: prepared.clone(), variables, headers, media_type }
    }
}

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.prepared, &other.prepared)
            && self.media_type == other.media_type
            && self.variables == other.variables
            && self.headers == other.headers
    }
}

impl Eq for Same {}

// Queries with the same operation and variables mostly have the same headers; those that do not are told apart by comparing.
impl Hash for Same {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.prepared).hash(state);
        self.variables.hash(state);
    }
}
