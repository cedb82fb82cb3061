//! The shape of the answer, compiled from the operation: what the projection writes, in the client's order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::ExtendedType;

use crate::cost::Price;
use crate::operation::{DeferSet, Field, SelectionSet, StreamUsage};
use crate::supergraph::{Supergraph, TypeKind};

use super::conflicts::Renamed;
use super::layout::{Layout, PositionId, TypeId};

/// The whole answer.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) root: ObjectShape,
    /// The client's response key of each key that only the data has.
    pub(crate) renamed: Renamed,
    /// What the operation costs besides its fields.
    pub(crate) base_cost: f64,
    /// How long the last answer was, to make room for the next.
    pub(crate) last_length: AtomicUsize,
}

/// What is written of an object.
#[derive(Debug)]
pub(crate) enum ObjectShape {
    /// An object type, or selections that are the same on every type.
    One(ObjectFields),
    /// An interface or union: by the name of the object's type.
    ByType {
        types: Vec<(TypeId, Arc<ObjectFields>)>,
        /// For objects without a name of their type, from a subgraph that has the interface as an object. None where
        /// the operation must know the type.
        untold: Option<Arc<ObjectFields>>,
        /// The types that clients must not see: their objects are null.
        hidden: Vec<TypeId>,
    },
}

#[derive(Debug)]
pub(crate) struct ObjectFields {
    pub(crate) type_name: Name,
    pub(crate) fields: Vec<Arc<FieldShape>>,
    /// The deferred fragments that the fields belong to; none where nothing is deferred.
    pub(crate) defers: Vec<DeferSet>,
}

#[derive(Debug)]
pub(crate) struct FieldShape {
    /// The response key in the data.
    pub(crate) key: Arc<str>,
    /// The client's response key as it is written, with a comma before it and the colon after it.
    pub(crate) written_key: String,
    pub(crate) name: Name,
    pub(crate) source: Source,
    pub(crate) wrap: Wrap,
    pub(crate) output: Output,
    /// What it adds to the cost of the answer.
    pub(crate) price: Price,
    /// The deferred fragments that it belongs to.
    pub(crate) defer: DeferSet,
    /// Present for a list of objects that is delivered in parts.
    pub(crate) stream: Option<StreamUsage>,
}

/// Where a field's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the data that was fetched, in this slot.
    Data(usize),
    /// It is the name of the object's type.
    TypeName,
    /// In the answer to introspection, under the response key.
    Introspection,
    /// Nowhere: the viewer may not see it.
    Withheld,
}

/// Lists and nullability around a named type.
#[derive(Debug)]
pub(crate) struct Wrap {
    pub(crate) nullable: bool,
    /// Present for a list.
    pub(crate) item: Option<Box<Wrap>>,
}

/// The named type that a field ends in.
#[derive(Debug)]
pub(crate) enum Output {
    Leaf(Leaf),
    /// Objects at this position.
    Object(PositionId, Arc<ObjectShape>),
}

#[derive(Debug)]
pub(crate) enum Leaf {
    Int,
    Float,
    String,
    Boolean,
    Id,
    Enum {
        /// The values that clients may see.
        visible: Vec<Name>,
        /// Those that they may not: null stands in their place.
        hidden: Vec<Name>,
    },
    /// A custom scalar: anything.
    Any,
}

impl Shape {
    /// The shape of the answer to `operation`, whose keys get their slots.
    pub(super) fn new(
        supergraph: &Supergraph,
        operation: &SelectionSet,
        renamed: Renamed,
        base_cost: f64,
        layout: &mut Layout,
    ) -> Self {
        let mut compiler =
            Compiler { supergraph, renamed: &renamed, layout, known: HashMap::default() };
        let fields = operation.collect(&|ty| *ty == operation.ty);
        let root = compiler.fields(Layout::ROOT, &operation.ty, &fields);
        let root = ObjectShape::One(root);
        Self { root, renamed, base_cost, last_length: AtomicUsize::new(256) }
    }
}

struct Compiler<'a> {
    supergraph: &'a Supergraph,
    renamed: &'a Renamed,
    layout: &'a mut Layout,
    /// Fields compiled before, by address, type, and object type where that sets a price, so that what several object types share is compiled once. The field
    /// is kept, lest another come to stand at its address.
    known: HashMap<(PositionId, *const Field, Type, Option<Name>), Known>,
}

type Known = (Arc<Field>, Arc<FieldShape>);

