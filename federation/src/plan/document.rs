//! Writes the operation of a fetch.

use std::fmt::Write;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{Directive, DirectiveLocation, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable::Operation;

use crate::operation::{Around, OperationKind, is_for_subgraphs};
use crate::supergraph::{SubgraphId, Supergraph};

use super::Line;
use super::draft::{ContextDraft, Drafts, FieldDraft, SelectionId};
use super::parts::{self, Parts};

/// What of the client's operation its fetches take over.
pub(super) struct Client<'a> {
    pub(super) operation: &'a Operation,
    pub(super) kind: OperationKind,
}

/// A list of entities in a fetch's operation.
pub(super) struct Lists<'a> {
    /// The member of `data` that it becomes.
    pub(super) member: Name,
    /// The variable with the representations.
    pub(super) variable: String,
    /// What is selected on objects of which types.
    pub(super) entries: Vec<(&'a [Name], SelectionId)>,
}

/// Whom a fetch asks, and which of the plan it is.
pub(super) struct Target<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) supergraph: &'a Supergraph,
    pub(super) id: SubgraphId,
    pub(super) index: usize,
}

/// A fetch's operation.
pub(super) struct Written {
    pub(super) operation_name: Option<String>,
    pub(super) text: String,
    /// The selection of root fields alone, without the header.
    pub(super) selection: Vec<Line>,
    /// What is selected on the entities of each list.
    pub(super) lists: Vec<Vec<Line>>,
    /// The named fragments.
    pub(super) parts: Vec<Line>,
    pub(super) variables: Vec<Arc<str>>,
}

impl Client<'_> {
    /// A name for a plan's variable number `index` that takes its value from a context.
    pub(super) fn context_variable(&self, index: usize) -> Name {
        let mut name = format!("context_{index}");
        while self.operation.variables.iter().any(|variable| variable.name == name.as_str()) {
            name.insert(0, '_');
        }
        Name::new_unchecked(&name)
    }

    /// A name for a variable of representations that the client did not take.
    pub(super) fn representations(&self, number: usize) -> String {
        let mut name = match number {
            0 => "representations".to_owned(),
            number => format!("representations_{number}"),
        };
        while self.operation.variables.iter().any(|variable| variable.name == name.as_str()) {
            name.insert(0, '_');
        }
        name
    }
}

/// The operation of root fields.
pub(super) fn root(
    drafts: &Drafts,
    target: &Target<'_>,
    kind: OperationKind,
    selection: SelectionId,
) -> Written {
    let mut writer = Writer::new(drafts, target);
    writer.braced("{".to_owned(), selection);
    let keyword = kind.keyword();
    let selection = std::mem::take(&mut writer.lines);
    let body = selection.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ");
    let mut written = writer.finish(keyword, &[], body);
    written.selection = selection;
    written
}

/// The operation that completes entities.
pub(super) fn entities(
    drafts: &Drafts,
    target: &Target<'_>,
    lists: &[Lists<'_>],
    contexts: &[ContextDraft],
) -> Written {
    let mut writer = Writer { contexts, ..Writer::new(drafts, target) };
    let mut body = "{".to_owned();
    let mut selections = Vec::with_capacity(lists.len());
    for Lists { member, variable, entries } in lists {
        let alias = match member.as_str() {
            "_entities" => String::new(),
            member => format!("{member}: "),
        };
        let _ = write!(body, " {alias}_entities(representations: ${variable})");
        writer.line("{".to_owned());
        writer.depth += 1;
        writer.fragments(entries);
        writer.depth -= 1;
        writer.line("}".to_owned());
        for line in &writer.lines {
            body.push(' ');
            body.push_str(&line.text);
        }
        selections.push(std::mem::take(&mut writer.lines));
    }
    body.push_str(" }");
    let variables: Vec<_> = lists.iter().map(|list| list.variable.as_str()).collect();
    let mut written = writer.finish("query", &variables, body);
    written.lists = selections;
    written
}

struct Writer<'a> {
    drafts: &'a Drafts,
    target: &'a Target<'a>,
    contexts: &'a [ContextDraft],
    lines: Vec<Line>,
    depth: usize,
    variables: Vec<Name>,
    /// The type that is being selected on, where there are several copies of that.
    parent: Option<Name>,
    /// How often what is being written stands in the text, once for each of so many types.
    copies: usize,
    parts: Parts,
}

impl<'a> Writer<'a> {
    fn new(drafts: &'a Drafts, target: &'a Target<'a>) -> Self {
        Self {
            drafts,
            target,
            contexts: &[],
            lines: Vec::new(),
            depth: 0,
            variables: Vec::new(),
            parent: None,
            copies: 1,
            parts: Parts::default(),
        }
    }

    fn line(&mut self, text: String) {
        self.lines.push(Line { depth: self.depth, text });
    }

    /// Writes a selection under a line that opens its braces.
    fn braced(&mut self, opening: String, id: SelectionId) {
        self.braced_but(opening, id, &[]);
    }

    /// Writes a selection without the leaves `known`, which are selected already.
    fn braced_but(&mut self, opening: String, id: SelectionId, known: &[&Name]) {
        self.line(opening);
        self.depth += 1;
        let drafts = self.drafts;
        let selection = drafts.selection(id);
        if selection.typename || drafts.is_bare(id) {
            self.line("__typename".to_owned());
        }
        let mut in_fragments: IndexMap<&Around, Vec<(&Name, &FieldDraft)>> = IndexMap::default();
        for (key, field) in &selection.fields {
            if !field.around.is_empty() {
                in_fragments.entry(&field.around).or_default().push((key, field));
            } else if !(known.contains(&key) && field.directives.is_empty()) {
                self.field(key, field);
            }
        }
        for (around, fields) in in_fragments {
            self.inside(around, &fields);
        }
        let fragments = selection.fragments.iter().map(|(types, &id)| (types.as_slice(), id));
        let fragments: Vec<_> = fragments.filter(|(_, id)| !drafts.is_bare(*id)).collect();
        self.fragments(&fragments);
        self.depth -= 1;
        self.line("}".to_owned());
    }

