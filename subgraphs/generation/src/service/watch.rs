//! Seeing a job or a content change: what this process does is told at once, what another does is seen within a second.

use std::sync::Arc;
use std::time::Duration;

use common::{Error, GenerationJobId, Viewer};
use futures::Stream;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender, channel};
use uuid::Uuid;

use super::Service;
use crate::model::Job;

/// How many changes a slow watcher may be behind before it looks for itself.
const CAPACITY: usize = 256;
/// How often the store is looked at for changes of other processes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tells which jobs and contents changed in this process.
pub(super) struct Hub(Sender<Uuid>);

impl Default for Hub {
    fn default() -> Self {
        Self(channel(CAPACITY).0)
    }
}

impl Hub {
    pub(super) fn tell(&self, id: Uuid) {
        // Nobody may be listening.
        let _ = self.0.send(id);
    }

    pub(super) fn listen(&self) -> Receiver<Uuid> {
        self.0.subscribe()
    }
}

/// Waits until a job or a content changed here, or may have changed elsewhere.
pub(super) async fn changed(changes: &mut Receiver<Uuid>, wanted: Uuid) {
    let here = async {
        loop {
            match changes.recv().await {
                Ok(id) if id != wanted => {}
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    };
    // Nothing else is to be done when it is the time that has passed.
    drop(tokio::time::timeout(LOOK_EVERY, here).await);
}

impl Service {
    /// The viewer's job as it is, and again after each change, until it is over.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`]; also later, as the last item, when the job is deleted or the store fails.
    pub async fn watch(
        self: Arc<Self>,
        viewer: Viewer,
        id: GenerationJobId,
    ) -> Result<impl Stream<Item = Result<Job, Error>> + Send, Error> {
        let mut changes = self.hub.listen();
        let mut job = self.job(&viewer, id).await?;
        Ok(async_stream::stream! {
            loop {
                let (version, over) = (job.version, job.state.is_over());
                yield Ok(job);
                if over {
                    return;
                }
                job = loop {
                    changed(&mut changes, id.uuid()).await;
                    match self.job(&viewer, id).await {
                        Ok(job) if job.version == version => {}
                        Ok(job) => break job,
                        Err(error) => {
                            yield Err(error);
                            return;
                        }
                    }
                };
            }
        })
    }
}
