//! Which of several types of the same field or argument can stand for all of them.
//!
//! What is given may be as wide as the widest (covariant), what is taken must be as narrow as the narrowest
//! (contravariant). A type that no subgraph declares is never made up.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::collections::HashSet;

use super::Sources;
use crate::compose::subgraph::{Kind, Subgraph};

/// Which named type is a subtype of which interface or union, in any subgraph.
#[derive(Debug)]
pub(super) struct Subtypes(HashSet<(Name, Name)>);

impl Subtypes {
    pub(super) fn of(subgraphs: &[Subgraph]) -> Self {
        let mut pairs = HashSet::default();
        for def in subgraphs.iter().flat_map(|subgraph| subgraph.types.values()) {
            if def.kind == Kind::Union {
                pairs.extend(def.members.iter().map(|member| (def.name.clone(), member.clone())));
            }
            pairs.extend(
                def.interfaces.iter().map(|interface| (interface.clone(), def.name.clone())),
            );
        }
        Self(pairs)
    }

    /// Whether every value of `sub` is one of `sup`.
    pub(super) fn contains(&self, sup: &Type, sub: &Type) -> bool {
        match (sup, sub) {
            (Type::NonNullNamed(a), Type::NonNullNamed(b))
            | (Type::Named(a), Type::Named(b) | Type::NonNullNamed(b)) => {
                a == b || self.0.contains(&(a.clone(), b.clone()))
            }
            (Type::NonNullList(a), Type::NonNullList(b))
            | (Type::List(a), Type::List(b) | Type::NonNullList(b)) => self.contains(a, b),
            _ => false,
        }
    }

    /// The one of `types` that all others are subtypes of.
    pub(super) fn widest<'a>(&self, types: &Sources<'a, Type>) -> Option<&'a Type> {
        types
            .iter()
            .map(|(_, ty)| *ty)
            .find(|sup| types.iter().all(|(_, sub)| self.contains(sup, sub)))
    }

    /// The one of `types` that is a subtype of all others.
    pub(super) fn narrowest<'a>(&self, types: &Sources<'a, Type>) -> Option<&'a Type> {
        types
            .iter()
            .map(|(_, ty)| *ty)
            .find(|sub| types.iter().all(|(_, sup)| self.contains(sup, sub)))
    }
}

pub(super) fn all_equal(types: &Sources<'_, Type>) -> bool {
    types.windows(2).all(|pair| pair[0].1 == pair[1].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ty(text: &str) -> Type {
        Type::parse(text, "type").expect("a type")
    }

    fn subtypes() -> Subtypes {
        let name = |text: &str| Name::new(text).expect("a name");
        Subtypes(HashSet::from_iter([(name("Animal"), name("Cat")), (name("Animal"), name("Dog"))]))
    }

    #[test]
    fn output_types_widen() {
        for (a, b, widest) in [
            ("Int!", "Int", Some("Int")),
            ("[Int!]!", "[Int]", Some("[Int]")),
            ("Cat!", "Animal", Some("Animal")),
            ("[Cat]", "[Animal!]", None),
            ("Cat", "Dog", None),
            ("Int", "[Int]", None),
            ("Animal!", "Cat", None),
        ] {
            let (a, b) = (ty(a), ty(b));
            assert_eq!(
                subtypes().widest(&[(0, &a), (1, &b)]),
                widest.map(ty).as_ref(),
                "{a} and {b}"
            );
        }
    }

    #[test]
    fn input_types_narrow() {
        for (a, b, narrowest) in [
            ("Int!", "Int", Some("Int!")),
            ("[Int!]", "[Int]", Some("[Int!]")),
            ("[Int!]", "[Int]!", None),
            ("Int", "String", None),
        ] {
            let (a, b) = (ty(a), ty(b));
            assert_eq!(
                subtypes().narrowest(&[(0, &a), (1, &b)]),
                narrowest.map(ty).as_ref(),
                "{a} and {b}"
            );
        }
    }
}
