//! Composition: subgraph SDLs in, one supergraph SDL out.
//!
//! The rules are those of Apollo Federation 2, the output is in the `join` v0.3 to v0.5 and `link` v1.0 format that
//! Apollo Router, rover, Hive and Cosmo read and write. A stage reports everything it finds before the next is
//! refused; what no rule handles is refused, never composed wrongly.
//!
//! Specification: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/composition>.

mod defaults;
mod diagnostic;
mod merge;
mod postmerge;
mod print;
mod satisfiability;
mod subgraph;
mod upgrade;
mod validate;

use apollo_compiler::Schema;
use apollo_compiler::validation::Valid;

use crate::supergraph;
use diagnostic::Report;
pub use diagnostic::{Code, Diagnostic, Severity};

/// A subgraph as its owner publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubgraphSdl {
    /// Unique among the subgraphs.
    pub name: String,
    /// Where it answers. Written into the supergraph, otherwise unused; absent for one in the same process.
    pub url: Option<String>,
    /// Its schema with federation directives.
    pub sdl: String,
}

/// A supergraph, and what to think about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composition {
    /// The supergraph in `join`/`link` format. The same subgraphs in any order give the same text.
    pub supergraph_sdl: String,
    /// The schema that clients see: without what is `@inaccessible`, and without any trace of federation.
    pub api_sdl: String,
    /// Findings that did not prevent composition.
    pub hints: Vec<Diagnostic>,
}

/// What else is asked of subgraphs than that they compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ComposeSettings {
    /// Whether lists of objects must say how long they are.
    pub list_sizes: ListSizes,
}

/// Whether lists of objects must say how long they are, by `@listSize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListSizes {
    /// They need not.
    #[default]
    Optional,
    /// There is a hint for each that does not.
    Hinted,
    /// One that does not is an error.
    Required,
}

/// Composes `subgraphs` into a supergraph.
///
/// # Errors
/// All errors of the first stage that found any. Hints are never in it.
pub fn compose(subgraphs: &[SubgraphSdl]) -> Result<Composition, Vec<Diagnostic>> {
    compose_with(subgraphs, &ComposeSettings::default())
}

/// [`compose`], where more is asked of the subgraphs.
///
/// # Errors
/// As those of [`compose`].
pub fn compose_with(
    subgraphs: &[SubgraphSdl],
    settings: &ComposeSettings,
) -> Result<Composition, Vec<Diagnostic>> {
    let mut report = Report::default();

    let mut subgraphs = subgraph::parse_all(subgraphs, &mut report);
    report.checkpoint()?;

    upgrade::upgrade(&mut subgraphs, &mut report);
    report.checkpoint()?;

    validate::validate_subgraphs(&subgraphs, &mut report);
    report.checkpoint()?;

    let supergraph = merge::merge(&subgraphs, &mut report);
    report.checkpoint()?;

    postmerge::validate_supergraph(&supergraph, settings, &mut report);
    report.checkpoint()?;

    let schema = schema(&supergraph, &mut report);
    report.checkpoint()?;

    satisfiability::validate_satisfiability(&supergraph, &subgraphs, &mut report);
    report.checkpoint()?;

    let api_sdl = api_sdl(&schema, &mut report);
    report.checkpoint()?;
    let supergraph_sdl = print::print(&supergraph);
    Ok(Composition { supergraph_sdl, api_sdl, hints: report.into_hints() })
}

/// The merged schema must itself be valid GraphQL: types that are fine in each subgraph may not fit together, for example
/// when a field was widened and no longer implements that of its interface. The rules before say some of it more clearly.
fn schema(supergraph: &merge::Supergraph, report: &mut Report) -> Valid<Schema> {
    print::schema(supergraph).unwrap_or_else(|errors| {
        for diagnostic in errors.iter() {
            let message = format!("the merged schema is not valid: {}", diagnostic.error);
            report.error(Code::InvalidGraphql, "", &[], message);
        }
        Valid::assume_valid(Schema::new())
    })
}

/// The client's schema. What the rules before let through and is no schema for clients is not published.
fn api_sdl(supergraph: &Valid<Schema>, report: &mut Report) -> String {
    supergraph::api_sdl(supergraph).unwrap_or_else(|error| {
        report.error(Code::InvalidGraphql, "", &[], error.to_string());
        String::new()
    })
}
