//! `make bench`: what the recorder costs at a cluster of 2,000 Deployments and 10,000 pods, against
//! a real kube-apiserver and github-sandbox, and whether that is within its targets. How to read the
//! figures stands in `docs/benchmarks.md`. `BENCH_SMALL=1`: a twentieth of it, to see that it works.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on should say so loudly"
)]

mod cluster {
    //! The parts of the benchmark.
    pub(crate) mod audit;
    pub(crate) mod cage;
    pub(crate) mod github;
    pub(crate) mod objects;
    pub(crate) mod subject;
    pub(crate) mod verdict;
    pub(crate) mod writer;
}
#[path = "../tests/support/control_plane.rs"]
#[expect(dead_code, reason = "tests use the rest of it")]
mod control_plane;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use cluster::audit::Calls;
use cluster::cage::{Cage, LIMIT};
use cluster::github::{Arrival, Github};
use cluster::objects::{CONTAINERS, REPLICAS, Service};
use cluster::subject::{Memory, Subject};
use cluster::verdict::Verdict;
use cluster::writer::Writer;
use control_plane::{ControlPlane, Options};

/// What the recorder calls itself.
const AGENT: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// What is resident is read so long after the last request, when nothing is under way any more.
const SETTLE: Duration = Duration::from_secs(5);

/// How large the cluster is.
#[derive(Clone, Copy, Debug)]
struct Size {
    namespaces: usize,
    deployments: usize,
    rollouts: usize,
}

const FULL: Size = Size {
    namespaces: 20,
    deployments: 2000,
    rollouts: 1000,
};
const SMALL: Size = Size {
    namespaces: 5,
    deployments: 100,
    rollouts: 50,
};

/// What was seen at the end of one part.
#[derive(Debug)]
struct Seen {
    /// When the first request came to GitHub, in seconds.
    first: f64,
    /// When all records were there, in seconds.
    complete: f64,
    requests: usize,
    memory: Memory,
    cpu: f64,
    calls: Calls,
}

