//! The feed of ended sessions between processes: asked over HTTP with the service secret, and refused without.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::revocation::{Ended, EndedSession, Follower, RevocationFeed, Revocations};
use common::token::ServiceTokens;
use common::{Clock, EndpointError, SessionId};
use futures::future::BoxFuture;
use gateway::{HttpEndpoint, revocation_router};
use support::{remote, serve, service_tokens};

/// Tells of one session, or fails, and remembers what it was asked with.
struct Feed {
    session: SessionId,
    asked: Mutex<Vec<Option<i64>>>,
    broken: Mutex<bool>,
}

impl RevocationFeed for Feed {
    fn ended_since(&self, cursor: Option<i64>) -> BoxFuture<'_, Result<Ended, EndpointError>> {
        self.asked.lock().unwrap().push(cursor);
        let broken = *self.broken.lock().unwrap();
        let until = Clock::System.now().as_millisecond() + 60_000;
        let sessions = vec![EndedSession { id: self.session, until }];
        Box::pin(async move {
            if broken {
                return Err(EndpointError::Timeout { endpoint: "users".into() });
            }
            Ok(Ended { sessions, cursor: 42 })
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_follows_over_http_and_keeps_what_it_knows() {
    let feed = Arc::new(Feed {
        session: SessionId::new(),
        asked: Mutex::default(),
        broken: Mutex::new(false),
    });
    let url = serve(revocation_router(feed.clone(), service_tokens(), Clock::System)).await;
    let revocations = Arc::new(Revocations::default());
    let endpoint = Arc::new(remote("users", url.clone()));
    let mut follower = Follower::new(endpoint, revocations.clone());
    follower.ask().await;
    assert!(revocations.is_revoked(feed.session));
    *feed.broken.lock().unwrap() = true;
    follower.ask().await;
    follower.ask().await;
    assert!(revocations.is_revoked(feed.session), "what is known stays known");
    assert_eq!(*feed.asked.lock().unwrap(), [None, Some(42), Some(42)]);

    let others = Arc::new(ServiceTokens::new(&"a secret that nobody here shares".into()));
    let stranger = HttpEndpoint::new("users", url, others, Duration::from_secs(5)).unwrap();
    assert!(stranger.ended_since(None).await.is_err());
    assert_eq!(feed.asked.lock().unwrap().len(), 3, "a stranger asks for nothing");
}
