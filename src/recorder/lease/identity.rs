//! Who holds the Lease: a name that tells one process from all others, and that says enough for a
//! process of the same pod or machine to tell whether that one can still be alive. It is read whole
//! or not at all, and what cannot be told is not guessed. Where it is looked up is `machine`.

use std::fmt;
use std::str::FromStr;

/// What stands where something is not known.
const UNKNOWN: &str = "-";

/// A process that wants the Lease or has it.
///
/// As text, which is what stands in the Lease: `pod/<name>/<uid>` or `host/<name>/<boot id>`, then
/// `/<pid namespace>/<pid>/<start>/<tag>`, with `-` for what is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    home: Home,
    process: Option<Process>,
    /// Chosen at random, so that no two processes are ever the same.
    tag: String,
}

/// Where a process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In a container of a pod. A container that is restarted stays in its pod.
    Pod {
        /// The pod's name, for people.
        name: String,
        /// Its uid.
        uid: String,
    },
    /// Outside of a pod, as far as the process knows.
    Host {
        /// The machine's name.
        name: String,
        /// What Linux calls this start of the machine (`/proc/sys/kernel/random/boot_id`).
        boot: Option<String>,
    },
}

/// A process among all that a kernel ever ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// The pid namespace in which `id` counts: its inode (`/proc/self/ns/pid`).
    pub namespace: u64,
    /// The process id.
    pub id: u32,
    /// When it was started, in clock ticks since the machine was (`/proc/<pid>/stat`, field 22).
    pub start: u64,
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It exists.
    Alive,
    /// It has ended.
    Gone,
    /// It cannot be told.
    Unknown,
}

/// A text that names no process in the way this program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a process of deployment-recorder")]
pub struct UnknownForm;

impl Identity {
    /// That of a process in `home`. What is not fit for a name in `home` or `tag` is replaced.
    pub fn new(home: Home, process: Option<Process>, tag: &str) -> Self {
        let home = match home {
            Home::Pod { name, uid } => Home::Pod {
                name: tidy(&name),
                uid: tidy(&uid),
            },
            Home::Host { name, boot } => Home::Host {
                name: tidy(&name),
                boot: boot.as_deref().map(tidy),
            },
        };
        let tag = tidy(tag);
        Self { home, process, tag }
    }

    /// Whether `holder` cannot be alive any more, as seen from here. `fate` looks up a process of
    /// the pid namespace in which this one runs.
    ///
    /// * In the same pod and pid namespace, or on the same machine in the same one: if that process
    ///   is gone.
    /// * In the same pod and another pid namespace: yes, because its container was restarted, which
    ///   the kubelet does when the former process has ended. (Two containers of one pod that keep
    ///   the same ledger would not let each other be.)
    /// * Anything else cannot be told from here: another pod, another machine, another start of a
    ///   machine of that name, and whatever names no process.
    pub fn sees_gone(&self, holder: &str, fate: impl FnOnce(&Process) -> Fate) -> bool {
        let Ok(holder) = holder.parse::<Self>() else {
            return false;
        };
        let (Some(mine), Some(its)) = (self.process, holder.process) else {
            return false;
        };
        let same_namespace = mine.namespace == its.namespace;
        match (&self.home, &holder.home) {
            (Home::Pod { uid: mine, .. }, Home::Pod { uid, .. }) if mine == uid => {
                !same_namespace || fate(&its) == Fate::Gone
            }
            (Home::Host { boot: Some(_), .. }, Home::Host { .. }) if self.home == holder.home => {
                same_namespace && fate(&its) == Fate::Gone
            }
            _ => false,
        }
    }
}

/// The pod in which a holder runs, by its name.
pub fn pod_of(holder: &str) -> Option<String> {
    match holder.parse::<Identity>().ok()?.home {
        Home::Pod { name, .. } => Some(name),
        Home::Host { .. } => None,
    }
}

/// A holder as people know it, with its name in full.
pub fn described(holder: &str) -> String {
    match holder.parse() {
        Ok(Identity {
            home: Home::Pod { name, .. },
            ..
        }) => format!("pod {name} ({holder})"),
        Ok(Identity {
            home: Home::Host { name, .. },
            process,
            ..
        }) => match process {
            Some(Process { id, .. }) => format!("process {id} on {name} ({holder})"),
            None => format!("a process on {name} ({holder})"),
        },
        Err(UnknownForm) if holder.is_empty() => "nobody".to_owned(),
        Err(UnknownForm) => format!("{holder:?}, which is no name that this program gives itself"),
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.home {
            Home::Pod { name, uid } => write!(f, "pod/{name}/{uid}")?,
            Home::Host { name, boot } => {
                write!(f, "host/{name}/{}", boot.as_deref().unwrap_or(UNKNOWN))?;
            }
        }
        match &self.process {
            Some(Process {
                namespace,
                id,
                start,
            }) => write!(f, "/{namespace}/{id}/{start}")?,
            None => write!(f, "/{UNKNOWN}/{UNKNOWN}/{UNKNOWN}")?,
        }
        write!(f, "/{}", self.tag)
    }
}

impl FromStr for Identity {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        let parts: Vec<&str> = text.split('/').collect();
        let [kind, name, whole, namespace, id, start, tag] = parts[..] else {
            return Err(UnknownForm);
        };
        let process = match (namespace, id, start) {
            (UNKNOWN, UNKNOWN, UNKNOWN) => None,
            _ => Some(Process {
                namespace: number(namespace)?,
                id: number(id)?,
                start: number(start)?,
            }),
        };
        let (name, whole, tag) = (word(name)?, word(whole)?, word(tag)?);
        let home = match kind {
            "pod" => Home::Pod { name, uid: whole },
            "host" => Home::Host {
                name,
                boot: (whole != UNKNOWN).then_some(whole),
            },
            _ => return Err(UnknownForm),
        };
        Ok(Self { home, process, tag })
    }
}

fn is_fit(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | ':')
}

/// `text` with every letter replaced that is not fit for a name.
fn tidy(text: &str) -> String {
    let tidy: String = text
        .chars()
        .map(|letter| if is_fit(letter) { letter } else { '_' })
        .collect();
    if tidy.is_empty() || tidy == UNKNOWN {
        "_".to_owned()
    } else {
        tidy
    }
}

fn word(part: &str) -> Result<String, UnknownForm> {
    if part.is_empty() || !part.chars().all(is_fit) {
        return Err(UnknownForm);
    }
    Ok(part.to_owned())
}

/// A number as it is written here, and in no other way.
fn number<N: FromStr + ToString>(part: &str) -> Result<N, UnknownForm> {
    let number: N = part.parse().map_err(|_| UnknownForm)?;
    if number.to_string() == part {
        Ok(number)
    } else {
        Err(UnknownForm)
    }
}

#[cfg(test)]
mod tests;
