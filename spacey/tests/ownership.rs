//! Nobody learns of another person's things, and nobody changes them: every query field, every mutation, every field that takes an id, and
//! every entity of every subgraph is called with somebody else's ids, as another person and as nobody.
//!
//! What there is to call is read off the composed schema. A field without an entry in the table fails the test: whoever adds one says here how
//! it is called.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod ownership_graph;
mod ownership_table;

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    ConstDirective, FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, Value as ConstValue};
use ownership_graph::{Graph, SECRET, Who, masked};
use ownership_table::{collections, generation, learning, sharing, transfers};
use serde_json::Value;

/// How a field is called, and what the answer must be. In the documents `{deck}` and the like stand for what is Ada's, `{my_deck}` for what is Eve's.
enum Rule {
    /// It is for everybody and tells of nobody, for this reason.
    Open(&'static str),
    /// It is about whoever asks.
    Own(&'static str),
    /// It names what is Ada's, who alone may call it so. To others it is as if that were not there.
    Owner(&'static str),
    /// The same with things of both, which nobody may call so.
    Mixed(&'static str),
    /// It takes an id that the client makes. That it is taken by somebody else reads as if it were taken by oneself.
    Made(&'static str),
    /// It is for administrators.
    Admin(&'static str),
}

use Rule::{Admin, Made, Mixed, Open, Own, Owner};

/// Every field, some in several ways, with those of [`COLLECTIONS`].
const TABLE: &[(&str, Rule)] = &[
    ("Query.config", Open("public settings, the same for all")),
    ("Query.generationLimits", Open("constants")),
    (
        "Query.viewer",
        Own(
            "{ viewer { id email name roles decks { nodes { id name cards { nodes { id } } } } studyQueue { card { id question } } stats { reviewsToday } learningSessions { nodes { id } } studyPresets { id name } statistics { reviews } forecast { due } learningChanges { nodes { id } } deckChanges { nodes { id ... on Card { question } } tombstones { id } } mediaFiles { totalCount nodes { id name } } } }",
        ),
    ),
    (
        "Query.deck",
        Owner(
            "{ deck(id: \"{deck}\") { id name description version cardCount cards { nodes { id question } } counts { new } recallScore studySettings { version } } }",
        ),
    ),
    (
        "Query.card",
        Owner(
            "{ card(id: \"{card}\") { id question answer deck { id name } state suspended flag retrievabilityAt(at: \"2027-01-01T00:00:00Z\") reviews { nodes { id } } } }",
        ),
    ),
    (
        "User.studyQueue",
        Owner("{ viewer { studyQueue(deckId: \"{deck}\") { card { id question } } } }"),
    ),
    ("Query.user", Admin("{ user(id: \"{user}\") { id email name } }")),
    ("Query.configEntries", Admin("{ configEntries { key value } }")),
    (
        "Mutation.setConfig",
        Admin(
            "mutation { setConfig(input: { key: WELCOME_MESSAGE, value: \"hello\" }) { __typename } }",
        ),
    ),
    (
        "Mutation.resetConfig",
        Admin("mutation { resetConfig(input: { key: WELCOME_MESSAGE }) { __typename } }"),
    ),
    (
        "Mutation.setRole",
        Admin(
            "mutation { setRole(input: { userId: \"{user}\", role: BETA, granted: true }) { user { id } } }",
        ),
    ),
    ("Query.configHistory", Admin("{ configHistory { nodes { id } } }")),
    (
        "Mutation.revertConfig",
        Admin(
            "mutation { revertConfig(input: { key: WELCOME_MESSAGE, toVersion: 0 }) { __typename } }",
        ),
    ),
    ("Query.users", Admin("{ users(search: \"{email}\") { nodes { id email } } }")),
    ("Query.securityEvents", Admin("{ securityEvents { pageInfo { hasNextPage } } }")),
    (
        "Mutation.endSessionsOfUser",
        Admin("mutation { endSessionsOfUser(input: { userId: \"{user}\" }) { __typename } }"),
    ),
    (
        "Mutation.endSession",
        Owner("mutation { endSession(input: { sessionId: \"{signed_in}\" }) { endedId } }"),
    ),
    ("Mutation.endOtherSessions", Own("mutation { endOtherSessions { __typename } }")),
    (
        "Mutation.changePassword",
        Own(
            "mutation { changePassword(input: { currentPassword: \"correct horse battery staple\", newPassword: \"another horse battery staple\" }) { user { id email } } }",
        ),
    ),
    ("Mutation.sendVerification", Own("mutation { sendVerification { email } }")),
    ("Mutation.verifyEmail", Open("it takes a secret that was sent to the address")),
    (
        "Mutation.requestPasswordReset",
        Mixed("mutation { requestPasswordReset(input: { email: \"{email}\" }) { email } }"),
    ),
    ("Mutation.resetPassword", Open("it takes a secret that was sent to the address")),
    (
        "Mutation.requestEmailChange",
        Mixed(
            "mutation { requestEmailChange(input: { currentPassword: \"correct horse battery staple\", newEmail: \"{email}\" }) { email } }",
        ),
    ),
    ("Mutation.confirmEmailChange", Open("it takes a secret that was sent to the address")),
    ("Mutation.undoEmailChange", Open("it takes a secret that was sent to the address")),
    (
        "Mutation.createApiKey",
        Own(
            "mutation { createApiKey(input: { name: \"mine\", scopes: [READ], expiresAt: \"2027-01-01T00:00:00Z\" }) { apiKey { id name } } }",
        ),
    ),
    (
        "Mutation.revokeApiKey",
        Owner("mutation { revokeApiKey(input: { apiKeyId: \"{api_key}\" }) { revokedId } }"),
    ),
    (
        "Mutation.deleteAccount",
        Own(
            "mutation { deleteAccount(input: { password: \"correct horse battery staple\" }) { deletionDueAt } }",
        ),
    ),
    (
        "Mutation.submitReviews",
        Owner(
            "mutation { submitReviews(input: { reviews: [{ id: \"018f0000-0000-7000-8000-000000000099\", cardId: \"{card}\", rating: GOOD, reviewedAt: \"2026-01-01T00:00:00Z\" }] }) { results { status reason card { id } } } }",
        ),
    ),
    (
        "Mutation.submitReviews",
        Mixed(
            "mutation { submitReviews(input: { reviews: [{ id: \"{review}\", cardId: \"{my_card}\", rating: EASY, reviewedAt: \"2026-01-01T00:00:00Z\" }] }) { results { status } } }",
        ),
    ),
    (
        "Mutation.startSession",
        Owner("mutation { startSession(input: { deckId: \"{deck}\" }) { session { deckId } } }"),
    ),
    (
        "Mutation.startSession",
        Mixed(
            "mutation { startSession(input: { deckId: \"{my_deck}\", id: \"{session}\" }) { session { finishedAt } } }",
        ),
    ),
    (
        "Mutation.finishSession",
        Owner("mutation { finishSession(input: { id: \"{session}\" }) { session { id } } }"),
    ),
    (
        "Mutation.signUp",
        Mixed(
            "mutation { signUp(input: { email: \"{email}\", password: \"correct horse battery\", name: \"Eve\" }) { email } }",
        ),
    ),
    (
        "Mutation.logIn",
        Mixed(
            "mutation { logIn(input: { email: \"{email}\", password: \"wrong horse battery\" }) { accessToken } }",
        ),
    ),
    (
        "Mutation.refreshTokens",
        Open(
            "it takes a secret that only its owner has; what a wrong one gets is in subgraphs/users",
        ),
    ),
    ("Mutation.logOut", Own("mutation { logOut { loggedOut } }")),
    (
        "Mutation.updateProfile",
        Own("mutation { updateProfile(input: { name: \"Somebody\" }) { user { name } } }"),
    ),
];

fn table() -> impl Iterator<Item = &'static (&'static str, Rule)> {
    let domains = [TABLE, collections::TABLE, learning::TABLE, generation::TABLE];
    domains.into_iter().chain([transfers::TABLE, sharing::TABLE]).flatten()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_persons_things_are_as_if_they_were_not_there() {
    for (field, rule) in table() {
        let graph = Graph::open().await;
        let before = graph.state().await;
        match rule {
            Open(why) => assert!(!why.is_empty()),
            Own(document) => {
                for who in [Who::Eve, Who::Nobody] {
                    let answer = graph.run(who, &graph.with_adas(document)).await.to_string();
                    assert!(!graph.tells_of_ada(&answer), "{field}: {answer}");
                }
            }
            Owner(document) | Mixed(document) | Made(document) | Admin(document) => {
                let made = matches!(rule, Made(_));
                let others =
                    if made { graph.with_eves(document) } else { graph.with_absent(document) };
                let adas = graph.with_adas(document);
                let mut answer_of_eve = Value::Null;
                for who in [Who::Nobody, Who::Eve] {
                    let with_others = masked(graph.run(who, &others).await, &graph);
                    let with_adas = masked(graph.run(who, &adas).await, &graph);
                    assert_eq!(with_adas, with_others, "{field}, as {who:?}: {document}");
                    assert!(!with_adas.to_string().contains(SECRET), "{field}: {with_adas}");
                    answer_of_eve = with_adas;
                }
                assert_eq!(graph.state().await, before, "{field} as another: {document}");
                // The same words work for those who may: it is not for a slip in them that others get nothing.
                let allowed = match rule {
                    Owner(_) => Who::Ada,
                    Admin(_) => Who::Admin,
                    _ => continue,
                };
                let answer = masked(graph.run(allowed, &adas).await, &graph);
                assert_ne!(answer, answer_of_eve, "{field}, as {allowed:?}: {document}");
                continue;
            }
        }
        assert_eq!(graph.state().await, before, "{field}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_reaches_nothing_that_is_for_a_person_or_beyond_its_scopes() {
    let graph = Graph::open().await;
    let of_users = graph.endpoints().iter().find(|endpoint| endpoint.name() == "users").unwrap();
    let of_users = mutations(&types(&of_users.sdl().await.unwrap()));
    let admins = graph.api_key(Who::Admin, "READ, WRITE").await;
    let (reads, writes) =
        (graph.api_key(Who::Ada, "READ").await, graph.api_key(Who::Ada, "WRITE").await);
    let before = graph.state().await;
    let mut in_person = BTreeSet::new();
    for (field, rule) in table() {
        let (Own(document) | Owner(document) | Mixed(document) | Made(document) | Admin(document)) =
            rule
        else {
            continue;
        };
        let document = graph.with_adas(document);
        // What is of accounts is for whoever is there in person, but for what anybody may call.
        let is_of_account = of_users.contains(*field) && !matches!(rule, Mixed(_));
        if is_of_account || matches!(rule, Admin(_)) {
            let answer = graph.run_with(Some(admins.clone()), &document).await;
            let code = &answer["errors"][0]["extensions"]["code"];
            assert_eq!(code, "FORBIDDEN", "{field}: {answer}");
            assert!(!graph.tells_of_ada(&answer.to_string()), "{field}: {answer}");
            in_person.insert(*field);
        }
        let (key, needs) = match field.starts_with("Mutation.") {
            true => (&reads, "the scope WRITE"),
            false => (&writes, "the scope READ"),
        };
        let answer = graph.run_with(Some(key.clone()), &document).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{field}: {answer}");
        assert!(answer["errors"][0]["message"].as_str().unwrap().contains(needs), "{answer}");
        assert_eq!(answer.get("data"), None, "{field}: {answer}");
    }
    assert!(in_person.len() >= 17, "{in_person:?}");
    assert_eq!(graph.state().await, before);
    let mine = graph.with_adas("{ viewer { id } deck(id: \"{deck}\") { name } }");
    assert!(graph.tells_of_ada(&graph.run_with(Some(reads), &mine).await.to_string()));
}

/// The mutations of a schema, as the table has them.
fn mutations(types: &[TypeDefinition]) -> BTreeSet<String> {
    let named = types.iter().filter(|ty| &*ty.name.node == "Mutation");
    let fields = named.filter_map(|ty| match &ty.kind {
        TypeKind::Object(object) => Some(&object.fields),
        _ => None,
    });
    fields.flatten().map(|field| format!("Mutation.{}", field.node.name.node)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_has_an_entry() {
    let graph = Graph::open().await;
    let types = types(&graph.api_sdl());
    let takes_an_id = |field: &FieldDefinition| {
        field.arguments.iter().any(|argument| {
            let name = base(&argument.node.ty.node.to_string());
            name == "ID" || types.iter().any(|ty| *ty.name.node == *name && has_id(ty))
        })
    };
    let mut found = BTreeSet::new();
    for ty in &types {
        let TypeKind::Object(object) = &ty.kind else { continue };
        let name = &*ty.name.node;
        for Positioned { node: field, .. } in &object.fields {
            if matches!(name, "Query" | "Mutation" | "Subscription") || takes_an_id(field) {
                found.insert(format!("{name}.{}", field.name.node));
            }
        }
    }
    let listed: BTreeSet<String> = table().map(|(field, _)| (*field).to_owned()).collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    assert!(missing.is_empty(), "without an entry in the table of this test: {missing:?}");
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "in the table of this test, but in no schema: {gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_of_another_person_are_as_if_they_were_not_there() {
    let graph = Graph::open().await;
    let before = graph.state().await;
    let mut entities = 0;
    for endpoint in graph.endpoints() {
        let subgraph = endpoint.name().to_owned();
        let types = types(&endpoint.sdl().await.unwrap());
        for ty in types.iter().filter(|ty| is_entity(ty)) {
            let name = &*ty.name.node;
            let fields = leaves(ty, &types).join(" ");
            let document = format!(
                "query ($of: [_Any!]!) {{ _entities(representations: $of) {{ __typename ... on {name} {{ {fields} }} }} }}"
            );
            let of = |id: &str| serde_json::json!([{ "__typename": name, "id": id }]);
            let (adas, absent) = graph.ids_of(name);
            for who in [Who::Eve, Who::Nobody] {
                let with_adas = graph.ask(endpoint, who, &document, of(&adas)).await;
                let with_absent = graph.ask(endpoint, who, &document, of(&absent)).await;
                let expected = serde_json::json!({ "data": { "_entities": [null] } });
                assert_eq!(with_adas, expected, "{subgraph}: {name} as {who:?}");
                assert_eq!(with_absent, expected, "{subgraph}: {name} as {who:?}");
            }
            let answer = graph.ask(endpoint, Who::Ada, &document, of(&adas)).await;
            assert_eq!(answer["data"]["_entities"][0]["__typename"], name, "{subgraph}: {answer}");
            entities += 1;
        }
    }
    assert!(entities >= 7, "{entities}: Card, Deck and User of decks and learning, User of users");
    assert_eq!(graph.state().await, before);
}

fn types(sdl: &str) -> Vec<TypeDefinition> {
    let document = parse_schema(sdl).unwrap();
    let types = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(ty) => Some(ty.node),
        _ => None,
    });
    types.collect()
}

/// A type's name without `[`, `]` and `!`.
fn base(ty: &str) -> String {
    ty.chars().filter(|c| !matches!(c, '[' | ']' | '!')).collect()
}

fn has_id(ty: &TypeDefinition) -> bool {
    let TypeKind::InputObject(object) = &ty.kind else { return false };
    object.fields.iter().any(|field| base(&field.node.ty.node.to_string()) == "ID")
}

fn is_entity(ty: &TypeDefinition) -> bool {
    ty.directives.iter().any(|Positioned { node: directive, .. }| {
        let resolvable = argument(directive, "resolvable") != Some(ConstValue::Boolean(false));
        &*directive.name.node == "key" && resolvable
    })
}

fn argument(directive: &ConstDirective, name: &str) -> Option<ConstValue> {
    directive.get_argument(name).map(|value| value.node.clone())
}

/// The fields that can be asked for without arguments and without what other subgraphs know.
fn leaves(ty: &TypeDefinition, types: &[TypeDefinition]) -> Vec<String> {
    let TypeKind::Object(object) = &ty.kind else { return Vec::new() };
    let is_leaf = |field: &FieldDefinition| {
        let name = base(&field.ty.node.to_string());
        let composite = types.iter().any(|ty| {
            let composite = matches!(
                ty.kind,
                TypeKind::Object(_) | TypeKind::Interface(_) | TypeKind::Union(_)
            );
            *ty.name.node == *name && composite
        });
        let foreign = field
            .directives
            .iter()
            .any(|directive| matches!(&*directive.node.name.node, "external" | "requires"));
        !composite && !foreign && field.arguments.is_empty()
    };
    let fields = object.fields.iter().map(|field| &field.node);
    fields.filter(|field| is_leaf(field)).map(|field| field.name.node.to_string()).collect()
}
