//! Receives a request body within bounds.

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use futures::StreamExt;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};

use crate::code::Code;
use crate::outcome::Outcome;

/// How much of a body that is too large is received all the same, in bytes, and thrown away: a client that is still sending when we
/// close the connection would not see the answer.
const DISCARDED: usize = 64 << 20;

/// The whole body.
///
/// # Errors
/// [`Code::PayloadTooLarge`] when it is larger than `limit`, [`Code::BadRequest`] when the client stops in the middle.
pub(crate) async fn receive(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
) -> Result<Bytes, Outcome> {
    let too_large = || {
        Outcome::refused(Code::PayloadTooLarge, format!("the body may have {limit} bytes at most"))
    };
    // Such a client waits for our word before it sends.
    if headers.contains_key(EXPECT) && declared_length(headers).is_some_and(|length| length > limit)
    {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut received = 0_usize;
    let mut kept = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!("a body broke off: {error}");
            Outcome::bad_request("the body did not arrive completely")
        })?;
        received = received.saturating_add(chunk.len());
        if received <= limit {
            kept.extend_from_slice(&chunk);
        } else if received > limit.saturating_add(DISCARDED) {
            break;
        }
    }
    if received > limit { Err(too_large()) } else { Ok(kept.freeze()) }
}

fn declared_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http::HeaderValue;

    use super::*;

    fn chunks(count: usize, size: usize) -> Body {
        let chunk = Bytes::from(vec![b'x'; size]);
        Body::from_stream(stream::iter(
            (0..count).map(move |_| Ok::<_, std::io::Error>(chunk.clone())),
        ))
    }

    fn code(outcome: Outcome) -> Option<Code> {
        outcome.code()
    }

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_received() {
        let body = receive(&HeaderMap::new(), chunks(4, 25), 100).await.unwrap();
        assert_eq!(body.len(), 100);
    }

    #[tokio::test]
    async fn a_larger_one_is_refused_and_not_kept() {
        let error = receive(&HeaderMap::new(), chunks(50, 1 << 20), 1 << 20).await.unwrap_err();
        assert_eq!(code(error), Some(Code::PayloadTooLarge));
        let endless = Body::from_stream(stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from(vec![0; 1 << 20]))
        }));
        let error = receive(&HeaderMap::new(), endless, 10).await.unwrap_err();
        assert_eq!(code(error), Some(Code::PayloadTooLarge));
    }

    #[tokio::test]
    async fn a_client_that_asks_first_need_not_send_it() {
        let mut headers = HeaderMap::new();
        headers.insert(EXPECT, HeaderValue::from_static("100-continue"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static("101"));
        let never = Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
        let error = receive(&headers, never, 100).await.unwrap_err();
        assert_eq!(code(error), Some(Code::PayloadTooLarge));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_refused() {
        let broken = Body::from_stream(stream::iter([
            Ok(Bytes::from_static(b"{\"query\"")),
            Err(std::io::Error::other("gone")),
        ]));
        let error = receive(&HeaderMap::new(), broken, 100).await.unwrap_err();
        assert_eq!(code(error), Some(Code::BadRequest));
    }
}
