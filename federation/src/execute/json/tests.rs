//! What the scanner takes for JSON is what `serde_json` does; what is written reads back.

use proptest::prelude::*;

use super::{Scanner, compacted, plain, unescaped, write_string};

/// Whether the scanner takes the whole of a text for one value.
fn passes(text: &str) -> bool {
    let mut scanner = Scanner::new(text);
    scanner.value().is_ok() && scanner.end().is_ok()
}

/// Whether `serde_json` takes a text for JSON. It does not say where a number is in it that no double holds.
fn is_json(text: &str) -> Option<bool> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(_) => Some(true),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(false),
    }
}

#[test]
fn values_of_all_kinds_pass() {
    for text in [
        "null",
        " true ",
        "\t\r\nfalse",
        "0",
        "-0.0",
        "123456789012345678901234567890",
        "1e5",
        "1.5E-7",
        "2e+308",
        "1e999",
        "\"\"",
        r#""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00""#,
        "\"ü 😀\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1,[2,[]],{\"a\":{}}]",
        "{\"a\":1,\"b\":[true,null],\"c\":{\"d\":\"e\"}}",
        " { \"a\" : [ 1 , 2 ] , \"b\" : \"x\" } ",
    ] {
        assert!(passes(text), "{text}");
        assert_ne!(is_json(text), Some(false), "{text}");
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "nullx",
        "True",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "\"",
        "\"a",
        "'a'",
        "\"\n\"",
        "\"\u{0}\"",
        "\"\u{1f}\"",
        r#""\x""#,
        r#""\"#,
        r#""\u12"#,
        r#""\u12g4""#,
        r#""\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        "{1:2}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1]",
        "{\"a\" 1}",
        "1 2",
        "[] []",
        "<html>",
        "\u{feff}1",
    ] {
        assert!(!passes(text), "{text}");
        assert_eq!(is_json(text), Some(false), "{text}");
    }
}

#[test]
fn nesting_is_bounded_and_needs_no_stack() {
    assert!(passes(&format!("{}{}", "[".repeat(256), "]".repeat(256))));
    assert!(!passes(&format!("{}{}", "[".repeat(257), "]".repeat(257))));
    assert!(!passes(&"[".repeat(1_000_000)));
    assert!(!passes(&"{\"a\":".repeat(1_000_000)));
}

#[test]
fn the_end_of_a_plain_run_is_found_at_every_place() {
    for length in 0..40 {
        assert_eq!(plain("x".repeat(length).as_bytes()), length);
        for place in 0..length {
            for byte in [b'"', b'\\', b'\n', 0, 0x1f] {
                let mut text = "ü".repeat(length).into_bytes();
                text[place] = byte;
                assert_eq!(plain(&text), place, "{length} {byte}");
            }
        }
    }
}

#[test]
fn compacting_takes_away_lines_only() {
    assert_eq!(&*compacted(b"{\n\t\"a b\": [1,\r\n 2]}"), b"{\"a b\": [1, 2]}");
    assert_eq!(&*compacted(b"{\"a\\n\": 1}"), b"{\"a\\n\": 1}");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_passes(value in json()) {
        prop_assert!(passes(&serde_json::to_string(&value).unwrap()));
        prop_assert!(passes(&serde_json::to_string_pretty(&value).unwrap()));
    }

    #[test]
    fn a_damaged_text_passes_if_it_is_json(
        value in json(),
        damages in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let mut text: Vec<char> = serde_json::to_string(&value).unwrap().chars().collect();
        for (place, character) in damages {
            let place = place.index(text.len());
            // Characters that matter more often than chance would have it.
            let telling = ['"', '\\', '{', '}', '[', ']', ',', ':', '1', '.', 'e', '-', ' ', 'u'];
            let telling = telling.get(character as usize % 20).copied();
            text[place] = telling.unwrap_or(character);
        }
        let text: String = text.into_iter().collect();
        if let Some(is_json) = is_json(&text) {
            prop_assert_eq!(passes(&text), is_json, "{}", text);
        }
    }

    #[test]
    fn any_bytes_pass_if_they_are_json(text in "[\\[\\]{}:,\"\\\\0-9eE.+\\-a-fu ntrlsdD]{0,24}") {
        if let Some(is_json) = is_json(&text) {
            prop_assert_eq!(passes(&text), is_json, "{}", text);
        }
    }

    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in any::<String>()) {
        let mut out = Vec::new();
        write_string(&mut out, &text);
        prop_assert_eq!(&out, &serde_json::to_vec(&text).unwrap());
        prop_assert_eq!(&*unescaped(&out), text.as_bytes());
    }
}
