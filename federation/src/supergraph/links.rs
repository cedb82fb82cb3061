//! Reads `@link`: which directives and types belong to specifications and are therefore hidden from clients.
//!
//! A link that must be understood (`for: EXECUTION` or `for: SECURITY`) and is not is refused: ignoring it would answer
//! wrongly or insecurely.

use apollo_compiler::Schema;
use apollo_compiler::ast::Value;

use super::SupergraphError;

/// A linked specification, under the names it has in this schema.
#[derive(Debug)]
pub(super) struct Link {
    /// The specification's own name, such as `join`.
    identity: String,
    /// Such as `v0.3`.
    version: String,
    /// The prefix of names that were not imported: `join__`.
    prefix: String,
    /// The imported names, directives with their `@`.
    imports: Vec<(String, String)>,
}

impl Link {
    /// Whether this schema's type `name` comes from the link.
    pub(super) fn owns_type(&self, name: &str) -> bool {
        name.starts_with(&self.prefix) || self.imports.iter().any(|(_, local)| local == name)
    }

    /// Whether this schema's directive `name` comes from the link.
    pub(super) fn owns_directive(&self, name: &str) -> bool {
        let is_imported = |local: &str| local.strip_prefix('@') == Some(name);
        name.starts_with(&self.prefix)
            || self.prefix.strip_suffix("__") == Some(name)
            || self.imports.iter().any(|(_, local)| is_imported(local))
    }

    /// The name that the specification's `directive` has in this schema.
    fn local_directive(&self, directive: &str) -> String {
        let imported =
            self.imports.iter().find(|(original, _)| original.strip_prefix('@') == Some(directive));
        match imported {
            Some((_, local)) => local.trim_start_matches('@').to_owned(),
            None if directive == self.identity => self.prefix.trim_end_matches("__").to_owned(),
            None => format!("{}{directive}", self.prefix),
        }
    }
}

/// The name of the directive that has that of its specification, when that is linked.
pub(super) fn directive(links: &[Link], name: &str) -> Option<String> {
    directive_of(links, name, name)
}

/// The name of a `specification`'s directive, when it is linked.
pub(super) fn directive_of(links: &[Link], specification: &str, name: &str) -> Option<String> {
    let link = links.iter().find(|link| link.identity == specification)?;
    Some(link.local_directive(name))
}

/// How a supergraph says what belongs where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinVersion {
    /// v0.1, by `@core`: only entities and root fields name their subgraphs.
    V1,
    /// v0.2 to v0.5: every element does.
    Later,
}

/// The version of the join specification, which [`read`] has made sure is there.
pub(super) fn join_version(links: &[Link]) -> JoinVersion {
    let first = links.iter().any(|link| link.identity == "join" && link.version == "v0.1");
    if first { JoinVersion::V1 } else { JoinVersion::Later }
}

/// Reads and checks the schema's links.
pub(super) fn read(schema: &Schema) -> Result<Vec<Link>, SupergraphError> {
    let mut links = Vec::new();
    let directives = &schema.schema_definition.directives;
    let core = directives.get_all("core").map(|directive| (directive, "feature"));
    for (directive, url) in directives.get_all("link").map(|link| (link, "url")).chain(core) {
        let url = directive
            .specified_argument_by_name(url)
            .and_then(|url| url.as_str())
            .ok_or(SupergraphError::Missing("the url of a @link"))?;
        let mut segments = url.trim_end_matches('/').rsplit('/');
        let version = segments.next().unwrap_or_default();
        let identity = segments.next().unwrap_or_default();
        let needed = directive.specified_argument_by_name("for").is_some();
        if !understood(identity, version, needed) {
            return Err(SupergraphError::UnsupportedLink { url: url.to_owned() });
        }
        let local = directive
            .specified_argument_by_name("as")
            .and_then(|name| name.as_str())
            .unwrap_or(identity);
        let imports = directive
            .specified_argument_by_name("import")
            .and_then(|import| import.as_list())
            .unwrap_or_default();
        links.push(Link {
            identity: identity.to_owned(),
            version: version.to_owned(),
            prefix: format!("{local}__"),
            imports: imports.iter().filter_map(|import| imported(import)).collect(),
        });
    }
    if links.iter().all(|link| link.identity != "join") {
        return Err(SupergraphError::Missing("the @link to the join specification"));
    }
    Ok(links)
}

fn understood(identity: &str, version: &str, needed: bool) -> bool {
    match identity {
        "link" => version == "v1.0",
        "core" => matches!(version, "v0.1" | "v0.2"),
        "join" => matches!(version, "v0.1" | "v0.2" | "v0.3" | "v0.4" | "v0.5"),
        "context" => version == "v0.1",
        "tag" | "inaccessible" | "cost" | "authenticated" | "requiresScopes" | "policy"
        | "cacheTag" => true,
        _ => !needed,
    }
}

fn imported(import: &Value) -> Option<(String, String)> {
    match import {
        Value::String(name) => Some((name.clone(), name.clone())),
        Value::Object(entries) => {
            let text = |key: &str| {
                entries.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_str())
            };
            let name = text("name")?;
            Some((name.to_owned(), text("as").unwrap_or(name).to_owned()))
        }
        _ => None,
    }
}
