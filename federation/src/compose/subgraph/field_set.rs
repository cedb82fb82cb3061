//! Field sets: the selections in `@key`, `@requires` and `@provides`.
//!
//! Specification: <https://specs.apollo.dev/join/v0.3/#FieldSet>.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::executable::{self, Selection, SelectionSet};
use apollo_compiler::validation::Valid;

use super::model::{Kind, Subgraph};

/// A selection that is valid on its type.
#[derive(Debug, Clone)]
pub(crate) struct FieldSet {
    /// As written, without outer braces and superfluous white space: what is printed.
    pub(crate) source: String,
    pub(crate) selection: SelectionSet,
}

impl FieldSet {
    /// A set that selects `selection`.
    pub(crate) fn of(selection: SelectionSet) -> Self {
        Self { source: tidy(&selection.serialize().no_indent().to_string()), selection }
    }

    /// Parses and validates `source` as a selection on `type_name`. The error is one line.
    pub(super) fn parse(
        schema: &Valid<Schema>,
        type_name: &Name,
        source: &str,
    ) -> Result<Self, String> {
        let parsed =
            executable::FieldSet::parse_and_validate(schema, type_name.clone(), source, "fields");
        match parsed {
            Ok(field_set) => {
                let selection = field_set.into_inner().selection_set;
                if selection.is_empty() {
                    return Err("it selects nothing".to_owned());
                }
                Ok(Self { source: tidy(source), selection })
            }
            Err(invalid) => {
                let problems: Vec<String> =
                    invalid.errors.iter().map(|diagnostic| diagnostic.error.to_string()).collect();
                Err(problems.join("; "))
            }
        }
    }
}

fn tidy(source: &str) -> String {
    let source = source.trim();
    let inner =
        source.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(source).trim();
    if inner.contains('"') {
        // White space inside a string argument is not superfluous.
        inner.to_owned()
    } else {
        inner.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Every field that a selection names, at any depth, as (type, field). A field of an interface stands also for
/// that of its implementations in the subgraph.
pub(crate) fn field_set_targets(
    subgraph: &Subgraph,
    selection: &SelectionSet,
) -> Vec<(Name, Name)> {
    let mut targets = Vec::new();
    collect_targets(subgraph, selection, &mut targets);
    targets
}

fn collect_targets(subgraph: &Subgraph, selection: &SelectionSet, targets: &mut Vec<(Name, Name)>) {
    for item in &selection.selections {
        match item {
            Selection::Field(field) => {
                targets.push((selection.ty.clone(), field.name.clone()));
                let on_interface = subgraph
                    .types
                    .get(&selection.ty)
                    .is_some_and(|def| def.kind == Kind::Interface);
                if on_interface {
                    let implementations = subgraph.possible_types(&selection.ty);
                    targets
                        .extend(implementations.into_iter().map(|name| (name, field.name.clone())));
                }
                collect_targets(subgraph, &field.selection_set, targets);
            }
            Selection::InlineFragment(fragment) => {
                collect_targets(subgraph, &fragment.selection_set, targets)
            }
            // Field sets have no fragments to spread; validation has refused them.
            Selection::FragmentSpread(_) => {}
        }
    }
}
