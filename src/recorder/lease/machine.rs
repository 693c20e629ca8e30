//! This machine, as far as it tells who holds the Lease: who this process is, and what became of
//! another one. Everything is read from `/proc` (`proc(5)`), and what is not there is not known.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::identity::{Fate, Home, Identity, Process};

/// Who this process is. `pod`: name and uid of the pod that it runs in, if it was told.
pub fn identity(pod: Option<(String, String)>) -> Identity {
    let home = match pod {
        Some((name, uid)) => Home::Pod { name, uid },
        None => Home::Host {
            name: host_name(),
            boot: line("/proc/sys/kernel/random/boot_id"),
        },
    };
    let tag = format!("{:08x}", rand::random::<u32>());
    Identity::new(home, this_process(), &tag)
}

/// The machine's name; in a container that of the pod.
pub fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// What became of a process of this pid namespace.
///
/// A process that has ended and whose parent has not asked for it yet counts as gone: it does
/// nothing any more. That a process exists is asked of the kernel, because `/proc` may hide those
/// of other users.
pub(super) fn fate(process: &Process) -> Fate {
    let pid = i32::try_from(process.id).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else {
        return Fate::Unknown;
    };
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return Fate::Gone;
    }
    let Some(stat) = line(&format!("/proc/{}/stat", process.id)) else {
        return Fate::Unknown;
    };
    match Stat::read(&stat) {
        Some(stat) if stat.start != process.start || stat.has_ended() => Fate::Gone,
        Some(_) => Fate::Alive,
        None => Fate::Unknown,
    }
}

fn this_process() -> Option<Process> {
    let stat = Stat::read(&line("/proc/self/stat")?)?;
    // A /proc of another pid namespace counts processes in another way.
    if stat.id != std::process::id() {
        return None;
    }
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    let inode = link
        .to_str()?
        .strip_prefix("pid:[")?
        .strip_suffix(']')?
        .parse();
    Some(Process {
        namespace: inode.ok()?,
        id: stat.id,
        start: stat.start,
    })
}

/// What matters of `/proc/<pid>/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    id: u32,
    state: char,
    start: u64,
}

impl Stat {
    fn read(text: &str) -> Option<Self> {
        // The second field is the program's name in brackets, in which anything may stand.
        let (id, _) = text.split_once(' ')?;
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_whitespace();
        let state = fields.next()?.chars().next()?;
        // The state is field 3, the start field 22.
        let start = fields.nth(18)?;
        Some(Self {
            id: id.parse().ok()?,
            state,
            start: start.parse().ok()?,
        })
    }

    /// A zombie, or about to be none.
    fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }
}

/// The first line of a file, if it can be read.
fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Child, Command};

    use super::*;

    #[test]
    fn the_machine_is_called_as_the_kernel_calls_it() {
        assert_eq!(Some(host_name()), line("/proc/sys/kernel/hostname"));
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().unwrap()
    }

    fn process_of(id: u32) -> Process {
        let stat = Stat::read(&line(&format!("/proc/{id}/stat")).unwrap()).unwrap();
        Process {
            id,
            start: stat.start,
            ..this_process().unwrap()
        }
    }

    #[test]
    fn a_process_is_alive_until_it_has_ended_whether_or_not_its_parent_has_asked() {
        let mut child = sleeper();
        let process = process_of(child.id());
        assert_eq!(fate(&process), Fate::Alive);
        child.kill().unwrap();
        while fate(&process) == Fate::Alive {
            std::thread::yield_now();
        }
        let stat = line(&format!("/proc/{}/stat", child.id())).unwrap();
        assert!(Stat::read(&stat).unwrap().has_ended(), "{stat}");
        assert_eq!(fate(&process), Fate::Gone);
        child.wait().unwrap();
        assert_eq!(fate(&process), Fate::Gone);
    }

    #[test]
    fn a_process_that_only_has_the_number_of_another_is_not_that_one() {
        let me = this_process().unwrap();
        assert_eq!(fate(&me), Fate::Alive);
        let before = Process {
            start: me.start - 1,
            ..me
        };
        assert_eq!(fate(&before), Fate::Gone);
    }

    #[test]
    fn this_process_has_a_name_of_its_own_each_time_and_sees_itself_alive() {
        let (one, other) = (identity(None), identity(None));
        assert_ne!(one, other);
        assert!(!one.sees_gone(&other.to_string(), fate));
        assert!(one.to_string().starts_with("host/"), "{one}");
        let pod = identity(Some(("recorder-0".to_owned(), "uid-1".to_owned())));
        assert!(
            pod.to_string().starts_with("pod/recorder-0/uid-1/"),
            "{pod}"
        );
        assert!(!one.sees_gone(&pod.to_string(), fate));
    }

    #[test]
    fn a_name_with_brackets_and_spaces_hides_nothing_of_the_state() {
        let fields: Vec<String> = (4..60).map(|field| field.to_string()).collect();
        let text = format!("12 (a) b (c) Z {}", fields.join(" "));
        let stat = Stat::read(&text).unwrap();
        assert_eq!((stat.id, stat.state, stat.start), (12, 'Z', 22));
        for cut in ["", "12", "12 (a", "12 (a) Z 4 5", "x (a) Z 4"] {
            assert_eq!(Stat::read(cut), None, "{cut}");
        }
    }
}
