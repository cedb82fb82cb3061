//! The notes of a pull: those that the author changed since they were last compared, in the order of the release, then those that the author deleted.

use std::collections::{HashMap, HashSet};

use common::{DeckId, Error, NoteId};
use uuid::Uuid;

use super::super::NoteWithCards;
use super::super::clones::{gone, in_order};
use super::{ConflictKind, Merge, PullConflict, READ_AT_ONCE};
use crate::merge::{Difference, Merged, Outcome, Said, decide};
use crate::model::{Content, NoteLink, PublishedDeck, PublishedNote, PublishedPlace, Tags};

/// A note that the author changed: its origin, and whether it is in the latest release.
type Changed = (Uuid, bool);

/// Where a note goes whose deck the author changed.
enum Place {
    /// It stays where it is.
    Stays,
    /// It follows.
    Moves(DeckId),
    /// Its owner moved it too, or has not the deck it would go to.
    Conflict(Option<DeckId>),
}

impl Merge<'_> {
    /// Compares the notes that the author changed, until the part is full.
    pub(super) async fn notes(
        &mut self,
        decks: &[PublishedDeck],
        places: Vec<PublishedPlace>,
    ) -> Result<(), Error> {
        let changed = self.changed(decks, places);
        for changed in changed.chunks(READ_AT_ONCE) {
            let mut versions = self.versions(changed).await?;
            let mut mine = self.mine(changed, &versions).await?;
            for (origin, is_there) in changed {
                let versions = versions.remove(origin).unwrap_or_default();
                let is_in = |release| versions.iter().find(|note| note.is_in(release));
                let link = self.linked.get(origin).copied();
                let base = link.and_then(|link| is_in(link.2));
                let theirs = is_in(self.publication.release).cloned();
                if theirs.is_none() && *is_there {
                    return Err(gone(self.publication));
                }
                let mine = link.and_then(|link| mine.remove(&link.1));
                self.note(link, base, theirs, mine)?;
                if self.part.more {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn changed(&self, decks: &[PublishedDeck], places: Vec<PublishedPlace>) -> Vec<Changed> {
        let compared = |place: &PublishedPlace| {
            self.linked.get(&place.origin).is_some_and(|link| link.2 >= place.since)
        };
        let there: HashSet<Uuid> = places.iter().map(|place| place.origin).collect();
        let latest = in_order(decks, places).into_iter().filter(|place| !compared(place));
        let latest = latest.map(|place| (place.origin, true));
        let links = self.before.notes.iter().map(|link| link.0);
        let deleted = links.filter(|origin| !there.contains(origin));
        latest.chain(deleted.map(|origin| (origin, false))).collect()
    }

    /// The notes as they were compared last, and as they are in the latest release.
    async fn versions(
        &self,
        changed: &[Changed],
    ) -> Result<HashMap<Uuid, Vec<PublishedNote>>, Error> {
        let mut wanted = Vec::with_capacity(2 * changed.len());
        for (origin, is_there) in changed {
            wanted.extend(self.linked.get(origin).map(|link| (*origin, link.2)));
            wanted.extend(is_there.then_some((*origin, self.publication.release)));
        }
        let found = self.service.store.notes_in_releases(self.publication.id, wanted).await?;
        let mut versions: HashMap<Uuid, Vec<PublishedNote>> = HashMap::new();
        for note in found {
            versions.entry(note.origin).or_default().push(note);
        }
        Ok(versions)
    }

    /// The clone's notes among them that are not in the trash. Where the author's is neither there nor was, nothing can become of one's own.
    async fn mine(
        &mut self,
        changed: &[Changed],
        versions: &HashMap<Uuid, Vec<PublishedNote>>,
    ) -> Result<HashMap<NoteId, NoteWithCards>, Error> {
        let linked = changed.iter().filter(|(origin, _)| versions.contains_key(origin));
        let linked = linked.filter_map(|(origin, _)| self.linked.get(origin));
        let ids = linked.map(|link| link.1).collect();
        let mut mine = self.service.notes_with_all_cards(self.made.viewer, ids).await?;
        mine.retain(|note| note.cards.iter().any(|card| card.trash.is_none()));
        self.rewrite.meet(&mine).await?;
        Ok(mine.into_iter().map(|note| (note.note.id, note)).collect())
    }

    fn note(
        &mut self,
        link: Option<NoteLink>,
        base: Option<&PublishedNote>,
        theirs: Option<PublishedNote>,
        mine: Option<NoteWithCards>,
    ) -> Result<(), Error> {
        if base.is_none() && theirs.is_none() {
            return Ok(());
        }
        let take =
            mine.as_ref().map_or(self.pull.take_theirs, |note| self.takes_theirs(note.note.id));
        let said = |note: &PublishedNote| said(&note.content, &note.tags);
        let outcome = decide(
            base.map(said).as_ref(),
            theirs.as_ref().map(said).as_ref(),
            mine.as_ref().map(|note| self::said(&note.note.content, &note.note.tags)).as_ref(),
            take,
        );
        let compared = link.map(|link| NoteLink(link.0, link.1, self.publication.release));
        match (outcome, mine, theirs) {
            (Outcome::Add, _, Some(theirs)) => self.add(theirs),
            (Outcome::Write(merged), Some(mine), Some(theirs)) => {
                let place = base.map_or(Place::Stays, |base| self.place(base, &theirs, &mine));
                if self.write(mine, merged, place, take)? {
                    self.linked.extend(compared.map(|link| (link.0, link)));
                }
            }
            (Outcome::Delete, Some(mine), _) => {
                if self.takes(mine.cards.len()) {
                    self.rewrite.delete(mine);
                    self.pulled.deleted += 1;
                    self.linked.extend(compared.map(|link| (link.0, link)));
                }
            }
            (Outcome::DeletedThere, Some(mine), _) => {
                self.conflict(&mine, ConflictKind::DeletedThere, Vec::new());
                self.linked.extend(compared.map(|link| (link.0, link)));
            }
            // It was deleted by both.
            (_, None, None) => drop(link.and_then(|link| self.linked.remove(&link.0))),
            // It was deleted by its owner: should it come back, it is compared with what it was.
            (_, None, Some(_)) => {}
            (_, Some(_), _) => self.linked.extend(compared.map(|link| (link.0, link))),
        }
        Ok(())
    }

    /// Makes a note that is new, unless it lies in a deck that its owner deleted.
    fn add(&mut self, theirs: PublishedNote) {
        let Some(deck) = self.made.decks.get(&theirs.deck).copied() else { return };
        if !self.takes_text(&theirs.content) {
            return;
        }
        let (origin, note) = (theirs.origin, self.made.note(theirs));
        let link = NoteLink(origin, note.id, self.publication.release);
        if self.linked.insert(origin, link).is_none() {
            self.new_links.extend(self.linked.remove(&origin));
        }
        self.rewrite.new_note(note, deck);
        self.pulled.added += 1;
    }

    fn takes_theirs(&self, note: NoteId) -> bool {
        let choice = self.pull.choices.iter().find(|(chosen, _)| *chosen == note);
        choice.map_or(self.pull.take_theirs, |(_, takes)| *takes)
    }

    /// Where a note's cards go: they follow the author's note if their owner left them where they were.
    fn place(&self, base: &PublishedNote, theirs: &PublishedNote, mine: &NoteWithCards) -> Place {
        if base.deck == theirs.deck {
            return Place::Stays;
        }
        let [from, to] = [base.deck, theirs.deck].map(|deck| self.made.decks.get(&deck).copied());
        let all_lie_in = |deck: Option<DeckId>| {
            let mut live = mine.cards.iter().filter(|card| card.trash.is_none());
            live.all(|card| Some(card.deck) == deck)
        };
        match to {
            _ if all_lie_in(to) => Place::Stays,
            Some(to) if all_lie_in(from) => Place::Moves(to),
            _ => Place::Conflict(to),
        }
    }

    /// Answers whether it is done, and not left for the next part.
    fn write(
        &mut self,
        mine: NoteWithCards,
        merged: Merged,
        place: Place,
        take: bool,
    ) -> Result<bool, Error> {
        let Merged { said: Said { content, tags }, conflicts } = merged;
        let (to, both_moved) = match place {
            Place::Stays => (None, false),
            Place::Moves(to) => (Some(to), false),
            Place::Conflict(to) => (to.filter(|_| take), true),
        };
        let mut note = mine.note.clone();
        (note.content, note.tags) = (content, tags);
        let changes = note != mine.note || to.is_some();
        if changes && !self.takes_text(&note.content) {
            return Ok(false);
        }
        if !conflicts.is_empty() {
            self.conflict(&mine, ConflictKind::Edited, conflicts);
        }
        if both_moved {
            self.conflict(&mine, ConflictKind::Moved, Vec::new());
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
}

fn said(content: &Content, tags: &Tags) -> Said {
    Said { content: content.clone(), tags: tags.clone() }
}
