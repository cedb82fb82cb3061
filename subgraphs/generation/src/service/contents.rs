//! Contents: what a person gives to be read. Who owns one is decided here; what is read of it the service knows.
//!
//! A change that the service has to keep, too, is made there first: when it does not answer, nothing is changed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use common::page::{Page, PageRequest};
use common::{Caller, ContentId, Error, FileBytes, FileInfo, UserId, Viewer};
use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::StatusCode;

use super::{ATTEMPTS, Service, busy, watch};
use crate::address::leads_outside;
use crate::client::GenerationError;
use crate::model::{Annotation, Content, ContentSource, MAX_CONTENTS, MAX_PROCESSING, Status};
use crate::store::{Added, Most, Removal};

const SOURCE: &str = "input.source";
const MOST: Most = Most { kept: MAX_CONTENTS, unfinished: MAX_PROCESSING };

impl Service {
    /// Adds a content, for those with a verified address and the role BETA. The service reads it in the background.
    ///
    /// # Errors
    /// [`Error::Unverified`], [`Error::Forbidden`]; [`Error::Invalid`] for a source that the service does not take, or that leads into a private
    /// network; [`Error::LimitExceeded`] when the person has too many; [`Error::Unavailable`] when the service does not answer.
    pub async fn add_content(
        &self,
        caller: &Arc<Caller>,
        source: ContentSource,
    ) -> Result<Content, Error> {
        let viewer = self.may_generate(caller).await?;
        if let ContentSource::Address(address) = &source
            && !leads_outside(&address.0).await
        {
            let message = "leads into a private network, or its name is not known";
            return Err(Error::invalid("input.source.url", message));
        }
        let content = Content::new(viewer.user, &source, self.clock.now());
        match self.store.insert_content(content.clone(), MOST).await? {
            Added::New => {}
            Added::Busy => {
                let message = format!(
                    "{MAX_PROCESSING} of your contents are being processed, which is the most: wait for one, or delete it"
                );
                return Err(Error::LimitExceeded { message });
            }
            Added::Full => {
                let message =
                    format!("you have {MAX_CONTENTS} contents, which is the most: delete some");
                return Err(Error::LimitExceeded { message });
            }
            // The account ended while the request was under way.
            Added::Gone => return Err(Error::Unauthenticated),
        }
        // Should its answer get lost, or this process, what it has taken is found and deleted.
        let lost = Removal::of_lost(viewer.user, content.source.clone(), self.clock.now());
        self.store.insert_removal(lost.clone()).await?;
        let taken = match &source {
            ContentSource::Address(address) => {
                self.client.add_source(viewer.user, &address.0).await
            }
            ContentSource::Pdf(pdf) => self.client.add_file(viewer.user, pdf).await,
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                // It was never there.
                self.store.remove_content(content, self.clock.now()).await?;
                if error.is_refusal() {
                    self.store.removed(lost.id).await?;
                }
                return Err(not_taken(&error));
            }
        };
        let remote = taken.id.clone();
        let next = Content { version: 2, remote: Some(remote.clone()), ..content };
        if !self.store.replace_content(next.clone()).await? {
            let removal = Removal::of(viewer.user, remote, self.clock.now());
            self.store.insert_removal(removal).await?;
            self.store.removed(lost.id).await?;
            self.upkeep.notify_one();
            return Err(Error::not_found("content", next.id));
        }
        self.store.removed(lost.id).await?;
        self.upkeep.notify_one();
        Ok(next)
    }

    /// The viewer's content.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn content(&self, viewer: &Viewer, id: ContentId) -> Result<Content, Error> {
        let content = self.store.contents(vec![id]).await?.pop();
        content
            .filter(|content| content.owner == viewer.user)
            .ok_or_else(|| Error::not_found("content", id))
    }

    /// A page of the viewer's contents, the newest first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn content_page(
        &self,
        viewer: &Viewer,
        page: PageRequest<ContentId>,
    ) -> Result<Page<Content>, Error> {
        let rows = self.store.content_page(viewer.user, page.clone()).await?;
        Ok(Page::from_overfull(&page, rows))
    }

    /// What was read of a content; none unless it is processed, and when the service has it no more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the service does not answer.
    pub async fn text(&self, content: &Content) -> Result<Option<String>, Error> {
        let Some(remote) =
            content.remote.as_deref().filter(|_| content.status == Status::Processed)
        else {
            return Ok(None);
        };
        let found = self.client.contents(content.owner, &[remote]).await;
        let found = found.map_err(|error| unavailable(&error))?.pop();
        Ok(found.and_then(|content| content.view_text))
    }

    /// Notes whether the viewer has read a content.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when the service has it no more; [`Error::Unavailable`] when it does not answer.
    pub async fn set_read(
        &self,
        viewer: &Viewer,
        id: ContentId,
        read: bool,
    ) -> Result<Content, Error> {
        let (owner, remote) = self.remote(viewer, id).await?;
        kept(id, self.client.set_read(owner, &remote, read).await)?;
        self.change_content(viewer, id, |content| content.read = read).await
    }

    /// Replaces the viewer's annotations of a content by valid ones.
    ///
    /// # Errors
    /// As [`Service::set_read`].
    pub async fn annotate(
        &self,
        viewer: &Viewer,
        id: ContentId,
        annotations: Vec<Annotation>,
    ) -> Result<Content, Error> {
        let (owner, remote) = self.remote(viewer, id).await?;
        kept(id, self.client.annotate(owner, &remote, &annotations).await)?;
        self.change_content(viewer, id, |content| content.annotations.clone_from(&annotations))
            .await
    }

    /// Deletes a content of the viewer's, here at once, and with the service as soon as it answers.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`].
    pub async fn delete_content(&self, viewer: &Viewer, id: ContentId) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let content = self.content(viewer, id).await?;
            if self.store.remove_content(content, self.clock.now()).await? {
                self.hub.tell(id.uuid());
                self.upkeep.notify_one();
                return Ok(());
            }
        }
        Err(busy("content"))
    }

    /// The viewer's content as it is, and again after each change, until it is processed or failed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Store`]; also later, as the last item, when it is deleted or the store fails.
    pub async fn watch_content(
        self: Arc<Self>,
        viewer: Viewer,
        id: ContentId,
    ) -> Result<impl Stream<Item = Result<Content, Error>> + Send, Error> {
        let mut changes = self.hub.listen();
        let mut content = self.content(&viewer, id).await?;
        Ok(async_stream::stream! {
            loop {
                let (version, over) = (content.version, content.status != Status::Processing);
                yield Ok(content);
                if over {
                    return;
                }
                content = loop {
                    watch::changed(&mut changes, id.uuid()).await;
                    match self.content(&viewer, id).await {
                        Ok(content) if content.version == version => {}
                        Ok(content) => break content,
                        Err(error) => {
                            yield Err(error);
                            return;
                        }
                    }
                };
            }
        })
    }

    /// What is known of the viewer's PDF.
    pub(super) async fn pdf(
        &self,
        viewer: &Viewer,
        id: ContentId,
    ) -> Result<Option<FileInfo>, Error> {
        let content = match self.content(viewer, id).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            content => content?,
        };
        let Some(file) = content.file.filter(|_| content.remote.is_some()) else { return Ok(None) };
        Ok(Some(FileInfo {
            name: content.source,
            content_type: "application/pdf".to_owned(),
            size: file.size,
            tag: file.sha256,
        }))
    }

    /// The bytes of the viewer's PDF in `range`.
    pub(super) async fn pdf_bytes(
        &self,
        viewer: &Viewer,
        id: ContentId,
        range: Range<u64>,
    ) -> Result<Option<FileBytes>, Error> {
        let (owner, remote) = match self.remote(viewer, id).await {
            Err(Error::NotFound { .. } | Error::Conflict(_)) => return Ok(None),
            remote => remote?,
        };
        let bytes = self.client.file(owner, &remote).await.map_err(|error| unavailable(&error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let mut at = 0_u64;
        let within = bytes.map_err(Into::into).try_filter_map(move |piece: Bytes| {
            let begins = at;
            at += piece.len() as u64;
            let place = |offset: u64| {
                let place = offset.saturating_sub(begins).min(piece.len() as u64);
                usize::try_from(place).unwrap_or(piece.len())
            };
            let part = piece.slice(place(range.start)..place(range.end));
            std::future::ready(Ok((!part.is_empty()).then_some(part)))
        });
        Ok(Some(within.boxed()))
    }

    /// What the service calls the viewer's content.
    async fn remote(&self, viewer: &Viewer, id: ContentId) -> Result<(UserId, String), Error> {
        let content = self.content(viewer, id).await?;
        let remote = content.remote.ok_or_else(|| lost(id))?;
        Ok((content.owner, remote))
    }

    async fn change_content(
        &self,
        viewer: &Viewer,
        id: ContentId,
        change: impl Fn(&mut Content) + Send,
    ) -> Result<Content, Error> {
        for _ in 0..ATTEMPTS {
            let mut content = self.content(viewer, id).await?;
            change(&mut content);
            content.version += 1;
            if self.store.replace_content(content.clone()).await? {
                self.hub.tell(id.uuid());
                return Ok(content);
            }
        }
        Err(busy("content"))
    }
}

/// Whether the service made a change.
fn kept(id: ContentId, changed: Result<bool, GenerationError>) -> Result<(), Error> {
    match changed {
        Ok(true) => Ok(()),
        Ok(false) => Err(lost(id)),
        Err(error) => Err(unavailable(&error)),
    }
}

/// The service did not take a content.
fn not_taken(error: &GenerationError) -> Error {
    match error {
        GenerationError::Status(
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY,
        ) => Error::invalid(
            SOURCE,
            "is not taken by the card-generation service: the address of a page, a DOI or a PDF is accepted",
        ),
        GenerationError::Status(StatusCode::CONFLICT) => {
            let message =
                "the card-generation service takes no more contents of yours now: delete some, or wait for those that are being read"
                    .to_owned();
            Error::LimitExceeded { message }
        }
        error => unavailable(error),
    }
}

fn unavailable(error: &GenerationError) -> Error {
    tracing::warn!("contents: {error}");
    let message = "contents cannot be had or changed now: try again later".to_owned();
    Error::Unavailable { code: "GENERATION_UNAVAILABLE", message }
}

fn lost(id: ContentId) -> Error {
    Error::Conflict(format!(
        "the card-generation service does not have the content {id}: delete it, and add it again"
    ))
}
