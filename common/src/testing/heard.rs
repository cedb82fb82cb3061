//! Whether the queries that a store sends to MongoDB are answered by indexes: they are written down as they are sent, and the server is asked for its plans.
//!
//! A plan is a finding when it reads a whole collection or sorts in memory, and a query when it would be asked of all shards. Queries that only differ in values
//! are one, and one that is to be so is named by the test, with the reason.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mongodb::bson::{Bson, Document, Uuid, doc};

use crate::mongo::Mongo;

/// What a statement says besides what is asked.
const ASIDE: [&str; 9] = [
    "lsid",
    "$db",
    "$clusterTime",
    "txnNumber",
    "startTransaction",
    "autocommit",
    "readConcern",
    "writeConcern",
    "$readPreference",
];
/// Parts of an explanation that repeat the question, or tell of plans that were not taken.
const NOT_PLANS: [&str; 5] =
    ["command", "rejectedPlans", "parsedQuery", "$lookup", "serverParameters"];

/// What a domain says of its MongoDB database, which is held to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected {
    /// Beginnings of queries, as findings print them, that need no index, each with the reason.
    pub not_indexed: &'static [(&'static str, &'static str)],
    /// The field by which each collection that may be sharded is.
    pub shard_keys: &'static [(&'static str, &'static str)],
    /// Beginnings of queries that may be asked of all shards, each with the reason.
    pub all_shards: &'static [(&'static str, &'static str)],
    /// The fields of documents: `collection field type …` a line.
    pub fields: &'static str,
}

/// Commands as they were sent: find, aggregate, count, update, delete, findAndModify.
#[derive(Debug, Clone)]
pub struct Heard(Arc<Mutex<Option<Vec<Document>>>>);

impl Default for Heard {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl Heard {
    pub(crate) fn hear(&self, command: Document) {
        if let Some(commands) = self.0.lock().unwrap().as_mut() {
            commands.push(command);
        }
    }

    /// Hears what is sent from now on.
    pub fn listen(&self) {
        *self.0.lock().unwrap() = Some(Vec::new());
    }

