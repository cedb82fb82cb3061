//! Whether what a store keeps in MongoDB is what its list of fields says: `collection field type …` a line, and `any` for what has a form of its own.

use std::collections::{BTreeMap, BTreeSet};

use futures::TryStreamExt;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Bson, Document, doc};

use crate::mongo::Mongo;

/// The types that each field of each collection may have.
type Fields<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

fn parse(list: &str) -> Fields<'_> {
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let mut words = line.split(' ');
            let key = (words.next().unwrap(), words.next().unwrap());
            (key, words.collect())
        })
        .collect()
}

/// Looks at every document in the database.
///
/// # Panics
/// When one has a field, or a field a type, that `list` does not name.
pub(super) async fn check(mongo: &Mongo, list: &str) {
    let known = parse(list);
    let mut unknown = BTreeSet::new();
    for name in mongo.database().list_collection_names().await.unwrap() {
        let mut found = mongo.collection::<Document>(&name).find(doc! {}).await.unwrap();
        while let Some(document) = found.try_next().await.unwrap() {
            look(&known, &name, "", &document.into(), &mut unknown);
        }
    }
    let unknown: Vec<String> = unknown.into_iter().collect();
    assert!(unknown.is_empty(), "not in the list of fields:\n{}", unknown.join("\n"));
}

fn look(
    known: &Fields<'_>,
    collection: &str,
    path: &str,
    value: &Bson,
    unknown: &mut BTreeSet<String>,
) {
    let types = known.get(&(collection, path));
    if types.is_some_and(|types| types.contains("any")) {
        return;
    }
    match value {
        Bson::Document(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                look(known, collection, &path, value, unknown);
            }
        }
        Bson::Array(values) => {
            let path = format!("{path}[]");
            values.iter().for_each(|value| look(known, collection, &path, value, unknown));
        }
        value => {
            let of = kind(value);
            if !types.is_some_and(|types| types.contains(of)) {
                unknown.insert(format!("{collection} {path} {of}"));
            }
        }
    }
}

fn kind(value: &Bson) -> &'static str {
    match value {
        Bson::Binary(binary) if binary.subtype == BinarySubtype::Uuid => "uuid",
        Bson::Binary(_) => "bytes",
        Bson::Boolean(_) => "bool",
        Bson::DateTime(_) => "date",
        Bson::Double(_) => "double",
        Bson::Int32(_) => "int32",
        Bson::Int64(_) => "int64",
        Bson::Null => "null",
        Bson::ObjectId(_) => "objectId",
        Bson::String(_) => "string",
        _ => "other",
    }
}
