//! A real control plane for tests: etcd, kube-apiserver and what else is asked for, each in
//! a folder of its own below `target/tmp`. All of the work is done by
//! `tests/tools/control-plane`; what a component is or how it starts does not belong here.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// What a control plane has besides etcd and kube-apiserver.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// kube-controller-manager: owners make pods, deleting cascades. Without it pods need no
    /// service account and are only what the test writes.
    pub(crate) controllers: bool,
    /// kube-scheduler.
    pub(crate) scheduler: bool,
    /// So many nodes whose kubelets kwok pretends to be; see `tests/tools/kwok/stages.yaml`
    /// for how a pod is made to misbehave.
    pub(crate) nodes: u32,
}

impl Options {
    /// Everything that rolls out workloads: controllers, scheduler and one node.
    pub(crate) const ROLLS_OUT: Self = Self {
        controllers: true,
        scheduler: true,
        nodes: 1,
    };
}

/// A running control plane. Dropping it ends it; so does the end of this process.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    dir: PathBuf,
}

static SHARED: OnceLock<ControlPlane> = OnceLock::new();
static COUNT: AtomicU32 = AtomicU32::new(0);

impl ControlPlane {
    /// Starts one for the caller alone, in 4 to 7 seconds.
    ///
    /// # Panics
    ///
    /// With the tail of the log when a component does not get ready, and with a hint when the
    /// programs are not built.
    pub(crate) fn start(options: Options) -> Self {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("control-planes");
        Self::remove_left_behind(&all);
        let process = std::process::id();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let plane = Self {
            dir: all.join(format!("{process}-{number}")),
        };
        let mut flags = vec!["--parent".to_owned(), process.to_string()];
        if options.controllers {
            flags.push("--controllers".to_owned());
        }
        if options.scheduler {
            flags.push("--scheduler".to_owned());
        }
        if options.nodes > 0 {
            flags.extend([
                "--kwok".to_owned(),
                "--nodes".to_owned(),
                options.nodes.to_string(),
            ]);
        }
        plane.launcher("up", flags.iter().map(String::as_str));
        plane
    }

    /// The one with everything that rolls out workloads, for all tests of this binary; each
    /// keeps to namespaces of its own.
    pub(crate) fn shared() -> &'static Self {
        SHARED.get_or_init(|| Self::start(Options::ROLLS_OUT))
    }

    /// The administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.dir.join("kubeconfig")
    }

    /// One JSON object per line for each answered request: user, user agent, verb, URI.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.dir.join("audit.log")
    }

    /// Runs kubectl as the administrator and gives what it printed.
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        self.launcher("kubectl", args.iter().copied())
    }

    /// Runs kubectl as the administrator and leaves it to the caller what a failure means.
    pub(crate) fn try_kubectl(&self, args: &[&str]) -> Output {
        self.command("kubectl", args.iter().copied())
            .output()
            .expect("kubectl starts")
    }

    /// Applies manifests (YAML, one or more documents).
    pub(crate) fn apply(&self, manifests: &str) {
        let mut child = self
            .command("kubectl", ["apply", "--server-side", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl starts");
        let mut input = child.stdin.take().expect("kubectl has an input");
        input
            .write_all(manifests.as_bytes())
            .expect("kubectl reads");
        drop(input);
        printed(
            "kubectl apply",
            &child.wait_with_output().expect("kubectl ends"),
        );
    }

    /// Makes a namespace in which pods can be made, and gives its name: `{prefix}-{number}`.
    pub(crate) fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.kubectl(&["create", "namespace", &name]);
        if self.dir.join("pids/kube-controller-manager.pid").exists() {
            let account = "serviceaccount/default";
            self.kubectl(&[
                "wait",
                "--for=create",
                account,
                "-n",
                &name,
                "--timeout=60s",
            ]);
        }
        name
    }

    /// Ends one component (`kube-apiserver`, `etcd`, ...).
    pub(crate) fn stop_component(&self, name: &str) {
        self.launcher("stop", [name]);
    }

    /// Starts a component again that was stopped, at its old address, and waits until it is ready.
    pub(crate) fn start_component(&self, name: &str) {
        self.launcher("start", [name]);
    }

    /// A kubeconfig for a user without any rights: give some with a `RoleBinding` to the User `name`.
    pub(crate) fn user(&self, name: &str) -> PathBuf {
        let path = self.dir.join("users").join(format!("{name}.kubeconfig"));
        let text = path.to_str().expect("the path is Unicode");
        self.launcher("user", [name, "--kubeconfig", text]);
        path
    }

    /// Folders of test processes that are gone: they stay for their logs until the next run.
    fn remove_left_behind(all: &Path) {
        if !Path::new("/proc/self").exists() {
            return; // no cheap way to tell who lives
        }
        for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.split('-').next().unwrap_or_default();
            if !Path::new("/proc").join(process).exists() {
                // Dropping ends what may still be about to end by itself, and removes the folder.
                drop(Self { dir: entry.path() });
            }
        }
    }

    fn launcher<'a>(&self, verb: &str, args: impl IntoIterator<Item = &'a str>) -> String {
        let output = self
            .command(verb, args)
            .output()
            .expect("tests/tools/control-plane starts");
        printed(verb, &output)
    }

    fn command<'a>(&self, verb: &str, args: impl IntoIterator<Item = &'a str>) -> Command {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/control-plane");
        let mut command = Command::new(program);
        command
            .arg(verb)
            .arg(&self.dir)
            .args(args)
            .stdin(Stdio::null());
        command
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        let ended = self
            .command("down", [])
            .status()
            .is_ok_and(|status| status.success());
        if ended && !std::thread::panicking() {
            // Best effort: what stays is removed by the next run.
            drop(std::fs::remove_dir_all(&self.dir));
        }
    }
}

fn printed(what: &str, output: &Output) -> String {
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what} failed ({}): {problem}",
        output.status
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
