//! What can be asked, changed and followed of imports and exports.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Context, InputObject, Object, SimpleObject, Subscription};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::graphql::{Result, Upload, caller};
use common::{DeckId, Error, TransferId};
use futures::Stream;
use futures::stream;

use super::transfer::{DuplicatesEnum, ExportJob, FormatEnum, ImportJob};
use crate::model::{Direction, ExportOptions, FileName, ImportOptions, MAX_PART, Transfer};
use crate::service::Service;

/// How often it is looked whether an import has come further.
const LOOK: Duration = Duration::from_millis(500);

/// What can be asked of imports and exports.
#[derive(Debug, Default)]
pub(crate) struct TransferQuery;

/// What can be asked of imports and exports.
#[Object]
impl TransferQuery {
    /// One of the viewer's imports; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn import_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import's id.")] id: TransferId,
    ) -> Result<Option<ImportJob>> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        Ok(service.transfer(viewer, Direction::Import, id).await?.map(ImportJob))
    }

    /// The viewer's imports, newest first. There are at most 20 imports and exports; those that are over make room for new ones.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn import_jobs(&self, ctx: &Context<'_>) -> Result<Vec<ImportJob>> {
        let viewer = caller(ctx)?.viewer()?;
        let found = ctx.data::<Arc<Service>>()?.transfers(viewer, Direction::Import).await?;
        Ok(found.into_iter().map(ImportJob).collect())
    }

    /// One of the viewer's exports; null when there is none with this id.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn export_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The export's id.")] id: TransferId,
    ) -> Result<Option<ExportJob>> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        Ok(service.transfer(viewer, Direction::Export, id).await?.map(ExportJob))
    }

    /// The viewer's exports, newest first. There are at most 20 imports and exports; those that are over make room for new ones.
    #[graphql(cache_control(no_cache), directive = common::graphql::sdl::authenticated::apply())]
    async fn export_jobs(&self, ctx: &Context<'_>) -> Result<Vec<ExportJob>> {
        let viewer = caller(ctx)?.viewer()?;
        let found = ctx.data::<Arc<Service>>()?.transfers(viewer, Direction::Export).await?;
        Ok(found.into_iter().map(ExportJob).collect())
    }
}

/// A file to import, or its first part: `file` or `data`.
#[derive(Debug, InputObject)]
struct ImportFileInput {
    /// The whole file, in a multipart request.
    file: Option<Upload>,
    /// The file's name: 1 to 200 characters; of a path only its last part counts. When absent: what the client calls `file`.
    name: Option<String>,
    /// The form of the file; null to find out. MARKDOWN is told by a name that ends in `.md`.
    format: Option<FormatEnum>,
    /// The file or its first part, in Base64: at most 524,288 bytes. The file: at most 268,435,456 bytes.
    data: Option<String>,
    /// Whether `data` is all of it; if not, `appendToImport` sends the rest.
    #[graphql(default = true)]
    is_complete: bool,
}

/// The next part of a file to import.
#[derive(Debug, InputObject)]
struct AppendToImportInput {
    /// The import's id.
    id: TransferId,
    /// How many bytes come before it: the `size` that the import has so far. A part that is there already is not taken twice.
    offset: u64,
    /// The part, in Base64: at most 524,288 bytes.
    data: String,
    /// Whether it is the last one.
    #[graphql(default)]
    is_complete: bool,
}

/// How to import what is in a file.
#[derive(Debug, InputObject)]
struct RunImportInput {
    /// The import's id.
    id: TransferId,
    /// The deck in which those of the file will lie; null for the top. Decks with the same names are not made twice.
    deck_id: Option<DeckId>,
    /// What to do with notes that are there already.
    #[graphql(default_with = "DuplicatesEnum::Skip")]
    duplicates: DuplicatesEnum,
    /// Whether what was learned of the cards comes along: when they are due, and their reviews. It is for cards that are new here.
    #[graphql(default = true)]
    with_scheduling: bool,
    /// Whether media files come along.
    #[graphql(default = true)]
    with_media: bool,
}

/// Which import.
#[derive(Debug, InputObject)]
struct CancelImportInput {
    /// The import's id.
    id: TransferId,
}

/// What to export.
#[derive(Debug, InputObject)]
struct ExportDecksInput {
    /// These decks with those in them, 1 to 1,000; null for all.
    deck_ids: Option<Vec<DeckId>>,
    /// The form of the file.
    format: FormatEnum,
    /// Whether what was learned of the cards goes along. APKG and JSON have a place for it.
    #[graphql(default = true)]
    with_scheduling: bool,
    /// Whether the media files that notes name go along. APKG and JSON have a place for them.
    #[graphql(default = true)]
    with_media: bool,
}

/// Which export.
#[derive(Debug, InputObject)]
struct CancelExportInput {
    /// The export's id.
    id: TransferId,
}

/// What became of an import.
#[derive(Debug, SimpleObject)]
struct ImportPayload {
    /// The import.
    import: ImportJob,
}

/// What became of an export.
#[derive(Debug, SimpleObject)]
struct ExportPayload {
    /// The export.
    export: ExportJob,
}

/// What can be changed of imports and exports.
#[derive(Debug, Default)]
pub(crate) struct TransferMutation;

