//! Sharing: a field that several subgraphs resolve must be declared shareable by all of them, and they must be
//! able to return the same things.

use apollo_compiler::Name;
use apollo_compiler::collections::HashSet;

use super::{GraphId, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, Subgraph};

/// Checks the field `name` of `object`. `sources` are those that were not overridden.
pub(super) fn check(
    merger: &mut Merger<'_>,
    object: &Name,
    name: &Name,
    sources: &Sources<'_, Field>,
) {
    let subgraphs = merger.subgraphs;
    let mut declared: Vec<(GraphId, &Name, &Field)> =
        sources.iter().map(|(graph, field)| (*graph, object, *field)).collect();
    declared.extend(merger.interface_objects.fields(subgraphs, object, name));
    let resolving: Vec<(GraphId, &Name, &Field)> = declared
        .into_iter()
        .filter(|(graph, parent, field)| !subgraphs[*graph].is_fully_external(parent, field))
        .collect();
    if resolving.len() < 2 {
        return;
    }
    let at = &format!("{object}.{name}");
    let names: Vec<&str> = resolving.iter().map(|(graph, ..)| merger.name_of(*graph)).collect();
    if object == "Subscription" {
        let message = "a subscription comes from one subgraph, it cannot be shared".to_owned();
        merger.report.error(Code::InvalidFieldSharing, at, &names, message);
        return;
    }
    let unwilling: Vec<&str> = resolving
        .iter()
        .filter(|(graph, parent, field)| !is_shareable(&subgraphs[*graph], parent, field))
        .map(|(graph, ..)| merger.name_of(*graph))
        .collect();
    if unwilling.is_empty() {
        check_runtime_types(merger, at, &resolving, &names);
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
fn is_shareable(subgraph: &Subgraph, parent: &Name, field: &Field) -> bool {
    let coordinate = (parent.clone(), field.name.clone());
    field.shareable
        || subgraph.key_fields.contains(&coordinate)
        || subgraph.provided_fields.contains(&coordinate)
}

/// Two subgraphs that return an interface or union must know a common object type, or one of them answers what the
/// other one cannot have meant.
fn check_runtime_types(
    merger: &mut Merger<'_>,
    at: &str,
    resolving: &[(GraphId, &Name, &Field)],
    names: &[&str],
) {
    let mut sets: Vec<HashSet<Name>> = Vec::new();
    for (graph, _, field) in resolving {
        let subgraph = &merger.subgraphs[*graph];
        let types = subgraph.possible_types(field.ty.inner_named_type());
        let unknown =
            |name: &Name| subgraph.types.get(name).is_some_and(|def| def.interface_object);
        if types.is_empty() || types.iter().any(unknown) {
            return;
        }
        sets.push(types.into_iter().collect());
    }
    let Some((first, rest)) = sets.split_first() else {
        return;
    };
    if !first.iter().any(|name| rest.iter().all(|set| set.contains(name))) {
        let message =
            "the subgraphs share the field, but know no common object type that it could return"
                .to_owned();
        merger.report.error(Code::ShareableHasMismatchedRuntimeTypes, at, names, message);
    } else if rest.iter().any(|set| set != first) {
        let message =
            "the subgraphs share the field, but the object types that it can return differ; \
                       all of them must resolve it to the same value"
                .to_owned();
        merger.report.hint(Code::InconsistentRuntimeTypesForShareableReturn, at, names, message);
    }
}
