//! Writes and reads a package of many notes, and prints seconds and peak memory: `cargo run --release -p anki --example measure [NOTES]`.
//!
//! Each note has a card and five reviews; a tenth has a picture.

#![expect(clippy::print_stdout, reason = "what it is for")]

use std::error::Error;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Instant;

use anki::model::{
    Card, CardExtra, CardKind, Collection, Deck, Memory, Note, NoteKind, NoteType, Queue, Review,
    ReviewKind, Template,
};
use anki::text::{Header, Position, TextReader, TextRow, TextWriter};
use anki::{Limits, Package, PackageWriter};

const REVIEWS: i64 = 5;
const PICTURE_BYTES: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let notes = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir()?;
    let package = folder.path().join("measured.apkg");
    let text = folder.path().join("measured.txt");
    measure("write the package", &package, || write_package(&package, folder.path(), notes))?;
    measure("read the package", &package, || read_package(&package, folder.path()))?;
    measure("write the text", &text, || write_text(&text, notes))?;
    measure("read the text", &text, || read_text(&text))?;
    Ok(())
}

fn measure(
    what: &str,
    file: &Path,
    run: impl FnOnce() -> Result<u64, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let count = run()?;
    let seconds = start.elapsed().as_secs_f64();
    let megabytes = fs::metadata(file)?.len() / 1_000_000;
    println!("{what}: {count} things, {megabytes} MB, {seconds:.2} s, peak memory {}", peak()?);
    Ok(())
}

/// The most memory that the process had so far, as Linux says it.
fn peak() -> io::Result<String> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or("unknown").trim().to_owned())
}

fn collection() -> Collection {
    let deck = Deck {
        id: 2,
        name: "Measured::Deck".to_owned(),
        description: String::new(),
        is_markdown: false,
        is_filtered: false,
    };
    let template = Template {
        name: "Card 1".to_owned(),
        question: "{{Front}}".to_owned(),
        answer: "{{Back}}".to_owned(),
    };
    let note_type = NoteType {
        id: 1,
        name: "Basic".to_owned(),
        kind: NoteKind::Standard,
        fields: vec!["Front".to_owned(), "Back".to_owned()],
        sort_field: 0,
        templates: vec![template],
        css: String::new(),
        latex_header: String::new(),
        latex_footer: String::new(),
    };
    Collection {
        created: 1_600_000_000,
        decks: vec![deck],
        note_types: vec![note_type],
        ..Collection::default()
    }
}

/// Text that packs about as well as people's does.
fn words(seed: i64, count: u64) -> String {
    let mut state = seed.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::new();
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!("{:x} ", (state >> 40) % 50_000));
    }
    text
}

fn note(id: i64) -> Note {
    Note {
        id,
        guid: format!("guid {id}"),
        note_type: 1,
        modified: 1_600_000_000,
        tags: vec!["measured".to_owned()],
        fields: vec![words(id, 10), format!("{}<br><b>{id}</b>", words(-id, 30))],
    }
}

fn write_package(path: &Path, folder: &Path, notes: i64) -> Result<u64, Box<dyn Error>> {
    let mut writer = PackageWriter::new(File::create(path)?, folder, &collection())?;
    for id in 1..=notes {
        writer.note(&note(id))?;
        writer.card(&Card {
            id,
            note: id,
            ordinal: 0,
            deck: 2,
            modified: 1_600_000_000,
            kind: CardKind::Review,
            queue: Queue::Review,
            due: id % 1000,
            interval: id % 300,
            ease_factor: 2500,
            reps: 5,
            lapses: 0,
            steps_left: 0,
            home: None,
            flags: 0,
            extra: CardExtra {
                memory: Some(Memory { stability: 12.5, difficulty: 5.25 }),
                ..CardExtra::default()
            },
        })?;
        for number in 0..REVIEWS {
            writer.review(&Review {
                id: 1_600_000_000_000 + id * REVIEWS + number,
                card: id,
                button: 3,
                interval: number + 1,
                last_interval: number,
                factor: 500,
                taken: 4_000,
                kind: ReviewKind::Review,
            })?;
        }
        if id % 10 == 0 {
            let picture = words(id, 3).into_bytes().repeat(PICTURE_BYTES / 15);
            writer.media(&format!("{id}.png"), &mut picture.as_slice())?;
        }
    }
    writer.finish()?;
    Ok(notes.unsigned_abs())
}

fn read_package(path: &Path, folder: &Path) -> Result<u64, Box<dyn Error>> {
    let mut package = Package::open(File::open(path)?, folder, &Limits::default())?;
    let mut count = 0;
    for note in package.notes() {
        for card in package.cards_of(note?.id)? {
            count += 2 + package.reviews_of(card.id)?.len() as u64;
        }
    }
    for media in package.media().to_vec() {
        package.copy_media(&media, &mut io::sink())?;
        count += 1;
    }
    Ok(count)
}

fn write_text(path: &Path, notes: i64) -> Result<u64, Box<dyn Error>> {
    let header = Header {
        is_html: Some(true),
        guid_column: Some(0),
        tags_column: Some(3),
        ..Header::default()
    };
    let mut writer = TextWriter::new(io::BufWriter::new(File::create(path)?), &header)?;
    for id in 1..=notes {
        let Note { guid, tags, fields, .. } = note(id);
        let at = Position { line: 1, column: 1 };
        writer.row(&TextRow { at, guid: Some(guid), note_type: None, deck: None, tags, fields })?;
    }
    writer.finish()?;
    Ok(notes.unsigned_abs())
}

fn read_text(path: &Path) -> Result<u64, Box<dyn Error>> {
    let mut count = 0;
    for row in TextReader::new(File::open(path)?, &Limits::default())? {
        row?;
        count += 1;
    }
    Ok(count)
}
