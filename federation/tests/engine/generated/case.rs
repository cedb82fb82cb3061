//! A generated case: made, checked, and made smaller when it fails.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use federation::{OperationLimits, PlanSettings, RequestErrorCode, SubgraphSdl, prepare_with};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::support::Fixture;

use super::choices::{Choices, shrink};
use super::{generate, operation, records, sdl};

/// How many operations are run on each graph.
pub(crate) const OPERATIONS: usize = 10;
/// Of all generated operations, how many in a hundred may be refused as not valid.
const MOST_INVALID: usize = 25;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    /// Names and SDL.
    pub(crate) subgraphs: Vec<(String, String)>,
    pub(crate) data: Map<String, Value>,
    pub(crate) operation: String,
    pub(crate) variables: Value,
}

/// What went wrong, and the details.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: FailureKind,
    details: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FailureKind {
    Composition,
    Planning,
    Answer,
    Errors,
    Violation,
    Panic,
}

/// What the generator makes of choices for a graph.
pub(crate) struct World {
    pub(crate) subgraphs: Vec<(String, String)>,
    data: Map<String, Value>,
    pub(crate) fixture: Result<Fixture, Failure>,
}

fn fail(kind: FailureKind, details: impl Into<String>) -> Failure {
    Failure { kind, details: details.into() }
}

impl World {
    fn new(subgraphs: Vec<(String, String)>, data: Map<String, Value>) -> Self {
        let fixture = guarded(|| {
            let sdls: Vec<SubgraphSdl> = subgraphs
                .iter()
                .map(|(name, sdl)| SubgraphSdl { name: name.clone(), url: None, sdl: sdl.clone() })
                .collect();
            Fixture::compose(&sdls, data.clone()).map_err(|diagnostics| {
                let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
                fail(FailureKind::Composition, lines.join("\n"))
            })
        });
        Self { subgraphs, data, fixture }
    }

    pub(crate) fn generate(choices: &mut Choices) -> Self {
        let graph = generate::graph(choices);
        let data = records::records(choices, &graph);
        let subgraphs = (0..graph.subgraphs).map(|no| (sdl::name(no), sdl::sdl(&graph, no)));
        let Value::Object(data) = data else { panic!("records are an object") };
        Self::new(subgraphs.collect(), data)
    }
}

/// Turns a panic into a failure.
fn guarded<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(fail(FailureKind::Panic, text.unwrap_or_default()))
    })
}

/// Whether the operation is one, and answers as it should, also where it is planned with the least effort.
fn check(fixture: &Fixture, operation: &str, variables: &Value) -> Result<bool, Failure> {
    let frugal = PlanSettings { first_steps: 0, search_steps: 0 };
    for settings in [PlanSettings::default(), frugal] {
        if !check_planned(fixture, operation, variables, settings)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_planned(
    fixture: &Fixture,
    operation: &str,
    variables: &Value,
    settings: PlanSettings,
) -> Result<bool, Failure> {
    guarded(|| {
        let prepared = match prepare_with(
            &fixture.supergraph,
            operation,
            None,
            &OperationLimits::default(),
            settings,
        ) {
            Ok(prepared) => prepared,
            Err(errors) => {
                let invalid = RequestErrorCode::ValidationFailed;
                return match errors.iter().all(|error| error.code == invalid) {
                    true => Ok(false),
                    false => Err(fail(FailureKind::Planning, format!("{errors:#?}"))),
                };
            }
        };
        let response = fixture.run_prepared(&prepared, variables.clone());
        let expected = fixture.run_as_one(operation, variables.clone());
        let plan = prepared.plan();
        let violations = std::mem::take(&mut *fixture.violations.lock().unwrap());
        let log = fixture.take_log();
        if !violations.is_empty() {
            return Err(fail(FailureKind::Violation, format!("{plan}\n{violations:#?}")));
        }
        if expected.as_bytes() != response.data {
            let actual = String::from_utf8_lossy(&response.data);
            let details = format!(
                "expected {expected}\nactual   {actual}\n{plan}\n{log:#?}\n{:#?}",
                response.errors
            );
            return Err(fail(FailureKind::Answer, details));
        }
        if !response.errors.is_empty() {
            return Err(fail(FailureKind::Errors, format!("{plan}\n{:#?}", response.errors)));
        }
        Ok(true)
    })
}

impl Case {
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let fixture = World::new(self.subgraphs.clone(), self.data.clone()).fixture?;
        let is_valid = check(&fixture, &self.operation, &self.variables)?;
        assert!(is_valid, "the operation is not valid");
        Ok(())
    }
}

/// Runs `graphs` generated graphs on as many threads as there are processors.
pub(crate) fn run(seed: u64, graphs: usize) {
    let next = AtomicUsize::new(0);
    let invalid = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= graphs {
                    return;
                }
                match graph(seed_of(seed, number)) {
                    Ok(refused) => {
                        invalid.fetch_add(refused, Ordering::Relaxed);
                    }
                    Err(report) => {
                        next.store(graphs, Ordering::Relaxed);
                        failures.lock().unwrap().push(report);
                    }
                }
            }
        };
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    if let Some(report) = failures.first() {
        panic!("seed {seed}\n{report}");
    }
    let invalid = invalid.into_inner();
    eprintln!("{graphs} graphs, {} operations, {invalid} of them not valid", graphs * OPERATIONS);
    assert!(invalid * 100 <= graphs * OPERATIONS * MOST_INVALID, "{invalid} were not valid");
}

