//! How long an answer may be kept, and by whom: each subgraph says it of its own answer, and the strictest of them holds for the whole.
//!
//! As with Apollo's `@cacheControl`, whoever says nothing does not want to be kept. Only answers to GET that are without errors are kept at
//! all; they have a strong `ETag`, and whoever has them already is told so in place of being sent them again.

use std::time::Duration;

use async_graphql::CacheControl;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use sha2::{Digest, Sha256};

/// What two encodings of the same answer are told apart by, after its tag.
const ENCODINGS: [&str; 4] = ["gzip", "br", "deflate", "zstd"];

/// How long an answer may be kept, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct CachePolicy {
    /// In seconds; 0 for not at all.
    max_age: u32,
    /// Whether it is the same for everybody.
    public: bool,
}

impl CachePolicy {
    /// What a subgraph in this process says.
    pub(crate) fn of_hint(hint: &CacheControl) -> Self {
        Self { max_age: hint.max_age.try_into().unwrap_or(0), public: hint.public }
    }

    /// What a subgraph says by the header `cache-control`. Only what is called public is for everybody.
    pub(crate) fn of_headers(headers: &HeaderMap) -> Self {
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        let mut policy = Self::default();
        for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
            let directive = directive.to_ascii_lowercase();
            match directive.as_str() {
                "public" => policy.public = true,
                "no-store" | "no-cache" => return Self::default(),
                other => {
                    let seconds = other.strip_prefix("max-age=").map(str::parse);
                    policy.max_age = seconds.map_or(policy.max_age, Result::unwrap_or_default);
                }
            }
        }
        policy
    }

    /// What holds for an answer that is made of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self { max_age: self.max_age.min(other.max_age), public: self.public && other.public }
    }

    /// Whether an answer may be kept at all.
    pub(crate) fn allows_keeping(self) -> bool {
        self.max_age > 0
    }

    /// Whether an answer is the same for everybody.
    pub(crate) fn is_for_everybody(self) -> bool {
        self.public
    }

    /// What is left of it for an answer that was kept so long already.
    pub(crate) fn after(self, age: Duration) -> Self {
        let age = u32::try_from(age.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Self { max_age: self.max_age.saturating_sub(age), ..self }
    }

    /// The value of `cache-control`.
    pub(crate) fn header(self) -> HeaderValue {
        let scope = if self.public { "public" } else { "private" };
        let value = HeaderValue::try_from(format!("{scope}, max-age={}", self.max_age));
        // Letters and digits always make one.
        value.unwrap_or(HeaderValue::from_static("no-store"))
    }

    /// What else of a request the answer depends on: who asks, unless it is for everybody.
    fn varies_by(self) -> HeaderValue {
        let headers = if self.public { "accept" } else { "accept, authorization, cookie" };
        HeaderValue::from_static(headers)
    }
}

/// An answer that was kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    /// The JSON of its data.
    pub(crate) data: Bytes,
    /// How much longer it may be kept.
    pub(crate) policy: CachePolicy,
}

/// A body whose bytes can be looked at.
pub(crate) trait Bytewise: Default {
    /// The bytes, in pieces.
    fn pieces(&self) -> impl Iterator<Item = &[u8]>;
}

/// Whether an answer with this policy may be kept, being one to this method.
pub(crate) fn may_be_kept(method: &Method, policy: Option<&CachePolicy>) -> bool {
    policy.is_some() && matches!(*method, Method::GET | Method::HEAD)
}

/// Says of an answer how long it may be kept, where its extensions hold a policy and the request was a GET. An answer that the client has
/// already becomes 304.
pub(crate) fn for_keeping<B: Bytewise>(
    method: &Method,
    asked: &HeaderMap,
    mut answer: Response<B>,
) -> Response<B> {
    let policy = answer.extensions_mut().remove::<CachePolicy>();
    let Some(policy) = policy.filter(|policy| may_be_kept(method, Some(policy))) else {
        return answer;
    };
    let tag = tag(&answer);
    let known = asked
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|known| *known == "*" || names(known, &tag));
    // A tag that names an encoding stays the one that the client has.
    let shown = known.map(|known| known.trim_start_matches("W/")).filter(|known| *known != "*");
    let shown = HeaderValue::try_from(shown.unwrap_or(&tag));
    if known.is_some() {
        *answer.body_mut() = B::default();
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        answer.headers_mut().remove(CONTENT_TYPE);
    }
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, policy.header());
    headers.append(VARY, policy.varies_by());
    if let Ok(tag) = shown {
        headers.insert(ETAG, tag);
    }
    answer
}

