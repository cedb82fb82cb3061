//! Files to import, of all forms, and what is there once they are imported.

use std::collections::{BTreeMap, BTreeSet};

use common::history::{PastReview, Schedule};
use common::{DeckId, NoteId, UserId};
use decks::exchange::{DeckPath, Outgoing, OutgoingCard, OutgoingDeck, Writer};
use decks::model::{
    Card, Content, FieldEdit, FileFormat, Guid, MAX_FILE, Note, NoteKind, Tag, Tags,
};
use jiff::Timestamp;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

const NOTES: std::ops::Range<usize> = 1..25;
const FORMATS: [FileFormat; 5] =
    [FileFormat::Apkg, FileFormat::Json, FileFormat::Csv, FileFormat::Tsv, FileFormat::Markdown];

/// What a note is, in words that can be compared with what the graph shows.
pub(super) type Shown = (String, Vec<String>, BTreeSet<String>, Vec<String>);

/// A file, and what is there once it is imported.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// By their first fields.
    pub(super) notes: BTreeMap<String, Shown>,
    pub(super) decks: BTreeSet<String>,
    pub(super) media: BTreeSet<String>,
    /// Reviews and schedules.
    pub(super) log: u64,
}

/// Makes files.
pub(super) struct Drawing {
    pub(super) name: &'static str,
    pub(super) dice: StdRng,
    named: u64,
    with_reviews: bool,
}

impl Drawing {
    pub(super) const fn new(name: &'static str, dice: StdRng, with_reviews: bool) -> Self {
        Self { name, dice, named: 0, with_reviews }
    }

    /// Makes a file.
    pub(super) fn draw(&mut self) -> Import {
        self.named += 1;
        let name = format!("{}-{}", self.name, self.named);
        let format = *FORMATS.choose(&mut self.dice).unwrap();
        let mut import = Import {
            name: format!("{name}.{}", format.extension()),
            bytes: Vec::new(),
            notes: BTreeMap::new(),
            decks: BTreeSet::from([name.clone()]),
            media: BTreeSet::new(),
            log: 0,
        };
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        if format.takes_media() {
            for nth in 0..self.dice.random_range(0..4) {
                let file = format!("{name}-{nth}.gif");
                files.insert(file.clone(), [b"GIF89a", file.as_bytes()].concat());
            }
        }
        let paths =
            [DeckPath::from([name.clone()]), DeckPath::from([name.clone(), format!("{name}-in")])];
        let count = self.dice.random_range(NOTES);
        let notes: Vec<Outgoing> = (0..count)
            .map(|nth| {
                let path = paths.choose(&mut self.dice).unwrap();
                let file = files.keys().nth(nth % files.len().max(1));
                self.note(&format!("{name}-{nth}"), path, file, format)
            })
            .collect();
        for note in &notes {
            let fields: Vec<String> =
                note.note.content.fields().iter().map(|field| field.value.clone()).collect();
            let tags = note.note.tags.list().iter().map(|tag| Tag::text(tag).to_owned()).collect();
            let decks = note.cards.iter().map(|card| card.path.last().unwrap().clone()).collect();
            import.decks.extend(note.cards[0].path.iter().cloned());
            import.log += note.cards.iter().map(|card| card.reviews.len() as u64).sum::<u64>();
            import.log += note.cards.iter().filter(|card| card.schedule.is_some()).count() as u64;
            let shown = (note.note.content.kind().label().to_owned(), fields, tags, decks);
            import.notes.insert(shown.1[0].clone(), shown);
        }
        import.bytes = written(format, &paths, &notes, &files);
        import.media = files.into_keys().collect();
        import
    }

    fn note(
        &mut self,
        name: &str,
        path: &DeckPath,
        file: Option<&String>,
        format: FileFormat,
    ) -> Outgoing {
        let kinds = [NoteKind::Basic, NoteKind::BasicReversed, NoteKind::Cloze, NoteKind::Typed];
        let kind = *kinds.choose(&mut self.dice).unwrap();
        let image = file.map(|file| format!(" <img src=\"{file}\">")).unwrap_or_default();
        let texts = match kind {
            NoteKind::Cloze => {
                [format!("{name} {{{{c1::x}}}} {{{{c2::y}}}}{image}"), String::new()]
            }
            _ => [format!("{name} front{image}"), format!("{name} back")],
        };
        let fields = kind.fields().into_iter().zip(texts);
        let edit =
            |(name, value): (&str, String)| FieldEdit { name: name.to_owned(), value: Some(value) };
        let content = Content::new("fields", kind, fields.map(edit).collect()).unwrap();
        let tag = Tag::new("tag", &format!("i{}", self.dice.random_range(0..3))).unwrap();
        let (id, now) = (NoteId::new(), Timestamp::now());
        let has_log = self.with_reviews && matches!(format, FileFormat::Apkg | FileFormat::Json);
        let note = Note {
            id,
            owner: UserId::new(),
            guid: Guid::of(id),
            content,
            tags: Tags::new("tags", vec![tag]).unwrap(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let cards = note.content.cards().into_iter().map(|written| {
            let reviews = if has_log { self.dice.random_range(0..4) } else { 0 };
            OutgoingCard {
                card: Card::of(&note, written, DeckId::new()),
                path: path.clone(),
                reviews: (0..reviews).map(|day| review(now, day)).collect(),
                schedule: (reviews > 0).then(schedule),
            }
        });
        let cards = cards.collect();
        Outgoing { note, cards }
    }
}

fn written(
    format: FileFormat,
    paths: &[DeckPath],
    notes: &[Outgoing],
    files: &BTreeMap<String, Vec<u8>>,
) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let deck = |path: &DeckPath| OutgoingDeck {
        path: path.clone(),
        description: String::new(),
        color: None,
        archived: false,
    };
    let decks: Vec<OutgoingDeck> = paths.iter().map(deck).collect();
    let mut writer =
        Writer::new(&path, folder.path(), format, &decks, Timestamp::now(), MAX_FILE).unwrap();
    for note in notes {
        writer.note(note).unwrap();
    }
    for (name, bytes) in files {
        writer.media(name, bytes).unwrap();
    }
    writer.finish().unwrap();
    std::fs::read(path).unwrap()
}

fn review(now: Timestamp, day: i64) -> PastReview {
    PastReview {
        at: now.as_millisecond() - (10 - day) * 86_400_000,
        button: 3,
        interval: day + 1,
        last_interval: day,
        factor: 500,
        taken: 1_000,
        kind: 1,
    }
}

fn schedule() -> Schedule {
    Schedule {
        state: 2,
        due_at: None,
        due_day: Some(30_000),
        interval: 9,
        ease: 2_500,
        reps: 3,
        lapses: 0,
        steps_left: 0,
        suspended: false,
        buried: false,
        flag: 0,
        stability: Some(9.0),
        difficulty: Some(5.0),
        desired_retention: None,
        decay: None,
        last_review: None,
        position: None,
    }
}
