//! Beside other programs: packages that Anki's own library, genanki and anki-apkg-export wrote are read with nothing lost, and Anki opens
//! what is written here.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use anki::Format;
use anki::model::{NoteKind, Queue};
use anki::template::{Shape, render, shape};
use serde_json::{Value, json};
use support::{anki_reads, copy, describe, fixture, folder, open, parsed_data, python};
use tempfile::TempDir;

/// What Anki's library wrote, and what it found in its collection.
fn by_anki() -> (&'static Path, Value) {
    static WRITTEN: OnceLock<(TempDir, Value)> = OnceLock::new();
    let (folder, expected) = WRITTEN.get_or_init(|| {
        let folder = folder();
        python("anki_writes.py", &[folder.path()]);
        let text = fs::read_to_string(folder.path().join("expected.json")).unwrap();
        let expected = parsed_data(serde_json::from_str(&text).unwrap());
        (folder, expected)
    });
    (folder.path(), expected.clone())
}

fn without_checksums(mut described: Value) -> Value {
    for note in described["notes"].as_array_mut().unwrap() {
        note.as_array_mut().unwrap().truncate(6);
    }
    described
}

/// Compares part by part, so that a failure names the part.
fn assert_same(found: &Value, expected: &Value) {
    for part in ["created", "decks", "note_types", "notes", "cards", "reviews", "media"] {
        assert!(expected[part] != Value::Null, "{part} is expected");
        assert_eq!(found[part], expected[part], "{part}");
    }
}

#[test]
fn collections_that_anki_wrote_are_read_with_nothing_lost() {
    let (folder, expected) = by_anki();
    let expected = without_checksums(expected);
    for (name, format) in [("legacy.colpkg", Format::Legacy2), ("current.colpkg", Format::Current)]
    {
        let mut package = open(&folder.join(name)).unwrap();
        assert_eq!(package.format(), format);
        let found = describe(&mut package);
        assert_same(&found, &expected);
        assert_eq!(package.missing_media(), [""; 0]);
        let shapes: Vec<_> = package.collection().note_types.iter().map(shape).collect();
        // Those that each collection has, in the order in which Anki makes them, and the one of the script.
        assert_eq!(
            shapes,
            [
                Shape::Basic { front: 0, back: 1 },
                Shape::BasicReversed { front: 0, back: 1 },
                Shape::Other,
                Shape::Typed { front: 0, back: 1 },
                Shape::Cloze { text: 0, extra: Some(1) },
                Shape::Other,
                Shape::Other,
            ]
        );
        let queues: Vec<_> = package.cards().map(|card| card.unwrap().queue).collect();
        for queue in [
            Queue::UserBuried,
            Queue::Suspended,
            Queue::New,
            Queue::Learning,
            Queue::Review,
            Queue::DayLearning,
        ] {
            assert!(queues.contains(&queue), "no card is {queue:?}");
        }
    }
}

#[test]
fn decks_that_anki_wrote_are_read_with_nothing_lost() {
    let (folder, expected) = by_anki();
    let mut expected = without_checksums(expected);
    // Anki takes only what is used into an `.apkg`: no review whose card was deleted, no media that no note names,
    // no note type without notes.
    expected["reviews"].as_array_mut().unwrap().remove(0);
    expected["media"].as_object_mut().unwrap().remove("_style.css").unwrap();
    let used: Vec<String> =
        expected["notes"].as_array().unwrap().iter().map(|note| note[2].to_string()).collect();
    expected["note_types"].as_object_mut().unwrap().retain(|id, _| used.contains(id));
    for (name, format) in [("legacy.apkg", Format::Legacy2), ("current.apkg", Format::Current)] {
        let mut package = open(&folder.join(name)).unwrap();
        assert_eq!(package.format(), format);
        let found = describe(&mut package);
        assert_same(&found, &expected);
    }
}

#[test]
fn cards_show_what_anki_shows() {
    let (folder, expected) = by_anki();
    let package = open(&folder.join("current.colpkg")).unwrap();
    let mut count = 0;
    for note in package.notes() {
        let note = note.unwrap();
        let note_types = &package.collection().note_types;
        let note_type = note_types.iter().find(|found| found.id == note.note_type).unwrap();
        for card in package.cards_of(note.id).unwrap() {
            let rendered = render(note_type, &note, card.ordinal).unwrap();
            let shown = &expected["rendered"][card.id.to_string()];
            let sides = json!([rendered.question, rendered.answer]);
            assert_eq!(&sides, shown, "card {} of {note:?}", card.ordinal);
            count += 1;
        }
    }
    assert!(count > 40);
}

#[test]
fn what_belongs_together_is_found() {
    let (folder, _) = by_anki();
    let package = open(&folder.join("current.colpkg")).unwrap();
    let (mut cards, mut reviews) = (Vec::new(), Vec::new());
    for note in package.notes() {
        cards.extend(package.cards_of(note.unwrap().id).unwrap());
    }
    cards.sort_by_key(|card| card.id);
    assert_eq!(cards, package.cards().collect::<Result<Vec<_>, _>>().unwrap());
    for card in &cards {
        reviews.extend(package.reviews_of(card.id).unwrap());
    }
    reviews.sort_by_key(|review| review.id);
    let all = package.reviews().collect::<Result<Vec<_>, _>>().unwrap();
    // The first is of a card that was deleted.
    assert_eq!(reviews, all[1..]);
    let counts = package.counts().unwrap();
    assert_eq!((counts.cards, counts.reviews), (cards.len() as u64, all.len() as u64));
    let third = cards[2].id;
    let rest: Vec<_> = package.cards().after(third).map(|card| card.unwrap().id).collect();
    assert_eq!(rest, cards[3..].iter().map(|card| card.id).collect::<Vec<_>>());
}

