//! Who is asking: makes a viewer from the access token that a request carries.
//!
//! The token is one of ours, or of another issuer that is set (`issuer`). It comes in `Authorization: Bearer`, or in a cookie; when both are
//! there the header counts, and there an API key may stand in the token's place. A request without either is anonymous. Refused: a token or key
//! that is not ours, has expired, or was revoked, and a GET request that is recognised by a cookie only, because another site's page
//! can make the visitor's browser send one.

mod credentials;
mod issuer;

use std::sync::Arc;

use common::api_key::{KEY_BEGINNING, KeyVerifier, can_be_key};
use common::revocation::Revocations;
use common::token::jws::Unverified;
use common::token::{ACCESS_TOKEN_LIFETIME, Accepted, AccessTokens, TokenError};
use common::vouched::{Admission, Admissions, Vouched};
use common::{Client, Clock, EndpointError, RefreshCookie, Roles, Viewer};
use http::header::{AUTHORIZATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::code::Code;
use crate::error::chain;
use crate::outcome::Outcome;
use credentials::cookie;
pub(crate) use credentials::{bearer, may_be_known};
use issuer::Issuer;
pub use issuer::{IssuerError, IssuerSettings, KeyFetchSettings};

/// Headers that a page of another site cannot send without asking first (a CORS preflight).
const NOT_SIMPLE: [&str; 3] =
    ["apollo-require-preflight", "x-apollo-operation-name", "x-spacey-csrf"];

fn is_simple(headers: &HeaderMap) -> bool {
    !NOT_SIMPLE.iter().any(|name| headers.contains_key(*name))
}

/// Refuses a form that any other site's page could send.
///
/// # Errors
/// [`Code::CsrfPrevention`].
pub(crate) fn refuse_simple(headers: &HeaderMap) -> Result<(), Outcome> {
    if is_simple(headers) {
        return Err(Outcome::refused(
            Code::CsrfPrevention,
            "a form needs one of the headers apollo-require-preflight, x-apollo-operation-name, \
             x-spacey-csrf: with it, no other site's page can send it unasked",
        ));
    }
    Ok(())
}

/// Who is asking, and until when that may be believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    /// Nobody when the request is anonymous.
    pub(crate) viewer: Option<Viewer>,
    /// Whether an API key says so: then its scopes say what it may be used for.
    pub(crate) by_key: bool,
    pub(crate) expires: Option<Timestamp>,
}

/// What viewers are recognised by.
#[derive(Debug, Clone)]
pub struct Recognition {
    /// This installation's own tokens; none where only others issue them.
    pub tokens: Option<Arc<AccessTokens>>,
    /// Whoever knows its API keys; none where there are no such keys.
    pub keys: Option<Arc<dyn KeyVerifier>>,
    /// Whoever keeps accounts of people for whom another issuer vouches; none where they have none.
    pub admissions: Option<Arc<dyn Admissions>>,
    /// The sessions, of keys too, that are good no more.
    pub revocations: Arc<Revocations>,
    /// Says whether something has expired.
    pub clock: Clock,
}

/// Recognises viewers.
#[derive(Debug)]
pub(crate) struct Authenticator {
    tokens: Option<Arc<AccessTokens>>,
    keys: Option<Arc<dyn KeyVerifier>>,
    admissions: Option<Arc<dyn Admissions>>,
    revocations: Arc<Revocations>,
    clock: Clock,
    issuers: Vec<Issuer>,
    cookie: &'static str,
    refresh_cookie: &'static str,
    /// Makes a browser forget the cookie.
    forget: HeaderValue,
}

