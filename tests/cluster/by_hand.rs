//! What a person does by hand: `verify`, `verify --adopt` and `decommission` against a real API
//! server, beside a recorder that holds the Lease and after it.

use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::sandbox::{Fault, FaultKind};
use http::Request;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower::ServiceExt as _;

use super::api::Cascade;
use super::grants::whole_cluster_and;
use super::objects::digest;
use super::program::Ended;
use super::stage::{ENVIRONMENT, Stage};

const ROOT: &str = "deployment-recorder";
const SHARD: &str = "deployment-recorder-0";

/// A stage on which `web` and `cart` run and are recorded by a recorder that still runs.
async fn recorded(name: &str) -> Stage {
    let mut stage = Stage::new(name).await;
    for workload in ["web", "cart"] {
        stage.deploy(workload, "acme/web:1").await;
    }
    stage.begin().await;
    for workload in ["web", "cart"] {
        stage.runs(workload, "app", "acme/web:1").await;
    }
    let done = stage.recorder().cycles();
    stage.recorder().cycles_after(done.saturating_sub(1)).await;
    stage
}

impl Stage {
    /// Tells GitHub of a record as another tool would.
    async fn by_another_tool(&self, name: &str, image: &str) {
        let record = json!({
            "name": "ghcr.io/acme/web", "digest": digest(image), "deployment_name": name,
            "status": "deployed", "tags": {"team": "shop"}, "runtime_risks": ["sensitive-data"],
            "github_repository": "web",
        });
        let body = json!({
            "logical_environment": ENVIRONMENT, "deployments": [record], "return_records": false,
        });
        let path = "/orgs/acme/artifacts/metadata/deployment-record/cluster/main";
        let request = Request::post(path)
            .header("authorization", "Bearer a-token")
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header("user-agent", "another-tool")
            .header("content-type", "application/json")
            .body(Bytes::from(body.to_string()))
            .unwrap();
        // GitHub takes writes a second apart, whoever sends them.
        sleep(Duration::from_millis(1500)).await;
        let answer = self.github.service().oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 200, "{answer:?}");
    }

    /// Has the recorder's user read one more namespace by its name.
    async fn may_read_by_name(&self, name: &str) {
        let rules = whole_cluster_and(self.named().chain([name]));
        let change = json!({"rules": rules});
        self.api.patch("ClusterRole", "", &self.user, &change).await;
        let asked =
            json!({"verb": "get", "resource": "namespaces", "namespace": name, "name": name});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// Takes the ledger away.
    pub(crate) async fn lose_ledger(&self) {
        for part in [ROOT, SHARD] {
            self.api
                .delete("ConfigMap", &self.ledger(), part, Cascade::Background)
                .await;
        }
    }

    /// Waits until a command ends so.
    async fn until_it_ends_with(&self, code: i32, command: &str, more: &[&str]) -> Ended {
        let mut last = None;
        super::api::eventually(&format!("{command} ends with {code}"), async || {
            let ended = self.run(command, more).await;
            let is_it = ended.code == Some(code);
            last = Some(ended);
            is_it
        })
        .await;
        last.expect("it ended")
    }
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Each difference with its record's name.
fn differences(ended: &Ended) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let found = json_of(ended)["differences"].take();
    let found = found.as_array().expect("a list").clone();
    found
        .iter()
        .map(|row| (text(&row["difference"]), text(&row["record_name"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn verify_tells_what_is_right_from_what_is_not() {
    let mut stage = recorded("verified").await;
    let same = stage.until_it_ends_with(0, "verify", &[]).await;
    assert_eq!(same.out, "", "{same:?}");
    assert!(
        same.said.contains("Calls: 1, which take at least 1s."),
        "{same:?}"
    );
    assert!(same.said.contains("same: 2"), "{same:?}");

    stage.may_read_by_name("shpo").await;
    let mistyped = stage.run("verify", &["-n=shpo"]).await;
    assert_eq!(mistyped.code, Some(2), "{mistyped:?}");
    let there_is_none = "There is no namespace shpo";
    assert!(mistyped.said.contains(there_is_none), "{mistyped:?}");
    let not_found = FaultKind::Status { status: 404 };
    stage.github.fault(Fault::once(not_found));
    let ended = stage.run("verify", &[]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.said.contains("no such digest yet") && ended.said.contains("--org"),
        "{ended:?}"
    );

    stage.by_another_tool("by-hand", "acme/web:1").await;
    let web = stage.name("web", "app");
    stage.by_another_tool(&web, "acme/web:1").await;
    let ended = stage.run("verify", &["-o=json"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let expected = [
        ("status-not-known", "by-hand"),
        ("wrong-tags", &web),
        ("wrong-risks", &web),
    ];
    let expected = expected.map(|(kind, name)| (kind.to_owned(), name.to_owned()));
    assert_eq!(differences(&ended), expected);
    assert_eq!(json_of(&ended)["same"], 1);

    stage.github.fault(Fault::new(FaultKind::ListsStatus));
    let ended = stage.run("verify", &["-o=json"]).await;
    assert_eq!(
        differences(&ended)[0],
        ("unknown".to_owned(), "by-hand".to_owned())
    );
    stage.github.fault(Fault::once(FaultKind::ShortList));
    let ended = stage.run("verify", &[]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.said.contains("GitHub lists 2 records of sha256:")
            && ended.said.contains("there are 3"),
        "{ended:?}"
    );
    stage.github.clear();
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn decommission_waits_for_nobody_and_ends_what_is_named_once_run_is_stopped() {
    let mut stage = recorded("ended-by-hand").await;
    let (web, cart) = (stage.name("web", "app"), stage.name("cart", "app"));
    let asked = stage.run("decommission", &[&cart]).await;
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.said.contains("--yes"), "{asked:?}");

    let held = stage.run("decommission", &["--yes", &cart]).await;
    assert_eq!(held.code, Some(1), "{held:?}");
    let expected = format!("Lease {}/{ROOT} is held by", stage.ledger());
    assert!(held.said.contains(&expected), "{held:?}");
    assert!(stage.never_ended("cart", "app"));
    stage.stop().await;

    let unknown = stage.run("decommission", &["--yes", &cart, "nobody"]).await;
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(
        unknown.said.contains("no record named nobody"),
        "{unknown:?}"
    );
    assert!(stage.never_ended("cart", "app"), "all or nothing");

    let ended = stage
        .run("decommission", &["--yes", "-o=json", &cart])
        .await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let records = json_of(&ended)["records"].take();
    assert_eq!(records.as_array().unwrap().len(), 1);
    assert_eq!(records[0]["result"], "decommissioned");
    assert_eq!(records[0]["record_name"], *cart);
    stage.ends("cart", "app").await;
    assert!(stage.never_ended("web", "app"));

    // It still runs, and so is reported again.
    stage.start();
    stage.runs("cart", "app", "acme/web:1").await;
    stage.stop().await;

    let forgotten = stage
        .run("decommission", &["--yes", "--forget", &web])
        .await;
    assert_eq!(forgotten.code, Some(0), "{forgotten:?}");
    assert!(
        forgotten.said.contains("GitHub was told nothing"),
        "{forgotten:?}"
    );
    assert!(stage.never_ended("web", "app"));
    let all = stage.run("decommission", &["--yes", "--all"]).await;
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(
        all.out.contains(&cart) && !all.out.contains(&web),
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn decommission_names_what_github_refuses_and_then_exits_1() {
    let mut stage = recorded("refused-by-hand").await;
    stage.stop().await;
    let (web, cart) = (stage.name("web", "app"), stage.name("cart", "app"));
    stage
        .github
        .fault(Fault::new(FaultKind::Unauthorized).record(&web));
    let ended = stage.run("decommission", &["--yes", "--all"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let line = |name: &str| {
        let mut lines = ended.out.lines();
        lines.find(|line| line.contains(name)).unwrap_or_default()
    };
    assert!(line(&web).starts_with("refused"), "{ended:?}");
    assert!(line(&web).ends_with("unauthorized"), "{ended:?}");
    assert!(line(&cart).starts_with("decommissioned"), "{ended:?}");
    assert!(ended.said.contains("Ends not acknowledged: 1."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_a_lost_ledger_verify_adopts_what_is_there_and_run_ends_what_does_not_run() {
    let mut stage = recorded("adopted").await;
    stage.by_another_tool("by-hand", "acme/web:1").await;
    let held = stage.run("verify", &["--adopt", "--yes", "--only=*"]).await;
    assert_eq!(held.code, Some(1), "{held:?}");
    assert!(held.said.contains("is held by"), "{held:?}");
    stage.stop().await;
    stage.lose_ledger().await;
    stage.remove("cart").await;

    let asked = stage.run("verify", &["--adopt", "--only=*"]).await;
    assert_eq!(asked.code, Some(2), "{asked:?}");
    let web = stage.name("web", "app");
    let one = ["--adopt", "--yes", "-o=json", "--only=by-*"];
    let adopted = stage.run("verify", &one).await;
    assert_eq!(adopted.code, Some(0), "{adopted:?}");
    let records = json_of(&adopted)["records"].take();
    assert_eq!(records.as_array().unwrap().len(), 1, "{adopted:?}");
    assert_eq!(records[0]["then"], "decommission");
    assert!(adopted.said.contains("Adopted: 1."), "{adopted:?}");
    let no_ledger = adopted.said.matches("There is no ledger").count();
    assert_eq!(no_ledger, 1, "{adopted:?}");
    let rest = stage
        .run("verify", &["--adopt", "--yes", "-o=json", "--only=*"])
        .await;
    assert_eq!(rest.code, Some(0), "{rest:?}");
    let records = json_of(&rest)["records"].take();
    let of = |name: &str| {
        let mut records = records.as_array().unwrap().iter();
        records.find(|row| row["record_name"] == *name).cloned()
    };
    assert_eq!(of(&web).unwrap()["then"], "keep", "{rest:?}");
    let cart = of(&stage.name("cart", "app")).unwrap();
    assert_eq!(cart["then"], "decommission", "{rest:?}");
    assert!(of("by-hand").is_none(), "{rest:?}");
    let nothing = stage.run("verify", &["--adopt", "--yes", "--only=*"]).await;
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    assert!(nothing.said.contains("nothing to adopt"), "{nothing:?}");

    stage.start();
    stage.ends("cart", "app").await;
    stage
        .until("by-hand decommissioned", |github| {
            let record = github.record(ENVIRONMENT, "by-hand").expect("a record");
            record.status == deployment_recorder::sandbox::Status::Decommissioned
        })
        .await;
    // With nothing but the status changed.
    let record = stage.github.record(ENVIRONMENT, "by-hand").unwrap();
    assert_eq!(record.tags["team"], "shop");
    assert_eq!(record.runtime_risks, ["sensitive-data"]);
    assert!(stage.never_ended("web", "app"));
    stage.until_it_ends_with(0, "verify", &[]).await;
    stage.stop().await;
}
