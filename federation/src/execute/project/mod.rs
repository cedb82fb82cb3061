//! Writes the answer: the specification's section 6.4.3, CompleteValue, over the fetched rows, straight into JSON.
//!
//! A null that may not be is handed to the nearest field around it that may be null; what was written of that field is cut
//! off again. Leaves are copied from the texts they were received in.

mod parts;
mod wrong;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::operation::DeferSet;
use crate::plan::{
    FieldShape, Layout, ObjectFields, ObjectShape, Output, PositionId, Shape, Source, TYPE_SLOT,
    TypeId, Wrap,
};
use crate::value::Value;

use super::arena::{Arena, Slot};
use super::errors::Errors;
use super::json::Scanner;
use super::leaf;
use super::response::Response;
use super::{PathSegment, Started};

use parts::Later;
pub(super) use parts::{Found, Part};

/// Writes what the answer's shape takes of the fetched rows.
pub(super) fn project(
    started: &Started,
    arena: &Arena<'_>,
    errors: Errors,
    most: usize,
) -> Response {
    let shape = &started.variant.shape;
    let mut projection = Projection::new(started, arena, errors, most);
    projection.out.reserve(shape.last_length.load(Ordering::Relaxed));
    projection.root();
    let cost = projection.cost();
    let mut errors = projection.errors.into_list();
    for error in &mut errors {
        to_client_keys(shape, &mut error.path);
    }
    Response { data: projection.out, errors, cost }
}

/// Puts the client's keys in place of those that only the data has.
pub(super) fn to_client_keys(shape: &Shape, path: &mut [PathSegment]) {
    if shape.renamed.is_empty() {
        return;
    }
    for segment in path {
        if let PathSegment::Key(key) = segment
            && let Some(client) = shape.renamed.get(&**key)
        {
            *key = client.as_str().into();
        }
    }
}

/// Whether objects of the type are there that clients must not see.
fn is_hidden(shape: &ObjectShape, ty: TypeId) -> bool {
    matches!(shape, ObjectShape::ByType { hidden, .. } if hidden.contains(&ty))
}

/// Writes rows as answers to a client.
pub(super) struct Projection<'a, 's> {
    pub(super) out: Vec<u8>,
    /// How many bytes may be written.
    most: usize,
    /// Whether more were; then nothing of it is answered.
    is_too_large: bool,
    started: &'s Started,
    arena: &'a Arena<'a>,
    pub(super) errors: Errors,
    /// What was written cost so far.
    cost: f64,
    /// Whether a null took the place of what was around it.
    cut: bool,
    /// The deferred fragments whose fields are written.
    part: DeferSet,
    /// Present where parts are delivered later.
    later: Option<Later<'s>>,
}

impl<'a, 's> Projection<'a, 's> {
    pub(super) fn new(
        started: &'s Started,
        arena: &'a Arena<'a>,
        errors: Errors,
        most: usize,
    ) -> Self {
        Self {
            out: Vec::new(),
            most,
            is_too_large: false,
            started,
            arena,
            errors,
            cost: 0.0,
            cut: false,
            part: DeferSet::NONE,
            later: None,
        }
    }

    /// What was written cost; none where that is not seen any more.
    pub(super) fn cost(&self) -> Option<f64> {
        (!self.cut).then_some(self.cost)
    }

    /// Writes the answer's data.
    pub(super) fn root(&mut self) {
        let shape = &self.started.variant.shape;
        self.cost += shape.base_cost;
        let result = match &shape.root {
            ObjectShape::One(fields) => self.fields(fields, Layout::ROOT, 0, &Path::Root),
            ObjectShape::ByType { .. } => Err(Propagate),
        };
        if result.is_err() {
            self.out.clear();
            self.out.extend_from_slice(b"null");
            self.cut = true;
            drop(self.found());
        }
        let length = self.out.len();
        shape.last_length.store(length + length / 16, Ordering::Relaxed);
    }
}

/// A value is missing where null is not allowed.
struct Propagate;

/// The way to a value, held on the stack.
enum Path<'a> {
    Root,
    /// The way to a part that is written by itself.
    Given(&'a [PathSegment]),
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
                Self::Given(given) => {
                    segments.extend(given.iter().rev().cloned());
                    break;
                }
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
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    type_name: &'a str,
    field: &'a FieldShape,
}

