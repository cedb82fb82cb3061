//! The first half of an import: everything is made, and nothing of it is seen yet. New decks and cards lie in an entry of the trash that is
//! not listed, so every read leaves them out already; what is to happen to notes that are there, and what learning is to be told, waits as
//! items. Whatever breaks off here is undone by deleting that entry.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::history::{CardHistory, HistoryTold, MAX_HISTORY, PastReview};
use common::page::{Direction, MAX_PAGE, PageRequest};
use common::{CardId, DeckId, NoteId, TrashId};
use jiff::Timestamp;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::Service;
use super::media;
use super::shelf::{Shelf, Target};
use super::work::{Stop, failed, io};
use crate::exchange::{self, DeckInfo, DeckPath, Found, Incoming, ReadError};
use crate::model::{
    Card, Deck, DeckFilter, DeckOrder, DeckSort, Duplicates, FileDeck, Guid, ImportOptions, Item,
    MAX_DECKS, Note, Problem, Report, Tag, Transfer, TransferState, Trash, TrashKind,
};
use crate::store::{Changes, Commit};

/// How many things of a file go into one transaction,
const BATCH: usize = 500;
/// and how many bytes, about.
const BATCH_BYTES: usize = 2 << 20;
/// 2000-01-01: a note that says it was made before it does not know.
const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);

/// Where the cards of a file go.
#[derive(Default)]
struct Plan {
    decks: HashMap<DeckPath, Target>,
}

/// What was read of a file and is to be made next.
type Batch = Vec<Found>;

fn read_in_batches(
    file: &std::path::Path,
    format: crate::model::FileFormat,
    media_bytes: Option<u64>,
    enough: &AtomicBool,
    to: &Sender<Batch>,
) -> Result<(), ReadError> {
    let folder = tempfile::tempdir()?;
    let (mut batch, mut bytes) = (Batch::new(), 0);
    exchange::read(file, format, folder.path(), media_bytes, &mut |found| {
        bytes += match &found {
            Found::Note(note) => note.weight(),
            Found::Media { bytes, .. } => bytes.len(),
            Found::Counts { .. } | Found::Deck(_) | Found::Problem(_) => 200,
        };
        batch.push(found);
        if batch.len() >= BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            return to.blocking_send(std::mem::take(&mut batch)).is_ok()
                && !enough.load(Ordering::Relaxed);
        }
        true
    })?;
    // Where nobody listens any more, nobody misses it.
    drop(to.blocking_send(batch));
    Ok(())
}

impl Service {
    pub(super) async fn stage_and_commit(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        Self::count_beginning(transfer)?;
        // What an earlier beginning left.
        self.purge_staging(transfer).await?;
        let options = transfer.body.import.unwrap_or_default();
        let notes = transfer.body.preview.as_ref().map_or(0, |preview| preview.notes);
        transfer.state = TransferState::Running;
        transfer.body.staging = Some(TrashId::new());
        transfer.body.report = Report::default();
        transfer.body.done = 0;
        // Each note is made, then shown.
        transfer.body.total = 2 * notes;
        transfer.body.items = 0;
        let file = self.assemble(transfer).await?;

        let (sender, receiver) = channel(2);
        let enough = Arc::new(AtomicBool::new(false));
        let (path, format, stop) = (file.path.clone(), file.format, Arc::clone(&enough));
        let most = u64::try_from(self.media_limits.file_bytes).unwrap_or(0);
        let most = options.with_media.then_some(most);
        let reading = tokio::task::spawn_blocking(move || {
            read_in_batches(&path, format, most, &stop, &sender)
        });
        let staged = self.stage_all(transfer, options, receiver).await;
        enough.store(true, Ordering::Relaxed);
        let read = reading.await.map_err(|error| io(std::io::Error::other(error)))?;
        staged?;
        read?;
        transfer.state = TransferState::Committing;
        self.step(transfer, |transfer| async move {
            // From now on it is made, so that its media stay.
            let (adopted_from, transfer) = (Some(transfer.id), Some(transfer));
            Ok(((), Changes { adopted_from, transfer, ..Changes::default() }))
        })
        .await?;
        self.commit_import(transfer).await
    }

