//! The client against github-sandbox, in process under a paused clock: every operation, every status
//! that GitHub may answer with, and what the client makes of it. The sandbox judges each request.

#![cfg(feature = "sandbox")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::github::answer::{Failure, Refusal};
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::Credentials;
use deployment_recorder::github::client::{Client, DEFAULT_TIMEOUT};
use deployment_recorder::github::job::{JobId, JobStatus, Start};
use deployment_recorder::github::operation::Operation;
use deployment_recorder::github::reader::Reader;
use deployment_recorder::github::writer::Writer;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::model::risk::Risks;
use deployment_recorder::model::storage::{StorageLine, StorageStatus};
use deployment_recorder::sandbox::{
    Attestation, Endpoint, Fault, FaultKind, Sandbox, SandboxService, Settings,
};
use serde_json::Value;
use tokio::time::sleep;

/// GitHub, and who speaks to it.
struct World {
    sandbox: Sandbox,
    writer: Writer<SandboxService>,
    reader: Reader<SandboxService>,
}

impl World {
    fn new(settings: Settings, version: &str) -> Self {
        let sandbox = Sandbox::new(settings);
        let client = Client::new(
            sandbox.service(),
            ApiUrl::parse("https://api.github.test", false).unwrap(),
            ApiVersion::parse(version).unwrap(),
            Credentials::from_value("ghp_secret".into()),
            DEFAULT_TIMEOUT,
        );
        Self {
            reader: client.reader(),
            writer: Writer::new(client),
            sandbox,
        }
    }

    /// Asks for one operation and gives the kind of its answer, and why it failed.
    async fn ask(&mut self, operation: Operation) -> (&'static str, Option<Failure>) {
        let (place, lines) = (destination(), [line("web", 'a')]);
        macro_rules! told {
            ($call:expr) => {{
                let exchange = $call.await.unwrap();
                (exchange.kind(), exchange.failure().cloned())
            }};
        }
        match operation {
            Operation::CreateDeploymentRecord => {
                told!(self.writer.create_deployment_record(&lines[0]))
            }
            Operation::SetClusterDeploymentRecords => {
                told!(self.writer.set_cluster_deployment_records(&place, &lines))
            }
            Operation::CreateJob => told!(self.writer.create_job(&place, &lines)),
            Operation::GetJob => told!(self.reader.job(&place, JobId(1))),
            Operation::CreateStorageRecord => {
                told!(self.writer.create_storage_record("acme", &storage()))
            }
            Operation::ListDeploymentRecords => {
                told!(self.reader.deployment_records("acme", &digest('a')))
            }
            Operation::ListStorageRecords => {
                told!(self.reader.storage_records("acme", &digest('a')))
            }
        }
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new(Settings::default(), "2022-11-28")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.sandbox.violations(), []);
        }
    }
}

fn digest(letter: char) -> Digest {
    Digest::parse(&format!("sha256:{}", letter.to_string().repeat(64))).unwrap()
}

fn destination() -> Destination {
    Destination {
        host: "api.github.test".into(),
        organization: "acme".into(),
        cluster: "main".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    }
}

fn line(name: &str, letter: char) -> Line {
    let body = Body {
        digest: digest(letter),
        name: "ghcr.io/acme/web".into(),
        version: None,
        repository: None,
        tags: [("team".into(), "web".into())].into_iter().collect(),
        risks: Risks::default(),
    };
    Line {
        identity: Identity {
            destination: Arc::new(destination()),
            name: name.into(),
        },
        body: Arc::new(body),
        status: Status::Deployed,
    }
}

fn storage() -> StorageLine {
    StorageLine {
        name: "ghcr.io/acme/web".into(),
        digest: digest('a'),
        version: Some("1.0".into()),
        registry_url: "https://ghcr.io/".into(),
        artifact_url: Some("https://ghcr.io/acme/web".into()),
        path: None,
        repository: Some("acme/web".into()),
        status: StorageStatus::Active,
        github_repository: None,
    }
}

