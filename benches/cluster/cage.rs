//! The limit of memory that the chart sets, set here: a memory cgroup of its own for the recorder, of
//! version 1 or 2, whichever the machine has. Making one takes root; without it nothing is limited, and
//! that is said.
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>,
//! <https://docs.kernel.org/admin-guide/cgroup-v2.html>

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// The limit, in MiB: `resources.limits.memory` of the chart.
pub(crate) const LIMIT: u32 = 64;

/// What a version calls the files of a cgroup.
#[derive(Debug)]
struct Files {
    limit: &'static str,
    /// Also limited where the machine has swap, which a pod has not.
    swap: (&'static str, u64),
    peak: &'static str,
    /// Has a line `oom_kill NUMBER`.
    kills: &'static str,
}

const BYTES: u64 = LIMIT as u64 * 1024 * 1024;

const V1: Files = Files {
    limit: "memory.limit_in_bytes",
    swap: ("memory.memsw.limit_in_bytes", BYTES),
    peak: "memory.max_usage_in_bytes",
    kills: "memory.oom_control",
};

const V2: Files = Files {
    limit: "memory.max",
    swap: ("memory.swap.max", 0),
    peak: "memory.peak",
    kills: "memory.events",
};

/// A memory cgroup with the limit. Dropping it removes it, which its last process must have left.
#[derive(Debug)]
pub(crate) struct Cage {
    folder: PathBuf,
    files: Files,
}

impl Cage {
    /// Makes one; an error says why that is not possible here.
    pub(crate) fn new() -> Result<Self, String> {
        let (parent, files) = parent()?;
        let folder = parent.join(format!("deployment-recorder-bench-{}", std::process::id()));
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        fs::create_dir(&folder).map_err(failed)?;
        let cage = Self { folder, files };
        let limit = cage.folder.join(cage.files.limit);
        fs::write(&limit, BYTES.to_string())
            .map_err(|error| format!("{}: {error}", limit.display()))?;
        let (swap, most) = cage.files.swap;
        // Without swap there is no such file.
        let _ = fs::write(cage.folder.join(swap), most.to_string());
        // A limit that cannot be watched proves nothing.
        cage.peak().and(cage.kills()).map(|_| cage)
    }

    /// A command that runs `program` in here from its first instruction on: a shell goes in and becomes
    /// it.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo $$ >\"$0\" && exec \"$@\""])
            .arg(self.folder.join("cgroup.procs"))
            .arg(program);
        command
    }

    /// The most memory that was charged, in KiB: also for files, which gives way at the limit.
    pub(crate) fn peak(&self) -> Result<u64, String> {
        let text = self.read(self.files.peak)?;
        let bytes: u64 = text.trim().parse().map_err(|_| text.clone())?;
        Ok(bytes / 1024)
    }

    /// How many processes were killed because nothing gave way.
    pub(crate) fn kills(&self) -> Result<u64, String> {
        let text = self.read(self.files.kills)?;
        let mut lines = text.lines();
        let kills = lines.find_map(|line| line.strip_prefix("oom_kill "));
        kills
            .and_then(|kills| kills.parse().ok())
            .ok_or_else(|| format!("{} does not tell of kills", self.files.kills))
    }

    /// For the file beside the table.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "folder": self.folder, "limit_mib": LIMIT,
            "peak_kib": self.peak().ok(), "kills": self.kills().ok(),
        })
    }

    fn read(&self, file: &str) -> Result<String, String> {
        let path = self.folder.join(file);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // An empty one that stays does no harm.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Where cgroups with a limit of memory can be made: the top of what this process sees, where no
/// process forbids it.
fn parent() -> Result<(PathBuf, Files), String> {
    let mounts = fs::read_to_string("/proc/self/mounts").map_err(|error| error.to_string())?;
    let mounts = || {
        mounts
            .lines()
            .map(|line| line.split(' ').collect::<Vec<_>>())
    };
    let has_memory =
        |words: &str, mark: char| words.split(mark).any(|word| word.trim() == "memory");
    for mount in mounts() {
        if let [_, folder, "cgroup", options, ..] = mount[..]
            && has_memory(options, ',')
        {
            return Ok((folder.into(), V1));
        }
    }
    for mount in mounts() {
        let [_, folder, "cgroup2", ..] = mount[..] else {
            continue;
        };
        let folder = Path::new(folder);
        let controls = folder.join("cgroup.subtree_control");
        let given = fs::read_to_string(folder.join("cgroup.controllers"));
        if !has_memory(&given.unwrap_or_default(), ' ') {
            continue;
        }
        let failed = |error: io::Error| format!("{}: {error}", controls.display());
        fs::write(&controls, "+memory").map_err(failed)?;
        return Ok((folder.to_owned(), V2));
    }
    Err("no cgroup of this machine limits memory".to_owned())
}

/// `program` in `cage`, or without one as it is.
pub(crate) fn command(cage: Option<&Cage>, program: &Path) -> Command {
    cage.map_or_else(
        || Command::new::<&OsStr>(program.as_ref()),
        |cage| cage.command(program),
    )
}
