//! Notes for people to read: Markdown with a front matter. It is written only.

use std::io::Write;

use super::line;
use super::outgoing::Outgoing;
use crate::model::Tag;

pub(super) struct MarkdownWriter<W: Write> {
    to: W,
    deck: Option<super::DeckPath>,
}

impl<W: Write> MarkdownWriter<W> {
    pub(super) fn new(mut to: W, exported_at: jiff::Timestamp) -> std::io::Result<Self> {
        line(&mut to, "---")?;
        line(&mut to, "generator: Spacey")?;
        line(&mut to, &format!("exported: {exported_at:.0}"))?;
        line(&mut to, "---")?;
        Ok(Self { to, deck: None })
    }

    pub(super) fn note(&mut self, out: &Outgoing) -> std::io::Result<()> {
        let Some(first) = out.cards.first() else { return Ok(()) };
        if self.deck.as_ref() != Some(&first.path) {
            line(&mut self.to, &format!("\n# {}", first.path.join("::")))?;
            self.deck = Some(first.path.clone());
        }
        for card in &out.cards {
            line(&mut self.to, "\n## Question\n")?;
            line(&mut self.to, &card.card.question)?;
            line(&mut self.to, "\n### Answer\n")?;
            line(&mut self.to, &card.card.answer)?;
        }
        for field in out.note.content.fields().iter().skip(2) {
            line(&mut self.to, &format!("\n### {}\n", field.name))?;
            line(&mut self.to, &field.value)?;
        }
        let tags: Vec<String> =
            out.note.tags.list().iter().map(|tag| format!("`{}`", Tag::text(tag))).collect();
        if !tags.is_empty() {
            line(&mut self.to, &format!("\nTags: {}", tags.join(" ")))?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> W {
        self.to
    }
}
