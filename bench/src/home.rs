//! The one round trip of an app's first screen, 20 decks of 50 cards, through `spacey serve`: CPU a request against the floor's.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;
use crate::client::Client;
use crate::process::Server;

const DECKS: usize = 20;
const CARDS: usize = 50;
const ROUNDS: usize = 7;
const REQUESTS: u32 = 150;
const MOST: f64 = 2.0;

pub(crate) const HOME: &str = "query Home { viewer { id name decks(first: 20) { totalCount nodes { id name counts { new learning review } \
    recallScore retrievability cards(first: 50) { nodes { question answer state due retrievability } } } } \
    studyQueue(limit: 20) { card { id question } previews { rating interval due } } } config { frontend { deckColors } } }";

pub(crate) async fn run(spacey: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let spacey = Server::start(spacey, &["serve"], folder.path()).await?;
    let mut client = Client::new(&spacey.address)?;
    let user = client.sign_in().await?;
    seed(&client).await?;

    let own = std::env::current_exe()?;
    let data_dir = folder.path().to_str().ok_or("the folder's name is not UTF-8")?;
    let floor = Server::start(&own, &["floor", data_dir, &user], folder.path()).await?;
    let floor_client = Client::new(&floor.address)?;
    let bytes = same_answer(&client, &floor_client).await?;

    let mut ratios = Vec::with_capacity(ROUNDS);
    let mut costs = (Duration::ZERO, Duration::ZERO);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let ours = cost(&spacey, &client, &mut times).await?;
        let least = cost(&floor, &floor_client, &mut Vec::new()).await?;
        costs = (costs.0 + ours, costs.1 + least);
        ratios.push(ours.as_secs_f64() / least.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    times.sort_unstable();
    let requests = REQUESTS * u32::try_from(ROUNDS)?;
    let milliseconds = |total: Duration| (total / requests).as_secs_f64() * 1000.0;
    println!(
        "home: {DECKS} decks of {CARDS} cards, {bytes} bytes: CPU a request {:.2} ms, the floor's {:.2} ms",
        milliseconds(costs.0),
        milliseconds(costs.1)
    );
    println!(
        "home: ratio median {:.2}, {:.2} to {:.2} in {ROUNDS} rounds (target: at most {MOST})",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1]
    );
    println!(
        "home: time a request, one at a time: median {:.2} ms, 99th percentile {:.2} ms",
        times[times.len() / 2].as_secs_f64() * 1000.0,
        times[times.len() * 99 / 100].as_secs_f64() * 1000.0
    );
    floor.stop().await?;
    spacey.stop().await
}

/// Makes the decks; of each, a third of the cards is learned and a third in its steps.
async fn seed(client: &Client) -> Result<()> {
    for deck in 0..DECKS {
        let create =
            "mutation ($input: CreateDeckInput!) { createDeck(input: $input) { deck { id } } }";
        let data =
            client.data(create, json!({ "input": { "name": format!("Deck {deck}") } })).await?;
        let id = &data["createDeck"]["deck"]["id"];
        let card = |card| {
            json!({
                "question": format!("What is the answer to question {card} of deck {deck}, which is about as long as questions are?"),
                "answer": format!("It is the answer {card}, in a sentence of the usual length."),
            })
        };
        let cards: Vec<Value> = (0..CARDS).map(card).collect();
        let create =
            "mutation ($input: CreateCardsInput!) { createCards(input: $input) { cards { id } } }";
        let data =
            client.data(create, json!({ "input": { "deckId": id, "cards": cards } })).await?;
        let cards = data["createCards"]["cards"].as_array().ok_or("no cards")?;
        let review = |(place, card): (usize, &Value)| {
            json!({
                "id": uuid::Uuid::new_v4(),
                "cardId": card["id"],
                "rating": if place % 3 == 0 { "EASY" } else { "GOOD" },
                "reviewedAt": jiff::Timestamp::now().to_string(),
            })
        };
        let reviews: Vec<Value> =
            cards.iter().enumerate().filter(|(place, _)| place % 3 < 2).map(review).collect();
        let submit = "mutation ($input: SubmitReviewsInput!) { submitReviews(input: $input) { results { status } } }";
        client.data(submit, json!({ "input": { "reviews": reviews } })).await?;
    }
    Ok(())
}

/// Both must answer the same, but for the moments that previews count from now. Says how long the answer is.
async fn same_answer(spacey: &Client, floor: &Client) -> Result<usize> {
    let (ours, floors) =
        (spacey.text(HOME, &json!({})).await?, floor.text(HOME, &json!({})).await?);
    let timeless = |text: &str| -> Result<Value> {
        let mut answer: Value =
            serde_json::from_str(text).map_err(|error| format!("{error}: {text}"))?;
        let items = answer["data"]["viewer"]["studyQueue"].as_array_mut().ok_or(text.to_owned())?;
        for item in items {
            for preview in item["previews"].as_array_mut().into_iter().flatten() {
                preview["due"] = Value::Null;
            }
        }
        Ok(answer)
    };
    if timeless(&ours)? != timeless(&floors)? || ours.len() != floors.len() {
        return Err(format!("the answers differ:\n{ours}\n{floors}").into());
    }
    Ok(ours.len())
}

/// The CPU time of a round of requests.
async fn cost(server: &Server, client: &Client, times: &mut Vec<Duration>) -> Result<Duration> {
    let before = server.cpu()?;
    for _ in 0..REQUESTS {
        let started = Instant::now();
        client.text(HOME, &json!({})).await?;
        times.push(started.elapsed());
    }
    Ok(server.cpu()? - before)
}
