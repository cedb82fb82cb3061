//! Names of the subgraphs in the enum `join__Graph`.

use std::collections::BTreeMap;

use super::Graph;
use crate::compose::subgraph::Subgraph;

/// Upper snake case; names that become the same are told apart by a number.
pub(super) fn name_graphs(subgraphs: &[Subgraph]) -> Vec<Graph> {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for subgraph in subgraphs {
        *uses.entry(enum_value(&subgraph.name)).or_default() += 1;
    }
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    subgraphs
        .iter()
        .map(|subgraph| {
            let base = enum_value(&subgraph.name);
            let enum_value = if uses.get(&base).is_some_and(|&uses| uses > 1) {
                let number = numbers.entry(base.clone()).or_default();
                *number += 1;
                format!("{base}_{number}")
            } else {
                base
            };
            Graph { name: subgraph.name.clone(), url: subgraph.url.clone(), enum_value }
        })
        .collect()
}

/// A name that ends in a number gets a final underscore, so that it is never that of a numbered one.
fn enum_value(name: &str) -> String {
    let mut value: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    if value.starts_with(|c: char| c.is_ascii_digit()) {
        value.insert(0, '_');
    }
    let numbered = value.rsplit_once('_').is_some_and(|(_, number)| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if numbered {
        value.push('_');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::enum_value;

    #[test]
    fn subgraph_names_become_enum_values() {
        assert_eq!(enum_value("decks"), "DECKS");
        assert_eq!(enum_value("card-generation"), "CARD_GENERATION");
        assert_eq!(enum_value("2nd"), "_2ND");
        assert_eq!(enum_value("users_1"), "USERS_1_");
    }
}
