//! Random operations: what the engine answers over the subgraphs is what the same data answers as one schema.

use std::fmt::Write;

use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, Type};
use apollo_compiler::schema::ExtendedType;
use federation::{RequestErrorCode, ResponseError, Value, prepare};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::support::Fixture;
use crate::support::gated::{Client, Gated};

/// Writes an operation, each decision taken by the next byte.
struct Generator<'a> {
    schema: &'a Schema,
    bytes: std::slice::Iter<'a, u8>,
    text: String,
    aliases: usize,
    variables: bool,
    /// Whether parts are deferred.
    defers: bool,
}

impl Generator<'_> {
    fn next(&mut self, below: usize) -> usize {
        usize::from(*self.bytes.next().unwrap_or(&0)) % below.max(1)
    }

    fn selection(&mut self, ty: &str, depth: usize) {
        self.text.push('{');
        let possible = self.possible(ty);
        let fields: Vec<FieldDefinition> = self.fields(ty);
        let count = 1 + self.next(4);
        let mut written = 0;
        for _ in 0..count {
            let fragment = !possible.is_empty() && (fields.is_empty() || self.next(2) == 0);
            if self.defers && self.next(3) == 0 {
                self.text.push_str(" ... @defer ");
                self.defers = self.next(4) != 0;
                self.selection(ty, depth);
                self.defers = true;
                written += 1;
            } else if fragment {
                let condition = possible[self.next(possible.len())].clone();
                let _ = write!(self.text, " ... on {condition} ");
                self.condition();
                self.selection(&condition, depth);
                written += 1;
            } else if !fields.is_empty() {
                let index = self.next(fields.len());
                written += usize::from(self.field(&fields[index], depth));
            }
        }
        if written == 0 || self.next(4) == 0 {
            self.text.push_str(" __typename");
        }
        self.text.push_str(" }");
    }

    fn field(&mut self, field: &FieldDefinition, depth: usize) -> bool {
        let named = field.ty.inner_named_type();
        let composite = matches!(
            self.schema.types.get(named),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        if composite && depth == 0 {
            return false;
        }
        self.text.push(' ');
        if self.next(4) == 0 || !field.arguments.is_empty() {
            self.aliases += 1;
            // Sometimes a name that the planner may want for itself.
            let taken = ["id", "sku", "upc", "name", "make", "_id", "price"];
            match self.next(12).checked_sub(12 - taken.len()) {
                Some(index) => {
                    let _ = write!(self.text, "{}: ", taken[index]);
                }
                None => {
                    let _ = write!(self.text, "x{}: ", self.aliases);
                }
            }
        }
        self.text.push_str(&field.name);
        let mut open = "(";
        for argument in &field.arguments {
            let values = values(&argument.ty);
            let required = argument.is_required();
            if values.is_empty() || (!required && self.next(2) == 0) {
                continue;
            }
            let value = values[self.next(values.len())];
            let _ = write!(self.text, "{open}{}: {value}", argument.name);
            open = ", ";
        }
        if open == ", " {
            self.text.push(')');
        }
        self.condition();
        if self.defers && field.ty.is_list() && self.next(3) == 0 {
            self.text.push_str(" @stream(initialCount: 1)");
        }
        if composite {
            self.text.push(' ');
            self.selection(&named.clone(), depth - 1);
        }
        true
    }

    fn condition(&mut self) {
        let directive = match self.next(16) {
            13 => " @skip(if: $yes)",
            14 => " @include(if: $no)",
            15 => " @include(if: $yes)",
            _ => return,
        };
        self.variables = true;
        self.text.push_str(directive);
    }

    fn possible(&self, ty: &str) -> Vec<String> {
        let mut types: Vec<String> = match self.schema.types.get(ty) {
            Some(ExtendedType::Interface(_)) => {
                self.schema.implementers_map()[ty].objects.iter().map(ToString::to_string).collect()
            }
            Some(ExtendedType::Union(union)) => {
                union.members.iter().map(ToString::to_string).collect()
            }
            _ => return Vec::new(),
        };
        types.push(ty.to_owned());
        types
    }

    fn fields(&self, ty: &str) -> Vec<FieldDefinition> {
        let fields = match self.schema.types.get(ty) {
            Some(ExtendedType::Object(object)) => &object.fields,
            Some(ExtendedType::Interface(interface)) => &interface.fields,
            _ => return Vec::new(),
        };
        fields.values().map(|field| FieldDefinition::clone(field)).collect()
    }
}

/// Values that the fixtures have data for.
fn values(ty: &Type) -> &'static [&'static str] {
    match ty.inner_named_type().as_str() {
        "String" if ty.is_non_null() => &["\"EUR\"", "\"USD\"", "\"table\"", "\"none\""],
        "String" => &["\"en\"", "\"de\"", "null"],
        "Int" => &["2", "5"],
        "ReviewInput" => &["{upc: \"table\"}"],
        "Stars" => &["ONE", "null"],
        _ => &[],
    }
}

