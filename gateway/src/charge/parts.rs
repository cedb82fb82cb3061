//! Settles answers that come in parts: one in parts once it is whole; of a subscription each event, of which the first is what was taken for.

use federation::{OperationKind, Payload};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::outcome::Part;

use super::Charge;

impl Charge {
    /// The same parts, of which those that end an answer tell what it cost. Whoever leaves before the end is given nothing back.
    pub(crate) fn follow(
        self,
        kind: OperationKind,
        parts: BoxStream<'static, Part>,
    ) -> BoxStream<'static, Part> {
        if self.requested.is_none() {
            return parts;
        }
        let mut charge = Some(self);
        let mut sum = Some(0.0);
        let settled = parts.map(move |mut part| {
            let (cost, is_last) = match &part.payload {
                Payload::Response(response) => (response.cost, true),
                Payload::Initial(initial) => (initial.response.cost, false),
                Payload::Subsequent(later) => (later.cost, !later.has_next),
            };
            sum = sum.zip(cost).map(|(sum, cost)| sum + cost);
            if is_last && let Some(settled) = charge.take() {
                if kind == OperationKind::Subscription {
                    charge = Some(settled.for_another());
                }
                part.extensions.cost = settled.settle(sum);
                sum = Some(0.0);
            }
            part
        });
        settled.boxed()
    }
}
