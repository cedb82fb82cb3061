//! How the work goes, in GraphQL: numbers and series that plot directly.

use async_graphql::{Enum, Object, SimpleObject};

use super::scalar::Date;
use crate::scheduler::{Phase, Rating};
use crate::service::{self, Statistics};

/// Among which reviews an answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum ReviewPhase {
    /// Of a new card.
    New,
    /// Of a card in its learning steps.
    Learning,
    /// Of a card in its relearning steps.
    Relearning,
    /// Of a learned card that had waited less than 21 days.
    Young,
    /// Of a learned card that had waited 21 days or more.
    Mature,
    /// For practice, without a change of when the card comes back.
    Practice,
}

impl ReviewPhase {
    const ALL: [(Self, Phase); 6] = [
        (Self::New, Phase::New),
        (Self::Learning, Phase::Learning),
        (Self::Relearning, Phase::Relearning),
        (Self::Young, Phase::Young),
        (Self::Mature, Phase::Mature),
        (Self::Practice, Phase::Practice),
    ];
}

/// The work of a range of local days.
#[derive(Debug)]
pub(super) struct StudyStatistics(pub(super) Statistics);

/// The work of a range of local days. Reviews that were undone do not count.
#[Object]
impl StudyStatistics {
    /// The first day.
    async fn from(&self) -> Date {
        Date(self.0.from)
    }

    /// The last day.
    async fn to(&self) -> Date {
        Date(self.0.to)
    }

    /// How many reviews.
    async fn reviews(&self) -> i64 {
        self.0.total.reviews().into()
    }

    /// How long they took, in milliseconds. A Float, because 25 days of work are beyond an Int.
    async fn duration_ms(&self) -> f64 {
        milliseconds(self.0.total.duration_ms)
    }

    /// The longest row of days with a review.
    async fn longest_streak_days(&self) -> i64 {
        self.0.longest_streak_days.into()
    }

    /// The heat map: the days with a review, in order.
    async fn days(&self) -> Vec<StudyDay> {
        let day = |day: &service::DayPoint| StudyDay {
            date: Date(day.date),
            reviews: day.reviews.into(),
            new: day.new.into(),
            duration_ms: milliseconds(day.duration_ms),
        };
        self.0.days.iter().map(day).collect()
    }

    /// How many reviews of young cards were remembered: learned ones that had waited less than 21 days.
    async fn young(&self) -> TrueRetention {
        self.0.young.into()
    }

    /// How many reviews of mature cards were remembered: learned ones that had waited 21 days or more.
    async fn mature(&self) -> TrueRetention {
        self.0.mature.into()
    }

    /// How often each rating was given, in each phase: all 24.
    async fn buttons(&self) -> Vec<ButtonCount> {
        let count = |(phase, of): (ReviewPhase, Phase), rating| ButtonCount {
            phase,
            rating,
            reviews: self.0.total.of(of, rating).into(),
        };
        let of_phase = |phase| Rating::ALL.into_iter().map(move |rating| count(phase, rating));
        ReviewPhase::ALL.into_iter().flat_map(of_phase).collect()
    }

    /// The hours of the day, on the wall where the person was: all 24.
    async fn hours(&self) -> Vec<StudyHour> {
        let hour = |hour: usize| {
            let (reviews, passed) = self.0.total.hour(hour);
            let hour = i32::try_from(hour).unwrap_or(i32::MAX);
            StudyHour { hour, reviews: reviews.into(), passed: passed.into() }
        };
        (0..24).map(hour).collect()
    }
}

/// The work of a local day.
#[derive(Debug, SimpleObject)]
pub(super) struct StudyDay {
    /// The day.
    date: Date,
    /// How many reviews.
    reviews: i64,
    /// How many of them were of new cards.
    new: i64,
    /// How long they took, in milliseconds. A Float, as that of all days is.
    duration_ms: f64,
}

/// A sum of milliseconds as clients get it: exact for 285,000 years of work.
#[expect(clippy::cast_precision_loss, reason = "sums of work are far below 2^53 milliseconds")]
pub(super) const fn milliseconds(sum: i64) -> f64 {
    sum as f64
}

/// How many reviews were remembered.
#[derive(Debug, SimpleObject)]
pub(super) struct TrueRetention {
    /// How many were.
    passed: i64,
    /// How many were forgotten.
    failed: i64,
    /// The share that was remembered, 0 to 1. Null without reviews.
    rate: Option<f64>,
}

impl From<service::Retention> for TrueRetention {
    fn from(retention: service::Retention) -> Self {
        Self {
            passed: retention.passed.into(),
            failed: retention.failed.into(),
            rate: retention.rate(),
        }
    }
}

/// How often a rating was given in a phase.
#[derive(Debug, SimpleObject)]
pub(super) struct ButtonCount {
    /// The phase.
    phase: ReviewPhase,
    /// The rating.
    rating: Rating,
    /// How often.
    reviews: i64,
}

/// The work of an hour of the day.
#[derive(Debug, SimpleObject)]
pub(super) struct StudyHour {
    /// 0 to 23.
    hour: i32,
    /// How many reviews.
    reviews: i64,
    /// How many of them were remembered.
    passed: i64,
}

/// How many cards come back on a local day.
#[derive(Debug, SimpleObject)]
pub(super) struct ForecastDay {
    /// The day.
    pub(super) date: Date,
    /// How many cards.
    pub(super) due: i64,
}
