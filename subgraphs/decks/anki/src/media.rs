//! The archive's list of media: JSON of the entries' numbers in the legacy forms, a packed Protocol Buffers list in the current one.
//!
//! `MediaEntries` {1 entries {1 name, 2 size, 3 sha1}}; an entry's place in the list is its number.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Seek};

use crate::archive::{Archive, Packing, too_much};
use crate::error::Error;
use crate::limits::Limits;
use crate::model::Media;
use crate::names::{media_problem, normal};
use crate::protobuf::{Malformed, Message};

const LIST: &str = "media";

/// A listed file before it was looked for.
struct Listed {
    entry: String,
    name: String,
    /// Its size and checksum, where the list says them.
    said: Option<(u64, [u8; 20])>,
}

/// Reads the list. Files that it names and that the archive lacks are returned apart: Anki exports collections in spite of them.
pub(crate) fn read<R: Read + Seek>(
    archive: &mut Archive<R>,
    packing: Packing,
    limits: &Limits,
) -> Result<(Vec<Media>, Vec<String>), Error> {
    let Some(entry) = archive.find(LIST) else {
        return Ok((Vec::new(), Vec::new()));
    };
    let bytes = archive.read(entry, packing, limits.media_list_bytes)?;
    let listed = match packing {
        Packing::None => legacy(&bytes)?,
        Packing::Zstd => current(&bytes).map_err(|error| Error::MediaList(error.to_string()))?,
    };
    let (mut media, mut missing) = (Vec::new(), Vec::new());
    let mut names = HashSet::new();
    let mut total = 0_u64;
    for Listed { entry, name, said } in listed {
        if let Some(problem) = media_problem(&name) {
            return Err(Error::MediaName { name, problem });
        }
        let name = normal(&name);
        if !names.insert(name.clone()) {
            return Err(Error::MediaTwice { name });
        }
        let Some(entry) = archive.find(&entry) else {
            missing.push(name);
            continue;
        };
        let (size, sha1) = match said {
            Some((size, sha1)) => (size, Some(sha1)),
            None => (archive.size(entry)?, None),
        };
        if size > limits.media_file_bytes {
            let place = format!("the media file {name:?}");
            return Err(too_much(&place, "bytes", limits.media_file_bytes));
        }
        total = total.saturating_add(size);
        if total > limits.media_bytes {
            return Err(too_much("the media files together", "bytes", limits.media_bytes));
        }
        media.push(Media { name, size, sha1, entry });
    }
    Ok((media, missing))
}

fn legacy(bytes: &[u8]) -> Result<Vec<Listed>, Error> {
    let problem = |problem: String| Error::MediaList(problem);
    let map: BTreeMap<String, String> =
        serde_json::from_slice(bytes).map_err(|error| problem(error.to_string()))?;
    let mut numbered = Vec::with_capacity(map.len());
    for (entry, name) in map {
        let number: u64 =
            entry.parse().map_err(|_| problem(format!("{entry:?} is no entry's number")))?;
        numbered.push((number, Listed { entry, name, said: None }));
    }
    numbered.sort_by_key(|(number, _)| *number);
    Ok(numbered.into_iter().map(|(_, listed)| listed).collect())
}

fn current(bytes: &[u8]) -> Result<Vec<Listed>, Malformed> {
    let mut list = Vec::new();
    for field in Message::new(bytes) {
        let field = field?;
        if field.number != 1 {
            continue;
        }
        let (mut name, mut size, mut sha1) = (String::new(), 0, [0; 20]);
        for field in Message::new(field.bytes()?) {
            let field = field?;
            match field.number {
                1 => field.text()?.clone_into(&mut name),
                2 => size = field.number()?,
                3 => sha1 = field.bytes()?.try_into().map_err(|_| Malformed::Length(3, 20))?,
                _ => {}
            }
        }
        list.push(Listed { entry: list.len().to_string(), name, said: Some((size, sha1)) });
    }
    Ok(list)
}
