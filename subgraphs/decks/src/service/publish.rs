//! Publishing decks. A release is what a deck with those in it was at a moment; it never changes, and is kept as the difference to the one
//! before. What lies above the deck, what was learned, and what lies in the trash are not in it.

use std::collections::{HashMap, HashSet};

use common::{DeckId, Error, NoteId, PublicationId, Viewer};
use serde_json::json;
use uuid::Uuid;

use super::Service;
use super::check::Versioned;
use super::pull::READ_AT_ONCE;
use crate::model::{
    Deck, Licence, MAX_PUBLISHED_CARDS, MAX_PUBLISHED_DECKS, MAX_PUBLISHED_FILES,
    MAX_PUBLISHED_MEDIA, MAX_PUBLISHED_TEXT, MAX_RELEASES, Publication, Publish, PublishedDeck,
    PublishedMedia, PublishedNote, Release, Tag, Tags, origin,
};
use crate::store::Changes;
use crate::store::sharing::{NewRelease, ShareChanges};

impl Service {
    /// Publishes a deck with those in it. A release is made when it differs from the latest one; otherwise only what is said of it changes.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Invalid`] for a slug or licence that is missing, or a deck without notes; [`Error::Conflict`] for a slug
    /// that is taken; [`Error::Outdated`] when another release is the latest than expected; [`Error::LimitExceeded`] at
    /// [`MAX_PUBLISHED_CARDS`], [`MAX_PUBLISHED_DECKS`], [`MAX_PUBLISHED_TEXT`], [`MAX_PUBLISHED_FILES`], [`MAX_PUBLISHED_MEDIA`] or
    /// [`MAX_RELEASES`].
    pub async fn publish(&self, viewer: &Viewer, new: &Publish) -> Result<Publication, Error> {
        let first = self.change(viewer.user, || self.decide_publish(viewer, new)).await?;
        let (mut publication, mut more) = first;
        while more {
            // What was expected is so no more: that was done.
            let rest = Publish { expected_release: None, ..new.clone() };
            let next = self.change(viewer.user, || self.decide_publish(viewer, &rest));
            (publication, more) = next.await?;
        }
        Ok(publication)
    }

    /// Makes a deck no longer public: it can neither be found nor cloned, and its files are let go of. Its clones stay.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a deck that is not there, or was never published.
    pub async fn unpublish(&self, viewer: &Viewer, id: DeckId) -> Result<Deck, Error> {
        let unlist = self.change(viewer.user, || self.decide_unpublish(viewer, id));
        let (deck, publication) = unlist.await?;
        self.drop_public_media(viewer.user, vec![publication]).await?;
        Ok(deck)
    }

    async fn decide_unpublish(
        &self,
        viewer: &Viewer,
        id: DeckId,
    ) -> Result<((Deck, PublicationId), Changes), Error> {
        let deck = self.deck(viewer, id).await?;
        let published = self.store.publications_of_decks(vec![id]).await?.pop();
        let mut publication = published.ok_or_else(|| Error::not_found("published deck", id))?;
        let answer = (deck, publication.id);
        if !publication.listed {
            return Ok((answer, Changes::default()));
        }
        publication.listed = false;
        let publications = vec![publication];
        let sharing = ShareChanges { publications, ..ShareChanges::default() };
        Ok((answer, Changes { sharing, ..Changes::default() }))
    }

    /// Answers whether there are more files to let go of.
    async fn decide_publish(
        &self,
        viewer: &Viewer,
        new: &Publish,
    ) -> Result<((Publication, bool), Changes), Error> {
        let deck = self.deck(viewer, new.deck).await?;
        let mut owner = self.owner_with_room(viewer, 0).await?;
        let before = self.store.publications_of_decks(vec![deck.id]).await?.pop();
        expect_release(before.as_ref(), new.expected_release)?;
        let mut publication = self.described(&deck, before.as_ref(), new).await?;
        let snapshot = self.snapshot(viewer, &deck, &publication).await?;
        publication.media_count = i64::try_from(snapshot.media.len()).unwrap_or(i64::MAX);
        publication.media_bytes = snapshot.media.iter().map(|file| file.size).sum();
        let media = self.media_changes(publication.id, &snapshot.media).await?;
        let release = self.difference(&mut publication, snapshot, &new.change_note.0).await?;
        let same_media = media.new.is_empty() && media.dropped.is_empty();
        if before.as_ref() == Some(&publication) && same_media {
            return Ok(((publication, false), Changes::default()));
        }
        let deleted_contents = self.orphans(&mut owner, &media.dropped).await?;
        let mut sharing = ShareChanges {
            release,
            new_media: media.new,
            dropped_media: media.dropped.iter().map(|file| file.id).collect(),
            ..ShareChanges::default()
        };
        match before {
            Some(_) => sharing.publications.push(publication.clone()),
            None => sharing.new_publication = Some(publication.clone()),
        }
        // The account, the deck and the files must still be there.
        let changes = Changes {
            owner: Some(owner),
            decks: vec![deck],
            sharing,
            deleted_contents,
            ..Changes::default()
        };
        Ok(((publication, media.more), changes))
    }

