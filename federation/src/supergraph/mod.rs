//! The supergraph: which subgraph owns what, read from an SDL in the join/link format, and the client's schema.
//!
//! This is data without the behaviour of a stage. What the engine cannot serve rightly (mandatory features that it does not
//! know) is refused here, when the supergraph is read.

mod access;
mod api;
mod common_interface;
mod context;
mod costs;
mod error;
mod field_set;
mod implicit;
mod input_costs;
mod interface_object;
mod likeness;
mod links;
mod model;
mod read;
mod shapes;

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::collections::{HashMap, IndexMap};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;

pub(crate) use access::{Access, Requirement, RequirementId};
pub use costs::{Costs, FieldCost, ListSize};
pub use error::SupergraphError;
pub(crate) use input_costs::{InputCosts, InputWeight};
use likeness::Likeness;
pub use model::SubgraphInfo;
pub(crate) use model::{
    ContextArgument, FieldInfo, FieldSet, FieldSetField, FieldSource, Key, PossibleType, Rollout,
    SubgraphId, TypeInfo, TypeKind,
};
pub(crate) use shapes::SubgraphShapes;

/// A supergraph that can be planned against.
#[derive(Debug)]
pub struct Supergraph {
    api: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    subgraphs: Vec<SubgraphInfo>,
    types: IndexMap<Name, TypeInfo>,
    access: Access,
    costs: Costs,
    input_costs: Arc<InputCosts>,
    has_differing_types: bool,
    hidden_values: HashMap<Name, Vec<Name>>,
    likeness: Likeness,
    interfaces: HashMap<Name, Vec<Name>>,
}

/// The schema that clients see of a supergraph, as SDL: [`Supergraph::api_sdl`] without reading who owns what.
///
/// # Errors
/// When it is not a supergraph.
pub(crate) fn api_sdl(schema: &Valid<Schema>) -> Result<String, SupergraphError> {
    Ok(api::schema(schema, &links::read(schema)?)?.to_string())
}

impl Supergraph {
    /// Reads a supergraph SDL (join v0.1 to v0.5).
    ///
    /// # Errors
    /// When the text is not a valid GraphQL schema, not a supergraph, contradicts itself, or uses a feature that the engine
    /// refuses.
    pub fn parse(sdl: &str) -> Result<Self, SupergraphError> {
        let schema = Schema::parse_and_validate(sdl, "supergraph.graphql")
            .map_err(|invalid| SupergraphError::Invalid(invalid.errors.to_string()))?;
        let links = links::read(&schema)?;
        let subgraphs = read::subgraphs(&schema)?;
        let types = read::types(
            &schema,
            &subgraphs,
            links::join_version(&links),
            links::directive(&links, "context").as_deref(),
        )?;
        let api = api::schema(&schema, &links)?;
        let implementers = api.implementers_map();
        let access = access::read(&schema, &links);
        let costs = costs::read(&schema, &links);
        let input_costs = Arc::new(InputCosts::of(&api, &costs));
        let hidden_values = hidden_values(&schema, &api);
        let has_differing_types = shapes::differ(&types);
        let likeness = Likeness::of(&types);
        let interfaces = common_interface::by_object(&types, links::join_version(&links));
        Ok(Self {
            api,
            implementers,
            subgraphs,
            types,
            access,
            costs,
            input_costs,
            has_differing_types,
            hidden_values,
            likeness,
            interfaces,
        })
    }

    /// The schema that clients see: no join or link machinery, no `@inaccessible` element, no federation directive.
    #[must_use]
    pub fn api_sdl(&self) -> String {
        self.api.to_string()
    }

    /// The subgraphs, in the order of the supergraph's `join__Graph`.
    pub fn subgraphs(&self) -> impl Iterator<Item = &SubgraphInfo> {
        self.subgraphs.iter()
    }

    /// What the supergraph says about costs.
    #[must_use]
    pub const fn costs(&self) -> &Costs {
        &self.costs
    }

    /// What input values cost.
    pub(crate) const fn input_costs(&self) -> &Arc<InputCosts> {
        &self.input_costs
    }

    pub(crate) const fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn api(&self) -> &Valid<Schema> {
        &self.api
    }

