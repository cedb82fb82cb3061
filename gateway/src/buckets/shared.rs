//! Buckets in Redis, for gateways that share them.
//!
//! What a client waits for is one round trip: a script takes the points, by the server's own clock. What is given back afterwards nobody
//! waits for: it goes through a queue, and many at once. While the server does not answer, no operation asks it: the first that waits too
//! long, or is told of a failure, says so to all, and from then on only the keeper tries, until it is answered again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError};
use secrecy::ExposeSecret;
use serde::Serialize;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

use crate::client::ClientKey;
use crate::settings::{Allowance, SharedBuckets};

const SCRIPT: &str = include_str!("bucket.lua");

/// How long the keeper waits before it tries again.
const RETRY: Duration = Duration::from_millis(250);
/// How long it takes at most for a connection: more than for an answer, since names are looked up and certificates exchanged.
const CONNECTING: Duration = Duration::from_secs(2);
/// How many settlements wait to be sent. What finds no room is not given back, and restored in time like what was used.
const WAITING: usize = 10_000;
/// How many of them are sent at once.
const TOGETHER: usize = 500;

/// The address of the store is none.
#[derive(Debug, thiserror::Error)]
#[error("the shared store of points: {0}")]
pub struct StoreError(#[from] RedisError);

/// How the shared store fares, for whoever watches the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sharing {
    /// Whether it answers. If not, clients have this gateway's share of their buckets.
    shared: bool,
    /// How often it ceased to.
    losses: u64,
    /// How many operations took their points from this gateway's share.
    operations_by_share: u64,
}

/// The buckets.
#[derive(Debug)]
pub(super) struct Shared {
    line: Arc<Line>,
    settlements: mpsc::Sender<Cmd>,
    gateways: u32,
    operations_by_share: AtomicU64,
    keeper: AbortHandle,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    /// # Errors
    /// [`StoreError`] when the address is none.
    pub(super) fn new(settings: &SharedBuckets) -> Result<Self, StoreError> {
        let client = Client::open(settings.url.expose_secret())?;
        let (settlements, queue) = mpsc::channel(WAITING);
        let line = Arc::new(Line {
            link: ArcSwapOption::empty(),
            lost: Notify::new(),
            losses: AtomicU64::new(0),
            timeout: settings.timeout,
        });
        let keeper = tokio::spawn(line.clone().keep(client, queue)).abort_handle();
        let gateways = settings.gateways.max(1);
        let operations_by_share = AtomicU64::new(0);
        Ok(Self { line, settlements, gateways, operations_by_share, keeper })
    }

