//! Bytes that a store keeps in pieces of one size, read as a stream.

use std::ops::Range;

use bytes::Bytes;
use common::StoreError;
use futures::stream::{BoxStream, StreamExt};

/// The bytes in `range`, which lies within what there is, piece by piece: each but the last has `size` bytes. `piece` reads one by its number
/// from 0; the stream fails where there is none, with `gone` as its message.
pub(super) fn pieces<F>(
    range: Range<u64>,
    size: usize,
    gone: String,
    piece: impl Fn(u32) -> F + Send + 'static,
) -> BoxStream<'static, Result<Bytes, StoreError>>
where
    F: Future<Output = Result<Option<Bytes>, StoreError>> + Send + 'static,
{
    let size = size as u64;
    let numbers = range.start / size..range.end.div_ceil(size);
    let read = numbers.map(move |number| {
        let wanted = u32::try_from(number).ok().map(&piece);
        let gone = StoreError::Corrupt(gone.clone());
        let range = range.clone();
        async move {
            let Some(wanted) = wanted else { return Err(gone) };
            let bytes = wanted.await?.ok_or(gone)?;
            let within = |place: u64| {
                let place = place.saturating_sub(number * size);
                usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len())
            };
            Ok(bytes.slice(within(range.start)..within(range.end)))
        }
    });
    futures::stream::iter(read).then(|piece| piece).boxed()
}
