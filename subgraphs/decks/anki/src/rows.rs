//! Notes, cards and reviews, read from their tables a page at a time: memory is bounded by the page, and ids grow, so that reading ends.

use std::collections::VecDeque;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde::Deserialize;

use crate::archive::too_much;
use crate::codes::{self, CARD_KINDS, QUEUES, REVIEW_KINDS};
use crate::error::{Error, Place};
use crate::limits::Limits;
use crate::model::{Card, CardExtra, Home, Memory, Note, Review};
use crate::names;

/// A page ends with this row, or with the one that reaches these bytes.
const PAGE_ROWS: u32 = 500;
const PAGE_BYTES: usize = 4 << 20;
/// Longer than Anki writes (`cd` is at most 100 bytes).
const MOST_DATA_BYTES: usize = 4096;

/// Reads a row, and says how many bytes it took.
type ReadRow<'a, T> = Box<dyn Fn(&Row<'_>) -> Result<(T, usize), Error> + 'a>;

/// The rows of a table by ascending id.
///
/// An error for which [`Error::is_of_one_row`] holds stands in the row's place, and the next row follows; any other is the last item.
pub struct Rows<'a, T> {
    database: &'a Connection,
    table: &'static str,
    sql: String,
    after: i64,
    page: VecDeque<Result<T, Error>>,
    read: ReadRow<'a, T>,
    left: u64,
    most: u64,
    is_over: bool,
}

impl<'a, T> Rows<'a, T> {
    pub(crate) fn new(
        database: &'a Connection,
        table: &'static str,
        columns: &str,
        most: u64,
        read: ReadRow<'a, T>,
    ) -> Self {
        let sql =
            format!("SELECT {columns} FROM {table} WHERE id > ?1 ORDER BY id LIMIT {PAGE_ROWS}");
        let page = VecDeque::new();
        Self { database, table, sql, after: i64::MIN, page, read, left: most, most, is_over: false }
    }

    /// Goes on after the row with this id: what was read before an interruption is not read again.
    #[must_use]
    pub fn after(mut self, id: i64) -> Self {
        self.after = id;
        self
    }

    fn read_page(&mut self) -> Result<(), Error> {
        let failed = Error::database(self.table);
        let mut statement = self.database.prepare_cached(&self.sql).map_err(&failed)?;
        let mut rows = statement.query([self.after]).map_err(&failed)?;
        let mut page_bytes = 0;
        while let Some(row) = rows.next().map_err(&failed)? {
            let id: i64 = row.get(0).map_err(&failed)?;
            if id <= self.after {
                let problem = format!("id {id} follows {}", self.after);
                return Err(Error::Database { place: self.table, problem });
            }
            self.after = id;
            let Some(left) = self.left.checked_sub(1) else {
                return Err(too_much("the collection", self.table, self.most));
            };
            self.left = left;
            match (self.read)(row) {
                Ok((value, bytes)) => {
                    page_bytes += bytes;
                    self.page.push_back(Ok(value));
                }
                Err(error) => self.page.push_back(Err(error)),
            }
            if page_bytes > PAGE_BYTES {
                break;
            }
        }
        Ok(())
    }
}

impl<T> Iterator for Rows<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty() && !self.is_over {
            let page = self.read_page();
            self.is_over = page.is_err() || self.page.is_empty();
            if let Err(error) = page {
                self.page.push_back(Err(error));
            }
        }
        self.page.pop_front()
    }
}

/// A row's values with their names.
struct Values<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    id: i64,
}

impl<'r> Values<'r> {
    fn new(row: &'r Row<'r>, table: &'static str) -> Result<Self, Error> {
        let id = row.get(0).map_err(Error::database(table))?;
        Ok(Self { row, table, id })
    }

    fn bad(&self, column: &'static str, problem: impl Into<String>) -> Error {
        let place = Place { table: self.table, row: self.id, column };
        Error::Value { place, problem: problem.into() }
    }

    /// A whole number. Old versions and add-ons left fractions in some columns, which Anki cuts off too.
    fn whole(&self, index: usize, column: &'static str) -> Result<i64, Error> {
        match self.row.get_ref(index).map_err(Error::database(self.table))? {
            ValueRef::Integer(number) => Ok(number),
            #[expect(clippy::cast_possible_truncation, reason = "as Anki does; it saturates")]
            ValueRef::Real(number) if number.is_finite() => Ok(number as i64),
            other => {
                Err(self.bad(column, format!("it is {}; a whole number is accepted", sort(other))))
            }
        }
    }

    fn small<N: TryFrom<i64>>(&self, index: usize, column: &'static str) -> Result<N, Error> {
        let number = self.whole(index, column)?;
        N::try_from(number).map_err(|_| self.bad(column, format!("{number} is out of range")))
    }

    fn word<T: Copy>(
        &self,
        index: usize,
        column: &'static str,
        codes: &[(T, i64)],
    ) -> Result<T, Error> {
        let number = self.whole(index, column)?;
        codes::word(codes, number).ok_or_else(|| {
            let known = |bound: Option<&(T, i64)>| bound.map_or(0, |(_, number)| *number);
            let (least, most) = (known(codes.first()), known(codes.last()));
            self.bad(column, format!("{number} is none of {least} to {most}"))
        })
    }

