//! Media types, and which one a body is in.
//!
//! UTF-8 only: a `charset` that is anything else is no match (GraphQL over HTTP, section 4.1; RFC 9110, section 12.5.1).

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

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
    /// The value of `Content-Type`.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        }
    }

    pub(super) const fn essence(self) -> &'static str {
        match self {
            Self::GraphQlResponse => "application/graphql-response+json",
            Self::Json => "application/json",
        }
    }
}

/// Checks that a body is JSON in UTF-8.
///
/// # Errors
/// [`Code::UnsupportedMediaType`] when it is anything else, or does not say, or is compressed: nothing that arrives is unpacked.
pub(crate) fn expect_json(headers: &HeaderMap) -> Result<(), Outcome> {
    if headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        return Err(Outcome::refused(
            Code::UnsupportedMediaType,
            "the body must not be compressed: content-encoding is not accepted",
        ));
    }
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

/// A media type or range with the parameters that matter here.
pub(super) struct Range<'a> {
    pub(super) essence: &'a str,
    /// False for a `charset` that is anything but UTF-8.
    pub(super) utf8: bool,
    /// In thousandths.
    pub(super) quality: u16,
    /// The version of the protocol inside, such as `deferSpec=20220824`, in lower case.
    pub(super) protocol: Option<String>,
}

impl<'a> Range<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let mut range = Self { essence, utf8: true, quality: 1000, protocol: None };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("charset") {
                range.utf8 = ["utf-8", "utf8"].iter().any(|utf8| value.eq_ignore_ascii_case(utf8));
            } else if name.eq_ignore_ascii_case("q") {
                range.quality = thousandths(value);
            } else if ["deferSpec", "incrementalSpec", "subscriptionSpec"]
                .iter()
                .any(|spec| name.eq_ignore_ascii_case(spec))
            {
                range.protocol = Some(format!("{name}={value}").to_ascii_lowercase());
            }
        }
        range
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
        for (encoding, fine) in [("identity", true), ("gzip", false), ("br", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            assert_eq!(expect_json(&headers).is_ok(), fine, "{encoding}");
        }
    }
}
