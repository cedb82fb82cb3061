//! What one service of Spacey says to another about a request: JWT, HS256 over a secret they share, good for a minute.

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jws::{Expected, Unverified};
use super::{ISSUER, TokenError};
use crate::Client;
use crate::viewer::{Caller, RefreshCookie, Viewer};

/// How long the gateway's word to a subgraph is good for.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
const AUDIENCE: &str = "spacey-subgraph";
const EXPECTED: Expected<'_> =
    Expected { issuer: ISSUER, audience: AUDIENCE, leeway: SignedDuration::ZERO };

#[derive(Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
    viewer: Option<Viewer>,
    request_id: String,
    #[serde(default)]
    client: Client,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_cookie: Option<RefreshCookie>,
    exp: i64,
}

/// Makes and checks what one service of Spacey says to another about a request.
pub struct ServiceTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl std::fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServiceTokens")
    }
}

impl ServiceTokens {
    /// Uses the shared secret.
    #[must_use]
    pub fn new(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().as_bytes();
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        }
    }

    /// A token that says who is asking.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it cannot be signed.
    pub fn issue(&self, caller: &Caller, now: Timestamp) -> Result<String, TokenError> {
        let expires = now.saturating_add(LIFETIME).map_err(|_| TokenError::Invalid)?;
        let claims = ServiceClaims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            viewer: caller.viewer.clone(),
            request_id: caller.request_id.to_string(),
            client: caller.client.clone(),
            refresh_cookie: caller.refresh_cookie.clone(),
            exp: expires.as_second(),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|_| TokenError::Invalid)
    }

    /// Who is asking, on another service's word.
    ///
    /// # Errors
    /// [`TokenError`] when it has expired, was changed, or was signed with another secret.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        let claims = Unverified::parse(token)?.verify(Algorithm::HS256, &self.decoding)?;
        EXPECTED.check(&claims, now)?;
        let claims: ServiceClaims =
            serde_json::from_value(Value::Object(claims)).map_err(|_| TokenError::Invalid)?;
        let ServiceClaims { viewer, request_id, client, refresh_cookie, .. } = claims;
        Ok(Caller { client, refresh_cookie, ..Caller::new(viewer, request_id) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::viewer::Roles;
    use crate::{SessionId, UserId};

    #[test]
    fn a_service_token_carries_the_caller_for_a_minute() {
        let service = ServiceTokens::new(&SecretString::from("a secret of at least this length"));
        let viewer = Viewer::new(UserId::new(), SessionId::new(), Roles::default());
        let viewer = Viewer { verified: true, scopes: vec!["a".into()], ..viewer };
        let client = Client::new(Some([192, 0, 2, 7].into()), Some("Firefox"));
        let refresh_cookie = Some(RefreshCookie("token".into()));
        let caller = Caller { client, refresh_cookie, ..Caller::new(Some(viewer), "r1") };
        let now = Timestamp::now();
        let token = service.issue(&caller, now).unwrap();
        assert_eq!(service.verify(&token, now), Ok(caller));
        let later = now + SignedDuration::from_secs(61);
        assert_eq!(service.verify(&token, later), Err(TokenError::Expired));
        let other = ServiceTokens::new(&SecretString::from("another secret of this length"));
        assert_eq!(other.verify(&token, now), Err(TokenError::Invalid));
    }
}