/// The seed of the graph `number` of those that `seed` stands for.
pub(crate) fn seed_of(seed: u64, number: usize) -> u64 {
    seed.wrapping_add(number as u64).wrapping_mul(0x2545_f491_4f6c_dd1d)
}

/// Where the decisions for the operation `number` on the graph of `seed` come from.
pub(crate) fn operation_choices(seed: u64, number: usize) -> Choices {
    Choices::random(seed.wrapping_add(1 + number as u64))
}

/// Runs the operations of one graph, and returns how many were not valid.
fn graph(seed: u64) -> Result<usize, String> {
    let mut choices = Choices::random(seed);
    let world = World::generate(&mut choices);
    let mut invalid = 0;
    for number in 0..OPERATIONS {
        let mut drawn = operation_choices(seed, number);
        let result = match &world.fixture {
            Ok(fixture) => {
                let operation = operation::operation(&mut drawn, &fixture.api);
                check(fixture, &operation.text, &operation.variables)
            }
            Err(failure) => Err(fail(failure.kind, failure.details.clone())),
        };
        match result {
            Ok(true) => {}
            Ok(false) => invalid += 1,
            Err(failure) => return Err(smallest(choices.made(), drawn.made(), failure.kind)),
        }
    }
    Ok(invalid)
}

/// The smallest case found that fails in the same way, as text.
fn smallest(graph: &[u32], operation: &[u32], kind: FailureKind) -> String {
    let outcome = |graph: &[u32], operation: &[u32]| {
        let world = World::generate(&mut Choices::replay(graph));
        let mut case = Case {
            subgraphs: world.subgraphs,
            data: world.data,
            operation: String::new(),
            variables: Value::Null,
        };
        let failure = match &world.fixture {
            Err(failure) => Some(fail(failure.kind, failure.details.clone())),
            Ok(fixture) => {
                let made = operation::operation(&mut Choices::replay(operation), &fixture.api);
                let failure = check(fixture, &made.text, &made.variables).err();
                (case.operation, case.variables) = (made.text, made.variables);
                failure
            }
        };
        (case, failure)
    };
    let fails = |graph: &[u32], operation: &[u32]| {
        outcome(graph, operation).1.is_some_and(|failure| failure.kind == kind)
    };
    let operation = shrink(operation, &mut |operation| fails(graph, operation));
    let graph = shrink(graph, &mut |graph| fails(graph, &operation));
    let operation = shrink(&operation, &mut |operation| fails(&graph, operation));
    let (case, failure) = outcome(&graph, &operation);
    let details = failure.map(|failure| failure.details).unwrap_or_default();
    let sdl: Vec<_> = case.subgraphs.iter().map(|(name, sdl)| format!("# {name}\n{sdl}")).collect();
    format!(
        "{kind:?}\n{}\n{}\n{}\n{details}\n{}",
        sdl.join("\n"),
        case.operation,
        case.variables,
        serde_json::to_string(&case).unwrap()
    )
}
