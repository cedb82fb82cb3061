//! Files that the notes of a public deck name. In what is published each has a name that says which bytes it has: a file that the author replaces is
//! another one, so that whoever has a clone sees the difference, and no two files that travel are called the same.

use common::{MediaId, PublicationId, UserId};

use super::media::path;
use super::{ContentHash, MediaKind, MediaName};

/// The most files of a public deck.
pub const MAX_PUBLISHED_FILES: usize = 10_000;
/// The most bytes of these together.
pub const MAX_PUBLISHED_MEDIA: i64 = 512 << 20;

/// A file of the latest release of a public deck. Its bytes are the author's, and stay while it is public, whatever becomes of the author's own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedMedia {
    /// Which one: see [`PublishedMedia::id_of`].
    pub id: MediaId,
    /// Of what.
    pub publication: PublicationId,
    /// The author.
    pub owner: UserId,
    /// By which the published notes know it.
    pub name: MediaName,
    /// The name of its bytes.
    pub hash: ContentHash,
    /// What it is.
    pub kind: MediaKind,
    /// How many bytes.
    pub size: i64,
}

impl PublishedMedia {
    /// The id of the file that the notes of a public deck call so. It is the same each time, and leads back to nothing.
    #[must_use]
    pub fn id_of(publication: PublicationId, name: &MediaName) -> MediaId {
        uuid::Uuid::new_v5(&publication.uuid(), name.text().as_bytes()).into()
    }

    /// Where it is served, below the address of the gateway.
    #[must_use]
    pub fn path(&self) -> String {
        path(self.id, &self.name)
    }
}

/// What a file is called in what is published: a name that ends with that of its bytes stays as it is.
#[must_use]
pub fn published_name(name: &MediaName, hash: ContentHash) -> MediaName {
    let (stem, _) = name.text().rsplit_once('.').unwrap_or((name.text(), ""));
    let bytes = hash.to_string();
    if stem.ends_with(&format!("-{}", &bytes[..16])) { name.clone() } else { name.beside(hash) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_name_says_which_bytes_it_is_of_and_is_not_made_longer_again() {
        let (hash, other) = (ContentHash::of(b"x"), ContentHash::of(b"y"));
        let name = MediaName::new("n", "cell.png").unwrap();
        let published = published_name(&name, hash);
        assert_eq!(published.text(), "cell-2d711642b726b044.png");
        assert_eq!(published_name(&published, hash), published);
        assert_ne!(published_name(&name, other), published);
        assert_ne!(published_name(&published, other), published);
    }
}
