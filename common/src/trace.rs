//! Traces: how one request's work hangs together across threads, stores and processes.
//!
//! The spans are those of `tracing`; whoever starts the program says whether they are sent anywhere ([`turn_on`]). Until then nothing here does
//! anything. Of a statement its text goes along, never what is bound to it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use opentelemetry::trace::{
    Span as _, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer,
};
use opentelemetry::{Context, KeyValue, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header by which a trace goes on in another process.
pub const HEADER: &str = "traceparent";
/// Who makes the spans.
pub const NAME: &str = "spacey";
/// How deep statements run within statements, at most, as far as they are told apart.
const NESTED: usize = 16;

static ON: AtomicBool = AtomicBool::new(false);

/// Spans are sent from now on.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Whether spans are sent.
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// The current span as a header for another process; none where there is no trace.
#[must_use]
pub fn parent() -> Option<String> {
    if !is_on() {
        return None;
    }
    let context = Span::current().context();
    let span = context.span();
    let of = span.span_context();
    of.is_valid()
        .then(|| format!("00-{}-{}-{:02x}", of.trace_id(), of.span_id(), of.trace_flags().to_u8()))
}

/// Lets `span` go on with the trace of another process, which `header` names; one that is none is left out.
pub fn follow(span: &Span, header: Option<&str>) {
    if let (true, Some(parent)) = (is_on(), header.and_then(remote)) {
        // Fails for a span that has begun, or that nobody follows.
        drop(span.set_parent(Context::new().with_remote_span_context(parent)));
    }
}

/// The trace that `span` belongs to, for logs.
#[must_use]
pub fn id(span: &Span) -> Option<String> {
    if !is_on() {
        return None;
    }
    let context = span.context();
    let of = context.span().span_context().clone();
    of.is_valid().then(|| of.trace_id().to_string())
}

fn remote(header: &str) -> Option<SpanContext> {
    let mut parts = header.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    if version != "00" || [trace.len(), span.len(), flags.len()] != [32, 16, 2] {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::default(),
    );
    context.is_valid().then_some(context)
}

/// Tells of a statement, or a command of a store's, that ended now.
pub(crate) fn statement(system: &'static str, store: &str, text: &str, started: SystemTime) {
    let context = Span::current().context();
    if !context.span().span_context().is_sampled() {
        return;
    }
    let verb = verb(text);
    let tracer = global::tracer(NAME);
    let mut span = tracer
        .span_builder(format!("{store} {verb}"))
        .with_kind(SpanKind::Client)
        .with_start_time(started)
        .with_attributes([
            KeyValue::new("db.system.name", system),
            KeyValue::new("db.namespace", store.to_owned()),
            KeyValue::new("db.query.text", text.to_owned()),
        ])
        .start_with_context(&tracer, &context);
    span.end();
}

/// What a statement does, past the comments that it begins with.
fn verb(text: &str) -> &str {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("--"));
    line.and_then(|line| line.split_whitespace().next()).unwrap_or_default()
}

thread_local! {
    /// When the statements began that run on this thread: the innermost last.
    static BEGUN: RefCell<Vec<SystemTime>> = const { RefCell::new(Vec::new()) };
}

/// A statement begins on this thread.
pub(crate) fn statement_begins() {
    BEGUN.with_borrow_mut(|begun| {
        // One whose end was never told.
        if begun.len() == NESTED {
            begun.remove(0);
        }
        begun.push(SystemTime::now());
    });
}

/// When the statement began that ends on this thread.
pub(crate) fn statement_began() -> SystemTime {
    BEGUN.with_borrow_mut(Vec::pop).unwrap_or_else(SystemTime::now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_header_is_read_if_it_is_one() {
        let context = remote(PARENT).unwrap();
        assert!(context.is_sampled() && context.is_remote());
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(context.span_id().to_string(), "b7ad6b7169203331");
        for wrong in [
            "",
            "00",
            &PARENT.replace("00-", "ff-"),
            &PARENT.replace("0af7651916cd43dd8448eb211c80319c", "00000000000000000000000000000000"),
            &PARENT.replace("0af7", "0AFx"),
            &PARENT.replace("-01", "-1"),
        ] {
            assert!(remote(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_statement_is_named_by_what_it_does() {
        assert_eq!(verb("-- All of them.\n--\n\n  SELECT 1"), "SELECT");
        assert_eq!([verb("find"), verb(""), verb("-- nothing")], ["find", "", ""]);
    }

    #[test]
    fn statements_within_statements_are_told_apart() {
        statement_begins();
        let outer = BEGUN.with_borrow(|begun| begun[0]);
        for _ in 0..3 {
            statement_begins();
            assert!(statement_began() >= outer);
        }
        assert_eq!(statement_began(), outer);
        for _ in 0..100 {
            statement_begins();
        }
        assert_eq!(BEGUN.with_borrow(Vec::len), NESTED);
    }
}
