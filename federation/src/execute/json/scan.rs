//! A scanner over JSON text: it passes values and says where they were.
//!
//! Refused: everything that is not JSON. Strings are checked to their last escape (half of a surrogate pair is none), numbers to
//! their last digit, and arrays and objects to [`MAX_DEPTH`], without recursion.

use std::borrow::Cow;
use std::ops::Range;

/// How deep arrays and objects may nest in a value that is passed as a whole.
const MAX_DEPTH: usize = 256;

/// Why a text is not JSON, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {at}")]
pub(crate) struct JsonError {
    problem: &'static str,
    at: usize,
}

impl JsonError {
    pub(crate) const fn new(problem: &'static str, at: usize) -> Self {
        Self { problem, at }
    }
}

/// A place in a text.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// The brackets that are open in the value being passed.
    open: Vec<u8>,
}

impl<'a> Scanner<'a> {
    /// A scanner at the beginning of a text, of which only that it is UTF-8 is known.
    pub(crate) fn new(text: &'a str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// A scanner of a text that was scanned before.
    pub(crate) fn of_bytes(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &'a [u8] {
        &self.text[range]
    }

    pub(crate) fn error<T>(&self, problem: &'static str) -> Result<T, JsonError> {
        Err(JsonError::new(problem, self.at))
    }

    /// Passes white space and gives the next byte; 0 at the end, which is no byte of JSON.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    /// Passes the byte that was just looked at.
    #[inline]
    pub(crate) fn pass(&mut self) {
        self.at += 1;
    }

    /// Passes `byte`, perhaps after white space.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, problem: &'static str) -> Result<(), JsonError> {
        if self.peek() != byte {
            return self.error(problem);
        }
        self.at += 1;
        Ok(())
    }

    /// Passes `expected` if the text goes on with it.
    #[inline]
    pub(crate) fn pass_if(&mut self, expected: &[u8]) -> bool {
        let goes_on = self.text[self.at..].starts_with(expected);
        if goes_on {
            self.at += expected.len();
        }
        goes_on
    }

    /// After a value of an array or object: whether another follows the comma, or `close` ends it.
    #[inline]
    pub(crate) fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        match self.peek() {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.error("expected a comma or the end of an array or object"),
        }
    }

    /// Passes an object's key and the colon, and gives the key, quotes included.
    pub(crate) fn key(&mut self) -> Result<&'a [u8], JsonError> {
        if self.peek() != b'"' {
            return self.error("expected a key");
        }
        let key = self.string()?;
        self.expect(b':', "expected a colon")?;
        Ok(&self.text[key])
    }

    /// Passes a value of any kind and gives where it is.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Range<usize>, JsonError> {
        match self.peek() {
            b'{' | b'[' => self.nested(),
            _ => self.scalar(),
        }
    }

    #[inline]
    fn scalar(&mut self) -> Result<Range<usize>, JsonError> {
        match self.peek() {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.error("expected a value"),
        }
    }

    pub(crate) fn literal(&mut self, word: &'static [u8]) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        if !self.pass_if(word) {
            return self.error("expected a value");
        }
        Ok(start..self.at)
    }

    /// Passes an array or object.
    fn nested(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        let base = self.open.len();
        loop {
            // A value begins here.
            let opened = match self.peek() {
                open @ (b'{' | b'[') => {
                    if self.open.len() - base >= MAX_DEPTH {
                        return self.error("the nesting is too deep");
                    }
                    self.at += 1;
                    // The closing bracket stands two bytes after the opening one.
                    self.open.push(open + 2);
                    true
                }
                _ => {
                    self.scalar()?;
                    false
                }
            };
            // After a value, or after a bracket that was opened.
            let mut may_be_empty = opened;
            while let Some(&close) = self.open.last().filter(|_| self.open.len() > base) {
                let next = self.peek();
                if next == close {
                    self.at += 1;
                    self.open.pop();
                    may_be_empty = false;
                    continue;
                }
                if !may_be_empty {
                    self.goes_on(close)?;
                }
                if close == b'}' {
                    self.key()?;
                }
                break;
            }
            if self.open.len() == base {
                return Ok(start..self.at);
            }
        }
    }

    /// Passes a number.
    #[inline]
    fn number(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        match self.text.get(self.at) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits()?,
            _ => return self.error("expected a digit"),
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.text.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(start..self.at)
    }

    #[inline]
    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { self.error("expected a digit") } else { Ok(()) }
    }

    /// Passes a string and gives where it is, quotes included.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Range<usize>, JsonError> {
        let start = self.at;
        self.at += 1;
        loop {
            self.at += plain(&self.text[self.at..]);
            match self.text.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(start..self.at);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.error("a control character in a string"),
                None => return self.error("a string without an end"),
            }
        }
    }

    /// Passes an escape.
    fn escape(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        match self.text.get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                return Ok(());
            }
            Some(b'u') => {}
            _ => return self.error("an escape that is none"),
        }
        match self.code_unit()? {
            0xDC00..=0xDFFF => self.error("the second half of a surrogate pair alone"),
            0xD800..=0xDBFF => {
                if self.text.get(self.at) != Some(&b'\\')
                    || self.text.get(self.at + 1) != Some(&b'u')
                {
                    return self.error("the first half of a surrogate pair alone");
                }
                self.at += 1;
                match self.code_unit()? {
                    0xDC00..=0xDFFF => Ok(()),
                    _ => self.error("the first half of a surrogate pair alone"),
                }
            }
            _ => Ok(()),
        }
    }

    /// Passes `uXXXX` and gives the number.
    fn code_unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for offset in 1..=4 {
            let digit =
                self.text.get(self.at + offset).and_then(|&byte| char::from(byte).to_digit(16));
            match digit {
                Some(digit) => unit = unit * 16 + digit,
                None => return self.error("expected four hexadecimal digits"),
            }
        }
        self.at += 5;
        Ok(unit)
    }

    /// Makes sure that nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        self.peek();
        if self.at < self.text.len() {
            return self.error("expected the end");
        }
        Ok(())
    }
}

/// How many bytes at the beginning of `text` are neither a quote, nor a backslash, nor a control character. Eight at a time.
#[inline]
pub(crate) fn plain(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    /// The high bit of each byte that is zero; perhaps, above such a one, of others.
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGHS
    }
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let backslash = zeros(word ^ (ONES * b'\\' as u64));
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let found = quote | backslash | control;
        if found != 0 {
            return index * 8 + found.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    text.len() - rest.len() + rest.iter().position(special).unwrap_or(rest.len())
}

/// The content of a string that was scanned, given with its quotes.
pub(crate) fn unescaped(string: &[u8]) -> Cow<'_, [u8]> {
    let content = string.get(1..string.len().saturating_sub(1)).unwrap_or_default();
    if !content.contains(&b'\\') {
        return Cow::Borrowed(content);
    }
    let decoded: Result<String, _> = serde_json::from_slice(string);
    Cow::Owned(decoded.unwrap_or_default().into_bytes())
}
