//! Runs the fetches of a plan, each as soon as those it depends on are done, and merges what they answer.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};

use crate::plan::{FetchNode, Plan, Step};
use crate::value::{Object, Value};

use super::batch::{self, Batch};
use super::entities;
use super::errors::Errors;
use super::merge::{merge, merge_object};
use super::response::{ResponseError, ResponseErrorCode};
use super::{Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, SubgraphError, walk};

/// Runs `plan` and returns the merged data and the errors.
pub(super) async fn run<F: Fetch>(plan: &Plan, variables: &Object, fetch: &F) -> (Value, Errors) {
    let run = Run::new(plan, variables);
    let ready =
        (0..plan.fetches.len()).rev().filter(|&index| run.waiting_for[index] == 0).collect();
    go(run, ready, fetch).await
}

/// The request that opens the subscription which `plan` begins with.
pub(super) fn source<'a>(plan: &'a Plan, variables: &'a Object) -> Option<FetchRequest<'a>> {
    if plan.fetches.is_empty() {
        return None;
    }
    Run::new(plan, variables).request(0).map(|(_, request)| request)
}

/// Runs what follows the first fetch of `plan`, which answered `event`.
pub(super) async fn run_after<F: Fetch>(
    plan: &Plan,
    variables: &Object,
    event: FetchResponse,
    fetch: &F,
) -> (Value, Errors) {
    let mut run = Run::new(plan, variables);
    let mut ready = Vec::new();
    run.take(0, None, Ok(event));
    run.done(0, &mut ready);
    go(run, ready, fetch).await
}

/// The error of a first fetch that brings nothing.
pub(super) fn broken(plan: &Plan, error: &FetchError) -> Errors {
    let variables = Object::default();
    let mut run = Run::new(plan, &variables);
    if let Some(first) = plan.fetches.first() {
        run.failed(first, error);
    }
    run.errors
}

/// Runs the fetches that are ready, and those that become so.
async fn go<F: Fetch>(mut run: Run<'_>, mut ready: Vec<usize>, fetch: &F) -> (Value, Errors) {
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
    fn new(plan: &'a Plan, variables: &'a Object) -> Self {
        Self {
            plan,
            variables,
            waiting_for: plan.fetches.iter().map(|fetch| fetch.depends_on.len()).collect(),
            data: Value::Object(Object::default()),
            errors: Errors::default(),
        }
    }

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
        let request = FetchRequest {
            subgraph: &node.subgraph,
            document: &node.document,
            operation_name: node.operation_name.as_deref(),
            variables,
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
            FetchError::NoSubscriptions => {
                (ResponseErrorCode::SubrequestUnreachable, "cannot be subscribed to")
            }
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

    fn take_root(&mut self, node: &FetchNode, response: FetchResponse) {
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
