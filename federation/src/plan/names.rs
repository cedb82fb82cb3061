//! Which response keys are taken at each place of the response, so that what the planner adds (keys, required fields)
//! never meets what a client put under the same name.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, Type};
use apollo_compiler::collections::HashMap;

use crate::operation::{Around, DeferSet, Field, SelectionSet};
use crate::supergraph::{FieldSet, FieldSetField, SubgraphShapes, Supergraph};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamesId(usize);

#[derive(Debug)]
pub(super) struct Names<'a> {
    supergraph: &'a Supergraph,
    places: Vec<Place>,
}

#[derive(Debug, Default)]
struct Place {
    taken: HashMap<Name, Vec<Signature>>,
    children: HashMap<Name, NamesId>,
}

/// What must agree for two selections under one key to be one.
#[derive(Debug, PartialEq, Eq)]
struct Signature {
    name: Name,
    arguments: Vec<String>,
    /// Directives, also of fragments, may make a subgraph answer another value.
    directives: Vec<String>,
    ty: String,
    /// The types that subgraphs have for the field.
    shapes: SubgraphShapes,
}

impl Signature {
    fn new(name: &Name, arguments: &[Node<Argument>], ty: &Type, shapes: SubgraphShapes) -> Self {
        let mut arguments: Vec<_> = arguments
            .iter()
            .map(|argument| {
                let value = argument.value.serialize().no_indent();
                format!("{}: {value}", argument.name)
            })
            .collect();
        arguments.sort();
        Self { name: name.clone(), arguments, directives: Vec::new(), ty: ty.to_string(), shapes }
    }

    fn with(self, directives: &[Node<Directive>], around: &Around) -> Self {
        let written = |one: &Node<Directive>| one.serialize().no_indent().to_string();
        let of_fragment = |of: &Vec<Node<Directive>>| of.iter().map(written).collect::<String>();
        let of_fragments = around.iter().map(|of| format!("... {}", of_fragment(of)));
        Self { directives: directives.iter().map(written).chain(of_fragments).collect(), ..self }
    }

    /// Whether one key can stand for both.
    fn agrees_with(&self, other: &Self) -> bool {
        self.name == other.name
            && self.arguments == other.arguments
            && self.directives == other.directives
            && self.ty == other.ty
            && !self.shapes.conflict_with(&other.shapes)
    }
}

impl<'a> Names<'a> {
    pub(super) const ROOT: NamesId = NamesId(0);

    pub(super) fn new(supergraph: &'a Supergraph, operation: &SelectionSet) -> Self {
        let mut names = Self { supergraph, places: vec![Place::default()] };
        names.take(Self::ROOT, operation);
        names
    }

    fn take(&mut self, id: NamesId, set: &SelectionSet) {
        for field in &set.fields {
            let shapes = self.supergraph.shapes(&set.ty, &field.name);
            let signature = Signature::new(&field.name, &field.arguments, &field.ty, shapes)
                .with(&field.directives, &field.around);
            let taken = self.places[id.0].taken.entry(field.key.clone()).or_default();
            if !taken.contains(&signature) {
                taken.push(signature);
            }
            if let Some(selections) = &field.selections {
                let child = self.child(id, &field.key);
                self.take(child, selections);
            }
        }
        for fragment in &set.fragments {
            self.take(id, fragment);
        }
    }

    /// The place under the response key `key` of `id`.
    pub(super) fn child(&mut self, id: NamesId, key: &Name) -> NamesId {
        if let Some(&child) = self.places[id.0].children.get(key) {
            return child;
        }
        let child = NamesId(self.places.len());
        self.places.push(Place::default());
        self.places[id.0].children.insert(key.clone(), child);
        child
    }

    /// `set` as selections at `id`, under response keys that are free or stand for the same field.
    pub(super) fn select(&mut self, id: NamesId, set: &FieldSet) -> SelectionSet {
        let mut selected = SelectionSet::new(set.ty.clone());
        for field in &set.fields {
            let key = self.assign(id, &set.ty, field);
            let child = self.child(id, &key);
            selected.fields.push(
                Field {
                    order: 0,
                    defer: DeferSet::NONE,
                    defers: None,
                    stream: None,
                    name: field.name.clone(),
                    arguments: field.arguments.clone(),
                    directives: Vec::new(),
                    around: Vec::new(),
                    ty: field.ty.clone(),
                    selections: field
                        .selections
                        .as_ref()
                        .map(|selections| self.select(child, selections)),
                    key,
                    withheld: false,
                }
                .into(),
            );
        }
        for fragment in &set.fragments {
            let fragment = self.select(id, fragment);
            selected.fragments.push(fragment);
        }
        selected
    }

    fn assign(&mut self, id: NamesId, parent: &Name, field: &FieldSetField) -> Name {
        let shapes = self.supergraph.shapes(parent, &field.name);
        let signature = Signature::new(&field.name, &field.arguments, &field.ty, shapes);
        let taken = &mut self.places[id.0].taken;
        let mut key = field.name.clone();
        for attempt in 1_usize.. {
            match taken.get_mut(&key).map(Vec::as_mut_slice) {
                None => {
                    taken.insert(key.clone(), vec![signature]);
                    break;
                }
                Some([only]) if only.agrees_with(&signature) => {
                    only.shapes.extend(signature.shapes);
                    break;
                }
                Some(_) => key = alternative(&field.name, attempt),
            }
        }
        key
    }
}

/// Another response key for `name`; it is a name because `name` is one.
fn alternative(name: &Name, attempt: usize) -> Name {
    let key = match attempt {
        1 => format!("_{name}"),
        attempt => format!("_{name}_{attempt}"),
    };
    Name::new_unchecked(&key)
}
