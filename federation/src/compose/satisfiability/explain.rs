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
pub(super) fn operation(root: &str, steps: &[Step], step: Option<usize>, field: &Name) -> String {
    let mut text = field.to_string();
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
        places.iter().map(|place| why_not_here(resolver, object, field, *place)).collect();
    reasons.dedup();
    let schemas = resolver.schemas;
    for (graph, subgraph) in schemas.subgraphs.iter().enumerate() {
        for standing_for in schemas.entries(object, graph) {
            let parent = standing_for.unwrap_or(object);
            let source = schemas.source(parent, &field.name, graph);
            if source.is_some_and(|source| schemas.resolves(source)) && !at_hand.contains(&graph) {
                let why = why_no_key(resolver, parent, graph);
                reasons.push(format!(
                    "cannot move to subgraph \"{}\", which resolves \"{parent}.{}\": {why}",
                    subgraph.name, field.name
                ));
            }
        }
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
    place: Place<'_>,
) -> String {
    let name = &resolver.schemas.subgraphs[place.graph].name;
    let parent = place.standing_for.unwrap_or(object);
    let coordinate = format!("\"{parent}.{}\"", field.name);
    match resolver.schemas.source(parent, &field.name, place.graph) {
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

/// Why `graph` cannot be asked for an `entity`.
fn why_no_key(resolver: &Resolver<'_>, entity: &Name, graph: GraphId) -> String {
    let keys: Vec<String> =
        resolver.keys(entity, graph).map(|key| format!("\"{}\"", key.fields.source)).collect();
    if keys.is_empty() {
        format!("it has no resolvable @key for \"{entity}\"")
    } else {
        format!("the fields of its @key {} cannot all be had", keys.join(" or "))
    }
}

/// Why nobody can tell the type of what `interface` is where it is an object.
pub(super) fn unknown_type(
    resolver: &Resolver<'_>,
    interface: &Name,
    places: &[Place<'_>],
    operation: String,
) -> Failure {
    let mut graphs: Vec<GraphId> = places.iter().map(|place| place.graph).collect();
    graphs.dedup();
    let subgraphs = resolver.schemas.subgraphs;
    let names: Vec<String> =
        graphs.iter().map(|graph| format!("\"{}\"", subgraphs[*graph].name)).collect();
    let mut reasons = vec![format!(
        "in subgraph {} \"{interface}\" is an @interfaceObject, and the type that it stands for is not known",
        names.join(" and ")
    )];
    for (graph, subgraph) in subgraphs.iter().enumerate() {
        if subgraph.types.get(interface).is_some_and(|def| !def.interface_object) {
            let why = why_no_key(resolver, interface, graph);
            reasons.push(format!(
                "cannot move to subgraph \"{}\", which knows it: {why}",
                subgraph.name
            ));
        }
    }
    Failure { coordinate: interface.to_string(), operation, reason: reasons.join("; "), graphs }
}
