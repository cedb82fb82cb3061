//! Receives a form of the multipart request specification: `operations`, then `map`, then the files that it names.
//!
//! Refused: parts in another order, without a name, that `map` does not name or that come twice; files that are named and do not come; and more or
//! larger ones than the limits allow, as soon as that is seen.

use std::fmt;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use common::graphql::Upload;
use futures::StreamExt;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use multer::{Constraints, Field, Multipart, SizeLimit};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// How much of a form that is refused is received all the same, in bytes, and thrown away: a client that is still sending when we close the
/// connection would not see the answer.
const DISCARDED: usize = 64 << 20;
/// What a form has besides operations, map and files: boundaries and headers, in bytes.
const AROUND: u64 = 256 << 10;
/// How much memory is set aside for a file before it comes, in bytes.
const FIRST: usize = 64 << 10;

/// What a form may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormLimits {
    /// The bytes of `operations`, and of `map`.
    pub(crate) operations: usize,
    /// How many files.
    pub(crate) files: usize,
    /// The bytes of one file.
    pub(crate) file_bytes: usize,
    /// The bytes of all files.
    pub(crate) total_bytes: usize,
    /// How many places files may have in the variables.
    pub(crate) places: usize,
}

/// A form, well made.
#[derive(Debug)]
pub(crate) struct Form {
    /// The JSON of the request.
    pub(crate) operations: Bytes,
    /// The files, at least one.
    pub(crate) files: Vec<Placed>,
}

/// A file with its places in `operations`, at least one.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) upload: Upload,
    pub(crate) places: Vec<String>,
}

/// Why a form is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormError {
    /// It is not what the specification says.
    #[error("{0}")]
    Malformed(String),
    /// There is too much of something.
    #[error("{0}")]
    TooMany(String),
    /// Something is too large.
    #[error("{0}")]
    TooLarge(String),
}

/// Whether a request says that its body is a form.
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    let essence = |value: &HeaderValue| {
        let text = value.to_str().unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("multipart/form-data")
    };
    headers.get(CONTENT_TYPE).is_some_and(essence)
}

impl FormLimits {
    /// The most bytes of a body.
    const fn body(&self) -> u64 {
        let parts = self.total_bytes.saturating_add(self.operations.saturating_mul(2));
        (parts as u64).saturating_add(AROUND)
    }
}

/// The most bytes that are received of a form: as many as the request says that it has, or as a form may have.
pub(crate) fn most_bytes(headers: &HeaderMap, limits: &FormLimits) -> u64 {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    length.map_or(limits.body(), |length: u64| length.min(limits.body()))
}

/// Receives a form.
///
/// # Errors
/// [`FormError`] when it is none, or larger than `limits` allow.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limits: &FormLimits,
) -> Result<Form, FormError> {
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| multer::parse_boundary(value).ok())
        .ok_or_else(|| malformed("the content-type multipart/form-data needs its boundary"))?;
    let mut body = body.into_data_stream();
    let size = SizeLimit::new().whole_stream(limits.body());
    let constraints = Constraints::new().size_limit(size);
    let read =
        Reader { parts: Multipart::with_constraints(&mut body, boundary, constraints), limits }
            .read()
            .await;
    if read.is_err() {
        discard(body).await;
    }
    read
}

/// Takes in what a client is still sending.
async fn discard(mut body: BodyDataStream) {
    let mut received = 0_usize;
    while let Some(Ok(chunk)) = body.next().await {
        received = received.saturating_add(chunk.len());
        if received > DISCARDED {
            break;
        }
    }
}

struct Reader<'a> {
    parts: Multipart<'a>,
    limits: &'a FormLimits,
}

impl<'a> Reader<'a> {
    async fn read(mut self) -> Result<Form, FormError> {
        let operations = self.text("operations").await?;
        let map = self.text("map").await?;
        let map = self.map(&map)?;
        let mut files: Vec<Option<Placed>> = map.0.iter().map(|_| None).collect();
        let mut total = 0_usize;
        while let Some(part) = self.next().await? {
            let name = part.name().unwrap_or_default().to_owned();
            let Some(index) = map.0.iter().position(|(entry, _)| *entry == name) else {
                return Err(malformed(format!(
                    "the part {name:?} is not named in map: operations and map come first, then the files, once each"
                )));
            };
            if files[index].is_some() {
                return Err(malformed(format!("the file {name:?} is sent twice")));
            }
            let upload = self.file(part, &name, &mut total).await?;
            files[index] = Some(Placed { upload, places: map.0[index].1.clone() });
        }
        let complete = |(file, (name, _)): (Option<Placed>, &(String, Vec<String>))| {
            file.ok_or_else(|| malformed(format!("the file {name:?} that map names was not sent")))
        };
        let files = files.into_iter().zip(&map.0).map(complete).collect::<Result<_, _>>()?;
        Ok(Form { operations, files })
    }

