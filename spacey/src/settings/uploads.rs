//! What people may send and keep of files.

use decks::model::MediaLimits;
use gateway::UploadSettings;

use super::reader::Reader;

/// The most bytes of anything here that can be set: a terabyte.
const MOST_BYTES: i64 = 1 << 40;
/// The most bytes of files that one request can be let have: all are in memory at the time.
const MOST_IN_MEMORY: i64 = 1 << 30;

/// What people may send and keep of files.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    /// `SPACEY_UPLOAD_…`: what the gateway accepts with an operation.
    pub(crate) gateway: UploadSettings,
    /// `SPACEY_MEDIA_…`: what a person may keep; a file is as large as it may be sent.
    pub(crate) media: MediaLimits,
}

impl Uploads {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let mut bytes = |name, most: i64, default: i64| {
            let accepted = format!("a number from 1 to {most} is accepted");
            reader.get(name, &accepted, default.to_string(), |text| {
                text.parse().ok().filter(|bytes| (1..=most).contains(bytes))
            })
        };
        let (gateway, media) = (UploadSettings::default(), MediaLimits::default());
        let file_bytes = bytes("SPACEY_UPLOAD_FILE_BYTES", MOST_IN_MEMORY, media.file_bytes);
        let total_bytes = bytes("SPACEY_UPLOAD_BYTES", MOST_IN_MEMORY, size(gateway.total_bytes));
        let files = bytes("SPACEY_UPLOAD_FILES", 1_000, size(gateway.files));
        let places = bytes("SPACEY_UPLOAD_PLACES", 10_000, size(gateway.places));
        let at_once = bytes("SPACEY_UPLOADS_AT_ONCE", 1_000, size(gateway.at_once));
        let memory = bytes("SPACEY_UPLOADS_BYTES", MOST_BYTES, bytes_of(gateway.memory));
        let kept_files = bytes("SPACEY_MEDIA_FILES", 10_000_000, media.files);
        let kept_bytes = bytes("SPACEY_MEDIA_BYTES", MOST_BYTES, media.bytes);
        let (file_bytes, total_bytes) = (file_bytes?, total_bytes?);
        if total_bytes < file_bytes {
            reader.contradiction(format!(
                "SPACEY_UPLOAD_BYTES is {total_bytes}, less than SPACEY_UPLOAD_FILE_BYTES, {file_bytes}: no file of that size could come"
            ));
            return None;
        }
        let memory = memory?;
        if memory < total_bytes {
            reader.contradiction(format!(
                "SPACEY_UPLOADS_BYTES is {memory}, less than SPACEY_UPLOAD_BYTES, {total_bytes}: no request of that size could come"
            ));
            return None;
        }
        Some(Self {
            gateway: UploadSettings {
                file_bytes: count(file_bytes),
                files: count(files?),
                total_bytes: count(total_bytes),
                places: count(places?),
                at_once: count(at_once?),
                memory: u64::try_from(memory).unwrap_or(u64::MAX),
                ..gateway
            },
            media: MediaLimits { file_bytes, files: kept_files?, bytes: kept_bytes? },
        })
    }
}

fn bytes_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn size(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
