//! Images and sounds of a person. A [`NewMedia`] that exists is valid: its type was told from its bytes, and its name is one that Anki's media
//! folder could hold.
//!
//! Refused: what is neither an image nor a sound of [`MediaKind`], above all SVG, which can hold scripts; an empty or too large file; a name that
//! a file system would not take, or whose extension says another type.

use std::fmt;

use bytes::Bytes;
use common::{Error, MediaId, UserId};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

/// The most bytes of a name, in UTF-8: that of Anki.
pub const MAX_MEDIA_NAME: usize = 120;
/// The most files of which a note knows that its fields name them.
pub const MAX_MEDIA_OF_NOTE: usize = 100;
/// What a name must not hold besides control characters: Anki's rule.
const DISALLOWED: &[char] = &['[', ']', '<', '>', ':', '"', '/', '?', '*', '^', '\\', '|'];
/// Names that Windows keeps for itself, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
/// What is written with `%` in the path of an address.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b'\\');

/// What a person may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaLimits {
    /// The most bytes of one file.
    pub file_bytes: i64,
    /// The most files.
    pub files: i64,
    /// The most bytes of all, the same bytes counted once.
    pub bytes: i64,
}

impl Default for MediaLimits {
    fn default() -> Self {
        Self { file_bytes: 10 << 20, files: 20_000, bytes: 2 << 30 }
    }
}

/// What a file is, as its first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// An image.
    Png,
    /// An image.
    Jpeg,
    /// An image.
    Gif,
    /// An image.
    Webp,
    /// An image.
    Avif,
    /// An image.
    Bmp,
    /// A sound.
    Mp3,
    /// A sound: Vorbis, Opus or whatever else Ogg holds.
    Ogg,
    /// A sound.
    Wav,
    /// A sound: what browsers on Apple's systems record.
    M4a,
    /// A sound.
    Flac,
    /// A sound.
    Aac,
    /// A sound: what other browsers record.
    Webm,
}

impl MediaKind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Png,
        Self::Jpeg,
        Self::Gif,
        Self::Webp,
        Self::Avif,
        Self::Bmp,
        Self::Mp3,
        Self::Ogg,
        Self::Wav,
        Self::M4a,
        Self::Flac,
        Self::Aac,
        Self::Webm,
    ];

    /// The media type by which it is served. Containers that could hold a film are served as sounds.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Bmp => "image/bmp",
            Self::Mp3 => "audio/mpeg",
            Self::Ogg => "audio/ogg",
            Self::Wav => "audio/wav",
            Self::M4a => "audio/mp4",
            Self::Flac => "audio/flac",
            Self::Aac => "audio/aac",
            Self::Webm => "audio/webm",
        }
    }

    /// The extensions of its names, in lower case, the usual one first.
    #[must_use]
    pub const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Png => &["png"],
            Self::Jpeg => &["jpg", "jpeg", "jpe", "jfif"],
            Self::Gif => &["gif"],
            Self::Webp => &["webp"],
            Self::Avif => &["avif"],
            Self::Bmp => &["bmp"],
            Self::Mp3 => &["mp3"],
            Self::Ogg => &["ogg", "oga", "opus", "spx"],
            Self::Wav => &["wav"],
            Self::M4a => &["m4a", "mp4"],
            Self::Flac => &["flac"],
            Self::Aac => &["aac"],
            Self::Webm => &["webm", "weba"],
        }
    }

    /// The kind with this media type.
    #[must_use]
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.content_type() == content_type)
    }

    /// What the bytes are.
    #[must_use]
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        Some(match infer::get(bytes)?.mime_type() {
            "image/png" => Self::Png,
            "image/jpeg" => Self::Jpeg,
            "image/gif" => Self::Gif,
            "image/webp" => Self::Webp,
            "image/avif" => Self::Avif,
            "image/bmp" => Self::Bmp,
            "audio/mpeg" => Self::Mp3,
            "audio/ogg" | "audio/opus" => Self::Ogg,
            "audio/x-wav" => Self::Wav,
            "audio/m4a" | "video/mp4" => Self::M4a,
            "audio/x-flac" => Self::Flac,
            "audio/aac" => Self::Aac,
            "video/webm" => Self::Webm,
            _ => return None,
        })
    }

    fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.extensions().contains(&extension))
    }
}

/// The SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// That of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// A valid name: 1 to [`MAX_MEDIA_NAME`] bytes in Unicode's composed form (NFC), with an extension of a [`MediaKind`], that any file system takes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MediaName(String);

