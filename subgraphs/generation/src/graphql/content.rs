//! Contents in GraphQL: what people give to be read, lists of it, and what can be changed.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, OneofObject, SimpleObject};
use common::ContentId;
use common::graphql::sdl::{BETA, VERIFIED, all_of};
use common::graphql::{DateTime, Failure, PageInfo, Result, Upload};
use common::page::{Page, PageRequest, encode_cursor};
use futures::{Stream, StreamExt};

use super::{caller, service};
use crate::address::SourceAddress;
use crate::model::{
    Annotation, Content, ContentSource, DEFAULT_CONTENT_PAGE, Kind, Pdf, Status, annotations,
};

/// A page, an article or a PDF that a person reads and makes cards of.
#[derive(Debug, Clone)]
pub(super) struct ContentNode(Content);

/// A page, an article or a PDF that a person reads and makes cards of. Pages are read without running their scripts.
#[Object(name = "Content")]
impl ContentNode {
    /// Its id, a UUID.
    async fn id(&self) -> ContentId {
        self.0.id
    }

    /// What was given.
    async fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The address, the DOI, or the name of the file.
    async fn source(&self) -> &str {
        &self.0.source
    }

    /// What became of it. Ask again as long as it is PROCESSING, or subscribe to `contentProgress`.
    async fn status(&self) -> Status {
        self.0.status
    }

    /// Why it FAILED, for people.
    async fn problem(&self) -> Option<&str> {
        self.0.problem.as_deref()
    }

    /// Its title, when it has one; null until it is PROCESSED.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// What it says, in short; null until it is PROCESSED.
    async fn summary(&self) -> Option<&str> {
        self.0.summary.as_deref()
    }

    /// What was read of it; null until it is PROCESSED. The card-generation service keeps it, and is asked for each.
    async fn text(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        Ok(service(ctx)?.text(&self.0).await?)
    }

    /// Whether the person has read it.
    async fn read(&self) -> bool {
        self.0.read
    }

    /// What the person marked in it, at most 1,000.
    async fn annotations(&self) -> Vec<AnnotationNode> {
        self.0.annotations.iter().cloned().map(Into::into).collect()
    }

    /// The PDF that was uploaded; null for anything else.
    async fn file(&self) -> Option<ContentFile> {
        let file = self.0.file.as_ref()?;
        #[expect(clippy::cast_precision_loss, reason = "20 MiB at most")]
        let size = file.size as f64;
        Some(ContentFile { size, sha256: file.sha256.clone(), url: self.0.path() })
    }

    /// Grows with each change.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

impl From<Content> for ContentNode {
    fn from(content: Content) -> Self {
        Self(content)
    }
}

/// A PDF that was uploaded.
#[derive(Debug, SimpleObject)]
struct ContentFile {
    /// How many bytes it has.
    size: f64,
    /// The SHA-256 of its bytes in hexadecimal.
    sha256: String,
    /// Where its bytes are, a path at the gateway's address: they are given to its owner.
    url: String,
}

/// A part of a content that is marked. Paths and offsets are the front end's own: they are kept as they are given.
#[derive(Debug, SimpleObject)]
#[graphql(name = "Annotation")]
struct AnnotationNode {
    /// Where it begins: a path.
    start_path: String,
    /// Where it begins within that.
    start_offset: i32,
    /// Where it ends: a path.
    end_path: String,
    /// Where it ends within that.
    end_offset: i32,
    /// In which colour.
    color: String,
    /// What the person says to it.
    comment: Option<String>,
    /// The text that is marked.
    text: String,
}

impl From<Annotation> for AnnotationNode {
    fn from(annotation: Annotation) -> Self {
        let Annotation { start_path, start_offset, end_path, end_offset, color, comment, text } =
            annotation;
        Self { start_path, start_offset, end_path, end_offset, color, comment, text }
    }
}

/// A part of a content to be marked.
#[derive(Debug, InputObject)]
struct AnnotationInput {
    /// Where it begins: a path, at most 2,000 characters.
    start_path: String,
    /// Where it begins within that: 0 to 10,000,000.
    start_offset: i32,
    /// Where it ends: a path, at most 2,000 characters.
    end_path: String,
    /// Where it ends within that: 0 to 10,000,000.
    end_offset: i32,
    /// In which colour: at most 40 characters.
    color: String,
    /// What the person says to it: at most 5,000 characters.
    comment: Option<String>,
    /// The text that is marked: at most 10,000 characters.
    text: String,
}

impl From<AnnotationInput> for Annotation {
    fn from(input: AnnotationInput) -> Self {
        let AnnotationInput {
            start_path,
            start_offset,
            end_path,
            end_offset,
            color,
            comment,
            text,
        } = input;
        Self { start_path, start_offset, end_path, end_offset, color, comment, text }
    }
}

/// A page of contents.
pub(super) struct ContentConnection(Page<Content>);

/// A page of contents.
#[Object]
impl ContentConnection {
    /// The contents with their cursors.
    async fn edges(&self) -> Vec<ContentEdge> {
        let edge = |content: &Content| ContentEdge {
            cursor: cursor(content),
            node: content.clone().into(),
        };
        self.0.rows.iter().map(edge).collect()
    }

    /// The contents.
    async fn nodes(&self) -> Vec<ContentNode> {
        self.0.rows.iter().cloned().map(Into::into).collect()
    }

    /// Where the page lies in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.0, cursor)
    }
}

