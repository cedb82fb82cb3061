//! `@link`: which specifications a subgraph uses, and what it calls their directives.
//!
//! Specification: <https://specs.apollo.dev/link/v1.0/>. Only the federation specification, and the `tag` and
//! `inaccessible` ones that it contains, mean something to composition. Others are passed over unless they are
//! declared necessary (`for: SECURITY` or `EXECUTION`), which is refused.

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Directive, DirectiveList, Value};
use apollo_compiler::collections::{HashMap, HashSet};

use super::model::Version;
use super::spec::{self, SpecDirective};
use crate::compose::diagnostic::{Code, Report};

/// What a subgraph's names mean.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) version: Version,
    /// Local directive name (without `@`) → directive of the federation specification.
    pub(super) directives: HashMap<String, SpecDirective>,
    /// Local names of the specification's types.
    pub(super) types: HashSet<String>,
    /// What `@link` itself is called.
    pub(super) link_name: String,
}

/// One application of `@link`, read.
struct Link<'a> {
    identity: &'a str,
    version: Option<Version>,
    alias: Option<&'a str>,
    imports: Vec<Import<'a>>,
    necessary: bool,
}

struct Import<'a> {
    name: &'a str,
    local: &'a str,
}

const FEDERATION: &str = "https://specs.apollo.dev/federation";
const LINK: &str = "https://specs.apollo.dev/link";
const CONTAINED: [(&str, &str); 2] = [
    ("https://specs.apollo.dev/tag", "tag"),
    ("https://specs.apollo.dev/inaccessible", "inaccessible"),
];

/// Reads the links of the subgraph called `subgraph`.
pub(super) fn read(definitions: &[Definition], subgraph: &str, report: &mut Report) -> Links {
    let lists: Vec<&DirectiveList> = definitions
        .iter()
        .filter_map(|definition| match definition {
            Definition::SchemaDefinition(schema) => Some(&schema.directives),
            Definition::SchemaExtension(schema) => Some(&schema.directives),
            _ => None,
        })
        .collect();
    let link_name = link_name(&lists);
    let mut links = Links {
        version: Version::FEDERATION_1,
        directives: HashMap::default(),
        types: HashSet::default(),
        link_name: link_name.clone(),
    };
    for directive in
        lists.iter().flat_map(|list| list.iter()).filter(|directive| directive.name == *link_name)
    {
        if let Some(link) = parse(directive, subgraph, report) {
            apply(&link, &mut links, subgraph, report);
        }
    }
    if links.version.is_federation_1() {
        for directive in spec::federation_1_directives() {
            links.directives.entry(directive.name.to_owned()).or_insert(directive);
        }
    }
    links
}

/// `@link` may link itself under another name.
fn link_name(lists: &[&DirectiveList]) -> String {
    let links_itself = |directive: &&Node<Directive>| {
        string(directive, "url").and_then(split_url).is_some_and(|(identity, _)| identity == LINK)
    };
    lists
        .iter()
        .flat_map(|list| list.iter())
        .find(links_itself)
        .map_or_else(|| "link".to_owned(), |directive| directive.name.to_string())
}

fn apply(link: &Link<'_>, links: &mut Links, subgraph: &str, report: &mut Report) {
    if link.identity == FEDERATION {
        return apply_federation(link, links, subgraph, report);
    }
    if link.identity == LINK {
        return;
    }
    if let Some((_, name)) = CONTAINED.into_iter().find(|(identity, _)| *identity == link.identity)
    {
        let local = link
            .imports
            .iter()
            .find(|import| import.name.trim_start_matches('@') == name)
            .map(|import| import.local.trim_start_matches('@'))
            .or(link.alias)
            .unwrap_or(name);
        if let Some(directive) = spec::directive(name, spec::NEWEST_MINOR) {
            links.directives.insert(local.to_owned(), directive);
        }
        return;
    }
    if link.necessary {
        let message = format!(
            "the specification \"{}\" is linked as necessary (`for:`), and is not handled; \
             remove the link, or the `for` argument if the schema means the same without it",
            link.identity
        );
        report.error(Code::UnsupportedFeature, "", &[subgraph], message);
    }
}

