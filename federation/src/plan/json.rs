//! A plan as JSON, for tools: each fetch with its document, its variables, where its objects stand and what it waits for.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::print::Path;
use super::{Entry, FetchNode, Plan, Template};
use crate::operation::OperationKind;

/// The shape is `{"rounds": 2, "fetches": [{"id": 0, "subgraph": …, "kind": "query", "round": 0, "dependsOn": [], "path": …,
/// "operationName": …, "document": …, "variables": […], "representations": …}]}`. `path` is null for the operation's own
/// root fields, `representations` for all root fields.
impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fetches: Vec<_> =
            self.fetches.iter().enumerate().map(|(id, node)| Fetch::new(id, node)).collect();
        let mut plan = serializer.serialize_struct("Plan", 2)?;
        plan.serialize_field("rounds", &self.rounds())?;
        plan.serialize_field("fetches", &fetches)?;
        plan.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fetch<'a> {
    id: usize,
    subgraph: &'a str,
    kind: &'static str,
    round: usize,
    depends_on: &'a [usize],
    path: Option<String>,
    operation_name: Option<&'a str>,
    document: &'a str,
    /// The client's variables that are passed on.
    variables: Vec<&'a str>,
    representations: Option<Representations<'a>>,
}

#[derive(Serialize)]
struct Representations<'a> {
    /// The variable that takes them.
    variable: &'a str,
    of: Vec<Represented<'a>>,
}

#[derive(Serialize)]
struct Represented<'a> {
    #[serde(rename = "type")]
    ty: &'a str,
    /// A field set, with response keys as aliases.
    fields: String,
}

impl<'a> Fetch<'a> {
    fn new(id: usize, node: &'a FetchNode) -> Self {
        let path = match &node.entities {
            Some(entities) => Some(Path(&entities.path).to_string()),
            None => (!node.at.is_empty()).then(|| Path(&node.at).to_string()),
        };
        Self {
            id,
            subgraph: &node.subgraph,
            kind: match node.kind {
                OperationKind::Query => "query",
                OperationKind::Mutation => "mutation",
                OperationKind::Subscription => "subscription",
            },
            round: node.level,
            depends_on: &node.depends_on,
            path,
            operation_name: node.operation_name.as_deref(),
            document: &node.document,
            variables: node.variables.iter().map(|name| &**name).collect(),
            representations: node.entities.as_ref().map(|entities| Representations {
                variable: &entities.variable,
                of: entities.entries.iter().map(represented).collect(),
            }),
        }
    }
}

fn represented(entry: &Entry) -> Represented<'_> {
    Represented { ty: &entry.type_name, fields: field_set(&entry.template) }
}

fn field_set(template: &Template) -> String {
    let fields = template.fields.iter().map(|field| {
        let alias = match field.key == field.name {
            true => String::new(),
            false => format!("{}: ", field.key),
        };
        let nested = match &field.nested {
            Some(nested) => format!(" {{ {} }}", field_set(nested)),
            None => String::new(),
        };
        format!("{alias}{}{nested}", field.name)
    });
    let variants = template.variants.iter().flat_map(|(types, template)| {
        types.iter().map(|ty| format!("... on {ty} {{ {} }}", field_set(template)))
    });
    fields.chain(variants).collect::<Vec<_>>().join(" ")
}
