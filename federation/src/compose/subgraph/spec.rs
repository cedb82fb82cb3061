//! The federation directives: their names, definitions, and the version that brought them.
//!
//! After normalisation a federation directive is called `federation__NAME` whatever its subgraph calls it, and is
//! defined as in [`DEFINITIONS`].

use super::model::Version;

/// Prefix of canonical names.
pub(super) const PREFIX: &str = "federation__";

/// Field that keeps a root type from being empty; taken out again when the model is built.
pub(super) const PLACEHOLDER_FIELD: &str = "federation__placeholder";

/// Newest minor version of Federation 2 whose directives are all in [`directive`].
pub(super) const NEWEST_MINOR: u32 = 14;

/// What the directives look like. Locations are not narrower than the specification's, because rules
/// with codes of their own report a directive in the wrong place.
pub(super) const DEFINITIONS: &str = r#"
directive @federation__key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @federation__requires(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__provides(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__external(reason: String) on OBJECT | FIELD_DEFINITION
directive @federation__shareable repeatable on OBJECT | FIELD_DEFINITION
directive @federation__override(from: String!, label: String) on FIELD_DEFINITION
directive @federation__composeDirective(name: String) repeatable on SCHEMA
directive @federation__extends on OBJECT | INTERFACE
directive @federation__authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__requiresScopes(scopes: [[federation__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__policy(policies: [[federation__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__context(name: String!) repeatable on INTERFACE | OBJECT | UNION
directive @federation__fromContext(field: federation__ContextFieldValue) on ARGUMENT_DEFINITION
directive @federation__cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @federation__listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
directive @federation__cacheTag(format: String!) repeatable on OBJECT | FIELD_DEFINITION
directive @federation__inaccessible on FIELD_DEFINITION | INTERFACE | OBJECT | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @federation__tag(name: String!) repeatable on FIELD_DEFINITION | INTERFACE | OBJECT | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
directive @federation__interfaceObject on OBJECT
scalar federation__FieldSet
scalar federation__Scope
scalar federation__Policy
scalar federation__ContextFieldValue
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
    in_federation_1: bool,
}

/// A directive that all versions of Federation 2 have.
const fn always(
    name: &'static str,
    arguments: &'static [&'static str],
    in_federation_1: bool,
) -> SpecDirective {
    SpecDirective { name, arguments, since: 0, in_federation_1 }
}

/// A directive that Federation 2.`since` brought.
const fn since(
    since: u32,
    name: &'static str,
    arguments: &'static [&'static str],
) -> SpecDirective {
    SpecDirective { since, ..always(name, arguments, false) }
}

const DIRECTIVES: [SpecDirective; 19] = [
    always("key", &["fields", "resolvable"], true),
    always("requires", &["fields"], true),
    always("provides", &["fields"], true),
    always("external", &["reason"], true),
    always("extends", &[], true),
    always("tag", &["name"], true),
    always("inaccessible", &[], true),
    always("shareable", &[], false),
    always("override", &["from", "label"], false),
    since(1, "composeDirective", &["name"]),
    since(3, "interfaceObject", &[]),
    since(5, "authenticated", &[]),
    since(5, "requiresScopes", &["scopes"]),
    since(6, "policy", &["policies"]),
    since(8, "context", &["name"]),
    since(8, "fromContext", &["field"]),
    since(9, "cost", &["weight"]),
    since(
        9,
        "listSize",
        &["assumedSize", "slicingArguments", "sizedFields", "requireOneSlicingArgument"],
    ),
    since(12, "cacheTag", &["format"]),
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

/// All directives.
pub(super) fn directives() -> impl Iterator<Item = SpecDirective> {
    DIRECTIVES.into_iter()
}

/// The directives that are in the supergraph, without being asked for, as they are in the subgraphs.
pub(crate) const COMPOSED: [&str; 8] = [
    "tag",
    "inaccessible",
    "authenticated",
    "requiresScopes",
    "policy",
    "cost",
    "listSize",
    "context",
];

/// A specification that federation contains, and that may be linked by itself.
#[derive(Debug)]
pub(super) struct Contained {
    identity: &'static str,
    pub(super) versions: &'static [Version],
    /// First minor version of Federation 2 that contains it.
    pub(super) since: u32,
    pub(super) directives: &'static [&'static str],
}

const CONTAINED: [Contained; 7] = [
    Contained {
        identity: "https://specs.apollo.dev/tag",
        versions: &[Version(0, 1), Version(0, 2), Version(0, 3)],
        since: 0,
        directives: &["tag"],
    },
    Contained {
        identity: "https://specs.apollo.dev/inaccessible",
        versions: &[Version(0, 1), Version(0, 2)],
        since: 0,
        directives: &["inaccessible"],
    },
    first("https://specs.apollo.dev/authenticated", 5, &["authenticated"]),
    first("https://specs.apollo.dev/requiresScopes", 5, &["requiresScopes"]),
    first("https://specs.apollo.dev/policy", 6, &["policy"]),
    first("https://specs.apollo.dev/cost", 9, &["cost", "listSize"]),
    first("https://specs.apollo.dev/context", 8, &["context", "fromContext"]),
];

/// A specification in its first version, which is the only one.
const fn first(
    identity: &'static str,
    since: u32,
    directives: &'static [&'static str],
) -> Contained {
    Contained { identity, versions: &[Version(0, 1)], since, directives }
}

/// The contained specification with this URL, version left out.
pub(super) fn contained(identity: &str) -> Option<&'static Contained> {
    CONTAINED.iter().find(|contained| contained.identity == identity)
}

/// The directives that a subgraph without a `@link` uses by their plain names.
pub(super) fn federation_1_directives() -> impl Iterator<Item = SpecDirective> {
    DIRECTIVES.into_iter().filter(|directive| directive.in_federation_1)
}
