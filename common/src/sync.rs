//! What following changes has in common in every domain: how many a page may have, and how long a place among them is good for.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};

use crate::Error;

/// How many changes a page may have.
pub const CHANGES: RangeInclusive<i32> = 1..=500;

/// How many changes are asked for.
///
/// # Errors
/// [`Error::Invalid`] when it is not within [`CHANGES`].
pub fn limit(first: i32) -> Result<u32, Error> {
    u32::try_from(first).ok().filter(|_| CHANGES.contains(&first)).ok_or_else(|| {
        let message = format!("is out of range: {} to {}", CHANGES.start(), CHANGES.end());
        Error::invalid("first", message)
    })
}

/// Whether a place that was asked for at `asked_at`, in milliseconds since the epoch, is still good: what changed since is all known for
/// `retention`.
#[must_use]
pub fn is_kept(asked_at: i64, now: Timestamp, retention: SignedDuration) -> bool {
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_sub(asked_at) <= retention
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_1_to_500_changes() {
        assert_eq!([1, 500].map(|first| limit(first).ok()), [Some(1), Some(500)]);
        for wrong in [0, -1, 501, i32::MIN] {
            assert!(matches!(limit(wrong), Err(Error::Invalid { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_good_until_its_time_is_over() {
        let now = Timestamp::from_millisecond(10_000).unwrap();
        let retention = SignedDuration::from_secs(1);
        let kept = |asked_at| is_kept(asked_at, now, retention);
        assert_eq!([9_000, 8_999, 11_000, i64::MIN].map(kept), [true, false, true, false]);
    }
}
