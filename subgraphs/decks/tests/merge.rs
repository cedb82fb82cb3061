//! What becomes of a note that two people changed, against what each part must become by itself.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use decks::merge::{Difference, Outcome, Said, decide, merge};
use decks::model::{Content, FieldEdit, NoteKind, Tag, Tags};
use proptest::prelude::*;

/// A note by its parts: the fields, of which the first two are the type's, and tags.
fn said(kind: NoteKind, fields: &[(&str, &str)], tags: &[&str]) -> Said {
    let edit = |(name, value): &(&str, &str)| FieldEdit {
        name: (*name).into(),
        value: Some((*value).into()),
    };
    let fields = fields.iter().map(edit).collect();
    let tags = tags.iter().map(|tag| Tag::new("tag", tag).unwrap()).collect();
    Said {
        content: Content::new("fields", kind, fields).unwrap(),
        tags: Tags::new("tags", tags).unwrap(),
    }
}

fn basic(front: &str, back: &str) -> Said {
    said(NoteKind::Basic, &[("Front", front), ("Back", back)], &[])
}

fn parts(said: &Said) -> BTreeMap<String, String> {
    let fields = said.content.fields().iter();
    let mut parts: BTreeMap<String, String> =
        fields.map(|field| (field.name.clone(), field.value.clone())).collect();
    parts.insert("type".into(), said.content.kind().label().into());
    parts
}

fn tags(said: &Said) -> Vec<&str> {
    said.tags.list().iter().map(|tag| tag.text()).collect()
}

/// What a note of the type BASIC may say: few values, so that the same come together often.
fn any_said() -> impl Strategy<Value = Said> {
    let side = prop::sample::select(vec!["a", "b", "c"]);
    let extra = prop::option::of(prop::sample::select(vec!["", "x", "y"]));
    let tags = prop::sample::subsequence(vec!["t", "u::v", "w"], 0..=3);
    (side.clone(), side, extra.clone(), extra, tags).prop_map(|(front, back, one, other, tags)| {
        let mut fields = vec![("Front", front), ("Back", back)];
        fields.extend(one.map(|value| ("One", value)));
        fields.extend(other.map(|value| ("Other", value)));
        said(NoteKind::Basic, &fields, &tags)
    })
}

proptest! {
    #[test]
    fn each_part_follows_whoever_changed_it(
        base in any_said(), theirs in any_said(), mine in any_said(), take in any::<bool>(),
    ) {
        let merged = merge(Some(&base), &theirs, &mine, take);
        let [base_parts, their_parts, my_parts] = [&base, &theirs, &mine].map(parts);
        let mut expected = BTreeMap::new();
        let mut conflicts = Vec::new();
        for name in ["type", "Front", "Back", "One", "Other"] {
            let [b, t, m] = [&base_parts, &their_parts, &my_parts].map(|parts| parts.get(name).cloned());
            let both = t != b && m != b && t != m;
            if both {
                conflicts.push((name.to_owned(), b.clone(), t.clone(), m.clone()));
            }
            let value = if (m == b && t != b) || (both && take) { t } else { m };
            expected.extend(value.map(|value| (name.to_owned(), value)));
        }
        prop_assert_eq!(parts(&merged.said), expected);
        let mut told: Vec<_> = merged.conflicts.into_iter().map(|difference| {
            let Difference { field, base, theirs, mine } = difference;
            (field.unwrap_or_else(|| "type".into()), base, theirs, mine)
        }).collect();
        told.sort();
        conflicts.sort();
        prop_assert_eq!(told, conflicts);
        for tag in ["t", "u::v", "w"] {
            let [b, t, m] = [&base, &theirs, &mine].map(|said| tags(said).contains(&tag));
            // Of two states a tag has, at most one side changed it, or both did alike.
            let expected = if m == b { t } else { m };
            prop_assert_eq!(tags(&merged.said).contains(&tag), expected, "{}", tag);
        }
    }

    #[test]
    fn who_changed_nothing_gets_the_others(base in any_said(), other in any_said(), take in any::<bool>()) {
        for merged in [
            merge(Some(&base), &other, &base, take),
            merge(Some(&base), &base, &other, take),
            merge(Some(&base), &other, &other, take),
            merge(None, &other, &other, take),
        ] {
            prop_assert_eq!(parts(&merged.said), parts(&other));
            prop_assert_eq!(tags(&merged.said), tags(&other));
            prop_assert!(merged.conflicts.is_empty());
        }
    }

    #[test]
    fn merging_what_was_merged_changes_nothing(base in any_said(), theirs in any_said(), mine in any_said(), take in any::<bool>()) {
        let merged = merge(Some(&base), &theirs, &mine, take).said;
        let again = merge(Some(&theirs), &theirs, &merged, take);
        prop_assert_eq!(again.said, merged);
        prop_assert!(again.conflicts.is_empty());
    }

    #[test]
    fn whatever_is_merged_is_a_valid_note(
        kinds in prop::array::uniform3(0i64..4), texts in prop::array::uniform3(prop::sample::select(vec!["x", "{{c1::x}}", "{{c2::y}}"])), take in any::<bool>(),
    ) {
        let [base, theirs, mine] = [0, 1, 2].map(|nth: usize| {
            let kind = NoteKind::of_number(kinds[nth]).unwrap();
            let text = if kind == NoteKind::Cloze { "{{c1::x}}{{c2::y}}" } else { texts[nth] };
            let [first, second] = kind.fields();
            said(kind, &[(first, text), (second, texts[(nth + 1) % 3])], &[])
        });
        let merged = merge(Some(&base), &theirs, &mine, take);
        prop_assert!(!merged.said.content.cards().is_empty());
        let fields = merged.said.content.fields().iter();
        let fields = fields.map(|f| FieldEdit { name: f.name.clone(), value: Some(f.value.clone()) });
        let again = Content::new("fields", merged.said.content.kind(), fields.collect());
        prop_assert_eq!(again.unwrap(), merged.said.content);
    }
}

