//! `spacey compose`: the supergraph schema on standard output, errors and hints on standard error, exit code 1 on errors.

use std::fs;
use std::process::ExitCode;

use federation::compose::{Diagnostic, SubgraphSdl, compose};

use crate::cli::{ComposeArgs, DiagnosticFormat};

pub(super) fn run(arguments: &ComposeArgs) -> super::Result {
    let mut subgraphs = Vec::new();
    for subgraph in &arguments.subgraphs {
        let sdl = fs::read_to_string(&subgraph.file)
            .map_err(|error| format!("{}: {error}", subgraph.file.display()))?;
        let (name, url) = (subgraph.name.clone(), subgraph.url.clone());
        subgraphs.push(SubgraphSdl { name, url, sdl });
    }
    match compose(&subgraphs) {
        Ok(composition) => {
            report(&composition.hints, arguments.format)?;
            super::answer(&composition.supergraph_sdl)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            report(&errors, arguments.format)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

fn report(diagnostics: &[Diagnostic], format: DiagnosticFormat) -> Result<(), serde_json::Error> {
    match format {
        DiagnosticFormat::Json => eprintln!("{}", serde_json::to_string_pretty(diagnostics)?),
        DiagnosticFormat::Text => {
            for diagnostic in diagnostics {
                eprintln!("{diagnostic}");
            }
        }
    }
    Ok(())
}
