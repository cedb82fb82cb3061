//! Tagging notes, and renaming and merging tags.

use std::collections::HashSet;

use common::page::{Direction, PageRequest};
use common::{Error, NoteId, TrashId, Viewer};

use super::cards::told;
use super::check::{batch_size, no_duplicates};
use super::{NoteWithCards, Service};
use crate::model::{Card, Tag, Tagging, Tags, TrashKind};
use crate::store::Changes;

/// How many notes of a tag that is renamed are changed in one transaction.
const NOTES_AT_ONCE: u32 = 1_000;
/// How many tags are looked at in one statement before they are renamed.
const TAGS_AT_ONCE: u32 = 500;

impl Service {
    /// Gives notes tags, and takes some away: all notes or none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no notes, too many notes or tags, or one named twice; [`Error::NotFound`].
    pub async fn tag_notes(
        &self,
        viewer: &Viewer,
        edit: &Tagging,
    ) -> Result<Vec<NoteWithCards>, Error> {
        batch_size("input.noteIds", "notes", edit.notes.len())?;
        let ids = edit.notes.iter().copied().enumerate();
        no_duplicates(ids, |index| format!("input.noteIds[{index}]"))?;
        self.change(viewer.user, || self.decide_tag(viewer, edit)).await
    }

    /// Renames tags with those below them: each becomes `to`, which may exist already. Answers how many notes were changed. It works in parts: after a
    /// failure some notes have the new tag, and doing it again does the rest.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no tags, too many, or when one below would become too long or too deep; then nothing is changed.
    pub async fn rename_tags(&self, viewer: &Viewer, from: &[Tag], to: &Tag) -> Result<i64, Error> {
        batch_size("input.tags", "tags", from.len())?;
        for tag in from {
            self.check_rename(viewer, tag, to).await?;
        }
        let mut changed = 0;
        for tag in from {
            let mut after = None;
            loop {
                let rename = || self.decide_rename(viewer, tag, to, after);
                let (last, count) = self.change(viewer.user, rename).await?;
                changed += count;
                let Some(last) = last else { break };
                after = Some(last);
            }
        }
        Ok(changed)
    }

    async fn decide_tag(
        &self,
        viewer: &Viewer,
        edit: &Tagging,
    ) -> Result<(Vec<NoteWithCards>, Changes), Error> {
        let mut notes = self.notes_in_order(viewer, edit.notes.clone()).await?;
        let mut changes = Changes::default();
        let with_deck = self.trashed_with_deck(&notes).await?;
        for note in &mut notes {
            let tags = note.note.tags.edited(edit, "input.add")?;
            self.retag(note, tags, &with_deck, &mut changes);
            note.cards.retain(|card| card.trash.is_none());
        }
        Ok((notes, changes))
    }

    /// Gives a note other tags, if they differ. Its cards get a new version, because others are told of tags with them.
    fn retag(
        &self,
        note: &mut NoteWithCards,
        tags: Tags,
        with_deck: &HashSet<TrashId>,
        changes: &mut Changes,
    ) {
        let NoteWithCards { note, cards } = note;
        let texts =
            |tags: &Tags| tags.list().iter().map(|t| t.text().to_owned()).collect::<Vec<_>>();
        if texts(&note.tags) == texts(&tags) {
            return;
        }
        note.tags = tags;
        note.version += 1;
        note.updated_at = self.clock.now();
        changes.notes.push(note.clone());
        let is_told = |card: &&mut Card| card.trash.is_none_or(|trash| with_deck.contains(&trash));
        for card in cards.iter_mut().filter(is_told) {
            card.version += 1;
            changes.events.push(told(card, false));
            changes.cards.push(card.clone());
        }
    }

    /// The entries of the trash in which cards of the notes lie with their deck. Others know these cards still, and are not told of them when the deck comes
    /// back: what changes of them meanwhile they are told at once.
    async fn trashed_with_deck(&self, notes: &[NoteWithCards]) -> Result<HashSet<TrashId>, Error> {
        let cards = notes.iter().flat_map(|note| &note.cards);
        let entries: HashSet<TrashId> = cards.filter_map(|card| card.trash).collect();
        if entries.is_empty() {
            return Ok(entries);
        }
        let entries = self.store.trash(entries.into_iter().collect()).await?;
        let decks = entries.iter().filter(|entry| entry.kind == TrashKind::Deck);
        Ok(decks.map(|entry| entry.id).collect())
    }

    async fn check_rename(&self, viewer: &Viewer, from: &Tag, to: &Tag) -> Result<(), Error> {
        let mut cursor = None;
        loop {
            let page = PageRequest { direction: Direction::Forward, limit: TAGS_AT_ONCE, cursor };
            let page = self.store.tags(viewer.user, Some(from.clone()), page).await?;
            for tagged in &page.rows {
                tagged.tag.renamed(from, to, "input.to")?;
            }
            match page.rows.last() {
                Some(last) if page.has_next => cursor = Some(last.tag.key()),
                _ => return Ok(()),
            }
        }
    }

    /// Renames a tag of some notes; answers the last of them, if there may be more, and how many were changed.
    async fn decide_rename(
        &self,
        viewer: &Viewer,
        from: &Tag,
        to: &Tag,
        after: Option<NoteId>,
    ) -> Result<((Option<NoteId>, i64), Changes), Error> {
        let found =
            self.store.notes_with_tag(viewer.user, from.clone(), after, NOTES_AT_ONCE).await?;
        let last = found.last().map(|note| note.id);
        let last = last.filter(|_| found.len() == NOTES_AT_ONCE as usize);
        let ids = found.into_iter().map(|note| note.id).collect();
        let mut notes = self.notes_with_all_cards(viewer, ids).await?;
        let mut changes = Changes::default();
        let with_deck = self.trashed_with_deck(&notes).await?;
        for note in &mut notes {
            let renamed = |tag: &Tag| {
                // One that only a note in the trash has may be too long: it stays.
                let within = tag.is_within(from);
                within.then(|| tag.renamed(from, to, "input.to").ok()).flatten()
            };
            let tags = note.note.tags.list().iter();
            let tags = tags.map(|tag| renamed(tag).unwrap_or_else(|| tag.clone())).collect();
            let tags = Tags::new("input.to", tags)?;
            self.retag(note, tags, &with_deck, &mut changes);
        }
        let count = i64::try_from(changes.notes.len()).unwrap_or(i64::MAX);
        Ok(((last, count), changes))
    }
}
