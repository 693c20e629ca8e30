//! What is written, how often, and when no more.

use std::sync::Mutex;
use std::time::Duration;

use http::{Request, Response};
use k8s_openapi::api::events::v1::Event;
use kube::client::Body;
use tokio::time::{Instant, sleep};

use super::queue::{Queue, Said};
use super::*;
use crate::model::facts::Object;
use crate::model::fixtures::{Scene, annotations, rollout, source, workload};
use crate::model::gap::Reason;
use crate::model::ledger::Outcome;
use crate::model::workload::Kind;
use crate::recorder::lease::{Candidate, Patience};

const SECOND: Duration = Duration::from_secs(1);

fn cause(name: &str, reason: Reason, detail: &str) -> Cause {
    Cause {
        workload: workload(Kind::Deployment, "shop", name),
        uid: Some("a-uid".into()),
        reason,
        detail: detail.into(),
    }
}

fn shown(cause: &Cause) -> Event {
    let version = cause.workload.kind.is_built_in().then_some("apps/v1");
    object::event(
        cause,
        version,
        "recorder-1",
        "2026-11-26T12:00:00Z".parse().unwrap(),
    )
}

#[test]
fn an_event_says_what_is_wrong_with_which_workload_and_what_to_do_about_it() {
    let event = shown(&cause("web", Reason::InvalidRisk, "cats"));
    let regarding = event.regarding.unwrap();
    assert_eq!(regarding.api_version.as_deref(), Some("apps/v1"));
    assert_eq!(regarding.kind.as_deref(), Some("Deployment"));
    assert_eq!(regarding.name.as_deref(), Some("web"));
    assert_eq!(regarding.namespace.as_deref(), Some("shop"));
    assert_eq!(regarding.uid.as_deref(), Some("a-uid"));
    assert_eq!(event.metadata.namespace.as_deref(), Some("shop"));
    assert_eq!(event.type_.as_deref(), Some("Warning"));
    assert_eq!(event.reason.as_deref(), Some("InvalidRisk"));
    let note = event.note.unwrap();
    let reason = Reason::InvalidRisk;
    assert!(note.contains("(cats)"), "{note}");
    assert!(
        note.contains(reason.meaning()) && note.ends_with(reason.advice()),
        "{note}"
    );
    assert_eq!(
        event.reporting_controller.as_deref(),
        Some("deployment-recorder")
    );
    // The API server takes none without these.
    assert_eq!(event.action.as_deref(), Some("Recording"));
    assert!(event.event_time.is_some());
    let of = |reason| shown(&cause("web", reason, "x")).reason.unwrap();
    assert_eq!(of(Reason::NotFound), "RecordNotFound");
    assert_eq!(of(Reason::TooManyTags), "TooManyTags");
}

#[test]
fn an_event_keeps_the_bounds_that_the_api_server_has() {
    let name = format!("{}.{}", "a".repeat(235), "b".repeat(17));
    let long = cause(&name, Reason::InvalidTag, &"é".repeat(5_000));
    let event = object::event(&long, None, &"é".repeat(200), jiff::Timestamp::default());
    assert!(event.note.unwrap().len() <= 1024);
    assert!(event.reporting_instance.unwrap().len() <= 128);
    let name = event.metadata.name.unwrap();
    assert!(name.len() <= 253 && !name.contains(".."), "{name}");
    for reason in Reason::ALL {
        let note = shown(&cause("web", reason, "x")).note.unwrap();
        assert!(!note.contains('…'), "{note}");
        // Of two long things what to do is the more useful one.
        let note = shown(&cause("web", reason, &"x".repeat(2_000))).note;
        assert!(note.unwrap().ends_with(reason.advice()));
    }
    let event = shown(&Cause {
        workload: workload(rollout(), "shop", "web"),
        uid: None,
        ..cause("web", Reason::Invalid, "x")
    });
    let regarding = event.regarding.unwrap();
    assert_eq!((regarding.api_version, regarding.uid), (None, None));
}

