//! Long lists that resolve in one synchronous pass.
//!
//! `async-graphql` resolves each field of each row as a boxed future: about 0.3 µs a field, which for a thousand cards is most of the
//! request. Where a selection asks only for plain fields (values of the row itself, without arguments), [`FastList`] looks the
//! fields up once and then walks the rows. Any other selection takes the ordinary way, so both give the same answer.

use std::borrow::Cow;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value, indexmap::IndexMap,
};

/// Reads one plain field off a row.
pub type PlainField<T> = fn(&T) -> Value;

/// A type some of whose fields are plain: known without waiting, and without arguments.
pub trait Fast: OutputType {
    /// The concrete GraphQL type of this value: for a union the member's.
    fn concrete_type(&self) -> &'static str;

    /// The reader of a plain field of a concrete type; `None` for any other field.
    fn plain_field(concrete_type: &str, field: &str) -> Option<PlainField<Self>>
    where
        Self: Sized;
}

/// A list of rows, `[T!]!`.
#[derive(Debug, Clone)]
pub struct FastList<T>(pub Vec<T>);

impl<T> From<Vec<T>> for FastList<T> {
    fn from(rows: Vec<T>) -> Self {
        Self(rows)
    }
}

impl<T: Fast> OutputType for FastList<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<T> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<T> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<T> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match in_one_pass(ctx, self.0.iter().map(Some)) {
            Some(list) => Ok(list),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// A list with gaps, `[T]!`: what `_entities` answers.
#[derive(Debug, Clone)]
pub struct FastOptions<T>(pub Vec<Option<T>>);

impl<T: Fast> OutputType for FastOptions<T> {
    fn type_name() -> Cow<'static, str> {
        <Vec<Option<T>> as OutputType>::type_name()
    }

    fn qualified_type_name() -> String {
        <Vec<Option<T>> as OutputType>::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <Vec<Option<T>> as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        ctx: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        match in_one_pass(ctx, self.0.iter().map(Option::as_ref)) {
            Some(list) => Ok(list),
            None => self.0.resolve(ctx, field).await,
        }
    }
}

/// What a selection asks of one concrete type.
struct Shape<T> {
    concrete_type: &'static str,
    fields: Vec<(Name, Column<T>)>,
}

enum Column<T> {
    TypeName,
    Plain(PlainField<T>),
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        match self {
            Self::TypeName => Self::TypeName,
            Self::Plain(read) => Self::Plain(*read),
        }
    }
}

fn in_one_pass<'a, T: Fast + 'a>(
    ctx: &ContextSelectionSet<'_>,
    rows: impl ExactSizeIterator<Item = Option<&'a T>>,
) -> Option<Value> {
    // A union has few members, and most lists have one: a linear search is the fastest.
    let mut shapes: Vec<Shape<T>> = Vec::new();
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(row) = row else {
            list.push(Value::Null);
            continue;
        };
        let concrete_type = row.concrete_type();
        let known = shapes.iter().position(|shape| shape.concrete_type == concrete_type);
        let index = match known {
            Some(index) => index,
            None => {
                shapes.push(Shape::of(ctx, concrete_type)?);
                shapes.len() - 1
            }
        };
        let fields = &shapes[index].fields;
        let mut object = IndexMap::with_capacity(fields.len());
        for (name, column) in fields {
            let value = match column {
                Column::TypeName => Value::String(concrete_type.to_owned()),
                Column::Plain(read) => read(row),
            };
            object.insert(name.clone(), value);
        }
        list.push(Value::Object(object));
    }
    Some(Value::List(list))
}

impl<T: Fast> Shape<T> {
    fn of(ctx: &ContextSelectionSet<'_>, concrete_type: &'static str) -> Option<Self> {
        let mut shape = Self { concrete_type, fields: Vec::new() };
        shape.add(ctx, &ctx.item.node)?;
        Some(shape)
    }

    fn add(&mut self, ctx: &ContextSelectionSet<'_>, selection_set: &SelectionSet) -> Option<()> {
        for selection in &selection_set.items {
            match &selection.node {
                Selection::Field(field) => self.add_field(&field.node)?,
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    if self.applies(condition.map(|condition| condition.node.on.node.as_str()))? {
                        self.add(ctx, &fragment.node.selection_set.node)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node)?;
                    if self.applies(Some(fragment.node.type_condition.node.on.node.as_str()))? {
                        self.add(ctx, &fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Some(())
    }

    /// Whether a fragment applies to the concrete type; `None` when it takes more than its name to say.
    fn applies(&self, condition: Option<&str>) -> Option<bool> {
        match condition {
            None => Some(true),
            Some(name) if name == self.concrete_type || name == T::type_name() => Some(true),
            // Another member of the union: it never applies. On an object type this would be an interface.
            Some(_) if T::type_name() != self.concrete_type => Some(false),
            Some(_) => None,
        }
    }

    fn add_field(&mut self, field: &Field) -> Option<()> {
        if !field.directives.is_empty() || !field.arguments.is_empty() {
            return None;
        }
        let key = field.response_key().node.clone();
        let column = if field.name.node == "__typename" {
            Column::TypeName
        } else {
            Column::Plain(T::plain_field(self.concrete_type, &field.name.node)?)
        };
        self.fields.push((key, column));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};

    use super::*;

    #[derive(Clone, SimpleObject)]
    #[graphql(complex)]
    struct Dot {
        x: i32,
        label: Option<String>,
    }

    #[async_graphql::ComplexObject]
    impl Dot {
        async fn scaled(&self, by: i32) -> i32 {
            self.x * by
        }
    }

    impl Fast for Dot {
        fn concrete_type(&self) -> &'static str {
            "Dot"
        }

        fn plain_field(_: &str, field: &str) -> Option<PlainField<Self>> {
            Some(match field {
                "x" => |dot| dot.x.into(),
                "label" => |dot| dot.label.clone().into(),
                _ => return None,
            })
        }
    }

    struct Query;

    #[Object]
    impl Query {
        async fn fast(&self) -> FastList<Dot> {
            FastList(dots())
        }
        async fn plain(&self) -> Vec<Dot> {
            dots()
        }
        async fn gaps(&self) -> FastOptions<Dot> {
            FastOptions(vec![None, dots().pop()])
        }
    }

    fn dots() -> Vec<Dot> {
        (0..3).map(|x| Dot { x, label: (x > 0).then(|| format!("n{x}")) }).collect()
    }

    async fn answer(query: &str) -> Value {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let response = schema.execute(query).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data
    }

    #[tokio::test]
    async fn both_ways_give_the_same_answer() {
        for selection in [
            "{ x label }",
            "{ __typename a: x ...F }",
            "{ ... on Dot { label } x @skip(if: true) }",
            "{ x scaled(by: 2) }",
        ] {
            let fragment =
                if selection.contains("...F") { "fragment F on Dot { label }" } else { "" };
            let query = format!("{{ fast {selection} plain {selection} }} {fragment}");
            let Value::Object(answer) = answer(&query).await else { panic!() };
            assert_eq!(answer["fast"], answer["plain"], "{selection}");
        }
    }

    #[tokio::test]
    async fn gaps_stay_gaps() {
        assert_eq!(answer("{ gaps { x } }").await.to_string(), "{gaps: [null, {x: 2}]}");
    }
}
