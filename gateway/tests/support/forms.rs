//! Forms of the multipart request specification, written by hand so that they can be wrong, and subgraphs that take files.

use std::sync::Arc;

use async_graphql::{
    EmptySubscription, ID, InputObject, MergedObject, Object, Schema, SimpleObject,
};
use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;
use common::Endpoint;
use common::endpoint::SchemaEndpoint;
use common::graphql::Upload;
use futures::TryStreamExt;
use http::header::CONTENT_TYPE;

use super::{Memory, serve};

/// What a subgraph was sent.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(shareable)]
pub(crate) struct Sent {
    pub(crate) id: ID,
    pub(crate) name: String,
    pub(crate) content_type: Option<String>,
    pub(crate) size: i32,
    /// The sum of the bytes.
    pub(crate) sum: i32,
}

fn sent(name: String, content_type: Option<String>, bytes: &[u8]) -> Sent {
    let sum = bytes.iter().map(|byte| i32::from(*byte)).sum();
    Sent { id: "1".into(), name, content_type, size: bytes.len() as i32, sum }
}

#[derive(InputObject)]
struct Note {
    text: String,
    files: Vec<Option<Upload>>,
}

#[derive(Default)]
pub(crate) struct Query;

#[Object]
impl Query {
    async fn look(&self, file: Option<Upload>) -> Option<Sent> {
        file.map(|file| sent(file.name, file.content_type, &file.bytes))
    }
}

#[derive(Default)]
pub(crate) struct Files;

#[Object]
impl Files {
    async fn upload(&self, file: Upload, name: Option<String>) -> Sent {
        sent(name.unwrap_or(file.name), file.content_type, &file.bytes)
    }

    async fn attach(&self, note: Note) -> Vec<Option<Sent>> {
        let files = note.files.into_iter();
        files
            .map(|file| file.map(|file| sent(note.text.clone() + &file.name, None, &file.bytes)))
            .collect()
    }
}

#[derive(Default, MergedObject)]
pub(crate) struct Mutation(Files);

pub(crate) type FilesSchema = Schema<Query, Mutation, EmptySubscription>;

/// A subgraph that takes files, as Spacey's do.
pub(crate) fn files() -> (Arc<dyn Endpoint>, String) {
    let schema: FilesSchema =
        Schema::build(Query, Mutation::default(), EmptySubscription).enable_federation().finish();
    let sdl = common::graphql::sdl::federation_sdl(&schema);
    (Arc::new(SchemaEndpoint::new("files", schema, Arc::new(Memory::default()))), sdl)
}

/// Takes files as anybody's subgraph does: by async-graphql's own type and its own reading of forms.
#[derive(Default)]
pub(crate) struct Strange;

#[Object]
impl Strange {
    async fn keep(
        &self,
        ctx: &async_graphql::Context<'_>,
        files: Vec<async_graphql::Upload>,
    ) -> Vec<Sent> {
        let value = |file: &async_graphql::Upload| file.value(ctx).unwrap();
        files
            .iter()
            .map(value)
            .map(|file| sent(file.filename, file.content_type, &file.content))
            .collect()
    }
}

pub(crate) struct Nothing;

#[Object]
impl Nothing {
    async fn nothing(&self) -> Option<i32> {
        None
    }
}

/// Serves a subgraph of anybody's that takes files; its address and schema.
pub(crate) async fn strange() -> (String, String) {
    let schema = Schema::build(Nothing, Strange, EmptySubscription).enable_federation().finish();
    let sdl = common::graphql::sdl::federation_sdl(&schema);
    let answer = move |request: Request| async move {
        let content_type = request.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = request.into_body().into_data_stream().map_err(std::io::Error::other);
        let request = async_graphql::http::receive_body(
            Some(content_type),
            body.into_async_read(),
            async_graphql::http::MultipartOptions::default(),
        );
        let response = schema.execute(request.await.unwrap()).await;
        serde_json::to_vec(&response).unwrap()
    };
    let address = serve(axum::Router::new().route("/", post(answer))).await.to_string();
    (address, sdl)
}

pub(crate) const BOUNDARY: &str = "----form";

/// A part of a form.
pub(crate) fn part(head: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\n{head}\r\n\r\n");
    [head.as_bytes(), body, b"\r\n"].concat()
}

/// A named text.
pub(crate) fn text(name: &str, text: &str) -> Vec<u8> {
    part(&format!("content-disposition: form-data; name=\"{name}\""), text.as_bytes())
}

/// A named file.
pub(crate) fn file(name: &str, file_name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "content-disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\ncontent-type: image/png"
    );
    part(&head, bytes)
}

/// The whole form.
pub(crate) fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [parts.concat(), format!("--{BOUNDARY}--\r\n").into_bytes()].concat()
}

/// A request with a form, as a page that may send it does.
pub(crate) fn request(body: impl Into<Body>, headers: &[(&str, &str)]) -> http::Request<Body> {
    let mut request = http::Request::post("/graphql")
        .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}
