//! A collection's SQLite file, opened as something that a stranger made: read only, its schema trusted in nothing.
//!
//! <https://sqlite.org/security.html> is followed. A file with a trigger, a view, a virtual table or a generated column is refused: no
//! collection has them, and reading would run them.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, params};
use unicase::UniCase;

use crate::archive::too_much;
use crate::error::Error;
use crate::limits::Limits;

/// The objects that a database may have; collections have about 30.
const MOST_OBJECTS: u64 = 1_000;

/// The tables that each collection has, with the columns that are read.
const TABLES: [(&str, &[&str]); 4] = [
    ("col", &["id", "crt", "mod", "ver"]),
    ("notes", &["id", "guid", "mid", "mod", "tags", "flds"]),
    (
        "cards",
        &[
            "id", "nid", "did", "ord", "mod", "type", "queue", "due", "ivl", "factor", "reps",
            "lapses", "left", "odue", "odid", "flags", "data",
        ],
    ),
    ("revlog", &["id", "cid", "ease", "ivl", "lastIvl", "factor", "time", "type"]),
];

/// Opens the file at `path`, which nobody else may have open.
pub(crate) fn open(path: &Path, limits: &Limits) -> Result<Connection, Error> {
    let failed = Error::database("the file");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(uri(path), flags).map_err(&failed)?;
    for (setting, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        database.set_db_config(setting, value).map_err(&failed)?;
    }
    let longest = limits.definition_bytes.max(limits.note_bytes.saturating_mul(2));
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, i32::try_from(longest).unwrap_or(i32::MAX)),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_COLUMN, 100),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 20),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 3),
        (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 8),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        database.set_limit(limit, value).map_err(&failed)?;
    }
    database
        .execute_batch(
            "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA ignore_check_constraints = ON",
        )
        .map_err(&failed)?;
    // Newer collections order names by it. What it says must be what Anki's says, or the check below finds rows out of order.
    database
        .create_collation("unicase", |a: &str, b: &str| UniCase::new(a).cmp(&UniCase::new(b)))
        .map_err(&failed)?;
    check_objects(&database)?;
    for (table, columns) in TABLES {
        check_table(&database, table, columns)?;
    }
    check_pages(&database)?;
    Ok(database)
}

/// The file's name as SQLite reads it. `immutable`: no lock and no file beside it is looked for, even where the file's header asks for a
/// write-ahead log.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(byte));
            }
            _ => _ = write!(uri, "%{byte:02X}"),
        }
    }
    uri.push_str("?immutable=1");
    uri
}

fn check_objects(database: &Connection) -> Result<(), Error> {
    let failed = Error::database("its schema");
    let mut statement =
        database.prepare("SELECT type, name, sql FROM sqlite_schema").map_err(&failed)?;
    let mut rows = statement.query([]).map_err(&failed)?;
    let mut count = 0;
    while let Some(row) = rows.next().map_err(&failed)? {
        count += 1;
        if count > MOST_OBJECTS {
            return Err(too_much("the schema of the database", "objects", MOST_OBJECTS));
        }
        let sort: String = row.get(0).map_err(&failed)?;
        let name: String = row.get(1).map_err(&failed)?;
        let sql: Option<String> = row.get(2).map_err(&failed)?;
        let is_virtual = sql.is_some_and(|sql| {
            let second = sql.split_whitespace().nth(1);
            second.is_some_and(|word| word.eq_ignore_ascii_case("virtual"))
        });
        let what = match sort.as_str() {
            "table" if is_virtual => "the virtual table",
            "table" | "index" => continue,
            "trigger" => "the trigger",
            "view" => "the view",
            _ => "the unknown object",
        };
        return Err(Error::Foreign { what, name });
    }
    Ok(())
}

/// That a table has the columns, none of them computed, and is ordered by its id.
pub(crate) fn check_table(
    database: &Connection,
    table: &'static str,
    columns: &[&str],
) -> Result<(), Error> {
    let failed = Error::database("its schema");
    let mut statement = database
        .prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1)")
        .map_err(&failed)?;
    let mut rows = statement.query(params![table]).map_err(&failed)?;
    let mut found = Vec::new();
    let mut has_id = false;
    while let Some(row) = rows.next().map_err(&failed)? {
        let name: String = row.get(0).map_err(&failed)?;
        let sort: String = row.get(1).map_err(&failed)?;
        let key: i64 = row.get(2).map_err(&failed)?;
        let hidden: i64 = row.get(3).map_err(&failed)?;
        if hidden != 0 {
            return Err(Error::Foreign { what: "the computed column", name });
        }
        has_id |= name == "id" && key == 1 && sort.eq_ignore_ascii_case("integer");
        found.push(name);
    }
    let problem = if found.is_empty() {
        "is missing".to_owned()
    } else if let Some(column) = columns.iter().find(|column| !found.iter().any(|f| f == *column)) {
        format!("has no column {column}")
    } else if columns.contains(&"id") && !has_id {
        "is not ordered by its id".to_owned()
    } else {
        return Ok(());
    };
    Err(Error::Schema { table, problem })
}

/// That the file's pages form trees: without it a page that stands in many places would be read as rows without end.
fn check_pages(database: &Connection) -> Result<(), Error> {
    let failed = Error::database("the check of its pages");
    let found: String =
        database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(&failed)?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::Database { place: "the check of its pages", problem: found })
}
