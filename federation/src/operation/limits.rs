//! How large an operation may be, and the count of what a document holds: one pass over it as soon as it is parsed, before anything
//! walks it that takes longer.
//!
//! What a fragment holds counts wherever the fragment is spread, so that nothing hides in one; each definition is walked once all the same.

use apollo_compiler::Name;
use apollo_compiler::ast::{
    Definition, DirectiveList, Document, FragmentDefinition, OperationDefinition, Selection,
};
use apollo_compiler::collections::HashMap;
use apollo_compiler::parser::SourceSpan;

use super::{RequestError, RequestErrorCode};

/// The bounds of one operation. Those without a mode keep the engine from harm, and are always kept to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationLimits {
    /// The tokens of its document.
    pub tokens: usize,
    /// How deep its syntax nests, literals included, and how deep fields and fragments do once expanded: 1 to
    /// [`MAX_DEPTH`](Self::MAX_DEPTH); more counts as that.
    pub depth: usize,
    /// Fields and fragments once expanded.
    pub fields: usize,
    /// Fields that are given another name.
    pub aliases: Limit,
    /// Fields of the root type.
    pub root_fields: Limit,
    /// Directives in the document.
    pub directives: Limit,
    /// Named fragments in the document.
    pub fragments: Limit,
}

/// A bound, and what becomes of an operation beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many there may be.
    pub most: u64,
    /// Whether an operation with more is refused; else it is only told of.
    pub is_enforced: bool,
}

impl Limit {
    /// No bound.
    pub const NONE: Self = Self::of(u64::MAX);

    /// A bound that is kept to.
    #[must_use]
    pub const fn of(most: u64) -> Self {
        Self { most, is_enforced: true }
    }
}

/// How deep selections are counted: deeper than any operation may nest, which is refused more precisely once it is known to be valid, and
/// far from the end of a thread's stack.
const MOST_COUNTED_DEPTH: usize = 4 * OperationLimits::MAX_DEPTH;

impl OperationLimits {
    /// How deep anything may nest, whatever is set: whatever walks an operation recursively relies on it.
    pub const MAX_DEPTH: usize = 100;
}

impl Default for OperationLimits {
    fn default() -> Self {
        Self {
            tokens: 15_000,
            depth: Self::MAX_DEPTH,
            fields: 20_000,
            aliases: Limit::NONE,
            root_fields: Limit::NONE,
            directives: Limit::NONE,
            fragments: Limit::NONE,
        }
    }
}

/// Counts what `document` holds. Gives what is beyond limits that are not enforced.
///
/// # Errors
/// What is beyond those that are.
pub(super) fn check(
    document: &Document,
    limits: &OperationLimits,
) -> Result<Vec<RequestError>, Vec<RequestError>> {
    let mut counter = Counter::new(document, limits);
    let mut found = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::FragmentDefinition(fragment) => {
                counter.fragments.add(fragment.location());
                counter.fragment(&fragment.name, 0);
            }
            Definition::OperationDefinition(operation) => {
                let totals = counter.operation(operation);
                let holder = match &operation.name {
                    Some(name) => format!("the operation {name}"),
                    None => "the operation".to_owned(),
                };
                let at = counter.aliases.place.or(operation.location());
                let aliases = (limits.aliases, totals.aliases, RequestErrorCode::TooManyAliases);
                found.push((aliases, format!("{holder} has {} aliases", totals.aliases), at));
                let fields =
                    (limits.root_fields, totals.fields, RequestErrorCode::TooManyRootFields);
                let what = format!("{holder} has {} root fields", totals.fields);
                found.push((fields, what, operation.location()));
            }
            _ => {}
        }
    }
    if counter.too_deep.is_some() {
        let message = format!(
            "the operation nests deeper than {} levels once its fragments are expanded",
            OperationLimits::MAX_DEPTH
        );
        let error = RequestError::new(RequestErrorCode::TooDeep, message);
        return Err(vec![error.at(counter.too_deep, &document.sources)]);
    }
    let Counter { directives, fragments, .. } = counter;
    let code = RequestErrorCode::TooManyDirectives;
    let what = format!("the document has {} directives", directives.count);
    found.push(((limits.directives, directives.count, code), what, directives.place));
    let code = RequestErrorCode::TooManyFragments;
    let what = format!("the document has {} fragments", fragments.count);
    found.push(((limits.fragments, fragments.count, code), what, fragments.place));

    let (mut refused, mut measured) = (Vec::new(), Vec::new());
    for ((limit, count, code), what, at) in found {
        if count > limit.most {
            let message = format!("{what}; it may have {} at most", limit.most);
            let error = RequestError::new(code, message).at(at, &document.sources);
            if limit.is_enforced { &mut refused } else { &mut measured }.push(error);
        }
    }
    if refused.is_empty() { Ok(measured) } else { Err(refused) }
}

