//! Input fields and arguments: only what all subgraphs know can be taken from a client.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Type, Value};
use apollo_compiler::collections::IndexMap;

use super::annotations::{merge_description, merge_marks};
use super::variance::all_equal;
use super::{GraphId, MergedInput, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, InputValue, TypeDef};

/// Codes by which arguments and input fields report the same rules.
struct Codes {
    type_mismatch: Code,
    default_mismatch: Code,
    required_missing: Code,
    optional_missing: Code,
    /// Whether what is left out must agree all the same where it is.
    always_agree: bool,
}

const ARGUMENT: Codes = Codes {
    type_mismatch: Code::FieldArgumentTypeMismatch,
    default_mismatch: Code::FieldArgumentDefaultMismatch,
    required_missing: Code::RequiredArgumentMissingInSomeSubgraph,
    optional_missing: Code::InconsistentArgumentPresence,
    always_agree: false,
};

const INPUT_FIELD: Codes = Codes {
    type_mismatch: Code::FieldTypeMismatch,
    default_mismatch: Code::InputFieldDefaultMismatch,
    required_missing: Code::RequiredInputFieldMissingInSomeSubgraph,
    optional_missing: Code::InconsistentInputObjectField,
    always_agree: true,
};

/// Arguments of one field, `at` being its coordinate.
pub(super) fn merge_arguments(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &Sources<'_, Field>,
) -> IndexMap<Name, MergedInput> {
    let sets: Vec<_> = sources.iter().map(|(graph, field)| (*graph, &field.arguments)).collect();
    merge(merger, &sets, &ARGUMENT, |name| format!("{at}({name}:)"))
}

/// Fields of one input object.
pub(super) fn merge_input_fields(
    merger: &mut Merger<'_>,
    sources: &Sources<'_, TypeDef>,
) -> IndexMap<Name, MergedInput> {
    let Some((_, first)) = sources.first() else {
        return IndexMap::default();
    };
    let sets: Vec<_> = sources.iter().map(|(graph, def)| (*graph, &def.input_fields)).collect();
    let merged = merge(merger, &sets, &INPUT_FIELD, |name| format!("{}.{name}", first.name));
    let common = first
        .input_fields
        .keys()
        .any(|name| sets.iter().all(|(_, fields)| fields.contains_key(name)));
    if !common {
        let message = "no field is known to all subgraphs that define the input object".to_owned();
        let names = merger.names_of(sources);
        merger.report.error(Code::EmptyMergedInputType, &first.name, &names, message);
    }
    merged
}

fn merge(
    merger: &mut Merger<'_>,
    sets: &[(GraphId, &IndexMap<Name, InputValue>)],
    codes: &Codes,
    coordinate: impl Fn(&Name) -> String,
) -> IndexMap<Name, MergedInput> {
    let mut names: Vec<&Name> = Vec::new();
    for name in sets.iter().flat_map(|(_, values)| values.keys()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut merged = IndexMap::default();
    for name in names {
        let at = coordinate(name);
        let sources: Vec<(GraphId, &InputValue)> =
            sets.iter().filter_map(|(graph, values)| Some((*graph, values.get(name)?))).collect();
        let everywhere = sources.len() == sets.len();
        if !everywhere {
            report_missing(merger, &at, sets, name, &sources, codes);
        }
        if everywhere || codes.always_agree {
            let value = merge_one(merger, &at, &sources, codes);
            merged.extend(value.filter(|_| everywhere).map(|value| (name.clone(), value)));
        }
    }
    merged
}

fn report_missing(
    merger: &mut Merger<'_>,
    at: &str,
    sets: &[(GraphId, &IndexMap<Name, InputValue>)],
    name: &Name,
    sources: &Sources<'_, InputValue>,
    codes: &Codes,
) {
    let missing: Vec<&str> = sets
        .iter()
        .filter(|(_, values)| !values.contains_key(name))
        .map(|(graph, _)| merger.name_of(*graph))
        .collect();
    let missing = missing.join("\", \"");
    let names = merger.names_of(sources);
    if let Some((graph, _)) = sources.iter().find(|(_, value)| value.is_required()) {
        let message = format!(
            "required in \"{}\", but \"{missing}\" does not have it; add it there, or make it optional",
            merger.name_of(*graph)
        );
        merger.report.error(codes.required_missing, at, &names, message);
    } else {
        let message = format!("left out, because \"{missing}\" does not have it");
        merger.report.hint(codes.optional_missing, at, &names, message);
    }
}

fn merge_one(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &Sources<'_, InputValue>,
    codes: &Codes,
) -> Option<MergedInput> {
    let (_, first) = sources.first()?;
    let types: Vec<(GraphId, &Type)> =
        sources.iter().map(|(graph, value)| (*graph, &value.ty)).collect();
    let names = merger.names_of(sources);
    let written = || -> String {
        let types: Vec<String> = sources
            .iter()
            .map(|(graph, value)| format!("\"{}\" in \"{}\"", value.ty, merger.name_of(*graph)))
            .collect();
        types.join(", ")
    };
    let Some(ty) = merger.subtypes.narrowest(&types) else {
        let message = format!("its types have nothing in common: {}", written());
        merger.report.error(codes.type_mismatch, at, &names, message);
        return None;
    };
    let agreed = all_equal(&types);
    if !agreed {
        let message = format!("its types differ, the narrowest is taken: {}", written());
        merger.report.hint(Code::InconsistentButCompatibleArgumentType, at, &names, message);
    }
    let default = merge_default(merger, at, sources, codes);
    Some(MergedInput {
        name: first.name.clone(),
        ty: ty.clone(),
        default,
        description: merge_description(
            merger,
            at,
            sources.iter().map(|(graph, value)| (*graph, &value.description)),
        ),
        marks: merge_marks(sources.iter().map(|(_, value)| &value.marks)),
        source_types: if agreed {
            Vec::new()
        } else {
            types.iter().map(|(graph, ty)| (*graph, (*ty).clone())).collect()
        },
    })
}

/// Defaults must not contradict each other. One that is not given everywhere is dropped, because a client that
/// relies on it would get another value from the subgraphs without it.
fn merge_default(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &Sources<'_, InputValue>,
    codes: &Codes,
) -> Option<Node<Value>> {
    let (graph, first) =
        sources.iter().find_map(|(graph, value)| Some((*graph, value.default.as_ref()?)))?;
    let names = merger.names_of(sources);
    let one_line = |value: &Node<Value>| value.serialize().no_indent().to_string();
    let other = sources.iter().find_map(|(graph, value)| {
        let default = value.default.as_ref().filter(|default| *default != first)?;
        Some((*graph, default))
    });
    if let Some((other_graph, other)) = other {
        let message = format!(
            "its defaults differ: {} in \"{}\", {} in \"{}\"",
            one_line(first),
            merger.name_of(graph),
            one_line(other),
            merger.name_of(other_graph)
        );
        merger.report.error(codes.default_mismatch, at, &names, message);
        return None;
    }
    if sources.iter().all(|(_, value)| value.default.is_some()) {
        return Some(first.clone());
    }
    let message =
        format!("its default {} is dropped, because not all subgraphs have it", one_line(first));
    merger.report.hint(Code::InconsistentDefaultValuePresence, at, &names, message);
    None
}
