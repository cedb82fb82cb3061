//! How long planning takes, and how large plans get, on generated supergraphs of the kinds that planners are known to choke on:
//! many shareable types over many subgraphs, interfaces whose types differ in who resolves them, keys reached through keys.
//!
//! Each operation is prepared from its text, as for the first request that brings it: parse, validate, normalise, plan.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use federation::{SubgraphSdl, Supergraph, compose, prepare};

use crate::{Result, results};

const SUBGRAPHS: usize = 50;
const TYPES: usize = 200;
const INTERFACE_TYPES: usize = 40;
const OPERATIONS: usize = 400;
const LINK: &str = "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.5\", import: [\"@key\", \"@shareable\", \"@external\"])\n";

/// What [`section`] begins with.
const TITLE: &str = "## Planning";

/// Measures and prints.
pub(crate) fn run() -> Result<()> {
    println!("{}", section()?);
    Ok(())
}

/// Measures, and replaces the section in `RESULTS.md` in the folder.
pub(crate) fn refresh(folder: &Path) -> Result<()> {
    results::replace(folder, TITLE, &section()?)
}

/// What was measured, as a section of the results.
fn section() -> Result<String> {
    let mut text = format!(
        "{TITLE}\n\nPreparing an operation from its text (parse, validate, normalise, plan) on generated supergraphs of \
         {SUBGRAPHS} subgraphs; CPU time of {OPERATIONS} operations on each (target: p99 under 10 ms).\n\n\
         | supergraph | p50, ms | p99, ms | most, ms | fetches, most | rounds, most | printed plan, most, KiB |\n\
         |---|---|---|---|---|---|---|\n"
    );
    measure(&mut text, "200 shareable types", &shareable(), shareable_operation)?;
    let apart = "deep interfaces, 40 owners";
    measure(&mut text, "deep interfaces, one owner", &interfaces(false), interface_operation)?;
    measure(&mut text, apart, &interfaces(true), interface_operation)?;
    measure(&mut text, "keys through keys", &chain(), chain_operation)?;
    Ok(text)
}

fn measure(
    text: &mut String,
    name: &str,
    subgraphs: &[SubgraphSdl],
    operation: fn(&mut Random) -> String,
) -> Result<()> {
    let composition = compose(subgraphs)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let supergraph = Arc::new(Supergraph::parse(&composition.supergraph_sdl)?);
    let mut random = Random(1);
    let mut times = Vec::with_capacity(OPERATIONS);
    let (mut fetches, mut rounds, mut length) = (0, 0, 0);
    for _ in 0..OPERATIONS {
        let source = operation(&mut random);
        let start = cpu();
        let prepared = prepare(&supergraph, &source, None).map_err(|errors| {
            let errors = errors.iter().map(|error| error.message.clone());
            format!("{name}: {}\n{source}", errors.collect::<Vec<_>>().join("\n"))
        })?;
        times.push(cpu() - start);
        fetches = fetches.max(prepared.plan().fetch_count());
        rounds = rounds.max(prepared.plan().rounds());
        length = length.max(prepared.plan().to_string().len());
    }
    times.sort_unstable();
    let at = |share: usize| milliseconds(times[(OPERATIONS * share / 100).min(OPERATIONS - 1)]);
    writeln!(
        text,
        "| {name} | {:.2} | {:.2} | {:.2} | {fetches} | {rounds} | {} |",
        at(50),
        at(99),
        at(100),
        length >> 10,
    )?;
    Ok(())
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The CPU time of this thread: a busy machine does not change it much.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// A linear congruential generator: the same operations in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % bound
    }
}

fn subgraph(number: usize, sdl: String) -> SubgraphSdl {
    SubgraphSdl { name: format!("s{number}"), url: None, sdl }
}

