//! Operations made of the clients' schema by chance: the same seed makes the same ones.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition,
};

use serde_json::Value;

use crate::Result;

/// What only administrators may ask for, or what another program answers.
const LEFT_OUT: [&str; 10] = [
    "configEntries",
    "configHistory",
    "user",
    "users",
    "securityEvents",
    "generationLimits",
    "generationJob",
    "generationJobs",
    "importJob",
    "exportJob",
];
/// How deep fields nest at most.
const DEEPEST: usize = 8;

/// A sequence that looks like chance (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    pub(super) fn of<'a, T>(&mut self, these: &'a [T]) -> &'a T {
        &these[self.below(these.len())]
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What is there to be asked for.
pub(super) struct Ids {
    pub(super) decks: Vec<String>,
    pub(super) cards: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) slug: String,
}

pub(super) struct Generator<'a> {
    types: HashMap<String, Vec<FieldDefinition>>,
    ids: &'a Ids,
    pub(super) chance: Chance,
}

impl<'a> Generator<'a> {
    pub(super) fn new(schema: &str, ids: &'a Ids, seed: u64) -> Result<Self> {
        let mut types = HashMap::new();
        for definition in parse_schema(schema)?.definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let name = ty.node.name.node.to_string();
            let fields = match ty.node.kind {
                TypeKind::Object(object) => object.fields,
                TypeKind::Interface(interface) => interface.fields,
                _ => continue,
            };
            types.insert(name, fields.into_iter().map(|field| field.node).collect());
        }
        Ok(Self { types, ids, chance: Chance(seed) })
    }

    /// A query of one to three root fields.
    pub(super) fn query(&mut self) -> String {
        let roots: Vec<FieldDefinition> = self.types["Query"].clone();
        let mut text = "{".to_owned();
        for number in 0..=self.chance.below(3) {
            let field = loop {
                // Most of what anybody asks for is the viewer's.
                let name = if self.chance.happens(50) { "viewer" } else { "" };
                let field = self.chance.of(&roots);
                let is_left_out = LEFT_OUT.contains(&field.name.node.as_str());
                if !is_left_out && (name.is_empty() || field.name.node == name) {
                    break field.clone();
                }
            };
            if let Some(field) = self.field(&field, 1, 0) {
                // The alias tells which field it is of.
                let _ = write!(text, " r{number}_{}: {field}", name_of(&field));
            }
        }
        text.push_str(" __typename }");
        text
    }

    /// How often each field stands in an answer, and how many objects of each type.
    pub(super) fn counts(data: &Value) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (alias, value) in data.as_object().into_iter().flatten() {
            if let Some((_, name)) = alias.split_once('_')
                && !name.starts_with('_')
            {
                Self::count("Query", name, value, &mut counts);
            }
        }
        counts
    }

    fn count(ty: &str, name: &str, value: &Value, counts: &mut BTreeMap<String, u64>) {
        *counts.entry(format!("{ty}.{name}")).or_default() += 1;
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            value => vec![value],
        };
        for object in items.into_iter().filter_map(Value::as_object) {
            let ty = object.get("__typename").and_then(Value::as_str).unwrap_or_default();
            *counts.entry(ty.to_owned()).or_default() += 1;
            for (name, value) in object.iter().filter(|(name, _)| *name != "__typename") {
                Self::count(ty, name, value, counts);
            }
        }
    }

    /// A field with all that is selected on it; none where there is no telling what to give it.
    fn field(&mut self, field: &FieldDefinition, depth: usize, lists: usize) -> Option<String> {
        let name = field.name.node.as_str();
        let mut arguments = Vec::new();
        let mut lists = lists;
        for argument in &field.arguments {
            let argument = &argument.node;
            let key = argument.name.node.as_str();
            let is_required = !argument.ty.node.nullable && argument.default_value.is_none();
            let value = match key {
                "first" | "limit" => {
                    let sizes: &[usize] = match lists {
                        0 => &[1, 3, 10, 30, 100, 200],
                        1 => &[1, 2, 5, 10, 20],
                        _ => &[1, 2, 3],
                    };
                    lists += 1;
                    Some(self.chance.of(sizes).to_string())
                }
                "id" => {
                    let ids = match name {
                        "card" => &self.ids.cards,
                        "note" => &self.ids.notes,
                        "media" => return None,
                        _ => &self.ids.decks,
                    };
                    Some(format!("\"{}\"", self.chance.of(ids)))
                }
                "ids" => {
                    let count = *self.chance.of(&[1, 10, 50, 100]);
                    lists += 1;
                    let ids: Vec<_> = (0..count)
                        .map(|_| format!("\"{}\"", self.chance.of(&self.ids.cards)))
                        .collect();
                    Some(format!("[{}]", ids.join(",")))
                }
                "slug" => Some(format!("\"{}\"", self.ids.slug)),
                "query" if is_required => {
                    let words =
                        ["common", "word7", "word1*", "is:due", "common -word3", "tag:part1"];
                    Some(format!("\"{}\"", self.chance.of(&words)))
                }
                "at" => Some("\"2030-01-01T00:00:00Z\"".to_owned()),
                "days" if name == "forecast" => Some(self.chance.of(&[7, 30, 90]).to_string()),
                "retentions" => Some("[0.8,0.9]".to_owned()),
                _ if is_required => return None,
                _ => None,
            };
            arguments.extend(value.map(|value| format!("{key}: {value}")));
        }
        let mut text = name.to_owned();
        if !arguments.is_empty() {
            let _ = write!(text, "({})", arguments.join(", "));
        }
        let inner = named(&field.ty.node);
        if self.types.contains_key(inner) {
            text.push_str(&self.selections(inner, depth + 1, lists));
        }
        Some(text)
    }

    fn selections(&mut self, ty: &str, depth: usize, lists: usize) -> String {
        let fields = self.types[ty].clone();
        let mut text = " { __typename".to_owned();
        let share = 100 / (1 + depth);
        for field in &fields {
            let is_leaf = !self.types.contains_key(named(&field.ty.node));
            let wanted = match (is_leaf, field.name.node.as_str()) {
                (true, _) => self.chance.happens(40),
                // A page without what is on it is nothing that anybody asks for.
                (false, "nodes") => true,
                (false, "edges" | "pageInfo") => self.chance.happens(15),
                (false, _) => depth < DEEPEST && self.chance.happens(share),
            };
            // Each field once: another list of the same would only be merged into it.
            if wanted && let Some(field) = self.field(field, depth, lists) {
                let _ = write!(text, " {field}");
            }
        }
        text.push_str(" }");
        text
    }
}

/// The name that a written field begins with.
fn name_of(field: &str) -> &str {
    field.split(['(', ' ']).next().unwrap_or_default()
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
