//! Contexts on a path: which objects set them, and which fields can only be asked for below one that does.

use std::rc::Rc;

use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;

use super::places::Place;
use crate::compose::merge::{MergedField, MergedType, Supergraph};
use crate::compose::subgraph::Kind;

/// Names of contexts, sorted and each once.
pub(super) type Set<'a> = Rc<[&'a str]>;

/// What objects set.
pub(super) struct Contexts<'a> {
    /// By object type, the contexts of it, its interfaces and its unions.
    by_object: HashMap<&'a Name, Vec<&'a str>>,
}

impl<'a> Contexts<'a> {
    pub(super) fn of(supergraph: &'a Supergraph) -> Self {
        let mut by_object: HashMap<&Name, Vec<&str>> = HashMap::default();
        let types = || supergraph.types.values();
        for setter in types().filter(|def| !def.marks.contexts.is_empty()) {
            for object in types().filter(|def| def.kind == Kind::Object && is_one(def, setter)) {
                let contexts = setter.marks.contexts.iter().map(String::as_str);
                by_object.entry(&object.name).or_default().extend(contexts);
            }
        }
        Self { by_object }
    }

    /// What is set below an `object` that is below what `set` holds.
    pub(super) fn below(&self, set: &Set<'a>, object: &Name) -> Set<'a> {
        let Some(own) = self.by_object.get(object) else {
            return Rc::clone(set);
        };
        let mut all: Vec<&str> = set.iter().chain(own).copied().collect();
        all.sort_unstable();
        all.dedup();
        Rc::from(all)
    }
}

/// Whether every `object` is a `setter`.
fn is_one(object: &MergedType, setter: &MergedType) -> bool {
    object.name == setter.name
        || object.interfaces().contains(&&setter.name)
        || setter.member_names().contains(&&object.name)
}

/// Those of `places` where the contexts that `field` takes are in `set`.
pub(super) fn usable<'a>(
    field: &MergedField,
    places: &[Place<'a>],
    set: &[&str],
) -> Vec<Place<'a>> {
    let given = |place: &&Place<'_>| {
        let source = field.sources.iter().find(|source| source.graph == place.graph);
        source.is_none_or(|source| {
            source.contexts.iter().all(|argument| set.contains(&argument.context.as_str()))
        })
    };
    places.iter().filter(given).copied().collect()
}
