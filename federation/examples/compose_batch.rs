//! Composes many sets of subgraphs in one process, for tests that compare this composition with others.
//!
//! One JSON array of `{"name", "sdl"}` a line on standard input; for each, one line of JSON on standard output:
//! `{"supergraph", "api", "hints"}`, or `{"errors"}`. Anything else on standard input ends it with an error.

use std::error::Error;
use std::io::{self, BufRead, Write};

use federation::{SubgraphSdl, Supergraph, compose};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let subgraphs = subgraphs(&serde_json::from_str(&line?)?)
            .ok_or("a line is an array of {\"name\", \"sdl\"}")?;
        serde_json::to_writer(&mut output, &outcome(&subgraphs))?;
        writeln!(output)?;
    }
    Ok(())
}

fn subgraphs(line: &Value) -> Option<Vec<SubgraphSdl>> {
    let read = |subgraph: &Value| {
        Some(SubgraphSdl {
            name: subgraph.get("name")?.as_str()?.to_owned(),
            url: None,
            sdl: subgraph.get("sdl")?.as_str()?.to_owned(),
        })
    };
    line.as_array()?.iter().map(read).collect()
}

fn outcome(subgraphs: &[SubgraphSdl]) -> Value {
    let composition = match compose(subgraphs) {
        Ok(composition) => composition,
        Err(errors) => return json!({ "errors": errors }),
    };
    // A supergraph that cannot be read is a finding of its own, shown where the schema would be.
    let api = match Supergraph::parse(&composition.supergraph_sdl) {
        Ok(supergraph) => supergraph.api_sdl(),
        Err(error) => format!("# {error}"),
    };
    json!({ "supergraph": composition.supergraph_sdl, "api": api, "hints": composition.hints })
}
