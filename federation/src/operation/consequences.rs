//! Drops errors of validation that only follow from others.

use std::collections::HashSet;

use apollo_compiler::ast::{Definition, Document, Selection};

use super::RequestError;

/// What is said of a field without a selection; also of one in whose selection no field is known, for those are left out before.
const NO_SELECTION: &str = "interface, union and object types must have a subselection set";

/// The errors without those that say of a field that it has no selection although it has one: what is in it has errors of its own.
pub(super) fn without(errors: Vec<RequestError>, document: &Document) -> Vec<RequestError> {
    if errors.len() < 2 || errors.iter().all(|error| error.message != NO_SELECTION) {
        return errors;
    }
    let mut selecting = HashSet::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                note(&operation.selection_set, document, &mut selecting);
            }
            Definition::FragmentDefinition(fragment) => {
                note(&fragment.selection_set, document, &mut selecting);
            }
            _ => {}
        }
    }
    let follows = |error: &RequestError| {
        error.message == NO_SELECTION
            && error.locations.first().is_some_and(|place| selecting.contains(place))
    };
    errors.into_iter().filter(|error| !follows(error)).collect()
}

/// Notes the places of fields that have selections.
fn note(selections: &[Selection], document: &Document, places: &mut HashSet<(usize, usize)>) {
    for selection in selections {
        let inner = match selection {
            Selection::Field(field) => {
                let place = field.line_column_range(&document.sources);
                if let Some(place) = place.filter(|_| !field.selection_set.is_empty()) {
                    places.insert((place.start.line, place.start.column));
                }
                &field.selection_set
            }
            Selection::InlineFragment(fragment) => &fragment.selection_set,
            Selection::FragmentSpread(_) => continue,
        };
        note(inner, document, places);
    }
}
