//! From a normalised operation to its [`Formula`].
//!
//! Each object type that a selection can meet is a branch of its own, of which the dearest counts. What several types select alike is
//! one node, so that a formula does not grow with the number of types.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::FieldDefinition;

use crate::operation::{Field, OperationKind, SelectionSet};
use crate::supergraph::{ListSize, Supergraph};

use super::formula::{Formula, Node, NodeId};
use super::price::{is_list, weight};
use super::size::{Listed, Size};
use super::{ArgumentCost, INTROSPECTION, base};

impl Formula {
    /// The formula of an operation.
    pub(crate) fn of(
        supergraph: &Supergraph,
        kind: OperationKind,
        operation: &SelectionSet,
    ) -> Self {
        let mut compiler = Compiler {
            supergraph,
            nodes: Vec::new(),
            known: HashMap::default(),
            alike: HashMap::default(),
        };
        let fields = operation.collect(&|ty| *ty == operation.ty);
        let root = compiler.branch(&operation.ty, &fields, None);
        Self::new(base(kind), compiler.nodes, root)
    }
}

struct Compiler<'a> {
    supergraph: &'a Supergraph,
    nodes: Vec<Node>,
    /// Nodes made before, by the field's address and what else they depend on. The field is kept, lest another come to stand at its address.
    known: HashMap<Place, (Arc<Field>, Option<NodeId>)>,
    /// The nodes of each field, on whatever type.
    alike: HashMap<(*const Field, Option<*const Field>), Vec<NodeId>>,
}

/// A field, the object type it is on where its definition there matters, and the field that says how long it is.
type Place = (*const Field, Name, Option<*const Field>);

/// The lists whose size the field around them says.
struct Sized<'a> {
    by: *const Field,
    names: &'a [String],
    size: Size,
}

impl Compiler<'_> {
    fn branch(
        &mut self,
        ty: &Name,
        fields: &[Arc<Field>],
        sized: Option<&Sized<'_>>,
    ) -> Vec<NodeId> {
        fields.iter().filter_map(|field| self.field(ty, field, sized)).collect()
    }

    /// The node of a field; none for one that never costs anything.
    fn field(
        &mut self,
        parent: &Name,
        field: &Arc<Field>,
        sized: Option<&Sized<'_>>,
    ) -> Option<NodeId> {
        let sized =
            sized.filter(|sized| sized.names.iter().any(|name| field.name == name.as_str()));
        let place = (Arc::as_ptr(field), parent.clone(), sized.map(|sized| sized.by));
        if let Some((_, known)) = self.known.get(&place) {
            return *known;
        }
        let id = self.node(parent, field, sized).map(|node| self.add((place.0, place.2), node));
        self.known.insert(place, (field.clone(), id));
        id
    }

    /// A node that the field has already is not added again: types mostly define a field alike.
    fn add(&mut self, of: (*const Field, Option<*const Field>), node: Node) -> NodeId {
        let alike = self.alike.entry(of).or_default();
        if let Some(&same) = alike.iter().find(|&&known| self.nodes[known] == node) {
            return same;
        }
        let id = self.nodes.len();
        alike.push(id);
        self.nodes.push(node);
        id
    }

    fn node(
        &mut self,
        parent: &Name,
        field: &Arc<Field>,
        sized: Option<&Sized<'_>>,
    ) -> Option<Node> {
        let key = field.key.clone();
        if matches!(field.name.as_str(), "__schema" | "__type") {
            return Some(Node::fixed(key, INTROSPECTION));
        }
        let supergraph = self.supergraph;
        let definition = supergraph.api().type_field(parent, &field.name).ok()?;
        let directive = list_size(supergraph, parent, &field.name);
        let listed = directive.map(|directive| {
            let coordinate = format!("{parent}.{}", field.name);
            Size::Listed(Listed::of(supergraph, coordinate, directive, definition, field))
        });
        let names = directive.map(|directive| &directive.sized_fields[..]).unwrap_or_default();
        let inner = listed.clone().filter(|_| !names.is_empty());
        let inner = inner.map(|size| Sized { by: Arc::as_ptr(field), names, size });
        let size = match (is_list(&definition.ty), sized) {
            (false, _) => Size::One,
            (true, Some(sized)) => sized.size.clone(),
            (true, None) => listed.filter(|_| names.is_empty()).unwrap_or(Size::Unknown),
        };
        let branches = match &field.selections {
            Some(set) => self.branches(definition, set, inner.as_ref()),
            None => Vec::new(),
        };
        let node = Node {
            key,
            size,
            weight: weight(supergraph, parent, definition),
            arguments: ArgumentCost::of(supergraph, parent, definition, field),
            branches,
            // Where one argument must be given, that is looked at even if nothing in the list costs anything.
            checked: inner.filter(|inner| inner.size.may_fail()).map(|inner| inner.size),
        };
        node.costs_something().then_some(node)
    }

    /// For each object type that the field can be, what is selected on it. Types on which the same is selected are one branch.
    fn branches(
        &mut self,
        definition: &FieldDefinition,
        set: &SelectionSet,
        sized: Option<&Sized<'_>>,
    ) -> Vec<Vec<NodeId>> {
        let mut branches: Vec<Vec<NodeId>> = Vec::new();
        let supergraph = self.supergraph;
        for ty in supergraph.visible_types(definition.ty.inner_named_type()) {
            let applies =
                |condition: &Name| *condition == ty || supergraph.api().is_subtype(condition, &ty);
            let fields = set.collect(&applies);
            let branch = self.branch(&ty, &fields, sized);
            if !branch.is_empty() && !branches.contains(&branch) {
                branches.push(branch);
            }
        }
        branches
    }
}

/// `@listSize` of a field of the object type `parent`, or of the interface that it has the field from.
fn list_size<'a>(supergraph: &'a Supergraph, parent: &str, field: &Name) -> Option<&'a ListSize> {
    let of = |ty: &str| supergraph.costs().fields.get(ty)?.get(field)?.list_size.as_ref();
    of(parent).or_else(|| {
        let object = supergraph.api().get_object(parent)?;
        object.implements_interfaces.iter().find_map(|interface| of(interface))
    })
}
