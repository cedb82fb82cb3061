//! Looks through a file before anything is imported: what there is, the first notes, and what cannot be taken as it stands.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::Service;
use super::work::{Stop, failed, io};
use crate::exchange::{self, DeckPath, Found, Incoming, ReadError};
use crate::model::{
    FILE_KEPT, FileDeck, FileFormat, MAX_TRANSFER_DECKS, Preview, SAMPLE, SampleNote, Tag,
    Transfer, TransferState,
};

/// The most characters of a field in a sample.
const SAMPLE_TEXT: usize = 200;

#[derive(Default)]
struct Looking {
    preview: Preview,
    places: HashMap<DeckPath, usize>,
    too_many_decks: bool,
}

impl Looking {
    fn take(&mut self, found: Found) -> bool {
        match found {
            Found::Counts { media, .. } => self.preview.media = media,
            Found::Deck(_) | Found::Media { .. } => {}
            Found::Problem(problem) => self.preview.problems.add(problem),
            Found::Note(note) => self.note(&note),
        }
        !self.too_many_decks
    }

    fn note(&mut self, note: &Incoming) {
        self.preview.notes += 1;
        for card in &note.cards {
            self.preview.cards += 1;
            self.preview.reviews += card.reviews.len() as u64;
            self.preview.has_scheduling |= card.schedule.is_some();
            let place = self.places.get(&card.deck).copied().unwrap_or_else(|| {
                self.places.insert(Arc::clone(&card.deck), self.preview.decks.len());
                self.preview.decks.push(FileDeck { path: card.deck.to_vec(), cards: 0 });
                self.preview.decks.len() - 1
            });
            self.preview.decks[place].cards += 1;
        }
        self.too_many_decks = self.preview.decks.len() > MAX_TRANSFER_DECKS;
        if self.preview.sample.len() < SAMPLE {
            let short = |text: &str| text.chars().take(SAMPLE_TEXT).collect::<String>();
            let fields = note.content.fields().iter();
            self.preview.sample.push(SampleNote {
                kind: note.content.kind().number(),
                deck: note.cards.first().map(|card| card.deck.to_vec()).unwrap_or_default(),
                fields: fields.map(|field| (field.name.clone(), short(&field.value))).collect(),
                tags: note.tags.list().iter().map(Tag::text).map(str::to_owned).collect(),
            });
        }
    }
}

fn look(
    file: &std::path::Path,
    format: FileFormat,
    enough: &AtomicBool,
) -> Result<Looking, ReadError> {
    let mut looking = Looking::default();
    let folder = tempfile::tempdir()?;
    exchange::read(file, format, folder.path(), None, &mut |found| {
        looking.take(found) && !enough.load(Ordering::Relaxed)
    })?;
    Ok(looking)
}

impl Service {
    pub(super) async fn preview(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        Self::count_beginning(transfer)?;
        let file = self.assemble(transfer).await?;
        transfer.body.format = Some(file.format);
        self.renew(transfer).await?;
        let enough = Arc::new(AtomicBool::new(false));
        let (path, format, stop) = (file.path.clone(), file.format, Arc::clone(&enough));
        let reading = tokio::task::spawn_blocking(move || look(&path, format, &stop));
        let done = self.hold_while(transfer, reading).await;
        enough.store(true, Ordering::Relaxed);
        let looking = done?.map_err(|error| io(std::io::Error::other(error)))??;
        if looking.too_many_decks {
            let message = format!("its cards lie in more than {MAX_TRANSFER_DECKS} decks");
            return Err(failed("LIMIT_EXCEEDED", message));
        }
        transfer.body.preview = Some(looking.preview);
        transfer.body.attempts = 0;
        transfer.state = TransferState::Preview;
        transfer.expires_at = self.clock.now() + FILE_KEPT;
        let next =
            Transfer { claimed_until: None, updated_at: self.clock.now(), ..transfer.clone() };
        match self.store.put_transfer(next).await? {
            crate::store::Commit::Done => Ok(()),
            crate::store::Commit::Stale => Err(Stop::Fenced),
        }
    }
}
