//! Hints about what some of the subgraphs that have a type leave out: allowed, and perhaps not meant.
//!
//! What is taken from clients is not among it: input fields and arguments that not all know are left out of the supergraph, and the
//! modules that do so say so.

use apollo_compiler::Name;

use super::{Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Kind, ROOTS, TypeDef};

/// Looks at the definitions of one type.
pub(super) fn check(merger: &mut Merger<'_>, sources: &Sources<'_, TypeDef>) {
    let Some((_, first)) = sources.first() else { return };
    match first.merged_kind() {
        Kind::Object if ROOTS.contains(&first.name.as_str()) => {}
        Kind::Object | Kind::Interface if sources.iter().any(|(_, def)| !def.keys.is_empty()) => {
            if first.merged_kind() == Kind::Object {
                entity(merger, sources);
            }
        }
        Kind::Object => fields(merger, sources, Code::InconsistentObjectValueTypeField),
        Kind::Interface => fields(merger, sources, Code::InconsistentInterfaceValueTypeField),
        Kind::Union => {
            let members = |def: &TypeDef| def.members.clone();
            let message = "the union has not this member in";
            missing(merger, sources, Code::InconsistentUnionMember, members, message);
        }
        Kind::Enum => values(merger, sources),
        Kind::Scalar | Kind::InputObject => {}
    }
}

/// Whether all take the type for an entity.
fn entity(merger: &mut Merger<'_>, sources: &Sources<'_, TypeDef>) {
    let without: Vec<&str> = sources
        .iter()
        .filter(|(_, def)| def.keys.is_empty())
        .map(|(graph, _)| merger.name_of(*graph))
        .collect();
    if let (Some((_, first)), false) = (sources.first(), without.is_empty()) {
        let message = format!("the type is an entity, but has no @key in {}", listed(&without));
        let names = merger.names_of(sources);
        merger.report.hint(Code::InconsistentEntity, &first.name, &names, message);
    }
}

/// Whether all that define a type without keys define all its fields. One that has only external fields defines none.
fn fields(merger: &mut Merger<'_>, sources: &Sources<'_, TypeDef>, code: Code) {
    let defines = |def: &TypeDef| def.fields.values().any(|field| !field.is_external());
    let defining: Vec<_> = sources.iter().copied().filter(|(_, def)| defines(def)).collect();
    let fields = |def: &TypeDef| def.fields.keys().cloned().collect();
    missing(merger, &defining, code, fields, "the type has no key, and not this field in");
}

fn values(merger: &mut Merger<'_>, sources: &Sources<'_, TypeDef>) {
    let Some((_, first)) = sources.first() else { return };
    let usage = merger.enum_usage.get(&first.name).copied().unwrap_or_default();
    if usage.is_none() {
        let message = "no field and no argument is of the enum".to_owned();
        let names = merger.names_of(sources);
        merger.report.hint(Code::UnusedEnumType, &first.name, &names, message);
    }
    if !usage.is_input() {
        let values = |def: &TypeDef| def.values.keys().cloned().collect();
        let code = Code::InconsistentEnumValueForOutputEnum;
        missing(merger, sources, code, values, "the enum has not this value in");
    }
}

/// Says of each part that one has and another has not where it is missing.
fn missing(
    merger: &mut Merger<'_>,
    sources: &Sources<'_, TypeDef>,
    code: Code,
    parts: impl Fn(&TypeDef) -> Vec<Name>,
    what: &str,
) {
    let of_all: Vec<_> = sources.iter().map(|(graph, def)| (*graph, *def, parts(def))).collect();
    let mut seen: Vec<&Name> = Vec::new();
    for (_, def, parts) in &of_all {
        for part in parts {
            if seen.contains(&part) {
                continue;
            }
            seen.push(part);
            let without: Vec<&str> = of_all
                .iter()
                .filter(|(_, _, others)| !others.contains(part))
                .map(|(graph, ..)| merger.name_of(*graph))
                .collect();
            if !without.is_empty() {
                let (at, names) = (format!("{}.{part}", def.name), merger.names_of(sources));
                merger.report.hint(code, &at, &names, format!("{what} {}", listed(&without)));
            }
        }
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}
