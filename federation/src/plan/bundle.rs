//! Puts object types together that are planned as one: what is the same for all that are alike, and then what only some of them have.

use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::{HashMap, IndexMap};

use crate::operation::Field;

use super::planner::Planner;
use super::spot::Origin;

/// Fields that are planned for several types at once.
pub(super) struct Bundle {
    pub(super) types: Vec<Name>,
    pub(super) fields: Vec<Arc<Field>>,
    /// What else is wanted of some of the types, and planned after it.
    pub(super) beside: Vec<(Name, Arc<Field>)>,
}

/// A field as it is resolved on a type.
type Like = (*const Field, Option<usize>);

/// Types that select the same.
struct Class {
    types: Vec<Name>,
    fields: Vec<(Like, Arc<Field>)>,
}

impl<'a> Planner<'a> {
    /// Puts the types of `by_type` together, with what is selected on them.
    pub(super) fn bundles(
        &self,
        origin: &Origin<'a>,
        by_type: IndexMap<Name, Vec<Arc<Field>>>,
    ) -> Vec<Bundle> {
        let by_condition = origin.provided.iter().any(|set| !set.fragments.is_empty());
        let mut kinds: IndexMap<_, IndexMap<Vec<Like>, Class>> = IndexMap::default();
        for (ty, fields) in by_type {
            let is_alone = by_condition || self.is_query_type(&ty);
            let kind = (is_alone.then(|| ty.clone()), self.supergraph.likeness(&ty));
            let like = |field: Arc<Field>| {
                let likeness = self.supergraph.field_likeness(&ty, &field.name);
                ((Arc::as_ptr(&field), likeness), field)
            };
            let fields: Vec<_> = fields.into_iter().map(like).collect();
            let likes = fields.iter().map(|(like, _)| *like).collect();
            let class = kinds.entry(kind).or_default().entry(likes);
            class.or_insert_with(|| Class { types: Vec::new(), fields }).types.push(ty);
        }
        kinds.into_values().flat_map(|classes| of_kind(classes.into_values().collect())).collect()
    }
}

/// The bundles of types that are alike.
fn of_kind(mut classes: Vec<Class>) -> Vec<Bundle> {
    let common = match classes.len() {
        0 | 1 => Vec::new(),
        _ => take_common(&mut classes),
    };
    let mut bundles = Vec::with_capacity(classes.len() + 1);
    if !common.is_empty() {
        let types = classes.iter().flat_map(|class| class.types.iter().cloned()).collect();
        let beside = classes.iter().flat_map(|class| {
            let ty = class.types.first().into_iter();
            ty.flat_map(|ty| class.fields.iter().map(|(_, field)| (ty.clone(), field.clone())))
        });
        let beside = beside.collect();
        bundles.push(Bundle { types, fields: common, beside });
    }
    let classes = classes.into_iter().filter(|class| !class.fields.is_empty());
    bundles.extend(classes.map(|class| Bundle {
        types: class.types,
        fields: class.fields.into_iter().map(|(_, field)| field).collect(),
        beside: Vec::new(),
    }));
    bundles
}

/// Takes the fields out that all classes have, where nothing else shares their response keys.
fn take_common(classes: &mut [Class]) -> Vec<Arc<Field>> {
    let mut counts: HashMap<Like, usize> = HashMap::default();
    let mut keys: HashMap<Name, usize> = HashMap::default();
    for (like, field) in classes.iter().flat_map(|class| &class.fields) {
        *counts.entry(*like).or_default() += 1;
        *keys.entry(field.key.clone()).or_default() += 1;
    }
    let all = classes.len();
    let is_common = |like: &Like, field: &Field| {
        counts.get(like) == Some(&all) && keys.get(&field.key) == Some(&all)
    };
    let mut common = Vec::new();
    for (number, class) in classes.iter_mut().enumerate() {
        class.fields.retain(|(like, field)| {
            let is_common = is_common(like, field);
            if is_common && number == 0 {
                common.push(field.clone());
            }
            !is_common
        });
    }
    common
}

/// How often what is selected on one field is planned, at most, in so many bundles.
pub(super) fn most_copies(bundles: &[Bundle]) -> usize {
    let mut counts: HashMap<*const Field, usize> = HashMap::default();
    let fields = bundles.iter().flat_map(|bundle| &bundle.fields);
    for field in fields.filter(|field| field.selections.is_some()) {
        *counts.entry(Arc::as_ptr(field)).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(1)
}
