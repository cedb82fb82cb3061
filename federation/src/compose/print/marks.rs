//! Marks as directives, under the names that they have in the supergraph.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{Argument, Directive, DirectiveList, Value};
use apollo_compiler::name;

use super::Printer;
use crate::compose::subgraph::{AnyOf, ListSize, Marks};

impl Printer<'_> {
    /// The directives that say what `marks` hold.
    pub(super) fn directives(&self, marks: &Marks) -> DirectiveList {
        let named = |directive: &str, arguments: Vec<Node<Argument>>| {
            let name = Name::new_unchecked(self.supergraph.names.get(directive));
            Node::new(Directive { name, arguments })
        };
        let texts = |directive: &'static str, texts: &[String]| -> Vec<Node<Directive>> {
            let one = |value: &String| named(directive, vec![argument(name!("name"), text(value))]);
            texts.iter().map(one).collect()
        };
        let access = &marks.access;
        let mut directives = texts("context", &marks.contexts);
        directives.extend(texts("tag", &marks.tags));
        directives.extend(marks.inaccessible.then(|| named("inaccessible", Vec::new())));
        directives.extend(access.authenticated.then(|| named("authenticated", Vec::new())));
        directives.extend(access.scopes.as_ref().map(|scopes| {
            named("requiresScopes", vec![argument(name!("scopes"), any_of(scopes))])
        }));
        directives.extend(
            access.policies.as_ref().map(|policies| {
                named("policy", vec![argument(name!("policies"), any_of(policies))])
            }),
        );
        directives.extend(
            marks
                .cost
                .map(|cost| named("cost", vec![argument(name!("weight"), Value::from(cost))])),
        );
        directives.extend(marks.list_size.as_ref().map(|size| named("listSize", list_size(size))));
        directives.extend(marks.deprecated.as_ref().map(|reason| deprecated(reason)));
        directives.extend(marks.custom.iter().cloned());
        DirectiveList(directives)
    }

    /// Those directives as they are written.
    pub(super) fn mark_directives(&self, marks: &Marks) -> Vec<String> {
        let directives = self.directives(marks).0;
        directives.iter().map(|directive| written(directive)).collect()
    }
}

/// A directive on one line.
pub(super) fn written(directive: &Directive) -> String {
    directive.serialize().no_indent().to_string()
}

/// `@specifiedBy`.
pub(super) fn specified_by(url: &str) -> Node<Directive> {
    let arguments = vec![argument(name!("url"), text(url))];
    Node::new(Directive { name: name!("specifiedBy"), arguments })
}

/// `@oneOf`.
pub(super) fn one_of() -> Node<Directive> {
    Node::new(Directive { name: name!("oneOf"), arguments: Vec::new() })
}

fn deprecated(reason: &str) -> Node<Directive> {
    let arguments = vec![argument(name!("reason"), text(reason))];
    Node::new(Directive { name: name!("deprecated"), arguments })
}

fn argument(name: Name, value: Value) -> Node<Argument> {
    Node::new(Argument { name, value: Node::new(value) })
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn any_of(alternatives: &AnyOf) -> Value {
    Value::List(alternatives.iter().map(|names| Node::new(strings(names))).collect())
}

fn strings(names: &[String]) -> Value {
    Value::List(names.iter().map(|name| Node::new(text(name))).collect())
}

fn list_size(size: &ListSize) -> Vec<Node<Argument>> {
    let given = [
        (name!("assumedSize"), size.assumed_size.map(Value::from)),
        (name!("slicingArguments"), size.slicing_arguments.as_deref().map(strings)),
        (name!("sizedFields"), size.sized_fields.as_deref().map(strings)),
        (name!("requireOneSlicingArgument"), size.require_one_slicing_argument.map(Value::Boolean)),
    ];
    given.into_iter().filter_map(|(name, value)| Some(argument(name, value?))).collect()
}
