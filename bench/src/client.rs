//! A GraphQL client: one operation, its data, or what went wrong.

use serde_json::{Value, json};

use crate::Result;

pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(address: &str) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { http, url: format!("{address}/graphql"), token: None })
    }

    /// Makes an account and signs in.
    pub(crate) async fn sign_in(&mut self) -> Result<String> {
        self.sign_in_as("bench@spacey.example").await
    }

    /// The same for an account with another address.
    pub(crate) async fn sign_in_as(&mut self, email: &str) -> Result<String> {
        let account = json!({ "email": email, "password": "correct horse battery staple" });
        let mut new = account.clone();
        new["name"] = json!("Bench");
        let sign_up = "mutation ($input: SignUpInput!) { signUp(input: $input) { email } }";
        self.data(sign_up, json!({ "input": new })).await?;
        let log_in =
            "mutation ($input: LogInInput!) { logIn(input: $input) { accessToken user { id } } }";
        let data = self.data(log_in, json!({ "input": account })).await?;
        self.token = Some(data["logIn"]["accessToken"].as_str().ok_or("no token")?.to_owned());
        Ok(data["logIn"]["user"]["id"].as_str().ok_or("no user")?.to_owned())
    }

    /// What it signs in with.
    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The text of the answer.
    pub(crate) async fn text(&self, query: &str, variables: &Value) -> Result<String> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(&self.url).json(&body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.text().await?)
    }

    /// The `data` of the answer, which must hold no errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Result<Value> {
        Ok(self.answer(query, &variables).await?["data"].take())
    }

    /// The answer, which must hold no errors.
    pub(crate) async fn answer(&self, query: &str, variables: &Value) -> Result<Value> {
        let text = self.text(query, variables).await?;
        let answer: Value =
            serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
        match answer.get("errors") {
            Some(errors) => Err(format!("{errors}").into()),
            None => Ok(answer),
        }
    }
}
