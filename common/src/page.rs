//! Pages of long lists, as Relay's connection specification cuts them: by an opaque cursor that names a place between rows, so
//! that a page stays where it is while rows are put in before it.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// The most rows that one page may hold.
pub const MAX_PAGE: u32 = 500;

/// Which way to read from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The first rows, or those after the cursor.
    Forward,
    /// The last rows, or those before the cursor. They are answered in the order of the list all the same.
    Backward,
}

/// A valid request for a page. `K` is the sort key of the row that the cursor names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest<K> {
    /// Which way to read.
    pub direction: Direction,
    /// How many rows at most: 0 to [`MAX_PAGE`].
    pub limit: u32,
    /// The row to start beyond.
    pub cursor: Option<K>,
}

/// Rows of one page in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether rows precede them.
    pub has_previous: bool,
    /// Whether rows follow them.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// Makes a page of what a store answered when asked for `limit + 1` rows in the direction of reading.
    #[must_use]
    pub fn from_overfull<K>(request: &PageRequest<K>, mut rows: Vec<T>) -> Self {
        let limit = request.limit as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let beyond = request.cursor.is_some();
        match request.direction {
            Direction::Forward => Self { rows, has_previous: beyond, has_next: more },
            Direction::Backward => {
                rows.reverse();
                Self { rows, has_previous: more, has_next: beyond }
            }
        }
    }
}

impl<K: DeserializeOwned> PageRequest<K> {
    /// Checks Relay's four arguments. Without any, the first `default` rows are meant.
    ///
    /// # Errors
    /// [`Error::Invalid`] that names the argument: both directions at once, a negative or too large number, a cursor that is not
    /// one of this list's.
    pub fn new(
        first: Option<i32>,
        after: Option<&str>,
        last: Option<i32>,
        before: Option<&str>,
        default: u32,
    ) -> Result<Self, Error> {
        let (direction, (name, count), (cursor_name, cursor)) = match (first, after, last, before) {
            (first, after, None, None) => (Direction::Forward, ("first", first), ("after", after)),
            (None, None, last, before) => (Direction::Backward, ("last", last), ("before", before)),
            _ => {
                return Err(Error::invalid(
                    "last",
                    "give either first with after, or last with before, not both",
                ));
            }
        };
        let limit = match count {
            None => default,
            Some(count) => {
                u32::try_from(count).ok().filter(|count| *count <= MAX_PAGE).ok_or_else(|| {
                    Error::invalid(name, format!("{count} is out of range: 0 to {MAX_PAGE}"))
                })?
            }
        };
        let cursor = cursor.map(|text| decode_cursor(cursor_name, text)).transpose()?;
        Ok(Self { direction, limit, cursor })
    }
}

/// The opaque text of a cursor that names the row with this sort key.
#[must_use]
pub fn encode_cursor<K: Serialize>(key: &K) -> String {
    // Sort keys are numbers, texts and ids, which always serialise.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

/// The sort key of a cursor that [`encode_cursor`] made.
///
/// # Errors
/// [`Error::Invalid`] that names `argument`, when it is none.
pub fn decode_cursor<K: DeserializeOwned>(argument: &str, text: &str) -> Result<K, Error> {
    URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            Error::invalid(argument, "is not a cursor of this list: pass one that it answered")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Key = (i64, String);

    fn request(
        first: Option<i32>,
        last: Option<i32>,
        after: Option<&str>,
    ) -> Result<PageRequest<Key>, Error> {
        PageRequest::new(first, after, last, None, 50)
    }

    #[test]
    fn a_cursor_round_trips() {
        let key: Key = (7, "ä".into());
        let page = request(Some(3), None, Some(&encode_cursor(&key))).unwrap();
        assert_eq!(
            page,
            PageRequest { direction: Direction::Forward, limit: 3, cursor: Some(key) }
        );
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        assert_eq!(
            request(Some(-1), None, None).unwrap_err().to_string(),
            "first: -1 is out of range: 0 to 500"
        );
        assert!(request(Some(1), Some(1), None).unwrap_err().to_string().contains("not both"));
        assert!(
            request(None, None, Some("!"))
                .unwrap_err()
                .to_string()
                .starts_with("after: is not a cursor")
        );
    }

    #[test]
    fn a_page_read_backward_is_in_the_order_of_the_list() {
        let request: PageRequest<Key> = PageRequest::new(None, None, Some(2), None, 50).unwrap();
        let page = Page::from_overfull(&request, vec![9, 8, 7]);
        assert_eq!(page, Page { rows: vec![8, 9], has_previous: true, has_next: false });
    }
}
