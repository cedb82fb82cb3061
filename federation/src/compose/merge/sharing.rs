//! Sharing: a field that several subgraphs resolve must be declared shareable by all of them, and they must be
//! able to return the same things.

use apollo_compiler::Name;
use apollo_compiler::collections::HashSet;

use super::{GraphId, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, TypeDef};

/// Checks the field `at` of the object `def`. `sources` are those that were not overridden.
pub(super) fn check(
    merger: &mut Merger<'_>,
    def: &TypeDef,
    at: &str,
    sources: &Sources<'_, Field>,
) {
    let resolving: Vec<(GraphId, &Field)> = sources
        .iter()
        .filter(|(graph, field)| !merger.subgraphs[*graph].is_fully_external(&def.name, field))
        .copied()
        .collect();
    if resolving.len() < 2 {
        return;
    }
    let names = merger.names_of(&resolving);
    if def.name == "Subscription" {
        let message = "a subscription comes from one subgraph, it cannot be shared".to_owned();
        merger.report.error(Code::InvalidFieldSharing, at, &names, message);
        return;
    }
    let unwilling: Vec<&str> = resolving
        .iter()
        .filter(|(graph, field)| !is_shareable(merger, *graph, def, field))
        .map(|(graph, _)| merger.name_of(*graph))
        .collect();
    if unwilling.is_empty() {
        check_runtime_types(merger, at, &resolving);
    } else {
        let message = format!(
            "several subgraphs resolve the field, and it is not @shareable in \"{}\"; mark it @shareable there, \
             or @external where it is not resolved",
            unwilling.join("\", \"")
        );
        merger.report.error(Code::InvalidFieldSharing, at, &names, message);
    }
}

/// Key fields and provided fields are shareable by nature.
fn is_shareable(merger: &Merger<'_>, graph: GraphId, def: &TypeDef, field: &Field) -> bool {
    let subgraph = &merger.subgraphs[graph];
    let coordinate = (def.name.clone(), field.name.clone());
    field.shareable
        || subgraph.key_fields.contains(&coordinate)
        || subgraph.provided_fields.contains(&coordinate)
}

/// Two subgraphs that return an interface or union must know a common object type, or one of them answers what the
/// other one cannot have meant.
fn check_runtime_types(merger: &mut Merger<'_>, at: &str, resolving: &Sources<'_, Field>) {
    let mut sets: Vec<HashSet<Name>> = Vec::new();
    for (graph, field) in resolving {
        let types = merger.subgraphs[*graph].possible_types(field.ty.inner_named_type());
        if types.is_empty() {
            return;
        }
        sets.push(types.into_iter().collect());
    }
    let names = merger.names_of(resolving);
    let Some((first, rest)) = sets.split_first() else {
        return;
    };
    if !first.iter().any(|name| rest.iter().all(|set| set.contains(name))) {
        let message =
            "the subgraphs share the field, but know no common object type that it could return"
                .to_owned();
        merger.report.error(Code::ShareableHasMismatchedRuntimeTypes, at, &names, message);
    } else if rest.iter().any(|set| set != first) {
        let message =
            "the subgraphs share the field, but the object types that it can return differ; \
                       all of them must resolve it to the same value"
                .to_owned();
        merger.report.hint(Code::InconsistentRuntimeTypesForShareableReturn, at, &names, message);
    }
}
