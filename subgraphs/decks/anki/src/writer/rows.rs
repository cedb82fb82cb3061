//! Notes, cards and reviews as rows of schema 11.

use rusqlite::{Connection, params};
use serde::Serialize;
use sha1::{Digest, Sha1};

use crate::codes::{CARD_KINDS, QUEUES, REVIEW_KINDS, number};
use crate::error::Error;
use crate::model::{Card, CardExtra, Home, Note, Review};
use crate::plain::plain_text_with_media;

/// "Not synchronised yet".
const USN: i64 = -1;
const FIELD_SEPARATOR: char = '\u{1f}';

pub(super) fn add_note(database: &Connection, note: &Note, sort_field: usize) -> Result<(), Error> {
    let what = || format!("note {}", note.id);
    let unwritable =
        |problem: &str| Error::Unwritable { what: what(), problem: problem.to_owned() };
    if note.fields.iter().any(|field| field.contains(FIELD_SEPARATOR)) {
        return Err(unwritable("a field holds U+001F, which separates fields"));
    }
    let is_word = |tag: &String| !tag.is_empty() && !tag.contains(char::is_whitespace);
    if !note.tags.iter().all(is_word) {
        return Err(unwritable("a tag is empty or holds a space, which separates tags"));
    }
    let tags =
        if note.tags.is_empty() { String::new() } else { format!(" {} ", note.tags.join(" ")) };
    let first = plain_text_with_media(note.fields.first().map_or("", String::as_str));
    let sorted_by = if sort_field == 0 {
        first.clone()
    } else {
        plain_text_with_media(note.fields.get(sort_field).map_or("", String::as_str))
    };
    let sql = "INSERT INTO notes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, '')";
    let fields = note.fields.join("\u{1f}");
    let values = params![
        note.id,
        note.guid,
        note.note_type,
        note.modified,
        USN,
        tags,
        fields,
        sorted_by,
        checksum(&first),
    ];
    insert(database, sql, values, what)
}

/// The first four bytes of the SHA-1: how Anki finds notes with the same first field.
fn checksum(text: &str) -> u32 {
    let digest: [u8; 20] = Sha1::digest(text.as_bytes()).into();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

pub(super) fn add_card(database: &Connection, card: &Card) -> Result<(), Error> {
    let home = card.home.unwrap_or(Home { deck: 0, due: 0 });
    let sql = "INSERT INTO cards VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    let values = params![
        card.id,
        card.note,
        card.deck,
        card.ordinal,
        card.modified,
        USN,
        number(CARD_KINDS, card.kind),
        number(QUEUES, card.queue),
        card.due,
        card.interval,
        card.ease_factor,
        card.reps,
        card.lapses,
        card.steps_left,
        home.due,
        home.deck,
        card.flags,
        data(&card.extra)?,
    ];
    insert(database, sql, values, || format!("card {}", card.id))
}

fn data(extra: &CardExtra) -> Result<String, Error> {
    #[derive(Serialize)]
    struct Data<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        pos: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        s: Option<f32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        d: Option<f32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        dr: Option<f32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        decay: Option<f32>,
        #[serde(skip_serializing_if = "Option::is_none")]
        lrt: Option<i64>,
        #[serde(skip_serializing_if = "str::is_empty")]
        cd: &'a str,
    }
    let data = Data {
        pos: extra.position,
        s: extra.memory.map(|memory| memory.stability),
        d: extra.memory.map(|memory| memory.difficulty),
        dr: extra.desired_retention,
        decay: extra.decay,
        lrt: extra.last_review,
        cd: &extra.custom,
    };
    serde_json::to_string(&data).map_err(|error| Error::Io(error.into()))
}

pub(super) fn add_review(database: &Connection, review: &Review) -> Result<(), Error> {
    let what = || format!("review {}", review.id);
    if review.button > 4 {
        let problem = format!("its button is {}; 0 to 4 are accepted", review.button);
        return Err(Error::Unwritable { what: what(), problem });
    }
    let sql = "INSERT INTO revlog VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let values = params![
        review.id,
        review.card,
        USN,
        review.button,
        review.interval,
        review.last_interval,
        review.factor,
        review.taken,
        number(REVIEW_KINDS, review.kind),
    ];
    insert(database, sql, values, what)
}

fn insert(
    database: &Connection,
    sql: &str,
    values: &[&dyn rusqlite::ToSql],
    what: impl Fn() -> String,
) -> Result<(), Error> {
    let failed = Error::database("the new file");
    let mut statement = database.prepare_cached(sql).map_err(&failed)?;
    match statement.execute(values) {
        Ok(_) => Ok(()),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Err(Error::Unwritable { what: what(), problem: "its id was used before".to_owned() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// That every card's note is there.
pub(super) fn check_cards(database: &Connection) -> Result<(), Error> {
    let sql = "SELECT id, nid FROM cards WHERE nid NOT IN (SELECT id FROM notes) LIMIT 1";
    let found =
        database.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    match found {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
        Ok((card, note)) => Err(Error::Unwritable {
            what: format!("card {card}"),
            problem: format!("its note {note} was not written"),
        }),
        Err(error) => Err(Error::database("the new file")(error)),
    }
}
