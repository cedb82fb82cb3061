//! Marks as directives, under the names that they have in the supergraph.

use super::{Printer, quoted};
use crate::compose::subgraph::{AnyOf, ListSize, Marks};

impl Printer<'_> {
    /// The directives that say what `marks` hold.
    pub(super) fn mark_directives(&self, marks: &Marks) -> Vec<String> {
        let named = |directive: &str, arguments: &str| {
            format!("@{}{arguments}", self.supergraph.names.get(directive))
        };
        let mut written = Vec::new();
        let contexts = marks.contexts.iter();
        written.extend(contexts.map(|name| named("context", &format!("(name: {})", quoted(name)))));
        let tags = marks.tags.iter();
        written.extend(tags.map(|tag| named("tag", &format!("(name: {})", quoted(tag)))));
        written.extend(marks.inaccessible.then(|| named("inaccessible", "")));
        written.extend(marks.access.authenticated.then(|| named("authenticated", "")));
        let scopes = marks.access.scopes.as_ref();
        written.extend(
            scopes.map(|scopes| named("requiresScopes", &format!("(scopes: {})", any_of(scopes)))),
        );
        let policies = marks.access.policies.as_ref();
        written.extend(
            policies.map(|policies| named("policy", &format!("(policies: {})", any_of(policies)))),
        );
        written.extend(marks.cost.map(|cost| named("cost", &format!("(weight: {cost})"))));
        let sizes = marks.list_size.as_ref();
        written.extend(sizes.map(|size| named("listSize", &list_size(size))));
        let reason = marks.deprecated.as_ref();
        written.extend(reason.map(|reason| format!("@deprecated(reason: {})", quoted(reason))));
        let custom = marks.custom.iter();
        written.extend(custom.map(|directive| directive.serialize().no_indent().to_string()));
        written
    }
}

fn any_of(alternatives: &AnyOf) -> String {
    let lists: Vec<String> = alternatives.iter().map(|names| strings(names)).collect();
    format!("[{}]", lists.join(", "))
}

fn strings(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    format!("[{}]", names.join(", "))
}

fn list_size(size: &ListSize) -> String {
    let mut arguments = Vec::new();
    arguments.extend(size.assumed_size.map(|size| format!("assumedSize: {size}")));
    let slicing = size.slicing_arguments.as_ref();
    arguments.extend(slicing.map(|names| format!("slicingArguments: {}", strings(names))));
    let sized = size.sized_fields.as_ref();
    arguments.extend(sized.map(|names| format!("sizedFields: {}", strings(names))));
    let required = size.require_one_slicing_argument;
    arguments.extend(required.map(|is| format!("requireOneSlicingArgument: {is}")));
    if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) }
}
