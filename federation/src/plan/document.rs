//! Writes the operation of a fetch.

use std::fmt::Write;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::Value;
use apollo_compiler::executable::Operation;

use crate::operation::OperationKind;

use super::Line;
use super::draft::{ContextDraft, Drafts, FieldDraft, SelectionId};

/// What of the client's operation its fetches take over.
pub(super) struct Client<'a> {
    pub(super) operation: &'a Operation,
    pub(super) kind: OperationKind,
}

/// A fetch's operation.
pub(super) struct Written {
    pub(super) operation_name: Option<String>,
    pub(super) text: String,
    /// The selection alone, without header and `_entities`.
    pub(super) selection: Vec<Line>,
    pub(super) variables: Vec<Arc<str>>,
}

impl Client<'_> {
    /// A name for a fetch's variable number `index` that takes its value from a context.
    pub(super) fn context_variable(&self, index: usize) -> Name {
        let mut name = format!("context_{index}");
        while self.operation.variables.iter().any(|variable| variable.name == name.as_str()) {
            name.insert(0, '_');
        }
        Name::new_unchecked(&name)
    }

    /// A name for the variable of representations that the client did not take.
    pub(super) fn representations(&self) -> String {
        let mut name = "representations".to_owned();
        while self.operation.variables.iter().any(|variable| variable.name == name.as_str()) {
            name.insert(0, '_');
        }
        name
    }
}

/// The operation of root fields.
pub(super) fn root(
    drafts: &Drafts,
    client: &Client<'_>,
    kind: OperationKind,
    selection: SelectionId,
    subgraph: &str,
    index: usize,
) -> Written {
    let mut writer = Writer::new(drafts);
    writer.braced("{".to_owned(), selection);
    let keyword = match kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    };
    writer.finish(client, keyword, subgraph, index, None)
}

/// The operation that completes entities: for each type, what is selected on it.
pub(super) fn entities(
    drafts: &Drafts,
    client: &Client<'_>,
    entries: &[(&Name, SelectionId)],
    contexts: &[ContextDraft],
    subgraph: &str,
    index: usize,
) -> Written {
    let mut writer = Writer { contexts, ..Writer::new(drafts) };
    writer.line("{".to_owned());
    writer.depth += 1;
    for (ty, selection) in entries {
        writer.braced(format!("... on {ty} {{"), *selection);
    }
    writer.depth -= 1;
    writer.line("}".to_owned());
    let representations = client.representations();
    writer.finish(client, "query", subgraph, index, Some(&representations))
}

struct Writer<'a> {
    drafts: &'a Drafts,
    contexts: &'a [ContextDraft],
    lines: Vec<Line>,
    depth: usize,
    variables: Vec<Name>,
}

impl<'a> Writer<'a> {
    fn new(drafts: &'a Drafts) -> Self {
        Self { drafts, contexts: &[], lines: Vec::new(), depth: 0, variables: Vec::new() }
    }

    fn line(&mut self, text: String) {
        self.lines.push(Line { depth: self.depth, text });
    }

    /// Writes a selection under a line that opens its braces.
    fn braced(&mut self, opening: String, id: SelectionId) {
        self.line(opening);
        self.depth += 1;
        let drafts = self.drafts;
        let selection = drafts.selection(id);
        if selection.typename || drafts.is_bare(id) {
            self.line("__typename".to_owned());
        }
        for (key, field) in &selection.fields {
            self.field(key, field);
        }
        for (ty, &fragment) in &selection.fragments {
            if !drafts.is_bare(fragment) {
                self.braced(format!("... on {ty} {{"), fragment);
            }
        }
        self.depth -= 1;
        self.line("}".to_owned());
    }

    fn field(&mut self, key: &Name, field: &FieldDraft) {
        let mut text = String::new();
        if *key != field.name {
            let _ = write!(text, "{key}: ");
        }
        text.push_str(&field.name);
        for (position, argument) in field.arguments.iter().enumerate() {
            let separator = if position == 0 { "(" } else { ", " };
            let value = argument.value.serialize().no_indent();
            let _ = write!(text, "{separator}{}: {value}", argument.name);
            self.note_variables(&argument.value);
        }
        if !field.arguments.is_empty() {
            text.push(')');
        }
        match field.selection {
            Some(selection) => self.braced(text + " {", selection),
            None => self.line(text),
        }
    }

    fn note_variables(&mut self, value: &Value) {
        match value {
            Value::Variable(name) if !self.variables.contains(name) => {
                self.variables.push(name.clone());
            }
            Value::List(items) => {
                for item in items {
                    self.note_variables(item);
                }
            }
            Value::Object(fields) => {
                for (_, value) in fields {
                    self.note_variables(value);
                }
            }
            _ => {}
        }
    }

    fn finish(
        self,
        client: &Client<'_>,
        keyword: &str,
        subgraph: &str,
        index: usize,
        representations: Option<&str>,
    ) -> Written {
        let operation_name = client
            .operation
            .name
            .as_ref()
            .map(|name| format!("{name}__{}__{index}", as_name(subgraph)));
        let mut declarations: Vec<String> =
            representations.map(|name| format!("${name}: [_Any!]!")).into_iter().collect();
        let contexts = self.contexts.iter();
        declarations.extend(contexts.map(|of| format!("${}: {}", of.variable, of.ty)));
        let used = client
            .operation
            .variables
            .iter()
            .filter(|variable| self.variables.contains(&variable.name));
        let mut variables = Vec::new();
        for variable in used {
            let mut declaration = format!("${}: {}", variable.name, variable.ty);
            if let Some(default) = &variable.default_value {
                let _ = write!(declaration, " = {}", default.serialize().no_indent());
            }
            declarations.push(declaration);
            variables.push(variable.name.as_str().into());
        }
        let mut text = keyword.to_owned();
        if let Some(name) = &operation_name {
            let _ = write!(text, " {name}");
        }
        if !declarations.is_empty() {
            let separator = if operation_name.is_some() { "" } else { " " };
            let _ = write!(text, "{separator}({})", declarations.join(", "));
        }
        if let Some(name) = representations {
            let _ = write!(text, " {{ _entities(representations: ${name})");
        }
        for line in &self.lines {
            text.push(' ');
            text.push_str(&line.text);
        }
        if representations.is_some() {
            text.push_str(" }");
        }
        Written { operation_name, text, selection: self.lines, variables }
    }
}

/// A subgraph's name as a part of a GraphQL name.
fn as_name(subgraph: &str) -> String {
    subgraph.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
