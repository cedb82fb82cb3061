//! The service's routes about contents. What is absent it may answer with status 200 and another one in the body, so that is read too.

use std::io::{BufReader, Read};

use bytes::Bytes;
use common::UserId;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Client, GenerationError, MAX_ANSWER, RETRY_EVERY, malformed, send};
use crate::answer::{Content, Envelope};
use crate::model::{Annotation, Pdf};

/// What the service says of a change.
#[derive(Debug, Deserialize)]
struct Outcome {
    /// The status that the answer should have had.
    status_code: Option<u16>,
}

/// A content in a list, as far as it tells which it is.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    /// The address or the file's name.
    #[serde(default)]
    pub(crate) source: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
}

impl Listed {
    /// When the service says that it was added; none where that is no moment.
    pub(crate) fn added_at(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.parse().ok()
    }
}

/// The most bytes of a list: the greatest number of contents with the longest texts take less.
const MAX_LISTING: usize = 1 << 30;
/// How many pieces of a list wait to be read.
const PIECES: usize = 8;

/// The pieces of an answer as one text.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.piece.is_empty() {
            match self.receiver.blocking_recv() {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let taken = self.piece.split_to(self.piece.len().min(buffer.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

impl Client {
    /// Has the service fetch and read what is at an address, waits for its text as long as one generation may take, and lets it forget that; answers
    /// the text, and whether it was forgotten.
    pub(crate) async fn read(
        &self,
        user: UserId,
        address: &str,
    ) -> Result<(String, bool), GenerationError> {
        let mut content = match self.add_source(user, address).await {
            Err(GenerationError::Status(StatusCode::BAD_REQUEST)) => {
                return Err(GenerationError::SourceUnreadable);
            }
            added => added?,
        };
        let id = content.id.clone();
        let started = Instant::now();
        let read = loop {
            match &*content.processing_status {
                "processed" => break Ok(content.view_text.unwrap_or_default()),
                "failed" => break Err(GenerationError::SourceUnreadable),
                _ if started.elapsed() > self.timeout => break Err(GenerationError::Timeout),
                _ => tokio::time::sleep(RETRY_EVERY).await,
            }
            content = match self.contents(user, &[&id]).await {
                Ok(mut found) => match found.pop() {
                    Some(content) => content,
                    None => break Err(GenerationError::SourceUnreadable),
                },
                Err(error) => break Err(error),
            };
        };
        let deleted = self.delete_content(user, &id).await.is_ok();
        read.map(|text| (text, deleted))
    }

    /// Has the service fetch and read what is at an address.
    pub(crate) async fn add_source(
        &self,
        user: UserId,
        source: &str,
    ) -> Result<Content, GenerationError> {
        let request =
            self.http.post(self.of(user, &["content"])).json(&json!({ "source": source }));
        Ok(whole::<Envelope<Content>>(send(request).await?).await?.data)
    }

    /// Has the service keep and read a file.
    pub(crate) async fn add_file(
        &self,
        user: UserId,
        pdf: &Pdf,
    ) -> Result<Content, GenerationError> {
        let boundary = format!("spacey-{}", uuid::Uuid::new_v4().simple());
        let request = self
            .http
            .post(self.of(user, &["content"]))
            .header(CONTENT_TYPE, format!("multipart/form-data; boundary={boundary}"))
            .body(form(&boundary, pdf));
        Ok(whole::<Envelope<Content>>(send(request).await?).await?.data)
    }

    /// What the service has of a person of these ids, with what it read.
    pub(crate) async fn contents(
        &self,
        user: UserId,
        ids: &[&str],
    ) -> Result<Vec<Content>, GenerationError> {
        let mut url = self.of(user, &["content"]);
        url.query_pairs_mut().append_pair("ids", &ids.join(","));
        Ok(whole::<Envelope<Vec<Content>>>(send(self.http.get(url)).await?).await?.data)
    }

    /// Notes whether a content was read; answers whether there is one.
    pub(crate) async fn set_read(
        &self,
        user: UserId,
        id: &str,
        read: bool,
    ) -> Result<bool, GenerationError> {
        let body = json!({ "read_status": read });
        changed(self.http.patch(self.of(user, &["content", id])).json(&body)).await
    }

    /// Replaces the annotations of a content; answers whether there is one.
    pub(crate) async fn annotate(
        &self,
        user: UserId,
        id: &str,
        annotations: &[Annotation],
    ) -> Result<bool, GenerationError> {
        let annotations: Vec<Value> = annotations.iter().map(told).collect();
        let body = json!({ "annotations": annotations });
        changed(self.http.put(self.of(user, &["content", id, "annotation"])).json(&body)).await
    }

    /// Deletes a content; answers whether there was one.
    pub(crate) async fn delete_content(
        &self,
        user: UserId,
        id: &str,
    ) -> Result<bool, GenerationError> {
        changed(self.http.delete(self.of(user, &["content", id]))).await
    }

    /// Deletes all that the service has of a person: what our own does at once, and the one that exists by one content after the other; its notes
    /// it cannot delete.
    pub(crate) async fn delete_user(&self, user: UserId) -> Result<(), GenerationError> {
        if changed(self.http.delete(self.of(user, &["user"]))).await? {
            return Ok(());
        }
        for content in self.listed(user).await? {
            self.delete_content(user, &content.id).await?;
        }
        Ok(())
    }

    /// All that the service has of a person, without what was read: the list comes with every text, so it is read piece by piece, and only this is
    /// kept of it.
    pub(crate) async fn listed(&self, user: UserId) -> Result<Vec<Listed>, GenerationError> {
        let mut response = send(self.http.get(self.of(user, &["content"]))).await?;
        if response.status() != StatusCode::OK {
            return Err(GenerationError::Status(response.status()));
        }
        let (pieces, receiver) = mpsc::channel(PIECES);
        let reading = tokio::task::spawn_blocking(move || {
            let reader = BufReader::new(Pieces { receiver, piece: Bytes::new() });
            serde_json::from_reader::<_, Envelope<Vec<Listed>>>(reader)
        });
        let mut taken = 0;
        while let Some(piece) = response.chunk().await.map_err(GenerationError::from_transport)? {
            taken += piece.len();
            if taken > MAX_LISTING {
                return Err(GenerationError::TooLong);
            }
            // Whoever reads no more has found what is wrong.
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        drop(pieces);
        let list = reading.await.map_err(|_| GenerationError::Cut)?;
        Ok(list.map_err(malformed)?.data)
    }

    /// The bytes of the file of a content, as they come; none when it has none.
    pub(crate) async fn file(
        &self,
        user: UserId,
        id: &str,
    ) -> Result<Option<BoxStream<'static, reqwest::Result<Bytes>>>, GenerationError> {
        let response = send(self.http.get(self.of(user, &["content", "file", id]))).await?;
        match response.status() {
            StatusCode::OK => Ok(Some(Box::pin(pieces(response)))),
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(GenerationError::Status(status)),
        }
    }

    /// The address of a route for a person.
    pub(super) fn of(&self, user: UserId, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url.query_pairs_mut().append_pair("userID", &user.to_string());
        url
    }
}

fn pieces(response: Response) -> impl futures::Stream<Item = reqwest::Result<Bytes>> + Send {
    futures::stream::try_unfold(response, |mut response| async move {
        Ok(response.chunk().await?.map(|chunk| (chunk, response)))
    })
    .map_err(reqwest::Error::without_url)
}

/// Asks for a change, and answers whether what was to be changed is there.
async fn changed(request: RequestBuilder) -> Result<bool, GenerationError> {
    let response = send(request).await?;
    if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
        return Ok(false);
    }
    let outcome: Outcome = whole(response).await?;
    match outcome.status_code.map(StatusCode::from_u16) {
        None | Some(Ok(StatusCode::OK)) => Ok(true),
        Some(Ok(StatusCode::NOT_FOUND)) => Ok(false),
        Some(Ok(status)) => Err(GenerationError::Status(status)),
        Some(Err(_)) => Err(GenerationError::Status(StatusCode::BAD_GATEWAY)),
    }
}

/// Reads an answer as JSON.
async fn whole<T: DeserializeOwned>(mut response: Response) -> Result<T, GenerationError> {
    if response.status() != StatusCode::OK {
        return Err(GenerationError::Status(response.status()));
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(GenerationError::from_transport)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(GenerationError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).map_err(malformed)
}

/// A form with one file, its name as HTML writes it.
fn form(boundary: &str, Pdf { name, bytes }: &Pdf) -> Bytes {
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: application/pdf\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    [head.as_bytes(), bytes, end.as_bytes()].concat().into()
}

/// An annotation in the service's form.
fn told(annotation: &Annotation) -> Value {
    let Annotation { start_path, start_offset, end_path, end_offset, color, comment, text } =
        annotation;
    let mut told = json!({
        "start_path": start_path, "start_offset": start_offset, "end_path": end_path, "end_offset": end_offset,
        "color": color, "text": text,
    });
    if let Some(comment) = comment {
        told["comment"] = json!(comment);
    }
    told
}
