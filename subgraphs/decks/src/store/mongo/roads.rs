//! By which road a search comes to its cards: those that have one of some [terms](super::terms), in their order; or few cards whose ids are known already.
//! Roads lead past every card that is meant; what else they lead past, the conditions leave out.
//!
//! The server would try all of its indexes side by side, and remember for other words what was good for some. So the road is chosen here, by how many
//! cards the terms lead to, and named.

use common::{StoreError, UserId};
use futures::TryStreamExt;
use mongodb::bson::raw::CString;
use mongodb::bson::{self, Bson, Document, Regex, doc};
use mongodb::options::Hint;
use serde::{Deserialize, Serialize};

use super::documents::IdDocument;
use super::filters::{all, one_of};
use super::search::moment;
use super::terms::{self, EVERY, IN_ANSWER, IN_QUESTION};
use super::{MongoStore, ONE_BATCH};
use crate::search::{Filter, Study, Words};

/// The server merges the walks along no more terms than these.
pub(super) const MOST_TERMS: usize = 200;
/// Cards of a term are counted up to here: what has more is common, and soon fills a page.
const MANY: i64 = 4_000;
/// How many cards are counted for all terms of a query together.
const COUNTED: i64 = 32_000;
/// Cards that come in no order are known by their ids when they are no more than these.
const FEW: usize = 2_000;
/// The index of all terms.
pub(super) const BY_TERM: &str = "by_term";

/// A road.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Road {
    /// Cards with one of these are on it,
    terms: Vec<Bson>,
    /// and these cards.
    ids: Vec<bson::Uuid>,
    /// How many cards, as far as it was counted.
    length: i64,
}

impl Road {
    /// The road past all of a person's cards.
    fn every() -> Self {
        Self { terms: vec![EVERY.into()], ids: Vec::new(), length: i64::MAX }
    }

    /// Whether it leads nowhere.
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.ids.is_empty()
    }

    /// The condition of being on it.
    pub(super) fn condition(&self, owner: UserId) -> Document {
        let mut filter = if self.terms.is_empty() {
            // Ids stay known when their cards go into the trash.
            let mut filter = one_of(self.ids.clone());
            filter.insert("trash", Bson::Null);
            filter
        } else {
            doc! { "terms": { "$in": self.terms.clone() } }
        };
        filter.insert("owner", owner);
        filter
    }

    /// The index it runs along.
    pub(super) fn index(&self) -> Hint {
        Hint::Name(if self.terms.is_empty() { "_id_" } else { BY_TERM }.into())
    }
}

/// What was found out about the terms of a query.
#[derive(Debug, Default)]
pub(super) struct Survey {
    counts: Vec<(Bson, i64)>,
    /// What holds for few cards, and for which.
    few: Vec<(Filter, Vec<bson::Uuid>)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Counted {
    #[serde(rename = "_id")]
    nth: i64,
    count: i64,
}

impl Survey {
    fn along(&self, terms: Vec<Bson>) -> Road {
        let count = |term: &Bson| {
            self.counts.iter().find(|(known, _)| known == term).map_or(MANY, |(_, count)| *count)
        };
        let length = terms.iter().map(count).sum();
        Road { terms, ids: Vec::new(), length }
    }

    /// The shortest road to the cards that a query is true of; none: it may be any of them.
    fn road(&self, filter: &Filter) -> Option<Road> {
        match filter {
            Filter::All(parts) => shortest(parts.iter().filter_map(|part| self.road(part))),
            Filter::Any(parts) => {
                let mut all = Road::default();
                for part in parts {
                    let Road { terms, ids, length } = self.road(part)?;
                    all.terms.extend(terms);
                    all.ids.extend(ids);
                    all.length = all.length.saturating_add(length);
                }
                Some(all).filter(|road| road.terms.len() <= MOST_TERMS)
            }
            Filter::Not(_) => None,
            leaf => {
                let along = alternatives(leaf, &[IN_QUESTION, IN_ANSWER]).into_iter();
                let few = self.few.iter().filter(|(known, _)| known == leaf);
                let few = few.map(|(_, ids)| {
                    let length = i64::try_from(ids.len()).unwrap_or(i64::MAX);
                    Road { terms: Vec::new(), ids: ids.clone(), length }
                });
                let along = along.filter(|terms| terms.len() <= MOST_TERMS);
                shortest(along.map(|terms| self.along(terms)).chain(few))
            }
        }
    }

