//! The mock subgraphs of a fixture with a gate before each: a test decides when which one answers. And the client's side of an
//! incremental delivery: what the parts add up to.

use std::collections::BTreeMap;
use std::sync::Arc;

use federation::{
    Delivery, ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, PathSegment,
    Payload, Pending, Prepared, Response, Value, execute_stream,
};
use futures::stream::{BoxStream, StreamExt};
use tokio::sync::Semaphore;

use super::Fixture;

/// A fixture whose named subgraphs answer only as often as they are let.
#[derive(Clone)]
pub(crate) struct Gated {
    fixture: Arc<Fixture>,
    gates: BTreeMap<&'static str, Arc<Semaphore>>,
}

impl Gated {
    pub(crate) fn new(fixture: Fixture, closed: &[&'static str]) -> Self {
        let gates = closed.iter().map(|name| (*name, Arc::new(Semaphore::new(0)))).collect();
        Self { fixture: Arc::new(fixture), gates }
    }

    /// Lets a subgraph answer from now on.
    pub(crate) fn open(&self, subgraph: &str) {
        self.gates[subgraph].add_permits(1000);
    }

    pub(crate) async fn stream(
        &self,
        operation: &str,
        variables: serde_json::Value,
    ) -> BoxStream<'static, Payload> {
        let prepared: Arc<Prepared> = Arc::new(self.fixture.prepare(operation));
        let Value::Object(variables) = Value::from(variables) else {
            panic!("variables are an object");
        };
        let variables = prepared.coerce(variables).unwrap();
        let settings = ExecuteSettings::default();
        execute_stream(prepared, variables, settings, self.clone()).await.unwrap()
    }
}

impl Fetch for Gated {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        if let Some(gate) = self.gates.get(request.subgraph) {
            gate.acquire().await.unwrap().forget();
        }
        self.fixture.fetch(request).await
    }
}

/// What a client holds of an answer.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) data: serde_json::Value,
    pub(crate) errors: Vec<String>,
    /// Whether a part failed as a whole.
    pub(crate) is_partial: bool,
    pending: Vec<Pending>,
    pub(crate) is_done: bool,
}

impl Client {
    /// The answer to an operation, once all its parts are there.
    pub(crate) async fn collect(mut payloads: BoxStream<'static, Payload>) -> Self {
        let mut client = Self::default();
        while let Some(payload) = payloads.next().await {
            client.take(payload);
        }
        assert!(client.is_done && client.pending.is_empty(), "{client:#?}");
        client
    }

    pub(crate) fn take(&mut self, payload: Payload) {
        assert!(!self.is_done, "nothing follows the last part");
        match payload {
            Payload::Response(response) => {
                self.begin(&response);
                self.is_done = true;
            }
            Payload::Initial(initial) => {
                self.begin(&initial.response);
                self.pending = initial.pending;
            }
            Payload::Subsequent(part) => {
                self.pending.extend(part.pending);
                for incremental in part.incremental {
                    assert!(self.pending.contains(&incremental.pending), "it was announced");
                    let path = [incremental.pending.path, incremental.sub_path].concat();
                    self.errors.extend(incremental.errors.into_iter().map(|error| error.message));
                    self.merge(&path, incremental.delivery);
                }
                for completed in part.completed {
                    let known = self.pending.iter().position(|one| *one == completed.pending);
                    self.pending.remove(known.expect("it was announced"));
                    self.is_partial |= !completed.errors.is_empty();
                    self.errors.extend(completed.errors.into_iter().map(|error| error.message));
                }
                assert_eq!(part.has_next, !self.pending.is_empty(), "what is pending follows");
                self.is_done = !part.has_next;
            }
        }
    }

    fn begin(&mut self, response: &Response) {
        self.data = serde_json::from_slice(&response.data).unwrap();
        self.errors = response.errors.iter().map(|error| error.message.clone()).collect();
    }

    fn merge(&mut self, path: &[PathSegment], delivery: Delivery) {
        let mut place = &mut self.data;
        for segment in path {
            place = match segment {
                PathSegment::Key(key) => &mut place[&**key],
                PathSegment::Index(index) => &mut place[*index],
            };
        }
        match delivery {
            Delivery::Data(json) => {
                let fields: serde_json::Map<_, _> = serde_json::from_slice(&json).unwrap();
                let object = place.as_object_mut().expect("a place of an object");
                for (key, value) in fields {
                    assert!(object.insert(key, value).is_none(), "no field comes twice");
                }
            }
            Delivery::Items { json, first } => {
                let items: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
                let list = place.as_array_mut().expect("a place of a list");
                assert_eq!(list.len(), first, "items come in order");
                list.extend(items);
            }
        }
    }
}