#[test]
fn the_same_cause_has_the_same_name_and_any_other_another() {
    let name = |cause: &Cause| shown(cause).metadata.name.unwrap();
    let one = cause("web", Reason::InvalidTag, "team");
    assert_eq!(name(&one), name(&one.clone()));
    for other in [
        cause("web-2", Reason::InvalidTag, "team"),
        cause("web", Reason::InvalidRisk, "team"),
        cause("web", Reason::InvalidTag, "tier"),
        Cause {
            uid: Some("another".into()),
            ..one.clone()
        },
    ] {
        assert_ne!(name(&one), name(&other));
    }
}

#[test]
fn causes_are_what_annotations_get_wrong_and_what_github_refuses_once_for_a_workload() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.deploy("web", "sidecar", 2);
    scene.deploy("api", "app", 3);
    scene.run(
        &rollout(),
        "canary",
        [crate::model::fixtures::container("app", "acme/c:1", 4)],
    );
    let is_it = |object: &Arc<Object>| object.kind == rollout();
    scene.facts.objects.retain(|object| !is_it(object));
    scene.refuse(&rollout());
    let marks = annotations(&[("runtime-risks", "cats"), ("team", "")]);
    scene.change_pods("web", |pod| pod.annotations = marks.clone());
    scene.change_pods("api", |pod| pod.containers[0].digest = None);
    let refuses = |it: &crate::model::plan::Step| match it.owner.source() {
        Some(source) if source.workload.kind == rollout() => Outcome::Refused(Reason::NotFound),
        _ => Outcome::Acknowledged,
    };
    scene.cycle_with(refuses);
    let inventory = Inventory::new(&scene.facts, &scene.policy);
    let found = cause::all(&scene.plan(), &inventory);
    let found: Vec<(&str, Reason, &str)> = found
        .iter()
        .map(|it| {
            (
                &*it.workload.name,
                it.reason,
                it.uid.as_deref().unwrap_or_default(),
            )
        })
        .collect();
    let web = source("web", "app").workload.clone();
    let uid = inventory.uid(&web).unwrap();
    assert_eq!(
        found,
        [
            ("web", Reason::InvalidTag, &**uid),
            ("web", Reason::InvalidRisk, &**uid),
            (
                "canary",
                Reason::NotFound,
                "Rollout.argoproj.io/shop/canary"
            ),
        ]
    );
}

/// An API server that answers every event so, and the events that came, with when.
#[derive(Clone, Default)]
struct Server {
    codes: Arc<Mutex<Vec<u16>>>,
    /// Namespaces in which nothing may be written.
    closed: Arc<Mutex<Vec<&'static str>>>,
    came: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Server {
    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                assert_eq!(request.method(), "POST");
                let path = request.uri().path().to_owned();
                let way = "/apis/events.k8s.io/v1/namespaces/";
                let namespace = path.strip_prefix(way).unwrap();
                let namespace = namespace.strip_suffix("/events").unwrap().to_owned();
                let body = request.into_body().collect_bytes().await.unwrap();
                let event: Event = serde_json::from_slice(&body).unwrap();
                let regarding = event.regarding.clone().unwrap();
                let line = format!(
                    "{} {}",
                    regarding.name.unwrap(),
                    event.reason.clone().unwrap()
                );
                server.came.lock().unwrap().push((Instant::now(), line));
                let is_closed = server.closed.lock().unwrap().contains(&&*namespace);
                let code = server.codes.lock().unwrap().pop();
                let code = code.unwrap_or(if is_closed { 403 } else { 201 });
                let body = match code {
                    201 => serde_json::to_vec(&event).unwrap(),
                    code => serde_json::to_vec(&serde_json::json!({
                        "kind": "Status", "apiVersion": "v1", "status": "Failure",
                        "message": "no", "reason": "No", "code": code,
                    }))
                    .unwrap(),
                };
                let answer = Response::builder().status(code).body(Body::from(body));
                Ok::<_, std::io::Error>(answer.unwrap())
            }
        });
        Client::new(service, "default")
    }

    fn came(&self) -> Vec<String> {
        let came = self.came.lock().unwrap();
        came.iter().map(|(_, line)| line.clone()).collect()
    }

    fn begin(&self, lease: Tenure) -> (Events, Shared) {
        let status = Shared::default();
        let desk = Desk {
            client: self.client(),
            instance: "recorder-1".to_owned(),
        };
        let events = Events::begin(desk, lease, Clock::real(), status.clone());
        (events, status)
    }
}

