//! Finds where a file belongs among the variables of an operation: the way that `map` names, at whose end there is `null`.

use async_graphql::Value as SubgraphValue;
use federation::Value;

/// A value with others in it.
pub(crate) trait Nested: Sized {
    fn member(&mut self, name: &str) -> Option<&mut Self>;
    fn item(&mut self, index: usize) -> Option<&mut Self>;
    fn is_null(&self) -> bool;
}

/// The `null` at `place`, such as `variables.input.files.0`. `variable` finds a variable by its name.
///
/// # Errors
/// When there is none; what is wrong.
pub(crate) fn find<'v, V: Nested>(
    place: &str,
    variable: impl FnOnce(&str) -> Option<&'v mut V>,
) -> Result<&'v mut V, String> {
    let Some(("variables", path)) = place.split_once('.') else {
        return Err(format!(
            "map names the place {place:?}: only such as variables.file are accepted"
        ));
    };
    let mut path = path.split('.');
    let first = variable(path.next().unwrap_or_default());
    path.fold(first, |value, segment| inside(value?, segment))
        .filter(|value| value.is_null())
        .ok_or_else(|| format!("map names the place {place:?}, where operations has no null"))
}

fn inside<'v, V: Nested>(value: &'v mut V, segment: &str) -> Option<&'v mut V> {
    // Only as a number is written: no sign, no zeros before it.
    match segment.parse::<usize>().ok().filter(|index| index.to_string() == segment) {
        Some(index) if value.item(index).is_some() => value.item(index),
        _ => value.member(segment),
    }
}

impl Nested for Value {
    fn member(&mut self, name: &str) -> Option<&mut Self> {
        if let Self::Object(object) = self { object.get_mut(name) } else { None }
    }

    fn item(&mut self, index: usize) -> Option<&mut Self> {
        if let Self::List(items) = self { items.get_mut(index) } else { None }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl Nested for SubgraphValue {
    fn member(&mut self, name: &str) -> Option<&mut Self> {
        if let Self::Object(object) = self { object.get_mut(name) } else { None }
    }

    fn item(&mut self, index: usize) -> Option<&mut Self> {
        if let Self::List(items) = self { items.get_mut(index) } else { None }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}