/// A content in a list.
#[derive(Debug, SimpleObject)]
struct ContentEdge {
    /// Names the content's place in the list, for `after` and `before`.
    cursor: String,
    /// The content.
    node: ContentNode,
}

fn cursor(content: &Content) -> String {
    encode_cursor(&content.id)
}

/// What can be asked of contents.
#[derive(Debug, Default)]
pub(crate) struct ContentQuery;

/// What can be asked of contents.
#[Object]
impl ContentQuery {
    /// One of the viewer's contents; null when there is none with this id.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn content(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The content's id.")] id: ContentId,
    ) -> Result<Option<ContentNode>> {
        match service(ctx)?.content(caller(ctx)?.viewer()?, id).await {
            Ok(content) => Ok(Some(content.into())),
            Err(common::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The viewer's contents, the newest first.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn contents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, from the newest on: at most 500, 20 when nothing is said.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many, from the oldest on.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Result<ContentConnection> {
        let viewer = caller(ctx)?.viewer()?;
        let page = PageRequest::new(
            first,
            after.as_deref(),
            last,
            before.as_deref(),
            DEFAULT_CONTENT_PAGE,
        )?;
        Ok(ContentConnection(service(ctx)?.content_page(viewer, page).await?))
    }
}

/// What can be changed of contents.
#[derive(Debug, Default)]
pub(crate) struct ContentMutation;

/// What can be changed of contents.
#[Object]
impl ContentMutation {
    /// Adds a page, an article or a PDF, which is then read in the background. It takes a verified address and the role BETA. LIMIT_EXCEEDED is the
    /// error's code when there are 500 already.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[VERIFIED, BETA])))]
    async fn add_content(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to read.")] input: AddContentInput,
    ) -> Result<Option<ContentPayload>> {
        let source = match input.source {
            ContentSourceInput::Url(url) => ContentSource::Address(SourceAddress::new(&url)?),
            ContentSourceInput::File(file) => ContentSource::Pdf(Pdf::new(&file.name, file.bytes)?),
        };
        let content = service(ctx)?.add_content(caller(ctx)?, source).await?;
        Ok(Some(ContentPayload { content: content.into() }))
    }

    /// Notes whether the viewer has read a content.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn set_content_read(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which content, and whether it was read.")] input: SetContentReadInput,
    ) -> Result<Option<ContentPayload>> {
        let viewer = caller(ctx)?.viewer()?;
        let content = service(ctx)?.set_read(viewer, input.content_id, input.read).await?;
        Ok(Some(ContentPayload { content: content.into() }))
    }

    /// Replaces what the viewer marked in a content.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn annotate_content(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which content, and all that is marked in it.")]
        input: AnnotateContentInput,
    ) -> Result<Option<ContentPayload>> {
        let viewer = caller(ctx)?.viewer()?;
        let marked = annotations(input.annotations.into_iter().map(Into::into).collect())?;
        let content = service(ctx)?.annotate(viewer, input.content_id, marked).await?;
        Ok(Some(ContentPayload { content: content.into() }))
    }

    /// Deletes a content with its file, its text and its annotations. Jobs and cards that were made of it stay.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_content(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which content.")] input: DeleteContentInput,
    ) -> Result<Option<DeleteContentPayload>> {
        service(ctx)?.delete_content(caller(ctx)?.viewer()?, input.content_id).await?;
        Ok(Some(DeleteContentPayload { deleted_id: input.content_id }))
    }
}

/// What to read.
#[derive(Debug, InputObject)]
struct AddContentInput {
    /// Where it is, or the file.
    source: ContentSourceInput,
}

/// What to read.
#[derive(Debug, OneofObject)]
enum ContentSourceInput {
    /// A page, a PDF or a plain text in the public internet, by its address (http or https), or an article by its DOI, such as `10.1000/182`: at most
    /// 2,000 characters.
    Url(String),
    /// A PDF, up to 20 MiB, or less where the gateway takes less. It is named as the client names it.
    File(Upload),
}

/// Whether a content was read.
#[derive(Debug, InputObject)]
struct SetContentReadInput {
    /// The content's id.
    content_id: ContentId,
    /// Whether it was read.
    read: bool,
}

/// What is marked in a content.
#[derive(Debug, InputObject)]
struct AnnotateContentInput {
    /// The content's id.
    content_id: ContentId,
    /// All that is marked: at most 1,000, with at most 200,000 characters together.
    annotations: Vec<AnnotationInput>,
}

/// A content to delete.
#[derive(Debug, InputObject)]
struct DeleteContentInput {
    /// The content's id.
    content_id: ContentId,
}

/// A content that was added or changed.
#[derive(Debug, SimpleObject)]
struct ContentPayload {
    /// The content as it is now.
    content: ContentNode,
}

/// A content that was deleted.
#[derive(Debug, SimpleObject)]
struct DeleteContentPayload {
    /// The content's id.
    deleted_id: ContentId,
}

/// What can be subscribed to of contents.
#[derive(Debug, Default)]
pub(crate) struct ContentSubscription;

/// What can be subscribed to of contents.
#[async_graphql::Subscription]
impl ContentSubscription {
    /// One of the viewer's contents as it is now, and again after each change. It ends when it is PROCESSED or FAILED.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn content_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The content's id.")] id: ContentId,
    ) -> Result<impl Stream<Item = Result<ContentNode>>> {
        let viewer = caller(ctx)?.viewer()?.clone();
        let contents = Arc::clone(service(ctx)?).watch_content(viewer, id).await?;
        Ok(contents.map(|content| content.map(ContentNode::from).map_err(Failure::from)))
    }
}
