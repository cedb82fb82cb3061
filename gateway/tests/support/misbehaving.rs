//! A subgraph that follows a script: it answers, is slow, cuts the connection, sends far too much, or sends what is no GraphQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with one request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    /// Answers with this status, content type and body.
    Answer(u16, &'static str, &'static str),
    /// Answers with JSON, after a while.
    After(Duration, &'static str),
    /// Closes the connection without a word.
    Cut,
    /// Closes it in the middle of the answer.
    CutInside,
    /// Answers with this many bytes of spaces.
    Huge(usize),
}

/// A good answer.
pub(crate) const fn json(body: &'static str) -> Act {
    Act::Answer(200, "application/json", body)
}

/// The running subgraph.
#[derive(Clone)]
pub(crate) struct Misbehaving {
    pub(crate) address: String,
    requests: Arc<AtomicUsize>,
    under_way: Arc<AtomicUsize>,
    most_under_way: Arc<AtomicUsize>,
}

impl Misbehaving {
    /// Starts one that acts as the script says, the last act again and again.
    pub(crate) async fn start(script: &[Act]) -> Self {
        let script: Arc<[Act]> = script.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/graphql", listener.local_addr().unwrap());
        let subgraph = Self {
            address,
            requests: Arc::default(),
            under_way: Arc::default(),
            most_under_way: Arc::default(),
        };
        let running = subgraph.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (running, script) = (running.clone(), script.clone());
                tokio::spawn(async move { running.serve(connection, &script).await });
            }
        });
        subgraph
    }

    /// How many requests arrived.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How many of them were under way at once at most.
    pub(crate) fn most_under_way(&self) -> usize {
        self.most_under_way.load(Ordering::SeqCst)
    }

    async fn serve(&self, mut connection: TcpStream, script: &[Act]) -> Option<()> {
        loop {
            request(&mut connection).await?;
            let index = self.requests.fetch_add(1, Ordering::SeqCst);
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_under_way.fetch_max(now, Ordering::SeqCst);
            let act = script[index.min(script.len() - 1)];
            let done = perform(&mut connection, act).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            done?;
        }
    }
}

/// Does it; nothing when the connection is over.
async fn perform(connection: &mut TcpStream, act: Act) -> Option<()> {
    match act {
        Act::Answer(status, content_type, body) => {
            answer(connection, status, content_type, body.len(), body.as_bytes()).await
        }
        Act::After(delay, body) => {
            tokio::time::sleep(delay).await;
            answer(connection, 200, "application/json", body.len(), body.as_bytes()).await
        }
        Act::Cut => None,
        Act::CutInside => {
            answer(connection, 200, "application/json", 1000, b"{\"data\":{").await?;
            None
        }
        Act::Huge(size) => {
            let body = vec![b' '; size];
            answer(connection, 200, "application/json", size, &body).await
        }
    }
}

async fn answer(
    connection: &mut TcpStream,
    status: u16,
    content_type: &str,
    length: usize,
    body: &[u8],
) -> Option<()> {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.ok()?;
    connection.write_all(body).await.ok()
}

/// Reads one request; nothing when the other end is done.
async fn request(connection: &mut TcpStream) -> Option<()> {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
            if received.len() >= end + 4 + length.parse::<usize>().unwrap() {
                return Some(());
            }
        }
        match connection.read(&mut chunk).await {
            Ok(count) if count > 0 => received.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}
