//! How rows become values, and values parameters.

use common::{CardId, StoreError};
use jiff::Timestamp;
use rusqlite::{Row, types::Type};

use crate::model::{Review, Session, StoredCard, Studied};
use crate::scheduler::{Answer, CardState, Day, Due, HalfLife, Memory, Rating};

/// The columns of `cards.sql`, `due_cards.sql` and `new_cards.sql`, which list the same.
pub(super) fn card(row: &Row<'_>) -> rusqlite::Result<StoredCard> {
    Ok(StoredCard { id: row.get(0)?, deck: row.get(1)?, model: row.get(2)?, memory: memory(row)? })
}

fn memory(row: &Row<'_>) -> rusqlite::Result<Option<Memory>> {
    let state = CardState::from_number(row.get(3)?)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(3, row.get(3)?))?;
    if state == CardState::New {
        return Ok(None);
    }
    Ok(Some(Memory {
        state,
        step: row.get(4)?,
        due: due(row.get(5)?, row.get(6)?)?,
        stability: row.get(7)?,
        difficulty: row.get(8)?,
        half_life: HalfLife(row.get(9)?),
        reps: row.get(10)?,
        lapses: row.get(11)?,
        leech: row.get(12)?,
        last: (moment(row, 13)?, row.get(14)?),
        last_day: Day(row.get(15)?),
        introduced_day: Day(row.get(16)?),
        reviewed_day: row.get::<_, Option<i32>>(17)?.map(Day),
    }))
}

/// The columns of `decks.sql` after the deck's id.
pub(super) fn studied(row: &Row<'_>) -> rusqlite::Result<Studied> {
    Ok(Studied {
        due: due(row.get(2)?, row.get(3)?)?,
        stability: row.get(4)?,
        half_life: HalfLife(row.get(5)?),
        last_day: Day(row.get(6)?),
    })
}

pub(super) fn review(row: &Row<'_>) -> rusqlite::Result<Review> {
    Ok(Review {
        id: row.get(0)?,
        card: row.get(1)?,
        rating: rating(row, 2)?,
        reviewed_at: moment(row, 3)?,
        received_at: moment(row, 4)?,
        duration_ms: row.get(5)?,
        time_zone: row.get(6)?,
        session: row.get(7)?,
        day: Day(row.get(8)?),
    })
}

/// The columns of `answers.sql`.
pub(super) fn answer(row: &Row<'_>) -> rusqlite::Result<(CardId, Answer)> {
    let answer = Answer {
        id: row.get(1)?,
        rating: rating(row, 2)?,
        at: moment(row, 3)?,
        day: Day(row.get(4)?),
    };
    Ok((row.get(0)?, answer))
}

pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        owner: row.get(1)?,
        deck: row.get(2)?,
        started_at: moment(row, 3)?,
        finished_at: row.get::<_, Option<i64>>(4)?.map(|_| moment(row, 4)).transpose()?,
    })
}

/// The two columns of a due date.
pub(super) fn due_columns(due: Due) -> (Option<i64>, Option<i32>) {
    match due {
        Due::At(moment) => (Some(moment.as_millisecond()), None),
        Due::On(day) => (None, Some(day.0)),
    }
}

/// Ids as one parameter: a JSON array of hexadecimal digits, which SQL turns back by `unhex`. Each is in it once, so that a join with it
/// gives each row once.
pub(super) fn id_list(ids: impl Iterator<Item = uuid::Uuid>) -> String {
    let mut ids: Vec<uuid::Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    let mut list = String::with_capacity(2 + ids.len() * 35);
    let mut buffer = uuid::Uuid::encode_buffer();
    list.push('[');
    for (place, id) in ids.into_iter().enumerate() {
        list.push_str(if place == 0 { "\"" } else { ",\"" });
        list.push_str(id.as_simple().encode_lower(&mut buffer));
        list.push('"');
    }
    list.push(']');
    list
}

/// All rows of a query.
pub(super) fn all<T>(
    rows: impl Iterator<Item = rusqlite::Result<T>>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn due(at: Option<i64>, day: Option<i32>) -> rusqlite::Result<Due> {
    match (at, day) {
        (Some(at), _) => Ok(Due::At(timestamp(at, 5)?)),
        (None, Some(day)) => Ok(Due::On(Day(day))),
        (None, None) => Err(rusqlite::Error::InvalidColumnType(5, "due_at".into(), Type::Null)),
    }
}

fn rating(row: &Row<'_>, column: usize) -> rusqlite::Result<Rating> {
    let number: u8 = row.get(column)?;
    Rating::from_number(number)
        .ok_or_else(|| rusqlite::Error::IntegralValueOutOfRange(column, number.into()))
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    timestamp(row.get(column)?, column)
}

fn timestamp(milliseconds: i64, column: usize) -> rusqlite::Result<Timestamp> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, milliseconds))
}
