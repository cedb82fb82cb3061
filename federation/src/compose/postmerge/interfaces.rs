//! What implements an interface has all its fields, also those that the interface got from other subgraphs.

use super::Supergraph;
use crate::compose::diagnostic::{Code, Report};
use crate::compose::merge::MergedType;

pub(super) fn validate(supergraph: &Supergraph, report: &mut Report) {
    for def in supergraph.types.values() {
        for interface in def.interfaces().into_iter().filter_map(|name| supergraph.types.get(name))
        {
            for field in
                interface.fields.values().filter(|field| !def.fields.contains_key(&field.name))
            {
                let declaring: Vec<&str> = field
                    .sources
                    .iter()
                    .map(|source| supergraph.graphs[source.graph].name.as_str())
                    .collect();
                let message = format!(
                    "\"{}\" has the field \"{}\" in \"{}\", but \"{}\", which implements it in \"{}\", has it nowhere",
                    interface.name,
                    field.name,
                    declaring.join("\", \""),
                    def.name,
                    implementing(supergraph, def, interface).join("\", \"")
                );
                let at = format!("{}.{}", interface.name, field.name);
                report.error(Code::InterfaceFieldNoImplem, &at, &declaring, message);
            }
        }
    }
}

fn implementing<'a>(
    supergraph: &'a Supergraph,
    def: &MergedType,
    interface: &MergedType,
) -> Vec<&'a str> {
    def.implements
        .iter()
        .filter(|(_, name)| *name == interface.name)
        .map(|(graph, _)| supergraph.graphs[*graph].name.as_str())
        .collect()
}
