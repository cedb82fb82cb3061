//! A job of card generation goes on wherever it was, whichever process is killed (SIGKILL): the gateway, the generation subgraph, the Python service, or
//! several at once, at each step of the job. It makes its drafts once, is there once for its key, and costs what it costs: one that fails, nothing.

mod accepted;
mod model;
mod services;
mod tap;

use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::Server;
use crate::stores::database;
use model::{Model, SENTENCES, Until};
use services::Service::{self, Decks, Gateway, Generation, Python};
use services::Services;
use tap::Events;

/// Whose jobs they are: address and password.
const PERSON: (&str, &str) = ("ada@example.org", "correct horse battery staple");
/// The points of a job of 50 drafts, and those of an allowance.
const PRICE: u64 = 60;
const FULL: u64 = 3_000;
/// How long a job may take to its end.
const PATIENCE: Duration = Duration::from_secs(180);

/// At which step of a job something is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Waiting,
    Reading,
    Asking,
    Drafting,
}

/// The graph, as the person sees it.
struct Person {
    http: reqwest::Client,
    url: String,
    token: String,
    deck: String,
}

impl Person {
    async fn log_in(services: &Services) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/graphql", services.url(Gateway));
        let mut person = Self { http, url, token: String::new(), deck: String::new() };
        let log_in = "mutation($input: LogInInput!) { logIn(input: $input) { accessToken } }";
        let input = json!({ "input": { "email": PERSON.0, "password": PERSON.1 } });
        let data = person.ask(log_in, input).await.unwrap();
        person.token = data["logIn"]["accessToken"].as_str().unwrap().to_owned();
        let create = "mutation { createDeck(input: { name: \"Biology\" }) { deck { id } } }";
        let data = person.ask(create, json!({})).await.unwrap();
        person.deck = data["createDeck"]["deck"]["id"].as_str().unwrap().to_owned();
        person
    }

    /// The data of an answer; none when there is no answer, or an error, as may be while something is down.
    async fn ask(&self, query: &str, variables: Value) -> Result<Value, String> {
        let body = json!({ "query": query, "variables": variables });
        let mut request = self.http.post(&self.url).json(&body).timeout(Duration::from_secs(30));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        match answer.get("errors") {
            Some(errors) => Err(errors.to_string()),
            None => Ok(answer["data"].take()),
        }
    }

    async fn start(&self, key: &str, source: Value) -> Result<String, String> {
        let generate =
            "mutation($input: GenerateCardsInput!) { generateCards(input: $input) { job { id } } }";
        let input =
            json!({ "deckId": self.deck, "source": source, "maxCards": 50, "idempotencyKey": key });
        let data = self.ask(generate, json!({ "input": input })).await?;
        Ok(data["generateCards"]["job"]["id"].as_str().unwrap().to_owned())
    }

    /// The job as soon as `is_so`; what is down is waited for.
    async fn job_when(&self, id: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let document = "query($id: ID!) { generationJob(id: $id) { state step points refunded failure { code } drafts { question } } }";
        let began = Instant::now();
        loop {
            let seen = self.ask(document, json!({ "id": id })).await;
            if let Ok(data) = &seen
                && is_so(&data["generationJob"])
            {
                return data["generationJob"].clone();
            }
            assert!(began.elapsed() < PATIENCE, "{seen:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn points(&self) -> u64 {
        let data = self.ask("{ generationAllowance { points } }", json!({})).await.unwrap();
        data["generationAllowance"]["points"].as_u64().unwrap()
    }

    /// The bytes of a content's file, by its address.
    async fn file(&self, services: &Services, content: &str) -> String {
        let document = "query($id: ID!) { content(id: $id) { file { url } } }";
        let data = self.ask(document, json!({ "id": content })).await.unwrap();
        let path = data["content"]["file"]["url"].as_str().unwrap();
        let url = format!("{}{path}", services.url(Gateway));
        let answer = self.http.get(url).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/pdf");
        answer.text().await.unwrap()
    }

    /// Uploads a PDF and waits until it is read.
    async fn content(&self) -> String {
        let query = "mutation($file: Upload!) { addContent(input: { source: { file: $file } }) { content { id } } }";
        let operations = json!({ "query": query, "variables": { "file": null } });
        let boundary = "boundary";
        let part = |name: &str, value: &str| {
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"{value}\r\n")
        };
        let body = [
            part("operations", &format!("\r\n\r\n{operations}")),
            part("map", "\r\n\r\n{\"0\": [\"variables.file\"]}"),
            part(
                "0",
                &format!("; filename=\"a.pdf\"\r\ncontent-type: application/pdf\r\n\r\n{PDF}"),
            ),
            format!("--{boundary}--\r\n"),
        ]
        .concat();
        let request = self.http.post(&self.url).bearer_auth(&self.token).body(body);
        let request = request
            .header("content-type", format!("multipart/form-data; boundary={boundary}"))
            .header("apollo-require-preflight", "1");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let id = answer["data"]["addContent"]["content"]["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        let status = "query($id: ID!) { content(id: $id) { status problem } }";
        loop {
            let data = self.ask(status, json!({ "id": id })).await.unwrap();
            match data["content"]["status"].as_str().unwrap() {
                "PROCESSED" => return id,
                "PROCESSING" => tokio::time::sleep(Duration::from_millis(20)).await,
                _ => panic!("{data}"),
            }
        }
    }
}

/// A PDF with both sentences. Its table of places is absent: it is read all the same.
const PDF: &str = "%PDF-1.4
1 0 obj
<< /Type /Catalog /Pages 2 0 R >>
endobj
2 0 obj
<< /Type /Pages /Kids [3 0 R] /Count 1 >>
endobj
3 0 obj
<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 200] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>
endobj
4 0 obj
<< /Length 61 >>
stream
BT /F1 12 Tf 20 100 Td (Water is wet. Fire is hot.) Tj ET    
endstream
endobj
5 0 obj
<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>
endobj
trailer
<< /Size 6 /Root 1 0 R >>
startxref
0
%%EOF
";

