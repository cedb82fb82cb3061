//! Fields that share a response key with one that carries `@stream`: HasNoOverlappingStreams of the specification's incremental
//! delivery, which the validation of documents leaves out.
//!
//! Refused: two selections of one key that may both apply to an object, where either carries `@stream`, whatever its arguments.
//! Nobody could say which of them the parts belong to; a client that wants both gives one an alias.

use apollo_compiler::collections::{HashSet, IndexMap};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::{Name, Node, Schema};

use super::{RequestError, RequestErrorCode};

/// How many fields are looked at. Fragments inside fragments let a short document have very many.
const MOST: usize = 50_000;

/// The fields of `document` that break the rule.
pub(super) fn check(schema: &Schema, document: &ExecutableDocument) -> Vec<RequestError> {
    let mut check =
        Check { schema, document, seen: HashSet::default(), left: MOST, errors: Vec::new() };
    for operation in document.operations.iter() {
        check.sets(&[&operation.selection_set]);
    }
    if check.left == 0 {
        let message = format!("the selections around @stream expand to more than {MOST} fields");
        check.errors.push(RequestError::new(RequestErrorCode::OperationTooComplex, message));
    }
    check.errors
}

struct Check<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    /// The merged sets that were looked at, by where their fields stand in memory.
    seen: HashSet<Vec<usize>>,
    left: usize,
    errors: Vec<RequestError>,
}

/// A field with the type that it is selected on.
type Selected<'a> = (&'a Name, &'a Node<Field>);

impl<'a> Check<'a> {
    /// Checks what is selected on the same object.
    fn sets(&mut self, sets: &[&'a SelectionSet]) {
        let mut fields: IndexMap<&Name, Vec<Selected<'a>>> = IndexMap::default();
        let mut spread = HashSet::default();
        for set in sets {
            self.collect(set, &mut spread, &mut fields);
        }
        let address = |(_, field): &Selected<'_>| std::ptr::from_ref(&***field).addr();
        let mut identity: Vec<_> = fields.values().flatten().map(address).collect();
        identity.sort_unstable();
        if !self.seen.insert(identity) {
            return;
        }
        for selected in fields.values() {
            self.key(selected);
            let inner: Vec<_> = selected.iter().map(|(_, field)| &field.selection_set).collect();
            if inner.iter().any(|set| !set.is_empty()) {
                self.sets(&inner);
            }
        }
    }

    fn collect(
        &mut self,
        set: &'a SelectionSet,
        spread: &mut HashSet<&'a Name>,
        fields: &mut IndexMap<&'a Name, Vec<Selected<'a>>>,
    ) {
        for selection in &set.selections {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return;
            }
            match selection {
                Selection::Field(field) => {
                    fields.entry(field.response_key()).or_default().push((&set.ty, field));
                }
                Selection::InlineFragment(fragment) => {
                    self.collect(&fragment.selection_set, spread, fields);
                }
                Selection::FragmentSpread(fragment) => {
                    if spread.insert(&fragment.fragment_name)
                        && let Some(fragment) = self.document.fragments.get(&fragment.fragment_name)
                    {
                        self.collect(&fragment.selection_set, spread, fields);
                    }
                }
            }
        }
    }

    fn key(&mut self, selected: &[Selected<'a>]) {
        let streamed = |(_, field): &&Selected<'a>| field.directives.has("stream");
        for one in selected.iter().filter(streamed) {
            let meets = |other: &&Selected<'a>| {
                !std::ptr::eq(&**one.1, &**other.1) && self.meet(one.0, other.0)
            };
            if let Some((_, other)) = selected.iter().find(meets) {
                let (field, sources) = (one.1, &self.document.sources);
                let message = format!(
                    "@stream stands on {}, which is also selected elsewhere: give one of them an alias",
                    field.response_key(),
                );
                let error = RequestError::new(RequestErrorCode::ValidationFailed, message)
                    .at(field.location(), sources)
                    .at(other.location(), sources);
                self.errors.push(error);
                return;
            }
        }
    }

    /// Whether an object may be of both types. Two object types have none in common, of all others somebody may add some.
    fn meet(&self, one: &Name, other: &Name) -> bool {
        let is_object = |name| self.schema.get_object(name).is_some();
        one == other || !is_object(one) || !is_object(other)
    }
}
