//! Archives that were made to do harm, or that are damaged: each gets an error that names what and where.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod support;

use std::io::{Cursor, Write};

use anki::{Error, Limits};
use support::crafted::{archive, database, good, message, open, patched, read, with_sql, zstd};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fn error(bytes: Vec<u8>) -> Error {
    error_within(bytes, &Limits::default())
}

fn error_within(bytes: Vec<u8>, limits: &Limits) -> Error {
    let error = read(bytes, limits).expect_err("it was read");
    assert!(!error.to_string().is_empty());
    error
}

fn is_too_much(error: &Error, of: &str) -> bool {
    matches!(error, Error::TooMuch { unit, .. } if *unit == of)
}

#[test]
fn what_is_no_package_is_refused() {
    for bytes in [Vec::new(), b"hello".to_vec(), vec![0; 100_000], good()[..2000].to_vec()] {
        let error = error(bytes);
        assert!(matches!(error, Error::Archive(_)), "{error}");
    }
    let error = error(archive(&[("readme.txt", b"hello")]));
    assert!(matches!(error, Error::NoCollection), "{error}");
}

#[test]
fn the_version_decides_which_database_counts() {
    let old = database("DELETE FROM notes WHERE id = 2");
    let new = database("");
    let count = |entries: &[(&str, &[u8])]| {
        open(archive(entries), &Limits::default()).map(|package| package.notes().count())
    };
    let packed = zstd(&new);
    assert_eq!(count(&[("collection.anki2", &old)]).unwrap(), 1);
    assert_eq!(count(&[("collection.anki2", &old), ("collection.anki21", &new)]).unwrap(), 2);
    let all: [(&str, &[u8]); 3] =
        [("collection.anki2", &old), ("collection.anki21", &old), ("collection.anki21b", &packed)];
    let with = |meta: &'static [u8]| [&all[..], &[("meta", meta)]].concat();
    assert_eq!(count(&with(&[8, 3])).unwrap(), 2);
    assert_eq!(count(&with(&[8, 1])).unwrap(), 1);
    assert!(matches!(count(&with(&[8, 4])), Err(Error::Newer { found: 4, newest: 3, .. })));
    assert!(matches!(count(&with(&[])), Err(Error::Definition { .. })));
    assert!(matches!(count(&with(&[0xff])), Err(Error::Definition { .. })));
    // The database that asks for an update is not read in place of one that is missing.
    let only_old: [(&str, &[u8]); 2] = [("collection.anki2", &old), ("meta", &[8, 3])];
    assert!(matches!(count(&only_old), Err(Error::NoCollection)));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let good = archive(&[("collection.anki21", &database("")), ("xxxxxx", b"x")]);
    read(good.clone(), &Limits::default()).unwrap();
    for name in [b"../xxx", b"a/../x", b"/etc/x", b"a\\xxxx", b"C:/xxx", b"a\nxxxx"] {
        let error = error(patched(good.clone(), b"xxxxxx", name));
        assert!(matches!(error, Error::EntryName { .. }), "{error}");
    }
}

#[test]
fn links_are_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.add_symlink("collection.anki21", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let error = error(zip.finish().unwrap().into_inner());
    assert!(matches!(&error, Error::EntrySort { sort: "a symbolic link", .. }), "{error}");
}

#[test]
fn encrypted_entries_and_other_ways_of_packing_are_refused() {
    let name = b"collection.anki21";
    let bytes = archive(&[("collection.anki21", b"x")]);
    // The flags and the method stand at these places before the name in the two headers.
    let change = |local: usize, central: usize, value: u8| {
        let mut bytes = bytes.clone();
        let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
        bytes[places[0] - local] = value;
        bytes[places[1] - central] = value;
        error(bytes)
    };
    let encrypted = change(30 - 6, 46 - 8, 1);
    assert!(matches!(encrypted, Error::EntrySort { sort: "encrypted", .. }), "{encrypted}");
    let other = change(30 - 8, 46 - 10, 12);
    assert!(matches!(other, Error::EntrySort { .. }), "{other}");
}

