//! Has a subgraph of its own add fields to an interface that it has as an object (`@interfaceObject`), and perhaps answer that
//! object where another interface stands.

use std::collections::BTreeSet;

use super::choices::Choices;
use super::graph::{
    AbstractType, Field, Graph, InterfaceObject, Key, Named, ObjectKind, SubgraphNo,
};

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
            let made = &mut graph.interfaces[interface];
            made.here.insert(home);
            made.object = Some(InterfaceObject { home, by, fields, implements: None });
            if choices.one_in(2) {
                widen(choices, graph, interface, (home, by));
            }
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

/// Has the interface's subgraph answer the object where a wider interface stands, perhaps beside another entity.
fn widen(
    choices: &mut Choices,
    graph: &mut Graph,
    interface: usize,
    (home, by): (SubgraphNo, SubgraphNo),
) {
    let mut possible = graph.interfaces[interface].possible.clone();
    let is_other = |object: &usize| {
        graph.objects[*object].kind == ObjectKind::Entity && !possible.contains(object)
    };
    let others: Vec<usize> = (0..graph.objects.len()).filter(is_other).collect();
    if !others.is_empty() && choices.one_in(2) {
        let other = *choices.pick(&others);
        settle(choices, graph, other, by);
        possible.push(other);
    }
    let here = BTreeSet::from([home, by]);
    for object in &possible {
        let object = &mut graph.objects[*object];
        let known = here.iter().filter(|subgraph| object.here.contains_key(subgraph));
        object.fields[0].owners.extend(known);
    }
    let wide = graph.interfaces.len();
    let (name, fields) = (format!("Wide{by}"), vec!["id".to_owned()]);
    graph.interfaces.push(AbstractType { name, possible, fields, here, object: None });
    let field = |choices: &mut Choices, name: String| {
        let mut field = Field::new(name, Named::Interface(wide), choices.below(4));
        field.owners.insert(by);
        field
    };
    let query = graph.objects.len() - 2;
    for number in 0..=choices.below(2) {
        let root = field(choices, format!("wide{by}{number}"));
        graph.objects[query].fields.push(root);
    }
    let inner = choices.one_in(2).then(|| field(choices, format!("iow{by}")));
    if let Some(object) = &mut graph.interfaces[interface].object {
        object.implements = Some(wide);
        object.fields.extend(inner);
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
