//! Descriptions of extensions: GraphQL has none, but async-graphql exports them (`"""A user.""" extend type User`).
//!
//! They are blanked before parsing, so that lines and columns stay what they are. Nothing else is changed: text that
//! is not GraphQL is left for the parser to refuse.

use std::ops::Range;

/// `sdl` without descriptions directly before `extend`.
pub(super) fn blank_on_extensions(sdl: &str) -> String {
    let mut text = sdl.to_owned();
    for range in on_extensions(sdl) {
        let blank: String =
            sdl[range.clone()].chars().map(|c| if c.is_whitespace() { c } else { ' ' }).collect();
        // Later ranges lie before this one, so that a shorter text does not move them.
        text.replace_range(range, &blank);
    }
    text
}

/// Where such descriptions are, the last one first. All that counts outside of texts is ASCII, so it is looked at by the byte.
fn on_extensions(sdl: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut description: Option<Range<usize>> = None;
    let mut position = 0;
    while let Some((&byte, _)) = sdl.as_bytes()[position..].split_first() {
        let length = token_length(byte, sdl, position);
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if byte == b'"' {
            description = (depth == 0).then_some(position..position + length);
        } else if byte.is_ascii_graphic() && byte != b'#' && byte != b',' {
            let described = description.take();
            if &sdl.as_bytes()[position..position + length] == b"extend" {
                found.extend(described);
            }
        }
        position += length;
    }
    found.reverse();
    found
}

/// Length of the text, comment or name that begins with `byte` at `position`; that of the byte for all else.
fn token_length(byte: u8, sdl: &str, position: usize) -> usize {
    let rest = &sdl.as_bytes()[position..];
    match byte {
        // A quotation mark is a character of its own, so that the text can be cut there.
        b'"' => string_length(&sdl[position..]),
        b'#' => rest.iter().position(|byte| b"\n\r".contains(byte)).unwrap_or(rest.len()),
        _ if is_name(byte) => rest.iter().position(|byte| !is_name(*byte)).unwrap_or(rest.len()),
        _ => 1,
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Length of the string literal at the beginning of `text`; up to the end if it is not closed.
fn string_length(text: &str) -> usize {
    let block = "\"\"\"";
    let end = if text.starts_with(block) {
        let mut quotes = text.match_indices(block).skip(1).map(|(at, _)| at);
        quotes.find(|at| !text[..*at].ends_with('\\')).map(|at| at + block.len())
    } else {
        let mut escaped = false;
        let ends = |byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        };
        text.bytes().skip(1).position(ends).map(|at| at + 2)
    };
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::blank_on_extensions;

    #[test]
    fn only_descriptions_of_extensions_are_blanked() {
        for (sdl, expected) in [
            ("\"A\" extend type A { a: Int }", "    extend type A { a: Int }"),
            ("\"\"\"\nÜ \\\"\"\" b\n\"\"\"\nextend type A", "   \n        \n   \nextend type A"),
            ("\"A\" # why\n,extend type A", "    # why\n,extend type A"),
            ("\"a \\\" extend\" type A", "\"a \\\" extend\" type A"),
            ("type A { \"b\" extend: Int }", "type A { \"b\" extend: Int }"),
            ("type A @b(c: \"d\") extend type A", "type A @b(c: \"d\") extend type A"),
            ("\"A\" type A extend type A", "\"A\" type A extend type A"),
            ("\"A\" extended", "\"A\" extended"),
            ("\"not closed extend type", "\"not closed extend type"),
            ("\"\"\"not closed", "\"\"\"not closed"),
        ] {
            assert_eq!(blank_on_extensions(sdl), expected, "{sdl}");
        }
    }
}
