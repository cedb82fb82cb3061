//! Reads settings from the environment and from `spacey.toml`, and remembers each value and where it came from.
//!
//! The environment wins over the file. Nothing stops at the first mistake: all are reported together, each with the variable, the
//! bad value, and what is accepted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Environment,
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting as `--print-settings` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) name: Cow<'static, str>,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

/// A setting that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("{name} is {value:?} (from {origin}): {accepted}")]
    Wrong { name: String, value: String, origin: Origin, accepted: String },
    #[error("{path}: there is no setting {key:?}; see README.md for the list", path = path.display())]
    Unknown { path: PathBuf, key: String },
    #[error("{path}: {message}", path = path.display())]
    File { path: PathBuf, message: String },
    #[error("{0}")]
    Contradiction(String),
}

/// Everything that is wrong with the settings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SettingErrors(pub(crate) Vec<SettingError>);

impl fmt::Display for SettingErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings cannot be used:")?;
        for error in &self.0 {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingErrors {}

pub(crate) struct Reader {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
    tables: BTreeMap<String, toml::Table>,
    path: PathBuf,
    known: BTreeSet<String>,
    shown: Vec<Shown>,
    errors: Vec<SettingError>,
}

impl Reader {
    /// Reads the file at `path`, if there is one; `required` when it was asked for by name.
    pub(crate) fn new(environment: BTreeMap<String, String>, path: &Path, required: bool) -> Self {
        let mut reader = Self {
            environment,
            file: BTreeMap::new(),
            tables: BTreeMap::new(),
            path: path.to_owned(),
            known: BTreeSet::new(),
            shown: Vec::new(),
            errors: Vec::new(),
        };
        match std::fs::read_to_string(path) {
            Ok(text) => reader.parse_file(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => {}
            Err(error) => reader.fail_file(error.to_string()),
        }
        reader
    }

    fn parse_file(&mut self, text: &str) {
        match text.parse::<toml::Table>() {
            Err(error) => self.fail_file(error.to_string()),
            Ok(table) => {
                for (key, value) in table {
                    match value {
                        toml::Value::String(text) => drop(self.file.insert(key, text)),
                        toml::Value::Integer(_) | toml::Value::Boolean(_) => {
                            drop(self.file.insert(key, value.to_string()));
                        }
                        toml::Value::Array(items) if items.iter().all(toml::Value::is_str) => {
                            let items: Vec<_> =
                                items.iter().filter_map(toml::Value::as_str).collect();
                            drop(self.file.insert(key, items.join(",")));
                        }
                        toml::Value::Table(table) => drop(self.tables.insert(key, table)),
                        _ => self.fail_file(format!(
                            "{key} must be a text, a whole number, true, false, or a list of texts"
                        )),
                    }
                }
            }
        }
    }

    fn fail_file(&mut self, message: String) {
        self.errors.push(SettingError::File { path: self.path.clone(), message });
    }

    /// The value of `name`, or what `default` says. `accepted` completes the sentence "it is wrong: …".
    pub(crate) fn get<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        default: impl Into<String>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (text, origin) = self.find(name).unwrap_or_else(|| (default.into(), Origin::Default));
        let (value, origin_shown) = (text.clone(), origin.clone());
        self.shown.push(Shown { name: name.into(), value, origin: origin_shown });
        self.parsed(name, text, origin, accepted, &parse)
    }

    /// The value of `name` if it is set.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let found = self.find(name);
        self.show_optional(name, found.clone(), |text| text);
        let (text, origin) = found?;
        self.parsed(name, text, origin, accepted, &parse)
    }

    /// Like [`Reader::optional`] for what must not be shown: neither in a list nor in a message.
    pub(crate) fn secret<T>(
        &mut self,
        name: &'static str,
        accepted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let found = self.find(name);
        self.show_optional(name, found.clone(), |_| "********".to_owned());
        let (text, origin) = found?;
        let value = parse(&text);
        if value.is_none() {
            self.errors.push(SettingError::Wrong {
                name: name.to_owned(),
                value: "********".to_owned(),
                origin,
                accepted: accepted.to_owned(),
            });
        }
        value
    }

    /// The values of all settings whose names begin and end so, by what is between.
    pub(crate) fn named(&mut self, prefix: &str, suffix: &str) -> BTreeMap<String, String> {
        fn middle(name: &str, prefix: &str, suffix: &str) -> Option<String> {
            let middle = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            (!middle.is_empty()).then(|| middle.to_ascii_uppercase())
        }
        let key = |part: &str| part.trim_start_matches("SPACEY_").to_ascii_lowercase();
        let (file_prefix, file_suffix) = (key(prefix), key(suffix));
        let mut values = BTreeMap::new();
        for (name, value) in &self.file {
            if let Some(middle) = middle(name, &file_prefix, &file_suffix) {
                self.known.insert(name.clone());
                values.insert(middle, value.clone());
            }
        }
        for (name, value) in self.environment.iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(middle) = middle(name, prefix, suffix) {
                values.insert(middle, value.clone());
            }
        }
        values
    }

    /// Shows a setting that was found by [`Reader::named`].
    pub(crate) fn show(&mut self, name: String, value: String) {
        let origin = match self.environment.get(&name).filter(|value| !value.is_empty()) {
            Some(_) => Origin::Environment,
            None => Origin::File(self.path.clone()),
        };
        self.shown.push(Shown { name: name.into(), value, origin });
    }

    /// A table of the file, read as `T`. What is wrong in it is reported under its name.
    pub(crate) fn table<T: serde::de::DeserializeOwned + Default>(&mut self, name: &str) -> T {
        let Some(table) = self.tables.remove(name) else { return T::default() };
        table.try_into().unwrap_or_else(|error: toml::de::Error| {
            self.fail_file(format!("[{name}]: {}", error.message()));
            T::default()
        })
    }

    /// Adds a mistake that lies in several settings together.
    pub(crate) fn contradiction(&mut self, message: impl Into<String>) {
        self.errors.push(SettingError::Contradiction(message.into()));
    }

    /// What was read, or all that is wrong.
    pub(crate) fn finish(mut self) -> Result<Vec<Shown>, SettingErrors> {
        let unknown = self.file.keys().filter(|key| !self.known.contains(*key));
        for key in unknown.chain(self.tables.keys()) {
            self.errors.push(SettingError::Unknown { path: self.path.clone(), key: key.clone() });
        }
        if self.errors.is_empty() { Ok(self.shown) } else { Err(SettingErrors(self.errors)) }
    }

    fn show_optional(
        &mut self,
        name: &'static str,
        found: Option<(String, Origin)>,
        show: impl Fn(String) -> String,
    ) {
        let (value, origin) = match found {
            Some((text, origin)) => (show(text), origin),
            None => ("(not set)".to_owned(), Origin::Default),
        };
        self.shown.push(Shown { name: name.into(), value, origin });
    }

    fn parsed<T>(
        &mut self,
        name: &str,
        text: String,
        origin: Origin,
        accepted: &str,
        parse: &impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = parse(&text);
        if value.is_none() {
            self.errors.push(SettingError::Wrong {
                name: name.to_owned(),
                value: text,
                origin,
                accepted: accepted.to_owned(),
            });
        }
        value
    }

    /// An empty variable counts as not set: that is how a compose file passes one that is not there.
    fn find(&mut self, name: &str) -> Option<(String, Origin)> {
        let key = name.trim_start_matches("SPACEY_").to_ascii_lowercase();
        let from_file = self.file.get(&key).cloned();
        self.known.insert(key);
        match self.environment.get(name).filter(|value| !value.is_empty()) {
            Some(value) => Some((value.clone(), Origin::Environment)),
            None => from_file.map(|value| (value, Origin::File(self.path.clone()))),
        }
    }
}
