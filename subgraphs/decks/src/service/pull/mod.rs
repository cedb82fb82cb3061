//! Pulling what the author of a public deck changed into a clone. Of each note and deck three things are compared: what it was when the two were
//! last compared, what the author made of it, and what its owner made of it (see [`crate::merge`]). What was learned stays with cards that stay.
//!
//! What its owner deleted stays deleted, and what its owner made or changed is never lost: it is kept and told.

mod decks;
mod notes;
mod part;

use std::collections::{HashMap, HashSet};

use common::{DeckId, Error, NoteId, PublicationId, Viewer};
use uuid::Uuid;

use super::check::no_duplicates;
use super::cloned_media::{CopiedMedia, Wanted};
use super::clones::Made;
use super::publish::expect_release;
use super::rewrite::Rewrite;
use super::{NoteWithCards, Service};
use crate::merge::Difference;
use crate::model::{
    Content, Deck, Links, MediaName, NoteLink, Publication, PublishedDeck, Pull, Subscription,
};
use crate::references::media_of;
use crate::store::Changes;
use crate::store::sharing::ShareChanges;
pub(super) use part::{Part, weight};

/// How many notes are read and compared at once: only where the author changed something, and only the two releases that matter.
pub(super) const READ_AT_ONCE: usize = 500;

/// Why a note or a deck could not simply follow the author's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictKind {
    /// Both changed the same parts.
    Edited,
    /// Both moved it.
    Moved,
    /// The author deleted it, its owner changed it, or has something in it.
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

/// A deck that both changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeckConflict {
    /// The deck as it was before.
    pub deck: Deck,
    /// What is in conflict.
    pub kind: ConflictKind,
    /// The parts that both changed: `name`, `description`, `color`.
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
    /// How many decks changed or lie elsewhere.
    pub updated_decks: i64,
    /// How many decks were deleted.
    pub deleted_decks: i64,
    /// How many notes are new.
    pub added: i64,
    /// How many notes changed or lie elsewhere.
    pub updated: i64,
    /// How many notes were deleted.
    pub deleted: i64,
    /// Notes that both changed.
    pub conflicts: Vec<PullConflict>,
    /// Decks that both changed.
    pub deck_conflicts: Vec<DeckConflict>,
    /// What became of the files that notes name.
    pub media: CopiedMedia,
    /// What it is a clone of.
    source: Publication,
    /// Of a dry run the files that notes would name.
    named: HashSet<MediaName>,
    /// What was public and went with decks that the author deleted.
    unlisted: Vec<PublicationId>,
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
            let decide = || Box::pin(self.decide_pull(viewer, pull, first));
            let part = self.change(viewer.user, decide);
            let (part, more) = part.await?;
            self.drop_public_media(viewer.user, part.unlisted.clone()).await?;
            let sum = match pulled.take() {
                Some(before) => before.with(part),
                None => part,
            };
            if !more {
                return self.with_media(viewer, pull, sum).await;
            }
            pulled = Some(sum);
        }
    }

    /// Stores the files that the notes name, once these are there.
    async fn with_media(
        &self,
        viewer: &Viewer,
        pull: &Pull,
        mut pulled: Pulled,
    ) -> Result<Pulled, Error> {
        pulled.media = if pull.dry_run {
            let wanted = Wanted::Named(&pulled.named);
            let (files, report) = self.plan_media(viewer, &pulled.source, wanted).await?;
            CopiedMedia { added: i64::try_from(files.len()).unwrap_or(i64::MAX), ..report }
        } else {
            self.copy_media(viewer, &pulled.source).await?
        };
        Ok(pulled)
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
        if first {
            self.check_choices(viewer, pull, &links).await?;
        }
        let (decks, places) = self.release(&publication).await?;
        let base = self.base_decks(&clone, &links).await?;
        let pulled = Pulled::nothing(deck, clone.release, publication.clone());
        let start = Merge::start(self, viewer, pull, &publication, (&links, base), pulled);
        let mut merge = start.await?;
        merge.decks(&decks).await?;
        merge.notes(&decks, places).await?;
        merge.finish(&decks, clone).await
    }

    async fn check_choices(
        &self,
        viewer: &Viewer,
        pull: &Pull,
        links: &Links,
    ) -> Result<(), Error> {
        let chosen: HashSet<NoteId> = pull.choices.iter().map(|(note, _)| *note).collect();
        let cloned = links.notes.iter().map(|link| link.1);
        let known = cloned.filter(|note| chosen.contains(note)).collect();
        let there = self.notes(viewer, known).await?;
        match chosen.iter().find(|id| there.iter().all(|note| note.note.id != **id)) {
            Some(note) => Err(Error::not_found("note", note)),
            None => Ok(()),
        }
    }

    /// The decks as they were when the two were last compared.
    async fn base_decks(
        &self,
        clone: &Subscription,
        links: &Links,
    ) -> Result<Vec<PublishedDeck>, Error> {
        // Where cloning was broken off, it is the release that was being cloned.
        let first = || links.notes.iter().map(|link| link.2).min().unwrap_or(0);
        let release = if clone.release == 0 { first() } else { clone.release };
        let decks = self.store.release_decks(clone.publication, release).await?;
        Ok(decks.unwrap_or_default())
    }
}

/// A pull that is being worked out.
struct Merge<'a> {
    service: &'a Service,
    pull: &'a Pull,
    publication: &'a Publication,
    rewrite: Rewrite<'a>,
    made: Made<'a>,
    /// The links there were.
    before: &'a Links,
    /// Those of notes there are, by their origins.
    linked: HashMap<Uuid, NoteLink>,
    /// Those of notes that are new.
    new_links: Vec<NoteLink>,
    /// The decks that were made of origins, also those that are deleted.
    links: Vec<(Uuid, DeckId)>,
    /// The decks as they were when the two were last compared.
    base: HashMap<Uuid, PublishedDeck>,
    /// Where the next deck in a deck goes.
    ends: HashMap<DeckId, i64>,
    pulled: Pulled,
    part: Part,
}

