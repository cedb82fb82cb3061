//! What the tests share: running Anki's own library as an outside program, and saying what a package holds in that program's words.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod crafted;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::Command;

use anki::model::{Card, CardKind, NoteKind, Queue, Review, ReviewKind};
use anki::{Error, Limits, Package, PackageWriter};
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};
use tempfile::TempDir;

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs one of `tests/python`, and returns what it prints.
pub(crate) fn python(script: &str, arguments: &[&Path]) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let python = tests.join(".venv/bin/python");
    assert!(
        tests.join(".venv/tests").exists(),
        "Anki's own library is not installed beside the tests: run `make test-anki`"
    );
    let output = Command::new(python)
        .arg("-B")
        .arg(tests.join("python").join(script))
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// What Anki finds in a package; `how` is explained in `anki_reads.py`.
pub(crate) fn anki_reads(how: &str, package: &Path) -> Value {
    let folder = folder();
    let text = python("anki_reads.py", &[Path::new(how), package, folder.path()]);
    parsed_data(serde_json::from_str(&text).unwrap())
}

/// `data` of cards is JSON in JSON; its order and spaces mean nothing.
pub(crate) fn parsed_data(mut described: Value) -> Value {
    for card in described["cards"].as_array_mut().unwrap() {
        let text = card[16].as_str().unwrap().to_owned();
        card[16] = if text.is_empty() { json!({}) } else { serde_json::from_str(&text).unwrap() };
    }
    described
}

pub(crate) fn open(path: &Path) -> Result<Package<File>, Error> {
    Package::open(File::open(path).unwrap(), &std::env::temp_dir(), &Limits::default())
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What a package holds, in the shape of `describing.py`, but for the notes' checksums.
pub(crate) fn describe<R: Read + Seek>(package: &mut Package<R>) -> Value {
    let mut media = Map::new();
    for file in package.media().to_vec() {
        let mut content = Vec::new();
        package.copy_media(&file, &mut content).unwrap();
        media.insert(file.name, json!([content.len(), hex(&Sha1::digest(&content))]));
    }
    let collection = package.collection();
    let decks: Map<String, Value> = collection
        .decks
        .iter()
        .map(|d| (d.id.to_string(), json!([d.name, d.description, i32::from(d.is_filtered)])))
        .collect();
    let note_types: Map<String, Value> = collection
        .note_types
        .iter()
        .map(|note_type| {
            let templates = note_type.templates.iter();
            let described = json!({
                "name": note_type.name,
                "kind": i32::from(note_type.kind == NoteKind::Cloze),
                "sort_field": note_type.sort_field,
                "fields": note_type.fields,
                "templates": templates.map(|t| json!([t.name, t.question, t.answer])).collect::<Vec<_>>(),
                "css": note_type.css,
                "latex": [note_type.latex_header, note_type.latex_footer],
            });
            (note_type.id.to_string(), described)
        })
        .collect();
    let notes = package.notes().map(|note| {
        let note = note.unwrap();
        let tags = match note.tags.join(" ") {
            tags if tags.is_empty() => tags,
            tags => format!(" {tags} "),
        };
        let fields = note.fields.join("\u{1f}");
        json!([note.id, note.guid, note.note_type, note.modified, tags, fields])
    });
    json!({
        "created": collection.created,
        "decks": decks,
        "note_types": note_types,
        "notes": notes.collect::<Vec<_>>(),
        "cards": package.cards().map(|card| card_row(&card.unwrap())).collect::<Vec<_>>(),
        "reviews": package.reviews().map(|review| review_row(review.unwrap())).collect::<Vec<_>>(),
        "media": media,
    })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn card_row(card: &Card) -> Value {
    let kind = match card.kind {
        CardKind::New => 0,
        CardKind::Learning => 1,
        CardKind::Review => 2,
        CardKind::Relearning => 3,
    };
    let queue = match card.queue {
        Queue::UserBuried => -3,
        Queue::SiblingBuried => -2,
        Queue::Suspended => -1,
        Queue::New => 0,
        Queue::Learning => 1,
        Queue::Review => 2,
        Queue::DayLearning => 3,
        Queue::Preview => 4,
    };
    let mut data = Map::new();
    let short = |number: f32| serde_json::from_str::<Value>(&format!("{number:?}")).unwrap();
    let extra = &card.extra;
    let mut add = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    add("pos", extra.position.map(Value::from));
    add("s", extra.memory.map(|memory| short(memory.stability)));
    add("d", extra.memory.map(|memory| short(memory.difficulty)));
    add("dr", extra.desired_retention.map(short));
    add("decay", extra.decay.map(short));
    add("lrt", extra.last_review.map(Value::from));
    add("cd", (!extra.custom.is_empty()).then(|| extra.custom.clone().into()));
    let (home, home_due) = card.home.map_or((0, 0), |home| (home.deck, home.due));
    json!([
        card.id,
        card.note,
        card.deck,
        card.ordinal,
        card.modified,
        kind,
        queue,
        card.due,
        card.interval,
        card.ease_factor,
        card.reps,
        card.lapses,
        card.steps_left,
        home_due,
        home,
        card.flags,
        data
    ])
}

fn review_row(review: Review) -> Value {
    let kind = match review.kind {
        ReviewKind::Learn => 0,
        ReviewKind::Review => 1,
        ReviewKind::Relearn => 2,
        ReviewKind::Filtered => 3,
        ReviewKind::Manual => 4,
        ReviewKind::Rescheduled => 5,
    };
    json!([
        review.id,
        review.card,
        review.button,
        review.interval,
        review.last_interval,
        review.factor,
        review.taken,
        kind
    ])
}

/// Writes all that a package holds into another.
pub(crate) fn copy<R: Read + Seek>(from: &mut Package<R>, to: &Path) {
    let mut writer =
        PackageWriter::new(File::create(to).unwrap(), &std::env::temp_dir(), from.collection())
            .unwrap();
    for note in from.notes() {
        writer.note(&note.unwrap()).unwrap();
    }
    for card in from.cards() {
        writer.card(&card.unwrap()).unwrap();
    }
    for review in from.reviews() {
        writer.review(&review.unwrap()).unwrap();
    }
    for file in from.media().to_vec() {
        let mut content = Vec::new();
        from.copy_media(&file, &mut content).unwrap();
        writer.media(&file.name, &mut content.as_slice()).unwrap();
    }
    writer.finish().unwrap();
}
