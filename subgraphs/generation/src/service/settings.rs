//! What config says of card generation, within what is built in.

use common::Error;
use common::prompt::{Prompt, Prompts};
use common::service_config::ServiceValues;
use serde_json::Value;

use super::Service;
use crate::model::{MAX_CARDS, MAX_TEXT};

/// What is generated at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Characters of a text.
    pub text: u32,
    /// Cards of a text.
    pub cards: u32,
}

impl Limits {
    /// What config says, but never more than what is built in.
    pub(super) fn of(config: &ServiceValues) -> Self {
        let limit = |key: &str, most: u32| {
            let configured = config.get(key).and_then(Value::as_u64);
            configured.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(most).clamp(1, most)
        };
        Self {
            text: limit("generationTextLength", MAX_TEXT),
            cards: limit("generationCards", MAX_CARDS),
        }
    }
}

impl Service {
    /// What is generated at most.
    pub async fn limits(&self) -> Limits {
        Limits::of(&*self.config.current().await)
    }
}

fn prompts(config: &ServiceValues) -> Option<Prompts> {
    Prompts::from_value(config.get("cardPrompt")?)
        .inspect_err(|error| tracing::warn!("the built-in prompt is used: {error}"))
        .ok()
}

/// The prompt with the name that is asked for, else the default of those in config; none for the one that is built into the service.
pub(super) fn prompt(
    config: &ServiceValues,
    wanted: Option<&str>,
) -> Result<Option<Prompt>, Error> {
    let prompts = prompts(config);
    let Some(name) = wanted else { return Ok(prompts.map(Prompts::into_default)) };
    if !config.are_known() {
        let message = "prompts cannot be chosen now: try again later, or ask for none".into();
        return Err(Error::Unavailable { code: "GENERATION_UNAVAILABLE", message });
    }
    if let Some(prompt) = prompts.as_ref().and_then(|prompts| prompts.named(name)) {
        return Ok(Some(prompt.clone()));
    }
    let names = prompts.iter().flat_map(Prompts::names).map(|name| format!("{name:?}"));
    let names = names.collect::<Vec<_>>().join(", ");
    let accepted = if names.is_empty() {
        "there are none to choose from: leave it out".to_owned()
    } else {
        format!("{names} are accepted")
    };
    Err(Error::invalid("input.prompt", format!("there is no such prompt: {accepted}")))
}

/// The prompt of a job that was asked for with a name: the default, when there is none of that name any more.
pub(super) fn prompt_of_job(config: &ServiceValues, name: Option<&str>) -> Option<Prompt> {
    let prompts = prompts(config)?;
    let named = name.and_then(|name| prompts.named(name)).cloned();
    Some(named.unwrap_or_else(|| prompts.into_default()))
}
