//! `@authenticated`, `@requiresScopes` and `@policy`: what any subgraph asks of a viewer, the supergraph asks.
//!
//! What is asked for an object or its field is asked for the interfaces it implements, too, and a field that reads others
//! (`@requires`, `@fromContext`) must itself ask for what they ask.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::executable::{Selection, SelectionSet};

use super::annotations::hint_combined;
use super::{GraphId, MergedType, Merger};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Access, AnyOf, Kind};

/// Everything that is asked of a viewer by any of `all`, about the element `at`.
pub(super) fn merge<'a>(
    merger: &mut Merger<'_>,
    at: &str,
    all: impl IntoIterator<Item = (GraphId, &'a Access)>,
) -> Access {
    let all: Vec<(GraphId, &Access)> = all.into_iter().collect();
    let scopes: Vec<(GraphId, &AnyOf)> =
        all.iter().filter_map(|(graph, access)| Some((*graph, access.scopes.as_ref()?))).collect();
    let policies: Vec<(GraphId, &AnyOf)> = all
        .iter()
        .filter_map(|(graph, access)| Some((*graph, access.policies.as_ref()?)))
        .collect();
    hint_combined(merger, at, "requiresScopes", "all that is asked for is needed", &scopes);
    hint_combined(merger, at, "policy", "all that is asked for is needed", &policies);
    all.iter().fold(Access::default(), |merged, (_, access)| both(merged, access))
}

/// What asks for all that `a` and `b` ask for.
pub(super) fn both(a: Access, b: &Access) -> Access {
    Access {
        authenticated: a.authenticated || b.authenticated,
        scopes: and(a.scopes, &b.scopes),
        policies: and(a.policies, &b.policies),
    }
}

/// Whether everyone who meets `a` meets `b`.
pub(super) fn implies(a: &Access, b: &Access) -> bool {
    let alternatives = |a: &Option<AnyOf>, b: &Option<AnyOf>| match b {
        None => true,
        Some(b) if b.is_empty() => true,
        Some(b) => a.as_ref().is_some_and(|a| {
            !a.is_empty()
                && a.iter().all(|a| b.iter().any(|b| b.iter().all(|name| a.contains(name))))
        }),
    };
    (a.authenticated || !b.authenticated)
        && alternatives(&a.scopes, &b.scopes)
        && alternatives(&a.policies, &b.policies)
}

/// An interface asks for what any of its implementations asks for, and its fields for what their implementations do.
pub(super) fn spread(types: &mut BTreeMap<Name, MergedType>) {
    let mut on_types: BTreeMap<Name, Access> = BTreeMap::new();
    let mut on_fields: BTreeMap<(Name, Name), Access> = BTreeMap::new();
    for def in types.values().filter(|def| def.kind == Kind::Object) {
        for interface in def.interfaces() {
            add(&mut on_types, interface.clone(), &def.marks.access);
            for field in def.fields.values() {
                add(&mut on_fields, (interface.clone(), field.name.clone()), &field.marks.access);
            }
        }
    }
    for (name, access) in on_types {
        if let Some(def) = types.get_mut(&name) {
            def.marks.access = both(std::mem::take(&mut def.marks.access), &access);
        }
    }
    for ((name, field), access) in on_fields {
        let field = types.get_mut(&name).and_then(|def| def.fields.get_mut(&field));
        if let Some(field) = field {
            field.marks.access = both(std::mem::take(&mut field.marks.access), &access);
        }
    }
}

fn add<K: Ord>(all: &mut BTreeMap<K, Access>, key: K, access: &Access) {
    if !access.is_open() {
        let known = all.remove(&key).unwrap_or_default();
        all.insert(key, both(known, access));
    }
}

/// A field that reads others on behalf of a viewer must ask for what they ask for, itself or by its type.
pub(super) fn check_reading(merger: &mut Merger<'_>, types: &BTreeMap<Name, MergedType>) {
    for (graph, subgraph) in merger.subgraphs.iter().enumerate() {
        for def in subgraph.types.values() {
            for field in def.fields.values() {
                let asked = asked_for(types, &def.name, &field.name);
                let required = field.requires.iter().map(|set| (set, "@requires"));
                let contextual = field
                    .arguments
                    .values()
                    .filter_map(|argument| argument.from_context.as_ref())
                    .flat_map(|from| from.on.iter().map(|set| (set, "@fromContext")));
                for (set, directive) in required.chain(contextual) {
                    if let Some(read) = first_unmet(types, &set.selection, &asked) {
                        let at = format!("{}.{}", def.name, field.name);
                        let message = format!(
                            "{directive} reads \"{read}\", which asks more of a viewer than this field does; \
                             ask for the same here"
                        );
                        let names = [merger.name_of(graph)];
                        let code = Code::MissingTransitiveAuthRequirements;
                        merger.report.error(code, &at, &names, message);
                    }
                }
            }
        }
    }
}

