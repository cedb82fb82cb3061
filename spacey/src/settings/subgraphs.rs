//! How subgraphs that run elsewhere are called: settings for all of them, and for each by name.
//!
//! For all: the variables `SPACEY_SUBGRAPH_…`, and in the settings file the table `[subgraph_defaults]`. For one: the table
//! `[subgraph.NAME]`, and `SPACEY_SUBGRAPH_NAME_URL` for its address. What is nearer to the subgraph wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway::{
    BreakerSettings, ClientIdentity, ClientSettings, EndToEndHeader, HeaderMatch, HeaderMatchError,
    HeaderPattern, HeaderRules, HttpVersion, Merge, RequestRule, ResponseRule, RetrySettings,
    SubgraphSettings, TlsSettings,
};
use http::HeaderValue;
use serde::Deserialize;

use super::reader::Reader;
use super::{list, seconds};

/// How each subgraph is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policies {
    all: SubgraphSettings,
    named: BTreeMap<String, SubgraphSettings>,
    /// Addresses from the file, by subgraph.
    addresses: BTreeMap<String, String>,
    /// Addresses from the environment, by the middle part of the variable's name.
    variables: BTreeMap<String, String>,
}

impl Policies {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let all = for_all(reader);
        let defaults: Table = reader.table("subgraph_defaults");
        let tables: BTreeMap<String, Table> = reader.table("subgraph");
        let variables = reader.named("SPACEY_SUBGRAPH_", "_URL");

        let mut check = |name: &str, result: Result<SubgraphSettings, String>| {
            result
                .map_err(|problem| reader.contradiction(format!("[{name}] of the file: {problem}")))
                .ok()
        };
        if defaults.url.is_some() {
            check("subgraph_defaults", Err("url is for one subgraph".to_owned()))?;
        }
        let all = check("subgraph_defaults", defaults.over(all?))?;
        let mut policies = Self { all, variables, ..Self::default() };
        for (name, table) in tables {
            if let Some(url) = &table.url {
                policies.addresses.insert(name.clone(), url.clone());
            }
            let settings = check(&format!("subgraph.{name}"), table.over(policies.all.clone()))?;
            policies.named.insert(name, settings);
        }
        Some(policies)
    }

    /// What is set about the subgraph `name`.
    pub(crate) fn of(&self, name: &str) -> &SubgraphSettings {
        self.named.get(name).unwrap_or(&self.all)
    }

    /// The address that is set for the subgraph `name`. In the variable its letters are upper case, and all but letters and digits `_`.
    pub(crate) fn address_of(&self, name: &str) -> Option<&str> {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let variable: String = name.chars().map(letter).collect();
        self.variables.get(&variable).or(self.addresses.get(name)).map(String::as_str)
    }

    /// The subgraphs that have settings of their own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }
}

fn for_all(reader: &mut Reader) -> Option<SubgraphSettings> {
    let timeout = seconds(reader, "SPACEY_SUBGRAPH_TIMEOUT_SECONDS", "10");
    let retries =
        reader.get("SPACEY_SUBGRAPH_RETRIES", "a number from 0 to 10 is accepted", "0", |text| {
            text.parse().ok().filter(|most| (0..=10).contains(most))
        });
    let concurrency = reader.get(
        "SPACEY_SUBGRAPH_CONCURRENCY",
        "a number is accepted; 0 is for no limit",
        "0",
        |text| text.parse::<usize>().ok(),
    );
    let waiting = reader.get(
        "SPACEY_SUBGRAPH_WAITING",
        "a number is accepted; 0 lets none wait",
        "1000",
        |text| text.parse::<usize>().ok(),
    );
    let answer_limit = reader.get(
        "SPACEY_SUBGRAPH_ANSWER_LIMIT_BYTES",
        "a number from 1024 is accepted",
        "67108864",
        |text| text.parse().ok().filter(|bytes| *bytes >= 1024),
    );
    let share_queries = super::flag(reader, "SPACEY_SUBGRAPH_SHARE_QUERIES", false);
    let headers = reader.get(
        "SPACEY_SUBGRAPH_HEADERS",
        "names of headers, separated by commas, are accepted; those of a single message are not",
        "",
        |text| {
            let rule = |name| {
                let which = HeaderMatch::Name(EndToEndHeader::new(name).ok()?);
                Some(RequestRule::Propagate { which, rename: None, default: None })
            };
            list(text).map(rule).collect::<Option<Vec<_>>>()
        },
    );
    let retry = |most| RetrySettings { most, ..RetrySettings::default() };
    Some(SubgraphSettings {
        timeout: timeout?,
        retry: Some(retries?).filter(|most| *most > 0).map(retry),
        concurrency: Some(concurrency?).filter(|most| *most > 0),
        waiting: waiting?,
        client: ClientSettings { max_response: answer_limit?, ..ClientSettings::default() },
        share_queries: share_queries?,
        headers: HeaderRules { request: headers?, ..HeaderRules::default() },
        ..SubgraphSettings::default()
    })
}

