//! Which headers go along: from the client to a subgraph, and from a subgraph to the client.
//!
//! Nothing of the client's request reaches a subgraph, and only `set-cookie` comes back, unless a rule says otherwise. Refused are rules
//! about headers that belong to one connection or describe one body: passing those on would break the message they arrive in.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT,
    HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, SET_COOKIE, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use regex::Regex;

/// The headers of one connection or one body.
const OF_ONE_MESSAGE: [HeaderName; 20] = [
    ACCEPT,
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    EXPECT,
    HOST,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The rules of one subgraph. Each list is followed in order.
#[derive(Debug, Clone)]
pub struct HeaderRules {
    /// From the client to the subgraph.
    pub request: Vec<RequestRule>,
    /// From the subgraph to the client.
    pub response: Vec<ResponseRule>,
}

impl Default for HeaderRules {
    fn default() -> Self {
        let cookies = HeaderMatch::Name(EndToEndHeader(SET_COOKIE));
        Self {
            request: Vec::new(),
            response: vec![ResponseRule { which: cookies, merge: Merge::Append }],
        }
    }
}

/// A rule for what goes to a subgraph.
#[derive(Debug, Clone)]
pub enum RequestRule {
    /// Passes on what the client sent.
    Propagate {
        /// Which of its headers.
        which: HeaderMatch,
        /// The name for the subgraph, where it is another.
        rename: Option<EndToEndHeader>,
        /// What is sent when the client sent none, where `which` is a name.
        default: Option<HeaderValue>,
    },
    /// Sends a header of the gateway's own, in place of any of that name.
    Insert {
        /// Its name.
        name: EndToEndHeader,
        /// Its value.
        value: HeaderValue,
    },
    /// Takes away what earlier rules added.
    Remove {
        /// Which of them.
        which: HeaderMatch,
    },
}

/// A rule for what comes back from a subgraph.
#[derive(Debug, Clone)]
pub struct ResponseRule {
    /// Which of its headers the client gets.
    pub which: HeaderMatch,
    /// What becomes of the values when several subgraphs send some.
    pub merge: Merge,
}

/// What becomes of a header that several subgraphs send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merge {
    /// All values are kept, in the order in which the subgraphs answered.
    Append,
    /// The first to answer counts.
    First,
    /// The last to answer counts.
    Last,
}

/// Headers by name, or by a pattern for their names.
#[derive(Debug, Clone)]
pub enum HeaderMatch {
    /// The one of this name.
    Name(EndToEndHeader),
    /// Those whose names match.
    Pattern(HeaderPattern),
}

/// The name of a header that may be passed on or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndToEndHeader(HeaderName);

/// A pattern for names of headers.
#[derive(Debug, Clone)]
pub struct HeaderPattern(Regex);

/// A name or pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HeaderMatchError {
    /// It is no name of a header.
    #[error("{0:?} is no name of a header")]
    Name(String),
    /// It belongs to one connection or describes one body.
    #[error("the header {0} belongs to one message and cannot be passed on or set")]
    OfOneMessage(HeaderName),
    /// It is no regular expression.
    #[error("{pattern:?} is no regular expression: {source}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// Why.
        source: regex::Error,
    },
}

impl EndToEndHeader {
    /// The header of this name, in any case.
    ///
    /// # Errors
    /// [`HeaderMatchError`] when it is no name, or of a header that belongs to one message.
    pub fn new(name: &str) -> Result<Self, HeaderMatchError> {
        let name = name.parse().map_err(|_| HeaderMatchError::Name(name.to_owned()))?;
        if OF_ONE_MESSAGE.contains(&name) {
            return Err(HeaderMatchError::OfOneMessage(name));
        }
        Ok(Self(name))
    }
}

impl HeaderPattern {
    /// The headers whose whole names, in lower case, match a regular expression. Those that belong to one message are not among them.
    ///
    /// # Errors
    /// [`HeaderMatchError::Pattern`] when it is none.
    pub fn new(pattern: &str) -> Result<Self, HeaderMatchError> {
        let error = |source| HeaderMatchError::Pattern { pattern: pattern.to_owned(), source };
        Regex::new(&format!("^(?:{pattern})$")).map(Self).map_err(error)
    }

    fn matches(&self, name: &HeaderName) -> bool {
        self.0.is_match(name.as_str()) && !OF_ONE_MESSAGE.contains(name)
    }
}

