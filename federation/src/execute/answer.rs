//! Reads a subgraph's GraphQL response into the arena, however it came.
//!
//! Refused: what is not an object with `data` or `errors`, and errors that are not as the GraphQL specification has them
//! (section 7.1.6). Unknown members are passed. Of a refused response nothing stays in the arena.

use bytes::Bytes;
use serde::Deserialize;

use crate::plan::{Layout, ObjectReader};
use crate::value::Object;

use super::arena::{Arena, Slot};
use super::json::{JsonError, Scanner};
use super::{FetchResponse, PathSegment, SubgraphError, in_process, json};

/// A response that was read.
#[derive(Debug)]
pub(super) struct Answered {
    /// The row of the `data` member; none when that is null or absent.
    pub(super) data: Option<u32>,
    pub(super) errors: Vec<SubgraphError>,
}

/// Why something is not a GraphQL response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("it is empty")]
    Empty,
    #[error("it is not UTF-8")]
    NotUtf8,
    #[error("it is HTML")]
    Html,
    #[error("it is not JSON: {0}")]
    NotJson(#[from] JsonError),
    #[error("it is not an object")]
    NotAnObject,
    #[error("data is not an object")]
    DataNotAnObject,
    #[error("neither data nor errors is there")]
    Nothing,
    #[error("its errors are not as the specification has them: {0}")]
    Errors(serde_json::Error),
    #[error("its value cannot be read: {0}")]
    Value(serde_json::Error),
    #[error("it is too large")]
    TooLarge,
}

/// Reads a response whose `data` is as `reader` expects.
pub(super) fn read(
    response: FetchResponse,
    layout: &Layout,
    reader: &ObjectReader,
    arena: &mut Arena<'_>,
) -> Result<Answered, Unreadable> {
    let mark = arena.mark();
    let answered = match response {
        FetchResponse::Json(body) => read_json(body, layout, reader, arena),
        FetchResponse::InProcess { data, errors } => {
            in_process::read_object(&*data, layout, reader, arena)
                .map_err(Unreadable::Value)
                .and_then(row)
                .map(|data| Answered { data, errors })
        }
    };
    if answered.is_err() {
        arena.reset(&mark);
    }
    answered
}

fn row(data: Slot) -> Result<Option<u32>, Unreadable> {
    match data {
        Slot::Row(row) => Ok(Some(row)),
        Slot::Absent | Slot::Null => Ok(None),
        _ => Err(Unreadable::DataNotAnObject),
    }
}

fn read_json(
    body: Bytes,
    layout: &Layout,
    reader: &ObjectReader,
    arena: &mut Arena<'_>,
) -> Result<Answered, Unreadable> {
    // Counting a reference is cheap, and the arena needs its own.
    let text = arena.add_text(body.clone()).ok_or(Unreadable::TooLarge)?;
    let body = std::str::from_utf8(&body).map_err(|_| Unreadable::NotUtf8)?;
    let mut scanner = Scanner::new(body);
    match scanner.peek() {
        b'{' => scanner.pass(),
        b'<' => return Err(Unreadable::Html),
        0 => return Err(Unreadable::Empty),
        _ => return scanner.value().map_err(Into::into).and(Err(Unreadable::NotAnObject)),
    }
    let (mut data, mut errors) = (None, None);
    if scanner.peek() == b'}' {
        scanner.pass();
    } else {
        loop {
            match scanner.key()? {
                b"\"data\"" => {
                    data = Some(json::read_object(&mut scanner, text, layout, reader, arena)?);
                }
                b"\"errors\"" => {
                    let range = scanner.value()?;
                    errors = Some(read_errors(scanner.slice(range))?);
                }
                _ => {
                    scanner.value()?;
                }
            }
            if !scanner.goes_on(b'}')? {
                break;
            }
        }
    }
    scanner.end()?;
    if data.is_none() && errors.is_none() {
        return Err(Unreadable::Nothing);
    }
    Ok(Answered { data: row(data.unwrap_or_default())?, errors: errors.unwrap_or_default() })
}

fn read_errors(text: &[u8]) -> Result<Vec<SubgraphError>, Unreadable> {
    let errors: Option<Vec<AnswerError>> =
        serde_json::from_slice(text).map_err(Unreadable::Errors)?;
    Ok(errors.unwrap_or_default().into_iter().map(AnswerError::into).collect())
}

#[derive(Deserialize)]
struct AnswerError {
    message: String,
    path: Option<Vec<Segment>>,
    extensions: Option<Object>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segment {
    Index(usize),
    Key(String),
}

impl From<AnswerError> for SubgraphError {
    fn from(error: AnswerError) -> Self {
        let segment = |segment| match segment {
            Segment::Index(index) => PathSegment::Index(index),
            Segment::Key(key) => PathSegment::Key(key.into()),
        };
        Self {
            message: error.message,
            path: error.path.unwrap_or_default().into_iter().map(segment).collect(),
            extensions: error.extensions.unwrap_or_default(),
        }
    }
}
