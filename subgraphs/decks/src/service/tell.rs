//! Completes what other domains are told of cards: the tags of their notes.

use std::collections::HashMap;

use common::event::CardChanged;
use common::{Error, Event, NoteId};

use super::Service;
use crate::model::{Note, Tag};
use crate::store::Changes;

impl Service {
    /// Writes the tags that notes have after the changes into the events about their cards. Notes that do not change are read, all at once.
    pub(super) async fn tell_tags(&self, changes: &mut Changes) -> Result<(), Error> {
        let texts = |note: &Note| -> Vec<String> {
            note.tags.list().iter().map(Tag::text).map(str::to_owned).collect()
        };
        let changed = changes.new_notes.iter().chain(&changes.notes);
        let mut tags: HashMap<NoteId, Vec<String>> =
            changed.map(|note| (note.id, texts(note))).collect();
        let mut unknown: Vec<NoteId> = cards(&mut changes.events)
            .filter_map(|card| card.note)
            .filter(|note| !tags.contains_key(note))
            .collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let notes = self.store.notes(unknown).await?;
            tags.extend(notes.iter().map(|note| (note.id, texts(note))));
        }
        for card in cards(&mut changes.events) {
            let known = card.note.and_then(|note| tags.get(&note));
            card.tags = known.cloned().unwrap_or_default();
        }
        Ok(())
    }
}

/// The events about cards that are there after the change.
fn cards(events: &mut [Event]) -> impl Iterator<Item = &mut CardChanged> {
    events.iter_mut().filter_map(|event| match event {
        Event::Card(card) if !card.deleted => Some(card),
        _ => None,
    })
}
