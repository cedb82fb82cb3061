//! What a supergraph says about costs: `@cost` and `@listSize`.
//!
//! Data only; what an operation costs is computed elsewhere. Most supergraphs say nothing. Specification:
//! <https://specs.apollo.dev/cost/v0.1/>, and <https://ibm.github.io/graphql-specs/cost-spec.html> where weights are strings.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{
    Directive, DirectiveList, FieldDefinition, InputValueDefinition, Value,
};
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::ExtendedType;

use super::links::{self, Link};

/// The costs that a supergraph gives to its elements. What is absent has the cost that whoever counts assumes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Costs {
    /// Weights of object types, scalars and enums: what each value costs.
    pub types: HashMap<Name, f64>,
    /// Weights and sizes of fields, by object or interface.
    pub fields: HashMap<Name, HashMap<Name, FieldCost>>,
    /// Weights of input fields, by input object.
    pub input_fields: HashMap<Name, HashMap<Name, f64>>,
}

/// What a field costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldCost {
    /// `@cost` of the field.
    pub weight: Option<f64>,
    /// `@cost` of its arguments.
    pub arguments: HashMap<Name, f64>,
    /// How many values it gives, when it is a list or has lists in it.
    pub list_size: Option<ListSize>,
}

/// `@listSize`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSize {
    /// The size to assume where no slicing argument says one.
    pub assumed_size: Option<u32>,
    /// Arguments that say how many values there are at most.
    pub slicing_arguments: Vec<String>,
    /// The lists in the returned object that have the size, instead of the field itself.
    pub sized_fields: Vec<String>,
    /// Whether exactly one of the slicing arguments must be given.
    pub require_one_slicing_argument: bool,
}

/// Reads the costs of `schema`.
pub(super) fn read(schema: &Schema, links: &[Link]) -> Costs {
    let mut costs = Costs::default();
    let Some(reader) = Reader::of(links) else {
        return costs;
    };
    for (name, ty) in &schema.types {
        let weight = ty.directives().iter().find_map(|directive| reader.weight(directive));
        costs.types.extend(weight.map(|weight| (name.clone(), weight)));
        match ty {
            ExtendedType::Object(object) => {
                let fields = object.fields.values().map(|field| &***field);
                add(&mut costs.fields, name, reader.fields(fields));
            }
            ExtendedType::Interface(interface) => {
                let fields = interface.fields.values().map(|field| &***field);
                add(&mut costs.fields, name, reader.fields(fields));
            }
            ExtendedType::InputObject(input) => {
                let fields = input.fields.values().map(|field| &***field);
                add(&mut costs.input_fields, name, reader.inputs(fields));
            }
            _ => {}
        }
    }
    costs
}

fn add<T>(all: &mut HashMap<Name, HashMap<Name, T>>, name: &Name, found: HashMap<Name, T>) {
    if !found.is_empty() {
        all.insert(name.clone(), found);
    }
}

/// What the directives are called.
struct Reader {
    cost: Option<String>,
    list_size: Option<String>,
}

impl Reader {
    fn of(links: &[Link]) -> Option<Self> {
        let cost = links::directive_of(links, "cost", "cost");
        let list_size = links::directive_of(links, "cost", "listSize");
        (cost.is_some() || list_size.is_some()).then_some(Self { cost, list_size })
    }

    fn fields<'a>(
        &self,
        fields: impl IntoIterator<Item = &'a FieldDefinition>,
    ) -> HashMap<Name, FieldCost> {
        let costs = fields.into_iter().map(|field| {
            let cost = FieldCost {
                weight: self.weight_among(&field.directives),
                arguments: self.inputs(field.arguments.iter().map(|argument| &**argument)),
                list_size: field.directives.iter().find_map(|directive| self.list_size(directive)),
            };
            (field.name.clone(), cost)
        });
        costs.filter(|(_, cost)| *cost != FieldCost::default()).collect()
    }

    fn inputs<'a>(
        &self,
        inputs: impl IntoIterator<Item = &'a InputValueDefinition>,
    ) -> HashMap<Name, f64> {
        inputs
            .into_iter()
            .filter_map(|input| Some((input.name.clone(), self.weight_among(&input.directives)?)))
            .collect()
    }

    fn weight_among(&self, directives: &DirectiveList) -> Option<f64> {
        directives.iter().find_map(|directive| self.weight(directive))
    }

    fn weight(&self, directive: &Directive) -> Option<f64> {
        if self.cost.as_deref() != Some(directive.name.as_str()) {
            return None;
        }
        match &**directive.specified_argument_by_name("weight")? {
            Value::String(text) => text.parse().ok().filter(|weight: &f64| weight.is_finite()),
            value => value.to_f64(),
        }
    }

    fn list_size(&self, directive: &Directive) -> Option<ListSize> {
        if self.list_size.as_deref() != Some(directive.name.as_str()) {
            return None;
        }
        let argument = |name| directive.specified_argument_by_name(name);
        let strings = |name| -> Vec<String> {
            let items = argument(name).and_then(|value| value.as_list()).unwrap_or_default();
            items.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect()
        };
        let size = argument("assumedSize").and_then(|value| value.to_i32());
        Some(ListSize {
            assumed_size: size.and_then(|size| u32::try_from(size).ok()),
            slicing_arguments: strings("slicingArguments"),
            sized_fields: strings("sizedFields"),
            require_one_slicing_argument: argument("requireOneSlicingArgument")
                .and_then(|value| value.to_bool())
                .unwrap_or(true),
        })
    }
}
