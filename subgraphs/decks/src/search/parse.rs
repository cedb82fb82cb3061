//! Reading a query. It never fails for a reason that it does not name, and takes no longer than the text is long.

use common::Error;

use super::text::words;
use super::{Is, Query, Words};
use crate::model::Tag;

/// The most characters of a query.
pub const MAX_QUERY: usize = 1_000;
/// The most terms of a query.
pub const MAX_TERMS: usize = 50;
/// The most parentheses and signs in one another.
pub const MAX_DEPTH: usize = 20;

/// The days that `added:` and `rated:` take.
const DAYS: std::ops::RangeInclusive<u32> = 1..=36_500;

/// Reads a query; an empty one holds for every card.
///
/// # Errors
/// [`Error::Invalid`] for `query`, with the character at which something else was expected, and what.
pub fn parse(text: &str) -> Result<Query, Error> {
    let length = text.chars().count();
    if length > MAX_QUERY {
        let message = format!("has {length} characters: at most {MAX_QUERY} are accepted");
        return Err(Error::invalid("query", message));
    }
    let mut parser = Parser { text, at: 0, terms: 0 };
    let query = parser.any(0)?;
    match parser.rest().chars().next() {
        None => Ok(query),
        Some(_) => Err(parser.expected(parser.at, "the end, or \"(\" before this \")\"")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    terms: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, at: usize, what: &str) -> Error {
        let character = self.text[..at].chars().count() + 1;
        let found: String = self.text[at..].chars().take(20).collect();
        let found = if found.is_empty() { "the end".into() } else { format!("{found:?}") };
        let message = format!("at character {character}: expected {what}, found {found}");
        Error::invalid("query", message)
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Whether the word `or` comes next; then it is taken.
    fn takes_or(&mut self) -> bool {
        let rest = self.rest();
        let is_or = rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("or"));
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"');
        if is_or && rest[2..].chars().next().is_none_or(ends) {
            self.at += 2;
            return true;
        }
        false
    }

    fn any(&mut self, depth: usize) -> Result<Query, Error> {
        if depth > MAX_DEPTH {
            return Err(self.expected(self.at, "at most 20 parentheses or signs in one another"));
        }
        let mut parts = vec![self.all(depth)?];
        loop {
            let or = self.at;
            if !self.takes_or() {
                break;
            }
            let part = self.all(depth)?;
            let empty = |part: &Query| matches!(part, Query::All(parts) if parts.is_empty());
            if parts.last().is_some_and(empty) {
                return Err(self.expected(or, "something before \"or\""));
            }
            if empty(&part) {
                return Err(self.expected(self.at, "something after \"or\""));
            }
            parts.push(part);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Query, Error> {
        let mut parts = Vec::new();
        loop {
            self.skip_spaces();
            let start = self.at;
            if self.rest().is_empty() || self.rest().starts_with(')') || self.takes_or() {
                self.at = start;
                break;
            }
            parts.push(self.unary(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::All(parts) })
    }

    fn unary(&mut self, depth: usize) -> Result<Query, Error> {
        if depth > MAX_DEPTH {
            return Err(self.expected(self.at, "at most 20 parentheses or signs in one another"));
        }
        let open = self.at;
        match self.rest().chars().next() {
            Some('-') => {
                self.at += 1;
                match self.rest().chars().next() {
                    Some(c) if !c.is_whitespace() && c != ')' => {
                        Ok(Query::Not(Box::new(self.unary(depth + 1)?)))
                    }
                    _ => Err(self.expected(self.at, "what must not hold, right after \"-\"")),
                }
            }
            Some('(') => {
                self.at += 1;
                let query = self.any(depth + 1)?;
                if !self.rest().starts_with(')') {
                    return Err(self.expected(self.at, "\")\""));
                }
                if matches!(&query, Query::All(parts) if parts.is_empty()) {
                    return Err(self.expected(open + 1, "something in the parentheses"));
                }
                self.at += 1;
                Ok(query)
            }
            _ => self.term(),
        }
    }

    fn term(&mut self) -> Result<Query, Error> {
        let start = self.at;
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.expected(start, "at most 50 words and conditions"));
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"');
        let word = self.rest().split(ends).next().unwrap_or_default();
        let (key, value) = match word.split_once(':') {
            Some((key, _)) => (Some(key.to_lowercase()), start + key.len() + 1),
            None => (None, start),
        };
        self.at = value;
        let (text, quoted) = self.value()?;
        let empty = text.is_empty();
        match key.as_deref() {
            None => self.words(start, &text, quoted),
            Some("deck" | "tag" | "added" | "is" | "rated") if empty => {
                Err(self.expected(value, "a value right after \":\""))
            }
            Some("deck") => Ok(Query::Deck(text)),
            Some("tag") => match Tag::new("tag", &text) {
                Ok(tag) => Ok(Query::Tag(tag)),
                Err(_) => Err(self.expected(value, "a tag such as language::french")),
            },
            Some("added") => {
                let days = text.parse().ok().filter(|days| DAYS.contains(days));
                let days = days.ok_or_else(|| self.expected(value, "days, 1 to 36500"))?;
                Ok(Query::Added(days))
            }
            Some("is") => {
                let is = Is::ALL.iter().find(|(word, _)| text.eq_ignore_ascii_case(word));
                let expected = "due, new, learning, review, suspended, buried or leech";
                Ok(Query::Is(is.ok_or_else(|| self.expected(value, expected))?.1))
            }
            Some("rated") => self.rated(value, &text),
            Some(_) => Err(self.expected(
                start,
                "a word, deck:, tag:, added:, is: or rated: (put a word with \":\" in quotes)",
            )),
        }
    }

    /// Days, and a rating after another colon.
    fn rated(&self, value: usize, text: &str) -> Result<Query, Error> {
        let (days, rating) = match text.split_once(':') {
            Some((days, rating)) => (days, Some(rating)),
            None => (text, None),
        };
        let count = days.parse().ok().filter(|days| DAYS.contains(days));
        let count = count.ok_or_else(|| self.expected(value, "days, 1 to 36500"))?;
        let place = |rating: &str| ["1", "2", "3", "4"].iter().position(|one| *one == rating);
        let rating = match rating.map(place) {
            Some(None) => {
                let at = value + days.len() + 1;
                return Err(self.expected(at, "a rating, 1 (again) to 4 (easy)"));
            }
            rating => rating.flatten(),
        };
        Ok(Query::Rated(count, rating))
    }

    /// A word or a quoted text.
    fn value(&mut self) -> Result<(String, bool), Error> {
        let start = self.at;
        if let Some(rest) = self.rest().strip_prefix('"') {
            let Some(length) = rest.find('"') else {
                return Err(self.expected(self.text.len(), "the quote that closes the one before"));
            };
            self.at = start + length + 2;
            return Ok((rest[..length].to_owned(), true));
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"');
        let word = self.rest().split(ends).next().unwrap_or_default();
        self.at = start + word.len();
        Ok((word.to_owned(), false))
    }

    fn words(&self, start: usize, text: &str, quoted: bool) -> Result<Query, Error> {
        let prefix = !quoted && text.ends_with('*');
        let words: Vec<String> = words(text).into_iter().map(|word| word.folded).collect();
        if words.is_empty() {
            return Err(self.expected(start, "a word with letters or digits"));
        }
        Ok(Query::Words(Words { words, prefix }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> Query {
        Query::Words(Words { words: vec![text.into()], prefix: false })
    }

    fn error(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_grammar_is_read() {
        assert_eq!(parse(" ").unwrap(), Query::All(vec![]));
        assert_eq!(parse("Été").unwrap(), word("ete"));
        let prefix = Query::Words(Words { words: vec!["ab".into()], prefix: true });
        assert_eq!(parse("ab*").unwrap(), prefix);
        let phrase = Query::Words(Words { words: vec!["a".into(), "b".into()], prefix: false });
        assert_eq!(parse("\"A, b\"").unwrap(), phrase);
        let tag = Query::Tag(Tag::new("tag", "x::y").unwrap());
        let deck = Query::Deck("two words".into());
        assert_eq!(
            parse("a -(b or tag:x::y) deck:\"two words\" added:7").unwrap(),
            Query::All(vec![
                word("a"),
                Query::Not(Box::new(Query::Any(vec![word("b"), tag]))),
                deck,
                Query::Added(7),
            ])
        );
        let both = Query::All(vec![word("b"), word("c")]);
        assert_eq!(parse("a OR b c").unwrap(), Query::Any(vec![word("a"), both]));
        assert_eq!(parse("oral").unwrap(), word("oral"));
        let not_due = Query::Not(Box::new(Query::Is(Is::Due)));
        let rated = Query::Any(vec![Query::Rated(7, None), Query::Rated(1, Some(0))]);
        assert_eq!(
            parse("-is:Due (rated:7 or rated:1:1)").unwrap(),
            Query::All(vec![not_due, rated])
        );
    }

    #[test]
    fn what_does_not_parse_is_told_by_place_and_expectation() {
        for (text, expected) in [
            ("(a", "at character 3: expected \")\", found the end"),
            ("a)", "at character 2: expected the end, or \"(\" before this \")\", found \")\""),
            ("a or", "at character 5: expected something after \"or\", found the end"),
            ("or a", "at character 1: expected something before \"or\", found \"or a\""),
            ("()", "at character 2: expected something in the parentheses"),
            ("ä -", "at character 4: expected what must not hold"),
            ("\"a", "at character 3: expected the quote that closes"),
            ("added:0", "at character 7: expected days, 1 to 36500, found \"0\""),
            ("tag:a::", "at character 5: expected a tag such as"),
            ("deck:", "at character 6: expected a value right after \":\""),
            (
                "is:do",
                "at character 4: expected due, new, learning, review, suspended, buried or leech",
            ),
            ("is:", "at character 4: expected a value right after \":\""),
            ("rated:0", "at character 7: expected days, 1 to 36500, found \"0\""),
            ("rated:7:5", "at character 9: expected a rating, 1 (again) to 4 (easy), found \"5\""),
            ("rated:7:", "at character 9: expected a rating, 1 (again) to 4 (easy), found the end"),
            ("has:x", "at character 1: expected a word, deck:, tag:, added:, is: or rated:"),
            ("?", "at character 1: expected a word with letters"),
        ] {
            let message = error(text);
            assert!(message.starts_with(&format!("query: {expected}")), "{text}: {message}");
        }
        assert!(error(&"a ".repeat(51)).contains("at most 50 words"));
        assert!(error(&"(".repeat(30)).contains("at most 20 parentheses"));
        assert!(error(&"-".repeat(30)).contains("at most 20 parentheses"));
        assert!(error(&"a".repeat(1001)).contains("1001 characters"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_a_place(text in "\\PC{0,60}") {
            if let Err(error) = parse(&text) {
                prop_assert!(error.to_string().starts_with("query: at character "), "{}", error);
            }
        }

        #[test]
        fn texts_made_of_its_pieces_too(
            pieces in prop::collection::vec(
                prop::sample::select(vec!["(", ")", "-", "or", " ", "\"", "a", "tag:x", "deck:", "added:3", "é*", ":", "is:", "due", "rated:2"]),
                0..30,
            )
        ) {
            if let Err(error) = parse(&pieces.concat()) {
                prop_assert!(error.to_string().starts_with("query: at character "), "{}", error);
            }
        }
    }
}
