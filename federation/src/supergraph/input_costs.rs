//! What input values cost, worked out once for all input types: which fields of an input object cost anything at all, and how much.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::ExtendedType;

use super::Costs;

/// What each value of an argument, an input field or their lists costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InputWeight {
    /// Its own cost.
    pub(crate) each: f64,
    /// Its input object, whose fields add to it.
    object: Option<usize>,
}

impl InputWeight {
    /// Whether no value costs anything.
    pub(crate) fn is_nothing(self) -> bool {
        self.each == 0.0 && self.object.is_none()
    }
}

/// The costs of all input types.
#[derive(Debug, Default)]
pub(crate) struct InputCosts {
    /// Those of leaf types that are not 0.
    leaves: HashMap<Name, f64>,
    objects: HashMap<Name, (usize, f64)>,
    /// The fields of each input object that cost something.
    fields: Vec<Vec<InputFieldCost>>,
}

/// An input field that costs something.
#[derive(Debug)]
pub(crate) struct InputFieldCost {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) weight: InputWeight,
}

impl InputCosts {
    /// The costs of the input types of `schema`.
    pub(super) fn of(schema: &Schema, costs: &Costs) -> Self {
        let mut all = Self::default();
        for (name, ty) in &schema.types {
            let weight = costs.types.get(name).map(|weight| weight.max(0.0));
            match ty {
                ExtendedType::InputObject(_) => {
                    all.objects.insert(name.clone(), (all.objects.len(), weight.unwrap_or(1.0)));
                }
                ExtendedType::Scalar(_) | ExtendedType::Enum(_) => {
                    all.leaves.extend(weight.map(|weight| (name.clone(), weight)));
                }
                _ => {}
            }
        }
        let inputs = schema.types.values().filter_map(|ty| ty.as_input_object());
        all.fields = inputs
            .map(|input| {
                let own = costs.input_fields.get(&input.name);
                let fields = input.fields.iter().map(|(name, field)| {
                    let own = own.and_then(|own| own.get(name)).copied();
                    let weight = all.weight(own, field.ty.inner_named_type());
                    InputFieldCost { name: name.clone(), ty: (*field.ty).clone(), weight }
                });
                fields.filter(|field| !field.weight.is_nothing()).collect()
            })
            .collect();
        all
    }

    /// What each value of `ty` costs where it stands; `own` is the weight of the argument or input field.
    pub(crate) fn weight(&self, own: Option<f64>, ty: &Name) -> InputWeight {
        let (object, of_type) = match self.objects.get(ty) {
            Some(&(object, weight)) => (Some(object), weight),
            None => (None, self.leaves.get(ty).copied().unwrap_or_default()),
        };
        InputWeight { each: own.map_or(of_type, |own| own.max(0.0)), object }
    }

    /// The fields of a value's input object that cost something; none for a leaf.
    pub(crate) fn fields(&self, weight: InputWeight) -> &[InputFieldCost] {
        weight.object.and_then(|object| self.fields.get(object)).map_or(&[], Vec::as_slice)
    }

    /// One of them.
    pub(crate) fn field(&self, weight: InputWeight, name: &str) -> Option<(&Type, InputWeight)> {
        let field = self.fields(weight).iter().find(|field| field.name == name)?;
        Some((&field.ty, field.weight))
    }
}
