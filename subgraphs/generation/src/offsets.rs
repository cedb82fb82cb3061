//! From Python's way of counting in a text to that of the schema: from code points to UTF-16 code units.

use std::ops::Range;

/// For each code point of a text, and for its end, how many UTF-16 code units precede it.
#[derive(Debug)]
pub(crate) struct Offsets(Vec<i32>);

impl Offsets {
    /// Measures a text, whose length must fit a GraphQL `Int`.
    pub(crate) fn of(text: &str) -> Self {
        let mut offsets = vec![0];
        let mut units = 0;
        for character in text.chars() {
            units += if character.len_utf16() == 2 { 2 } else { 1 };
            offsets.push(units);
        }
        Self(offsets)
    }

    /// A range of code points as UTF-16 code units; `None` when it is reversed or reaches out of the text.
    pub(crate) fn utf16(&self, code_points: Range<u64>) -> Option<Range<i32>> {
        let at = |index: u64| self.0.get(usize::try_from(index).ok()?).copied();
        let (start, end) = (at(code_points.start)?, at(code_points.end)?);
        (start <= end).then_some(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What UTF-16 says of a part that is found in the text.
    fn check(text: &str, part: &str) {
        let byte = text.find(part).unwrap();
        let count = |text: &str| text.chars().count() as u64;
        let start = count(&text[..byte]);
        let range = Offsets::of(text).utf16(start..start + count(part)).unwrap();
        let units: Vec<u16> = text.encode_utf16().collect();
        let found = &units[range.start as usize..range.end as usize];
        assert_eq!(String::from_utf16(found).unwrap(), part);
    }

    #[test]
    fn code_points_become_utf16_code_units() {
        check("plain text", "text");
        check("日本語の😀文字、そして🇨🇭", "文字");
        check("👩‍👩‍👧 family", "family");
        check("e\u{301}te\u{301} 𝒳 after", "after");
        assert_eq!(Offsets::of("a😀b").utf16(1..2), Some(1..3));
        assert_eq!(Offsets::of("a😀b").utf16(2..3), Some(3..4));
        assert_eq!(Offsets::of("e\u{301}x").utf16(2..3), Some(2..3));
    }

    #[test]
    fn what_does_not_fit_the_text_is_nowhere() {
        let offsets = Offsets::of("a😀b");
        assert_eq!(offsets.utf16(0..3), Some(0..4));
        assert_eq!(offsets.utf16(3..3), Some(4..4));
        assert_eq!(offsets.utf16(0..4), None);
        assert_eq!(offsets.utf16(Range { start: 2, end: 1 }), None);
        assert_eq!(offsets.utf16(u64::MAX - 1..u64::MAX), None);
    }
}