/// How many there are in the document as it is written, and where the first one too many is.
struct Written {
    most: u64,
    count: u64,
    place: Option<SourceSpan>,
}

impl Written {
    const fn new(limit: Limit) -> Self {
        Self { most: limit.most, count: 0, place: None }
    }

    fn add(&mut self, place: Option<SourceSpan>) {
        self.count += 1;
        if self.count == self.most.saturating_add(1) {
            self.place = place;
        }
    }
}

/// What is in a selection set, fragments and what is nested in it included.
#[derive(Clone, Copy, Default)]
struct Totals {
    aliases: u64,
    /// Only those of the set itself.
    fields: u64,
}

struct Counter<'a> {
    definitions: HashMap<&'a Name, &'a FragmentDefinition>,
    /// The fragments that were counted. One that spreads itself is not valid, and found elsewhere.
    known: HashMap<&'a Name, Totals>,
    aliases: Written,
    directives: Written,
    fragments: Written,
    /// The first selection that is not counted, lest the stack ends.
    too_deep: Option<SourceSpan>,
}

impl<'a> Counter<'a> {
    fn new(document: &'a Document, limits: &OperationLimits) -> Self {
        let fragment = |definition: &'a Definition| match definition {
            Definition::FragmentDefinition(fragment) => Some((&fragment.name, &**fragment)),
            _ => None,
        };
        Self {
            definitions: document.definitions.iter().filter_map(fragment).collect(),
            known: HashMap::default(),
            aliases: Written::new(limits.aliases),
            directives: Written::new(limits.directives),
            fragments: Written::new(limits.fragments),
            too_deep: None,
        }
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Totals {
        self.directives(&operation.directives);
        for variable in &operation.variables {
            self.directives(&variable.directives);
        }
        self.totals(&operation.selection_set, 0)
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Totals {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let Some(fragment) = self.definitions.get(name).copied() else { return Totals::default() };
        self.known.insert(name, Totals::default());
        self.directives(&fragment.directives);
        let totals = self.totals(&fragment.selection_set, depth);
        self.known.insert(name, totals);
        totals
    }

    fn totals(&mut self, selections: &'a [Selection], depth: usize) -> Totals {
        let mut totals = Totals::default();
        if depth > MOST_COUNTED_DEPTH {
            self.too_deep = self.too_deep.or(selections.first().and_then(place));
            return totals;
        }
        for selection in selections {
            let inner = match selection {
                Selection::Field(field) => {
                    self.directives(&field.directives);
                    if field.alias.is_some() {
                        self.aliases.add(field.location());
                    }
                    let below = self.totals(&field.selection_set, depth + 1).aliases;
                    Totals {
                        aliases: below.saturating_add(field.alias.is_some().into()),
                        fields: 1,
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.directives(&fragment.directives);
                    self.totals(&fragment.selection_set, depth + 1)
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    self.fragment(&spread.fragment_name, depth + 1)
                }
            };
            totals.aliases = totals.aliases.saturating_add(inner.aliases);
            totals.fields = totals.fields.saturating_add(inner.fields);
        }
        totals
    }

    fn directives(&mut self, directives: &DirectiveList) {
        directives.iter().for_each(|directive| self.directives.add(directive.location()));
    }
}

fn place(selection: &Selection) -> Option<SourceSpan> {
    match selection {
        Selection::Field(field) => field.location(),
        Selection::InlineFragment(fragment) => fragment.location(),
        Selection::FragmentSpread(spread) => spread.location(),
    }
}
