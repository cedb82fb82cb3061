//! Requests that arrive by themselves, whether or not earlier ones were answered: at a mean rate, at moments that are independent of each
//! other. A client that waits for its answer before it asks again would hide what overload does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use crate::Result;

/// How long a client waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Answered,
    /// 503, with the seconds after which to come again.
    Refused,
    /// Anything else: another status, no answer in time, a broken connection.
    Failed,
}

/// A request that arrived.
pub(super) struct Arrival {
    /// Its place in the mix.
    pub(super) kind: usize,
    pub(super) fate: Fate,
    pub(super) after: Duration,
}

/// Connections that wait to be used again.
#[derive(Default)]
struct Pool(Mutex<Vec<TcpStream>>);

impl Pool {
    async fn connection(&self, address: SocketAddr) -> Result<TcpStream> {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(idle) = idle {
            return Ok(idle);
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn keep(&self, stream: TcpStream) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
    }
}

/// Sends a request and reads its answer: what that is, and all of it.
async fn ask(pool: &Pool, address: SocketAddr, request: &[u8]) -> Result<(Fate, Vec<u8>)> {
    let mut stream = pool.connection(address).await?;
    stream.write_all(request).await?;
    let mut received = Vec::with_capacity(16 << 10);
    let start = loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err("the connection was closed".into());
        }
        if let Some(head) = received.windows(4).position(|end| end == b"\r\n\r\n") {
            break head + 4;
        }
    };
    let head = String::from_utf8_lossy(&received[..start]).to_ascii_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .ok_or("the answer does not say how long it is")?
        .trim()
        .parse()?;
    while received.len() < start + length {
        if stream.read_buf(&mut received).await? == 0 {
            return Err("the connection was closed".into());
        }
    }
    pool.keep(stream);
    let is_whole = !received[start..].windows(9).any(|part| part == b"\"errors\":");
    let fate = match &head[9..12] {
        "200" if is_whole => Fate::Answered,
        "503" if head.contains("\r\nretry-after: ") => Fate::Refused,
        _ => Fate::Failed,
    };
    Ok((fate, received))
}

/// How many requests a second are answered when each of so many clients asks as soon as it was answered.
pub(super) async fn capacity(
    address: SocketAddr,
    mix: &Arc<[Bytes]>,
    clients: usize,
    duration: Duration,
) -> Result<f64> {
    let began = Instant::now();
    let asking = (0..clients).map(|client| {
        let mix = mix.clone();
        tokio::spawn(async move {
            let pool = Pool::default();
            let mut answered = 0_u32;
            while began.elapsed() < duration {
                let request = &mix[(answered as usize * 7 + client * 13) % mix.len()];
                match ask(&pool, address, request).await? {
                    (Fate::Answered, _) => answered += 1,
                    (_, answer) => {
                        let answer = String::from_utf8_lossy(&answer);
                        return Err(format!("few ask, and one is answered {answer}").into());
                    }
                }
            }
            Result::Ok(answered)
        })
    });
    let mut answered = 0;
    for asked in futures::future::join_all(asking).await {
        answered += asked??;
    }
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}

/// Lets requests arrive for a while, so many a second, each any of the mix.
pub(super) async fn arrive(
    address: SocketAddr,
    mix: &Arc<[Bytes]>,
    rate: f64,
    duration: Duration,
    mut chance: impl FnMut() -> f64,
) -> Vec<Arrival> {
    let pool = Arc::new(Pool::default());
    let began = tokio::time::Instant::now();
    let mut at = began;
    let mut arriving = Vec::new();
    while at - began < duration {
        // The time between moments that are independent of each other.
        at += Duration::from_secs_f64(-(1.0 - chance()).ln() / rate);
        sleep_until(at).await;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a short list"
        )]
        let kind = ((chance() * mix.len() as f64) as usize).min(mix.len() - 1);
        let (mix, pool) = (mix.clone(), pool.clone());
        arriving.push(tokio::spawn(async move {
            let asked = timeout(PATIENCE, ask(&pool, address, &mix[kind])).await;
            let fate = asked.ok().and_then(Result::ok).map_or(Fate::Failed, |(fate, _)| fate);
            // From when it was to arrive: what the load is late by counts as the server's.
            Arrival { kind, fate, after: at.elapsed() }
        }));
    }
    let arrived = futures::future::join_all(arriving).await;
    arrived.into_iter().filter_map(std::result::Result::ok).collect()
}