fn free() -> Tenure {
    Tenure::not_needed(Clock::real())
}

fn tell(events: &Events, causes: &[Cause]) {
    events.causes.send_replace(Arc::new(
        causes.iter().cloned().map(|it| (it, None)).collect(),
    ));
}

#[tokio::test(start_paused = true)]
async fn each_cause_is_said_once_and_again_only_when_it_was_gone_for_long() {
    let server = Server::default();
    let (events, status) = server.begin(free());
    let web = cause("web", Reason::InvalidTag, "team");
    let api = cause("api", Reason::NotFound, "shop-api-app");
    for _ in 0..5 {
        tell(&events, &[web.clone(), api.clone()]);
        sleep(10 * SECOND).await;
    }
    let both = ["api RecordNotFound", "web InvalidTag"];
    assert_eq!(server.came(), both);
    // A mirror that is read anew does not see it for a while.
    for away in [10 * SECOND, Duration::from_secs(599)] {
        tell(&events, std::slice::from_ref(&api));
        sleep(away).await;
        tell(&events, &[web.clone(), api.clone()]);
        sleep(10 * SECOND).await;
        assert_eq!(server.came(), both, "away for {away:?}");
    }
    tell(&events, std::slice::from_ref(&api));
    sleep(queue::GONE_AFTER + SECOND).await;
    server.codes.lock().unwrap().push(409);
    tell(&events, &[web, api]);
    sleep(10 * SECOND).await;
    assert_eq!(server.came(), [&both[..], &["web InvalidTag"]].concat());
    let counts = status.lock().events.clone();
    assert_eq!(counts, [(WRITTEN, 2), (KNOWN, 1)].into());
}

#[tokio::test(start_paused = true)]
async fn thousands_of_causes_are_said_no_faster_than_twenty_a_minute() {
    let server = Server::default();
    let (events, _) = server.begin(free());
    let of = |number: usize| cause(&format!("web-{number}"), Reason::InvalidTag, "team");
    let causes: Vec<Cause> = (0..10_000).map(of).collect();
    tell(&events, &causes);
    sleep(Duration::from_hours(1)).await;
    let came = server.came().len();
    assert!((1_150..=1_201).contains(&came), "{came}");
    // What is wrong no more is not said any more.
    tell(&events, &[]);
    sleep(Duration::from_mins(10)).await;
    assert!(server.came().len() <= came + 1);
}

