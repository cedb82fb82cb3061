//! `spacey plan`: the plan by which an operation is answered, as text or as JSON.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use federation::{Supergraph, prepare};

use crate::cli::{PlanArgs, PlanFormat};
use crate::graph;

pub(super) fn run(arguments: &PlanArgs) -> super::Result {
    let supergraph = match &arguments.supergraph {
        Some(path) => read(path)?,
        None => own_supergraph()?,
    };
    let supergraph = Arc::new(Supergraph::parse(&supergraph)?);
    let operation = read(&arguments.operation)?;
    match prepare(&supergraph, &operation, arguments.operation_name.as_deref()) {
        Ok(prepared) => {
            let plan = match arguments.format {
                PlanFormat::Text => prepared.plan().to_string(),
                PlanFormat::Json => serde_json::to_string_pretty(prepared.plan())?,
            };
            super::answer(&format!("{plan}\n"))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            for error in errors {
                eprintln!("{}: {}", error.code.as_str(), error.message);
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn own_supergraph() -> Result<String, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let subgraphs = runtime.block_on(super::schema::own_sdls())?;
    Ok(graph::supergraph(&subgraphs)?.supergraph_sdl)
}
