//! Writes the answer: the specification's section 6.4.3, CompleteValue, over the merged data, straight into JSON.
//!
//! A null that may not be is handed to the nearest field around it that may be null; what was written of that field is cut
//! off again. Fields are looked for first where the last object of the same shape had them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::plan::{FieldShape, ObjectFields, ObjectShape, Output, Shape, Source, Wrap};
use crate::value::{Object, Value};

use super::PathSegment;
use super::errors::Errors;
use super::leaf;
use super::response::{Response, ResponseError, ResponseErrorCode};
use super::walk;

/// Writes what `shape` takes of the data.
pub(super) fn project(
    shape: &Shape,
    data: &Value,
    introspected: &Object,
    errors: Errors,
) -> Response {
    let mut projection = Projection {
        out: Vec::with_capacity(shape.last_length.load(Ordering::Relaxed)),
        hints: vec![0; shape.ids],
        introspected,
        errors,
    };
    let empty = Object::default();
    let root = match data {
        Value::Object(object) => object,
        _ => &empty,
    };
    let result = match &shape.root {
        ObjectShape::One(fields) => projection.fields(fields, root, &Path::Root),
        ObjectShape::ByType { .. } => Err(Propagate),
    };
    if result.is_err() {
        projection.out.clear();
        projection.out.extend_from_slice(b"null");
    }
    let length = projection.out.len();
    shape.last_length.store(length + length / 16, Ordering::Relaxed);
    Response { data: projection.out, errors: projection.errors.into_list() }
}

struct Projection<'a> {
    out: Vec<u8>,
    /// For each field of the shape, where the last object had it.
    hints: Vec<usize>,
    introspected: &'a Object,
    errors: Errors,
}

/// A value is missing where null is not allowed.
struct Propagate;

/// The way to a value, held on the stack.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a Arc<str>),
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn to_segments(&self) -> Vec<PathSegment> {
        let mut segments = Vec::new();
        let mut path = self;
        loop {
            path = match path {
                Self::Root => break,
                Self::Key(parent, key) => {
                    segments.push(PathSegment::Key(Arc::clone(key)));
                    parent
                }
                Self::Index(parent, index) => {
                    segments.push(PathSegment::Index(*index));
                    parent
                }
            };
        }
        segments.reverse();
        segments
    }
}

/// The field that a value belongs to, for messages.
#[derive(Clone, Copy)]
struct Owner<'a> {
    type_name: &'a str,
    field: &'a FieldShape,
}

impl Projection<'_> {
    fn object(
        &mut self,
        shape: &ObjectShape,
        object: &Object,
        path: &Path<'_>,
        owner: Owner<'_>,
    ) -> Result<(), Propagate> {
        let fields = match shape {
            ObjectShape::One(fields) => fields,
            ObjectShape::ByType { types, untold } => {
                let name = walk::type_name(object);
                let told = types.iter().find(|(ty, _)| Some(ty.as_str()) == name);
                match told.map(|(_, fields)| fields).or(untold.as_ref().filter(|_| name.is_none()))
                {
                    Some(fields) => fields,
                    None => {
                        let message = match name {
                            Some(_) => "an object of a type that is not known here",
                            None => "an object without the name of its type",
                        };
                        return Err(self.invalid(message, path, owner));
                    }
                }
            }
        };
        self.fields(fields, object, path)
    }

    fn fields(
        &mut self,
        shape: &ObjectFields,
        object: &Object,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        self.out.push(b'{');
        for (position, field) in shape.fields.iter().enumerate() {
            if position > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(field.written_key.as_bytes());
            let path = Path::Key(path, &field.key);
            let owner = Owner { type_name: &shape.type_name, field };
            let value = match field.source {
                Source::TypeName => {
                    leaf::write_string(&mut self.out, &shape.type_name);
                    continue;
                }
                Source::Introspection => self.introspected.get(&field.key),
                Source::Data => self.find(object, field),
            };
            let value = value.unwrap_or(&Value::Null);
            self.value(&field.wrap, value, &path, owner)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn find<'v>(&mut self, object: &'v Object, field: &FieldShape) -> Option<&'v Value> {
        let hint = &mut self.hints[field.id];
        let index = object.position(*hint, &field.key)?;
        *hint = index;
        object.pair(index).map(|(_, value)| value)
    }

    /// Writes a value, or null in its place where that is allowed.
    fn value(
        &mut self,
        wrap: &Wrap,
        value: &Value,
        path: &Path<'_>,
        owner: Owner<'_>,
    ) -> Result<(), Propagate> {
        let start = self.out.len();
        let result = self.complete(wrap, value, path, owner);
        if result.is_err() && wrap.nullable {
            self.out.truncate(start);
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        result
    }

    fn complete(
        &mut self,
        wrap: &Wrap,
        value: &Value,
        path: &Path<'_>,
        owner: Owner<'_>,
    ) -> Result<(), Propagate> {
        match (&wrap.item, value) {
            (_, Value::Null) if wrap.nullable => {
                self.out.extend_from_slice(b"null");
                Ok(())
            }
            (_, Value::Null) => Err(self.null(path, owner)),
            (Some(item), Value::List(values)) => {
                self.out.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.value(item, value, &Path::Index(path, index), owner)?;
                }
                self.out.push(b']');
                Ok(())
            }
            (Some(_), _) => Err(self.invalid("something that is not a list", path, owner)),
            (None, value) => match (&owner.field.output, value) {
                (Output::Leaf(kind), value) => leaf::write(&mut self.out, kind, value)
                    .map_err(|unfit| self.invalid(unfit.what(), path, owner)),
                (Output::Object(shape), Value::Object(object)) => {
                    self.object(shape, object, path, owner)
                }
                (Output::Object(_), _) => {
                    Err(self.invalid("something that is not an object", path, owner))
                }
            },
        }
    }

    fn null(&mut self, path: &Path<'_>, owner: Owner<'_>) -> Propagate {
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

    fn invalid(&mut self, what: &str, path: &Path<'_>, owner: Owner<'_>) -> Propagate {
        self.errors.add(ResponseError::new(
            ResponseErrorCode::InvalidResult,
            format!("field {}.{} was answered with {what}", owner.type_name, owner.field.name),
            path.to_segments(),
        ));
        Propagate
    }
}
