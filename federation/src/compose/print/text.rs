//! Strings and descriptions in SDL.

use apollo_compiler::Node;
use apollo_compiler::ast::Value;

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).serialize().no_indent().to_string()
}

/// A description with its line end, or nothing. A block string where one says the same, because it is readable.
pub(super) fn description(text: Option<&Node<str>>, indent: &str) -> String {
    let Some(text) = text else {
        return String::new();
    };
    if !fits_block(text) {
        return format!("{indent}{}\n", quoted(text));
    }
    let mut block = format!("{indent}\"\"\"\n");
    for line in text.split('\n') {
        if !line.is_empty() {
            block.push_str(indent);
            block.push_str(line);
        }
        block.push('\n');
    }
    format!("{block}{indent}\"\"\"\n")
}

/// Whether a block string keeps every character: its rules strip indentation and blank lines at both ends, and know
/// no escapes (<https://spec.graphql.org/October2021/#sec-String-Value.Block-Strings>).
fn fits_block(text: &str) -> bool {
    let plain = |c: char| c == '\n' || c == '\t' || !c.is_control();
    !text.contains("\"\"\"")
        && !text.contains('\\')
        && text.trim() == text
        && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use apollo_compiler::Schema;

    use super::*;

    #[test]
    fn descriptions_survive() {
        for text in [
            "plain",
            "two\nlines",
            "indented\n  and\n\nblank\n lines",
            " leading",
            "\nblank",
            "ends with \"",
            "a \"\"\" b",
            "back\\slash",
            "tab\tand \u{7}bell",
            "\r",
            "ünïcödé 🦀",
        ] {
            let sdl = format!(
                "{}type Query {{ a: Int }}",
                description(Some(&Node::new_str(text)), "    ")
            );
            let schema = Schema::parse_and_validate(&sdl, "test").expect("valid");
            let read = schema.types["Query"].description().map(|text| text.to_string());
            assert_eq!(read.as_deref(), Some(text), "{sdl}");
        }
    }
}
