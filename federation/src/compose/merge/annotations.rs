//! Descriptions and marks: how what subgraphs say about the same thing is put together.
//!
//! Repeatable directives are collected. Of others the arguments are combined where that has a meaning (the greater cost,
//! all that is needed for access); otherwise those that most subgraphs give are taken.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::Directive;

use super::{GraphId, Merger, access};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::{ListSize, Marks};

/// Merges the marks of the element `at`.
pub(super) fn merge_marks<'a>(
    merger: &mut Merger<'_>,
    at: &str,
    all: impl IntoIterator<Item = (GraphId, &'a Marks)>,
) -> Marks {
    let all: Vec<(GraphId, &Marks)> = all.into_iter().collect();
    let mut merged = Marks::default();
    for (_, marks) in &all {
        merged.inaccessible |= marks.inaccessible;
        for tag in &marks.tags {
            if !merged.tags.contains(tag) {
                merged.tags.push(tag.clone());
            }
        }
    }
    for (graph, marks) in &all {
        let subgraph = merger.name_of(*graph);
        merged.contexts.extend(marks.contexts.iter().map(|name| qualified_context(subgraph, name)));
    }
    let deprecated =
        all.iter().filter_map(|(graph, marks)| Some((*graph, marks.deprecated.as_ref()?)));
    merged.deprecated = most_frequent(merger, at, "deprecated", deprecated);
    merged.access =
        access::merge(merger, at, all.iter().map(|(graph, marks)| (*graph, &marks.access)));
    let costs: Vec<_> = given(&all, |marks| marks.cost.as_ref());
    hint_combined(merger, at, "cost", "the greatest weight is taken", &costs);
    merged.cost = costs.iter().map(|(_, cost)| **cost).max();
    let sizes: Vec<_> = given(&all, |marks| marks.list_size.as_ref());
    hint_combined(merger, at, "listSize", "the arguments are combined", &sizes);
    merged.list_size =
        sizes.into_iter().map(|(_, size)| size.clone()).reduce(|a, b| combine_sizes(a, &b));
    merged.custom = merge_custom(merger, at, &all);
    merged
}

/// The name of a subgraph's context in the supergraph.
pub(super) fn qualified_context(subgraph: &str, context: &str) -> String {
    format!("{subgraph}__{context}")
}

fn given<'a, T>(
    all: &[(GraphId, &'a Marks)],
    part: impl Fn(&'a Marks) -> Option<&'a T>,
) -> Vec<(GraphId, &'a T)> {
    all.iter().filter_map(|(graph, marks)| Some((*graph, part(marks)?))).collect()
}

/// Says that subgraphs differ about `@directive` and `how` they are brought together.
pub(super) fn hint_combined<T: PartialEq>(
    merger: &mut Merger<'_>,
    at: &str,
    directive: &str,
    how: &str,
    given: &[(GraphId, &T)],
) {
    if given.windows(2).any(|pair| pair[0].1 != pair[1].1) {
        let names: Vec<&str> = given.iter().map(|(graph, _)| merger.name_of(*graph)).collect();
        let message = format!("the arguments of @{directive} differ; {how}");
        merger.report.hint(Code::MergedNonRepeatableDirectiveArguments, at, &names, message);
    }
}

/// The greater assumed size, all slicing arguments and sized fields; one slicing argument is required if all want it.
fn combine_sizes(a: ListSize, b: &ListSize) -> ListSize {
    let union = |a: Option<Vec<String>>, b: &Option<Vec<String>>| match (a, b) {
        (Some(mut a), Some(b)) => {
            let new: Vec<String> = b.iter().filter(|name| !a.contains(name)).cloned().collect();
            a.extend(new);
            Some(a)
        }
        (a, b) => a.or_else(|| b.clone()),
    };
    let required = match (a.require_one_slicing_argument, b.require_one_slicing_argument) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(true) && b.unwrap_or(true)),
    };
    ListSize {
        assumed_size: a.assumed_size.max(b.assumed_size),
        slicing_arguments: union(a.slicing_arguments, &b.slicing_arguments),
        sized_fields: union(a.sized_fields, &b.sized_fields),
        require_one_slicing_argument: required,
    }
}

