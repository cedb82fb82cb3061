//! All `@link`s of a subgraph: which version of federation it uses, and what it calls the directives that composition
//! knows.
//!
//! Known are the federation specification and those that it contains, which may also be linked by themselves. Others are
//! passed over, unless they are declared necessary (`for: SECURITY` or `EXECUTION`), which is refused.

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Directive, DirectiveList};
use apollo_compiler::collections::{HashMap, HashSet};

use super::link::{Import, Link, string};
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
    /// Specifications that composition does not know; their directives may be composed all the same.
    pub(super) foreign: Vec<Link>,
}

const FEDERATION: &str = "https://specs.apollo.dev/federation";
const LINK: &str = "https://specs.apollo.dev/link";

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
    let applications = lists.iter().flat_map(|list| list.iter());
    let mut read = Vec::new();
    for directive in applications.filter(|directive| directive.name == *link_name) {
        match Link::parse(directive) {
            Ok(link) => read.push(link),
            Err((code, message)) => report.error(code, "", &[subgraph], message),
        }
    }
    let mut reader = Reader {
        links: Links {
            version: Version::FEDERATION_1,
            directives: HashMap::default(),
            types: HashSet::default(),
            link_name,
            foreign: Vec::new(),
        },
        subgraph,
        report,
    };
    reader.check_names(&read);
    let contained: Vec<_> = read
        .iter()
        .filter_map(|link| {
            Some((link.own_name().to_owned(), spec::contained(&link.identity)?.since))
        })
        .collect();
    for link in read {
        reader.apply(link);
    }
    reader.hint_newer(&contained);
    reader.finish()
}

/// `@link` may link itself under another name.
fn link_name(lists: &[&DirectiveList]) -> String {
    let links_itself = |directive: &&Node<Directive>| {
        let prefix = |url: &str| url.strip_prefix(LINK).is_some_and(|rest| rest.starts_with('/'));
        string(directive, "url").is_some_and(prefix)
    };
    lists
        .iter()
        .flat_map(|list| list.iter())
        .find(links_itself)
        .map_or_else(|| "link".to_owned(), |directive| directive.name.to_string())
}

struct Reader<'a> {
    links: Links,
    subgraph: &'a str,
    report: &'a mut Report,
}

