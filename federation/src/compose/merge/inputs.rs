//! Input fields and arguments: only what all subgraphs know can be taken from a client.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, Type, Value};
use apollo_compiler::collections::IndexMap;

use super::annotations::{merge_description, merge_marks};
use super::variance::all_equal;
use super::{GraphId, MergedDirective, MergedInput, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{Field, InputValue, TypeDef, directive_arguments};

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

/// Arguments of one field, `at` being its coordinate. Those that any subgraph takes from a context are not among them.
pub(super) fn merge_arguments(
    merger: &mut Merger<'_>,
    at: &str,
    sources: &Sources<'_, Field>,
) -> IndexMap<Name, MergedInput> {
    let mut sets: Vec<(GraphId, IndexMap<Name, &InputValue>)> =
        sources.iter().map(|(graph, field)| (*graph, by_name(&field.arguments))).collect();
    let contextual: Vec<Name> = sets
        .iter()
        .flat_map(|(_, arguments)| arguments.values())
        .filter(|argument| argument.from_context.is_some())
        .map(|argument| argument.name.clone())
        .collect();
    for name in &contextual {
        check_contextual(merger, &format!("{at}({name}:)"), name, &sets);
        for (_, arguments) in &mut sets {
            arguments.shift_remove(name);
        }
    }
    merge(merger, &sets, &ARGUMENT, |name| format!("{at}({name}:)"))
}

/// What is taken from a context here cannot be given by clients, so that no subgraph may need it from them.
fn check_contextual(
    merger: &mut Merger<'_>,
    at: &str,
    name: &Name,
    sets: &[(GraphId, IndexMap<Name, &InputValue>)],
) {
    for (graph, arguments) in sets {
        let Some(other) = arguments.get(name).filter(|other| other.from_context.is_none()) else {
            continue;
        };
        let code = Code::ContextualArgumentNotContextualInAllSubgraphs;
        let names = [merger.name_of(*graph)];
        if other.is_required() {
            let message = "the argument is taken from a context in other subgraphs, but required here; make it optional"
                .to_owned();
            merger.report.error(code, at, &names, message);
        } else {
            let message = "left out, because other subgraphs take it from a context".to_owned();
            merger.report.hint(code, at, &names, message);
        }
    }
}

/// Arguments of the directive `name`, which every subgraph defines.
pub(super) fn merge_directive_arguments(
    merger: &mut Merger<'_>,
    name: &Name,
) -> IndexMap<Name, MergedInput> {
    let definitions = merger.subgraphs.iter().enumerate().filter_map(|(graph, subgraph)| {
        Some((graph, directive_arguments(subgraph.directive_definitions.get(name)?)))
    });
    let owned: Vec<(GraphId, IndexMap<Name, InputValue>)> = definitions.collect();
    let sets: Vec<_> = owned.iter().map(|(graph, values)| (*graph, by_name(values))).collect();
    merge(merger, &sets, &ARGUMENT, |argument| format!("@{name}({argument}:)"))
}

/// One subgraph's definition of a directive, as it is.
pub(super) fn definition(definition: &DirectiveDefinition) -> MergedDirective {
    let arguments = directive_arguments(definition).into_iter().map(|(name, value)| {
        let InputValue { ty, default, description, mut marks, .. } = value;
        marks.custom.clear();
        let source_types = Vec::new();
        (name.clone(), MergedInput { name, ty, default, description, marks, source_types })
    });
    MergedDirective {
        name: definition.name.clone(),
        description: definition.description.clone(),
        arguments: arguments.collect(),
        repeatable: definition.repeatable,
        locations: definition.locations.clone(),
        for_operations: false,
    }
}

fn by_name(values: &IndexMap<Name, InputValue>) -> IndexMap<Name, &InputValue> {
    values.iter().map(|(name, value)| (name.clone(), value)).collect()
}

/// Fields of one input object.
pub(super) fn merge_input_fields(
    merger: &mut Merger<'_>,
    sources: &Sources<'_, TypeDef>,
) -> IndexMap<Name, MergedInput> {
    let Some((_, first)) = sources.first() else {
        return IndexMap::default();
    };
    let sets: Vec<_> =
        sources.iter().map(|(graph, def)| (*graph, by_name(&def.input_fields))).collect();
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
    sets: &[(GraphId, IndexMap<Name, &InputValue>)],
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
            sets.iter().filter_map(|(graph, values)| Some((*graph, *values.get(name)?))).collect();
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
    sets: &[(GraphId, IndexMap<Name, &InputValue>)],
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
    let marks =
        merge_marks(merger, at, sources.iter().map(|(graph, value)| (*graph, &value.marks)));
    Some(MergedInput {
        name: first.name.clone(),
        ty: ty.clone(),
        default,
        description: merge_description(
            merger,
            at,
            sources.iter().map(|(graph, value)| (*graph, &value.description)),
        ),
        marks,
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
