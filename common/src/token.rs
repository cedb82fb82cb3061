//! Signed tokens: what a person carries ([`AccessTokens`]), and what the gateway hands to a remote subgraph ([`ServiceTokens`]).
//!
//! Only the one algorithm of each is ever accepted, an expiry is required, and nothing is trusted before the signature
//! was checked.

use std::time::Duration;

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::viewer::{Caller, Roles, Viewer};
use crate::{Client, SessionId, UserId};

/// How long an access token is good for unless set otherwise.
pub const ACCESS_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_mins(15);
/// How long the gateway's word to a subgraph is good for.
const SERVICE_TOKEN_LIFETIME: SignedDuration = SignedDuration::from_secs(60);
const ISSUER: &str = "spacey";
const ACCESS_AUDIENCE: &str = "spacey";
const SERVICE_AUDIENCE: &str = "spacey-subgraph";

/// Why a token is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token has expired: sign in again or refresh it")]
    Expired,
    /// It is not one of ours, or was changed.
    #[error("the token is not valid")]
    Invalid,
}

/// A key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("not an Ed25519 private key in PKCS #8 PEM form: {0}")]
pub struct KeyError(String);

#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    roles: Roles,
    /// Separated by spaces (RFC 8693, section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    iat: i64,
    exp: i64,
}

/// Makes and checks the access tokens of people: JWT, EdDSA.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    lifetime: SignedDuration,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessTokens")
    }
}

impl AccessTokens {
    /// Uses the private key in `pem`; its tokens are good for [`ACCESS_TOKEN_LIFETIME`].
    ///
    /// # Errors
    /// [`KeyError`] when it is not an Ed25519 key in PKCS #8 PEM form.
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        let error = |error: &dyn std::fmt::Display| KeyError(error.to_string());
        let key = SigningKey::from_pkcs8_pem(pem.expose_secret()).map_err(|e| error(&e))?;
        let public =
            key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(|e| error(&e))?;
        Ok(Self {
            encoding: EncodingKey::from_ed_pem(pem.expose_secret().as_bytes())
                .map_err(|e| error(&e))?,
            decoding: DecodingKey::from_ed_pem(public.as_bytes()).map_err(|e| error(&e))?,
            lifetime: ACCESS_TOKEN_LIFETIME,
        })
    }

    /// The same with tokens that are good for `lifetime`.
    #[must_use]
    pub fn good_for(self, lifetime: Duration) -> Self {
        let lifetime = SignedDuration::try_from(lifetime).unwrap_or(ACCESS_TOKEN_LIFETIME);
        Self { lifetime, ..self }
    }

    /// How long its tokens are good for.
    #[must_use]
    pub const fn lifetime(&self) -> SignedDuration {
        self.lifetime
    }

    /// A new private key in PKCS #8 PEM form.
    ///
    /// # Errors
    /// [`KeyError`] when it cannot be written in that form.
    pub fn generate_pem() -> Result<SecretString, KeyError> {
        let key = SigningKey::from_bytes(&rand::random());
        let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| KeyError(error.to_string()))?;
        Ok(SecretString::from(pem.to_string()))
    }

    /// A token for `viewer`, and when it expires.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it cannot be signed.
    pub fn issue(
        &self,
        viewer: &Viewer,
        now: Timestamp,
    ) -> Result<(String, Timestamp), TokenError> {
        let expires = now.saturating_add(self.lifetime).map_err(|_| TokenError::Invalid)?;
        let claims = AccessClaims {
            iss: ISSUER.into(),
            aud: ACCESS_AUDIENCE.into(),
            sub: viewer.user,
            sid: viewer.session,
            roles: viewer.roles,
            scope: (!viewer.scopes.is_empty()).then(|| viewer.scopes.join(" ")),
            iat: now.as_second(),
            exp: expires.as_second(),
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.encoding)
            .map_err(|_| TokenError::Invalid)?;
        Ok((token, expires))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`TokenError`] when it has expired, was changed, or never was one of ours.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Viewer, TokenError> {
        self.verify_until(token, now).map(|(viewer, _)| viewer)
    }

    /// Whose token this is, and when it expires.
    ///
    /// # Errors
    /// As those of [`AccessTokens::verify`].
    pub fn verify_until(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<(Viewer, Timestamp), TokenError> {
        let claims: AccessClaims =
            verify(token, &self.decoding, Algorithm::EdDSA, ACCESS_AUDIENCE)?;
        not_expired(claims.exp, now)?;
        let expires = Timestamp::from_second(claims.exp).map_err(|_| TokenError::Invalid)?;
        let scopes = claims.scope.iter().flat_map(|scope| scope.split_whitespace());
        let scopes = scopes.map(str::to_owned).collect();
        let viewer = Viewer { scopes, ..Viewer::new(claims.sub, claims.sid, claims.roles) };
        Ok((viewer, expires))
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    aud: String,
    viewer: Option<Viewer>,
    request_id: String,
    #[serde(default)]
    client: Client,
    exp: i64,
}

/// Makes and checks what one service of Spacey says to another about a request: JWT, HS256 over a secret they share.
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
        let expires =
            now.saturating_add(SERVICE_TOKEN_LIFETIME).map_err(|_| TokenError::Invalid)?;
        let claims = ServiceClaims {
            iss: ISSUER.into(),
            aud: SERVICE_AUDIENCE.into(),
            viewer: caller.viewer.clone(),
            request_id: caller.request_id.to_string(),
            client: caller.client.clone(),
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
        let claims: ServiceClaims =
            verify(token, &self.decoding, Algorithm::HS256, SERVICE_AUDIENCE)?;
        not_expired(claims.exp, now)?;
        Ok(Caller { client: claims.client, ..Caller::new(claims.viewer, claims.request_id) })
    }
}