    async fn next(&mut self) -> Result<Option<Field<'a>>, FormError> {
        let part = self.parts.next_field().await.map_err(broken)?;
        match &part {
            Some(part) if part.name().is_none_or(str::is_empty) => {
                Err(malformed("a part of the form has no name"))
            }
            _ => Ok(part),
        }
    }

    /// The next part, which must have this name.
    async fn text(&mut self, name: &str) -> Result<Bytes, FormError> {
        let Some(part) = self.next().await? else {
            return Err(malformed(format!("the part {name} is missing")));
        };
        if part.name() != Some(name) {
            let found = part.name().unwrap_or_default();
            return Err(malformed(format!(
                "the part {name} is missing: {found:?} came in its place, but operations and map come first"
            )));
        }
        let limit = self.limits.operations;
        collect(part, limit, |_| format!("the part {name} may have {limit} bytes at most")).await
    }

    async fn file(
        &self,
        part: Field<'a>,
        name: &str,
        total: &mut usize,
    ) -> Result<Upload, FormError> {
        let FormLimits { file_bytes, total_bytes, .. } = *self.limits;
        let Some(file_name) = part.file_name().map(unescaped) else {
            return Err(malformed(format!("the part {name:?} is no file: it has no filename")));
        };
        let content_type = part.content_type().map(ToString::to_string);
        let left = total_bytes.saturating_sub(*total);
        let bytes = collect(part, file_bytes.min(left), |_| {
            if left < file_bytes {
                format!("all files together may have {total_bytes} bytes at most")
            } else {
                format!("the file {name:?} may have {file_bytes} bytes at most")
            }
        })
        .await?;
        *total += bytes.len();
        Ok(Upload { name: file_name, content_type, bytes })
    }

    fn map(&self, text: &[u8]) -> Result<Map, FormError> {
        let map: Map = serde_json::from_slice(text).map_err(|error| {
            malformed(format!(
                "map cannot be read as a JSON object of lists of places in operations: {error}"
            ))
        })?;
        if map.0.is_empty() {
            return Err(malformed("map names no file"));
        }
        let (files, most) = (map.0.len(), self.limits.files);
        if files > most {
            return Err(FormError::TooMany(format!(
                "map names {files} files: at most {most} are accepted"
            )));
        }
        let (places, most) =
            (map.0.iter().map(|(_, places)| places.len()).sum::<usize>(), self.limits.places);
        if places > most {
            return Err(FormError::TooMany(format!(
                "map names {places} places: at most {most} are accepted"
            )));
        }
        for (nth, (name, places)) in map.0.iter().enumerate() {
            if ["operations", "map", ""].contains(&name.as_str()) {
                return Err(malformed(format!("map gives a file the name {name:?}")));
            }
            if map.0[..nth].iter().any(|(other, _)| other == name) {
                return Err(malformed(format!("map names the file {name:?} twice")));
            }
            if places.is_empty() {
                return Err(malformed(format!("map names no place for the file {name:?}")));
            }
        }
        Ok(map)
    }
}

/// The bytes of a part, not more than `limit`.
async fn collect(
    mut part: Field<'_>,
    limit: usize,
    too_large: impl Fn(usize) -> String,
) -> Result<Bytes, FormError> {
    let mut bytes = BytesMut::with_capacity(FIRST.min(limit));
    while let Some(chunk) = part.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > limit {
            return Err(FormError::TooLarge(too_large(limit)));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn malformed(message: impl Into<String>) -> FormError {
    FormError::Malformed(message.into())
}

fn broken(error: multer::Error) -> FormError {
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            FormError::TooLarge(format!("the body may have {limit} bytes at most"))
        }
        multer::Error::StreamReadFailed(error) => {
            tracing::debug!("a form broke off: {error}");
            malformed("the body did not arrive completely")
        }
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => malformed("the body did not arrive completely"),
        error => malformed(format!("the body cannot be read as multipart/form-data: {error}")),
    }
}

/// A file's name as its client knows it: HTML has `"` and ends of lines written so.
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// The entries of `map` in order, also those that stand there twice.
#[derive(Debug)]
struct Map(Vec<(String, Vec<String>)>);

impl<'de> Deserialize<'de> for Map {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Map;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object such as {\"0\": [\"variables.file\"]}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Map, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