    /// The published deck with what is to be said of it.
    async fn described(
        &self,
        deck: &Deck,
        before: Option<&Publication>,
        new: &Publish,
    ) -> Result<Publication, Error> {
        let now = self.clock.now();
        let mut publication = before.cloned().unwrap_or_else(|| Publication {
            id: PublicationId::new(),
            deck: deck.id,
            owner: deck.owner,
            slug: String::new(),
            title: deck.name.clone(),
            description: deck.description.clone(),
            tags: Tags::default(),
            licence: Licence::AllRightsReserved,
            author: None,
            listed: true,
            created_at: now,
            updated_at: now,
            release: 0,
            deck_count: 0,
            note_count: 0,
            card_count: 0,
            media_count: 0,
            media_bytes: 0,
            rating_sum: 0,
            rating_count: 0,
            subscriber_count: 0,
            revision: 1,
        });
        publication.listed = true;
        if let Some(slug) = &new.slug {
            slug.0.clone_into(&mut publication.slug);
        }
        if publication.slug.is_empty() {
            let message = "is missing: name one when a deck is published for the first time";
            return Err(Error::invalid("input.slug", message));
        }
        match (new.licence, before) {
            (Some(licence), _) => publication.licence = licence,
            (None, Some(_)) => {}
            (None, None) => {
                let message = "is missing: choose one when a deck is published for the first time";
                return Err(Error::invalid("input.licence", message));
            }
        }
        if let Some(title) = &new.title {
            title.0.clone_into(&mut publication.title);
        }
        if let Some(description) = &new.description {
            description.0.clone_into(&mut publication.description);
        }
        if let Some(tags) = &new.tags {
            publication.tags = tags.clone();
        }
        if let Some(author) = &new.author {
            publication.author = author.as_ref().map(|name| name.0.clone());
        }
        if before.is_none_or(|before| before.slug != publication.slug)
            && self.store.publication_by_slug(publication.slug.clone()).await?.is_some()
        {
            let slug = &publication.slug;
            return Err(Error::Conflict(format!("input.slug: {slug} is taken: choose another")));
        }
        Ok(publication)
    }

    /// What a deck with those in it is now.
    async fn snapshot(
        &self,
        viewer: &Viewer,
        root: &Deck,
        publication: &Publication,
    ) -> Result<Snapshot, Error> {
        let mut decks = self.store.descendants(viewer.user, root.id).await?;
        decks.sort_by_key(|deck| (deck.ancestors.len(), deck.position, deck.id));
        decks.insert(0, Deck { ancestors: Vec::new(), ..root.clone() });
        at_most(decks.len(), MAX_PUBLISHED_DECKS, "decks")?;
        let cards: i64 = decks.iter().map(|deck| deck.card_count).sum();
        at_most(usize::try_from(cards).unwrap_or(0), MAX_PUBLISHED_CARDS, "cards")?;

        let limit = u32::try_from(MAX_PUBLISHED_CARDS).unwrap_or(u32::MAX);
        let ids = self.store.card_ids(decks.iter().map(|deck| deck.id).collect(), limit).await?;
        let cards = self.cards(viewer, ids).await?;
        // A note lies where the first of its cards lies.
        let mut places: HashMap<NoteId, (DeckId, i64)> = HashMap::new();
        for card in cards {
            let place = places.entry(card.note).or_insert((card.deck, card.position));
            *place = (*place).min((card.deck, card.position));
        }
        let mut notes = self.store.notes(places.keys().copied().collect()).await?;
        notes.retain(|note| note.owner == viewer.user);
        if notes.is_empty() {
            return Err(Error::invalid(
                "input.deckId",
                "has no cards: there is nothing to publish",
            ));
        }

        let id = publication.id;
        let media = self.media_to_publish(viewer, id, &mut notes).await?;
        at_most(media.len(), MAX_PUBLISHED_FILES, "media files")?;
        let bytes: i64 = media.iter().map(|file| file.size).sum();
        let most = usize::try_from(MAX_PUBLISHED_MEDIA).unwrap_or(usize::MAX);
        at_most(usize::try_from(bytes).unwrap_or(usize::MAX), most, "bytes of media")?;
        let (mut card_count, mut text) = (0, 0);
        let published = |note: crate::model::Note| {
            let (deck, position) = places.get(&note.id).copied()?;
            let fields = note.content.fields().iter();
            text += fields.map(|field| field.name.len() + field.value.len()).sum::<usize>();
            let cards = note.content.cards();
            card_count += cards.len();
            text += cards.iter().map(|card| card.question.len() + card.answer.len()).sum::<usize>();
            Some(PublishedNote {
                publication: id,
                origin: origin(id, note.id.uuid()),
                since: publication.release + 1,
                until: None,
                deck: origin(id, deck.uuid()),
                position,
                content: note.content,
                tags: note.tags,
            })
        };
        let notes: Vec<PublishedNote> = notes.into_iter().filter_map(published).collect();
        at_most(card_count, MAX_PUBLISHED_CARDS, "cards")?;
        at_most(text, MAX_PUBLISHED_TEXT, "bytes of text, in notes and the cards they make,")?;
        let shown = |deck: Deck| PublishedDeck {
            origin: origin(id, deck.id.uuid()),
            parent: deck.parent().map(|parent| origin(id, parent.uuid())),
            name: deck.name,
            description: deck.description,
            color: deck.color,
        };
        let mut decks: Vec<PublishedDeck> = decks.into_iter().map(shown).collect();
        if let Some(root) = decks.first_mut() {
            root.name.clone_from(&publication.title);
            root.description.clone_from(&publication.description);
        }
        Ok(Snapshot { decks, notes, card_count, media })
    }

