//! What an operation is answered with over time: one response, one for each event of a subscription, or an initial response
//! with what `@defer` and `@stream` left for later.
//!
//! The names are those of the specification's incremental delivery (`pending`, `incremental`, `completed`, `hasNext`).

use std::sync::Arc;

use super::PathSegment;
use super::response::{Response, ResponseError};

/// One part of an operation's answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// A whole response: the only one of a query or mutation, or that to one event of a subscription.
    Response(Response),
    /// The first part of a response that is delivered incrementally.
    Initial(InitialResponse),
    /// A later part of it.
    Subsequent(SubsequentResponse),
}

/// What was not deferred, and what is still to come. More always follows.
#[derive(Debug, Clone, PartialEq)]
pub struct InitialResponse {
    /// `data` and `errors` of what was not deferred.
    pub response: Response,
    /// What was announced with it.
    pub pending: Vec<Pending>,
}

/// What became known since the last part.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SubsequentResponse {
    /// What is announced with this part.
    pub pending: Vec<Pending>,
    /// Data for what was announced before.
    pub incremental: Vec<Incremental>,
    /// What of the announced needs no more data.
    pub completed: Vec<Completed>,
    /// What it adds to the cost of the parts before, as [`Response::cost`] counts it.
    pub cost: Option<f64>,
    /// Whether another part follows.
    pub has_next: bool,
}

/// A deferred fragment or streamed list at one place of the answer, announced.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Names it in later parts; unique in the answer.
    pub id: usize,
    /// The object of the fragment, or the list.
    pub path: Vec<PathSegment>,
    /// The directive's label.
    pub label: Option<Arc<str>>,
}

/// Data for a place of the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Incremental {
    /// What was announced.
    pub pending: Pending,
    /// Where below the path of `pending` the data belongs.
    pub sub_path: Vec<PathSegment>,
    /// What is delivered.
    pub delivery: Delivery,
    /// Errors of fields in the data, with paths from the answer's root.
    pub errors: Vec<ResponseError>,
}

/// What is delivered for a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Delivery {
    /// The fields of a deferred fragment: a JSON object, as text.
    Data(Vec<u8>),
    /// The next items of a streamed list.
    Items {
        /// A JSON array, as text.
        json: Vec<u8>,
        /// The index in the list of the first of them.
        first: usize,
    },
}

/// Something announced that is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// What was announced.
    pub pending: Pending,
    /// Why nothing came of it, or no more: errors that reached the fragment's object or the list.
    pub errors: Vec<ResponseError>,
}

impl Payload {
    /// Whether another part follows for certain. Whether another event does is known only once the stream ends.
    #[must_use]
    pub fn has_next(&self) -> bool {
        match self {
            Self::Response(_) => false,
            Self::Initial(_) => true,
            Self::Subsequent(part) => part.has_next,
        }
    }
}
