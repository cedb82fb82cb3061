//! Calling the Python service over HTTP. Its errors say what happened without a word of the text, which a body of the service may repeat.
//!
//! An answer in parts is asked for, and taken in one piece from a service that knows no other.

mod content;

pub(crate) use content::Listed;

use std::time::Duration;

use common::prompt::{Parameters, Prompt};
use common::trace;
use common::{DeckId, Error, GenerationJobId, UserId};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode, Url, redirect};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tracing::Instrument;

use crate::GenerationSettings;
use crate::answer::{Data, Envelope, Line, Note, proposal};
use crate::model::{Failure, Proposal};
use crate::offsets::Offsets;

/// The most bytes of an answer: 100 cards and a text of the greatest length take less, however they are escaped.
const MAX_ANSWER: usize = 8 << 20;
/// The service is near: what does not connect at once does not run.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A service that is starting, at first or after it fell, is waited for this long.
const STARTING: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_millis(200);
/// Shorter than the service's own, so that no request meets a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(3);
const SECRET: HeaderName = HeaderName::from_static("x-spacey-secret");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IN_PARTS: &str = "application/x-ndjson";
const ACCEPTED: HeaderValue =
    HeaderValue::from_static("application/x-ndjson, application/json;q=0.9");

/// What is asked of the service.
#[derive(Debug)]
pub(crate) struct Generation {
    /// For which job: a service that keeps its answers by key gives the same one again.
    pub(crate) job: GenerationJobId,
    pub(crate) user: UserId,
    pub(crate) deck: DeckId,
    pub(crate) text: String,
    pub(crate) instructions: Option<String>,
    pub(crate) max_cards: u32,
    /// None for the one that is built into the service.
    pub(crate) prompt: Option<Prompt>,
}

/// Why the service gave no drafts.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GenerationError {
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("it did not answer in time")]
    Timeout,
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
    #[error("its answer ended in the middle")]
    Cut,
    #[error("it answered with status {0}")]
    Status(StatusCode),
    #[error("its answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    /// Only where it is wrong: the text of the error could repeat the answer.
    #[error("its answer is not what was agreed, in line {line} column {column}")]
    Malformed { line: usize, column: usize },
    #[error("the address leads into a private network, or its name is not known")]
    SourceRefused,
    #[error("what is at the address cannot be read")]
    SourceUnreadable,
    /// Whether it made something is unknown, and it may make it twice when it is asked again.
    #[error("the process was interrupted while the service was at work")]
    Interrupted,
}

/// A pool of connections to the service.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    timeout: Duration,
}

