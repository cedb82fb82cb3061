//! Makes an operation ready to run, or finds it ready in the cache: parse, validate, normalise, plan.
//!
//! Refused: what the engine refuses, introspection where it is off, and a mutation by a method that must not change anything.
//! Only operations that can run are kept, so that nobody fills the cache with mistakes.

use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{Selection, SelectionSet};
use federation::{
    Limit, Object, OperationKind, OperationLimits, PlanSettings, Prepared, Supergraph, prepare_with,
};

use crate::cache::OperationCache;
use crate::code::Code;
use crate::decode::{GraphQlRequest, depth_of};
use crate::metrics::Metrics;
use crate::observe::note_operation;
use crate::outcome::Outcome;
use crate::settings::GatewaySettings;

/// Prepares operations for one supergraph.
#[derive(Debug)]
pub(crate) struct Operations {
    supergraph: Arc<Supergraph>,
    cache: OperationCache<Prepared>,
    introspection: bool,
    limits: OperationLimits,
    variables_depth: Limit,
}

impl Operations {
    pub(crate) fn new(supergraph: Arc<Supergraph>, settings: &GatewaySettings) -> Self {
        Self {
            supergraph,
            cache: OperationCache::new(settings.operations.cached_bytes, Prepared::bytes),
            introspection: settings.developer.introspection,
            limits: settings.operations.limits.clone(),
            variables_depth: settings.operations.variables_depth,
        }
    }

    /// The prepared operation that `request` asks for, whose text is `text`.
    ///
    /// # Errors
    /// [`Outcome::RequestError`] when it cannot be run, [`Outcome::Refused`] when it must not be.
    pub(crate) async fn prepare(
        &self,
        text: &str,
        request: &GraphQlRequest,
    ) -> Result<Arc<Prepared>, Outcome> {
        self.bound(&request.variables)?;
        let operation_name = request.operation_name.as_deref();
        let mut found = true;
        let make = || {
            found = false;
            self.make(text, operation_name)
        };
        let prepared = self.cache.get_or_make(text, operation_name, make).await;
        Metrics::get().prepared(found);
        let prepared = prepared?;
        note_operation(prepared.operation_name());
        if request.by_safe_method && prepared.kind() == OperationKind::Mutation {
            return Err(Outcome::method_not_allowed(
                "a mutation is not answered by GET: send it by POST",
                "POST",
            ));
        }
        Ok(prepared)
    }

    /// Prepares the `count` operations that were asked for most of `former`, and says how many of them can still be run.
    pub(crate) fn warm(&self, former: &Self, count: usize) -> usize {
        let wanted = former.cache.most_used(count);
        let mut ready = 0;
        for (text, name) in wanted {
            if let Ok(prepared) = self.make(&text, name.as_deref()) {
                self.cache.insert(&text, name.as_deref(), Arc::new(prepared));
                ready += 1;
            }
        }
        ready
    }

    /// Refuses variables that nest too deep.
    fn bound(&self, variables: &Object) -> Result<(), Outcome> {
        let Limit { most, is_enforced } = self.variables_depth;
        for (name, value) in variables.iter() {
            let depth = depth_of(value);
            if depth <= most {
                continue;
            }
            let message = format!("${name} nests {depth} levels deep; it may {most} at most");
            if is_enforced {
                return Err(Outcome::refused(Code::VariablesTooDeep, message));
            }
            tracing::warn!(
                code = Code::VariablesTooDeep.as_str(),
                "a limit would refuse: {message}"
            );
        }
        Ok(())
    }

    fn make(&self, text: &str, operation_name: Option<&str>) -> Result<Prepared, Outcome> {
        let (limits, settings) = (&self.limits, PlanSettings::default());
        let prepared = prepare_with(&self.supergraph, text, operation_name, limits, settings)
            .map_err(Outcome::RequestError)?;
        for error in prepared.measured() {
            let (code, operation) = (error.code.as_str(), prepared.operation_name());
            tracing::warn!(code, operation, "a limit would refuse: {error}");
        }
        if !self.introspection && introspects(text) {
            return Err(Outcome::refused(
                Code::IntrospectionDisabled,
                "this server does not answer __schema and __type",
            ));
        }
        Ok(prepared)
    }
}

