//! Reads the `join__` directives of a supergraph into the model.

use apollo_compiler::Name;
use apollo_compiler::Schema;
use apollo_compiler::ast::{self, Directive, FieldDefinition, Type, Value};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::executable;
use apollo_compiler::schema::{Component, DirectiveList, ExtendedType};
use apollo_compiler::validation::Valid;

use super::SupergraphError;
use super::model::{
    FieldInfo, FieldSet, FieldSetField, FieldSource, Key, PossibleType, SubgraphId, SubgraphInfo,
    TypeInfo, TypeKind,
};

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
) -> Result<IndexMap<Name, TypeInfo>, SupergraphError> {
    let graphs = schema.get_enum(GRAPHS).ok_or(SupergraphError::Missing("enum join__Graph"))?;
    let reader = Reader {
        schema,
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
    Ok(types)
}

struct Reader<'a> {
    schema: &'a Valid<Schema>,
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
            fields: IndexMap::default(),
            possible: Vec::new(),
        };
        for join in directives.get_all("join__type") {
            let subgraph = self.graph(join, name)?;
            if flag(join, "isInterfaceObject") {
                return Err(unsupported(name, "@interfaceObject"));
            }
            if !info.subgraphs.contains(&subgraph) {
                info.subgraphs.push(subgraph);
            }
            if let Some(key) = text(join, "key")
                && !matches!(argument(join, "resolvable"), Some(Value::Boolean(false)))
            {
                info.keys.push(Key { subgraph, fields: self.field_set(name, key)? });
            }
        }
        for (field_name, field) in fields {
            let field = self.field(name, field, &info.subgraphs)?;
            info.fields.insert(field_name.clone(), field);
        }
        Ok(info)
    }

    fn field(
        &self,
        type_name: &Name,
        field: &FieldDefinition,
        type_subgraphs: &[SubgraphId],
    ) -> Result<FieldInfo, SupergraphError> {
        let coordinate = format!("{type_name}.{}", field.name);
        let mut sources = Vec::new();
        let mut joined = false;
        for join in field.directives.get_all("join__field") {
            joined = true;
            if argument(join, "overrideLabel").is_some() {
                return Err(unsupported(&coordinate, "progressive @override"));
            }
            if argument(join, "contextArguments").is_some() {
                return Err(unsupported(&coordinate, "@fromContext"));
            }
            if argument(join, "graph").is_none() {
                return Err(unsupported(&coordinate, "a field of an interface object"));
            }
            let subgraph = self.graph(join, &coordinate)?;
            let ty = text(join, "type")
                .map(|ty| Type::parse(ty, "type"))
                .transpose()
                .map_err(|error| malformed(&coordinate, error))?;
            let named = ty.as_ref().unwrap_or(&field.ty).inner_named_type();
            sources.push(FieldSource {
                subgraph,
                external: flag(join, "external") || flag(join, "usedOverridden"),
                requires: text(join, "requires")
                    .map(|set| self.field_set(type_name, set))
                    .transpose()?,
                provides: text(join, "provides")
                    .map(|set| self.field_set(named, set))
                    .transpose()?,
                ty,
            });
        }
        if !joined {
            sources.extend(type_subgraphs.iter().map(|&subgraph| FieldSource {
                subgraph,
                external: false,
                requires: None,
                provides: None,
                ty: None,
            }));
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
            let ExtendedType::Object(object) = ty else {
                continue;
            };
            for interface in &object.implements_interfaces {
                let joins: Vec<_> = object
                    .directives
                    .get_all("join__implements")
                    .filter(|join| text(join, "interface") == Some(interface.as_str()))
                    .map(|join| self.graph(join, name))
                    .collect::<Result<_, _>>()?;
                let subgraphs = if joins.is_empty() && !object.directives.has("join__implements") {
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

    fn field_set(&self, type_name: &Name, set: &str) -> Result<FieldSet, SupergraphError> {
        let parsed = executable::FieldSet::parse(self.schema, type_name.clone(), set, "field set")
            .map_err(|invalid| {
                malformed(
                    type_name,
                    format!("the field set {set:?} is not valid: {}", invalid.errors),
                )
            })?;
        self.convert(&parsed.selection_set, type_name)
    }

    fn convert(
        &self,
        set: &executable::SelectionSet,
        coordinate: &Name,
    ) -> Result<FieldSet, SupergraphError> {
        let mut converted =
            FieldSet { ty: set.ty.clone(), fields: Vec::new(), fragments: Vec::new() };
        for selection in &set.selections {
            match selection {
                executable::Selection::Field(field) if field.name == "__typename" => {}
                executable::Selection::Field(field) => {
                    let composite = !field.selection_set.is_empty();
                    let selections = composite
                        .then(|| self.convert(&field.selection_set, coordinate))
                        .transpose()?;
                    converted.add(FieldSetField {
                        name: field.name.clone(),
                        arguments: field.arguments.clone(),
                        ty: field.ty().clone(),
                        selections,
                    });
                }
                executable::Selection::InlineFragment(fragment) => {
                    let inner = self.convert(&fragment.selection_set, coordinate)?;
                    if inner.ty == converted.ty {
                        converted.merge(inner);
                    } else {
                        converted.fragments.push(inner);
                    }
                }
                executable::Selection::FragmentSpread(_) => {
                    return Err(malformed(coordinate, "a field set spreads a named fragment"));
                }
            }
        }
        Ok(converted)
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

fn malformed(coordinate: impl ToString, problem: impl ToString) -> SupergraphError {
    SupergraphError::Malformed { coordinate: coordinate.to_string(), problem: problem.to_string() }
}

fn unsupported(coordinate: impl ToString, feature: &'static str) -> SupergraphError {
    SupergraphError::Unsupported { coordinate: coordinate.to_string(), feature }
}
