//! The errors of an execution, and which nulls they explain.

use std::collections::HashSet;

use ahash::RandomState;

use super::PathSegment;
use super::response::ResponseError;

/// Errors so far. A null that one of them explains is not reported again.
#[derive(Debug, Default)]
pub(super) struct Errors {
    list: Vec<ResponseError>,
    /// The paths of errors of fields, and all their beginnings: a null there came of the error or was propagated from it.
    of_fields: HashSet<Vec<PathSegment>, RandomState>,
    /// The paths that errors concern with everything below: a fetch failed, or nobody knows where.
    of_parts: HashSet<Vec<PathSegment>, RandomState>,
}

impl Errors {
    /// Adds an error of the field at its path.
    pub(super) fn add(&mut self, error: ResponseError) {
        for length in (0..=error.path.len()).rev() {
            if !self.of_fields.insert(error.path[..length].to_vec()) {
                break;
            }
        }
        self.list.push(error);
    }

    /// Adds an error that concerns its path and everything below.
    pub(super) fn add_for_part(&mut self, error: ResponseError) {
        self.mark_part(error.path.clone());
        self.add(error);
    }

    /// Notes that an error made a subgraph answer nothing for `path`, whatever the error's own path.
    pub(super) fn mark_part(&mut self, path: Vec<PathSegment>) {
        self.of_parts.insert(path);
    }

    /// Whether there is an error yet.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether an error is known that explains a null at `path`.
    pub(super) fn explain(&self, path: &[PathSegment]) -> bool {
        self.of_fields.contains(path)
            || (!self.of_parts.is_empty()
                && (0..path.len()).any(|length| self.of_parts.contains(&path[..length])))
    }

    /// Takes over all that `other` has, and leaves it empty.
    pub(super) fn append(&mut self, other: &mut Self) {
        let Self { list, of_fields, of_parts } = std::mem::take(other);
        self.list.extend(list);
        self.of_fields.extend(of_fields);
        self.of_parts.extend(of_parts);
    }

    /// Takes out the errors that concern `path`, what is below it or what is around it. Nulls remain explained by them.
    pub(super) fn take_at(&mut self, path: &[PathSegment]) -> Vec<ResponseError> {
        let concerns = |error: &mut ResponseError| {
            error.path.starts_with(path) || path.starts_with(&error.path)
        };
        self.list.extract_if(.., concerns).collect()
    }

    /// Takes out all errors. Nulls remain explained by them.
    pub(super) fn take(&mut self) -> Vec<ResponseError> {
        std::mem::take(&mut self.list)
    }

    pub(super) fn into_list(self) -> Vec<ResponseError> {
        self.list
    }
}
