//! Searching cards by their folded words. The server's own text index knows no beginnings of words and cannot stand in an `or`, so each card
//! keeps its words, of which an index has each with the card's owner.

use common::{StoreError, UserId};
use jiff::Timestamp;
use mongodb::bson::{Bson, DateTime, Document, doc};

use super::MongoStore;
use super::filters::{all, live};
use crate::model::Card;
use crate::search::{Filter, SearchKey, Study, Words};

impl MongoStore {
    pub(super) async fn search_page(
        &self,
        owner: UserId,
        filter: Filter,
        after: Option<SearchKey>,
        limit: u32,
    ) -> Result<Vec<(u8, Card)>, StoreError> {
        let limit = limit as usize + 1;
        let (must, _) = filter.clone().split();
        let condition = condition(&filter);
        let mut found = Vec::new();
        let first = after.map_or(0, |SearchKey(tier, _)| tier);
        for tier in first..=u8::from(!must.is_empty()) {
            let mut conditions = vec![condition.clone()];
            if !must.is_empty() {
                let in_question: Vec<Document> =
                    must.iter().map(|words| phrase("foldedQuestion", words)).collect();
                let sign = if tier == 0 { "$and" } else { "$nor" };
                conditions.push(match tier {
                    0 => doc! { sign: in_question },
                    _ => doc! { sign: [{ "$and": in_question }] },
                });
            }
            if let Some(SearchKey(_, id)) = after.filter(|key| key.0 == tier) {
                conditions.push(doc! { "_id": { "$lt": id } });
            }
            let filter = live(doc! { "owner": owner, "$and": conditions });
            let wanted = i64::try_from(limit - found.len()).unwrap_or(i64::MAX);
            let cards = self.cards.find(filter).sort(doc! { "_id": -1 }).limit(wanted).await?;
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
        let filter = live(doc! { "owner": owner, "$and": [condition(&filter)] });
        let count = self.cards.count_documents(filter).await?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

fn condition(filter: &Filter) -> Document {
    let list = |parts: &[Filter]| parts.iter().map(condition).collect::<Vec<_>>();
    match filter {
        // The server takes no empty list.
        Filter::All(parts) if parts.is_empty() => doc! {},
        Filter::All(parts) => doc! { "$and": list(parts) },
        Filter::Any(parts) => doc! { "$or": list(parts) },
        Filter::Not(part) => doc! { "$nor": [condition(part)] },
        Filter::Words(words) => {
            let last = words.words.len() - 1;
            let mut parts: Vec<Document> = words
                .words
                .iter()
                .enumerate()
                .map(|(nth, word)| {
                    let begins = words.prefix && nth == last;
                    let begin = || doc! { "$regex": format!("^{word}") };
                    doc! { "words": if begins { Bson::from(begin()) } else { Bson::from(word) } }
                })
                .collect();
            if last > 0 {
                let either = ["foldedQuestion", "foldedAnswer"].map(|field| phrase(field, words));
                parts.push(doc! { "$or": either.to_vec() });
            }
            doc! { "$and": parts }
        }
        Filter::Decks(decks) => doc! { "deck": { "$in": decks.clone() } },
        Filter::Tag(tag) => doc! { "tagKeys": tag.key() },
        Filter::Since(at) => {
            doc! { "createdAt": { "$gte": DateTime::from_millis(at.as_millisecond()) } }
        }
        Filter::Study(study) => learned(*study),
    }
}

fn learned(study: Study) -> Document {
    let moment = |at: Timestamp| DateTime::from_millis(at.as_millisecond());
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

/// Words that follow one another. They are letters and digits only, so that nothing in them has a meaning in a pattern.
fn phrase(field: &str, words: &Words) -> Document {
    let end = if words.prefix { "" } else { " " };
    doc! { field: { "$regex": format!(" {}{end}", words.words.join(" ")) } }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
