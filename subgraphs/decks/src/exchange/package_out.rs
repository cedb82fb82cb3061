//! Writes notes into a package of Anki's form "legacy 2". Each of our kinds is a note type whose templates do what the kind does, so that
//! reading it gives the kind again. Extra fields have no place in it.

use std::collections::HashMap;
use std::io::{BufWriter, ErrorKind};
use std::path::Path;

use anki::PackageWriter;
use anki::model::{
    Card, CardExtra, CardKind, Collection, Deck, Memory, Note, NoteKind as AnkiKind, NoteType,
    Queue, Review, ReviewKind, Template,
};
use common::history::{PastReview, Schedule};
use jiff::Timestamp;

use super::DeckPath;
use super::outgoing::{Bounded, Outgoing, OutgoingCard, OutgoingDeck};
use crate::model::{NoteKind, Tag};

/// 2006-01-01, in days since 1970: day 0 of the collections that are written. Days are counted from it, so it only must be a past one.
const DAY_ZERO: i32 = 13_149;
/// A day begins at 4, as Anki takes it where nothing is said.
const ROLLOVER_SECONDS: i64 = 4 * 3_600;
/// The note types have always the same ids, so that a second import finds them.
const FIRST_TYPE: i64 = 1_746_057_600_001;
const FIRST_DECK: i64 = 1_746_057_700_001;
const CSS: &str = ".card { font-family: sans-serif; font-size: 20px; text-align: center; }\n.cloze { font-weight: bold; color: #00f; }\n";

pub(super) struct PackageOut {
    writer: PackageWriter<BufWriter<Bounded>>,
    decks: HashMap<DeckPath, i64>,
    notes: Ids,
    cards: Ids,
    reviews: Ids,
    /// New cards of each deck so far.
    new: HashMap<i64, i64>,
    modified: i64,
}

/// Ids that are moments, each given once. Each that was given says where to look on, and those that were passed say so too, so that many of
/// few moments are no search.
#[derive(Default)]
struct Ids(HashMap<i64, i64>);

impl Ids {
    fn next(&mut self, id: i64) -> i64 {
        let mut free = id;
        while let Some(next) = self.0.get(&free) {
            free = *next;
        }
        let mut passed = id;
        while passed != free {
            passed = self.0.insert(passed, free + 1).unwrap_or(free);
        }
        self.0.insert(free, free + 1);
        free
    }
}

impl PackageOut {
    pub(super) fn new(
        to: BufWriter<Bounded>,
        folder: &Path,
        decks: &[OutgoingDeck],
        now: Timestamp,
    ) -> Result<Self, anki::Error> {
        let mut ids: HashMap<DeckPath, i64> = HashMap::new();
        let mut list = Vec::new();
        for deck in decks {
            for depth in 1..=deck.path.len() {
                let path = DeckPath::from(&deck.path[..depth]);
                if ids.contains_key(&path) {
                    continue;
                }
                let id = FIRST_DECK + i64::try_from(ids.len()).unwrap_or(0);
                // What stands between names cannot stand in one.
                let names: Vec<String> = path.iter().map(|name| name.replace("::", ":")).collect();
                list.push(Deck {
                    id,
                    name: names.join("::"),
                    description: match depth == deck.path.len() {
                        true => deck.description.clone(),
                        false => String::new(),
                    },
                    is_markdown: false,
                    is_filtered: false,
                });
                ids.insert(path, id);
            }
        }
        let collection = Collection {
            created: i64::from(DAY_ZERO) * 86_400 + ROLLOVER_SECONDS,
            created_minutes_west: Some(0),
            rollover_hour: None,
            modified: now.as_millisecond(),
            decks: list,
            note_types: KINDS.into_iter().map(note_type).collect(),
        };
        Ok(Self {
            writer: PackageWriter::new(to, folder, &collection)?,
            decks: ids,
            notes: Ids::default(),
            cards: Ids::default(),
            reviews: Ids::default(),
            new: HashMap::new(),
            modified: now.as_second(),
        })
    }