struct World {
    services: Services,
    model: Model,
    person: Person,
    content: String,
    /// What the jobs cost so far.
    paid: u64,
    server: Option<Server>,
}

impl World {
    /// Starts all, on files where there is no server.
    async fn start(server: Option<Server>) -> Self {
        let store =
            server.iter().map(|server| ("MONGO_DB_CONNECTION", server.uri.clone())).collect();
        drop(rustls::crypto::ring::default_provider().install_default());
        let model = Model::listen().await;
        let services = Services::start(model.url.clone(), store).await;
        let person = Person::log_in(&services).await;
        let content = person.content().await;
        assert_eq!(person.file(&services, &content).await, PDF);
        Self { services, model, person, content, paid: 0, server }
    }

    fn text() -> Value {
        json!({ "text": SENTENCES.join(" ") })
    }

    /// Starts them again. The jobs of a killed process are free for the next one: with MongoDB another may be at work on them, so that they are waited
    /// for until the lease is over, which is spared here.
    async fn restart(&mut self, victims: &[Service]) {
        if let (Some(server), true) = (&self.server, victims.contains(&Generation)) {
            let jobs = database(server, "generation").await.collection::<Document>("jobs");
            let free = doc! { "$unset": { "worker": "", "lease": "" } };
            jobs.update_many(doc! { "lease": { "$exists": true } }, free).await.unwrap();
        }
        self.services.restart(victims).await;
    }

