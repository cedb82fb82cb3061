//! Searching cards by their folded words. The server's own text index knows no beginnings of words and cannot stand in an `or`, so each card
//! keeps its words: as [terms](super::terms), along which a search runs, and in their order, for what it asks of the cards that it comes by.

use common::{StoreError, UserId};
use jiff::Timestamp;
use mongodb::bson::{DateTime, Document, doc};

use super::MongoStore;
use super::documents::without_words;
use super::filters::all;
use super::roads::MOST_TERMS;
use crate::model::Card;
use crate::search::{Filter, SearchKey, Study, Words};

const QUESTION: &str = "foldedQuestion";
const ANSWER: &str = "foldedAnswer";

impl MongoStore {
    pub(super) async fn search_page(
        &self,
        owner: UserId,
        filter: Filter,
        after: Option<SearchKey>,
        limit: u32,
    ) -> Result<Vec<(u8, Card)>, StoreError> {
        let limit = limit as usize + 1;
        let survey = self.survey(owner, &filter).await?;
        let (must, rest) = filter.split();
        let others: Vec<Document> = rest.iter().map(condition).collect();
        let mut found = Vec::new();
        let first = after.map_or(0, |SearchKey(tier, _)| tier);
        for tier in first..=u8::from(!must.is_empty()) {
            let road = self.passable(owner, survey.to_tier(tier, &must, &rest)).await?;
            if road.is_empty() {
                continue;
            }
            let mut conditions = in_tier(tier, &must);
            conditions.extend(others.iter().cloned());
            if let Some(SearchKey(_, id)) = after.filter(|key| key.0 == tier) {
                conditions.push(doc! { "_id": { "$lt": id } });
            }
            let mut filter = road.condition(owner);
            if !conditions.is_empty() {
                filter.insert("$and", conditions);
            }
            let wanted = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
            let cards = self.cards.find(filter).projection(without_words()).hint(road.index());
            let cards = cards.sort(doc! { "_id": -1 }).limit(wanted).await?;
            found.extend(all(cards, Card::try_from).await?.into_iter().map(|card| (tier, card)));
            if found.len() == limit {
                break;
            }
        }
        Ok(found)
    }

    pub(super) async fn found_count(
        &self,
        owner: UserId,
        filter: Filter,
    ) -> Result<i64, StoreError> {
        let survey = self.survey(owner, &filter).await?;
        let road = self.passable(owner, survey.to_all(&filter)).await?;
        if road.is_empty() {
            return Ok(0);
        }
        let mut on_road = road.condition(owner);
        if !is_road(&filter) {
            on_road.insert("$and", vec![condition(&filter)]);
        }
        let count = self.cards.count_documents(on_road).hint(road.index()).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// Whether a query is true of every card on its road.
fn is_road(filter: &Filter) -> bool {
    match filter {
        Filter::All(parts) => parts.is_empty(),
        Filter::Words(words) => words.words.len() == 1 && !words.prefix,
        Filter::Decks(decks) => decks.len() <= MOST_TERMS,
        Filter::Tag(_) => true,
        Filter::Study(study) => matches!(study, Study::State(_) | Study::Suspended | Study::Leech),
        Filter::Any(_) | Filter::Not(_) | Filter::Since(_) => false,
    }
}

/// What is asked of the cards of a tier about the words that must be there.
fn in_tier(tier: u8, must: &[Words]) -> Vec<Document> {
    let in_question: Vec<Document> = must.iter().map(|words| phrase(QUESTION, words)).collect();
    if in_question.is_empty() || tier == 0 {
        return in_question;
    }
    let mut conditions: Vec<Document> = must.iter().map(in_texts).collect();
    conditions.push(doc! { "$nor": [{ "$and": in_question }] });
    conditions
}

fn condition(filter: &Filter) -> Document {
    let list = |parts: &[Filter]| parts.iter().map(condition).collect::<Vec<_>>();
    match filter {
        // The server takes no empty list.
        Filter::All(parts) if parts.is_empty() => doc! {},
        Filter::All(parts) => doc! { "$and": list(parts) },
        Filter::Any(parts) => doc! { "$or": list(parts) },
        Filter::Not(part) => doc! { "$nor": [condition(part)] },
        Filter::Words(words) => in_texts(words),
        Filter::Decks(decks) => doc! { "deck": { "$in": decks.clone() } },
        Filter::Tag(tag) => doc! { "tagKeys": tag.key() },
        Filter::Since(at) => doc! { "createdAt": { "$gte": moment(*at) } },
        Filter::Study(study) => learned(*study),
    }
}

fn learned(study: Study) -> Document {
    match study {
        Study::State(states) => {
            let numbers: Vec<i32> = states.iter().map(|state| state.number().into()).collect();
            doc! { "study.state": { "$in": numbers } }
        }
        Study::Due(today, tomorrow) => doc! {
            "study.comesFrom": { "$lt": moment(tomorrow) },
            "$or": [
                { "study.dueDay": { "$lte": today.0 } },
                { "study.dueAt": { "$lt": moment(tomorrow) } },
            ],
            "study.suspended": { "$ne": true },
            "study.buriedUntil": { "$not": { "$gt": today.0 } },
        },
        Study::Suspended => doc! { "study.suspended": true },
        Study::Buried(today) => doc! { "study.buriedUntil": { "$gt": today.0 } },
        Study::Leech => doc! { "study.leech": true },
        Study::Answered(since, rating) => {
            let since = doc! { "$gte": moment(since) };
            let field = rating.and_then(|rating| ["again", "hard", "good", "easy"].get(rating));
            let mut answered = doc! { "study.answeredAt": since.clone() };
            answered.extend(field.map(|field| (format!("study.{field}"), since.into())));
            answered
        }
    }
}

pub(super) fn moment(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

fn in_texts(words: &Words) -> Document {
    doc! { "$or": [phrase(QUESTION, words), phrase(ANSWER, words)] }
}

/// Words that follow one another. They are letters and digits only, so that nothing in them has a meaning in a pattern.
fn phrase(field: &str, words: &Words) -> Document {
    let end = if words.prefix { "" } else { " " };
    doc! { field: { "$regex": format!(" {}{end}", words.words.join(" ")) } }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