    /// Answers what there is no place for.
    pub(super) fn note(&mut self, out: &Outgoing) -> Result<Option<&'static str>, anki::Error> {
        let fields = out.note.content.fields();
        let id = self.notes.next(out.note.created_at.as_millisecond());
        self.writer.note(&Note {
            id,
            guid: out.note.guid.text().to_owned(),
            note_type: type_id(out.note.content.kind()),
            modified: out.note.updated_at.as_second(),
            tags: out.note.tags.list().iter().map(Tag::text).map(str::to_owned).collect(),
            // Anki's separator cannot stand in a field.
            fields: fields.iter().take(2).map(|field| field.value.replace('\u{1f}', " ")).collect(),
        })?;
        for card in &out.cards {
            self.card(id, card)?;
        }
        // What is larger could not be read.
        if self.writer.database_bytes()? > super::limits().database_bytes {
            return Err(std::io::Error::from(ErrorKind::FileTooLarge).into());
        }
        Ok((fields.len() > 2).then_some("the extra fields have no place in Anki's packages"))
    }

    fn card(&mut self, note: i64, out: &OutgoingCard) -> Result<(), anki::Error> {
        let deck = self.decks.get(&out.path).copied().unwrap_or(1);
        let id = self.cards.next(out.card.created_at.as_millisecond());
        let new = self.new.entry(deck).or_default();
        *new += 1;
        let card = Card {
            id,
            note,
            ordinal: u32::try_from(out.card.ordinal).unwrap_or(0),
            deck,
            modified: self.modified,
            kind: CardKind::New,
            queue: Queue::New,
            due: *new,
            interval: 0,
            ease_factor: 0,
            reps: 0,
            lapses: 0,
            steps_left: 0,
            home: None,
            flags: 0,
            extra: CardExtra::default(),
        };
        self.writer.card(&match &out.schedule {
            Some(schedule) => scheduled(card, schedule),
            None => card,
        })?;
        for review in &out.reviews {
            let review_id = self.reviews.next(review.at);
            self.writer.review(&told(review_id, id, review))?;
        }
        Ok(())
    }

    pub(super) fn media(
        &mut self,
        name: &str,
        bytes: &mut dyn std::io::Read,
    ) -> Result<(), anki::Error> {
        self.writer.media(name, bytes)
    }

    pub(super) fn finish(self) -> Result<BufWriter<Bounded>, anki::Error> {
        self.writer.finish()
    }
}

const KINDS: [NoteKind; 4] =
    [NoteKind::Basic, NoteKind::BasicReversed, NoteKind::Cloze, NoteKind::Typed];

fn type_id(kind: NoteKind) -> i64 {
    FIRST_TYPE + kind.number()
}

fn note_type(kind: NoteKind) -> NoteType {
    let template = |name: &str, question: &str, answer: &str| Template {
        name: name.to_owned(),
        question: question.to_owned(),
        answer: answer.to_owned(),
    };
    let answer = "{{FrontSide}}\n\n<hr id=answer>\n\n{{Back}}";
    let (name, templates) = match kind {
        NoteKind::Basic => ("Spacey Basic", vec![template("Card 1", "{{Front}}", answer)]),
        NoteKind::BasicReversed => (
            "Spacey Basic (and reversed card)",
            vec![
                template("Card 1", "{{Front}}", answer),
                template("Card 2", "{{Back}}", "{{FrontSide}}\n\n<hr id=answer>\n\n{{Front}}"),
            ],
        ),
        NoteKind::Typed => (
            "Spacey Basic (type in the answer)",
            vec![template(
                "Card 1",
                "{{Front}}\n\n{{type:Back}}",
                "{{Front}}\n\n<hr id=answer>\n\n{{type:Back}}",
            )],
        ),
        NoteKind::Cloze => (
            "Spacey Cloze",
            vec![template("Cloze", "{{cloze:Text}}", "{{cloze:Text}}<br>\n{{Extra}}")],
        ),
    };
    NoteType {
        id: type_id(kind),
        name: name.to_owned(),
        kind: if kind == NoteKind::Cloze { AnkiKind::Cloze } else { AnkiKind::Standard },
        fields: kind.fields().map(str::to_owned).into(),
        sort_field: 0,
        templates,
        css: CSS.to_owned(),
        latex_header: "\\documentclass[12pt]{article}\n\\begin{document}\n".to_owned(),
        latex_footer: "\\end{document}".to_owned(),
    }
}