    async fn stage_all(
        &self,
        transfer: &mut Transfer,
        options: ImportOptions,
        mut receiver: Receiver<Batch>,
    ) -> Result<(), Stop> {
        let (mut infos, mut plan) = (Vec::new(), None);
        let (mut seen, mut renamed) = (HashSet::new(), media::Renamed::new());
        loop {
            let batch = self.hold_while(transfer, receiver.recv()).await?;
            let Some(batch) = batch else { break };
            let (mut notes, mut files) = (Vec::with_capacity(batch.len()), Vec::new());
            for found in batch {
                match found {
                    Found::Counts { .. } => {}
                    Found::Deck(info) => infos.push(info),
                    Found::Problem(problem) => transfer.body.report.problems.add(problem),
                    Found::Media { name, bytes } => files.push((name, bytes)),
                    Found::Note(note) => notes.push(*note),
                }
            }
            if !files.is_empty() {
                renamed.extend(self.stage_media(transfer, files).await?);
            }
            if notes.is_empty() {
                continue;
            }
            if plan.is_none() {
                plan = Some(self.plan(transfer, options, &infos).await?);
            }
            if let Some(plan) = &mut plan {
                let notes = notes.into_iter().map(|note| media::with_names(note, &renamed));
                self.stage(transfer, options, notes.collect(), plan, &mut seen).await?;
            }
        }
        if plan.is_none() {
            // There was nothing to import, but the entry of the trash ends with the import.
            self.plan(transfer, options, &infos).await?;
        }
        Ok(())
    }

    /// Finds the decks of a file's cards, and makes those that are not there.
    async fn plan(
        &self,
        transfer: &mut Transfer,
        options: ImportOptions,
        infos: &[DeckInfo],
    ) -> Result<Plan, Stop> {
        self.step(transfer, |transfer| self.decide_plan(transfer, options, infos)).await
    }

    async fn decide_plan(
        &self,
        transfer: Transfer,
        options: ImportOptions,
        infos: &[DeckInfo],
    ) -> Result<(Plan, Changes), Stop> {
        let viewer = Self::owner_of(&transfer);
        let owner = self.store.owner(transfer.owner).await?;
        if owner.gone {
            return Err(Stop::Fenced);
        }
        let root = match options.deck {
            None => None,
            Some(id) => Some(self.decks(&viewer, vec![id]).await?.pop().ok_or_else(|| {
                failed("NOT_FOUND", format!("the deck {id} that it was to go into is gone"))
            })?),
        };
        let now = self.clock.now();
        let staging = transfer.body.staging.unwrap_or_else(TrashId::new);
        let mut shelf = Shelf::new(self.all_decks(&transfer).await?, &transfer, staging, now);
        let files = transfer.body.preview.iter().flat_map(|preview| &preview.decks);
        let mut plan = Plan::default();
        for FileDeck { path, cards } in files {
            let path = DeckPath::from(&path[..]);
            let deck = shelf.deck(root.as_ref(), &path, infos)?;
            let target = deck.reserve(*cards)?;
            plan.decks.insert(path, target);
        }
        let Shelf { decks, changed, new, .. } = shelf;
        let new_count = i64::try_from(new.len()).unwrap_or(MAX_DECKS);
        if owner.deck_count + new_count > MAX_DECKS {
            let message = format!("a person has at most {MAX_DECKS} decks");
            return Err(failed("LIMIT_EXCEEDED", message));
        }
        let mut decks: HashMap<DeckId, Deck> =
            decks.into_iter().map(|deck| (deck.id, deck)).collect();
        let changes = Changes {
            trash: vec![Trash {
                id: staging,
                owner: transfer.owner,
                kind: TrashKind::Import,
                title: String::new(),
                deck_count: new_count,
                card_count: 0,
                media_count: 0,
                deleted_at: now,
            }],
            new_decks: new.iter().filter_map(|id| decks.remove(id)).collect(),
            decks: changed.iter().filter_map(|id| decks.remove(id)).collect(),
            transfer: Some(transfer),
            // Those of an earlier beginning.
            done_items: Some(i64::MAX),
            ..Changes::default()
        };
        Ok((plan, changes))
    }

    /// All of a person's decks.
    pub(super) async fn all_decks(&self, transfer: &Transfer) -> Result<Vec<Deck>, Stop> {
        let order = DeckOrder { by: DeckSort::CreatedAt, descending: false };
        let mut page = PageRequest { direction: Direction::Forward, limit: MAX_PAGE, cursor: None };
        let mut decks = Vec::new();
        loop {
            let filter = DeckFilter::default();
            let rows =
                self.store.deck_page(transfer.owner, filter, order, page.clone()).await?.rows;
            let is_last = rows.len() < MAX_PAGE as usize;
            page.cursor = rows.last().map(|deck| crate::model::DeckKey::of(deck, order.by));
            decks.extend(rows);
            if is_last {
                return Ok(decks);
            }
        }
    }