    fn text(&self, index: usize, column: &'static str, most: u64) -> Result<&'r str, Error> {
        let bytes = match self.row.get_ref(index).map_err(Error::database(self.table))? {
            ValueRef::Text(bytes) => bytes,
            other => {
                return Err(self.bad(column, format!("it is {}; text is accepted", sort(other))));
            }
        };
        if bytes.len() as u64 > most {
            let problem = format!("it has {} bytes; {most} are accepted", bytes.len());
            return Err(self.bad(column, problem));
        }
        std::str::from_utf8(bytes).map_err(|_| self.bad(column, "it is not UTF-8"))
    }
}

fn sort(value: ValueRef<'_>) -> &'static str {
    match value {
        ValueRef::Null => "NULL",
        ValueRef::Integer(_) => "a whole number",
        ValueRef::Real(_) => "a fraction",
        ValueRef::Text(_) => "text",
        ValueRef::Blob(_) => "bytes",
    }
}

pub(crate) const NOTE_COLUMNS: &str = "id, guid, mid, mod, tags, flds";

pub(crate) fn note(row: &Row<'_>, limits: &Limits) -> Result<(Note, usize), Error> {
    let values = Values::new(row, "notes")?;
    let tags = values.text(4, "tags", limits.note_bytes)?;
    let fields = values.text(5, "flds", limits.note_bytes)?;
    let note = Note {
        id: values.id,
        guid: values.text(1, "guid", limits.name_bytes)?.to_owned(),
        note_type: values.whole(2, "mid")?,
        modified: values.whole(3, "mod")?,
        tags: names::tags(tags),
        fields: fields.split('\u{1f}').map(str::to_owned).collect(),
    };
    Ok((note, tags.len() + fields.len()))
}

/// That a note is of a known note type and has its fields.
pub(crate) fn check_fields(note: &Note, expected: Option<usize>) -> Result<(), Error> {
    let (column, problem) = match expected {
        None => ("mid", format!("there is no note type {}", note.note_type)),
        Some(count) if count != note.fields.len() => {
            let found = note.fields.len();
            ("flds", format!("it has {found} fields; its note type has {count}"))
        }
        Some(_) => return Ok(()),
    };
    Err(Error::Value { place: Place { table: "notes", row: note.id, column }, problem })
}

pub(crate) const CARD_COLUMNS: &str = "id, nid, did, ord, mod, type, queue, due, ivl, factor, reps, lapses, left, odue, odid, flags, data";

pub(crate) fn card(row: &Row<'_>) -> Result<(Card, usize), Error> {
    let values = Values::new(row, "cards")?;
    let kind = values.word(5, "type", CARD_KINDS)?;
    let queue = values.word(6, "queue", QUEUES)?;
    let home = match values.whole(14, "odid")? {
        0 => None,
        deck => Some(Home { deck, due: values.whole(13, "odue")? }),
    };
    let data = values.text(16, "data", MOST_DATA_BYTES as u64)?;
    let card = Card {
        id: values.id,
        note: values.whole(1, "nid")?,
        deck: values.whole(2, "did")?,
        ordinal: values.small(3, "ord")?,
        modified: values.whole(4, "mod")?,
        kind,
        queue,
        due: values.whole(7, "due")?,
        interval: values.whole(8, "ivl")?,
        ease_factor: values.small(9, "factor")?,
        reps: values.small(10, "reps")?,
        lapses: values.small(11, "lapses")?,
        steps_left: values.small(12, "left")?,
        home,
        flags: values.small(15, "flags")?,
        extra: extra(data),
    };
    Ok((card, data.len()))
}

/// `data` of a card. What is no such JSON counts as absent, as in Anki: earlier versions and add-ons kept other things there.
fn extra(data: &str) -> CardExtra {
    #[derive(Deserialize)]
    struct Data {
        pos: Option<u32>,
        s: Option<f32>,
        d: Option<f32>,
        dr: Option<f32>,
        decay: Option<f32>,
        lrt: Option<i64>,
        #[serde(default)]
        cd: String,
    }
    let Ok(data) = serde_json::from_str::<Data>(data) else {
        return CardExtra::default();
    };
    CardExtra {
        position: data.pos,
        memory: data.s.zip(data.d).map(|(stability, difficulty)| Memory { stability, difficulty }),
        desired_retention: data.dr,
        decay: data.decay,
        last_review: data.lrt,
        custom: data.cd,
    }
}

pub(crate) const REVIEW_COLUMNS: &str = "id, cid, ease, ivl, lastIvl, factor, time, type";

pub(crate) fn review(row: &Row<'_>) -> Result<(Review, usize), Error> {
    let values = Values::new(row, "revlog")?;
    let button = match values.whole(2, "ease")? {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 4")]
        button @ 0..=4 => button as u8,
        other => return Err(values.bad("ease", format!("{other} is none of 0 to 4"))),
    };
    let kind = values.word(7, "type", REVIEW_KINDS)?;
    let review = Review {
        id: values.id,
        card: values.whole(1, "cid")?,
        button,
        interval: values.whole(3, "ivl")?,
        last_interval: values.whole(4, "lastIvl")?,
        factor: values.small(5, "factor")?,
        taken: values.small(6, "time")?,
        kind,
    };
    Ok((review, 0))
}
