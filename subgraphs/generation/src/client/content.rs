//! The service's routes about contents. What is absent it may answer with status 200 and another one in the body, so that is read too.

use bytes::Bytes;
use common::UserId;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
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

impl Client {
    /// Has the service fetch and read what is at an address, waits for its text as long as one generation may take, and lets it forget that.
    pub(crate) async fn read(
        &self,
        user: UserId,
        address: &str,
    ) -> Result<String, GenerationError> {
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
            content = match self.contents(user, Some(&[&id])).await {
                Ok(mut found) => match found.pop() {
                    Some(content) => content,
                    None => break Err(GenerationError::SourceUnreadable),
                },
                Err(error) => break Err(error),
            };
        };
        // What is left there harms nobody: only the person who asked can see it.
        drop(self.delete_content(user, &id).await);
        read
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

    /// What the service has of a person: those of the ids, or all.
    pub(crate) async fn contents(
        &self,
        user: UserId,
        ids: Option<&[&str]>,
    ) -> Result<Vec<Content>, GenerationError> {
        let mut url = self.of(user, &["content"]);
        if let Some(ids) = ids {
            url.query_pairs_mut().append_pair("ids", &ids.join(","));
        }
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
        for content in self.contents(user, None).await? {
            self.delete_content(user, &content.id).await?;
        }
        Ok(())
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
    fn of(&self, user: UserId, path: &[&str]) -> Url {
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
