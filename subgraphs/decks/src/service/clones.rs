//! Clones of public decks: decks, notes and cards of one's own, of which it is remembered where they come from.

use std::collections::HashMap;

use common::{DeckId, Error, NoteId, Viewer};
use jiff::Timestamp;
use uuid::Uuid;

use super::Service;
use super::check::taken;
use super::pull::{Part, READ_AT_ONCE, weight};
use super::rewrite::Rewrite;
use super::tree::fits;
use crate::model::{
    Deck, Guid, Links, NewClone, Note, NoteLink, Publication, PublishedDeck, PublishedNote,
    PublishedPlace, Pull, Subscription,
};
use crate::place::{LAST, STEP};
use crate::store::Changes;
use crate::store::sharing::ShareChanges;

impl Service {
    /// Clones a public deck, a large one in parts. With an id that the client made, doing it again answers the same deck; where the first try was
    /// broken off, it does the rest, as does a pull.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the public deck or the parent; [`Error::Invalid`] for one's own; [`Error::Conflict`] when the id is that of
    /// something else; [`Error::LimitExceeded`] at [`crate::model::MAX_DECKS`] or [`crate::model::MAX_DEPTH`], and where there is no room for its
    /// files.
    pub async fn clone_deck(&self, viewer: &Viewer, new: &NewClone) -> Result<Deck, Error> {
        let first = self.change(viewer.user, || Box::pin(self.decide_clone(viewer, new)));
        let (deck, more) = Box::pin(first).await?;
        if !more {
            // Somebody may have made it public no more meanwhile.
            if let Some(publication) = self.public_deck(&new.slug).await? {
                Box::pin(self.copy_media(viewer, &publication)).await?;
            }
            return Ok(deck);
        }
        let rest = Pull {
            deck: deck.id,
            dry_run: false,
            take_theirs: false,
            choices: Vec::new(),
            expected_release: None,
        };
        Ok(Box::pin(self.pull(viewer, &rest)).await?.deck)
    }

    /// Makes a clone with a first part of its notes. Answers whether there are more.
    async fn decide_clone(
        &self,
        viewer: &Viewer,
        new: &NewClone,
    ) -> Result<((Deck, bool), Changes), Error> {
        let publication = self.listed(&new.slug).await?;
        if let Some(id) = new.id
            && let Some(before) = self.cloned_before(viewer, id, &publication).await?
        {
            return Ok((before, Changes::default()));
        }
        if publication.owner == viewer.user {
            return Err(Error::invalid("input.slug", "is your own deck: copyDeck copies it"));
        }
        let (decks, places) = self.release(&publication).await?;
        self.expect_room(viewer, &publication).await?;
        let owner = self.owner_with_room(viewer, decks.len()).await?;
        let parent = self.parent(viewer, new.parent).await?;
        let (position, touched) = self.place_at_end(viewer, new.parent).await?;
        let above = parent.as_ref().map(Deck::ancestors_of_children).unwrap_or_default();

        let mut rewrite = Rewrite::start(self, viewer, &[]).await?;
        let mut made = Made { viewer, now: self.clock.now(), decks: HashMap::new() };
        for (nth, deck) in (1..).zip(&decks) {
            let parent = deck.parent.and_then(|origin| made.decks.get(&origin));
            let (id, ancestors, position) = match parent.and_then(|id| rewrite.deck(*id)) {
                Some(parent) => (DeckId::new(), parent.ancestors_of_children(), STEP * nth),
                None => (new.id.unwrap_or_else(DeckId::new), above.clone(), position),
            };
            fits(&ancestors)?;
            rewrite.new_deck(made.deck(deck, id, ancestors, position));
        }
        let mut links = Vec::with_capacity(places.len());
        let mut part = Part::new();
        for places in in_order(&decks, places).chunks(READ_AT_ONCE) {
            for note in self.read_release(&publication, places).await? {
                let Some(deck) = made.decks.get(&note.deck).copied() else { continue };
                if !part.takes(weight(&note.content)) {
                    break;
                }
                let (origin, note) = (note.origin, made.note(note));
                links.push(NoteLink(origin, note.id, publication.release));
                rewrite.new_note(note, deck);
            }
            if part.more {
                break;
            }
        }
        let links = Links {
            decks: decks
                .iter()
                .filter_map(|d| made.decks.get_key_value(&d.origin))
                .map(pair)
                .collect(),
            notes: links,
        };
        let mut changes = rewrite.finish().await?;
        let root = decks.first().and_then(|root| made.decks.get(&root.origin));
        let deck = changes.new_decks.iter().find(|deck| Some(&deck.id) == root).cloned();
        let deck = deck.ok_or_else(|| Error::not_found("public deck", &new.slug))?;
        let first = !self.is_subscriber(viewer.user, publication.id).await?;
        let clone = Subscription {
            deck: deck.id,
            owner: viewer.user,
            publication: publication.id,
            release: if part.more { 0 } else { publication.release },
            revision: 0,
        };
        changes.owner = Some(owner);
        // What is decided rests on where the parent lies.
        changes.decks.extend(touched.into_iter().chain(parent));
        changes.sharing = ShareChanges {
            clone: Some((clone, links)),
            subscribers: first.then_some((publication.id, 1)).into_iter().collect(),
            ..ShareChanges::default()
        };
        Ok(((deck, part.more), changes))
    }

