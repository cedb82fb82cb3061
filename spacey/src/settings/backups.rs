//! Where backups go, and how many are kept.

use super::reader::Reader;

/// Where backups go, and how many are kept.
#[derive(Debug, Clone)]
pub(crate) struct Backups {
    /// `SPACEY_BACKUP_TO`: a folder, or `s3://BUCKET/PREFIX`.
    pub(crate) to: String,
    /// `SPACEY_BACKUP_KEEP`: how many are kept.
    pub(crate) keep: usize,
}

impl Backups {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let to = reader.get(
            "SPACEY_BACKUP_TO",
            "a folder or s3://BUCKET/PREFIX is accepted",
            "backups",
            |text| {
                let is_other = text.contains("://") && !text.starts_with("s3://");
                (!text.trim().is_empty() && !is_other).then(|| text.trim().to_owned())
            },
        );
        let keep = reader.get(
            "SPACEY_BACKUP_KEEP",
            "a number from 1 to 10000 is accepted",
            "14",
            |text| text.parse().ok().filter(|keep| (1..=10_000).contains(keep)),
        );
        Some(Self { to: to?, keep: keep? })
    }
}
