//! Reads the `join__` directives of a supergraph into the model.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{self, Directive, FieldDefinition, Type, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, DirectiveList, ExtendedType, InterfaceType};
use apollo_compiler::validation::Valid;

use super::SupergraphError;
use super::context::Contexts;
use super::field_set;
use super::links::JoinVersion;
use super::model::{
    FieldInfo, FieldSource, Key, PossibleType, Rollout, SubgraphId, SubgraphInfo, TypeInfo,
    TypeKind,
};
use super::{implicit, interface_object, model};

/// The enum whose values are the subgraphs.
const GRAPHS: &str = "join__Graph";

pub(super) fn subgraphs(schema: &Schema) -> Result<Vec<SubgraphInfo>, SupergraphError> {
    let graphs = schema.get_enum(GRAPHS).ok_or(SupergraphError::Missing("enum join__Graph"))?;
    graphs
        .values
        .values()
        .map(|value| {
            let directive = value
                .directives
                .get("join__graph")
                .ok_or_else(|| malformed(format!("{GRAPHS}.{}", value.value), "no @join__graph"))?;
            Ok(SubgraphInfo {
                name: text(directive, "name").unwrap_or(value.value.as_str()).into(),
                url: text(directive, "url").unwrap_or_default().to_owned(),
            })
        })
        .collect()
}

pub(super) fn types(
    schema: &Valid<Schema>,
    subgraphs: &[SubgraphInfo],
    join: JoinVersion,
    context: Option<&str>,
) -> Result<IndexMap<Name, TypeInfo>, SupergraphError> {
    let graphs = schema.get_enum(GRAPHS).ok_or(SupergraphError::Missing("enum join__Graph"))?;
    let reader = Reader {
        schema,
        join,
        contexts: Contexts::new(schema, context),
        graphs: graphs
            .values
            .keys()
            .enumerate()
            .map(|(index, name)| (name.clone(), SubgraphId::new(index)))
            .collect(),
    };
    debug_assert_eq!(reader.graphs.len(), subgraphs.len());
    let mut types = IndexMap::default();
    for (name, ty) in &schema.types {
        if name.starts_with("__") || name.starts_with("join__") || name.starts_with("link__") {
            continue;
        }
        let info = match ty {
            ExtendedType::Object(object) => {
                reader.composite(name, TypeKind::Object, &object.directives, &object.fields)?
            }
            ExtendedType::Interface(interface) => reader.composite(
                name,
                TypeKind::Abstract,
                &interface.directives,
                &interface.fields,
            )?,
            ExtendedType::Union(union) => {
                let mut info = reader.composite(
                    name,
                    TypeKind::Abstract,
                    &union.directives,
                    &IndexMap::default(),
                )?;
                info.possible = reader.members(name, union, &info.subgraphs)?;
                info
            }
            _ => continue,
        };
        types.insert(name.clone(), info);
    }
    reader.implementations(&mut types)?;
    if join == JoinVersion::V1 {
        implicit::complete(&mut types);
    }
    interface_object::complete(schema, &mut types);
    types.values_mut().for_each(TypeInfo::index);
    model::mark_whole(&mut types);
    Ok(types)
}

struct Reader<'a> {
    schema: &'a Valid<Schema>,
    join: JoinVersion,
    contexts: Contexts,
    graphs: IndexMap<Name, SubgraphId>,
}

