//! What composition has to say about its input: a code, a sentence, a coordinate, the subgraphs concerned.
//!
//! The codes are those that Apollo documents, so that tools and people know them; the set is closed, and a
//! rule without a code cannot report. Nothing in here decides whether something is wrong.

use std::fmt;

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// There is no supergraph.
    Error,
    /// There is a supergraph, but perhaps not the one that was meant.
    Hint,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Which rule was broken. [`Code::as_str`] gives the name that Apollo documents.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code, errors before hints.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The documented name, in upper snake case.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// A subgraph is not valid GraphQL.
    InvalidGraphql = "INVALID_GRAPHQL",
    /// A subgraph's name is empty, reserved, or not unique.
    InvalidSubgraphName = "INVALID_SUBGRAPH_NAME",
    /// `@link` is applied in a way that has no meaning.
    InvalidLinkDirectiveUsage = "INVALID_LINK_DIRECTIVE_USAGE",
    /// The URL or a name of a `@link` cannot be read.
    InvalidLinkIdentifier = "INVALID_LINK_IDENTIFIER",
    /// The federation specification is linked in a version that is not known.
    UnknownFederationLinkVersion = "UNKNOWN_FEDERATION_LINK_VERSION",
    /// Another specification is linked in a version that is not known.
    UnknownLinkVersion = "UNKNOWN_LINK_VERSION",
    /// A specification that composition does not know is linked as necessary.
    UnsupportedLinkedFeature = "UNSUPPORTED_LINKED_FEATURE",
    /// A directive of the specification is defined otherwise than the specification does.
    DirectiveDefinitionInvalid = "DIRECTIVE_DEFINITION_INVALID",
    /// A type of a specification is defined as another kind of type than it is there.
    TypeDefinitionInvalid = "TYPE_DEFINITION_INVALID",
    /// A type is called `Query` but is not the query root.
    RootQueryUsed = "ROOT_QUERY_USED",
    /// A type is called `Mutation` but is not the mutation root.
    RootMutationUsed = "ROOT_MUTATION_USED",
    /// A type is called `Subscription` but is not the subscription root.
    RootSubscriptionUsed = "ROOT_SUBSCRIPTION_USED",

    /// The `fields` of a `@key` are not a selection on its type.
    KeyInvalidFields = "KEY_INVALID_FIELDS",
    /// The `fields` of a `@key` are not a string.
    KeyInvalidFieldsType = "KEY_INVALID_FIELDS_TYPE",
    /// A `@key` selects a list, an interface or a union.
    KeyFieldsSelectInvalidType = "KEY_FIELDS_SELECT_INVALID_TYPE",
    /// A `@key` selects a field that takes arguments.
    KeyFieldsHasArgs = "KEY_FIELDS_HAS_ARGS",
    /// A `@key` selects with a directive.
    KeyDirectiveInFieldsArg = "KEY_DIRECTIVE_IN_FIELDS_ARG",
    /// A `@key` is on an interface in a version that does not know interface entities.
    KeyUnsupportedOnInterface = "KEY_UNSUPPORTED_ON_INTERFACE",
    /// An implementation of an interface in the same subgraph lacks a `@key` of it.
    InterfaceKeyNotOnImplementation = "INTERFACE_KEY_NOT_ON_IMPLEMENTATION",
    /// A subgraph has a resolvable `@key` on an interface, but not all its implementations.
    InterfaceKeyMissingImplementationType = "INTERFACE_KEY_MISSING_IMPLEMENTATION_TYPE",
    /// `@interfaceObject` is where it has no meaning.
    InterfaceObjectUsageError = "INTERFACE_OBJECT_USAGE_ERROR",
    /// The `fields` of a `@requires` are not a selection on its parent type.
    RequiresInvalidFields = "REQUIRES_INVALID_FIELDS",
    /// The `fields` of a `@requires` are not a string.
    RequiresInvalidFieldsType = "REQUIRES_INVALID_FIELDS_TYPE",
    /// A `@requires` selects with a directive.
    RequiresDirectiveInFieldsArg = "REQUIRES_DIRECTIVE_IN_FIELDS_ARG",
    /// A `@requires` selects a field that the subgraph resolves itself.
    RequiresFieldsMissingExternal = "REQUIRES_FIELDS_MISSING_EXTERNAL",
    /// A `@requires` is on a field of an interface.
    RequiresUnsupportedOnInterface = "REQUIRES_UNSUPPORTED_ON_INTERFACE",
    /// The `fields` of a `@provides` are not a selection on the field's type.
    ProvidesInvalidFields = "PROVIDES_INVALID_FIELDS",
    /// The `fields` of a `@provides` are not a string.
    ProvidesInvalidFieldsType = "PROVIDES_INVALID_FIELDS_TYPE",
    /// A `@provides` selects with a directive.
    ProvidesDirectiveInFieldsArg = "PROVIDES_DIRECTIVE_IN_FIELDS_ARG",
    /// A `@provides` selects a field that takes arguments.
    ProvidesFieldsHasArgs = "PROVIDES_FIELDS_HAS_ARGS",
    /// A `@provides` selects a field that the subgraph resolves anyhow.
    ProvidesFieldsMissingExternal = "PROVIDES_FIELDS_MISSING_EXTERNAL",
    /// A `@provides` is on a field that returns a leaf.
    ProvidesOnNonObjectField = "PROVIDES_ON_NON_OBJECT_FIELD",
    /// A `@provides` is on a field of an interface.
    ProvidesUnsupportedOnInterface = "PROVIDES_UNSUPPORTED_ON_INTERFACE",
    /// A field is `@external`, and nothing in its subgraph needs it.
    ExternalUnused = "EXTERNAL_UNUSED",
    /// A field is `@external` on an interface.
    ExternalOnInterface = "EXTERNAL_ON_INTERFACE",
    /// A field is `@external` in every subgraph that has it.
    ExternalMissingOnBase = "EXTERNAL_MISSING_ON_BASE",
    /// A field is `@external` with another type than it has where it is resolved.
    ExternalTypeMismatch = "EXTERNAL_TYPE_MISMATCH",
    /// A field is `@external` without an argument that it has where it is resolved.
    ExternalArgumentMissing = "EXTERNAL_ARGUMENT_MISSING",
    /// An argument of an `@external` field has another type than where it is resolved.
    ExternalArgumentTypeMismatch = "EXTERNAL_ARGUMENT_TYPE_MISMATCH",
    /// An argument of an `@external` field has another default than where it is resolved.
    ExternalArgumentDefaultMismatch = "EXTERNAL_ARGUMENT_DEFAULT_MISMATCH",
    /// A context's name has other characters than letters and digits.
    ContextNameInvalid = "CONTEXT_NAME_INVALID",
    /// An argument takes a context that no type sets, or is where there is none.
    ContextNotSet = "CONTEXT_NOT_SET",
    /// An argument's `@fromContext` names no context.
    NoContextInSelection = "NO_CONTEXT_IN_SELECTION",
    /// An argument's selection does not give one value of its type.
    ContextInvalidSelection = "CONTEXT_INVALID_SELECTION",
    /// An object takes a context, and cannot be asked for by a key.
    ContextNoResolvableKey = "CONTEXT_NO_RESOLVABLE_KEY",
    /// `@cost` is on a field of an interface.
    CostAppliedToInterfaceField = "COST_APPLIED_TO_INTERFACE_FIELD",
    /// `@listSize` is on what is not a list.
    ListSizeAppliedToNonList = "LIST_SIZE_APPLIED_TO_NON_LIST",
    /// `@listSize` assumes a negative size.
    ListSizeInvalidAssumedSize = "LIST_SIZE_INVALID_ASSUMED_SIZE",
    /// `@listSize` names a slicing argument that is not there or not a number.
    ListSizeInvalidSlicingArgument = "LIST_SIZE_INVALID_SLICING_ARGUMENT",
    /// `@listSize` names a sized field that is not there.
    ListSizeInvalidSizedField = "LIST_SIZE_INVALID_SIZED_FIELD",
    /// A list of objects does not say how long it is, where that is asked for.
    ListSizeMissing = "LIST_SIZE_MISSING",
    /// `@authenticated`, `@requiresScopes` or `@policy` is on an interface.
    AuthRequirementsAppliedOnInterface = "AUTH_REQUIREMENTS_APPLIED_ON_INTERFACE",
    /// The label of an `@override` is neither a name nor a percentage.
    OverrideLabelInvalid = "OVERRIDE_LABEL_INVALID",
    /// A field is `@external` and `@provides` at once.
    ExternalCollisionWithAnotherDirective = "EXTERNAL_COLLISION_WITH_ANOTHER_DIRECTIVE",
    /// `@tag`, `@inaccessible` or another directive of the supergraph is applied where a field is only `@external`.
    MergedDirectiveApplicationOnExternal = "MERGED_DIRECTIVE_APPLICATION_ON_EXTERNAL",
    /// `@shareable` is on a field of an interface.
    InvalidShareableUsage = "INVALID_SHAREABLE_USAGE",

    /// A Federation 1 type that others refer to has only `@external` fields that nothing needs.
    TypeWithOnlyUnusedExternal = "TYPE_WITH_ONLY_UNUSED_EXTERNAL",
    /// A type is extended, and defined nowhere.
    ExtensionWithNoBase = "EXTENSION_WITH_NO_BASE",
    /// A name means an object here and something else there.
    TypeKindMismatch = "TYPE_KIND_MISMATCH",
    /// A field's types have nothing in common.
    FieldTypeMismatch = "FIELD_TYPE_MISMATCH",
    /// An argument's types have nothing in common.
    FieldArgumentTypeMismatch = "FIELD_ARGUMENT_TYPE_MISMATCH",
    /// An argument's defaults differ.
    FieldArgumentDefaultMismatch = "FIELD_ARGUMENT_DEFAULT_MISMATCH",
    /// An input field's defaults differ.
    InputFieldDefaultMismatch = "INPUT_FIELD_DEFAULT_MISMATCH",
    /// An argument is required here and unknown there.
    RequiredArgumentMissingInSomeSubgraph = "REQUIRED_ARGUMENT_MISSING_IN_SOME_SUBGRAPH",
    /// An input field is required here and unknown there.
    RequiredInputFieldMissingInSomeSubgraph = "REQUIRED_INPUT_FIELD_MISSING_IN_SOME_SUBGRAPH",
    /// No input field is known everywhere.
    EmptyMergedInputType = "EMPTY_MERGED_INPUT_TYPE",
    /// No enum value is known everywhere.
    EmptyMergedEnumType = "EMPTY_MERGED_ENUM_TYPE",
    /// An enum is both given and taken, and its values differ.
    EnumValueMismatch = "ENUM_VALUE_MISMATCH",
    /// A field is resolved by several subgraphs that have not all agreed to share it.
    InvalidFieldSharing = "INVALID_FIELD_SHARING",
    /// A shared field can return no object type that all its subgraphs know.
    ShareableHasMismatchedRuntimeTypes = "SHAREABLE_HAS_MISMATCHED_RUNTIME_TYPES",
    /// An object lacks a field that its interface has in another subgraph.
    InterfaceFieldNoImplem = "INTERFACE_FIELD_NO_IMPLEM",
    /// A directive cannot be composed, or the subgraphs do not agree on it.
    DirectiveCompositionError = "DIRECTIVE_COMPOSITION_ERROR",
    /// Subgraphs import the same directive under different names.
    LinkImportNameMismatch = "LINK_IMPORT_NAME_MISMATCH",
    /// An argument takes a context here, and clients must give it there.
    ContextualArgumentNotContextualInAllSubgraphs = "CONTEXTUAL_ARGUMENT_NOT_CONTEXTUAL_IN_ALL_SUBGRAPHS",
    /// A field reads others that ask more of a viewer than it does.
    MissingTransitiveAuthRequirements = "MISSING_TRANSITIVE_AUTH_REQUIREMENTS",
    /// No subgraph has a query.
    NoQueries = "NO_QUERIES",
    /// `@override` names its own subgraph.
    OverrideFromSelfError = "OVERRIDE_FROM_SELF_ERROR",
    /// `@override` takes a field from a subgraph that overrides it too.
    OverrideSourceHasOverride = "OVERRIDE_SOURCE_HAS_OVERRIDE",
    /// `@override` meets `@external`, `@requires` or `@provides`.
    OverrideCollisionWithAnotherDirective = "OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE",
    /// `@override` is on a field of an interface.
    OverrideOnInterface = "OVERRIDE_ON_INTERFACE",

    /// The query root is `@inaccessible`.
    QueryRootTypeInaccessible = "QUERY_ROOT_TYPE_INACCESSIBLE",
    /// What clients see refers to what they do not see.
    ReferencedInaccessible = "REFERENCED_INACCESSIBLE",
    /// A default value uses what clients do not see.
    DefaultValueUsesInaccessible = "DEFAULT_VALUE_USES_INACCESSIBLE",
    /// Clients see a type, and nothing in it.
    OnlyInaccessibleChildren = "ONLY_INACCESSIBLE_CHILDREN",
    /// Clients must give what they do not see.
    RequiredInaccessible = "REQUIRED_INACCESSIBLE",
    /// What belongs to a specification, or is an argument of a directive for schemas, is `@inaccessible`.
    DisallowedInaccessible = "DISALLOWED_INACCESSIBLE",
    /// Clients see an interface's field, but not that of its implementation.
    ImplementedByInaccessible = "IMPLEMENTED_BY_INACCESSIBLE",
    /// A query that the schema allows cannot be answered.
    SatisfiabilityError = "SATISFIABILITY_ERROR",

    /// Types differ in nullability or width, and the wider is taken.
    InconsistentButCompatibleFieldType = "INCONSISTENT_BUT_COMPATIBLE_FIELD_TYPE",
    /// Types of an argument differ, and the narrower is taken.
    InconsistentButCompatibleArgumentType = "INCONSISTENT_BUT_COMPATIBLE_ARGUMENT_TYPE",
    /// A default is given here and not there, and is dropped.
    InconsistentDefaultValuePresence = "INCONSISTENT_DEFAULT_VALUE_PRESENCE",
    /// Descriptions differ, and the most frequent is taken.
    InconsistentDescription = "INCONSISTENT_DESCRIPTION",
    /// An optional argument is unknown somewhere, and is dropped.
    InconsistentArgumentPresence = "INCONSISTENT_ARGUMENT_PRESENCE",
    /// An optional input field is unknown somewhere, and is dropped.
    InconsistentInputObjectField = "INCONSISTENT_INPUT_OBJECT_FIELD",
    /// An enum value is unknown somewhere, and is dropped because the enum is only taken.
    InconsistentEnumValueForInputEnum = "INCONSISTENT_ENUM_VALUE_FOR_INPUT_ENUM",
    /// An enum value is unknown somewhere, and is kept because the enum is only given.
    InconsistentEnumValueForOutputEnum = "INCONSISTENT_ENUM_VALUE_FOR_OUTPUT_ENUM",
    /// Nothing is of an enum.
    UnusedEnumType = "UNUSED_ENUM_TYPE",
    /// An object has a key here and none there.
    InconsistentEntity = "INCONSISTENT_ENTITY",
    /// A field of an object without keys is unknown somewhere.
    InconsistentObjectValueTypeField = "INCONSISTENT_OBJECT_VALUE_TYPE_FIELD",
    /// A field of an interface without keys is unknown somewhere.
    InconsistentInterfaceValueTypeField = "INCONSISTENT_INTERFACE_VALUE_TYPE_FIELD",
    /// A member of a union is unknown somewhere.
    InconsistentUnionMember = "INCONSISTENT_UNION_MEMBER",
    /// A shared field may return different object types from its subgraphs.
    InconsistentRuntimeTypesForShareableReturn = "INCONSISTENT_RUNTIME_TYPES_FOR_SHAREABLE_RETURN",
    /// A directive for operations is unknown somewhere, and is dropped.
    InconsistentExecutableDirectivePresence = "INCONSISTENT_EXECUTABLE_DIRECTIVE_PRESENCE",
    /// A directive for operations is repeatable here and not there, and is not in the supergraph.
    InconsistentExecutableDirectiveRepeatable = "INCONSISTENT_EXECUTABLE_DIRECTIVE_REPEATABLE",
    /// A directive for operations has other locations elsewhere, and keeps those that all have.
    InconsistentExecutableDirectiveLocations = "INCONSISTENT_EXECUTABLE_DIRECTIVE_LOCATIONS",
    /// A directive for operations has no location that all subgraphs know, and is dropped.
    NoExecutableDirectiveIntersection = "NO_EXECUTABLE_DIRECTIVE_INTERSECTION",
    /// A composed directive is repeatable here and not there, and is in the supergraph.
    InconsistentTypeSystemDirectiveRepeatable = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_REPEATABLE",
    /// A composed directive has other locations elsewhere, and has them all in the supergraph.
    InconsistentTypeSystemDirectiveLocations = "INCONSISTENT_TYPE_SYSTEM_DIRECTIVE_LOCATIONS",
    /// A specification is linked by itself that only a later version of federation contains than is linked.
    ImplicitlyUpgradedFederationVersion = "IMPLICITLY_UPGRADED_FEDERATION_VERSION",
    /// A directive has other arguments elsewhere, and the most frequent are taken.
    InconsistentNonRepeatableDirectiveArguments = "INCONSISTENT_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
    /// A directive has other arguments elsewhere, and they are combined.
    MergedNonRepeatableDirectiveArguments = "MERGED_NON_REPEATABLE_DIRECTIVE_ARGUMENTS",
    /// Something about a composed directive that need not be changed.
    DirectiveCompositionInfo = "DIRECTIVE_COMPOSITION_INFO",
    /// Something about a composed directive that may not be what is meant.
    DirectiveCompositionWarn = "DIRECTIVE_COMPOSITION_WARN",
    /// A field is moving from one subgraph to another, which `@override(label:)` controls.
    OverrideMigrationInProgress = "OVERRIDE_MIGRATION_IN_PROGRESS",
    /// `@override` names a subgraph that is not there.
    FromSubgraphDoesNotExist = "FROM_SUBGRAPH_DOES_NOT_EXIST",
    /// `@override` takes a field from a subgraph that does not have it.
    OverrideDirectiveCanBeRemoved = "OVERRIDE_DIRECTIVE_CAN_BE_REMOVED",
    /// The field is overridden elsewhere and no longer needed here.
    OverriddenFieldCanBeRemoved = "OVERRIDDEN_FIELD_CAN_BE_REMOVED",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Which rule.
    pub code: Code,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Where: `Type`, `Type.field`, `Type.field(argument:)`.
    pub coordinate: Option<String>,
    /// Names of the subgraphs concerned.
    pub subgraphs: Vec<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Hint => "hint",
        };
        write!(f, "{severity} {}", self.code)?;
        if let Some(coordinate) = &self.coordinate {
            write!(f, " at {coordinate}")?;
        }
        if !self.subgraphs.is_empty() {
            write!(f, " [{}]", self.subgraphs.join(", "))?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// Where a field is. Rules look at thousands of fields, and it is only written for what is reported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coordinate<'a> {
    pub(crate) parent: &'a str,
    pub(crate) field: &'a str,
}

