//! What a measurement ran on, and how much of it.

use std::time::Duration;

/// The CPU time of this process: a busy machine does not change it much.
pub(crate) fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The machine, in a few words.
pub(crate) async fn machine() -> String {
    let read = async |path| tokio::fs::read_to_string(path).await.unwrap_or_default();
    let (cpus, memory) = (read("/proc/cpuinfo").await, read("/proc/meminfo").await);
    let field = |text: &str, name: &str| {
        let value =
            text.lines().find(|line| line.starts_with(name)).and_then(|line| line.split_once(':'));
        value.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let kernel = read("/proc/sys/kernel/osrelease").await;
    let memory = field(&memory, "MemTotal");
    let load = read("/proc/loadavg").await;
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{}, {cores} cores, {memory} of memory, Linux {}; load average at the end {load}",
        field(&cpus, "model name"),
        kernel.trim()
    )
}
