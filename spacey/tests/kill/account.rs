//! A person whose clients the loads are: signing up, asking in their name, and reading all they have.

use std::sync::{Arc, RwLock};
use std::time::Duration;

use common::UserId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::program::{Client, Lost};
use crate::seen::{Seen, id};

const PASSWORD: &str = "correct horse battery staple";
/// How large the pages are that the collection is read in.
const PAGE: usize = 400;

#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) user: UserId,
    email: String,
    /// Of the session that was begun last, for all clones.
    token: Arc<RwLock<String>>,
}

impl Account {
    pub(crate) async fn sign_up(client: &Client, nth: usize) -> Self {
        let email = format!("person{nth}@example.org");
        let sign_up = "mutation($input: SignUpInput!) { signUp(input: $input) { email } }";
        let input = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
        let answer = client.answer(None, sign_up, &json!({ "input": input })).await.unwrap();
        assert_eq!(answer.get("errors"), None, "{answer}");
        let nobody = UserId::from(Uuid::nil());
        let mut account = Self { user: nobody, email, token: Arc::default() };
        account.user = account.log_in(client).await;
        account
    }

    /// Begins another session: access tokens live shorter than the test.
    pub(crate) async fn log_in(&self, client: &Client) -> UserId {
        let log_in =
            "mutation($input: LogInInput!) { logIn(input: $input) { accessToken user { id } } }";
        let input = json!({ "email": self.email, "password": PASSWORD });
        let answer = client.answer(None, log_in, &json!({ "input": input })).await.unwrap();
        assert_eq!(answer.get("errors"), None, "{answer}");
        let login = &answer["data"]["logIn"];
        *self.token.write().unwrap() = login["accessToken"].as_str().unwrap().to_owned();
        id(&login["user"]["id"]).into()
    }

    /// The data of the answer. An answer with an error is one that nobody expects, but that another is faster.
    pub(crate) async fn ask(
        &self,
        client: &Client,
        query: &str,
        variables: &Value,
    ) -> Result<Value, Lost> {
        Ok(self.ask_unless(client, query, variables, "").await?.unwrap())
    }

    /// The same, but that it may be refused with this code: then there are no data.
    pub(crate) async fn ask_unless(
        &self,
        client: &Client,
        query: &str,
        variables: &Value,
        code: &str,
    ) -> Result<Option<Value>, Lost> {
        loop {
            let token = self.token.read().unwrap().clone();
            let mut answer = client.answer(Some(&token), query, variables).await?;
            let Some(errors) = answer.get("errors") else {
                return Ok(Some(answer["data"].take()));
            };
            if errors[0]["extensions"]["code"] == code {
                return Ok(None);
            }
            let others = errors[0]["message"].as_str().unwrap().contains("at this moment");
            assert!(others, "{errors} for {query} with {variables}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All that the graph shows of the person's collection.
    pub(crate) async fn read(&self, client: &Client) -> Seen {
        const DECKS: &str = "query($first: Int, $after: String) { viewer { list: decks(first: $first, after: $after) {
            nodes { id name description archived version cardCount parent { id } counts { total } } pageInfo { hasNextPage endCursor } } } }";
        const CARDS: &str = "query($query: String!, $first: Int, $after: String) {
            viewer { id } list: searchCards(query: $query, first: $first, after: $after) {
            totalCount nodes { id position ordinal state deck { id } note { id type version tags fields { value } } }
            pageInfo { hasNextPage endCursor } } }";
        const TRASH: &str = "query($first: Int, $after: String) { viewer { list: trash(first: $first, after: $after) {
            nodes { id title deckCount cardCount } pageInfo { hasNextPage endCursor } } } }";
        const TAGS: &str = "query($first: Int, $after: String) { viewer { list: tags(first: $first, after: $after) {
            nodes { name noteCount } pageInfo { hasNextPage endCursor } } } }";
        let mut seen = Seen::default();
        for deck in self.pages(client, DECKS).await {
            seen.put_deck(&deck);
        }
        for card in self.pages(client, CARDS).await {
            seen.put_card(&card);
        }
        for entry in self.pages(client, TRASH).await {
            let title = entry["title"].as_str().unwrap();
            let counts = [&entry["deckCount"], &entry["cardCount"]].map(|n| n.as_u64().unwrap());
            let known = seen.trash.insert(title.to_owned(), (id(&entry["id"]), counts));
            assert!(known.is_none(), "{title} lies in the trash twice");
        }
        for tag in self.pages(client, TAGS).await {
            let notes = tag["noteCount"].as_u64().unwrap();
            seen.tags.insert(tag["name"].as_str().unwrap().to_owned(), notes);
        }
        seen.check();
        seen
    }

    /// All nodes of the list.
    pub(crate) async fn pages(&self, client: &Client, query: &str) -> Vec<Value> {
        let mut nodes = Vec::new();
        let mut after = Value::Null;
        loop {
            let variables = json!({ "query": "", "first": PAGE, "after": after });
            let mut data = self.ask(client, query, &variables).await.unwrap();
            let mut list = data["list"].take();
            if list.is_null() {
                list = data["viewer"]["list"].take();
            }
            nodes.extend(list["nodes"].as_array().unwrap().iter().cloned());
            if list["pageInfo"]["hasNextPage"] == false {
                return nodes;
            }
            after = list["pageInfo"]["endCursor"].take();
        }
    }
}
