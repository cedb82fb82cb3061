//! Which part of a file a request is for, by `If-None-Match`, `Range` and `If-Range` (RFC 9110, sections 13 and 14).
//!
//! Several parts at once are answered with the whole file, as the RFC allows; so is a range that cannot be read. There are no dates: an `If-Range` with
//! one never holds.

use std::ops::Range;

use http::HeaderMap;
use http::header::{IF_NONE_MATCH, IF_RANGE, RANGE};

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The whole file.
    All,
    /// These bytes, at least one.
    Part(Range<u64>),
    /// The file has no such part.
    Nothing,
}

/// Whether the client has the file with this entity tag already.
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What a `GET` wants of a file of `size` bytes with this entity tag.
pub(super) fn wanted(headers: &HeaderMap, tag: &str, size: u64) -> Wanted {
    let mut ranges = headers.get_all(RANGE).iter();
    let (Some(range), None) = (ranges.next(), ranges.next()) else { return Wanted::All };
    if headers.get(IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::All;
    }
    let part = range.to_str().ok().and_then(|text| {
        let (unit, set) = text.split_once('=')?;
        unit.trim().eq_ignore_ascii_case("bytes").then(|| one(set.trim(), size)).flatten()
    });
    part.unwrap_or(Wanted::All)
}

/// One part; none for what is no part, or several.
fn one(text: &str, size: u64) -> Option<Wanted> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let range = if first.is_empty() {
        let count = number(last)?;
        size.saturating_sub(count)..size
    } else {
        let start = number(first)?;
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        if last < start {
            return None;
        }
        start..size.min(last.saturating_add(1))
    };
    Some(if range.is_empty() { Wanted::Nothing } else { Wanted::Part(range) })
}

/// Digits alone; a number beyond all sizes counts as the greatest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    const TAG: &str = "\"abc\"";

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn one_range_is_cut_out_and_what_is_none_gets_the_whole() {
        for (range, expected) in [
            ("bytes=0-0", Wanted::Part(0..1)),
            ("bytes=0-", Wanted::Part(0..10)),
            ("Bytes = 3-5", Wanted::Part(3..6)),
            ("bytes=9-9", Wanted::Part(9..10)),
            ("bytes=5-99999999999999999999999", Wanted::Part(5..10)),
            ("bytes=-3", Wanted::Part(7..10)),
            ("bytes=-10", Wanted::Part(0..10)),
            ("bytes=-11", Wanted::Part(0..10)),
            ("bytes=10-", Wanted::Nothing),
            ("bytes=10-20", Wanted::Nothing),
            ("bytes=-0", Wanted::Nothing),
            ("bytes=99999999999999999999999-", Wanted::Nothing),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,3-4", Wanted::All),
            ("bytes=", Wanted::All),
            ("bytes=-", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("bytes=--1", Wanted::All),
            ("items=0-1", Wanted::All),
            ("0-1", Wanted::All),
        ] {
            assert_eq!(wanted(&headers(&[(RANGE, range)]), TAG, 10), expected, "{range}");
        }
        assert_eq!(wanted(&HeaderMap::new(), TAG, 10), Wanted::All);
        let twice = headers(&[(RANGE, "bytes=0-1"), (RANGE, "bytes=2-3")]);
        assert_eq!(wanted(&twice, TAG, 10), Wanted::All);
    }

    #[test]
    fn a_range_holds_only_for_the_file_that_the_client_knows() {
        for (known, expected) in [
            (TAG, Wanted::Part(0..2)),
            ("\"abd\"", Wanted::All),
            ("W/\"abc\"", Wanted::All),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Wanted::All),
        ] {
            let headers = headers(&[(RANGE, "bytes=0-1"), (IF_RANGE, known)]);
            assert_eq!(wanted(&headers, TAG, 10), expected, "{known}");
        }
    }

    #[test]
    fn what_the_client_has_is_known_by_any_of_its_tags() {
        for (known, expected) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("\"x\"", false),
            ("abc", false),
        ] {
            assert_eq!(is_known(&headers(&[(IF_NONE_MATCH, known)]), TAG), expected, "{known}");
        }
    }
}
