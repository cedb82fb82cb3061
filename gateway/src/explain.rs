//! How an operation was run: its plan, and for each fetch when, how long, how much. For developers, at the request's own wish.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use federation::{FetchError, FetchRequest, FetchResponse, Prepared};
use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

/// The header that asks for it, with any value.
const HEADER: HeaderName = HeaderName::from_static("x-spacey-explain");

/// Watches the fetches of one request.
#[derive(Debug)]
pub(crate) struct Explain {
    started: Instant,
    fetches: Mutex<Vec<Fetched>>,
}

/// One fetch as it went. Times are in milliseconds, sizes in bytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Fetched {
    subgraph: String,
    document: String,
    /// How long after the start of the request.
    started: f64,
    took: f64,
    /// How many entities it asked for; none where it asks for root fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<usize>,
    request_size: usize,
    /// None where there is no text, because the subgraph runs in this process.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// How an operation was run, as the client is told.
#[derive(Debug, Serialize)]
pub(crate) struct Explanation {
    /// The plan, as `spacey plan` prints it.
    text: Vec<String>,
    /// In the order in which they were answered.
    fetches: Vec<Fetched>,
}

impl Explain {
    /// Watches, where the client asks for it and may.
    pub(crate) fn wanted(headers: &HeaderMap, allowed: bool) -> Option<Self> {
        let wanted = allowed && headers.contains_key(HEADER);
        wanted.then(|| Self { started: Instant::now(), fetches: Mutex::default() })
    }

    /// Notes one fetch that took until now.
    pub(crate) fn note(
        &self,
        request: &FetchRequest<'_>,
        sent: Instant,
        outcome: &Result<FetchResponse, FetchError>,
    ) {
        let fetched = Fetched {
            subgraph: request.subgraph.to_owned(),
            document: request.document.to_string(),
            started: milliseconds(sent.duration_since(self.started)),
            took: milliseconds(sent.elapsed()),
            entities: entities(request.variables_json()),
            request_size: request.body.len(),
            response_size: match outcome {
                Ok(FetchResponse::Json(body)) => Some(body.len()),
                Ok(FetchResponse::InProcess { .. }) | Err(_) => None,
            },
            error: outcome.as_ref().err().map(ToString::to_string),
        };
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner).push(fetched);
    }

    /// What is known at the end.
    pub(crate) fn finish(&self, prepared: &Prepared) -> Explanation {
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        Explanation {
            text: prepared.plan().to_string().lines().map(str::to_owned).collect(),
            fetches: std::mem::take(&mut fetches),
        }
    }
}

impl Explanation {
    /// As JSON text.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        // Texts and numbers always serialise. Should that ever change, the answer is still one.
        serde_json::to_vec(self).unwrap_or_else(|_| b"null".to_vec())
    }
}

fn entities(variables: &[u8]) -> Option<usize> {
    #[derive(Deserialize)]
    struct Variables {
        representations: Option<Vec<serde::de::IgnoredAny>>,
    }
    let variables: Variables = serde_json::from_slice(variables).ok()?;
    variables.representations.map(|representations| representations.len())
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}
