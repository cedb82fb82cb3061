//! Reads field sets: what a `@key`, `@requires` or `@provides` names. Named fragments are refused.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::executable;
use apollo_compiler::validation::Valid;

use super::SupergraphError;
use super::model::{FieldSet, FieldSetField};
use super::read::malformed;

/// Reads `set`, which selects on `type_name`.
pub(super) fn parse(
    schema: &Valid<Schema>,
    type_name: &Name,
    set: &str,
) -> Result<FieldSet, SupergraphError> {
    let parsed = executable::FieldSet::parse(schema, type_name.clone(), set, "field set").map_err(
        |invalid| {
            malformed(type_name, format!("the field set {set:?} is not valid: {}", invalid.errors))
        },
    )?;
    convert(&parsed.selection_set, type_name)
}

fn convert(set: &executable::SelectionSet, coordinate: &Name) -> Result<FieldSet, SupergraphError> {
    let mut converted = FieldSet { ty: set.ty.clone(), fields: Vec::new(), fragments: Vec::new() };
    for selection in &set.selections {
        match selection {
            executable::Selection::Field(field) if field.name == "__typename" => {}
            executable::Selection::Field(field) => {
                let composite = !field.selection_set.is_empty();
                let selections =
                    composite.then(|| convert(&field.selection_set, coordinate)).transpose()?;
                converted.add(FieldSetField {
                    name: field.name.clone(),
                    arguments: field.arguments.clone(),
                    ty: field.ty().clone(),
                    selections,
                });
            }
            executable::Selection::InlineFragment(fragment) => {
                let inner = convert(&fragment.selection_set, coordinate)?;
                if inner.ty == converted.ty {
                    converted.merge(inner);
                } else {
                    converted.fragments.push(inner);
                }
            }
            executable::Selection::FragmentSpread(_) => {
                return Err(malformed(coordinate, "a field set spreads a named fragment"));
            }
        }
    }
    Ok(converted)
}