    /// The clone that an earlier try made, and whether not all of it is there.
    async fn cloned_before(
        &self,
        viewer: &Viewer,
        id: DeckId,
        publication: &Publication,
    ) -> Result<Option<(Deck, bool)>, Error> {
        if self.store.taken(vec![id.uuid()]).await?.is_empty() {
            return Ok(None);
        }
        let deck = self.decks(viewer, vec![id]).await?.pop();
        let clone = self.store.subscriptions(vec![id]).await?.pop();
        let clone = clone.filter(|clone| clone.publication == publication.id);
        match deck.zip(clone) {
            Some((deck, clone)) => Ok(Some((deck, clone.release == 0))),
            None => Err(taken("input.id", id)),
        }
    }

    /// The decks of the latest release, and where its notes lie.
    pub(super) async fn release(
        &self,
        publication: &Publication,
    ) -> Result<(Vec<PublishedDeck>, Vec<PublishedPlace>), Error> {
        let Publication { id, release, note_count, .. } = *publication;
        let decks = self.store.release_decks(id, release);
        let (decks, places) = futures::try_join!(decks, self.store.release_places(id, release))?;
        let all = i64::try_from(places.len()) == Ok(note_count);
        let decks = decks.filter(|_| all).ok_or_else(|| gone(publication))?;
        Ok((decks, places))
    }

    /// The notes that lie there in the latest release, in this order.
    async fn read_release(
        &self,
        publication: &Publication,
        places: &[PublishedPlace],
    ) -> Result<Vec<PublishedNote>, Error> {
        let Publication { id, release, .. } = *publication;
        let wanted = places.iter().map(|place| (place.origin, release)).collect();
        let notes = self.store.notes_in_releases(id, wanted).await?;
        let mut notes: HashMap<Uuid, PublishedNote> =
            notes.into_iter().map(|note| (note.origin, note)).collect();
        let note =
            |place: &PublishedPlace| notes.remove(&place.origin).ok_or_else(|| gone(publication));
        places.iter().map(note).collect()
    }
}

/// It is being deleted.
pub(super) fn gone(publication: &Publication) -> Error {
    Error::not_found("public deck", &publication.slug)
}

fn pair((origin, deck): (&Uuid, &DeckId)) -> (Uuid, DeckId) {
    (*origin, *deck)
}

/// Where notes lie in the order of a release: by deck and place.
pub(super) fn in_order(
    decks: &[PublishedDeck],
    mut places: Vec<PublishedPlace>,
) -> Vec<PublishedPlace> {
    let order: HashMap<Uuid, usize> =
        decks.iter().enumerate().map(|(nth, deck)| (deck.origin, nth)).collect();
    places.sort_by_key(|place| (order.get(&place.deck).copied(), place.position, place.origin));
    places
}

/// What is made of a release for a person.
pub(super) struct Made<'a> {
    pub(super) viewer: &'a Viewer,
    pub(super) now: Timestamp,
    /// Decks by their origins.
    pub(super) decks: HashMap<Uuid, DeckId>,
}

impl Made<'_> {
    pub(super) fn deck(
        &mut self,
        deck: &PublishedDeck,
        id: DeckId,
        ancestors: Vec<DeckId>,
        position: i64,
    ) -> Deck {
        self.decks.insert(deck.origin, id);
        Deck {
            id,
            owner: self.viewer.user,
            name: deck.name.clone(),
            description: deck.description.clone(),
            color: deck.color.clone(),
            created_at: self.now,
            updated_at: self.now,
            version: 1,
            card_count: 0,
            last_place: 0,
            revision: 1,
            ancestors,
            position: position.min(LAST),
            archived: false,
            trash: None,
        }
    }

    pub(super) fn note(&self, note: PublishedNote) -> Note {
        let id = NoteId::new();
        Note {
            id,
            owner: self.viewer.user,
            guid: Guid::of(id),
            content: note.content,
            tags: note.tags,
            created_at: self.now,
            updated_at: self.now,
            version: 1,
        }
    }
}
