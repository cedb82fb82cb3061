//! What the viewer may see of an operation, by the supergraph's `@authenticated`, `@requiresScopes` and `@policy`.
//!
//! Signed-in viewers are authenticated and have the scopes of their tokens. An API key runs what its scopes are for: `read` queries and
//! subscriptions, `write` mutations. The policies are those that can be decided by a viewer alone:
//! `verified`, `beta` and `admin`. No other holds for anybody.

use std::sync::Arc;

use common::Viewer;
use common::api_key::{READ, WRITE};
use common::graphql::sdl::{ADMIN, BETA, VERIFIED};
use federation::{
    Claims, OperationKind, Payload, Prepared, ResponseError, ResponseErrorCode, Value,
};

use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use crate::authenticate::Identity;
use crate::code::Code;
use crate::outcome::Outcome;

/// The operation as far as whoever asks may run it.
///
/// # Errors
/// [`Code::Forbidden`] when it is not what an API key is for, [`Outcome::RequestError`] when what is left cannot be planned.
pub(crate) fn authorise(
    prepared: &Arc<Prepared>,
    identity: &Identity,
) -> Result<Arc<Prepared>, Outcome> {
    let viewer = identity.viewer.as_ref();
    if let Some(viewer) = viewer.filter(|_| identity.by_key) {
        key_permits(viewer, prepared.kind())?;
    }
    if prepared.is_open() {
        return Ok(prepared.clone());
    }
    let claims = viewer.map(claims).unwrap_or_default();
    prepared.authorise(&claims).map_err(|error| Outcome::RequestError(vec![error]))
}

/// Whether whoever asks may read without an operation.
///
/// # Errors
/// [`Code::Forbidden`] when it is not what an API key is for.
pub(crate) fn may_read(identity: &Identity) -> Result<(), Outcome> {
    match identity.viewer.as_ref().filter(|_| identity.by_key) {
        Some(viewer) => key_permits(viewer, OperationKind::Query),
        None => Ok(()),
    }
}

/// Whether a key with the viewer's scopes is for operations of this kind.
fn key_permits(viewer: &Viewer, kind: OperationKind) -> Result<(), Outcome> {
    let (scope, message, challenge) = match kind {
        OperationKind::Query | OperationKind::Subscription => (
            READ,
            "this API key may not read: queries and subscriptions need one with the scope READ",
            "Bearer error=\"insufficient_scope\", scope=\"read\"",
        ),
        OperationKind::Mutation => (
            WRITE,
            "this API key may not write: mutations need one with the scope WRITE",
            "Bearer error=\"insufficient_scope\", scope=\"write\"",
        ),
    };
    if viewer.scopes.iter().any(|has| has == scope) {
        return Ok(());
    }
    let challenge = HeaderValue::from_static(challenge);
    Err(Outcome::refused(Code::Forbidden, message).with_header(WWW_AUTHENTICATE, challenge))
}

fn claims(viewer: &Viewer) -> Claims {
    let policies =
        [(VERIFIED, viewer.verified), (BETA, viewer.roles.beta), (ADMIN, viewer.roles.admin)];
    Claims {
        authenticated: true,
        scopes: viewer.scopes.iter().cloned().collect(),
        policies: policies
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}

/// Tells those who may not see a part of the answer whether signing in could help.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusals {
    is_signed_in: bool,
}

impl Refusals {
    pub(crate) const fn to(viewer: Option<&Viewer>) -> Self {
        Self { is_signed_in: viewer.is_some() }
    }

    /// Names the errors of parts that were withheld.
    pub(crate) fn name(self, errors: &mut [ResponseError]) {
        let withheld = ResponseErrorCode::UnauthorizedFieldOrType.as_str();
        let is_withheld = |error: &&mut ResponseError| {
            error.reported_by.is_none()
                && matches!(error.extensions.get("code"), Some(Value::String(code)) if code == withheld)
        };
        let (code, message) = if self.is_signed_in {
            ("FORBIDDEN", "this needs a role, a scope or a verified address that the account lacks")
        } else {
            ("UNAUTHENTICATED", "sign in first: this needs a valid access token")
        };
        for error in errors.iter_mut().filter(is_withheld) {
            message.clone_into(&mut error.message);
            error.extensions.insert(Arc::from("code"), Value::String(code.to_owned()));
        }
    }

