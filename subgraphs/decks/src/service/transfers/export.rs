//! Writes decks into a file: deck by deck, a page of cards at a time, which somebody who may block puts into the file. What was learned of them
//! is asked of learning, over the seam by which services ask one another.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Variables;
use bytes::Bytes;
use common::history::CardHistory;
use common::page::{Direction, PageRequest};
use common::{Caller, CardId, DeckId, NoteId, SubgraphRequest};
use jiff::Timestamp;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::super::Service;
use super::work::{Stop, failed, io};
use crate::exchange::{DeckPath, Outgoing, OutgoingCard, OutgoingDeck, WriteError, Writer};
use crate::model::{
    Card, CardKey, CardList, Deck, ExportOptions, FileFormat, MAX_FILE, MAX_PART, MediaName,
    Problem, Problems, Report, Transfer, TransferState, paths,
};
use crate::references::media_of;
use crate::store::Commit;

/// How many cards are read at once.
const PAGE: u32 = 200;
/// How many cards' histories are asked for at once.
const HISTORIES: usize = 50;
/// How long it is waited each time that learning does not answer.
const UNAVAILABLE: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];
/// What the file is called while it is written.
const FILE: &str = "export";
const QUERY: &str =
    "query($owner: ID!, $cards: [ID!]!) { cardHistories(owner: $owner, cardIds: $cards) }";

impl Service {
    pub(super) async fn write_export(&self, transfer: &mut Transfer) -> Result<(), Stop> {
        Self::count_beginning(transfer)?;
        let options = transfer.body.export.clone();
        let options =
            options.ok_or_else(|| failed("INTERNAL_SERVER_ERROR", "nothing was asked for"))?;
        // What an earlier beginning left.
        self.store.delete_parts(transfer.id).await?;
        transfer.state = TransferState::Running;
        transfer.body.size = 0;
        transfer.body.parts = 0;
        transfer.body.done = 0;
        transfer.body.report = Report::default();
        let decks = self.exported_decks(transfer, &options).await?;
        transfer.body.total = decks.iter().map(|(deck, _)| deck.card_count.unsigned_abs()).sum();
        self.renew(transfer).await?;

        let listed: Vec<OutgoingDeck> = decks.iter().map(outgoing_deck).collect();
        let (format, now) = (options.format, self.clock.now());
        let (sender, receiver) = channel(2);
        let writing = spawn_blocking(move || write(receiver, format, &listed, now));
        let sent = self.send_all(transfer, &options, decks, sender).await;
        // Why it could not be written comes before that it could not be sent therefore.
        let written = self.hold_while(transfer, writing).await?;
        let written = written.map_err(|error| io(std::io::Error::other(error)))??;
        sent?;
        let (file, problems) = written.ok_or(Stop::Fenced)?;
        transfer.body.report.problems = problems;
        self.keep_file(transfer, &file).await?;
        Ok(self.end(transfer.clone(), TransferState::Done).await?)
    }

    /// Sends all that is exported to whoever writes it.
    async fn send_all(
        &self,
        transfer: &mut Transfer,
        options: &ExportOptions,
        decks: Vec<(Deck, DeckPath)>,
        to: Sender<Piece>,
    ) -> Result<(), Stop> {
        let paths: HashMap<DeckId, DeckPath> =
            decks.iter().map(|(deck, path)| (deck.id, Arc::clone(path))).collect();
        let mut media = BTreeSet::new();
        for (deck, _) in &decks {
            self.send_deck(transfer, deck.id, options, &paths, &to, &mut media).await?;
        }
        self.send_media(transfer, media, &to).await?;
        self.send(transfer, &to, Piece::End).await
    }

    /// Sends a piece, and holds the export until it is taken. Where nobody takes it, whoever wrote knows why.
    pub(super) async fn send(
        &self,
        transfer: &mut Transfer,
        to: &Sender<Piece>,
        piece: Piece,
    ) -> Result<(), Stop> {
        self.hold_while(transfer, to.send(piece)).await?.map_err(|_| Stop::Fenced)
    }

