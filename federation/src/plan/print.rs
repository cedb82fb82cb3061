//! Prints a plan in the form that the field knows from Apollo's: `Sequence`, `Parallel`, `Flatten`, `Fetch`; under `Batch` stand
//! the lists of entities that one request asks for.
//!
//! The levels shown are those of the longest chains; a fetch really starts once those it depends on are done.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use apollo_compiler::Name;

use crate::operation::DeferSet;

use super::{Entities, FetchNode, Line, Plan, Step, Template};

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.fetches.is_empty() {
            return f.write_str("QueryPlan {}");
        }
        f.write_str("QueryPlan {\n")?;
        let parts: BTreeSet<DeferSet> = self.fetches.iter().map(|fetch| fetch.defer).collect();
        if parts.iter().all(|part| part.is_none()) {
            self.levels(f, DeferSet::NONE, 1)?;
        } else {
            f.write_str("  Defer {\n")?;
            for part in parts {
                self.part(f, part)?;
            }
            f.write_str("  }\n")?;
        }
        f.write_str("}")
    }
}

impl Plan {
    /// The fetches for what is answered at once, or for deferred fragments, by their numbers.
    fn part(&self, f: &mut Formatter<'_>, part: DeferSet) -> fmt::Result {
        if part.is_none() {
            f.write_str("    Primary {\n")?;
        } else {
            let numbers: Vec<_> = part.usages().map(|usage| usage.to_string()).collect();
            writeln!(f, "    Deferred(fragments: [{}]) {{", numbers.join(", "))?;
        }
        self.levels(f, part, 3)?;
        f.write_str("    }\n")
    }

    fn levels(&self, f: &mut Formatter<'_>, part: DeferSet, depth: usize) -> fmt::Result {
        let fetches = self.fetches.iter().filter(|fetch| fetch.defer == part);
        let levels: BTreeSet<usize> = fetches.map(|fetch| fetch.level).collect();
        let is_sequence = levels.len() > 1;
        if is_sequence {
            writeln!(f, "{}Sequence {{", Indent(depth))?;
        }
        for level in levels {
            self.level(f, part, level, depth + usize::from(is_sequence))?;
        }
        if is_sequence {
            writeln!(f, "{}}}", Indent(depth))?;
        }
        Ok(())
    }

    fn level(
        &self,
        f: &mut Formatter<'_>,
        part: DeferSet,
        level: usize,
        depth: usize,
    ) -> fmt::Result {
        let fetches = self.fetches.iter();
        let fetches: Vec<_> =
            fetches.filter(|fetch| fetch.level == level && fetch.defer == part).collect();
        if let [only] = fetches.as_slice() {
            return only.print(f, depth);
        }
        writeln!(f, "{}Parallel {{", Indent(depth))?;
        for fetch in fetches {
            fetch.print(f, depth + 1)?;
        }
        writeln!(f, "{}}}", Indent(depth))
    }
}

impl FetchNode {
    fn print(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        match self.entities.as_slice() {
            [] => self.print_root(f, depth),
            [only] => only.print(f, &self.subgraph, &self.parts, depth),
            several => {
                writeln!(f, "{}Batch {{", Indent(depth))?;
                for entities in several {
                    entities.print(f, &self.subgraph, &[], depth + 1)?;
                }
                print_selection(f, &self.parts, depth + 1)?;
                writeln!(f, "{}}}", Indent(depth))
            }
        }
    }

    fn print_root(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        let is_further_in = !self.at.is_empty();
        let inner = depth + usize::from(is_further_in);
        if is_further_in {
            writeln!(f, "{}Flatten(path: \"{}\") {{", Indent(depth), Path(&self.at))?;
        }
        writeln!(f, "{}Fetch(service: {:?}) {{", Indent(inner), self.subgraph)?;
        print_selection(f, &self.selection, inner + 1)?;
        print_selection(f, &self.parts, inner + 1)?;
        writeln!(f, "{}}}", Indent(inner))?;
        if is_further_in {
            writeln!(f, "{}}}", Indent(depth))?;
        }
        Ok(())
    }
}

/// Two spaces a level.
struct Indent(usize);

impl Display for Indent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:width$}", "", width = self.0 * 2)
    }
}

/// Response keys from the root; `@` is each item of a list, `|[…]` the types that the next step is about.
pub(super) struct Path<'a>(pub(super) &'a [Step]);

impl Display for Path<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if position == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Each => f.write_str(".@")?,
                Step::Type(types) => write!(f, "|[{}]", joined(types, ","))?,
            }
        }
        Ok(())
    }
}

impl Entities {
    fn print(
        &self,
        f: &mut Formatter<'_>,
        subgraph: &str,
        parts: &[Line],
        depth: usize,
    ) -> fmt::Result {
        writeln!(f, "{}Flatten(path: \"{}\") {{", Indent(depth), Path(&self.path))?;
        writeln!(f, "{}Fetch(service: {subgraph:?}) {{", Indent(depth + 1))?;
        writeln!(f, "{}{{", Indent(depth + 2))?;
        for entry in &self.entries {
            let types: Vec<_> = entry.types.iter().map(|ty| ty.name.as_str()).collect();
            writeln!(f, "{}... on {} {{", Indent(depth + 3), types.join("|"))?;
            writeln!(f, "{}__typename", Indent(depth + 4))?;
            print_template(f, &entry.template, depth + 4)?;
            writeln!(f, "{}}}", Indent(depth + 3))?;
        }
        writeln!(f, "{}}} =>", Indent(depth + 2))?;
        print_selection(f, &self.selection, depth + 2)?;
        print_selection(f, parts, depth + 2)?;
        writeln!(f, "{}}}", Indent(depth + 1))?;
        writeln!(f, "{}}}", Indent(depth))
    }
}

fn print_template(f: &mut Formatter<'_>, template: &Template, depth: usize) -> fmt::Result {
    for field in &template.fields {
        write!(f, "{}", Indent(depth))?;
        if field.key != field.name {
            write!(f, "{}: ", field.key)?;
        }
        match &field.nested {
            None => writeln!(f, "{}", field.name)?,
            Some(nested) => {
                writeln!(f, "{} {{", field.name)?;
                print_template(f, nested, depth + 1)?;
                writeln!(f, "{}}}", Indent(depth))?;
            }
        }
    }
    for (types, template) in &template.variants {
        writeln!(f, "{}... on {} {{", Indent(depth), joined(types, "|"))?;
        print_template(f, template, depth + 1)?;
        writeln!(f, "{}}}", Indent(depth))?;
    }
    Ok(())
}

fn joined(names: &[Name], separator: &str) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(separator)
}

fn print_selection(f: &mut Formatter<'_>, selection: &[Line], depth: usize) -> fmt::Result {
    for line in selection {
        writeln!(f, "{}{}", Indent(depth + line.depth), line.text)?;
    }
    Ok(())
}
