//! Pulling what the author of a public deck changed into a clone. Of each note three things are compared: what it was when the two were last
//! compared, what the author made of it, and what its owner made of it (see [`crate::merge`]). What was learned stays with cards that stay.
//!
//! What its owner deleted stays deleted. Names of decks, and the decks that notes lie in, follow the author where the owner left them alone.

use std::collections::HashMap;

use common::{DeckId, Error, NoteId, Viewer};
use uuid::Uuid;

use super::check::no_duplicates;
use super::clones::{Made, in_order};
use super::publish::expect_release;
use super::rewrite::Rewrite;
use super::tree::fits;
use super::{NoteWithCards, Service};
use crate::merge::{Difference, Merged, Outcome, Said, decide};
use crate::model::{
    Content, Deck, Links, NoteLink, Publication, PublishedDeck, PublishedNote, Pull, Subscription,
};
use crate::place::STEP;
use crate::store::Changes;
use crate::store::sharing::ShareChanges;

/// About how many cards, or as much text, are written in one transaction: MongoDB holds a transaction in its cache.
const PART: usize = 2_000;
/// As much text as counts for a card, in bytes.
const TEXT: usize = 2_048;

/// How much of a part a note takes.
pub(super) fn weight(content: &Content) -> usize {
    let text: usize = content.fields().iter().map(|field| field.value.len()).sum();
    let cards = content.cards().len();
    cards + cards * text / TEXT
}

/// What is left of a part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    left: usize,
    /// Whether something had to wait for the next part.
    pub(super) more: bool,
}

impl Part {
    /// A new part.
    pub(super) const fn new() -> Self {
        Self { left: PART, more: false }
    }

    /// Whether there is room for something: for the first thing there always is.
    pub(super) const fn takes(&mut self, weight: usize) -> bool {
        if self.left == 0 {
            self.more = true;
            return false;
        }
        self.left = self.left.saturating_sub(weight);
        true
    }
}

/// Why a note could not simply follow the author's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// Both changed the same parts.
    Edited,
    /// The author deleted it, its owner changed it.
    DeletedThere,
}

/// A note that both changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullConflict {
    /// The note as it was before, with those of its cards that are not in the trash.
    pub note: NoteWithCards,
    /// What is in conflict.
    pub kind: ConflictKind,
    /// The parts that both changed.
    pub differences: Vec<Difference>,
}

/// What was pulled, or would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The clone.
    pub deck: Deck,
    /// The release it was at.
    pub from: i64,
    /// The latest release.
    pub to: i64,
    /// How many decks are new.
    pub added_decks: i64,
    /// How many notes are new.
    pub added: i64,
    /// How many notes changed.
    pub updated: i64,
    /// How many notes were deleted.
    pub deleted: i64,
    /// Notes that both changed.
    pub conflicts: Vec<PullConflict>,
}

impl Service {
    /// Pulls the latest release into a clone, in parts where much has changed. One that is broken off leaves each note as it was or as it will be; the
    /// next one does the rest.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the deck, for a source that is no longer public, and for a note that is chosen for and is none of the
    /// clone's; [`Error::Invalid`] for a deck that is no clone; [`Error::Outdated`] when another release is the latest than expected;
    /// [`Error::LimitExceeded`] where there is no room.
    pub async fn pull(&self, viewer: &Viewer, pull: &Pull) -> Result<Pulled, Error> {
        let ids = pull.choices.iter().map(|(note, _)| *note).enumerate();
        no_duplicates(ids, |index| format!("input.choices[{index}].noteId"))?;
        let mut pulled: Option<Pulled> = None;
        loop {
            let first = pulled.is_none();
            let part = self.change(viewer.user, || self.decide_pull(viewer, pull, first));
            let (part, more) = part.await?;
            let sum = match pulled.take() {
                Some(before) => before.with(part),
                None => part,
            };
            if !more {
                return Ok(sum);
            }
            pulled = Some(sum);
        }
    }

