//! What a person gave to be read: a page, an article, a PDF. What the service makes of it is noted here when it is done; its text and the file's bytes
//! stay with the service.

use bytes::Bytes;
use common::{ContentId, Error, UserId};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::address::SourceAddress;

/// The most contents of a person: fewer than the service keeps, which forgets later than people do.
pub const MAX_CONTENTS: u32 = 500;
/// How many of one person's are processed at the same time, or wait for it: as many as jobs.
pub const MAX_PROCESSING: u32 = 10;
/// The most bytes of a PDF: what the service takes.
pub const MAX_PDF: usize = 20 << 20;
/// The most characters of a file's name.
pub const MAX_NAME: usize = 200;
/// The most annotations of a content.
pub const MAX_ANNOTATIONS: usize = 1_000;
/// The most characters of all of a content's annotations.
pub const MAX_ANNOTATED: usize = 200_000;
/// How many contents a page holds when nothing is said.
pub const DEFAULT_CONTENT_PAGE: u32 = 20;
/// When it is not done by then, it is given up: the service that exists forgets what it was at when it is started again.
pub const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_mins(15);

const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "ContentKind")]
pub enum Kind {
    /// The address of a page, a PDF or a plain text.
    Url,
    /// The DOI of an article.
    Doi,
    /// A PDF that was uploaded.
    Pdf,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[serde(rename_all = "camelCase")]
#[graphql(name = "ContentStatus")]
pub enum Status {
    /// It is being fetched and read.
    Processing,
    /// Its text is there.
    Processed,
    /// There is no text to be had: `problem` says why.
    Failed,
}

/// A content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Which one.
    pub id: ContentId,
    /// Whose it is.
    pub owner: UserId,
    /// Grows with each change.
    pub version: i64,
    /// What was given.
    pub kind: Kind,
    /// The address, the DOI, or the name of the file.
    pub source: String,
    /// The PDF that was uploaded.
    pub file: Option<StoredFile>,
    /// What the service calls it; `None` until it has taken it.
    pub remote: Option<String>,
    /// What became of it.
    pub status: Status,
    /// Its title, when it has one.
    pub title: Option<String>,
    /// What it says, in short, when the service says so.
    pub summary: Option<String>,
    /// Why there is no text.
    pub problem: Option<String>,
    /// Whether the person has read it.
    pub read: bool,
    /// What the person marked in it.
    pub annotations: Vec<Annotation>,
    /// When it was added.
    pub created_at: Timestamp,
}

/// What is known of a file besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// How many bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

impl Content {
    /// One that the service is to be told of.
    #[must_use]
    pub fn new(owner: UserId, source: &ContentSource, now: Timestamp) -> Self {
        let (kind, source, file) = match source {
            ContentSource::Address(address) => {
                let kind = if address.is_doi() { Kind::Doi } else { Kind::Url };
                (kind, address.0.clone(), None)
            }
            ContentSource::Pdf(Pdf { name, bytes }) => {
                let hash = Sha256::digest(bytes);
                let sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let file = StoredFile { size: bytes.len() as u64, sha256 };
                (Kind::Pdf, name.clone(), Some(file))
            }
        };
        Self {
            id: ContentId::new(),
            owner,
            version: 1,
            kind,
            source,
            file,
            remote: None,
            status: Status::Processing,
            title: None,
            summary: None,
            problem: None,
            read: false,
            annotations: Vec::new(),
            created_at: now,
        }
    }

    /// There is no text to be had.
    pub(crate) fn fail(&mut self, problem: impl Into<String>) {
        self.status = Status::Failed;
        self.problem = Some(problem.into());
    }

    /// Where its file is served, below the address of the gateway.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/content/{}/{}", self.id, utf8_percent_encode(&self.source, IN_PATH))
    }
}

/// What a person gives to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentSource {
    /// An address or a DOI.
    Address(SourceAddress),
    /// A file.
    Pdf(Pdf),
}

/// A valid PDF, as far as can be told before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pdf {
    /// What it is called: 1 to [`MAX_NAME`] characters, none of them a control character or a slash.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Pdf {
    /// Checks a file. Its name is any text of the client's: what no name of a file holds is left out of it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bytes that are none of a PDF, or too many.
    pub fn new(name: &str, bytes: Bytes) -> Result<Self, Error> {
        let invalid = |message: String| Error::invalid("input.source.file", message);
        if bytes.len() > MAX_PDF {
            let message = format!("has {} bytes: at most {MAX_PDF} are accepted", bytes.len());
            return Err(invalid(message));
        }
        if !bytes.starts_with(b"%PDF-") {
            return Err(invalid("is no PDF: only those are accepted".to_owned()));
        }
        let plain = name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\'));
        let name: String = plain.take(MAX_NAME).collect();
        // A path of dots alone would name a folder.
        let is_name = name.chars().any(|c| c != '.' && !c.is_whitespace());
        Ok(Self { name: if is_name { name } else { "document.pdf".to_owned() }, bytes })
    }
}