    /// The release that a snapshot makes, unless it is what the latest one is.
    async fn difference(
        &self,
        publication: &mut Publication,
        snapshot: Snapshot,
        change_note: &str,
    ) -> Result<Option<NewRelease>, Error> {
        let (id, latest) = (publication.id, publication.release);
        let Snapshot { decks, notes, card_count, .. } = snapshot;
        let (old_decks, old) = if latest == 0 {
            (None, HashSet::new())
        } else {
            let decks = self.store.release_decks(id, latest);
            let (decks, places) = futures::try_join!(decks, self.store.release_places(id, latest))?;
            (decks, places.into_iter().map(|place| place.origin).collect())
        };
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let note_count = count(notes.len());

        let known = notes.iter().filter(|note| old.contains(&note.origin));
        let known: HashMap<Uuid, &PublishedNote> = known.map(|note| (note.origin, note)).collect();
        let wanted: Vec<(Uuid, i64)> = known.keys().map(|origin| (*origin, latest)).collect();
        let mut same: HashSet<Uuid> = HashSet::new();
        for wanted in wanted.chunks(READ_AT_ONCE) {
            let old = self.store.notes_in_releases(id, wanted.to_vec()).await?;
            let stay = old
                .iter()
                .filter(|old| known.get(&old.origin).is_some_and(|note| old.says_what(note)));
            same.extend(stay.map(|note| note.origin));
        }
        let notes: Vec<PublishedNote> =
            notes.into_iter().filter(|note| !same.contains(&note.origin)).collect();
        let ended: Vec<Uuid> = old.into_iter().filter(|origin| !same.contains(origin)).collect();
        if notes.is_empty() && ended.is_empty() && old_decks.as_ref() == Some(&decks) {
            return Ok(None);
        }
        if latest >= MAX_RELEASES {
            let message = format!("a deck has at most {MAX_RELEASES} releases");
            return Err(Error::LimitExceeded { message });
        }
        let now = self.clock.now();
        let release = Release {
            publication: id,
            number: latest + 1,
            change_note: change_note.to_owned(),
            published_at: now,
            deck_count: count(decks.len()),
            note_count,
            card_count: count(card_count),
        };
        publication.release = release.number;
        publication.updated_at = now;
        publication.deck_count = release.deck_count;
        publication.note_count = release.note_count;
        publication.card_count = release.card_count;
        Ok(Some(NewRelease { release, decks, ended, notes }))
    }
}

/// What a deck with those in it is at a moment.
struct Snapshot {
    decks: Vec<PublishedDeck>,
    notes: Vec<PublishedNote>,
    card_count: usize,
    media: Vec<PublishedMedia>,
}

fn at_most(count: usize, most: usize, what: &str) -> Result<(), Error> {
    if count <= most {
        return Ok(());
    }
    let message = format!("{count} {what} are too many to publish: at most {most} are accepted");
    Err(Error::LimitExceeded { message })
}

/// Refuses a change made of another release than the latest.
pub(super) fn expect_release(
    publication: Option<&Publication>,
    expected: Option<i64>,
) -> Result<(), Error> {
    let latest = publication.map_or(0, |publication| publication.release);
    match expected {
        Some(expected) if expected != latest => Err(Error::Outdated {
            message: format!(
                "the latest release is {latest} by now, not {expected}; extensions.current has it"
            ),
            current: Box::new(publication.map_or(json!(null), Versioned::state)),
        }),
        _ => Ok(()),
    }
}

impl Versioned for Publication {
    fn version(&self) -> (&'static str, String, i64) {
        ("public deck", self.slug.clone(), self.release)
    }

    fn state(&self) -> serde_json::Value {
        json!({
            "__typename": "PublicDeck",
            "slug": self.slug,
            "title": self.title,
            "description": self.description,
            "tags": self.tags.list().iter().map(Tag::text).collect::<Vec<_>>(),
            "release": self.release,
        })
    }
}
