//! Generates a graph: types, and a split over subgraphs that composes and leaves no field out of reach.
//!
//! Any two subgraphs that have an entity are joined by a chain of keys that both ends of each link declare, so each can be
//! reached from each. Entities that a subgraph merely mentions are stubs with a key, value types are whole everywhere.

use std::collections::{BTreeMap, BTreeSet};

use super::choices::Choices;
use super::graph::{
    AbstractType, Argument, EnumType, Field, Graph, Key, Named, ObjectKind, ObjectType, SubgraphNo,
    WRAPPERS,
};
use super::{interface_object, rules};

const SCALARS: [(&str, &str); 7] = [
    ("name", "String"),
    ("size", "Int"),
    ("label", "String"),
    ("note", "String"),
    ("open", "Boolean"),
    ("price", "Float"),
    ("_id", "String"),
];

/// What an entity may be told apart by: the field set, and its fields with their types.
const KEYS: [(&str, &[&str]); 6] = [
    ("id", &["id"]),
    ("sku", &["sku"]),
    ("code region", &["code", "region"]),
    ("tag { code }", &["tag"]),
    ("owner { id }", &["owner"]),
    ("id owner { id }", &["id", "owner"]),
];

/// The value type that keys nest.
const TAG: usize = 0;

pub(crate) fn graph(choices: &mut Choices) -> Graph {
    let mut maker = Maker { choices, graph: Graph::default(), fields: 0 };
    maker.graph.subgraphs = 2 + maker.choices.below(4);
    maker.types();
    maker.keys();
    maker.fields();
    maker.interface_fields();
    maker.roots();
    interface_object::add(maker.choices, &mut maker.graph);
    rules::add(maker.choices, &mut maker.graph);
    maker.close();
    maker.graph
}

struct Maker<'a> {
    choices: &'a mut Choices,
    graph: Graph,
    /// How many fields have a name of their own.
    fields: usize,
}