impl MediaName {
    /// Checks a name, and composes its letters.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming `argument`.
    pub fn new(argument: &str, text: &str) -> Result<Self, Error> {
        let refused = |message: String| Err(Error::invalid(argument, message));
        let name: String = text.nfc().collect();
        if !(1..=MAX_MEDIA_NAME).contains(&name.len()) {
            let length = name.len();
            return refused(format!(
                "has {length} bytes: names of 1 to {MAX_MEDIA_NAME} bytes are accepted"
            ));
        }
        if let Some(c) = name.chars().find(|c| c.is_control() || DISALLOWED.contains(c)) {
            return refused(format!(
                "must not hold {c:?}: control characters and [ ] < > : \" / ? * ^ \\ | are not accepted"
            ));
        }
        let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
        if MediaKind::of_extension(&extension.to_ascii_lowercase()).is_none() {
            return refused(format!("must end with one of {}", all_extensions()));
        }
        let first = stem.split('.').next().unwrap_or_default().to_ascii_lowercase();
        let device = DEVICES.contains(&first.as_str())
            || ["com", "lpt"].iter().any(|port| {
                first
                    .strip_prefix(port)
                    .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
            });
        if device || stem.trim().is_empty() || stem.starts_with(['.', ' ']) {
            return refused(
                "is no name for a file: it must not begin with a point or a space, nor be a device of Windows such as CON"
                    .to_owned(),
            );
        }
        Ok(Self(name))
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// A name that was checked when it was stored.
    pub(crate) const fn stored(name: String) -> Self {
        Self(name)
    }

    /// What it ends with, in lower case.
    fn extension(&self) -> String {
        self.0.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default()
    }

    /// The name that a file gets whose own is that of another one: the same each time for the same bytes.
    #[must_use]
    pub fn beside(&self, hash: ContentHash) -> Self {
        let (stem, extension) = self.0.rsplit_once('.').unwrap_or((&self.0, ""));
        let hash = hash.to_string();
        let hash = &hash[..16];
        let room = MAX_MEDIA_NAME.saturating_sub(hash.len() + extension.len() + 2);
        let mut end = stem.len().min(room);
        while !stem.is_char_boundary(end) {
            end -= 1;
        }
        Self(format!("{}-{hash}.{extension}", &stem[..end]))
    }
}

/// A file to be kept.
#[derive(Debug, Clone)]
pub struct NewMedia {
    /// What it is to be called.
    pub name: MediaName,
    /// What it is.
    pub kind: MediaKind,
    /// The name of its bytes.
    pub hash: ContentHash,
    /// Its bytes.
    pub bytes: Bytes,
}

impl NewMedia {
    /// Checks a file. `argument` is where it was given: its name is told of as `argument.name`, its bytes as `argument.file`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name that is none, bytes that are no image or sound, a name that says another type; too many bytes.
    pub fn new(
        argument: &str,
        name: &str,
        bytes: Bytes,
        limits: &MediaLimits,
    ) -> Result<Self, Error> {
        let new = Self::imported(argument, name, bytes, limits)?;
        if !new.kind.extensions().contains(&new.name.extension().as_str()) {
            return Err(Error::invalid(
                format!("{argument}.name"),
                format!(
                    "ends with .{}, but the file is {}: it must end with .{}",
                    new.name.extension(),
                    new.kind.content_type(),
                    new.kind.extensions().join(" or .")
                ),
            ));
        }
        Ok(new)
    }

    /// Checks a file that comes with notes that name it, so that it cannot be called otherwise: its name may say another type than its bytes, as
    /// happens in Anki's collections. It is served by what it is.
    ///
    /// # Errors
    /// As [`NewMedia::new`], but for the type that the name says.
    pub fn imported(
        argument: &str,
        name: &str,
        bytes: Bytes,
        limits: &MediaLimits,
    ) -> Result<Self, Error> {
        let name = MediaName::new(&format!("{argument}.name"), name)?;
        let file = format!("{argument}.file");
        if bytes.is_empty() {
            return Err(Error::invalid(file, "is empty"));
        }
        let (size, most) = (bytes.len(), limits.file_bytes);
        if i64::try_from(size).unwrap_or(i64::MAX) > most {
            let message = format!("has {size} bytes: at most {most} are accepted");
            return Err(Error::invalid(file, message));
        }
        let kind = MediaKind::sniff(&bytes).ok_or_else(|| {
            let types = MediaKind::ALL.map(MediaKind::content_type).join(", ");
            Error::invalid(
                file,
                format!("is neither an image nor a sound that is accepted: {types}"),
            )
        })?;
        let hash = ContentHash::of(&bytes);
        Ok(Self { name, kind, hash, bytes })
    }

    /// How many bytes.
    #[must_use]
    pub fn size(&self) -> i64 {
        i64::try_from(self.bytes.len()).unwrap_or(i64::MAX)
    }
}

/// A file that is kept. It never changes, but may be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Which one.
    pub id: MediaId,
    /// Whose it is.
    pub owner: UserId,
    /// By which notes know it: no other of the person's files is called so.
    pub name: MediaName,
    /// The name of its bytes, which are stored once for each person.
    pub hash: ContentHash,
    /// What it is.
    pub kind: MediaKind,
    /// How many bytes.
    pub size: i64,
    /// When it was stored.
    pub created_at: Timestamp,
}

