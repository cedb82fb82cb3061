//! Groups the objects that a fetch completes by the values that its context arguments have for them: each group is asked for by
//! itself, because a request has one value for each variable.

use std::collections::{HashMap, HashSet};

use crate::plan::{
    ContextField, ContextSource, ContextValue, Layout, Location, LocationStep, PositionId,
    TYPE_SLOT,
};

use super::arena::{Arena, Slot};

/// Objects for which all contexts have the same values.
#[derive(Debug)]
pub(super) struct Group {
    /// The variables as members of a JSON object, with a comma after each.
    pub(super) variables: String,
    pub(super) rows: Vec<u32>,
}

/// The objects at `location`. Those are left out above which a value is missing because its fetch failed.
pub(super) fn groups(
    arena: &Arena<'_>,
    location: &Location,
    contexts: &[ContextSource],
) -> Vec<Group> {
    let mut walk = Walk {
        arena,
        steps: &location.steps,
        contexts,
        values: vec![None; contexts.len()],
        seen: HashSet::new(),
        known: HashMap::new(),
        groups: Vec::new(),
    };
    walk.go(Layout::ROOT, Slot::Row(0), 0);
    walk.groups
}

struct Walk<'a> {
    arena: &'a Arena<'a>,
    steps: &'a [LocationStep],
    contexts: &'a [ContextSource],
    /// The value of each context on the way, as JSON.
    values: Vec<Option<String>>,
    seen: HashSet<u32>,
    known: HashMap<String, usize>,
    groups: Vec<Group>,
}

impl Walk<'_> {
    fn go(&mut self, position: PositionId, value: Slot, depth: usize) {
        let arena = self.arena;
        let row = match value {
            Slot::Row(row) if arena.is_object(position, row) => row,
            Slot::Rows { first, count } => {
                for row in first..first + count {
                    self.go(position, Slot::Row(row), depth);
                }
                return;
            }
            Slot::Items { first, count } => {
                for index in first..first + count {
                    self.go(position, arena.item(index), depth);
                }
                return;
            }
            _ => return,
        };
        for (index, context) in self.contexts.iter().enumerate() {
            if context.depth == depth {
                self.values[index] = find(arena, position, row, &context.value);
            }
        }
        match self.steps.get(depth) {
            None => self.add(row),
            Some(LocationStep::Each) => self.go(position, value, depth + 1),
            Some(LocationStep::Types(types)) => {
                if matches!(arena.get(position, row, TYPE_SLOT), Slot::Type(ty) if types.contains(&ty))
                {
                    self.go(position, value, depth + 1);
                }
            }
            Some(LocationStep::Key { slot, child, .. }) => {
                self.go(*child, arena.get(position, row, *slot), depth + 1);
            }
        }
    }

    fn add(&mut self, row: u32) {
        let mut variables = String::new();
        for (context, value) in self.contexts.iter().zip(&self.values) {
            let Some(value) = value else {
                return;
            };
            variables.push_str(&context.written_name);
            variables.push_str(value);
            variables.push(',');
        }
        if !self.seen.insert(row) {
            return;
        }
        let next = self.groups.len();
        let group = *self.known.entry(variables.clone()).or_insert(next);
        if group == next {
            self.groups.push(Group { variables, rows: Vec::new() });
        }
        self.groups[group].rows.push(row);
    }
}

/// The value of a context in an object, as JSON.
fn find(arena: &Arena<'_>, position: PositionId, row: u32, way: &ContextValue) -> Option<String> {
    let ty = arena.get(position, row, TYPE_SLOT);
    let variant =
        way.variants.iter().find(|(types, _)| matches!(ty, Slot::Type(ty) if types.contains(&ty)));
    if let Some((_, variant)) = variant {
        return find(arena, position, row, variant);
    }
    let ContextField { slot, inner } = way.field.as_ref()?;
    match (arena.get(position, row, *slot), inner) {
        (Slot::Null, _) => Some("null".to_owned()),
        (Slot::Row(row), Some((child, inner))) if arena.is_object(*child, row) => {
            find(arena, *child, row, inner)
        }
        (Slot::Row(_), Some(_)) => Some("null".to_owned()),
        (value @ Slot::Text { .. }, None) => {
            Some(String::from_utf8_lossy(arena.text(value)).into_owned())
        }
        _ => None,
    }
}
