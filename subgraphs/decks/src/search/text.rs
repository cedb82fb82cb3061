//! Words of a text as search knows them: without regard to case and marks, each with its place. Letters of scripts that are written without
//! spaces are words of their own. It is the one thing that both stores and the marking of matches rest on, so they agree.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// In lower case, without marks.
    pub folded: String,
    /// Where it stands in the text, in bytes.
    pub range: Range<usize>,
}

/// The words of a text in order.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        if is_combining_mark(c) {
            if let Some(word) = words.last_mut().filter(|_| open) {
                word.range.end = end;
            }
        } else if !c.is_alphanumeric() {
            open = false;
        } else {
            let alone = stands_alone(c);
            if !open || alone {
                words.push(Word { folded: String::new(), range: at..end });
            }
            if let Some(word) = words.last_mut() {
                word.folded.extend(fold(c));
                word.range.end = end;
            }
            open = !alone;
        }
    }
    words.retain(|word| !word.folded.is_empty());
    words
}

fn fold(c: char) -> impl Iterator<Item = char> {
    let lower = c.to_lowercase().nfkd().filter(|c| !is_combining_mark(*c));
    lower.flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric())
}

/// Whether a letter is of a script that is written without spaces.
const fn stands_alone(c: char) -> bool {
    matches!(c as u32, 0x0E00..=0x0EFF | 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_the_same_without_case_and_marks() {
        assert_eq!(folded("Élan VITAL, naïve-ß"), ["elan", "vital", "naive", "ß"]);
        assert_eq!(folded("e\u{301}te\u{301}"), ["ete"]);
        assert_eq!(folded("日本語 ok"), ["日", "本", "語", "ok"]);
        assert_eq!(folded("x²+y"), ["x2", "y"]);
        let text = "a Émile!";
        assert_eq!(&text[words(text)[1].range.clone()], "Émile");
    }

    proptest! {
        #[test]
        fn any_text_has_words_in_order_within_it(text in "\\PC*") {
            let mut before = 0;
            for word in words(&text) {
                prop_assert!(before <= word.range.start && word.range.start < word.range.end);
                prop_assert!(text.get(word.range.clone()).is_some());
                prop_assert!(word.folded.chars().all(char::is_alphanumeric));
                before = word.range.end;
            }
        }
    }
}
