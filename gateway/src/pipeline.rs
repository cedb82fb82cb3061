//! A request's way through the gateway, step by step. Each step is one module with one entry point.
//!
//! decode → authenticate (with files: the other way round) → prepare → authorise → (what is kept) → admit → charge → execute → settle → mask → respond → for keeping. A step that ends the request early answers with an [`Outcome`]
//! of its own; whatever the outcome, the answer is written in a media type that the client accepts: at once, or as a stream of parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use common::{Caller, Client};
use federation::{OperationKind, Prepared, Variables};
use futures::StreamExt;
use http::Method;
use http::request::Parts;

use crate::authenticate::{Identity, may_be_known, refuse_simple};
use crate::authorise::authorise;
use crate::bounds::{Deadline, unless_it_panics};
use crate::caching::{CachePolicy, Kept, for_keeping, may_be_kept};
use crate::charge::{Charge, charge, charge_kept, dry_run, is_dry_run};
use crate::client::{Application, client};
use crate::code::Code;
use crate::decode::{Accepted, Delivery, MediaType, decode, decode_form, negotiate};
use crate::execute::{execute, open};
use crate::extensions::Extensions;
use crate::graph::Graph;
use crate::mask::mask;
use crate::metrics::{Metrics, Watch};
use crate::observe::{request_id, without_texts};
use crate::outcome::{Executed, Outcome};
use crate::points::Report;
use crate::respond::{policy, respond, respond_again};
use crate::response_cache::{Found, Key, Place};
use crate::state::State;
use crate::streams;
use crate::transport::Exchange;
use crate::under_way::{Answer, Same};
use crate::uploads::is_form;

/// Answers a request to `/graphql`.
pub(crate) async fn answer(state: &Arc<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let accepted = match negotiate(&parts.headers) {
        Ok(accepted) => accepted,
        Err(refused) => return respond(refused, MediaType::GraphQlResponse).map(Body::new),
    };
    let mut seen = None;
    let answered = unless_it_panics(steps(state, &parts, body, accepted, &mut seen)).await;
    if let Err(outcome) = &answered {
        let code = outcome.code().map_or("NONE", Code::as_str);
        Metrics::get().refused(code);
    }
    if let Some(seen) = seen {
        seen.end(answered.is_err(), state.settings.slow);
    }
    match answered {
        Ok(response) => response,
        Err(outcome) if accepted.tells_errors_as_events(&outcome) => streams::failed(&outcome),
        Err(outcome) => respond(outcome, accepted.for_errors()).map(Body::new),
    }
}