/// Whether a document that was found valid selects the schema anywhere. Where it cannot be read, it counts as if it did.
fn introspects(text: &str) -> bool {
    let Ok(document) = parse_query(text) else { return true };
    let operations =
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set.node);
    operations.chain(fragments).any(selects_schema)
}

fn selects_schema(selection_set: &SelectionSet) -> bool {
    selection_set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => {
            matches!(field.node.name.node.as_str(), "__schema" | "__type")
                || selects_schema(&field.node.selection_set.node)
        }
        Selection::InlineFragment(fragment) => selects_schema(&fragment.node.selection_set.node),
        Selection::FragmentSpread(_) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Asked;
    use crate::settings::DeveloperSettings;

    fn operations(introspection: bool) -> Operations {
        let sdl = include_str!("../tests/support/supergraph.graphql");
        let developer = DeveloperSettings { introspection, ..DeveloperSettings::default() };
        let settings = GatewaySettings { developer, ..GatewaySettings::default() };
        Operations::new(Arc::new(Supergraph::parse(sdl).unwrap()), &settings)
    }

    fn request(query: &str, by_safe_method: bool) -> GraphQlRequest {
        GraphQlRequest {
            uploads: None,
            asked: Asked::Text(query.to_owned()),
            operation_name: None,
            variables: federation::Object::default(),
            by_safe_method,
            operation_id: None,
        }
    }

    #[tokio::test]
    async fn an_operation_is_prepared_once() {
        let operations = operations(true);
        let first = operations.prepare("{ viewer }", &request("{ viewer }", false)).await.unwrap();
        let again = operations.prepare("{ viewer }", &request("{ viewer }", true)).await.unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        let other =
            operations.prepare("{ viewer  }", &request("{ viewer  }", false)).await.unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
    }

    #[tokio::test]
    async fn a_mistake_is_not_kept() {
        let operations = operations(true);
        for _ in 0..2 {
            let error = operations
                .prepare("{ nothing }", &request("{ nothing }", false))
                .await
                .unwrap_err();
            assert!(matches!(error, Outcome::RequestError(_)), "{error:?}");
        }
        assert!(operations.cache.get("{ nothing }", None).is_none());
    }

    #[tokio::test]
    async fn a_mutation_is_not_answered_by_get_even_when_it_is_cached() {
        let operations = operations(true);
        let text = "mutation { signIn }";
        operations.prepare(text, &request(text, false)).await.unwrap();
        let error = operations.prepare(text, &request(text, true)).await.unwrap_err();
        assert_eq!(error.code(), Some(Code::MethodNotAllowed));
    }

    #[tokio::test]
    async fn introspection_can_be_off() {
        let operations = operations(false);
        for text in ["{ __schema { description } }", "{ viewer __type(name: \"A\") { name } }"] {
            for _ in 0..2 {
                let error = operations.prepare(text, &request(text, false)).await.unwrap_err();
                assert_eq!(error.code(), Some(Code::IntrospectionDisabled), "{text}");
            }
        }
        operations.prepare("{ __typename }", &request("{ __typename }", false)).await.unwrap();
    }

    #[test]
    fn the_schema_is_found_wherever_it_is_selected() {
        for text in [
            "{ __schema { queryType { name } } }",
            "{ a { b } x: __type(name: \"T\") { name } }",
            "{ ... on Query { ...F } } fragment F on Query { ... { __schema { description } } }",
            "query A { a } query B { __schema { description } }",
        ] {
            assert!(introspects(text), "{text}");
        }
        assert!(!introspects("{ __typename a { __typename } }"));
    }
}
