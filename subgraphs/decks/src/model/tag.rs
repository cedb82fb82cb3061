//! Tags of notes: words with levels, such as `language::french`, that are the same without regard to case.

use common::{Error, NoteId};

/// The most characters of a tag with all its levels.
pub const MAX_TAG: usize = 100;
/// The most levels of a tag.
pub const MAX_TAG_LEVELS: usize = 8;
/// The most tags of a note.
pub const MAX_TAGS: usize = 100;

/// What stands between the levels of a tag.
const SEPARATOR: &str = "::";

/// A valid tag: 1 to [`MAX_TAG`] characters without white space, control characters or quotes, in 1 to [`MAX_TAG_LEVELS`] levels none of
/// which is empty.
#[derive(Debug, Clone)]
pub struct Tag(String);

impl Tag {
    /// Checks a tag.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        super::within(argument, text, 1, MAX_TAG)?;
        let wrong = |c: char| c.is_whitespace() || c.is_control() || c == '"';
        if text.contains(wrong) {
            let message = "must not hold white space, control characters or quotes";
            return Err(Error::invalid(argument, message));
        }
        let levels = text.split(SEPARATOR).count();
        if levels > MAX_TAG_LEVELS {
            let message = format!("has {levels} levels: 1 to {MAX_TAG_LEVELS} are accepted");
            return Err(Error::invalid(argument, message));
        }
        if text.split(SEPARATOR).any(str::is_empty) {
            let message = "has an empty level: expected a tag such as language::french";
            return Err(Error::invalid(argument, message));
        }
        Ok(Self(text.to_owned()))
    }

    /// A tag that was checked when it was stored.
    pub(crate) const fn stored(text: String) -> Self {
        Self(text)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What makes it the same as another.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }

    /// Where the keys of the tags below it start.
    #[must_use]
    pub fn key_below(&self) -> String {
        self.key() + SEPARATOR
    }

    /// Whether it is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.key() == other.key() || self.key().starts_with(&other.key_below())
    }

    /// The tag that takes its place when `from`, in which it lies, becomes `to`.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument` when it becomes too long or too deep.
    pub fn renamed(&self, from: &Self, to: &Self, argument: &str) -> Result<Self, Error> {
        let levels = from.0.split(SEPARATOR).count();
        let below = self.0.split(SEPARATOR).skip(levels);
        let name: Vec<&str> = to.0.split(SEPARATOR).chain(below).collect();
        let name = name.join(SEPARATOR);
        Self::new(argument, &name).map_err(|error| {
            Error::invalid(argument, format!("{:?} would become {name:?}: {error}", self.0))
        })
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Tag {}

impl std::hash::Hash for Tag {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// The tags of a note: each once, at most [`MAX_TAGS`], in the order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// Checks a note's tags. One that is given twice counts once.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument` for too many.
    pub fn new(argument: &str, mut tags: Vec<Tag>) -> Result<Self, Error> {
        tags.sort_by_cached_key(Tag::key);
        tags.dedup();
        if tags.len() > MAX_TAGS {
            let message = format!("a note has at most {MAX_TAGS} tags, not {}", tags.len());
            return Err(Error::invalid(argument, message));
        }
        Ok(Self(tags))
    }

    /// Tags that were checked when they were stored.
    pub(crate) const fn stored(tags: Vec<Tag>) -> Self {
        Self(tags)
    }

    /// The tags in order.
    #[must_use]
    pub fn list(&self) -> &[Tag] {
        &self.0
    }

    /// The keys by which they are found: their own and those of the tags above them, each once.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for tag in &self.0 {
            let key = tag.key();
            let ends = key.match_indices(SEPARATOR).map(|(at, _)| at).chain([key.len()]);
            keys.extend(ends.map(|end| key[..end].to_owned()));
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// These without some and with others; those keep their spelling that were there before.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument` for too many.
    pub fn edited(&self, edit: &Tagging, argument: &str) -> Result<Self, Error> {
        let kept = self.0.iter().filter(|tag| !edit.remove.contains(tag));
        Self::new(argument, kept.chain(&edit.add).cloned().collect())
    }
}

/// Which notes get which tags, and which lose them.
#[derive(Debug, Clone)]
pub struct Tagging {
    /// The notes.
    pub notes: Vec<NoteId>,
    /// Tags they get.
    pub add: Vec<Tag>,
    /// Tags they lose; those below them stay.
    pub remove: Vec<Tag>,
}

/// A tag of a person, and how many notes have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The tag.
    pub tag: Tag,
    /// How many notes that are not in the trash have just this tag.
    pub notes: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        Tag::new("tag", text).unwrap()
    }

    #[test]
    fn a_tag_has_levels_without_gaps() {
        assert_eq!(tag("Sprache::Französisch"), tag("sprache::französisch"));
        for (wrong, why) in [
            ("", "is empty"),
            ("a b", "white space"),
            ("a\"", "quotes"),
            ("::a", "empty level"),
            ("a::", "empty level"),
            ("a::::b", "empty level"),
            ("1::2::3::4::5::6::7::8::9", "9 levels"),
        ] {
            let error = Tag::new("tag", wrong).unwrap_err().to_string();
            assert!(error.contains(why), "{wrong}: {error}");
        }
        assert!(Tag::new("tag", &"ä".repeat(100)).is_ok());
        assert!(Tag::new("tag", &"ä".repeat(101)).is_err());
    }

    #[test]
    fn what_lies_below_a_tag_is_renamed_with_it() {
        assert!(tag("A::b::c").is_within(&tag("a::B")));
        assert!(!tag("a::bc").is_within(&tag("a::b")));
        let renamed = tag("A::b::c").renamed(&tag("a::b"), &tag("x"), "to").unwrap();
        assert_eq!(renamed.text(), "x::c");
        let error = tag("a::b").renamed(&tag("a"), &tag(&"x".repeat(98)), "to").unwrap_err();
        assert!(error.to_string().starts_with("to: \"a::b\" would become"), "{error}");
    }

    #[test]
    fn tags_are_sorted_each_once_and_keep_their_spelling() {
        let tags = Tags::new("tags", vec![tag("b"), tag("A"), tag("a")]).unwrap();
        let texts = |tags: &Tags| tags.list().iter().map(|t| t.0.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&tags), ["A", "b"]);
        let edit = Tagging { notes: vec![], add: vec![tag("c"), tag("a")], remove: vec![tag("B")] };
        assert_eq!(texts(&tags.edited(&edit, "tags").unwrap()), ["A", "c"]);
        let many = (0..101).map(|n| tag(&format!("t{n}"))).collect();
        assert!(Tags::new("tags", many).is_err());
    }
}
