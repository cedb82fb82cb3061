//! Who somebody is here of whom another issuer tells.
//!
//! The account's id is in a claim, where the issuer knows it; else it is made of issuer and subject, by UUID version 5, so that it is always the
//! same and no two people share one. Roles are taken from a claim only where that is set.

use common::token::jws::Claims;
use common::vouched::Vouched;
use common::{Roles, SessionId, UserId, Viewer};
use serde_json::Value;
use uuid::Uuid;

/// The longest subject, in bytes (OpenID Connect Core, section 2).
const MAX_SUBJECT: usize = 255;

/// From claims to viewers.
#[derive(Debug)]
pub(super) struct Mapping {
    /// In which the ids of this issuer's people are made.
    namespace: Uuid,
    user_claim: Option<String>,
    roles_claim: Option<String>,
}

impl Mapping {
    pub(super) fn new(
        issuer: &str,
        user_claim: Option<String>,
        roles_claim: Option<String>,
    ) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, issuer.as_bytes());
        Self { namespace, user_claim, roles_claim }
    }

    /// The viewer; none when the claims name nobody.
    pub(super) fn viewer(&self, claims: &Claims) -> Option<Viewer> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let subject = text("sub").filter(|sub| (1..=MAX_SUBJECT).contains(&sub.len()))?;
        let user = match &self.user_claim {
            Some(name) => text(name)?.parse().ok()?,
            None => UserId::from(Uuid::new_v5(&self.namespace, subject.as_bytes())),
        };
        let session = ["sid", "jti", "sub"]
            .into_iter()
            .find_map(|name| Some(format!("{name} {subject} {}", text(name)?)))?;
        let session = SessionId::from(Uuid::new_v5(&self.namespace, session.as_bytes()));
        let scopes = text("scope").unwrap_or_default().split_whitespace().map(str::to_owned);
        Some(Viewer {
            verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            scopes: scopes.collect(),
            ..Viewer::new(user, session, self.roles(claims))
        })
    }

    fn roles(&self, claims: &Claims) -> Roles {
        let named = self.roles_claim.as_ref().and_then(|name| claims.get(name));
        let names: Vec<&str> = match named {
            Some(Value::String(names)) => names.split_whitespace().collect(),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let has = |role: &str| names.iter().any(|name| name.eq_ignore_ascii_case(role));
        Roles { beta: has("beta"), admin: has("admin") }
    }
}

/// What the claims tell of a person for an account. The viewer was made of them: there is a subject.
pub(super) fn vouched(issuer: &str, claims: &Claims) -> Option<Vouched> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Vouched {
        issuer: issuer.to_owned(),
        subject: text("sub")?,
        email: text("email"),
        email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
        name: text("name"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn viewer(mapping: &Mapping, claims: Value) -> Option<Viewer> {
        let Value::Object(claims) = claims else { panic!() };
        mapping.viewer(&claims)
    }

    #[test]
    fn an_id_is_made_of_issuer_and_subject() {
        let one = Mapping::new("https://one.example", None, None);
        let two = Mapping::new("https://two.example", None, None);
        let ada = viewer(&one, json!({ "sub": "ada" })).unwrap();
        assert_eq!(ada.user.to_string(), "56e5163f-0b85-5eaa-adee-ac60a0cb4f61");
        assert_eq!(viewer(&one, json!({ "sub": "ada", "sid": "s" })).unwrap().user, ada.user);
        assert_ne!(viewer(&one, json!({ "sub": "ada", "sid": "s" })).unwrap().session, ada.session);
        assert_ne!(viewer(&one, json!({ "sub": "eve" })).unwrap().user, ada.user);
        assert_ne!(viewer(&two, json!({ "sub": "ada" })).unwrap().user, ada.user);
        for claims in [
            json!({}),
            json!({ "sub": "" }),
            json!({ "sub": 7 }),
            json!({ "sub": "x".repeat(256) }),
        ] {
            assert_eq!(viewer(&one, claims), None);
        }
    }

    #[test]
    fn an_id_may_be_a_claim_and_must_then_be_one() {
        let mapping = Mapping::new("https://one.example", Some("account".into()), None);
        let id = UserId::new();
        let found = viewer(&mapping, json!({ "sub": "ada", "account": id.to_string() })).unwrap();
        assert_eq!(found.user, id);
        for account in [json!(null), json!("ada"), json!("' or 1=1"), json!({ "$gt": "" })] {
            assert_eq!(viewer(&mapping, json!({ "sub": "ada", "account": account })), None);
        }
    }

    #[test]
    fn roles_count_only_from_the_claim_that_is_set() {
        let all = json!({ "sub": "a", "roles": ["admin", "Beta", 7], "groups": "staff admin",
            "email_verified": true, "scope": "cards:read" });
        let roles = |claim: Option<&str>| {
            let mapping = Mapping::new("i", None, claim.map(str::to_owned));
            viewer(&mapping, all.clone()).unwrap()
        };
        assert_eq!(roles(None).roles, Roles::default());
        assert_eq!(roles(Some("roles")).roles, Roles { beta: true, admin: true });
        assert_eq!(roles(Some("groups")).roles, Roles { beta: false, admin: true });
        assert_eq!(roles(Some("absent")).roles, Roles::default());
        assert!(roles(None).verified && roles(None).scopes == ["cards:read"]);
        let mapping = Mapping::new("i", None, None);
        assert!(
            !viewer(&mapping, json!({ "sub": "a", "email_verified": "true" })).unwrap().verified
        );
    }
}