impl Media {
    /// Where it is served, below the address of the gateway.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.id, &self.name)
    }
}

/// Where the file with an id is served.
pub(super) fn path(id: MediaId, name: &MediaName) -> String {
    format!("/media/{id}/{}", utf8_percent_encode(name.text(), IN_PATH))
}

/// Which of a person's files are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct MediaFilter {
    /// Those that no note names, or those that one does. A note in the trash counts.
    pub unused: Option<bool>,
    /// Also those of imports that are not sure to be made yet.
    pub with_staged: bool,
}

/// How many files, and how many bytes they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MediaTotals {
    /// How many files.
    pub files: i64,
    /// Their sizes together, the same bytes counted as often as there are files with them.
    pub bytes: i64,
}

fn all_extensions() -> String {
    let extensions = MediaKind::ALL.into_iter().flat_map(MediaKind::extensions);
    extensions.map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn refused<T: fmt::Debug>(result: Result<T, Error>) -> String {
        result.unwrap_err().to_string()
    }

    fn new(name: &str, bytes: &'static [u8]) -> Result<NewMedia, Error> {
        NewMedia::new("input", name, Bytes::from_static(bytes), &MediaLimits::default())
    }

    #[test]
    fn names_are_those_of_ankis_media_folder() {
        for fine in ["a.png", "Ω é.JPG", "paste-1a2b.jpg", "a.b.c.mp3", "_logo.gif", "comb.png"] {
            assert_eq!(MediaName::new("n", fine).unwrap().text(), fine);
        }
        assert_eq!(MediaName::new("n", "e\u{301}.png").unwrap().text(), "\u{e9}.png");
        for (wrong, why) in [
            ("", "0 bytes"),
            (&*format!("{}.png", "é".repeat(60)), "124 bytes"),
            ("../a.png", "'/'"),
            ("a\\b.png", "'\\\\'"),
            ("a\u{0}.png", "'\\0'"),
            ("a]b.png", "']'"),
            ("a", "must end with one of .png"),
            ("a.svg", "must end with one of .png"),
            ("a.png.", "must end with one of .png"),
            (".png", "no name for a file"),
            (" .png", "no name for a file"),
            (".hidden.png", "no name for a file"),
            ("CON.png", "no name for a file"),
            ("com1.x.png", "no name for a file"),
        ] {
            let message = refused(MediaName::new("n", wrong));
            assert!(message.contains(why), "{wrong:?}: {message}");
        }
    }

    #[test]
    fn the_type_is_told_from_the_bytes_and_the_name_must_agree() {
        assert_eq!(new("a.PNG", PNG).unwrap().kind, MediaKind::Png);
        assert!(refused(new("a.gif", PNG)).contains("image/png: it must end with .png"));
        let imported = NewMedia::imported("i", "a.gif", PNG.into(), &MediaLimits::default());
        assert_eq!(imported.unwrap().kind, MediaKind::Png);
        for bytes in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"[..],
            b"<?xml version='1.0'?><svg/>",
            b"<html><script>alert(1)</script>",
            b"RIFF\0\0\0\0AVI ",
            b"%PDF-1.7",
            b"\x7fELF\x02\x01\x01",
            b"PK\x03\x04",
            b"#!/bin/sh",
        ] {
            assert!(refused(new("a.png", bytes)).contains("neither an image nor a sound"));
        }
        assert!(refused(new("a.png", b"")).ends_with("input.file: is empty"));
        let small = MediaLimits { file_bytes: 10, ..MediaLimits::default() };
        let large = NewMedia::new("input", "a.png", Bytes::from_static(PNG), &small);
        assert_eq!(refused(large), "input.file: has 16 bytes: at most 10 are accepted");
    }

    #[test]
    fn a_taken_name_gets_the_same_one_beside_it_each_time() {
        let hash = ContentHash::of(b"x");
        let name = MediaName::new("n", "a.b.png").unwrap();
        assert_eq!(name.beside(hash).text(), "a.b-2d711642b726b044.png");
        let long = MediaName::new("n", &format!("{}x.png", "é".repeat(57))).unwrap();
        let beside = long.beside(hash);
        assert!(beside.text().len() <= MAX_MEDIA_NAME);
        assert!(MediaName::new("n", beside.text()).is_ok());
    }

    #[test]
    fn each_kind_is_found_by_its_type_and_has_extensions_of_its_own() {
        for kind in MediaKind::ALL {
            assert_eq!(MediaKind::of_content_type(kind.content_type()), Some(kind));
            for extension in kind.extensions() {
                assert_eq!(MediaKind::of_extension(extension), Some(kind));
            }
        }
    }
}
