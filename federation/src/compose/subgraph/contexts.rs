//! `@context` and `@fromContext`: which types set a context, and what arguments take from it.
//!
//! Documentation: <https://www.apollographql.com/docs/graphos/schema-design/federated-schemas/entities/use-contexts>.
//! An argument's selection must give one value, of the argument's type, on every type that sets its context; only then is it
//! in the model.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Definition, Document, Selection, Type};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable;
use apollo_compiler::validation::Valid;

use super::field_set::FieldSet;
use super::model::{InputValue, Kind, Subgraph, TypeDef};
use crate::compose::diagnostic::{Code, Report};

/// Where an argument's value comes from.
#[derive(Debug)]
pub(crate) struct FromContext {
    /// The name of the context in the subgraph.
    pub(crate) context: String,
    /// What is selected, as written.
    pub(crate) selection: String,
    /// What that is on each type that sets the context.
    pub(crate) on: Vec<FieldSet>,
}

/// Finds out where the contextual arguments of `subgraph` get their values. `written` is what `@fromContext` says, by
/// type, field and argument; empty where it says nothing.
pub(super) fn resolve(
    subgraph: &mut Subgraph,
    schema: &Valid<Schema>,
    written: Vec<(Name, Name, Name, String)>,
    report: &mut Report,
) {
    check_names(subgraph, report);
    for (type_name, field, argument, text) in written {
        let at = format!("{type_name}.{field}({argument}:)");
        let found = subgraph
            .types
            .get(&type_name)
            .and_then(|def| Some((def, def.fields.get(&field)?.arguments.get(&argument)?)));
        let Some((def, value)) = found else {
            continue;
        };
        let resolver = Resolver { subgraph, schema };
        match resolver.check_place(def, &field, value).and_then(|()| resolver.read(value, &text)) {
            Ok(from) => {
                let field =
                    subgraph.types.get_mut(&type_name).and_then(|def| def.fields.get_mut(&field));
                if let Some(value) = field.and_then(|field| field.arguments.get_mut(&argument)) {
                    value.from_context = Some(from);
                }
            }
            Err((code, message)) => report.error(code, &at, &[&subgraph.name], message),
        }
    }
}

/// A context's name is joined to that of its subgraph, so that it cannot have underscores.
fn check_names(subgraph: &Subgraph, report: &mut Report) {
    for def in subgraph.types.values() {
        for context in &def.marks.contexts {
            let letters = |c: char| c.is_ascii_alphanumeric();
            if !context.starts_with(|c: char| c.is_ascii_alphabetic())
                || !context.chars().all(letters)
            {
                let message = format!(
                    "@context(name: \"{context}\"): a context's name has letters and digits only, and begins with a letter"
                );
                report.error(Code::ContextNameInvalid, &def.name, &[&subgraph.name], message);
            }
        }
    }
}

/// Contextual arguments of a directive definition have no context.
pub(super) fn check_directive_definitions(
    definitions: &[Definition],
    subgraph: &str,
    report: &mut Report,
) {
    for definition in definitions.iter().filter_map(Definition::as_directive_definition) {
        for argument in &definition.arguments {
            if argument.directives.has("federation__fromContext") {
                let at = format!("@{}({}:)", definition.name, argument.name);
                let message = "@fromContext is on an argument of a directive, which has no context"
                    .to_owned();
                report.error(Code::ContextNotSet, &at, &[subgraph], message);
            }
        }
    }
}

type Problem = (Code, String);

struct Resolver<'a> {
    subgraph: &'a Subgraph,
    schema: &'a Valid<Schema>,
}

