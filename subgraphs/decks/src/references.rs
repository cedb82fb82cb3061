//! Which media a text names: `[sound:NAME]` and `<img src="NAME">` as Anki writes them, also in `<audio>` and `<source>`, and
//! `![…](media:NAME)` in Markdown.
//!
//! Names in HTML and Markdown may be written with `%` and with entities. What cannot be a name is none: nothing is refused here.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use regex::Regex;

use crate::model::{Content, FieldEdit, MAX_MEDIA_OF_NOTE, MediaName};

#[expect(clippy::expect_used, reason = "the pattern is a constant that a test compiles")]
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"\[sound:(?<sound>[^\]\n]+)\]",
        r#"|(?i:<(?:img|audio|source)\b[^<>]*?\ssrc\s*=\s*(?:"(?<double>[^"<>]+)"|'(?<single>[^'<>]+)'|(?<bare>[^\s"'<>]+)))"#,
        r"|\]\(\s*(?:<media:(?<angled>[^<>\n]+)>|media:(?<plain>(?:[^\s()]|\([^\s()]*\))+))",
    ))
    .expect("a pattern")
});

/// The names in the fields of a note in order, each once: at most [`MAX_MEDIA_OF_NOTE`].
#[must_use]
pub fn media_of(content: &Content) -> Vec<MediaName> {
    let mut names = Vec::new();
    for field in content.fields() {
        for name in names_in(&field.value) {
            if names.len() == MAX_MEDIA_OF_NOTE {
                return names;
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn names_in(text: &str) -> impl Iterator<Item = MediaName> {
    references(text).map(|reference| reference.name)
}

/// A content with other names for media; `None` when it refers to none of `names`, and for one that would become too long: it keeps those it has.
#[must_use]
pub fn renamed(content: &Content, names: &HashMap<MediaName, MediaName>) -> Option<Content> {
    let changed: Vec<Option<String>> =
        content.fields().iter().map(|field| with_names(&field.value, names)).collect();
    if changed.iter().all(Option::is_none) {
        return None;
    }
    let edits = content.fields().iter().zip(changed).map(|(field, changed)| {
        let value = changed.unwrap_or_else(|| field.value.clone());
        FieldEdit { name: field.name.clone(), value: Some(value) }
    });
    Content::new("fields", content.kind(), edits.collect()).ok()
}

/// The text with other names for media, wherever it refers to them; `None` when it refers to none of `names`.
#[must_use]
pub fn with_names(text: &str, names: &HashMap<MediaName, MediaName>) -> Option<String> {
    let mut changed = String::new();
    let mut done = 0;
    for reference in references(text) {
        let Some(name) = names.get(&reference.name) else { continue };
        changed.push_str(&text[done..reference.at.start]);
        if reference.is_sound {
            changed.push_str(name.text());
        } else {
            changed.extend(utf8_percent_encode(name.text(), ESCAPED));
        }
        done = reference.at.end;
    }
    (done > 0).then(|| changed + &text[done..])
}

/// Where a text names a file.
struct Reference {
    name: MediaName,
    at: Range<usize>,
    /// In `[sound:…]` a name stands as it is; elsewhere it is escaped as in an address.
    is_sound: bool,
}

/// What would end a name in HTML or Markdown, or be read as something else.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'<')
    .add(b'>')
    .add(b'(')
    .add(b')')
    .add(b'%')
    .add(b'&');

fn references(text: &str) -> impl Iterator<Item = Reference> {
    REFERENCE.captures_iter(text).filter_map(|found| {
        if let Some(sound) = found.name("sound") {
            let name = MediaName::new("", &without_entities(sound.as_str())).ok()?;
            return Some(Reference { name, at: sound.range(), is_sound: true });
        }
        let written = ["double", "single", "bare", "angled", "plain"];
        let found = written.iter().find_map(|name| found.name(name))?;
        let bare = found.as_str().strip_prefix("media:").unwrap_or(found.as_str());
        let at = found.end() - bare.len()..found.end();
        let written = without_entities(bare);
        let decoded = percent_decode_str(&written).decode_utf8();
        let name = decoded.map_or_else(|_| written.clone(), |decoded| decoded.into_owned());
        // A name may hold a percent sign that stands for itself.
        let name = MediaName::new("", &name).or_else(|_| MediaName::new("", &written)).ok()?;
        Some(Reference { name, at, is_sound: false })
    })
}

fn without_entities(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for (entity, c) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " ")]
    {
        text = text.replace(entity, c);
    }
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        names_in(text).map(|name| name.text().to_owned()).collect()
    }

    #[test]
    fn names_are_found_as_anki_and_markdown_write_them() {
        for (text, expected) in [
            ("[sound:a b.mp3] and [sound:c.ogg]", &["a b.mp3", "c.ogg"][..]),
            ("[sound:rock &amp; roll.mp3]", &["rock & roll.mp3"]),
            ("<img src=\"a.png\"><IMG alt='>' class=x SRC='b.gif' />", &["a.png"]),
            ("<img class=x\n src = c.jpg>", &["c.jpg"]),
            ("<img src=\"a%20b%C3%A9.png\">", &["a b\u{e9}.png"]),
            ("<img src=\"100%.png\">", &["100%.png"]),
            ("<audio controls src=x.m4a></audio><source src='y.wav'>", &["x.m4a", "y.wav"]),
            ("![](media:a.png) ![alt [x]](media:a(1).png \"title\")", &["a.png", "a(1).png"]),
            ("![](<media:a b.png>) ![](media:a%20c.png)", &["a b.png", "a c.png"]),
            ("[listen](media:a.mp3)", &["a.mp3"]),
            ("<img src=\"media:a.png\">", &["a.png"]),
            ("<img src=\"e\u{301}.png\">", &["\u{e9}.png"]),
            ("<img src=\"https://example.com/a.png\"> ![](a.png)", &[]),
            ("<img src=\"../../etc/passwd\"> [sound:../a.mp3] [sound:]", &[]),
            ("<img data-src=\"a.png\"> <imgsrc=a.png> src=a.png", &[]),
            ("<img src='a.svg'> ![](media:) [sound:\n.mp3]", &[]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_changed_where_they_are_names_and_nowhere_else() {
        let name = |text: &str| MediaName::new("", text).unwrap();
        let names = HashMap::from([
            (name("1.png"), name("1 (b).png")),
            (name("a b.png"), name("a-b.png")),
            (name("c.mp3"), name("d & e.mp3")),
        ]);
        for (text, expected) in [
            ("<img src=\"1.png\"> and 1.png", Some("<img src=\"1%20%28b%29.png\"> and 1.png")),
            ("<img src=\"11.png\"> 21.png", None),
            (
                "![x](media:1.png) ![](media:11.png)",
                Some("![x](media:1%20%28b%29.png) ![](media:11.png)"),
            ),
            ("<img src='a%20b.png'>", Some("<img src='a-b.png'>")),
            ("<img src=\"media:a b.png\">", Some("<img src=\"media:a-b.png\">")),
            ("[sound:c.mp3][sound:c.mp3] c.mp3", Some("[sound:d & e.mp3][sound:d & e.mp3] c.mp3")),
        ] {
            let changed = with_names(text, &names);
            assert_eq!(changed.as_deref(), expected, "{text}");
            let named = changed.map(|changed| names_in(&changed).collect::<Vec<_>>());
            assert!(
                named.is_none_or(|named| named
                    .iter()
                    .any(|name| names.values().any(|to| to == name)))
            );
        }
    }

    #[test]
    fn a_note_has_each_name_once_and_not_too_many() {
        let many: String = (0..500).map(|n| format!("[sound:{}.mp3]", n / 2)).collect();
        let fields = vec![crate::model::Field { name: "Front".into(), value: many }];
        let content = Content::stored(crate::model::NoteKind::Basic, fields);
        let names = media_of(&content);
        assert_eq!(names.len(), MAX_MEDIA_OF_NOTE);
        assert_eq!(names[99].text(), "99.mp3");
    }

    #[test]
    fn a_long_text_takes_no_longer_than_its_length() {
        let text = "<img ".repeat(2_000) + &"](<media:".repeat(2_000);
        assert_eq!(names(&text), [""; 0]);
    }
}