/// What can be changed of imports and exports.
#[Object]
impl TransferMutation {
    /// Sends a file to import, or its first part. Once it is there it is looked through, and the import waits for `runImport` with a preview.
    /// Nothing is changed before that. It waits for 24 hours; 3 imports and exports are under way at once.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn import_file(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file.")] input: ImportFileInput,
    ) -> Result<ImportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let ImportFileInput { file, name, format, data, is_complete } = input;
        let format = format.map(Into::into);
        let name = name.or_else(|| file.as_ref().map(|file| file.name.clone()));
        let name = FileName::new("input.name", &name.unwrap_or_default())?;
        let import = match (file, data) {
            (Some(file), None) => service.import_whole(viewer, name, format, &file.bytes).await?,
            (None, Some(data)) => {
                service.import_file(viewer, name, format, decoded(&data)?, is_complete).await?
            }
            _ => return Err(Error::invalid("input", "give either file or data").into()),
        };
        Ok(ImportPayload { import: ImportJob(import) })
    }

    /// Sends the next part of a file to import. Another offset than the present size is the error CONFLICT.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn append_to_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The part.")] input: AppendToImportInput,
    ) -> Result<ImportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let AppendToImportInput { id, offset, data, is_complete } = input;
        let part = decoded(&data)?;
        let service = ctx.data::<Arc<Service>>()?;
        let import = service.append_to_import(viewer, id, offset, part, is_complete).await?;
        Ok(ImportPayload { import: ImportJob(import) })
    }

    /// Imports what is in a file that was looked through: all of what its preview counts, or nothing.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn run_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which import, and how.")] input: RunImportInput,
    ) -> Result<ImportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let RunImportInput { id, deck_id, duplicates, with_scheduling, with_media } = input;
        let duplicates = duplicates.into();
        let options = ImportOptions { deck: deck_id, duplicates, with_scheduling, with_media };
        let import = ctx.data::<Arc<Service>>()?.run_import(viewer, id, options).await?;
        Ok(ImportPayload { import: ImportJob(import) })
    }

    /// Calls an import off: nothing of it is left. Once it is COMMITTING that is the error CONFLICT.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn cancel_import(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which import.")] input: CancelImportInput,
    ) -> Result<ImportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let import = service.cancel_transfer(viewer, Direction::Import, input.id).await?;
        Ok(ImportPayload { import: ImportJob(import) })
    }

    /// Writes decks into a file that can be fetched for 24 hours.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn export_decks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which decks, and in which form.")] input: ExportDecksInput,
    ) -> Result<ExportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let ExportDecksInput { deck_ids, format, with_scheduling, with_media } = input;
        let format = format.into();
        let options = ExportOptions { decks: deck_ids, format, with_scheduling, with_media };
        let export = ctx.data::<Arc<Service>>()?.export_decks(viewer, options).await?;
        Ok(ExportPayload { export: ExportJob(export) })
    }

    /// Calls an export off, if it is not complete yet.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn cancel_export(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which export.")] input: CancelExportInput,
    ) -> Result<ExportPayload> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let export = service.cancel_transfer(viewer, Direction::Export, input.id).await?;
        Ok(ExportPayload { export: ExportJob(export) })
    }
}

fn decoded(data: &str) -> std::result::Result<Vec<u8>, Error> {
    // Four characters for three bytes: more are not looked at.
    if data.len() > MAX_PART.div_ceil(3) * 4 {
        let message = format!("is too long: at most {MAX_PART} bytes are accepted at once");
        return Err(Error::invalid("input.data", message));
    }
    STANDARD.decode(data).map_err(|error| {
        Error::invalid(
            "input.data",
            format!("is not Base64 ({error}): expected RFC 4648 with padding"),
        )
    })
}

/// What can be followed.
#[derive(Debug, Default)]
pub(crate) struct TransferSubscription;

/// What can be followed.
#[Subscription(name = "Subscription")]
impl TransferSubscription {
    /// One of the viewer's imports, at once and whenever it has come further, until it is over or waits for `runImport`.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn import_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The import's id.")] id: TransferId,
    ) -> Result<impl Stream<Item = Result<ImportJob>> + use<>> {
        let viewer = caller(ctx)?.viewer()?.clone();
        let service = Arc::clone(ctx.data::<Arc<Service>>()?);
        let first = service.transfer(&viewer, Direction::Import, id).await?;
        let first = first.ok_or_else(|| Error::not_found("import", id))?;
        let waits = |transfer: &Transfer| {
            transfer.state.is_over() || transfer.state == crate::model::TransferState::Preview
        };
        let state = (service, viewer, Some(first), None::<Transfer>);
        Ok(stream::unfold(state, move |(service, viewer, first, last)| async move {
            if let Some(first) = first {
                return Some((Ok(ImportJob(first.clone())), (service, viewer, None, Some(first))));
            }
            let last = last.filter(|last| !waits(last))?;
            loop {
                tokio::time::sleep(LOOK).await;
                match service.transfer(&viewer, Direction::Import, id).await {
                    Ok(Some(next)) if next.revision == last.revision => {}
                    Ok(Some(next)) => {
                        let job = ImportJob(next.clone());
                        return Some((Ok(job), (service, viewer, None, Some(next))));
                    }
                    Ok(None) => return None,
                    Err(error) => return Some((Err(error.into()), (service, viewer, None, None))),
                }
            }
        }))
    }
}
