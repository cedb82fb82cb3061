//! Search over the largest collection: each kind of condition, for many cards, for few and for none, on each store.

use std::fmt::Write as _;
use std::time::Duration;

use common::event::{CardStudied, CardsStudied, StudyDue, StudyState};
use common::{Calendar, CardId, Clock, Event};
use serde_json::json;

use super::stores::Kind;
use super::{BATCH, CARD, Cost, Decks};
use crate::Result;

/// The aim: search over 100,000 cards.
const MOST_MILLISECONDS: f64 = 20.0;

/// Queries, each with what it is.
const QUERIES: &[(&str, &str)] = &[
    ("", "all cards"),
    ("common", "a word that all have"),
    ("even", "a word that half have, in the answer"),
    ("answer", "a word that all have, in the answer alone"),
    ("word777", "a word that few have"),
    ("absent", "a word that none has"),
    ("word77*", "the beginning of few words"),
    ("wor*", "the beginning of words that all have"),
    ("\"common word777\"", "words in a row"),
    ("\"common answer\"", "words in a row that all have"),
    ("common word1 word2", "several words, all of them common or not rare"),
    ("common answer even", "several words that many have"),
    ("even odd", "two words that half have each, and none both"),
    ("what common", "two words that all have in the question"),
    ("word1 or word2", "one of two words"),
    ("word12 or tag:part3", "a word or a tag"),
    ("absent or tag:absent", "one of two that none has"),
    ("(word1 or word2) -common", "words without one that all have"),
    ("common -word777 tag:part7", "words and a tag, without a word"),
    ("-word777", "without a word that few have"),
    ("-common", "without a word that all have"),
    ("tag:part3", "a tag that a tenth has"),
    ("tag:rare", "a tag that few have"),
    ("tag:absent", "a tag that none has"),
    ("-tag:rare", "without a tag"),
    ("deck:deck0", "the oldest deck"),
    ("deck:deck0 word777", "a deck and a word"),
    ("deck:absent", "no deck"),
    ("added:7", "made within days: all"),
    ("deck:deck7 added:7 common", "a deck, days and a word"),
    ("is:new", "half of all"),
    ("is:due", "one in a hundred"),
    ("is:learning", "one in a thousand"),
    ("is:review", "half of all"),
    ("is:suspended", "one in a thousand"),
    ("is:buried", "one in a thousand"),
    ("is:leech", "one in a thousand"),
    ("rated:1", "answered on a day"),
    ("rated:1:1", "answered with a rating on a day"),
    ("rated:30:2", "answered with a rating within a month"),
    ("is:due -tag:part3", "due, without a tag"),
    ("common is:due", "a word that all have, and due"),
    ("word777 is:due", "a word that few have, and due"),
    ("is:leech or is:suspended", "one of two that few are"),
    ("is:leech is:suspended", "both of two that few are"),
    ("(is:due or rated:1) -is:suspended", "one of two, without a third"),
];

/// The section about it.
pub(super) async fn section(cards: usize) -> Result<String> {
    let mut columns: Vec<(Kind, Vec<Cost>)> = Vec::new();
    for kind in Kind::available() {
        let decks = Decks::fill(kind, cards).await?;
        decks.study().await?;
        columns.push((kind, decks.searches().await?));
        decks.store.remove().await?;
    }
    let mut text = format!(
        "The first 50 cards with their matches, of {cards} cards (aim: under {MOST_MILLISECONDS} ms; what takes longer is bold). Times are of the whole \
         answer, by the subgraph's own GraphQL: median, and longest.\n\n| query | what it asks for | cards answered |"
    );
    for (kind, _) in &columns {
        write!(text, " {0}, ms | longest | statements |", kind.name())?;
    }
    write!(text, "\n|---|---|---|{}\n", "---|---|---|".repeat(columns.len()))?;
    for (nth, (query, what)) in QUERIES.iter().enumerate() {
        let answered: Vec<usize> = columns.iter().map(|(_, costs)| costs[nth].returned).collect();
        if answered.iter().any(|returned| *returned != answered[0]) {
            return Err(format!("{query}: the stores answer {answered:?} cards").into());
        }
        write!(text, "| `{query}` | {what} | {} |", answered[0])?;
        for (_, costs) in &columns {
            let Cost { times, statements, .. } = &costs[nth];
            write!(text, " {} | {} | {statements} |", time(times.0), time(times.1))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn time(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    let mark = if milliseconds < MOST_MILLISECONDS { "" } else { "**" };
    format!("{mark}{milliseconds:.1}{mark}")
}

impl Decks {
    /// Tells what was learned of the cards: half are new, one in a hundred is due, one in a thousand is what few are.
    async fn study(&self) -> Result<()> {
        let cards = self.all.iter().enumerate().map(|(nth, id)| {
            let id: CardId = id.as_str().ok_or("no id")?.parse()?;
            Ok(studied(id, nth))
        });
        let cards = cards.collect::<Result<Vec<CardStudied>>>()?;
        for cards in cards.chunks(BATCH) {
            let told = CardsStudied { owner: self.user, cards: cards.to_vec() };
            self.endpoint.apply([Event::Studied(told)].into()).await?;
        }
        Ok(())
    }

    async fn searches(&self) -> Result<Vec<Cost>> {
        let search = format!(
            "query($query: String!) {{ searchCards(query: $query, first: 50) {{ edges {{ questionMatches {{ start end }}
                node {{ {CARD} }} }} pageInfo {{ hasNextPage }} }} }}"
        );
        let mut costs = Vec::new();
        for (query, _) in QUERIES {
            let cost = self.cost(query, async || {
                let data = self.ask(&search, json!({ "query": query })).await?;
                Ok(data["searchCards"]["edges"].as_array().ok_or("no cards")?.len())
            });
            costs.push(cost.await?);
        }
        Ok(costs)
    }
}

fn studied(card: CardId, nth: usize) -> CardStudied {
    let now = Clock::System.now();
    let today = Calendar::default().day_of(now);
    let (rare, learned) = (nth % 1_000 == 7, nth % 2 == 1);
    let days = u32::try_from(nth % 100).unwrap_or(0);
    let answered = now - jiff::SignedDuration::from_hours(24 * i64::from(days));
    let mut last = [None; 4];
    last[nth / 2 % 4] = learned.then_some(answered);
    CardStudied {
        card,
        version: 1,
        state: match (rare, learned) {
            (true, _) => StudyState::Learning,
            (_, true) => StudyState::Review,
            (_, false) => StudyState::New,
        },
        due: learned.then(|| StudyDue::On(today.plus(if days == 1 { 0 } else { days + 1 }))),
        suspended: nth % 1_000 == 9,
        buried_until: (nth % 1_000 == 11).then(|| today.plus(1)),
        flag: 0,
        lapses: 0,
        leech: nth % 1_000 == 13,
        answered: last,
    }
}
