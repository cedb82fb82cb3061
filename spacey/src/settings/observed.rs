//! What is told of how the program does: metrics, traces, and slow operations.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::reader::Reader;
use super::{HTTP_ADDRESS, http_url, parse};

/// What is told of how the program does.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    /// `SPACEY_METRICS_LISTEN`: where metrics are served to whoever can reach it; nowhere without.
    pub(crate) metrics: Option<SocketAddr>,
    /// `SPACEY_TRACES_TO`: where traces are sent by OTLP over HTTP; nowhere without.
    pub(crate) traces: Option<Url>,
    /// `SPACEY_TRACES_SAMPLED`: which part of requests is traced, from 0 to 1.
    pub(crate) sampled: f64,
    /// `SPACEY_SLOW_MILLISECONDS`: how long an operation takes that is logged with its plan; none for never.
    pub(crate) slow: Option<Duration>,
}

impl Observed {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let metrics = reader.optional(
            "SPACEY_METRICS_LISTEN",
            "an address with a port such as 127.0.0.1:9090 is accepted",
            parse,
        );
        let traces = reader.optional("SPACEY_TRACES_TO", HTTP_ADDRESS, http_url);
        let sampled = reader.get(
            "SPACEY_TRACES_SAMPLED",
            "a number from 0 to 1 is accepted",
            "0.05",
            |text| text.parse().ok().filter(|part| (0.0..=1.0).contains(part)),
        );
        let slow = reader.get(
            "SPACEY_SLOW_MILLISECONDS",
            "a number of milliseconds from 0, for never, to 3600000 is accepted",
            "1000",
            |text| text.parse().ok().filter(|ms| *ms <= 3_600_000).map(Duration::from_millis),
        );
        let slow = Some(slow?).filter(|slow| !slow.is_zero());
        Some(Self { metrics, traces, sampled: sampled?, slow })
    }
}