fn operation(fixture: &Fixture, bytes: &[u8], defers: bool) -> String {
    let mut generator = Generator {
        schema: &fixture.api,
        bytes: bytes.iter(),
        text: String::new(),
        aliases: 0,
        variables: false,
        defers,
    };
    let mutates = !defers && fixture.api.types.contains_key("Mutation") && generator.next(4) == 3;
    let root = if mutates { "Mutation" } else { "Query" };
    generator.selection(root, 5);
    let keyword = root.to_lowercase();
    let variables = match generator.variables {
        true => "($yes: Boolean!, $no: Boolean!)",
        false => "",
    };
    format!("{keyword}{variables} {}", generator.text)
}

fn agrees(fixture: &Fixture, bytes: &[u8], expect_errors: bool) -> Result<(), TestCaseError> {
    let mut operation = operation(fixture, bytes, false);
    if let Err(errors) = prepare(&fixture.supergraph, &operation, None) {
        let invalid = |code| matches!(code, RequestErrorCode::ValidationFailed);
        // Variables that only one of the directives uses, and aliases that meet, make an operation invalid.
        if operation.contains("$yes: ") && errors.iter().all(|error| invalid(error.code)) {
            operation = operation.replacen(
                "{",
                "{ used: __typename @skip(if: $yes) used: __typename @skip(if: $no)",
                1,
            );
        }
        match prepare(&fixture.supergraph, &operation, None) {
            Ok(_) => {}
            Err(errors) if errors.iter().all(|error| invalid(error.code)) => {
                return Err(TestCaseError::reject("not a valid operation"));
            }
            Err(errors) => return Err(TestCaseError::fail(format!("{operation}\n{errors:#?}"))),
        }
    }
    let response = fixture.check(&operation, json!({"yes": true, "no": false}));
    if expect_errors {
        // Each null comes of an error that a subgraph gave, so none is reported twice.
        let twice = |error: &ResponseError| {
            error.extensions.get("code") == Some(&Value::from(json!("NULL_IN_NON_NULLABLE")))
        };
        prop_assert!(!response.errors.iter().any(twice), "{operation}\n{:#?}", response.errors);
        return Ok(());
    }
    prop_assert!(
        response.errors.is_empty() || has_missing_data(&operation),
        "{operation}\n{:#?}",
        response.errors
    );
    Ok(())
}

/// The data has no value for an argument of another field's kind; both sides then answer null with an error.
fn has_missing_data(operation: &str) -> bool {
    operation.contains('(')
}

fn all_agree(name: &str, broken: &[(&str, &str)]) {
    let mut fixture = Fixture::load(name);
    for (record, field) in broken {
        fixture.data.break_field(record, field);
    }
    let config = ProptestConfig {
        max_global_rejects: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let bytes = proptest::collection::vec(any::<u8>(), 0..120);
    TestRunner::new(config)
        .run(&bytes, |bytes| agrees(&fixture, &bytes, !broken.is_empty()))
        .unwrap();
}

#[test]
fn the_shop_answers_as_one() {
    all_agree("shop", &[]);
}

#[test]
fn the_tricky_graph_answers_as_one() {
    all_agree("tricky", &[]);
}

#[test]
fn the_shop_answers_as_one_where_fields_fail() {
    let broken = [
        ("User:1", "username"),
        ("User:2", "reviews"),
        ("Product:table", "name"),
        ("Product:couch", "shippingEstimate"),
        ("Product:couch", "score"),
        ("Review:2", "body"),
        ("Query", "shopName"),
    ];
    all_agree("shop", &broken);
}

#[test]
fn the_tricky_graph_answers_as_one_where_fields_fail() {
    let broken = [
        ("Account:1", "limit"),
        ("Person:2", "friends"),
        ("Person:1", "age"),
        ("Book:1", "rating"),
        ("Film:1", "cast"),
        ("Item:1", "label"),
        ("Item:2", "stock"),
        ("Maker:1", "country"),
    ];
    all_agree("tricky", &broken);
}

/// The parts of an answer add up to the answer at once.
fn adds_up(name: &str) {
    let fixture = Fixture::load(name);
    let gated = Gated::new(Fixture::load(name), &[]);
    let config = ProptestConfig {
        max_global_rejects: 4000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    TestRunner::new(config)
        .run(&proptest::collection::vec(any::<u8>(), 0..120), |bytes| {
            let operation = operation(&fixture, &bytes, true);
            let Ok(prepared) = prepare(&fixture.supergraph, &operation, None) else {
                return Err(TestCaseError::reject("not a valid operation"));
            };
            let variables = json!({"yes": true, "no": false});
            let whole = fixture.run_prepared(&prepared, variables.clone());
            let client = runtime.block_on(async {
                Client::collect(gated.stream(&operation, variables).await).await
            });
            let whole: serde_json::Value = serde_json::from_slice(&whole.data).unwrap();
            prop_assert!(
                client.is_partial || client.data == whole,
                "{operation}\n{}\n{:#}\n{whole:#}",
                prepared.plan(),
                client.data
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_parts_of_the_shop_add_up() {
    adds_up("shop");
}

#[test]
fn the_parts_of_the_tricky_graph_add_up() {
    adds_up("tricky");
}
