//! One application of `@link`: the URL of a specification, the names it gets, what is imported.
//!
//! Specification: <https://specs.apollo.dev/link/v1.0/>. What a specification means is not known here; what cannot be
//! read is refused with the code that says which part.

use apollo_compiler::Name;
use apollo_compiler::ast::{Directive, Value};

use super::model::Version;
use crate::compose::diagnostic::Code;

/// A linked specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// The URL without its version.
    pub(crate) identity: String,
    pub(crate) version: Option<Version>,
    /// What the subgraph calls the specification, when not by its own name.
    pub(crate) alias: Option<String>,
    pub(crate) imports: Vec<Import>,
    /// Declared necessary for execution or security.
    pub(crate) necessary: bool,
}

/// An imported element: its name in the specification and in the subgraph; of directives both with `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) local: String,
}

/// What is wrong with an application.
pub(super) type Problem = (Code, String);

impl Link {
    /// Reads an application.
    pub(super) fn parse(directive: &Directive) -> Result<Self, Problem> {
        let usage = |message: String| (Code::InvalidLinkDirectiveUsage, message);
        let url = string(directive, "url").ok_or_else(|| {
            usage(format!("@{} needs the argument \"url\" with a string", directive.name))
        })?;
        let (identity, version) = split_url(url).ok_or_else(|| {
            let message = format!(
                "\"{url}\" is not the URL of a specification, like \"https://specs.apollo.dev/federation/v2.5\""
            );
            (Code::InvalidLinkIdentifier, message)
        })?;
        let alias = string(directive, "as");
        if let Some(alias) = alias.filter(|alias| !can_name_specification(alias)) {
            return Err(usage(format!(
                "\"{alias}\" cannot name a linked specification: it must be a GraphQL name without \"__\" and \
                 without \"_\" at the end"
            )));
        }
        let imports = match directive.specified_argument_by_name("import").filter(|v| !v.is_null())
        {
            None => Vec::new(),
            Some(value) => imports(value).map_err(usage)?,
        };
        let necessary =
            directive.specified_argument_by_name("for").is_some_and(|value| !value.is_null());
        Ok(Self {
            identity: identity.to_owned(),
            version,
            alias: alias.map(str::to_owned),
            imports,
            necessary,
        })
    }

    /// The name that the specification gives itself: the last part of its identity.
    pub(super) fn own_name(&self) -> &str {
        self.identity.rsplit_once('/').map_or(self.identity.as_str(), |(_, name)| name)
    }

    /// What the subgraph calls it.
    pub(super) fn local_name(&self) -> &str {
        self.alias.as_deref().unwrap_or_else(|| self.own_name())
    }

    /// What the subgraph calls the specification's directive `name`, neither with `@`.
    pub(super) fn local_directive(&self, name: &str) -> String {
        let imported =
            self.imports.iter().find(|import| import.name.strip_prefix('@') == Some(name));
        match imported {
            Some(import) => import.local.trim_start_matches('@').to_owned(),
            None if name == self.own_name() => self.local_name().to_owned(),
            None => format!("{}__{name}", self.local_name()),
        }
    }

    /// What the specification calls the subgraph's directive `local`, if it is one of it. Neither with `@`.
    pub(super) fn directive_of<'a>(&'a self, local: &'a str) -> Option<&'a str> {
        let imported =
            self.imports.iter().find(|import| import.local.strip_prefix('@') == Some(local));
        if let Some(import) = imported {
            return import.name.strip_prefix('@');
        }
        if local == self.local_name() {
            return Some(self.own_name());
        }
        local.strip_prefix(self.local_name())?.strip_prefix("__")
    }
}

fn can_name_specification(alias: &str) -> bool {
    Name::new(alias).is_ok() && !alias.contains("__") && !alias.ends_with('_')
}

fn imports(value: &Value) -> Result<Vec<Import>, String> {
    let items = value.as_list().ok_or_else(|| {
        "the argument \"import\" of @link takes a list of \"@name\" or {name: \"@name\", as: \"@localName\"}"
            .to_owned()
    })?;
    items.iter().map(|item| import(item)).collect()
}

fn import(value: &Value) -> Result<Import, String> {
    if let Some(name) = value.as_str() {
        return Ok(Import { name: name.to_owned(), local: name.to_owned() });
    }
    let written = value.serialize().no_indent();
    let expected = || {
        format!(
            "{written} is no import; one is \"@name\" or {{name: \"@name\", as: \"@localName\"}}"
        )
    };
    let fields = value.as_object().ok_or_else(expected)?;
    if fields
        .iter()
        .any(|(key, value)| !matches!(key.as_str(), "name" | "as") || value.as_str().is_none())
    {
        return Err(expected());
    }
    let get = |key: &str| {
        fields.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_str())
    };
    let name = get("name").ok_or_else(expected)?;
    let local = get("as").unwrap_or(name);
    if name.starts_with('@') != local.starts_with('@') {
        return Err(format!(
            "\"{name}\" cannot be imported as \"{local}\": both begin with \"@\" or neither does"
        ));
    }
    if Name::new(local.trim_start_matches('@')).is_err() {
        return Err(format!(
            "\"{name}\" cannot be imported as \"{local}\", which is no GraphQL name"
        ));
    }
    Ok(Import { name: name.to_owned(), local: local.to_owned() })
}

/// `https://host/path/name/v1.2` → identity and version. A URL without a version is an identity.
fn split_url(url: &str) -> Option<(&str, Option<Version>)> {
    let url = url.trim_end_matches('/');
    let rest = url.split_once("://")?.1;
    if rest.is_empty() || rest.contains(char::is_whitespace) {
        return None;
    }
    let Some((identity, last)) = url.rsplit_once('/') else {
        return Some((url, None));
    };
    Some(match parse_version(last) {
        Some(version) => (identity, Some(version)),
        None => (url, None),
    })
}

fn parse_version(text: &str) -> Option<Version> {
    let (major, minor) = text.strip_prefix('v')?.split_once('.')?;
    Some(Version(major.parse().ok()?, minor.parse().ok()?))
}

pub(super) fn string<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_identity_and_a_version() {
        const FEDERATION: &str = "https://specs.apollo.dev/federation";
        assert_eq!(
            split_url("https://specs.apollo.dev/federation/v2.5"),
            Some((FEDERATION, Some(Version(2, 5))))
        );
        assert_eq!(
            split_url("https://specs.apollo.dev/federation/v2.12/"),
            Some((FEDERATION, Some(Version(2, 12))))
        );
        assert_eq!(split_url("https://example.com/cost"), Some(("https://example.com/cost", None)));
        assert_eq!(split_url("https://example.com/vX.1"), Some(("https://example.com/vX.1", None)));
        assert_eq!(split_url("federation/v2.5"), None);
        assert_eq!(split_url("https://"), None);
    }

    #[test]
    fn names_are_imported_prefixed_or_that_of_the_specification() {
        let link = Link {
            identity: "https://example.com/cost".to_owned(),
            version: None,
            alias: Some("price".to_owned()),
            imports: vec![Import { name: "@listSize".to_owned(), local: "@size".to_owned() }],
            necessary: false,
        };
        for (name, local) in [("listSize", "size"), ("cost", "price"), ("other", "price__other")] {
            assert_eq!(link.local_directive(name), local);
            assert_eq!(link.directive_of(local), Some(name));
        }
        assert_eq!(link.directive_of("cost"), None);
        assert_eq!(link.directive_of("pricey"), None);
    }
}
