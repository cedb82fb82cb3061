//! Reads `@context` and the `contextArguments` of `@join__field`: which types set a context, and which arguments take their value
//! from one.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, Type, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::DirectiveList;
use apollo_compiler::validation::Valid;

use super::SupergraphError;
use super::field_set;
use super::model::{ContextArgument, FieldSet};
use super::read::malformed;

/// Which types set which contexts.
pub(super) struct Contexts {
    /// The directive that sets them, when it is linked.
    directive: Option<String>,
    types: IndexMap<Arc<str>, Vec<Name>>,
}

impl Contexts {
    pub(super) fn new(schema: &Schema, directive: Option<&str>) -> Self {
        let mut contexts =
            Self { directive: directive.map(Into::into), types: IndexMap::default() };
        for (name, ty) in &schema.types {
            for context in contexts.of_type(ty.directives()) {
                contexts.types.entry(context).or_default().push(name.clone());
            }
        }
        contexts
    }

    /// The contexts that a type with these directives sets.
    pub(super) fn of_type(&self, directives: &DirectiveList) -> Vec<Arc<str>> {
        let applied = self.directive.iter().flat_map(|name| directives.get_all(name));
        applied.filter_map(|directive| text(directive, "name")).map(Into::into).collect()
    }

    /// The arguments of a field that are filled from contexts.
    pub(super) fn arguments(
        &self,
        schema: &Valid<Schema>,
        join: &Directive,
        coordinate: &str,
    ) -> Result<Vec<ContextArgument>, SupergraphError> {
        let arguments = join.specified_argument_by_name("contextArguments");
        let arguments = arguments.and_then(|value| value.as_list()).unwrap_or_default();
        arguments.iter().map(|argument| self.argument(schema, argument, coordinate)).collect()
    }

    fn argument(
        &self,
        schema: &Valid<Schema>,
        value: &Value,
        coordinate: &str,
    ) -> Result<ContextArgument, SupergraphError> {
        let member = |name: &str| {
            let members = value.as_object().unwrap_or_default();
            let member = members.iter().find(|(key, _)| key == name);
            member.and_then(|(_, value)| value.as_str()).ok_or_else(|| {
                malformed(coordinate, format!("an entry of contextArguments has no {name}"))
            })
        };
        let context = member("context")?;
        let argument = Name::new(member("name")?).map_err(|error| malformed(coordinate, error))?;
        let ty =
            Type::parse(member("type")?, "type").map_err(|error| malformed(coordinate, error))?;
        let types = self.types.get(context).ok_or_else(|| {
            malformed(coordinate, format!("no type sets the context {context:?}"))
        })?;
        let selection = without_braces(member("selection")?);
        let selections = types
            .iter()
            .map(|name| {
                let set = field_set::parse(schema, name, selection)?;
                Ok((name.clone(), for_type(set)))
            })
            .collect::<Result<_, SupergraphError>>()?;
        Ok(ContextArgument { argument, ty, context: context.into(), selections })
    }
}

/// `{ field }` as `field`.
fn without_braces(selection: &str) -> &str {
    let trimmed = selection.trim();
    trimmed.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(trimmed)
}

/// A selection may name each type that sets the context; here each has its own.
fn for_type(mut set: FieldSet) -> FieldSet {
    let fragments = std::mem::take(&mut set.fragments);
    for fragment in fragments {
        if fragment.ty == set.ty {
            set.merge(fragment);
        } else {
            set.fragments.push(fragment);
        }
    }
    set
}

fn text<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(name).and_then(|value| value.as_str())
}