/// Gives the encoded form of an answer a tag of its own: a strong one names bytes.
pub(crate) fn tag_encoding(headers: &mut HeaderMap) {
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    let tag = headers.get(ETAG).and_then(|value| value.to_str().ok());
    let Some((encoding, tag)) = encoding.zip(tag) else { return };
    let bare = tag.strip_suffix('"').filter(|_| tag.starts_with('"'));
    let encoded = bare.map(|bare| HeaderValue::try_from(format!("{bare}-{encoding}\"")));
    if let Some(Ok(encoded)) = encoded {
        headers.insert(ETAG, encoded);
    }
}

/// The strong tag of an answer: of its bytes and their media type.
fn tag<B: Bytewise>(answer: &Response<B>) -> String {
    let mut digest = Sha256::new();
    if let Some(media_type) = answer.headers().get(CONTENT_TYPE) {
        digest.update(media_type);
    }
    digest.update([0]);
    answer.body().pieces().for_each(|piece| digest.update(piece));
    let digest = <[u8; 32]>::from(digest.finalize());
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&digest[..18]))
}

/// Whether what a client has is the answer of this tag, in whichever encoding. It compares weakly, as it must (RFC 9110, 13.1.2).
fn names(known: &str, tag: &str) -> bool {
    let known = known.trim_start_matches("W/");
    let bare = tag.trim_end_matches('"');
    known.strip_prefix(bare).is_some_and(|rest| {
        let encoding = rest.strip_suffix('"').map(|encoding| encoding.trim_start_matches('-'));
        encoding.is_some_and(|encoding| encoding.is_empty() || ENCODINGS.contains(&encoding))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static(value))])
    }

    fn policy(max_age: u32, public: bool) -> CachePolicy {
        CachePolicy { max_age, public }
    }

    #[test]
    fn a_header_says_how_long_and_by_whom() {
        for (value, expected) in [
            ("public, max-age=60", policy(60, true)),
            ("max-age=60", policy(60, false)),
            ("Private,MAX-AGE=7", policy(7, false)),
            ("public", policy(0, true)),
            ("public, max-age=60, no-store", policy(0, false)),
            ("max-age=60, no-cache", policy(0, false)),
            ("public, max-age=-1", policy(0, true)),
            ("public, max-age=soon", policy(0, true)),
            ("", policy(0, false)),
        ] {
            assert_eq!(CachePolicy::of_headers(&headers(value)), expected, "{value}");
        }
        assert_eq!(CachePolicy::of_headers(&HeaderMap::new()), policy(0, false));
        for kept in [policy(60, true), policy(1, false)] {
            let told = HeaderMap::from_iter([(CACHE_CONTROL, kept.header())]);
            assert_eq!(CachePolicy::of_headers(&told), kept);
        }
    }

    #[test]
    fn a_hint_of_no_caching_is_none() {
        let hint = |max_age| CachePolicy::of_hint(&CacheControl { public: true, max_age });
        assert_eq!(
            (hint(-1), hint(0), hint(5)),
            (policy(0, true), policy(0, true), policy(5, true))
        );
    }

    #[test]
    fn the_strictest_holds() {
        assert_eq!(policy(60, true).and(policy(30, false)), policy(30, false));
        assert_eq!(policy(60, true).and(CachePolicy::default()), policy(0, false));
    }

    #[test]
    fn what_was_kept_already_counts() {
        let left = |milliseconds| policy(3, true).after(Duration::from_millis(milliseconds));
        assert_eq!(
            (left(0), left(1), left(2000)),
            (policy(3, true), policy(2, true), policy(1, true))
        );
        assert!(!left(2001).allows_keeping() && !left(u64::MAX).allows_keeping());
    }

    #[test]
    fn a_tag_is_known_in_any_encoding_and_no_other_tag_is() {
        for known in ["\"abc\"", "W/\"abc\"", "\"abc-gzip\"", "\"abc-br\""] {
            assert!(names(known, "\"abc\""), "{known}");
        }
        for other in ["\"ab\"", "\"abcd\"", "abc", "\"abc", "\"abc-other\"", "", "\"\""] {
            assert!(!names(other, "\"abc\""), "{other}");
        }
    }
}
