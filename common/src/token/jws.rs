//! Reading a JWT: its form, its signature by one key, and the claims that every token must have.
//!
//! Follows RFC 7519 and RFC 8725 (best current practices). Refused: tokens longer than [`MAX_TOKEN`], other than three parts, members
//! that are there twice, a header with `crit`, an algorithm other than the key's, and what lacks `iss`, `aud` or `exp`. The headers `jku`,
//! `jwk`, `x5u` and `x5c`, by which a token could bring its own key, are never looked at.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::TokenError;

/// The longest token that is read, in bytes.
pub const MAX_TOKEN: usize = 8 << 10;
/// The longest name of a key, in bytes.
const MAX_KID: usize = 256;

/// What a token says.
pub type Claims = Map<String, Value>;

/// A token of the right form. Nothing it says may be believed yet.
#[derive(Debug)]
pub struct Unverified<'a> {
    token: &'a str,
    payload: &'a str,
    algorithm: String,
    kid: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads the header of a token.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it has not the form of a signed JWT, or asks for what is not understood here.
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN {
            return Err(TokenError::Invalid);
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Invalid);
        };
        let Distinct(mut header) = decoded(header)?;
        if header.contains_key("crit") {
            return Err(TokenError::Invalid);
        }
        let Some(Value::String(algorithm)) = header.remove("alg") else {
            return Err(TokenError::Invalid);
        };
        let kid = match header.remove("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID => Some(kid),
            Some(_) => return Err(TokenError::Invalid),
        };
        Ok(Self { token, payload, algorithm, kid })
    }

    /// The name of the key that signed it, as it says.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Who issued it, as it says.
    #[must_use]
    pub fn issuer(&self) -> Option<String> {
        let Distinct(mut claims) = decoded(self.payload).ok()?;
        match claims.remove("iss") {
            Some(Value::String(issuer)) => Some(issuer),
            _ => None,
        }
    }

    /// What it says, if it was signed by `key`, which is for `algorithm` alone.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it names another algorithm or was not signed by that key.
    pub fn verify(self, algorithm: Algorithm, key: &DecodingKey) -> Result<Claims, TokenError> {
        if name(algorithm) != Some(&*self.algorithm) {
            return Err(TokenError::Invalid);
        }
        // The library checks the signature. Times are compared with the clock that is handed in, by `Expected::check`.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        let Distinct(claims) = jsonwebtoken::decode(self.token, key, &validation)
            .map(|data| data.claims)
            .map_err(|_| TokenError::Invalid)?;
        Ok(claims)
    }
}

/// What must be said by every token that is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Who must have issued it.
    pub issuer: &'a str,
    /// Whom it must be for, among others perhaps.
    pub audience: &'a str,
    /// How far the issuer's clock may be from ours.
    pub leeway: SignedDuration,
}

impl Expected<'_> {
    /// When what `claims` say is good no more.
    ///
    /// # Errors
    /// [`TokenError::Expired`] when that was before `now`; [`TokenError::Invalid`] when it is not good yet, is of another issuer or for
    /// another audience, or does not say until when it is good.
    pub fn check(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, TokenError> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let for_us = match claims.get("aud") {
            Some(Value::String(audience)) => audience == self.audience,
            Some(Value::Array(audiences)) => {
                audiences.iter().any(|audience| audience.as_str() == Some(self.audience))
            }
            _ => false,
        };
        if text("iss") != Some(self.issuer) || !for_us {
            return Err(TokenError::Invalid);
        }
        if let Some(not_before) = claims.get("nbf") {
            let earliest = moment(not_before)?.saturating_sub(self.leeway);
            if earliest.map_err(|_| TokenError::Invalid)?.as_second() > now.as_second() {
                return Err(TokenError::Invalid);
            }
        }
        let expires = moment(claims.get("exp").ok_or(TokenError::Invalid)?)?;
        let last = expires.saturating_add(self.leeway).map_err(|_| TokenError::Invalid)?;
        if last.as_second() > now.as_second() { Ok(last) } else { Err(TokenError::Expired) }
    }
}

/// Seconds since 1970, perhaps with a fraction, which is dropped (RFC 7519, section 2, "NumericDate").
fn moment(value: &Value) -> Result<Timestamp, TokenError> {
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        #[expect(clippy::cast_possible_truncation, reason = "what does not fit is refused below")]
        None => value.as_f64().ok_or(TokenError::Invalid)? as i64,
    };
    Timestamp::from_second(seconds).map_err(|_| TokenError::Invalid)
}

