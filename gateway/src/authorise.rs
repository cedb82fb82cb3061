//! What the viewer may see of an operation, by the supergraph's `@authenticated`, `@requiresScopes` and `@policy`.
//!
//! Signed-in viewers are authenticated and have the scopes of their tokens. The policies are those that can be decided by a viewer alone:
//! `verified`, `beta` and `admin`. No other holds for anybody.

use std::sync::Arc;

use common::Viewer;
use common::graphql::sdl::{ADMIN, BETA, VERIFIED};
use federation::{Claims, Payload, Prepared, ResponseError, ResponseErrorCode, Value};

use crate::outcome::Outcome;

/// The operation as far as `viewer` may run it.
///
/// # Errors
/// [`Outcome::RequestError`] when what is left cannot be planned.
pub(crate) fn authorise(
    prepared: &Arc<Prepared>,
    viewer: Option<&Viewer>,
) -> Result<Arc<Prepared>, Outcome> {
    if prepared.is_open() {
        return Ok(prepared.clone());
    }
    let claims = viewer.map(claims).unwrap_or_default();
    prepared.authorise(&claims).map_err(|error| Outcome::RequestError(vec![error]))
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

    #[test]
    fn an_operation_that_requires_nothing_is_the_same_for_all() {
        let prepared = prepared("{ open }");
        assert!(Arc::ptr_eq(&authorise(&prepared, None).unwrap(), &prepared));
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
            let plan = authorise(&prepared, viewer.as_ref()).unwrap().plan().to_string();
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
            authorise(&prepared, Some(&viewer)).unwrap().plan().to_string()
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
        let first = authorise(&prepared, None).unwrap();
        assert!(Arc::ptr_eq(&authorise(&prepared, None).unwrap(), &first));
        assert!(Arc::ptr_eq(&authorise(&prepared, Some(&viewer(&[]))).unwrap(), &prepared));
    }
}
