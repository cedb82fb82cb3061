//! What the supergraph calls the federation directives in it: what the subgraphs call them, who must agree.

use std::collections::BTreeMap;

use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{COMPOSED, Subgraph};

/// Names of directives, without `@`, by the name that the specification gives them.
#[derive(Debug, Default)]
pub(crate) struct DirectiveNames(BTreeMap<&'static str, String>);

impl DirectiveNames {
    /// The names that `subgraphs` use.
    pub(super) fn of(subgraphs: &[Subgraph], report: &mut Report) -> Self {
        let mut names: BTreeMap<&'static str, String> = BTreeMap::new();
        for directive in COMPOSED {
            let mut used = subgraphs
                .iter()
                .filter_map(|subgraph| Some((subgraph, subgraph.directive_names.get(directive)?)));
            let Some((first, name)) = used.next() else {
                continue;
            };
            if let Some((other, other_name)) = used.find(|(_, other)| *other != name) {
                let message = format!(
                    "the directive is called \"@{name}\" in \"{}\" and \"@{other_name}\" in \"{}\"; \
                     import it under one name",
                    first.name, other.name
                );
                let at = format!("@{directive}");
                report.error(
                    Code::LinkImportNameMismatch,
                    &at,
                    &[&first.name, &other.name],
                    message,
                );
            }
            names.insert(directive, name.clone());
        }
        Self(names)
    }

    /// What `directive` is called.
    pub(crate) fn get<'a>(&'a self, directive: &'a str) -> &'a str {
        self.0.get(directive).map_or(directive, String::as_str)
    }
}
