//! Counts the connections that last, by client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::ClientKey;
use crate::code::Code;
use crate::outcome::Outcome;

/// How many connections each client has. Clones are the same count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients(Arc<Mutex<HashMap<ClientKey, usize>>>);

/// The right to one connection, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    clients: Clients,
    key: ClientKey,
}

impl Clients {
    /// One connection more for `key`.
    ///
    /// # Errors
    /// [`Code::TooManyStreams`] when it has `most` already.
    pub(crate) fn admit(&self, key: ClientKey, most: usize) -> Result<Permit, Outcome> {
        let mut counts = self.lock();
        let count = counts.entry(key.clone()).or_default();
        if *count >= most {
            if most == 0 {
                counts.remove(&key);
            }
            return Err(Outcome::refused(
                Code::TooManyStreams,
                format!("a client may have {most} connections for streams: close another one"),
            ));
        }
        *count += 1;
        Ok(Permit { clients: self.clone(), key })
    }

    /// A panic elsewhere leaves the counts as they were.
    fn lock(&self) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.clients.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use common::UserId;

    use super::*;

    #[test]
    fn a_client_has_so_many_and_gets_room_back() {
        let clients = Clients::default();
        let (one, other) = (ClientKey::User(UserId::new()), ClientKey::Network("-".into()));
        let first = clients.admit(one.clone(), 2).unwrap();
        let _second = clients.admit(one.clone(), 2).unwrap();
        assert_eq!(clients.admit(one.clone(), 2).unwrap_err().code(), Some(Code::TooManyStreams));
        let elsewhere = clients.admit(other.clone(), 2).unwrap();
        drop(first);
        let _third = clients.admit(one.clone(), 2).unwrap();
        drop(elsewhere);
        assert_eq!(clients.lock().len(), 1, "who has none is forgotten");
        assert!(clients.admit(other, 0).is_err());
        assert_eq!(clients.lock().len(), 1);
    }
}