impl Client {
    pub(crate) fn new(settings: &GenerationSettings) -> Result<Self, Error> {
        let invalid = |message: String| Error::invalid("generation.url", message);
        let base = Url::parse(&settings.url)
            .map_err(|error| invalid(format!("{:?} is no address: {error}", settings.url)))?;
        if !matches!(base.scheme(), "http" | "https") || base.query().is_some() {
            let expected = "expected one such as http://127.0.0.1:8091";
            return Err(invalid(format!("{:?} is no address: {expected}", settings.url)));
        }
        let mut secret = HeaderValue::from_str(settings.secret.expose_secret()).map_err(|_| {
            Error::invalid("generation.secret", "must hold visible ASCII characters only")
        })?;
        secret.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(SECRET, secret)]))
            .timeout(settings.timeout)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| invalid(error.to_string()))?;
        Ok(Self { http, base, timeout: settings.timeout })
    }

    /// How long one generation may take.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    fn route(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(path);
        }
        url
    }

    /// Asks for drafts of a text; the answer comes by [`Drafts::next`].
    pub(crate) async fn generate(&self, wanted: &Generation) -> Result<Drafts, GenerationError> {
        let Generation { job, user, deck, text, instructions, max_cards, prompt } = wanted;
        let mut url = self.route("notes");
        url.query_pairs_mut().append_pair("userID", &user.to_string());
        // What follows `deck_id` are additions of our own service; the one that exists does not look at them.
        let mut body = json!({ "text": text, "deck_id": deck, "max_cards": max_cards });
        if let Some(instructions) = instructions {
            body["instructions"] = json!(instructions);
        }
        if let Some(prompt) = prompt {
            body["prompt"] = told(prompt);
        }
        let request = self.http.post(url).json(&body).header(ACCEPT, ACCEPTED);
        let response = send(request.header(IDEMPOTENCY_KEY, job.to_string())).await?;
        if response.status() != StatusCode::OK {
            return Err(GenerationError::Status(response.status()));
        }
        let content_type = response.headers().get(CONTENT_TYPE);
        let in_parts = content_type
            .and_then(|ty| ty.to_str().ok())
            .is_some_and(|ty| ty.split(';').next().is_some_and(|ty| ty.trim() == IN_PARTS));
        Ok(Drafts {
            response,
            in_parts,
            offsets: Offsets::of(text),
            max_cards: *max_cards as usize,
            buffer: Vec::new(),
            taken: 0,
            line: 0,
        })
    }

    /// Has the service end what it is at for a job, and forget what it made. One that knows no such thing goes on to its end.
    pub(crate) async fn call_off(
        &self,
        user: UserId,
        job: GenerationJobId,
    ) -> Result<(), GenerationError> {
        let request = self.http.delete(self.of(user, &["notes"])).timeout(CONNECT_TIMEOUT);
        send(request.header(IDEMPOTENCY_KEY, job.to_string())).await.map(drop)
    }

    /// Whether the service keeps its answers by key, so that it can be asked again for what it may have made already. One that says nothing of
    /// it does not. One that is being started again is waited for, as long as one generation may take.
    pub(crate) async fn keeps_answers(&self) -> bool {
        let started = Instant::now();
        loop {
            let request = self.http.get(self.route("health")).timeout(CONNECT_TIMEOUT);
            match send(request).await {
                Ok(response) => {
                    let Ok(answer) = response.json::<Value>().await else { return false };
                    return answer.get("keeps_answers") == Some(&Value::Bool(true));
                }
                Err(_) if started.elapsed() < self.timeout => {
                    tokio::time::sleep(RETRY_EVERY).await;
                }
                Err(_) => return false,
            }
        }
    }
}

/// An answer of the service that is being read.
#[derive(Debug)]
pub(crate) struct Drafts {
    response: Response,
    in_parts: bool,
    offsets: Offsets,
    max_cards: usize,
    buffer: Vec<u8>,
    /// How many bytes were taken from the buffer before those in it.
    taken: usize,
    line: usize,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Part {
    /// A draft, ahead of the whole.
    Proposal(Proposal),
    /// The whole, which is the last.
    Note(Note),
}

impl Drafts {
    /// Waits for what comes next. After a note there is nothing. Nothing is lost when it is not waited for to the end.
    pub(crate) async fn next(&mut self) -> Result<Part, GenerationError> {
        if !self.in_parts {
            while self.fill().await? {}
            let answer: Envelope<Data> = serde_json::from_slice(&self.buffer).map_err(malformed)?;
            return Ok(Part::Note(answer.data.into_note(&self.offsets, self.max_cards)));
        }
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                self.taken += line.len();
                self.line += 1;
                if let Some(part) = self.part(&line)? {
                    return Ok(part);
                }
            } else if !self.fill().await? {
                return Err(GenerationError::Cut);
            }
        }
    }

    /// What a line says, if it says anything that matters.
    fn part(&self, line: &[u8]) -> Result<Option<Part>, GenerationError> {
        let wrong = |error: serde_json::Error| GenerationError::Malformed {
            line: self.line,
            column: error.column(),
        };
        Ok(match serde_json::from_slice(line).map_err(wrong)? {
            Line::Card { card } => proposal(card, &self.offsets).map(Part::Proposal),
            Line::Wait => None,
            Line::Done { data } => Some(Part::Note(data.into_note(&self.offsets, self.max_cards))),
            Line::Error { status } => {
                let status = StatusCode::from_u16(status);
                return Err(GenerationError::Status(status.unwrap_or(StatusCode::BAD_GATEWAY)));
            }
        })
    }

    /// Reads on; answers whether there was anything. All in all up to [`MAX_ANSWER`].
    async fn fill(&mut self) -> Result<bool, GenerationError> {
        let chunk = self.response.chunk().await.map_err(GenerationError::from_transport)?;
        let Some(chunk) = chunk else { return Ok(false) };
        if self.taken + self.buffer.len() + chunk.len() > MAX_ANSWER {
            return Err(GenerationError::TooLong);
        }
        self.buffer.extend_from_slice(&chunk);
        Ok(true)
    }
}

