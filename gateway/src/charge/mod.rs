//! Makes whoever asks for an operation pay for it: its estimate is taken from their bucket before it runs, and what it did not cost is
//! given back after.
//!
//! Refused: an operation that may cost more than any may, with what is dear in it; one for which the client has too few points left, with
//! when there will be enough; a list that is not told how long to be and must be. Each rule can be off, or only measured.

mod parts;

use common::Client;
use federation::{Prepared, Response, Variables};
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::authenticate::Identity;
use crate::buckets::{Bucket, Taken};
use crate::caching::CachePolicy;
use crate::client::ClientKey;
use crate::code::Code;
use crate::metrics::Metrics;
use crate::outcome::{Executed, Outcome};
use crate::points::{Points, Report, ThrottleStatus};
use crate::settings::{Allowance, CostSettings, Mode};
use crate::state::State;

/// Asks for something about the cost: `dry-run` for what it would be, without running the operation.
const HEADER: HeaderName = HeaderName::from_static("x-cost");
const DRY_RUN: &str = "dry-run";

/// How many of the dearest fields are named.
const NAMED: usize = 3;

/// What was taken for an operation.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    /// None where costs are of no concern.
    requested: Option<f64>,
    held: Option<Held>,
}

/// Points taken from a bucket.
#[derive(Debug)]
struct Held {
    bucket: Bucket,
    points: f64,
    /// What is left without them.
    available: f64,
}

/// Takes what `prepared` may cost from the bucket of whoever asks.
///
/// # Errors
/// [`Code::CostTooHigh`], [`Code::Throttled`], and [`Outcome::RequestError`] when a list must be told how long to be.
pub(crate) async fn charge(
    state: &State,
    prepared: &Prepared,
    variables: &Variables,
    identity: &Identity,
    client: &Client,
) -> Result<Charge, Outcome> {
    let settings = &state.settings.cost;
    if settings.is_off() {
        return Ok(Charge::default());
    }
    let requested = estimate(prepared, variables, settings)?;
    Metrics::get().requested(requested);
    let allowance = settings.allowance(identity.viewer.as_ref());
    check_maximum(prepared, variables, requested, allowance, settings)?;
    if settings.throttle == Mode::Off {
        return Ok(Charge { requested: Some(requested), held: None });
    }
    let (payer, points) = (payer(identity, client), due(requested));
    let Taken { granted, available, bucket } = state.buckets.take(payer, allowance, points).await;
    if !granted {
        if settings.throttle == Mode::Enforce {
            return Err(throttled(requested, bucket.allowance, available));
        }
        let payer = bucket.payer();
        tracing::info!(?payer, requested, "more points are asked for than there are");
    }
    let points = if granted { points } else { 0.0 };
    let held = Held { bucket, points, available };
    Ok(Charge { requested: Some(requested), held: Some(held) })
}

/// Whether a client only asks what an operation would cost.
pub(crate) fn is_dry_run(headers: &HeaderMap) -> bool {
    headers
        .get(HEADER)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(DRY_RUN.as_bytes()))
}

/// A connection that carries several operations does not answer for what they would cost.
///
/// # Errors
/// [`Code::BadRequest`] when that is asked for.
pub(crate) fn refuse_dry_run(headers: &HeaderMap) -> Result<(), Outcome> {
    if is_dry_run(headers) {
        return Err(Outcome::bad_request(
            "x-cost: dry-run is answered to a request by itself, not on a connection that carries several operations",
        ));
    }
    Ok(())
}

/// What an operation would cost, in place of its answer. It takes a point.
///
/// # Errors
/// As those of [`charge`], but for an operation that may cost too much.
pub(crate) async fn dry_run(
    state: &State,
    prepared: &Prepared,
    variables: &Variables,
    identity: &Identity,
    client: &Client,
) -> Result<Executed, Outcome> {
    let settings = &state.settings.cost;
    let requested = estimate(prepared, variables, settings)?;
    let throttle_status = take_one(state, identity, client).await?;
    let allowance = settings.allowance(identity.viewer.as_ref());
    let report = priced(prepared, variables, requested, limit(allowance, settings), settings)?;
    let report = Report { throttle_status, ..report };
    let response = Response { data: b"null".to_vec(), errors: Vec::new(), cost: None };
    let mut executed = Executed::new(response, HeaderMap::new(), CachePolicy::default());
    executed.extensions.cost = Some(report);
    Ok(executed)
}

/// Takes a point for an answer that was kept, and tells what it cost; nothing where costs are of no concern.
///
/// # Errors
/// [`Code::Throttled`].
pub(crate) async fn charge_kept(
    state: &State,
    prepared: &Prepared,
    variables: &Variables,
    identity: &Identity,
    client: &Client,
) -> Result<Option<Report>, Outcome> {
    let settings = &state.settings.cost;
    if settings.is_off() {
        return Ok(None);
    }
    let requested = estimate(prepared, variables, settings)?;
    let throttle_status = take_one(state, identity, client).await?;
    Ok(Some(Report {
        requested_query_cost: Points(requested),
        actual_query_cost: Some(Points(0.0)),
        throttle_status,
        ..Report::default()
    }))
}

/// Takes the least that anything costs. None where nothing is taken from anybody.
async fn take_one(
    state: &State,
    identity: &Identity,
    client: &Client,
) -> Result<Option<ThrottleStatus>, Outcome> {
    let settings = &state.settings.cost;
    if settings.throttle == Mode::Off {
        return Ok(None);
    }
    let allowance = settings.allowance(identity.viewer.as_ref());
    let taken = state.buckets.take(payer(identity, client), allowance, due(0.0)).await;
    let allowance = taken.bucket.allowance;
    if !taken.granted && settings.throttle == Mode::Enforce {
        return Err(throttled(0.0, allowance, taken.available));
    }
    Ok(Some(status(allowance, taken.available)))
}