impl<'a> Merge<'a> {
    async fn start(
        service: &'a Service,
        viewer: &'a Viewer,
        pull: &'a Pull,
        publication: &'a Publication,
        (links, base): (&'a Links, Vec<PublishedDeck>),
        pulled: Pulled,
    ) -> Result<Self, Error> {
        let mut rewrite = Rewrite::start(service, viewer, &[]).await?;
        let decks = links.decks.iter().map(|(_, deck)| *deck).collect();
        let decks = service.decks(viewer, decks).await?;
        let live: HashSet<DeckId> = decks.iter().map(|deck| deck.id).collect();
        let linked = links.decks.iter().filter(|(_, deck)| live.contains(deck));
        let made = Made { viewer, now: service.clock.now(), decks: linked.copied().collect() };
        rewrite.know(decks);
        Ok(Self {
            service,
            pull,
            publication,
            rewrite,
            made,
            before: links,
            linked: links.notes.iter().map(|link| (link.0, *link)).collect(),
            new_links: Vec::new(),
            links: links.decks.clone(),
            base: base.into_iter().map(|deck| (deck.origin, deck)).collect(),
            ends: HashMap::new(),
            pulled,
            part: Part::new(),
        })
    }

    /// Whether a change belongs to this part. A dry run has but one.
    fn takes(&mut self, weight: usize) -> bool {
        self.pull.dry_run || self.part.takes(weight)
    }

    /// The same of what is to be written.
    fn takes_text(&mut self, content: &Content) -> bool {
        if self.pull.dry_run {
            self.pulled.named.extend(media_of(content));
        }
        self.takes(weight(content))
    }

    async fn finish(
        mut self,
        theirs: &[PublishedDeck],
        clone: Subscription,
    ) -> Result<((Pulled, bool), Changes), Error> {
        let going = if self.part.more { Vec::new() } else { self.drop_decks(theirs) };
        let links = self.links_after(theirs);
        let Self { service, pull, rewrite, made, before, mut pulled, part, .. } = self;
        let mut changes = rewrite.finish().await?;
        if pulled.added_decks > 0 || !going.is_empty() {
            let new = usize::try_from(pulled.added_decks).unwrap_or(usize::MAX);
            let mut owner = service.owner_with_room(made.viewer, new).await?;
            owner.deck_count -= i64::try_from(going.len()).unwrap_or(i64::MAX);
            changes.owner = Some(owner);
        }
        if pull.dry_run {
            return Ok(((pulled, false), Changes::default()));
        }
        let release = pulled.to;
        if clone.release != release || links != *before || !changes.is_empty() {
            // It is at the release once all of it is there.
            let release = if part.more { clone.release } else { release };
            let clone = Subscription { release, ..clone };
            let leaving = service.leaving(made.viewer.user, &going).await?;
            pulled.unlisted = leaving.publications.iter().map(|gone| gone.id).collect();
            changes.sharing = ShareChanges { clone: Some((clone, links)), ..leaving };
        }
        if let Some(deck) = changes.decks.iter().find(|deck| deck.id == pulled.deck.id) {
            pulled.deck = deck.clone();
        }
        Ok(((pulled, part.more), changes))
    }

    /// What came from where after this part: notes in the order in which they came.
    fn links_after(&mut self, theirs: &[PublishedDeck]) -> Links {
        let known = self.before.notes.iter().filter_map(|link| self.linked.remove(&link.0));
        let notes = known.chain(self.new_links.drain(..)).collect();
        // A deck that neither has any more is forgotten.
        let there: HashSet<Uuid> = theirs.iter().map(|deck| deck.origin).collect();
        let lives = |origin: &Uuid| self.made.decks.contains_key(origin);
        let mut decks = std::mem::take(&mut self.links);
        decks.retain(|(origin, _)| {
            there.contains(origin) || self.base.contains_key(origin) || lives(origin)
        });
        Links { decks, notes }
    }
}

impl Pulled {
    fn nothing(deck: Deck, from: i64, source: Publication) -> Self {
        Self {
            deck,
            from,
            to: source.release,
            added_decks: 0,
            updated_decks: 0,
            deleted_decks: 0,
            added: 0,
            updated: 0,
            deleted: 0,
            conflicts: Vec::new(),
            deck_conflicts: Vec::new(),
            media: CopiedMedia::default(),
            source,
            named: HashSet::new(),
            unlisted: Vec::new(),
        }
    }

    /// Two parts of the same pull.
    fn with(mut self, next: Self) -> Self {
        self.conflicts.extend(next.conflicts);
        // Decks are compared in each part, and changed in the first.
        for conflict in next.deck_conflicts {
            let same = |told: &DeckConflict| {
                (told.deck.id, told.kind) == (conflict.deck.id, conflict.kind)
            };
            if !self.deck_conflicts.iter().any(same) {
                self.deck_conflicts.push(conflict);
            }
        }
        Self {
            from: self.from,
            added_decks: self.added_decks + next.added_decks,
            updated_decks: self.updated_decks + next.updated_decks,
            deleted_decks: self.deleted_decks + next.deleted_decks,
            added: self.added + next.added,
            updated: self.updated + next.updated,
            deleted: self.deleted + next.deleted,
            conflicts: self.conflicts,
            deck_conflicts: self.deck_conflicts,
            ..next
        }
    }
}
