//! Fields that are `@external` somewhere: the declaration must fit what the field is where it is resolved.

use super::{MergedField, Merger, Sources};
use crate::compose::diagnostic::Code;
use crate::compose::subgraph::Field;

/// Checks the declarations `external` of the field `at` against what was `merged` from the others.
pub(super) fn check(
    merger: &mut Merger<'_>,
    at: &str,
    external: &Sources<'_, Field>,
    merged: &MergedField,
) {
    for &(graph, field) in external {
        let name = merger.name_of(graph);
        if field.ty != merged.ty {
            let message = format!(
                "declared @external with type \"{}\", but the type is \"{}\" where it is resolved",
                field.ty, merged.ty
            );
            merger.report.error(Code::ExternalTypeMismatch, at, &[name], message);
        }
        for argument in merged.arguments.values() {
            let at = format!("{at}({}:)", argument.name);
            let Some(declared) = field.arguments.get(&argument.name) else {
                let message = "the argument is missing where the field is @external".to_owned();
                merger.report.error(Code::ExternalArgumentMissing, &at, &[name], message);
                continue;
            };
            if declared.ty != argument.ty {
                let message = format!(
                    "the argument has type \"{}\" where the field is @external, and \"{}\" where it is resolved",
                    declared.ty, argument.ty
                );
                merger.report.error(Code::ExternalArgumentTypeMismatch, &at, &[name], message);
            }
            if declared.default != argument.default {
                let message =
                    "the argument has another default where the field is @external".to_owned();
                merger.report.error(Code::ExternalArgumentDefaultMismatch, &at, &[name], message);
            }
        }
    }
}

/// No subgraph resolves the field.
pub(super) fn report_missing_base(
    merger: &mut Merger<'_>,
    at: &str,
    external: &Sources<'_, Field>,
) {
    let names = merger.names_of(external);
    let message =
        "the field is @external in every subgraph that has it; one must resolve it".to_owned();
    merger.report.error(Code::ExternalMissingOnBase, at, &names, message);
}
