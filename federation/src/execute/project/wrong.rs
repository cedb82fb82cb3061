//! What is told of answers that cannot be shown as they are: too large, of another kind than the schema says, or null where nothing may be.

use super::{Owner, Path, Projection, Propagate};
use crate::execute::response::{ResponseError, ResponseErrorCode};

impl<'s> Projection<'_, 's> {
    /// Nothing is answered where more was written than may be: it is said once, with where that was.
    #[cold]
    pub(super) fn too_large(&mut self, path: &Path<'_>) -> Propagate {
        if !std::mem::replace(&mut self.is_too_large, true) {
            let most = self.most;
            let message = format!(
                "the answer has more than {most} bytes; it may have {most} at most: ask for less at a time"
            );
            let code = ResponseErrorCode::ResponseTooLarge;
            self.errors.add(ResponseError::new(code, message, path.to_segments()));
            self.cut = true;
        }
        Propagate
    }

    #[cold]
    pub(super) fn null(&mut self, path: &Path<'_>, owner: Owner<'s>) -> Propagate {
        let path = path.to_segments();
        if self.errors.is_empty() || !self.errors.explain(&path) {
            self.errors.add(ResponseError::new(
                ResponseErrorCode::NullInNonNullable,
                format!(
                    "Cannot return null for non-nullable field {}.{}.",
                    owner.type_name, owner.field.name
                ),
                path,
            ));
        }
        Propagate
    }

    #[cold]
    pub(super) fn not_a_list(&mut self, path: &Path<'_>, owner: Owner<'s>) -> Propagate {
        self.invalid("something that is not a list", path, owner)
    }

    #[cold]
    pub(super) fn not_an_object(&mut self, path: &Path<'_>, owner: Owner<'s>) -> Propagate {
        self.invalid("something that is not an object", path, owner)
    }

    #[cold]
    pub(super) fn invalid(&mut self, what: &str, path: &Path<'_>, owner: Owner<'s>) -> Propagate {
        self.errors.add(ResponseError::new(
            ResponseErrorCode::InvalidResult,
            format!("field {}.{} was answered with {what}", owner.type_name, owner.field.name),
            path.to_segments(),
        ));
        Propagate
    }
}
