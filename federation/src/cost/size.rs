//! How many values a list gives: what its slicing arguments say, else what `@listSize` assumes, else what settings do.

use apollo_compiler::ast::{Type, Value as Ast};
use apollo_compiler::schema::{ExtendedType, FieldDefinition};

use crate::operation::{Field, RequestError, RequestErrorCode};
use crate::supergraph::{ListSize, Supergraph};
use crate::value::{Name, Object, Value};

use super::CostSettings;

/// How many values a field gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Size {
    /// It is no list.
    One,
    /// Nothing is said of the list.
    Unknown,
    /// `@listSize` says it.
    Listed(Listed),
}

/// A size by `@listSize`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    /// Of the field with the directive, for messages.
    coordinate: String,
    assumed: Option<u32>,
    slices: Vec<Slice>,
    require_one: bool,
}

/// A slicing argument.
#[derive(Debug, Clone, PartialEq)]
struct Slice {
    /// As `@listSize` names it: with points between names for a field of an input object.
    name: String,
    given: Given,
    /// By the schema.
    default: Option<f64>,
}

/// What an operation gives for a slicing argument.
#[derive(Debug, Clone, PartialEq)]
enum Given {
    Nothing,
    Number(f64),
    /// What stands in a variable, below these fields of input objects.
    Variable(Name, Vec<Name>),
}

impl Listed {
    /// What `directive` says of `field`, which `definition` defines.
    pub(super) fn of(
        supergraph: &Supergraph,
        coordinate: String,
        directive: &ListSize,
        definition: &FieldDefinition,
        field: &Field,
    ) -> Self {
        let slice = |name: &String| slice(supergraph, name, definition, field);
        Self {
            coordinate,
            assumed: directive.assumed_size,
            slices: directive.slicing_arguments.iter().map(slice).collect(),
            require_one: directive.require_one_slicing_argument
                && !directive.slicing_arguments.is_empty(),
        }
    }

    fn with(&self, variables: &Object, settings: &CostSettings) -> Result<f64, RequestError> {
        let mut given = 0;
        let mut greatest: Option<f64> = None;
        for size in self.slices.iter().filter_map(|slice| slice.given.with(variables)) {
            given += 1;
            greatest = Some(greatest.map_or(size, |known| known.max(size)));
        }
        let defaults = self.slices.iter().filter_map(|slice| slice.default);
        let default = defaults.reduce(f64::max);
        if self.require_one && (given > 1 || (given == 0 && default.is_none())) {
            return Err(self.unclear());
        }
        let assumed = self.assumed.unwrap_or(settings.list_size);
        Ok(greatest.or(default).unwrap_or_else(|| f64::from(assumed)))
    }

    #[cold]
    fn unclear(&self) -> RequestError {
        let names: Vec<_> = self.slices.iter().map(|slice| slice.name.as_str()).collect();
        RequestError::new(
            RequestErrorCode::SlicingArgumentRequired,
            format!(
                "{} must be given exactly one of the arguments that say how many it answers: {}",
                self.coordinate,
                names.join(", ")
            ),
        )
    }
}

impl Size {
    /// Whether a request can fail to say it where it must.
    pub(super) const fn may_fail(&self) -> bool {
        matches!(self, Self::Listed(Listed { require_one: true, .. }))
    }

    /// The size with a request's variables.
    pub(super) fn with(
        &self,
        variables: &Object,
        settings: &CostSettings,
    ) -> Result<f64, RequestError> {
        match self {
            Self::One => Ok(1.0),
            Self::Unknown => Ok(f64::from(settings.list_size)),
            Self::Listed(listed) => listed.with(variables, settings),
        }
    }
}

impl Given {
    fn with(&self, variables: &Object) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Number(number) => Some(*number),
            Self::Variable(name, path) => {
                let mut value = variables.get(name)?;
                for name in path {
                    let Value::Object(object) = value else { return None };
                    value = object.get(name)?;
                }
                match value {
                    Value::Int(number) => Some(count(*number)),
                    _ => None,
                }
            }
        }
    }
}

/// Nobody can be given fewer than none.
fn count(number: i64) -> f64 {
    u32::try_from(number.max(0)).map_or(f64::from(u32::MAX), f64::from)
}

fn slice(
    supergraph: &Supergraph,
    name: &str,
    definition: &FieldDefinition,
    field: &Field,
) -> Slice {
    let mut steps = name.split('.');
    let argument = steps.next().unwrap_or_default();
    let given = field.arguments.iter().find(|given| given.name == argument);
    let declared = definition.argument_by_name(argument);
    let mut of = Reading {
        given: given.map(|argument| &*argument.value),
        below: Vec::new(),
        default: declared.and_then(|declared| declared.default_value.as_deref()),
        ty: declared.map(|declared| &*declared.ty),
    };
    for step in steps {
        of = of.into_field(supergraph, step);
    }
    let given = match of.given {
        Some(Ast::Variable(variable)) => Given::Variable(variable.as_str().into(), of.below),
        Some(value) => {
            value.to_i32().map_or(Given::Nothing, |number| Given::Number(count(number.into())))
        }
        None => Given::Nothing,
    };
    let default = of.default.and_then(Ast::to_i32).map(|number| count(number.into()));
    Slice { name: name.to_owned(), given, default }
}

/// A value on the way to a slicing argument that is a field of an input object.
struct Reading<'a> {
    given: Option<&'a Ast>,
    /// The fields below, when `given` is a variable.
    below: Vec<Name>,
    /// What the schema says where nothing is given.
    default: Option<&'a Ast>,
    ty: Option<&'a Type>,
}

impl<'a> Reading<'a> {
    fn into_field(mut self, supergraph: &'a Supergraph, name: &str) -> Self {
        let field_of = |value: &'a Ast| match value {
            Ast::Object(fields) => fields.iter().find(|(field, _)| field == name),
            _ => None,
        };
        let input = self.ty.and_then(|ty| supergraph.api().types.get(ty.inner_named_type()));
        let declared = match input {
            Some(ExtendedType::InputObject(input)) => input.fields.get(name),
            _ => None,
        };
        let of_schema = declared.and_then(|field| field.default_value.as_deref());
        // What is given takes the place of the default with all that is in it. A variable may be absent.
        let holds = matches!(self.given, None | Some(Ast::Variable(_)));
        self.default = self.default.filter(|_| holds);
        let in_default = self.default.and_then(field_of).map(|(_, value)| &**value);
        match self.given {
            Some(Ast::Variable(_)) => self.below.push(name.into()),
            Some(value) => self.given = field_of(value).map(|(_, value)| &**value),
            None => {}
        }
        Self {
            given: self.given,
            below: self.below,
            default: in_default.or(of_schema),
            ty: declared.map(|field| &*field.ty),
        }
    }
}