#[test]
fn anki_opens_what_is_written_with_the_same_cards_and_schedules() {
    let (by_anki, expected) = by_anki();
    let folder = folder();
    let path = folder.path().join("own.apkg");
    copy(&mut open(&by_anki.join("current.colpkg")).unwrap(), &path);

    let mut opened = anki_reads("open", &path);
    // Media are no part of the database.
    opened["media"] = expected["media"].clone();
    assert_same(&opened, &expected);

    let path_of_collection = folder.path().join("own.colpkg");
    fs::copy(&path, &path_of_collection).unwrap();
    assert_same(&anki_reads("restore", &path_of_collection), &expected);
}

#[test]
fn anki_imports_what_is_written_as_it_imports_its_own() {
    let (by_anki, _) = by_anki();
    let folder = folder();
    let path = folder.path().join("own.apkg");
    copy(&mut open(&by_anki.join("current.apkg")).unwrap(), &path);
    let own = anki_reads("import", &path);
    let theirs = anki_reads("import", &by_anki.join("current.apkg"));
    for part in ["decks", "notes", "cards", "reviews", "media"] {
        let (own, theirs) = (stable(part, &own[part]), stable(part, &theirs[part]));
        assert_eq!(own, theirs, "{part}");
    }
    assert!(own["cards"].as_array().unwrap().len() > 40);
}

/// What does not depend on when it was imported: Anki gives decks new ids, and changes of the import the time of the import.
fn stable(part: &str, described: &Value) -> Value {
    let cells = |row: &Value, columns: &[usize]| -> Value {
        columns.iter().map(|column| row[*column].clone()).collect()
    };
    let rows = described.as_array().into_iter().flatten();
    match part {
        "decks" => {
            let mut names: Vec<_> =
                described.as_object().unwrap().values().map(|deck| deck[0].to_string()).collect();
            names.sort();
            json!(names)
        }
        "notes" => rows.map(|row| cells(row, &[0, 1, 3, 4, 5, 6])).collect(),
        "cards" => {
            rows.map(|row| cells(row, &[0, 1, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16])).collect()
        }
        _ => described.clone(),
    }
}

#[test]
fn decks_that_genanki_wrote_are_read() {
    let folder = folder();
    python("genanki_writes.py", &[folder.path()]);
    let mut package = open(&folder.path().join("genanki.apkg")).unwrap();
    assert_eq!(package.format(), Format::Legacy1);
    let collection = package.collection();
    let decks: Vec<_> = collection
        .decks
        .iter()
        .map(|deck| (deck.id, deck.name.as_str(), deck.description.as_str()))
        .collect();
    assert_eq!(
        decks,
        [
            (1, "Default", ""),
            (2_059_400_110, "Country Capitals", "All of them"),
            (2_059_400_111, "Country Capitals::Asia", ""),
        ]
    );
    assert_eq!(collection.decks[2].path().collect::<Vec<_>>(), ["Country Capitals", "Asia"]);
    let own = collection.note_types.iter().find(|n| n.name == "Simple with media").unwrap();
    assert_eq!(own.fields, ["Question", "Answer", "MyMedia"]);
    assert_eq!(own.templates[1].question, "{{Answer}}");
    assert_eq!((own.kind, own.css.as_str()), (NoteKind::Standard, ".card { color: blue }"));
    let notes: Vec<_> = package.notes().map(Result::unwrap).collect();
    assert_eq!(notes[0].fields, ["Argentina", "Buenos Aires", "<img src=\"flag.png\">"]);
    assert_eq!(notes[0].tags, ["south", "a::b"]);
    assert_eq!((notes[1].guid.as_str(), &notes[1].fields[0][..7]), ("own guid", "{{c1::T"));
    let cloze = collection.note_types.iter().find(|n| n.id == notes[1].note_type).unwrap();
    assert_eq!(cloze.kind, NoteKind::Cloze);
    let cards: Vec<_> = package.cards().map(Result::unwrap).map(|c| (c.deck, c.ordinal)).collect();
    let (outer, inner) = (2_059_400_110, 2_059_400_111);
    assert_eq!(cards, [(outer, 0), (outer, 1), (inner, 0), (inner, 1)]);
    let media = package.media().to_vec();
    let mut content = Vec::new();
    package.copy_media(&media[0], &mut content).unwrap();
    assert_eq!(
        (media[0].name.as_str(), content.as_slice()),
        ("flag.png", b"\x89PNG not really".as_slice())
    );
}

#[test]
fn the_deck_that_anki_apkg_export_wrote_is_read() {
    let mut package = open(&fixture("anki-apkg-export.apkg")).unwrap();
    assert_eq!(package.format(), Format::Legacy1);
    let found = describe(&mut package);
    let fields: Vec<_> = package.notes().map(|note| note.unwrap().fields).collect();
    assert_eq!(
        fields,
        [
            ["card #1 front", "card #1 back"],
            ["card #2 front", "card #2 back"],
            ["card #3 with image <img src=\"anki.png\" />", "card #3 back"],
        ]
    );
    assert_eq!(package.notes().next().unwrap().unwrap().tags, ["food", "fruit"]);
    assert_eq!(found["cards"].as_array().unwrap().len(), 3);
    let sha1 = "21e96c437ab420bb45e6c018fd0c77a891f33e40";
    assert_eq!(found["media"], json!({ "anki.png": [19_040, sha1] }));
}
