//! Who uses the data folder: programs share it, and what replaces its files has it alone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// Held as long as the folder is used; let go by the system whatever becomes of the program.
#[derive(Debug)]
pub(crate) struct DataLock(#[expect(dead_code, reason = "held, not used")] File);

impl DataLock {
    /// With others who share it; none while somebody has it alone.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn shared(folder: &Path) -> io::Result<Option<Self>> {
        let file = open(folder)?;
        held(file.try_lock_shared(), file)
    }

    /// Alone; none while anybody has it.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn alone(folder: &Path) -> io::Result<Option<Self>> {
        let file = open(folder)?;
        held(file.try_lock(), file)
    }
}

fn open(folder: &Path) -> io::Result<File> {
    let path = folder.join(".lock");
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn held(locked: Result<(), TryLockError>, file: File) -> io::Result<Option<DataLock>> {
    match locked {
        Ok(()) => Ok(Some(DataLock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