    /// Works out a part of a pull. Answers whether there is more.
    async fn decide_pull(
        &self,
        viewer: &Viewer,
        pull: &Pull,
        first: bool,
    ) -> Result<((Pulled, bool), Changes), Error> {
        let deck = self.deck(viewer, pull.deck).await?;
        let clone = self.store.subscriptions(vec![deck.id]).await?.pop();
        let links = self.store.links(deck.id).await?;
        let Some((clone, links)) = clone.zip(links) else {
            let message = "is no clone of a public deck: there is nothing to pull from";
            return Err(Error::invalid("input.deckId", message));
        };
        let found = self.store.publications(vec![clone.publication]).await?.pop();
        let publication = found.filter(|publication| publication.listed);
        let publication =
            publication.ok_or_else(|| Error::not_found("public source of the deck", deck.id))?;
        expect_release(Some(&publication), pull.expected_release.filter(|_| first))?;

        let since = links.notes.iter().map(|link| link.2).min().unwrap_or(publication.release);
        let (decks, notes) = self.release(&publication, since).await?;
        let base_decks = self.store.release_decks(clone.publication, clone.release).await?;
        let release = publication.release;
        let pulled = Pulled {
            deck,
            from: clone.release,
            to: release,
            added_decks: 0,
            added: 0,
            updated: 0,
            deleted: 0,
            conflicts: Vec::new(),
        };
        let mut merge = Merge::start(self, viewer, pull, &publication, &links, pulled).await?;
        if first {
            merge.check_choices()?;
        }
        merge.decks(&decks, base_decks.unwrap_or_default()).await?;
        let notes = merge.notes(&decks, notes)?;
        let links = Links { decks: std::mem::take(&mut merge.links), notes };
        merge.finish(clone, release, links).await
    }
}

/// A pull that is being worked out.
struct Merge<'a> {
    service: &'a Service,
    pull: &'a Pull,
    rewrite: Rewrite<'a>,
    made: Made<'a>,
    release: i64,
    /// The links there were, of notes by their origins.
    before: &'a Links,
    linked: HashMap<Uuid, NoteLink>,
    /// The decks that were made of origins, also those that are deleted.
    links: Vec<(Uuid, DeckId)>,
    /// The clone's notes that are not in the trash.
    mine: HashMap<NoteId, NoteWithCards>,
    pulled: Pulled,
    part: Part,
}

impl<'a> Merge<'a> {
    async fn start(
        service: &'a Service,
        viewer: &'a Viewer,
        pull: &'a Pull,
        publication: &Publication,
        links: &'a Links,
        pulled: Pulled,
    ) -> Result<Self, Error> {
        let ids = links.notes.iter().map(|link| link.1).collect();
        let mut mine = service.notes_with_all_cards(viewer, ids).await?;
        mine.retain(|note| note.cards.iter().any(|card| card.trash.is_none()));
        let mut rewrite = Rewrite::start(service, viewer, &mine).await?;
        let decks = links.decks.iter().map(|(_, deck)| *deck).collect();
        let decks = service.decks(viewer, decks).await?;
        let live: HashMap<DeckId, &Deck> = decks.iter().map(|deck| (deck.id, deck)).collect();
        let linked = links.decks.iter().filter(|(_, deck)| live.contains_key(deck));
        let made = Made { viewer, now: service.clock.now(), decks: linked.copied().collect() };
        rewrite.know(decks);
        let mine: HashMap<NoteId, NoteWithCards> =
            mine.into_iter().map(|note| (note.note.id, note)).collect();
        Ok(Self {
            service,
            pull,
            rewrite,
            made,
            release: publication.release,
            before: links,
            linked: links.notes.iter().map(|link| (link.0, *link)).collect(),
            links: links.decks.clone(),
            mine,
            pulled,
            part: Part::new(),
        })
    }

    fn check_choices(&self) -> Result<(), Error> {
        match self.pull.choices.iter().find(|(note, _)| !self.mine.contains_key(note)) {
            Some((note, _)) => Err(Error::not_found("note", note)),
            None => Ok(()),
        }
    }

    /// Whether a change belongs to this part. A dry run has but one.
    fn takes(&mut self, weight: usize) -> bool {
        self.pull.dry_run || self.part.takes(weight)
    }

