//! Media in GraphQL: files, lists of them, and what can be changed.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use common::graphql::sdl::key;
use common::graphql::{DateTime, PageInfo, Result, Upload, caller};
use common::page::{Page, encode_cursor};
use common::{MediaId, TrashId};
use tokio::sync::OnceCell;

use crate::model::{Media, MediaFilter, MediaName, MediaTotals, NewMedia, Note};
use crate::references::media_of;
use crate::service::Service;

/// A file.
#[derive(Debug, Clone)]
pub(super) struct MediaNode {
    pub(super) media: Arc<Media>,
}

impl From<Media> for MediaNode {
    fn from(media: Media) -> Self {
        Self { media: Arc::new(media) }
    }
}

/// An image or a sound of a person. Notes name it: `![](media:NAME)` in Markdown, `<img src="NAME">`, or `[sound:NAME]` as in Anki.
#[Object(name = "Media", directive = key::apply("id".into()))]
impl MediaNode {
    /// The file's id, a UUID.
    pub(super) async fn id(&self) -> MediaId {
        self.media.id
    }

    /// By which notes know it: no other of the person's files is called so. Up to 120 bytes in UTF-8.
    async fn name(&self) -> &str {
        self.media.name.text()
    }

    /// The SHA-256 of its bytes in hexadecimal.
    async fn sha256(&self) -> String {
        self.media.hash.to_string()
    }

    /// What it is, told from its bytes, such as `image/png` or `audio/mpeg`.
    async fn content_type(&self) -> &str {
        self.media.kind.content_type()
    }

    /// How many bytes it has.
    async fn size(&self) -> i64 {
        self.media.size
    }

    /// Where its bytes are, a path at the gateway's address: they are given to whoever would be given this file.
    async fn url(&self) -> String {
        self.media.path()
    }

    /// When it was stored.
    async fn created_at(&self) -> DateTime {
        DateTime(self.media.created_at)
    }
}

/// Which files are meant. What is absent leaves none out.
#[derive(Debug, Clone, Copy, Default, InputObject)]
#[graphql(name = "MediaFilter")]
pub(super) struct MediaFilterInput {
    /// True: only those that no note names; false: only those that one does. Notes in the trash count.
    unused: Option<bool>,
}

impl From<MediaFilterInput> for MediaFilter {
    fn from(filter: MediaFilterInput) -> Self {
        Self { unused: filter.unused, ..Self::default() }
    }
}

/// A page of a person's files.
#[derive(Debug)]
pub(super) struct MediaConnection {
    pub(super) page: Page<Media>,
    pub(super) filter: MediaFilter,
    pub(super) totals: OnceCell<Result<MediaTotals>>,
}

fn cursor(media: &Media) -> String {
    encode_cursor(&media.name.text())
}

impl MediaConnection {
    async fn totals(&self, ctx: &Context<'_>) -> Result<MediaTotals> {
        let load = async || {
            let viewer = caller(ctx)?.viewer()?;
            Ok(ctx.data::<Arc<Service>>()?.media_totals(viewer, self.filter).await?)
        };
        self.totals.get_or_init(load).await.clone()
    }
}

/// A page of a person's files.
#[Object]
impl MediaConnection {
    /// The files with their cursors.
    async fn edges(&self) -> Vec<MediaEdge> {
        let edge = |media: &Media| MediaEdge { cursor: cursor(media), node: media.clone().into() };
        self.page.rows.iter().map(edge).collect()
    }

    /// The files.
    async fn nodes(&self) -> Vec<MediaNode> {
        self.page.rows.iter().cloned().map(MediaNode::from).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page, cursor)
    }

    /// How many files the whole list has.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Ok(self.totals(ctx).await?.files)
    }

    /// How many bytes the files of the whole list have. The same bytes are stored once, and counted here for each file.
    async fn total_bytes(&self, ctx: &Context<'_>) -> Result<f64> {
        #[expect(clippy::cast_precision_loss, reason = "exact up to nine million gigabytes")]
        Ok(self.totals(ctx).await?.bytes as f64)
    }
}

