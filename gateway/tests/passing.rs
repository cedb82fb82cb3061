//! What passes between clients and plain subgraphs through the router: headers, errors, and how an operation was run.

#![expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]

mod support;

use std::time::Duration;

use gateway::{
    DeveloperSettings, EndToEndHeader, ErrorSettings, GatewaySettings, HeaderMatch, HeaderPattern,
    HeaderRules, Merge, RequestRule, ResponseRule, RetrySettings, SubgraphSettings, Transport,
};
use serde_json::{Value, json};
use support::misbehaving::{Act, Misbehaving, json};
use support::plain::{Received, gateway, graphql, run, with_reviews_at};
use support::{Library, endpoints, library};

fn name(name: &str) -> HeaderMatch {
    HeaderMatch::Name(EndToEndHeader::new(name).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_go_along_as_the_rules_say() {
    let pattern = HeaderMatch::Pattern(HeaderPattern::new("x-.*").unwrap());
    let propagate = |which| RequestRule::Propagate { which, rename: None, default: None };
    let headers = HeaderRules {
        request: vec![propagate(name("authorization")), propagate(pattern)],
        response: vec![
            ResponseRule { which: name("set-cookie"), merge: Merge::Append },
            ResponseRule { which: name("x-other"), merge: Merge::First },
        ],
    };
    let received = Received::default();
    let address = graphql(library::reviews(), received.clone()).await;
    let settings = SubgraphSettings { headers, ..SubgraphSettings::default() };
    let transports = with_reviews_at(&address, &settings);
    let router = gateway(transports, GatewaySettings::default()).router();

    let sent = [("authorization", "Bearer t"), ("x-tenant", "7"), ("cookie", "a=b")];
    let answer = run(&router, "mutation { signIn }", &sent).await;
    let (headers, _) = received.all().remove(0);
    assert_eq!(
        (&headers["authorization"], &headers["x-tenant"]),
        (&"Bearer t".parse().unwrap(), &"7".parse().unwrap())
    );
    assert!(!headers.contains_key("cookie"));
    assert_eq!(headers["content-type"], "application/json");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["one=1; HttpOnly", "two=2; Path=/"]);
    assert_eq!(answer.header("x-other"), "not for clients");
    assert!(answer.header("content-type").starts_with("application/json"));
}

const FAILING: Act = json(
    r#"{"data":{"viewer":null},"errors":[{"message":"SELECT * FROM users","path":["viewer"],
        "extensions":{"code":"BROKEN","stack":"at x.js:1","retry":true}}]}"#,
);

