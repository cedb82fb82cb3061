//! Reads the trusted documents at the start: one file for every application, or a folder with a file for each, called `NAME.json` or
//! `NAME@VERSION.json`.
//!
//! Refused: what cannot be read, and what is no list of documents.

use std::path::{Path, PathBuf};
use std::{fs, io};

use gateway::{TrustedDocuments, TrustedDocumentsError};

/// Why the trusted documents cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentsError {
    /// A file or folder cannot be read.
    #[error("SPACEY_TRUSTED_DOCUMENTS: {path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is no list of documents.
    #[error("SPACEY_TRUSTED_DOCUMENTS: {path}: {error}")]
    NoDocuments {
        /// Which.
        path: PathBuf,
        /// Why.
        error: TrustedDocumentsError,
    },
}

/// The documents at `path`.
///
/// # Errors
/// [`DocumentsError`].
pub(crate) fn read(path: &Path) -> Result<TrustedDocuments, DocumentsError> {
    let unreadable = |error| DocumentsError::Unreadable { path: path.to_owned(), error };
    let mut documents = TrustedDocuments::default();
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        add(&mut documents, path, None, None)?;
        return Ok(documents);
    }
    let entries = fs::read_dir(path).map_err(unreadable)?;
    let entries = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    files.sort_unstable();
    for file in files {
        let Some(stem) = file.file_name().and_then(|name| name.to_str()?.strip_suffix(".json"))
        else {
            continue;
        };
        let (name, version) = match stem.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (stem, None),
        };
        add(&mut documents, &file, Some(name), version)?;
    }
    Ok(documents)
}

fn add(
    documents: &mut TrustedDocuments,
    path: &Path,
    name: Option<&str>,
    version: Option<&str>,
) -> Result<(), DocumentsError> {
    let text = fs::read_to_string(path)
        .map_err(|error| DocumentsError::Unreadable { path: path.to_owned(), error })?;
    documents
        .add(&text, name, version)
        .map_err(|error| DocumentsError::NoDocuments { path: path.to_owned(), error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_folder_are_read_and_mistakes_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("phone@2.json"), r#"{"a": "{ a }"}"#).unwrap();
        fs::write(at("desk.json"), r#"{"a": "{ b }", "b": "{ c }"}"#).unwrap();
        fs::write(at("README.md"), "not one").unwrap();
        assert_eq!(read(folder.path()).unwrap().len(), 2);
        assert_eq!(read(&at("desk.json")).unwrap().len(), 2);
        fs::write(at("wrong.json"), "[]").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("wrong.json: the file is not an object"), "{error}");
        let error = read(&at("absent.json")).unwrap_err().to_string();
        assert!(error.contains("absent.json cannot be read: No such file"), "{error}");
    }
}
