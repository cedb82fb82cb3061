//! A subgraph's SDL as composition wants it, and the directive its entities carry.
//!
//! `async-graphql` has federation built in, but its `_entities` resolves one representation at a time and fails the whole list when
//! one is absent. So the subgraphs answer `_entities` through [`super::entities`], state their keys with the directive [`key`] (its own `key` would bring its
//! `_entities`), and use its `shareable`, `external`, `requires` and `provides` as they are.

use async_graphql::{ObjectType, SDLExportOptions, Schema, SubscriptionType};

/// The version of the federation specification that the subgraphs are written for.
const LINK: &str = r#"extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides"])
"#;

pub use directive::key;

mod directive {
    //! The macro makes a documented function into a struct and drops its documentation.
    #![expect(missing_docs, reason = "the macro drops it")]

    use async_graphql::TypeDirective;

    /// `@key`: the fields by which other subgraphs name an entity of this type.
    #[TypeDirective(location = "Object", repeatable)]
    pub fn key(fields: String) {}
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
    // Where the description starts that belongs to the next definition.
    let (mut description, mut in_description) = (None, false);
    for line in types.lines() {
        if line.starts_with("directive @") {
            sdl.truncate(description.take().unwrap_or(sdl.len()));
            continue;
        }
        if line == "\"\"\"" {
            description = if in_description { description } else { Some(sdl.len()) };
            in_description = !in_description;
        } else if !in_description {
            description = None;
        }
        let is_blank = line.trim().is_empty();
        if !(is_blank && blank) {
            sdl.push_str(line.trim_end());
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
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, parser::parse_schema};

    use super::*;

    struct Query;

    /// The query root.
    #[Object(directive = key::apply("id".into()))]
    impl Query {
        /// An id.
        async fn id(&self) -> i32 {
            1
        }
    }

    #[test]
    fn it_parses_and_defines_no_directive() {
        let sdl = federation_sdl(&Schema::new(Query, EmptyMutation, EmptySubscription));
        parse_schema(&sdl).unwrap_or_else(|error| panic!("{error} in\n{sdl}"));
        assert!(sdl.starts_with(LINK) && !sdl.contains("directive @"), "{sdl}");
        assert!(sdl.contains("@key(fields: \"id\")") && sdl.contains("The query root."), "{sdl}");
    }
}
