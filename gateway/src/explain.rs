//! How an operation was run: its plan, and for each request to a subgraph when, how long, how much. For developers, at the request's own
//! wish.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use federation::{FetchError, FetchRequest, FetchResponse, Plan};
use http::{HeaderMap, HeaderName};
use serde::Serialize;

/// The header that asks for it, with any value.
const HEADER: HeaderName = HeaderName::from_static("x-spacey-explain");

/// Watches the fetches of one request.
#[derive(Debug)]
pub(crate) struct Explain {
    started: Instant,
    seen: Mutex<Explanation>,
}

/// How an operation was run, as the client is told.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Explanation {
    /// The plan that was run, as `spacey plan` prints it.
    text: Vec<String>,
    /// In the order in which they were answered.
    fetches: Vec<Fetched>,
}

/// One request to a subgraph as it went. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fetched {
    /// The fetch in the plan that it belongs to, as `spacey plan --format json` numbers them.
    id: usize,
    subgraph: String,
    document: String,
    /// How long after the start of the client's request.
    started: f64,
    took: f64,
    /// How many entities it asked for, each once; none where it asked for root fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<usize>,
    /// How many objects of the answer those complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<usize>,
    /// How often it was sent: more than once where it was tried again, never where nothing was sent or another's answer was shared.
    /// None where the subgraph runs in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u32>,
    request_size: usize,
    /// None where there is no text, because the subgraph runs in this process or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Explain {
    /// Watches, where the client asks for it and may.
    pub(crate) fn wanted(headers: &HeaderMap, allowed: bool) -> Option<Self> {
        let wanted = allowed && headers.contains_key(HEADER);
        wanted.then(|| Self { started: Instant::now(), seen: Mutex::default() })
    }

    /// Notes the plan that is about to run.
    pub(crate) fn plan(&self, plan: &Plan) {
        self.lock().text = plan.to_string().lines().map(str::to_owned).collect();
    }

    /// Notes one request that took until now. Of a subscription it is the opening.
    pub(crate) fn note(
        &self,
        request: &FetchRequest<'_>,
        sent: Instant,
        attempts: Option<u32>,
        outcome: Result<Option<&FetchResponse>, &FetchError>,
    ) {
        let fetched = Fetched {
            id: request.fetch,
            subgraph: request.subgraph.to_owned(),
            document: request.document.to_string(),
            started: milliseconds(sent.duration_since(self.started)),
            took: milliseconds(sent.elapsed()),
            entities: request.entities.map(|count| count.representations),
            objects: request.entities.map(|count| count.objects),
            attempts,
            request_size: request.body.len(),
            response_size: match outcome {
                Ok(Some(FetchResponse::Json(body))) => Some(body.len()),
                Ok(None | Some(FetchResponse::InProcess { .. })) | Err(_) => None,
            },
            error: outcome.err().map(ToString::to_string),
        };
        self.lock().fetches.push(fetched);
    }

    /// What is known now. What is told is not told again, but for the plan.
    pub(crate) fn told(&self) -> Explanation {
        let mut seen = self.lock();
        Explanation { text: seen.text.clone(), fetches: std::mem::take(&mut seen.fetches) }
    }

    /// A panic elsewhere leaves the notes whole.
    fn lock(&self) -> MutexGuard<'_, Explanation> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