fn decoded(part: &str) -> Result<Distinct, TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Invalid)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Invalid)
}

/// The algorithms that are used here, as `alg` names them.
const fn name(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::RS256 => "RS256",
        Algorithm::ES256 => "ES256",
        Algorithm::EdDSA => "EdDSA",
        _ => return None,
    })
}

/// A JSON object none of whose members is there twice: of two, one reader takes the first and another the last.
struct Distinct(Claims);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Distinct;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Distinct, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(de::Error::custom("a member is there twice"));
                    }
                }
                Ok(Distinct(claims))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const SECRET: &[u8] = b"a secret of thirty-two characters";
    const EXPECTED: Expected<'_> =
        Expected { issuer: "us", audience: "here", leeway: SignedDuration::from_secs(30) };

    fn check(claims: Value) -> Result<Timestamp, TokenError> {
        let Value::Object(claims) = claims else { panic!() };
        EXPECTED.check(&claims, Timestamp::from_second(1000).unwrap())
    }

    #[test]
    fn times_are_compared_with_leeway_at_the_bound() {
        let until = |exp: Value| check(json!({ "iss": "us", "aud": "here", "exp": exp }));
        assert_eq!(until(json!(971)).map(Timestamp::as_second), Ok(1001));
        assert_eq!(until(json!(970)), Err(TokenError::Expired));
        assert_eq!(until(json!(971.9)).map(Timestamp::as_second), Ok(1001));
        for bad in [json!(null), json!("2000"), json!(1e300), json!([2000]), json!(i64::MAX)] {
            assert_eq!(until(bad.clone()), Err(TokenError::Invalid), "{bad}");
        }
        let from = |nbf: Value| {
            check(json!({ "iss": "us", "aud": "here", "exp": 2000, "nbf": nbf })).is_ok()
        };
        assert!(from(json!(1030)) && !from(json!(1031)) && !from(json!("0")) && !from(json!(null)));
    }

    #[test]
    fn issuer_audience_and_expiry_must_be_there_and_ours() {
        assert!(check(json!({ "iss": "us", "aud": ["there", "here"], "exp": 2000 })).is_ok());
        for claims in [
            json!({ "iss": "us", "aud": "here" }),
            json!({ "aud": "here", "exp": 2000 }),
            json!({ "iss": "us", "exp": 2000 }),
            json!({ "iss": "them", "aud": "here", "exp": 2000 }),
            json!({ "iss": ["us"], "aud": "here", "exp": 2000 }),
            json!({ "iss": "us", "aud": "there", "exp": 2000 }),
            json!({ "iss": "us", "aud": [], "exp": 2000 }),
            json!({ "iss": "us", "aud": { "here": true }, "exp": 2000 }),
        ] {
            assert_eq!(check(claims.clone()), Err(TokenError::Invalid), "{claims}");
        }
    }

    #[test]
    fn a_token_is_read_by_the_algorithm_of_its_key_alone() {
        let header = Header { kid: Some("k".into()), ..Header::new(Algorithm::HS256) };
        let claims = json!({ "iss": "us", "a": 1 });
        let token =
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(SECRET)).unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!((unverified.kid(), unverified.issuer().as_deref()), (Some("k"), Some("us")));
        let key = DecodingKey::from_secret(SECRET);
        assert_eq!(Value::Object(unverified.verify(Algorithm::HS256, &key).unwrap()), claims);
        for algorithm in [Algorithm::HS384, Algorithm::EdDSA, Algorithm::RS256] {
            let unverified = Unverified::parse(&token).unwrap();
            assert_eq!(unverified.verify(algorithm, &key), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn what_has_not_the_form_of_a_token_is_refused() {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for header in [
            r#"{"alg":"HS256","alg":"none"}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","crit":null}"#,
            r#"{"alg":7}"#,
            r#"{"kid":"k"}"#,
            r#"{"alg":"HS256","kid":{}}"#,
            &format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(257)),
            "[]",
            "\"\"",
        ] {
            let token = format!("{}.{}.c2ln", part(header), part("{}"));
            assert_eq!(Unverified::parse(&token).err(), Some(TokenError::Invalid), "{header}");
        }
        let good = format!("{}.{}.c2ln", part(r#"{"alg":"HS256"}"#), part("{}"));
        assert!(Unverified::parse(&good).is_ok());
        for token in ["", "..", &format!("{good}."), &good.repeat(1000), &format!("={good}")] {
            assert_eq!(Unverified::parse(token).err(), Some(TokenError::Invalid), "{token:.40}");
        }
    }
}