impl HeaderMatch {
    /// The names of the matching headers among `headers`.
    fn among<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a HeaderName> {
        let (one, many) = match self {
            Self::Name(name) => (headers.contains_key(&name.0).then_some(&name.0), None),
            Self::Pattern(pattern) => {
                (None, Some(headers.keys().filter(|name| pattern.matches(name))))
            }
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn as_name(&self) -> Option<&HeaderName> {
        match self {
            Self::Name(name) => Some(&name.0),
            Self::Pattern(_) => None,
        }
    }
}

impl HeaderRules {
    /// Whether a rule looks at what the client sent.
    pub(crate) fn read_the_client(&self) -> bool {
        self.request.iter().any(|rule| matches!(rule, RequestRule::Propagate { .. }))
    }

    /// Adds to a request for the subgraph what the rules say, `client` being the headers the client sent.
    pub(crate) fn to_subgraph(&self, client: &HeaderMap, request: &mut HeaderMap) {
        for rule in &self.request {
            match rule {
                RequestRule::Propagate { which, rename, default } => {
                    propagate(which, rename.as_ref(), default.as_ref(), client, request);
                }
                RequestRule::Insert { name, value } => {
                    request.insert(&name.0, value.clone());
                }
                RequestRule::Remove { which } => {
                    let removed: Vec<_> = which.among(request).cloned().collect();
                    for name in removed {
                        request.remove(name);
                    }
                }
            }
        }
    }

    /// Adds to what the client will get what the rules say, `answer` being the headers the subgraph sent.
    pub(crate) fn to_client(&self, answer: &HeaderMap, client: &mut HeaderMap) {
        for ResponseRule { which, merge } in &self.response {
            for name in which.among(answer) {
                let known = client.contains_key(name);
                match merge {
                    Merge::First if known => continue,
                    Merge::Last if known => drop(client.remove(name)),
                    Merge::Append | Merge::First | Merge::Last => {}
                }
                for value in answer.get_all(name) {
                    client.append(name, value.clone());
                }
            }
        }
    }
}

fn propagate(
    which: &HeaderMatch,
    rename: Option<&EndToEndHeader>,
    default: Option<&HeaderValue>,
    client: &HeaderMap,
    request: &mut HeaderMap,
) {
    let rename = rename.map(|rename| &rename.0);
    let mut any = false;
    for name in which.among(client) {
        any = true;
        let target = rename.unwrap_or(name);
        request.remove(target);
        for value in client.get_all(name) {
            request.append(target, value.clone());
        }
    }
    if let (false, Some(name), Some(default)) = (any, rename.or(which.as_name()), default) {
        request.insert(name, default.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn header(name: &str) -> EndToEndHeader {
        EndToEndHeader::new(name).unwrap()
    }

    fn name(name: &str) -> HeaderMatch {
        HeaderMatch::Name(header(name))
    }

    fn pattern(pattern: &str) -> HeaderMatch {
        HeaderMatch::Pattern(HeaderPattern::new(pattern).unwrap())
    }

    fn sent(request: Vec<RequestRule>, client: &[(&str, &str)]) -> HeaderMap {
        let rules = HeaderRules { request, ..HeaderRules::default() };
        let mut request = headers(&[("content-type", "application/json")]);
        rules.to_subgraph(&headers(client), &mut request);
        request
    }

    fn propagated(which: HeaderMatch) -> RequestRule {
        RequestRule::Propagate { which, rename: None, default: None }
    }

    #[test]
    fn nothing_goes_along_unless_a_rule_says_so() {
        let client = [("authorization", "Bearer x"), ("cookie", "a=b"), ("x-user-id", "1")];
        assert_eq!(sent(vec![], &client), headers(&[("content-type", "application/json")]));
    }

    #[test]
    fn headers_go_along_by_name_by_pattern_and_under_another_name() {
        let rename = Some(header("x-token"));
        let rules = vec![
            propagated(pattern("x-.*")),
            RequestRule::Propagate { which: name("Authorization"), rename, default: None },
        ];
        let client =
            [("x-a", "1"), ("x-a", "2"), ("x-b", "3"), ("authorization", "t"), ("accept", "*/*")];
        let expected = [
            ("content-type", "application/json"),
            ("x-a", "1"),
            ("x-a", "2"),
            ("x-b", "3"),
            ("x-token", "t"),
        ];
        assert_eq!(sent(rules, &client), headers(&expected));
    }

    #[test]
    fn a_default_is_sent_when_the_client_sent_none() {
        let default = Some(HeaderValue::from_static("en"));
        let rule = RequestRule::Propagate { which: name("accept-language"), rename: None, default };
        assert_eq!(sent(vec![rule.clone()], &[])["accept-language"], "en");
        assert_eq!(sent(vec![rule], &[("accept-language", "de")])["accept-language"], "de");
    }

    #[test]
    fn headers_are_set_and_taken_away() {
        let value = HeaderValue::from_static("spacey");
        let rules = vec![
            propagated(pattern("x-.*")),
            RequestRule::Remove { which: pattern("x-internal-.*") },
            RequestRule::Insert { name: header("x-gateway"), value },
        ];
        let client = [("x-internal-user", "root"), ("x-gateway", "forged"), ("x-a", "1")];
        let sent = sent(rules, &client);
        assert!(!sent.contains_key("x-internal-user"));
        assert_eq!(sent.get_all("x-gateway").iter().collect::<Vec<_>>(), ["spacey"]);
        assert_eq!(sent["x-a"], "1");
    }

    #[test]
    fn a_pattern_never_matches_what_belongs_to_one_message() {
        let client = [("host", "h"), ("content-length", "7"), ("connection", "close"), ("x", "1")];
        let sent = sent(vec![propagated(pattern(".*"))], &client);
        assert_eq!(sent, headers(&[("content-type", "application/json"), ("x", "1")]));
        for refused in ["Host", "content-length", "Transfer-Encoding", "a b", ""] {
            assert!(EndToEndHeader::new(refused).is_err(), "{refused}");
        }
        assert!(HeaderPattern::new("x-(").is_err());
    }

    #[test]
    fn a_pattern_is_for_the_whole_name() {
        let client = [("authorization-other", "1"), ("x-authorization", "2")];
        let sent = sent(vec![propagated(pattern("a|authorization"))], &client);
        assert_eq!(sent.len(), 1);
    }

    #[test]
    fn answers_of_several_subgraphs_meet_as_the_rules_say() {
        let rule = |which, merge| ResponseRule { which, merge };
        let rules = HeaderRules {
            request: vec![],
            response: vec![
                rule(name("set-cookie"), Merge::Append),
                rule(name("x-first"), Merge::First),
                rule(name("x-last"), Merge::Last),
            ],
        };
        let mut client = HeaderMap::new();
        for answer in ["1", "2"] {
            let pairs = ["set-cookie", "x-first", "x-last", "x-other"].map(|name| (name, answer));
            rules.to_client(&headers(&pairs), &mut client);
        }
        let expected =
            [("set-cookie", "1"), ("set-cookie", "2"), ("x-first", "1"), ("x-last", "2")];
        assert_eq!(client, headers(&expected));
    }
}
