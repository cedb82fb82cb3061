//! What federation says of some fields: `@requires`, `@provides`, `@override`, `@inaccessible`.

use super::choices::Choices;
use super::graph::{Field, Graph, Named, ObjectKind, SubgraphNo};

pub(crate) fn add(choices: &mut Choices, graph: &mut Graph) {
    for object in 0..graph.objects.len() {
        for field in 0..graph.objects[object].fields.len() {
            let kind = graph.objects[object].kind;
            let is_key = graph.objects[object].keys.iter().any(|key| key.fields.contains(&field));
            if is_key || graph.objects[object].fields[field].name == "id" {
                continue;
            }
            match choices.below(8) {
                4 if kind == ObjectKind::Entity => hide(graph, object, field),
                5 if kind == ObjectKind::Entity => take_over(choices, graph, object, field),
                6 if kind == ObjectKind::Entity => require(choices, graph, object, field),
                7 if kind != ObjectKind::Value => provide(choices, graph, object, field),
                _ => {}
            }
        }
    }
}

fn sole_owner(field: &Field) -> Option<SubgraphNo> {
    let mut owners = field.owners.iter();
    owners.next().copied().filter(|_| owners.next().is_none())
}

fn hide(graph: &mut Graph, object: usize, field: usize) {
    let is_shared = {
        let name = &graph.objects[object].fields[field].name;
        graph.interfaces.iter().any(|interface| interface.fields.contains(name))
    };
    let field = &mut graph.objects[object].fields[field];
    field.inaccessible = field.is_leaf() && !is_shared;
}

fn take_over(choices: &mut Choices, graph: &mut Graph, object: usize, field: usize) {
    let members: Vec<SubgraphNo> = graph.objects[object].here.keys().copied().collect();
    let from = *choices.pick(&members);
    let field = &mut graph.objects[object].fields[field];
    let is_free = !field.owners.contains(&from) && !field.external.contains(&from);
    if is_free && field.is_leaf() && field.requires.is_none() && sole_owner(field).is_some() {
        field.overridden = Some(from);
    }
}

/// Makes a field depend on fields before it, so that none depends on itself.
fn require(choices: &mut Choices, graph: &mut Graph, object: usize, field: usize) {
    let chosen = &graph.objects[object].fields[field];
    let Some(owner) = sole_owner(chosen) else { return };
    if chosen.overridden.is_some() || chosen.named != Named::Scalar("String") || chosen.is_list() {
        return;
    }
    let others: Vec<usize> = (0..field)
        .filter(|other| {
            let other = &graph.objects[object].fields[*other];
            // A key that no subgraph chose to declare has no owner.
            !other.owners.is_empty()
                && other.name != "id"
                && !other.owners.contains(&owner)
                && other.overridden != Some(owner)
        })
        .collect();
    if others.is_empty() || chosen.nested {
        return;
    }
    // What it requires must not lead back to it.
    graph.objects[object].fields[field].requires = Some(String::new());
    let mut required = Vec::new();
    for other in choices.some(&others) {
        let arguments = {
            let field = &graph.objects[object].fields[other];
            let arguments: Vec<String> = field
                .arguments
                .iter()
                .map(|argument| format!("{}: {}", argument.name, argument.example))
                .collect();
            match arguments.is_empty() {
                true => String::new(),
                false => format!("({})", arguments.join(", ")),
            }
        };
        let field = &graph.objects[object].fields[other];
        let (name, named) = (field.name.clone(), field.named);
        let Some(nested) = nested(choices, graph, owner, named) else { continue };
        graph.objects[object].fields[other].external.insert(owner);
        required.push(format!("{name}{arguments}{nested}"));
    }
    graph.objects[object].fields[field].requires =
        (!required.is_empty()).then(|| required.join(" "));
}

/// What is required of a field's value.
fn nested(
    choices: &mut Choices,
    graph: &mut Graph,
    subgraph: SubgraphNo,
    named: Named,
) -> Option<String> {
    match named {
        Named::Scalar(_) | Named::Enum(_) => Some(String::new()),
        Named::Interface(_) => Some(" { id }".to_owned()),
        Named::Union(_) => None,
        Named::Object(object) => {
            let is_value = graph.objects[object].kind == ObjectKind::Value;
            let leaves: Vec<usize> = (0..graph.objects[object].fields.len())
                .filter(|index| {
                    let field = &graph.objects[object].fields[*index];
                    let is_resolved = is_value || !field.owners.is_empty();
                    is_resolved
                        && field.is_leaf()
                        && field.arguments.is_empty()
                        && field.requires.is_none()
                })
                .filter(|index| graph.objects[object].fields[*index].overridden != Some(subgraph))
                .collect();
            if leaves.is_empty() {
                return None;
            }
            let leaf = *choices.pick(&leaves);
            let field = &mut graph.objects[object].fields[leaf];
            field.nested = true;
            if !is_value && !field.owners.contains(&subgraph) {
                field.external.insert(subgraph);
            }
            Some(format!(" {{ {} }}", field.name))
        }
    }
}

/// Has a field bring a field of the entity that it leads to.
fn provide(choices: &mut Choices, graph: &mut Graph, object: usize, field: usize) {
    let chosen = &graph.objects[object].fields[field];
    let (Some(owner), Named::Object(target)) = (sole_owner(chosen), chosen.named) else { return };
    let target_type = &graph.objects[target];
    if target_type.kind != ObjectKind::Entity {
        return;
    }
    let leaves: Vec<usize> = (0..target_type.fields.len())
        .filter(|index| {
            let is_key = target_type.keys.iter().any(|key| key.fields.contains(index));
            let field = &target_type.fields[*index];
            let is_plain =
                field.is_leaf() && field.arguments.is_empty() && field.requires.is_none();
            is_plain
                && !is_key
                && field.name != "id"
                && field.overridden != Some(owner)
                && !field.owners.contains(&owner)
        })
        .collect();
    if leaves.is_empty() {
        return;
    }
    let mut provided = Vec::new();
    for leaf in choices.some(&leaves) {
        let field = &mut graph.objects[target].fields[leaf];
        field.external.insert(owner);
        field.provided = true;
        provided.push(field.name.clone());
    }
    graph.objects[object].fields[field].provides = Some(provided.join(" "));
}
