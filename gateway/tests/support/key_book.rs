//! Knows the API keys that a test made, and remembers what it was asked.

#![expect(clippy::unwrap_used, reason = "only tests call this")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use common::api_key::{KEY_BEGINNING, KeyVerifier};
use common::token::Accepted;
use common::{Client, EndpointError, Roles, SessionId, UserId, Viewer};
use futures::future::BoxFuture;
use jiff::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct KeyBook {
    good: Mutex<HashMap<String, Accepted>>,
    pub(crate) asked: Mutex<Vec<Client>>,
    pub(crate) broken: AtomicBool,
}

impl KeyBook {
    /// A key with these scopes, and the session that it stands for.
    pub(crate) fn make(&self, scopes: &[&str], expires: Timestamp) -> (String, SessionId) {
        let session = SessionId::new();
        let key = format!("{KEY_BEGINNING}{}Key123", session.uuid().simple());
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let viewer = Viewer { scopes, ..Viewer::new(UserId::new(), session, Roles::default()) };
        self.good.lock().unwrap().insert(key.clone(), Accepted { viewer, expires });
        (key, session)
    }

    pub(crate) fn was_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl KeyVerifier for KeyBook {
    fn identify<'a>(
        &'a self,
        secret: &'a str,
        client: &'a Client,
    ) -> BoxFuture<'a, Result<Option<Accepted>, EndpointError>> {
        self.asked.lock().unwrap().push(client.clone());
        Box::pin(async move {
            if self.broken.load(Ordering::SeqCst) {
                return Err(EndpointError::Timeout { endpoint: "users".into() });
            }
            Ok(self.good.lock().unwrap().get(secret).cloned())
        })
    }
}