impl Charge {
    /// Gives back what the operation did not cost, and tells what it did.
    pub(crate) fn settle(self, actual: Option<f64>) -> Option<Report> {
        let requested = self.requested?;
        let actual = actual.unwrap_or(requested);
        Metrics::get().cost(actual);
        let throttle_status = self.held.map(|held| held.give_back_all_but(due(actual)));
        Some(Report {
            requested_query_cost: Points(requested),
            actual_query_cost: Some(Points(actual)),
            throttle_status,
            ..Report::default()
        })
    }

    /// Of an operation that ended with `outcome`: gives all back but the least that one costs, if nothing of it was run.
    pub(crate) fn end(self, outcome: &Outcome) {
        if matches!(outcome, Outcome::RequestError(_)) {
            self.settle(Some(0.0));
        }
    }

    /// The charge of a subscription's next event, for which nothing was taken yet.
    fn for_another(&self) -> Self {
        let held = self.held.as_ref().map(|held| Held {
            bucket: held.bucket.clone(),
            points: 0.0,
            available: held.available,
        });
        Self { requested: self.requested, held }
    }

    /// What is left while all that it may cost is taken.
    pub(crate) fn status(&self) -> Option<ThrottleStatus> {
        self.held.as_ref().map(|held| status(held.bucket.allowance, held.available))
    }
}

impl Held {
    fn give_back_all_but(self, actual: f64) -> ThrottleStatus {
        let available = self.bucket.settle(self.points - actual);
        status(self.bucket.allowance, available)
    }
}

/// What is taken for a cost: whole points, and one at least, since the smallest operation is work too.
fn due(cost: f64) -> f64 {
    cost.ceil().max(1.0)
}

fn estimate(
    prepared: &Prepared,
    variables: &Variables,
    settings: &CostSettings,
) -> Result<f64, Outcome> {
    let estimated = prepared.estimate(variables, &settings.assumed);
    estimated.map_err(|error| Outcome::RequestError(vec![error]))
}

fn payer(identity: &Identity, client: &Client) -> ClientKey {
    ClientKey::of(identity.viewer.as_ref(), client)
}

fn status(allowance: Allowance, available: f64) -> ThrottleStatus {
    let capacity = f64::from(allowance.capacity);
    ThrottleStatus::new(allowance.capacity, allowance.restore_rate, available.min(capacity))
}

/// What an operation may cost: never more than there are points in a full bucket.
fn limit(allowance: Allowance, settings: &CostSettings) -> f64 {
    let maximum = (settings.maximum == Mode::Enforce).then_some(settings.maximum_cost);
    let capacity = (settings.throttle == Mode::Enforce).then_some(allowance.capacity);
    maximum.into_iter().chain(capacity).min().map_or(f64::INFINITY, f64::from)
}

fn check_maximum(
    prepared: &Prepared,
    variables: &Variables,
    requested: f64,
    allowance: Allowance,
    settings: &CostSettings,
) -> Result<(), Outcome> {
    if settings.maximum == Mode::Measure && requested > f64::from(settings.maximum_cost) {
        let name = prepared.operation_name();
        tracing::info!(name, requested, "an operation may cost more than the maximum");
    }
    let limit = limit(allowance, settings);
    if requested <= limit {
        return Ok(());
    }
    let report = priced(prepared, variables, requested, limit, settings)?;
    let dearest: Vec<_> = report.dearest.iter().map(ToString::to_string).collect();
    let message = format!(
        "the operation may cost {} points, and {} are the most that one may: dearest are {}",
        Points(requested),
        Points(limit),
        dearest.join(", ")
    );
    Err(Outcome::refused(Code::CostTooHigh, message).with_cost(report))
}

/// What an operation may cost, and why.
fn priced(
    prepared: &Prepared,
    variables: &Variables,
    requested: f64,
    limit: f64,
    settings: &CostSettings,
) -> Result<Report, Outcome> {
    let dearest = prepared.dearest(variables, &settings.assumed, NAMED);
    let dearest = dearest.map_err(|error| Outcome::RequestError(vec![error]))?;
    Ok(Report {
        requested_query_cost: Points(requested),
        maximum_query_cost: limit.is_finite().then_some(Points(limit)),
        dearest: dearest.into_iter().map(Into::into).collect(),
        ..Report::default()
    })
}

/// There are too few points left.
fn throttled(requested: f64, allowance: Allowance, available: f64) -> Outcome {
    let missing = (due(requested) - available).max(0.0);
    let seconds = (missing / f64::from(allowance.restore_rate)).ceil().max(1.0);
    let status = status(allowance, available);
    let message = format!(
        "the operation may cost {} points, and {} are left: try again in {seconds} s",
        Points(requested),
        status.currently_available
    );
    let report = Report {
        requested_query_cost: Points(requested),
        throttle_status: Some(status),
        ..Report::default()
    };
    let mut headers = HeaderMap::new();
    status.write(&mut headers);
    if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
        headers.insert(RETRY_AFTER, value);
    }
    headers.into_iter().fold(
        Outcome::refused(Code::Throttled, message).with_cost(report),
        |outcome, (name, value)| match name {
            Some(name) => outcome.with_header(name, value),
            None => outcome,
        },
    )
}
