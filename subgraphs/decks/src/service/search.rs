//! Searching the viewer's cards.

use std::collections::HashSet;

use common::page::{Direction, Page, PageRequest};
use common::{DeckId, Error, Viewer};
use jiff::SignedDuration;

use super::Service;
use crate::model::{Card, Deck, MAX_DECKS};
use crate::search::{Filter, Query, SearchKey, parse};

impl Service {
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
        let decks = if names_decks(query) {
            // Those in the trash may be among them: none of their cards is found.
            let limit = u32::try_from(MAX_DECKS * 2).unwrap_or(u32::MAX);
            self.store.any_decks(viewer.user, limit).await?
        } else {
            Vec::new()
        };
        let now = self.clock.now();
        Ok(filter(query, &decks, &|days| now - SignedDuration::from_hours(24 * i64::from(days))))
    }
}

fn names_decks(query: &Query) -> bool {
    match query {
        Query::All(parts) | Query::Any(parts) => parts.iter().any(names_decks),
        Query::Not(part) => names_decks(part),
        Query::Deck(_) => true,
        Query::Words(_) | Query::Tag(_) | Query::Added(_) => false,
    }
}

fn filter(query: &Query, decks: &[Deck], since: &dyn Fn(u32) -> jiff::Timestamp) -> Filter {
    let list = |parts: &[Query]| parts.iter().map(|part| filter(part, decks, since)).collect();
    match query {
        Query::All(parts) => Filter::All(list(parts)),
        Query::Any(parts) => Filter::Any(list(parts)),
        Query::Not(part) => Filter::Not(Box::new(filter(part, decks, since))),
        Query::Words(words) => Filter::Words(words.clone()),
        Query::Deck(name) => Filter::Decks(named(decks, name)),
        Query::Tag(tag) => Filter::Tag(tag.clone()),
        Query::Added(days) => Filter::Since(since(*days)),
    }
}

/// The decks of a name or a path such as `language::french`, without regard to case, and those in them.
fn named(decks: &[Deck], name: &str) -> Vec<DeckId> {
    let name = name.to_lowercase();
    let path = |deck: &Deck| {
        let above = deck.ancestors.iter().filter_map(|id| decks.iter().find(|d| d.id == *id));
        let names: Vec<String> = above.chain([deck]).map(Deck::sort_name).collect();
        names.join("::")
    };
    let is_path = name.contains("::");
    let hit = |deck: &&Deck| deck.sort_name() == name || (is_path && path(deck) == name);
    let hits: HashSet<DeckId> = decks.iter().filter(hit).map(|deck| deck.id).collect();
    let within =
        |deck: &&Deck| hits.contains(&deck.id) || deck.ancestors.iter().any(|id| hits.contains(id));
    decks.iter().filter(within).map(|deck| deck.id).collect()
}
