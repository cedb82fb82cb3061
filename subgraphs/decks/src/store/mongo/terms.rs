//! The terms of a card: everything by which search comes to cards, in one list that one index has with the owner and the card's id. So the cards that have
//! one of some terms are read in the order of the search, whatever the terms are about, and no more of them than the page holds. A card in the trash
//! has none.
//!
//! They follow from the card's other fields: whatever changes these ends with [`renewal`].

use std::collections::BTreeSet;

use common::DeckId;
use common::event::StudyState;
use mongodb::bson::{Bson, Document, doc};
use serde::{Deserialize, Serialize};

use super::documents::{CardDocument, TagsDocument};
use super::told::StudyDocument;
use crate::model::Card;

/// The term of every card that is there.
pub(super) const EVERY: &str = "";
/// What stands before a word that the question has.
pub(super) const IN_QUESTION: char = '?';
/// What stands before a word that only the answer has.
pub(super) const IN_ANSWER: char = '!';
const SUSPENDED: &str = "=suspended";
const LEECH: &str = "=leech";

/// A card as it is first written: with what it is found by.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCardDocument {
    #[serde(flatten)]
    card: CardDocument,
    change: i64,
    study: StudyDocument,
    /// Those of its note.
    #[serde(flatten)]
    tags: TagsDocument,
    #[serde(flatten)]
    words: WordsDocument,
    terms: Vec<Bson>,
}

/// The words of a card's texts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WordsDocument {
    /// The words of the question in order, with a space around each.
    folded_question: String,
    /// Those of the answer.
    folded_answer: String,
}

impl WordsDocument {
    pub(super) fn new(question: &str, answer: &str) -> Self {
        let line = |text| {
            let words = crate::search::text::words(text).into_iter();
            let words: Vec<String> = words.map(|word| word.folded).collect();
            format!(" {} ", words.join(" "))
        };
        Self { folded_question: line(question), folded_answer: line(answer) }
    }

    /// The fields as an update sets them.
    pub(super) fn to_fields(&self) -> Document {
        doc! {
            "foldedQuestion": &self.folded_question,
            "foldedAnswer": &self.folded_answer,
        }
    }
}

impl NewCardDocument {
    /// A new card with the tags of its note.
    pub(super) fn new(card: &Card, tags: TagsDocument, change: i64) -> Self {
        let words = WordsDocument::new(&card.question, &card.answer);
        let lines = [&words.folded_question, &words.folded_answer];
        let [question, answer] = lines.map(|line| line.split_whitespace().collect::<BTreeSet<_>>());
        let terms = of_new(card.deck, &question, &answer, &tags.tag_keys);
        let terms = if card.trash.is_none() { terms } else { Vec::new() };
        Self { card: card.into(), change, study: StudyDocument::default(), tags, words, terms }
    }
}

pub(super) fn word(mark: char, word: &str) -> Bson {
    Bson::from(format!("{mark}{word}"))
}

/// The key of one of its tags, or of a tag above one.
pub(super) fn tag(key: &str) -> Bson {
    Bson::from(format!("#{key}"))
}

pub(super) fn deck(deck: DeckId) -> Bson {
    Bson::from(deck)
}

pub(super) fn state(state: StudyState) -> Bson {
    Bson::from(format!("={}", state.number()))
}

pub(super) fn suspended() -> Bson {
    Bson::from(SUSPENDED)
}

pub(super) fn leech() -> Bson {
    Bson::from(LEECH)
}

/// The terms of a card of which learning told nothing yet, by the words of its texts and the keys of its tags.
fn of_new(
    deck: DeckId,
    question: &BTreeSet<&str>,
    answer: &BTreeSet<&str>,
    tag_keys: &[String],
) -> Vec<Bson> {
    let mut terms = vec![Bson::from(EVERY), self::deck(deck), state(StudyState::New)];
    terms.extend(question.iter().map(|text| word(IN_QUESTION, text)));
    let others = answer.difference(question);
    terms.extend(others.map(|text| word(IN_ANSWER, text)));
    terms.extend(tag_keys.iter().map(|key| tag(key)));
    terms
}

/// The last step of an update: makes the terms anew of the fields as they are then.
pub(super) fn renewal() -> Document {
    doc! { "$set": { "terms": of_fields() } }
}

/// The cards whose terms are not those of their fields: a process of an earlier version wrote these, and nothing else leaves any.
pub(super) fn are_stale() -> Document {
    let or_none = |list: Bson| doc! { "$ifNull": [list, []] };
    let are = doc! { "$setEquals": [or_none("$terms".into()), or_none(of_fields().into())] };
    doc! { "$expr": { "$not": [are] } }
}

/// The terms that a card's fields make.
fn of_fields() -> Document {
    let words = |line: &str| doc! { "$split": [{ "$ifNull": [line, ""] }, " "] };
    let question = doc! { "$setDifference": [words("$foldedQuestion"), [""]] };
    let in_question = doc! { "$concatArrays": [[""], words("$foldedQuestion")] };
    let answer = doc! { "$setDifference": [words("$foldedAnswer"), in_question] };
    let marked = |mark: char, list: Bson| {
        doc! { "$map": { "input": list, "in": { "$concat": [mark.to_string(), "$$this"] } } }
    };
    let when = |field: &str, term: &str| doc! { "$cond": [{ "$eq": [field, true] }, [term], []] };
    let state = doc! { "$concat": ["=", { "$toString": "$study.state" }] };
    let all = doc! { "$concatArrays": [
        [EVERY, "$deck", state],
        marked(IN_QUESTION, question.into()),
        marked(IN_ANSWER, answer.into()),
        marked('#', "$tagKeys".into()),
        when("$study.suspended", SUSPENDED),
        when("$study.leech", LEECH),
    ] };
    let is_there = doc! { "$eq": [{ "$ifNull": ["$trash", null] }, null] };
    doc! { "$cond": [is_there, all, []] }
}

/// An update that sets the fields to these values, and the terms with them.
pub(super) fn set(fields: Document) -> Vec<Document> {
    let literal = |(field, value): (String, Bson)| (field, Bson::from(doc! { "$literal": value }));
    vec![doc! { "$set": fields.into_iter().map(literal).collect::<Document>() }, renewal()]
}

/// The same, with the next version.
pub(super) fn set_in_next_version(fields: Document) -> Vec<Document> {
    let mut update = set(fields);
    update.push(doc! { "$set": { "version": { "$add": ["$version", 1i64] } } });
    update
}
