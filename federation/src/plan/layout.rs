//! Where an execution keeps the parts of an answer.
//!
//! Each place of the answer at which objects stand is a *position*: a table in which every object is a row of the same width. A
//! row has a *slot* for each response key that any fetch may put there, whatever the object's type; slot 0 is the type. So a
//! field is an index, and no name is looked up while an operation runs.

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, IndexMap};

/// The slot of an object's type.
pub(crate) const TYPE_SLOT: usize = 0;

/// The index of a position in its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PositionId(usize);

impl PositionId {
    pub(crate) const fn index(self) -> usize {
        self.0
    }
}

/// The index of an object type's name in its layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TypeId {
    index: u32,
    stands_in: bool,
}

impl TypeId {
    /// Whether it is an interface that is an object in some subgraph: no object's type, but what is known until another subgraph
    /// says more.
    pub(crate) const fn stands_in(self) -> bool {
        self.stands_in
    }
}

/// The positions of one plan, and the types that it tells apart.
#[derive(Debug, PartialEq)]
pub(crate) struct Layout {
    positions: Vec<Position>,
    types: Vec<Name>,
    type_ids: HashMap<Name, TypeId>,
}

/// A place of the answer at which objects stand.
#[derive(Debug, PartialEq, Default)]
pub(crate) struct Position {
    /// The response keys after the type, and the positions of the objects under them.
    keys: IndexMap<Name, Option<PositionId>>,
}

impl Position {
    /// How many slots a row has.
    pub(crate) fn width(&self) -> usize {
        self.keys.len() + 1
    }

    /// The position of the objects under `slot`, if there can be any.
    pub(crate) fn child(&self, slot: usize) -> Option<PositionId> {
        let (_, child) = self.keys.get_index(slot.checked_sub(1)?)?;
        *child
    }
}

impl Layout {
    /// How many places for values there are in all.
    pub(super) fn slots(&self) -> usize {
        self.positions.iter().map(|position| 1 + position.keys.len()).sum()
    }

    /// The position of the operation's root type: it has one row.
    pub(crate) const ROOT: PositionId = PositionId(0);

    /// A layout of nothing but the root. Objects may bear the names of `stand_ins` in place of their types.
    pub(super) fn new<'a>(stand_ins: impl Iterator<Item = &'a Name>) -> Self {
        let mut layout = Self {
            positions: vec![Position::default()],
            types: Vec::new(),
            type_ids: HashMap::default(),
        };
        for name in stand_ins {
            layout.insert_type(name, true);
        }
        layout
    }

    pub(crate) fn positions(&self) -> &[Position] {
        &self.positions
    }

    pub(crate) fn type_name(&self, id: TypeId) -> &Name {
        &self.types[id.index as usize]
    }

    /// The type of this name, where the plan tells it apart.
    pub(crate) fn type_id(&self, name: &str) -> Option<TypeId> {
        self.type_ids.get(name).copied()
    }

    /// A position of which nothing else knows.
    pub(super) fn add_position(&mut self) -> PositionId {
        self.positions.push(Position::default());
        PositionId(self.positions.len() - 1)
    }

    /// The slot of a response key.
    pub(super) fn slot(&mut self, position: PositionId, key: &Name) -> usize {
        self.positions[position.0].keys.entry(key.clone()).or_insert(None);
        self.positions[position.0].keys.get_index_of(key).map_or(TYPE_SLOT, |index| index + 1)
    }

    /// The slot of a response key under which objects stand, and their position.
    pub(super) fn child(&mut self, position: PositionId, key: &Name) -> (usize, PositionId) {
        let slot = self.slot(position, key);
        if let Some(child) = self.positions[position.0].child(slot) {
            return (slot, child);
        }
        let child = self.add_position();
        self.positions[position.0].keys.insert(key.clone(), Some(child));
        (slot, child)
    }

    /// The type of this name, from now on told apart.
    pub(super) fn add_type(&mut self, name: &Name) -> TypeId {
        self.insert_type(name, false)
    }

    fn insert_type(&mut self, name: &Name, stands_in: bool) -> TypeId {
        if let Some(id) = self.type_id(name) {
            return id;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a schema has fewer types than that")]
        let id = TypeId { index: self.types.len() as u32, stands_in };
        self.types.push(name.clone());
        self.type_ids.insert(name.clone(), id);
        id
    }
}
