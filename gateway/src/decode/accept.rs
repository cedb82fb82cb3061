//! Which media types a client accepts an answer in, and which one it gets.
//!
//! An answer that comes at once is JSON. One that comes in parts needs a stream: events of a subscription are sent to whoever
//! accepts a stream or does not care, a response is delivered incrementally only to those who ask for one by name. The rules are
//! those of RFC 9110, section 12.5.1: the most specific range counts, then the quality, then what the client names first.

use federation::OperationKind;
use http::HeaderMap;
use http::header::ACCEPT;

use super::media::{MediaType, Range};
use crate::code::Code;
use crate::outcome::Outcome;

/// How an answer that comes in parts is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamType {
    /// `text/event-stream`, as GraphQL over SSE has it.
    EventStream,
    /// `multipart/mixed`.
    Multipart(Multipart),
}

/// What the parts of a multipart body are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Multipart {
    /// `subscriptionSpec=1.0`: responses in Apollo's envelope.
    Apollo,
    /// Without a parameter, or with one that stands for it: parts of incremental delivery in the current form.
    Current,
    /// `deferSpec=20220824`: parts of incremental delivery as they were in 2022.
    Of2022,
}

/// The form of incremental delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// With `pending`, `incremental` and `completed`.
    Current,
    /// `deferSpec=20220824`.
    Of2022,
}

impl Multipart {
    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Apollo => "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0",
            Self::Current => "multipart/mixed;boundary=\"graphql\";incrementalSpec=v0.2",
            Self::Of2022 => "multipart/mixed;boundary=\"graphql\";deferSpec=20220824",
        }
    }

    fn is_meant_by(self, protocol: Option<&str>) -> bool {
        match self {
            Self::Apollo => protocol == Some("subscriptionspec=1.0"),
            Self::Current => matches!(protocol, None | Some("incrementalspec=v0.2")),
            Self::Of2022 => protocol == Some("deferspec=20220824"),
        }
    }
}

/// How one answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    AtOnce(MediaType),
    Stream(StreamType),
}

/// What a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// For an answer that comes at once.
    single: Option<MediaType>,
    /// For the events of a subscription.
    events: Option<StreamType>,
    /// For a response that is delivered incrementally.
    incremental: Option<StreamType>,
}

/// What the client accepts; JSON, and event streams for subscriptions, where it does not say.
///
/// # Errors
/// [`Code::NotAcceptable`] when it accepts nothing that there is.
pub(crate) fn negotiate(headers: &HeaderMap) -> Result<Accepted, Outcome> {
    let ranges: Vec<Range<'_>> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(Range::parse)
        .collect();
    if !headers.contains_key(ACCEPT) {
        return Ok(Accepted {
            single: Some(MediaType::Json),
            events: Some(StreamType::EventStream),
            incremental: None,
        });
    }
    let accepted = Accepted {
        single: best(&ranges, &[MediaType::Json, MediaType::GraphQlResponse], single_specificity),
        events: best(
            &ranges,
            &[
                StreamType::EventStream,
                StreamType::Multipart(Multipart::Apollo),
                StreamType::Multipart(Multipart::Current),
            ],
            stream_specificity,
        ),
        incremental: best(
            &ranges,
            &[
                StreamType::Multipart(Multipart::Current),
                StreamType::Multipart(Multipart::Of2022),
                StreamType::EventStream,
            ],
            |range, stream_type| match stream_specificity(range, stream_type) {
                3 => 3,
                _ => 0,
            },
        ),
    };
    if accepted.single.is_none() && accepted.events.is_none() && accepted.incremental.is_none() {
        return Err(Outcome::refused(
            Code::NotAcceptable,
            "the answer is application/graphql-response+json or application/json in UTF-8, or in parts \
             text/event-stream or multipart/mixed: accept one of them",
        ));
    }
    Ok(accepted)
}

