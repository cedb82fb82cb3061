//! Writes decks into a file: deck by deck, a page of cards at a time. What was learned of them is asked of learning, over the seam by which
//! services ask one another.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_graphql::Variables;
use common::history::CardHistory;
use common::page::{Direction, PageRequest};
use common::{Caller, CardId, DeckId, Error, NoteId, SubgraphRequest};
use serde_json::json;

use super::super::Service;
use super::work::{Stop, failed, io};
use crate::exchange::{DeckPath, Outgoing, OutgoingCard, OutgoingDeck, Writer};
use crate::model::{
    Card, CardKey, CardList, Deck, ExportOptions, FileFormat, MAX_FILE, MAX_PART, MediaName,
    Problem, Report, Transfer, TransferState,
};
use crate::references::media_of;
use crate::store::Commit;

/// How many cards are read at once.
const PAGE: u32 = 200;
/// How many cards' histories are asked for at once.
const HISTORIES: usize = 50;
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

        let folder = tempfile::tempdir().map_err(io)?;
        let path = folder.path().join("export");
        let listed: Vec<OutgoingDeck> = decks.iter().map(outgoing_deck).collect();
        let mut writer =
            Writer::new(&path, folder.path(), options.format, &listed, self.clock.now())?;
        let paths: HashMap<DeckId, DeckPath> =
            decks.iter().map(|(deck, path)| (deck.id, Arc::clone(path))).collect();
        let mut media = BTreeSet::new();
        for (deck, _) in &decks {
            self.write_deck(transfer, deck.id, &options, &paths, &mut writer, &mut media).await?;
        }
        self.write_media(transfer, media, &mut writer).await?;
        writer.finish()?;
        self.keep_file(transfer, &path).await?;
        Ok(self.end(transfer.clone(), TransferState::Done).await?)
    }

    /// The decks that are asked for with those in them, parents first.
    async fn exported_decks(
        &self,
        transfer: &Transfer,
        options: &ExportOptions,
    ) -> Result<Vec<(Deck, DeckPath)>, Stop> {
        let all = self.all_decks(transfer).await?;
        let by_id: HashMap<DeckId, &Deck> = all.iter().map(|deck| (deck.id, deck)).collect();
        let is_meant = |deck: &Deck| match &options.decks {
            None => true,
            Some(ids) => ids.contains(&deck.id) || deck.ancestors.iter().any(|id| ids.contains(id)),
        };
        let path = |deck: &Deck| -> DeckPath {
            let above = deck.ancestors.iter().filter_map(|id| by_id.get(id));
            above.map(|deck| deck.name.clone()).chain([deck.name.clone()]).collect()
        };
        let mut decks: Vec<(Deck, DeckPath)> = all
            .iter()
            .filter(|deck| is_meant(deck))
            .map(|deck| (deck.clone(), path(deck)))
            .collect();
        decks.sort_by(|(one, a), (other, b)| a.cmp(b).then(one.id.cmp(&other.id)));
        Ok(decks)
    }

    async fn write_deck(
        &self,
        transfer: &mut Transfer,
        deck: DeckId,
        options: &ExportOptions,
        paths: &HashMap<DeckId, DeckPath>,
        writer: &mut Writer,
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
            for note in notes {
                if options.with_media && writer.takes_media() {
                    media.extend(media_of(&note.note.content));
                }
                if let Some(lost) = writer.note(&note)? {
                    let place = format!("note {}", note.note.id);
                    let message = lost.to_owned();
                    transfer.body.report.problems.add(Problem { place, message });
                }
                transfer.body.report.added += 1;
                transfer.body.report.cards += note.cards.len() as u64;
                let reviews = note.cards.iter().map(|card| card.reviews.len() as u64);
                transfer.body.report.reviews += reviews.sum::<u64>();
            }
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

    /// What learning knows of cards. It is asked for the service itself, on nobody's behalf.
    async fn histories(
        &self,
        transfer: &Transfer,
        cards: &[CardId],
    ) -> Result<Vec<CardHistory>, Stop> {
        let Some(learning) = &self.learning else { return Ok(Vec::new()) };
        let unavailable = |detail: String| {
            tracing::warn!(%detail, "learning did not say what it knows of cards");
            Stop::Domain(Error::Unavailable {
                code: "SERVICE_UNAVAILABLE",
                message: "learning did not answer".to_owned(),
            })
        };
        let request = SubgraphRequest {
            document: QUERY.into(),
            operation_name: None,
            variables: Variables::from_json(json!({ "owner": transfer.owner, "cards": cards })),
        };
        let caller = Arc::new(Caller::anonymous(transfer.id.to_string()));
        let answer = learning.execute(request, caller).await;
        let answer = answer.map_err(|error| unavailable(error.to_string()))?;
        if let Some(error) = answer.errors.first() {
            return Err(unavailable(error.message.clone()));
        }
        let data = answer.data.into_json().map_err(|error| unavailable(error.to_string()))?;
        let texts = data["cardHistories"].as_array();
        let texts = texts.ok_or_else(|| unavailable("an answer of another form".to_owned()))?;
        let read = |text: &serde_json::Value| {
            serde_json::from_str(text.as_str().unwrap_or_default())
                .map_err(|error| unavailable(error.to_string()))
        };
        texts.iter().map(read).collect()
    }

    /// Stores the file in parts.
    async fn keep_file(&self, transfer: &mut Transfer, path: &std::path::Path) -> Result<(), Stop> {
        use std::io::Read;
        let mut file = std::fs::File::open(path).map_err(io)?;
        if file.metadata().map_err(io)?.len() > MAX_FILE {
            let message =
                format!("the file would have more than {MAX_FILE} bytes: export fewer decks");
            return Err(failed("LIMIT_EXCEEDED", message));
        }
        loop {
            let mut part = Vec::with_capacity(MAX_PART);
            (&mut file).take(MAX_PART as u64).read_to_end(&mut part).map_err(io)?;
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

fn outgoing_deck((deck, path): &(Deck, DeckPath)) -> OutgoingDeck {
    OutgoingDeck {
        path: Arc::clone(path),
        description: deck.description.clone(),
        color: deck.color.clone(),
        archived: deck.archived,
    }
}