    /// Makes the decks that are new, and writes those that the author wrote anew. What lies in a deck that its owner deleted is left out.
    async fn decks(
        &mut self,
        theirs: &[PublishedDeck],
        base: Vec<PublishedDeck>,
    ) -> Result<(), Error> {
        let base: HashMap<Uuid, PublishedDeck> =
            base.into_iter().map(|deck| (deck.origin, deck)).collect();
        let mut last: HashMap<DeckId, i64> = HashMap::new();
        for deck in theirs {
            if self.links.iter().any(|(origin, _)| *origin == deck.origin) {
                self.rename(deck, base.get(&deck.origin));
                continue;
            }
            let parent = deck.parent.and_then(|origin| self.made.decks.get(&origin).copied());
            let Some(parent) = parent.and_then(|id| self.rewrite.deck(id).cloned()) else {
                continue;
            };
            let ancestors = parent.ancestors_of_children();
            fits(&ancestors)?;
            let place = match last.get(&parent.id) {
                Some(place) => *place,
                None => {
                    let owner = self.made.viewer.user;
                    let siblings = self.service.store.siblings(owner, Some(parent.id)).await?;
                    siblings.last().map_or(0, |(_, place)| *place)
                }
            };
            last.insert(parent.id, place + STEP);
            let id = DeckId::new();
            self.rewrite.new_deck(self.made.deck(deck, id, ancestors, place + STEP));
            // What is decided rests on where the parent lies.
            self.rewrite.write_deck(parent);
            self.links.push((deck.origin, id));
            self.pulled.added_decks += 1;
        }
        Ok(())
    }

    fn rename(&mut self, theirs: &PublishedDeck, base: Option<&PublishedDeck>) {
        let known = self.made.decks.get(&theirs.origin).and_then(|id| self.rewrite.deck(*id));
        let (Some(mine), Some(base)) = (known, base) else { return };
        let mut deck = mine.clone();
        if deck.name == base.name {
            deck.name.clone_from(&theirs.name);
        }
        if deck.description == base.description {
            deck.description.clone_from(&theirs.description);
        }
        if deck.color == base.color {
            deck.color.clone_from(&theirs.color);
        }
        if deck != *mine {
            deck.version += 1;
            deck.updated_at = self.made.now;
            self.rewrite.write_deck(deck);
        }
    }

    /// Compares all notes. Answers the links there are now.
    fn notes(
        &mut self,
        decks: &[PublishedDeck],
        versions: Vec<PublishedNote>,
    ) -> Result<Vec<NoteLink>, Error> {
        let (latest, older): (Vec<_>, Vec<_>) =
            versions.into_iter().partition(|note| note.is_in(self.release));
        let mut older_of: HashMap<Uuid, Vec<PublishedNote>> = HashMap::new();
        for note in older.into_iter().chain(latest.iter().cloned()) {
            older_of.entry(note.origin).or_default().push(note);
        }
        let base_of = |link: &NoteLink| {
            older_of.get(&link.0).and_then(|notes| notes.iter().find(|note| note.is_in(link.2)))
        };
        let mut links = Vec::with_capacity(latest.len());
        for theirs in in_order(decks, latest) {
            let link = self.linked.remove(&theirs.origin);
            let base = link.as_ref().and_then(base_of);
            links.extend(self.note(link, base, Some(theirs))?);
        }
        // What the author deleted, in the order in which it came.
        for link in &self.before.notes {
            if let Some(link) = self.linked.remove(&link.0) {
                links.extend(self.note(Some(link), base_of(&link), None)?);
            }
        }
        Ok(links)
    }

    fn note(
        &mut self,
        link: Option<NoteLink>,
        base: Option<&PublishedNote>,
        theirs: Option<PublishedNote>,
    ) -> Result<Option<NoteLink>, Error> {
        let mine = link.and_then(|link| self.mine.remove(&link.1));
        let take =
            mine.as_ref().map_or(self.pull.take_theirs, |note| self.takes_theirs(note.note.id));
        let said = |note: &PublishedNote| said(&note.content, &note.tags);
        let outcome = decide(
            base.map(said).as_ref(),
            theirs.as_ref().map(said).as_ref(),
            mine.as_ref().map(|note| self::said(&note.note.content, &note.note.tags)).as_ref(),
            take,
        );
        let compared = link.map(|link| NoteLink(link.0, link.1, self.release));
        match (outcome, mine, theirs) {
            (Outcome::Add, _, Some(theirs)) => {
                let Some(deck) = self.made.decks.get(&theirs.deck).copied() else {
                    return Ok(link);
                };
                if !self.takes(weight(&theirs.content)) {
                    return Ok(link);
                }
                let (origin, note) = (theirs.origin, self.made.note(theirs));
                let link = NoteLink(origin, note.id, self.release);
                self.rewrite.new_note(note, deck);
                self.pulled.added += 1;
                Ok(Some(link))
            }
            (Outcome::Write(merged), Some(mine), Some(theirs)) => {
                let to = base.and_then(|base| self.moved(base, &theirs, &mine));
                Ok(if self.write(mine, merged, to)? { compared } else { link })
            }
            (Outcome::Delete, Some(mine), _) => {
                if !self.takes(mine.cards.len()) {
                    return Ok(link);
                }
                self.rewrite.delete(mine);
                self.pulled.deleted += 1;
                Ok(compared)
            }
            (Outcome::DeletedThere, Some(mine), _) => {
                self.conflict(&mine, ConflictKind::DeletedThere, Vec::new());
                Ok(compared)
            }
            // It was deleted by both.
            (_, None, None) => Ok(None),
            // It was deleted by its owner: should it come back, it is compared with what it was.
            (_, None, Some(_)) => Ok(link),
            (_, Some(_), _) => Ok(compared),
        }
    }

