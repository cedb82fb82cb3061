//! A gateway that does nothing: it sends the requests that Spacey sends, in the same rounds, and answers from memory. The time that
//! takes is that of subgraphs and sockets, which no gateway can do without.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};

use super::load::{self, Connection};
use super::serve::Handler;
use crate::Result;

/// How long subgraphs wait before they answer while it is recorded: all requests of a round have come by then.
const HELD: Duration = Duration::from_millis(50);

/// Notes what subgraphs are asked, while somebody wants to know.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Option<Vec<Asked>>>);

struct Asked {
    subgraph: &'static str,
    body: Bytes,
    round: usize,
    answered: bool,
}

/// What is sent for one operation, and answered.
#[derive(Serialize, Deserialize)]
pub(crate) struct Replay {
    /// Requests that are under way at the same time, round by round: where to, and the body.
    rounds: Vec<Vec<(SocketAddr, String)>>,
    answer: String,
}

impl Recorder {
    /// `handler` as it is, but for what is recorded.
    pub(crate) fn around(self: &Arc<Self>, subgraph: &'static str, handler: Handler) -> Handler {
        let recorder = self.clone();
        Arc::new(move |body| {
            let Some(number) = recorder.begins(subgraph, &body) else {
                return handler(body);
            };
            let (recorder, answer) = (recorder.clone(), handler(body));
            Box::pin(async move {
                tokio::time::sleep(HELD).await;
                recorder.ends(number);
                answer.await
            })
        })
    }

    /// What is asked while the gateway at `address` answers `request`.
    pub(crate) async fn record(
        &self,
        address: SocketAddr,
        request: &[u8],
        subgraphs: &HashMap<&'static str, SocketAddr>,
    ) -> Result<Replay> {
        *self.lock() = Some(Vec::new());
        let answer = load::ask(address, request).await?;
        let asked = self.lock().take().unwrap_or_default();
        let rounds = asked.iter().map(|asked| asked.round + 1).max().unwrap_or_default();
        let mut replay = Replay {
            rounds: vec![Vec::new(); rounds],
            answer: String::from_utf8(answer.to_vec())?,
        };
        for Asked { subgraph, body, round, .. } in asked {
            replay.rounds[round].push((subgraphs[subgraph], String::from_utf8(body.to_vec())?));
        }
        Ok(replay)
    }

    /// The number of a request that is recorded. It is of the round after those that were answered when it came.
    fn begins(&self, subgraph: &'static str, body: &Bytes) -> Option<usize> {
        let mut recorded = self.lock();
        let all = recorded.as_mut()?;
        let answered = all.iter().filter(|asked| asked.answered);
        let round = answered.map(|asked| asked.round + 1).max().unwrap_or_default();
        all.push(Asked { subgraph, body: body.clone(), round, answered: false });
        Some(all.len() - 1)
    }

    fn ends(&self, number: usize) {
        if let Some(asked) = self.lock().as_mut().and_then(|all| all.get_mut(number)) {
            asked.answered = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Vec<Asked>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Replay {
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        Ok(std::fs::write(file, serde_json::to_vec(self)?)?)
    }

    pub(crate) fn read(file: &Path) -> Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(file)?)?)
    }

    /// How many requests there are, and in how many rounds.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.rounds.iter().map(Vec::len).sum(), self.rounds.len())
    }

    /// Sends all that for each request, over connections of its own, and gives the answer.
    pub(crate) async fn handler(self) -> Result<Handler> {
        let mut rounds = Vec::new();
        for round in self.rounds {
            let mut connections = Vec::new();
            for (address, body) in round {
                connections.push((Connection::open(address).await?, load::post(&body)));
            }
            rounds.push(connections);
        }
        let rounds = Arc::new(tokio::sync::Mutex::new(rounds));
        let answer = Bytes::from(self.answer);
        Ok(Arc::new(move |_| {
            let (rounds, answer) = (rounds.clone(), answer.clone());
            Box::pin(async move {
                for round in rounds.lock().await.iter_mut() {
                    let asking = round.iter_mut().map(|(connection, request)| async move {
                        connection.ask(request).await.is_ok()
                    });
                    if !futures::future::join_all(asking).await.into_iter().all(|is_ok| is_ok) {
                        return Bytes::from_static(b"a subgraph does not answer");
                    }
                }
                answer
            })
        }))
    }
}

/// The median of how long the answers of `address` took over one connection, in samples of a second.
pub(crate) async fn latency(
    address: SocketAddr,
    request: &Bytes,
    samples: usize,
) -> Result<Duration> {
    let expected = load::ask(address, request).await?;
    let mut medians = Vec::new();
    for _ in 0..samples {
        let sample = load::run(address, request, &expected, 1, Duration::from_secs(1)).await?;
        medians.push(sample.quantile(0.5));
    }
    medians.sort_unstable();
    Ok(medians[samples / 2])
}