/// Checks signature, algorithm, issuer and audience. The expiry must be there; it is compared by [`not_expired`] with the clock
/// that was handed in.
fn verify<C: for<'de> Deserialize<'de>>(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
    audience: &str,
) -> Result<C, TokenError> {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_exp = false;
    jsonwebtoken::decode(token, key, &validation)
        .map(|data| data.claims)
        .map_err(|_| TokenError::Invalid)
}

fn not_expired(exp: i64, now: Timestamp) -> Result<(), TokenError> {
    if exp > now.as_second() { Ok(()) } else { Err(TokenError::Expired) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer() -> Viewer {
        Viewer::new(UserId::new(), SessionId::new(), Roles { beta: true, admin: false })
    }

    fn tokens() -> AccessTokens {
        AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap()
    }

    #[test]
    fn an_access_token_says_who_until_it_expires() {
        let (tokens, viewer, now) = (tokens(), viewer(), Timestamp::now());
        let (token, expires) = tokens.issue(&viewer, now).unwrap();
        assert_eq!(tokens.verify(&token, now), Ok(viewer.clone()));
        let (whose, until) = tokens.verify_until(&token, now).unwrap();
        assert_eq!((whose, until.as_second()), (viewer, expires.as_second()));
        assert_eq!(tokens.verify(&token, expires), Err(TokenError::Expired));
    }

    #[test]
    fn scopes_are_words_of_one_claim() {
        let (tokens, now) = (tokens(), Timestamp::now());
        let viewer = Viewer { scopes: vec!["a:read".into(), "b".into()], ..viewer() };
        let (token, _) = tokens.issue(&viewer, now).unwrap();
        assert_eq!(tokens.verify(&token, now), Ok(viewer));
    }

    #[test]
    fn another_key_another_algorithm_or_a_changed_token_is_refused() {
        let (tokens, viewer, now) = (tokens(), viewer(), Timestamp::now());
        let foreign = self::tokens().issue(&viewer, now).unwrap().0;
        assert_eq!(tokens.verify(&foreign, now), Err(TokenError::Invalid));

        let service = ServiceTokens::new(&SecretString::from("a secret of at least this length"));
        let hs256 = service.issue(&Caller::anonymous("r"), now).unwrap();
        assert_eq!(tokens.verify(&hs256, now), Err(TokenError::Invalid));

        let (token, _) = tokens.issue(&viewer, now).unwrap();
        let [header, _, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let (other, _) = tokens.issue(&self::viewer(), now).unwrap();
        let claims = other.split('.').nth(1).unwrap();
        let forged = format!("{header}.{claims}.{signature}");
        assert_eq!(tokens.verify(&forged, now), Err(TokenError::Invalid));
        let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
        assert_eq!(tokens.verify(&unsigned, now), Err(TokenError::Invalid));
    }

    #[test]
    fn a_service_token_carries_the_caller() {
        let service = ServiceTokens::new(&SecretString::from("a secret of at least this length"));
        let client = Client::new(Some([192, 0, 2, 7].into()), Some("Firefox"));
        let caller = Caller { client, ..Caller::new(Some(viewer()), "r1") };
        let now = Timestamp::now();
        let token = service.issue(&caller, now).unwrap();
        assert_eq!(service.verify(&token, now), Ok(caller));
        let later = now + SignedDuration::from_secs(61);
        assert_eq!(service.verify(&token, later), Err(TokenError::Expired));
    }
}
