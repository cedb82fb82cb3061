//! Writing the form.

use std::io::Write;

use super::super::outgoing::Outgoing;
use super::super::{DeckPath, line};
use super::{Line, closes};
use crate::model::Tag;

pub(in super::super) struct MarkdownWriter<W: Write> {
    to: W,
    deck: Option<DeckPath>,
}

impl<W: Write> MarkdownWriter<W> {
    pub(in super::super) fn new(mut to: W, exported_at: jiff::Timestamp) -> std::io::Result<Self> {
        line(&mut to, "---")?;
        line(&mut to, "generator: Spacey")?;
        line(&mut to, &format!("exported: {exported_at:.0}"))?;
        line(&mut to, "---")?;
        Ok(Self { to, deck: None })
    }

    pub(in super::super) fn note(&mut self, out: &Outgoing) -> std::io::Result<()> {
        let Some(first) = out.cards.first() else { return Ok(()) };
        if self.deck.as_ref() != Some(&first.path) {
            line(&mut self.to, &format!("\n# {}", path(&first.path)))?;
            self.deck = Some(DeckPath::clone(&first.path));
        }
        line(&mut self.to, "")?;
        for (index, field) in out.note.content.fields().iter().enumerate() {
            match index {
                0 => self.text("Q:", &field.value, true)?,
                1 => self.text("A:", &field.value, true)?,
                _ => self.text(&format!("Field {}:", field.name), &field.value, false)?,
            }
        }
        let tags: Vec<String> =
            out.note.tags.list().iter().map(|tag| format!("`{}`", Tag::text(tag))).collect();
        if !tags.is_empty() {
            line(&mut self.to, &format!("Tags: {}", tags.join(" ")))?;
        }
        for card in out.cards.iter().filter(|card| card.path != first.path) {
            let number = card.card.ordinal + 1;
            line(&mut self.to, &format!("Card {number}: {}", path(&card.path)))?;
        }
        let (kind, guid) = (out.note.content.kind().label(), out.note.guid.text());
        line(&mut self.to, &format!("<!-- note {kind} {guid} -->"))
    }

    /// A text after its mark: on the same line where it is a short one.
    fn text(&mut self, mark: &str, text: &str, is_short: bool) -> std::io::Result<()> {
        let lines: Vec<&str> = text.split('\n').collect();
        if let [only] = lines[..]
            && is_short
            && !only.starts_with(char::is_whitespace)
            && !only.is_empty()
            && Line::of(only) == Line::Text
        {
            return line(&mut self.to, &format!("{mark} {only}"));
        }
        line(&mut self.to, mark)?;
        let mut code = None;
        for (index, text) in lines.iter().enumerate() {
            if let Some((sign, length)) = code {
                code = code.filter(|_| !closes(text, sign, length));
                line(&mut self.to, text)?;
                continue;
            }
            let rest = &lines[index + 1..];
            let is_edge = index == 0 || rest.is_empty();
            let keeps_meaning = match Line::of(text) {
                // A block of code stays one, if it ends.
                Line::Fence(sign, length) if rest.iter().any(|line| closes(line, sign, length)) => {
                    code = Some((sign, length));
                    true
                }
                Line::Text => !(Line::is_escaped(text) || is_edge && text.trim().is_empty()),
                _ => false,
            };
            self.to.write_all(if keeps_meaning { b"" } else { b"\\" })?;
            line(&mut self.to, text)?;
        }
        Ok(())
    }

    pub(in super::super) fn finish(self) -> W {
        self.to
    }
}

/// A deck's path: what stands between names is escaped in one.
fn path(names: &[String]) -> String {
    let name = |name: &String| {
        let name = name.replace('\\', "\\\\");
        let is_clear = !name.contains("::") && !name.starts_with(':') && !name.ends_with(':');
        if is_clear { name } else { name.replace(':', "\\:") }
    };
    names.iter().map(name).collect::<Vec<_>>().join("::")
}