    /// Makes notes that nobody sees yet.
    async fn stage(
        &self,
        transfer: &mut Transfer,
        options: ImportOptions,
        notes: Vec<Incoming>,
        plan: &mut Plan,
        seen: &mut HashSet<u128>,
    ) -> Result<(), Stop> {
        let guids: Vec<String> = notes.iter().map(|note| note.guid.text().to_owned()).collect();
        let there = self.store.notes_by_guid(transfer.owner, guids).await?;
        let there: HashMap<String, Note> =
            there.into_iter().map(|note| (note.guid.text().to_owned(), note)).collect();
        let mut next = self.held(transfer.clone());
        let mut making = Making {
            now: self.clock.now(),
            changes: Changes::default(),
            history: Vec::new(),
            with_scheduling: options.with_scheduling,
        };
        for mut incoming in notes {
            next.body.done += 1;
            let report = &mut next.body.report;
            let is_repeated = !seen.insert(key(&incoming.guid));
            let known = there.get(incoming.guid.text());
            if options.duplicates == Duplicates::KeepBoth {
                if is_repeated || known.is_some() {
                    incoming.guid = Guid::of(NoteId::new());
                }
            } else if is_repeated {
                report.skipped += 1;
                let message = "skipped: an earlier note of the file is the same";
                report.problems.add(Problem { place: incoming.place, message: message.into() });
                continue;
            } else if let Some(known) = known {
                let is_same = known.content == incoming.content && known.tags == incoming.tags;
                if options.duplicates == Duplicates::Skip || is_same {
                    report.skipped += 1;
                } else {
                    report.updated += 1;
                    making.changes.new_items.push(update(known.id, &incoming));
                }
                continue;
            }
            report.added += 1;
            making.note(&mut next, incoming, plan)?;
        }
        let mut changes = making.finish(&next);
        next.body.items += changes.new_items.len() as u64;
        changes.transfer = Some(next.clone());
        match self.store.commit(changes).await? {
            Commit::Done => *transfer = Transfer { revision: next.revision + 1, ..next },
            Commit::Stale => return Err(Stop::Fenced),
        }
        Ok(())
    }
}

fn key(guid: &Guid) -> u128 {
    uuid::Uuid::new_v5(&uuid::Uuid::nil(), guid.text().as_bytes()).as_u128()
}

fn update(note: NoteId, incoming: &Incoming) -> Item {
    let fields = incoming.content.fields().iter();
    Item::Update {
        note,
        kind: incoming.content.kind().number(),
        fields: fields.map(|field| (field.name.clone(), field.value.clone())).collect(),
        tags: incoming.tags.list().iter().map(Tag::text).map(str::to_owned).collect(),
    }
}

/// Rows that are being made.
struct Making {
    now: Timestamp,
    changes: Changes,
    history: Vec<CardHistory>,
    with_scheduling: bool,
}

impl Making {
    fn note(
        &mut self,
        next: &mut Transfer,
        incoming: Incoming,
        plan: &mut Plan,
    ) -> Result<(), Stop> {
        let id = NoteId::new();
        let created_at = incoming.created_at.map_or(self.now, |at| at.clamp(EARLIEST, self.now));
        let note = Note {
            id,
            owner: next.owner,
            guid: incoming.guid,
            content: incoming.content,
            tags: incoming.tags,
            created_at,
            updated_at: self.now,
            version: 1,
        };
        let written = note.content.cards();
        for (written, found) in written.into_iter().zip(incoming.cards) {
            let Some(target) = plan.decks.get_mut(&found.deck) else {
                return Err(failed("BAD_FILE", "it changed while it was read"));
            };
            let card = Card {
                position: target.next,
                trash: next.body.staging,
                ..Card::of(&note, written, target.deck)
            };
            target.next += target.step;
            next.body.report.cards += 1;
            if self.with_scheduling && (found.schedule.is_some() || !found.reviews.is_empty()) {
                next.body.report.reviews += found.reviews.len() as u64;
                self.history(card.id, &found.reviews, found.schedule);
            }
            self.changes.new_cards.push(card);
        }
        self.changes.new_notes.push(note);
        Ok(())
    }

    /// In parts, since a card's log may be long; where the card stands comes last.
    fn history(
        &mut self,
        card: CardId,
        reviews: &[PastReview],
        schedule: Option<common::history::Schedule>,
    ) {
        let mut parts = reviews.chunks(MAX_HISTORY - 1).peekable();
        while let Some(part) = parts.next() {
            let schedule = schedule.filter(|_| parts.peek().is_none());
            self.history.push(CardHistory { card, reviews: part.to_vec(), schedule });
        }
        if reviews.is_empty() {
            self.history.push(CardHistory { card, reviews: Vec::new(), schedule });
        }
    }

    fn finish(mut self, transfer: &Transfer) -> Changes {
        let at = transfer.body.asked_at.unwrap_or(self.now);
        let mut told = HistoryTold { owner: transfer.owner, at, cards: Vec::new() };
        let mut size = 0;
        for card in self.history {
            let more = 1 + card.reviews.len();
            if size + more > MAX_HISTORY {
                let full = HistoryTold { cards: std::mem::take(&mut told.cards), ..told.clone() };
                self.changes.new_items.push(Item::History(full));
                size = 0;
            }
            size += more;
            told.cards.push(card);
        }
        if !told.cards.is_empty() {
            self.changes.new_items.push(Item::History(told));
        }
        self.changes
    }
}