    /// Looks how everything is carried out that was heard, and what was stored.
    ///
    /// # Panics
    /// When a query reads a whole collection, sorts in memory, or leaves out the key by which its collection is sharded, and is not excepted; when a document has a
    /// field that is not listed.
    pub async fn check(&self, mongo: &Mongo, expected: &Expected) {
        let commands = self.0.lock().unwrap().take().unwrap();
        let mut queries: BTreeMap<String, Document> = BTreeMap::new();
        for query in commands.iter().flat_map(queries_of) {
            queries.entry(shape(&query)).or_insert(query);
        }
        let mut findings = Vec::new();
        for (shape, query) in queries {
            if !excepted(&shape, expected.all_shards) && asks_all(&query, expected.shard_keys) {
                findings.push(format!("asked of all shards: {shape}"));
            }
            if excepted(&shape, expected.not_indexed) {
                continue;
            }
            let explain = doc! { "explain": query, "verbosity": "executionStats" };
            let plan = mongo.database().run_command(explain).await;
            let plan = plan.unwrap_or_else(|error| panic!("{shape}: {error}"));
            let mut found = Vec::new();
            look(&plan.into(), &mut found);
            if !found.is_empty() {
                findings.push(format!("not answered by an index, {}: {shape}", found.join(", ")));
            }
        }
        assert!(findings.is_empty(), "{}", findings.join("\n"));
        super::fields::check(mongo, expected.fields).await;
    }
}

fn excepted(shape: &str, except: &[(&str, &str)]) -> bool {
    except.iter().any(|(begin, _reason)| shape.starts_with(begin))
}

/// Whether a query leaves out the field by which its collection is sharded.
fn asks_all(query: &Document, shard_keys: &[(&str, &str)]) -> bool {
    let (command, collection) = query.iter().next().unwrap();
    let known = shard_keys.iter().find(|(name, _)| Some(*name) == collection.as_str());
    let Some((_, key)) = known else { return false };
    let first = |list: &str| query.get_array(list).ok()?.first()?.as_document();
    let filter = match command.as_str() {
        "update" => first("updates").and_then(|update| update.get_document("q").ok()),
        "delete" => first("deletes").and_then(|delete| delete.get_document("q").ok()),
        "aggregate" => first("pipeline").and_then(|stage| stage.get_document("$match").ok()),
        "find" => query.get_document("filter").ok(),
        _ => query.get_document("query").ok(),
    };
    !filter.is_some_and(|filter| filter.contains_key(key))
}

/// The queries in a command, as they can be explained.
fn queries_of(command: &Document) -> Vec<Document> {
    let Some((name, collection)) = command.iter().next() else { return Vec::new() };
    let mut query = command.clone();
    ASIDE.iter().for_each(|field| drop(query.remove(field)));
    let each = |list: &str| {
        let ops = command.get_array(list).into_iter().flatten();
        ops.map(|op| doc! { name: collection, list: [op] }).collect::<Vec<_>>()
    };
    match (name.as_str(), collection) {
        ("update", _) => each("updates"),
        ("delete", _) => each("deletes"),
        ("find" | "count" | "findAndModify" | "distinct", _) => vec![query],
        ("aggregate", Bson::String(_)) => {
            let stages = command.get_array("pipeline").unwrap();
            let joined = stages.iter().filter_map(Bson::as_document).filter_map(joined);
            joined.chain([query]).collect()
        }
        _ => Vec::new(),
    }
}

/// What a join asks for each of its documents: the server's explanation does not say how it sorts.
fn joined(stage: &Document) -> Option<Document> {
    let join = stage.get_document("$lookup").ok()?;
    let of_one = doc! { join.get_str("foreignField").ok()?: Uuid::new() };
    let mut pipeline = vec![Bson::from(doc! { "$match": of_one })];
    pipeline.extend(join.get_array("pipeline").ok()?.iter().cloned());
    Some(doc! { "aggregate": join.get_str("from").ok()?, "pipeline": pipeline, "cursor": {} })
}

/// A query without its values.
fn shape(query: &Document) -> String {
    fn of(value: &Bson) -> String {
        match value {
            Bson::Document(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name}: {}", of(value))).collect();
                format!("{{{}}}", fields.join(", "))
            }
            Bson::Array(values) => {
                let mut values: Vec<String> = values.iter().map(of).collect();
                values.dedup();
                format!("[{}]", values.join(", "))
            }
            Bson::Null => "null".to_owned(),
            _ => "_".to_owned(),
        }
    }
    let (name, collection) = query.iter().next().unwrap();
    let rest = query.iter().skip(1).map(|(name, value)| format!("{name}: {}", of(value)));
    format!("{name} {} {}", collection.as_str().unwrap(), rest.collect::<Vec<_>>().join(", "))
}

/// Looks for what no index does in an explanation.
fn look(plan: &Bson, found: &mut Vec<String>) {
    match plan {
        Bson::Array(parts) => parts.iter().for_each(|part| look(part, found)),
        Bson::Document(fields) => {
            let stage = fields.get_str("stage").unwrap_or_default();
            if ["COLLSCAN", "SORT"].contains(&stage) {
                found.push(stage.to_owned());
            }
            let scans = fields.get("collectionScans").and_then(|count| match count {
                Bson::Int32(count) => Some(i64::from(*count)),
                count => count.as_i64(),
            });
            if scans.is_some_and(|count| count > 0) {
                found.push("a join by COLLSCAN".to_owned());
            }
            if fields.contains_key("$sort") {
                found.push("$sort".to_owned());
            }
            let parts = fields.iter().filter(|(name, _)| !NOT_PLANS.contains(&name.as_str()));
            parts.for_each(|(_, part)| look(part, found));
        }
        _ => {}
    }
    found.dedup();
}
