//! Calling the Python service over HTTP. Its errors say what happened without a word of the text, which a body of the service may repeat.

use std::time::Duration;

use common::prompt::{Parameters, Prompt};
use common::{DeckId, Error, UserId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, Response, StatusCode, Url, redirect};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::GenerationSettings;
use crate::answer::{Answer, Note};

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

/// What is asked of the service.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) user: UserId,
    pub(crate) deck: DeckId,
    pub(crate) text: String,
    pub(crate) max_cards: usize,
    pub(crate) idempotency_key: Option<HeaderValue>,
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
    #[error("it answered with status {0}")]
    Status(StatusCode),
    #[error("its answer is longer than {MAX_ANSWER} bytes")]
    TooLong,
    /// Only where it is wrong: the text of the error could repeat the answer.
    #[error("its answer is not what was agreed, in line {line} column {column}")]
    Malformed { line: usize, column: usize },
    #[error("the idempotency key was used for another request")]
    KeyReused,
}

/// A pool of connections to the service.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    notes: Url,
}

impl Client {
    pub(crate) fn new(settings: &GenerationSettings) -> Result<Self, Error> {
        let invalid = |message: String| Error::invalid("generation.url", message);
        let mut notes = Url::parse(&settings.url)
            .map_err(|error| invalid(format!("{:?} is no address: {error}", settings.url)))?;
        if !matches!(notes.scheme(), "http" | "https") || notes.query().is_some() {
            let expected = "expected one such as http://127.0.0.1:8091";
            return Err(invalid(format!("{:?} is no address: {expected}", settings.url)));
        }
        if let Ok(mut segments) = notes.path_segments_mut() {
            segments.pop_if_empty().push("notes");
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
        Ok(Self { http, notes })
    }

    /// Makes drafts of a text.
    pub(crate) async fn generate(&self, wanted: &Generation) -> Result<Note, GenerationError> {
        let Generation { user, deck, text, max_cards, idempotency_key, prompt } = wanted;
        let mut url = self.notes.clone();
        url.query_pairs_mut().append_pair("userID", &user.to_string());
        // `max_cards` and `prompt` are additions of our own service; the one that exists does not look at them.
        let mut body = json!({ "text": text, "deck_id": deck, "max_cards": max_cards });
        if let Some(prompt) = prompt {
            body["prompt"] = told(prompt);
        }
        let mut request = self.http.post(url).json(&body);
        if let Some(key) = idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let response = send(request).await?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::CONFLICT if idempotency_key.is_some() => {
                return Err(GenerationError::KeyReused);
            }
            status => return Err(GenerationError::Status(status)),
        }
        let bytes = read(response).await?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| {
            GenerationError::Malformed { line: error.line(), column: error.column() }
        })?;
        Ok(answer.into_note(text, *max_cards))
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

/// Reads a body up to [`MAX_ANSWER`].
async fn read(mut response: Response) -> Result<Vec<u8>, GenerationError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(GenerationError::from_transport)? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(GenerationError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
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
}

impl From<GenerationError> for Error {
    fn from(error: GenerationError) -> Self {
        let unavailable = |code, message: &str| Self::Unavailable { code, message: message.into() };
        match error {
            GenerationError::KeyReused => Self::Conflict(
                "input.idempotencyKey was used for another text, deck or number of cards: use a new one".into(),
            ),
            GenerationError::Timeout | GenerationError::Status(StatusCode::GATEWAY_TIMEOUT) => unavailable(
                "GENERATION_TIMEOUT",
                "no cards came in time; try again, or with a shorter text",
            ),
            GenerationError::Unreachable(_)
            | GenerationError::Status(
                StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::TOO_MANY_REQUESTS,
            ) => unavailable("GENERATION_UNAVAILABLE", "card generation is not available now; try again later"),
            GenerationError::Broken(_)
            | GenerationError::Status(_)
            | GenerationError::TooLong
            | GenerationError::Malformed { .. } => {
                unavailable("GENERATION_FAILED", "no cards could be made of this text; nothing was stored")
            }
        }
    }
}