/// Each type is in ten subgraphs, which share its fields and the way on; each adds a field of its own.
fn shareable() -> Vec<SubgraphSdl> {
    let in_subgraph = |number: usize| {
        let mut sdl = format!("{LINK}type Query {{ type{number}: Type{number} }}\n");
        for ty in (0..TYPES).filter(|ty| ty % 5 == number % 5) {
            let _ = writeln!(
                sdl,
                "type Type{ty} @key(fields: \"id\") {{ id: ID! name: String @shareable size: Int @shareable \
                 next: Type{} @shareable all: [Type{}!]! @shareable own{number}: String }}",
                (ty + 5) % TYPES,
                (ty + 10) % TYPES,
            );
        }
        subgraph(number, sdl)
    };
    (0..SUBGRAPHS).map(in_subgraph).collect()
}

fn shareable_operation(random: &mut Random) -> String {
    fn selection(random: &mut Random, class: usize, depth: usize, text: &mut String) {
        text.push_str("{ name");
        for _ in 0..=random.below(3) {
            let number = random.below(SUBGRAPHS / 5) * 5 + class;
            let _ = write!(text, " own{number}");
        }
        if depth > 0 {
            text.push_str(" next ");
            selection(random, class, depth - 1, text);
            if random.below(3) == 0 {
                text.push_str(" all ");
                selection(random, class, depth - 1, text);
            }
        }
        text.push_str(" }");
    }
    let start = random.below(SUBGRAPHS);
    let depth = random.below(8);
    let mut text = format!("{{ type{start} ");
    selection(random, start % 5, depth, &mut text);
    text + " }"
}

/// All subgraphs know all types of an interface; who leads on from a type is one subgraph, or with `apart` another for each.
fn interfaces(apart: bool) -> Vec<SubgraphSdl> {
    let in_subgraph = |number: usize| {
        let mut sdl = format!("{LINK}type Query {{ node{number}: Node }}\n");
        let is_owner = |ty: usize| if apart { ty == number } else { number == 0 };
        // One subgraph promises the way on for the whole interface; where it is not the owner it only names it.
        let promises = number == if apart { SUBGRAPHS - 1 } else { 0 };
        let on_interface = if promises { "next: Node" } else { "" };
        let _ = writeln!(
            sdl,
            "interface Node {{ id: ID! name: String extra{number}: Int {on_interface} }}"
        );
        for ty in 0..INTERFACE_TYPES {
            let next = match (is_owner(ty), promises) {
                (true, _) => "next: Node",
                (false, true) => "next: Node @external",
                (false, false) => "",
            };
            let _ = writeln!(
                sdl,
                "type Type{ty} implements Node @key(fields: \"id\") {{ id: ID! name: String @shareable extra{number}: Int {next} }}"
            );
        }
        subgraph(number, sdl)
    };
    (0..SUBGRAPHS).map(in_subgraph).collect()
}

fn interface_operation(random: &mut Random) -> String {
    let (start, depth) = (random.below(SUBGRAPHS), random.below(10));
    let mut text = format!("{{ node{start} {{ name");
    for _ in 0..depth {
        let _ = write!(text, " extra{}", random.below(SUBGRAPHS));
        if random.below(3) == 0 {
            let ty = random.below(INTERFACE_TYPES);
            let _ = write!(text, " ... on Type{ty} {{ own: extra{} }}", random.below(SUBGRAPHS));
        }
        text.push_str(" next { name");
    }
    text + &" }".repeat(depth + 2)
}

/// From each subgraph a key leads only to the next one.
fn chain() -> Vec<SubgraphSdl> {
    let in_subgraph = |number: usize| {
        let next = (number + 1) % SUBGRAPHS;
        subgraph(
            number,
            format!(
                "{LINK}type Query {{ thing{number}: Thing }}\n\
                 type Thing @key(fields: \"key{number}\") @key(fields: \"key{next}\") {{ key{number}: ID! key{next}: ID! \
                 own{number}: String next{number}: Thing }}"
            ),
        )
    };
    (0..SUBGRAPHS).map(in_subgraph).collect()
}

fn chain_operation(random: &mut Random) -> String {
    let (start, depth) = (random.below(SUBGRAPHS), random.below(4));
    let mut text = format!("{{ thing{start} {{ own{start}");
    for _ in 0..depth {
        let _ = write!(text, " next{} {{ own{}", random.below(SUBGRAPHS), random.below(SUBGRAPHS));
    }
    text + &" }".repeat(depth + 2)
}
