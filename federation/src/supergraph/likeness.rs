//! Which object types, and which fields of theirs, are alike: resolved by the same subgraphs in the same way, and entered by the
//! same keys. What is planned for one of them holds for the others.

use std::fmt::Write;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, IndexMap};

use super::model::{FieldInfo, FieldSet, TypeInfo, TypeKind};

/// Numbers that are equal for what is alike.
#[derive(Debug, Default)]
pub(super) struct Likeness {
    types: HashMap<Name, TypeLikeness>,
}

#[derive(Debug)]
struct TypeLikeness {
    own: usize,
    fields: HashMap<Name, usize>,
}

impl Likeness {
    pub(super) fn of(types: &IndexMap<Name, TypeInfo>) -> Self {
        let mut numbers = Numbers::default();
        let objects = types.iter().filter(|(_, info)| info.kind == TypeKind::Object);
        let types = objects.map(|(name, info)| (name.clone(), numbers.of_type(name, info)));
        Self { types: types.collect() }
    }

    /// A number for how objects of a type are entered.
    pub(super) fn of_type(&self, ty: &Name) -> Option<usize> {
        self.types.get(ty).map(|of| of.own)
    }

    /// A number for how a field of theirs is resolved.
    pub(super) fn of_field(&self, ty: &Name, field: &Name) -> Option<usize> {
        self.types.get(ty)?.fields.get(field).copied()
    }
}

#[derive(Default)]
struct Numbers(HashMap<String, usize>);

impl Numbers {
    fn number(&mut self, text: String) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }

    fn of_type(&mut self, name: &Name, info: &TypeInfo) -> TypeLikeness {
        let mut fields = HashMap::default();
        for (field, of) in &info.fields {
            fields.insert(field.clone(), self.number(described_field(name, field, of)));
        }
        let mut text = "type".to_owned();
        if !info.contexts.is_empty() {
            // What it sets is taken from itself.
            let _ = write!(text, " {name}");
        }
        for key in &info.keys {
            let _ = write!(text, " {:?} {:?}", key.subgraph, key.entered_as);
            describe(&key.fields, &mut text);
            for field in key.fields.fields.iter().filter_map(|field| fields.get(&field.name)) {
                let _ = write!(text, " {field}");
            }
        }
        TypeLikeness { own: self.number(text), fields }
    }
}

fn described_field(ty: &Name, name: &Name, field: &FieldInfo) -> String {
    let mut text = format!("field {name}: {}", field.ty);
    for source in &field.sources {
        if source.requires.is_some() || !source.contexts.is_empty() {
            // What it must be given is taken from the type's other fields.
            let _ = write!(text, " {ty}");
        }
        let _ = write!(text, " {:?} {} {:?}", source.subgraph, source.external, source.rollout);
        if let Some(ty) = &source.ty {
            let _ = write!(text, ": {ty}");
        }
        if let Some(provides) = &source.provides {
            let _ = write!(text, " provides {}", provides.ty);
            describe(provides, &mut text);
        }
    }
    text
}

/// Writes what a set selects; of its own type only the fields.
fn describe(set: &FieldSet, text: &mut String) {
    text.push_str(" {");
    for field in &set.fields {
        let _ = write!(text, " {}", field.name);
        for argument in &field.arguments {
            let value = argument.value.serialize().no_indent();
            let _ = write!(text, " ({}: {value})", argument.name);
        }
        let _ = write!(text, ": {}", field.ty);
        if let Some(selections) = &field.selections {
            let _ = write!(text, " {}", selections.ty);
            describe(selections, text);
        }
    }
    for fragment in &set.fragments {
        let _ = write!(text, " ... on {}", fragment.ty);
        describe(fragment, text);
    }
    text.push('}');
}
