//! A request that comes with files: the form's operations, with marks where files belong.
//!
//! Refused: a place that is not among the variables, or where there is no `null`.

use axum::body::Body;
use common::graphql::Upload;
use federation::Value;
use http::HeaderMap;

use super::{GraphQlRequest, from_body};
use crate::code::Code;
use crate::outcome::Outcome;
use crate::settings::{HttpSettings, UploadSettings};
use crate::uploads::{Form, FormError, FormLimits, Placed, Uploads, path_segments, read};

/// Reads a request with files.
///
/// # Errors
/// [`Code::UploadMalformed`], [`Code::UploadTooLarge`] or [`Code::UploadTooMany`] for the form, and what [`super::decode`] says of its operations.
pub(crate) async fn decode_form(
    headers: &HeaderMap,
    body: Body,
    http: &HttpSettings,
    settings: &UploadSettings,
) -> Result<GraphQlRequest, Outcome> {
    let limits = FormLimits {
        operations: http.body_limit,
        files: settings.files,
        file_bytes: settings.file_bytes,
        total_bytes: settings.total_bytes,
        places: settings.places,
    };
    let form = read(headers, body, &limits).await.map_err(|error| {
        let code = match &error {
            FormError::Malformed(_) => Code::UploadMalformed,
            FormError::TooMany(_) => Code::UploadTooMany,
            FormError::TooLarge(_) => Code::UploadTooLarge,
        };
        Outcome::refused(code, error.to_string())
    })?;
    from_form(form)
}

fn from_form(form: Form) -> Result<GraphQlRequest, Outcome> {
    let mut request = from_body(&form.operations)?;
    let (files, places): (Vec<Upload>, Vec<Vec<String>>) =
        form.files.into_iter().map(|Placed { upload, places }| (upload, places)).unzip();
    let uploads = Uploads::new(files);
    for (file, place) in
        places.iter().enumerate().flat_map(|(file, places)| places.iter().map(move |p| (file, p)))
    {
        let refused = |message: String| Outcome::refused(Code::UploadMalformed, message);
        let nothing =
            || refused(format!("map names the place {place:?}, where operations has no null"));
        let mut path = path_segments(place).map_err(refused)?;
        let name = path.next().unwrap_or_default();
        let mut value = request.variables.get_mut(name).ok_or_else(nothing)?;
        for segment in path {
            value = member(value, segment).ok_or_else(nothing)?;
        }
        if !matches!(value, Value::Null) {
            return Err(nothing());
        }
        *value = Value::String(uploads.mark(file));
    }
    request.uploads = Some(uploads);
    Ok(request)
}

fn member<'v>(value: &'v mut Value, segment: &str) -> Option<&'v mut Value> {
    match value {
        Value::Object(object) => object.get_mut(segment),
        Value::List(items) => {
            let index: usize = segment.parse().ok()?;
            // Only as a number is written: no sign, no zeros before it.
            items.get_mut(index).filter(|_| index.to_string() == segment)
        }
        _ => None,
    }
}
