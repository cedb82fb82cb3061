//! Searching the viewer's cards.

use std::collections::{HashMap, HashSet};

use common::event::StudyState;
use common::page::{Direction, Page, PageRequest};
use common::{Calendar, Day, DeckId, Error, Viewer};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Service;
use crate::model::{Card, Deck, DeckFilter, MAX_DECKS, paths};
use crate::search::{Filter, Is, Query, SearchKey, Study, parse};

/// How many cards are looked at each time whether they are found by what they say.
const MENDED_AT_ONCE: u32 = 50_000;

impl Service {
    /// Looks at some cards, and sees to it that they are found by what they say, whatever version of the program wrote them. Answers where to go on: after the
    /// last ones it begins anew.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn mend(&self, after: Option<Uuid>) -> Result<Option<Uuid>, Error> {
        Ok(self.store.mend(after, MENDED_AT_ONCE).await?)
    }

    /// One page of the viewer's cards that a query is true of: those with its words in the question first, the latest first in each part.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a query that does not parse, and for pages from the end; [`Error::Store`].
    pub async fn search(
        &self,
        viewer: &Viewer,
        text: &str,
        page: PageRequest<SearchKey>,
    ) -> Result<(Query, Page<(u8, Card)>), Error> {
        let query = parse(text)?;
        if page.direction == Direction::Backward {
            return Err(Error::invalid("last", "what is found is read from the start only"));
        }
        let filter = self.filter(viewer, &query).await?;
        let rows = self.store.search(viewer.user, filter, page.cursor, page.limit).await?;
        Ok((query, Page::from_overfull(&page, rows)))
    }

    /// How many of the viewer's cards a query is true of.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn search_count(&self, viewer: &Viewer, query: &Query) -> Result<i64, Error> {
        let filter = self.filter(viewer, query).await?;
        Ok(self.store.search_count(viewer.user, filter).await?)
    }

    async fn filter(&self, viewer: &Viewer, query: &Query) -> Result<Filter, Error> {
        let mut background =
            Background { now: self.clock.now(), calendar: Calendar::default(), decks: Vec::new() };
        if asks(query, &|term| matches!(term, Query::Is(_) | Query::Rated(..))) {
            let person = self.store.person(viewer.user).await?;
            background.calendar = person.map(|person| person.calendar()).unwrap_or_default();
        }
        let archived = DeckFilter { archived: Some(true), ..DeckFilter::default() };
        if asks(query, &|term| matches!(term, Query::Deck(_)))
            || asks(query, &|term| matches!(term, Query::Is(Is::Due)))
                && self.store.deck_count(viewer.user, archived).await? > 0
        {
            // Those in the trash may be among them: none of their cards is found.
            let limit = u32::try_from(MAX_DECKS * 2).unwrap_or(u32::MAX);
            background.decks = self.store.any_decks(viewer.user, limit).await?;
        }
        Ok(background.filter(query))
    }
}

/// Whether one of the terms of a query is such.
fn asks(query: &Query, such: &dyn Fn(&Query) -> bool) -> bool {
    match query {
        Query::All(parts) | Query::Any(parts) => parts.iter().any(|part| asks(part, such)),
        Query::Not(part) => asks(part, such),
        term => such(term),
    }
}

/// What a query is read against.
struct Background {
    now: Timestamp,
    calendar: Calendar,
    decks: Vec<Deck>,
}

impl Background {
    fn filter(&self, query: &Query) -> Filter {
        let list = |parts: &[Query]| parts.iter().map(|part| self.filter(part)).collect();
        match query {
            Query::All(parts) => Filter::All(list(parts)),
            Query::Any(parts) => Filter::Any(list(parts)),
            Query::Not(part) => Filter::Not(Box::new(self.filter(part))),
            Query::Words(words) => Filter::Words(words.clone()),
            Query::Deck(name) => Filter::Decks(named(&self.decks, name)),
            Query::Tag(tag) => Filter::Tag(tag.clone()),
            Query::Added(days) => {
                Filter::Since(self.now - SignedDuration::from_hours(24 * i64::from(*days)))
            }
            Query::Is(is) => self.studied(*is),
            Query::Rated(days, rating) => {
                let today = self.calendar.day_of(self.now);
                let first = Day(today.0.saturating_add_unsigned(1).saturating_sub_unsigned(*days));
                Filter::Study(Study::Answered(self.calendar.start_of(first), *rating))
            }
        }
    }

    fn studied(&self, is: Is) -> Filter {
        let today = self.calendar.day_of(self.now);
        Filter::Study(match is {
            Is::Due => {
                let due = Study::Due(today, self.calendar.start_of(today.plus(1)));
                // What is put aside does not come.
                let asleep = asleep(&self.decks);
                if asleep.is_empty() {
                    return Filter::Study(due);
                }
                let asleep = Filter::Not(Box::new(Filter::Decks(asleep)));
                return Filter::All(vec![Filter::Study(due), asleep]);
            }
            Is::New => Study::State(&[StudyState::New]),
            Is::Learning => Study::State(&[StudyState::Learning, StudyState::Relearning]),
            Is::Review => Study::State(&[StudyState::Review, StudyState::Relearning]),
            Is::Suspended => Study::Suspended,
            Is::Buried => Study::Buried(today),
            Is::Leech => Study::Leech,
        })
    }
}

/// The decks that are put aside, and those in them.
fn asleep(decks: &[Deck]) -> Vec<DeckId> {
    let archived: HashSet<DeckId> =
        decks.iter().filter(|deck| deck.archived).map(|deck| deck.id).collect();
    let within = |deck: &&Deck| {
        deck.archived || deck.ancestors.iter().any(|ancestor| archived.contains(ancestor))
    };
    decks.iter().filter(within).map(|deck| deck.id).collect()
}

/// The decks of a name or a path such as `language::french`, without regard to case, and those in them.
fn named(decks: &[Deck], name: &str) -> Vec<DeckId> {
    let name = name.to_lowercase();
    let paths = if name.contains("::") { paths(decks) } else { HashMap::new() };
    let is_path = |deck: &Deck| {
        paths.get(&deck.id).is_some_and(|path| path.join("::").to_lowercase() == name)
    };
    let hit = |deck: &&Deck| deck.sort_name() == name || is_path(deck);
    let hits: HashSet<DeckId> = decks.iter().filter(hit).map(|deck| deck.id).collect();
    let within =
        |deck: &&Deck| hits.contains(&deck.id) || deck.ancestors.iter().any(|id| hits.contains(id));
    decks.iter().filter(within).map(|deck| deck.id).collect()
}
