//! What other domains are told of learning: the state of cards after a change, all that one transaction changed in one event.

use common::event::{CardStudied, CardsStudied, StudyDue, StudyState};
use common::{Event, UserId};

use crate::model::StoredCard;
use crate::scheduler::{CardState, Due};

/// The event about cards of one owner as they are after the change with this number.
#[must_use]
pub fn studied(owner: UserId, cards: &[StoredCard], seq: i64) -> Event {
    let cards = cards.iter().map(|card| told(card, seq)).collect();
    Event::Studied(CardsStudied { owner, cards })
}

/// A card as it is after the change with this number.
#[must_use]
pub fn told(card: &StoredCard, seq: i64) -> CardStudied {
    let (progress, memory) = (&card.progress, card.memory());
    CardStudied {
        card: card.id,
        version: seq,
        state: state(memory.map_or(CardState::New, |memory| memory.state)),
        due: memory.map(|memory| match memory.due {
            Due::At(at) => StudyDue::At(at),
            Due::On(day) => StudyDue::On(day),
        }),
        suspended: progress.suspended,
        buried_until: progress.buried_until,
        flag: progress.flag,
        lapses: memory.map_or(0, |memory| memory.lapses),
        leech: memory.is_some_and(|memory| memory.leech),
        answered: progress.answered,
    }
}

const fn state(state: CardState) -> StudyState {
    match state {
        CardState::New => StudyState::New,
        CardState::Learning => StudyState::Learning,
        CardState::Review => StudyState::Review,
        CardState::Relearning => StudyState::Relearning,
    }
}
