//! Progressive `@override`: which labels are on for a request, and which of them its plan asked about, so that only those
//! make different plans.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use crate::supergraph::Rollout;

/// Decides for a request which labels of progressive overrides are on. It is asked once for each label that the operation
/// touches.
pub trait OverrideLabels: Debug + Send + Sync {
    /// Whether the field moves to the overriding subgraph in this request.
    fn is_on(&self, label: &str) -> bool;
}

/// What the engine does when it is told nothing: `percent(n)` is on in n of a hundred requests, other labels are off.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByChance;

impl OverrideLabels for ByChance {
    fn is_on(&self, label: &str) -> bool {
        percentage(label).is_some_and(|percentage| chance() < percentage)
    }
}

/// The number in `percent(n)`.
fn percentage(label: &str) -> Option<f64> {
    label.strip_prefix("percent(")?.strip_suffix(')')?.trim().parse().ok()
}

/// A number from 0 up to 100; not for secrets.
fn chance() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    let share = u32::try_from(random >> 32).unwrap_or_default();
    f64::from(share) / (f64::from(u32::MAX) + 1.0) * 100.0
}

/// The labels that are on while a plan is made.
#[derive(Debug, Default)]
pub(super) struct Overrides {
    on: BTreeSet<Arc<str>>,
    asked: RefCell<BTreeSet<Arc<str>>>,
}

impl Overrides {
    pub(super) fn new(on: BTreeSet<Arc<str>>) -> Self {
        Self { on, asked: RefCell::default() }
    }

    /// Whether a source with this roll-out is asked.
    pub(super) fn asks(&self, rollout: Option<&Rollout>) -> bool {
        let Some(rollout) = rollout else {
            return true;
        };
        self.asked.borrow_mut().insert(rollout.label.clone());
        self.on.contains(&rollout.label) == rollout.when
    }

    /// The labels that made a difference or could have.
    pub(super) fn into_asked(self) -> BTreeSet<Arc<str>> {
        self.asked.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::{ByChance, OverrideLabels};

    #[test]
    fn percentages_decide_as_often_as_they_say() {
        let on = |label: &str| (0..2000).filter(|_| ByChance.is_on(label)).count();
        assert_eq!(on("percent(0)"), 0);
        assert_eq!(on("percent(100)"), 2000);
        let half = on("percent(50)");
        assert!((800..1200).contains(&half), "{half}");
        assert_eq!(on("beta-users"), 0);
        assert_eq!(on("percent(many)"), 0);
    }
}
