//! Who is asking: makes a viewer from the access token that a request carries.
//!
//! The token comes in `Authorization: Bearer`, or in a cookie; when both are there the header counts. A request without either is
//! anonymous. Refused: a token that is not ours, has expired, or whose session was ended, and a GET request that is recognised by a
//! cookie only, because another site's page can make the visitor's browser send one.

use std::sync::Arc;

use common::revocation::Revocations;
use common::token::{AccessTokens, TokenError};
use common::{Clock, Viewer};
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::code::Code;
use crate::outcome::Outcome;

/// Headers that a page of another site cannot send without asking first (a CORS preflight).
const NOT_SIMPLE: [&str; 3] =
    ["apollo-require-preflight", "x-apollo-operation-name", "x-spacey-csrf"];

/// Who is asking, and until when that may be believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    /// Nobody when the request is anonymous.
    pub(crate) viewer: Option<Viewer>,
    expires: Option<Timestamp>,
}

/// Recognises viewers.
#[derive(Debug)]
pub(crate) struct Authenticator {
    tokens: Arc<AccessTokens>,
    revocations: Arc<Revocations>,
    clock: Clock,
    cookie: &'static str,
    /// Makes a browser forget the cookie.
    forget: HeaderValue,
}

impl Authenticator {
    pub(crate) fn new(
        tokens: Arc<AccessTokens>,
        revocations: Arc<Revocations>,
        clock: Clock,
        secure_cookies: bool,
    ) -> Self {
        let (cookie, forget) = if secure_cookies {
            (
                "__Host-spacey-access",
                "__Host-spacey-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
            )
        } else {
            ("spacey-access", "spacey-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")
        };
        Self { tokens, revocations, clock, cookie, forget: HeaderValue::from_static(forget) }
    }

