//! What stands beside an answer's data: what it cost, and how it came about where that was asked for.

use serde::Serialize;

use crate::explain::Explanation;
use crate::points::Report;

/// The `extensions` of an answer, or of the last part of one.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Extensions {
    /// How the operation was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<Explanation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost: Option<Report>,
}

impl Extensions {
    /// Writes them as a member of a JSON object, after others; nothing when there are none.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        if self.plan.is_none() && self.cost.is_none() {
            return;
        }
        out.extend_from_slice(b",\"extensions\":");
        let start = out.len();
        // Texts and numbers always serialise. Should that ever change, the answer is still one.
        if serde_json::to_writer(&mut *out, self).is_err() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }
}
