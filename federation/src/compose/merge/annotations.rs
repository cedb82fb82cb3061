//! Descriptions, `@tag`, `@inaccessible` and `@deprecated`: how what subgraphs say about the same thing is put together.

use apollo_compiler::Node;

use super::{GraphId, Merger};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::Marks;

/// All tags once, inaccessible if any says so, the first reason for deprecation.
pub(super) fn merge_marks<'a>(all: impl IntoIterator<Item = &'a Marks>) -> Marks {
    let mut merged = Marks::default();
    for marks in all {
        merged.inaccessible |= marks.inaccessible;
        for tag in &marks.tags {
            if !merged.tags.contains(tag) {
                merged.tags.push(tag.clone());
            }
        }
        if merged.deprecated.is_none() {
            merged.deprecated.clone_from(&marks.deprecated);
        }
    }
    merged
}

/// The most frequent description; among equally frequent ones the first.
pub(super) fn merge_description<'a>(
    merger: &mut Merger<'_>,
    at: &str,
    all: impl IntoIterator<Item = (GraphId, &'a Option<Node<str>>)>,
) -> Option<Node<str>> {
    let mut counted: Vec<(&Node<str>, Vec<&str>)> = Vec::new();
    for (graph, description) in all {
        let Some(description) = description.as_ref().filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        let name = merger.name_of(graph);
        match counted.iter_mut().find(|(text, _)| text.trim() == description.trim()) {
            Some((_, names)) => names.push(name),
            None => counted.push((description, vec![name])),
        }
    }
    let most = counted.iter().map(|(_, names)| names.len()).max()?;
    let (chosen, names) = counted.iter().find(|(_, names)| names.len() == most)?;
    if counted.len() > 1 {
        let message = format!("descriptions differ; that of \"{}\" is taken", names[0]);
        let subgraphs: Vec<&str> =
            counted.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        merger.report.hint(Code::InconsistentDescription, at, &subgraphs, message);
    }
    Some((*chosen).clone())
}
