//! A request body in pieces that are sent one after another, so that what it is made of is not copied together.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A request body in pieces. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    next: Option<Bytes>,
    rest: std::vec::IntoIter<Bytes>,
}

impl From<Bytes> for Pieces {
    fn from(bytes: Bytes) -> Self {
        Self { next: Some(bytes).filter(|bytes| !bytes.is_empty()), rest: Vec::new().into_iter() }
    }
}

impl From<Vec<Bytes>> for Pieces {
    fn from(mut pieces: Vec<Bytes>) -> Self {
        pieces.retain(|piece| !piece.is_empty());
        let mut rest = pieces.into_iter();
        Self { next: rest.next(), rest }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.next.take();
        self.next = self.rest.next();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let pieces = self.next.iter().chain(self.rest.as_slice());
        SizeHint::with_exact(pieces.map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn pieces_are_sent_in_order_and_their_length_is_known() {
        for (pieces, expected) in [
            (Pieces::from(Bytes::new()), ""),
            (Pieces::from(Bytes::from_static(b"one")), "one"),
            (Pieces::from(["a", "", "bc", "d"].map(Bytes::from).to_vec()), "abcd"),
        ] {
            assert_eq!(pieces.is_end_stream(), expected.is_empty());
            assert_eq!(pieces.size_hint().exact(), Some(expected.len() as u64));
            assert_eq!(pieces.clone().collect().await.unwrap().to_bytes(), expected);
        }
    }
}