async fn steps(
    state: &Arc<State>,
    parts: &Parts,
    body: Body,
    accepted: Accepted,
    seen: &mut Option<Seen>,
) -> Result<Response, Outcome> {
    state.admission.glance(may_be_known(&parts.headers))?;
    let deadline = Deadline::after(state.settings.http.request_timeout);

    let trusted = &state.settings.http.trusted_proxies;
    let client = client(&parts.headers, &parts.extensions, trusted);
    let (request, identity, upload) = if parts.method == Method::POST && is_form(&parts.headers) {
        // Whoever sends megabytes is known before they are received.
        let identity = may_upload(state, parts, &client).await?;
        let permit = state.admit_upload(&parts.headers, &identity, &client)?;
        let (http, uploads) = (&state.settings.http, &state.settings.uploads);
        let arriving = decode_form(&parts.headers, body, http, uploads);
        (deadline.keep(arriving, Code::RequestTimeout).await?, identity, Some(permit))
    } else {
        let arriving = decode(parts, body, &state.settings.http);
        let request = deadline.keep(arriving, Code::RequestTimeout).await?;
        let identity = state.identify(&parts.headers, &client, request.by_safe_method).await?;
        (request, identity, None)
    };

    // The graph may be replaced at any moment: this request keeps to the one it began with.
    let graph = state.graph.load_full();
    let application = Application::of(&parts.headers);
    let prepared = state.prepare(&graph, &request, &application).await?;
    let is_known = identity.viewer.is_some() || state.authenticator.is_none();
    let has_errors = seen.insert(Seen::begin(&prepared, is_known)).has_errors.clone();
    let prepared = authorise(&prepared, &identity)?;
    if request.uploads.is_some() && prepared.kind() != OperationKind::Mutation {
        return Err(Outcome::refused(
            Code::UploadNotAllowed,
            "only a mutation may have files among its variables",
        ));
    }

    let variables = prepared.coerce(request.variables).map_err(Outcome::RequestError)?;
    let delivery = accepted.delivery(prepared.kind(), prepared.is_incremental())?;
    if is_dry_run(&parts.headers) {
        let _place = state.admit(&prepared, &variables, &identity).await?;
        let priced = dry_run(state, &prepared, &variables, &identity, &client).await?;
        let answer = respond(Outcome::Executed(Box::new(priced)), accepted.for_errors());
        return Ok(answer.map(Body::new));
    }

    let refresh_cookie = match prepared.kind() {
        OperationKind::Mutation => state.refresh_cookie(&parts.headers),
        OperationKind::Query | OperationKind::Subscription => None,
    };
    let caller = Caller::new(identity.viewer.clone(), request_id(parts));
    let caller = Caller { client: client.clone(), refresh_cookie, ..caller };
    let exchange = Exchange::new(caller, &parts.headers, &graph.transports, &state.settings)
        .with_uploads(request.uploads);
    match delivery {
        Delivery::AtOnce(media_type) => {
            let mut room = None;
            if let Some(key) = kept_by(state, &graph, &exchange, &prepared, &variables, &identity) {
                let revision = || graph.transports.public_revision();
                let finding = async { Ok(state.responses.find(key, revision).await) };
                let found = deadline.keep(finding, Code::GatewayTimeout).await?;
                Metrics::get().kept(matches!(found, Found::Answer(_)));
                match found {
                    Found::Answer(kept) => {
                        let report =
                            charge_kept(state, &prepared, &variables, &identity, &client).await?;
                        let answer = again(parts, kept, report, media_type);
                        let answer = for_keeping(&parts.method, &parts.headers, answer);
                        return Ok(answer.map(Body::new));
                    }
                    Found::Nothing(place) => room = Some(place),
                }
            }
            // Kept until the answer is there.
            let _place = state.admit(&prepared, &variables, &identity).await?;
            let charge = charge(state, &prepared, &variables, &identity, &client).await?;
            let work = Work { graph, prepared, variables, exchange, deadline, room, has_errors };
            let answer = at_once(state, parts, work, charge, media_type).await?;
            Ok(for_keeping(&parts.method, &parts.headers, answer).map(Body::new))
        }
        Delivery::Stream(stream_type) => {
            // Nothing is run for whoever may have no stream.
            let permit = streams::admit(state, &identity, &client)?;
            let place = state.admit_opening(&prepared, &variables, &identity).await?;
            let charge = charge(state, &prepared, &variables, &identity, &client).await?;
            let kind = prepared.kind();
            let opening = open(prepared, variables, &graph.transports, exchange, &state.settings);
            let opened = deadline.keep(Box::pin(opening), Code::GatewayTimeout).await;
            drop(place);
            let mut opened = match opened {
                Ok(opened) => opened,
                Err(outcome) => {
                    charge.end(&outcome);
                    return Err(outcome);
                }
            };
            if let Some(status) = charge.status() {
                status.write(&mut opened.headers);
            }
            opened.parts = charge.follow(kind, opened.parts);
            if upload.is_some() {
                // Its files are held as long as parts may be asked for by them.
                let held = upload;
                opened.parts = opened.parts.inspect(move |_| _ = &held).boxed();
            }
            Ok(streams::respond(state, identity, opened, stream_type, permit))
        }
    }
}

/// Who sends files, if they may.
async fn may_upload(state: &State, parts: &Parts, client: &Client) -> Result<Identity, Outcome> {
    // Any site's page can make a browser send a form, with or without the visitor's cookies.
    refuse_simple(&parts.headers)?;
    let identity = state.identify(&parts.headers, client, false).await?;
    if identity.viewer.is_none() && !state.settings.uploads.anonymous {
        return Err(Outcome::unauthenticated("sign in first: files are taken from nobody else"));
    }
    Ok(identity)
}

/// An operation that may be run.
struct Work {
    graph: Arc<Graph>,
    prepared: Arc<Prepared>,
    variables: Variables,
    exchange: Exchange,
    deadline: Deadline,
    /// Where its answer is kept, if it may be.
    room: Option<Place>,
    /// Set when the answer has errors.
    has_errors: Arc<AtomicBool>,
}

/// An operation as it is measured.
struct Seen {
    watch: Watch,
    prepared: Arc<Prepared>,
    has_errors: Arc<AtomicBool>,
}

impl Seen {
    fn begin(prepared: &Arc<Prepared>, is_known: bool) -> Self {
        Self {
            watch: Metrics::get().operation(prepared.operation_name(), is_known),
            prepared: prepared.clone(),
            has_errors: Arc::default(),
        }
    }

