//! Rules that a subgraph must keep by itself, and that GraphQL does not know. One module per directive.

mod access;
mod cost;
mod defaults;
mod external;
mod interface;
mod key;
mod overrides;
mod provides;
mod requires;
mod selection;
mod shareable;

use super::diagnostic::{Coordinate, Report};
use super::subgraph::{Field, Kind, Subgraph, TypeDef};

/// Checks each subgraph on its own.
pub(super) fn validate_subgraphs(subgraphs: &[Subgraph], report: &mut Report) {
    for subgraph in subgraphs {
        defaults::validate(subgraph, report);
        key::validate(subgraph, report);
        interface::validate(subgraph, report);
        requires::validate(subgraph, report);
        provides::validate(subgraph, report);
        external::validate(subgraph, report);
        shareable::validate(subgraph, report);
        overrides::validate(subgraph, report);
        access::validate(subgraph, report);
        cost::validate(subgraph, report);
    }
}

/// Fields of objects and interfaces with their type and coordinate.
fn fields(subgraph: &Subgraph) -> impl Iterator<Item = (&TypeDef, &Field, Coordinate<'_>)> {
    subgraph.types.values().flat_map(|def| {
        let at = |field| Coordinate { parent: &def.name, field };
        def.fields.values().map(move |field| (def, field, at(&field.name)))
    })
}

fn is_interface(def: &TypeDef) -> bool {
    def.kind == Kind::Interface
}
