//! The load: connections that ask one after another, and how long each answer took.
//!
//! It speaks just enough HTTP/1.1 by hand, because it shares its core with the subgraphs. An answer must be the expected one to the
//! byte; any other ends the measurement.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;

/// One connection to a gateway, or from one.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(256 << 10) })
    }

    /// Sends a request and gives the body of its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let (start, length) = loop {
            self.more().await?;
            if let Some(head) = self.received.windows(4).position(|end| end == b"\r\n\r\n") {
                break (head + 4, content_length(&self.received[..head])?);
            }
        };
        while self.received.len() < start + length {
            self.more().await?;
        }
        Ok(&self.received[start..start + length])
    }

    async fn more(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err("the connection was closed".into()),
            _ => Ok(()),
        }
    }
}

/// The length in the head of an answer, which must be 200.
fn content_length(head: &[u8]) -> Result<usize> {
    let head = std::str::from_utf8(head)?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(format!("the answer is {head}").into());
    }
    let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse())
    });
    Ok(length.ok_or("the answer does not say how long it is")??)
}

/// A GraphQL request as it goes over the wire.
pub(crate) fn request(query: &str, variables: &serde_json::Value) -> Bytes {
    post(&serde_json::json!({ "query": query, "variables": variables }).to_string())
}

/// A request with a body of JSON.
pub(crate) fn post(body: &str) -> Bytes {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

/// The body of one answer.
pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> Result<Bytes> {
    Ok(Bytes::copy_from_slice(Connection::open(address).await?.ask(request).await?))
}

/// What a measurement gave.
pub(crate) struct Sample {
    /// How long it took.
    pub(crate) elapsed: Duration,
    /// How long each answer took, the shortest first.
    pub(crate) latencies: Vec<Duration>,
}

impl Sample {
    /// The latency that `share` of all answers did not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list of some thousands"
        )]
        let place = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(place.min(self.latencies.len() - 1)).copied().unwrap_or_default()
    }
}

/// Asks over `connections` connections for a while, each as soon as it has been answered.
pub(crate) async fn run(
    address: SocketAddr,
    request: &Bytes,
    expected: &Bytes,
    connections: usize,
    duration: Duration,
) -> Result<Sample> {
    let started = Instant::now();
    let asking = (0..connections).map(|_| {
        let (request, expected) = (request.clone(), expected.clone());
        tokio::spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut latencies = Vec::new();
            while started.elapsed() < duration {
                let asked = Instant::now();
                let answer = connection.ask(&request).await?;
                latencies.push(asked.elapsed());
                if answer != expected {
                    return Err(
                        format!("another answer: {}", String::from_utf8_lossy(answer)).into()
                    );
                }
            }
            Result::Ok(latencies)
        })
    });
    let mut latencies = Vec::new();
    for asked in futures::future::join_all(asking).await {
        latencies.extend(asked??);
    }
    latencies.sort_unstable();
    Ok(Sample { elapsed: started.elapsed(), latencies })
}
