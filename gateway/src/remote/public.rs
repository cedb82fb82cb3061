//! Both ends of how gateways learn that what a subgraph answers to everybody has changed: by a header of its answers, and by asking for
//! it where there are none.
//!
//! The header names the process that answered, since several may stand behind one address, and each counts for itself. A gateway that passes
//! a change on learns of it with the answer, before its client does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use common::{Endpoint, PublicRevision};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// `PROCESS NUMBER`; absent as long as nothing has changed.
const HEADER: HeaderName = HeaderName::from_static("spacey-public-revision");
/// How many processes are told apart.
const PROCESSES: usize = 100;

/// A subgraph's process.
#[derive(Clone)]
pub(super) struct Process {
    id: Uuid,
    endpoint: Arc<dyn Endpoint>,
}

impl Process {
    pub(super) fn new(endpoint: Arc<dyn Endpoint>) -> Self {
        Self { id: Uuid::new_v4(), endpoint }
    }
}

/// Says with each answer how often there were changes, as it was known when the answer was there.
pub(super) async fn tell(State(process): State<Process>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let number = process.endpoint.public_revision();
    if number > 0 {
        let value = HeaderValue::try_from(format!("{} {number}", process.id));
        // Digits and letters always make one.
        answer.headers_mut().extend(value.ok().map(|value| (HEADER, value)));
    }
    answer
}

/// What a gateway was told by the processes behind an address.
#[derive(Debug, Default)]
pub(super) struct Told {
    numbers: Mutex<HashMap<Box<str>, u64>>,
    changes: PublicRevision,
}

impl Told {
    /// Takes in what an answer says.
    pub(super) fn note(&self, headers: &HeaderMap) {
        let told = headers.get(HEADER).and_then(|value| value.to_str().ok()?.split_once(' '));
        let Some((process, number)) = told else { return };
        let Ok(number) = number.parse::<u64>() else { return };
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.len() >= PROCESSES && !numbers.contains_key(process) {
            numbers.clear();
        }
        // Answers may overtake one another.
        let known = numbers.entry(process.into()).or_default();
        if number > *known {
            *known = number;
            self.changes.advance();
        }
    }

    /// How often it was told of changes.
    pub(super) fn changes(&self) -> u64 {
        self.changes.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_whichever_process_tells_of_it() {
        let told = Told::default();
        let mut counted = Vec::new();
        for value in ["a 1", "a 1", "b 1", "a 2", "a 1", "b 1", "nonsense", "a x", "b 3"] {
            told.note(&HeaderMap::from_iter([(HEADER, HeaderValue::from_static(value))]));
            counted.push(told.changes());
        }
        assert_eq!(counted, [1, 1, 2, 3, 3, 3, 3, 3, 4]);
        told.note(&HeaderMap::new());
        assert_eq!(told.changes(), 4);
    }
}
