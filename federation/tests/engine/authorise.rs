//! What viewers may not see: it is not fetched, it is null in the answer, and there is an error for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use federation::{
    Claims, ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, PathSegment, Prepared,
    Response, SubgraphSdl, Supergraph, Value, compose, execute, prepare,
};
use serde_json::json;

const SDL: &str = r#"
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", as: "fed", import: ["@authenticated", { name: "@requiresScopes", as: "@scoped" }, "@policy", "@cost", "@listSize"])

type Query {
  me: User
  open: Int
  users: [User!]
  nodes: [Node!]
  either: Either
  limited: Limited
  kept: Secret
}
type Mutation { touch: Receipt spend: Int @authenticated }
type User {
  id: ID!
  email: String @authenticated
  salary: Int! @scoped(scopes: [["hr", "read"], ["admin"]]) @cost(weight: 7)
  card: Card
}
type Card @policy(policies: [["pci"]]) { number: String }
interface Node { id: ID! note: String }
type Plain implements Node { id: ID! note: String }
type Guarded implements Node { id: ID! note: String @authenticated extra: Int }
union Either = Plain | Hidden
type Hidden @scoped(scopes: [["admin"]]) { id: ID! }
type Limited @scoped(scopes: []) { id: ID! }
scalar Secret @authenticated
type Receipt { number: Int @authenticated }
"#;

/// A subgraph that answers the same whatever it is asked, and notes what that was.
#[derive(Default)]
struct Fixed(Mutex<Vec<String>>);

impl Fetch for Fixed {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        self.0.lock().unwrap().push(request.document.to_string());
        let user = json!({ "id": "1", "email": "e", "salary": 5, "card": { "number": "4" } });
        let data = json!({
            "me": user,
            "open": 1,
            "users": [user, user],
            "nodes": [
                { "__typename": "Plain", "id": "p", "note": "n" },
                { "__typename": "Guarded", "id": "g", "note": "n", "extra": 2 },
            ],
            "either": { "__typename": "Plain", "id": "p" },
            "limited": { "id": "l" },
            "kept": "secret",
            "touch": { "number": 1 },
            "spend": 1,
        });
        let body = json!({ "data": data }).to_string();
        Ok(FetchResponse::Json(body.into_bytes().into()))
    }
}

fn supergraph() -> Arc<Supergraph> {
    let subgraph = SubgraphSdl { name: "a".into(), url: None, sdl: SDL.into() };
    let composition = compose(&[subgraph]).unwrap();
    Arc::new(Supergraph::parse(&composition.supergraph_sdl).unwrap())
}

fn claims(authenticated: bool, scopes: &[&str], policies: &[&str]) -> Claims {
    let set = |names: &[&str]| -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    };
    Claims { authenticated, scopes: set(scopes), policies: set(policies) }
}

/// The answer, and everything that was asked of the subgraph.
fn run(operation: &str, variables: serde_json::Value, claims: &Claims) -> (Response, String) {
    let prepared: Arc<Prepared> = Arc::new(prepare(&supergraph(), operation, None).unwrap());
    let prepared = prepared.authorise(claims).unwrap();
    let Value::Object(variables) = Value::from(variables) else { panic!("an object") };
    let variables = prepared.coerce(variables).unwrap();
    let fixed = Fixed::default();
    let response = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(execute(&prepared, variables, &ExecuteSettings::default(), &fixed))
        .unwrap();
    (response, fixed.0.into_inner().unwrap().join("\n"))
}

/// Data, paths of the errors (all of them for what may not be seen), and what was asked.
fn outcome(operation: &str, claims: &Claims) -> (String, Vec<String>, String) {
    let (response, asked) = run(operation, json!({}), claims);
    let paths = response.errors.iter().map(|error| {
        assert_eq!(
            error.extensions.get("code"),
            Some(&Value::String("UNAUTHORIZED_FIELD_OR_TYPE".into())),
            "{error:?}"
        );
        let keys = error.path.iter().map(|segment| match segment {
            PathSegment::Key(key) => key.to_string(),
            PathSegment::Index(index) => index.to_string(),
        });
        keys.collect::<Vec<_>>().join(".")
    });
    let paths = paths.collect();
    (String::from_utf8(response.data).unwrap(), paths, asked)
}

