//! Descriptions of executable definitions (September 2025 edition, section 2.2), which the parser does not know of.
//!
//! They mean nothing to an execution, so they are blanked out; what is left stands at the same lines and columns. Nothing
//! else is judged here: what is no description is left for the parser to refuse.

/// `source` without the descriptions of operations, fragments and variables; `None` when it has none.
pub(super) fn blanked(source: &str) -> Option<String> {
    let tokens = tokens(source);
    let mut text = String::with_capacity(source.len());
    let mut copied = 0;
    let (mut braces, mut parentheses) = (0_usize, 0_usize);
    for (index, token) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| tokens.get(index));
        let after = tokens.get(index + 1);
        match token.text {
            "{" => braces += 1,
            "}" => braces = braces.saturating_sub(1),
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            string if string.starts_with('"') && braces == 0 => {
                let describes = match after.map(|after| after.text) {
                    Some("query" | "mutation" | "subscription" | "fragment") => parentheses == 0,
                    // After `=` it is the default of the variable before.
                    Some("$") => parentheses == 1 && before.is_some_and(|token| token.text != "="),
                    _ => false,
                };
                if describes {
                    text.push_str(&source[copied..token.start]);
                    text.extend(string.chars().map(|c| if c == '\n' { c } else { ' ' }));
                    copied = token.start + string.len();
                }
            }
            _ => {}
        }
    }
    text.push_str(&source[copied..]);
    (copied > 0).then_some(text)
}

/// A lexical token; numbers and names may come in one piece with what they touch.
struct Token<'a> {
    start: usize,
    text: &'a str,
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = source[start..].chars().next() {
        let rest = &source[start..];
        let length = match first {
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string_length(rest),
            c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let ignored = first.is_whitespace() || matches!(first, '#' | ',' | '\u{feff}');
        if !ignored {
            tokens.push(Token { start, text: &rest[..length] });
        }
        start += length;
    }
    tokens
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The length of the string at the start of `text`, with its quotes; all of `text` when it does not end.
fn string_length(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let end = block
            .match_indices("\"\"\"")
            .find(|(at, _)| !block[..*at].ends_with('\\'))
            .map(|(at, _)| at + 6);
        return end.unwrap_or(text.len());
    }
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            '\n' | '\r' => return at,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_become_blanks() {
        let source = "\"\"\"\nAll \\\"\"\" of it\n\"\"\"\nquery A(\"one\" $a: Int = 1, # \"no\"\n\"two\" $b: Int) { a }\n\"f\" fragment F on T { b }";
        let blanked = blanked(source).unwrap();
        assert_eq!(
            blanked.split_whitespace().collect::<Vec<_>>().join(" "),
            "query A( $a: Int = 1, # \"no\" $b: Int) { a } fragment F on T { b }"
        );
        assert_eq!(blanked.find("query"), source.find("query"));
        assert_eq!(blanked.lines().count(), source.lines().count());
    }

    #[test]
    fn other_strings_stay() {
        for source in [
            "{ a(b: \"query\") }",
            "query ($a: String = \"x\" $b: Int) { a }",
            "query ($a: String = \"\"\"x\"\"\", $b: [String] = [\"y\"] $c: Int) @d(e: \"f\") { a }",
            "\"no description\" { a }",
            "\"never ends",
            "\"\"\"never ends",
            "\"",
        ] {
            assert_eq!(blanked(source), None, "{source}");
        }
    }

    #[test]
    fn a_default_may_stand_before_a_description() {
        let source = "query ($a: String = \"x\" \"y\" $b: Int) { a }";
        assert_eq!(blanked(source).unwrap(), "query ($a: String = \"x\"     $b: Int) { a }");
    }
}
