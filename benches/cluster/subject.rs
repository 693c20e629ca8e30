//! The recorder as a process of its own, and what the kernel says of it: memory from
//! `/proc/PID/status`, time from `/proc/PID/stat` (proc(5)).

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::cage::{Cage, command};

/// Between two looks at its memory.
const LOOK: Duration = Duration::from_millis(100);

/// The kernel counts a process' time in these, a second.
const TICKS: f64 = 100.0;

/// A recorder under measurement. Dropping it ends it.
pub(crate) struct Subject {
    child: Child,
    log: PathBuf,
    /// When it was started.
    pub(crate) started: Instant,
    looks: Arc<Mutex<Vec<(f64, Memory)>>>,
    looking: JoinHandle<()>,
}

/// Memory, in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// What is resident.
    pub(crate) resident: u64,
    /// Its peak, as the kernel has seen it.
    pub(crate) peak: u64,
    /// What is resident and not of a file: heap and stacks.
    pub(crate) anonymous: u64,
}

impl Subject {
    /// Starts `program`, signed in to the cluster by `kubeconfig`, with GitHub at `github`, in `cage` if
    /// there is one.
    pub(crate) fn start(
        program: &Path,
        kubeconfig: &Path,
        github: &str,
        log: PathBuf,
        cage: Option<Arc<Cage>>,
    ) -> Self {
        let started = Instant::now();
        let child = command(cage.as_deref(), program)
            .args(["run", "--org", "acme", "--cluster", "bench"])
            .args([
                "--logical-environment",
                "production",
                "--listen",
                "127.0.0.1:0",
            ])
            .args([
                "--log-format",
                "json",
                "--github-api-url",
                github,
                "--kubeconfig",
            ])
            .arg(kubeconfig)
            .env("GITHUB_TOKEN", "a-token")
            .stdin(Stdio::null())
            .stdout(File::create(log.with_extension("out")).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let looks = Arc::new(Mutex::new(Vec::new()));
        let (id, seen) = (child.id(), Arc::clone(&looks));
        let looking = tokio::spawn(async move {
            while let Some(memory) = memory(id) {
                let at = started.elapsed().as_secs_f64();
                seen.lock().unwrap().push((at, memory));
                tokio::time::sleep(LOOK).await;
            }
            let kills = cage.and_then(|cage| cage.kills().ok()).unwrap_or_default();
            eprintln!("bench: the recorder has ended; killed at its limit of memory: {kills}");
        });
        Self {
            child,
            log,
            started,
            looks,
            looking,
        }
    }

    /// # Panics
    ///
    /// When it has ended.
    pub(crate) fn memory(&self) -> Memory {
        memory(self.child.id())
            .unwrap_or_else(|| panic!("the recorder has ended, see {}", self.log.display()))
    }

    /// Seconds of CPU that it has used.
    pub(crate) fn cpu(&self) -> f64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = text.rsplit_once(')').unwrap();
        // utime and stime are fields 14 and 15; the first after the name is field 3.
        let times = fields.split_whitespace().skip(11).take(2);
        times.map(|time| time.parse::<f64>().unwrap()).sum::<f64>() / TICKS
    }

    /// What it looked like all along, for the file beside the table.
    pub(crate) fn timeline(&self) -> Vec<Value> {
        let looks = self.looks.lock().unwrap();
        looks
            .iter()
            .map(|(at, memory)| json!([at, memory.resident, memory.anonymous]))
            .collect()
    }

    /// The lines of its log that say how a cycle went.
    pub(crate) fn cycles(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.log).unwrap();
        let lines = text.lines().filter(|line| line.contains("cycle done"));
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// What it complained about.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.log).unwrap();
        let loud = |line: &&str| line.contains("\"ERROR\"") || line.contains("\"WARN\"");
        text.lines().filter(loud).map(str::to_owned).collect()
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.looking.abort();
        // It is gone already if these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn memory(process: u32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        resident: field("VmRSS:")?,
        peak: field("VmHWM:")?,
        anonymous: field("RssAnon:")?,
    })
}
