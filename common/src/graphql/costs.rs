//! What a subgraph's fields cost and how long its lists are, as `@cost` and `@listSize` in its SDL.
//!
//! Most follows from the form of the schema: what takes `first` and answers a connection has pages of that size; the edges and the page
//! information of a connection cost nothing besides its nodes; and input objects cost nothing where nothing is said of them. Everything else is data: a line for each field, also of an input object, with its coordinate and its
//! directives. A line for a field that is not there is refused.

use std::collections::{BTreeMap, BTreeSet};

/// How many items a page has where its client does not say.
const DEFAULT_PAGE: u32 = 50;

/// A line that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CostsError {
    /// It is not a coordinate and its directives.
    #[error("{0:?} is not a line of costs: \"Type.field @cost(…) @listSize(…)\" is")]
    Malformed(String),
    /// The field is not in the schema, or stands there twice.
    #[error("{0} has a cost, and there is no such field")]
    Unknown(String),
}

/// `sdl` with what follows from its form, and with what `costs` says. Empty lines and those that begin with `#` say nothing.
///
/// # Errors
/// [`CostsError`] for the first line that cannot be used.
pub fn with_costs(sdl: &str, costs: &str) -> Result<String, CostsError> {
    let mut costs = read(costs)?;
    let inputs: BTreeSet<&str> = sdl.lines().filter_map(|line| opened(line, &["input "])).collect();
    let mut in_input = false;
    let mut out = String::with_capacity(sdl.len() + sdl.len() / 16);
    let mut ty = String::new();
    let mut field: Option<Field> = None;
    let mut described = false;
    for line in sdl.lines() {
        let trimmed = line.trim();
        let delimiter = trimmed == "\"\"\"";
        if described || delimiter {
            described ^= delimiter;
        } else if let Some(name) = opened(line, &["input "]) {
            ty = name.to_owned();
            in_input = true;
        } else if let Some(name) = opened(line, &["type ", "interface "]) {
            ty = name.to_owned();
            if is_wrapper(name) && line.ends_with('{') {
                out.push_str(line.trim_end_matches('{'));
                out.push_str("@cost(weight: 0) {\n");
                continue;
            }
        } else if line == "}" {
            ty.clear();
            in_input = false;
        } else if in_input {
            let name = trimmed.split(':').next().unwrap_or_default();
            match costs.remove(format!("{ty}.{name}").as_str()) {
                Some(says) => {
                    out.push_str(line);
                    out.push(' ');
                    out.push_str(says);
                }
                None => out.push_str(&with_free_inputs(line, 1, &inputs)),
            }
            out.push('\n');
            continue;
        } else if !ty.is_empty() && !trimmed.is_empty() {
            let of = field.get_or_insert_with(|| Field::begin(trimmed));
            out.push_str(&with_free_inputs(line, of.open, &inputs));
            of.read(trimmed);
            if of.open == 0 {
                let coordinate = format!("{ty}.{}", of.name);
                let says = costs.remove(coordinate.as_str()).unwrap_or_default();
                if !says.contains("@listSize") {
                    out.push_str(&of.page().unwrap_or_default());
                }
                if !says.is_empty() {
                    out.push(' ');
                    out.push_str(says);
                }
                field = None;
            }
            out.push('\n');
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    match costs.into_keys().next() {
        Some(coordinate) => Err(CostsError::Unknown(coordinate.to_owned())),
        None => Ok(out),
    }
}

fn read(costs: &str) -> Result<BTreeMap<&str, &str>, CostsError> {
    let lines =
        costs.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut read = BTreeMap::new();
    for line in lines {
        let said = line.split_once(' ').map(|(coordinate, says)| (coordinate, says.trim()));
        let well =
            |(coordinate, says): &(&str, &str)| coordinate.contains('.') && says.starts_with('@');
        let (coordinate, says) =
            said.filter(well).ok_or_else(|| CostsError::Malformed(line.to_owned()))?;
        if read.insert(coordinate, says).is_some() {
            return Err(CostsError::Unknown(coordinate.to_owned()));
        }
    }
    Ok(read)
}

/// The name of the type that a line opens, if it is one of these kinds.
fn opened<'a>(line: &'a str, kinds: &[&str]) -> Option<&'a str> {
    let line = line.strip_prefix("extend ").unwrap_or(line);
    kinds.iter().find_map(|kind| line.strip_prefix(kind))?.split([' ', '{']).next()
}

/// A line in which each argument or input field of an input object's type costs nothing. `open` parentheses stand around its beginning.
fn with_free_inputs(line: &str, open: usize, inputs: &BTreeSet<&str>) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut rest, mut open) = (line, open);
    while let Some(at) = rest.find(['(', ')', ':']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        match before.as_bytes()[at] {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {
                let is_of_type = |c: char| c.is_ascii_alphanumeric() || " _[]!".contains(c);
                let end = rest.find(|c| !is_of_type(c)).unwrap_or(rest.len());
                let inner = rest[..end].trim_matches(|c: char| " []!".contains(c));
                if open > 0 && inputs.contains(inner) {
                    let end = end_of_value(rest);
                    out.push_str(rest[..end].trim_end());
                    out.push_str(" @cost(weight: 0)");
                    rest = &rest[end..];
                }
            }
        }
    }
    out + rest
}

