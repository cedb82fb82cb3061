//! Runs operations on a fixture twice: through the engine over mock subgraphs, and on the same data as one schema.
//!
//! A fixture is a supergraph and a data graph. The mock subgraphs hold the engine to the contract of federation: they
//! validate its operations against their own schema and note every field that they could not know.

pub(crate) mod data;
pub(crate) mod declared;
pub(crate) mod extract;
pub(crate) mod gated;
pub(crate) mod scenario;
pub(crate) mod subgraph;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use apollo_compiler::ExecutableDocument;
use apollo_compiler::Schema;
use apollo_compiler::resolvers::Execution;
use apollo_compiler::response::JsonMap;
use apollo_compiler::validation::Valid;
use federation::{
    CostSettings, ExecuteSettings, Fetch, FetchError, FetchRequest, FetchResponse, Object,
    PathSegment, Prepared, Response, SubgraphError, SubgraphSdl, Supergraph, Value, Variables,
    compose, execute, prepare,
};

use data::Data;
use subgraph::Subgraph;

/// A supergraph, its mock subgraphs, and the data behind them.
pub(crate) struct Fixture {
    pub(crate) supergraph: Arc<Supergraph>,
    pub(crate) subgraphs: Vec<Subgraph>,
    pub(crate) data: Data,
    pub(crate) api: Valid<Schema>,
    /// What each fetch asked: subgraph, document, number of representations.
    pub(crate) log: Mutex<Vec<(String, String, usize)>>,
    /// What the mock subgraphs found the engine to do wrong.
    pub(crate) violations: Mutex<Vec<String>>,
    /// Replaces a subgraph's answer, for tests of failures.
    pub(crate) fault: Option<Fault>,
    /// Whether the next answer is handed over as a value, not as text: every other is.
    pub(crate) in_process: AtomicBool,
}

pub(crate) type Fault =
    Box<dyn Fn(&FetchRequest<'_>, Answered) -> Result<FetchResponse, FetchError> + Send + Sync>;

/// What a mock subgraph answered, before it is handed to the engine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answered {
    pub(crate) data: Value,
    pub(crate) errors: Vec<SubgraphError>,
}

impl Answered {
    /// The answer as the text that a subgraph over a network would send.
    pub(crate) fn as_json(&self) -> FetchResponse {
        let errors: Vec<_> = self
            .errors
            .iter()
            .map(|error| {
                serde_json::json!({
                    "message": error.message, "path": error.path, "extensions": error.extensions,
                })
            })
            .collect();
        let data = serde_json::to_string(&self.data).unwrap();
        let errors = serde_json::to_string(&errors).unwrap();
        FetchResponse::Json(format!("{{\"data\":{data},\"errors\":{errors}}}").into())
    }

    /// The answer as a subgraph in this process gives it.
    pub(crate) fn into_value(self) -> FetchResponse {
        FetchResponse::in_process(self.data, self.errors)
    }
}

pub(crate) fn supergraph_sdl(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let read = |file: &str| std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let header = read("header.graphql");
    let body = read(&format!("{name}.graphql"));
    if body.contains("type Mutation") {
        format!("{header}\n{body}")
    } else {
        format!("{}\n{body}", header.replace("  mutation: Mutation\n", ""))
    }
}

impl Fixture {
    pub(crate) fn load(name: &str) -> Self {
        let sdl = supergraph_sdl(name);
        let supergraph = Arc::new(Supergraph::parse(&sdl).unwrap());
        let api = Schema::parse_and_validate(supergraph.api_sdl(), "api.graphql").unwrap();
        Self {
            subgraphs: extract::subgraphs(&sdl),
            data: Data::load(name),
            supergraph,
            api,
            log: Mutex::default(),
            violations: Mutex::default(),
            fault: None,
            in_process: AtomicBool::default(),
        }
    }