    /// The shortest road to all cards that a query is true of.
    pub(super) fn to_all(&self, filter: &Filter) -> Road {
        self.road(filter).unwrap_or_else(Road::every)
    }

    /// The shortest road to the cards that have all the words in the question, or (`tier` 1) have one of them only in the answer, and of which the rest
    /// is true.
    pub(super) fn to_tier(&self, tier: u8, must: &[Words], rest: &[Filter]) -> Road {
        let rest = rest.iter().filter_map(|part| self.road(part));
        let marks: &[char] = if tier == 0 { &[IN_QUESTION] } else { &[IN_QUESTION, IN_ANSWER] };
        let leaves: Vec<Filter> = must.iter().cloned().map(Filter::Words).collect();
        let words = leaves.iter().flat_map(|leaf| {
            let along = alternatives(leaf, marks).into_iter().map(|terms| self.along(terms));
            along.chain(self.road(leaf).filter(|road| !road.ids.is_empty()))
        });
        let single = |words: &Words| words.words.len() == 1 && !words.prefix;
        let in_answer = (tier == 1 && !must.is_empty() && must.iter().all(single)).then(|| {
            let terms = must.iter().map(|words| terms::word(IN_ANSWER, &words.words[0]));
            self.along(terms.collect())
        });
        shortest(words.chain(rest).chain(in_answer)).unwrap_or_else(Road::every)
    }
}

fn shortest(roads: impl Iterator<Item = Road>) -> Option<Road> {
    roads.min_by_key(|road| road.length)
}

/// The parts of a query of which one may have to hold.
fn wanted(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(wanted).collect(),
        Filter::Not(_) => Vec::new(),
        leaf => vec![leaf],
    }
}

/// Lists of terms, in each of which is a term of every card that a part of a query is true of. Words are looked for with these marks.
fn alternatives(leaf: &Filter, marks: &[char]) -> Vec<Vec<Bson>> {
    let marked = |word: &String| marks.iter().map(|mark| terms::word(*mark, word)).collect();
    match leaf {
        Filter::Words(Words { words, prefix }) => {
            words[..words.len() - usize::from(*prefix)].iter().map(marked).collect()
        }
        Filter::Decks(decks) => vec![decks.iter().map(|deck| terms::deck(*deck)).collect()],
        Filter::Tag(tag) => vec![vec![terms::tag(&tag.key())]],
        Filter::Study(Study::State(states)) => {
            vec![states.iter().map(|state| terms::state(*state)).collect()]
        }
        Filter::Study(Study::Suspended) => vec![vec![terms::suspended()]],
        Filter::Study(Study::Leech) => vec![vec![terms::leech()]],
        Filter::All(_) | Filter::Any(_) | Filter::Not(_) | Filter::Since(_) | Filter::Study(_) => {
            Vec::new()
        }
    }
}

/// The cards that a part of a query may be true of as a range of an index, in no order that search knows.
fn range(leaf: &Filter) -> Option<(&'static str, Document)> {
    Some(match leaf {
        Filter::Words(Words { words, prefix: true }) if words.len() == 1 => {
            let begin = |mark| begins(&format!("\\{mark}{}", words[0]));
            let either = [begin(IN_QUESTION)?, begin(IN_ANSWER)?];
            (BY_TERM, doc! { "terms": { "$in": either.to_vec() } })
        }
        Filter::Since(at) => ("by_created_at", doc! { "createdAt": { "$gte": moment(*at) } }),
        Filter::Study(Study::Due(_, tomorrow)) => {
            ("due", doc! { "study.comesFrom": { "$lt": moment(*tomorrow) } })
        }
        Filter::Study(Study::Buried(today)) => {
            ("buried", doc! { "study.buriedUntil": { "$gt": today.0 } })
        }
        Filter::Study(Study::Answered(since, _)) => {
            ("answered", doc! { "study.answeredAt": { "$gte": moment(*since) } })
        }
        _ => return None,
    })
}