impl fmt::Display for Coordinate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.parent, self.field)
    }
}

/// Where the rules report to. Errors and hints are kept apart, each in the order of reporting.
#[derive(Debug, Default)]
pub(crate) struct Report {
    errors: Vec<Diagnostic>,
    hints: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn error(
        &mut self,
        code: Code,
        at: impl fmt::Display,
        subgraphs: &[&str],
        message: String,
    ) {
        self.errors.push(diagnostic(Severity::Error, code, at, subgraphs, message));
    }

    pub(crate) fn hint(
        &mut self,
        code: Code,
        at: impl fmt::Display,
        subgraphs: &[&str],
        message: String,
    ) {
        self.hints.push(diagnostic(Severity::Hint, code, at, subgraphs, message));
    }

    /// Ends a stage: what was found so far is fatal to the next one.
    pub(crate) fn checkpoint(&mut self) -> Result<(), Vec<Diagnostic>> {
        if self.errors.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.errors)) }
    }

    pub(crate) fn error_count(&self) -> usize {
        self.errors.len()
    }

    pub(crate) fn into_hints(self) -> Vec<Diagnostic> {
        self.hints
    }
}

/// An empty `at` means that the finding is about no single coordinate. Messages quote from the input, which may be
/// of several lines; a message is of one.
fn diagnostic(
    severity: Severity,
    code: Code,
    at: impl fmt::Display,
    subgraphs: &[&str],
    message: String,
) -> Diagnostic {
    let at = at.to_string();
    let message = if message.contains('\n') {
        message.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        message
    };
    Diagnostic {
        severity,
        code,
        message,
        coordinate: (!at.is_empty()).then_some(at),
        subgraphs: subgraphs.iter().map(|&name| name.to_owned()).collect(),
    }
}
