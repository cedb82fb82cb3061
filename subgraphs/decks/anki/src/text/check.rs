//! What the crate `csv` lets pass, found in the bytes on their way to it: what is not UTF-8, a quotation mark that is never closed, a
//! record without end. It follows quotation marks as `csv` does, and so also knows the line on which each record begins, which `csv` does
//! not tell where blank lines and comments come before it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Position, TextError};

/// Where the reader stands inside a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Plain,
    Quoted,
    /// After a quotation mark inside quotation marks: the end of the field, or half of a doubled one.
    AfterQuote,
    Comment,
}

/// What is found and `csv` has no place for.
#[derive(Clone, Default)]
pub(super) struct Found(Arc<Mutex<Findings>>);

#[derive(Default)]
struct Findings {
    /// The error of which `csv` is only told that there is one.
    error: Option<TextError>,
    /// The lines on which the records begin that `csv` has yet to return: as many at most as its buffer has bytes.
    lines: VecDeque<u64>,
}

impl Found {
    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn error(&self) -> Option<TextError> {
        self.findings().error.take()
    }

    pub(super) fn next_line(&self) -> Option<u64> {
        self.findings().lines.pop_front()
    }
}

/// Bounds on what passes.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: u64,
    pub(super) record_bytes: u64,
}

pub(super) struct Checked<R> {
    inner: R,
    found: Found,
    separator: u8,
    bounds: Bounds,
    state: State,
    at: Position,
    opened: Position,
    /// Bytes so far, and those before the record.
    bytes: u64,
    record_start: u64,
    /// The bytes of a character that ends in what is read next.
    partial: Vec<u8>,
}

impl<R: Read> Checked<R> {
    /// `line` is the number of the first line of `inner`.
    pub(super) fn new(inner: R, found: Found, separator: u8, bounds: Bounds, line: u64) -> Self {
        let at = Position { line, column: 1 };
        Self {
            inner,
            found,
            separator,
            bounds,
            state: State::RecordStart,
            at,
            opened: at,
            bytes: 0,
            record_start: 0,
            partial: Vec::new(),
        }
    }

    fn fail(&self, error: TextError) -> io::Error {
        self.found.findings().error = Some(error);
        io::Error::other("the text is refused")
    }

    fn check(&mut self, bytes: &[u8]) -> Result<(), TextError> {
        let joined;
        let rest = if self.partial.is_empty() {
            bytes
        } else {
            joined = [self.partial.as_slice(), bytes].concat();
            self.partial.clear();
            &joined
        };
        match std::str::from_utf8(rest) {
            Ok(text) => self.text(text),
            Err(error) => {
                let (valid, invalid) = rest.split_at(error.valid_up_to());
                // It is valid up to there; this finds no replacement to make.
                self.text(&String::from_utf8_lossy(valid))?;
                if error.error_len().is_some() {
                    return Err(TextError::Encoding { at: self.at });
                }
                self.partial = invalid.to_owned();
                Ok(())
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), TextError> {
        for character in text.chars() {
            self.bytes += character.len_utf8() as u64;
            self.step(character);
            if character == '\n' {
                self.at = Position { line: self.at.line + 1, column: 1 };
            } else {
                self.at.column += 1;
            }
            for (count, unit, most) in [
                (self.bytes, "bytes in the file", self.bounds.bytes),
                (self.bytes - self.record_start, "bytes in a record", self.bounds.record_bytes),
            ] {
                if count > most {
                    return Err(TextError::TooMuch { at: self.at, unit, most });
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, character: char) {
        let is_separator = character == char::from(self.separator);
        if self.state == State::RecordStart && !matches!(character, '\n' | '\r' | '#') {
            self.found.findings().lines.push_back(self.at.line);
        }
        self.state = match (self.state, character) {
            (State::Quoted, '"') => State::AfterQuote,
            (State::Quoted, _) | (State::AfterQuote, '"') => State::Quoted,
            // A comment ends with its line's `\n` only.
            (State::Comment, c) if c != '\n' => State::Comment,
            (_, '\n' | '\r') => {
                self.record_start = self.bytes;
                State::RecordStart
            }
            (State::RecordStart, '#') => State::Comment,
            (State::RecordStart | State::FieldStart, '"') => {
                self.opened = self.at;
                State::Quoted
            }
            _ if is_separator => State::FieldStart,
            _ => State::Plain,
        };
    }

    fn end(&self) -> Result<(), TextError> {
        if !self.partial.is_empty() {
            return Err(TextError::Encoding { at: self.at });
        }
        if self.state == State::Quoted {
            return Err(TextError::OpenQuote { at: self.opened });
        }
        Ok(())
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let checked = if count > 0 {
            self.check(&buffer[..count])
        } else if buffer.is_empty() {
            Ok(())
        } else {
            self.end()
        };
        match checked {
            Ok(()) => Ok(count),
            Err(error) => Err(self.fail(error)),
        }
    }
}
