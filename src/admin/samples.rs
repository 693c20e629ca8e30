//! What tests show: a status with every part filled, and clusters whose API server is a few lines.

use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use jiff::Timestamp;
use kube::client::Body as Payload;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::cluster::{Cluster, Scope};
use crate::model::gap::{Gap, Reason, Subject};
use crate::model::image::Digest;
use crate::model::inventory::sight::Unselected;
use crate::model::ledger::Owner;
use crate::model::plan::{Plan, Row, Step, Why};
use crate::model::record::{Body, Destination, Identity, Line, Status as Standing};
use crate::model::risk::Risk;
use crate::model::storage::{Shelf, StoragePlan, StorageStep};
use crate::model::workload::{Kind, Source, Workload};
use crate::recorder::OPERATION;
use crate::recorder::status::{Blocked, Holder, Note, Rest, Shared, Status, Unsent, Wait};

use super::Admin;

/// How long a request to GitHub may take.
pub(super) const GITHUB_TIMEOUT: Duration = Duration::from_secs(30);

/// Noon of a day.
pub(super) fn noon() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// An admin server without a cluster, and where its status is written.
pub(super) fn admin() -> (Admin, Shared) {
    let shared = Shared::default();
    let settings = json!({ "interval_seconds": 600 });
    let clock = Clock::beginning_at(noon());
    let admin = Admin::new(shared.clone(), clock, GITHUB_TIMEOUT, settings);
    (admin, shared)
}

pub(super) fn source(name: &str) -> Source {
    let workload = Workload {
        kind: Kind::Deployment,
        namespace: "shop".into(),
        name: name.into(),
    };
    Source::new(workload, "app".into())
}

fn identity(name: &str) -> Identity {
    let destination = Destination {
        host: "api.github.com".into(),
        organization: "acme".into(),
        cluster: "prod-eu".into(),
        logical_environment: "production".into(),
        physical_environment: Some("eu-central-1".into()),
    };
    Identity {
        destination: Arc::new(destination),
        name: format!("shop-{name}-app").into(),
    }
}

fn body(name: &str) -> Arc<Body> {
    Arc::new(Body {
        digest: Digest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap(),
        name: format!("ghcr.io/acme/{name}").into(),
        version: Some("1.2.3".into()),
        repository: Some(name.into()),
        tags: [("team", "cart")].into(),
        risks: [Risk::InternetExposed].into(),
    })
}

pub(super) fn step(name: &str, status: Standing) -> Step {
    let line = Line {
        identity: identity(name),
        body: body(name),
        status,
    };
    Step {
        line,
        owner: Owner::Source(source(name)),
        fresh: false,
    }
}

fn unsent(name: &str, rest: Rest) -> Unsent {
    Unsent {
        identity: identity(name),
        owner: Owner::Source(source(name)),
        held: Some(body(name)),
        rest,
    }
}

fn gap(subject: Subject, reason: Reason, detail: &str) -> Gap {
    Gap {
        subject,
        reason,
        detail: detail.into(),
    }
}

fn stray(name: &str) -> Subject {
    Subject::Pod {
        namespace: "shop".into(),
        name: name.into(),
    }
}

fn storage() -> StoragePlan {
    let body = body("web");
    let image = body.name.clone();
    let place = identity("web").destination;
    let shelf = Shelf::of(&place, &image).into();
    let step = StorageStep {
        shelf,
        place,
        image,
        body,
    };
    StoragePlan {
        refused: vec![(step, Reason::Unauthorized)],
        kept: 7,
        excluded: 3,
        ..StoragePlan::default()
    }
}

/// A plan in which each list has something.
fn plan() -> Plan {
    let mut plan = Plan {
        unchanged: vec![
            step("web", Standing::Deployed),
            step("api", Standing::Deployed),
        ],
        reports: vec![step("new", Standing::Deployed)],
        retained: vec![step("nightly", Standing::Deployed)],
        decommissions: vec![step("old", Standing::Decommissioned)],
        silent: vec![identity("quiet")],
        withheld: vec![
            (identity("unseen"), Why::NotCovered),
            (identity("found"), Why::Adopted),
        ],
        not_selected: [(Unselected::OptedOut, 2), (Unselected::Kind, 3)].into(),
        not_running: 4,
        respelled: vec![(identity("web"), identity("WEB"))],
        ..Plan::default()
    };
    plan.storage = storage();
    plan.rows.insert(source("web"), Row::Known);
    plan.rows.insert(source("new"), Row::New);
    plan.rows.insert(source("bare"), Row::NoDigest);
    plan.rows.insert(source("hidden"), Row::NotSelected);
    plan.gaps = vec![
        gap(Subject::Source(source("bare")), Reason::NoDigest, "nginx"),
        gap(
            Subject::Source(source("web")),
            Reason::InvalidTag,
            "a \"quoted\"\nline",
        ),
        gap(
            stray("lost"),
            Reason::OwnerNotRead,
            "its ReplicaSet x is not read",
        ),
    ];
    plan.orphans = vec![gap(
        stray("alone"),
        Reason::OwnerNotRead,
        "its Job y is not read",
    )];
    plan
}

