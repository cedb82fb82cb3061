//! What a name is: in Unicode's form NFC; of media, no path.

use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest name that common file systems keep.
const MOST_MEDIA_NAME_BYTES: usize = 255;

pub(crate) fn normal(name: &str) -> String {
    if is_nfc(name) { name.to_owned() } else { name.nfc().collect() }
}

/// What is wrong with a name as that of a media file, whatever system it is used on.
pub(crate) fn media_problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > MOST_MEDIA_NAME_BYTES {
        Some("it is longer than 255 bytes")
    } else if name.contains(['/', '\\']) {
        Some("it is a path")
    } else if name.chars().all(|c| c == '.') {
        Some("it is a folder")
    } else if name.contains(char::is_control) {
        Some("it holds control characters")
    } else if name.as_bytes().get(1) == Some(&b':') {
        Some("it names a drive")
    } else {
        None
    }
}

/// The words of a note's tags, as the database keeps them: with spaces between.
pub(crate) fn tags(text: &str) -> Vec<String> {
    text.split([' ', '\u{3000}']).filter(|tag| !tag.is_empty()).map(normal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_name_is_no_path() {
        for name in ["", "a/b", "..", ".", "a\\b", "a\nb", "C:x", "a\0"] {
            assert!(media_problem(name).is_some(), "{name:?}");
        }
        for name in ["a.png", "é.png", "..a", "paste-1.jpg", "_x.js"] {
            assert_eq!(media_problem(name), None, "{name:?}");
        }
        assert!(media_problem(&"é".repeat(128)).is_some());
    }

    #[test]
    fn names_are_composed() {
        assert_eq!(normal("e\u{301}"), "é");
        assert_eq!(tags(" a::b\u{3000}e\u{301}  c "), ["a::b", "é", "c"]);
    }
}