    /// Kills processes when a job is at a step, starts them again, and looks that it ends well.
    async fn survives(&mut self, at: At, victims: &[Service]) {
        let key = Uuid::new_v4().to_string();
        let before = self.model.asked();
        self.model.goes(if at == At::Drafting { Until::FirstCard } else { Until::Nothing });
        // Two of one person run at a time: a third one waits.
        let mut ahead = Vec::new();
        if at == At::Waiting {
            for _ in 0..2 {
                let id =
                    self.person.start(&Uuid::new_v4().to_string(), Self::text()).await.unwrap();
                self.person.job_when(&id, |job| job["step"] == "ASKING").await;
                ahead.push(id);
            }
        }
        let source = match at {
            At::Reading => {
                self.services.freeze(Python, true);
                json!({ "contentId": self.content })
            }
            At::Waiting | At::Asking | At::Drafting => Self::text(),
        };
        let id = self.person.start(&key, source.clone()).await.unwrap();
        let step = format!("{at:?}").to_uppercase();
        self.person.job_when(&id, |job| job["step"] == *step).await;
        // It is said before the model is asked, which has to have happened here.
        let asked = if at == At::Waiting { 2 } else { 1 };
        while at != At::Reading && self.model.asked() < before + asked {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.services.kill(victims).await;
        if at == At::Reading && !victims.contains(&Python) {
            self.services.freeze(Python, false);
        }
        self.restart(victims).await;
        self.model.goes(Until::End);
        ahead.push(id.clone());
        for job in &ahead {
            let job = self.person.job_when(job, |job| job["step"] == "DONE").await;
            let what = format!("{at:?} {victims:?}: {job}");
            assert_eq!(
                (&job["state"], &job["refunded"]),
                (&json!("READY"), &json!(false)),
                "{what}"
            );
            let questions = SENTENCES.map(|sentence| json!({ "question": format!("{sentence}?") }));
            assert_eq!(job["drafts"], json!(questions), "{what}");
        }
        assert_eq!(self.person.start(&key, source).await.unwrap(), id, "the key is still known");
        self.paid += PRICE * ahead.len() as u64;
        self.is_paid(at, victims).await;
        // Only a service that was itself at work on it asks its model again.
        let again = if victims.contains(&Python) && at != At::Reading { asked } else { 0 };
        let jobs = ahead.len();
        assert!(self.model.asked() - before <= jobs + again, "{at:?} {victims:?}: asked too often");
    }

    /// A job whose model fails after a kill gives its points back, once.
    async fn fails(&mut self, victims: &[Service]) {
        self.model.goes(Until::Nothing);
        let key = Uuid::new_v4().to_string();
        let id = self.person.start(&key, Self::text()).await.unwrap();
        self.person.job_when(&id, |job| job["step"] == "ASKING").await;
        self.services.kill(victims).await;
        self.restart(victims).await;
        self.model.goes(Until::Failure);
        let job = self.person.job_when(&id, |job| job["step"] == "DONE").await;
        assert_eq!((&job["state"], &job["refunded"]), (&json!("FAILED"), &json!(true)), "{job}");
        self.is_paid(At::Asking, victims).await;
        // Neither does another kill of what has given it back.
        self.services.kill(&[Generation]).await;
        self.services.restart(&[Generation]).await;
        self.is_paid(At::Asking, victims).await;
    }

    /// Of fifty calls at once with one key there is one job, which is paid once.
    async fn makes_one_job_of_a_key(&mut self) {
        self.model.goes(Until::End);
        let key = Uuid::new_v4().to_string();
        let calls = (0..50).map(|_| self.person.start(&key, Self::text()));
        let ids = futures::future::join_all(calls).await;
        assert!(ids.iter().all(|id| id.is_ok() && *id == ids[0]), "{ids:?}");
        let id = ids[0].clone().unwrap();
        let before = self.model.asked();
        self.person.job_when(&id, |job| job["state"] == "READY").await;
        assert!(self.model.asked() <= before + 1);
        self.paid += PRICE;
        self.is_paid(At::Asking, &[]).await;
    }

    /// What is left is what was paid, but for what is given anew meanwhile: 3,000 a day, so less than one point in 28 seconds.
    async fn is_paid(&self, at: At, victims: &[Service]) {
        let left = self.person.points().await;
        let spent = FULL.saturating_sub(left);
        assert!(
            spent <= self.paid && self.paid - spent < PRICE,
            "{at:?} {victims:?}: {spent} of {}",
            self.paid
        );
    }
}

/// Kills each of them at each step, the same on each store.
async fn survives_each_kill_at_each_step(mut world: World) {
    world.makes_one_job_of_a_key().await;
    for at in [At::Waiting, At::Reading, At::Asking, At::Drafting] {
        for victims in [
            &[Gateway][..],
            &[Generation],
            &[Python],
            &[Generation, Python],
            &[Gateway, Generation, Python],
        ] {
            world.survives(at, victims).await;
        }
    }
    for events in [Events::AreLost, Events::AreNotAnswered] {
        for victims in [&[Generation][..], &[Decks], &[Generation, Decks], &[Gateway, Generation]] {
            world.keeps_what_is_accepted(events, victims).await;
        }
    }
    world.fails(&[Generation]).await;
    world.fails(&[Python]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_survives_each_kill_at_each_step_in_sqlite() {
    survives_each_kill_at_each_step(World::start(None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_survives_each_kill_at_each_step_in_mongodb() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    survives_each_kill_at_each_step(World::start(Some(server)).await).await;
}