    /// Takes `points` if they are there; tells whether they were, and how many are left. None while the store does not answer.
    pub(super) async fn take(
        &self,
        payer: &ClientKey,
        allowance: Allowance,
        points: f64,
    ) -> Option<(bool, f64)> {
        let taken = self.ask(payer, allowance, points).await;
        if taken.is_none() {
            self.operations_by_share.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    async fn ask(
        &self,
        payer: &ClientKey,
        allowance: Allowance,
        points: f64,
    ) -> Option<(bool, f64)> {
        let link = self.line.link.load_full()?;
        let command = command(&link.script, payer, allowance, points, true);
        let mut connection = link.connection.clone();
        match within(self.line.timeout, command.query_async(&mut connection)).await {
            Ok(taken) => Some(taken),
            Err(error) => {
                self.line.lose(&link, &error);
                None
            }
        }
    }

    /// Gives `points` back, or takes more where they are below 0: soon.
    pub(super) fn settle(&self, payer: &ClientKey, allowance: Allowance, points: f64) {
        let link = self.line.link.load();
        // A bucket that cannot be reached fills by itself.
        if points != 0.0
            && let Some(link) = &*link
        {
            let command = command(&link.script, payer, allowance, -points, false);
            drop(self.settlements.try_send(command));
        }
    }

    /// This gateway's part of a bucket: what each of them grants while the store does not answer. An operation that may cost more than the
    /// part holds needs all of it, so that what a full bucket is enough for can be run then too.
    pub(super) fn share(&self, allowance: Allowance, points: f64) -> Allowance {
        let part = |whole: u32| (whole / self.gateways).max(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and is bounded by what the bucket holds"
        )]
        let points = (points as u32).min(allowance.capacity);
        let capacity = part(allowance.capacity).max(points);
        Allowance { capacity, restore_rate: part(allowance.restore_rate) }
    }

    pub(super) fn sharing(&self) -> Sharing {
        Sharing {
            shared: self.line.link.load().is_some(),
            losses: self.line.losses.load(Ordering::Relaxed),
            operations_by_share: self.operations_by_share.load(Ordering::Relaxed),
        }
    }
}

/// The connection, while there is one.
#[derive(Debug)]
struct Line {
    link: ArcSwapOption<Link>,
    lost: Notify,
    losses: AtomicU64,
    timeout: Duration,
}

#[derive(Debug)]
struct Link {
    connection: MultiplexedConnection,
    /// By what the server knows the script.
    script: String,
}

impl Line {
    /// Connects, sends what is to be settled, and connects again when the connection is lost: for ever.
    async fn keep(self: Arc<Self>, client: Client, mut settlements: mpsc::Receiver<Cmd>) {
        let mut told = false;
        loop {
            match self.connect(&client).await {
                Ok(link) => {
                    let link = Arc::new(link);
                    self.link.store(Some(link.clone()));
                    tracing::info!("the shared store of points answers");
                    self.serve(&link, &mut settlements).await;
                    // The loss was told of where it was noticed.
                    told = true;
                }
                Err(error) if !told => {
                    tracing::warn!(%error, "the shared store of points does not answer: clients have this gateway's share of their points");
                    told = true;
                }
                Err(_) => {}
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// A connection on which the script is known and can write.
    async fn connect(&self, client: &Client) -> Result<Link, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(None);
        let connecting = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = within(CONNECTING, connecting).await?;
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(SCRIPT);
        let script: String = within(self.timeout, load.query_async(&mut connection)).await?;
        let smallest = Allowance { capacity: 1, restore_rate: 1000 };
        let tried = command(&script, &ClientKey::Network("none".into()), smallest, 1.0, false);
        let _: (bool, f64) = within(self.timeout, tried.query_async(&mut connection)).await?;
        Ok(Link { connection, script })
    }

    /// Sends what is to be settled, as much at once as there is, until the connection is lost.
    async fn serve(&self, link: &Arc<Link>, settlements: &mut mpsc::Receiver<Cmd>) {
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            tokio::select! {
                () = self.lost.notified() => return,
                received = settlements.recv_many(&mut batch, TOGETHER) => {
                    if received == 0 {
                        // Whoever asked for them is gone, and this will be stopped.
                        return;
                    }
                }
            }
            let mut pipeline = Pipeline::with_capacity(batch.len());
            for command in batch.drain(..) {
                pipeline.add_command(command).ignore();
            }
            let mut connection = link.connection.clone();
            let sent = pipeline.query_async::<()>(&mut connection);
            if let Err(error) = within(self.timeout, sent).await {
                self.lose(link, &error);
            }
        }
    }

    /// From now on nobody asks over `link`.
    fn lose(&self, link: &Arc<Link>, error: &RedisError) {
        let former = self.link.compare_and_swap(link, None);
        // Many may notice it, and it is one loss.
        if former.as_ref().is_some_and(|former| Arc::ptr_eq(former, link)) {
            self.losses.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "the shared store of points failed: clients have this gateway's share of their points until it answers again");
            self.lost.notify_one();
        }
    }
}

fn command(
    script: &str,
    payer: &ClientKey,
    allowance: Allowance,
    points: f64,
    only_if_there: bool,
) -> Cmd {
    let key = match payer {
        ClientKey::User(user) => format!("spacey:points:user:{user}"),
        ClientKey::Network(network) => format!("spacey:points:network:{network}"),
    };
    let mut command = redis::cmd("EVALSHA");
    command.arg(script).arg(1).arg(key);
    command.arg(allowance.capacity).arg(allowance.restore_rate).arg(points);
    command.arg(u8::from(only_if_there));
    command
}

/// What is answered in time.
async fn within<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, RedisError> {
    match tokio::time::timeout(patience, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}
