//! Points as clients are told of them: in `extensions.cost`, as Shopify's API does, and in headers, as GitHub's and the draft of the IETF
//! (<https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/>).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use federation::DearField;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};

/// The headers that tell how much is left.
pub(crate) const HEADERS: [&str; 6] = [
    "ratelimit-policy",
    "ratelimit",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-used",
    "x-ratelimit-reset",
];

/// A number of points. Whole ones are written as such.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub(crate) struct Points(pub(crate) f64);

/// Below it, doubles tell whole numbers apart.
const WHOLE: f64 = 9_007_199_254_740_992.0;

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() < WHOLE {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole and in range, as just checked"
            )]
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

/// What an operation cost, and what its client has left.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    /// As it was estimated.
    pub(crate) requested_query_cost: Points,
    /// As it was counted; none where it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) actual_query_cost: Option<Points>,
    /// None where nothing is taken from anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) throttle_status: Option<ThrottleStatus>,
    /// What an operation may cost; told where that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) maximum_query_cost: Option<Points>,
    /// What adds most to the estimate; told with the maximum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) dearest: Vec<Dear>,
}

/// A client's bucket.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThrottleStatus {
    pub(crate) maximum_available: u32,
    /// Whole points.
    pub(crate) currently_available: Points,
    /// Points a second.
    pub(crate) restore_rate: u32,
}

/// A field and what it adds to an operation's cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Dear {
    path: String,
    cost: Points,
}

impl fmt::Display for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Dear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path, self.cost)
    }
}

impl From<DearField> for Dear {
    fn from(field: DearField) -> Self {
        Self { path: field.path, cost: Points(field.cost) }
    }
}

impl ThrottleStatus {
    /// A bucket with so many points left.
    pub(crate) fn new(capacity: u32, restore_rate: u32, available: f64) -> Self {
        let available = Points(available.floor().max(0.0));
        Self { maximum_available: capacity, currently_available: available, restore_rate }
    }

    /// How many seconds until it is full.
    fn seconds_to_full(self) -> f64 {
        let missing = f64::from(self.maximum_available) - self.currently_available.0;
        (missing.max(0.0) / f64::from(self.restore_rate)).ceil()
    }

    /// Adds the headers that tell of it.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let (capacity, remaining) = (self.maximum_available, self.currently_available.0);
        let to_full = self.seconds_to_full();
        let window = (f64::from(capacity) / f64::from(self.restore_rate)).ceil();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let full_at = (now + Duration::from_secs_f64(to_full)).as_secs();
        let values = [
            format!("\"points\";q={capacity};w={window}"),
            format!("\"points\";r={remaining};t={to_full}"),
            capacity.to_string(),
            remaining.to_string(),
            (f64::from(capacity) - remaining).to_string(),
            full_at.to_string(),
        ];
        for (name, value) in HEADERS.into_iter().zip(values) {
            // Digits and signs always make a value.
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_points_are_written_as_whole_numbers() {
        for (points, expected) in
            [(12.0, "12"), (0.5, "0.5"), (f64::MAX, "1.7976931348623157e+308")]
        {
            assert_eq!(serde_json::to_string(&Points(points)).unwrap(), expected);
        }
    }

    #[test]
    fn headers_tell_what_is_left_and_when_all_is_there_again() {
        let mut headers = HeaderMap::new();
        ThrottleStatus::new(1000, 50, 899.7).write(&mut headers);
        let value = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(value("ratelimit-policy"), "\"points\";q=1000;w=20");
        assert_eq!(value("ratelimit"), "\"points\";r=899;t=3");
        assert_eq!(value("x-ratelimit-limit"), "1000");
        assert_eq!(value("x-ratelimit-remaining"), "899");
        assert_eq!(value("x-ratelimit-used"), "101");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let reset: u64 = value("x-ratelimit-reset").parse().unwrap();
        assert!((now + 2..=now + 3).contains(&reset));
    }
}
