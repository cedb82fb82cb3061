//! Media types: which one a body is in, and which one the answer may be in.
//!
//! UTF-8 only: a `charset` that is anything else is no match (GraphQL over HTTP, section 4.1; RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use crate::code::Code;
use crate::outcome::Outcome;

/// The media type of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// `application/json`, what a client gets that does not care: it may know of nothing newer.
    Json,
    /// `application/graphql-response+json`, for those who ask for it.
    GraphQlResponse,
}

impl MediaType {
    const ALL: [Self; 2] = [Self::Json, Self::GraphQlResponse];

    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    const fn essence(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }
}

/// The media type to answer in: the one the client likes best, of two that it likes equally the one it names first,
/// and JSON where it names none.
///
/// # Errors
/// [`Code::NotAcceptable`] when it accepts neither.
pub(crate) fn negotiate(headers: &HeaderMap) -> Result<MediaType, Outcome> {
    if !headers.contains_key(ACCEPT) {
        return Ok(MediaType::Json);
    }
    let ranges: Vec<Range<'_>> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(Range::parse)
        .collect();
    let mut best: Option<(Rank, MediaType)> = None;
    for media_type in MediaType::ALL {
        if let Some(rank) = Rank::of(media_type, &ranges)
            && best.as_ref().is_none_or(|(known, _)| rank.is_better_than(known))
        {
            best = Some((rank, media_type));
        }
    }
    best.map(|(_, media_type)| media_type).ok_or_else(|| {
        Outcome::refused(
            Code::NotAcceptable,
            "the answer is application/graphql-response+json or application/json in UTF-8: accept one of them",
        )
    })
}

/// Checks that a body is JSON in UTF-8.
///
/// # Errors
/// [`Code::UnsupportedMediaType`] when it is anything else, or does not say.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Outcome> {
    let fine =
        headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let range = Range::parse(value);
            range.essence.eq_ignore_ascii_case(MediaType::Json.essence()) && range.utf8
        });
    if fine {
        return Ok(());
    }
    Err(Outcome::refused(
        Code::UnsupportedMediaType,
        "the content-type of the body must be application/json in UTF-8",
    ))
}

/// How much a client likes a media type.
struct Rank {
    /// 1 to 1000.
    quality: u16,
    /// Where the client names it.
    position: usize,
}

impl Rank {
    /// By the most specific range that matches; `None` when there is none or it says no.
    fn of(media_type: MediaType, ranges: &[Range<'_>]) -> Option<Self> {
        let (position, range) = ranges
            .iter()
            .enumerate()
            .filter(|(_, range)| range.utf8 && range.specificity(media_type) > 0)
            .max_by_key(|(position, range)| {
                (range.specificity(media_type), std::cmp::Reverse(*position))
            })?;
        (range.quality > 0).then_some(Self { quality: range.quality, position })
    }

    fn is_better_than(&self, other: &Self) -> bool {
        self.quality > other.quality
            || (self.quality == other.quality && self.position < other.position)
    }
}

/// A media type or range with the parameters that matter here.
struct Range<'a> {
    essence: &'a str,
    utf8: bool,
    /// In thousandths.
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let mut range =
            Self { essence: parts.next().unwrap_or_default(), utf8: true, quality: 1000 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("charset") {
                range.utf8 = ["utf-8", "utf8"].iter().any(|utf8| value.eq_ignore_ascii_case(utf8));
            } else if name.eq_ignore_ascii_case("q") {
                range.quality = thousandths(value);
            }
        }
        range
    }

    /// 0 when it does not match, else the greater the more it says.
    fn specificity(&self, media_type: MediaType) -> u8 {
        let is = |essence: &str| self.essence.eq_ignore_ascii_case(essence);
        if is(media_type.essence()) {
            3
        } else if is("application/*") {
            2
        } else {
            u8::from(is("*/*"))
        }
    }
}

/// A quality value; one that cannot be read counts as 0.
fn thousandths(value: &str) -> u16 {
    match value.parse::<f32>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        Ok(quality) if (0.0..=1.0).contains(&quality) => (quality * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn chosen(accept: &str) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        negotiate(&headers).ok()
    }

    #[test]
    fn the_answer_is_in_what_the_client_likes_best() {
        use MediaType::{GraphQlResponse, Json};
        for (accept, expected) in [
            ("application/json", Some(Json)),
            ("application/json; charset=UTF-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphQlResponse)),
            ("APPLICATION/GraphQL-Response+JSON;charset=\"utf-8\"", Some(GraphQlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphQlResponse)),
            ("application/graphql-response+json;q=0.2, application/json;q=0.9", Some(Json)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some(Json)),
            ("*/*;q=0.1, application/json", Some(Json)),
            ("application/graphql-response+json;q=0, */*", Some(Json)),
            ("application/json;q=0", None),
            ("application/json; charset=utf-16", None),
            ("text/html", None),
            ("", None),
            ("application/json;q=seven", None),
        ] {
            assert_eq!(chosen(accept), expected, "{accept}");
        }
    }

    #[test]
    fn without_accept_it_is_json() {
        assert_eq!(negotiate(&HeaderMap::new()).unwrap(), MediaType::Json);
    }

    #[test]
    fn several_accept_headers_are_one() {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, HeaderValue::from_static("text/html"));
        headers.append(ACCEPT, HeaderValue::from_static("application/json"));
        assert_eq!(negotiate(&headers).unwrap(), MediaType::Json);
    }

    #[test]
    fn a_body_must_be_json_in_utf_8() {
        for (content_type, fine) in [
            ("application/json", true),
            ("Application/JSON; Charset=\"UTF-8\"", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/graphql", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            assert_eq!(expect_json(&headers).is_ok(), fine, "{content_type}");
        }
        assert!(expect_json(&HeaderMap::new()).is_err());
    }
}
