//! The ZIP archive around a collection, read as something that a stranger made.
//!
//! Nothing is unpacked to a path that the archive names. Refused are: names that lead elsewhere, links, encrypted entries, entries with
//! one name or with shared bytes, and more of anything than [`Limits`] allow, whatever the archive says of itself.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zip::read::ZipReadOptions;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive};

use crate::error::Error;
use crate::limits::{Limits, RATIO_FREE_BYTES};

/// What an entry of the archive's directory takes at most, in the mean, of what may be read to open it: Anki's take 60 bytes.
const DIRECTORY_BYTES_AN_ENTRY: u64 = 128;
/// What may be read besides: the search for the directory's end.
const DIRECTORY_BYTES: u64 = 256 << 10;
const BUFFER: usize = 64 << 10;

/// How an entry's bytes are packed once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    None,
    Zstd,
}

pub(crate) struct Archive<R: Read + Seek> {
    zip: ZipArchive<Metered<R>>,
    ratio: u64,
}

impl<R: Read + Seek> Archive<R> {
    pub(crate) fn open(mut source: R, limits: &Limits) -> Result<Self, Error> {
        let size = source.seek(SeekFrom::End(0))?;
        if size > limits.archive_bytes {
            return Err(too_much("the file", "bytes", limits.archive_bytes));
        }
        let allowance = Arc::new(AtomicU64::new(
            limits.entries.saturating_mul(DIRECTORY_BYTES_AN_ENTRY).saturating_add(DIRECTORY_BYTES),
        ));
        let metered = Metered { inner: source, allowance: allowance.clone() };
        let opened = ZipArchive::new(metered);
        let is_exhausted = allowance.swap(u64::MAX, Ordering::Relaxed) == 0;
        let mut zip = match opened {
            Ok(zip) if zip.len() as u64 <= limits.entries => zip,
            Ok(_) => return Err(too_much("the archive", "entries", limits.entries)),
            Err(_) if is_exhausted => {
                return Err(too_much("the archive", "entries", limits.entries));
            }
            Err(ZipError::Io(error)) if error.raw_os_error().is_some() => return Err(error.into()),
            Err(error) => return Err(Error::Archive(error.to_string())),
        };
        if zip.has_duplicate_names() {
            return Err(Error::Entries { how: "have the same name" });
        }
        for index in 0..zip.len() {
            check_entry(&zip, index)?;
        }
        match zip.has_overlapping_entries() {
            Ok(false) => Ok(Self { zip, ratio: limits.ratio }),
            Ok(true) => Err(Error::Entries { how: "share bytes" }),
            Err(error) => Err(Error::Archive(error.to_string())),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.zip.index_for_name(name)
    }

    /// What the archive says that an entry's size is.
    pub(crate) fn size(&self, entry: usize) -> Result<u64, Error> {
        let data = self.zip.by_index_data(entry).map_err(|e| Error::Archive(e.to_string()))?;
        Ok(data.size())
    }

    /// An entry's whole content, at most `most` bytes.
    pub(crate) fn read(
        &mut self,
        entry: usize,
        packing: Packing,
        most: u64,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.unpack(entry, packing, most, &mut bytes)?;
        Ok(bytes)
    }

    /// Writes an entry's content, at most `most` bytes, and says how many they were.
    pub(crate) fn unpack(
        &mut self,
        entry: usize,
        packing: Packing,
        most: u64,
        to: &mut dyn Write,
    ) -> Result<u64, Error> {
        let ratio = self.ratio;
        let options = ZipReadOptions::new().enforce_header_consistency(true);
        let mut file = match self.zip.by_index_with_options(entry, options) {
            Ok(file) => file,
            Err(ZipError::Io(error)) if error.raw_os_error().is_some() => return Err(error.into()),
            Err(error) => return Err(Error::Archive(error.to_string())),
        };
        let name = file.name().map(|name| name.into_owned()).unwrap_or_default();
        let (said, packed) = (file.size(), file.compressed_size().max(1));
        let bound = Bound { entry: &name, most, packed, ratio };
        match packing {
            Packing::None => {
                let found = bound.copy(&mut file, to)?;
                if found != said {
                    let what = format!("the archive's entry {name:?}");
                    return Err(Error::WrongSize { what, said, found });
                }
                Ok(found)
            }
            Packing::Zstd => {
                let mut inside = zstd::Decoder::new(&mut file).map_err(|e| bound.damaged(e))?;
                // 32 MiB of memory; what Anki writes asks for 8 at most.
                inside.window_log_max(25).map_err(|e| bound.damaged(e))?;
                bound.copy(&mut inside, to)
            }
        }
    }
}

/// What an entry may become.
struct Bound<'a> {
    entry: &'a str,
    most: u64,
    packed: u64,
    ratio: u64,
}

impl Bound<'_> {
    fn copy(&self, from: &mut dyn Read, to: &mut dyn Write) -> Result<u64, Error> {
        let mut buffer = vec![0; BUFFER];
        let mut total = 0_u64;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(total),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.damaged(error)),
            };
            total += count as u64;
            if total > self.most {
                return Err(too_much(
                    &format!("the archive's entry {:?}", self.entry),
                    "bytes",
                    self.most,
                ));
            }
            if total > RATIO_FREE_BYTES && total / self.packed > self.ratio {
                return Err(Error::Bomb { entry: self.entry.to_owned(), most: self.ratio });
            }
            to.write_all(&buffer[..count])?;
        }
    }

    fn damaged(&self, error: io::Error) -> Error {
        if error.raw_os_error().is_some() {
            return error.into();
        }
        Error::Damaged { entry: self.entry.to_owned(), problem: error.to_string() }
    }
}

pub(crate) fn too_much(place: &str, unit: &'static str, most: u64) -> Error {
    Error::TooMuch { place: place.to_owned(), unit, most }
}

fn check_entry<R: Read + Seek>(zip: &ZipArchive<R>, index: usize) -> Result<(), Error> {
    let data = zip.by_index_data(index).map_err(|error| Error::Archive(error.to_string()))?;
    let Ok(name) = data.name() else {
        let entry = String::from_utf8_lossy(data.name_raw()).into_owned();
        return Err(Error::EntryName { entry, problem: "it is not UTF-8" });
    };
    if let Some(problem) = path_problem(&name) {
        return Err(Error::EntryName { entry: name.into_owned(), problem });
    }
    let sort = if data.is_symlink() {
        "a symbolic link"
    } else if data.encrypted() {
        "encrypted"
    } else if !matches!(data.compression(), CompressionMethod::Stored | CompressionMethod::Deflated)
    {
        "packed in another way than by deflate"
    } else {
        return Ok(());
    };
    Err(Error::EntrySort { entry: name.into_owned(), sort })
}

/// What is wrong with a name as that of an entry: those that Anki ignores may lie in folders, but none may lead out of the archive.
fn path_problem(name: &str) -> Option<&'static str> {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || name.contains('\\') || is_drive {
        Some("it is not a path inside the archive")
    } else if name.split('/').any(|part| part == "..") {
        Some("it leads out of the archive")
    } else if name.contains(char::is_control) {
        Some("it holds control characters")
    } else {
        None
    }
}

/// A source of which only so much can be read. While the archive's directory is read this bounds what is allocated for it, whatever the
/// archive says of its length.
struct Metered<R> {
    inner: R,
    allowance: Arc<AtomicU64>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.allowance.load(Ordering::Relaxed);
        if left == u64::MAX {
            return self.inner.read(buffer);
        }
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("the archive's directory is too long"));
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.inner.read(&mut buffer[..most])?;
        self.allowance.store(left - count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for Metered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
