//! Databases that were made to do harm, or that are damaged: each gets an error that names what and where.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use anki::{Error, Limits, Place};
use support::crafted::{archive, database, open, read, with_sql, zstd};

fn error(bytes: Vec<u8>) -> Error {
    read(bytes, &Limits::default()).expect_err("it was read")
}

fn error_of(sql: &str) -> Error {
    error(with_sql(sql))
}

#[test]
fn what_is_no_database_is_refused() {
    let whole = database("");
    for bytes in [&b"hello"[..], &[0; 5000], &whole[..6000]] {
        let error = error(archive(&[("collection.anki21", bytes)]));
        assert!(matches!(error, Error::Database { .. } | Error::Schema { .. }), "{error}");
    }
}

#[test]
fn damaged_pages_are_found_before_anything_is_read() {
    let good = database("");
    for page in 1..good.len() / 4096 {
        let mut bytes = good.clone();
        bytes[page * 4096..page * 4096 + 12].fill(0xa5);
        let error = error(archive(&[("collection.anki21", &bytes)]));
        assert!(matches!(error, Error::Database { .. }), "{error}");
    }
}

#[test]
fn what_would_run_when_it_is_read_is_refused() {
    for (sql, object) in [
        ("CREATE TRIGGER t AFTER INSERT ON notes BEGIN DELETE FROM cards; END", "t"),
        ("CREATE VIEW v AS SELECT * FROM notes", "v"),
        ("ALTER TABLE notes RENAME TO n; CREATE VIEW notes AS SELECT * FROM n", "notes"),
        ("CREATE VIRTUAL TABLE f USING fts5(x)", "f"),
        ("ALTER TABLE notes ADD COLUMN bomb AS (zeroblob(1000000000))", "bomb"),
    ] {
        let error = error_of(sql);
        assert!(matches!(&error, Error::Foreign { name, .. } if name == object), "{sql}: {error}");
    }
}

#[test]
fn missing_tables_and_columns_are_named() {
    for (sql, of, problem) in [
        ("DROP TABLE revlog", "revlog", "is missing"),
        ("ALTER TABLE cards DROP COLUMN data", "cards", "has no column data"),
        (
            "ALTER TABLE notes RENAME TO n; CREATE TABLE notes AS SELECT * FROM n",
            "notes",
            "is not ordered by its id",
        ),
    ] {
        let error = error_of(sql);
        let is_it =
            matches!(&error, Error::Schema { table, problem: p } if *table == of && p == problem);
        assert!(is_it, "{error}");
    }
}

#[test]
fn newer_and_damaged_definitions_are_named() {
    let newer = error_of("UPDATE col SET ver = 19");
    assert!(matches!(newer, Error::Newer { what: "schema", found: 19, newest: 18 }), "{newer}");
    for sql in [
        "UPDATE col SET models = '{'",
        "UPDATE col SET models = '[]'",
        "UPDATE col SET models = '{\"x\":{\"name\":\"a\",\"flds\":[]}}'",
        "UPDATE col SET models = '{\"5\":{\"name\":\"a\",\"flds\":[]}}'",
        "UPDATE col SET models = '{\"5\":{\"name\":\"a\",\"type\":7,\"flds\":[]}}'",
        "UPDATE col SET models = '{\"5\":{\"name\":\"a\",\"flds\":[]},\"05\":{\"name\":\"a\",\"flds\":[]}}'",
        "UPDATE col SET decks = x'ff'",
        "UPDATE col SET decks = '{\"1\":{}}'",
    ] {
        let error = error_of(sql);
        assert!(matches!(error, Error::Definition { .. }), "{sql}: {error}");
    }
    let deep = format!("UPDATE col SET models = '{}'", "[".repeat(100_000));
    assert!(matches!(error_of(&deep), Error::Definition { .. }));
}

/// Schema 18 as far as it is read.
const TABLES: &str = "UPDATE col SET ver = 18;
    CREATE TABLE decks (id integer PRIMARY KEY, name text, kind blob);
    CREATE TABLE notetypes (id integer PRIMARY KEY, name text, config blob);
    CREATE TABLE fields (ntid integer, ord integer, name text, PRIMARY KEY (ntid, ord)) WITHOUT ROWID;
    CREATE TABLE templates (ntid integer, ord integer, name text, config blob, PRIMARY KEY (ntid, ord)) WITHOUT ROWID;
    CREATE TABLE config (KEY text PRIMARY KEY, val blob) WITHOUT ROWID;
    INSERT INTO decks VALUES (1, 'Default', x'0a00');
    INSERT INTO notetypes VALUES (5, 'Basic', x'');
    INSERT INTO fields VALUES (5, 0, 'Front'), (5, 1, 'Back');
    INSERT INTO templates VALUES (5, 0, 'Card 1', x'');";

#[test]
fn damaged_messages_in_newer_definitions_are_named() {
    let current = |sql: &str| {
        let database = zstd(&database(&format!("{TABLES}{sql}")));
        archive(&[("meta", &[8, 3]), ("collection.anki21b", &database)])
    };
    read(current(""), &Limits::default()).unwrap();
    for (sql, place) in [
        ("UPDATE decks SET kind = x'ff'", "deck 1"),
        ("UPDATE decks SET kind = x'0a03220241'", "deck 1"),
        ("UPDATE notetypes SET config = x'1a05ff'", "note type 5"),
        ("UPDATE templates SET config = x'0a01ff'", "template 0 of note type 5"),
        ("DELETE FROM fields", "note type 5"),
    ] {
        let error = error(current(sql));
        assert!(
            matches!(&error, Error::Definition { place: p, .. } if p == place),
            "{sql}: {error}"
        );
    }
    let many = "WITH RECURSIVE n(i) AS (VALUES (2) UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO decks SELECT i, 'd' || i, x'' FROM n";
    for limits in [
        Limits { decks: 100, ..Limits::default() },
        Limits { definition_bytes: 5_000, note_bytes: 5_000, ..Limits::default() },
        Limits { name_bytes: 3, ..Limits::default() },
        Limits { parts: 1, ..Limits::default() },
    ] {
        let error = read(current(many), &limits).unwrap_err();
        assert!(matches!(error, Error::TooMuch { .. }), "{error}");
    }
}

