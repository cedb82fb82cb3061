//! The merged schema as a parser would read it from the printed text, but for the directives of `join`, which say nothing of
//! what GraphQL allows. Building it is several times as fast as reading the text.

use apollo_compiler::Name;
use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveList, Document, EnumTypeDefinition, EnumValueDefinition,
    FieldDefinition, InputObjectTypeDefinition, InputValueDefinition, InterfaceTypeDefinition,
    ObjectTypeDefinition, ScalarTypeDefinition, UnionTypeDefinition,
};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::validation::{DiagnosticList, Valid};

use super::{Printer, marks, sorted};
use crate::compose::merge::{MergedField, MergedInput, MergedType, Supergraph};
use crate::compose::subgraph::Kind;

/// The schema, or what GraphQL does not allow about it.
pub(in crate::compose) fn schema(supergraph: &Supergraph) -> Result<Valid<Schema>, DiagnosticList> {
    let printer = Printer { supergraph };
    let mut document = Document::new();
    document.definitions = sorted(supergraph).map(|def| printer.definition(def)).collect();
    Schema::builder()
        .parse(printer.specifications(), "supergraph.graphql")
        .add_ast(&document)
        .build()
        .and_then(Schema::validate)
        .map_err(|invalid| invalid.errors)
}

impl Printer<'_> {
    fn definition(&self, def: &MergedType) -> Definition {
        let (description, name) = (def.description.clone(), def.name.clone());
        let directives = self.definition_directives(def);
        let implements_interfaces = def.interfaces().into_iter().cloned().collect();
        match def.kind {
            Kind::Scalar => ScalarTypeDefinition { description, name, directives }.into(),
            Kind::Object => {
                let fields = self.field_definitions(&def.fields);
                ObjectTypeDefinition {
                    description,
                    name,
                    implements_interfaces,
                    directives,
                    fields,
                }
                .into()
            }
            Kind::Interface => {
                let fields = self.field_definitions(&def.fields);
                InterfaceTypeDefinition {
                    description,
                    name,
                    implements_interfaces,
                    directives,
                    fields,
                }
                .into()
            }
            Kind::Union => {
                let members = def.member_names().into_iter().cloned().collect();
                UnionTypeDefinition { description, name, directives, members }.into()
            }
            Kind::Enum => {
                let values = def.values.values().map(|value| {
                    let description = value.description.clone();
                    let directives = self.directives(&value.marks);
                    let value = value.name.clone();
                    Node::new(EnumValueDefinition { description, value, directives })
                });
                let values = values.collect();
                EnumTypeDefinition { description, name, directives, values }.into()
            }
            Kind::InputObject => {
                let fields = self.input_definitions(&def.input_fields);
                InputObjectTypeDefinition { description, name, directives, fields }.into()
            }
        }
    }

    fn definition_directives(&self, def: &MergedType) -> DirectiveList {
        let mut directives: Vec<Node<Directive>> = Vec::new();
        directives.extend(def.specified_by.as_deref().map(marks::specified_by));
        directives.extend(def.one_of.then(marks::one_of));
        directives.extend(self.directives(&def.marks).0);
        DirectiveList(directives)
    }

    fn field_definitions(
        &self,
        fields: &IndexMap<Name, MergedField>,
    ) -> Vec<Node<FieldDefinition>> {
        let definition = |field: &MergedField| FieldDefinition {
            description: field.description.clone(),
            name: field.name.clone(),
            arguments: self.input_definitions(&field.arguments),
            ty: field.ty.clone(),
            directives: self.directives(&field.marks),
        };
        fields.values().map(|field| Node::new(definition(field))).collect()
    }

    fn input_definitions(
        &self,
        inputs: &IndexMap<Name, MergedInput>,
    ) -> Vec<Node<InputValueDefinition>> {
        let definition = |input: &MergedInput| InputValueDefinition {
            description: input.description.clone(),
            name: input.name.clone(),
            ty: Node::new(input.ty.clone()),
            default_value: input.default.clone(),
            directives: self.directives(&input.marks),
        };
        inputs.values().map(|input| Node::new(definition(input))).collect()
    }
}
