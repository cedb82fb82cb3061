//! From a normalised operation to a plan: which subgraph is asked what, and after what.
//!
//! Steps: draft the fetches (`planner`), merge those that can be one and order them (`finish`), write their operations
//! (`document`). A field that no subgraph can be asked for is an error; the plan never leaves it out.

mod abstract_type;
mod bundle;
mod conflicts;
mod context;
mod context_source;
mod coverage;
mod defer;
mod document;
mod draft;
mod entity;
mod finish;
mod hub;
mod interface_object;
mod json;
mod layout;
mod location;
mod names;
mod node;
mod overrides;
mod parts;
mod planner;
mod prepared;
mod print;
mod reach;
mod reader;
mod representation;
mod search;
mod shape;
mod spot;
mod template;
mod written;

use std::sync::Arc;

use apollo_compiler::Name;

use crate::operation::{DeferSet, OperationKind};

pub(crate) use context_source::{ContextField, ContextSource, ContextValue};
pub(crate) use layout::{Layout, Position, PositionId, TYPE_SLOT, TypeId};
pub(crate) use location::{Location, LocationStep};
pub use overrides::{ByChance, OverrideLabels};
pub(crate) use prepared::Variant;
pub use prepared::{Prepared, prepare, prepare_with};
pub(crate) use reader::{FieldReader, ObjectReader, ValueReader};
pub(crate) use representation::Representation;
pub use search::PlanSettings;
pub(crate) use shape::{FieldShape, Leaf, ObjectFields, ObjectShape, Output, Shape, Source, Wrap};
pub(crate) use template::Template;

/// The fetches that answer an operation. Each runs as soon as those it depends on have.
#[derive(Debug, PartialEq)]
pub struct Plan {
    /// In an order in which none depends on a later one.
    pub(crate) fetches: Vec<FetchNode>,
    pub(crate) layout: Layout,
}

impl Plan {
    /// How many fetches there are.
    #[must_use]
    pub fn fetch_count(&self) -> usize {
        self.fetches.len()
    }

    /// How many fetches the longest chain has, each waiting for the one before.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.fetches.iter().map(|fetch| fetch.level + 1).max().unwrap_or_default()
    }
}

/// One operation for one subgraph.
#[derive(Debug, PartialEq)]
pub(crate) struct FetchNode {
    pub(crate) subgraph: Arc<str>,
    pub(crate) operation_name: Option<String>,
    pub(crate) document: Arc<str>,
    pub(crate) kind: OperationKind,
    /// The request as JSON up to the value of `variables`, which an execution writes.
    pub(crate) head: String,
    /// The client's variables that the document uses.
    pub(crate) variables: Vec<Arc<str>>,
    /// Indexes of fetches in the plan.
    pub(crate) depends_on: Vec<usize>,
    /// The deferred fragments that it is made for; none for what is needed at once.
    pub(crate) defer: DeferSet,
    /// The longest chain of fetches before this one.
    pub(crate) level: usize,
    /// The entities that it completes, at one or several places; none for root fields.
    pub(crate) entities: Vec<Entities>,
    /// Where root fields belong that are selected on the query type further in; empty for the operation's own.
    pub(crate) at: Vec<Step>,
    /// The same place as slots.
    pub(crate) location: Location,
    /// How the `data` of an answer is read.
    pub(crate) reader: ObjectReader,
    /// The variables that take their values from objects on the way to the entities, of which there is one list then.
    pub(crate) contexts: Vec<ContextSource>,
    /// What the document selects of root fields, as the printed plan shows it.
    pub(crate) selection: Vec<Line>,
    /// The named fragments of the document, likewise.
    pub(crate) parts: Vec<Line>,
}

/// A line of a written selection.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) depth: usize,
    pub(crate) text: String,
}

/// The entities of one place that a fetch completes.
#[derive(Debug, PartialEq)]
pub(crate) struct Entities {
    pub(crate) path: Vec<Step>,
    /// The same path as slots.
    pub(crate) location: Location,
    pub(crate) entries: Vec<Entry>,
    /// The variable that takes the representations.
    pub(crate) variable: Arc<str>,
    /// The member of `data` that lists the entities, and its slot.
    pub(crate) member: Arc<str>,
    pub(crate) slot: usize,
    /// What the document selects of them, as the printed plan shows it.
    pub(crate) selection: Vec<Line>,
    /// Whether an entity's objects must not be shared by the places that wait for it: another fetch completes them by the
    /// entity, and what it brings may depend on the place.
    pub(crate) unshared: bool,
}

/// A step from an object of the response to one further in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Key(Name),
    Each,
    /// Only objects of these types.
    Type(Vec<Name>),
}

/// How objects of certain types are represented.
#[derive(Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) types: Vec<EntryType>,
    /// Whether objects of other types may stand at the path too, so that `__typename` must be looked at.
    pub(crate) mixed: bool,
    pub(crate) template: Template,
    /// How the template is written after that.
    pub(crate) representation: Representation,
}

/// A type that representations name.
#[derive(Debug, PartialEq)]
pub(crate) struct EntryType {
    pub(crate) name: Name,
    /// What an object must have as its type where others may stand too.
    pub(crate) id: TypeId,
    /// How a representation begins: with the type.
    pub(crate) opening: String,
}
