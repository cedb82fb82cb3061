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

/// Where such descriptions are, the last one first.
fn on_extensions(sdl: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut description: Option<Range<usize>> = None;
    let mut position = 0;
    while let Some(c) = sdl[position..].chars().next() {
        let rest = &sdl[position..];
        let length = match c {
            '"' => string_length(rest),
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            _ if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            _ => c.len_utf8(),
        };
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if c == '"' {
            description = (depth == 0).then_some(position..position + length);
        } else if c != '#' && c != ',' && c != '\u{feff}' && !c.is_whitespace() {
            let described = description.take();
            if &rest[..length] == "extend" {
                found.extend(described);
            }
        }
        position += length;
    }
    found.reverse();
    found
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Length of the string literal at the beginning of `text`; up to the end if it is not closed.
fn string_length(text: &str) -> usize {
    let (quote, escape) =
        if text.starts_with("\"\"\"") { ("\"\"\"", "\\\"\"\"") } else { ("\"", "\\") };
    let mut position = quote.len();
    while position < text.len() {
        let rest = &text[position..];
        if let Some(after) = rest.strip_prefix(escape) {
            // In a plain string, the character after the backslash belongs to the escape.
            let escaped = after.chars().next().map_or(0, char::len_utf8);
            position += escape.len() + if quote.len() == 1 { escaped } else { 0 };
        } else if rest.starts_with(quote) {
            return position + quote.len();
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
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
