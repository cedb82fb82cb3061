//! A subgraph's SDL as composition wants it, and the directive its entities carry.
//!
//! `async-graphql` has federation built in, but its `_entities` resolves one representation at a time and fails the whole list when
//! one is absent. So the subgraphs answer `_entities` through [`super::entities`], state their keys with the directive [`key`] (its own `key` would bring its
//! `_entities`), and use its `shareable`, `external`, `requires`, `provides` and `requires_scopes` as they are.
//!
//! Who may see a field is said by [`authenticated`] and [`policy`]. The gateway decides it before anything is fetched; each domain's service
//! decides it again, because the gateway is not the only one that may call it.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// The version of the federation specification that the subgraphs are written for.
const LINK: &str = r#"extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@inaccessible", "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"])
"#;

pub use directive::{authenticated, key, policy};

/// The policy of those who have the role ADMIN.
pub const ADMIN: &str = "admin";
/// The policy of those who have the role BETA.
pub const BETA: &str = "beta";
/// The policy of those who have shown to read mail sent to their address.
pub const VERIFIED: &str = "verified";

/// All policies of these names must hold, as [`policy`] takes it.
#[must_use]
pub fn all_of(names: &[&str]) -> Vec<Vec<String>> {
    vec![names.iter().map(|&name| name.to_owned()).collect()]
}

mod directive {
    //! The macro makes a documented function into a struct and drops its documentation.
    #![expect(missing_docs, reason = "the macro drops it")]

    use async_graphql::TypeDirective;

    /// `@key`: the fields by which other subgraphs name an entity of this type.
    #[TypeDirective(location = "Object", repeatable)]
    pub fn key(fields: String) {}

    /// `@authenticated`: the field is for those who are signed in.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn authenticated() {}

    /// `@policy`: the field is for those for whom all policies of one of the lists hold.
    #[TypeDirective(location = "FieldDefinition")]
    pub fn policy(policies: Vec<Vec<String>>) {}
}

/// The schema's SDL: without the machinery of federation (`_entities`, `_service`), with the directives linked.
pub fn federation_sdl<Q, M, S>(schema: &Schema<Q, M, S>) -> String
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let options = SDLExportOptions::new().federation().include_specified_by().use_space_ident();
    let printed = schema.sdl_with_options(options);
    // The printed link header names a version and imports that are not ours, and directives that are linked are not defined again.
    let types = printed.split("extend schema @link(").next().unwrap_or_default();
    let mut sdl = String::from(LINK);
    let mut blank = false;
    // A description waits until it is known what it describes.
    let (mut description, mut within) = (String::new(), false);
    for line in types.lines().map(str::trim_end) {
        let delimiter = line == "\"\"\"";
        if within || delimiter {
            within ^= delimiter;
            description.push_str(line);
            description.push('\n');
            continue;
        }
        let described = std::mem::take(&mut description);
        let is_blank = line.is_empty();
        let left_out = line.starts_with("directive @") || (is_blank && blank);
        if !left_out {
            sdl.push_str(&described);
            sdl.push_str(line);
            sdl.push('\n');
        }
        blank = is_blank;
    }
    sdl.truncate(sdl.trim_end().len());
    sdl.push('\n');
    sdl
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, SimpleObject};

    use super::*;

    /// A thing.
    #[derive(SimpleObject)]
    #[graphql(directive = key::apply("id".into()))]
    struct Thing {
        /// Its name.
        id: i32,
    }

    struct Query;

    #[Object]
    impl Query {
        /// A thing.
        async fn thing(&self) -> Thing {
            Thing { id: 1 }
        }

        #[graphql(directive = authenticated::apply())]
        async fn mine(&self) -> i32 {
            2
        }

        #[graphql(directive = policy::apply(all_of(&[VERIFIED, BETA])))]
        async fn new(&self) -> i32 {
            3
        }
    }

    #[test]
    fn the_sdl_has_keys_and_descriptions_but_no_definitions_of_directives() {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let sdl = federation_sdl(&schema);
        assert!(sdl.starts_with(LINK), "{sdl}");
        let thing = "\"\"\"\nA thing.\n\"\"\"\ntype Thing @key(fields: \"id\") {\n";
        assert!(sdl.contains(thing) && sdl.ends_with("}\n"), "{sdl}");
        for field in [
            "mine: Int! @authenticated\n",
            "new: Int! @policy(policies: [[\"verified\", \"beta\"]])\n",
        ] {
            assert!(sdl.contains(field), "{sdl}");
        }
        assert!(!sdl.contains("directive @") && !sdl.contains("_service"), "{sdl}");
        async_graphql::parser::parse_schema(&sdl).unwrap();
    }
}