    /// Names those of a part of an answer.
    pub(crate) fn name_in(self, payload: &mut Payload) {
        match payload {
            Payload::Response(response) => self.name(&mut response.errors),
            Payload::Initial(initial) => self.name(&mut initial.response.errors),
            Payload::Subsequent(part) => {
                part.incremental.iter_mut().for_each(|one| self.name(&mut one.errors));
                part.completed.iter_mut().for_each(|one| self.name(&mut one.errors));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use common::{Roles, SessionId, UserId};
    use federation::{SubgraphSdl, Supergraph, compose, prepare};

    use super::*;

    fn prepared(operation: &str) -> Arc<Prepared> {
        let sdl = r#"
            extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@authenticated", "@requiresScopes", "@policy"])
            type Query { open: Int known: Int @authenticated scoped: Int @requiresScopes(scopes: [["a", "b"], ["c"]])
                new: Int @policy(policies: [["verified", "beta"]]) rules: Int @policy(policies: [["admin"]]) other: Int @policy(policies: [["other"]]) }
        "#;
        let subgraph = SubgraphSdl { name: "a".into(), url: None, sdl: sdl.into() };
        let supergraph = Supergraph::parse(&compose(&[subgraph]).unwrap().supergraph_sdl).unwrap();
        Arc::new(prepare(&Arc::new(supergraph), operation, None).unwrap())
    }

    fn viewer(scopes: &[&str]) -> Viewer {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        Viewer { scopes, ..Viewer::new(UserId::new(), SessionId::new(), Roles::default()) }
    }

    fn of(viewer: Option<&Viewer>) -> Identity {
        Identity { viewer: viewer.cloned(), ..Identity::default() }
    }

    #[test]
    fn an_operation_that_requires_nothing_is_the_same_for_all() {
        let prepared = prepared("{ open }");
        assert!(Arc::ptr_eq(&authorise(&prepared, &of(None)).unwrap(), &prepared));
    }

    #[test]
    fn a_viewer_is_authenticated_and_has_the_scopes_of_the_token() {
        let prepared = prepared("{ open known scoped }");
        for (viewer, fetched) in [
            (None, "open"),
            (Some(viewer(&[])), "open known"),
            (Some(viewer(&["a"])), "open known"),
            (Some(viewer(&["b", "a"])), "open known scoped"),
            (Some(viewer(&["c"])), "open known scoped"),
        ] {
            let plan = authorise(&prepared, &of(viewer.as_ref())).unwrap().plan().to_string();
            for field in ["open", "known", "scoped"] {
                assert_eq!(plan.contains(field), fetched.contains(field), "{viewer:?}\n{plan}");
            }
        }
    }

    #[test]
    fn policies_are_decided_by_the_address_and_the_roles() {
        let prepared = prepared("{ open new rules other }");
        let plan = |verified, beta, admin| {
            let roles = Roles { beta, admin };
            let viewer = Viewer { verified, ..Viewer::new(UserId::new(), SessionId::new(), roles) };
            authorise(&prepared, &of(Some(&viewer))).unwrap().plan().to_string()
        };
        for (verified, beta, admin) in [
            (false, false, false),
            (true, false, false),
            (false, true, false),
            (true, true, false),
            (false, false, true),
            (true, true, true),
        ] {
            let plan = plan(verified, beta, admin);
            assert_eq!(plan.contains("new"), verified && beta, "{plan}");
            assert_eq!(plan.contains("rules"), admin, "{plan}");
            assert!(plan.contains("open") && !plan.contains("other"), "{plan}");
        }
    }

    #[test]
    fn what_was_planned_for_some_viewers_is_kept() {
        let prepared = prepared("{ open known }");
        let first = authorise(&prepared, &of(None)).unwrap();
        assert!(Arc::ptr_eq(&authorise(&prepared, &of(None)).unwrap(), &first));
        assert!(Arc::ptr_eq(&authorise(&prepared, &of(Some(&viewer(&[])))).unwrap(), &prepared));
    }
}