fn in_namespace(namespace: &str, name: &str) -> Cause {
    Cause {
        workload: workload(Kind::Deployment, namespace, name),
        ..cause(name, Reason::InvalidTag, "team")
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_tried_again_behind_the_others_and_ever_less_often() {
    for code in [403, 429, 500] {
        let server = Server::default();
        *server.codes.lock().unwrap() = vec![code, 201, code];
        let (events, status) = server.begin(free());
        let one = cause("a", Reason::InvalidTag, "team");
        tell(&events, &[one, cause("b", Reason::InvalidTag, "team")]);
        sleep(SECOND).await;
        assert_eq!(server.came(), ["a InvalidTag"]);
        sleep(65 * SECOND).await;
        assert_eq!(
            server.came(),
            ["a InvalidTag", "b InvalidTag", "a InvalidTag"]
        );
        sleep(Duration::from_mins(3)).await;
        assert_eq!(server.came().len(), 4);
        let counts = status.lock().events.clone();
        assert_eq!(counts, [(WRITTEN, 2), (FAILED, 2)].into());
    }
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_takes_no_events_pauses_alone() {
    let server = Server::default();
    server.closed.lock().unwrap().push("bank");
    let (events, _) = server.begin(free());
    let mut causes = vec![in_namespace("bank", "a"), in_namespace("bank", "b")];
    for number in 0..10 {
        causes.push(in_namespace("shop", &format!("web-{number}")));
    }
    tell(&events, &causes);
    sleep(40 * SECOND).await;
    let came = server.came();
    assert_eq!(came.len(), 11, "{came:?}");
    let bank = |came: &[String]| came.iter().filter(|line| !line.starts_with("web")).count();
    assert_eq!(bank(&came), 1);
    sleep(Duration::from_hours(1)).await;
    let tries = bank(&server.came());
    assert!((7..=10).contains(&tries), "{tries}");
    server.closed.lock().unwrap().clear();
    sleep(Duration::from_mins(11)).await;
    assert_eq!(bank(&server.came()), tries + 2, "both are said in the end");
}

#[tokio::test(start_paused = true)]
async fn where_many_namespaces_refuse_and_none_takes_anything_all_pause() {
    let server = Server::default();
    let names: Vec<&'static str> = (0..100)
        .map(|number| &*Box::leak(format!("ns-{number}").into_boxed_str()))
        .collect();
    server.closed.lock().unwrap().extend(&names);
    let (events, _) = server.begin(free());
    let causes: Vec<Cause> = names.iter().map(|name| in_namespace(name, "web")).collect();
    tell(&events, &causes);
    sleep(Duration::from_hours(1)).await;
    let came = server.came().len();
    assert!((8..=16).contains(&came), "{came}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_by_who_may_not_write_or_is_gone() {
    let server = Server::default();
    let candidate = Candidate {
        client: server.client(),
        namespace: "recorder".to_owned(),
        name: "recorder".to_owned(),
        identity: "pod/recorder-1/uid-1/1/1/1/start-1".parse().unwrap(),
        clock: Clock::real(),
        status: Shared::default(),
        seed: 7,
        patience: Patience::Wait,
    };
    let (keeper, wanted) = candidate.prepare();
    let (events, _) = server.begin(wanted);
    tell(&events, &[cause("web", Reason::InvalidTag, "team")]);
    sleep(Duration::from_mins(5)).await;
    assert!(server.came().is_empty());
    drop(keeper);
    let (events, _) = server.begin(free());
    tell(&events, &[cause("web", Reason::InvalidTag, "team")]);
    drop(events);
    sleep(Duration::from_mins(5)).await;
    assert!(server.came().is_empty());
}

#[test]
fn how_often_a_namespace_refused_is_forgotten_ten_minutes_after_its_last_pause() {
    let start = Instant::now();
    let cause = cause("web", Reason::InvalidTag, "team");
    let wrong: Arc<super::Wrong> = Arc::new([(cause.clone(), None)].into());
    for (after, pause) in [(659, 120), (660, 60)] {
        let mut queue = Queue::default();
        queue.learn(wrong.clone(), start);
        queue.done(cause.clone(), Said::Refused, start);
        let now = start + after * SECOND;
        queue.learn(wrong.clone(), now);
        queue.done(cause.clone(), Said::Refused, now);
        let over = queue.next(now + 5 * SECOND).unwrap_err();
        assert_eq!(over, Some(now + pause * SECOND), "{after}");
    }
}

#[test]
fn rights_are_those_to_create_events_where_workloads_are_looked_at() {
    let said = |scope: &Scope| -> Vec<String> {
        let rights = rights(scope).into_iter();
        let said = rights.map(|right| {
            let place = right.namespace.unwrap_or_else(|| "*".into());
            format!("{} {}.{} {place}", right.verb, right.resource, right.group)
        });
        said.collect()
    };
    assert_eq!(said(&Scope::default()), ["create events.events.k8s.io *"]);
    let mut scope = Scope::default();
    scope.selection.namespaces = ["a", "b"].map(crate::model::selection::Pattern::new).into();
    let expected = ["a", "b"].map(|place| format!("create events.events.k8s.io {place}"));
    assert_eq!(said(&scope), expected);
}
