//! Parses and validates a document and picks the operation to run.

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast;
use apollo_compiler::executable::{Operation, OperationType, Selection, SelectionSet};
use apollo_compiler::introspection;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::Valid;

use super::consequences;
use super::descriptions;
use super::limits::{self, OperationLimits};
use super::one_of;
use super::{RequestError, RequestErrorCode, stream_rules};

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes, its root fields one after the other.
    Mutation,
    /// Listens.
    Subscription,
}

impl OperationKind {
    /// The word that an operation of this kind begins with.
    pub(crate) const fn keyword(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Mutation => "mutation",
            Self::Subscription => "subscription",
        }
    }
}

/// A valid document and the operation in it that is to run.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) executable: Valid<ExecutableDocument>,
    pub(crate) operation: Node<Operation>,
    /// What it is held to.
    pub(crate) limits: OperationLimits,
    /// What of it is beyond limits that are not enforced.
    pub(crate) measured: Vec<RequestError>,
}

impl Document {
    pub(crate) fn parse(
        schema: &Valid<Schema>,
        source: &str,
        operation_name: Option<&str>,
        limits: &OperationLimits,
    ) -> Result<Self, Vec<RequestError>> {
        let limits = OperationLimits {
            depth: limits.depth.min(OperationLimits::MAX_DEPTH),
            ..limits.clone()
        };
        let parsed = parse(source, &limits)?;
        let measured = limits::check(&parsed, &limits)?;
        let executable = validate(parsed, schema)?;
        let misplaced = stream_rules::check(schema, &executable);
        if !misplaced.is_empty() {
            return Err(misplaced);
        }
        let operation = executable
            .operations
            .get(operation_name)
            .map_err(|_| vec![unresolved(&executable, operation_name)])?
            .clone();
        let misused = one_of::check(schema, &executable, &operation);
        if !misused.is_empty() {
            return Err(misused);
        }
        introspection::check_max_depth(&executable, &operation).map_err(|error| {
            vec![
                RequestError::new(
                    RequestErrorCode::MaxIntrospectionDepthExceeded,
                    error.message().to_string(),
                )
                .at(error.location(), &executable.sources),
            ]
        })?;
        let document = Self { executable, operation, limits, measured };
        document.refuse_unsupported()?;
        Ok(document)
    }

    pub(crate) fn kind(&self) -> OperationKind {
        match self.operation.operation_type {
            OperationType::Query => OperationKind::Query,
            OperationType::Mutation => OperationKind::Mutation,
            OperationType::Subscription => OperationKind::Subscription,
        }
    }

    fn refuse_unsupported(&self) -> Result<(), Vec<RequestError>> {
        let mut errors = Vec::new();
        let fragments = self.executable.fragments.values().map(|fragment| &fragment.selection_set);
        for set in std::iter::once(&self.operation.selection_set).chain(fragments) {
            self.refuse_reserved_aliases(set, &mut errors);
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The engine reads the type of an object at `__typename`, so nothing else may stand there.
    fn refuse_reserved_aliases(&self, set: &SelectionSet, errors: &mut Vec<RequestError>) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    if field.name != "__typename"
                        && field.alias.as_ref().is_some_and(|alias| alias == "__typename")
                    {
                        errors.push(
                            RequestError::new(
                                RequestErrorCode::Unsupported,
                                "the alias \"__typename\" is reserved for the field of that name",
                            )
                            .at(field.location(), &self.executable.sources),
                        );
                    }
                    self.refuse_reserved_aliases(&field.selection_set, errors);
                }
                Selection::InlineFragment(fragment) => {
                    self.refuse_reserved_aliases(&fragment.selection_set, errors);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }
}

fn parse(source: &str, limits: &OperationLimits) -> Result<ast::Document, Vec<RequestError>> {
    let mut parser = Parser::new().token_limit(limits.tokens).recursion_limit(limits.depth);
    let mut parse = |source: &str| {
        let parsed = parser.parse_ast(source, "operation.graphql");
        parsed.map_err(|invalid| {
            let reached = (parser.tokens_reached(), parser.recursion_reached());
            (invalid, reached)
        })
    };
    let parsed = parse(source);
    let described = parsed.is_err().then(|| descriptions::blanked(source)).flatten();
    described.map_or(parsed, |source| parse(&source)).map_err(|(invalid, (tokens, depth))| {
        let (code, beyond) = if tokens > limits.tokens {
            let most = limits.tokens;
            let what =
                format!("the document has more than {most} tokens; it may have {most} at most");
            (RequestErrorCode::TooManyTokens, Some(what))
        } else if depth > limits.depth {
            let most = limits.depth;
            let what =
                format!("the document nests deeper than {most} levels; it may nest {most} at most");
            (RequestErrorCode::TooDeep, Some(what))
        } else {
            (RequestErrorCode::ParseFailed, None)
        };
        // What follows a first error is mostly a consequence of it.
        let mut errors = RequestError::from_diagnostics(code, &invalid.errors);
        errors.truncate(1);
        if let (Some(error), Some(beyond)) = (errors.first_mut(), beyond) {
            error.message = beyond;
        }
        errors
    })
}

fn validate(
    document: ast::Document,
    schema: &Valid<Schema>,
) -> Result<Valid<ExecutableDocument>, Vec<RequestError>> {
    document.to_executable_validate(schema).map_err(|invalid| {
        let code = RequestErrorCode::ValidationFailed;
        consequences::without(RequestError::from_diagnostics(code, &invalid.errors), &document)
    })
}

fn unresolved(document: &ExecutableDocument, operation_name: Option<&str>) -> RequestError {
    let message = match operation_name {
        Some(name) => format!("there is no operation named {name:?} in the document"),
        None if document.operations.is_empty() => "there is no operation in the document".into(),
        None => "there are several operations in the document: name the one to run".into(),
    };
    RequestError::new(RequestErrorCode::OperationResolutionFailure, message)
}