impl Accepted {
    /// How an operation is answered; `has_deferred` tells whether it asks for incremental delivery.
    ///
    /// # Errors
    /// [`Code::NotAcceptable`] when the client accepts nothing that such an answer can be in.
    pub(crate) fn delivery(
        self,
        kind: OperationKind,
        has_deferred: bool,
    ) -> Result<Delivery, Outcome> {
        let stream = self.incremental.or(self.events);
        match (kind, self.single, stream) {
            (OperationKind::Subscription, _, _) => {
                self.events.map(Delivery::Stream).ok_or_else(|| {
                    Outcome::refused(
                        Code::NotAcceptable,
                        "a subscription is answered in text/event-stream or \
                         multipart/mixed;subscriptionSpec=1.0, or over a WebSocket: accept one of them",
                    )
                })
            }
            (_, Some(media_type), _) => match self.incremental {
                Some(stream_type) if has_deferred => Ok(Delivery::Stream(stream_type)),
                _ => Ok(Delivery::AtOnce(media_type)),
            },
            (_, None, Some(stream_type)) => Ok(Delivery::Stream(stream_type)),
            (_, None, None) => Ok(Delivery::AtOnce(MediaType::Json)),
        }
    }

    /// What the reason is told in when a request is not answered.
    pub(crate) fn for_errors(self) -> MediaType {
        self.single.unwrap_or(MediaType::Json)
    }

    /// Whether that is told as an event instead: of an operation that cannot be run, to a client that reads nothing but events.
    pub(crate) fn tells_errors_as_events(self, outcome: &Outcome) -> bool {
        self.single.is_none()
            && self.events == Some(StreamType::EventStream)
            && matches!(outcome, Outcome::RequestError(_))
    }
}

