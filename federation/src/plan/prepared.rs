//! An operation that is ready to run, to be kept by its text: validated once, planned and priced once for each combination of the
//! variables that its `@skip` and `@include` name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use apollo_compiler::collections::HashMap;

use crate::authorise::{self, Claims};
use crate::cost::{self, CostSettings, DearField, Formula};
use crate::operation::{
    Conditions, DeferUsage, Document, Field, Normalised, OperationKind, OperationLimits,
    RequestError, RequestErrorCode, SelectionSet, Variables, coerce_variables, normalise,
};
use crate::supergraph::{RequirementId, Supergraph};
use crate::value::Object;

use super::document::Client;
use super::overrides::{OverrideLabels, Overrides};
use super::planner::{PlanError, Task};
use super::search::{self, PlanSettings};
use super::shape::Shape;
use super::{Layout, Plan, conflicts, finish};

/// How many combinations of conditions are kept.
const MAX_VARIANTS: usize = 64;
/// What is kept of a valid document, in bytes for each byte of its text: nodes with their positions. Measured, roughly.
const BYTES_PER_TEXT_BYTE: usize = 20;
/// What a fetch and a field of the answer's shape take beside their texts, in bytes; roughly.
const BYTES_PER_FETCH: usize = 1000;
const BYTES_PER_FIELD: usize = 250;
/// What a field takes in the formula of the operation's cost, in bytes; roughly.
const BYTES_PER_NODE: usize = 200;

/// A valid operation with its plan.
#[derive(Debug)]
pub struct Prepared {
    supergraph: Arc<Supergraph>,
    settings: PlanSettings,
    document: Arc<Document>,
    /// How long the operation's text is.
    text_bytes: usize,
    conditions: Conditions,
    /// What the supergraph requires of viewers for anything in the operation.
    requirements: BTreeSet<RequirementId>,
    /// Those of them that are not met: what has them is withheld.
    unmet: BTreeSet<RequirementId>,
    /// The operation for viewers who do not meet all requirements, by those that they do not meet.
    restricted: Mutex<HashMap<BTreeSet<RequirementId>, Arc<Prepared>>>,
    /// With everything included that a variable could leave out, and every override label off.
    whole: Arc<Variant>,
    variants: Mutex<Variants>,
    /// What the operation may cost, by the values of its conditions.
    formulas: Mutex<HashMap<Vec<bool>, Arc<Formula>>>,
}

/// The plans made so far.
#[derive(Debug, Default)]
struct Variants {
    /// The override labels that any of the plans asked about.
    labels: BTreeSet<Arc<str>>,
    known: HashMap<VariantKey, Arc<Variant>>,
}

/// The values of the conditions, and the labels that are on.
type VariantKey = (Vec<bool>, BTreeSet<Arc<str>>);

/// The plan and the answer's shape under certain conditions.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) plan: Plan,
    pub(crate) shape: Shape,
    /// The root fields that the client's schema answers: `__schema` and `__type`.
    pub(crate) introspection: Vec<Arc<Field>>,
    /// The fragments that are delivered later.
    pub(crate) defers: Arc<[DeferUsage]>,
    /// Response keys down to each part that is withheld.
    pub(crate) refused: Vec<Vec<Arc<str>>>,
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
    let (limits, settings) = (OperationLimits::default(), PlanSettings::default());
    prepare_with(supergraph, source, operation_name, &limits, settings)
}

/// [`prepare`] with other bounds for the operation and for planning.
///
/// # Errors
/// As [`prepare`]'s.
pub fn prepare_with(
    supergraph: &Arc<Supergraph>,
    source: &str,
    operation_name: Option<&str>,
    limits: &OperationLimits,
    settings: PlanSettings,
) -> Result<Prepared, Vec<RequestError>> {
    let document = Arc::new(Document::parse(supergraph.api(), source, operation_name, limits)?);
    let conditions = Conditions::of(&document);
    let requirements = requirements(supergraph, &document, &conditions);
    requirements
        .and_then(|requirements| {
            let unmet = BTreeSet::new();
            let (supergraph, text_bytes) = (supergraph.clone(), source.len());
            Prepared::new(
                supergraph,
                settings,
                document,
                text_bytes,
                conditions,
                requirements,
                unmet,
            )
        })
        .map_err(|error| vec![error])
}

/// What the supergraph requires of viewers for anything in the operation. Most supergraphs require nothing.
fn requirements(
    supergraph: &Supergraph,
    document: &Document,
    conditions: &Conditions,
) -> Result<BTreeSet<RequirementId>, RequestError> {
    if supergraph.access().is_empty() {
        return Ok(BTreeSet::new());
    }
    let operation = normalise(supergraph, document, conditions)?;
    Ok(authorise::requirements(supergraph, &operation.selections))
}

