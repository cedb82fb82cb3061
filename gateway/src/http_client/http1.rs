//! HTTP/1.1 connections: one request at a time on each, kept and used again.
//!
//! The request that uses a connection also drives it, in its own task: there is no task per connection to wake, and a request that is
//! given up closes its connection, whose state nobody could know. What the server closes while it is not used is noticed at its next use.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::body;
use super::connect::Stream;
use super::error::ClientError;
use super::pieces::Pieces;

type Sender = http1::SendRequest<Pieces>;
type Driver = http1::Connection<TokioIo<Stream>, Pieces>;

/// One connection.
pub(super) struct Connection {
    sender: Sender,
    /// None when it has ended.
    driver: Option<Driver>,
}

/// What became of a request on a connection.
pub(super) enum Exchange {
    /// It was answered; the connection may be used again unless it has ended.
    Answered(Response<Bytes>, Box<Connection>),
    /// The server had closed the connection before any of it was sent.
    NotSent(Request<Pieces>),
    /// It may have been sent.
    Failed(ClientError),
}

impl Connection {
    pub(super) fn new(sender: Sender, driver: Driver) -> Box<Self> {
        Box::new(Self { sender, driver: Some(driver) })
    }

    /// Sends a request and takes in its response.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: Request<Pieces>,
        max_response: usize,
    ) -> Exchange {
        let Self { sender, driver } = &mut *self;
        if drive(driver, sender.ready()).await.is_err() {
            return Exchange::NotSent(request);
        }
        let response = match drive(driver, sender.try_send_request(request)).await {
            Ok(response) => response,
            Err(mut error) => {
                return match error.take_message() {
                    Some(request) => Exchange::NotSent(request),
                    None => Exchange::Failed(ClientError::broken(error.into_error())),
                };
            }
        };
        let (parts, body) = response.into_parts();
        match drive(driver, body::collect(body, max_response)).await {
            Ok(body) => Exchange::Answered(Response::from_parts(parts, body), self),
            Err(error) => Exchange::Failed(error),
        }
    }
}

/// Waits for `future` while the connection does its work.
async fn drive<F: Future>(driver: &mut Option<Driver>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Some(running) = driver
            && let Poll::Ready(result) = Pin::new(running).poll(cx)
        {
            if let Err(error) = result {
                tracing::debug!("a connection to a subgraph ended: {error}");
            }
            // Whoever still waits for something of it is told by its end.
            *driver = None;
        }
        future.as_mut().poll(cx)
    })
    .await
}

/// The connections that are kept without use, the oldest first.
pub(super) struct Pool {
    idle: Mutex<VecDeque<(Instant, Box<Connection>)>>,
    max_idle: usize,
    idle_timeout: Duration,
}

impl Pool {
    pub(super) fn new(max_idle: usize, idle_timeout: Duration) -> Self {
        Self { idle: Mutex::default(), max_idle, idle_timeout }
    }

    /// The connection used last, so that those which are not needed grow old.
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        let mut idle = self.lock();
        let (since, connection) = idle.pop_back()?;
        if since.elapsed() < self.idle_timeout {
            return Some(connection);
        }
        // The others are older still.
        idle.clear();
        None
    }

    /// Keeps a connection for the next request, unless it has ended.
    pub(super) fn put(&self, connection: Box<Connection>) {
        if connection.driver.is_none() {
            return;
        }
        let now = Instant::now();
        let mut idle = self.lock();
        let too_old = |(since, _): &(Instant, Box<Connection>)| now - *since >= self.idle_timeout;
        while idle.front().is_some_and(too_old) || idle.len() >= self.max_idle.max(1) {
            idle.pop_front();
        }
        if self.max_idle > 0 {
            idle.push_back((now, connection));
        }
    }

    /// A panic elsewhere leaves the queue whole.
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Instant, Box<Connection>)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