/// A prompt in the service's form: what is absent is its own choice.
fn told(prompt: &Prompt) -> Value {
    let Parameters { model, temperature, top_p, frequency_penalty, presence_penalty } =
        &prompt.parameters;
    let parameters = [
        ("model", json!(model)),
        ("temperature", json!(temperature)),
        ("top_p", json!(top_p)),
        ("frequency_penalty", json!(frequency_penalty)),
        ("presence_penalty", json!(presence_penalty)),
        ("max_tokens", json!(prompt.max_tokens)),
    ];
    let given = parameters.into_iter().filter(|(_, value)| !value.is_null());
    let parameters: Map<_, _> = given.map(|(name, value)| (name.to_owned(), value)).collect();
    json!({ "name": prompt.name, "system_message": prompt.system_message, "parameters": parameters })
}

/// Sends a request; again when nobody listened, because then nothing of it arrived.
async fn send(request: RequestBuilder) -> Result<Response, GenerationError> {
    if !trace::is_on() {
        return send_again(request).await;
    }
    let span = tracing::info_span!("card-generation", otel.kind = "client");
    let parent = span.in_scope(trace::parent);
    let request = match parent {
        Some(parent) => request.header(trace::HEADER, parent),
        None => request,
    };
    send_again(request).instrument(span).await
}

async fn send_again(request: RequestBuilder) -> Result<Response, GenerationError> {
    let started = Instant::now();
    loop {
        // A request whose body is text can always be sent again.
        let again = request.try_clone();
        let result = match again {
            Some(again) => again.send().await,
            None => return request.send().await.map_err(GenerationError::from_transport),
        };
        match result {
            Err(error) if error.is_connect() && started.elapsed() < STARTING => {
                tokio::time::sleep(RETRY_EVERY).await;
            }
            result => return result.map_err(GenerationError::from_transport),
        }
    }
}

fn malformed(error: serde_json::Error) -> GenerationError {
    GenerationError::Malformed { line: error.line(), column: error.column() }
}

impl GenerationError {
    fn from_transport(error: reqwest::Error) -> Self {
        // The address holds the person's id, which has no place in a log line of this kind.
        let error = error.without_url();
        if error.is_connect() {
            Self::Unreachable(error)
        } else if error.is_timeout() {
            Self::Timeout
        } else {
            Self::Broken(error)
        }
    }

    /// Whether the service may have made the drafts all the same, and can be asked for them at once.
    pub(crate) const fn is_interruption(&self) -> bool {
        matches!(self, Self::Broken(_) | Self::Cut)
    }

    /// Whether it is certain that the service took nothing.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status(status) => status.is_client_error(),
            _ => false,
        }
    }

    /// What the job's owner is told.
    pub(crate) fn failure(&self) -> Failure {
        let (code, message) = match self {
            Self::Timeout | Self::Status(StatusCode::GATEWAY_TIMEOUT) => {
                ("GENERATION_TIMEOUT", "no cards came in time; try again, or with a shorter text")
            }
            Self::Unreachable(_)
            | Self::Status(
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::TOO_MANY_REQUESTS,
            ) => {
                ("GENERATION_UNAVAILABLE", "card generation is not available now; try again later")
            }
            Self::SourceRefused => (
                "GENERATION_SOURCE_REFUSED",
                "the address leads into a private network, or its name is not known",
            ),
            Self::SourceUnreadable => (
                "GENERATION_SOURCE_UNREADABLE",
                "there is no text to be had of this source: it is not there, not public, too large, or neither a page nor a PDF",
            ),
            Self::Interrupted => (
                "GENERATION_INTERRUPTED",
                "card generation was interrupted, and is not begun again by itself lest it be done twice; try again",
            ),
            Self::Broken(_)
            | Self::Cut
            | Self::Status(_)
            | Self::TooLong
            | Self::Malformed { .. } => {
                ("GENERATION_FAILED", "no cards could be made of this text")
            }
        };
        Failure { code: code.to_owned(), message: message.to_owned() }
    }
}