impl Reader<'_> {
    fn error(&mut self, code: Code, message: String) {
        self.report.error(code, "", &[self.subgraph], message);
    }

    /// Two links may give neither one specification two names nor one name two meanings.
    fn check_names(&mut self, links: &[Link]) {
        for (position, link) in links.iter().enumerate() {
            for other in &links[..position] {
                if link.identity == other.identity {
                    let message = format!(
                        "the specification \"{}\" is linked more than once; keep one @link",
                        link.identity
                    );
                    self.error(Code::InvalidLinkDirectiveUsage, message);
                    continue;
                }
                if link.local_name() == other.local_name() {
                    let message = format!(
                        "\"{}\" and \"{}\" are both linked as \"{}\"; give one another name with \"as\"",
                        other.identity,
                        link.identity,
                        link.local_name()
                    );
                    self.error(Code::InvalidLinkDirectiveUsage, message);
                }
                for Import { local, .. } in &link.imports {
                    if other.imports.iter().any(|import| import.local == *local) {
                        let message = format!(
                            "\"{local}\" is imported from \"{}\" and from \"{}\"; give one another name with \"as\"",
                            other.identity, link.identity
                        );
                        self.error(Code::InvalidLinkDirectiveUsage, message);
                    }
                }
            }
        }
    }

    fn apply(&mut self, link: Link) {
        if link.identity == FEDERATION {
            self.apply_federation(&link);
        } else if link.identity == LINK {
            self.check_version(&link, &[Version(1, 0)]);
        } else if let Some(contained) = spec::contained(&link.identity) {
            self.check_version(&link, contained.versions);
            self.add_directives(&link, |name| {
                contained
                    .directives
                    .contains(&name)
                    .then(|| spec::directive(name, spec::NEWEST_MINOR))?
            });
        } else if link.necessary {
            let message = format!(
                "the specification \"{}\" is linked as necessary (`for:`), and is not handled; \
                 remove the link, or the `for` argument if the schema means the same without it",
                link.identity
            );
            self.error(Code::UnsupportedLinkedFeature, message);
        } else {
            self.links.foreign.push(link);
        }
    }

    /// Refuses a version that is not among `known`; a link without a version means the one it fits.
    fn check_version(&mut self, link: &Link, known: &[Version]) {
        if let Some(version) = link.version.filter(|version| !known.contains(version)) {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            let message = format!(
                "version {version} of the specification \"{}\" is not known; known: {}",
                link.identity,
                known.join(", ")
            );
            self.error(Code::UnknownLinkVersion, message);
        }
    }

    fn apply_federation(&mut self, link: &Link) {
        let known = format!("v2.0 to v2.{} are known", spec::NEWEST_MINOR);
        let Some(version) = link.version else {
            let message =
                format!("the federation specification is linked without a version; {known}");
            return self.error(Code::InvalidLinkIdentifier, message);
        };
        let Version(2, minor @ 0..=spec::NEWEST_MINOR) = version else {
            let message =
                format!("version {version} of the federation specification is not known; {known}");
            return self.error(Code::UnknownFederationLinkVersion, message);
        };
        self.links.version = version;
        self.add_directives(link, |name| spec::directive(name, minor));
        let types = spec::IMPORTABLE_TYPES.map(|name| format!("{}__{name}", link.local_name()));
        self.links.types.extend(types);
    }

    /// Adds the directives of a specification under their local names. `find` gives those that it has.
    fn add_directives(&mut self, link: &Link, find: impl Fn(&str) -> Option<SpecDirective>) {
        for directive in spec::directives().filter_map(|directive| find(directive.name)) {
            // A directive that is imported can still be called by its full name.
            let full = format!("{}__{}", link.local_name(), directive.name);
            self.links.directives.insert(full, directive);
            self.links.directives.insert(link.local_directive(directive.name), directive);
        }
        for Import { name, local } in &link.imports {
            let problem = match name.strip_prefix('@') {
                Some(directive) if find(directive).is_some() => continue,
                None if spec::IMPORTABLE_TYPES.contains(&name.as_str()) => {
                    self.links.types.insert(local.clone());
                    continue;
                }
                Some(_) => format!("has no directive \"{name}\""),
                None => {
                    format!("has no element \"{name}\"; a directive is imported as \"@{name}\"")
                }
            };
            let version = link.version.map(|version| format!(" {version}")).unwrap_or_default();
            let message = format!("{}{version} {problem}", link.own_name());
            self.error(Code::InvalidLinkDirectiveUsage, message);
        }
    }

    /// Tells of specifications, each with the minor version of Federation 2 that brought it, that the linked version does
    /// not contain.
    fn hint_newer(&mut self, contained: &[(String, u32)]) {
        let Version(2, linked) = self.links.version else {
            return;
        };
        let newest = contained.iter().rev().max_by_key(|(_, since)| since);
        if let Some((name, since)) = newest.filter(|(_, since)| *since > linked) {
            let message = format!(
                "\"{name}\" is linked, which is part of federation since {}; it is composed as that version does, \
                 although {} is linked",
                Version(2, *since),
                self.links.version
            );
            self.report.hint(
                Code::ImplicitlyUpgradedFederationVersion,
                "",
                &[self.subgraph],
                message,
            );
        }
    }

    /// A subgraph that does not link federation uses its first version.
    fn finish(self) -> Links {
        let mut links = self.links;
        if links.version.is_federation_1() {
            for directive in spec::federation_1_directives() {
                links.directives.entry(directive.name.to_owned()).or_insert(directive);
            }
        }
        links
    }
}
