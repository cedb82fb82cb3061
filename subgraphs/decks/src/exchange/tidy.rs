//! Makes of a stranger's names what is valid here, so that nothing is left out for the sake of a name.

use std::sync::Arc;

use uuid::Uuid;

use super::DeckPath;
use crate::model::{
    Content, Guid, MAX_DEPTH, MAX_NAME, MAX_TAG, MAX_TAG_LEVELS, MAX_TAGS, Tag, Tags,
};

/// The most characters of a deck's path in a file: what is longer is cut.
pub const MAX_PATH_TEXT: usize = MAX_NAME * MAX_DEPTH;
/// For global ids that are made of others. It never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x5b0c_8a52_2f34_4a86_9d0b_7a1e_6f5c_3d11);

/// A deck's path: names without control characters, cut where they are too long; what lies too deep lies in the deepest deck there may be.
pub(super) fn path<'a>(names: impl IntoIterator<Item = &'a str>) -> DeckPath {
    let mut path: Vec<String> = names.into_iter().map(name).collect();
    if path.len() > MAX_DEPTH {
        let deepest = path.split_off(MAX_DEPTH - 1).join("::");
        path.push(name(&deepest));
    }
    if path.is_empty() {
        path.push(name(""));
    }
    Arc::from(path)
}

fn name(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    let short: String = clean.trim().chars().take(MAX_NAME).collect();
    let short = short.trim_end();
    if short.is_empty() { "blank".to_owned() } else { short.to_owned() }
}

/// A deck's path from its text in Anki's form, with `::` between names.
pub(super) fn path_of_text(text: &str) -> DeckPath {
    path(text.split("::"))
}

/// Tags, and those that could not be kept as they were.
pub(super) fn tags<'a>(texts: impl IntoIterator<Item = &'a str>) -> (Tags, Vec<String>) {
    let (mut tags, mut changed) = (Vec::new(), Vec::new());
    for text in texts {
        match Tag::new("tags", text) {
            Ok(tag) => tags.push(tag),
            Err(_) => {
                changed.push(text.chars().take(MAX_TAG).collect());
                tags.extend(tag(text));
            }
        }
    }
    tags.sort_by_cached_key(Tag::key);
    tags.dedup();
    changed.extend(tags.drain(tags.len().min(MAX_TAGS)..).map(|tag| tag.text().to_owned()));
    (Tags::new("tags", tags).unwrap_or_default(), changed)
}

/// What comes closest to a tag; `None` where nothing is left of it.
fn tag(text: &str) -> Option<Tag> {
    let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '"';
    let clean: String = text.chars().map(|c| if wrong(c) { '_' } else { c }).collect();
    let levels: Vec<&str> = clean.split("::").filter(|level| !level.is_empty()).collect();
    let short: String =
        levels[..levels.len().min(MAX_TAG_LEVELS)].join("::").chars().take(MAX_TAG).collect();
    Tag::new("tags", short.trim_end_matches(':')).ok()
}

/// A global id: as it is where it is valid, else one that is made of it.
pub(super) fn guid(text: &str) -> Guid {
    Guid::new("guid", text.to_owned()).unwrap_or_else(|_| made(text))
}

/// The global id of a note whose file gives it none: the same for the same texts.
pub(super) fn guid_of_content(content: &Content) -> Guid {
    let mut text = content.kind().label().to_owned();
    for field in content.fields() {
        text.push('\u{1f}');
        text.push_str(&field.name);
        text.push('\u{1e}');
        text.push_str(&field.value);
    }
    made(&text)
}

fn made(text: &str) -> Guid {
    Guid(Uuid::new_v5(&NAMESPACE, text.as_bytes()).simple().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_becomes_a_valid_one() {
        assert_eq!(&*path_of_text("A::B"), ["A", "B"]);
        assert_eq!(&*path_of_text(" A ::::x\u{7}y"), ["A", "blank", "xy"]);
        let deep = path_of_text(&["d"; 20].join("::"));
        assert_eq!((deep.len(), &*deep[15]), (16, "d::d::d::d::d"));
        assert_eq!(path_of_text(&"é".repeat(200))[0].chars().count(), 100);
    }

    #[test]
    fn tags_are_kept_as_far_as_they_can_be() {
        let (kept, changed) = tags(["a::b", "a::::c", "x\"y", "::"]);
        let texts: Vec<&str> = kept.list().iter().map(Tag::text).collect();
        assert_eq!(texts, ["a::b", "a::c", "x_y"]);
        assert_eq!(changed, ["a::::c", "x\"y", "::"]);
        let many: Vec<String> = (0..150).map(|n| format!("t{n:03}")).collect();
        let (kept, changed) = tags(many.iter().map(String::as_str));
        assert_eq!((kept.list().len(), changed.len()), (100, 50));
    }

    #[test]
    fn a_global_id_that_is_none_becomes_always_the_same() {
        assert_eq!(guid("q{$x*").text(), "q{$x*");
        assert_eq!(guid("a b"), guid("a b"));
        assert_ne!(guid("a b"), guid("a  b"));
    }
}
