//! A folder in place of an SMTP server: each mail becomes a JSON file that a person, a test or `/dev/mail` can read.

use std::io;
use std::path::{Path, PathBuf};

use common::MailId;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use tokio::fs;

use super::{Letter, MailError, Mailer};

/// How many mails are read at most: the newest.
const MOST: usize = 200;

/// A folder of mails.
#[derive(Debug, Clone)]
pub struct Mailbox(PathBuf);

/// A mail as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredLetter {
    /// Which one.
    pub id: MailId,
    /// To whom.
    pub to: String,
    /// One line.
    pub subject: String,
    /// The content as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl Mailbox {
    /// A folder, which is made when the first mail comes.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The newest mails, newest first, at most 200.
    ///
    /// # Errors
    /// What the file system says.
    pub async fn letters(&self) -> io::Result<Vec<StoredLetter>> {
        let mut ids = Vec::new();
        let mut entries = match fs::read_dir(&self.0).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        while let Some(entry) = entries.next_entry().await? {
            let path = entry.path();
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse::<MailId>().ok());
            ids.extend(id.filter(|_| path.extension().is_some_and(|ending| ending == "json")));
        }
        // Ids are in the order of making.
        ids.sort_unstable_by(|a, b| b.cmp(a));
        let mut letters = Vec::new();
        for id in ids.into_iter().take(MOST) {
            letters.extend(self.letter(id).await?);
        }
        Ok(letters)
    }

    /// One mail, if it is there and can be read.
    ///
    /// # Errors
    /// What the file system says.
    pub async fn letter(&self, id: MailId) -> io::Result<Option<StoredLetter>> {
        match fs::read(self.file(id)).await {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn file(&self, id: MailId) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    async fn put(&self, letter: &Letter) -> io::Result<()> {
        let stored = StoredLetter {
            id: letter.id,
            to: letter.to.as_str().to_owned(),
            subject: letter.subject.to_owned(),
            text: letter.text.clone(),
            html: letter.html.clone(),
        };
        let json = serde_json::to_vec_pretty(&stored)?;
        fs::create_dir_all(&self.0).await?;
        let file = self.file(letter.id);
        // Whoever looks at the same time finds the whole mail or none.
        let partial = file.with_extension("partial");
        fs::write(&partial, json).await?;
        fs::rename(&partial, &file).await
    }
}

impl Mailer for Mailbox {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), MailError>> {
        Box::pin(async move {
            self.put(&letter).await.map_err(|error| MailError::Later(Box::new(error)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Email;

    fn letter(to: &str) -> Letter {
        let to = Email::new("", to).unwrap();
        Letter { id: MailId::new(), to, subject: "Hello", text: "text".into(), html: "<p>".into() }
    }

    #[tokio::test]
    async fn letters_are_found_newest_first_and_other_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let mailbox = Mailbox::new(folder.path().join("mail"));
        assert_eq!(mailbox.letters().await.unwrap(), []);
        let (first, second) = (letter("ada@example.org"), letter("eve@example.org"));
        mailbox.send(first.clone()).await.unwrap();
        mailbox.send(second.clone()).await.unwrap();
        mailbox.send(second.clone()).await.unwrap();
        std::fs::write(mailbox.folder().join("notes.json"), "{}").unwrap();
        std::fs::write(mailbox.file(MailId::new()), "{").unwrap();
        let found = mailbox.letters().await.unwrap();
        let found: Vec<_> = found.iter().map(|letter| letter.to.as_str()).collect();
        assert_eq!(found, ["eve@example.org", "ada@example.org"]);
        assert_eq!(mailbox.letter(first.id).await.unwrap().unwrap().text, "text");
        assert_eq!(mailbox.letter(MailId::new()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_made_is_tried_later() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Mailbox::new(file).send(letter("ada@example.org")).await.unwrap_err();
        assert!(matches!(error, MailError::Later(_)), "{error}");
    }
}
