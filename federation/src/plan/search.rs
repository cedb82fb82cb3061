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
    /// For the first plan; also how many fields its fetches may have in all. An operation for which that does not do is planned frugally: perhaps with more rounds, but in a time
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

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use crate::operation::{Conditions, Document, OperationLimits, normalise};
    use crate::plan::document::Client;
    use crate::plan::overrides::Overrides;
    use crate::supergraph::Supergraph;
    use crate::{SubgraphSdl, compose};

    use super::{Decisions, PlanError, PlanSettings, Task, planner};

    const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@external\"])";

    fn supergraph(sdls: impl Iterator<Item = String>) -> Supergraph {
        let subgraphs: Vec<_> = sdls
            .enumerate()
            .map(|(number, sdl)| SubgraphSdl {
                name: format!("s{number}"),
                url: None,
                sdl: format!("{LINK}\n{sdl}"),
            })
            .collect();
        Supergraph::parse(&compose(&subgraphs).unwrap().supergraph_sdl).unwrap()
    }

    /// How many steps a plan takes; none where it is given up.
    fn steps(supergraph: &Supergraph, operation: &str, is_frugal: bool) -> Option<usize> {
        let limits = OperationLimits::default();
        let document = Document::parse(supergraph.api(), operation, None, &limits).unwrap();
        let operation = normalise(supergraph, &document, &Conditions::of(&document)).unwrap();
        let task = Task {
            supergraph,
            overrides: &Overrides::default(),
            client: &Client { operation: &document.operation, kind: document.kind() },
            operation: &operation.selections,
            settings: &PlanSettings::default(),
        };
        match planner::draft(&task, Decisions::default(), is_frugal) {
            Ok(found) => Some(found.steps),
            Err(PlanError::Exhausted) => None,
            Err(PlanError::Unreachable(coordinate)) => panic!("{coordinate}"),
        }
    }

    #[test]
    fn keys_that_lead_through_all_subgraphs_take_steps_in_proportion() {
        let steps = |subgraphs: usize| {
            let supergraph = supergraph((0..subgraphs).map(|number| {
                let next = (number + 1) % subgraphs;
                format!(
                    "type Query {{ thing{number}: Thing }} \
                     type Thing @key(fields: \"key{number}\") @key(fields: \"key{next}\") \
                     {{ key{number}: ID! key{next}: ID! own{number}: String }}"
                )
            }));
            let operation = format!("{{ thing0 {{ own{} }} }}", subgraphs / 2);
            steps(&supergraph, &operation, false).unwrap()
        };
        let (few, many) = (steps(8), steps(32));
        assert!(many <= few * 5, "{few}, {many}");
    }

    #[test]
    fn types_that_all_differ_are_given_up_early_and_planned_frugally_in_proportion() {
        const TYPES: usize = 20;
        let supergraph = supergraph((0..TYPES).map(|number| {
            let promised = if number == 0 { "next: Node" } else { "" };
            let mut sdl = format!(
                "type Query {{ node{number}: Node }} interface Node {{ id: ID! extra{number}: Int {promised} }}"
            );
            for ty in 0..TYPES {
                let next = match (ty == number, number) {
                    (true, _) => "next: Node",
                    (false, 0) => "next: Node @external",
                    (false, _) => "",
                };
                write!(sdl, " type T{ty} implements Node @key(fields: \"id\") {{ id: ID! extra{number}: Int {next} }}")
                    .unwrap();
            }
            sdl
        }));
        let operation = |depth: usize| {
            let inner = "next { extra1 ... on T3 { extra2 } ".repeat(depth);
            format!("{{ node0 {{ {inner} {} }} }}", "}".repeat(depth))
        };
        assert!(steps(&supergraph, &operation(1), false).is_some());
        assert_eq!(steps(&supergraph, &operation(8), false), None);
        let frugal = |depth| steps(&supergraph, &operation(depth), true).unwrap();
        let (few, many) = (frugal(8), frugal(24));
        assert!(many <= few * 4, "{few}, {many}");
    }
}
