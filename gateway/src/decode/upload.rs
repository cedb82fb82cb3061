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
use crate::uploads::{Form, FormError, FormLimits, Placed, Uploads, find, read};

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
    let form = read(headers, body, &form_limits(http, settings)).await.map_err(|error| {
        let code = match &error {
            FormError::Malformed(_) => Code::UploadMalformed,
            FormError::TooMany(_) => Code::UploadTooMany,
            FormError::TooLarge(_) => Code::UploadTooLarge,
        };
        Outcome::refused(code, error.to_string())
    })?;
    from_form(form)
}

/// What a client's form may hold.
pub(crate) const fn form_limits(http: &HttpSettings, settings: &UploadSettings) -> FormLimits {
    FormLimits {
        operations: http.body_limit,
        files: settings.files,
        file_bytes: settings.file_bytes,
        total_bytes: settings.total_bytes,
        places: settings.places,
    }
}

fn from_form(form: Form) -> Result<GraphQlRequest, Outcome> {
    let mut request = from_body(&form.operations)?;
    let (files, places): (Vec<Upload>, Vec<Vec<String>>) =
        form.files.into_iter().map(|Placed { upload, places }| (upload, places)).unzip();
    let uploads = Uploads::new(files);
    for (file, place) in
        places.iter().enumerate().flat_map(|(file, places)| places.iter().map(move |p| (file, p)))
    {
        let place = find(place, |name| request.variables.get_mut(name));
        let place = place.map_err(|message| Outcome::refused(Code::UploadMalformed, message))?;
        *place = Value::String(uploads.mark(file));
    }
    request.uploads = Some(uploads);
    Ok(request)
}
