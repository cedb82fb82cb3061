//! Runs the fetches of a plan, each as soon as those it depends on are done, and merges what they answer.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::plan::{FetchNode, Plan, Step};
use crate::value::{Object, Value};

use super::answer::{self, Read};
use super::batch::{self, Batch};
use super::entities;
use super::errors::Errors;
use super::merge::{merge, merge_object};
use super::response::{ResponseError, ResponseErrorCode};
use super::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, SubgraphError,
    walk,
};

/// Runs `plan` and returns the merged data and the errors.
pub(super) async fn run<F: Fetch>(
    plan: &Plan,
    variables: &Object,
    _settings: &ExecuteSettings,
    fetch: &F,
) -> (Value, Errors) {
    let mut run = Run {
        plan,
        variables,
        waiting_for: plan.fetches.iter().map(|fetch| fetch.depends_on.len()).collect(),
        data: Value::Object(Object::default()),
        errors: Errors::default(),
    };
    let mut ready: Vec<usize> =
        (0..plan.fetches.len()).rev().filter(|&index| run.waiting_for[index] == 0).collect();
    let mut running = FuturesUnordered::new();
    loop {
        while let Some(index) = ready.pop() {
            match run.request(index) {
                Some((batch, request)) => running.push(call(fetch, index, batch, request)),
                None => run.done(index, &mut ready),
            }
        }
        let Some((index, batch, answer)) = running.next().await else {
            break;
        };
        run.take(index, batch, answer);
        run.done(index, &mut ready);
    }
    (run.data, run.errors)
}

async fn call<F: Fetch>(
    fetch: &F,
    index: usize,
    batch: Option<Batch>,
    request: FetchRequest<'_>,
) -> (usize, Option<Batch>, Result<FetchResponse, FetchError>) {
    (index, batch, fetch.fetch(request).await)
}

struct Run<'a> {
    plan: &'a Plan,
    variables: &'a Object,
    /// For each fetch, how many that it depends on are not done.
    waiting_for: Vec<usize>,
    data: Value,
    errors: Errors,
}

impl<'a> Run<'a> {
    /// The request of a fetch, or nothing when there is no entity to ask for.
    fn request(&self, index: usize) -> Option<(Option<Batch>, FetchRequest<'a>)> {
        let node = &self.plan.fetches[index];
        let mut variables = Object::with_capacity(node.variables.len() + 1);
        let mut batch = None;
        if !node.at.is_empty() && !self.has_objects(&node.at) {
            return None;
        }
        if let Some(entities) = &node.entities {
            let mut collected = batch::collect(&self.data, entities);
            if collected.representations.is_empty() {
                return None;
            }
            let representations = std::mem::take(&mut collected.representations);
            variables.push(entities.variable.clone(), Value::List(representations));
            batch = Some(collected);
        }
        for name in &node.variables {
            if let Some(value) = self.variables.get(name) {
                variables.push(name.clone(), value.clone());
            }
        }
        let mut body = node.head.clone().into_bytes();
        let start = body.len();
        // Names, texts and numbers always serialise.
        let _ = serde_json::to_writer(&mut body, &variables);
        let end = body.len();
        body.push(b'}');
        let request = FetchRequest {
            subgraph: &node.subgraph,
            kind: node.kind,
            document: &node.document,
            operation_name: node.operation_name.as_deref(),
            body: Bytes::from(body),
            variables: start..end,
        };
        Some((batch, request))
    }

    fn has_objects(&self, path: &[Step]) -> bool {
        let mut any = false;
        walk::visit(&self.data, path, &mut Vec::new(), &mut |_, _| any = true);
        any
    }

    /// Lets those go on that waited for a fetch.
    fn done(&mut self, index: usize, ready: &mut Vec<usize>) {
        for (other, fetch) in self.plan.fetches.iter().enumerate() {
            if fetch.depends_on.contains(&index) {
                self.waiting_for[other] -= 1;
                if self.waiting_for[other] == 0 {
                    ready.push(other);
                }
            }
        }
    }

    fn take(
        &mut self,
        index: usize,
        batch: Option<Batch>,
        answer: Result<FetchResponse, FetchError>,
    ) {
        let node = &self.plan.fetches[index];
        let answer = answer.and_then(|response| {
            answer::read(response).map_err(|error| FetchError::Malformed(error.to_string()))
        });
        match (answer, batch) {
            (Err(error), _) => self.failed(node, &error),
            (Ok(response), Some(batch)) => {
                entities::take(node, batch, response, &mut self.data, &mut self.errors);
            }
            (Ok(response), None) => self.take_root(node, response),
        }
    }

    fn failed(&mut self, node: &FetchNode, error: &FetchError) {
        tracing::warn!(subgraph = &*node.subgraph, ?error, "fetch failed");
        let (code, what) = match error {
            FetchError::Unreachable(_) => {
                (ResponseErrorCode::SubrequestUnreachable, "could not be reached")
            }
            FetchError::Timeout => (ResponseErrorCode::SubrequestTimeout, "did not answer in time"),
            FetchError::Malformed(_) => (
                ResponseErrorCode::SubrequestMalformedResponse,
                "answered something that is not a GraphQL response",
            ),
        };
        self.errors.add_for_part(
            ResponseError::new(
                code,
                format!("subgraph {:?} {what}", node.subgraph),
                entities::path_prefix(node),
            )
            .of_subgraph(&node.subgraph),
        );
    }

    fn take_root(&mut self, node: &FetchNode, response: Read) {
        let has_errors = !response.errors.is_empty();
        for error in response.errors {
            let path = match node.at.as_slice() {
                [] => error.path.clone(),
                _ => entities::path_prefix(node),
            };
            let error = of_subgraph(error, node, path);
            if error.path.is_empty() || !node.at.is_empty() {
                self.errors.add_for_part(error);
            } else {
                self.errors.add(error);
            }
        }
        match response.data {
            data @ Value::Object(_) if node.at.is_empty() => merge(&mut self.data, data),
            Value::Object(fields) => {
                let mut visitor =
                    |_: &[u32], object: &mut Object| merge_object(object, fields.clone());
                walk::visit_mut(&mut self.data, &node.at, &mut Vec::new(), &mut visitor);
            }
            Value::Null if has_errors => self.errors.mark_part(entities::path_prefix(node)),
            _ => self.errors.add_for_part(
                ResponseError::new(
                    ResponseErrorCode::SubrequestMalformedResponse,
                    format!("subgraph {:?} answered no data", node.subgraph),
                    entities::path_prefix(node),
                )
                .of_subgraph(&node.subgraph),
            ),
        }
    }
}

/// A subgraph's error as the client sees it, at a path of the client's.
pub(super) fn of_subgraph(
    error: SubgraphError,
    node: &FetchNode,
    path: Vec<PathSegment>,
) -> ResponseError {
    let mut extensions = error.extensions;
    if extensions.get("code").is_none() {
        let code = ResponseErrorCode::DownstreamServiceError.as_str();
        extensions.push(Arc::from("code"), Value::String(code.to_owned()));
    }
    ResponseError { message: error.message, path, extensions }.of_subgraph(&node.subgraph)
}
