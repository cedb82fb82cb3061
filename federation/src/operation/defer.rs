//! `@defer` and `@stream`: which parts of an operation are delivered later, and which of them a field belongs to.
//!
//! A field that is also selected where nothing defers it is not deferred, and one that a fragment and a fragment inside it select
//! belongs to the outer one (the specification's CollectFields with defer usages). An operation may have [`MOST`] deferred
//! fragments; what is more is not deferred, which a server is free to do.

use std::sync::Arc;

use apollo_compiler::ast::{Directive, Value};

/// How many deferred fragments are told apart.
pub(crate) const MOST: usize = 64;

/// Deferred fragments of an operation, by number. The empty set stands for what is not deferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct DeferSet(u64);

/// A deferred fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeferUsage {
    pub(crate) label: Option<Arc<str>>,
    /// The deferred fragments around it.
    pub(crate) around: DeferSet,
    /// How many response keys lead to the objects that it stands on.
    pub(crate) depth: usize,
}

/// A list whose items are delivered in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamUsage {
    pub(crate) label: Option<Arc<str>>,
    pub(crate) initial: InitialCount,
}

/// How many items are delivered at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InitialCount {
    Fixed(usize),
    /// As many as this variable says.
    Variable(Arc<str>),
}

impl StreamUsage {
    /// What a directive `@stream` says.
    pub(crate) fn of(directive: &Directive) -> Self {
        let argument = |name| directive.specified_argument_by_name(name);
        let initial = match argument("initialCount").map(|value| &**value) {
            Some(Value::Variable(name)) => InitialCount::Variable(name.as_str().into()),
            Some(value) => {
                let count = value.to_i32().unwrap_or_default();
                InitialCount::Fixed(usize::try_from(count).unwrap_or_default())
            }
            None => InitialCount::Fixed(0),
        };
        let label = argument("label").and_then(|label| label.as_str()).map(Into::into);
        Self { label, initial }
    }
}

impl DeferSet {
    /// What is not deferred.
    pub(crate) const NONE: Self = Self(0);

    /// The set of one fragment.
    pub(crate) const fn of(usage: usize) -> Self {
        Self(1 << usage)
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn contains(self, usage: usize) -> bool {
        self.0 & (1 << usage) != 0
    }

    pub(crate) const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set of a field that is selected in the fragments of both: in none, if in none of either.
    pub(crate) const fn met(self, other: Self) -> Self {
        if self.is_none() || other.is_none() { Self::NONE } else { self.with(other) }
    }

    /// The fragments, in order.
    pub(crate) fn usages(self) -> impl Iterator<Item = usize> {
        (0..MOST).filter(move |&usage| self.contains(usage))
    }

    /// Without the fragments that stand inside another of the set.
    pub(crate) fn outermost(self, usages: &[DeferUsage]) -> Self {
        let is_outer =
            |&usage: &usize| usages.get(usage).is_none_or(|usage| !usage.around.overlaps(self));
        self.usages().filter(is_outer).fold(Self::NONE, |set, usage| set.with(Self::of(usage)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_belongs_to_the_outermost_fragments_that_select_it() {
        let usage = |around| DeferUsage { label: None, around, depth: 0 };
        let usages = [usage(DeferSet::NONE), usage(DeferSet::of(0)), usage(DeferSet::NONE)];
        let all = DeferSet::of(0).met(DeferSet::of(1)).met(DeferSet::of(2));
        assert_eq!(all.outermost(&usages), DeferSet::of(0).with(DeferSet::of(2)));
        assert_eq!(all.outermost(&usages).usages().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(DeferSet::of(1).outermost(&usages), DeferSet::of(1));
    }

    #[test]
    fn what_is_also_selected_at_once_is_not_deferred() {
        assert_eq!(DeferSet::of(3).met(DeferSet::NONE), DeferSet::NONE);
        assert_eq!(DeferSet::NONE.met(DeferSet::of(3)), DeferSet::NONE);
    }
}
