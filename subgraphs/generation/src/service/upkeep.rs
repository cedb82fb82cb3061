//! What goes on with contents in the background: noting what the service made of them, and having it delete what people deleted.
//!
//! Each process does it. Doing it twice does no harm: a content is replaced only in its last version, and deleting what is deleted is done.

use std::sync::{Arc, Weak};
use std::time::Duration;

use common::page::{Direction, PageRequest};
use common::{ContentId, Error, UserId};
use jiff::{SignedDuration, Timestamp};

use super::Service;
use crate::answer;
use crate::client::{GenerationError, Listed};
use crate::model::{Content, GIVEN_UP_AFTER, MAX_CONTENTS, Status};
use crate::store::What;

/// How often the service is asked what became of contents.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it is left alone when it did not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How much is done at once.
const AT_ONCE: u32 = 200;
/// By how much the service's clock may differ from this one, for what it took and lost to be found by its time.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);
/// When the service has taken what it was asked to take, by its own clock.
const TAKEN_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// The most characters of a title, a summary or a problem.
const MAX_WORDS: usize = 2_000;

/// Why it did not get done.
#[derive(Debug, thiserror::Error)]
enum UpkeepError {
    #[error(transparent)]
    Store(#[from] common::StoreError),
    #[error("the card-generation service: {0}")]
    Service(#[from] GenerationError),
}

/// Looks after contents, as long as the domain is open.
pub(crate) async fn upkeep(service: Weak<Service>) {
    loop {
        let Some(service) = service.upgrade() else { return };
        let read = service.note_what_was_read().await;
        let deleted = service.delete_remotely().await;
        let mut wait = LOOK_EVERY;
        for result in [read, deleted] {
            if let Err(error) = result {
                tracing::warn!(%error, "contents wait for the card-generation service");
                wait = AFTER_FAILURE;
            }
        }
        let bell = Arc::clone(&service.upkeep);
        drop(service);
        // Nothing else is to be done when it is the time that has passed.
        drop(tokio::time::timeout(wait, bell.notified()).await);
    }
}

impl Service {
    /// Notes what the service made of contents that are being processed.
    async fn note_what_was_read(&self) -> Result<(), UpkeepError> {
        let mut failed = Ok(());
        for content in self.store.unfinished_contents(AT_ONCE).await? {
            // Each by itself: it comes with its whole text, and one that cannot be asked for is in no other's way.
            let found = match content.remote.as_deref() {
                Some(remote) => self.client.contents(content.owner, &[remote]).await,
                None => Ok(Vec::new()),
            };
            let found = match found {
                Err(error @ GenerationError::Unreachable(_)) => return Err(error.into()),
                found => found.map_err(|error| failed = Err(error.into())).ok(),
            };
            self.note(content, found.as_deref()).await?;
        }
        failed
    }

    /// Notes what became of a content, when that is known: `found` is what the service has, if it answered.
    async fn note(
        &self,
        mut content: Content,
        found: Option<&[answer::Content]>,
    ) -> Result<(), UpkeepError> {
        let of = |remote: &String| {
            found.and_then(|found| found.iter().find(|known| known.id == *remote))
        };
        let known = content.remote.as_ref().and_then(of);
        let is_old = self.clock.now() - GIVEN_UP_AFTER > content.created_at;
        match known.map(|known| (&*known.processing_status, known)) {
            Some(("processed", known)) => {
                content.status = Status::Processed;
                content.title = words(known.title.as_deref());
                content.summary = words(known.summary.as_deref());
            }
            Some(("failed", known)) => {
                let problem = words(known.problem.as_deref());
                content.fail(problem.unwrap_or_else(|| "It cannot be read.".to_owned()));
            }
            _ if is_old => content.fail("It was not read in time: delete it, and add it again."),
            None if found.is_some() && content.remote.is_some() => {
                content.fail("The service does not have it any more: delete it, and add it again.");
            }
            _ => return Ok(()),
        }
        content.version += 1;
        let id = content.id;
        // When it was changed meanwhile, there is another look.
        if self.store.replace_content(content).await? {
            self.hub.tell(id.uuid());
        }
        Ok(())
    }

    /// Has the service delete what is due.
    async fn delete_remotely(&self) -> Result<(), UpkeepError> {
        let mut failed = Ok(());
        for removal in self.store.removals(self.clock.now(), AT_ONCE).await? {
            let owner = removal.owner;
            let deleted = match &removal.what {
                What::One(remote) => self.client.delete_content(owner, remote).await.map(|_| true),
                What::All => self.client.delete_user(owner).await.map(|()| true),
                What::Lost { source, since } => self.delete_lost(owner, source, *since).await?,
            };
            match deleted {
                Ok(true) => self.store.removed(removal.id).await?,
                // It is looked for again.
                Ok(false) => {}
                Err(error @ GenerationError::Unreachable(_)) => return Err(error.into()),
                // One that it cannot delete is in no other's way.
                Err(error) => failed = Err(error.into()),
            }
        }
        failed
    }

    /// Deletes what the service took of a source at a time without this being known here; answers whether that is done. What the person added in other
    /// ways has another source, or another time, and is left alone.
    async fn delete_lost(
        &self,
        owner: UserId,
        source: &str,
        since: Timestamp,
    ) -> Result<Result<bool, GenerationError>, UpkeepError> {
        let listed = match self.client.listed(owner).await {
            Ok(listed) => listed,
            Err(error) => return Ok(Err(error)),
        };
        let then = since - CLOCKS_DIFFER..since + TAKEN_WITHIN;
        let may_be_it = |listed: &Listed| {
            let at = listed.added_at();
            listed.source.as_deref() == Some(source) && at.is_some_and(|at| then.contains(&at))
        };
        let found: Vec<Listed> = listed.into_iter().filter(may_be_it).collect();
        if found.is_empty() {
            return Ok(Ok(true));
        }
        // Read after the list: what is in that and not here yet is being added now.
        let all = PageRequest { direction: Direction::Forward, limit: MAX_CONTENTS, cursor: None };
        let known = self.store.content_page(owner, all).await?;
        let is_being_added =
            |content: &Content| content.remote.is_none() && content.status == Status::Processing;
        if known.iter().any(is_being_added) {
            return Ok(Ok(false));
        }
        for lost in found {
            if known.iter().any(|content| content.remote.as_ref() == Some(&lost.id)) {
                continue;
            }
            if let Err(error) = self.client.delete_content(owner, &lost.id).await {
                return Ok(Err(error));
            }
        }
        Ok(Ok(true))
    }

    /// Waits until a content of the job's owner is read, at most as long as one generation may take, and answers its text.
    pub(super) async fn text_of(
        &self,
        owner: UserId,
        id: ContentId,
    ) -> Result<Result<String, GenerationError>, Error> {
        let mut changes = self.hub.listen();
        let started = tokio::time::Instant::now();
        loop {
            let content = self.store.contents(vec![id]).await?.pop();
            let Some(content) = content.filter(|content| content.owner == owner) else {
                return Ok(Err(GenerationError::SourceUnreadable));
            };
            match (content.status, &content.remote) {
                (Status::Processed, Some(remote)) => {
                    let found = self.client.contents(owner, &[remote]).await;
                    let text = found.map(|mut found| found.pop().and_then(|found| found.view_text));
                    return Ok(text.and_then(|text| text.ok_or(GenerationError::SourceUnreadable)));
                }
                (Status::Processing, _) if started.elapsed() > self.client.timeout() => {
                    return Ok(Err(GenerationError::Timeout));
                }
                (Status::Processing, _) => super::watch::changed(&mut changes, id.uuid()).await,
                (Status::Failed | Status::Processed, _) => {
                    return Ok(Err(GenerationError::SourceUnreadable));
                }
            }
        }
    }
}

/// A text that says something, cut to what is kept.
fn words(text: Option<&str>) -> Option<String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty())?;
    Some(text.chars().take(MAX_WORDS).collect())
}
