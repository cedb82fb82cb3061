//! Config as a service sees it: read over the seam by which subgraphs are called, and remembered.
//!
//! What is remembered is a few seconds old at most while config answers. When it does not, the last known values stay; before the first
//! answer there are none, and whoever asks goes by what it has built in. Nobody waits long for it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_graphql::Variables;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::feature::Flag;
use crate::{Caller, Clock, Endpoint, SubgraphRequest, Viewer};

/// How old what is answered may be.
const REFRESH_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// How long to wait for config.
const PATIENCE: Duration = Duration::from_secs(2);
const QUERY: &str = "{ serviceConfig { key value } }";

/// Reads config for a service. It asks for the service itself, on nobody's behalf.
pub struct ServiceConfig {
    config: Arc<dyn Endpoint>,
    clock: Clock,
    query: Arc<str>,
    known: RwLock<Known>,
    /// Held by the one who asks.
    asking: Mutex<()>,
}

#[derive(Clone, Default)]
struct Known {
    values: Arc<ServiceValues>,
    asked_at: Option<Timestamp>,
}

/// The values in effect, by key.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceValues(BTreeMap<String, Value>);

impl ServiceConfig {
    /// Reads from `config`, for the first time when it is first asked.
    #[must_use]
    pub fn over(config: Arc<dyn Endpoint>, clock: Clock) -> Self {
        let (known, asking) = (RwLock::default(), Mutex::default());
        Self { config, clock, query: QUERY.into(), known, asking }
    }

    /// What is in effect, as far as is known.
    pub async fn current(&self) -> Arc<ServiceValues> {
        if let Some(values) = self.fresh() {
            return values;
        }
        let _asking = self.asking.lock().await;
        if let Some(values) = self.fresh() {
            return values;
        }
        let values = match self.ask().await {
            Ok(values) => Arc::new(values),
            Err(reason) => {
                tracing::warn!("the last known config stays in effect: {reason}");
                self.known().values
            }
        };
        let known = Known { values: Arc::clone(&values), asked_at: Some(self.clock.now()) };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        values
    }

    fn fresh(&self) -> Option<Arc<ServiceValues>> {
        let Known { values, asked_at } = self.known();
        let age = self.clock.now().duration_since(asked_at?);
        (age < REFRESH_EVERY).then_some(values)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask(&self) -> Result<ServiceValues, String> {
        let request = SubgraphRequest {
            document: Arc::clone(&self.query),
            operation_name: None,
            variables: Variables::default(),
        };
        let caller = Arc::new(Caller::anonymous(uuid::Uuid::now_v7().to_string()));
        let response = tokio::time::timeout(PATIENCE, self.config.execute(request, caller))
            .await
            .map_err(|_| format!("no answer within {PATIENCE:?}"))?
            .map_err(|error| error.to_string())?;
        if let Some(error) = response.errors.first() {
            return Err(error.message.clone());
        }
        let data = response.data.into_json().map_err(|error| error.to_string())?;
        let rows = data["serviceConfig"].as_array().ok_or("an answer of another form")?;
        let row = |row: &Value| Some((row["key"].as_str()?.to_owned(), row["value"].clone()));
        Ok(ServiceValues(rows.iter().filter_map(row).collect()))
    }
}

impl ServiceValues {
    /// The value of a key; `None` when it is unknown or has none.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Whether config has answered yet.
    #[must_use]
    pub fn are_known(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether `viewer` has a feature, as config says it; `None` as long as it did not.
    #[must_use]
    pub fn feature(&self, name: &str, viewer: Option<&Viewer>) -> Option<bool> {
        let flag = Flag::from_value(self.get(name)?).ok()?;
        Some(flag.admits(name, viewer))
    }
}
