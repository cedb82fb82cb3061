//! The files of one operation on their way to the subgraphs.

use async_graphql::{Value, Variables};
use bytes::Bytes;
use common::graphql::Upload;
use http::HeaderValue;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::http_client::Pieces;

/// The files of one operation. Clones of a file share its bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Uploads {
    files: Vec<Upload>,
    mark: String,
}

/// A request for a subgraph over HTTP that has files.
#[derive(Debug)]
pub(crate) struct Forwarded {
    pub(crate) content_type: HeaderValue,
    pub(crate) body: Pieces,
}

impl Uploads {
    pub(crate) fn new(files: Vec<Upload>) -> Self {
        Self { files, mark: format!("file-{}-", Uuid::new_v4().simple()) }
    }

    /// The text that stands among the variables for a file, by its number.
    pub(crate) fn mark(&self, file: usize) -> String {
        format!("{}{file}", self.mark)
    }

    fn marked(&self, text: &str) -> Option<usize> {
        let file = text.strip_prefix(&self.mark)?.parse().ok()?;
        (file < self.files.len()).then_some(file)
    }

    /// Puts files in the place of their marks.
    pub(crate) fn put(&self, variables: &mut Variables) {
        variables.values_mut().for_each(|value| self.put_in(value));
    }

    fn put_in(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Some(file) = self.marked(text) {
                    *value = self.files[file].clone().into();
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.put_in(item)),
            Value::Object(members) => {
                members.values_mut().for_each(|member| self.put_in(member));
            }
            Value::Null
            | Value::Number(_)
            | Value::Boolean(_)
            | Value::Binary(_)
            | Value::Enum(_) => {}
        }
    }

    /// The form for a request whose JSON is `body`; none when there is no file in it.
    pub(crate) fn forward(&self, body: &[u8]) -> Option<Forwarded> {
        let mut operations: Json = serde_json::from_slice(body).ok()?;
        let mut places = vec![Vec::new(); self.files.len()];
        self.find("variables", operations.get_mut("variables")?, &mut places);
        let sent = || (0..).zip(&places).filter(|(_, places)| !places.is_empty());
        let map: serde_json::Map<String, Json> =
            sent().map(|(file, places): (usize, _)| (file.to_string(), json!(places))).collect();
        if map.is_empty() {
            return None;
        }
        let boundary = format!("spacey-{}", Uuid::new_v4().simple());
        let part = |name: &str, json: &Json| {
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{json}\r\n"
            )
        };
        let mut text = part("operations", &operations) + &part("map", &Json::Object(map));
        let mut pieces = Vec::new();
        for (file, _) in sent() {
            let upload = &self.files[file];
            let content_type = upload.content_type.as_deref().unwrap_or("application/octet-stream");
            text += &format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{file}\"; filename=\"{}\"\r\ncontent-type: {content_type}\r\n\r\n",
                escaped(&upload.name)
            );
            pieces.push(Bytes::from(std::mem::take(&mut text)));
            pieces.push(upload.bytes.clone());
            text += "\r\n";
        }
        text += &format!("--{boundary}--\r\n");
        pieces.push(text.into());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let content_type = HeaderValue::from_str(&content_type).ok()?;
        Some(Forwarded { content_type, body: pieces.into() })
    }

    /// Takes the marks out of `value` and notes where they stood.
    fn find(&self, path: &str, value: &mut Json, places: &mut [Vec<String>]) {
        match value {
            Json::String(text) => {
                if let Some(file) = self.marked(text) {
                    places[file].push(path.to_owned());
                    *value = Json::Null;
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.find(&format!("{path}.{index}"), item, places);
                }
            }
            Json::Object(members) => {
                for (name, member) in members {
                    self.find(&format!("{path}.{name}"), member, places);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

/// A file's name as HTML writes it into a form.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
