//! What may be kept of answers about public decks, and that whoever keeps them is told of each change.

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use common::event::UserChanged;
use common::{Event, UserId};
use serde_json::json;

use crate::sharing::{PUBLISH, RATE, UNPUBLISH, clone, edit, published};
use crate::support::{Domain, caller};

/// Each field of `Query` says it, so that none speaks for another.
#[tokio::test]
async fn only_what_is_the_same_for_everybody_may_be_kept_by_everybody() {
    let (domain, _) = Domain::sqlite().await;
    let published = published(&domain, "verbes").await;
    let id = &published.deck;
    let public = r#"publicDeck(slug: "verbes")"#;
    for (document, max_age) in [
        (
            format!(
                "{{ {public} {{ title rating notes {{ nodes {{ fields {{ value }} }} }} releases {{ totalCount }} }} }}"
            ),
            60,
        ),
        ("{ publicDecks { totalCount nodes { slug subscriberCount } } }".into(), 60),
        (format!("{{ {public} {{ title viewerRating }} }}"), -1),
        ("{ publicDecks { nodes { viewerRating } } }".into(), -1),
        (format!("{{ {public} {{ title }} deck(id: \"{id}\") {{ name }} }}"), -1),
        (format!("{{ {public} {{ title }} card(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} note(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} media(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} searchCards(query: \"\") {{ nodes {{ id }} }} }}"), -1),
        (format!("{{ {public} {{ title }} node(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} nodes(ids: []) {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} _entities(representations: []) {{ __typename }} }}"), -1),
        (format!("{{ {public} {{ title }} importJob(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} importJobs {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} exportJob(id: \"{id}\") {{ id }} }}"), -1),
        (format!("{{ {public} {{ title }} exportJobs {{ id }} }}"), -1),
    ] {
        let response = domain.execute(caller(published.author), &document, json!({})).await;
        assert!(response.errors.is_empty(), "{document}: {:?}", response.errors);
        let kept = response.cache_control;
        assert_eq!((kept.public, kept.max_age), (true, max_age), "{document}");
    }
    let sdl = domain.endpoint.sdl().await.unwrap();
    let document = async_graphql::parser::parse_schema(&sdl).unwrap();
    let query = document.definitions.iter().find_map(|definition| match definition {
        TypeSystemDefinition::Type(defined) if defined.node.name.node == "Query" => {
            Some(&defined.node.kind)
        }
        _ => None,
    });
    let Some(TypeKind::Object(query)) = query else { panic!("{sdl}") };
    let names: Vec<_> = query.fields.iter().map(|field| field.node.name.node.as_str()).collect();
    let mut expected =
        vec!["deck", "card", "note", "media", "searchCards", "publicDeck", "publicDecks"];
    expected.extend(["node", "nodes", "importJob", "importJobs", "exportJob", "exportJobs"]);
    assert_eq!(names, expected, "a new one needs a hint, and a line above");
}

#[tokio::test]
async fn each_change_of_a_public_deck_is_counted_before_it_is_acknowledged() {
    let (domain, _) = Domain::sqlite().await;
    let mut before = domain.endpoint.public_revision();
    let mut counts = |domain: &Domain, what: &str, expected: bool| {
        let now = domain.endpoint.public_revision();
        assert_eq!(now > before, expected, "{what}");
        before = now;
    };
    let reader = UserId::new();
    let published = published(&domain, "verbes").await;
    counts(&domain, "publishing", true);
    domain.deck(published.author, "private").await;
    edit(&domain, published.author, &published.notes[0], "Back", "to be").await;
    counts(&domain, "private changes", false);
    clone(&domain, reader, "verbes").await;
    counts(&domain, "cloning", true);
    domain.data(reader, RATE, json!({ "input": { "slug": "verbes", "stars": 5 } })).await;
    counts(&domain, "rating", true);
    let release =
        json!({ "input": { "deckId": published.deck, "slug": "verbes", "licence": "CC_BY" } });
    domain.data(published.author, PUBLISH, release.clone()).await;
    counts(&domain, "releasing", true);
    domain.data(published.author, UNPUBLISH, json!({ "id": published.deck })).await;
    counts(&domain, "unpublishing", true);
    domain.data(published.author, PUBLISH, release).await;
    counts(&domain, "publishing again", true);
    let (time_zone, rollover_hour) = ("UTC".into(), 4);
    let gone = UserChanged { user: reader, version: 9, deleted: true, time_zone, rollover_hour };
    domain.endpoint.apply([Event::User(gone)].into()).await.unwrap();
    counts(&domain, "the end of an account with a rating", true);
    let delete = "mutation($id: ID!) { deleteDeck(input: { id: $id }) { deletedId } }";
    domain.data(published.author, delete, json!({ "id": published.deck })).await;
    counts(&domain, "deleting", true);
}
