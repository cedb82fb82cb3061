//! Runs the operations of a download, a page at a time, as the person whose it is. An answer with any error is none.

use std::sync::Arc;

use common::Caller;
use federation::{Name, Object, Value};
use http::HeaderMap;

use crate::authenticate::Identity;
use crate::authorise::authorise;
use crate::bounds::Deadline;
use crate::code::Code;
use crate::decode::{Asked, GraphQlRequest};
use crate::execute::execute;
use crate::graph::Graph;
use crate::mask::mask;
use crate::outcome::Outcome;
use crate::settings::{ExportList, ExportSettings};
use crate::state::State;
use crate::transport::Exchange;

pub(super) struct Pages {
    state: Arc<State>,
    /// The graph may be replaced at any moment: a download keeps to the one it began with.
    graph: Arc<Graph>,
    document: &'static str,
    identity: Identity,
    caller: Caller,
    headers: HeaderMap,
}

impl Pages {
    pub(super) fn new(
        state: Arc<State>,
        settings: &'static ExportSettings,
        identity: Identity,
        caller: Caller,
        headers: HeaderMap,
    ) -> Self {
        let graph = state.graph.load_full();
        Self { state, graph, document: settings.document, identity, caller, headers }
    }

    /// What a section's operation answers at first.
    pub(super) async fn first(&self, list: &ExportList) -> Result<Value, Outcome> {
        self.run(list, Object::default()).await
    }

    /// The page after a cursor; of the object with the id `of`, where the list is one of an object's.
    pub(super) async fn after(
        &self,
        list: &ExportList,
        of: Option<&Value>,
        cursor: &str,
    ) -> Result<Value, Outcome> {
        let mut variables = Object::default();
        variables.push(Name::from("after"), Value::String(cursor.to_owned()));
        if let Some(of) = of {
            variables.push(Name::from("of"), of.clone());
        }
        self.run(list, variables).await
    }

    async fn run(&self, list: &ExportList, variables: Object) -> Result<Value, Outcome> {
        if self.state.authenticator.as_ref().is_some_and(|it| it.has_ended(&self.identity)) {
            return Err(Outcome::unauthenticated("the session was ended: sign in again"));
        }
        let deadline = Deadline::after(self.state.settings.http.request_timeout);
        let request = GraphQlRequest {
            uploads: None,
            asked: Asked::Text(self.document.to_owned()),
            operation_name: Some(list.operation.to_owned()),
            variables: Object::default(),
            by_safe_method: true,
            operation_id: None,
        };
        let prepared = self.graph.operations.prepare(self.document, &request).await?;
        let prepared = authorise(&prepared, &self.identity)?;
        let (transports, settings) = (&self.graph.transports, &self.state.settings);
        let exchange = Exchange::new(self.caller.clone(), &self.headers, transports, settings);
        let variables = prepared.coerce(variables).map_err(Outcome::RequestError)?;
        let running = execute(&prepared, variables, transports, exchange, settings);
        let mut executed = deadline.keep(Box::pin(running), Code::GatewayTimeout).await?;
        mask(&mut executed.response.errors, transports, &settings.errors);
        if let Some(error) = executed.response.errors.first() {
            return Err(Outcome::internal(&format!("{}: {}", list.operation, error.message)));
        }
        let data: Value = serde_json::from_slice(&executed.response.data)
            .map_err(|error| Outcome::internal(&error))?;
        Ok(at(data, list.at))
    }
}

/// What stands at a path of names with points between them; null when there is nothing.
fn at(mut value: Value, path: &str) -> Value {
    for name in path.split('.') {
        let Value::Object(object) = &mut value else { return Value::Null };
        value = object.get_mut(name).map(std::mem::take).unwrap_or_default();
    }
    value
}
