//! An operation that is ready to run, to be kept by its text: validated once, planned once for each combination of the
//! variables that its `@skip` and `@include` name.

use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::collections::HashMap;

use crate::operation::{
    Conditions, Document, Field, OperationKind, RequestError, RequestErrorCode, SelectionSet,
    normalise,
};
use crate::supergraph::Supergraph;
use crate::value::Object;

use super::document::Client;
use super::planner::{self, PlanError};
use super::shape::Shape;
use super::{Layout, Plan, finish};

/// How many combinations of conditions are kept.
const MAX_VARIANTS: usize = 64;

/// A valid operation with its plan.
#[derive(Debug)]
pub struct Prepared {
    supergraph: Arc<Supergraph>,
    document: Document,
    conditions: Conditions,
    /// With everything included that a variable could leave out.
    whole: Arc<Variant>,
    variants: Mutex<HashMap<Vec<bool>, Arc<Variant>>>,
}

/// The plan and the answer's shape under certain conditions.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) plan: Plan,
    pub(crate) shape: Shape,
    /// The root fields that the client's schema answers: `__schema` and `__type`.
    pub(crate) introspection: Vec<Arc<Field>>,
}

/// Parses, validates, normalises and plans an operation.
///
/// # Errors
/// When the document does not parse or is not valid, names no operation to run, uses what the engine does not serve, is too
/// long or too deep, or cannot be planned.
pub fn prepare(
    supergraph: &Arc<Supergraph>,
    source: &str,
    operation_name: Option<&str>,
) -> Result<Prepared, Vec<RequestError>> {
    let document = Document::parse(supergraph.api(), source, operation_name)?;
    let conditions = Conditions::of(&document);
    let whole = variant(supergraph, &document, &conditions).map_err(|error| vec![error])?;
    Ok(Prepared {
        supergraph: supergraph.clone(),
        document,
        conditions,
        whole: Arc::new(whole),
        variants: Mutex::default(),
    })
}

impl Prepared {
    /// What the operation does.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.document.kind()
    }

    /// The operation's name, if it has one.
    #[must_use]
    pub fn operation_name(&self) -> Option<&str> {
        self.document.operation.name.as_deref()
    }

    /// The plan, with everything included that variables of `@skip` and `@include` could leave out.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.whole.plan
    }

    pub(crate) fn supergraph(&self) -> &Supergraph {
        &self.supergraph
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    /// The plan for a request's variables.
    pub(crate) fn variant(&self, variables: &Object) -> Result<Arc<Variant>, RequestError> {
        if self.conditions.is_empty() {
            return Ok(self.whole.clone());
        }
        let conditions = self.conditions.decided_by(variables);
        let key = conditions.key();
        if let Some(known) = self.lock().get(&key) {
            return Ok(known.clone());
        }
        let variant = Arc::new(variant(&self.supergraph, &self.document, &conditions)?);
        let mut variants = self.lock();
        if variants.len() >= MAX_VARIANTS {
            variants.clear();
        }
        variants.insert(key, variant.clone());
        Ok(variant)
    }

    /// A panic elsewhere leaves the map whole: entries are put in complete.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<bool>, Arc<Variant>>> {
        self.variants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn variant(
    supergraph: &Supergraph,
    document: &Document,
    conditions: &Conditions,
) -> Result<Variant, RequestError> {
    let operation = normalise(supergraph, document, conditions)?;
    let client = Client { operation: &document.operation, kind: document.kind() };
    let drafts = planner::draft(supergraph, client.kind, &operation).map_err(refusal)?;
    let mut layout = Layout::new();
    let shape = Shape::new(supergraph, &operation, &mut layout);
    Ok(Variant {
        plan: finish::finish(supergraph, drafts, &client, layout),
        shape,
        introspection: introspection(&operation),
    })
}

fn introspection(operation: &SelectionSet) -> Vec<Arc<Field>> {
    let fields = operation.fields.iter();
    fields.filter(|field| matches!(field.name.as_str(), "__schema" | "__type")).cloned().collect()
}

fn refusal(error: PlanError) -> RequestError {
    match error {
        PlanError::Exhausted => RequestError::new(
            RequestErrorCode::OperationTooComplex,
            "planning the operation takes more work than is accepted",
        ),
        PlanError::Unreachable(coordinate) => RequestError::new(
            RequestErrorCode::QueryPlanningFailed,
            format!("no subgraph can be asked for {coordinate} where the operation selects it"),
        ),
    }
}
