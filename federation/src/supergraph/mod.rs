//! The supergraph: which subgraph owns what, read from an SDL in the join/link format, and the client's schema.
//!
//! This is data without the behaviour of a stage. What the engine cannot serve rightly (context arguments, mandatory features
//! that it does not know) is refused here, when the supergraph is read.

mod api;
mod error;
mod field_set;
mod implicit;
mod interface_object;
mod links;
mod model;
mod read;

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::collections::{HashMap, IndexMap};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;

pub use error::SupergraphError;
pub use model::SubgraphInfo;
pub(crate) use model::{
    FieldInfo, FieldSet, FieldSetField, FieldSource, Key, Rollout, SubgraphId, TypeInfo, TypeKind,
};

/// A supergraph that can be planned against.
#[derive(Debug)]
pub struct Supergraph {
    api: Valid<Schema>,
    implementers: HashMap<Name, Implementers>,
    subgraphs: Vec<SubgraphInfo>,
    types: IndexMap<Name, TypeInfo>,
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
        let types = read::types(&schema, &subgraphs, links::join_version(&links))?;
        let api = api::schema(&schema, &links)?;
        let implementers = api.implementers_map();
        Ok(Self { api, implementers, subgraphs, types })
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

    /// Whether `name` is an interface that `subgraph` has as an object.
    pub(crate) fn is_object_in(&self, subgraph: SubgraphId, name: &str) -> bool {
        self.types.get(name).is_some_and(|info| info.object_in.contains(&subgraph))
    }

    /// The object types that a value of `name` can have for clients; an object type itself is the only one of its own.
    pub(crate) fn possible_types(&self, name: &str) -> Vec<Name> {
        match self.types.get_key_value(name) {
            Some((_, info)) if info.kind == TypeKind::Abstract => info
                .possible
                .iter()
                .filter(|possible| self.api.types.contains_key(&possible.name))
                .map(|possible| possible.name.clone())
                .collect(),
            Some((key, info)) if info.kind == TypeKind::Object => vec![key.clone()],
            _ => Vec::new(),
        }
    }

    /// The object types that `subgraph` can answer where it declares `name`.
    pub(crate) fn possible_types_in(&self, subgraph: SubgraphId, name: &str) -> Vec<Name> {
        match self.types.get_key_value(name) {
            Some((_, info)) if info.object_in.contains(&subgraph) => self.possible_types(name),
            Some((_, info)) if info.kind == TypeKind::Abstract => info
                .possible
                .iter()
                .filter(|possible| possible.subgraphs.contains(&subgraph))
                .filter(|possible| self.api.types.contains_key(&possible.name))
                .map(|possible| possible.name.clone())
                .collect(),
            Some((key, info)) if info.kind == TypeKind::Object => vec![key.clone()],
            _ => Vec::new(),
        }
    }
}
