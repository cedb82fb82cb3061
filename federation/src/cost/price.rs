//! What a field adds to the cost of an answer each time it is answered, for the projection to add up.

use std::sync::Arc;

use apollo_compiler::ast::Type;
use apollo_compiler::schema::{ExtendedType, FieldDefinition};

use crate::operation::Field;
use crate::supergraph::Supergraph;
use crate::value::Object;

use super::{ArgumentCost, INTROSPECTION};

/// The cost of one field of an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Price {
    /// For each time that it is answered, with what or with null: its arguments, and its weight unless it is a list.
    once: f64,
    /// For each item of a list.
    each: f64,
    /// Arguments in variables, in place of those in `once`.
    varying: Option<Arc<ArgumentCost>>,
}

impl Price {
    /// The price of a field of the object type `parent`.
    pub(crate) fn of(supergraph: &Supergraph, parent: &str, field: &Field) -> Self {
        if matches!(field.name.as_str(), "__schema" | "__type") {
            return Self { once: INTROSPECTION, ..Self::default() };
        }
        let Ok(definition) = supergraph.api().type_field(parent, &field.name) else {
            return Self::default();
        };
        let weight = weight(supergraph, parent, definition);
        let arguments = ArgumentCost::of(supergraph, parent, definition, field);
        let (own, each) = if is_list(&definition.ty) { (0.0, weight) } else { (weight, 0.0) };
        if arguments.is_fixed() {
            return Self { once: own + arguments.fixed, each, varying: None };
        }
        Self { once: own, each, varying: Some(Arc::new(arguments)) }
    }

    /// What is due each time it is answered.
    #[inline]
    pub(crate) fn once(&self, variables: &Object) -> f64 {
        match &self.varying {
            None => self.once,
            Some(arguments) => self.once + arguments.with(variables),
        }
    }

    /// What is due for so many items.
    #[inline]
    pub(crate) fn items(&self, count: u32) -> f64 {
        self.each * f64::from(count)
    }
}

/// The weight of each value of a field of the object type `parent`.
pub(super) fn weight(supergraph: &Supergraph, parent: &str, definition: &FieldDefinition) -> f64 {
    let costs = supergraph.costs();
    let own = costs.fields.get(parent).and_then(|fields| fields.get(&definition.name));
    if let Some(weight) = own.and_then(|cost| cost.weight) {
        return weight.max(0.0);
    }
    let ty = definition.ty.inner_named_type();
    let of_type =
        |name: &str, default: f64| costs.types.get(name).map_or(default, |weight| weight.max(0.0));
    match supergraph.api().types.get(ty) {
        Some(ExtendedType::Object(_)) => of_type(ty, 1.0),
        // Of what a field can be, the dearest.
        Some(ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
            let possible = supergraph.visible_types(ty);
            possible.iter().map(|name| of_type(name, 1.0)).reduce(f64::max).unwrap_or(1.0)
        }
        _ => of_type(ty, 0.0),
    }
}

pub(super) const fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::NonNullList(_))
}