fn endpoint(operation: Operation) -> Endpoint {
    match operation {
        Operation::CreateDeploymentRecord => Endpoint::CreateDeploymentRecord,
        Operation::SetClusterDeploymentRecords => Endpoint::SetClusterRecords,
        Operation::CreateJob => Endpoint::CreateJob,
        Operation::GetJob => Endpoint::GetJob,
        Operation::CreateStorageRecord => Endpoint::CreateStorageRecord,
        Operation::ListDeploymentRecords => Endpoint::ListDeploymentRecords,
        Operation::ListStorageRecords => Endpoint::ListStorageRecords,
    }
}

/// The kind of a good answer. What is asked for in the order of the operations is there by then.
fn good(operation: Operation) -> &'static str {
    match operation {
        Operation::CreateJob => "started",
        Operation::GetJob => "pending",
        Operation::ListDeploymentRecords | Operation::ListStorageRecords => "listed",
        _ => "acknowledged",
    }
}

#[tokio::test(start_paused = true)]
async fn every_operation_does_at_github_what_it_says() {
    let mut world = World::default();
    for operation in Operation::ALL {
        assert_eq!(world.ask(operation).await, (good(operation), None));
    }
    let record = world.sandbox.record("production", "web").unwrap();
    assert_eq!(record.digest, digest('a').to_string());
    let listed = world.reader.deployment_records("acme", &digest('a')).await;
    let listed = listed.unwrap().answer.unwrap();
    assert!(listed.is_whole());
    let record = &listed.records[0];
    let told = (&*record.name, &*record.cluster, record.digest);
    assert_eq!(told, ("web", "main", digest('a')));
    assert_eq!(
        (record.tags["team"].as_str(), &record.status),
        ("web", &None)
    );
    let stored = world.reader.storage_records("acme", &digest('a')).await;
    let stored = stored.unwrap().answer.unwrap().records.remove(0);
    assert_eq!(stored.status.as_deref(), Some("active"));
    assert_eq!(stored.repository.as_deref(), Some("acme/web"));
}

#[tokio::test(start_paused = true)]
async fn every_status_of_every_operation_is_told_apart() {
    for operation in Operation::ALL {
        for (status, kind) in [
            (400, "invalid"),
            (401, "bad-token"),
            (403, "no-access"),
            (404, "no-access"),
            (409, "unknown"),
            (410, "version-withdrawn"),
            (413, "oversized"),
            (422, "invalid"),
            (429, "limited"),
            (500, "unknown"),
            (503, "unknown"),
        ] {
            let kind = match (operation, status) {
                (Operation::CreateJob, 409) => "busy",
                (Operation::CreateDeploymentRecord | Operation::CreateStorageRecord, 403 | 404) => {
                    "refused"
                }
                _ => kind,
            };
            let mut world = World::default();
            let fault = Fault::once(FaultKind::Status { status });
            world.sandbox.fault(fault.at(endpoint(operation)));
            let (told, failure) = world.ask(operation).await;
            assert_eq!(told, kind, "{status} {}", operation.as_str());
            assert_eq!(failure.is_some(), kind != "busy");
            assert_eq!(world.sandbox.records().len(), 0);
        }
    }
}

