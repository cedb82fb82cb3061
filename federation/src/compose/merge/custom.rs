//! Directives of the subgraphs' own that `@composeDirective` keeps, with the specifications they come from.
//!
//! Subgraphs that compose a directive must agree on its specification, its major version and its name; the definition
//! is that of the newest version, and allows on schemas what any of them does. Applications in subgraphs that do not
//! compose it are left out.

use std::collections::BTreeMap;

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::collections::HashSet;

use super::executable::is_executable;
use super::{GraphId, MergedLink};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Import, Link, Subgraph, Version};

/// The directives that are kept, by name.
#[derive(Debug, Default)]
pub(super) struct Custom(BTreeMap<Name, Kept>);

#[derive(Debug)]
struct Kept {
    identity: String,
    element: String,
    version: Option<Version>,
    definition: Node<DirectiveDefinition>,
    /// The subgraphs that compose it.
    graphs: HashSet<GraphId>,
}

impl Custom {
    /// Brings together what the subgraphs compose.
    pub(super) fn of(subgraphs: &[Subgraph], report: &mut Report) -> Self {
        check_versions(subgraphs, report);
        let mut kept: BTreeMap<Name, Kept> = BTreeMap::new();
        for (graph, subgraph) in subgraphs.iter().enumerate() {
            for composed in &subgraph.composed {
                let Some(definition) = subgraph.directive_definitions.get(&composed.local) else {
                    continue;
                };
                let Link { identity, version, .. } = &subgraph.links[composed.link];
                let found = Kept {
                    identity: identity.clone(),
                    element: composed.element.clone(),
                    version: *version,
                    definition: definition.clone(),
                    graphs: HashSet::from_iter([graph]),
                };
                match kept.get_mut(&composed.local) {
                    None => {
                        kept.insert(composed.local.clone(), found);
                    }
                    Some(known) if known.is_same(&found) => known.add(found),
                    Some(known) => report_different(known, &composed.local, subgraph, report),
                }
            }
        }
        check_names(&kept, subgraphs, report);
        for (local, kept) in &mut kept {
            kept.allow_what_any_does(local, subgraphs, report);
        }
        Self(kept)
    }

    /// Whether applications of the directive `name` in `graph` are kept.
    pub(super) fn keeps(&self, graph: GraphId, name: &Name) -> bool {
        self.0.get(name).is_some_and(|kept| kept.graphs.contains(&graph))
    }

    pub(super) fn contains(&self, name: &Name) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn is_repeatable(&self, name: &Name) -> bool {
        self.0.get(name).is_some_and(|kept| kept.definition.repeatable)
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &Node<DirectiveDefinition>> {
        self.0.values().map(|kept| &kept.definition)
    }

    /// The specifications of the directives, by URL.
    pub(super) fn links(&self) -> Vec<MergedLink> {
        let mut links: BTreeMap<&str, MergedLink> = BTreeMap::new();
        for (local, kept) in &self.0 {
            let link = links.entry(&kept.identity).or_insert_with(|| MergedLink {
                identity: kept.identity.clone(),
                version: kept.version,
                imports: Vec::new(),
            });
            link.version = link.version.max(kept.version);
            link.imports
                .push(Import { name: format!("@{}", kept.element), local: format!("@{local}") });
        }
        links.into_values().collect()
    }
}

impl Kept {
    fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity && self.element == other.element
    }

    /// Adds a subgraph; the newest version's definition counts, of equal ones the last.
    fn add(&mut self, other: Self) {
        if other.version >= self.version {
            self.version = other.version;
            self.definition = other.definition;
        }
        self.graphs.extend(other.graphs);
    }

    /// Lets the directive be repeated, and stand in a schema, where any of the subgraphs that compose it defines it so.
    fn allow_what_any_does(&mut self, local: &Name, subgraphs: &[Subgraph], report: &mut Report) {
        let composing =
            subgraphs.iter().enumerate().filter(|(graph, _)| self.graphs.contains(graph));
        let (names, definitions): (Vec<&str>, Vec<_>) = composing
            .filter_map(|(_, subgraph)| {
                Some((subgraph.name.as_str(), subgraph.directive_definitions.get(local)?))
            })
            .unzip();
        let at = format!("@{local}");
        let repeatable = definitions.iter().any(|definition| definition.repeatable);
        if definitions.iter().any(|definition| definition.repeatable != repeatable) {
            let message = "the directive is repeatable, because it is in some subgraphs".to_owned();
            report.hint(Code::InconsistentTypeSystemDirectiveRepeatable, &at, &names, message);
        }
        let mut locations = self.definition.locations.clone();
        for definition in &definitions {
            let further = type_system_locations(definition).filter(|one| !locations.contains(one));
            let further: Vec<_> = further.collect();
            locations.extend(further);
        }
        let lacks_some = |definition: &DirectiveDefinition| {
            let mut all = locations.iter().filter(|location| !is_executable(**location));
            all.any(|location| !definition.locations.contains(location))
        };
        if definitions.iter().any(|definition| lacks_some(definition)) {
            let message = "the directive has the locations of all subgraphs together".to_owned();
            report.hint(Code::InconsistentTypeSystemDirectiveLocations, &at, &names, message);
        }
        let merged = self.definition.make_mut();
        merged.repeatable = repeatable;
        merged.locations = locations;
    }
}

