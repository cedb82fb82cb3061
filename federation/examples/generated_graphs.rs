//! Offers generated graphs to another gateway, for tests that compare its answers with this engine's.
//!
//! `generated_graphs SEED GRAPHS` writes one line of JSON a graph: `{"subgraphs", "supergraph", "operations"}`, an operation being
//! `{"operation", "variables", "expected", "answer"}`. What is expected is the data as one schema, or null where the operation is
//! not valid; the answer is `{"data", "errors"}` of this engine. Then it answers a line for each line
//! `{"graph", "subgraph", "query", "variables"}`, as that subgraph does; what a subgraph could not have known is an error.

#![expect(clippy::unwrap_used, reason = "a tool for tests ends at the first surprise")]

#[path = "../tests/engine/generated/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the tests of the engine use the rest")]
mod generated;
#[path = "../tests/engine/support/mod.rs"]
#[expect(dead_code, reason = "the tests of the engine use the rest")]
mod support;

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::mem::take;

use federation::{SubgraphSdl, compose, prepare};
use serde_json::{Value, json};

use generated::case::{OPERATIONS, World, operation_choices, seed_of};
use generated::choices::Choices;
use generated::operation::{self, Operation};
use support::Fixture;

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<u64> =
        std::env::args().skip(1).map(|number| number.parse()).collect::<Result<_, _>>()?;
    let &[seed, graphs] = numbers.as_slice() else {
        return Err("usage: generated_graphs SEED GRAPHS".into());
    };
    let mut output = io::stdout().lock();
    let mut fixtures = Vec::new();
    for number in 0..usize::try_from(graphs)? {
        let (graph, fixture) = graph(seed_of(seed, number));
        writeln!(output, "{graph}")?;
        fixtures.push(fixture);
    }
    for line in io::stdin().lock().lines() {
        let fetch: Value = serde_json::from_str(&line?)?;
        let answer = answer(&fixtures, &fetch)
            .ok_or("a line is {\"graph\", \"subgraph\", \"query\", \"variables\"}")?;
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// A generated graph as JSON, and as what answers for its subgraphs.
fn graph(seed: u64) -> (Value, Fixture) {
    let world = World::generate(&mut Choices::random(seed));
    let subgraphs: Vec<_> = world
        .subgraphs
        .iter()
        .map(|(name, sdl)| SubgraphSdl {
            name: name.clone(),
            url: Some(format!("http://{name}.test/graphql")),
            sdl: sdl.clone(),
        })
        .collect();
    let fixture = world.fixture.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
    let supergraph = compose(&subgraphs).unwrap().supergraph_sdl;
    let operations: Vec<_> = (0..OPERATIONS)
        .map(|number| {
            let mut choices = operation_choices(seed, number);
            run(&fixture, &operation::operation(&mut choices, &fixture.api))
        })
        .collect();
    let subgraphs: Vec<_> = subgraphs
        .into_iter()
        .map(|SubgraphSdl { name, sdl, .. }| json!({ "name": name, "sdl": sdl }))
        .collect();
    let graph =
        json!({ "subgraphs": subgraphs, "supergraph": supergraph, "operations": operations });
    (graph, fixture)
}

fn run(fixture: &Fixture, operation: &Operation) -> Value {
    let Operation { text, variables } = operation;
    let (expected, answer) = match prepare(&fixture.supergraph, text, None) {
        Err(errors) => {
            let errors: Vec<_> =
                errors.into_iter().map(|error| json!({ "message": error.message })).collect();
            (Value::Null, json!({ "errors": errors }))
        }
        Ok(prepared) => {
            let response = fixture.run_prepared(&prepared, variables.clone());
            let mut errors: Vec<_> =
                response.errors.iter().map(|error| json!({ "message": error.message })).collect();
            errors.extend(violations(fixture));
            let data: Value = serde_json::from_slice(&response.data).unwrap();
            let expected = fixture.run_as_one(text, variables.clone());
            (serde_json::from_str(&expected).unwrap(), json!({ "data": data, "errors": errors }))
        }
    };
    json!({ "operation": text, "variables": variables, "expected": expected, "answer": answer })
}

/// What a subgraph answers to another gateway.
fn answer(fixtures: &[Fixture], fetch: &Value) -> Option<Value> {
    let fixture = fixtures.get(usize::try_from(fetch["graph"].as_u64()?).ok()?)?;
    let name = fetch["subgraph"].as_str()?;
    let subgraph = fixture.subgraphs.iter().find(|subgraph| subgraph.name == name)?;
    let variables = fetch["variables"].clone();
    let response =
        subgraph.run(&fixture.data, fetch["query"].as_str()?, variables, &fixture.violations);
    let mut errors: Vec<_> =
        response.errors.into_iter().map(|error| json!({ "message": error.message })).collect();
    errors.extend(violations(fixture));
    let data = serde_json::to_value(response.data).ok()?;
    Some(match errors.is_empty() {
        true => json!({ "data": data }),
        false => json!({ "data": data, "errors": errors }),
    })
}

/// What a subgraph was asked since the last time that it could not have known.
fn violations(fixture: &Fixture) -> Vec<Value> {
    let violations = take(&mut *fixture.violations.lock().unwrap());
    violations.into_iter().map(|violation| json!({ "message": violation })).collect()
}