    /// Writes fields in fragments that carry the client's directives.
    fn inside(&mut self, around: &[Vec<Node<Directive>>], fields: &[(&Name, &FieldDraft)]) {
        let Some((outer, inner)) = around.split_first() else {
            return fields.iter().for_each(|(key, field)| self.field(key, field));
        };
        let mut text = "...".to_owned();
        for directive in outer {
            self.directive(&mut text, directive);
        }
        self.line(text + " {");
        self.depth += 1;
        self.inside(inner, fields);
        self.depth -= 1;
        self.line("}".to_owned());
    }

    /// Writes selections for objects of certain types: once where an interface stands for them, else once for each.
    fn fragments(&mut self, fragments: &[(&[Name], SelectionId)]) {
        for &(types, id) in fragments {
            let Target { supergraph, id: subgraph, .. } = self.target;
            let known = self.known_of(types, fragments);
            if self.drafts.has_only(id, &known) {
                continue;
            }
            match self.drafts.common_interface(supergraph, *subgraph, types, id, fragments) {
                Some(interface) => self.fragment(interface, id, &known),
                None => {
                    let copies = self.copies;
                    self.copies *= types.len();
                    for ty in types {
                        self.fragment(ty, id, &known);
                    }
                    self.copies = copies;
                }
            }
        }
    }

    /// Writes a selection for objects of one type.
    fn fragment(&mut self, ty: &Name, id: SelectionId, known: &[&Name]) {
        let parent = self.parent.replace(ty.clone());
        self.braced_but(format!("... on {ty} {{"), id, known);
        self.parent = parent;
    }

    /// The leaves that fragments for these and more types select already.
    fn known_of(&self, types: &[Name], fragments: &[(&[Name], SelectionId)]) -> Vec<&'a Name> {
        let drafts = self.drafts;
        let is_wider =
            |other: &[Name]| other.len() > types.len() && types.iter().all(|ty| other.contains(ty));
        let wider = fragments.iter().filter(|(other, _)| is_wider(other));
        let fields = wider.flat_map(|(_, id)| &drafts.selection(*id).fields);
        fields.filter(|(_, field)| field.selection.is_none()).map(|(key, _)| key).collect()
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
        for directive in &field.directives {
            self.directive(&mut text, directive);
        }
        let Some(selection) = field.selection else {
            return self.line(text);
        };
        let Target { supergraph, id: subgraph, .. } = self.target;
        let parent = self.parent.as_ref().filter(|_| self.copies > 1);
        let ty = parent
            .and_then(|parent| parts::type_under(supergraph, *subgraph, parent, &field.name))
            .cloned();
        if let Some(ty) = &ty
            && self.drafts.is_worth_a_name(selection, self.copies)
        {
            let part = self.parts.name(selection, ty);
            self.line(text + " {");
            self.depth += 1;
            self.line(format!("...{part}"));
            self.depth -= 1;
            return self.line("}".to_owned());
        }
        let parent = std::mem::replace(&mut self.parent, ty);
        self.braced(text + " {", selection);
        self.parent = parent;
    }

    /// Writes the named fragments, which may have others in them.
    fn write_parts(&mut self) -> Vec<Line> {
        let mut next = 0;
        while let Some((name, id, ty)) = self.parts.get(next) {
            let opening = format!("fragment {name} on {ty} {{");
            self.parent = Some(ty);
            self.braced(opening, id);
            next += 1;
        }
        std::mem::take(&mut self.lines)
    }

    fn directive(&mut self, text: &mut String, directive: &Directive) {
        let _ = write!(text, " {}", directive.serialize().no_indent());
        for argument in &directive.arguments {
            self.note_variables(&argument.value);
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

    fn finish(mut self, keyword: &str, representations: &[&str], mut body: String) -> Written {
        let parts = self.write_parts();
        for line in &parts {
            body.push(' ');
            body.push_str(&line.text);
        }
        let Target { client, supergraph, id, index } = self.target;
        let subgraph = supergraph.subgraph_name(*id);
        let operation_name = client
            .operation
            .name
            .as_ref()
            .map(|name| format!("{name}__{}__{index}", as_name(subgraph)));
        let mut directives = String::new();
        // What completes a mutation or a subscription is a query, and carries what may stand on one.
        let is_own_kind = keyword == client.kind.keyword();
        let may_stand = |one: &Directive| is_own_kind || is_for_queries(one, supergraph.api());
        let own = client.operation.directives.iter();
        for directive in own.filter(|one| is_for_subgraphs(one) && may_stand(one)) {
            self.directive(&mut directives, directive);
        }
        let mut declarations: Vec<String> =
            representations.iter().map(|name| format!("${name}: [_Any!]!")).collect();
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
            for directive in variable.directives.iter() {
                let _ = write!(declaration, " {}", directive.serialize().no_indent());
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
        let _ = write!(text, "{directives} {body}");
        let (selection, lists) = (Vec::new(), Vec::new());
        Written { operation_name, text, selection, lists, parts, variables }
    }
}

fn is_for_queries(directive: &Directive, schema: &Schema) -> bool {
    let definition = schema.directive_definitions.get(&directive.name);
    definition.is_some_and(|of| of.locations.contains(&DirectiveLocation::Query))
}

/// A subgraph's name as a part of a GraphQL name.
fn as_name(subgraph: &str) -> String {
    subgraph.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