async fn failing(settings: GatewaySettings, subgraph: SubgraphSettings) -> Value {
    let fixture = Misbehaving::start(&[FAILING]).await;
    let transports = with_reviews_at(&fixture.address, &subgraph);
    let answer = run(&gateway(transports, settings).router(), "{ viewer }", &[]).await.json();
    assert_eq!(
        (&answer["data"], &answer["errors"][0]["path"]),
        (&json!({ "viewer": null }), &json!(["viewer"]))
    );
    answer["errors"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_subgraphs_say_is_masked_unless_they_are_trusted_with_it() {
    let shown =
        json!({ "code": "BROKEN", "stack": "at x.js:1", "retry": true, "service": "reviews" });

    let error = failing(GatewaySettings::default(), SubgraphSettings::default()).await;
    assert_eq!(error["message"], "the subgraph answered with an error");
    assert_eq!(error["extensions"], json!({ "code": "BROKEN", "service": "reviews" }));

    let errors =
        ErrorSettings { allowed_extensions: vec!["retry".into()], ..ErrorSettings::default() };
    let settings = GatewaySettings { errors, ..GatewaySettings::default() };
    let error = failing(settings, SubgraphSettings::default()).await;
    assert_eq!(error["extensions"], json!({ "retry": true, "service": "reviews" }));

    let trusted = SubgraphSettings { errors_shown: true, ..SubgraphSettings::default() };
    let error = failing(GatewaySettings::default(), trusted).await;
    assert_eq!((&error["message"], &error["extensions"]), (&json!("SELECT * FROM users"), &shown));

    let errors = ErrorSettings { masked: false, ..ErrorSettings::default() };
    let settings = GatewaySettings { errors, ..GatewaySettings::default() };
    let error = failing(settings, SubgraphSettings::default()).await;
    assert_eq!((&error["message"], &error["extensions"]), (&json!("SELECT * FROM users"), &shown));
}

#[tokio::test]
async fn our_own_subgraphs_and_the_engine_are_never_masked() {
    let library = Library::new();
    let answer = library.run("{ fails }", json!({})).await;
    assert_eq!((answer.message().as_str(), answer.code().as_str()), ("no such luck", "NO_LUCK"));
    assert_eq!(answer.json()["errors"][0]["extensions"]["tries"], 3);

    let transports = with_reviews_at("http://127.0.0.1:1", &SubgraphSettings::default());
    let router = gateway(transports, GatewaySettings::default()).router();
    assert!(run(&router, "{ viewer }", &[]).await.message().contains("could not be reached"));
}

const EXPLAIN: [(&str, &str); 1] = [("x-spacey-explain", "1")];

#[tokio::test(flavor = "multi_thread")]
async fn developers_are_told_how_an_operation_was_run() {
    let settings = developers();
    let address = graphql(library::reviews(), Received::default()).await;
    let transports = with_reviews_at(&address, &SubgraphSettings::default());
    let router = gateway(transports, settings).router();

    let query = "{ books(first: 4) { rating author { name } } }";
    let plain = run(&router, query, &[]).await;
    let explained = run(&router, query, &EXPLAIN).await.json();
    assert_eq!(plain.json()["data"], explained["data"]);
    assert_eq!(plain.json().get("extensions"), None);

    let plan = &explained["extensions"]["plan"];
    assert!(plan["text"].as_array().unwrap().len() > 3, "{plan}");
    let fetches = plan["fetches"].as_array().unwrap();
    let of = |name: &str| fetches.iter().find(|fetch| fetch["subgraph"] == name).unwrap();
    assert_eq!(fetches.len(), 3);
    assert_eq!((&of("books")["entities"], &of("reviews")["entities"]), (&Value::Null, &json!(4)));
    assert_eq!(of("books")["responseSize"], Value::Null, "it runs in this process");
    assert!(of("reviews")["responseSize"].as_u64().unwrap() > 10);
    assert!(of("reviews")["requestSize"].as_u64().unwrap() > 10);
    assert!(of("reviews")["document"].as_str().unwrap().contains("_entities"));
    let time = |fetch: &Value, name: &str| fetch[name].as_f64().unwrap();
    let books = of("books");
    assert!(time(of("reviews"), "started") >= time(books, "started") + time(books, "took"));
    assert_eq!((&books["attempts"], &of("reviews")["attempts"]), (&Value::Null, &json!(1)));
    let mut ids: Vec<_> = fetches.iter().map(|fetch| fetch["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, [0, 1, 2]);
}

fn developers() -> GatewaySettings {
    let developer = DeveloperSettings { explain: true, ..DeveloperSettings::default() };
    GatewaySettings { developer, ..GatewaySettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_told_how_often_a_request_was_sent_also_when_it_failed() {
    let retry =
        RetrySettings { most: 2, wait: Duration::from_millis(1), ..RetrySettings::default() };
    let settings = SubgraphSettings { retry: Some(retry), ..SubgraphSettings::default() };
    for (script, attempts) in [
        (&[Act::Cut, json(r#"{"data":{"viewer":"Ada"}}"#)][..], 2),
        (&[Act::Cut], 3),
        (&[json("nonsense")], 1),
    ] {
        let fixture = Misbehaving::start(script).await;
        let router = gateway(with_reviews_at(&fixture.address, &settings), developers()).router();
        let answer = run(&router, "{ viewer }", &EXPLAIN).await.json();
        let fetch = &answer["extensions"]["plan"]["fetches"][0];
        assert_eq!((&fetch["attempts"], fixture.requests()), (&json!(attempts), attempts));
        let is_error = attempts == 3;
        assert_eq!(fetch["error"].is_string(), is_error, "{fetch}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_that_is_told_is_the_one_that_was_run() {
    let router =
        gateway(with_reviews_at("http://127.0.0.1:1", &SubgraphSettings::default()), developers())
            .router();
    let operation =
        "query Q($rated: Boolean = false) { books(first: 2) { id rating @include(if: $rated) } }";
    let answer = run(&router, operation, &EXPLAIN).await.json();
    let plan = &answer["extensions"]["plan"];
    assert!(!plan["text"].to_string().contains("reviews"), "{plan}");
    assert_eq!(plan["fetches"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_in_parts_tells_it_with_the_last() {
    let address = graphql(library::reviews(), Received::default()).await;
    let transports = with_reviews_at(&address, &SubgraphSettings::default());
    let router = gateway(transports, developers()).router();
    let query = "{ books(first: 2) { id ... @defer { rating } } }";
    for (accept, separator) in [
        ("multipart/mixed", "\r\n\r\n"),
        ("multipart/mixed;deferSpec=20220824", "\r\n\r\n"),
        ("text/event-stream", "data: "),
    ] {
        let text = run(&router, query, &[("accept", accept), EXPLAIN[0]]).await.text();
        let parts: Vec<_> = text.split(separator).filter(|part| part.starts_with("{\"")).collect();
        let (last, before) = parts.split_last().unwrap();
        assert!(before.iter().all(|part| !part.contains("extensions")), "{text}");
        let last: Value = serde_json::from_str(last.split(['\r', '\n']).next().unwrap()).unwrap();
        let plan = &last["extensions"]["plan"];
        assert_eq!(last["hasNext"], false, "{text}");
        assert!(plan["text"].to_string().contains("Deferred"), "{text}");
        let subgraphs: Vec<_> =
            plan["fetches"].as_array().unwrap().iter().map(|fetch| &fetch["subgraph"]).collect();
        assert_eq!(subgraphs, ["books", "reviews"], "what came before is told too");
    }
}

#[tokio::test]
async fn each_event_tells_what_it_took() {
    let (endpoints, _) = endpoints();
    let transports = endpoints.into_iter().map(Transport::InProcess).collect();
    let router = gateway(transports, developers()).router();
    let query = "subscription { added(count: 2) { id rating } }";
    let headers = [("accept", "text/event-stream"), EXPLAIN[0]];
    let text = run(&router, query, &headers).await.text();
    let data = text.lines().filter_map(|line| line.strip_prefix("data: {"));
    let fetched: Vec<Vec<String>> = data
        .map(|json| {
            let event: Value = serde_json::from_str(&format!("{{{json}")).unwrap();
            let fetches = event["extensions"]["plan"]["fetches"].as_array().unwrap().clone();
            fetches.iter().map(|fetch| fetch["subgraph"].as_str().unwrap().to_owned()).collect()
        })
        .collect();
    assert_eq!(fetched, [vec!["books", "reviews"], vec!["reviews"]], "the opening counts once");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_nobody_is_told() {
    let address = graphql(library::reviews(), Received::default()).await;
    let transports = with_reviews_at(&address, &SubgraphSettings::default());
    let router = gateway(transports, GatewaySettings::default()).router();
    assert_eq!(run(&router, "{ viewer }", &EXPLAIN).await.json().get("extensions"), None);
}
