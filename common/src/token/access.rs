//! What a person carries: a JWT that says whose session it is and what they may do, until it expires.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::Header;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jws::{Expected, Unverified};
use super::{ACCESS_TOKEN_LIFETIME, ISSUER, KeyError, KeyRing, TokenError, TokenKey};
use crate::viewer::{Roles, Viewer};
use crate::{SessionId, UserId};

const AUDIENCE: &str = "spacey";
/// Tokens are issued and checked by machines of one installation, whose clocks must agree.
const EXPECTED: Expected<'_> =
    Expected { issuer: ISSUER, audience: AUDIENCE, leeway: SignedDuration::ZERO };

#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    roles: Roles,
    /// Whether the person has shown to read mail sent to the account's address.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    email_verified: bool,
    /// Separated by spaces (RFC 8693, section 4.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    iat: i64,
    exp: i64,
}

/// A token that is good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Whose it is.
    pub viewer: Viewer,
    /// When it is good no more.
    pub expires: Timestamp,
}

/// Makes and checks the access tokens of people.
pub struct AccessTokens {
    keys: RwLock<Arc<KeyRing>>,
    lifetime: SignedDuration,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AccessTokens")
    }
}

impl AccessTokens {
    /// Uses `keys`; the tokens are good for [`ACCESS_TOKEN_LIFETIME`].
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self { keys: RwLock::new(Arc::new(keys)), lifetime: ACCESS_TOKEN_LIFETIME }
    }

    /// Uses the one key in `pem`.
    ///
    /// # Errors
    /// [`KeyError`] when it is not an Ed25519 key in PEM form.
    pub fn from_pem(pem: &SecretString) -> Result<Self, KeyError> {
        Ok(Self::new(KeyRing::new(vec![TokenKey::from_pem(pem, Timestamp::UNIX_EPOCH)?])?))
    }

    /// A new private key in PKCS #8 PEM form.
    ///
    /// # Errors
    /// As those of [`TokenKey::generate_pem`].
    pub fn generate_pem() -> Result<SecretString, KeyError> {
        TokenKey::generate_pem()
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

    /// The keys in use.
    #[must_use]
    pub fn keys(&self) -> Arc<KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Uses `keys` from now on. Tokens of a key that is not among them are good no more.
    pub fn replace_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// A token for `viewer`, and when it expires.
    ///
    /// # Errors
    /// [`TokenError::Invalid`] when it cannot be signed: no key can.
    pub fn issue(
        &self,
        viewer: &Viewer,
        now: Timestamp,
    ) -> Result<(String, Timestamp), TokenError> {
        let expires = now.saturating_add(self.lifetime).map_err(|_| TokenError::Invalid)?;
        let claims = AccessClaims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: viewer.user,
            sid: viewer.session,
            roles: viewer.roles,
            email_verified: viewer.verified,
            scope: (!viewer.scopes.is_empty()).then(|| viewer.scopes.join(" ")),
            iat: now.as_second(),
            exp: expires.as_second(),
        };
        let keys = self.keys();
        let key = keys.signing(now).ok_or(TokenError::Invalid)?;
        let signing = key.encoding.as_ref().ok_or(TokenError::Invalid)?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(key.jwt_algorithm()) };
        let token =
            jsonwebtoken::encode(&header, &claims, signing).map_err(|_| TokenError::Invalid)?;
        Ok((token, expires))
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// [`TokenError`] when it has expired, was changed, or never was one of ours.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Viewer, TokenError> {
        self.accept(Unverified::parse(token)?, now).map(|accepted| accepted.viewer)
    }

    /// Whose token this is, and until when.
    ///
    /// # Errors
    /// As those of [`AccessTokens::verify`].
    pub fn accept(&self, token: Unverified<'_>, now: Timestamp) -> Result<Accepted, TokenError> {
        let keys = self.keys();
        let key = token.kid().and_then(|kid| keys.find(kid)).ok_or(TokenError::Invalid)?;
        let claims = token.verify(key.jwt_algorithm(), &key.decoding)?;
        let expires = EXPECTED.check(&claims, now)?;
        let claims: AccessClaims =
            serde_json::from_value(Value::Object(claims)).map_err(|_| TokenError::Invalid)?;
        let scopes = claims.scope.iter().flat_map(|scope| scope.split_whitespace());
        let scopes = scopes.map(str::to_owned).collect();
        let viewer = Viewer::new(claims.sub, claims.sid, claims.roles);
        Ok(Accepted {
            viewer: Viewer { scopes, verified: claims.email_verified, ..viewer },
            expires,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{KEY_GRACE, ServiceTokens};
    use crate::viewer::Caller;

    fn viewer() -> Viewer {
        Viewer::new(UserId::new(), SessionId::new(), Roles { beta: true, admin: false })
    }

    fn tokens() -> AccessTokens {
        AccessTokens::from_pem(&AccessTokens::generate_pem().unwrap()).unwrap()
    }

    fn now() -> Timestamp {
        crate::Clock::System.now()
    }

    #[test]
    fn an_access_token_says_who_until_it_expires() {
        let (tokens, viewer, now) = (tokens(), viewer(), now());
        let (token, expires) = tokens.issue(&viewer, now).unwrap();
        assert_eq!(tokens.verify(&token, now), Ok(viewer.clone()));
        let accepted = tokens.accept(Unverified::parse(&token).unwrap(), now).unwrap();
        assert_eq!(accepted.viewer, viewer);
        assert_eq!(accepted.expires.as_second(), expires.as_second());
        assert_eq!(tokens.verify(&token, expires), Err(TokenError::Expired));
    }

    #[test]
    fn scopes_are_words_of_one_claim_and_a_verified_address_is_told() {
        let (tokens, now) = (tokens(), now());
        let scopes = vec!["a:read".into(), "b".into()];
        let viewer = Viewer { scopes, verified: true, ..viewer() };
        let (token, _) = tokens.issue(&viewer, now).unwrap();
        assert_eq!(tokens.verify(&token, now), Ok(viewer));
    }

    #[test]
    fn another_key_another_algorithm_or_a_changed_token_is_refused() {
        let (tokens, viewer, now) = (tokens(), viewer(), now());
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
    fn after_a_rotation_old_tokens_are_good_until_their_key_is_retired() {
        let (viewer, now) = (viewer(), now());
        let key = |made| TokenKey::from_pem(&TokenKey::generate_pem().unwrap(), made).unwrap();
        let old = key(now - SignedDuration::from_hours(1));
        let tokens = AccessTokens::new(KeyRing::new(vec![old.clone()]).unwrap());
        let before = tokens.issue(&viewer, now).unwrap().0;

        let new = key(now);
        tokens.replace_keys(KeyRing::new(vec![old.clone(), new.clone()]).unwrap());
        let kid = |token: &str| Unverified::parse(token).unwrap().kid().map(str::to_owned);
        assert_eq!(kid(&tokens.issue(&viewer, now).unwrap().0).as_deref(), Some(old.kid()));
        let later = now + KEY_GRACE;
        let after = tokens.issue(&viewer, later).unwrap().0;
        assert_eq!(kid(&after).as_deref(), Some(new.kid()));
        assert_eq!(tokens.verify(&before, later), Ok(viewer.clone()));

        tokens.replace_keys(KeyRing::new(vec![new]).unwrap());
        assert_eq!(tokens.verify(&before, later), Err(TokenError::Invalid));
        assert_eq!(tokens.verify(&after, later), Ok(viewer));
    }

    #[test]
    fn a_secret_signs_by_hs256_and_a_public_key_only_verifies() {
        let (viewer, now) = (viewer(), now());
        let secret = SecretString::from("a secret of thirty-two characters");
        let hs256 = TokenKey::from_secret(&secret, Timestamp::UNIX_EPOCH).unwrap();
        let tokens = AccessTokens::new(KeyRing::new(vec![hs256]).unwrap());
        let token = tokens.issue(&viewer, now).unwrap().0;
        assert_eq!(tokens.verify(&token, now), Ok(viewer.clone()));

        let signing = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let pem = |text: String| SecretString::from(text);
        let private =
            ed25519_dalek::pkcs8::EncodePrivateKey::to_pkcs8_pem(&signing, Default::default());
        let public = ed25519_dalek::pkcs8::EncodePublicKey::to_public_key_pem(
            &signing.verifying_key(),
            Default::default(),
        );
        let signer = AccessTokens::from_pem(&pem(private.unwrap().to_string())).unwrap();
        let verifier = AccessTokens::from_pem(&pem(public.unwrap())).unwrap();
        let token = signer.issue(&viewer, now).unwrap().0;
        assert_eq!(verifier.verify(&token, now), Ok(viewer.clone()));
        assert_eq!(verifier.issue(&viewer, now), Err(TokenError::Invalid));
    }
}
