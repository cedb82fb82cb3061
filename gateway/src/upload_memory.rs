//! Bounds the memory that the files of all clients take together: a request has its room before its files are received, and until it is
//! answered.

use std::sync::Arc;

use http::HeaderValue;
use http::header::RETRY_AFTER;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::code::Code;
use crate::outcome::Outcome;

/// What memory is counted in, in bytes.
const PIECE: u64 = 1 << 10;

/// The room there is.
#[derive(Debug)]
pub(crate) struct UploadMemory {
    free: Arc<Semaphore>,
    pieces: u32,
}

/// Room for one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    _pieces: OwnedSemaphorePermit,
}

impl UploadMemory {
    /// Room for as many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        let pieces = pieces(bytes);
        let most = usize::try_from(pieces).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(most)), pieces }
    }

    /// Room for `bytes` of it; for a request that may be larger than all of it, all of it.
    ///
    /// # Errors
    /// [`Code::Overloaded`] with `Retry-After` when there is not so much.
    pub(crate) fn take(&self, bytes: u64) -> Result<Room, Outcome> {
        let pieces = pieces(bytes).min(self.pieces);
        match self.free.clone().try_acquire_many_owned(pieces) {
            Ok(pieces) => Ok(Room { _pieces: pieces }),
            Err(_) => {
                let message = "more files are being sent than there is room for: try again";
                Err(Outcome::refused(Code::Overloaded, message)
                    .with_header(RETRY_AFTER, HeaderValue::from_static("1")))
            }
        }
    }
}

fn pieces(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PIECE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_had_until_it_is_given_back() {
        let memory = UploadMemory::new(10 << 10);
        let room = memory.take((4 << 10) + 1).unwrap();
        assert_eq!(memory.take(6 << 10).unwrap_err().code(), Some(Code::Overloaded));
        let other = memory.take(5 << 10).unwrap();
        drop(room);
        let again = memory.take(5 << 10).unwrap();
        assert!(memory.take(u64::MAX).is_err());
        drop((other, again));
        assert!(memory.take(u64::MAX).is_ok());
    }
}
