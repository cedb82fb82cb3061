//! What of an object goes into its representation.

use apollo_compiler::Name;

use crate::operation::SelectionSet;
use crate::supergraph::Supergraph;

/// The fields of a representation, and where they stand in the response.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Template {
    pub(crate) fields: Vec<TemplateField>,
    /// Further fields, for objects of these types.
    pub(crate) variants: Vec<(Vec<Name>, Template)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TemplateField {
    /// The field's name, for the representation.
    pub(crate) name: Name,
    /// Its response key.
    pub(crate) key: Name,
    /// Whether null is a value here. A key's field is never null; a required one may be.
    pub(crate) nullable: bool,
    /// Present for composite fields.
    pub(crate) nested: Option<Template>,
}

impl Template {
    /// The template of what `set` selects.
    pub(super) fn new(supergraph: &Supergraph, set: &SelectionSet, nullable: bool) -> Self {
        Self {
            fields: set
                .fields
                .iter()
                .map(|field| TemplateField {
                    name: field.name.clone(),
                    key: field.key.clone(),
                    nullable,
                    nested: field
                        .selections
                        .as_ref()
                        .map(|set| Self::new(supergraph, set, nullable)),
                })
                .collect(),
            variants: set
                .fragments
                .iter()
                .map(|fragment| {
                    let types = supergraph.possible_types(&fragment.ty);
                    (types, Self::new(supergraph, fragment, nullable))
                })
                .collect(),
        }
    }

    /// Whether one representation can serve both: the same field with other arguments cannot stand in it twice.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        let fields_agree = other.fields.iter().all(|theirs| {
            self.fields.iter().find(|mine| mine.name == theirs.name).is_none_or(|mine| {
                mine.key == theirs.key
                    && match (&mine.nested, &theirs.nested) {
                        (Some(mine), Some(theirs)) => mine.agrees_with(theirs),
                        _ => true,
                    }
            })
        });
        let variants_agree = |one: &Self, two: &Self| {
            two.variants.iter().all(|(_, theirs)| one.fields_agree_with(theirs))
        };
        fields_agree && variants_agree(self, other) && variants_agree(other, self)
    }

    fn fields_agree_with(&self, other: &Self) -> bool {
        other.fields.iter().all(|theirs| {
            self.fields.iter().all(|mine| mine.name != theirs.name || mine.key == theirs.key)
        })
    }

    /// Adds the fields of `other`, which must agree.
    pub(super) fn merge(&mut self, other: Self) {
        for field in other.fields {
            match self.fields.iter_mut().find(|mine| mine.name == field.name) {
                Some(mine) => {
                    mine.nullable &= field.nullable;
                    if let (Some(mine), Some(nested)) = (&mut mine.nested, field.nested) {
                        mine.merge(nested);
                    }
                }
                None => self.fields.push(field),
            }
        }
        for (types, template) in other.variants {
            match self.variants.iter_mut().find(|(mine, _)| *mine == types) {
                Some((_, mine)) => mine.merge(template),
                None => self.variants.push((types, template)),
            }
        }
    }
}
