//! Logs on standard error, as text for people or as a JSON object a line for machines; and traces, where they are sent somewhere.

use std::io::{self, IsTerminal};

use common::trace;
use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::{Log, Observed};

/// Whose spans are traced: nobody else's, which may hold what is not for others.
const OURS: [&str; 4] = ["gateway", "generation", "common", "spacey"];

/// Sends what waits to be sent when it is dropped.
#[derive(Debug)]
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.take().map(|provider| provider.shutdown()) {
            eprintln!("the last traces could not be sent: {error}");
        }
    }
}

/// Starts to log, and to trace as `role`. Later calls change nothing.
///
/// # Errors
/// When traces cannot be sent in the way that is set.
pub(crate) fn start(
    settings: &Log,
    observed: &Observed,
    role: &'static str,
) -> Result<Traces, ExporterBuildError> {
    let filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let provider = provider(observed, role)?;
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(trace::NAME))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|about| {
                let of = about.target().split("::").next().unwrap_or_default();
                about.is_span() && OURS.contains(&of)
            }))
    });
    let registry = tracing_subscriber::registry();
    // Only the second start in one process fails, and then logs are on already.
    drop(match traces {
        // A filter for everything costs least.
        None => registry.with(filter).with(written(settings.json)).try_init(),
        traces => registry.with(traces).with(written(settings.json).with_filter(filter)).try_init(),
    });
    if let Some(provider) = &provider {
        global::set_tracer_provider(provider.clone());
        trace::turn_on();
    }
    Ok(Traces(provider))
}

fn written<S>(json: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let logs = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    if json { Box::new(logs.json()) } else { Box::new(logs) }
}

fn provider(
    observed: &Observed,
    role: &'static str,
) -> Result<Option<SdkTracerProvider>, ExporterBuildError> {
    let Some(to) = &observed.traces else { return Ok(None) };
    let to = format!("{}/v1/traces", to.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(to)
        .build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(observed.sampled)));
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", format!("spacey-{role}")),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build();
    Ok(Some(provider))
}
