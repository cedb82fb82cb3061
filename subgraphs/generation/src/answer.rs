//! Reading what the service answers. The members that our own service adds are used when they are there; the service that exists does
//! without them.

use serde::Deserialize;
use serde_json::Value;

use crate::model::{Generator, MAX_SIDE, Notice, Proposal};
use crate::offsets::Offsets;

/// The most characters of a name or a notice that is passed on.
const MAX_WORDS: usize = 500;
/// The most notices that are passed on.
const MAX_NOTICES: usize = 20;

#[derive(Debug, Deserialize)]
pub(crate) struct Data {
    id: String,
    cards: Vec<Value>,
    #[serde(default)]
    generator: Value,
    #[serde(default)]
    rejected: Value,
    #[serde(default)]
    notices: Value,
}

/// The envelope: `{"message": "success", "data": …}`.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<T> {
    pub(crate) data: T,
}

/// What the service fetched, as far as it is looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Content {
    pub(crate) id: String,
    pub(crate) processing_status: String,
    /// Absent or null until it is read.
    pub(crate) view_text: Option<String>,
    /// The same.
    pub(crate) title: Option<String>,
    /// The same.
    pub(crate) summary: Option<String>,
    /// Why it failed; an addition of our own service.
    pub(crate) problem: Option<String>,
}

/// What came of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) generator: Option<Generator>,
    pub(crate) proposals: Vec<Proposal>,
    /// How many cards were left out, by the service or here.
    pub(crate) rejected: u32,
    pub(crate) notices: Vec<Notice>,
}

/// A line of an answer in parts, as our own service writes it when it is asked to.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Line {
    /// A card, as soon as it is made.
    Card {
        /// The card.
        card: Value,
    },
    /// It is still at work.
    Wait,
    /// What would be the whole answer: its cards count, those of earlier lines were a foretaste.
    Done {
        /// The answer's member of this name.
        data: Data,
    },
    /// There is no answer; the status is the one that would have been given.
    Error {
        /// An HTTP status.
        status: u16,
    },
}

impl Data {
    /// Takes what can be used: at most `max_cards` drafts that could be made cards. The others are counted.
    pub(crate) fn into_note(self, offsets: &Offsets, max_cards: usize) -> Note {
        let Self { id, cards, generator, rejected, notices } = self;
        let count = cards.len();
        let usable = cards.into_iter().filter_map(|card| proposal(card, offsets));
        let proposals: Vec<Proposal> = usable.take(max_cards).collect();
        let by_service = rejected.get("total").and_then(Value::as_u64).unwrap_or_default();
        let rejected = by_service.saturating_add((count - proposals.len()) as u64);
        Note {
            id,
            generator: generator_of(&generator),
            proposals,
            // The schema's `Int` is 32 bits wide.
            rejected: rejected.min(i32::MAX as u64) as u32,
            notices: notices_of(&notices),
        }
    }
}

/// A card that decks would take. A source that does not fit the text is dropped, the card is kept: its question and answer are as good as
/// before.
pub(crate) fn proposal(mut card: Value, offsets: &Offsets) -> Option<Proposal> {
    let mut text = |member: &str| match card.get_mut(member).map(Value::take) {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            (text.chars().count() <= MAX_SIDE).then_some(text)
        }
        _ => None,
    };
    let (question, answer) = (text("question")?, text("answer")?);
    let index = |member: &str| card.get(member).and_then(Value::as_u64);
    let indices = index("source_start_index").zip(index("source_end_index"));
    let source = indices.and_then(|(start, end)| offsets.utf16(start..end));
    Some(Proposal { question, answer, source: source.map(|source| (source.start, source.end)) })
}

fn generator_of(value: &Value) -> Option<Generator> {
    Some(Generator { name: words(value, "name")?, model: words(value, "model") })
}

fn notices_of(value: &Value) -> Vec<Notice> {
    let read =
        |notice| Some(Notice { code: words(notice, "code")?, message: words(notice, "message")? });
    let notices = value.as_array().into_iter().flatten();
    notices.filter_map(read).take(MAX_NOTICES).collect()
}

fn words(value: &Value, member: &str) -> Option<String> {
    let text = value.get(member)?.as_str()?;
    Some(text.chars().take(MAX_WORDS).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn note(data: Value, max_cards: usize) -> Note {
        let answer: Envelope<Data> = serde_json::from_value(json!({ "data": data })).unwrap();
        answer.data.into_note(&Offsets::of("a😀b"), max_cards)
    }

    fn card(question: &str, start: Value, end: Value) -> Value {
        json!({ "question": question, "answer": "a", "source_start_index": start, "source_end_index": end })
    }

    #[test]
    fn a_source_that_does_not_fit_is_dropped_and_the_card_kept() {
        let cards = json!([
            card("fits", json!(1), json!(3)),
            card("too far", json!(1), json!(4)),
            card("reversed", json!(2), json!(1)),
            card("negative", json!(-1), json!(1)),
            card("half", json!(1), Value::Null),
            card("text", json!("1"), json!("2")),
        ]);
        let note = note(json!({ "id": "n", "cards": cards }), 20);
        let sources: Vec<_> = note.proposals.into_iter().map(|draft| draft.source).collect();
        assert_eq!((sources, note.rejected), (vec![Some((1, 4)), None, None, None, None, None], 0));
    }

    #[test]
    fn what_could_not_be_a_card_and_what_is_too_many_is_counted() {
        let good = card("q", json!(0), json!(1));
        let cards = json!([
            good, null, 7, {}, { "question": "q" }, { "question": " ", "answer": "a" },
            { "question": "q", "answer": "a".repeat(10_001) }, { "question": ["q"], "answer": "a" },
            good, good, good,
        ]);
        let rejected = json!({ "total": 5, "reasons": { "duplicate": 5 } });
        let note = note(json!({ "id": "n", "cards": cards, "rejected": rejected }), 2);
        assert_eq!((note.proposals.len(), note.rejected), (2, 5 + 9));
    }

    #[test]
    fn additional_members_are_read_when_they_fit() {
        let generator = json!({ "name": "offline", "model": null });
        let notices = json!([{ "code": "extractive", "message": "taken from the text" }, 5, {}]);
        let data = json!({ "id": "n", "cards": [], "generator": generator, "notices": notices });
        let note = note(data, 1);
        assert_eq!(note.generator, Some(Generator { name: "offline".into(), model: None }));
        let notice = Notice { code: "extractive".into(), message: "taken from the text".into() };
        assert_eq!(note.notices, [notice]);
        let data =
            json!({ "id": "n", "cards": [], "generator": 1, "notices": {}, "rejected": "x" });
        let (id, proposals, notices) = ("n".into(), vec![], vec![]);
        let bare = Note { id, generator: None, proposals, rejected: 0, notices };
        assert_eq!(self::note(data, 1), bare);
    }
}