    /// The decks that are asked for with those in them, parents first.
    async fn exported_decks(
        &self,
        transfer: &Transfer,
        options: &ExportOptions,
    ) -> Result<Vec<(Deck, DeckPath)>, Stop> {
        let all = self.all_decks(transfer).await?;
        let paths = paths(&all);
        let is_meant = |deck: &Deck| match &options.decks {
            None => true,
            Some(ids) => ids.contains(&deck.id) || deck.ancestors.iter().any(|id| ids.contains(id)),
        };
        let meant = all.into_iter().filter(is_meant);
        let mut decks: Vec<(Deck, DeckPath)> = meant
            .filter_map(|deck| paths.get(&deck.id).cloned().map(|path| (deck, path)))
            .collect();
        decks.sort_by(|(one, a), (other, b)| a.cmp(b).then(one.id.cmp(&other.id)));
        Ok(decks)
    }

    async fn send_deck(
        &self,
        transfer: &mut Transfer,
        deck: DeckId,
        options: &ExportOptions,
        paths: &HashMap<DeckId, DeckPath>,
        to: &Sender<Piece>,
        media: &mut BTreeSet<MediaName>,
    ) -> Result<(), Stop> {
        let list = CardList::default();
        let mut page = PageRequest { direction: Direction::Forward, limit: PAGE, cursor: None };
        loop {
            let mut pages = self.store.card_pages(vec![deck], list.clone(), page.clone()).await?;
            let cards = pages.remove(&deck).map(|page| page.rows).unwrap_or_default();
            let Some(last) = cards.last() else { return Ok(()) };
            page.cursor = Some(CardKey::of(last, list.by));
            let notes = self.outgoing(transfer, options, &cards, paths).await?;
            for note in &notes {
                if options.with_media && options.format.takes_media() {
                    media.extend(media_of(&note.note.content));
                }
                transfer.body.report.added += 1;
                transfer.body.report.cards += note.cards.len() as u64;
                let reviews = note.cards.iter().map(|card| card.reviews.len() as u64);
                transfer.body.report.reviews += reviews.sum::<u64>();
            }
            self.send(transfer, to, Piece::Notes(notes)).await?;
            transfer.body.done += cards.len() as u64;
            self.renew(transfer).await?;
            if cards.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    /// The notes whose first card is among these, with all their cards that are exported.
    async fn outgoing(
        &self,
        transfer: &Transfer,
        options: &ExportOptions,
        cards: &[Card],
        paths: &HashMap<DeckId, DeckPath>,
    ) -> Result<Vec<Outgoing>, Stop> {
        let viewer = Self::owner_of(transfer);
        let mut ids: Vec<NoteId> = cards.iter().map(|card| card.note).collect();
        ids.sort_unstable();
        ids.dedup();
        let notes = self.notes(&viewer, ids).await?;
        let mut first: HashMap<CardId, usize> = HashMap::new();
        let mut out: Vec<Option<Outgoing>> = Vec::with_capacity(notes.len());
        for note in notes {
            let meant = note.cards.into_iter().filter_map(|card| {
                let path = Arc::clone(paths.get(&card.deck)?);
                Some(OutgoingCard { card, path, reviews: Vec::new(), schedule: None })
            });
            let cards: Vec<OutgoingCard> = meant.collect();
            let Some(card) = cards.first() else { continue };
            first.insert(card.card.id, out.len());
            out.push(Some(Outgoing { note: note.note, cards }));
        }
        // In the order of the deck, each note where its first card lies.
        let order = cards.iter().filter_map(|card| first.get(&card.id)).copied();
        let mut notes: Vec<Outgoing> =
            order.filter_map(|index| out.get_mut(index).and_then(Option::take)).collect();
        let has_place = matches!(options.format, FileFormat::Apkg | FileFormat::Json);
        if options.with_scheduling && has_place {
            self.add_histories(transfer, &mut notes).await?;
        }
        Ok(notes)
    }

    async fn add_histories(&self, transfer: &Transfer, notes: &mut [Outgoing]) -> Result<(), Stop> {
        let ids: Vec<CardId> =
            notes.iter().flat_map(|note| &note.cards).map(|card| card.card.id).collect();
        let mut histories = HashMap::new();
        for ids in ids.chunks(HISTORIES) {
            for history in self.histories(transfer, ids).await? {
                histories.insert(history.card, history);
            }
        }
        for card in notes.iter_mut().flat_map(|note| &mut note.cards) {
            if let Some(history) = histories.remove(&card.card.id) {
                (card.reviews, card.schedule) = (history.reviews, history.schedule);
            }
        }
        Ok(())
    }

    /// What learning knows of cards. It is asked for the service itself, on nobody's behalf, and a few times where it does not answer.
    async fn histories(
        &self,
        transfer: &Transfer,
        cards: &[CardId],
    ) -> Result<Vec<CardHistory>, Stop> {
        let Some(learning) = &self.learning else { return Ok(Vec::new()) };
        let mut waits = UNAVAILABLE.into_iter();
        loop {
            let request = SubgraphRequest {
                document: QUERY.into(),
                operation_name: None,
                variables: Variables::from_json(json!({ "owner": transfer.owner, "cards": cards })),
            };
            let caller = Arc::new(Caller::anonymous(transfer.id.to_string()));
            let answer = learning.execute(request, caller).await;
            match answer.map_err(|error| error.to_string()).and_then(histories_of) {
                Ok(histories) => return Ok(histories),
                Err(detail) => {
                    tracing::warn!(%detail, "learning did not say what it knows of cards");
                    let message = "it could not be found out what was learned of the cards";
                    let wait = waits.next();
                    let wait = wait.ok_or_else(|| failed("SERVICE_UNAVAILABLE", message))?;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Stores the file in parts.
    async fn keep_file(&self, transfer: &mut Transfer, file: &Written) -> Result<(), Stop> {
        let mut file = tokio::fs::File::open(file.folder.path().join(FILE)).await.map_err(io)?;
        loop {
            let mut part = Vec::with_capacity(MAX_PART);
            let read = (&mut file).take(MAX_PART as u64).read_to_end(&mut part).await;
            read.map_err(io)?;
            if part.is_empty() {
                return Ok(());
            }
            let number = transfer.body.parts;
            let mut next = self.held(transfer.clone());
            next.body.size += part.len() as u64;
            next.body.parts += 1;
            match self.store.put_part(next.clone(), number, part).await? {
                Commit::Done => *transfer = Transfer { revision: next.revision + 1, ..next },
                Commit::Stale => return Err(Stop::Fenced),
            }
        }
    }
}

/// A part of what is written, in the order in which it is.
pub(super) enum Piece {
    /// Notes.
    Notes(Vec<Outgoing>),
    /// A media file: its name and its bytes.
    Media(String, Vec<Bytes>),
    /// That was all.
    End,
}

/// A file that was written, in a folder that is removed when it is dropped.
struct Written {
    folder: tempfile::TempDir,
}

/// Writes what comes into a file. `None` where it broke off before the end. It blocks.
fn write(
    mut pieces: Receiver<Piece>,
    format: FileFormat,
    decks: &[OutgoingDeck],
    now: Timestamp,
) -> Result<Option<(Written, Problems)>, WriteError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(FILE);
    let mut writer = Writer::new(&path, folder.path(), format, decks, now, MAX_FILE)?;
    let mut problems = Problems::default();
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Notes(notes) => {
                for note in notes {
                    if let Some(lost) = writer.note(&note)? {
                        let place = format!("note {}", note.note.id);
                        problems.add(Problem { place, message: lost.to_owned() });
                    }
                }
            }
            Piece::Media(name, bytes) => writer.media(&name, &bytes.concat())?,
            Piece::End => {
                writer.finish()?;
                return Ok(Some((Written { folder }, problems)));
            }
        }
    }
    Ok(None)
}

/// What an answer of learning says.
fn histories_of(answer: async_graphql::Response) -> Result<Vec<CardHistory>, String> {
    if let Some(error) = answer.errors.first() {
        return Err(error.message.clone());
    }
    let data = answer.data.into_json().map_err(|error| error.to_string())?;
    let texts = data["cardHistories"].as_array().ok_or("an answer of another form")?;
    let read = |text: &serde_json::Value| {
        serde_json::from_str(text.as_str().unwrap_or_default()).map_err(|error| error.to_string())
    };
    texts.iter().map(read).collect()
}

fn outgoing_deck((deck, path): &(Deck, DeckPath)) -> OutgoingDeck {
    OutgoingDeck {
        path: Arc::clone(path),
        description: deck.description.clone(),
        color: deck.color.clone(),
        archived: deck.archived,
    }
}