/// Where a directive may stand in a schema.
fn type_system_locations(
    definition: &DirectiveDefinition,
) -> impl Iterator<Item = DirectiveLocation> {
    definition.locations.iter().copied().filter(|location| !is_executable(*location))
}

fn report_different(known: &Kept, local: &Name, subgraph: &Subgraph, report: &mut Report) {
    let message = format!(
        "\"@{local}\" is composed here as another directive than \"@{}\" of \"{}\", which it is elsewhere",
        known.element, known.identity
    );
    let at = format!("@{local}");
    report.error(Code::DirectiveCompositionError, &at, &[&subgraph.name], message);
}

/// A composed specification must have one major version; where it is only linked, that is worth knowing.
fn check_versions(subgraphs: &[Subgraph], report: &mut Report) {
    let composes =
        |subgraph: &Subgraph, link| subgraph.composed.iter().any(|composed| composed.link == link);
    let mut links: BTreeMap<&str, Vec<(&str, u32, bool)>> = BTreeMap::new();
    for subgraph in subgraphs {
        for (index, link) in subgraph.links.iter().enumerate() {
            let major = link.version.map_or(0, |Version(major, _)| major);
            links.entry(&link.identity).or_default().push((
                &subgraph.name,
                major,
                composes(subgraph, index),
            ));
        }
    }
    for (identity, uses) in links {
        let Some((_, major, _)) = uses.iter().find(|(.., composed)| *composed) else {
            continue;
        };
        let other: Vec<_> = uses.iter().filter(|(_, other, _)| other != major).collect();
        let names: Vec<&str> = uses.iter().map(|(name, ..)| *name).collect();
        if other.iter().any(|(.., composed)| *composed) {
            let message = format!(
                "\"{identity}\", whose directives are composed, is linked in different major versions"
            );
            report.error(Code::DirectiveCompositionError, "", &names, message);
        } else if !other.is_empty() {
            let message = format!(
                "\"{identity}\" is linked in another major version where its directives are not composed"
            );
            report.hint(Code::DirectiveCompositionInfo, "", &names, message);
        }
    }
}

/// One directive must have one name wherever it is composed; where it is only linked, that is worth knowing.
fn check_names(kept: &BTreeMap<Name, Kept>, subgraphs: &[Subgraph], report: &mut Report) {
    let mut seen: Vec<(&Name, &Kept)> = Vec::new();
    for (local, kept) in kept {
        let at = format!("@{local}");
        if let Some((other, _)) = seen.iter().find(|(_, other)| other.is_same(kept)) {
            let message = format!(
                "\"@{}\" of \"{}\" is composed as \"@{other}\" and as \"@{local}\"; it must have one name",
                kept.element, kept.identity
            );
            let graphs = kept.graphs.iter().map(|graph| subgraphs[*graph].name.as_str());
            let mut names: Vec<&str> = graphs.collect();
            names.sort_unstable();
            report.error(Code::DirectiveCompositionError, &at, &names, message);
        }
        seen.push((local, kept));
        let element = format!("@{}", kept.element);
        let names: Vec<&str> = subgraphs
            .iter()
            .enumerate()
            .filter(|(graph, _)| !kept.graphs.contains(graph))
            .flat_map(|(_, subgraph)| subgraph.links.iter().map(move |link| (subgraph, link)))
            .filter(|(_, link)| link.identity == kept.identity)
            .filter(|(_, link)| {
                link.imports
                    .iter()
                    .any(|import| import.name == element && import.local[1..] != **local)
            })
            .map(|(subgraph, _)| subgraph.name.as_str())
            .collect();
        if !names.is_empty() {
            let message =
                "named differently where it is not composed; to be composed there, it needs this name"
                    .to_owned();
            report.hint(Code::DirectiveCompositionWarn, &at, &names, message);
        }
    }
}
