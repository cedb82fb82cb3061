//! Looks for a better plan than the first one found.
//!
//! Where the planner can enter one of several subgraphs it takes the one that looks best there and then. Planning is the
//! same each time, so a plan is known by the choices that differ from that. Here one choice after the other is changed, and
//! the change kept where it makes the plan better: fewer sequential rounds, then fewer fetches, then fewer fields. The
//! effort is bounded; what was found until then is taken.

use super::draft::Drafts;
use super::finish::{self, Cost};
use super::planner::{self, PlanError, Task};

/// How much work planning an operation may be, in steps: a field placed in a fetch or an entry to a subgraph attempted.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// For the first plan. An operation for which that does not do is planned frugally: perhaps with more rounds, but in a time
    /// that grows as the operation does.
    pub first_steps: usize,
    /// For looking for a better plan than the first.
    pub search_steps: usize,
}

impl Default for PlanSettings {
    fn default() -> Self {
        Self { first_steps: 20_000, search_steps: 4_000 }
    }
}

/// How many of the subgraphs that could be entered at one place are looked at.
const MAX_OPTIONS: usize = 4;

/// Which option is taken at each place where there are several.
#[derive(Debug, Clone, Default)]
pub(super) struct Decisions {
    /// Options to take in the order of the decisions, as far as they are not the first ones.
    wanted: Vec<usize>,
    /// How many options there were each time.
    made: Vec<usize>,
}

impl Decisions {
    /// Chooses one of `options`.
    pub(super) fn decide(&mut self, options: usize) -> usize {
        let options = options.min(MAX_OPTIONS);
        if options < 2 {
            return 0;
        }
        let option = self.wanted.get(self.made.len()).copied().unwrap_or_default();
        self.made.push(options);
        option.min(options - 1)
    }

    /// The same choices up to the one at `place`, which is for `option`.
    fn with(&self, place: usize, option: usize) -> Self {
        let mut wanted = self.wanted.clone();
        wanted.resize(place, 0);
        wanted.push(option);
        Self { wanted, made: Vec::new() }
    }
}

/// A plan found, and how.
pub(super) struct Found {
    pub(super) drafts: Drafts,
    pub(super) decisions: Decisions,
    /// How much work it was.
    pub(super) steps: usize,
}

/// The best plan found with bounded effort.
pub(super) fn best(task: &Task<'_>) -> Result<Drafts, PlanError> {
    let mut best = match planner::draft(task, Decisions::default(), false) {
        Err(PlanError::Exhausted) => {
            return Ok(planner::draft(task, Decisions::default(), true)?.drafts);
        }
        found => found?,
    };
    let mut cost = finish::cost(&best.drafts);
    let mut left = task.settings.search_steps;
    let mut place = 0;
    while place < best.decisions.made.len() && cost > Cost::LEAST {
        let taken = best.decisions.wanted.get(place).copied().unwrap_or_default();
        for option in (0..best.decisions.made[place]).filter(|option| *option != taken) {
            // What the first plan took, another one will take about again.
            if left < best.steps {
                return Ok(best.drafts);
            }
            let Ok(other) = planner::draft(task, best.decisions.with(place, option), false) else {
                continue;
            };
            left = left.saturating_sub(other.steps);
            let other_cost = finish::cost(&other.drafts);
            if other_cost < cost {
                (best, cost) = (other, other_cost);
            }
        }
        place += 1;
    }
    Ok(best.drafts)
}
