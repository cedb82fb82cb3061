//! Imports and exports in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, SimpleObject};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::TransferId;
use common::graphql::{DateTime, Result, caller};

use crate::model::{
    Duplicates, FileFormat, NoteKind, Problems, Transfer, TransferError, TransferState,
};
use crate::service::Service;

use super::args::NoteType;

/// The forms of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "FileFormat", name = "FileFormat")]
pub(super) enum FormatEnum {
    /// Anki's packages, `.apkg` and `.colpkg`. All of Anki's forms are read; written is the one that every Anki since 2018 reads.
    Apkg,
    /// Values with commas between them, with Anki's header lines.
    Csv,
    /// Values with tabs between them, with Anki's header lines.
    Tsv,
    /// Everything of decks, notes and cards: importing an export gives the same again.
    Json,
    /// To be read and written by people: texts, types, tags and decks.
    Markdown,
}

/// What to do with a note that is there already, known by its global id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Duplicates", name = "DuplicateHandling")]
pub(super) enum DuplicatesEnum {
    /// It stays as it is.
    Skip,
    /// It gets the texts and tags of the file; what was learned of its cards stays.
    Update,
    /// The file's is made beside it.
    KeepBoth,
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ImportState {
    /// The file is being sent.
    Uploading,
    /// The file is being looked through.
    Reading,
    /// What is in the file is known: `runImport` imports it.
    Preview,
    /// It waits for its turn.
    Queued,
    /// It is being imported; nothing is seen of it yet.
    Running,
    /// What was imported is being shown. It goes through, whatever happens.
    Committing,
    /// It is being undone.
    Cancelling,
    /// It is done.
    Done,
    /// It failed, and nothing was changed.
    Failed,
    /// It was called off, and nothing was changed.
    Cancelled,
}

impl From<TransferState> for ImportState {
    fn from(state: TransferState) -> Self {
        match state {
            TransferState::Uploading => Self::Uploading,
            TransferState::Reading => Self::Reading,
            TransferState::Preview => Self::Preview,
            TransferState::Queued => Self::Queued,
            TransferState::Running => Self::Running,
            TransferState::Committing => Self::Committing,
            TransferState::Cancelling => Self::Cancelling,
            TransferState::Done => Self::Done,
            TransferState::Failed => Self::Failed,
            TransferState::Cancelled => Self::Cancelled,
        }
    }
}

/// How far an export has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ExportState {
    /// It waits for its turn.
    Queued,
    /// The file is being written.
    Running,
    /// It is being called off.
    Cancelling,
    /// The file can be fetched.
    Done,
    /// It failed.
    Failed,
    /// It was called off.
    Cancelled,
}

impl From<TransferState> for ExportState {
    fn from(state: TransferState) -> Self {
        match state {
            TransferState::Running | TransferState::Committing => Self::Running,
            TransferState::Cancelling => Self::Cancelling,
            TransferState::Done => Self::Done,
            TransferState::Failed => Self::Failed,
            TransferState::Cancelled => Self::Cancelled,
            TransferState::Uploading
            | TransferState::Reading
            | TransferState::Preview
            | TransferState::Queued => Self::Queued,
        }
    }
}

/// Something in a file that is not taken as it stands there.
#[derive(Debug, SimpleObject)]
pub(super) struct TransferProblem {
    /// Where: a line and column of a table, a note of a package, an element of a list.
    place: String,
    /// What is wrong, and what becomes of it.
    message: String,
}

fn problems(problems: &Problems) -> Vec<TransferProblem> {
    let one = |problem: &crate::model::Problem| TransferProblem {
        place: problem.place.clone(),
        message: problem.message.clone(),
    };
    problems.first.iter().map(one).collect()
}

/// Why an import or export failed.
#[derive(Debug, SimpleObject)]
pub(super) struct TransferFailure {
    /// BAD_FILE, LIMIT_EXCEEDED, NOT_FOUND, INTERRUPTED, SERVICE_UNAVAILABLE or INTERNAL_SERVER_ERROR.
    code: String,
    /// What was wrong, and where.
    message: String,
}

