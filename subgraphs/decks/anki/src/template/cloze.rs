//! Deletions in a cloze note's text: `{{c1::text}}`, `{{c1::text::hint}}`, `{{c1,2::text}}`, also one in another.

use std::collections::BTreeSet;

/// Deeper ones are text.
const MOST_DEPTH: usize = 10;
/// As in Anki.
const MOST_NUMBER: u32 = 500;

/// What a deletion is.
struct Open {
    numbers: Vec<u32>,
    text: String,
}

/// Which side of a card a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Question,
    Answer,
}

/// The numbers of a text's deletions: each has a card.
pub fn deletions(text: &str) -> Vec<u32> {
    let mut numbers = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find("{{c") {
        rest = &rest[at + 2..];
        if let Some((found, _)) = opening(rest) {
            numbers.extend(found);
        }
    }
    numbers.into_iter().collect()
}

/// `c1::` or `c1,2::`, with what follows it.
fn opening(text: &str) -> Option<(Vec<u32>, &str)> {
    let text = text.strip_prefix('c')?;
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == ','))?;
    let numbers: Option<Vec<u32>> = text[..end]
        .split(',')
        .map(|number| number.parse().ok().filter(|number| (1..=MOST_NUMBER).contains(number)))
        .collect();
    Some((numbers?, text[end..].strip_prefix("::")?))
}

/// The text with deletion `number` hidden or marked, and all others open; `None` where it has no such deletion.
pub(super) fn reveal(text: &str, number: u32, side: Side) -> Option<String> {
    let mut rest = text;
    let mut shown = String::new();
    let mut open: Vec<Open> = Vec::new();
    let mut is_found = false;
    while !rest.is_empty() {
        let start = rest.strip_prefix("{{").and_then(opening).filter(|_| open.len() < MOST_DEPTH);
        if let Some((numbers, after)) = start {
            open.push(Open { numbers, text: String::new() });
            rest = after;
            continue;
        }
        if let Some((after, closed)) =
            rest.strip_prefix("}}").and_then(|after| Some((after, open.pop()?)))
        {
            rest = after;
            let is_active = closed.numbers.contains(&number);
            is_found |= is_active;
            let text = if is_active { active(&closed.text, side) } else { plain(&closed) };
            match open.last_mut() {
                Some(outer) => outer.text.push_str(&text),
                None => shown.push_str(&text),
            }
            continue;
        }
        let brace = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '{' | '}'));
        let step = brace.map_or(rest.len(), |(at, _)| at);
        open.last_mut().map_or(&mut shown, |open| &mut open.text).push_str(&rest[..step]);
        rest = &rest[step..];
    }
    // What is never closed is text.
    for open in open {
        let numbers: Vec<_> = open.numbers.iter().map(u32::to_string).collect();
        shown.push_str(&format!("{{{{c{}::{}", numbers.join(","), open.text));
    }
    is_found.then_some(shown)
}

fn parts(text: &str) -> (&str, Option<&str>) {
    text.split_once("::").map_or((text, None), |(text, hint)| (text, Some(hint)))
}

fn plain(closed: &Open) -> String {
    parts(&closed.text).0.to_owned()
}

fn active(text: &str, side: Side) -> String {
    let (text, hint) = parts(text);
    let shown = match side {
        Side::Question => format!("[{}]", hint.filter(|hint| !hint.is_empty()).unwrap_or("...")),
        Side::Answer => text.to_owned(),
    };
    format!("<span class=\"cloze\">{shown}</span>")
}
