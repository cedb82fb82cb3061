//! `@key`: what an entity may be identified by.

use super::selection::{each_field, first_alias, first_directive};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Key, Kind, Subgraph, TypeDef, Version, is_built_in_scalar};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for def in subgraph.types.values() {
        for key in &def.keys {
            selection(subgraph, def, key, report);
        }
        if def.kind == Kind::Interface && !def.keys.is_empty() && subgraph.version < Version(2, 3) {
            let message =
                "@key on an interface needs federation v2.3; put it on the implementations";
            report.error(
                Code::KeyUnsupportedOnInterface,
                &def.name,
                &[&subgraph.name],
                message.to_owned(),
            );
        }
    }
}

fn selection(subgraph: &Subgraph, def: &TypeDef, key: &Key, report: &mut Report) {
    let (at, by) = (def.name.as_str(), [subgraph.name.as_str()]);
    let written = format!("@key(fields: \"{}\")", key.fields.source);
    if let Some(directive) = first_directive(&key.fields.selection) {
        let message =
            format!("{written} selects with the directive \"{directive}\"; a key has none");
        report.error(Code::KeyDirectiveInFieldsArg, at, &by, message);
    }
    if let Some(aliased) = first_alias(&key.fields.selection) {
        let message = format!("{written} selects \"{aliased}\" under an alias; a key has none");
        report.error(Code::KeyInvalidFields, at, &by, message);
    }
    each_field(&key.fields.selection, &mut |parent, field| {
        let name = format!("{parent}.{}", field.name);
        if !field.definition.arguments.is_empty() {
            let message = format!(
                "{written} selects \"{name}\", which takes arguments; a key field takes none"
            );
            report.error(Code::KeyFieldsHasArgs, at, &by, message);
        }
        let ty = &field.definition.ty;
        let named = ty.inner_named_type();
        let kind = subgraph.types.get(named).map(|def| def.kind);
        let identifies = is_built_in_scalar(named)
            || matches!(kind, Some(Kind::Scalar | Kind::Enum | Kind::Object))
            || field.name == "__typename";
        if !identifies {
            let what = kind.map_or("type", Kind::describe);
            let message = format!(
                "{written} selects \"{name}\" of type \"{ty}\"; a key cannot select a {what}"
            );
            report.error(Code::KeyFieldsSelectInvalidType, at, &by, message);
        }
    });
}
