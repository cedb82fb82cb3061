//! Whether every list of objects says how long it is, where that is asked for: without, what operations cost is a guess.
//!
//! A list has its size from its own `@listSize`, or from that of the fields that lead to its type, when they name it (`sizedFields`).

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;

use super::Supergraph;
use crate::compose::ListSizes;
use crate::compose::diagnostic::{Code, Report};
use crate::compose::merge::MergedField;
use crate::compose::subgraph::Kind;

pub(super) fn validate(supergraph: &Supergraph, wanted: ListSizes, report: &mut Report) {
    if wanted == ListSizes::Optional {
        return;
    }
    let fields = || supergraph.types.values().flat_map(|def| def.fields.values());
    let sized: HashSet<(&Name, &str)> = fields().flat_map(sized).collect();
    for def in supergraph.types.values().filter(|def| !def.marks.inaccessible) {
        for field in def.fields.values().filter(|field| !field.marks.inaccessible) {
            let says =
                field.marks.list_size.as_ref().is_some_and(|size| size.sized_fields.is_none());
            if says
                || !is_list_of_objects(supergraph, &field.ty)
                || sized.contains(&(&def.name, field.name.as_str()))
            {
                continue;
            }
            let at = format!("{}.{}", def.name, field.name);
            let message = format!(
                "a list of \"{}\" of which nothing says how long it is; add @listSize",
                field.ty.inner_named_type()
            );
            match wanted {
                ListSizes::Required => report.error(Code::ListSizeMissing, &at, &[], message),
                _ => report.hint(Code::ListSizeMissing, &at, &[], message),
            }
        }
    }
}

/// The lists in the returned type that a field says the size of.
fn sized(field: &MergedField) -> impl Iterator<Item = (&Name, &str)> {
    let names =
        field.marks.list_size.iter().filter_map(|size| size.sized_fields.as_ref()).flatten();
    names.map(|name| (field.ty.inner_named_type(), name.as_str()))
}

fn is_list_of_objects(supergraph: &Supergraph, ty: &Type) -> bool {
    let def = supergraph.types.get(ty.inner_named_type());
    let is_composite =
        def.is_some_and(|def| matches!(def.kind, Kind::Object | Kind::Interface | Kind::Union));
    is_composite && matches!(ty, Type::List(_) | Type::NonNullList(_))
}
