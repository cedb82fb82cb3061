//! How much of a text is kept in memory at once: what is longer ends reading, before it is there.

use std::cell::{Cell, RefCell};
use std::io::{BufRead, Read};

/// How much more may be read of what is being kept.
#[derive(Debug)]
pub(super) struct Meter {
    most: u64,
    /// Bytes; `None` where nothing is kept.
    left: Cell<Option<u64>>,
    /// What took more, and how many bytes it may have.
    pub(super) exceeded: RefCell<Option<String>>,
}

impl Meter {
    /// One that keeps at most so many bytes of each thing.
    pub(super) fn of(most: u64) -> Self {
        Self { most, left: Cell::default(), exceeded: RefCell::default() }
    }

    /// Reads something of at most so many bytes, or more where `at_least` says so.
    pub(super) fn keep<T>(
        &self,
        what: impl Fn() -> String,
        at_least: u64,
        read: impl FnOnce() -> T,
    ) -> T {
        let most = self.most.max(at_least);
        self.left.set(Some(most));
        let read = read();
        if self.left.take() == Some(0) {
            *self.exceeded.borrow_mut() =
                Some(format!("{}: it has more than {most} bytes", what()));
        }
        read
    }
}

/// A text that ends with an error where the meter says so.
pub(super) struct Metered<'m, R>(pub(super) R, pub(super) &'m Meter);

impl<R: BufRead> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = match self.1.left.get() {
            None => buffer.len(),
            Some(0) => return Err(std::io::ErrorKind::FileTooLarge.into()),
            Some(left) => buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX)),
        };
        let read = self.0.read(&mut buffer[..most])?;
        self.1.left.set(self.1.left.get().map(|left| left - read as u64));
        Ok(read)
    }
}