/// Of `types`, the one that the client likes best.
fn best<T: Copy>(
    ranges: &[Range<'_>],
    types: &[T],
    specificity: impl Fn(&Range<'_>, T) -> u8,
) -> Option<T> {
    let mut best: Option<(Rank, T)> = None;
    for media_type in types {
        if let Some(rank) = Rank::of(ranges, |range| specificity(range, *media_type))
            && best.as_ref().is_none_or(|(known, _)| rank.is_better_than(known))
        {
            best = Some((rank, *media_type));
        }
    }
    best.map(|(_, media_type)| media_type)
}

/// How much a client likes a media type.
struct Rank {
    /// 1 to 1000.
    quality: u16,
    /// Where the client names it.
    position: usize,
}

impl Rank {
    /// By the most specific range that matches; `None` when there is none or it says no.
    fn of(ranges: &[Range<'_>], specificity: impl Fn(&Range<'_>) -> u8) -> Option<Self> {
        let (position, range) = ranges
            .iter()
            .enumerate()
            .filter(|(_, range)| range.utf8 && specificity(range) > 0)
            .max_by_key(|(position, range)| (specificity(range), std::cmp::Reverse(*position)))?;
        (range.quality > 0).then_some(Self { quality: range.quality, position })
    }

    fn is_better_than(&self, other: &Self) -> bool {
        self.quality > other.quality
            || (self.quality == other.quality && self.position < other.position)
    }
}

/// 0 when a range does not match, else the greater the more it says.
fn single_specificity(range: &Range<'_>, media_type: MediaType) -> u8 {
    if range.essence.eq_ignore_ascii_case(media_type.essence()) {
        3
    } else {
        wildcard_specificity(range, "application/*")
    }
}

fn stream_specificity(range: &Range<'_>, stream_type: StreamType) -> u8 {
    let is = |essence: &str| range.essence.eq_ignore_ascii_case(essence);
    match stream_type {
        StreamType::EventStream if is("text/event-stream") => 3,
        StreamType::EventStream => wildcard_specificity(range, "text/*"),
        StreamType::Multipart(kind) if is("multipart/mixed") => {
            if kind.is_meant_by(range.protocol.as_deref()) { 3 } else { 0 }
        }
        StreamType::Multipart(_) => 0,
    }
}

fn wildcard_specificity(range: &Range<'_>, of_type: &str) -> u8 {
    if range.essence.eq_ignore_ascii_case(of_type) { 2 } else { u8::from(range.essence == "*/*") }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn chosen(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        negotiate(&headers).ok()?.single
    }

    #[test]
    fn the_answer_is_in_what_the_client_likes_best() {
        use MediaType::{GraphQlResponse, Json};
        for (accept, expected) in [
            ("application/json", Some(Json)),
            ("application/json; charset=UTF-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphQlResponse)),
            ("APPLICATION/GraphQL-Response+JSON;charset=\"utf-8\"", Some(GraphQlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphQlResponse)),
            ("application/graphql-response+json;q=0.2, application/json;q=0.9", Some(Json)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Json)),
            ("*/*;q=0.1, application/json", Some(Json)),
            ("application/graphql-response+json;q=0, */*", Some(Json)),
            ("application/json;q=0", None),
            ("application/json; charset=utf-16", None),
            ("text/html", None),
            ("", None),
            ("application/json;q=seven", None),
        ] {
            assert_eq!(chosen(accept), expected, "{accept}");
        }
    }

    #[test]
    fn without_accept_it_is_json() {
        assert_eq!(negotiate(&HeaderMap::new()).unwrap().single, Some(MediaType::Json));
    }

    #[test]
    fn several_accept_headers_are_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/html"));
        headers.append(ACCEPT, HeaderValue::from_static("application/json"));
        assert_eq!(negotiate(&headers).unwrap().single, Some(MediaType::Json));
    }

    fn delivery(accept: &str, kind: OperationKind, has_deferred: bool) -> Option<Delivery> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        negotiate(&headers).ok()?.delivery(kind, has_deferred).ok()
    }

    /// What the clients of the field send.
    const APOLLO_SUBSCRIPTION: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,\
        application/graphql-response+json,application/json;q=0.9";
    const APOLLO_DEFER: &str = "multipart/mixed;deferSpec=20220824,\
        application/graphql-response+json,application/json;q=0.9";
    const APOLLO_DEFER_NEW: &str = "multipart/mixed;incrementalSpec=v0.2,\
        application/graphql-response+json,application/json;q=0.9";
    const URQL: &str = "application/graphql-response+json, application/graphql+json, \
        application/json, text/event-stream, multipart/mixed";

    #[test]
    fn a_subscription_is_answered_in_a_stream_that_the_client_knows() {
        use StreamType::EventStream;
        let multipart = StreamType::Multipart;
        for (accept, expected) in [
            (APOLLO_SUBSCRIPTION, Some(multipart(Multipart::Apollo))),
            (URQL, Some(EventStream)),
            ("text/event-stream", Some(EventStream)),
            ("multipart/mixed", Some(multipart(Multipart::Current))),
            ("multipart/mixed, text/event-stream;q=0.5", Some(multipart(Multipart::Current))),
            ("*/*", Some(EventStream)),
            ("application/json", None),
            ("multipart/mixed;subscriptionSpec=2.0, application/json", None),
            (APOLLO_DEFER, None),
        ] {
            let delivery = delivery(accept, OperationKind::Subscription, false);
            assert_eq!(delivery, expected.map(Delivery::Stream), "{accept}");
        }
    }

    #[test]
    fn a_response_comes_in_parts_only_to_those_who_ask_for_them() {
        let at_once = Delivery::AtOnce(MediaType::GraphQlResponse);
        let multipart = |kind| Delivery::Stream(StreamType::Multipart(kind));
        for (accept, plain, deferred) in [
            (APOLLO_DEFER, at_once, multipart(Multipart::Of2022)),
            (APOLLO_DEFER_NEW, at_once, multipart(Multipart::Current)),
            (APOLLO_SUBSCRIPTION, at_once, at_once),
            (URQL, at_once, Delivery::Stream(StreamType::EventStream)),
            ("*/*", Delivery::AtOnce(MediaType::Json), Delivery::AtOnce(MediaType::Json)),
            (
                "text/event-stream",
                Delivery::Stream(StreamType::EventStream),
                Delivery::Stream(StreamType::EventStream),
            ),
        ] {
            assert_eq!(delivery(accept, OperationKind::Query, false), Some(plain), "{accept}");
            assert_eq!(delivery(accept, OperationKind::Query, true), Some(deferred), "{accept}");
        }
    }
}