    /// It is answered, or refused. One that took long is told of with its plan, without variables, which are somebody's.
    fn end(self, refused: bool, slow: Option<Duration>) {
        let took = self.watch.end(refused || self.has_errors.load(Ordering::Relaxed));
        if slow.is_some_and(|slow| took >= slow) {
            let (operation, ms) = (self.prepared.operation_name(), took.as_millis());
            let plan = without_texts(&self.prepared.plan().to_string());
            tracing::warn!(operation, ms, plan, "a slow operation");
        }
    }
}

/// By what the answer is found among those that are kept; nothing where it may depend on more than that.
fn kept_by(
    state: &State,
    graph: &Graph,
    exchange: &Exchange,
    prepared: &Arc<Prepared>,
    variables: &Variables,
    identity: &Identity,
) -> Option<Key> {
    if exchange.explain.is_some() || graph.transports.read_the_client() {
        return None;
    }
    state.responses.key(prepared, variables, identity)
}

/// An answer that was kept, for another client.
fn again(parts: &Parts, kept: Kept, cost: Option<Report>, media_type: MediaType) -> Answer {
    let told = cost.filter(|_| !may_be_kept(&parts.method, Some(&kept.policy)));
    let status = told.as_ref().and_then(|report| report.throttle_status);
    let mut answer = respond_again(kept, &Extensions { cost: told, plan: None }, media_type);
    if let Some(status) = status {
        status.write(answer.headers_mut());
    }
    answer
}

/// One answer, which may be shared with others who ask the same at the same time.
async fn at_once(
    state: &Arc<State>,
    parts: &Parts,
    work: Work,
    charge: Charge,
    media_type: MediaType,
) -> Result<Answer, Outcome> {
    let Some(under_way) = state.under_way.of(&work.prepared) else {
        return match Box::pin(run(state, work)).await {
            Ok(mut executed) => {
                settle(charge, &mut executed, parts);
                Ok(respond(Outcome::Executed(executed), media_type))
            }
            Err(outcome) => {
                charge.end(&outcome);
                Err(outcome)
            }
        };
    };
    let same = Same::new(&work.prepared, &work.variables, &parts.headers, media_type);
    let state = state.clone();
    let answer = under_way.answer(same, async move {
        match unless_it_panics(Box::pin(run(&state, work))).await {
            Ok(executed) => {
                let cost = executed.response.cost;
                let mut answer = respond(Outcome::Executed(executed), media_type);
                answer.extensions_mut().insert(Cost(cost));
                answer
            }
            Err(outcome) => {
                let ran = !matches!(outcome, Outcome::RequestError(_));
                let mut answer = respond(outcome, media_type);
                answer.extensions_mut().insert(Cost((!ran).then_some(0.0)));
                answer
            }
        }
    });
    let mut answer = answer.await;
    // Each pays for himself, whoever had it run; what he has left is nothing that others are told.
    let cost = answer.extensions_mut().remove::<Cost>();
    let report = charge.settle(cost.and_then(|cost| cost.0));
    let is_kept = may_be_kept(&parts.method, answer.extensions().get::<CachePolicy>());
    if let Some(status) = report.and_then(|report| report.throttle_status).filter(|_| !is_kept) {
        status.write(answer.headers_mut());
    }
    Ok(answer)
}

/// What an answer cost, for all who share it.
#[derive(Clone, Copy)]
struct Cost(Option<f64>);

/// Gives back what the operation did not cost, and tells what it did: but not in an answer that may be kept, since it is soon no longer true.
fn settle(charge: Charge, executed: &mut Executed, parts: &Parts) {
    let Some(report) = charge.settle(executed.response.cost) else { return };
    if may_be_kept(&parts.method, policy(executed).as_ref()) {
        return;
    }
    if let Some(status) = report.throttle_status {
        status.write(&mut executed.headers);
    }
    executed.extensions.cost = Some(report);
}

/// Executes and masks.
async fn run(state: &State, work: Work) -> Result<Box<Executed>, Outcome> {
    let Work { graph, prepared, variables, exchange, deadline, room, has_errors } = work;
    let running = execute(&prepared, variables, &graph.transports, exchange, &state.settings);
    let mut executed = deadline.keep(running, Code::GatewayTimeout).await?;
    has_errors.store(!executed.response.errors.is_empty(), Ordering::Relaxed);
    mask(&mut executed.response.errors, &graph.transports, &state.settings.errors);
    if let Some(room) = room {
        state.responses.keep(room, &executed);
    }
    Ok(Box::new(executed))
}
