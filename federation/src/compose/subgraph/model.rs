//! The model of a subgraph: its types with what federation says about them.
//!
//! Data only. Built by `extract`, changed by `upgrade`, read by every later stage.

use std::collections::BTreeMap;
use std::fmt;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, Type, Value};
use apollo_compiler::collections::{HashSet, IndexMap};

use super::FieldSet;
use super::composed::Composed;
use super::contexts::FromContext;
use super::link::Link;
use super::marks::Marks;

/// Canonical names of the root types.
pub(crate) const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

/// A scalar that every subgraph has without defining it.
pub(crate) fn is_built_in_scalar(name: &str) -> bool {
    matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID")
}

/// A subgraph that is valid by itself.
#[derive(Debug)]
pub(crate) struct Subgraph {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) types: IndexMap<Name, TypeDef>,
    /// The directives that the subgraph defines itself.
    pub(crate) directive_definitions: IndexMap<Name, Node<DirectiveDefinition>>,
    /// What it says of the schema as a whole.
    pub(crate) description: Option<Node<str>>,
    /// What it marks the schema as a whole with.
    pub(crate) schema_marks: Marks,
    /// The specifications it links that composition does not know.
    pub(crate) links: Vec<Link>,
    /// Which of its own directives the supergraph shall keep.
    pub(crate) composed: Vec<Composed>,
    /// What it calls those of the federation directives that it applies.
    pub(crate) directive_names: BTreeMap<&'static str, String>,
    /// Of what was written, also for Federation 1 subgraphs that were upgraded.
    pub(crate) version: Version,
    /// Coordinates of fields that some `@key` selects, at any depth.
    pub(crate) key_fields: HashSet<(Name, Name)>,
    /// Coordinates of fields that some `@provides` selects, at any depth.
    pub(crate) provided_fields: HashSet<(Name, Name)>,
    /// Coordinates of fields that some `@requires` or `@fromContext` selects, at any depth.
    pub(crate) required_fields: HashSet<(Name, Name)>,
}

/// Version of the federation specification: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}", self.0, self.1)
    }
}

impl Version {
    pub(crate) const FEDERATION_1: Self = Self(1, 0);

    pub(crate) fn is_federation_1(self) -> bool {
        self.0 == 1
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

impl Kind {
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Object => "object type",
            Self::Interface => "interface",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::InputObject => "input object",
        }
    }

    pub(crate) fn is_composite(self) -> bool {
        matches!(self, Self::Object | Self::Interface | Self::Union)
    }
}

/// A type of any kind; the parts that its kind does not have are empty.
#[derive(Debug)]
pub(crate) struct TypeDef {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    /// Only extended in this subgraph, not defined. In Federation 2, a type with `@extends` is defined all the same.
    pub(crate) extension_only: bool,
    /// An object type that stands for an interface of other subgraphs, whatever implements it there.
    pub(crate) interface_object: bool,
    pub(crate) keys: Vec<Key>,
    pub(crate) interfaces: Vec<Name>,
    pub(crate) fields: IndexMap<Name, Field>,
    pub(crate) input_fields: IndexMap<Name, InputValue>,
    pub(crate) members: Vec<Name>,
    pub(crate) values: IndexMap<Name, EnumValue>,
    pub(crate) specified_by: Option<String>,
    pub(crate) one_of: bool,
    /// Formats of `@cacheTag`.
    pub(crate) cache_tags: Vec<String>,
}

impl TypeDef {
    /// The kind of the type in the supergraph.
    pub(crate) fn merged_kind(&self) -> Kind {
        if self.interface_object { Kind::Interface } else { self.kind }
    }
}

#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) fields: FieldSet,
    pub(crate) resolvable: bool,
    /// Applied on an extension, or on a type with `@extends`.
    pub(crate) extension: bool,
}

/// A field of an object or interface.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    pub(crate) arguments: IndexMap<Name, InputValue>,
    pub(crate) external: External,
    pub(crate) shareable: bool,
    pub(crate) requires: Option<FieldSet>,
    pub(crate) provides: Option<FieldSet>,
    /// The subgraph named by `@override(from:)`.
    pub(crate) override_from: Option<String>,
    /// `@override(label:)`: the share of requests, or the condition, for which it holds.
    pub(crate) override_label: Option<String>,
    /// Formats of `@cacheTag`.
    pub(crate) cache_tags: Vec<String>,
}

/// What `@external` means for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum External {
    /// Not external.
    No,
    /// Marked because Federation 1 wanted it on the key of an extension; resolved all the same.
    KeyOfExtension,
    /// Not resolved here, unless some `@provides` says so.
    Yes,
}

impl Field {
    /// Whether the subgraph cannot, in general, resolve the field.
    pub(crate) fn is_external(&self) -> bool {
        self.external == External::Yes
    }
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(crate) struct InputValue {
    pub(crate) name: Name,
    pub(crate) ty: Type,
    pub(crate) default: Option<Node<Value>>,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
    /// The argument's value does not come from clients but from a context.
    pub(crate) from_context: Option<FromContext>,
}

impl InputValue {
    pub(crate) fn is_required(&self) -> bool {
        self.ty.is_non_null() && self.default.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct EnumValue {
    pub(crate) name: Name,
    pub(crate) description: Option<Node<str>>,
    pub(crate) marks: Marks,
}

impl Subgraph {
    pub(crate) fn field(&self, type_name: &str, field: &str) -> Option<&Field> {
        self.types.get(type_name)?.fields.get(field)
    }

    /// Object types that a value of type `name` can have in this subgraph.
    pub(crate) fn possible_types(&self, name: &str) -> Vec<Name> {
        let Some(def) = self.types.get(name) else {
            return Vec::new();
        };
        match def.kind {
            Kind::Object => vec![def.name.clone()],
            Kind::Union => def.members.clone(),
            Kind::Interface => self
                .types
                .values()
                .filter(|object| object.kind == Kind::Object)
                .filter(|object| object.interfaces.iter().any(|interface| interface == name))
                .map(|object| object.name.clone())
                .collect(),
            Kind::Scalar | Kind::Enum | Kind::InputObject => Vec::new(),
        }
    }

    /// Whether the field is marked `@external`, or that of some implementation if the type is an interface.
    pub(crate) fn counts_as_external(&self, type_name: &str, field: &str) -> bool {
        let marked = |type_name: &str| {
            self.field(type_name, field).is_some_and(|field| field.external != External::No)
        };
        let on_interface = self.types.get(type_name).is_some_and(|def| def.kind == Kind::Interface);
        marked(type_name)
            || (on_interface && self.possible_types(type_name).iter().any(|name| marked(name)))
    }

    /// Whether something in this subgraph refers to the field: a field set, or an interface of its type.
    pub(crate) fn is_used(&self, type_name: &Name, field: &Field) -> bool {
        let coordinate = (type_name.clone(), field.name.clone());
        let interfaces = self.types.get(type_name).map_or(&[][..], |def| def.interfaces.as_slice());
        self.key_fields.contains(&coordinate)
            || self.required_fields.contains(&coordinate)
            || self.provided_fields.contains(&coordinate)
            || interfaces.iter().any(|interface| self.field(interface, &field.name).is_some())
    }

    /// Whether the field is external and no `@provides` of this subgraph ever resolves it.
    pub(crate) fn is_fully_external(&self, type_name: &Name, field: &Field) -> bool {
        field.is_external()
            && !self.provided_fields.contains(&(type_name.clone(), field.name.clone()))
    }
}