#[test]
fn what_may_not_be_seen_is_null_has_an_error_and_is_not_fetched() {
    let nobody = claims(false, &[], &[]);
    let somebody = claims(true, &[], &[]);
    for (operation, claims, data, errors, not_asked) in [
        (
            "{ open me { id email } }",
            &nobody,
            r#"{"open":1,"me":{"id":"1","email":null}}"#,
            &["me.email"][..],
            "email",
        ),
        (
            "{ open me { id email } }",
            &somebody,
            r#"{"open":1,"me":{"id":"1","email":"e"}}"#,
            &[],
            "salary",
        ),
        ("{ me { mail: email } }", &nobody, r#"{"me":null}"#, &["me.mail"], "me"),
        (
            "{ me { id salary } }",
            &claims(true, &["hr"], &[]),
            r#"{"me":null}"#,
            &["me.salary"],
            "salary",
        ),
        (
            "{ me { id salary } }",
            &claims(false, &["read", "hr"], &[]),
            r#"{"me":{"id":"1","salary":5}}"#,
            &[],
            "email",
        ),
        (
            "{ me { id salary } }",
            &claims(false, &["admin"], &[]),
            r#"{"me":{"id":"1","salary":5}}"#,
            &[],
            "email",
        ),
        (
            "{ users { id email } }",
            &nobody,
            r#"{"users":[{"id":"1","email":null},{"id":"1","email":null}]}"#,
            &["users.email"],
            "email",
        ),
        ("{ users { id salary } }", &nobody, r#"{"users":null}"#, &["users.salary"], "salary"),
        (
            "{ me { id card { number } } }",
            &somebody,
            r#"{"me":{"id":"1","card":null}}"#,
            &["me.card"],
            "card",
        ),
        (
            "{ me { id card { number } } }",
            &claims(false, &[], &["pci"]),
            r#"{"me":{"id":"1","card":{"number":"4"}}}"#,
            &[],
            "email",
        ),
        (
            "{ nodes { id note } }",
            &nobody,
            r#"{"nodes":[{"id":"p","note":null},{"id":"g","note":null}]}"#,
            &["nodes.note"],
            "note",
        ),
        (
            "{ nodes { id ... on Plain { note } } }",
            &nobody,
            r#"{"nodes":[{"id":"p","note":"n"},{"id":"g"}]}"#,
            &[],
            "extra",
        ),
        (
            "{ nodes { id ... on Guarded { note } } }",
            &nobody,
            r#"{"nodes":[{"id":"p"},{"id":"g","note":null}]}"#,
            &["nodes.note"],
            "note",
        ),
        (
            "{ either { ... on Plain { id } ... on Hidden { id } } }",
            &somebody,
            r#"{"either":{"id":"p"}}"#,
            &["either"],
            "Hidden",
        ),
        ("{ limited { id } }", &nobody, r#"{"limited":{"id":"l"}}"#, &[], "email"),
        ("{ open kept }", &nobody, r#"{"open":1,"kept":null}"#, &["kept"], "kept"),
        ("{ kept }", &nobody, r#"{"kept":null}"#, &["kept"], "kept"),
        ("mutation { touch { number } }", &nobody, r#"{"touch":null}"#, &["touch.number"], "touch"),
        (
            "mutation { touch { number } spend }",
            &somebody,
            r#"{"touch":{"number":1},"spend":1}"#,
            &[],
            "email",
        ),
        (
            "{ open ...F } fragment F on Query { me { email } kept }",
            &nobody,
            r#"{"open":1,"me":null,"kept":null}"#,
            &["me.email", "kept"],
            "email",
        ),
    ] {
        let (answered, paths, asked) = outcome(operation, claims);
        assert_eq!(answered, data, "{operation} as {claims:?}");
        assert_eq!(paths, errors, "{operation} as {claims:?}");
        assert!(!asked.contains(not_asked), "{operation} as {claims:?} asks\n{asked}");
    }
}

#[test]
fn what_is_skipped_is_not_refused() {
    let operation = "query ($with: Boolean!) { open me { id email @include(if: $with) } }";
    let nobody = Claims::default();
    let (response, _) = run(operation, json!({ "with": false }), &nobody);
    assert_eq!(response.data, br#"{"open":1,"me":{"id":"1"}}"#);
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    let (response, _) = run(operation, json!({ "with": true }), &nobody);
    assert_eq!(response.data, br#"{"open":1,"me":{"id":"1","email":null}}"#);
    assert_eq!(response.errors.len(), 1);
}

#[test]
fn an_interface_requires_what_its_implementations_do_also_in_supergraphs_that_do_not_say_so() {
    let sdl = compose(&[SubgraphSdl { name: "a".into(), url: None, sdl: SDL.into() }])
        .unwrap()
        .supergraph_sdl;
    let interface = sdl.find("interface Node").unwrap();
    let end = interface + sdl[interface..].find('}').unwrap();
    let older = format!(
        "{}{}{}",
        &sdl[..interface],
        sdl[interface..end].replace(" @authenticated", ""),
        &sdl[end..]
    );
    assert_ne!(older, sdl);
    let supergraph = Arc::new(Supergraph::parse(&older).unwrap());
    let prepared = Arc::new(prepare(&supergraph, "{ nodes { id note } }", None).unwrap());
    let plan = prepared.authorise(&Claims::default()).unwrap().plan().to_string();
    assert!(!plan.contains("note"), "{plan}");
}

#[test]
fn an_operation_that_requires_nothing_is_not_prepared_again() {
    let prepared = Arc::new(prepare(&supergraph(), "{ open limited { id } }", None).unwrap());
    assert!(prepared.is_open());
    assert!(Arc::ptr_eq(&prepared.authorise(&Claims::default()).unwrap(), &prepared));
}

#[test]
fn the_model_keeps_costs() {
    let supergraph = supergraph();
    let salary = &supergraph.costs().fields["User"]["salary"];
    assert_eq!(salary.weight, Some(7.0));
    assert_eq!(salary.list_size, None);
    assert!(supergraph.costs().types.is_empty());
}

#[test]
fn clients_see_no_trace_of_what_is_required() {
    let api = supergraph().api_sdl();
    for word in ["authenticated", "scoped", "policy", "cost", "Scope", "Policy", "join", "link"] {
        assert!(!api.contains(word), "{word} in\n{api}");
    }
}
