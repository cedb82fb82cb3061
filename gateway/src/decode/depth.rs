//! How deep JSON nests.

use federation::Value;

/// How deep a text may nest that is read at all: what reads it is recursive.
pub(super) const READ: usize = 127;

/// How deep the brackets of a JSON text nest, whatever else is wrong with it.
pub(super) fn of(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'[' | b'{' if !is_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How deep lists and objects nest in a value: 0 for what is neither.
pub(crate) fn of_value(value: &Value) -> u64 {
    let deepest = match value {
        Value::List(items) => items.iter().map(of_value).max(),
        Value::Object(object) => object.iter().map(|(_, value)| of_value(value)).max(),
        _ => return 0,
    };
    deepest.unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_count_outside_of_texts_alone() {
        for (text, depth) in [
            ("", 0),
            ("7", 0),
            ("{}", 1),
            (r#"{"a":[[1],[2]]}"#, 3),
            (r#"{"a":"[[[["}"#, 1),
            (r#"{"a":"\"[[","b":[]}"#, 2),
            ("]]][", 1),
            ("[[[[", 4),
        ] {
            assert_eq!(of(text.as_bytes()), depth, "{text}");
        }
    }

    #[test]
    fn values_nest_by_lists_and_objects() {
        for (text, depth) in [("7", 0), ("[]", 1), (r#"{"a":[1,{"b":2}],"c":3}"#, 3)] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(of_value(&value), depth, "{text}");
        }
    }
}