/// A part of a content that a person marked. The service keeps it as it is given: paths and offsets are the front end's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Where it begins: a path.
    pub start_path: String,
    /// Where it begins within that.
    pub start_offset: i32,
    /// Where it ends: a path.
    pub end_path: String,
    /// Where it ends within that.
    pub end_offset: i32,
    /// In which colour.
    pub color: String,
    /// What the person says to it.
    pub comment: Option<String>,
    /// The text that is marked.
    pub text: String,
}

/// The greatest offset of an annotation.
const MAX_OFFSET: i32 = 10_000_000;

/// Checks a list of annotations.
///
/// # Errors
/// [`Error::Invalid`] naming the first member that is not accepted, or [`Error::LimitExceeded`] when there are too many or too long ones.
pub fn annotations(list: Vec<Annotation>) -> Result<Vec<Annotation>, Error> {
    if list.len() > MAX_ANNOTATIONS {
        let message =
            format!("{} annotations: a content has at most {MAX_ANNOTATIONS}", list.len());
        return Err(Error::LimitExceeded { message });
    }
    let mut all = 0;
    for (index, annotation) in list.iter().enumerate() {
        let Annotation { start_path, start_offset, end_path, end_offset, color, comment, text } =
            annotation;
        let comment = comment.as_deref().unwrap_or_default();
        for (member, value, most) in [
            ("startPath", &**start_path, 2_000),
            ("endPath", end_path, 2_000),
            ("color", color, 40),
            ("comment", comment, 5_000),
            ("text", text, 10_000),
        ] {
            let count = value.chars().count();
            all += count;
            if count > most {
                let message = format!("has {count} characters: at most {most} are accepted");
                let argument = format!("input.annotations[{index}].{member}");
                return Err(Error::invalid(argument, message));
            }
        }
        for (member, offset) in [("startOffset", *start_offset), ("endOffset", *end_offset)] {
            if !(0..=MAX_OFFSET).contains(&offset) {
                let message = format!("{offset} is out of range: 0 to {MAX_OFFSET}");
                let argument = format!("input.annotations[{index}].{member}");
                return Err(Error::invalid(argument, message));
            }
        }
    }
    if all > MAX_ANNOTATED {
        let message = format!(
            "the annotations have {all} characters: those of a content have at most {MAX_ANNOTATED} together"
        );
        return Err(Error::LimitExceeded { message });
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotation() -> Annotation {
        Annotation {
            start_path: "/p[1]".into(),
            start_offset: 0,
            end_path: "/p[1]".into(),
            end_offset: 7,
            color: "#FFEC87".into(),
            comment: None,
            text: "😀".into(),
        }
    }

    #[test]
    fn only_a_pdf_is_one_and_its_name_names_no_folder() {
        let pdf = |name| Pdf::new(name, Bytes::from_static(b"%PDF-1.7")).unwrap().name;
        assert_eq!(pdf("Zellen 😀.pdf"), "Zellen 😀.pdf");
        assert_eq!(pdf("../../etc/\u{0}pass\nwd"), "....etcpasswd");
        for none in ["", "..", " ", "/", "\u{7f}"] {
            assert_eq!(pdf(none), "document.pdf");
        }
        assert_eq!(pdf(&"é".repeat(300)).chars().count(), MAX_NAME);
        for bytes in [&b""[..], b"%PDF", b"<html>%PDF-1.7"] {
            let error = Pdf::new("a.pdf", Bytes::from_static(bytes)).unwrap_err();
            assert_eq!(error.to_string(), "input.source.file: is no PDF: only those are accepted");
        }
        let mut large = b"%PDF-".to_vec();
        large.resize(MAX_PDF + 1, b' ');
        let error = Pdf::new("a.pdf", large.into()).unwrap_err().to_string();
        assert!(error.contains("has 20971521 bytes: at most 20971520"), "{error}");
    }

    #[test]
    fn annotations_are_bounded_one_by_one_and_together() {
        assert_eq!(annotations(vec![annotation()]).unwrap(), [annotation()]);
        for (wrong, what) in [
            (
                Annotation { start_offset: -1, ..annotation() },
                "[1].startOffset: -1 is out of range",
            ),
            (Annotation { end_offset: i32::MAX, ..annotation() }, "[1].endOffset"),
            (Annotation { color: "c".repeat(41), ..annotation() }, "[1].color: has 41"),
            (Annotation { comment: Some("c".repeat(5_001)), ..annotation() }, "[1].comment"),
            (Annotation { text: "t".repeat(10_001), ..annotation() }, "[1].text"),
            (Annotation { start_path: "p".repeat(2_001), ..annotation() }, "[1].startPath"),
        ] {
            let error = annotations(vec![annotation(), wrong]).unwrap_err().to_string();
            assert!(error.starts_with("input.annotations") && error.contains(what), "{error}");
        }
        let long = Annotation { text: "😀".repeat(10_000), ..annotation() };
        for too_much in [vec![annotation(); 1_001], vec![long; 20]] {
            let error = annotations(too_much).unwrap_err();
            assert_eq!(error.code(), "LIMIT_EXCEEDED", "{error}");
        }
    }
}