#[test]
fn a_row_that_is_wrong_is_named_and_the_others_are_read() {
    for (sql, table, row, column) in [
        ("UPDATE notes SET guid = x'00' WHERE id = 1", "notes", 1, "guid"),
        ("UPDATE notes SET flds = CAST(x'ff1f' AS TEXT) WHERE id = 1", "notes", 1, "flds"),
        ("UPDATE notes SET flds = 'only one' WHERE id = 2", "notes", 2, "flds"),
        ("UPDATE notes SET mid = 99 WHERE id = 1", "notes", 1, "mid"),
        ("UPDATE notes SET mid = 'x' WHERE id = 1", "notes", 1, "mid"),
        ("UPDATE notes SET flds = printf('%.*c', 1100000, 'x') WHERE id = 1", "notes", 1, "flds"),
    ] {
        let package = open(with_sql(sql), &Limits::default()).unwrap();
        let notes: Vec<_> = package.notes().collect();
        assert_eq!(notes.len(), 2, "{sql}");
        let bad: Vec<_> = notes.iter().filter_map(|note| note.as_ref().err()).collect();
        assert_eq!(bad.len(), 1, "{sql}");
        assert!(bad[0].is_of_one_row());
        let expected = Place { table, row, column };
        assert!(matches!(bad[0], Error::Value { place, .. } if *place == expected), "{}", bad[0]);
    }
    let card = "INSERT INTO cards VALUES (7, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')";
    for (column, value) in [
        ("type", "9"),
        ("queue", "-7"),
        ("queue", "'x'"),
        ("ord", "-1"),
        ("reps", "5000000000"),
        ("due", "x'00'"),
        ("data", "7.5e3"),
    ] {
        let sql = format!("{card}; UPDATE cards SET {column} = {value}");
        let package = open(with_sql(&sql), &Limits::default()).unwrap();
        let found = package.cards().next().unwrap();
        let is_it = |error: &Error| matches!(error, Error::Value { place, .. } if place.column == column && place.row == 7);
        // A text column turns numbers into texts.
        assert!(found.as_ref().err().is_none_or(is_it), "{sql}");
        assert_eq!(found.is_ok(), column == "data", "{sql}");
    }
    let sql = "INSERT INTO revlog VALUES (7, 1, 0, 9, 0, 0, 0, 0, 0)";
    let found = open(with_sql(sql), &Limits::default()).unwrap().reviews().next().unwrap();
    assert!(matches!(found, Err(Error::Value { place, .. }) if place.column == "ease"));
}

#[test]
fn fractions_and_foreign_data_are_read_as_anki_reads_them() {
    let sql = "INSERT INTO cards VALUES (7, 1, 1, 0, 0, 0, 2, 2, 12.75, 3.5, 2500, 0, 0, 0, 0, 0, 0, 'no json')";
    let card = open(with_sql(sql), &Limits::default()).unwrap().cards().next().unwrap().unwrap();
    assert_eq!((card.due, card.interval), (12, 3));
    assert_eq!(card.extra, anki::model::CardExtra::default());
}

#[test]
fn an_index_that_is_missing_or_partial_is_not_searched_without() {
    for sql in [
        "DROP INDEX ix_cards_nid; DROP INDEX ix_revlog_cid",
        "DROP INDEX ix_cards_nid; CREATE INDEX ix_cards_nid ON cards (nid) WHERE nid > 1;
         DROP INDEX ix_revlog_cid; CREATE INDEX ix_revlog_cid ON cards (nid)",
    ] {
        let package = open(with_sql(sql), &Limits::default()).unwrap();
        let cards = package.cards_of(1);
        assert!(matches!(cards, Err(Error::Database { place: "cards", .. })), "{cards:?}");
        let reviews = package.reviews_of(1);
        assert!(matches!(reviews, Err(Error::Database { place: "revlog", .. })), "{reviews:?}");
    }
}

#[test]
fn the_database_is_bounded() {
    for limits in [
        Limits { notes: 1, ..Limits::default() },
        Limits { note_types: 0, ..Limits::default() },
        Limits { database_bytes: 10_000, ..Limits::default() },
        Limits { definition_bytes: 100, note_bytes: 1 << 20, ..Limits::default() },
    ] {
        let error = read(with_sql(""), &limits).unwrap_err();
        assert!(matches!(error, Error::TooMuch { .. }), "{error}");
    }
    let huge = error_of("UPDATE notes SET flds = zeroblob(100000000)");
    assert!(matches!(huge, Error::Database { .. } | Error::Bomb { .. }), "{huge}");
}

#[test]
fn a_database_in_write_ahead_mode_leaves_nothing_beside_it() {
    let folder = support::folder();
    let bytes = archive(&[("collection.anki21", &database("PRAGMA journal_mode = WAL"))]);
    let bytes = std::io::Cursor::new(bytes);
    let package = anki::Package::open(bytes, folder.path(), &Limits::default()).unwrap();
    assert_eq!(package.notes().count(), 2);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(package);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
