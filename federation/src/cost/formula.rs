//! The estimate of an operation as a formula over its variables.
//!
//! Its nodes stand in an order in which each comes after those that it counts, so that it is evaluated in one pass, in time that grows
//! with the number of nodes, whatever the operation's depth.

use apollo_compiler::Name;

use crate::operation::RequestError;
use crate::value::Object;

use super::size::Size;
use super::{ArgumentCost, CostSettings, DearField};

/// What an operation may cost, for any variables.
#[derive(Debug)]
pub(crate) struct Formula {
    base: f64,
    nodes: Vec<Node>,
    root: Vec<NodeId>,
}

pub(super) type NodeId = usize;

/// A field that costs something.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    pub(super) key: Name,
    pub(super) size: Size,
    /// Of each value.
    pub(super) weight: f64,
    pub(super) arguments: ArgumentCost,
    /// What is selected on each value, for each type that it can be. The dearest counts.
    pub(super) branches: Vec<Vec<NodeId>>,
    /// A size that it says of lists within, and that a request can fail to say.
    pub(super) checked: Option<Size>,
}

/// What a node costs in one request.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    count: f64,
    arguments: f64,
    /// Of one value's selections.
    selected: f64,
    total: f64,
}

impl Node {
    pub(super) fn fixed(key: Name, weight: f64) -> Self {
        Self {
            key,
            size: Size::One,
            weight,
            arguments: ArgumentCost::default(),
            branches: Vec::new(),
            checked: None,
        }
    }

    pub(super) fn costs_something(&self) -> bool {
        self.weight > 0.0
            || self.arguments != ArgumentCost::default()
            || !self.branches.is_empty()
            || self.checked.is_some()
            || self.size.may_fail()
    }
}

impl Formula {
    pub(super) const fn new(base: f64, nodes: Vec<Node>, root: Vec<NodeId>) -> Self {
        Self { base, nodes, root }
    }

    /// How many fields cost something.
    pub(crate) const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What the operation costs at most with `variables`, as far as the sizes of lists are what they are said to be.
    ///
    /// # Errors
    /// [`SlicingArgumentRequired`](crate::RequestErrorCode::SlicingArgumentRequired) when a list is not told how long to be and must be.
    pub(crate) fn evaluate(
        &self,
        variables: &Object,
        settings: &CostSettings,
    ) -> Result<f64, RequestError> {
        let costs = self.costs(variables, settings)?;
        Ok(self.base + sum(&costs, &self.root))
    }

    /// The `most` fields that add most to the cost, the dearest first.
    ///
    /// # Errors
    /// As those of [`evaluate`](Self::evaluate).
    pub(crate) fn dearest(
        &self,
        variables: &Object,
        settings: &CostSettings,
        most: usize,
    ) -> Result<Vec<DearField>, RequestError> {
        let costs = self.costs(variables, settings)?;
        let mut dearest = Dearest { most, fields: Vec::new() };
        self.add_fields(&costs, &self.root, 1.0, &mut Vec::new(), &mut dearest);
        let field = |(cost, path): (f64, Vec<NodeId>)| {
            let keys: Vec<String> = path.iter().map(|id| shortened(&self.nodes[*id].key)).collect();
            DearField { path: keys.join("."), cost: cost.min(f64::MAX) }
        };
        Ok(dearest.fields.into_iter().map(field).collect())
    }

    fn costs(
        &self,
        variables: &Object,
        settings: &CostSettings,
    ) -> Result<Vec<Cost>, RequestError> {
        let mut costs = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            if let Some(size) = &node.checked {
                size.with(variables, settings)?;
            }
            let count = node.size.with(variables, settings)?;
            let arguments = node.arguments.with(variables);
            let branches = node.branches.iter().map(|branch| sum(&costs, branch));
            let selected = branches.reduce(f64::max).unwrap_or_default();
            // Even at the end of the numbers, nothing times anything is nothing.
            let values = if count == 0.0 { 0.0 } else { count * (node.weight + selected) };
            let total = (values + arguments).min(f64::MAX);
            costs.push(Cost { count, arguments, selected, total });
        }
        Ok(costs)
    }

    fn add_fields(
        &self,
        costs: &[Cost],
        ids: &[NodeId],
        times: f64,
        path: &mut Vec<NodeId>,
        dearest: &mut Dearest,
    ) {
        for &id in ids {
            let (node, cost) = (&self.nodes[id], costs[id]);
            path.push(id);
            let own = times * (cost.count * node.weight + cost.arguments);
            let branch = node.branches.iter().find(|branch| sum(costs, branch) >= cost.selected);
            if let Some(branch) = branch {
                self.add_fields(costs, branch, times * cost.count, path, dearest);
            }
            dearest.offer(own, path);
            path.pop();
        }
    }
}

/// The dearest fields so far, the dearest first, by the fields that lead to them. Keys are as long as clients like, so that they are not written
/// before it is known which ones are.
struct Dearest {
    most: usize,
    fields: Vec<(f64, Vec<NodeId>)>,
}

impl Dearest {
    fn offer(&mut self, cost: f64, path: &[NodeId]) {
        let place = self.fields.partition_point(|(other, _)| *other >= cost);
        if cost > 0.0 && place < self.most {
            self.fields.insert(place, (cost, path.to_vec()));
            self.fields.truncate(self.most);
        }
    }
}

/// A key as it is told: of more than 100 characters their beginning.
fn shortened(key: &str) -> String {
    match key.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

fn sum(costs: &[Cost], ids: &[NodeId]) -> f64 {
    ids.iter().map(|&id| costs[id].total).sum::<f64>().min(f64::MAX)
}