/// Applications of the subgraphs' own directives that are composed.
fn merge_custom(
    merger: &mut Merger<'_>,
    at: &str,
    all: &[(GraphId, &Marks)],
) -> Vec<Node<Directive>> {
    let applied: Vec<(GraphId, &Node<Directive>)> = all
        .iter()
        .flat_map(|(graph, marks)| marks.custom.iter().map(|directive| (*graph, directive)))
        .filter(|(graph, directive)| merger.custom.keeps(*graph, &directive.name))
        .collect();
    let mut names: Vec<&Name> = Vec::new();
    for (_, directive) in &applied {
        if !names.contains(&&directive.name) {
            names.push(&directive.name);
        }
    }
    let mut merged: Vec<Node<Directive>> = Vec::new();
    for name in names {
        let applications = applied.iter().filter(|(_, directive)| directive.name == *name).copied();
        if merger.custom.is_repeatable(name) {
            for (_, directive) in applications {
                if !merged.contains(directive) {
                    merged.push(directive.clone());
                }
            }
        } else {
            merged.extend(most_frequent(merger, at, name, applications));
        }
    }
    merged
}

/// The value that most subgraphs give to something that can have only one; among equally frequent ones the first.
pub(super) fn most_frequent<'a, T: Clone + PartialEq + 'a>(
    merger: &mut Merger<'_>,
    at: &str,
    directive: &str,
    given: impl IntoIterator<Item = (GraphId, &'a T)>,
) -> Option<T> {
    let counted = count(given, T::eq);
    let (chosen, graphs) = best(&counted)?;
    if counted.len() > 1 {
        let message = format!(
            "the arguments of @{directive} differ; those of \"{}\" are taken",
            merger.name_of(graphs[0])
        );
        let names = names(merger, &counted);
        merger.report.hint(Code::InconsistentNonRepeatableDirectiveArguments, at, &names, message);
    }
    Some((*chosen).clone())
}

/// The most frequent description; among equally frequent ones the first.
pub(super) fn merge_description<'a>(
    merger: &mut Merger<'_>,
    at: &str,
    all: impl IntoIterator<Item = (GraphId, &'a Option<Node<str>>)>,
) -> Option<Node<str>> {
    let given = all
        .into_iter()
        .filter_map(|(graph, text)| Some((graph, text.as_ref()?)))
        .filter(|(_, text)| !text.trim().is_empty());
    let counted = count(given, |a, b| a.trim() == b.trim());
    let (chosen, graphs) = best(&counted)?;
    if counted.len() > 1 {
        let message =
            format!("descriptions differ; that of \"{}\" is taken", merger.name_of(graphs[0]));
        let names = names(merger, &counted);
        merger.report.hint(Code::InconsistentDescription, at, &names, message);
    }
    Some((*chosen).clone())
}

/// Different values, each with the subgraphs that give it, in the order in which they come.
type Counted<'a, T> = [(&'a T, Vec<GraphId>)];

fn count<'a, T>(
    given: impl IntoIterator<Item = (GraphId, &'a T)>,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, Vec<GraphId>)> {
    let mut counted: Vec<(&T, Vec<GraphId>)> = Vec::new();
    for (graph, value) in given {
        match counted.iter_mut().find(|(known, _)| same(known, value)) {
            Some((_, graphs)) => graphs.push(graph),
            None => counted.push((value, vec![graph])),
        }
    }
    counted
}

fn best<'a, 'b, T>(counted: &'b Counted<'a, T>) -> Option<&'b (&'a T, Vec<GraphId>)> {
    let most = counted.iter().map(|(_, graphs)| graphs.len()).max()?;
    counted.iter().find(|(_, graphs)| graphs.len() == most)
}

fn names<'m, T>(merger: &Merger<'m>, counted: &Counted<'_, T>) -> Vec<&'m str> {
    let graphs = counted.iter().flat_map(|(_, graphs)| graphs);
    graphs.map(|graph| merger.name_of(*graph)).collect()
}
