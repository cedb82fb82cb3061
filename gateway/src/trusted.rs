//! The list of trusted documents: the operations that an application was built with.
//!
//! Read are the manifest of Apollo's tools and a plain object of texts by id, as Relay's compiler and GraphQL Code Generator write it.
//! Refused: what is neither, and two texts under one id for one application.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::client::Application;

/// What `format` says in a manifest of Apollo's tools.
const MANIFEST: &str = "apollo-persisted-query-manifest";

/// Operations that were registered before.
#[derive(Debug, Default)]
pub struct TrustedDocuments {
    by_id: HashMap<Box<str>, Vec<(Holder, Arc<str>)>>,
    by_text: HashMap<Arc<str>, Vec<Holder>>,
}

/// Why a list of documents cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TrustedDocumentsError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is no list of documents.
    #[error(
        "{at} is not {expected}; accepted is a manifest of Apollo's tools, and an object of texts by id"
    )]
    NotDocuments {
        /// Where, such as `operations[3].body`.
        at: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// An id stands for two texts.
    #[error("the id {0} stands for two texts")]
    Ambiguous(String),
}

/// The application that a document is for; any, where nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Holder {
    name: Option<Box<str>>,
    version: Option<Box<str>>,
}

impl Holder {
    fn is(&self, application: &Application) -> bool {
        let fits = |own: &Option<Box<str>>, given: &Option<Box<str>>| {
            own.is_none() || own.as_deref() == given.as_deref()
        };
        fits(&self.name, &application.name) && fits(&self.version, &application.version)
    }
}

