//! The document of a download: `{"format", "exportedAt", a member for each section, "counts"}`.
//!
//! A connection, which is what has `nodes` and `pageInfo`, becomes a list of all its nodes, however many pages that takes; also one within another's
//! nodes. The counts at the end say how many there are in each list. Refused: a list that goes on and has no operation to go on by, and one
//! whose pages do not advance.

use bytes::{Bytes, BytesMut};
use federation::{Object, Value};
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::mpsc::Sender;
use tokio::time::timeout;

use super::PATIENCE;
use super::pages::Pages;
use crate::outcome::Outcome;
use crate::settings::{ExportList, ExportSettings};

/// How many bytes are sent at once, or a little more.
const PIECE: usize = 32 << 10;

/// Why a document is not completed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Incomplete {
    /// A page could not be had.
    #[error("{section}: {reason}")]
    Page { section: String, reason: String },
    /// A value cannot be written.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The client reads no more.
    #[error("the client went away")]
    Gone,
}

type Written = Result<(), Incomplete>;

pub(super) struct Document {
    pages: Pages,
    settings: &'static ExportSettings,
    pieces: Sender<Bytes>,
    out: BytesMut,
    /// How many there are in each list, in the order in which they were met.
    counts: Vec<(String, u64)>,
}

impl Document {
    pub(super) fn new(
        pages: Pages,
        settings: &'static ExportSettings,
        pieces: Sender<Bytes>,
    ) -> Self {
        Self { pages, settings, pieces, out: BytesMut::new(), counts: Vec::new() }
    }

    /// Writes all of it, beginning with what the first section's operation answered.
    pub(super) async fn write(mut self, first: Value) -> Written {
        self.text("{\"format\":");
        self.leaf(&self.settings.format)?;
        self.text(",\"exportedAt\":");
        self.leaf(&Timestamp::now().to_string())?;
        let mut first = Some(first);
        for section in self.settings.sections {
            let answer = match first.take() {
                Some(answer) => answer,
                None => {
                    let answer = self.pages.first(section).await;
                    answer.map_err(|outcome| incomplete(section.name, &outcome))?
                }
            };
            if matches!(answer, Value::Null) {
                return Err(refused(section.name, "the account is gone"));
            }
            self.text(",");
            self.leaf(&section.name)?;
            self.text(":");
            match &answer {
                Value::List(items) => {
                    self.count(section.name, items.len());
                    self.value(section.name, &answer, None).await?;
                }
                _ => self.value(section.name, &answer, None).await?,
            }
        }
        for list in self.settings.nested {
            self.count(list.name, 0);
        }
        self.text(",\"counts\":{");
        for (index, (name, count)) in std::mem::take(&mut self.counts).iter().enumerate() {
            self.text(if index == 0 { "" } else { "," });
            self.leaf(name)?;
            self.text(":");
            self.leaf(count)?;
        }
        self.text("}}\n");
        self.send().await
    }

    /// Writes the value of a field of the object with the id `of`.
    fn value<'a>(
        &'a mut self,
        name: &'a str,
        value: &'a Value,
        of: Option<&'a Value>,
    ) -> BoxFuture<'a, Written> {
        Box::pin(async move {
            match value {
                Value::Object(object) if object.get("pageInfo").is_some() => {
                    self.connection(name, object, of).await
                }
                Value::Object(object) => {
                    let id = object.get("id");
                    self.text("{");
                    for (index, (name, value)) in object.iter().enumerate() {
                        self.text(if index == 0 { "" } else { "," });
                        self.leaf(&**name)?;
                        self.text(":");
                        self.value(name, value, id).await?;
                    }
                    self.text("}");
                    Ok(())
                }
                Value::List(items) => {
                    self.text("[");
                    for (index, item) in items.iter().enumerate() {
                        self.text(if index == 0 { "" } else { "," });
                        self.value(name, item, of).await?;
                    }
                    self.text("]");
                    Ok(())
                }
                leaf => self.leaf(leaf),
            }
        })
    }

    /// Writes all nodes of a connection whose first page is there.
    async fn connection(&mut self, name: &str, first: &Object, of: Option<&Value>) -> Written {
        self.text("[");
        self.count(name, 0);
        let mut is_first = true;
        self.nodes(name, first, &mut is_first).await?;
        let mut next = next_page(first);
        while let Some(cursor) = next {
            let page = self.page(name, of, &cursor).await?;
            self.nodes(name, &page, &mut is_first).await?;
            next = next_page(&page);
            if next.as_ref() == Some(&cursor) {
                return Err(refused(name, "its pages do not advance"));
            }
        }
        self.text("]");
        Ok(())
    }

    async fn nodes(&mut self, name: &str, page: &Object, is_first: &mut bool) -> Written {
        let Some(Value::List(nodes)) = page.get("nodes") else {
            return Err(refused(name, "a page has no nodes"));
        };
        self.count(name, nodes.len());
        for node in nodes {
            self.text(if std::mem::take(is_first) { "" } else { "," });
            self.value(name, node, None).await?;
            if self.out.len() >= PIECE {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn page(
        &self,
        name: &str,
        of: Option<&Value>,
        cursor: &str,
    ) -> Result<Object, Incomplete> {
        let lists = if of.is_none() { self.settings.sections } else { self.settings.nested };
        let list: Option<&ExportList> = lists.iter().find(|list| list.name == name);
        let list = list.ok_or_else(|| refused(name, "no operation gives its next page"))?;
        match self.pages.after(list, of, cursor).await {
            Ok(Value::Object(page)) => Ok(page),
            Ok(_) => Err(refused(name, "it is gone")),
            Err(outcome) => Err(incomplete(name, &outcome)),
        }
    }

    fn count(&mut self, name: &str, more: usize) {
        let more = more as u64;
        match self.counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += more,
            None => self.counts.push((name.to_owned(), more)),
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn leaf(&mut self, leaf: &(impl serde::Serialize + ?Sized)) -> Written {
        self.out.extend_from_slice(&serde_json::to_vec(leaf)?);
        Ok(())
    }

    async fn send(&mut self) -> Written {
        let piece = self.out.split().freeze();
        match timeout(PATIENCE, self.pieces.send(piece)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Incomplete::Gone),
        }
    }
}

/// The cursor after which a page's next one begins, when there is one.
fn next_page(page: &Object) -> Option<String> {
    let Some(Value::Object(info)) = page.get("pageInfo") else { return None };
    match (info.get("hasNextPage"), info.get("endCursor")) {
        (Some(Value::Bool(true)), Some(Value::String(cursor))) => Some(cursor.clone()),
        _ => None,
    }
}

fn refused(section: &str, reason: &str) -> Incomplete {
    Incomplete::Page { section: section.to_owned(), reason: reason.to_owned() }
}

fn incomplete(section: &str, outcome: &Outcome) -> Incomplete {
    let reason = match outcome {
        Outcome::Refused(refusal) => refusal.message.to_string(),
        Outcome::RequestError(errors) => {
            errors.first().map(|error| error.message.clone()).unwrap_or_default()
        }
        Outcome::Executed(_) => String::new(),
    };
    refused(section, &reason)
}