impl<'s> Projection<'_, 's> {
    fn object(
        &mut self,
        shape: &'s ObjectShape,
        position: PositionId,
        row: u32,
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        let ty = self.arena.get(position, row, TYPE_SLOT);
        let known = match (shape, ty) {
            (_, Slot::Null) => return Err(self.null(path, owner)),
            (_, Slot::Invalid) => return Err(self.not_an_object(path, owner)),
            (ObjectShape::One(fields), _) => Some(fields),
            (ObjectShape::ByType { types, .. }, Slot::Type(ty)) => {
                types.iter().find(|(id, _)| *id == ty).map(|(_, fields)| &**fields)
            }
            (ObjectShape::ByType { untold, .. }, Slot::Absent) => untold.as_deref(),
            (ObjectShape::ByType { .. }, _) => None,
        };
        let Some(fields) = known else {
            let what = match ty {
                Slot::Absent => "an object without the name of its type",
                _ => "an object of a type that is not known here",
            };
            return Err(self.invalid(what, path, owner));
        };
        self.fields(fields, position, row, path)
    }

    /// Writes an object, and notes which of its fields are for later.
    fn fields(
        &mut self,
        shape: &'s ObjectFields,
        position: PositionId,
        row: u32,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        self.leave_fields(shape, position, row, path);
        self.fields_of_part(shape, position, row, path)
    }

    fn fields_of_part(
        &mut self,
        shape: &'s ObjectFields,
        position: PositionId,
        row: u32,
        path: &Path<'_>,
    ) -> Result<(), Propagate> {
        let arena = self.arena;
        let slots = arena.row(position, row);
        self.out.push(b'{');
        let mut is_first = true;
        let part = self.part;
        for field in shape.fields.iter().filter(|field| field.defer == part) {
            let key = field.written_key.as_bytes();
            let is_first = std::mem::replace(&mut is_first, false);
            self.out.extend_from_slice(if is_first { &key[1..] } else { key });
            let path = Path::Key(path, &field.key);
            let owner = Owner { type_name: &shape.type_name, field };
            self.cost += field.price.once(&self.started.variables);
            match (field.source, &field.output) {
                (Source::TypeName, _) => {
                    self.out.push(b'"');
                    self.out.extend_from_slice(shape.type_name.as_bytes());
                    self.out.push(b'"');
                }
                // There is an error for it, which says more than that there is no value.
                (Source::Withheld, _) if field.wrap.nullable => {
                    self.out.extend_from_slice(b"null");
                }
                (Source::Withheld, _) => return Err(Propagate),
                (Source::Introspection, _) => {
                    let value = self.started.introspected.get(&field.key).unwrap_or(&Value::Null);
                    // Names and values always serialise.
                    let text = serde_json::to_vec(value).unwrap_or_default();
                    self.leaf(&field.wrap, &text, &path, owner)?;
                }
                (Source::Data(slot), Output::Leaf(_)) => {
                    let text = match slots[slot] {
                        value @ Slot::Text { .. } => arena.text(value),
                        _ => b"null",
                    };
                    self.leaf(&field.wrap, text, &path, owner)?;
                }
                (Source::Data(slot), Output::Object(child, shape)) => {
                    self.objects(&field.wrap, shape, *child, slots[slot], &path, owner)?;
                }
            }
            if self.out.len() > self.most {
                return Err(self.too_large(&path));
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes a leaf or lists of leaves, or null in their place where that is allowed.
    #[inline]
    fn leaf(
        &mut self,
        wrap: &'s Wrap,
        text: &[u8],
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        let start = self.out.len();
        let result = self.complete_leaf(wrap, text, path, owner);
        self.or_null(result, wrap, start)
    }

    #[inline]
    fn complete_leaf(
        &mut self,
        wrap: &'s Wrap,
        text: &[u8],
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        if text == b"null" {
            return self.nothing(wrap, path, owner);
        }
        let Some(item) = &wrap.item else {
            let Output::Leaf(kind) = &owner.field.output else {
                return Err(self.not_an_object(path, owner));
            };
            if leaf::is_hidden(kind, text) {
                return self.nothing(wrap, path, owner);
            }
            return leaf::write(&mut self.out, kind, text)
                .map_err(|unfit| self.invalid(unfit.what(), path, owner));
        };
        let mut scanner = Scanner::of_bytes(text);
        if scanner.peek() != b'[' {
            return Err(self.not_a_list(path, owner));
        }
        scanner.pass();
        self.out.push(b'[');
        if scanner.peek() != b']' {
            for index in 0.. {
                if item.item.is_none() {
                    self.count_items(owner, 1);
                }
                // The text was scanned before, so it has no errors.
                let range = scanner.value().unwrap_or_default();
                self.leaf(item, scanner.slice(range), &Path::Index(path, index), owner)?;
                if !scanner.goes_on(b']').unwrap_or(false) {
                    break;
                }
                self.out.push(b',');
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes an object or lists of objects, or null in their place where that is allowed.
    fn objects(
        &mut self,
        wrap: &'s Wrap,
        shape: &'s ObjectShape,
        position: PositionId,
        value: Slot,
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        let start = self.out.len();
        let found = self.found_so_far();
        let result = self.complete_objects(wrap, shape, position, value, path, owner);
        if result.is_err() {
            self.forget_found_since(found);
        }
        self.or_null(result, wrap, start)
    }

    fn complete_objects(
        &mut self,
        wrap: &'s Wrap,
        shape: &'s ObjectShape,
        position: PositionId,
        value: Slot,
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        let is_null = match value {
            Slot::Absent | Slot::Null => true,
            Slot::Row(row) => match self.arena.get(position, row, TYPE_SLOT) {
                Slot::Null => true,
                Slot::Type(ty) => is_hidden(shape, ty),
                _ => false,
            },
            _ => false,
        };
        if is_null {
            return self.nothing(wrap, path, owner);
        }
        match (&wrap.item, value) {
            (None, Slot::Row(row)) => self.object(shape, position, row, path, owner),
            (None, _) => Err(self.not_an_object(path, owner)),
            (Some(_), list @ (Slot::Rows { .. } | Slot::Items { .. }))
                if self.later.is_some() && std::ptr::eq(wrap, &raw const owner.field.wrap) =>
            {
                self.first_items(owner, list, path)
            }
            (Some(item), Slot::Rows { first, count }) => {
                let row = |index| Slot::Row(first + index);
                self.list(item, shape, position, count, &row, path, owner)
            }
            (Some(item), Slot::Items { first, count }) => {
                let arena = self.arena;
                let inner = |index| arena.item(first + index);
                self.list(item, shape, position, count, &inner, path, owner)
            }
            (Some(_), _) => Err(self.not_a_list(path, owner)),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what an item is completed with")]
    fn list(
        &mut self,
        wrap: &'s Wrap,
        shape: &'s ObjectShape,
        position: PositionId,
        count: u32,
        item: &dyn Fn(u32) -> Slot,
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        if wrap.item.is_none() {
            self.count_items(owner, count);
        }
        self.out.push(b'[');
        for index in 0..count {
            if index > 0 {
                self.out.push(b',');
            }
            let path = Path::Index(path, index as usize);
            self.objects(wrap, shape, position, item(index), &path, owner)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// Counts so many items of the list that the field of `owner` gives.
    #[inline]
    fn count_items(&mut self, owner: Owner<'s>, count: u32) {
        self.cost += owner.field.price.items(count);
    }

    /// Puts null in the place of what could not be written, where that is allowed.
    #[inline]
    fn or_null(
        &mut self,
        result: Result<(), Propagate>,
        wrap: &'s Wrap,
        start: usize,
    ) -> Result<(), Propagate> {
        if result.is_err() && wrap.nullable && !self.is_too_large {
            self.cut = true;
            self.out.truncate(start);
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        result
    }

    /// Writes null, if it is allowed.
    fn nothing(
        &mut self,
        wrap: &'s Wrap,
        path: &Path<'_>,
        owner: Owner<'s>,
    ) -> Result<(), Propagate> {
        if !wrap.nullable {
            return Err(self.null(path, owner));
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }
}