impl Authenticator {
    /// # Errors
    /// [`IssuerError`] when an issuer cannot be used.
    pub(crate) fn new(
        by: Recognition,
        issuers: Vec<IssuerSettings>,
        secure_cookies: bool,
    ) -> Result<Self, IssuerError> {
        let (cookie, refresh_cookie, forget) = if secure_cookies {
            (
                "__Host-spacey-access",
                "__Host-spacey-refresh",
                "__Host-spacey-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
            )
        } else {
            (
                "spacey-access",
                "spacey-refresh",
                "spacey-access=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            )
        };
        let forget = HeaderValue::from_static(forget);
        let issuers = issuers.into_iter().map(Issuer::new).collect::<Result<_, _>>()?;
        let Recognition { tokens, keys, admissions, revocations, clock } = by;
        Ok(Self {
            tokens,
            keys,
            admissions,
            revocations,
            clock,
            issuers,
            cookie,
            refresh_cookie,
            forget,
        })
    }

    /// The keys of this installation's own tokens, where it issues some.
    pub(crate) fn own_tokens(&self) -> Option<&Arc<AccessTokens>> {
        self.tokens.as_ref()
    }

    /// The viewer, or nobody, and until when. The request comes from `client`.
    ///
    /// # Errors
    /// [`Code::Unauthenticated`] when there are credentials and they are not good, [`Code::CsrfPrevention`] when they are but the
    /// request may not be the viewer's own, [`Code::ServiceUnavailable`] when whoever knows cannot be asked.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        client: &Client,
        by_safe_method: bool,
    ) -> Result<Identity, Outcome> {
        if headers.contains_key(AUTHORIZATION) {
            let token = bearer(headers).ok_or_else(|| {
                Outcome::unauthenticated(
                    "the header authorization must be Bearer and an access token",
                )
            })?;
            if let Some(keys) = self.keys.as_ref().filter(|_| token.starts_with(KEY_BEGINNING)) {
                return self.verify_key(keys.as_ref(), token, client).await;
            }
            return self.verify(token, client).await;
        }
        let Some(token) = cookie(headers, self.cookie) else {
            return Ok(Identity::default());
        };
        let identity =
            self.verify(token, client).await.map_err(|refused| match refused.code() {
                // A page cannot remove this cookie itself, and could not even sign in again while it is there.
                Some(Code::Unauthenticated) => refused.with_header(SET_COOKIE, self.forget.clone()),
                _ => refused,
            })?;
        if by_safe_method && is_simple(headers) {
            return Err(Outcome::refused(
                Code::CsrfPrevention,
                "a GET request with a cookie needs one of the headers apollo-require-preflight, \
                 x-apollo-operation-name, x-spacey-csrf: with it, no other site's page can send it unasked",
            ));
        }
        Ok(identity)
    }

    /// The refresh token in a browser's cookie. Whoever sends credentials of their own is no browser that keeps them so.
    pub(crate) fn refresh_cookie(&self, headers: &HeaderMap) -> Option<RefreshCookie> {
        if headers.contains_key(AUTHORIZATION) {
            return None;
        }
        cookie(headers, self.refresh_cookie).map(|token| RefreshCookie(token.to_owned()))
    }

    /// Whether what was believed at the start of a long answer may still be.
    pub(crate) fn is_still_good(&self, identity: &Identity) -> bool {
        let Some((viewer, expires)) = identity.viewer.as_ref().zip(identity.expires) else {
            return true;
        };
        expires > self.clock.now() && !self.revocations.refuses(viewer.session, expires)
    }

    /// For whom an API key acts. What it was that is wrong with a key is told to nobody.
    async fn verify_key(
        &self,
        keys: &dyn KeyVerifier,
        key: &str,
        client: &Client,
    ) -> Result<Identity, Outcome> {
        let found = if can_be_key(key) { keys.identify(key, client).await } else { Ok(None) };
        let found = found.map_err(|error| {
            tracing::warn!("an API key cannot be checked: {}", chain(&error));
            let message = "API keys cannot be checked at this moment: try again in a few seconds";
            Outcome::refused(Code::ServiceUnavailable, message)
        })?;
        let identity = found.map(|Accepted { viewer, expires }| Identity {
            viewer: Some(viewer),
            by_key: true,
            expires: Some(expires),
        });
        identity.filter(|identity| self.is_still_good(identity)).ok_or_else(|| {
            Outcome::unauthenticated("the API key is not valid, has expired or was revoked")
        })
    }

    /// Whether the session was ended since. That the token has expired meanwhile does not count: for what was begun while it was good.
    pub(crate) fn has_ended(&self, identity: &Identity) -> bool {
        let known = identity.viewer.as_ref().zip(identity.expires);
        known.is_some_and(|(viewer, expires)| self.revocations.refuses(viewer.session, expires))
    }

