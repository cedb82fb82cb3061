//! Runs the fetches of a plan, each as soon as those it depends on are done, and merges what they answer.
//!
//! A run can begin with given answers: make a [`Run`], hand each to [`Run::take`], and [`Run::go`] on with the fetches that
//! became ready. What has been fetched so far can be projected at any time between two of these.

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::plan::{FetchNode, Plan};
use crate::value::Object;

use super::answer;
use super::arena::{Arena, Mark};
use super::entities;
use super::errors::Errors;
use super::locate;
use super::represent::{self, Batch};
use super::response::{ResponseError, ResponseErrorCode};
use super::{
    ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, SubgraphError,
};

/// An operation that is being run.
pub(super) struct Run<'a> {
    plan: &'a Plan,
    variables: &'a Object,
    settings: &'a ExecuteSettings,
    /// For each fetch, how many that it depends on are not done.
    waiting_for: Vec<usize>,
    /// For each fetch, how many of its requests are not answered.
    unanswered: Vec<usize>,
    /// How many requests were made.
    requests: usize,
    pub(super) arena: Arena<'a>,
    pub(super) errors: Errors,
}

/// A request of a fetch, and what waits for its answer.
pub(super) struct Asked<'a> {
    pub(super) fetch: usize,
    /// Root fields have none.
    pub(super) batch: Option<Batch>,
    pub(super) request: FetchRequest<'a>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        variables: &'a Object,
        settings: &'a ExecuteSettings,
    ) -> Self {
        Self {
            plan,
            variables,
            settings,
            waiting_for: plan.fetches.iter().map(|fetch| fetch.depends_on.len()).collect(),
            unanswered: vec![0; plan.fetches.len()],
            requests: 0,
            arena: Arena::new(&plan.layout),
            errors: Errors::default(),
        }
    }

    /// The fetches that depend on none.
    pub(super) fn first(&self) -> Vec<usize> {
        (0..self.plan.fetches.len()).rev().filter(|&index| self.waiting_for[index] == 0).collect()
    }

    /// Runs the fetches that are ready, and those that become so.
    pub(super) async fn go<F: Fetch>(&mut self, mut ready: Vec<usize>, fetch: &F) {
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(index) = ready.pop() {
                let asked = self.ask(index);
                if asked.is_empty() {
                    self.done(index, &mut ready);
                }
                running.extend(asked.into_iter().map(|asked| call(fetch, asked)));
            }
            let Some((index, batch, answer)) = running.next().await else {
                break;
            };
            self.take(index, batch, answer);
            if self.is_answered(index) {
                self.done(index, &mut ready);
            }
        }
    }

    /// The requests of a fetch; none when there is nothing to ask for, or no more may be asked.
    pub(super) fn ask(&mut self, index: usize) -> Vec<Asked<'a>> {
        let node = &self.plan.fetches[index];
        let texts = match &node.entities {
            None if node.at.is_empty() || !locate::rows(&self.arena, &node.location).is_empty() => {
                vec![(format!("{}{{", node.head).into_bytes(), None)]
            }
            None => Vec::new(),
            Some(entities) => {
                let opening = format!("{}{{\"{}\":[", node.head, entities.variable);
                let most = self.settings.representations;
                let layout = &self.plan.layout;
                represent::represent(&self.arena, layout, entities, most, &opening)
                    .into_iter()
                    .filter(|(_, batch)| batch.asked > 0)
                    .map(|(mut text, batch)| {
                        text.extend_from_slice(if node.variables.is_empty() {
                            b"]"
                        } else {
                            b"],"
                        });
                        (text, Some(batch))
                    })
                    .collect()
            }
        };
        if self.requests + texts.len() > self.settings.fetches {
            self.refuse(node);
            return Vec::new();
        }
        self.requests += texts.len();
        self.unanswered[index] = texts.len();
        let request = |(text, batch)| {
            let (body, variables) = self.complete(node, text);
            let request = FetchRequest {
                subgraph: &node.subgraph,
                kind: node.kind,
                document: &node.document,
                operation_name: node.operation_name.as_deref(),
                body,
                variables,
            };
            Asked { fetch: index, batch, request }
        };
        texts.into_iter().map(request).collect()
    }

    /// Completes a request's text, which is still inside the variables, and says where in it those are.
    fn complete(&self, node: &FetchNode, mut text: Vec<u8>) -> (Bytes, Range<usize>) {
        let given =
            node.variables.iter().filter_map(|name| Some((name, self.variables.get(name)?)));
        let mut is_first = true;
        for (name, value) in given {
            if !std::mem::replace(&mut is_first, false) {
                text.push(b',');
            }
            // Names and values always serialise.
            let _ = serde_json::to_writer(&mut text, &**name);
            text.push(b':');
            let _ = serde_json::to_writer(&mut text, value);
        }
        // A comma may stand before variables that were not given.
        if text.last() == Some(&b',') {
            text.pop();
        }
        text.push(b'}');
        let variables = node.head.len()..text.len();
        text.push(b'}');
        (text.into(), variables)
    }

    /// Whether all requests of a fetch are answered.
    pub(super) fn is_answered(&self, index: usize) -> bool {
        self.unanswered[index] == 0
    }

    /// Lets those go on that waited for a fetch.
    pub(super) fn done(&mut self, index: usize, ready: &mut Vec<usize>) {
        for (other, fetch) in self.plan.fetches.iter().enumerate() {
            if fetch.depends_on.contains(&index) {
                self.waiting_for[other] -= 1;
                if self.waiting_for[other] == 0 {
                    ready.push(other);
                }
            }
        }
    }

    /// Takes the answer to a request of a fetch.
    pub(super) fn take(
        &mut self,
        index: usize,
        batch: Option<Batch>,
        answer: Result<FetchResponse, FetchError>,
    ) {
        let node = &self.plan.fetches[index];
        self.unanswered[index] = self.unanswered[index].saturating_sub(1);
        let before = self.arena.mark();
        let answered = answer.and_then(|response| {
            answer::read(response, &self.plan.layout, &node.reader, &mut self.arena)
                .map_err(|error| FetchError::Malformed(error.to_string()))
        });
        match (answered, &node.entities, batch) {
            (Err(error), ..) => self.failed(node, &error),
            (Ok(answered), Some(entities), Some(batch)) => {
                let Self { arena, errors, .. } = self;
                entities::take(node, entities, &batch, answered, &before, arena, errors);
            }
            (Ok(answered), ..) => self.take_root(node, answered.data, answered.errors, &before),
        }
    }

    fn refuse(&mut self, node: &FetchNode) {
        let most = self.settings.fetches;
        self.errors.add_for_part(
            ResponseError::new(
                ResponseErrorCode::TooManyFetches,
                format!("the operation needs more than {most} requests to subgraphs"),
                entities::path_prefix(node),
            )
            .of_subgraph(&node.subgraph),
        );
    }

    /// Reports that nothing came of a fetch.
    pub(super) fn failed(&mut self, node: &FetchNode, error: &FetchError) {
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

    fn take_root(
        &mut self,
        node: &FetchNode,
        data: Option<u32>,
        subgraph_errors: Vec<SubgraphError>,
        before: &Mark,
    ) {
        let has_errors = !subgraph_errors.is_empty();
        for error in subgraph_errors {
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
        match data {
            Some(data) => {
                let position = node.reader.position;
                for target in locate::rows(&self.arena, &node.location) {
                    if target != data {
                        self.arena.merge_fields(&node.reader, target, data);
                    }
                }
                self.arena.reset_rows(before, &[position]);
            }
            None if has_errors => self.errors.mark_part(entities::path_prefix(node)),
            None => self.errors.add_for_part(
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

pub(super) async fn call<'a, F: Fetch>(
    fetch: &F,
    asked: Asked<'a>,
) -> (usize, Option<Batch>, Result<FetchResponse, FetchError>) {
    (asked.fetch, asked.batch, fetch.fetch(asked.request).await)
}

/// A subgraph's error as the client sees it, at a path of the client's.
pub(super) fn of_subgraph(
    error: SubgraphError,
    node: &FetchNode,
    path: Vec<PathSegment>,
) -> ResponseError {
    ResponseError::from_subgraph(error.message, error.extensions, path).of_subgraph(&node.subgraph)
}
