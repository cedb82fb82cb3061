//! Cloze texts, as Anki writes them: `{{c1::text}}` leaves `text` out of the first card, `{{c1::text::hint}}` shows a hint in its place.
//! Deletions may lie in one another. It is pure: a text in, texts out; it knows no card.
//!
//! Whatever is no deletion is text: an opening that is never closed, a number that is none of [`NUMBERS`], closing braces without an
//! opening. So every text is a cloze text, of which some have no deletion.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

/// The numbers that a deletion can have.
pub const NUMBERS: RangeInclusive<u16> = 1..=499;

const OPENING: &str = "{{c";
const CLOSING: &str = "}}";
const SEPARATOR: &str = "::";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Text(Range<usize>),
    Open(u16),
    Close,
}

/// The numbers of the deletions in `text`, in order.
#[must_use]
pub fn numbers(text: &str) -> BTreeSet<u16> {
    let number = |token| match token {
        Token::Open(number) => Some(number),
        _ => None,
    };
    tokens(text).into_iter().filter_map(number).collect()
}

/// The text with the deletions of `number` left out: each is `[hint]` or `[...]`. All others are shown.
#[must_use]
pub fn question(text: &str, number: u16) -> String {
    render(text, Some(number))
}

/// The text with all deletions shown.
#[must_use]
pub fn answer(text: &str) -> String {
    render(text, None)
}

/// A deletion that is being read.
struct Open<'a> {
    number: u16,
    shown: String,
    hint: Option<&'a str>,
}

fn render(text: &str, hidden: Option<u16>) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut open: Vec<Open<'_>> = Vec::new();
    for token in tokens(text) {
        match token {
            Token::Open(number) => open.push(Open { number, shown: String::new(), hint: None }),
            Token::Text(range) => match open.last_mut() {
                None => whole.push_str(&text[range]),
                Some(deletion) => {
                    // What follows a hint belongs to neither, as in Anki: the last hint counts.
                    let (shown, hint) = split_hint(&text[range]);
                    deletion.shown.push_str(shown);
                    deletion.hint = hint.or(deletion.hint);
                }
            },
            Token::Close => {
                let Some(deletion) = open.pop() else { continue };
                let outer = open.last_mut().map_or(&mut whole, |outer| &mut outer.shown);
                if hidden == Some(deletion.number) {
                    outer.push('[');
                    outer.push_str(deletion.hint.filter(|hint| !hint.is_empty()).unwrap_or("..."));
                    outer.push(']');
                } else {
                    outer.push_str(&deletion.shown);
                }
            }
        }
    }
    whole
}

fn split_hint(text: &str) -> (&str, Option<&str>) {
    text.split_once(SEPARATOR).map_or((text, None), |(shown, hint)| (shown, Some(hint)))
}

/// Cuts a text up. Each `Open` has its `Close`; what has none is text.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<(Token, Range<usize>)> = Vec::new();
    let mut unclosed: Vec<usize> = Vec::new();
    let mut plain = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find(['{', '}']) {
        let start = at + found;
        let rest = &text[start..];
        let (token, length) = match opening(rest) {
            Some((number, length)) => (Token::Open(number), length),
            None if rest.starts_with(CLOSING) && !unclosed.is_empty() => {
                (Token::Close, CLOSING.len())
            }
            None => {
                at = start + 1;
                continue;
            }
        };
        tokens.push((Token::Text(plain..start), plain..start));
        match token {
            Token::Open(_) => unclosed.push(tokens.len()),
            _ => drop(unclosed.pop()),
        }
        tokens.push((token, start..start + length));
        (plain, at) = (start + length, start + length);
    }
    tokens.push((Token::Text(plain..text.len()), plain..text.len()));
    for index in unclosed {
        let (token, range) = &mut tokens[index];
        *token = Token::Text(range.clone());
    }
    // Texts that follow one another become one: a hint's separator may stand between them.
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    for (token, _) in tokens {
        match (joined.last_mut(), token) {
            (Some(Token::Text(before)), Token::Text(range)) => before.end = range.end,
            (_, token) => joined.push(token),
        }
    }
    joined.retain(|token| !matches!(token, Token::Text(range) if range.is_empty()));
    joined
}

