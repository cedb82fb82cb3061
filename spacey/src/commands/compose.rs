//! `spacey compose`: the supergraph schema, or the clients', on standard output or in a file; errors and hints on standard error; exit
//! code 1 on errors. The same subgraphs give the same bytes, in whatever order they are named.

use std::fs;
use std::process::ExitCode;

use federation::Supergraph;
use federation::compose::{ComposeSettings, Diagnostic, ListSizes, compose_with};
use serde::Serialize;

use crate::cli::{ComposeArgs, DiagnosticFormat, RequireListSize};
use crate::sources::{self, Source};

pub(super) fn run(arguments: &ComposeArgs) -> super::Result {
    let sources = match &arguments.config {
        Some(file) => sources::of_config(file)?,
        None => arguments.subgraphs.iter().cloned().map(Source::from).collect(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let subgraphs = runtime.block_on(sources::read(sources))?;
    let list_sizes = match arguments.require_list_size {
        RequireListSize::Error => ListSizes::Required,
        RequireListSize::Warn => ListSizes::Hinted,
        RequireListSize::Off => ListSizes::Optional,
    };
    match compose_with(&subgraphs, &ComposeSettings { list_sizes }) {
        Ok(composition) => {
            report(&Findings { errors: &[], hints: &composition.hints }, arguments.format)?;
            let sdl = composition.supergraph_sdl;
            let sdl = if arguments.api { Supergraph::parse(&sdl)?.api_sdl() } else { sdl };
            match &arguments.output {
                Some(file) => {
                    fs::write(file, sdl).map_err(|error| format!("{}: {error}", file.display()))?
                }
                None => super::answer(&sdl)?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(errors) => {
            report(&Findings { errors: &errors, hints: &[] }, arguments.format)?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What composition has to say.
#[derive(Serialize)]
struct Findings<'a> {
    errors: &'a [Diagnostic],
    hints: &'a [Diagnostic],
}

fn report(findings: &Findings<'_>, format: DiagnosticFormat) -> Result<(), serde_json::Error> {
    match format {
        DiagnosticFormat::Json => eprintln!("{}", serde_json::to_string_pretty(findings)?),
        DiagnosticFormat::Text => {
            for diagnostic in findings.errors.iter().chain(findings.hints) {
                eprintln!("{diagnostic}");
            }
        }
    }
    Ok(())
}
