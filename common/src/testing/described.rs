//! A domain's page in `docs/database/`: tables and collections as freshly made stores have them, and the list of fields.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use futures::TryStreamExt;
use mongodb::bson::{Bson, Document};

use super::Expected;
use crate::mongo::Mongo;

/// Looks whether the page at `path` is that of a SQLite file with `migrations` and of the database whose store was opened; with `SPACEY_WRITE_DOCS` it is written.
///
/// # Panics
/// When the page differs.
pub async fn check_page(
    path: &Path,
    domain: &str,
    migrations: &[&str],
    mongo: &Mongo,
    expected: &Expected,
) {
    let mut page = format!(
        "# What {domain} stores\n\nMade by the tests of the store (`SPACEY_WRITE_DOCS=1 cargo test -p {domain} --test store the_stores`).\n\n## SQLite\n"
    );
    tables(&mut page, migrations).await;
    page.push_str("\n## MongoDB\n");
    collections(&mut page, mongo, expected).await;
    if std::env::var_os("SPACEY_WRITE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(written, page)| written != page);
    assert!(
        written == page,
        "{} is out of date, from {differs:?}: write it with SPACEY_WRITE_DOCS=1",
        path.display()
    );
}

async fn tables(page: &mut String, migrations: &[&str]) {
    let (_folder, sqlite) = super::sqlite(migrations);
    let made = sqlite
        .read(|connection| {
            let mut objects = connection.prepare(
                "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY tbl_name, type = 'table' DESC, name",
            )?;
            let rows = objects.query_map([], |row| Ok((row.get(1)?, row.get(2)?)))?;
            Ok(rows.collect::<Result<Vec<(String, String)>, _>>()?)
        })
        .await
        .unwrap();
    let mut last = String::new();
    for (table, sql) in made {
        if table != last {
            if !last.is_empty() {
                page.push_str("```\n");
            }
            write!(page, "\n### {table}\n\n```sql\n").unwrap();
        }
        writeln!(page, "{sql};").unwrap();
        last = table;
    }
    page.push_str("```\n");
}

async fn collections(page: &mut String, mongo: &Mongo, expected: &Expected) {
    let mut fields: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for line in expected.fields.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split(' ');
        let (collection, field) = (words.next().unwrap(), words.next().unwrap());
        let types = words.collect::<Vec<_>>().join(" or ");
        fields.entry(collection).or_default().push((field, types));
    }
    for name in mongo.database().list_collection_names().await.unwrap() {
        fields.entry(String::leak(name)).or_default();
    }
    for (name, fields) in fields {
        write!(page, "\n### {name}\n\n").unwrap();
        if let Some((_, key)) =
            expected.shard_keys.iter().find(|(collection, _)| *collection == name)
        {
            write!(page, "Sharded, where there are shards, by `{key}`, hashed.\n\n").unwrap();
        }
        if !fields.is_empty() {
            page.push_str("| field | type |\n|---|---|\n");
            for (field, types) in fields {
                writeln!(page, "| `{field}` | {types} |").unwrap();
            }
            page.push('\n');
        }
        page.push_str("| index | keys | |\n|---|---|---|\n");
        let found = mongo.collection::<Document>(name).list_indexes().await;
        // A collection that no fresh database has is one that is made when it is first written to.
        let Ok(found) = found else { continue };
        let mut found: Vec<_> = found.try_collect().await.unwrap();
        found.sort_by_key(|index| index.options.as_ref().and_then(|options| options.name.clone()));
        for index in found {
            let options = index.options.unwrap_or_default();
            let unique = if options.unique == Some(true) { "unique" } else { "" };
            let part = options.partial_filter_expression.map(|part| format!("where `{part}`"));
            let sparse = (options.sparse == Some(true)).then(|| "where there is one".to_owned());
            let said: Vec<String> = [Some(unique.to_owned()), part, sparse]
                .into_iter()
                .flatten()
                .filter(|said| !said.is_empty())
                .collect();
            let keys: Vec<String> = index.keys.iter().map(key).collect();
            let name = options.name.unwrap_or_default();
            writeln!(page, "| {name} | {} | {} |", keys.join(", "), said.join(", ")).unwrap();
        }
    }
}

fn key((field, order): (&String, &Bson)) -> String {
    let descends =
        matches!(order, Bson::Int32(-1) | Bson::Int64(-1)) || order.as_f64() == Some(-1.0);
    if descends { format!("`{field}` ↓") } else { format!("`{field}`") }
}