/// The number and the length of the opening that `text` begins with.
fn opening(text: &str) -> Option<(u16, usize)> {
    let rest = text.strip_prefix(OPENING)?;
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[digits..].strip_prefix(SEPARATOR)?;
    let number = rest[..digits].parse().ok().filter(|number| NUMBERS.contains(number))?;
    Some((number, OPENING.len() + digits + SEPARATOR.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn deletions_are_left_out_by_number() {
        let text = "{{c1::Canberra}} was founded in {{c2::1913::year}}.";
        assert_eq!(numbers(text), BTreeSet::from([1, 2]));
        assert_eq!(question(text, 1), "[...] was founded in 1913.");
        assert_eq!(question(text, 2), "Canberra was founded in [year].");
        assert_eq!(answer(text), "Canberra was founded in 1913.");
        assert_eq!(question("{{c1::a}} {{c1::b::}} c", 1), "[...] [...] c");
    }

    #[test]
    fn deletions_lie_in_one_another() {
        let text = "{{c1::Canberra was {{c2::founded::what}} in 1913}}!";
        assert_eq!(question(text, 1), "[...]!");
        assert_eq!(question(text, 2), "Canberra was [what] in 1913!");
        assert_eq!(answer(text), "Canberra was founded in 1913!");
        assert_eq!(question("{{c1::a{{c1::b}}c}}", 1), "[...]");
        assert_eq!(question("{{c1::{{c2::x}}::hint}}", 1), "[hint]");
    }

    #[test]
    fn what_is_no_deletion_is_text() {
        for text in [
            "",
            "plain",
            "}}",
            "{{c1::open",
            "{{c0::zero}}",
            "{{c500::much}}",
            "{{c::x}}",
            "{{c1:x}}",
            "{{x}}",
            "{{c1",
            "{{c99999999999::x}}",
            "ä}}{{c1::ö",
        ] {
            assert!(numbers(text).is_empty(), "{text}");
            assert_eq!(answer(text), text);
            assert_eq!(question(text, 1), text);
        }
        // The inner one is closed, the outer one is not.
        assert_eq!(question("{{c1::a{{c2::b}}", 2), "{{c1::a[...]");
        assert_eq!(answer("{{c1::a}}}}"), "a}}");
        // Code in braces, and three of them.
        assert_eq!(question("{{c1::{x}}}", 1), "[...]}");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            let numbers = numbers(&text);
            if numbers.is_empty() {
                prop_assert_eq!(answer(&text), text.clone());
            }
            for number in numbers {
                prop_assert!(question(&text, number).contains('['));
            }
        }

        #[test]
        fn texts_made_of_its_pieces_are_read(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["{{c1::", "{{c2::", "{{c0::", "}}", "::", "{", "}", "a", "ü"]),
                0..40,
            )
        ) {
            let text = pieces.concat();
            for number in numbers(&text) {
                let question = question(&text, number);
                prop_assert!(question.contains("[...]") || question.contains('['));
                // Leaving out never makes a deletion of what was text.
                prop_assert!(question.chars().count() <= text.chars().count());
            }
            prop_assert!(answer(&text).len() <= text.len());
        }

        #[test]
        fn a_deletion_hides_its_text_and_nothing_else(
            before in "[a-z ]{0,9}", hidden in "[A-Z]{1,9}", hint in "[0-9]{0,3}", after in "[a-z ]{0,9}",
            number in 1u16..500,
        ) {
            let text = format!("{before}{{{{c{number}::{hidden}::{hint}}}}}{after}");
            let shown = if hint.is_empty() { "..." } else { &hint };
            prop_assert_eq!(numbers(&text), BTreeSet::from([number]));
            prop_assert_eq!(question(&text, number), format!("{before}[{shown}]{after}"));
            prop_assert_eq!(answer(&text), format!("{before}{hidden}{after}"));
        }
    }
}