/// Every status that GitHub's description has for an operation.
fn described() -> Vec<(Operation, u16)> {
    let text = include_str!("../contract/artifact-metadata.openapi.json");
    let description: Value = serde_json::from_str(text).unwrap();
    let paths = description["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut described = Vec::new();
    for described_operation in operations {
        let id = described_operation["operationId"].as_str().unwrap();
        let name = id.strip_prefix("orgs/").unwrap();
        let mut all = Operation::ALL.into_iter();
        let operation = all.find(|operation| operation.as_str() == name).unwrap();
        let statuses = described_operation["responses"].as_object().unwrap().keys();
        described.extend(statuses.map(|status| (operation, status.parse().unwrap())));
    }
    described
}

#[tokio::test(start_paused = true)]
async fn every_status_of_githubs_description_is_told_for_what_it_is() {
    let described = described();
    assert_eq!(described.len(), 19);
    for (operation, status) in described {
        let single = matches!(
            operation,
            Operation::CreateDeploymentRecord | Operation::CreateStorageRecord
        );
        let (kind, fault) = match (operation, status) {
            (_, 200) | (Operation::CreateJob, 202) => (good(operation), None),
            (Operation::SetClusterDeploymentRecords, 207) => {
                ("partial", Some(FaultKind::UnknownDigest))
            }
            (_, 400) => ("invalid", Some(FaultKind::Status { status })),
            (_, 403 | 404) if single => ("refused", Some(FaultKind::Status { status })),
            (_, 403 | 404) => ("no-access", Some(FaultKind::Status { status })),
            (Operation::CreateJob, 409) => ("busy", None),
            other => panic!("{other:?} is not thought of"),
        };
        let mut world = World::default();
        if operation == Operation::GetJob || status == 409 {
            world.ask(Operation::CreateJob).await;
        }
        fault.map(|kind| {
            world
                .sandbox
                .fault(Fault::once(kind).at(endpoint(operation)))
        });
        let (told, _) = world.ask(operation).await;
        let answered = world.sandbox.requests().pop().unwrap().status;
        let what = format!("{status} {}", operation.as_str());
        assert_eq!((told, answered), (kind, Some(status)), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn repositories_that_a_refusal_names_are_told() {
    for status in [403, 404] {
        let mut world = World::default();
        let fault = FaultKind::NamingRepositories { status };
        world.sandbox.fault(Fault::new(fault).times(2));
        let (place, mut line) = (destination(), line("web", 'a'));
        Arc::make_mut(&mut line.body).repository = Some("web".into());
        let lines = [line];
        let set = world.writer.set_cluster_deployment_records(&place, &lines);
        let set = set.await.unwrap().failure().cloned();
        let job = world.writer.create_job(&place, &lines);
        let job = job.await.unwrap().failure().cloned();
        for failure in [set, job] {
            let Some(Failure::NamesRepositories { repositories, .. }) = failure else {
                panic!("{failure:?}")
            };
            assert_eq!(repositories.len(), 1, "{status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_that_fails_is_told_to_have_failed() {
    let mut world = World::default();
    world.sandbox.fault(Fault::once(FaultKind::JobFails));
    world.ask(Operation::CreateJob).await;
    sleep(Duration::from_secs(5)).await;
    let (told, failure) = world.ask(Operation::GetJob).await;
    assert_eq!((told, failure), ("failed", None));
    assert_eq!(world.sandbox.records(), []);
}

#[tokio::test(start_paused = true)]
async fn every_redirect_of_every_operation_is_followed_three_times_at_most() {
    for status in [301, 302, 307, 308] {
        for (times, requests) in [(3, 4), (4, 4)] {
            let mut world = World::default();
            let location = None;
            let fault = FaultKind::Redirect { status, location };
            for operation in Operation::ALL {
                let fault = Fault::new(fault.clone()).at(endpoint(operation));
                world.sandbox.fault(fault.times(times));
                let before = world.sandbox.request_count();
                let (kind, failure) = world.ask(operation).await;
                let asked = world.sandbox.request_count() - before;
                assert_eq!(asked, requests, "{status} {}", operation.as_str());
                assert_eq!(failure.is_none(), times == 3, "{kind}");
                world.sandbox.clear();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_lost_hangs_or_is_no_json_leaves_every_outcome_unknown() {
    for operation in Operation::ALL {
        for kind in [
            FaultKind::Reset,
            FaultKind::Hang,
            FaultKind::Lost { hang: true },
            FaultKind::Html { applied: true },
            FaultKind::WrongShape { applied: true },
        ] {
            let mut world = World::default();
            let what = format!("{kind:?} {}", operation.as_str());
            world.sandbox.fault(Fault::once(kind));
            let (told, failure) = world.ask(operation).await;
            assert_eq!(told, "unknown", "{what}");
            assert!(failure.unwrap().is_passing(), "{what}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_served_is_named() {
    let settings = Settings::default();
    let mut world = World::new(settings, "2020-01-01");
    let (_, failure) = world.ask(Operation::ListDeploymentRecords).await;
    let text = failure.unwrap().to_string();
    assert!(text.contains("2020-01-01"), "{text}");
    assert!(text.contains("--github-api-version"), "{text}");
    assert!(text.contains("use 2022-11-28 or 2026-03-10"), "{text}");
    // The sandbox counts it as a breach, which here it is meant to be.
    assert_eq!(world.sandbox.violations().len(), 1);
    world.sandbox = Sandbox::default();
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_its_course_and_keeps_others_of_its_cluster_out() {
    let settings = Settings {
        unknown_digests: true,
        ..Settings::default()
    };
    let mut world = World::new(settings, "2022-11-28");
    world.sandbox.attest(Attestation {
        digest: digest('a').to_string(),
        repository: None,
    });
    let (place, lines) = (destination(), [line("web", 'a'), line("db", 'b')]);
    let started = world.writer.create_job(&place, &lines).await.unwrap();
    let Ok(Start::Started { job, .. }) = started.answer else {
        panic!("{started:?}")
    };
    let second = world.writer.create_job(&place, &lines).await.unwrap();
    assert_eq!(second.kind(), "busy");
    loop {
        let state = world.reader.job(&place, job).await.unwrap().answer.unwrap();
        if !state.status.is_over() {
            sleep(Duration::from_secs(1)).await;
            continue;
        }
        assert_eq!(
            (state.status, state.total_count),
            (JobStatus::Completed, Some(2))
        );
        let error = &state.errors[0];
        let told = (error.name.as_deref(), error.refusal);
        assert_eq!(told, (Some("db"), Some(Refusal::NotFound)));
        break;
    }
    let unheard_of = world.reader.job(&place, JobId(99)).await.unwrap();
    assert_eq!(unheard_of.kind(), "no-access");
}

#[tokio::test(start_paused = true)]
async fn one_record_without_an_attestation_is_refused_in_githubs_words() {
    let settings = Settings {
        unknown_digests: true,
        ..Settings::default()
    };
    let mut world = World::new(settings, "2026-03-10");
    for operation in [
        Operation::CreateDeploymentRecord,
        Operation::CreateStorageRecord,
    ] {
        let (kind, failure) = world.ask(operation).await;
        assert_eq!(kind, "refused");
        let text = failure.unwrap().to_string();
        assert!(text.contains("no artifacts found"), "{text}");
    }
    // The organization is not left alone for it: a set of its cluster leaves a second later.
    let (kind, _) = world.ask(Operation::SetClusterDeploymentRecords).await;
    assert_eq!(kind, "partial");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_short_and_one_that_tells_the_status_are_read_so() {
    let mut world = World::default();
    world.ask(Operation::SetClusterDeploymentRecords).await;
    world.sandbox.fault(Fault::once(FaultKind::ListsStatus));
    world
        .sandbox
        .fault(Fault::once(FaultKind::ShortList).after(1));
    let digest = digest('a');
    let list = || world.reader.deployment_records("acme", &digest);
    let told = list().await.unwrap().answer.unwrap();
    assert_eq!(told.records[0].status.as_deref(), Some("deployed"));
    let short = list().await.unwrap().answer.unwrap();
    assert_eq!((short.total_count, short.records.len()), (Some(1), 0));
    assert!(!short.is_whole());
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_kept_to_by_reads_and_writes_alike() {
    let limit = FaultKind::Throttled {
        status: 403,
        retry_after: None,
        reset_after: Some(600),
    };
    for operation in Operation::ALL {
        let mut world = World::default();
        world.sandbox.fault(Fault::once(limit.clone()));
        let (kind, failure) = world.ask(operation).await;
        assert_eq!((kind, failure.unwrap().is_passing()), ("limited", true));
        world.ask(operation).await;
        let requests = world.sandbox.requests();
        let waited = requests[1].at.saturating_sub(requests[0].at);
        assert_eq!(waited, Duration::from_mins(10), "{}", operation.as_str());
    }
}