fn apply_federation(link: &Link<'_>, links: &mut Links, subgraph: &str, report: &mut Report) {
    if !links.version.is_federation_1() {
        let message =
            "the federation specification is linked more than once; keep one @link".to_owned();
        report.error(Code::InvalidLinkDirectiveUsage, "", &[subgraph], message);
        return;
    }
    let Some(version @ Version(2, minor @ 0..=spec::NEWEST_MINOR)) = link.version else {
        let found = link.version.map_or_else(
            || "the federation specification is linked without a version".to_owned(),
            |Version(a, b)| {
                format!("version v{a}.{b} of the federation specification is not known")
            },
        );
        let message = format!("{found}; v2.0 to v2.{} are known", spec::NEWEST_MINOR);
        report.error(Code::UnknownFederationLinkVersion, "", &[subgraph], message);
        return;
    };
    links.version = version;
    let prefix = link.alias.unwrap_or("federation");
    for directive in spec::directives(minor) {
        links.directives.insert(format!("{prefix}__{}", directive.name), directive);
    }
    for name in spec::IMPORTABLE_TYPES {
        links.types.insert(format!("{prefix}__{name}"));
    }
    for import in &link.imports {
        let problem = match (import.name.strip_prefix('@'), import.local.strip_prefix('@')) {
            (Some(name), Some(local)) => match spec::directive(name, minor) {
                Some(directive) => {
                    links.directives.insert(local.to_owned(), directive);
                    None
                }
                None => Some(format!("federation v2.{minor} has no directive \"@{name}\"")),
            },
            (None, None) if spec::IMPORTABLE_TYPES.contains(&import.name) => {
                links.types.insert(import.local.to_owned());
                None
            }
            (None, None) => Some(format!(
                "federation v2.{minor} has no element \"{0}\"; a directive is imported as \"@{0}\"",
                import.name
            )),
            _ => Some(format!(
                "\"{}\" cannot be imported as \"{}\": both begin with \"@\" or neither does",
                import.name, import.local
            )),
        };
        if let Some(problem) = problem {
            report.error(Code::InvalidLinkDirectiveUsage, "", &[subgraph], problem);
        }
    }
}

fn parse<'a>(directive: &'a Directive, subgraph: &str, report: &mut Report) -> Option<Link<'a>> {
    let Some(url) = string(directive, "url") else {
        let message = format!("@{} needs the argument \"url\" with a string", directive.name);
        report.error(Code::InvalidLinkDirectiveUsage, "", &[subgraph], message);
        return None;
    };
    let Some((identity, version)) = split_url(url) else {
        let message =
            format!("\"{url}\" is not the URL of a specification, like \"{FEDERATION}/v2.5\"");
        report.error(Code::InvalidLinkIdentifier, "", &[subgraph], message);
        return None;
    };
    let alias = string(directive, "as");
    if let Some(alias) =
        alias.filter(|alias| alias.starts_with('@') || alias.contains("__") || alias.ends_with('_'))
    {
        let message = format!(
            "\"{alias}\" cannot name a linked specification: no \"@\" at the beginning, no \"_\" at the end, no \"__\""
        );
        report.error(Code::InvalidLinkIdentifier, "", &[subgraph], message);
        return None;
    }
    let imports = match directive.specified_argument_by_name("import") {
        None => Some(Vec::new()),
        Some(value) => {
            value.as_list().and_then(|items| items.iter().map(|item| parse_import(item)).collect())
        }
    };
    let Some(imports) = imports else {
        let message = "the argument \"import\" of @link takes a list of \"@name\" \
                       or {name: \"@name\", as: \"@localName\"}"
            .to_owned();
        report.error(Code::InvalidLinkDirectiveUsage, "", &[subgraph], message);
        return None;
    };
    let necessary =
        directive.specified_argument_by_name("for").is_some_and(|value| !value.is_null());
    Some(Link { identity, version, alias, imports, necessary })
}

fn parse_import(value: &Value) -> Option<Import<'_>> {
    if let Some(name) = value.as_str() {
        return Some(Import { name, local: name });
    }
    let fields = value.as_object()?;
    let get = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value);
    let name = get("name")?.as_str()?;
    let local = match get("as") {
        Some(value) => value.as_str()?,
        None => name,
    };
    Some(Import { name, local })
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

fn string<'a>(directive: &'a Directive, argument: &str) -> Option<&'a str> {
    directive.specified_argument_by_name(argument)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_identity_and_a_version() {
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
}
