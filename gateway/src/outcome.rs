//! What becomes of a request: it is refused, it is a GraphQL request error, or it was executed.
//!
//! A step of the pipeline that ends the request early answers with one of the first two. What broke inside is never told to a
//! client: [`Outcome::internal`] logs it under a trace id, and the client is shown the id.

use std::borrow::Cow;
use std::fmt::Display;

use federation::{Payload, RequestError};
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

use crate::caching::CachePolicy;
use crate::code::Code;
use crate::extensions::Extensions;
use crate::points::Report;

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was turned away: it is not a GraphQL-over-HTTP request, or it may not be answered.
    Refused(Refusal),
    /// Its operation cannot be run. There is no data.
    RequestError(Vec<RequestError>),
    /// Its operation was run. There is data, though it may be null.
    Executed(Box<Executed>),
}

/// Why a request was turned away.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) trace_id: Option<Uuid>,
    /// What it would have cost, where that is the reason.
    pub(crate) cost: Option<Box<Report>>,
}

/// What the engine answered.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) response: federation::Response,
    /// The headers that subgraphs send to the client, `set-cookie` above all.
    pub(crate) headers: HeaderMap,
    /// How long it may be kept, as its subgraphs say.
    pub(crate) policy: CachePolicy,
    /// What is told besides.
    pub(crate) extensions: Extensions,
}

impl Executed {
    /// An answer of which nothing is told besides.
    pub(crate) fn new(
        response: federation::Response,
        headers: HeaderMap,
        policy: CachePolicy,
    ) -> Self {
        Self { response, headers, policy, extensions: Extensions::default() }
    }
}

/// A part of an answer that comes in parts, which may be all of it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) payload: Payload,
    /// What is told besides, where nothing follows but the next event.
    pub(crate) extensions: Extensions,
}

impl Outcome {
    /// A refusal.
    pub(crate) fn refused(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self::Refused(Refusal {
            code,
            message: message.into(),
            headers: Vec::new(),
            trace_id: None,
            cost: None,
        })
    }

    /// What is not a GraphQL-over-HTTP request.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::refused(Code::BadRequest, message)
    }

    /// A method that is not answered; `allowed` are those that are.
    pub(crate) fn method_not_allowed(
        message: impl Into<Cow<'static, str>>,
        allowed: &'static str,
    ) -> Self {
        Self::refused(Code::MethodNotAllowed, message)
            .with_header(ALLOW, HeaderValue::from_static(allowed))
    }

    /// Credentials that are not good.
    pub(crate) fn unauthenticated(message: impl Into<Cow<'static, str>>) -> Self {
        let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        Self::refused(Code::Unauthenticated, message).with_header(WWW_AUTHENTICATE, challenge)
    }

    /// Something broke: `detail` goes to the log.
    pub(crate) fn internal(detail: &dyn Display) -> Self {
        let trace_id = Uuid::now_v7();
        tracing::error!(%trace_id, "{detail}");
        let message = format!("internal error (trace {trace_id})");
        Self::Refused(Refusal {
            code: Code::InternalServerError,
            message: message.into(),
            headers: Vec::new(),
            trace_id: Some(trace_id),
            cost: None,
        })
    }

    /// The same refusal with a header more.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.headers.push((name, value));
        }
        self
    }

    /// The same refusal with what the operation would have cost.
    pub(crate) fn with_cost(mut self, report: Report) -> Self {
        if let Self::Refused(refusal) = &mut self {
            refusal.cost = Some(Box::new(report));
        }
        self
    }

    /// The code that decides the status; none when the operation was run.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(refusal) => Some(refusal.code),
            Self::RequestError(errors) => Some(
                errors
                    .first()
                    .map_or(Code::InternalServerError, |error| Code::Operation(error.code)),
            ),
            Self::Executed(_) => None,
        }
    }
}
