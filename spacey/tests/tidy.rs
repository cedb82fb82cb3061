//! House rules that no compiler checks: every source file says what it holds, none is too long to read, and imports follow the arrows of
//! ARCHITECTURE.md. It reads the repository and runs nothing.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A longer file holds more than one thing.
const MOST_LINES: usize = 500;
/// Folders that hold nothing of ours, or what is broken on purpose.
const FOREIGN: [&str; 9] =
    ["target", "node_modules", ".venv", "dist", ".git", "__pycache__", ".cache", "data", "corpus"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn files_below(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !FOREIGN.contains(&name) {
                files.extend(files_below(&path, endings));
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn report(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

#[test]
fn every_source_file_opens_by_saying_what_it_holds() {
    let files = files_below(&root(), &[".rs", ".py", ".mjs", ".js", ".ts", ".tsx"]);
    assert!(files.len() > 50, "the search found only {} files", files.len());
    let mut findings = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
        let opens = match path.extension().unwrap().to_str().unwrap() {
            "rs" => first.starts_with("//! ") && first.len() > 12,
            "py" => first.starts_with("\"\"\"") && first.len() > 12,
            _ => first.starts_with("/*") || first.starts_with("// "),
        };
        if !opens {
            findings
                .push(format!("{}: its first line does not say what it holds", relative(&path)));
        }
    }
    report(&findings);
}

#[test]
fn no_source_file_is_too_long_to_read() {
    let mut findings = Vec::new();
    for path in files_below(&root(), &[".rs", ".py", ".mjs", ".js", ".ts", ".tsx", ".sql"]) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        if lines > MOST_LINES {
            findings.push(format!("{}: {lines} lines, at most {MOST_LINES}", relative(&path)));
        }
    }
    report(&findings);
}

/// Inside a crate, what each top-level module may import. It is the table of ARCHITECTURE.md.
const ARROWS: &[(&str, &str, &[&str])] = &[
    ("federation", "value", &[]),
    ("federation", "supergraph", &["value"]),
    ("federation", "compose", &["value", "supergraph"]),
    ("federation", "operation", &["value", "supergraph"]),
    ("federation", "authorise", &["value", "supergraph", "operation"]),
    ("federation", "cost", &["value", "supergraph", "operation"]),
    ("federation", "plan", &["value", "supergraph", "operation", "authorise", "cost"]),
    ("federation", "execute", &["value", "supergraph", "operation", "authorise", "cost", "plan"]),
    ("gateway", "code", &[]),
    ("gateway", "caching", &[]),
    ("gateway", "error", &[]),
    ("gateway", "settings", &["authenticate", "trusted"]),
    ("gateway", "observe", &["client", "metrics"]),
    ("gateway", "trusted", &["client"]),
    ("gateway", "graphiql", &[]),
    ("gateway", "explain", &[]),
    ("gateway", "metrics", &[]),
    ("gateway", "points", &[]),
    ("gateway", "extensions", &["explain", "points"]),
    ("gateway", "outcome", &["caching", "code", "extensions", "points"]),
    ("gateway", "pressure", &[]),
    ("gateway", "upload_memory", &["code", "outcome"]),
    ("gateway", "admission", &["code", "metrics", "outcome", "pressure", "settings"]),
    ("gateway", "buckets", &["client", "settings"]),
    (
        "gateway",
        "charge",
        &[
            "authenticate",
            "buckets",
            "caching",
            "client",
            "code",
            "metrics",
            "outcome",
            "points",
            "settings",
            "state",
        ],
    ),
    ("gateway", "bounds", &["code", "error", "outcome"]),
    ("gateway", "cache", &["settings"]),
    ("gateway", "client", &[]),
    ("gateway", "uploads", &["http_client"]),
    ("gateway", "decode", &["code", "outcome", "settings", "uploads"]),
    (
        "gateway",
        "documents",
        &["cache", "client", "code", "decode", "outcome", "settings", "trusted"],
    ),
    ("gateway", "authenticate", &["code", "error", "http_client", "outcome"]),
    ("gateway", "authorise", &["authenticate", "code", "outcome"]),
    ("gateway", "subgraph", &["http_client", "inflight"]),
    ("gateway", "http_client", &[]),
    ("gateway", "inflight", &[]),
    (
        "gateway",
        "remote",
        &["authenticate", "caching", "error", "http_client", "inflight", "subgraph", "uploads"],
    ),
    (
        "gateway",
        "transport",
        &["caching", "error", "explain", "metrics", "remote", "settings", "uploads"],
    ),
    (
        "gateway",
        "prepare",
        &["cache", "code", "decode", "metrics", "observe", "outcome", "settings"],
    ),
    ("gateway", "graph", &["authenticate", "buckets", "prepare", "settings", "transport"]),
    ("gateway", "mask", &["settings", "transport"]),
    (
        "gateway",
        "execute",
        &["authorise", "explain", "extensions", "mask", "outcome", "settings", "transport"],
    ),
    ("gateway", "respond", &["caching", "decode", "extensions", "outcome", "points"]),
    ("gateway", "response_cache", &["authenticate", "caching", "outcome", "respond"]),
    ("gateway", "payload", &["decode", "outcome", "respond"]),
    ("gateway", "health", &["buckets", "error", "transport"]),
    ("gateway", "browser", &["caching", "observe", "points", "settings"]),
    ("gateway", "live", &["authenticate", "client", "code", "health", "outcome", "settings"]),
    ("gateway", "under_way", &["decode", "inflight", "observe", "respond"]),
    ("gateway", "well_known", &["outcome", "state"]),
    (
        "gateway",
        "state",
        &[
            "admission",
            "authenticate",
            "buckets",
            "client",
            "code",
            "decode",
            "documents",
            "graph",
            "health",
            "live",
            "outcome",
            "response_cache",
            "settings",
            "under_way",
            "upload_memory",
            "uploads",
        ],
    ),
    (
        "gateway",
        "streams",
        &[
            "admission",
            "authenticate",
            "authorise",
            "bounds",
            "charge",
            "client",
            "code",
            "decode",
            "execute",
            "extensions",
            "graph",
            "live",
            "observe",
            "outcome",
            "payload",
            "respond",
            "state",
            "transport",
        ],
    ),
    (
        "gateway",
        "export",
        &[
            "authenticate",
            "authorise",
            "bounds",
            "client",
            "code",
            "decode",
            "execute",
            "graph",
            "live",
            "mask",
            "observe",
            "outcome",
            "respond",
            "settings",
            "state",
            "transport",
        ],
    ),
    (
        "gateway",
        "files",
        &[
            "authorise",
            "bounds",
            "client",
            "code",
            "decode",
            "error",
            "observe",
            "outcome",
            "respond",
            "settings",
            "state",
        ],
    ),
    (
        "gateway",
        "pipeline",
        &[
            "admission",
            "authenticate",
            "authorise",
            "bounds",
            "caching",
            "charge",
            "client",
            "code",
            "decode",
            "execute",
            "extensions",
            "graph",
            "mask",
            "metrics",
            "observe",
            "outcome",
            "points",
            "respond",
            "response_cache",
            "state",
            "streams",
            "transport",
            "under_way",
            "uploads",
        ],
    ),
];

#[test]
fn imports_inside_a_crate_follow_the_arrows() {
    let mut findings = Vec::new();
    for (krate, module, allowed) in ARROWS {
        let source = root().join(krate).join("src");
        let mut files = files_below(&source, &[".rs"]);
        files.retain(|path| {
            let below = path.strip_prefix(&source).unwrap();
            let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
            first == *module || first == format!("{module}.rs")
        });
        assert!(!files.is_empty(), "{krate} has no module {module}: correct the table");
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            for imported in imports(&text) {
                if imported != *module && !allowed.contains(&imported.as_str()) {
                    findings
                        .push(format!("{}: {module} may not import {imported}", relative(&path)));
                }
            }
        }
    }
    report(&findings);
}

/// The top-level modules that a file names as `crate::name`, outside comments.
fn imports(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for rest in line.split("crate::").skip(1) {
            let inner = rest.strip_prefix('{').unwrap_or(rest);
            let name: String =
                inner.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if !name.is_empty() {
                names.push(name);
            }
        }
    }
    names
}