    /// A fixture made of the SDL of subgraphs and data.
    ///
    /// # Errors
    /// When the subgraphs do not compose.
    pub(crate) fn compose(
        subgraphs: &[SubgraphSdl],
        records: serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, Vec<federation::Diagnostic>> {
        let supergraph = compose(subgraphs)?.supergraph_sdl;
        Ok(scenario::fixture(subgraphs, &supergraph, Data::new(records)))
    }

    pub(crate) fn prepare(&self, operation: &str) -> Prepared {
        prepare(&self.supergraph, operation, None)
            .unwrap_or_else(|errors| panic!("{operation}\n{errors:#?}"))
    }

    /// Runs `operation` through the engine.
    pub(crate) fn run(&self, operation: &str, variables: serde_json::Value) -> Response {
        let prepared = self.prepare(operation);
        self.run_prepared(&prepared, variables)
    }

    pub(crate) fn run_prepared(
        &self,
        prepared: &Prepared,
        variables: serde_json::Value,
    ) -> Response {
        self.run_with(prepared, variables, &ExecuteSettings::default())
    }

    pub(crate) fn run_with(
        &self,
        prepared: &Prepared,
        variables: serde_json::Value,
        settings: &ExecuteSettings,
    ) -> Response {
        let Value::Object(variables) = Value::from(variables) else {
            panic!("variables are an object");
        };
        let variables = prepared.coerce(variables).unwrap();
        let response = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(execute(prepared, variables.clone(), settings, self))
            .unwrap();
        self.expect_cost_as_estimated(prepared, &variables, &response);
        response
    }

    /// No answer costs more than was estimated, where the lists are not longer than was said.
    fn expect_cost_as_estimated(
        &self,
        prepared: &Prepared,
        variables: &Variables,
        response: &Response,
    ) {
        let settings = CostSettings { list_size: self.data.longest_list() };
        let estimate = prepared.estimate(variables, &settings).unwrap();
        let actual = response.cost.unwrap_or_default();
        assert!(
            self.fault.is_some() || actual <= estimate,
            "{actual} is more than {estimate}: {}",
            prepared.plan()
        );
    }

    /// Runs `operation` on the data as one schema.
    pub(crate) fn run_as_one(&self, operation: &str, variables: serde_json::Value) -> String {
        let document =
            ExecutableDocument::parse_and_validate(&self.api, operation, "operation.graphql")
                .unwrap();
        let variables: JsonMap = serde_json::from_value(variables).unwrap();
        let operation = document.operations.get(None).unwrap();
        let root = data::Whole::root(&self.data, operation.object_type());
        let response = Execution::new(&self.api, &document)
            .operation(operation)
            .raw_variable_values(&variables)
            .enable_schema_introspection(true)
            .execute_sync(&root)
            .unwrap();
        serde_json::to_string(&response.data).unwrap()
    }

    /// Runs `operation` both ways, expects the same data and no violation, and returns the engine's answer.
    pub(crate) fn check(&self, operation: &str, variables: serde_json::Value) -> Response {
        let response = self.run(operation, variables.clone());
        let expected = self.run_as_one(operation, variables);
        let plan = self.prepare(operation).plan().to_string();
        let actual = String::from_utf8(response.data.clone()).unwrap();
        assert_eq!(expected, actual, "{operation}\n{plan}\n{:#?}", response.errors);
        self.expect_no_violation(operation);
        response
    }

    pub(crate) fn expect_no_violation(&self, operation: &str) {
        let violations = self.violations.lock().unwrap();
        let plan = self.prepare(operation).plan().to_string();
        assert!(violations.is_empty(), "{operation}\n{plan}\n{violations:#?}");
    }

    pub(crate) fn take_log(&self) -> Vec<(String, String, usize)> {
        std::mem::take(&mut self.log.lock().unwrap())
    }
}

impl Fetch for Fixture {
    async fn fetch(&self, request: FetchRequest<'_>) -> Result<FetchResponse, FetchError> {
        let variables: serde_json::Value =
            serde_json::from_slice(request.variables_json()).unwrap();
        let representations = variables
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| name.starts_with("representations"))
            .filter_map(|(_, value)| value.as_array())
            .map(Vec::len)
            .sum();
        self.log.lock().unwrap().push((
            request.subgraph.to_owned(),
            request.document.to_string(),
            representations,
        ));
        let subgraph =
            self.subgraphs.iter().find(|subgraph| subgraph.name == request.subgraph).unwrap();
        check_body(&request);
        let response = subgraph.run(&self.data, request.document, variables, &self.violations);
        let answered = Answered {
            data: response
                .data
                .map(|data| Value::from(serde_json::to_value(data).unwrap()))
                .unwrap_or_default(),
            errors: response.errors.into_iter().map(subgraph_error).collect(),
        };
        match &self.fault {
            Some(fault) => fault(&request, answered),
            None if self.in_process.fetch_xor(true, Ordering::Relaxed) => Ok(answered.into_value()),
            None => Ok(answered.as_json()),
        }
    }
}

/// The text of a request says what its other members say.
fn check_body(request: &FetchRequest<'_>) {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let variables: serde_json::Value = serde_json::from_slice(request.variables_json()).unwrap();
    assert_eq!(body["query"], **request.document);
    assert_eq!(body["operationName"].as_str(), request.operation_name);
    assert_eq!(body["variables"], variables);
}

fn subgraph_error(error: apollo_compiler::response::GraphQLError) -> SubgraphError {
    use apollo_compiler::response::ResponseDataPathSegment as Segment;
    SubgraphError {
        message: error.message,
        path: error
            .path
            .into_iter()
            .map(|segment| match segment {
                Segment::Field(name) => PathSegment::Key(name.as_str().into()),
                Segment::ListIndex(index) => PathSegment::Index(index),
            })
            .collect(),
        extensions: Object::default(),
    }
}

/// An answer as text: data, then errors.
pub(crate) fn show(response: &Response) -> String {
    let data: serde_json::Value = serde_json::from_slice(&response.data).unwrap();
    let errors = serde_json::to_string_pretty(&response.errors).unwrap();
    format!("{}\n{errors}", serde_json::to_string_pretty(&data).unwrap())
}
