//! The federation directives: their names, definitions, and whether composition handles them.
//!
//! After normalisation a federation directive is called `federation__NAME` whatever its subgraph calls it, and is
//! defined as in [`DEFINITIONS`].

/// Prefix of canonical names.
pub(super) const PREFIX: &str = "federation__";

/// Field that keeps a root type from being empty; taken out again when the model is built.
pub(super) const PLACEHOLDER_FIELD: &str = "federation__placeholder";

/// Newest minor version of Federation 2 whose directives are all in [`directive`].
pub(super) const NEWEST_MINOR: u32 = 12;

/// What the handled directives look like. Locations are not narrower than the specification's, because rules
/// with codes of their own report a directive in the wrong place.
pub(super) const DEFINITIONS: &str = r#"
directive @federation__key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @federation__requires(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__provides(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__external(reason: String) on OBJECT | FIELD_DEFINITION
directive @federation__shareable repeatable on OBJECT | FIELD_DEFINITION
directive @federation__override(from: String!, label: String) on FIELD_DEFINITION
directive @federation__extends on OBJECT | INTERFACE
directive @federation__inaccessible on FIELD_DEFINITION | INTERFACE | OBJECT | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @federation__tag(name: String!) repeatable on FIELD_DEFINITION | INTERFACE | OBJECT | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
directive @federation__interfaceObject on OBJECT
scalar federation__FieldSet
directive @oneOf on INPUT_OBJECT
extend type Query { federation__placeholder: Boolean }
"#;

/// A directive of the federation specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SpecDirective {
    pub(super) name: &'static str,
    /// Arguments that a definition in a subgraph may have.
    pub(super) arguments: &'static [&'static str],
    /// First minor version of Federation 2 that has it.
    since: u32,
    pub(super) handled: bool,
    in_federation_1: bool,
}

const fn handled(
    name: &'static str,
    arguments: &'static [&'static str],
    in_federation_1: bool,
) -> SpecDirective {
    SpecDirective { name, arguments, since: 0, handled: true, in_federation_1 }
}

const fn unhandled(
    name: &'static str,
    arguments: &'static [&'static str],
    since: u32,
) -> SpecDirective {
    SpecDirective { name, arguments, since, handled: false, in_federation_1: false }
}

const DIRECTIVES: [SpecDirective; 19] = [
    handled("key", &["fields", "resolvable"], true),
    handled("requires", &["fields"], true),
    handled("provides", &["fields"], true),
    handled("external", &["reason"], true),
    handled("extends", &[], true),
    handled("tag", &["name"], true),
    handled("inaccessible", &[], true),
    handled("shareable", &[], false),
    handled("override", &["from", "label"], false),
    unhandled("composeDirective", &["name"], 1),
    SpecDirective { since: 3, ..handled("interfaceObject", &[], false) },
    unhandled("authenticated", &[], 5),
    unhandled("requiresScopes", &["scopes"], 5),
    unhandled("policy", &["policies"], 6),
    unhandled("context", &["name"], 8),
    unhandled("fromContext", &["field"], 8),
    unhandled("cost", &["weight"], 9),
    unhandled(
        "listSize",
        &["assumedSize", "slicingArguments", "sizedFields", "requireOneSlicingArgument"],
        9,
    ),
    unhandled("cacheTag", &["format"], 12),
];

/// Scalars and enums of the specification that may be imported.
pub(super) const IMPORTABLE_TYPES: [&str; 5] =
    ["FieldSet", "Scope", "Policy", "ContextFieldValue", "Any"];

/// Definitions that a subgraph may bring along for its runtime, and that are not part of its schema.
pub(super) const RUNTIME_TYPES: [&str; 6] =
    ["_Any", "_Entity", "_Service", "_FieldSet", "link__Import", "link__Purpose"];

/// Fields of `Query` that belong to the subgraph protocol.
pub(super) const RUNTIME_FIELDS: [&str; 2] = ["_service", "_entities"];

/// The directive called `name` in Federation 2.`minor`.
pub(super) fn directive(name: &str, minor: u32) -> Option<SpecDirective> {
    DIRECTIVES.into_iter().find(|directive| directive.name == name && directive.since <= minor)
}

/// All directives of Federation 2.`minor`.
pub(super) fn directives(minor: u32) -> impl Iterator<Item = SpecDirective> {
    DIRECTIVES.into_iter().filter(move |directive| directive.since <= minor)
}

/// The directives that a subgraph without a `@link` uses by their plain names.
pub(super) fn federation_1_directives() -> impl Iterator<Item = SpecDirective> {
    DIRECTIVES.into_iter().filter(|directive| directive.in_federation_1)
}
