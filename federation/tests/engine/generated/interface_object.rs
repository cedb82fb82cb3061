//! Has a subgraph of its own add fields to an interface that it has as an object (`@interfaceObject`).

use std::collections::BTreeSet;

use super::choices::Choices;
use super::graph::{Field, Graph, InterfaceObject, Key, Named, ObjectKind, SubgraphNo};

pub(crate) fn add(choices: &mut Choices, graph: &mut Graph) {
    let homes = graph.subgraphs;
    for interface in 0..graph.interfaces.len() {
        let possible = &graph.interfaces[interface].possible;
        let all_entities =
            possible.iter().all(|object| graph.objects[*object].kind == ObjectKind::Entity);
        if all_entities && choices.one_in(2) {
            let home = choices.below(homes);
            for object in graph.interfaces[interface].possible.clone() {
                settle(choices, graph, object, home);
            }
            let by = graph.subgraphs;
            graph.subgraphs += 1;
            let fields = fields(choices, graph, interface, (home, by));
            let interface = &mut graph.interfaces[interface];
            interface.here.insert(home);
            interface.object = Some(InterfaceObject { home, by, fields });
        }
    }
}

/// Has `home` define an entity with the key `id`, and someone who has the entity already know that key too.
fn settle(choices: &mut Choices, graph: &mut Graph, object: usize, home: SubgraphNo) {
    let object = &mut graph.objects[object];
    let key = object.keys.iter().position(|key| key.set == "id").unwrap_or_else(|| {
        object.keys.push(Key { set: "id".to_owned(), fields: vec![0] });
        object.keys.len() - 1
    });
    let members: Vec<SubgraphNo> = object.here.keys().copied().collect();
    let knows = match members.contains(&home) {
        true => home,
        false => *choices.pick(&members),
    };
    for member in BTreeSet::from([home, knows]) {
        object.fields[0].owners.insert(member);
        let declared = object.here.entry(member).or_default();
        if !declared.iter().any(|(known, _)| *known == key) {
            declared.push((key, true));
        }
    }
}

fn fields(
    choices: &mut Choices,
    graph: &mut Graph,
    interface: usize,
    (home, by): (SubgraphNo, SubgraphNo),
) -> Vec<Field> {
    let mut fields = Vec::new();
    for number in 0..=choices.below(2) {
        let named = match choices.below(4) {
            3 => Named::Interface(interface),
            2 => Named::Scalar("Int"),
            _ => Named::Scalar("String"),
        };
        let mut field = Field::new(format!("io{by}{number}"), named, choices.below(3));
        field.owners.insert(by);
        if named == Named::Scalar("String") && !field.is_list() && choices.one_in(2) {
            require(choices, graph, interface, (home, by), &mut field, &mut fields);
        }
        fields.push(field);
    }
    let query = graph.objects.len() - 2;
    for number in 0..choices.below(3) {
        let wrapper = choices.below(4);
        let mut root = Field::new(format!("by{by}{number}"), Named::Interface(interface), wrapper);
        root.owners.insert(by);
        graph.objects[query].fields.push(root);
    }
    fields
}

/// Has the field require a field that the interface has in the subgraph of all its types.
fn require(
    choices: &mut Choices,
    graph: &Graph,
    interface: usize,
    (home, by): (SubgraphNo, SubgraphNo),
    field: &mut Field,
    fields: &mut Vec<Field>,
) {
    let shared: Vec<&Field> = graph
        .interface_fields(interface, home)
        .into_iter()
        .filter(|own| own.name != "id")
        .filter(|own| matches!(own.named, Named::Scalar(_)) && own.arguments.is_empty())
        .collect();
    if shared.is_empty() {
        return;
    }
    let chosen = *choices.pick(&shared);
    field.requires = Some(chosen.name.clone());
    if !fields.iter().any(|known| known.name == chosen.name) {
        let mut external = Field::new(chosen.name.clone(), chosen.named, chosen.wrapper);
        external.external.insert(by);
        fields.push(external);
    }
}