/// Where an argument's type, default and directives end: at a comma or parenthesis outside of what they enclose.
fn end_of_value(text: &str) -> usize {
    let mut enclosed = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            ',' | ')' if enclosed == 0 => return at,
            '{' | '(' => enclosed += 1,
            '}' | ')' => enclosed = enclosed.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// Whether objects of this type only hold together what costs something by itself.
fn is_wrapper(name: &str) -> bool {
    name.ends_with("Edge") || name == "PageInfo"
}

/// A field's definition, which may take many lines.
struct Field {
    name: String,
    /// How many parentheses are open.
    open: usize,
    takes_first: bool,
    takes_last: bool,
    answers_connection: bool,
}

impl Field {
    fn begin(line: &str) -> Self {
        let name = line.split(['(', ':']).next().unwrap_or_default().to_owned();
        Self { name, open: 0, takes_first: false, takes_last: false, answers_connection: false }
    }

    fn read(&mut self, line: &str) {
        self.takes_first |= line.contains("first: Int");
        self.takes_last |= line.contains("last: Int");
        self.open += line.matches('(').count();
        self.open -= line.matches(')').count().min(self.open);
        let answers = line.split_once("): ").or_else(|| line.split_once(": "));
        let answers = answers.map_or("", |(_, answers)| answers);
        let ty = answers.split([' ', '!']).next().unwrap_or_default();
        self.answers_connection = self.open == 0 && ty.ends_with("Connection");
    }

    /// `@listSize` of a field that answers pages.
    fn page(&self) -> Option<String> {
        let last = if self.takes_last { ", \"last\"" } else { "" };
        (self.takes_first && self.answers_connection).then(|| {
            format!(
                " @listSize(assumedSize: {DEFAULT_PAGE}, slicingArguments: [\"first\"{last}], sizedFields: [\"edges\", \"nodes\"], \
                 requireOneSlicingArgument: false)"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDL: &str = r#"type Query {
  """
  Things, or type Other {
  """
  things(
    """
    How many (at most).
    """
    first: Int,
    last: Int
  ): ThingConnection! @policy(policies: [["a: b"]])
  found(first: Int): ThingConnection
  dear: [Thing!]
  ordered(by: Order = {name: "a", up: true}, of: [Part!]): Int
  changed(
    by: Order,
    last: String
  ): Int
}

input Part {
  order: Order!
  name: String
}

input Order {
  name: String
}

type ThingEdge {
  node: Thing!
}

type PageInfo @shareable {
  hasNextPage: Boolean!
}

enum Kind {
  dear
}
"#;

    #[test]
    fn what_follows_from_the_form_and_what_is_said_stands_in_the_sdl() {
        let costs = "\n# A list.\nQuery.dear @cost(weight: 5) @listSize(assumedSize: 3)\nQuery.found  @cost(weight: 2)\nPart.name @cost(weight: 3)\n";
        let sdl = with_costs(SDL, costs).unwrap();
        for line in [
            "  ): ThingConnection! @policy(policies: [[\"a: b\"]]) @listSize(assumedSize: 50, slicingArguments: [\"first\", \"last\"], sizedFields: [\"edges\", \"nodes\"], requireOneSlicingArgument: false)",
            "  found(first: Int): ThingConnection @listSize(assumedSize: 50, slicingArguments: [\"first\"], sizedFields: [\"edges\", \"nodes\"], requireOneSlicingArgument: false) @cost(weight: 2)",
            "  dear: [Thing!] @cost(weight: 5) @listSize(assumedSize: 3)",
            "  ordered(by: Order = {name: \"a\", up: true} @cost(weight: 0), of: [Part!] @cost(weight: 0)): Int",
            "    by: Order @cost(weight: 0),",
            "  order: Order! @cost(weight: 0)",
            "  name: String @cost(weight: 3)",
            "  name: String",
            "type ThingEdge @cost(weight: 0) {",
            "type PageInfo @shareable @cost(weight: 0) {",
            "  dear",
            "    How many (at most).",
            "  Things, or type Other {",
        ] {
            assert!(sdl.lines().any(|known| known == line), "{line}\n{sdl}");
        }
        assert_eq!(sdl.lines().count(), SDL.lines().count());
    }

    #[test]
    fn a_line_that_cannot_be_used_is_refused() {
        let unknown = |coordinate: &str| Err(CostsError::Unknown(coordinate.to_owned()));
        assert_eq!(with_costs(SDL, "Query.gone @cost(weight: 1)"), unknown("Query.gone"));
        assert_eq!(with_costs(SDL, "Kind.dear @cost(weight: 1)"), unknown("Kind.dear"));
        let twice = "Query.dear @cost(weight: 1)\nQuery.dear @cost(weight: 1)";
        assert_eq!(with_costs(SDL, twice), unknown("Query.dear"));
        for line in ["Query.dear", "Query.dear cost", "dear @cost(weight: 1)"] {
            assert_eq!(with_costs(SDL, line), Err(CostsError::Malformed(line.to_owned())));
        }
    }
}