/// What the field asks for: by itself, by its parent and by its type.
fn asked_for(types: &BTreeMap<Name, MergedType>, parent: &Name, field: &Name) -> Access {
    let mut asked = Access::default();
    if let Some(def) = types.get(parent) {
        asked = both(asked, &def.marks.access);
        if let Some(field) = def.fields.get(field) {
            asked = both(asked, &field.marks.access);
            if let Some(returned) = types.get(field.ty.inner_named_type()) {
                asked = both(asked, &returned.marks.access);
            }
        }
    }
    asked
}

/// The first field that is read and asks for more than `asked`.
fn first_unmet(
    types: &BTreeMap<Name, MergedType>,
    selection: &SelectionSet,
    asked: &Access,
) -> Option<String> {
    selection.selections.iter().find_map(|item| match item {
        Selection::Field(field) => {
            let parent = types.get(&selection.ty)?;
            let definition = parent.fields.get(&field.name)?;
            let returned = types.get(definition.ty.inner_named_type());
            let met = implies(asked, &definition.marks.access)
                && returned.is_none_or(|def| implies(asked, &def.marks.access));
            if met {
                first_unmet(types, &field.selection_set, asked)
            } else {
                Some(format!("{}.{}", selection.ty, field.name))
            }
        }
        Selection::InlineFragment(fragment) => first_unmet(types, &fragment.selection_set, asked),
        Selection::FragmentSpread(_) => None,
    })
}

fn and(a: Option<AnyOf>, b: &Option<AnyOf>) -> Option<AnyOf> {
    match (a, b) {
        (Some(a), Some(b)) if a == *b || b.is_empty() => Some(a),
        (Some(a), Some(b)) if a.is_empty() => Some(b.clone()),
        (Some(a), Some(b)) => Some(conjunction(&a, b)),
        (a, b) => a.or_else(|| b.clone()),
    }
}

/// Every alternative of `a` with every one of `b`; those that ask for more than another does are left out. Names within
/// an alternative, and alternatives, are sorted, so that the order of subgraphs does not matter.
fn conjunction(a: &AnyOf, b: &AnyOf) -> AnyOf {
    let mut all: AnyOf = Vec::with_capacity(a.len() * b.len());
    for a in a {
        for b in b {
            let mut names: Vec<String> = a.iter().chain(b).cloned().collect();
            names.sort_unstable();
            names.dedup();
            all.push(names);
        }
    }
    all.sort_unstable();
    all.dedup();
    let includes = |a: &Vec<String>, b: &Vec<String>| b.iter().all(|name| a.contains(name));
    let more =
        |names: &Vec<String>| all.iter().any(|other| other != names && includes(names, other));
    all.iter().filter(|names| !more(names)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any_of(text: &str) -> AnyOf {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        text.split('|').map(words).collect()
    }

    fn scopes(text: &str) -> Access {
        Access { scopes: Some(any_of(text)), ..Access::default() }
    }

    #[test]
    fn both_lists_are_asked_for() {
        for (a, b, merged) in [
            ("x y | z", "y w", "w x y | w y z"),
            ("p1 | p2", "p2 p3", "p2 p3"),
            ("a", "a", "a"),
            ("a | b", "a", "a"),
            ("b a", "a", "a b"),
        ] {
            assert_eq!(and(Some(any_of(a)), &Some(any_of(b))), Some(any_of(merged)), "{a} and {b}");
        }
        assert_eq!(and(None, &Some(any_of("a"))), Some(any_of("a")));
        assert_eq!(and(Some(Vec::new()), &Some(any_of("a"))), Some(any_of("a")));
    }

    #[test]
    fn what_asks_for_more_implies_what_asks_for_less() {
        for (a, b, implied) in [
            ("a", "a | b", true),
            ("a c | b", "a | b", true),
            ("a | c", "a | b", false),
            ("a", "a b", false),
        ] {
            assert_eq!(implies(&scopes(a), &scopes(b)), implied, "{a} implies {b}");
        }
        let authenticated = Access { authenticated: true, ..Access::default() };
        assert!(implies(&authenticated, &Access::default()));
        assert!(!implies(&scopes("a"), &authenticated));
        assert!(!implies(&authenticated, &scopes("a")));
    }
}