    async fn verify(&self, token: &str, client: &Client) -> Result<Identity, Outcome> {
        let (accepted, person) = self
            .accept(token)
            .await
            .map_err(|error| Outcome::unauthenticated(error.to_string()))?;
        let Accepted { viewer, expires } = match (person, &self.admissions) {
            (Some(person), Some(admissions)) => {
                let admission = admissions.admit(&person, client).await;
                self.admitted(accepted, admission)?
            }
            _ => accepted,
        };
        if self.revocations.refuses(viewer.session, expires) {
            return Err(Outcome::unauthenticated("the session was ended: sign in again"));
        }
        Ok(Identity { viewer: Some(viewer), by_key: false, expires: Some(expires) })
    }

    /// The viewer as the account has them. That is looked at again as soon as one of our own tokens would expire.
    fn admitted(
        &self,
        accepted: Accepted,
        admission: Result<Admission, EndpointError>,
    ) -> Result<Accepted, Outcome> {
        match admission {
            Ok(Admission::Account { user, roles, verified }) => {
                let told = accepted.viewer.roles;
                let roles =
                    Roles { beta: roles.beta || told.beta, admin: roles.admin || told.admin };
                let until = self.clock.now().saturating_add(ACCESS_TOKEN_LIFETIME);
                Ok(Accepted {
                    viewer: Viewer { user, roles, verified, ..accepted.viewer },
                    expires: accepted.expires.min(until.unwrap_or(Timestamp::MAX)),
                })
            }
            Ok(Admission::AddressTaken) => Err(Outcome::refused(
                Code::AddressTaken,
                "the address of this token has an account that is not linked with it: log in to that one",
            )),
            Ok(Admission::NoAddress) => Err(Outcome::refused(
                Code::AddressMissing,
                "there is no account for this token, and to make one it needs the claim email with an e-mail address",
            )),
            Err(error) => {
                tracing::warn!("an account cannot be looked up: {}", chain(&error));
                let message =
                    "accounts cannot be looked up at this moment: try again in a few seconds";
                Err(Outcome::refused(Code::ServiceUnavailable, message))
            }
        }
    }

    /// Hands the token to whoever it says issued it. Who the person is that another issuer vouches for is told where that makes an account.
    async fn accept(&self, token: &str) -> Result<(Accepted, Option<Vouched>), TokenError> {
        let (token, now) = (Unverified::parse(token)?, self.clock.now());
        if !self.issuers.is_empty() {
            let named = token.issuer();
            let known = |issuer: &&Issuer| named.as_deref() == Some(issuer.name());
            if let Some(issuer) = self.issuers.iter().find(known) {
                return issuer.accept(token, now).await;
            }
        }
        let accepted = self.tokens.as_ref().ok_or(TokenError::Invalid)?.accept(token, now)?;
        Ok((accepted, None))
    }
}

#[cfg(test)]
mod tests {
    use common::{SessionId, UserId};

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
        let tokens = Some(Arc::new(tokens));
        let by =
            Recognition { tokens, keys: None, admissions: None, revocations, clock: clock.clone() };
        let authenticator = Authenticator::new(by, Vec::new(), true).unwrap();
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

    #[tokio::test]
    async fn without_credentials_a_request_is_anonymous() {
        let Setup { authenticator, .. } = setup();
        assert_eq!(
            authenticator
                .authenticate(&HeaderMap::new(), &Client::default(), true)
                .await
                .unwrap()
                .viewer,
            None
        );
        let other = headers(&[("cookie", "theme=dark; spacey-access=insecure-name")]);
        assert_eq!(
            authenticator.authenticate(&other, &Client::default(), false).await.unwrap().viewer,
            None
        );
    }

    #[tokio::test]
    async fn header_and_cookie_are_read_and_the_header_counts() {
        let Setup { authenticator, viewer, token, .. } = setup();
        let cookie = format!("a=b; __Host-spacey-access={token}");
        let bearer = format!("bearer {token}");
        for pairs in [
            vec![("authorization", bearer.as_str())],
            vec![("cookie", cookie.as_str())],
            vec![("authorization", bearer.as_str()), ("cookie", "__Host-spacey-access=bad")],
        ] {
            let found = authenticator
                .authenticate(&headers(&pairs), &Client::default(), false)
                .await
                .unwrap();
            assert_eq!(found.viewer.as_ref(), Some(&viewer), "{pairs:?}");
        }
        let both = headers(&[("authorization", "Bearer bad"), ("cookie", &cookie)]);
        assert_eq!(
            code(authenticator.authenticate(&both, &Client::default(), false).await),
            Some(Code::Unauthenticated)
        );
    }