impl Prepared {
    fn new(
        supergraph: Arc<Supergraph>,
        settings: PlanSettings,
        document: Arc<Document>,
        text_bytes: usize,
        conditions: Conditions,
        requirements: BTreeSet<RequirementId>,
        unmet: BTreeSet<RequirementId>,
    ) -> Result<Self, RequestError> {
        let (whole, labels) =
            variant(&supergraph, &settings, &document, &conditions, &unmet, BTreeSet::new())?;
        Ok(Self {
            supergraph,
            settings,
            document,
            text_bytes,
            conditions,
            requirements,
            unmet,
            restricted: Mutex::default(),
            whole: Arc::new(whole),
            variants: Mutex::new(Variants { labels, known: HashMap::default() }),
            formulas: Mutex::default(),
        })
    }

    /// What of the operation is beyond limits that are not enforced.
    #[must_use]
    pub fn measured(&self) -> &[RequestError] {
        &self.document.measured
    }

    /// Whether every viewer may see all of it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.requirements.is_empty()
    }

    /// The operation as a viewer with `claims` may run it: itself, unless the supergraph requires more of viewers. What is
    /// then left out is null in the answer, with an error for each part.
    ///
    /// # Errors
    /// When what is left cannot be planned.
    pub fn authorise(self: &Arc<Self>, claims: &Claims) -> Result<Arc<Self>, RequestError> {
        if self.is_open() {
            return Ok(self.clone());
        }
        let unmet = authorise::unmet(&self.supergraph, &self.requirements, claims);
        if unmet == self.unmet {
            return Ok(self.clone());
        }
        let known =
            self.restricted.lock().unwrap_or_else(PoisonError::into_inner).get(&unmet).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let restricted = Arc::new(Self::new(
            self.supergraph.clone(),
            self.settings.clone(),
            self.document.clone(),
            self.text_bytes,
            self.conditions.clone(),
            self.requirements.clone(),
            unmet.clone(),
        )?);
        let mut all = self.restricted.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_VARIANTS {
            all.clear();
        }
        all.insert(unmet, restricted.clone());
        Ok(restricted)
    }

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

    /// How much memory it takes, in bytes, roughly; it grows as requests skip and include other parts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let variants: usize = self.lock().known.values().map(|variant| variant.bytes()).sum();
        let formulas: usize = self.lock_formulas().values().map(|formula| formula.len()).sum();
        let formulas = formulas * BYTES_PER_NODE;
        self.text_bytes * BYTES_PER_TEXT_BYTE + self.whole.bytes() + variants + formulas
    }

    /// What a request gives for the operation's variables, as values that fit what it declares.
    ///
    /// # Errors
    /// One for each variable that does not fit.
    pub fn coerce(&self, given: Object) -> Result<Variables, Vec<RequestError>> {
        let document = &self.document;
        let (operation, sources) = (&document.operation, &document.executable.sources);
        coerce_variables(self.supergraph.api(), operation, sources, given)
    }

    /// What the operation costs at most with `variables`, where lists give no more than their arguments and `@listSize` say. What the
    /// viewer may not see of it counts too.
    ///
    /// # Errors
    /// [`RequestErrorCode::SlicingArgumentRequired`] when a list is not told how long to be and must be.
    pub fn estimate(
        &self,
        variables: &Variables,
        settings: &CostSettings,
    ) -> Result<f64, RequestError> {
        self.formula(variables)?.evaluate(variables, settings)
    }

    /// The `most` fields that add most to what [`estimate`](Self::estimate) says, the dearest first.
    ///
    /// # Errors
    /// As those of [`estimate`](Self::estimate).
    pub fn dearest(
        &self,
        variables: &Variables,
        settings: &CostSettings,
        most: usize,
    ) -> Result<Vec<DearField>, RequestError> {
        self.formula(variables)?.dearest(variables, settings, most)
    }

    fn formula(&self, variables: &Object) -> Result<Arc<Formula>, RequestError> {
        // When parts are delivered does not change what they cost.
        let conditions = self.conditions.decided_by(variables, true);
        let key = conditions.key();
        if let Some(known) = self.lock_formulas().get(&key) {
            return Ok(known.clone());
        }
        let operation = normalise(&self.supergraph, &self.document, &conditions)?;
        let formula = Arc::new(Formula::of(&self.supergraph, self.kind(), &operation.selections));
        let mut formulas = self.lock_formulas();
        if formulas.len() >= MAX_VARIANTS {
            formulas.clear();
        }
        formulas.insert(key, formula.clone());
        Ok(formula)
    }

    fn lock_formulas(&self) -> std::sync::MutexGuard<'_, HashMap<Vec<bool>, Arc<Formula>>> {
        self.formulas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether parts of the answer may be delivered later, by `@defer` or `@stream`.
    #[must_use]
    pub fn is_incremental(&self) -> bool {
        self.conditions.has_deferred() && self.kind() != OperationKind::Subscription
    }

    pub(crate) fn supergraph(&self) -> &Supergraph {
        &self.supergraph
    }

    /// The plan for a request's variables and override labels. With `at_once`, nothing in it is delivered later.
    pub(crate) fn variant(
        &self,
        variables: &Object,
        overrides: &dyn OverrideLabels,
        at_once: bool,
    ) -> Result<Arc<Variant>, RequestError> {
        let mut decided: BTreeMap<Arc<str>, bool> = BTreeMap::new();
        let conditions = self.conditions.decided_by(variables, at_once);
        loop {
            let labels = self.lock().labels.clone();
            if self.conditions.is_empty() && labels.is_empty() {
                return Ok(self.whole.clone());
            }
            let on: BTreeSet<Arc<str>> = labels
                .iter()
                .filter(|label| {
                    *decided.entry((*label).clone()).or_insert_with(|| overrides.is_on(label))
                })
                .cloned()
                .collect();
            let key = (conditions.key(), on.clone());
            if let Some(known) = self.lock().known.get(&key) {
                return Ok(known.clone());
            }
            let (variant, asked) = variant(
                &self.supergraph,
                &self.settings,
                &self.document,
                &conditions,
                &self.unmet,
                on,
            )?;
            let mut variants = self.lock();
            if !asked.is_subset(&variants.labels) {
                // Where one label is on, another may come into play; keys made without it no longer tell plans apart.
                variants.labels.extend(asked);
                variants.known.clear();
                continue;
            }
            if variants.known.len() >= MAX_VARIANTS {
                variants.known.clear();
            }
            let variant = Arc::new(variant);
            variants.known.insert(key, variant.clone());
            return Ok(variant);
        }
    }

    /// A panic elsewhere leaves the map whole: entries are put in complete.
    fn lock(&self) -> std::sync::MutexGuard<'_, Variants> {
        self.variants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Variant {
    fn bytes(&self) -> usize {
        let fetches = self.plan.fetches.iter();
        // The printed selection is as long as the document, and so is the request.
        let fetches: usize = fetches.map(|fetch| 3 * fetch.document.len() + BYTES_PER_FETCH).sum();
        fetches + self.plan.layout.slots() * BYTES_PER_FIELD
    }
}