/// A file in a list.
#[derive(Debug, SimpleObject)]
pub(super) struct MediaEdge {
    /// Names the file's place in the list, for `after` and `before`.
    cursor: String,
    /// The file.
    node: MediaNode,
}

/// The files of notes that were read together: the first note that is asked for its files reads those of all.
#[derive(Debug)]
pub(super) struct MediaOfNotes {
    notes: Vec<Arc<Note>>,
    found: OnceCell<Result<Arc<HashMap<MediaName, MediaNode>>>>,
}

impl MediaOfNotes {
    pub(super) fn new(notes: &[Arc<Note>]) -> Arc<Self> {
        Arc::new(Self { notes: notes.to_vec(), found: OnceCell::new() })
    }

    /// The files that one of these notes names and that are there, in the order of its fields.
    pub(super) async fn of(&self, ctx: &Context<'_>, note: &Note) -> Result<Vec<MediaNode>> {
        let names = media_of(&note.content);
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let load = async || {
            let mut names: Vec<MediaName> =
                self.notes.iter().flat_map(|note| media_of(&note.content)).collect();
            names.sort_unstable();
            names.dedup();
            let viewer = caller(ctx)?.viewer()?;
            let media = ctx.data::<Arc<Service>>()?.media_named(viewer, names).await?;
            Ok(Arc::new(media.into_iter().map(|(name, media)| (name, media.into())).collect()))
        };
        let found = self.found.get_or_init(load).await.clone()?;
        Ok(names.iter().filter_map(|name| found.get(name).cloned()).collect())
    }
}

/// What can be changed of media.
#[derive(Debug, Default)]
pub(crate) struct MediaMutation;

/// What can be changed of media.
#[Object]
impl MediaMutation {
    /// Stores an image or a sound. When there is one of this name with the same bytes, it is answered as it is; when its bytes are others, the
    /// new one gets a name beside it: notes name the file by the name that is answered.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn upload_media(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: UploadMediaInput,
    ) -> Result<UploadMediaPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let UploadMediaInput { file, name } = input;
        let name = name.unwrap_or(file.name);
        let new = NewMedia::new("input", &name, file.bytes, service.media_limits())?;
        let mut stored = service.store_media(viewer, &[new]).await?;
        let media = stored.pop().ok_or_else(|| common::Error::not_found("media file", name))?;
        Ok(UploadMediaPayload { media: media.into() })
    }

    /// Puts files into the trash: all, or none. Notes that name them stay as they are. They can be restored for 30 days, and count among what a
    /// person may keep until they are deleted for good.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_media(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which files.")] input: DeleteMediaInput,
    ) -> Result<DeleteMediaPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let trash_id = match input.for_good {
            true => service.delete_media(viewer, &input.ids).await.map(|()| None)?,
            false => Some(service.trash_media(viewer, &input.ids).await?),
        };
        Ok(DeleteMediaPayload { deleted_ids: input.ids, trash_id })
    }
}

/// A file to store.
#[derive(Debug, InputObject)]
struct UploadMediaInput {
    /// The file: PNG, JPEG, GIF, WebP, AVIF, BMP, MP3, Ogg, WAV, M4A, FLAC, AAC or WebM; up to 10 MiB where no other limit is set.
    file: Upload,
    /// What to call it, with the extension of its type: 1 to 120 bytes in UTF-8, none of them a control character or one of [ ] < > : " / ? * ^ \ |.
    /// When absent: what the client calls the file.
    name: Option<String>,
}

/// The file as it is stored.
#[derive(Debug, SimpleObject)]
struct UploadMediaPayload {
    /// The file.
    media: MediaNode,
}

/// Files to delete.
#[derive(Debug, InputObject)]
struct DeleteMediaInput {
    /// Which files: 1 to 1,000.
    ids: Vec<MediaId>,
    /// True: they are deleted for good at once, which makes room. They cannot be restored.
    #[graphql(default)]
    for_good: bool,
}

/// What was deleted.
#[derive(Debug, SimpleObject)]
struct DeleteMediaPayload {
    /// The ids of the files that are gone.
    deleted_ids: Vec<MediaId>,
    /// The entry of the trash they lie in. Null where they were deleted for good.
    trash_id: Option<TrashId>,
}