/// What begins so; the server takes no such patterns with a NUL, which no word has.
fn begins(with: &str) -> Option<Bson> {
    let (pattern, options) = (CString::try_from(format!("^{with}")), CString::try_from(""));
    Some(Bson::RegularExpression(Regex { pattern: pattern.ok()?, options: options.ok()? }))
}

impl MongoStore {
    /// Finds out what a choice between roads needs: one statement for all terms, and one for each range if no road is short without.
    pub(super) async fn survey(
        &self,
        owner: UserId,
        filter: &Filter,
    ) -> Result<Survey, StoreError> {
        let leaves = wanted(filter);
        let mut terms: Vec<Bson> = Vec::new();
        let mut choices = 0;
        for leaf in &leaves {
            let lists = alternatives(leaf, &[IN_QUESTION, IN_ANSWER]);
            choices += lists.len() + usize::from(range(leaf).is_some());
            let lists = lists.into_iter().filter(|list| list.len() <= MOST_TERMS / 10);
            terms.extend(lists.flatten());
        }
        let mut survey = Survey::default();
        if choices > 1 {
            terms.truncate(MOST_TERMS);
            survey.counts = self.term_counts(owner, terms).await?;
        }
        if survey.road(filter).is_some_and(|road| road.length < MANY) {
            return Ok(survey);
        }
        for leaf in leaves {
            let Some((index, condition)) = range(leaf) else { continue };
            if let Some(ids) = self.few(owner, index, condition).await? {
                survey.few.push((leaf.clone(), ids));
            }
        }
        Ok(survey)
    }

    /// The road itself: one of terms and ids at once becomes one of ids.
    pub(super) async fn passable(&self, owner: UserId, road: Road) -> Result<Road, StoreError> {
        if road.ids.is_empty() || road.terms.is_empty() {
            return Ok(road);
        }
        let condition = doc! { "terms": { "$in": road.terms } };
        let Some(mut ids) = self.few(owner, BY_TERM, condition).await? else {
            return Ok(Road::every());
        };
        ids.extend(road.ids);
        Ok(Road { terms: Vec::new(), ids, length: road.length })
    }

    /// How many cards have each of the terms, up to a limit.
    async fn term_counts(
        &self,
        owner: UserId,
        terms: Vec<Bson>,
    ) -> Result<Vec<(Bson, i64)>, StoreError> {
        let many = i64::try_from(terms.len()).unwrap_or(i64::MAX);
        let limit = (COUNTED / many.max(1)).min(MANY);
        let count = |nth: usize| {
            vec![
                doc! { "$match": { "owner": owner, "terms": &terms[nth] } },
                doc! { "$limit": limit },
                doc! { "$group": { "_id": i64::try_from(nth).unwrap_or(0), "count": { "$sum": 1i64 } } },
            ]
        };
        let Some(last) = terms.len().checked_sub(1) else { return Ok(Vec::new()) };
        let mut pipeline = count(last);
        for nth in 0..last {
            pipeline
                .push(doc! { "$unionWith": { "coll": self.cards.name(), "pipeline": count(nth) } });
        }
        let found = self.cards.aggregate(pipeline).with_type::<Counted>().await?;
        let found: Vec<Counted> = found.try_collect().await?;
        let count = |nth: usize| {
            let one = found.iter().find(|counted| usize::try_from(counted.nth) == Ok(nth));
            // One that was counted to the end of what may be counted is a common one.
            one.map_or(0, |one| if one.count < limit { one.count } else { MANY })
        };
        let counts: Vec<i64> = (0..terms.len()).map(count).collect();
        Ok(terms.into_iter().zip(counts).collect())
    }

    /// The ids of the cards in a range of an index, if they are few.
    async fn few(
        &self,
        owner: UserId,
        index: &str,
        mut condition: Document,
    ) -> Result<Option<Vec<bson::Uuid>>, StoreError> {
        condition.insert("owner", owner);
        let cards = self.cards.clone_with_type::<IdDocument>();
        let limit = i64::try_from(FEW + 1).unwrap_or(i64::MAX);
        let found = cards.find(condition).projection(doc! { "_id": 1 }).limit(limit);
        let found = found.hint(Hint::Name(index.into())).batch_size(ONE_BATCH).await?;
        let ids = all(found, |document| Ok(document.id)).await?;
        Ok(Some(ids).filter(|ids| ids.len() <= FEW))
    }
}
