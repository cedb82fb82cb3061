//! What a language model is told when it makes cards: one prompt, or several by name to choose from. Kept by config, used by card generation; both
//! read it by this one rule.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most characters of a name.
const MAX_NAME: usize = 100;
/// The most characters of a system message.
pub const MAX_SYSTEM_MESSAGE: usize = 10_000;
/// The most prompts to choose from.
const MAX_PROMPTS: usize = 20;
/// The most tokens that an answer may be allowed.
const MAX_TOKENS: u32 = 100_000;

/// A valid prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prompt {
    /// What those who administer call it: 1 to 100 characters.
    pub name: String,
    /// What the model is told to do: 1 to 10,000 characters. `{max_cards}` stands for the most cards.
    pub system_message: String,
    /// How the model answers; what is absent is the service's own choice.
    #[serde(default)]
    pub parameters: Parameters,
    /// The most tokens of an answer: 1 to 100,000. Absent for no limit but the model's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
}

/// How a model answers, as OpenAI's chat completions name and bound it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Parameters {
    /// The model's name: 1 to 100 letters, digits and `._:/-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// -2 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub presence_penalty: Option<f64>,
}

/// What is no prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidPrompt(String);

impl Prompt {
    /// Reads a prompt of the form `{"name": …, "systemMessage": …, "parameters": {…}, "maxTokens": …}`; the last two are optional.
    ///
    /// # Errors
    /// [`InvalidPrompt`] that says what is accepted.
    pub fn from_value(value: &Value) -> Result<Self, InvalidPrompt> {
        let prompt = Self::deserialize(value).map_err(|error| InvalidPrompt(error.to_string()))?;
        text("name", &prompt.name, MAX_NAME)?;
        text("systemMessage", &prompt.system_message, MAX_SYSTEM_MESSAGE)?;
        if prompt.max_tokens.is_some_and(|most| !(1..=MAX_TOKENS).contains(&most)) {
            return Err(InvalidPrompt(format!("maxTokens must be 1 to {MAX_TOKENS}")));
        }
        let Parameters { model, temperature, top_p, frequency_penalty, presence_penalty } =
            &prompt.parameters;
        if let Some(model) = model {
            text("parameters.model", model, MAX_NAME)?;
            let named = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
            if !model.bytes().all(named) {
                let accepted = "parameters.model must hold letters, digits and ._:/- only";
                return Err(InvalidPrompt(accepted.into()));
            }
        }
        for (name, value, least, most) in [
            ("temperature", temperature, 0.0, 2.0),
            ("topP", top_p, 0.0, 1.0),
            ("frequencyPenalty", frequency_penalty, -2.0, 2.0),
            ("presencePenalty", presence_penalty, -2.0, 2.0),
        ] {
            if value.is_some_and(|value| !(least..=most).contains(&value)) {
                return Err(InvalidPrompt(format!("parameters.{name} must be {least} to {most}")));
            }
        }
        Ok(prompt)
    }
}

/// Prompts to choose from: at least one, each with a name of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompts {
    default: Prompt,
    others: Vec<Prompt>,
}

/// Prompts as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    default: String,
    prompts: Vec<Value>,
}

impl Prompts {
    /// Reads prompts of the form `{"default": name, "prompts": [prompt, …]}`, 1 to 20 of them; or one prompt, which is then the only one.
    ///
    /// # Errors
    /// [`InvalidPrompt`] that says what is accepted, and of which prompt.
    pub fn from_value(value: &Value) -> Result<Self, InvalidPrompt> {
        if value.get("prompts").is_none() {
            return Ok(Self { default: Prompt::from_value(value)?, others: Vec::new() });
        }
        let Named { default, prompts } =
            Named::deserialize(value).map_err(|error| InvalidPrompt(error.to_string()))?;
        if !(1..=MAX_PROMPTS).contains(&prompts.len()) {
            return Err(InvalidPrompt(format!("prompts must have 1 to {MAX_PROMPTS} of them")));
        }
        let mut all: Vec<Prompt> = Vec::with_capacity(prompts.len());
        for (index, value) in prompts.iter().enumerate() {
            let of_it =
                |InvalidPrompt(reason)| InvalidPrompt(format!("prompts[{index}]: {reason}"));
            let prompt = Prompt::from_value(value).map_err(of_it)?;
            if all.iter().any(|other| other.name == prompt.name) {
                let accepted = "name must be another than those before";
                return Err(InvalidPrompt(format!("prompts[{index}]: {accepted}")));
            }
            all.push(prompt);
        }
        let Some(index) = all.iter().position(|prompt| prompt.name == default) else {
            return Err(InvalidPrompt("default must be the name of one of the prompts".into()));
        };
        Ok(Self { default: all.remove(index), others: all })
    }

