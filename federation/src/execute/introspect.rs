//! Answers `__schema` and `__type` from the client's schema.

use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;

use crate::operation::{RequestError, RequestErrorCode};
use crate::plan::{Prepared, Variant};
use crate::value::Object;

/// The root fields of introspection, by response key.
pub(super) fn introspect(
    prepared: &Prepared,
    variant: &Variant,
    variables: &Object,
) -> Result<Object, Vec<RequestError>> {
    if !variant.has_introspection {
        return Ok(Object::default());
    }
    let supergraph = prepared.supergraph();
    let document = prepared.document();
    let response = partial_execute(
        supergraph.api(),
        supergraph.implementers(),
        &document.executable,
        &document.operation,
        &Valid::assume_valid(json(variables)?),
    )
    .map_err(|error| vec![refused(error.message())])?;
    if let Some(error) = response.errors.first() {
        return Err(vec![refused(&error.message)]);
    }
    // By way of text, because that keeps the order of the fields.
    serde_json::to_string(&response.data.unwrap_or_default())
        .and_then(|text| serde_json::from_str(&text))
        .map_err(|error| vec![refused(error)])
}

fn json(variables: &Object) -> Result<JsonMap, Vec<RequestError>> {
    serde_json::to_value(variables)
        .and_then(serde_json::from_value)
        .map_err(|error| vec![refused(error)])
}

fn refused(problem: impl std::fmt::Display) -> RequestError {
    RequestError::new(RequestErrorCode::BadUserInput, format!("introspection failed: {problem}"))
}