/// `[subgraph_defaults]` or `[subgraph.NAME]`. What is absent stays as it was.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Where it is called, in place of the supergraph's address.
    url: Option<String>,
    timeout_seconds: Option<f64>,
    /// 0 for no limit.
    concurrency: Option<usize>,
    waiting: Option<usize>,
    answer_limit_bytes: Option<usize>,
    connect_timeout_seconds: Option<f64>,
    http: Option<HttpName>,
    tls: Option<TlsTable>,
    errors_shown: Option<bool>,
    share_queries: Option<bool>,
    retry: Option<RetryTable>,
    breaker: Option<BreakerTable>,
    request_headers: Option<Vec<RequestRow>>,
    response_headers: Option<Vec<ResponseRow>>,
}

#[derive(Debug, Deserialize)]
enum HttpName {
    #[serde(rename = "negotiated")]
    Negotiated,
    #[serde(rename = "1.1")]
    Http1,
    #[serde(rename = "2")]
    Http2,
}

/// Names of PEM files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryTable {
    /// 0 for none.
    most: Option<u32>,
    budget: Option<f32>,
    wait_seconds: Option<f64>,
    longest_wait_seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakerTable {
    enabled: Option<bool>,
    window_seconds: Option<f64>,
    minimum: Option<u32>,
    ratio: Option<f64>,
    open_seconds: Option<f64>,
}