/// Which workspace crates each may name. The binary may name all; what is not listed may name none.
const MAY_DEPEND: &[(&str, &[&str])] = &[
    ("federation", &[]),
    ("common", &["common"]),
    ("gateway", &["federation", "common"]),
    ("subgraphs/users", &["common"]),
    ("subgraphs/config", &["common"]),
    ("subgraphs/decks", &["common", "anki"]),
    ("subgraphs/decks/anki", &[]),
    ("subgraphs/learning", &["common"]),
    ("subgraphs/generation", &["common"]),
];

#[test]
fn crates_depend_along_the_arrows_only() {
    let members = [
        "anki",
        "spacey",
        "gateway",
        "generation",
        "federation",
        "users",
        "config",
        "decks",
        "learning",
        "common",
        "bench",
        "fuzz",
    ];
    let mut findings = Vec::new();
    for (folder, allowed) in MAY_DEPEND {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        for member in members {
            let named = manifest.lines().any(|line| {
                line.starts_with(&format!("{member}.workspace"))
                    || line.starts_with(&format!("{member} = {{"))
            });
            if named && !allowed.contains(&member) {
                findings.push(format!("{folder}/Cargo.toml: {folder} may not depend on {member}"));
            }
        }
    }
    report(&findings);
}

#[test]
fn nothing_tells_of_one_machine() {
    let own = Path::new(file!()).file_name().unwrap();
    let mut findings = Vec::new();
    let endings =
        [".rs", ".py", ".mjs", ".ts", ".tsx", ".toml", ".md", ".yml", ".sql", ".json", ".txt"];
    for path in files_below(&root(), &endings) {
        if path.file_name() == Some(own) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let of_a_machine =
                ["/home/", "/root/", "registry.npmjs", "files.pythonhosted", "index.crates.io"];
            if let Some(found) = of_a_machine.iter().find(|part| line.contains(*part)) {
                findings.push(format!("{}:{}: {found}", relative(&path), number + 1));
            }
        }
    }
    report(&findings);
}

#[test]
fn versions_of_dependencies_stand_in_one_place() {
    // A dependency enters through the workspace manifest, where its version stands once.
    let mut findings = Vec::new();
    let mut versions: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in files_below(&root(), &["Cargo.toml"]) {
        if path == root().join("Cargo.toml") {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let Some((name, rest)) = line.split_once(" = ") else { continue };
            let states_version = rest.starts_with('"')
                && rest.trim_matches('"').starts_with(|c: char| c.is_ascii_digit());
            if states_version || rest.contains("version = ") {
                versions.insert(name.to_owned(), path.clone());
            }
        }
    }
    for (name, path) in versions {
        findings.push(format!("{}: {name} states a version of its own", relative(&path)));
    }
    report(&findings);
}