    /// The viewer, or nobody, and until when.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] when there are credentials and they are not good, [`Code::CsrfPrevention`] when they are but the
    /// request may not be the viewer's own.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        by_safe_method: bool,
    ) -> Result<Identity, Outcome> {
        if headers.contains_key(AUTHORIZATION) {
            let token = bearer(headers).ok_or_else(|| {
                Outcome::unauthenticated(
                    "the header authorization must be Bearer and an access token",
                )
            })?;
            return self.verify(token).map_err(Outcome::unauthenticated);
        }
        let Some(token) = cookie(headers, self.cookie) else {
            return Ok(Identity::default());
        };
        let identity = self.verify(token).map_err(|reason| {
            // A page cannot remove this cookie itself, and could not even sign in again while it is there.
            Outcome::unauthenticated(reason).with_header(SET_COOKIE, self.forget.clone())
        })?;
        if by_safe_method && !NOT_SIMPLE.iter().any(|name| headers.contains_key(*name)) {
            return Err(Outcome::refused(
                Code::CsrfPrevention,
                "a GET request with a cookie needs one of the headers apollo-require-preflight, \
                 x-apollo-operation-name, x-spacey-csrf: with it, no other site's page can send it unasked",
            ));
        }
        Ok(identity)
    }

    /// Whether what was believed at the start of a long answer may still be.
    pub(crate) fn is_still_good(&self, identity: &Identity) -> bool {
        let expired = identity.expires.is_some_and(|expires| expires <= self.clock.now());
        let revoked = |viewer: &Viewer| self.revocations.is_revoked(viewer.session);
        !expired && !identity.viewer.as_ref().is_some_and(revoked)
    }

    fn verify(&self, token: &str) -> Result<Identity, String> {
        let (viewer, expires) = self
            .tokens
            .verify_until(token, self.clock.now())
            .map_err(|error: TokenError| error.to_string())?;
        if self.revocations.is_revoked(viewer.session) {
            return Err("the session was ended: sign in again".into());
        }
        Ok(Identity { viewer: Some(viewer), expires: Some(expires) })
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"'))
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use common::token::ACCESS_TOKEN_LIFETIME;
    use common::{Roles, SessionId, UserId};

    use super::*;

    struct Setup {
        authenticator: Authenticator,
        clock: Clock,
        viewer: Viewer,
        token: String,
    }

    fn setup() -> Setup {
        let tokens = AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap();
        let clock = Clock::manual(Clock::System.now());
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        let (token, _) = tokens.issue(&viewer, clock.now()).unwrap();
        let revocations = Arc::new(Revocations::new(clock.clone()));
        let authenticator = Authenticator::new(Arc::new(tokens), revocations, clock.clone(), true);
        Setup { authenticator, clock, viewer, token }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            })
            .collect()
    }

    fn code(result: Result<Identity, Outcome>) -> Option<Code> {
        result.unwrap_err().code()
    }

    #[test]
    fn without_credentials_a_request_is_anonymous() {
        let Setup { authenticator, .. } = setup();
        assert_eq!(authenticator.authenticate(&HeaderMap::new(), true).unwrap().viewer, None);
        let other = headers(&[("cookie", "theme=dark; spacey-access=insecure-name")]);
        assert_eq!(authenticator.authenticate(&other, false).unwrap().viewer, None);
    }

    #[test]
    fn header_and_cookie_are_read_and_the_header_counts() {
        let Setup { authenticator, viewer, token, .. } = setup();
        let cookie = format!("a=b; __Host-spacey-access={token}");
        let bearer = format!("bearer {token}");
        for pairs in [
            vec![("authorization", bearer.as_str())],
            vec![("cookie", cookie.as_str())],
            vec![("authorization", bearer.as_str()), ("cookie", "__Host-spacey-access=bad")],
        ] {
            let found = authenticator.authenticate(&headers(&pairs), false).unwrap();
            assert_eq!(found.viewer.as_ref(), Some(&viewer), "{pairs:?}");
        }
        let both = headers(&[("authorization", "Bearer bad"), ("cookie", &cookie)]);
        assert_eq!(code(authenticator.authenticate(&both, false)), Some(Code::Unauthenticated));
    }

    #[test]
    fn what_is_not_good_is_refused() {
        let Setup { authenticator, clock, viewer, token } = setup();
        for value in ["Bearer", "Bearer ", "Bearer x.y.z", "Basic dTpw", "", &token] {
            let headers = headers(&[("authorization", value)]);
            let result = authenticator.authenticate(&headers, false);
            assert_eq!(code(result), Some(Code::Unauthenticated), "{value}");
        }
        let good = headers(&[("authorization", &format!("Bearer {token}"))]);
        let until = clock.now() + ACCESS_TOKEN_LIFETIME;
        authenticator.revocations.revoke(viewer.session, until);
        assert_eq!(code(authenticator.authenticate(&good, false)), Some(Code::Unauthenticated));

        let (token, _) = authenticator
            .tokens
            .issue(&Viewer { session: SessionId::new(), ..viewer }, clock.now())
            .unwrap();
        let good = headers(&[("authorization", &format!("Bearer {token}"))]);
        assert!(authenticator.authenticate(&good, false).is_ok());
        clock.advance(ACCESS_TOKEN_LIFETIME);
        assert_eq!(code(authenticator.authenticate(&good, false)), Some(Code::Unauthenticated));
    }

    #[test]
    fn a_bad_cookie_is_refused_and_removed() {
        let Setup { authenticator, .. } = setup();
        let stale = headers(&[("cookie", "__Host-spacey-access=stale")]);
        let Err(Outcome::Refused(refusal)) = authenticator.authenticate(&stale, false) else {
            panic!()
        };
        let (name, value) = refusal.headers.last().unwrap();
        assert_eq!(name, SET_COOKIE);
        assert!(value.to_str().unwrap().starts_with("__Host-spacey-access=; Path=/; Max-Age=0"));
    }

    #[test]
    fn a_get_request_by_cookie_must_not_be_simple() {
        let Setup { authenticator, viewer, token, .. } = setup();
        let cookie = format!("__Host-spacey-access={token}");
        let simple = headers(&[("cookie", &cookie)]);
        assert_eq!(code(authenticator.authenticate(&simple, true)), Some(Code::CsrfPrevention));
        for name in NOT_SIMPLE {
            let headers = headers(&[("cookie", &cookie), (name, "1")]);
            let found = authenticator.authenticate(&headers, true).unwrap();
            assert_eq!(found.viewer.as_ref(), Some(&viewer));
        }
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(authenticator.authenticate(&by_header, true).unwrap().viewer, Some(viewer));
    }

    #[test]
    fn what_was_believed_ends_with_the_token_or_the_session() {
        let Setup { authenticator, clock, viewer, token } = setup();
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        let identity = authenticator.authenticate(&by_header, false).unwrap();
        assert!(authenticator.is_still_good(&identity));
        assert!(authenticator.is_still_good(&Identity::default()));
        clock.advance(ACCESS_TOKEN_LIFETIME);
        assert!(!authenticator.is_still_good(&identity));

        let (token, until) = authenticator.tokens.issue(&viewer, clock.now()).unwrap();
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        let identity = authenticator.authenticate(&by_header, false).unwrap();
        authenticator.revocations.revoke(viewer.session, until);
        assert!(!authenticator.is_still_good(&identity));
    }
}
