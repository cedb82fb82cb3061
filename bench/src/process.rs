//! A server under measurement: started on a free port, asked for its CPU time and memory, stopped at the end.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::Result;

/// Kernel clock ticks a second, as Linux reports CPU time on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts a program of Spacey's.
    pub(crate) async fn start(program: &Path, arguments: &[&str], data_dir: &Path) -> Result<Self> {
        // Whoever measures asks for more than any client is granted.
        let settings = [("SPACEY_COST_MAXIMUM_MODE", "off"), ("SPACEY_COST_THROTTLE_MODE", "off")];
        let mut command = Command::new(program);
        Self::start_with(command.args(arguments), data_dir, &settings).await
    }

    /// Starts a program of Spacey's with settings of the measurement's own.
    pub(crate) async fn start_with(
        command: &mut Command,
        data_dir: &Path,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        command.env("PORT", "0").env("SPACEY_DATA_DIR", data_dir).env("SPACEY_LOG", "warn");
        Self::announcing(command.envs(settings.iter().copied())).await
    }

    /// Starts a program that prints a line with `http://HOST:PORT` once it listens.
    pub(crate) async fn announcing(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some((_, address)) = line.split_once("http://") {
                let address = format!("http://{}", address.trim());
                // What it prints later must not fill the pipe.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self { child, address });
            }
        }
        Err("the program ended before it listened".into())
    }

    /// Starts a program that will listen at `address`.
    pub(crate) fn at(command: &mut Command, address: String) -> Result<Self> {
        let child = command.stdout(Stdio::null()).kill_on_drop(true).spawn()?;
        Ok(Self { child, address })
    }

    /// The CPU time it has used, user and kernel.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        // The name of the program, in parentheses, may hold spaces; what follows it does not.
        let (_, rest) = stat.rsplit_once(") ").ok_or("unreadable /proc/PID/stat")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
    }

    /// The same to the nanosecond, but for what threads used that have ended.
    pub(crate) fn exact_cpu(&self) -> Result<Duration> {
        let mut sum = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.pid()?))? {
            // A thread may end at any moment.
            let Ok(stat) = std::fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            sum += stat.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0_u64);
        }
        Ok(Duration::from_nanos(sum))
    }

    /// The memory it holds, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        self.status("VmRSS:")
    }

    /// The most memory it has held, in bytes.
    pub(crate) fn peak(&self) -> Result<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find(|line| line.starts_with(name)).ok_or("no such status")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no such status")?.parse()?;
        Ok(kib * 1024)
    }

    fn pid(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the server has ended")?)
    }

    /// Kills it, and waits until its files are free.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await?;
        Ok(())
    }
}
