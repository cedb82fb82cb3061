//! How a representation is written: a [`Template`] with its names as JSON and its response keys as slots.

use super::Template;
use super::layout::{Layout, PositionId, TypeId};
use super::template::TemplateField;

/// The fields of a representation, or of an object within one.
#[derive(Debug, PartialEq)]
pub(crate) struct Representation {
    pub(crate) fields: Vec<RepresentedField>,
    /// Further fields, for objects of these types.
    pub(crate) variants: Vec<(Vec<TypeId>, Representation)>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct RepresentedField {
    /// The field's name as JSON, with a comma before it and the colon after it.
    pub(crate) written_name: String,
    pub(crate) slot: usize,
    /// Whether null is a value here.
    pub(crate) nullable: bool,
    /// Present for composite fields, with the position of the objects.
    pub(crate) nested: Option<(PositionId, Representation)>,
}

impl Representation {
    /// How objects at `position` are represented.
    pub(super) fn new(layout: &mut Layout, position: PositionId, template: &Template) -> Self {
        let fields =
            template.fields.iter().map(|field| Self::field(layout, position, field)).collect();
        let variants = template
            .variants
            .iter()
            .map(|(types, template)| {
                let types = types.iter().map(|ty| layout.add_type(ty)).collect();
                (types, Self::new(layout, position, template))
            })
            .collect();
        Self { fields, variants }
    }

    fn field(layout: &mut Layout, position: PositionId, field: &TemplateField) -> RepresentedField {
        let (slot, nested) = match &field.nested {
            None => (layout.slot(position, &field.key), None),
            Some(template) => {
                let (slot, child) = layout.child(position, &field.key);
                (slot, Some((child, Self::new(layout, child, template))))
            }
        };
        RepresentedField {
            written_name: format!(",\"{}\":", field.name),
            slot,
            nullable: field.nullable,
            nested,
        }
    }
}
