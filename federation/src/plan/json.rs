//! A plan as JSON, for tools: each fetch with its document, its variables, where its objects stand and what it waits for.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::print::Path;
use super::{Entities, Entry, FetchNode, Plan, Template};

/// The shape is `{"rounds": 2, "fetches": [{"id": 0, "subgraph": …, "kind": "query", "round": 0, "dependsOn": [], "path": …,
/// "operationName": …, "document": …, "variables": […], "entities": […]}]}`. A fetch of root fields has no `entities`, and a
/// `path` only where these are selected further in.
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
    entities: Vec<Place<'a>>,
}

/// The entities at one place of the answer.
#[derive(Serialize)]
struct Place<'a> {
    path: String,
    /// The member of the fetch's data that lists them.
    member: &'a str,
    /// The variable that takes their representations.
    variable: &'a str,
    representations: Vec<Represented<'a>>,
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
        Self {
            id,
            subgraph: &node.subgraph,
            kind: node.kind.keyword(),
            round: node.level,
            depends_on: &node.depends_on,
            path: (!node.at.is_empty()).then(|| Path(&node.at).to_string()),
            operation_name: node.operation_name.as_deref(),
            document: &node.document,
            variables: node.variables.iter().map(|name| &**name).collect(),
            entities: node.entities.iter().map(place).collect(),
        }
    }
}

fn place(entities: &Entities) -> Place<'_> {
    Place {
        path: Path(&entities.path).to_string(),
        member: &entities.member,
        variable: &entities.variable,
        representations: entities.entries.iter().flat_map(represented).collect(),
    }
}

fn represented(entry: &Entry) -> impl Iterator<Item = Represented<'_>> {
    let fields = field_set(&entry.template);
    entry.types.iter().map(move |ty| Represented { ty: &ty.name, fields: fields.clone() })
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
