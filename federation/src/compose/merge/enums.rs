//! Enums: what is merged depends on whether values are given to clients, taken from them, or both.
//!
//! Given: all values of all subgraphs. Taken: those that all know. Both: the subgraphs must agree.

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, IndexMap};

use super::annotations::{merge_description, merge_marks};
use super::{MergedEnumValue, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{EnumValue, InputValue, Subgraph, TypeDef};

/// Where a type name occurs in any subgraph.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Usage {
    input: bool,
    output: bool,
}

impl Usage {
    pub(super) const fn is_input(self) -> bool {
        self.input
    }

    pub(super) const fn is_none(self) -> bool {
        !self.input && !self.output
    }
}

pub(super) type EnumUsage = HashMap<Name, Usage>;

/// Usage of all types.
pub(super) fn usage(subgraphs: &[Subgraph]) -> EnumUsage {
    let mut usage = EnumUsage::default();
    let take = |usage: &mut EnumUsage, value: &InputValue| {
        usage.entry(value.ty.inner_named_type().clone()).or_default().input = true;
    };
    let directives = subgraphs.iter().flat_map(|subgraph| subgraph.directive_definitions.values());
    for argument in directives.flat_map(|definition| &definition.arguments) {
        usage.entry(argument.ty.inner_named_type().clone()).or_default().input = true;
    }
    for def in subgraphs.iter().flat_map(|subgraph| subgraph.types.values()) {
        for field in def.fields.values() {
            usage.entry(field.ty.inner_named_type().clone()).or_default().output = true;
            field.arguments.values().for_each(|argument| take(&mut usage, argument));
        }
        def.input_fields.values().for_each(|field| take(&mut usage, field));
    }
    usage
}

/// Merges the values of one enum.
pub(super) fn merge(
    merger: &mut Merger<'_>,
    sources: &Sources<'_, TypeDef>,
) -> IndexMap<Name, MergedEnumValue> {
    let mut merged = IndexMap::default();
    let Some((_, first)) = sources.first() else {
        return merged;
    };
    let usage = merger.enum_usage.get(&first.name).copied().unwrap_or_default();
    let names = merger.names_of(sources);
    for value in first_occurrences(sources) {
        let of_value: Vec<(usize, &EnumValue)> = sources
            .iter()
            .filter_map(|(graph, def)| Some((*graph, def.values.get(&value)?)))
            .collect();
        let at = format!("{}.{value}", first.name);
        let marks =
            merge_marks(merger, &at, of_value.iter().map(|(graph, value)| (*graph, &value.marks)));
        if usage.input && of_value.len() < sources.len() {
            let missing: Vec<&str> = sources
                .iter()
                .filter(|(_, def)| !def.values.contains_key(&value))
                .map(|(graph, _)| merger.name_of(*graph))
                .collect();
            let missing = missing.join("\", \"");
            if !usage.output {
                let message =
                    format!("the value is left out, because \"{missing}\" would not understand it");
                merger.report.hint(Code::InconsistentEnumValueForInputEnum, &at, &names, message);
                continue;
            }
            if !marks.inaccessible {
                let message = format!(
                    "the enum is both given to clients and taken from them, so its subgraphs must agree on its values; \
                     \"{missing}\" does not have this one. Add it there, or mark it @inaccessible until all have it"
                );
                merger.report.error(Code::EnumValueMismatch, &at, &names, message);
            }
        }
        let description = merge_description(
            merger,
            &at,
            of_value.iter().map(|(graph, value)| (*graph, &value.description)),
        );
        let graphs = of_value.iter().map(|(graph, _)| *graph).collect();
        merged.insert(value.clone(), MergedEnumValue { name: value, description, marks, graphs });
    }
    if merged.is_empty() {
        let message = "no value is known to all subgraphs that define the enum".to_owned();
        merger.report.error(Code::EmptyMergedEnumType, &first.name, &names, message);
    }
    merged
}

fn first_occurrences(sources: &Sources<'_, TypeDef>) -> Vec<Name> {
    let mut names: Vec<Name> = Vec::new();
    for name in sources.iter().flat_map(|(_, def)| def.values.values()).map(|value| &value.name) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