/// The programs and places of one run.
struct Bench {
    size: Size,
    plane: ControlPlane,
    github: Github,
    writer: Writer,
    state: PathBuf,
    /// The limit of memory, or why there is none.
    cage: Result<Arc<Cage>, String>,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    // Fails only where a provider is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let small = std::env::var_os("BENCH_SMALL").is_some_and(|value| value != "0");
    let bench = Bench::start(if small { SMALL } else { FULL }).await;
    let verdict = bench.run().await;
    println!("{}", verdict.table());
    match &bench.cage {
        Ok(_) => println!("The recorder ran in a memory cgroup of {LIMIT} MiB."),
        Err(why) => println!("The recorder's memory was NOT limited to {LIMIT} MiB: {why}."),
    }
    if verdict.is_met() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Bench {
    async fn start(size: Size) -> Self {
        let state = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
        std::fs::create_dir_all(&state).unwrap();
        let plane = ControlPlane::start(Options::default());
        let github = Github::start(Path::new(env!("CARGO_BIN_EXE_github-sandbox")));
        let writer = Writer::new(client(&plane.kubeconfig()).await);
        Self {
            size,
            plane,
            github,
            writer,
            state,
            cage: Cage::new().map(Arc::new),
        }
    }

    async fn run(&self) -> Verdict {
        let begun = Instant::now();
        let services = self.services(0);
        self.writer.fill(&services, self.size.namespaces).await;
        let pod_size = self.writer.size_of_pod(services[0]).await;
        eprintln!(
            "bench: {} pods of {pod_size} bytes written in {:.0} s",
            services.len() * REPLICAS,
            begun.elapsed().as_secs_f64()
        );
        self.plane.apply(include_str!("../deploy/rbac.yaml"));
        let account = "system:serviceaccount:deployment-recorder:deployment-recorder";
        let program = std::env::var_os("BENCH_RECORDER").map_or_else(
            || PathBuf::from(env!("CARGO_BIN_EXE_deployment-recorder")),
            PathBuf::from,
        );
        let subject = Subject::start(
            &program,
            &self.plane.user(account),
            &self.github.url,
            self.state.join("recorder.log"),
            self.cage.as_ref().ok().cloned(),
        );
        let start = self.first_report(&subject, &services).await;
        eprintln!("bench: first report after {:.1} s", start.complete);
        let burst = self.rollouts(&subject, &services).await;
        self.judge(&subject, pod_size, &start, &burst).await
    }

    /// From the start of the recorder until GitHub has every record.
    async fn first_report(&self, subject: &Subject, services: &[Service]) -> Seen {
        let arrival = self.github.wait(records(services), 0).await;
        let calls = Calls::read(&self.plane.audit_log(), AGENT);
        self.seen(subject, subject.started, arrival, calls).await
    }

    /// Rolls many Deployments out at once. The clock runs from when the last new pod is ready.
    async fn rollouts(&self, subject: &Subject, services: &[Service]) -> Seen {
        let before = self.github.requests().await;
        let rolled: Vec<Service> = services[..self.size.rollouts]
            .iter()
            .map(|service| Service {
                revision: 1,
                ..*service
            })
            .collect();
        let writes = async {
            let begun = Instant::now();
            self.writer.begin_rollouts(&rolled).await;
            let made = begun.elapsed();
            let ready = self.writer.end_rollouts(&rolled).await;
            eprintln!(
                "bench: {} rollouts: pods made in {:.1} s, ready in {:.1} s",
                rolled.len(),
                made.as_secs_f64(),
                begun.elapsed().saturating_sub(made).as_secs_f64()
            );
            ready
        };
        let (ready, arrival) = tokio::join!(writes, self.github.wait(records(&rolled), before));
        let calls = Calls::read(&self.plane.audit_log(), AGENT);
        self.seen(subject, ready, arrival, calls).await
    }

    async fn seen(&self, subject: &Subject, from: Instant, arrival: Arrival, calls: Calls) -> Seen {
        sleep(SETTLE).await;
        let since = |at: Instant| at.saturating_duration_since(from).as_secs_f64();
        Seen {
            first: since(arrival.first),
            complete: since(arrival.complete),
            requests: arrival.requests,
            memory: subject.memory(),
            cpu: subject.cpu(),
            calls,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a few lines a figure")]
    async fn judge(
        &self,
        subject: &Subject,
        pod_size: usize,
        start: &Seen,
        burst: &Seen,
    ) -> Verdict {
        let mut wanted = records(&self.services(0));
        wanted.extend(records(&self.services(1)[..self.size.rollouts]));
        let (right, all) = self.github.right(&wanted).await;
        let violations = self.github.violations().await;
        let wrong = wanted.len() - right + all.saturating_sub(wanted.len());

        let mut verdict = Verdict::default();
        verdict.target(
            "resident after the first report",
            mib(start.memory.resident),
            "MiB",
            30.0,
        );
        verdict.figure("peak until then", mib(start.memory.peak), "MiB");
        verdict.figure(
            "resident after the rollouts",
            mib(burst.memory.resident),
            "MiB",
        );
        verdict.target("peak of all", mib(burst.memory.peak), "MiB", 40.0);
        if let Ok(cage) = &self.cage {
            let peak = mib(cage.peak().unwrap());
            verdict.figure("peak of its cgroup, files included", peak, "MiB");
            let kills = cage.kills().unwrap();
            let kills = f64::from(u32::try_from(kills).unwrap());
            verdict.target("kills at the limit of 64 MiB", kills, "", 0.0);
        }
        verdict.figure("start to the first request to GitHub", start.first, "s");
        verdict.target(
            "start to the last record at GitHub",
            start.complete,
            "s",
            10.0,
        );
        verdict.figure("requests to GitHub until then", count(start.requests), "");
        verdict.figure("CPU until then", start.cpu, "s");
        verdict.target(
            "calls to Kubernetes until then",
            count(start.calls.total()),
            "",
            300.0,
        );
        verdict.target(
            "reads of single pods or owners",
            count(burst.calls.single_reads()),
            "",
            0.0,
        );
        verdict.target(
            "lists without pages",
            count(burst.calls.whole_lists),
            "",
            0.0,
        );
        verdict.target(
            "last pod ready to the last record at GitHub",
            burst.complete,
            "s",
            10.0,
        );
        verdict.target(
            "requests to GitHub for the rollouts",
            count(burst.requests),
            "",
            12.0,
        );
        verdict.figure("CPU for the rollouts", burst.cpu - start.cpu, "s");
        verdict.target("records that are wrong at the end", count(wrong), "", 0.0);
        let broken = f64::from(u32::try_from(violations).unwrap());
        verdict.target("rules of GitHub broken", broken, "", 0.0);
        let details = self.details(subject, pod_size, start, burst);
        let file = self.state.join("cluster.json");
        verdict.write(&file, &details);
        eprintln!("bench: all figures are in {}", file.display());
        verdict
    }

    fn details(&self, subject: &Subject, pod_size: usize, start: &Seen, burst: &Seen) -> Value {
        json!({
            "deployments": self.size.deployments,
            "namespaces": self.size.namespaces,
            "pods": self.size.deployments * REPLICAS,
            "rollouts": self.size.rollouts,
            "bytes_of_a_pod": pod_size,
            "anonymous_kib": [start.memory.anonymous, burst.memory.anonymous],
            "lists_and_watches_at_start": [start.calls.of("list"), start.calls.of("watch")],
            "calls_at_start": start.calls.to_json(),
            "calls_at_the_end": burst.calls.to_json(),
            "cycles": subject.cycles(),
            "complaints": subject.complaints(),
            "limit": self.cage.as_ref().map_or_else(|why| json!(why), |cage| cage.to_json()),
            "seconds_resident_anonymous_kib": subject.timeline(),
        })
    }

    fn services(&self, revision: usize) -> Vec<Service> {
        let service = |number| Service {
            number,
            namespaces: self.size.namespaces,
            revision,
        };
        (0..self.size.deployments).map(service).collect()
    }
}

/// The records that GitHub is to have: digests by name.
fn records(services: &[Service]) -> BTreeMap<String, String> {
    let of = |service: &Service| CONTAINERS.map(|container| service.record(container));
    services.iter().flat_map(of).collect()
}

async fn client(kubeconfig: &Path) -> kube::Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    kube::Client::try_from(config.unwrap()).unwrap()
}

fn mib(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap()) / 1024.0
}

fn count(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
