//! From SDL text to [`Subgraph`]: parse, read links, normalise, validate as GraphQL, build the model.

use std::sync::LazyLock;

use apollo_compiler::Schema;
use apollo_compiler::ast::{Definition, Document};
use apollo_compiler::collections::HashSet;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};

use super::model::Subgraph;
use super::{described, extract, links, normalise, repeated, reserved, spec};
use crate::compose::SubgraphSdl;
use crate::compose::diagnostic::{Code, Report};

/// What the federation directives are; read once.
static DEFINITIONS: LazyLock<Document> = LazyLock::new(|| {
    let read = Document::parse(spec::DEFINITIONS, "federation.graphql");
    read.unwrap_or_else(|invalid| invalid.partial)
});

/// Parses every subgraph, sorted by name. Those with errors are reported and left out.
pub(crate) fn parse_all(subgraphs: &[SubgraphSdl], report: &mut Report) -> Vec<Subgraph> {
    check_names(subgraphs, report);
    let mut parsed: Vec<Subgraph> =
        subgraphs.iter().filter_map(|subgraph| parse(subgraph, report)).collect();
    parsed.sort_by(|a, b| a.name.cmp(&b.name));
    parsed
}

fn check_names(subgraphs: &[SubgraphSdl], report: &mut Report) {
    let mut seen = HashSet::default();
    for SubgraphSdl { name, .. } in subgraphs {
        let problem = if name.trim().is_empty() {
            "a subgraph needs a name"
        } else if name == "_" || name.starts_with("__") {
            "the name is reserved; a name does not begin with \"__\" and is not \"_\""
        } else if !seen.insert(name) {
            "two subgraphs have this name"
        } else {
            continue;
        };
        report.error(Code::InvalidSubgraphName, "", &[name], problem.to_owned());
    }
}

fn parse(input: &SubgraphSdl, report: &mut Report) -> Option<Subgraph> {
    let mut document = parse_document(input, report)?;
    let errors = report.error_count();
    let links = links::read(&document.definitions, &input.name, report);
    if report.error_count() > errors {
        // Without its links the document is full of names that nobody knows.
        return None;
    }
    repeated::check(&document.definitions, &links, &input.name, report);
    reserved::check(&document.definitions, &links, &input.name, report);
    // Schema definitions are gone afterwards.
    let description = document.definitions.iter().find_map(|definition| match definition {
        Definition::SchemaDefinition(schema) => schema.description.clone(),
        _ => None,
    });
    let directive_names =
        normalise::normalise(&mut document.definitions, &links, &input.name, report);
    let schema = build_schema(&document, &input.name, report)?;
    let definitions = &document.definitions;
    let extracted = extract::extract(input, &schema, definitions, links, directive_names, report);
    Some(Subgraph { description, ..extracted })
}

fn parse_document(input: &SubgraphSdl, report: &mut Report) -> Option<Document> {
    match Parser::new().parse_ast(described::blank_on_extensions(&input.sdl), &input.name) {
        Ok(document) => Some(document),
        Err(invalid) => {
            report_invalid(&invalid.errors, &input.name, report);
            None
        }
    }
}

fn build_schema(document: &Document, subgraph: &str, report: &mut Report) -> Option<Valid<Schema>> {
    let result = Schema::builder()
        .adopt_orphan_extensions()
        .add_ast(document)
        .add_ast(&DEFINITIONS)
        .build()
        .and_then(Schema::validate);
    match result {
        Ok(schema) => Some(schema),
        Err(invalid) => {
            report_invalid(&invalid.errors, subgraph, report);
            None
        }
    }
}

fn report_invalid(errors: &DiagnosticList, subgraph: &str, report: &mut Report) {
    for diagnostic in errors.iter() {
        let message = match diagnostic.line_column_range() {
            Some(range) => format!(
                "{} (line {}, column {})",
                diagnostic.error, range.start.line, range.start.column
            ),
            None => diagnostic.error.to_string(),
        };
        report.error(Code::InvalidGraphql, "", &[subgraph], message);
    }
}