impl Resolver<'_> {
    /// Whether an argument there can get its value from a context at all.
    fn check_place(&self, def: &TypeDef, field: &Name, value: &InputValue) -> Result<(), Problem> {
        if def.kind != Kind::Object {
            let message =
                "@fromContext is on a field of an interface; put it on the implementations";
            return Err((Code::ContextNotSet, message.to_owned()));
        }
        let of_interface =
            def.interfaces.iter().find(|interface| self.subgraph.field(interface, field).is_some());
        if let Some(interface) = of_interface {
            let message = format!(
                "@fromContext is on a field that implements \"{interface}.{field}\", which clients call otherwise"
            );
            return Err((Code::ContextNotSet, message));
        }
        if value.default.is_some() {
            let message = "an argument with @fromContext cannot have a default";
            return Err((Code::ContextNotSet, message.to_owned()));
        }
        if !def.keys.iter().any(|key| key.resolvable) {
            let message = format!(
                "\"{}\" has no resolvable @key, so that it cannot be asked for with a value from a context",
                def.name
            );
            return Err((Code::ContextNoResolvableKey, message));
        }
        Ok(())
    }

    /// Reads `$context selection`.
    fn read(&self, value: &InputValue, text: &str) -> Result<FromContext, Problem> {
        let split = text.trim().strip_prefix('$').and_then(|text| {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_')?;
            let (context, selection) = text.split_at(end);
            Some((context, selection.trim()))
                .filter(|_| !context.is_empty() && !selection.trim().is_empty())
        });
        let Some((context, selection)) = split else {
            let message = format!(
                "@fromContext(field: \"{text}\") names no context; it takes \"$context {{ field }}\""
            );
            return Err((Code::NoContextInSelection, message));
        };
        let setters: Vec<&TypeDef> = self
            .subgraph
            .types
            .values()
            .filter(|def| def.marks.contexts.iter().any(|name| name == context))
            .collect();
        if setters.is_empty() {
            let message = format!("no type of the subgraph has @context(name: \"{context}\")");
            return Err((Code::ContextNotSet, message));
        }
        let on = self.select(&setters, &value.ty, selection).map_err(|problem| {
            let message = format!("@fromContext(field: \"{text}\"): {problem}");
            (Code::ContextInvalidSelection, message)
        })?;
        Ok(FromContext { context: context.to_owned(), selection: selection.to_owned(), on })
    }

    /// What `selection` is on each of `setters`. It has one field, or a fragment for each type.
    fn select(
        &self,
        setters: &[&TypeDef],
        ty: &Type,
        selection: &str,
    ) -> Result<Vec<FieldSet>, String> {
        let parsed = parse(selection)?;
        let conditions: Vec<(&Name, String)> = parsed
            .iter()
            .filter_map(|item| match item {
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.type_condition.as_ref()?;
                    let inner: Vec<String> =
                        fragment.selection_set.iter().map(ToString::to_string).collect();
                    Some((condition, inner.join(" ")))
                }
                _ => None,
            })
            .collect();
        if conditions.is_empty() {
            let sets = setters.iter().map(|def| self.one_value(&def.name, ty, selection));
            return sets.collect();
        }
        if conditions.len() < parsed.len() {
            return Err(
                "it selects fields beside fragments with types; one or the other".to_owned()
            );
        }
        let mut unused: IndexMap<&Name, ()> =
            conditions.iter().map(|(name, _)| (*name, ())).collect();
        let mut sets = Vec::new();
        for setter in setters {
            for object in self.subgraph.possible_types(&setter.name) {
                let fitting = conditions.iter().find(|(condition, _)| {
                    **condition == object
                        || self.subgraph.possible_types(condition).contains(&object)
                });
                let (condition, inner) = fitting.ok_or_else(|| {
                    format!("it has no fragment for \"{object}\", which sets the context")
                })?;
                unused.shift_remove(*condition);
                sets.push(self.one_value(&object, ty, inner)?);
            }
        }
        match unused.keys().next() {
            Some(condition) => Err(format!("\"{condition}\" does not set the context")),
            None => Ok(sets),
        }
    }

    /// A selection on `type_name` that gives one value for an argument of the type `ty`.
    fn one_value(&self, type_name: &Name, ty: &Type, selection: &str) -> Result<FieldSet, String> {
        let set = FieldSet::parse(self.schema, type_name, selection)?;
        let selected = value_type(&set.selection)?;
        // The context may be set by an object that has no such value.
        if fits(ty, &nullable(selected.clone())) {
            Ok(set)
        } else {
            Err(format!(
                "it gives \"{}\" on \"{type_name}\", where the argument takes \"{ty}\"",
                nullable(selected)
            ))
        }
    }
}

/// The selections of a field set, braces or none. The text has neither aliases nor directives.
fn parse(selection: &str) -> Result<Vec<Selection>, String> {
    let braced = if selection.starts_with('{') {
        selection.to_owned()
    } else {
        format!("{{ {selection} }}")
    };
    let document =
        Document::parse(braced, "selection").map_err(|_| "it is not a selection".to_owned())?;
    match document.definitions.as_slice() {
        [Definition::OperationDefinition(operation)] => Ok(operation.selection_set.clone()),
        _ => Err("it is not one selection".to_owned()),
    }
}

/// The type of the only leaf; inside a list it is a list.
fn value_type(selection: &executable::SelectionSet) -> Result<Type, String> {
    let [item] = selection.selections.as_slice() else {
        return Err("it selects more than one field".to_owned());
    };
    if !item.directives().is_empty() {
        return Err("it selects with a directive; it may have none".to_owned());
    }
    match item {
        executable::Selection::Field(field) if field.alias.is_some() => {
            Err(format!("it selects \"{}\" under an alias; it may have none", field.name))
        }
        executable::Selection::Field(field) if field.selection_set.is_empty() => {
            Ok(field.ty().clone())
        }
        executable::Selection::Field(field) => {
            let inner = value_type(&field.selection_set)?;
            Ok(in_lists(field.ty(), inner))
        }
        executable::Selection::InlineFragment(fragment) => value_type(&fragment.selection_set),
        executable::Selection::FragmentSpread(_) => Err("it spreads a fragment".to_owned()),
    }
}

/// `inner` in as many lists as `outer` has.
fn in_lists(outer: &Type, inner: Type) -> Type {
    match outer {
        Type::Named(_) | Type::NonNullNamed(_) => inner,
        Type::List(item) | Type::NonNullList(item) => Type::List(Box::new(in_lists(item, inner))),
    }
}

fn nullable(ty: Type) -> Type {
    match ty {
        Type::NonNullNamed(name) => Type::Named(name),
        Type::NonNullList(item) => Type::List(item),
        ty => ty,
    }
}

/// Whether an argument of the type `taken` accepts what has the type `given`.
fn fits(taken: &Type, given: &Type) -> bool {
    match (taken, given) {
        (Type::NonNullNamed(a), Type::NonNullNamed(b))
        | (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b)) => a == b,
        (Type::NonNullList(a), Type::NonNullList(b))
        | (Type::List(a), Type::List(b) | Type::NonNullList(b)) => fits(a, b),
        _ => false,
    }
}
