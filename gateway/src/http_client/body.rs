//! Takes in a response body within bounds, as one piece of memory.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

use super::error::ClientError;

/// How much memory is set aside on a server's word alone, in bytes.
const TRUSTED: usize = 1 << 20;

/// The whole body. One that arrives in one piece is not copied.
///
/// # Errors
/// [`ClientError::TooLarge`] when it is larger than `limit`, [`ClientError::Broken`] when it does not arrive completely.
pub(super) async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, ClientError> {
    let too_large = || ClientError::TooLarge { limit };
    let announced = body.size_hint().exact().map(|length| usize::try_from(length).unwrap_or(limit));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let first = loop {
        match next(&mut body).await? {
            None => return Ok(Bytes::new()),
            Some(piece) if piece.is_empty() => {}
            Some(piece) => break piece,
        }
    };
    if first.len() > limit {
        return Err(too_large());
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let expected = announced.map_or(first.len() * 2, |length| length.min(TRUSTED));
    let mut whole = BytesMut::with_capacity(expected.max(first.len()));
    whole.extend_from_slice(&first);
    drop(first);
    while let Some(piece) = next(&mut body).await? {
        if whole.len() + piece.len() > limit {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The next piece; trailers are passed over.
async fn next(body: &mut Incoming) -> Result<Option<Bytes>, ClientError> {
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(ClientError::broken)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}