fn failure(transfer: &Transfer) -> Option<TransferFailure> {
    let TransferError { code, message } = transfer.body.error.clone()?;
    Some(TransferFailure { code, message })
}

/// An import: a file that was sent, what is in it, and what became of it.
#[derive(Debug, Clone)]
pub(super) struct ImportJob(pub(super) Transfer);

/// An import: a file that was sent, what is in it, and what became of it.
#[Object]
impl ImportJob {
    /// The import's id, a UUID.
    async fn id(&self) -> TransferId {
        self.0.id
    }

    /// How far it has come.
    async fn state(&self) -> ImportState {
        self.0.state.into()
    }

    /// The file's name.
    async fn name(&self) -> &str {
        &self.0.body.name
    }

    /// The form of the file; null until it is known.
    async fn format(&self) -> Option<FormatEnum> {
        self.0.body.format.map(Into::into)
    }

    /// How many bytes of the file have arrived.
    async fn size(&self) -> u64 {
        self.0.body.size
    }

    /// How far the present step has come, 0 to 1.
    async fn progress(&self) -> f64 {
        self.0.progress()
    }

    /// What is in the file; null until it was looked through.
    async fn preview(&self) -> Option<ImportPreview> {
        self.0.body.preview.as_ref().map(|preview| ImportPreview {
            notes: preview.notes,
            cards: preview.cards,
            reviews: preview.reviews,
            media: preview.media,
            has_scheduling: preview.has_scheduling,
            decks: preview
                .decks
                .iter()
                .map(|deck| ImportDeck { path: deck.path.clone(), cards: deck.cards })
                .collect(),
            sample: preview.sample.iter().map(ImportNote::from).collect(),
            problems: problems(&preview.problems),
            problem_count: preview.problems.count,
        })
    }

    /// What became of the notes, so far; null before it runs.
    async fn report(&self) -> Option<ImportReport> {
        self.0.body.import?;
        let report = &self.0.body.report;
        Some(ImportReport {
            added: report.added,
            updated: report.updated,
            skipped: report.skipped,
            cards: report.cards,
            reviews: report.reviews,
            media: report.media,
            problems: problems(&report.problems),
            problem_count: report.problems.count,
        })
    }