impl Reader<'_> {
    fn composite(
        &self,
        name: &Name,
        kind: TypeKind,
        directives: &DirectiveList,
        fields: &IndexMap<Name, Component<FieldDefinition>>,
    ) -> Result<TypeInfo, SupergraphError> {
        let mut info = TypeInfo {
            kind,
            subgraphs: Vec::new(),
            keys: Vec::new(),
            own_keys: Vec::new(),
            fields: IndexMap::default(),
            possible: Vec::new(),
            stand_ins: Vec::new(),
            contexts: self.contexts.of_type(directives),
            object_in: Vec::new(),
        };
        let owner =
            directives.get("join__owner").map(|owner| self.graph(owner, name)).transpose()?;
        info.subgraphs.extend(owner);
        for join in directives.get_all("join__type") {
            let subgraph = self.graph(join, name)?;
            if !info.subgraphs.contains(&subgraph) {
                info.subgraphs.push(subgraph);
            }
            if flag(join, "isInterfaceObject") {
                if kind == TypeKind::Object {
                    return Err(malformed(name, "isInterfaceObject belongs on an interface"));
                }
                if !info.object_in.contains(&subgraph) {
                    info.object_in.push(subgraph);
                }
            }
            if let Some(key) = text(join, "key")
                && !matches!(argument(join, "resolvable"), Some(Value::Boolean(false)))
            {
                let fields = field_set::parse(self.schema, name, key)?;
                info.keys.push(Key { subgraph, fields, entered_as: None });
            }
        }
        // A field that says nothing is in all subgraphs of its type; in join v0.1 in the one that owns it.
        let implied = owner.map_or_else(|| info.subgraphs.clone(), |owner| vec![owner]);
        for (field_name, field) in fields {
            let field = self.field(name, field, &implied)?;
            info.fields.insert(field_name.clone(), field);
        }
        Ok(info)
    }

    fn field(
        &self,
        type_name: &Name,
        field: &FieldDefinition,
        implied: &[SubgraphId],
    ) -> Result<FieldInfo, SupergraphError> {
        let coordinate = format!("{type_name}.{}", field.name);
        let mut sources = Vec::new();
        let mut joined = false;
        for join in field.directives.get_all("join__field") {
            joined = true;
            if argument(join, "graph").is_none() {
                // The field of an object type that comes from an interface object.
                continue;
            }
            let rollout = text(join, "overrideLabel").map(|label| Rollout {
                label: label.into(),
                when: argument(join, "override").is_some(),
            });
            let subgraph = self.graph(join, &coordinate)?;
            let ty = text(join, "type")
                .map(|ty| Type::parse(ty, "type"))
                .transpose()
                .map_err(|error| malformed(&coordinate, error))?;
            let named = ty.as_ref().unwrap_or(&field.ty).inner_named_type();
            sources.push(FieldSource {
                subgraph,
                whole: false,
                external: flag(join, "external")
                    || (flag(join, "usedOverridden") && rollout.is_none()),
                requires: text(join, "requires")
                    .map(|set| field_set::parse(self.schema, type_name, set))
                    .transpose()?,
                provides: text(join, "provides")
                    .map(|set| field_set::parse(self.schema, named, set))
                    .transpose()?,
                ty,
                rollout,
                contexts: self.contexts.arguments(self.schema, join, &coordinate)?,
            });
        }
        if !joined {
            sources.extend(implied.iter().copied().map(FieldSource::plain));
        }
        Ok(FieldInfo { ty: field.ty.clone(), sources })
    }

    fn members(
        &self,
        name: &Name,
        union: &apollo_compiler::schema::UnionType,
        subgraphs: &[SubgraphId],
    ) -> Result<Vec<PossibleType>, SupergraphError> {
        let mut possible: Vec<PossibleType> = union
            .members
            .iter()
            .map(|member| PossibleType { name: member.name.clone(), subgraphs: Vec::new() })
            .collect();
        let mut joined = false;
        for join in union.directives.get_all("join__unionMember") {
            joined = true;
            let subgraph = self.graph(join, name)?;
            let member = text(join, "member")
                .and_then(|member| possible.iter_mut().find(|entry| entry.name == member))
                .ok_or_else(|| malformed(name, "@join__unionMember names no member"))?;
            member.subgraphs.push(subgraph);
        }
        if !joined {
            for member in &mut possible {
                member.subgraphs = subgraphs.to_vec();
            }
        }
        Ok(possible)
    }

    /// Fills in what each interface can be, from the object types that implement it.
    fn implementations(&self, types: &mut IndexMap<Name, TypeInfo>) -> Result<(), SupergraphError> {
        for (name, ty) in &self.schema.types {
            let object = match ty {
                ExtendedType::Object(object) => object,
                ExtendedType::Interface(interface) => {
                    self.stand_ins(name, interface, types)?;
                    continue;
                }
                _ => continue,
            };
            for interface in &object.implements_interfaces {
                let joins = self.joined_as(name, &object.directives, interface)?;
                let unsaid =
                    self.join == JoinVersion::V1 || !object.directives.has("join__implements");
                let subgraphs = if joins.is_empty() && unsaid {
                    types.get(name).map(|info| info.subgraphs.clone())
                } else {
                    Some(joins)
                };
                if let Some(info) = types.get_mut(interface.as_str()) {
                    info.possible.push(PossibleType {
                        name: name.clone(),
                        subgraphs: subgraphs.unwrap_or_default(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Notes what the interface `name` implements where it is an object.
    fn stand_ins(
        &self,
        name: &Name,
        interface: &InterfaceType,
        types: &mut IndexMap<Name, TypeInfo>,
    ) -> Result<(), SupergraphError> {
        let object_in = types.get(name).map(|info| info.object_in.clone()).unwrap_or_default();
        for implemented in &interface.implements_interfaces {
            let mut subgraphs = self.joined_as(name, &interface.directives, implemented)?;
            subgraphs.retain(|subgraph| object_in.contains(subgraph));
            if let Some(info) = types.get_mut(implemented.as_str())
                && !subgraphs.is_empty()
            {
                info.stand_ins.push(PossibleType { name: name.clone(), subgraphs });
            }
        }
        Ok(())
    }

    /// The subgraphs in which the type `name` is said to implement `interface`.
    fn joined_as(
        &self,
        name: &Name,
        directives: &DirectiveList,
        interface: &str,
    ) -> Result<Vec<SubgraphId>, SupergraphError> {
        directives
            .get_all("join__implements")
            .filter(|join| text(join, "interface") == Some(interface))
            .map(|join| self.graph(join, name))
            .collect()
    }

    fn graph(
        &self,
        directive: &Directive,
        coordinate: impl ToString,
    ) -> Result<SubgraphId, SupergraphError> {
        argument(directive, "graph")
            .and_then(Value::as_enum)
            .and_then(|graph| self.graphs.get(graph).copied())
            .ok_or_else(|| {
                malformed(
                    coordinate,
                    format!("@{} names no subgraph of join__Graph", directive.name),
                )
            })
    }
}

fn argument<'a>(directive: &'a Directive, name: &str) -> Option<&'a ast::Value> {
    directive
        .specified_argument_by_name(name)
        .map(|value| &**value)
        .filter(|value| !value.is_null())
}

fn text<'a>(directive: &'a Directive, name: &str) -> Option<&'a str> {
    argument(directive, name).and_then(Value::as_str)
}

fn flag(directive: &Directive, name: &str) -> bool {
    argument(directive, name).and_then(Value::to_bool) == Some(true)
}

pub(super) fn malformed(coordinate: impl ToString, problem: impl ToString) -> SupergraphError {
    SupergraphError::Malformed { coordinate: coordinate.to_string(), problem: problem.to_string() }
}