impl Maker<'_> {
    fn types(&mut self) {
        for index in 0..self.choices.below(3) {
            self.graph.enums.push(EnumType {
                name: format!("Enum{index}"),
                values: ["RED", "GREEN", "BLUE"][..=self.choices.below(3)].to_vec(),
                here: BTreeSet::new(),
            });
        }
        self.graph.has_input = self.choices.one_in(2);
        self.object("Tag".to_owned(), ObjectKind::Value);
        for index in 0..self.choices.below(3) {
            self.object(format!("Value{index}"), ObjectKind::Value);
        }
        for index in 0..=self.choices.below(4) {
            self.object(format!("Entity{index}"), ObjectKind::Entity);
        }
        let objects: Vec<usize> = (1..self.graph.objects.len()).collect();
        for index in 0..self.choices.below(3) {
            let possible = self.choices.some(&objects);
            let fields = Vec::new();
            let name = format!("Interface{index}");
            self.graph.interfaces.push(AbstractType {
                name,
                possible,
                fields,
                here: BTreeSet::new(),
                object: None,
            });
        }
        for index in 0..self.choices.below(2) {
            let possible = self.choices.some(&objects);
            self.graph.unions.push(AbstractType {
                name: format!("Union{index}"),
                possible,
                fields: Vec::new(),
                here: BTreeSet::new(),
                object: None,
            });
        }
    }

    fn object(&mut self, name: String, kind: ObjectKind) {
        let (keys, fields, here) = (Vec::new(), Vec::new(), BTreeMap::new());
        self.graph.objects.push(ObjectType { name, kind, keys, fields, here });
    }

    fn entities(&self) -> Vec<usize> {
        let objects = self.graph.objects.iter().enumerate();
        objects
            .filter(|(_, object)| object.kind == ObjectKind::Entity)
            .map(|(index, _)| index)
            .collect()
    }

    /// Chooses where each entity is, and what tells its objects apart there.
    fn keys(&mut self) {
        let subgraphs: Vec<SubgraphNo> = (0..self.graph.subgraphs).collect();
        let code = Field::new("code", Named::Scalar("String"), 1);
        self.graph.objects[TAG].fields.push(code);
        for entity in self.entities() {
            self.graph.objects[entity].fields.push(Field::new("id", Named::Scalar("ID"), 1));
        }
        for entity in self.entities() {
            let sets: Vec<usize> = (0..KEYS.len()).collect();
            let mut sets = self.choices.some(&sets);
            sets.truncate(3);
            for set in &sets {
                self.key(entity, *set);
            }
            let members = self.choices.some(&subgraphs);
            let mut declared = vec![BTreeSet::new(); members.len()];
            for (index, member) in members.iter().enumerate() {
                let key = self.choices.below(sets.len());
                declared[index].insert(key);
                if index > 0 {
                    let other = self.choices.below(index);
                    declared[other].insert(key);
                }
                self.graph.objects[entity].here.insert(*member, Vec::new());
            }
            for (index, member) in members.into_iter().enumerate() {
                for key in std::mem::take(&mut declared[index]) {
                    self.declare(entity, member, key, true);
                }
            }
        }
    }

    fn key(&mut self, entity: usize, set: usize) {
        let entities = self.entities();
        let (set, names) = KEYS[set];
        let mut fields = Vec::new();
        for name in names {
            let place = self.graph.objects[entity].fields.iter().position(|f| f.name == *name);
            fields.push(place.unwrap_or_else(|| {
                let named = match *name {
                    "tag" => Named::Object(TAG),
                    "owner" => Named::Object(*self.choices.pick(&entities)),
                    "id" => Named::Scalar("ID"),
                    _ => Named::Scalar("String"),
                };
                self.graph.objects[entity].fields.push(Field::new(*name, named, 1));
                self.graph.objects[entity].fields.len() - 1
            }));
        }
        self.graph.objects[entity].keys.push(Key { set: set.to_owned(), fields });
    }

    /// Has `subgraph` declare a key and resolve what is in it.
    fn declare(&mut self, entity: usize, subgraph: SubgraphNo, key: usize, resolvable: bool) {
        let object = &mut self.graph.objects[entity];
        object.here.entry(subgraph).or_default().push((key, resolvable));
        for field in object.keys[key].fields.clone() {
            let field = &mut self.graph.objects[entity].fields[field];
            field.owners.insert(subgraph);
            // What a key nests is resolved where the key is.
            if field.name == "owner"
                && let Named::Object(owner) = field.named
            {
                self.graph.objects[owner].fields[0].owners.insert(subgraph);
            }
        }
    }

    /// Gives every object type fields.
    fn fields(&mut self) {
        for index in 0..self.graph.objects.len() {
            for _ in 0..=self.choices.below(5) {
                let Some(mut field) = self.field(index) else { continue };
                if self.graph.objects[index].kind == ObjectKind::Entity {
                    self.own(index, &mut field);
                }
                self.graph.objects[index].fields.push(field);
            }
        }
    }

    /// Chooses who resolves a field of an entity.
    fn own(&mut self, entity: usize, field: &mut Field) {
        let members: Vec<SubgraphNo> = self.graph.objects[entity].here.keys().copied().collect();
        field.owners.insert(*self.choices.pick(&members));
        let is_abstract = matches!(field.named, Named::Interface(_) | Named::Union(_));
        if !is_abstract && self.choices.one_in(4) {
            field.owners.insert(*self.choices.pick(&members));
        }
    }

    fn field(&mut self, object: usize) -> Option<Field> {
        if self.choices.one_in(3) {
            let named = self.composite(object)?;
            self.fields += 1;
            // A value that must hold a value of its own kind would never end.
            let wrapper = match named {
                Named::Object(inner) if self.graph.objects[inner].kind == ObjectKind::Value => {
                    self.choices.below(3)
                }
                _ => self.choices.below(WRAPPERS.len()),
            };
            let mut field = Field::new(format!("to{}", self.fields), named, wrapper);
            if field.is_list() && self.choices.one_in(3) {
                field.arguments.push(Argument {
                    name: "first",
                    ty: "Int".to_owned(),
                    default: self.choices.one_in(2).then_some("1"),
                    example: "2",
                });
            }
            return Some(field);
        }
        if !self.graph.enums.is_empty() && self.choices.one_in(4) {
            let index = self.choices.below(self.graph.enums.len());
            let wrapper = self.choices.below(4);
            self.fields += 1;
            return Some(Field::new(format!("hue{}", self.fields), Named::Enum(index), wrapper));
        }
        let (name, ty) = *self.choices.pick(&SCALARS);
        let taken = self.graph.objects[object].fields.iter().any(|field| field.name == name);
        let wrapper = [0, 0, 0, 1, 1, 3][self.choices.below(6)];
        let mut field = Field::new(name, Named::Scalar(ty), wrapper);
        if field.named == Named::Scalar("String") && !field.is_list() && self.choices.one_in(3) {
            self.arguments(&mut field);
        }
        (!taken).then_some(field)
    }

    fn arguments(&mut self, field: &mut Field) {
        let argument = |name, ty: &str, default, example| Argument {
            name,
            ty: ty.to_owned(),
            default,
            example,
        };
        field.arguments.push(match self.choices.below(4) {
            0 => argument("lang", "String", None, "\"de\""),
            1 => argument("lang", "String!", None, "\"en\""),
            2 => argument("count", "Int", Some("3"), "5"),
            _ => argument("counts", "[Int!]", None, "[1, 2]"),
        });
        if self.graph.has_input && self.choices.one_in(2) {
            let ty = ["Input", "Input!", "[Input!]"][self.choices.below(3)];
            // With all that has a default: what requires it is compared as a subgraph would see it.
            let list = ty.starts_with('[');
            let example = if list { r#"[{a: 1, b: "b"}]"# } else { r#"{a: 1, b: "b"}"# };
            field.arguments.push(argument("input", ty, None, example));
        }
    }

    /// A type for a field of `object`.
    fn composite(&mut self, object: usize) -> Option<Named> {
        let is_value = self.graph.objects[object].kind == ObjectKind::Value;
        let mut types = Vec::new();
        for (index, other) in self.graph.objects.iter().enumerate() {
            // Values nest only values after them, so that each ends.
            if other.kind == ObjectKind::Entity || (!is_value || index > object) {
                types.push(Named::Object(index));
            }
        }
        if !is_value {
            types.extend((0..self.graph.interfaces.len()).map(Named::Interface));
            types.extend((0..self.graph.unions.len()).map(Named::Union));
        }
        (!types.is_empty()).then(|| *self.choices.pick(&types))
    }

    /// Gives interfaces fields that all their implementers get.
    fn interface_fields(&mut self) {
        for index in 0..self.graph.interfaces.len() {
            let mut shared = Vec::new();
            for _ in 0..self.choices.below(3) {
                // A value cannot nest itself by way of an interface, so only leaves and entities are shared.
                if let Some(field) = self.field(TAG)
                    && !matches!(field.named, Named::Object(inner) if self.graph.objects[inner].kind == ObjectKind::Value)
                {
                    self.fields += 1;
                    shared.push((format!("{}{}", field.name, self.fields), field));
                }
            }
            let mut fields = vec!["id".to_owned()];
            fields.extend(shared.iter().map(|(name, _)| name.clone()));
            self.graph.interfaces[index].fields = fields;
            for object in self.graph.interfaces[index].possible.clone() {
                for (name, field) in &shared {
                    let mut own = Field::new(name.clone(), field.named, field.wrapper);
                    own.arguments = field
                        .arguments
                        .iter()
                        .map(|argument| Argument { ty: argument.ty.clone(), ..*argument })
                        .collect();
                    if self.graph.objects[object].kind == ObjectKind::Entity {
                        self.own(object, &mut own);
                    }
                    self.graph.objects[object].fields.push(own);
                }
                let object = &mut self.graph.objects[object];
                match object.fields.iter_mut().find(|field| field.name == "id") {
                    Some(id) => id.owners.extend(object.here.keys()),
                    None => object.fields.push(Field::new("id", Named::Scalar("ID"), 1)),
                }
            }
        }
    }

    fn roots(&mut self) {
        let subgraphs: Vec<SubgraphNo> = (0..self.graph.subgraphs).collect();
        for name in ["Query", "Mutation"] {
            self.object(name.to_owned(), ObjectKind::Root);
            let root = self.graph.objects.len() - 1;
            let is_query = name == "Query";
            let count = if is_query { 2 + self.choices.below(3) } else { self.choices.below(3) };
            for _ in 0..count {
                let named = if self.choices.one_in(5) {
                    Named::Scalar("String")
                } else {
                    let entities = self.entities();
                    let mut types: Vec<Named> = entities.into_iter().map(Named::Object).collect();
                    types.extend((0..self.graph.interfaces.len()).map(Named::Interface));
                    types.extend((0..self.graph.unions.len()).map(Named::Union));
                    *self.choices.pick(&types)
                };
                self.fields += 1;
                let wrapper = self.choices.below(WRAPPERS.len());
                let mut field = Field::new(format!("root{}", self.fields), named, wrapper);
                if named == Named::Scalar("String") && !field.is_list() {
                    self.arguments(&mut field);
                }
                field.owners.insert(*self.choices.pick(&subgraphs));
                let is_abstract = matches!(named, Named::Interface(_) | Named::Union(_));
                if is_query && !is_abstract && self.choices.one_in(3) {
                    field.owners.insert(*self.choices.pick(&subgraphs));
                }
                self.graph.objects[root].fields.push(field);
            }
        }
    }

    /// Has every subgraph define what it mentions.
    fn close(&mut self) {
        for entity in self.entities() {
            // Where a key nests its id, a stub must not be the only one to have that.
            let nests =
                |field: &Field| field.name == "owner" && field.named == Named::Object(entity);
            if self.graph.objects.iter().flat_map(|object| &object.fields).any(nests) {
                let object = &mut self.graph.objects[entity];
                object.fields[0].owners.extend(object.here.keys());
            }
        }
        for subgraph in 0..self.graph.subgraphs {
            let has_interface = self.graph.interfaces.iter().any(|i| i.is_object_in(subgraph));
            if !has_interface
                && !self.graph.objects.iter().any(|object| {
                    object.here.contains_key(&subgraph)
                        || object.fields.iter().any(|field| field.owners.contains(&subgraph))
                })
            {
                let query = self.graph.objects.len() - 2;
                let mut ping = Field::new(format!("ping{subgraph}"), Named::Scalar("Int"), 0);
                ping.owners.insert(subgraph);
                self.graph.objects[query].fields.push(ping);
            }
        }
        loop {
            let mut mentions = Vec::new();
            for object in &self.graph.objects {
                for field in &object.fields {
                    let here = field.owners.iter().chain(&field.external).chain(&field.overridden);
                    mentions.extend(here.map(|subgraph| (*subgraph, field.named)));
                }
            }
            let changed = mentions.into_iter().filter(|mention| self.define(*mention)).count();
            if changed == 0 {
                return;
            }
        }
    }

    /// Has a subgraph define a type; false when it does already.
    fn define(&mut self, (subgraph, named): (SubgraphNo, Named)) -> bool {
        match named {
            Named::Scalar(_) => false,
            Named::Enum(index) => self.graph.enums[index].here.insert(subgraph),
            Named::Object(index) => self.define_object(subgraph, index),
            Named::Interface(index) if self.graph.interfaces[index].is_object_in(subgraph) => false,
            Named::Interface(index) => {
                self.graph.interfaces[index].here.insert(subgraph) | self.populate(subgraph, named)
            }
            Named::Union(index) => {
                self.graph.unions[index].here.insert(subgraph) | self.populate(subgraph, named)
            }
        }
    }

    fn populate(&mut self, subgraph: SubgraphNo, named: Named) -> bool {
        let possible = match named {
            Named::Interface(index) => self.graph.interfaces[index].possible.clone(),
            Named::Union(index) => self.graph.unions[index].possible.clone(),
            _ => return false,
        };
        if !self.graph.possible_in(subgraph, named).is_empty() {
            return false;
        }
        for object in self.choices.some(&possible) {
            self.define_object(subgraph, object);
        }
        true
    }

    fn define_object(&mut self, subgraph: SubgraphNo, index: usize) -> bool {
        let object = &self.graph.objects[index];
        let implements = self.graph.interfaces.iter().any(|i| i.possible.contains(&index));
        let is_new = !object.here.contains_key(&subgraph);
        match object.kind {
            ObjectKind::Root => return false,
            ObjectKind::Value => {
                let object = &mut self.graph.objects[index];
                object.here.insert(subgraph, Vec::new());
                for field in &mut object.fields {
                    field.owners.insert(subgraph);
                }
            }
            ObjectKind::Entity => {
                if is_new {
                    let declared =
                        object.here.values().flatten().filter(|(_, resolvable)| *resolvable);
                    let keys: BTreeSet<usize> = declared.map(|(key, _)| *key).collect();
                    let keys: Vec<usize> = keys.into_iter().collect();
                    let key = *self.choices.pick(&keys);
                    let resolvable = self.choices.one_in(2);
                    self.declare(index, subgraph, key, resolvable);
                }
                let id = &mut self.graph.objects[index].fields[0];
                if implements && id.owners.insert(subgraph) {
                    return true;
                }
            }
        }
        is_new
    }
}