fn scheduled(card: Card, schedule: &Schedule) -> Card {
    let kind = match schedule.state {
        1 => CardKind::Learning,
        2 => CardKind::Review,
        3 => CardKind::Relearning,
        _ => CardKind::New,
    };
    let due = match (schedule.due_at, schedule.due_day) {
        _ if kind == CardKind::New => schedule.position.map_or(card.due, i64::from),
        (Some(at), _) => at.div_euclid(1_000),
        (None, Some(day)) => i64::from(day) - i64::from(DAY_ZERO),
        (None, None) => 0,
    };
    let queue = match kind {
        _ if schedule.suspended => Queue::Suspended,
        _ if schedule.buried => Queue::UserBuried,
        CardKind::New => Queue::New,
        CardKind::Review => Queue::Review,
        CardKind::Learning | CardKind::Relearning if schedule.due_at.is_some() => Queue::Learning,
        CardKind::Learning | CardKind::Relearning => Queue::DayLearning,
    };
    let memory = schedule.stability.zip(schedule.difficulty);
    Card {
        kind,
        queue,
        due,
        interval: schedule.interval,
        ease_factor: schedule.ease,
        reps: schedule.reps,
        lapses: schedule.lapses,
        steps_left: schedule.steps_left,
        flags: u32::from(schedule.flag),
        extra: CardExtra {
            position: schedule.position.filter(|_| kind != CardKind::New),
            memory: memory.map(|(stability, difficulty)| Memory { stability, difficulty }),
            desired_retention: schedule.desired_retention,
            decay: schedule.decay,
            last_review: schedule.last_review,
            custom: String::new(),
        },
        ..card
    }
}

fn told(id: i64, card: i64, review: &PastReview) -> Review {
    Review {
        id,
        card,
        button: review.button.min(4),
        interval: review.interval,
        last_interval: review.last_interval,
        factor: review.factor,
        taken: review.taken,
        kind: match review.kind {
            0 => ReviewKind::Learn,
            1 => ReviewKind::Review,
            2 => ReviewKind::Relearn,
            3 => ReviewKind::Filtered,
            4 => ReviewKind::Manual,
            _ => ReviewKind::Rescheduled,
        },
    }
}

#[cfg(test)]
mod tests {
    use anki::template::{Shape, shape};

    use super::*;

    #[test]
    fn each_kind_is_told_by_its_note_type() {
        let shapes = KINDS.map(|kind| shape(&note_type(kind)));
        assert_eq!(
            shapes,
            [
                Shape::Basic { front: 0, back: 1 },
                Shape::BasicReversed { front: 0, back: 1 },
                Shape::Cloze { text: 0, extra: Some(1) },
                Shape::Typed { front: 0, back: 1 },
            ]
        );
    }

    #[test]
    fn each_id_is_given_once_and_the_next_free_one_after_it() {
        let mut ids = Ids::default();
        let given = [5, 5, 7, 5, 6, 5, 8].map(|id| ids.next(id));
        assert_eq!(given, [5, 6, 7, 8, 9, 10, 11]);
        // As many as a package has that was made at one moment: tried one by one they would take minutes.
        let last = (0..200_000).map(|_| ids.next(5)).last();
        assert_eq!(last, Some(200_011));
    }
}