impl TrustedDocuments {
    /// Adds the documents of a file, for the application of this name and version, or for any.
    ///
    /// # Errors
    /// [`TrustedDocumentsError`]; then nothing is added that can be relied on.
    pub fn add(
        &mut self,
        json: &str,
        name: Option<&str>,
        version: Option<&str>,
    ) -> Result<(), TrustedDocumentsError> {
        let holder = Holder { name: name.map(Into::into), version: version.map(Into::into) };
        let Value::Object(file) = serde_json::from_str(json)? else {
            return Err(not("the file", "an object"));
        };
        if file.get("format").and_then(Value::as_str) == Some(MANIFEST) {
            return self.add_manifest(&file, &holder);
        }
        for (id, text) in &file {
            let text = text.as_str().ok_or_else(|| not(id, "a text"))?;
            self.insert(id, text, holder.clone())?;
        }
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub(crate) fn by_id(&self, id: &str, application: &Application) -> Option<&str> {
        // The form of GraphQL over HTTP names the kind of hash.
        let bare = id.strip_prefix("sha256:");
        [Some(id), bare].into_iter().flatten().find_map(|id| {
            let held = self.by_id.get(id)?.iter().filter(|(holder, _)| holder.is(application));
            // A list for a version comes before one for the application, and that before one for all.
            let nearest = held.max_by_key(|(h, _)| (h.name.is_some(), h.version.is_some()))?;
            Some(&*nearest.1)
        })
    }

    pub(crate) fn has(&self, text: &str, application: &Application) -> bool {
        let holders = self.by_text.get(text);
        holders.is_some_and(|holders| holders.iter().any(|holder| holder.is(application)))
    }

    fn add_manifest(
        &mut self,
        file: &Map<String, Value>,
        holder: &Holder,
    ) -> Result<(), TrustedDocumentsError> {
        if file.get("version").and_then(Value::as_u64) != Some(1) {
            return Err(not("version", "1"));
        }
        let operations = file.get("operations").and_then(Value::as_array);
        for (index, operation) in
            operations.ok_or_else(|| not("operations", "a list"))?.iter().enumerate()
        {
            let member = |name: &str| operation.get(name).and_then(Value::as_str);
            let text = |name: &str| {
                member(name).ok_or_else(|| not(&format!("operations[{index}].{name}"), "a text"))
            };
            let mut holder = holder.clone();
            if let Some(name) = member("clientName") {
                holder.name = Some(name.into());
            }
            self.insert(text("id")?, text("body")?, holder)?;
        }
        Ok(())
    }

    fn insert(
        &mut self,
        id: &str,
        text: &str,
        holder: Holder,
    ) -> Result<(), TrustedDocumentsError> {
        let text: Arc<str> = text.into();
        let held = self.by_id.entry(id.into()).or_default();
        if held.iter().any(|(other, known)| *other == holder && *known != text) {
            return Err(TrustedDocumentsError::Ambiguous(id.to_owned()));
        }
        held.push((holder.clone(), text.clone()));
        self.by_text.entry(text).or_default().push(holder);
        Ok(())
    }
}

fn not(at: &str, expected: &'static str) -> TrustedDocumentsError {
    TrustedDocumentsError::NotDocuments { at: at.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(name: &str, version: &str) -> Application {
        let text = |text: &str| (!text.is_empty()).then(|| text.into());
        Application { name: text(name), version: text(version) }
    }

    #[test]
    fn both_forms_are_read_and_kept_apart_by_application() {
        let mut documents = TrustedDocuments::default();
        documents.add(r#"{"1": "{ a }", "ab12": "{ b }"}"#, None, None).unwrap();
        let manifest = r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [
            {"id": "c", "name": "C", "type": "query", "body": "{ c }"},
            {"id": "d", "name": "D", "type": "query", "body": "{ d }", "clientName": "desk"}]}"#;
        documents.add(manifest, Some("phone"), Some("2")).unwrap();
        assert_eq!(documents.len(), 4);
        for (id, name, version, text) in [
            ("1", "", "", Some("{ a }")),
            ("1", "phone", "2", Some("{ a }")),
            ("sha256:ab12", "", "", Some("{ b }")),
            ("c", "phone", "2", Some("{ c }")),
            ("c", "phone", "3", None),
            ("c", "", "", None),
            ("d", "desk", "2", Some("{ d }")),
            ("d", "phone", "2", None),
            ("x", "", "", None),
        ] {
            let application = application(name, version);
            assert_eq!(documents.by_id(id, &application), text, "{id} {application:?}");
            assert!(text.is_none_or(|text| documents.has(text, &application)));
        }
        assert!(!documents.has("{ c }", &application("", "")));
        // The nearest list counts, in whichever order they were read.
        documents.add(r#"{"1": "{ one }"}"#, Some("phone"), Some("2")).unwrap();
        documents.add(r#"{"1": "{ any }"}"#, Some("phone"), None).unwrap();
        for (name, version, text) in
            [("phone", "2", "{ one }"), ("phone", "3", "{ any }"), ("desk", "2", "{ a }")]
        {
            assert_eq!(documents.by_id("1", &application(name, version)), Some(text));
        }
    }

    #[test]
    fn what_is_no_list_is_refused_with_the_place() {
        for (json, message) in [
            ("[", "it is not JSON: EOF"),
            ("[]", "the file is not an object; accepted is"),
            (r#"{"a": 7}"#, "a is not a text; accepted is"),
            (r#"{"format": "apollo-persisted-query-manifest"}"#, "version is not 1;"),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 1}"#,
                "operations is not a list;",
            ),
            (
                r#"{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id": "a"}]}"#,
                "operations[0].body is not a text;",
            ),
        ] {
            let error = TrustedDocuments::default().add(json, None, None).unwrap_err().to_string();
            assert!(error.starts_with(message), "{json}: {error}");
        }
        let mut documents = TrustedDocuments::default();
        documents.add(r#"{"a": "{ a }"}"#, None, None).unwrap();
        documents.add(r#"{"a": "{ a }"}"#, None, None).unwrap();
        documents.add(r#"{"a": "{ b }"}"#, Some("phone"), None).unwrap();
        let error = documents.add(r#"{"a": "{ b }"}"#, None, None).unwrap_err();
        assert_eq!(error.to_string(), "the id a stands for two texts");
    }
}
