//! Plans what is delivered later apart from what is not: by fetches of its own where there is a way back into a subgraph, so that
//! nothing waits for it.
//!
//! A field that can only be asked for together with what led to it, because its type has no key, is asked for together with it;
//! it is still delivered later.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::operation::{DeferSet, Field};

use super::draft::FetchId;
use super::planner::{PlanError, Planner};
use super::spot::Spot;

impl<'a> Planner<'a> {
    /// Whether a field is delivered after what is being planned. Where two fragments share a field and one of them selects more on
    /// it, that comes no later.
    pub(super) fn is_later(&self, field: &Field) -> bool {
        self.is_deferred(field) && !field.defer.overlaps(self.defer)
    }

    /// Whether a field is of the client's deferred fragments: not one that was gathered for a key or a requirement.
    pub(super) fn is_deferred(&self, field: &Field) -> bool {
        !field.defer.is_none()
    }

    /// Plans fields that are delivered later, those that belong together together. Returns what could not be planned.
    pub(super) fn later(
        &mut self,
        spot: &mut Spot<'a>,
        fields: Vec<Arc<Field>>,
    ) -> Result<Vec<Arc<Field>>, PlanError> {
        let sets: BTreeSet<DeferSet> = fields.iter().map(|field| field.defer).collect();
        let mut rest = Vec::new();
        for set in sets {
            let fields = fields.iter().filter(|field| field.defer == set).cloned().collect();
            rest.extend(self.deferred(spot, set, fields)?);
        }
        Ok(rest)
    }

    fn deferred(
        &mut self,
        spot: &mut Spot<'a>,
        set: DeferSet,
        fields: Vec<Arc<Field>>,
    ) -> Result<Vec<Arc<Field>>, PlanError> {
        let around = std::mem::replace(&mut self.defer, set);
        let origins = spot.origins.len();
        let closed = std::mem::replace(&mut spot.closed, origins);
        let apart = self.at_once(spot, fields);
        // Nobody else is to depend on fetches that are made for these fields alone.
        spot.origins.truncate(origins);
        spot.closed = closed;
        let together = apart.and_then(|rest| self.at_once(spot, rest));
        spot.origins.truncate(origins);
        self.defer = around;
        together
    }

    /// The fetches that are not made for deferred fragments.
    pub(super) fn fetches_at_once(&self) -> BTreeSet<FetchId> {
        let fetches = self.drafts.fetches.iter().enumerate();
        fetches.filter(|(_, fetch)| fetch.defer.is_none()).map(|(id, _)| id).collect()
    }
}
