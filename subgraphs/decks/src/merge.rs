//! What becomes of a note that two people changed: of what it was, what the author made of it, and what one made of it oneself.
//!
//! Each part is compared by itself: the type, each field, each tag. A part that one of the two changed is taken from there; one that both
//! changed, and differently, is a conflict. It knows no service and no store, and refuses nothing.

use crate::model::{Content, Field, FieldEdit, NoteKind, Tag, Tags};

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its type and fields.
    pub content: Content,
    /// Its tags.
    pub tags: Tags,
}

/// A part that both changed, and differently. `None` stands for a part that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field's name; `None`: the note's type.
    pub field: Option<String>,
    /// What it was when the two were last compared.
    pub base: Option<String>,
    /// What the author made of it.
    pub theirs: Option<String>,
    /// What one made of it oneself.
    pub mine: Option<String>,
}

/// A note made of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// What it says.
    pub said: Said,
    /// What both changed, in the order of the parts.
    pub conflicts: Vec<Difference>,
}

/// Which of the three is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Mine,
    Theirs,
    Both,
}

fn side<T: PartialEq>(base: &T, theirs: &T, mine: &T) -> Side {
    if theirs == mine || theirs == base {
        Side::Mine
    } else if mine == base {
        Side::Theirs
    } else {
        Side::Both
    }
}

/// What becomes of one part by itself: which of the two is taken, and whether both changed it, and differently.
#[must_use]
pub fn part<T: PartialEq>(base: &T, theirs: T, mine: T, take_theirs: bool) -> (T, bool) {
    match side(base, &theirs, &mine) {
        Side::Mine => (mine, false),
        Side::Theirs => (theirs, false),
        Side::Both => (if take_theirs { theirs } else { mine }, true),
    }
}

/// Makes one note of two. `base` is what they were made of: `None` when each was made by itself. Where both changed the same part, one's own
/// stays, or with `take_theirs` the author's is taken; it is told in either case. Parts that together make no valid note are not put together:
/// then everything that the author changed is in conflict.
#[must_use]
pub fn merge(base: Option<&Said>, theirs: &Said, mine: &Said, take_theirs: bool) -> Merged {
    let tags = tags(base, theirs, mine);
    let mut parts = Parts { take_theirs, together: false, conflicts: Vec::new() };
    let content = parts.content(base, theirs, mine).or_else(|| {
        parts = Parts { take_theirs, together: true, conflicts: Vec::new() };
        parts.content(base, theirs, mine)
    });
    let whole = if take_theirs { theirs } else { mine };
    let content = content.unwrap_or_else(|| whole.content.clone());
    Merged { said: Said { content, tags }, conflicts: parts.conflicts }
}

struct Parts {
    take_theirs: bool,
    /// The content is one part: what was changed there is not mixed with one's own.
    together: bool,
    conflicts: Vec<Difference>,
}

impl Parts {
    fn choose<T: PartialEq + Clone>(
        &mut self,
        [base, theirs, mine]: [T; 3],
        told: impl Fn([&T; 3]) -> Difference,
    ) -> T {
        let mut side = side(&base, &theirs, &mine);
        if self.together && theirs != mine {
            // What only one's own side changed is part of the conflict as well where theirs is taken.
            side = if theirs == base && !self.take_theirs { Side::Mine } else { Side::Both };
        }
        if side == Side::Both {
            self.conflicts.push(told([&base, &theirs, &mine]));
        }
        match side {
            Side::Theirs => theirs,
            Side::Both if self.take_theirs => theirs,
            Side::Mine | Side::Both => mine,
        }
    }

    /// `None` when the parts make no note.
    fn content(&mut self, base: Option<&Said>, theirs: &Said, mine: &Said) -> Option<Content> {
        let kind = |said: &Said| Some(said.content.kind());
        let label = |kind: &Option<NoteKind>| kind.map(|kind| kind.label().to_owned());
        let kinds = [base.and_then(kind), kind(theirs), kind(mine)];
        let told = |[base, theirs, mine]: [&Option<NoteKind>; 3]| Difference {
            field: None,
            base: label(base),
            theirs: label(theirs),
            mine: label(mine),
        };
        let kind = self.choose(kinds, told)?;

        let mut fields = Vec::new();
        let own = mine.content.kind().fields();
        // The fields of a type are compared by their places: they have other names in another type.
        for (index, name) in kind.fields().into_iter().enumerate() {
            let value = |said: &Said| said.content.fields().get(index).map(|f| f.value.clone());
            let values = [base.and_then(value), value(theirs), value(mine)];
            let value = self.field(own[index], values);
            fields.push(FieldEdit { name: name.to_owned(), value });
        }
        let mut names: Vec<&str> = extra(mine).map(|field| &*field.name).collect();
        for field in extra(theirs) {
            if !names.contains(&&*field.name) {
                names.push(&field.name);
            }
        }
        for name in names {
            let value = |said: &Said| {
                let found = extra(said).find(|field| field.name == name);
                found.map(|field| field.value.clone())
            };
            let values = [base.and_then(value), value(theirs), value(mine)];
            if let value @ Some(_) = self.field(name, values) {
                fields.push(FieldEdit { name: name.to_owned(), value });
            }
        }
        Content::new("fields", kind, fields).ok()
    }

    fn field(&mut self, name: &str, values: [Option<String>; 3]) -> Option<String> {
        self.choose(values, |[base, theirs, mine]| Difference {
            field: Some(name.to_owned()),
            base: base.clone(),
            theirs: theirs.clone(),
            mine: mine.clone(),
        })
    }
}

fn extra(said: &Said) -> impl Iterator<Item = &Field> {
    let own = said.content.kind().fields().len();
    said.content.fields().iter().skip(own)
}

/// One's own tags, without those that the author took away, and with those that came. Too many stay one's own.
fn tags(base: Option<&Said>, theirs: &Said, mine: &Said) -> Tags {
    let none = Tags::default();
    let base = base.map_or(&none, |said| &said.tags).list();
    let (theirs, own) = (theirs.tags.list(), mine.tags.list());
    let stays = |tag: &&Tag| theirs.contains(tag) || !base.contains(tag);
    let comes = |tag: &&Tag| !base.contains(tag) && !own.contains(tag);
    let tags = own.iter().filter(stays).chain(theirs.iter().filter(comes));
    Tags::new("tags", tags.cloned().collect()).unwrap_or_else(|_| mine.tags.clone())
}

/// What is to be done with a note of a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: it is as it should be, or was deleted by its owner.
    Keep,
    /// It is made.
    Add,
    /// It is written so, if it is not so already; the parts are in conflict.
    Write(Merged),
    /// It is deleted.
    Delete,
    /// Its owner changed it, and the author deleted it: it is kept, and told.
    DeletedThere,
}

/// Compares the three of which each may be absent: what was, what the author has, what the owner of the clone has.
#[must_use]
pub fn decide(
    base: Option<&Said>,
    theirs: Option<&Said>,
    mine: Option<&Said>,
    take_theirs: bool,
) -> Outcome {
    match (base, theirs, mine) {
        (_, None, None) | (Some(_), Some(_), None) => Outcome::Keep,
        (None, Some(_), None) => Outcome::Add,
        (Some(base), None, Some(mine)) if base == mine => Outcome::Delete,
        (Some(_), None, Some(_)) if take_theirs => Outcome::Delete,
        (Some(_), None, Some(_)) => Outcome::DeletedThere,
        (None, None, Some(_)) => Outcome::Keep,
        (base, Some(theirs), Some(mine)) => Outcome::Write(merge(base, theirs, mine, take_theirs)),
    }
}