/// A plan, and the override labels that it asked about.
fn variant(
    supergraph: &Supergraph,
    settings: &PlanSettings,
    document: &Document,
    conditions: &Conditions,
    unmet: &BTreeSet<RequirementId>,
    labels_on: BTreeSet<Arc<str>>,
) -> Result<(Variant, BTreeSet<Arc<str>>), RequestError> {
    let Normalised { selections, defers } = normalise(supergraph, document, conditions)?;
    let (operation, renamed) = conflicts::separate(supergraph, selections);
    let restricted =
        (!unmet.is_empty()).then(|| authorise::restrict(supergraph, &operation, unmet, &renamed));
    let (operation, answered, refused) = match &restricted {
        Some(restricted) => (&restricted.allowed, &restricted.answered, restricted.refused.clone()),
        None => (&operation, &operation, Vec::new()),
    };
    let client = Client { operation: &document.operation, kind: document.kind() };
    let overrides = Overrides::new(labels_on);
    let task = Task { supergraph, overrides: &overrides, client: &client, operation, settings };
    let drafts = search::best(&task).map_err(refusal)?;
    let mut layout = Layout::new(supergraph.all_stand_ins());
    let base = cost::base(document.kind());
    let shape = Shape::new(supergraph, answered, renamed, base, &mut layout);
    let variant = Variant {
        plan: finish::finish(supergraph, drafts, &client, layout),
        shape,
        introspection: introspection(operation),
        defers,
        refused,
    };
    Ok((variant, overrides.into_asked()))
}

fn introspection(operation: &SelectionSet) -> Vec<Arc<Field>> {
    let fields = operation.fields.iter();
    fields.filter(|field| matches!(field.name.as_str(), "__schema" | "__type")).cloned().collect()
}

fn refusal(error: PlanError) -> RequestError {
    match error {
        // A plan that grows too much is made frugally, which takes what it takes.
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
