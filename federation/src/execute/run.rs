//! Runs the fetches of a plan, each as soon as those it depends on are done, and merges what they answer.
//!
//! A run can begin with given answers: make a [`Run`], hand each to [`Run::take`], and [`Run::go`] on with the fetches that
//! became ready. What has been fetched so far can be projected at any time between two of these.

use std::ops::Range;
use std::sync::Arc;

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
    /// For each place that the fetch completes, what is asked for.
    pub(super) batches: Vec<Batch>,
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

    /// Tells of the parts that the viewer may not see.
    pub(super) fn withhold(&mut self, refused: &[Vec<Arc<str>>]) {
        for path in refused {
            self.errors.add(ResponseError::withheld(path));
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
            let Some((index, batches, answer)) = running.next().await else {
                break;
            };
            self.take(index, &batches, answer);
            if self.is_answered(index) {
                self.done(index, &mut ready);
            }
        }
    }

    /// The requests of a fetch; none when there is nothing to ask for, or no more may be asked.
    pub(super) fn ask(&mut self, index: usize) -> Vec<Asked<'a>> {
        let node = &self.plan.fetches[index];
        let texts = if !node.entities.is_empty() {
            represent::requests(&self.arena, &self.plan.layout, node, self.settings.representations)
        } else if node.at.is_empty() || !locate::rows(&self.arena, &node.location).is_empty() {
            vec![(format!("{}{{", node.head).into_bytes(), Vec::new())]
        } else {
            Vec::new()
        };
        let wanted = self.requests + texts.len();
        if wanted > self.settings.fetches {
            self.refuse(node, wanted);
            return Vec::new();
        }
        self.requests = wanted;
        self.unanswered[index] = texts.len();
        let request = |(text, batches): (_, Vec<Batch>)| {
            let (body, variables) = self.complete(node, text);
            let request = FetchRequest {
                subgraph: &node.subgraph,
                kind: node.kind,
                document: &node.document,
                operation_name: node.operation_name.as_deref(),
                body,
                fetch: index,
                entities: represent::counted(&batches),
                variables,
            };
            Asked { fetch: index, batches, request }
        };
        texts.into_iter().map(request).collect()
    }

    /// Completes a request's text, which is still inside the variables, and says where in it those are.
    fn complete(&self, node: &FetchNode, mut text: Vec<u8>) -> (Bytes, Range<usize>) {
        for name in &node.variables {
            let Some(value) = self.variables.get(name) else {
                continue;
            };
            if text.last() != Some(&b'{') {
                text.push(b',');
            }
            // Names and values always serialise.
            let _ = serde_json::to_writer(&mut text, &**name);
            text.push(b':');
            let _ = serde_json::to_writer(&mut text, value);
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
        batches: &[Batch],
        answer: Result<FetchResponse, FetchError>,
    ) {
        let node = &self.plan.fetches[index];
        self.unanswered[index] = self.unanswered[index].saturating_sub(1);
        let before = self.arena.mark();
        let answered = answer.and_then(|response| {
            answer::read(response, &self.plan.layout, &node.reader, &mut self.arena)
                .map_err(|error| FetchError::Malformed(error.to_string()))
        });
        match answered {
            Err(error) => self.failed(node, &error),
            Ok(answered) if node.entities.is_empty() => {
                self.take_root(node, answered.data, answered.errors, &before);
            }
            Ok(answered) => {
                let Self { arena, errors, .. } = self;
                entities::take(node, batches, answered, &before, arena, errors);
            }
        }
    }

    fn refuse(&mut self, node: &FetchNode, wanted: usize) {
        let most = self.settings.fetches;
        let message = format!(
            "the operation needs {wanted} requests to subgraphs or more; it may make {most} at most"
        );
        self.report(node, ResponseErrorCode::TooManyFetches, &message);
    }

    /// Reports that nothing came of a fetch.
    pub(super) fn failed(&mut self, node: &FetchNode, error: &FetchError) {
        tracing::warn!(subgraph = &*node.subgraph, ?error, "fetch failed");
        let too_large;
        let (code, what) = match error {
            FetchError::Unreachable(_) => {
                (ResponseErrorCode::SubrequestUnreachable, "could not be reached")
            }
            FetchError::Overloaded => (
                ResponseErrorCode::SubrequestOverloaded,
                "was not asked: too many requests wait for it already",
            ),
            FetchError::Timeout => (ResponseErrorCode::SubrequestTimeout, "did not answer in time"),
            FetchError::Malformed(_) => (
                ResponseErrorCode::SubrequestMalformedResponse,
                "answered something that is not a GraphQL response",
            ),
            FetchError::TooLarge { limit } => {
                too_large = format!("answered more than the {limit} bytes that it may");
                (ResponseErrorCode::SubrequestTooLarge, &*too_large)
            }
            FetchError::NoSubscriptions => {
                (ResponseErrorCode::SubrequestUnreachable, "cannot be subscribed to")
            }
        };
        self.report(node, code, &format!("subgraph {:?} {what}", node.subgraph));
    }

    /// Reports an error of a whole fetch, wherever what it brings would stand.
    fn report(&mut self, node: &FetchNode, code: ResponseErrorCode, message: &str) {
        for path in entities::prefixes(node) {
            let error = ResponseError::new(code, message.to_owned(), path);
            self.errors.add_for_part(error.of_subgraph(&node.subgraph));
        }
    }

    fn take_root(
        &mut self,
        node: &FetchNode,
        data: Option<u32>,
        subgraph_errors: Vec<SubgraphError>,
        before: &Mark,
    ) {
        let has_errors = !subgraph_errors.is_empty();
        let prefix = entities::prefix(&node.location.steps);
        for error in subgraph_errors {
            let is_known = node.at.is_empty() && !error.path.is_empty();
            let path = if is_known { error.path.clone() } else { prefix.clone() };
            let error = of_subgraph(error, node, path);
            if is_known {
                self.errors.add(error);
            } else {
                self.errors.add_for_part(error);
            }
        }
        match data {
            Some(data) => {
                for target in locate::rows(&self.arena, &node.location) {
                    if target != data {
                        self.arena.merge_fields(&node.reader, target, data);
                    }
                }
                self.arena.reset_rows(before, node.reader.position);
            }
            None if has_errors => self.errors.mark_part(prefix),
            None => {
                let message = format!("subgraph {:?} answered no data", node.subgraph);
                self.report(node, ResponseErrorCode::SubrequestMalformedResponse, &message);
            }
        }
    }
}

pub(super) async fn call<'a, F: Fetch>(
    fetch: &F,
    asked: Asked<'a>,
) -> (usize, Vec<Batch>, Result<FetchResponse, FetchError>) {
    (asked.fetch, asked.batches, fetch.fetch(asked.request).await)
}

/// A subgraph's error as the client sees it, at a path of the client's.
pub(super) fn of_subgraph(
    error: SubgraphError,
    node: &FetchNode,
    path: Vec<PathSegment>,
) -> ResponseError {
    let mut reported = ResponseError::from_subgraph(error.message, error.extensions, path);
    reported.reported_by = Some(node.subgraph.clone());
    reported.of_subgraph(&node.subgraph)
}