    fn takes_theirs(&self, note: NoteId) -> bool {
        let choice = self.pull.choices.iter().find(|(chosen, _)| *chosen == note);
        choice.map_or(self.pull.take_theirs, |(_, takes)| *takes)
    }

    /// The deck that a note's cards follow the author's note to, if its owner left them where they were.
    fn moved(
        &self,
        base: &PublishedNote,
        theirs: &PublishedNote,
        mine: &NoteWithCards,
    ) -> Option<DeckId> {
        let [from, to] = [base.deck, theirs.deck].map(|deck| self.made.decks.get(&deck).copied());
        let mut live = mine.cards.iter().filter(|card| card.trash.is_none());
        to.filter(|_| base.deck != theirs.deck && live.all(|card| Some(card.deck) == from))
    }

    /// Answers whether it is done, and not left for the next part.
    fn write(
        &mut self,
        mine: NoteWithCards,
        merged: Merged,
        to: Option<DeckId>,
    ) -> Result<bool, Error> {
        let Merged { said: Said { content, tags }, conflicts } = merged;
        let mut note = mine.note.clone();
        (note.content, note.tags) = (content, tags);
        let changes = note != mine.note || to.is_some();
        if changes && !self.takes(weight(&note.content)) {
            return Ok(false);
        }
        if !conflicts.is_empty() {
            self.conflict(&mine, ConflictKind::Edited, conflicts);
        }
        if changes {
            self.pulled.updated += 1;
            self.rewrite.note_to(mine, note, to)?;
        }
        Ok(true)
    }

    fn conflict(&mut self, mine: &NoteWithCards, kind: ConflictKind, differences: Vec<Difference>) {
        let mut note = mine.clone();
        note.cards.retain(|card| card.trash.is_none());
        self.pulled.conflicts.push(PullConflict { note, kind, differences });
    }

    async fn finish(
        self,
        clone: Subscription,
        release: i64,
        links: Links,
    ) -> Result<((Pulled, bool), Changes), Error> {
        let Self { service, pull, rewrite, made, before, mut pulled, part, .. } = self;
        let mut changes = rewrite.finish().await?;
        if pulled.added_decks > 0 {
            let new = usize::try_from(pulled.added_decks).unwrap_or(usize::MAX);
            changes.owner = Some(service.owner_with_room(made.viewer, new).await?);
        }
        if pull.dry_run {
            return Ok(((pulled, false), Changes::default()));
        }
        if clone.release != release || links != *before || !changes.is_empty() {
            // It is at the release once all of it is there.
            let release = if part.more { clone.release } else { release };
            let clone = Subscription { release, ..clone };
            changes.sharing =
                ShareChanges { clone: Some((clone, links)), ..ShareChanges::default() };
        }
        if let Some(deck) = changes.decks.iter().find(|deck| deck.id == pulled.deck.id) {
            pulled.deck = deck.clone();
        }
        Ok(((pulled, part.more), changes))
    }
}

impl Pulled {
    /// Two parts of the same pull.
    fn with(mut self, next: Self) -> Self {
        self.conflicts.extend(next.conflicts);
        Self {
            from: self.from,
            added_decks: self.added_decks + next.added_decks,
            added: self.added + next.added,
            updated: self.updated + next.updated,
            deleted: self.deleted + next.deleted,
            conflicts: self.conflicts,
            ..next
        }
    }
}

fn said(content: &Content, tags: &crate::model::Tags) -> Said {
    Said { content: content.clone(), tags: tags.clone() }
}