/// Fills every part of a status.
pub(super) fn fill(status: &mut Status) {
    status.ledger_read = true;
    status.first_start = true;
    status.leader = true;
    status.holder = Some(Holder {
        name: "pod/recorder-0/uid-1/1/1/1/tag".to_owned(),
        since: Some(noon()),
        ours: true,
    });
    status.ledger_records = 8;
    status.tombstones = 1;
    status.plan = Some(Arc::new(plan()));
    let mut found = unsent("found", Rest::Withheld(Why::Adopted));
    found.owner = Owner::Adopted;
    found.held = None;
    status.unsent = Arc::new([
        unsent("quiet", Rest::Silent),
        unsent("unseen", Rest::Withheld(Why::NotCovered)),
        found,
        unsent("over", Rest::Tombstone),
    ]);
    status.orphans = 1;
    status.cycles = 42;
    status.last_success = Some(noon());
    status.auth_failures = 3;
    status.store_error = Some("writing the root took longer than 10 s".to_owned());
    status.report_lag.0.observe(1.5);
    let blocked = Blocked {
        since: noon(),
        message: "Not Found".to_owned(),
    };
    status
        .blocked
        .insert(("api.github.com".into(), "acme".into()), blocked);
    let wait = |purpose, records, seconds| Wait {
        host: "api.github.com".into(),
        organization: "acme".into(),
        purpose,
        records,
        requests: 1,
        reason: "told-to-wait",
        until: Instant::now() + Duration::from_secs(seconds),
        at: noon() + Duration::from_secs(seconds),
    };
    status.waits = vec![wait("change", 2, 90), wait("snapshot", 3, 90)];
    status.note(Note {
        at: noon(),
        operation: OPERATION,
        lines: 12,
        status: "207".to_owned(),
        outcome: "partial",
        request_id: Some("AB12:CD34".to_owned()),
        duration: Duration::from_millis(250),
    });
}

/// How an API server answers for one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Api {
    /// There are no objects, and there never will be.
    Empty,
    /// 403.
    Forbidden,
    /// Not at all.
    Silent,
}

/// A cluster whose API server answers as `api` says for each plural name of a kind.
pub(super) fn cluster(api: impl Fn(&str) -> Api + Clone + Send + Sync + 'static) -> Cluster {
    answering(api, |_| None)
}

/// A cluster with these objects, by the plural name of their kind.
pub(super) fn cluster_of(
    objects: impl Fn(&str) -> Option<Value> + Clone + Send + Sync + 'static,
) -> Cluster {
    answering(|_| Api::Empty, objects)
}

fn answering(
    api: impl Fn(&str) -> Api + Clone + Send + Sync + 'static,
    objects: impl Fn(&str) -> Option<Value> + Clone + Send + Sync + 'static,
) -> Cluster {
    let service = tower::service_fn(move |request: Request<Payload>| {
        let plural = request.uri().path().rsplit('/').next().unwrap_or_default();
        let how = api(plural);
        let items = objects(plural).unwrap_or_else(|| json!([]));
        let watches = request.uri().query().unwrap_or_default().contains("watch=");
        async move {
            match how {
                Api::Empty if !watches => Ok(page(
                    200,
                    &json!({
                        "kind": "List", "apiVersion": "v1", "metadata": { "resourceVersion": "1" },
                        "items": items,
                    }),
                )),
                Api::Forbidden => Ok(page(
                    403,
                    &json!({
                        "kind": "Status", "apiVersion": "v1", "status": "Failure",
                        "message": "may not list", "reason": "Forbidden", "code": 403,
                    }),
                )),
                Api::Empty | Api::Silent => {
                    std::future::pending::<Result<_, std::convert::Infallible>>().await
                }
            }
        }
    });
    Cluster::start(kube::Client::new(service, "default"), Scope::default(), 1)
}

fn page(code: u16, json: &Value) -> Response<Payload> {
    let body = Payload::from(json.to_string().into_bytes());
    Response::builder().status(code).body(body).unwrap()
}