impl Compiler<'_> {
    fn object(&mut self, position: PositionId, set: &SelectionSet) -> ObjectShape {
        let possible = self.supergraph.visible_types(&set.ty);
        let is_object =
            self.supergraph.type_info(&set.ty).is_none_or(|info| info.kind == TypeKind::Object);
        if is_object {
            return ObjectShape::One(self.fields(position, &set.ty, &set.fields));
        }
        let types = possible.into_iter().map(|ty| {
            let fields =
                set.collect(&|condition| self.supergraph.visible_types(condition).contains(&ty));
            let fields = Arc::new(self.fields(position, &ty, &fields));
            (self.layout.add_type(&ty), fields)
        });
        let mut types: Vec<_> = types.collect();
        for of in self.supergraph.type_info(&set.ty).into_iter().flat_map(|info| &info.stand_ins) {
            if let Some(fields) = self.of_stand_in(position, &of.name, set) {
                types.push((self.layout.add_type(&of.name), Arc::new(fields)));
            }
        }
        let is_object_somewhere =
            self.supergraph.type_info(&set.ty).is_some_and(|info| !info.object_in.is_empty());
        let needs_type =
            !set.fragments.is_empty() || set.fields.iter().any(|field| field.name == "__typename");
        let untold = (is_object_somewhere && !needs_type)
            .then(|| Arc::new(self.fields(position, &set.ty, &set.fields)));
        let hidden = self.supergraph.hidden_types(&set.ty);
        let hidden = hidden.iter().map(|ty| self.layout.add_type(ty)).collect();
        ObjectShape::ByType { types, untold, hidden }
    }

    /// What is written of an object that only bears the name of an interface that is an object in its subgraph. None where the
    /// operation must know more.
    fn of_stand_in(
        &mut self,
        position: PositionId,
        ty: &Name,
        set: &SelectionSet,
    ) -> Option<ObjectFields> {
        let possible = self.supergraph.visible_types(ty);
        let are_all = |condition: &Name| {
            let types = self.supergraph.visible_types(condition);
            possible.iter().all(|ty| types.contains(ty))
        };
        let is_any = |condition: &Name| {
            let types = self.supergraph.visible_types(condition);
            possible.iter().any(|ty| types.contains(ty))
        };
        let fields = set.collect(&are_all);
        let needs_type = fields.iter().any(|field| field.name == "__typename")
            || set.collect(&is_any).len() != fields.len();
        // Clients may not know the interface.
        let seen_as = if self.supergraph.api().types.contains_key(ty) { ty } else { &set.ty };
        (!needs_type).then(|| self.fields(position, seen_as, &fields))
    }

    fn fields(&mut self, position: PositionId, ty: &Name, fields: &[Arc<Field>]) -> ObjectFields {
        let defers: BTreeSet<DeferSet> = fields.iter().map(|field| field.defer).collect();
        let fields = fields.iter().map(|field| self.field(position, ty, field)).collect();
        let defers = defers.into_iter().filter(|set| !set.is_none()).collect();
        ObjectFields { type_name: ty.clone(), fields, defers }
    }

    /// Compiles a field of the object type `parent`, whose own definition decides what may be null.
    fn field(
        &mut self,
        position: PositionId,
        parent: &Name,
        field: &Arc<Field>,
    ) -> Arc<FieldShape> {
        let ty = match self.supergraph.api().type_field(parent, &field.name) {
            Ok(definition) => definition.ty.clone(),
            Err(_) => field.ty.clone(),
        };
        let costs = self.supergraph.costs().fields.get(parent);
        let priced = costs.is_some_and(|costs| costs.contains_key(&field.name));
        let known = (position, Arc::as_ptr(field), ty, priced.then(|| parent.clone()));
        if let Some((_, shape)) = self.known.get(&known) {
            return shape.clone();
        }
        let ty = &known.2;
        let (source, output) = match (field.name.as_str(), &field.selections) {
            _ if field.withheld => (Source::Withheld, Output::Leaf(Leaf::Any)),
            ("__typename", _) => (Source::TypeName, Output::Leaf(Leaf::String)),
            ("__schema" | "__type", _) => (Source::Introspection, Output::Leaf(Leaf::Any)),
            (_, Some(set)) => {
                let (slot, child) = self.layout.child(position, &field.key);
                let shape = Arc::new(self.object(child, set));
                (Source::Data(slot), Output::Object(child, shape))
            }
            (_, None) => {
                let slot = self.layout.slot(position, &field.key);
                (Source::Data(slot), Output::Leaf(self.leaf(ty.inner_named_type())))
            }
        };
        let shape = Arc::new(FieldShape {
            key: field.key.as_str().into(),
            written_key: format!(",\"{}\":", self.renamed.get(&field.key).unwrap_or(&field.key)),
            name: field.name.clone(),
            source,
            wrap: wrap(ty),
            output,
            price: if field.withheld {
                Price::default()
            } else {
                Price::of(self.supergraph, parent, field)
            },
            defer: field.defer,
            stream: field.stream.clone(),
        });
        self.known.insert(known, (field.clone(), shape.clone()));
        shape
    }

    fn leaf(&self, ty: &Name) -> Leaf {
        match (ty.as_str(), self.supergraph.api().types.get(ty)) {
            ("Int", _) => Leaf::Int,
            ("Float", _) => Leaf::Float,
            ("String", _) => Leaf::String,
            ("Boolean", _) => Leaf::Boolean,
            ("ID", _) => Leaf::Id,
            (_, Some(ExtendedType::Enum(definition))) => Leaf::Enum {
                visible: definition.values.keys().cloned().collect(),
                hidden: self.supergraph.hidden_values(ty).to_vec(),
            },
            _ => Leaf::Any,
        }
    }
}

fn wrap(ty: &Type) -> Wrap {
    Wrap { nullable: !ty.is_non_null(), item: ty.is_list().then(|| Box::new(wrap(ty.item_type()))) }
}
