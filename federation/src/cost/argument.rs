//! What a field's arguments cost: their weights, and for input objects those of their fields, for each value that is given.
//!
//! What the operation itself says is added up once; what comes in variables, for each request.

use std::sync::Arc;

use apollo_compiler::ast::{Type, Value as Ast};
use apollo_compiler::schema::FieldDefinition;

use crate::operation::Field;
use crate::supergraph::{InputCosts, InputWeight, Supergraph};
use crate::value::{Name, Object, Value};

/// The cost of a field's arguments.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ArgumentCost {
    /// Of what the operation says itself.
    pub(crate) fixed: f64,
    varying: Vec<Varying>,
}

/// A value in a variable.
#[derive(Debug)]
struct Varying {
    variable: Name,
    weight: InputWeight,
    inputs: Arc<InputCosts>,
}

impl PartialEq for Varying {
    fn eq(&self, other: &Self) -> bool {
        self.variable == other.variable && self.weight == other.weight
    }
}

impl ArgumentCost {
    /// The cost of what `field`, which `definition` defines on the object type `parent`, is given.
    pub(super) fn of(
        supergraph: &Supergraph,
        parent: &str,
        definition: &FieldDefinition,
        field: &Field,
    ) -> Self {
        let costs = supergraph.costs();
        let weights = costs.fields.get(parent).and_then(|fields| fields.get(&field.name));
        let mut cost = Self::default();
        for argument in &field.arguments {
            let Some(declared) = definition.argument_by_name(&argument.name) else { continue };
            let own = weights.and_then(|weights| weights.arguments.get(&argument.name)).copied();
            let weight = supergraph.input_costs().weight(own, declared.ty.inner_named_type());
            cost.add(supergraph.input_costs(), &declared.ty, weight, &argument.value);
        }
        cost
    }

    fn add(&mut self, inputs: &Arc<InputCosts>, ty: &Type, weight: InputWeight, value: &Ast) {
        if weight.is_nothing() {
            return;
        }
        match value {
            Ast::Null => {}
            Ast::Variable(name) => {
                let (variable, inputs) = (name.as_str().into(), inputs.clone());
                self.varying.push(Varying { variable, weight, inputs });
            }
            Ast::List(items) => {
                items.iter().for_each(|item| self.add(inputs, ty.item_type(), weight, item));
            }
            Ast::Object(fields) => {
                self.fixed += weight.each;
                for (name, value) in fields {
                    if let Some((ty, weight)) = inputs.field(weight, name) {
                        self.add(inputs, ty, weight, value);
                    }
                }
            }
            _ => self.fixed += weight.each,
        }
    }

    /// The cost with a request's variables.
    pub(crate) fn with(&self, variables: &Object) -> f64 {
        let varying = self.varying.iter().filter_map(|varying| {
            let value = variables.get(&varying.variable)?;
            Some(of_value(&varying.inputs, varying.weight, value))
        });
        self.fixed + varying.sum::<f64>()
    }

    pub(super) const fn is_fixed(&self) -> bool {
        self.varying.is_empty()
    }
}

/// The cost of a value that fits its type.
fn of_value(inputs: &InputCosts, weight: InputWeight, value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::List(items) => items.iter().map(|item| of_value(inputs, weight, item)).sum(),
        Value::Object(object) => {
            let fields = inputs
                .fields(weight)
                .iter()
                .filter_map(|field| Some(of_value(inputs, field.weight, object.get(&field.name)?)));
            weight.each + fields.sum::<f64>()
        }
        _ => weight.each,
    }
}