/// One rule: `propagate` or `propagate_matching`, `insert` with `value`, `remove` or `remove_matching`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestRow {
    propagate: Option<String>,
    propagate_matching: Option<String>,
    rename: Option<String>,
    default: Option<String>,
    insert: Option<String>,
    value: Option<String>,
    remove: Option<String>,
    remove_matching: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseRow {
    propagate: Option<String>,
    propagate_matching: Option<String>,
    merge: MergeName,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum MergeName {
    Append,
    First,
    Last,
}

impl Table {
    fn over(self, mut settings: SubgraphSettings) -> Result<SubgraphSettings, String> {
        if let Some(seconds) = self.timeout_seconds {
            settings.timeout = duration("timeout_seconds", seconds)?;
        }
        if let Some(most) = self.concurrency {
            settings.concurrency = (most > 0).then_some(most);
        }
        if let Some(most) = self.waiting {
            settings.waiting = most;
        }
        if let Some(bytes) = self.answer_limit_bytes {
            settings.client.max_response = bytes;
        }
        if let Some(seconds) = self.connect_timeout_seconds {
            settings.client.connect_timeout = duration("connect_timeout_seconds", seconds)?;
        }
        if let Some(version) = self.http {
            settings.client.version = match version {
                HttpName::Negotiated => HttpVersion::Negotiated,
                HttpName::Http1 => HttpVersion::Http1,
                HttpName::Http2 => HttpVersion::Http2,
            };
        }
        if let Some(table) = self.tls {
            settings.client.tls = table.over(settings.client.tls)?;
        }
        if let Some(shown) = self.errors_shown {
            settings.errors_shown = shown;
        }
        if let Some(share) = self.share_queries {
            settings.share_queries = share;
        }
        if let Some(table) = self.retry {
            settings.retry = table.over(settings.retry.unwrap_or_default())?;
        }
        if let Some(table) = self.breaker {
            settings.breaker = table.over(settings.breaker.unwrap_or_default())?;
        }
        if let Some(rows) = self.request_headers {
            settings.headers.request =
                rows.into_iter().map(RequestRow::rule).collect::<Result<_, _>>()?;
        }
        if let Some(rows) = self.response_headers {
            settings.headers.response =
                rows.into_iter().map(ResponseRow::rule).collect::<Result<_, _>>()?;
        }
        Ok(settings)
    }
}

impl TlsTable {
    fn over(self, mut tls: TlsSettings) -> Result<TlsSettings, String> {
        if let Some(path) = self.authorities {
            tls.authorities = Some(pem("tls.authorities", &path)?);
        }
        match (self.certificate, self.key) {
            (None, None) => {}
            (Some(certificate), Some(key)) => {
                tls.identity = Some(ClientIdentity {
                    certificates: pem("tls.certificate", &certificate)?,
                    key: pem("tls.key", &key)?,
                });
            }
            _ => return Err("tls.certificate and tls.key go together".to_owned()),
        }
        Ok(tls)
    }
}

fn pem(name: &str, path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{name}: {}: {error}", path.display()))
}

impl RetryTable {
    fn over(self, mut retry: RetrySettings) -> Result<Option<RetrySettings>, String> {
        retry.most = self.most.unwrap_or(retry.most);
        if let Some(budget) = self.budget {
            if !(0.0..=1.0).contains(&budget) {
                return Err(format!("retry.budget is {budget}: a number from 0 to 1 is accepted"));
            }
            retry.budget = budget;
        }
        if let Some(seconds) = self.wait_seconds {
            retry.wait = duration("retry.wait_seconds", seconds)?;
        }
        if let Some(seconds) = self.longest_wait_seconds {
            retry.longest_wait = duration("retry.longest_wait_seconds", seconds)?;
        }
        if retry.wait > retry.longest_wait {
            return Err("retry.wait_seconds is more than retry.longest_wait_seconds".to_owned());
        }
        Ok((retry.most > 0).then_some(retry))
    }
}

impl BreakerTable {
    fn over(self, mut breaker: BreakerSettings) -> Result<Option<BreakerSettings>, String> {
        breaker.minimum = self.minimum.unwrap_or(breaker.minimum);
        if let Some(ratio) = self.ratio {
            if !(ratio > 0.0 && ratio <= 1.0) {
                let accepted = "a number above 0 and up to 1 is accepted";
                return Err(format!("breaker.ratio is {ratio}: {accepted}"));
            }
            breaker.ratio = ratio;
        }
        if let Some(seconds) = self.window_seconds {
            breaker.window = duration("breaker.window_seconds", seconds)?;
        }
        if let Some(seconds) = self.open_seconds {
            breaker.open_for = duration("breaker.open_seconds", seconds)?;
        }
        Ok(self.enabled.unwrap_or(true).then_some(breaker))
    }
}

impl RequestRow {
    fn rule(self) -> Result<RequestRule, String> {
        let Self { propagate, propagate_matching, rename, default, insert, value, remove, .. } =
            self;
        let one_name = propagate.is_some();
        match (which(propagate, propagate_matching)?, insert, which(remove, self.remove_matching)?)
        {
            (Some(which), None, None) if value.is_none() => {
                if !one_name && (rename.is_some() || default.is_some()) {
                    return Err("rename and default go with propagate only".to_owned());
                }
                let rename = rename.map(|name| EndToEndHeader::new(&name)).transpose();
                let rename = rename.map_err(|error| error.to_string())?;
                let default = default.map(|value| header_value(&value)).transpose()?;
                Ok(RequestRule::Propagate { which, rename, default })
            }
            (None, Some(name), None) if rename.is_none() && default.is_none() => {
                let name = EndToEndHeader::new(&name).map_err(|error| error.to_string())?;
                let value = value.ok_or("insert needs a value")?;
                Ok(RequestRule::Insert { name, value: header_value(&value)? })
            }
            (None, None, Some(which))
                if rename.is_none() && default.is_none() && value.is_none() =>
            {
                Ok(RequestRule::Remove { which })
            }
            _ => Err("a row of request_headers is one of propagate or propagate_matching (with \
                      rename, default), insert with value, remove or remove_matching"
                .to_owned()),
        }
    }
}

impl ResponseRow {
    fn rule(self) -> Result<ResponseRule, String> {
        let which = which(self.propagate, self.propagate_matching)?
            .ok_or("a row of response_headers needs propagate or propagate_matching")?;
        let merge = match self.merge {
            MergeName::Append => Merge::Append,
            MergeName::First => Merge::First,
            MergeName::Last => Merge::Last,
        };
        Ok(ResponseRule { which, merge })
    }
}

fn which(name: Option<String>, pattern: Option<String>) -> Result<Option<HeaderMatch>, String> {
    let made: Result<_, HeaderMatchError> = match (name, pattern) {
        (None, None) => return Ok(None),
        (Some(name), None) => EndToEndHeader::new(&name).map(HeaderMatch::Name),
        (None, Some(pattern)) => HeaderPattern::new(&pattern).map(HeaderMatch::Pattern),
        (Some(_), Some(_)) => return Err("a name and a pattern exclude each other".to_owned()),
    };
    made.map(Some).map_err(|error| error.to_string())
}

fn header_value(text: &str) -> Result<HeaderValue, String> {
    text.parse().map_err(|_| format!("{text:?} cannot be the value of a header"))
}

fn duration(name: &str, seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| *duration >= Duration::from_millis(1) && seconds <= 3600.0)
        .ok_or_else(|| format!("{name} is {seconds}: a number from 0.001 to 3600 is accepted"))
}