    /// The one that is used when none is asked for.
    #[must_use]
    pub fn into_default(self) -> Prompt {
        self.default
    }

    /// The one with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Prompt> {
        self.all().find(|prompt| prompt.name == name)
    }

    /// All names, the default's first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|prompt| prompt.name.as_str())
    }

    fn all(&self) -> impl Iterator<Item = &Prompt> {
        std::iter::once(&self.default).chain(&self.others)
    }
}

fn text(name: &str, text: &str, most: usize) -> Result<(), InvalidPrompt> {
    if text.trim().is_empty() || text.chars().count() > most {
        return Err(InvalidPrompt(format!("{name} must have 1 to {most} characters")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_prompt_is_read_as_it_is_written() {
        let parameters = json!({ "model": "gpt-4o-mini", "temperature": 0.2, "topP": 1.0,
            "frequencyPenalty": -2.0, "presencePenalty": 2.0 });
        for value in [
            json!({ "name": "a", "systemMessage": "Make cards.", "parameters": {} }),
            json!({ "name": "a", "systemMessage": "é".repeat(10_000), "parameters": parameters,
                "maxTokens": 1 }),
        ] {
            let prompt = Prompt::from_value(&value).unwrap();
            assert_eq!(serde_json::to_value(prompt).unwrap(), value);
        }
    }

    #[test]
    fn what_is_no_prompt_is_refused_with_what_is_accepted() {
        let with = |member: &str, value: Value| {
            let mut prompt = json!({ "name": "a", "systemMessage": "b", "parameters": {} });
            match member.strip_prefix("parameters.") {
                Some(parameter) => prompt["parameters"][parameter] = value,
                None => prompt[member] = value,
            }
            prompt
        };
        for (value, said) in [
            (json!("Make cards."), "struct Prompt"),
            (json!({ "name": "a" }), "missing field `systemMessage`"),
            (with("name", json!(" ")), "name must have 1 to 100 characters"),
            (with("systemMessage", json!("x".repeat(10_001))), "1 to 10000 characters"),
            (with("maxTokens", json!(0)), "maxTokens must be 1 to 100000"),
            (with("maxTokens", json!(-1)), "integer"),
            (with("parameters.temperature", json!(2.1)), "parameters.temperature must be 0 to 2"),
            (with("parameters.topP", json!(-0.1)), "parameters.topP must be 0 to 1"),
            (with("parameters.presencePenalty", json!(3)), "must be -2 to 2"),
            (with("parameters.model", json!("a b")), "letters, digits"),
            (with("parameters.stream", json!(true)), "unknown field `stream`"),
            (with("messages", json!([])), "unknown field `messages`"),
        ] {
            let error = Prompt::from_value(&value).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn prompts_are_chosen_by_name_and_one_alone_is_the_default() {
        let prompt = |name: &str| json!({ "name": name, "systemMessage": "Make cards." });
        let alone = Prompts::from_value(&prompt("short")).unwrap();
        assert_eq!(alone.names().collect::<Vec<_>>(), ["short"]);
        assert_eq!(alone.clone().into_default(), *alone.named("short").unwrap());
        let all = json!({ "default": "long", "prompts": [prompt("short"), prompt("long")] });
        let all = Prompts::from_value(&all).unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["long", "short"]);
        assert_eq!(all.named("short").unwrap().name, "short");
        assert_eq!(all.named("Short"), None);
        assert_eq!(all.into_default().name, "long");
    }

    #[test]
    fn what_are_no_prompts_is_refused_with_what_is_accepted() {
        let prompt = |name: &str| json!({ "name": name, "systemMessage": "Make cards." });
        let many: Vec<_> = (0..21).map(|n| prompt(&n.to_string())).collect();
        for (value, said) in [
            (json!({ "default": "a", "prompts": [] }), "1 to 20"),
            (json!({ "default": "0", "prompts": many }), "1 to 20"),
            (json!({ "prompts": [prompt("a")] }), "missing field `default`"),
            (json!({ "default": "b", "prompts": [prompt("a")] }), "default must be the name"),
            (json!({ "default": "a", "prompts": [prompt("a"), prompt("a")] }), "prompts[1]: name"),
            (json!({ "default": "a", "prompts": [prompt("a"), {}] }), "prompts[1]: missing"),
            (json!({ "default": "a", "prompts": [prompt("a")], "x": 1 }), "unknown field `x`"),
            (json!({ "default": "a", "prompts": "a" }), "sequence"),
            (json!([]), "Prompt"),
        ] {
            let error = Prompts::from_value(&value).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