#[test]
fn parts_that_make_no_note_together_are_not_mixed() {
    let base = said(NoteKind::Basic, &[("Front", "plain"), ("Back", "back")], &[]);
    let theirs = said(NoteKind::Cloze, &[("Text", "{{c1::plain}}"), ("Extra", "more")], &["new"]);
    let mine = basic("mine", "back");
    let kept = merge(Some(&base), &theirs, &mine, false);
    assert_eq!(kept.said.content, mine.content);
    assert_eq!(tags(&kept.said), ["new"]);
    let told: Vec<_> = kept.conflicts.iter().map(|conflict| conflict.field.as_deref()).collect();
    assert_eq!(told, [None, Some("Front"), Some("Back")]);
    let taken = merge(Some(&base), &theirs, &mine, true);
    assert_eq!(taken.said, theirs);
    // What goes together is put together.
    let mine = basic("plain", "mine");
    let merged = merge(Some(&base), &theirs, &mine, false);
    assert_eq!(merged.said.content.kind(), NoteKind::Cloze);
    assert_eq!(merged.said.content.fields()[0].value, "{{c1::plain}}");
    assert_eq!(merged.said.content.fields()[1].value, "mine");
    assert_eq!(merged.conflicts.len(), 1, "the second field");
}

#[test]
fn a_note_comes_goes_or_stays() {
    let (one, other, third) = (basic("1", "a"), basic("2", "a"), basic("3", "a"));
    let (one, other, third) = (Some(&one), Some(&other), Some(&third));
    for take in [false, true] {
        let decided = |base, theirs, mine| decide(base, theirs, mine, take);
        assert_eq!(decided(None, one, None), Outcome::Add);
        assert_eq!(decided(one, None, one), Outcome::Delete);
        assert_eq!(decided(one, None, None), Outcome::Keep);
        assert_eq!(decided(one, one, None), Outcome::Keep, "what one deleted stays deleted");
        assert_eq!(decided(one, other, None), Outcome::Keep, "also when the author changed it");
        assert_eq!(decided(None, None, one), Outcome::Keep, "it is one's own by now");
        let left = if take { Outcome::Delete } else { Outcome::DeletedThere };
        assert_eq!(decided(one, None, other), left);
        for (base, theirs, mine, conflicts) in [
            (one, other, one, 0),
            (one, one, other, 0),
            (one, other, other, 0),
            (one, other, third, 1),
            (None, other, third, 1),
            (None, other, other, 0),
        ] {
            let Outcome::Write(merged) = decided(base, theirs, mine) else { panic!("it is there") };
            assert_eq!(merged.conflicts.len(), conflicts);
        }
    }
}
