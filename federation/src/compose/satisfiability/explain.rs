//! Says for people which operation cannot be answered, and why no subgraph helps.

use apollo_compiler::Name;
use apollo_compiler::collections::HashSet;

use super::places::Place;
use super::resolve::Resolver;
use super::walk::Step;
use crate::compose::merge::{GraphId, MergedField};

/// A field that cannot be reached on some path.
pub(super) struct Failure {
    pub(super) coordinate: String,
    pub(super) operation: String,
    pub(super) reason: String,
    /// Where the parent is at hand.
    pub(super) graphs: Vec<GraphId>,
}

/// The shortest operation that selects `field` after the selections that end in `step`.
pub(super) fn operation(
    root: &str,
    steps: &[Step],
    step: Option<usize>,
    field: &MergedField,
) -> String {
    let mut text = field.name.to_string();
    let mut next = step.map(|step| &steps[step]);
    while let Some(step) = next {
        text = match &step.condition {
            Some(condition) => format!("{} {{ ... on {condition} {{ {text} }} }}", step.field),
            None => format!("{} {{ {text} }}", step.field),
        };
        next = step.parent.map(|parent| &steps[parent]);
    }
    match root {
        "Query" => format!("{{ {text} }}"),
        _ => format!("{} {{ {text} }}", root.to_ascii_lowercase()),
    }
}

/// Why `field` of `object` cannot be had, being at hand in `places`.
pub(super) fn failure(
    resolver: &mut Resolver<'_>,
    object: &Name,
    places: &[Place<'_>],
    field: &MergedField,
    operation: String,
) -> Failure {
    let mut graphs: Vec<GraphId> = places.iter().map(|place| place.graph).collect();
    graphs.dedup();
    let at_hand: HashSet<GraphId> = graphs.iter().copied().collect();
    let mut reasons: Vec<String> =
        graphs.iter().map(|graph| why_not_here(resolver, object, field, *graph)).collect();
    let schemas = resolver.schemas;
    for source in field
        .sources
        .iter()
        .filter(|source| schemas.resolves(source) && !at_hand.contains(&source.graph))
    {
        reasons.push(why_not_there(resolver, object, field, source.graph));
    }
    Failure {
        coordinate: format!("{object}.{}", field.name),
        operation,
        reason: reasons.join("; "),
        graphs,
    }
}

/// Why a subgraph in which the object is at hand does not give the field.
fn why_not_here(
    resolver: &Resolver<'_>,
    object: &Name,
    field: &MergedField,
    graph: GraphId,
) -> String {
    let name = &resolver.schemas.subgraphs[graph].name;
    let coordinate = format!("\"{object}.{}\"", field.name);
    match field.sources.iter().find(|source| source.graph == graph) {
        None => format!("from subgraph \"{name}\": it has no field {coordinate}"),
        Some(source) if !resolver.schemas.resolves(source) && !source.external => {
            format!("from subgraph \"{name}\": {coordinate} is overridden there")
        }
        Some(source) if source.external => {
            format!(
                "from subgraph \"{name}\": {coordinate} is @external there and not provided on this path"
            )
        }
        Some(source) if !source.contexts.is_empty() => {
            let contexts: Vec<&str> =
                source.contexts.iter().map(|argument| argument.context.as_str()).collect();
            format!(
                "from subgraph \"{name}\": {coordinate} takes values from the context \"{}\", \
                 which nothing sets on this path",
                contexts.join("\", \"")
            )
        }
        Some(source) => format!(
            "from subgraph \"{name}\": what {coordinate} requires ({}) cannot be had, or there is no key to come back by",
            source.requires.as_deref().unwrap_or_default()
        ),
    }
}

/// Why a subgraph that resolves the field cannot be moved to.
fn why_not_there(
    resolver: &Resolver<'_>,
    object: &Name,
    field: &MergedField,
    graph: GraphId,
) -> String {
    let name = &resolver.schemas.subgraphs[graph].name;
    let keys: Vec<String> =
        resolver.keys(object, graph).map(|key| format!("\"{}\"", key.fields.source)).collect();
    if keys.is_empty() {
        format!(
            "cannot move to subgraph \"{name}\", which resolves \"{object}.{}\": \
             it has no resolvable @key for \"{object}\"",
            field.name
        )
    } else {
        format!(
            "cannot move to subgraph \"{name}\", which resolves \"{object}.{}\": \
             the fields of its @key {} cannot all be had",
            field.name,
            keys.join(" or ")
        )
    }
}