    pub(crate) fn implementers(&self) -> &HashMap<Name, Implementers> {
        &self.implementers
    }

    pub(crate) fn subgraph_name(&self, id: SubgraphId) -> &Arc<str> {
        &self.subgraphs[id.index()].name
    }

    pub(crate) fn subgraph_ids(&self) -> impl Iterator<Item = SubgraphId> + use<> {
        (0..self.subgraphs.len()).map(SubgraphId::new)
    }

    pub(crate) fn type_info(&self, name: &str) -> Option<&TypeInfo> {
        self.types.get(name)
    }

    /// A number for how objects of a type are entered, equal for types that are alike in that.
    pub(crate) fn likeness(&self, ty: &Name) -> Option<usize> {
        self.likeness.of_type(ty)
    }

    /// A number for how a field of an object type is resolved, equal for fields of types that are alike in that.
    pub(crate) fn field_likeness(&self, ty: &Name, field: &Name) -> Option<usize> {
        self.likeness.of_field(ty, field)
    }

    /// Whether `name` is an interface that `subgraph` has as an object.
    pub(crate) fn is_object_in(&self, subgraph: SubgraphId, name: &str) -> bool {
        self.types.get(name).is_some_and(|info| info.object_in.contains(&subgraph))
    }

    /// The object types that a value of `name` can have; an object type itself is the only one of its own.
    pub(crate) fn possible_types(&self, name: &str) -> Vec<Name> {
        self.possible_where(name, |_| true)
    }

    /// The object types that a value of `name` can have for clients.
    pub(crate) fn visible_types(&self, name: &str) -> Vec<Name> {
        self.possible_where(name, |possible| self.api.types.contains_key(&possible.name))
    }

    /// The object types that a value of `name` can have and that clients must not see.
    pub(crate) fn hidden_types(&self, name: &str) -> Vec<Name> {
        self.possible_where(name, |possible| !self.api.types.contains_key(&possible.name))
    }

    /// The values of an enum that clients must not see.
    pub(crate) fn hidden_values(&self, name: &str) -> &[Name] {
        self.hidden_values.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The object types that `subgraph` can answer where it declares `name`.
    pub(crate) fn possible_types_in(&self, subgraph: SubgraphId, name: &str) -> Vec<Name> {
        if self.is_object_in(subgraph, name) {
            return self.possible_types(name);
        }
        self.possible_where(name, |possible| possible.subgraphs.contains(&subgraph))
    }

    /// The interfaces that `subgraph` has as objects and answers where it declares `name`, in place of objects of whose types it
    /// knows nothing more.
    pub(crate) fn stand_ins(&self, subgraph: SubgraphId, name: &str) -> Vec<Name> {
        let stand_ins = self.types.get(name).into_iter().flat_map(|info| &info.stand_ins);
        let here = stand_ins.filter(|of| of.subgraphs.contains(&subgraph));
        here.map(|of| of.name.clone()).collect()
    }

    /// All interfaces that any subgraph answers so.
    pub(crate) fn all_stand_ins(&self) -> impl Iterator<Item = &Name> {
        self.types.values().flat_map(|info| info.stand_ins.iter().map(|of| &of.name))
    }

    fn possible_where(&self, name: &str, keep: impl Fn(&PossibleType) -> bool) -> Vec<Name> {
        match self.types.get_key_value(name) {
            Some((_, info)) if info.kind == TypeKind::Abstract => {
                let kept = info.possible.iter().filter(|possible| keep(possible));
                kept.map(|possible| possible.name.clone()).collect()
            }
            Some((key, _)) => vec![key.clone()],
            None => Vec::new(),
        }
    }
}

/// For each enum, the values that are not in the client's schema.
fn hidden_values(supergraph: &Schema, api: &Schema) -> HashMap<Name, Vec<Name>> {
    let enums = supergraph.types.iter().filter_map(|(name, ty)| Some((name, ty.as_enum()?)));
    let hidden = enums.filter_map(|(name, definition)| {
        let visible = api.get_enum(name)?;
        let values = definition.values.keys().filter(|value| !visible.values.contains_key(*value));
        Some((name.clone(), values.cloned().collect::<Vec<_>>()))
    });
    hidden.filter(|(_, values)| !values.is_empty()).collect()
}