    /// Why it failed.
    async fn error(&self) -> Option<TransferFailure> {
        failure(&self.0)
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// When it is forgotten, with its file.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}

/// What is in a file.
#[derive(Debug, SimpleObject)]
pub(super) struct ImportPreview {
    /// Notes that can be imported.
    notes: u64,
    /// The cards that they make.
    cards: u64,
    /// Reviews of these.
    reviews: u64,
    /// Media files.
    media: u64,
    /// Whether it says of any card when it is due.
    has_scheduling: bool,
    /// The decks that cards lie in: at most 2,000.
    decks: Vec<ImportDeck>,
    /// The first notes: at most 10.
    sample: Vec<ImportNote>,
    /// What cannot be taken as it stands there, the first 100.
    problems: Vec<TransferProblem>,
    /// How many problems there are.
    problem_count: u64,
}

/// A deck of a file.
#[derive(Debug, SimpleObject)]
pub(super) struct ImportDeck {
    /// Its name, after those of the decks it lies in.
    path: Vec<String>,
    /// How many cards lie right in it.
    cards: u64,
}

/// A note of a file, shortened.
#[derive(Debug, SimpleObject)]
pub(super) struct ImportNote {
    /// What cards it makes.
    #[graphql(name = "type")]
    kind: NoteType,
    /// The name of its first card's deck, after those of the decks it lies in.
    deck: Vec<String>,
    /// Its fields.
    fields: Vec<ImportField>,
    /// Its tags.
    tags: Vec<String>,
}

/// A field of a note of a file.
#[derive(Debug, SimpleObject)]
pub(super) struct ImportField {
    /// Its name.
    name: String,
    /// What it says: at most 200 characters of it.
    value: String,
}

impl From<&crate::model::SampleNote> for ImportNote {
    fn from(note: &crate::model::SampleNote) -> Self {
        let field = |(name, value): &(String, String)| ImportField {
            name: name.clone(),
            value: value.clone(),
        };
        Self {
            kind: NoteKind::of_number(note.kind).unwrap_or(NoteKind::Basic).into(),
            deck: note.deck.clone(),
            fields: note.fields.iter().map(field).collect(),
            tags: note.tags.clone(),
        }
    }
}

/// What became of a file's notes.
#[derive(Debug, SimpleObject)]
pub(super) struct ImportReport {
    /// Notes that were made.
    added: u64,
    /// Notes that were there and got the file's texts.
    updated: u64,
    /// Notes that were there and stayed as they were.
    skipped: u64,
    /// Cards that were made.
    cards: u64,
    /// Reviews that came along.
    reviews: u64,
    /// Media files that came along, those that were there among them.
    media: u64,
    /// What was not imported as it stood there, the first 100.
    problems: Vec<TransferProblem>,
    /// How many problems there are.
    problem_count: u64,
}

/// An export: what was asked for, and a file that can be fetched for 24 hours.
#[derive(Debug, Clone)]
pub(super) struct ExportJob(pub(super) Transfer);

/// An export: what was asked for, and a file that can be fetched for 24 hours.
#[Object]
impl ExportJob {
    /// The export's id, a UUID.
    async fn id(&self) -> TransferId {
        self.0.id
    }

    /// How far it has come.
    async fn state(&self) -> ExportState {
        self.0.state.into()
    }

    /// A name for the file.
    async fn name(&self) -> &str {
        &self.0.body.name
    }

    /// The form of the file.
    async fn format(&self) -> Option<FormatEnum> {
        self.0.body.format.map(Into::into)
    }

    /// How far it has come, 0 to 1.
    async fn progress(&self) -> f64 {
        self.0.progress()
    }

    /// How many notes were written so far.
    async fn notes(&self) -> u64 {
        self.0.body.report.added
    }

    /// How many cards were written so far.
    async fn cards(&self) -> u64 {
        self.0.body.report.cards
    }

    /// How many reviews were written so far.
    async fn reviews(&self) -> u64 {
        self.0.body.report.reviews
    }

    /// How many media files were written so far.
    async fn media(&self) -> u64 {
        self.0.body.report.media
    }

    /// What the form has no place for, the first 100.
    async fn problems(&self) -> Vec<TransferProblem> {
        problems(&self.0.body.report.problems)
    }

    /// How many problems there are.
    async fn problem_count(&self) -> u64 {
        self.0.body.report.problems.count
    }

    /// Why it failed.
    async fn error(&self) -> Option<TransferFailure> {
        failure(&self.0)
    }

    /// How many bytes the file has; null until it is complete.
    async fn size(&self) -> Option<u64> {
        (self.0.state == TransferState::Done).then_some(self.0.body.size)
    }

    /// Where the file is, a path at the gateway's address, for its owner; null until it is complete.
    async fn url(&self) -> Option<String> {
        let is_done = self.0.state == TransferState::Done;
        is_done.then(|| format!("/media/{}/{}", self.0.id, self.0.body.name))
    }

    /// In how many parts the file can be fetched by `part`; null until it is complete.
    async fn parts(&self) -> Option<u32> {
        (self.0.state == TransferState::Done).then_some(self.0.body.parts)
    }

    /// A part of the file, in Base64: at most 524,288 bytes. Null beyond the last one.
    async fn part(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which part, from 0.")] number: u32,
    ) -> Result<Option<String>> {
        let viewer = caller(ctx)?.viewer()?;
        let service = ctx.data::<Arc<Service>>()?;
        let part = service.export_part(viewer, self.0.id, number).await?;
        Ok(part.map(|bytes| STANDARD.encode(bytes)))
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// When it is forgotten, with its file.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}