#[test]
fn entries_of_one_name_or_with_shared_bytes_are_refused() {
    let twice = archive(&[("collection.anki21", &database("")), ("0", b"x"), ("1", b"y")]);
    let error_of_names = error(patched(
        patched(twice, b"\x31y", b"\x30y"),
        &[b"\0\0".as_slice(), b"1", b"PK"].concat(),
        &[b"\0\0".as_slice(), b"0", b"PK"].concat(),
    ));
    assert!(
        matches!(error_of_names, Error::Entries { how: "have the same name" }),
        "{error_of_names}"
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("collection.anki21", SimpleFileOptions::default()).unwrap();
    zip.write_all(&database("")).unwrap();
    zip.shallow_copy_file("collection.anki21", "0").unwrap();
    let error = error(zip.finish().unwrap().into_inner());
    assert!(matches!(error, Error::Entries { how: "share bytes" }), "{error}");
}

#[test]
fn bytes_that_do_not_fit_their_checksum_are_refused() {
    let error_of_media = error(patched(good(), b"picture", b"pictuer"));
    assert!(
        matches!(&error_of_media, Error::Damaged { entry, .. } if entry == "0"),
        "{error_of_media}"
    );
    let error = error(patched(with_sql(""), b"front 1", b"front 3"));
    assert!(
        matches!(&error, Error::Damaged { entry, .. } if entry == "collection.anki21"),
        "{error}"
    );
}

#[test]
fn sizes_that_are_not_as_announced_are_refused() {
    // The size stands 24 bytes into the header, whose name stands at 46.
    let mut bytes = archive(&[
        ("collection.anki21", &database("")),
        ("media", br#"{"0":"a"}"#),
        ("0", b"1234567"),
    ]);
    let central = (0..bytes.len()).rfind(|at| bytes[*at..].starts_with(b"PK\x01\x02")).unwrap();
    bytes[central + 24] = 99;
    let error = error(bytes);
    assert!(
        matches!(error, Error::Archive(_) | Error::Damaged { .. } | Error::WrongSize { .. }),
        "{error}"
    );
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let zeros = vec![0; 64 << 20];
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("collection.anki2", options).unwrap();
    zip.write_all(&zeros).unwrap();
    let deflated = zip.finish().unwrap().into_inner();
    let zstd = archive(&[("meta", &[8, 3]), ("collection.anki21b", &zstd(&zeros))]);
    for bomb in [deflated, zstd] {
        let error_by_ratio = error(bomb.clone());
        assert!(matches!(error_by_ratio, Error::Bomb { most: 200, .. }), "{error_by_ratio}");
        let limits = Limits { ratio: u64::MAX, database_bytes: 1 << 20, ..Limits::default() };
        let error_by_size = error_within(bomb, &limits);
        assert!(is_too_much(&error_by_size, "bytes"), "{error_by_size}");
    }
}

#[test]
fn the_archive_itself_is_bounded() {
    let limits = Limits { archive_bytes: 1000, ..Limits::default() };
    assert!(is_too_much(&error_within(good(), &limits), "bytes"));
    let limits = Limits { entries: 3, ..Limits::default() };
    assert!(is_too_much(&error_within(good(), &limits), "entries"));
    // A directory of which not even all is read.
    let names: Vec<_> = (0..20_000).map(|number| format!("{number:0>100}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    let limits = Limits { entries: 10, ..Limits::default() };
    assert!(is_too_much(&error_within(archive(&entries), &limits), "entries"));
}

#[test]
fn media_are_named_listed_and_bounded() {
    let database = database("");
    let with = |list: &[u8]| {
        archive(&[("collection.anki21", &database), ("media", list), ("0", b"abc"), ("1", b"def")])
    };
    for name in ["../a.png", "/a", "a\\\\b", "..", "", "a\\u0000"] {
        let error = error(with(format!("{{\"0\":\"{name}\"}}").as_bytes()));
        assert!(matches!(error, Error::MediaName { .. }), "{error}");
    }
    let composed_twice = error(with("{\"0\":\"é\",\"1\":\"e\u{301}\"}".as_bytes()));
    assert!(
        matches!(&composed_twice, Error::MediaTwice { name } if name == "é"),
        "{composed_twice}"
    );
    for list in ["[]", "{", "{\"x\":\"a\"}", "{\"0\":1}", "\u{0}"] {
        let error = error(with(list.as_bytes()));
        assert!(matches!(error, Error::MediaList(_)), "{list}: {error}");
    }
    let list = br#"{"0":"a","1":"b","2":"lost"}"#;
    let package = open(with(list), &Limits::default()).unwrap();
    assert_eq!((package.media().len(), package.missing_media()), (2, &["lost".to_owned()][..]));
    for limits in [
        Limits { media_file_bytes: 2, ..Limits::default() },
        Limits { media_bytes: 5, ..Limits::default() },
        Limits { media_list_bytes: 5, ..Limits::default() },
    ] {
        let error = error_within(with(list), &limits);
        assert!(is_too_much(&error, "bytes"), "{error}");
    }
}

#[test]
fn media_of_the_current_form_are_what_was_announced() {
    let database = zstd(&database(""));
    let content = zstd(b"abc");
    let sha1 = [
        0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2,
        0x6c, 0x9c, 0xd0, 0xd8, 0x9d,
    ];
    let with = |list: &[u8]| {
        let list = zstd(list);
        archive(&[
            ("meta", &[8, 3]),
            ("collection.anki21b", &database),
            ("media", &list),
            ("0", &content),
        ])
    };
    let entry = |size: u8, sha1: &[u8]| {
        let entry = [message(1, b"a.png"), vec![16, size], message(3, sha1)].concat();
        message(1, &entry)
    };
    read(with(&entry(3, &sha1)), &Limits::default()).unwrap();
    let longer = error(with(&entry(2, &sha1)));
    assert!(
        matches!(longer, Error::WrongSize { said: 2, found: 3, .. } | Error::TooMuch { .. }),
        "{longer}"
    );
    let shorter = error(with(&entry(4, &sha1)));
    assert!(matches!(shorter, Error::WrongSize { said: 4, found: 3, .. }), "{shorter}");
    let other = error(with(&entry(3, &[0; 20])));
    assert!(matches!(&other, Error::WrongSha1 { name } if name == "a.png"), "{other}");
    let garbage: [&[u8]; 3] = [&[0xff], &message(1, &[0xff]), &entry(3, &[0; 3])];
    for list in garbage {
        let error = error(with(list));
        assert!(matches!(error, Error::MediaList(_)), "{error}");
    }
    // The list itself is no zstd.
    let plain: [(&str, &[u8]); 3] =
        [("meta", &[8, 3]), ("collection.anki21b", &database), ("media", b"{}")];
    let error = error(archive(&plain));
    assert!(matches!(&error, Error::Damaged { entry, .. } if entry == "media"), "{error}");
}

#[test]
fn a_byte_that_is_wrong_anywhere_is_an_error_or_none_and_never_a_panic() {
    let good = good();
    for at in (0..good.len()).step_by(7) {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            let _: Result<(), Error> = read(bytes, &Limits::default());
        }
    }
}
