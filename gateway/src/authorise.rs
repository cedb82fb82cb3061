//! What the viewer may see of an operation, by the supergraph's `@authenticated`, `@requiresScopes` and `@policy`.
//!
//! Signed-in viewers are authenticated and have the scopes of their tokens. Nothing decides policies yet, so that none holds.

use std::sync::Arc;

use common::Viewer;
use federation::{Claims, Prepared};

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
    let claims = match viewer {
        None => Claims::default(),
        Some(viewer) => Claims {
            authenticated: true,
            scopes: viewer.scopes.iter().cloned().collect(),
            ..Claims::default()
        },
    };
    prepared.authorise(&claims).map_err(|error| Outcome::RequestError(vec![error]))
}

#[cfg(test)]
mod tests {
    use common::{Roles, SessionId, UserId};
    use federation::{SubgraphSdl, Supergraph, compose, prepare};

    use super::*;

    fn prepared(operation: &str) -> Arc<Prepared> {
        let sdl = r#"
            extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@authenticated", "@requiresScopes"])
            type Query { open: Int known: Int @authenticated scoped: Int @requiresScopes(scopes: [["a", "b"], ["c"]]) }
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
    fn what_was_planned_for_some_viewers_is_kept() {
        let prepared = prepared("{ open known }");
        let first = authorise(&prepared, None).unwrap();
        assert!(Arc::ptr_eq(&authorise(&prepared, None).unwrap(), &first));
        assert!(Arc::ptr_eq(&authorise(&prepared, Some(&viewer(&[]))).unwrap(), &prepared));
    }
}