    #[test]
    fn a_refresh_token_is_a_browsers_that_keeps_its_tokens_in_cookies() {
        let Setup { authenticator, .. } = setup();
        let by = |pairs: &[(&'static str, &str)]| authenticator.refresh_cookie(&headers(pairs));
        let cookie = ("cookie", "a=b; __Host-spacey-refresh=token");
        assert_eq!(by(&[cookie]), Some(RefreshCookie("token".into())));
        assert_eq!(by(&[cookie, ("authorization", "Bearer x")]), None);
        assert_eq!(by(&[("cookie", "spacey-refresh=token; __Host-spacey-access=x")]), None);
    }

    #[tokio::test]
    async fn what_is_not_good_is_refused() {
        let Setup { authenticator, clock, viewer, token } = setup();
        for value in ["Bearer", "Bearer ", "Bearer x.y.z", "Basic dTpw", "", &token] {
            let headers = headers(&[("authorization", value)]);
            let result = authenticator.authenticate(&headers, &Client::default(), false).await;
            assert_eq!(code(result), Some(Code::Unauthenticated), "{value}");
        }
        let good = headers(&[("authorization", &format!("Bearer {token}"))]);
        let until = clock.now() + ACCESS_TOKEN_LIFETIME;
        authenticator.revocations.revoke(viewer.session, until);
        assert_eq!(
            code(authenticator.authenticate(&good, &Client::default(), false).await),
            Some(Code::Unauthenticated)
        );

        let (token, _) = authenticator
            .own_tokens()
            .unwrap()
            .issue(&Viewer { session: SessionId::new(), ..viewer }, clock.now())
            .unwrap();
        let good = headers(&[("authorization", &format!("Bearer {token}"))]);
        assert!(authenticator.authenticate(&good, &Client::default(), false).await.is_ok());
        clock.advance(ACCESS_TOKEN_LIFETIME);
        assert_eq!(
            code(authenticator.authenticate(&good, &Client::default(), false).await),
            Some(Code::Unauthenticated)
        );
    }

    #[tokio::test]
    async fn a_bad_cookie_is_refused_and_removed() {
        let Setup { authenticator, .. } = setup();
        let stale = headers(&[("cookie", "__Host-spacey-access=stale")]);
        let Err(Outcome::Refused(refusal)) =
            authenticator.authenticate(&stale, &Client::default(), false).await
        else {
            panic!()
        };
        let (name, value) = refusal.headers.last().unwrap();
        assert_eq!(name, SET_COOKIE);
        assert!(value.to_str().unwrap().starts_with("__Host-spacey-access=; Path=/; Max-Age=0"));
    }

    #[tokio::test]
    async fn a_get_request_by_cookie_must_not_be_simple() {
        let Setup { authenticator, viewer, token, .. } = setup();
        let cookie = format!("__Host-spacey-access={token}");
        let simple = headers(&[("cookie", &cookie)]);
        assert_eq!(
            code(authenticator.authenticate(&simple, &Client::default(), true).await),
            Some(Code::CsrfPrevention)
        );
        for name in NOT_SIMPLE {
            let headers = headers(&[("cookie", &cookie), (name, "1")]);
            let found =
                authenticator.authenticate(&headers, &Client::default(), true).await.unwrap();
            assert_eq!(found.viewer.as_ref(), Some(&viewer));
        }
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        assert_eq!(
            authenticator.authenticate(&by_header, &Client::default(), true).await.unwrap().viewer,
            Some(viewer)
        );
    }

    #[tokio::test]
    async fn what_was_believed_ends_with_the_token_or_the_session() {
        let Setup { authenticator, clock, viewer, token } = setup();
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        let identity =
            authenticator.authenticate(&by_header, &Client::default(), false).await.unwrap();
        assert!(authenticator.is_still_good(&identity));
        assert!(authenticator.is_still_good(&Identity::default()));
        clock.advance(ACCESS_TOKEN_LIFETIME);
        assert!(!authenticator.is_still_good(&identity));

        let (token, until) =
            authenticator.own_tokens().unwrap().issue(&viewer, clock.now()).unwrap();
        let by_header = headers(&[("authorization", &format!("Bearer {token}"))]);
        let identity =
            authenticator.authenticate(&by_header, &Client::default(), false).await.unwrap();
        authenticator.revocations.revoke(viewer.session, until);
        assert!(!authenticator.is_still_good(&identity));
    }
}
