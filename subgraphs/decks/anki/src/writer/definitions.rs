//! The collection, its decks and note types as the JSON of schema 11. What the model does not hold is written as Anki's defaults.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use crate::error::Error;
use crate::model::{Collection, Deck, NoteKind, NoteType};

pub(super) const DEFAULT_DECK: i64 = 1;

/// That ids and names are unique, and that names survive being written.
pub(super) fn check(collection: &Collection) -> Result<(), Error> {
    let mut ids = HashSet::new();
    let mut names = HashSet::new();
    for Deck { id, name, .. } in &collection.decks {
        let what = || format!("deck {id}");
        unique(&mut ids, *id, what)?;
        unique(&mut names, name.to_lowercase(), what)?;
        valid_name(name, what)?;
        if name.split("::").any(str::is_empty) {
            return Err(unwritable(what(), "a part of its name is empty"));
        }
    }
    ids.clear();
    names.clear();
    for note_type in &collection.note_types {
        let what = || format!("note type {}", note_type.id);
        unique(&mut ids, note_type.id, what)?;
        unique(&mut names, note_type.name.to_lowercase(), what)?;
        let parts = note_type.templates.iter().map(|template| &template.name);
        for name in parts.chain(&note_type.fields).chain([&note_type.name]) {
            valid_name(name, what)?;
        }
        if note_type.fields.is_empty() || note_type.templates.is_empty() {
            return Err(unwritable(what(), "it needs a field and a template"));
        }
    }
    Ok(())
}

fn unique<T: Eq + std::hash::Hash>(
    known: &mut HashSet<T>,
    value: T,
    what: impl Fn() -> String,
) -> Result<(), Error> {
    if known.insert(value) {
        return Ok(());
    }
    Err(unwritable(what(), "its id or name was used before"))
}

fn valid_name(name: &str, what: impl Fn() -> String) -> Result<(), Error> {
    if name.is_empty() || name.contains(char::is_control) {
        return Err(unwritable(what(), "a name is empty or holds control characters"));
    }
    Ok(())
}

fn unwritable(what: String, problem: &str) -> Error {
    Error::Unwritable { what, problem: problem.to_owned() }
}

pub(super) fn write(
    database: &Connection,
    collection: &Collection,
    has_memory: bool,
) -> Result<(), Error> {
    let modified_seconds = collection.modified.div_euclid(1000);
    let mut decks: BTreeMap<i64, Value> =
        collection.decks.iter().map(|d| (d.id, deck(d, modified_seconds))).collect();
    decks.entry(DEFAULT_DECK).or_insert_with(|| {
        let deck_1 = Deck {
            id: DEFAULT_DECK,
            name: default_name(collection),
            description: String::new(),
            is_markdown: false,
            is_filtered: false,
        };
        deck(&deck_1, modified_seconds)
    });
    let note_types: BTreeMap<i64, Value> =
        collection.note_types.iter().map(|n| (n.id, note_type(n, modified_seconds))).collect();
    let text = |value: &BTreeMap<i64, Value>| {
        serde_json::to_string(value).map_err(|error| Error::Io(error.into()))
    };
    database
        .execute(
            "INSERT INTO col VALUES (1, ?1, ?2, ?2, 11, 0, 0, 0, ?3, ?4, ?5, ?6, '{}')",
            params![
                collection.created,
                collection.modified,
                settings(collection, has_memory).to_string(),
                text(&note_types)?,
                text(&decks)?,
                json!({ "1": preset() }).to_string(),
            ],
        )
        .map_err(Error::database("the new file"))?;
    Ok(())
}

/// "Default", unless a deck of that name has another id.
fn default_name(collection: &Collection) -> String {
    let mut name = "Default".to_owned();
    while collection.decks.iter().any(|deck| deck.name.eq_ignore_ascii_case(&name)) {
        name.push('+');
    }
    name
}

fn settings(collection: &Collection, has_memory: bool) -> Value {
    let mut settings = json!({
        "activeDecks": [1],
        "addToCur": true,
        "collapseTime": 1200,
        "curDeck": 1,
        "dayLearnFirst": false,
        "dueCounts": true,
        "estTimes": true,
        "newSpread": 0,
        "nextPos": 1,
        "sched2021": true,
        "schedVer": 2,
        "sortBackwards": false,
        "sortType": "noteFld",
        "timeLim": 0,
    });
    if let Some(minutes) = collection.created_minutes_west {
        settings["creationOffset"] = minutes.into();
    }
    if let Some(hour) = collection.rollover_hour {
        settings["rollover"] = hour.into();
    }
    if has_memory {
        settings["fsrs"] = true.into();
    }
    settings
}

fn deck(deck: &Deck, modified: i64) -> Value {
    let mut value = json!({
        "id": deck.id,
        "name": deck.name,
        "desc": deck.description,
        "md": deck.is_markdown,
        "mod": modified,
        "usn": -1,
        "dyn": i32::from(deck.is_filtered),
        "collapsed": false,
        "browserCollapsed": false,
        "newToday": [0, 0],
        "revToday": [0, 0],
        "lrnToday": [0, 0],
        "timeToday": [0, 0],
    });
    let own = if deck.is_filtered {
        // A search that finds nothing: the model holds none.
        json!({
            "terms": [["deck:_none_", 0, 0]], "resched": true, "separate": true, "delays": null,
            "previewDelay": 10, "previewAgainSecs": 60, "previewHardSecs": 600, "previewGoodSecs": 0,
        })
    } else {
        json!({ "conf": 1, "extendNew": 0, "extendRev": 0 })
    };
    extend(&mut value, own);
    value
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn note_type(note_type: &NoteType, modified: i64) -> Value {
    let fields = note_type.fields.iter().enumerate().map(|(ord, name)| {
        json!({
            "name": name, "ord": ord, "sticky": false, "rtl": false, "font": "Arial", "size": 20,
            "media": [],
        })
    });
    let templates = note_type.templates.iter().enumerate().map(|(ord, template)| {
        json!({
            "name": template.name, "ord": ord, "qfmt": template.question, "afmt": template.answer,
            "bqfmt": "", "bafmt": "", "did": null, "bfont": "", "bsize": 0,
        })
    });
    let kind = match note_type.kind {
        NoteKind::Standard => 0,
        NoteKind::Cloze => 1,
    };
    json!({
        "id": note_type.id,
        "name": note_type.name,
        "type": kind,
        "mod": modified,
        "usn": -1,
        "sortf": note_type.sort_field,
        "did": 1,
        "flds": fields.collect::<Vec<_>>(),
        "tmpls": templates.collect::<Vec<_>>(),
        "css": note_type.css,
        "latexPre": note_type.latex_header,
        "latexPost": note_type.latex_footer,
        "latexsvg": false,
        "req": [],
        "tags": [],
        "vers": [],
    })
}

/// Anki's default options of decks.
fn preset() -> Value {
    json!({
        "id": 1, "name": "Default", "mod": 0, "usn": 0, "maxTaken": 60, "autoplay": true, "timer": 0,
        "replayq": true, "dyn": false,
        "new": {
            "bury": false, "delays": [1.0, 10.0], "initialFactor": 2500, "ints": [1, 4, 0],
            "order": 1, "perDay": 20,
        },
        "rev": {
            "bury": false, "ease4": 1.3, "ivlFct": 1.0, "maxIvl": 36500, "perDay": 200,
            "hardFactor": 1.2,
        },
        "lapse": {
            "delays": [10.0], "leechAction": 1, "leechFails": 8, "minInt": 1, "mult": 0.0,
        },
    })
}
