//! `check` against a real API server: what is missing is named, each thing alone, and nothing is
//! written (promise 6).

use std::time::Duration;

use deployment_recorder::sandbox::{
    AppChange, Fault, FaultKind, Permission, Sandbox, Settings, serve,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::api::Cascade;
use super::calls::audited;
use super::grants::{all_in_one, deployed};
use super::proxy::kubeconfig_for;
use super::stage::Stage;
use crate::control_plane::{ControlPlane, Options};

const ROOT: &str = "deployment-recorder";

/// What `check` came to.
struct Checked {
    code: Option<i32>,
    lines: Vec<Value>,
}

impl Checked {
    async fn of(stage: &Stage) -> Self {
        Self::with(stage, &[]).await
    }

    async fn with(stage: &Stage, more: &[&str]) -> Self {
        let flags = [more, &["--output=json"]].concat();
        let ended = stage.run("check", &flags).await;
        let shown: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
        assert_eq!(ended.said, "", "nothing is said beside");
        assert!(!ended.out.contains("a-token"), "{}", ended.out);
        let lines = shown["checks"].as_array().unwrap().clone();
        Self {
            code: ended.code,
            lines,
        }
    }

    /// The lines with this result, as `check: what -> todo`.
    fn of_result(&self, result: &str) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| line["result"] == result);
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        lines
            .map(|line| {
                let [check, what, todo] = ["check", "what", "todo"].map(|key| text(&line[key]));
                format!("{check}: {what} -> {todo}")
            })
            .collect()
    }

    fn failed(&self) -> Vec<String> {
        self.of_result("failed")
    }

    /// The names of the checks that failed.
    fn broken(&self) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line["result"] == "failed");
        lines.map(|line| line["check"].as_str().unwrap()).collect()
    }

    /// What is said of a check.
    fn what(&self, check: &str) -> &str {
        let mut lines = self.lines.iter();
        let line = lines.find(|line| line["check"] == check);
        line.and_then(|line| line["what"].as_str()).unwrap()
    }

    /// What is said of a check begins so.
    #[track_caller]
    fn says(&self, check: &str, start: &str) {
        let said = self.what(check);
        assert!(said.starts_with(start), "{said}");
    }

    fn holds(&self) {
        assert_eq!((self.failed(), self.code), (Vec::new(), Some(0)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn with_the_rights_of_the_manifest_all_holds_before_and_while_it_runs_and_nothing_is_written()
{
    let mut stage = Stage::new("all-well").await;
    stage.look_at_the_whole_cluster();
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    stage.grant().await;
    let checked = Checked::of(&stage).await;
    checked.holds();
    assert_eq!(checked.of_result("skipped"), Vec::<String>::new());
    assert!(checked.what("ledger").contains("the first start makes one"));
    for entry in audited("all-well") {
        let reads = ["get", "list", "watch"]
            .iter()
            .any(|verb| entry["verb"] == *verb);
        let asks = entry["objectRef"]["resource"] == "selfsubjectaccessreviews";
        assert!(reads || asks, "{entry}");
    }
    let requests = stage.requests();
    assert!(!requests.is_empty());
    assert!(requests.iter().all(|it| it.method == "GET"), "{requests:?}");

    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    let checked = Checked::of(&stage).await;
    checked.holds();
    assert!(checked.what("lease").starts_with("held by process "));
    let ledger = checked.what("ledger");
    assert!(
        ledger.contains("of this cluster and holds 1 records in 1 shards"),
        "{ledger}"
    );
    stage.stop().await;
    let table = stage.run("check", &[]).await.out;
    assert!(table.starts_with("RESULT   CHECK         WHAT"), "{table}");
    assert!(
        table.lines().skip(1).all(|line| line.starts_with("ok ")),
        "{table}"
    );
}

/// The rules of a Role, one for each resource and verb.
fn apart(kind: &str) -> Vec<Value> {
    let role = deployed(kind);
    let mut apart = Vec::new();
    for rule in role["rules"].as_array().unwrap() {
        for resource in rule["resources"].as_array().unwrap() {
            // Which cluster this is may be read by the ClusterRole as well.
            if kind == "Role" && resource == "namespaces" {
                continue;
            }
            for verb in rule["verbs"].as_array().unwrap() {
                let mut one = rule.clone();
                one["resources"] = json!([resource]);
                one["verbs"] = json!([verb]);
                apart.push(one);
            }
        }
    }
    apart
}

/// Takes the rights of a Role away, one at a time, and gives what is said of each, in the order of the
/// alphabet.
async fn without_each(stage: &Stage, kind: &str, namespace: &str, name: &str) -> Vec<String> {
    let rules = apart(kind);
    let mut said = Vec::new();
    for (index, taken) in rules.iter().enumerate() {
        let mut left = rules.clone();
        left.remove(index);
        let change = json!({"rules": left});
        stage.api.patch(kind, namespace, name, &change).await;
        let asked = json!({
            "verb": taken["verbs"][0], "group": taken["apiGroups"][0],
            "resource": taken["resources"][0], "namespace": namespace,
            "name": taken["resourceNames"][0].as_str().unwrap_or_default(),
        });
        stage.api.wait_for_right(&stage.user, false, &asked).await;
        let checked = Checked::of(stage).await;
        let failed = checked.failed().into_iter();
        let about_rights: Vec<String> = failed.filter(|it| it.starts_with("rights: ")).collect();
        let used = !about_rights.is_empty();
        assert_eq!(
            checked.code,
            Some(i32::from(used)),
            "{:?}",
            checked.failed()
        );
        said.extend(about_rights);
    }
    let change = json!({"rules": rules});
    stage.api.patch(kind, namespace, name, &change).await;
    said.sort();
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_right_to_read_that_is_missing_is_named_alone_with_its_rule() {
    let mut stage = Stage::new("lacks-one").await;
    stage.look_at_the_whole_cluster();
    stage.grant().await;
    let change = json!({"rules": apart("Role")});
    stage
        .api
        .patch("Role", &stage.ledger(), ROOT, &change)
        .await;
    let said = without_each(&stage, "ClusterRole", "", &stage.user).await;
    let of = |verb: &str, resource: &str, group: &str| {
        let (dot, shown) = match group {
            "" => ("", "\"\""),
            group => (".", group),
        };
        format!(
            "rights: may not {verb} {resource}{dot}{group} in the whole cluster -> add to the \
             ClusterRole: {{apiGroups: [{shown}], resources: [{resource}], verbs: [{verb}]}}"
        )
    };
    let mut expected = vec![
        "rights: may not get namespaces kube-system, lacks-one-ledger, of which one is needed -> \
         add to a Role in kube-system: {apiGroups: [\"\"], resources: [namespaces], verbs: [get]}"
            .to_owned(),
    ];
    for (resource, group) in [
        ("namespaces", ""),
        ("pods", ""),
        ("replicationcontrollers", ""),
        ("daemonsets", "apps"),
        ("deployments", "apps"),
        ("replicasets", "apps"),
        ("statefulsets", "apps"),
        ("cronjobs", "batch"),
        ("jobs", "batch"),
    ] {
        expected.extend(["list", "watch"].map(|verb| of(verb, resource, group)));
    }
    expected.sort();
    assert_eq!(said, expected);
    Checked::of(&stage).await.holds();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_right_to_the_ledger_that_is_missing_is_named_alone_with_its_rule() {
    let stage = Stage::new("lacks-ledger").await;
    stage.grant().await;
    let said = without_each(&stage, "Role", &stage.ledger(), ROOT).await;
    let of = |verb: &str, resource: &str, group: &str, names: &str| {
        let (dot, shown) = match group {
            "" => ("", "\"\""),
            group => (".", group),
        };
        let (after, list) = match names {
            "" => (String::new(), String::new()),
            names => (format!(" {names}"), format!(", resourceNames: [{names}]")),
        };
        format!(
            "rights: may not {verb} {resource}{dot}{group}{after} in lacks-ledger-ledger -> add to \
             a Role in lacks-ledger-ledger: {{apiGroups: [{shown}], resources: [{resource}], \
             verbs: [{verb}]{list}}}"
        )
    };
    let parts = "deployment-recorder, deployment-recorder-0, deployment-recorder-255";
    let mut expected = [
        of("create", "leases", "coordination.k8s.io", ""),
        of("get", "leases", "coordination.k8s.io", ROOT),
        of("update", "leases", "coordination.k8s.io", ROOT),
        of("create", "configmaps", "", ""),
        of("get", "configmaps", "", parts),
        of("update", "configmaps", "", parts),
    ];
    expected.sort();
    assert_eq!(said, expected);
    Checked::of(&stage).await.holds();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn roles_in_one_namespace_are_enough_and_a_namespace_that_nobody_has_is_named() {
    let mut stage = Stage::new("check-roles").await;
    let ns = stage.ns.clone();
    stage.set("ledger-namespace", &ns);
    for object in all_in_one(&ns, &stage.subjects()) {
        stage.create(&object).await;
    }
    stage.wait_for_right(true, "", "pods", &ns).await;
    let checked = Checked::of(&stage).await;
    checked.holds();
    assert!(checked.what("identity").contains("namespace check-roles, "));

    stage.set("namespaces", "check-roles,nowhere");
    let checked = Checked::of(&stage).await;
    assert_eq!(checked.code, Some(1));
    let failed = checked.failed();
    let lacks =
        "rights: may not list, watch deployments.apps in nowhere -> add to a Role in nowhere: ";
    assert!(failed.iter().any(|it| it.starts_with(lacks)), "{failed:?}");
    // With rights to look it turns out that there is no such namespace.
    stage.grant_cluster().await;
    let checked = Checked::of(&stage).await;
    assert_eq!(checked.broken(), ["namespaces"]);
    let what = "--namespaces names nowhere, which nobody has";
    assert_eq!(checked.what("namespaces"), what);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn where_rights_may_not_be_asked_for_that_is_said() {
    let plane = ControlPlane::start(Options::default());
    let mut stage = Stage::in_cluster(&plane, "unasked").await;
    stage.grant().await;
    Checked::of(&stage).await.holds();
    let (kind, name) = ("ClusterRoleBinding", "system:basic-user");
    stage.api.delete(kind, "", name, Cascade::Background).await;
    let asked = json!({
        "verb": "create", "group": "authorization.k8s.io", "resource": "selfsubjectaccessreviews",
    });
    stage.api.wait_for_right("unasked", false, &asked).await;
    let checked = Checked::of(&stage).await;
    assert_eq!((checked.broken(), checked.code), (vec!["rights"], Some(1)));
    let what = checked.what("rights");
    assert!(what.starts_with("could not be asked: "), "{what}");
    let todo = "{apiGroups: [authorization.k8s.io], resources: [selfsubjectaccessreviews], verbs: [create]}";
    assert!(
        checked.failed()[0].ends_with(todo),
        "{:?}",
        checked.failed()
    );

    plane.stop_component("kube-apiserver");
    let checked = Checked::of(&stage).await;
    assert_eq!(
        (checked.broken(), checked.code),
        (vec!["api-server"], Some(1))
    );
    assert!(checked.what("github").contains("answered 200"));
    stage.set("context", "none");
    assert_eq!(Checked::of(&stage).await.broken(), ["api-server"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whoever_the_api_server_does_not_know_is_told_so_at_once() {
    let mut stage = Stage::new("stranger").await;
    let text = std::fs::read_to_string(&stage.kubeconfig).unwrap();
    let mut kubeconfig: Value = serde_saphyr::from_str(&text).unwrap();
    kubeconfig["users"][0]["user"] = json!({"token": "a-token"});
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("stranger.kubeconfig");
    std::fs::write(&path, kubeconfig.to_string()).unwrap();
    stage.set("kubeconfig", path.to_str().unwrap());
    let started = Instant::now();
    let checked = Checked::of(&stage).await;
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    let broken = ["identity", "ledger", "lease", "rights", "mirrors"];
    assert_eq!((checked.broken(), checked.code), (broken.to_vec(), Some(1)));
    assert!(
        checked.what("rights").contains("(401)"),
        "{}",
        checked.what("rights")
    );
    std::fs::remove_file(path).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_github_answers_fails_the_check_that_it_is_about() {
    let mut stage = Stage::new("check-github").await;
    stage.set("github-timeout", "1s");
    stage.grant().await;
    let status = |status| FaultKind::Status { status };
    for (kind, broken, words) in [
        (status(401), "token", "Bad credentials"),
        (status(403), "permission", "Resource not accessible"),
        (FaultKind::Bare { status: 403 }, "permission", "403"),
        (status(410), "api-version", "--github-api-version"),
        (status(503), "github", "503"),
        (FaultKind::Hang, "github", "no whole answer within 1s"),
        (FaultKind::Reset, "github", "http://127.0.0.1"),
    ] {
        stage.github.fault(Fault::once(kind.clone()));
        let checked = Checked::of(&stage).await;
        assert_eq!(
            (checked.broken(), checked.code),
            (vec![broken], Some(1)),
            "{kind:?}"
        );
        let failed = checked.failed().remove(0);
        assert!(failed.contains(words), "{failed}");
        assert!(!failed.ends_with("-> -"), "{failed}");
        assert!(checked.what("rights").starts_with("all "));
    }
    Checked::of(&stage).await.holds();
    // Nothing is held yet, so that a 404 may be about the digest.
    stage.github.fault(Fault::once(status(404)));
    let checked = Checked::of(&stage).await;
    checked.holds();
    let what = checked.what("permission");
    assert!(what.starts_with("404: either "), "{what}");
    let checked = Checked::with(&stage, &["--github-token-file=/nowhere/token"]).await;
    assert_eq!(checked.broken(), ["token"]);
    stage.set("github-api-url", "http://127.0.0.1:9");
    assert_eq!(Checked::of(&stage).await.broken(), ["github"]);
    // That the cluster cannot be reached does not keep GitHub from being looked at.
    let nowhere = kubeconfig_for("http://127.0.0.1:9");
    stage.set("kubeconfig", nowhere.to_str().unwrap());
    assert_eq!(Checked::of(&stage).await.broken(), ["api-server", "github"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_clock_that_is_not_githubs_is_told_by_how_much() {
    let mut stage = Stage::new("check-clock").await;
    stage.grant().await;
    for (shift, expected) in [(300, Some("behind")), (-300, Some("ahead of")), (20, None)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let epoch = Timestamp::now() + jiff::SignedDuration::from_secs(shift);
        let github = Sandbox::new(Settings {
            epoch: Some(epoch),
            ..Settings::default()
        });
        tokio::spawn(serve(listener, github));
        stage.set("github-api-url", &url);
        let checked = Checked::of(&stage).await;
        let Some(side) = expected else {
            checked.holds();
            continue;
        };
        assert_eq!(checked.broken(), ["clock"]);
        let what = checked.what("clock");
        assert!(what.contains(side) && what.contains(" s "), "{what}");
        assert!(checked.failed()[0].contains("NTP"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_an_app_may_not_do_is_known_before_anything_is_written() {
    let mut stage = Stage::new("check-app").await;
    stage.grant().await;
    let key = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("check-app.pem");
    std::fs::write(&key, stage.github.app_key().unwrap()).unwrap();
    stage.set("github-app-id", "7");
    stage.set("github-app-private-key-file", key.to_str().unwrap());
    let checked = Checked::of(&stage).await;
    checked.holds();
    assert_eq!(
        checked.what("permission"),
        "artifact metadata may be read and written"
    );
    for (permission, words) in [
        (Permission::Read, "may only be read"),
        (Permission::None, "artifact metadata"),
    ] {
        let change = AppChange {
            permission: Some(permission),
            ..AppChange::default()
        };
        stage.github.change_app(change).unwrap();
        let checked = Checked::of(&stage).await;
        assert_eq!(checked.broken(), ["permission"], "{:?}", checked.failed());
        assert!(checked.what("permission").contains(words));
        assert!(checked.failed()[0].contains("Artifact metadata: Read and write"));
    }
    let change = AppChange {
        suspended: [("acme".to_owned(), true)].into(),
        ..AppChange::default()
    };
    stage.github.change_app(change).unwrap();
    let checked = Checked::of(&stage).await;
    assert_eq!(checked.broken(), ["token"]);
    assert!(
        checked.what("token").contains("suspended"),
        "{}",
        checked.what("token")
    );
    std::fs::remove_file(key).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_ledger_that_run_would_not_start_with_fails_in_the_same_words() {
    let mut stage = Stage::new("check-ledger").await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.stop().await;
    let ledger = stage.ledger();
    let shard = "deployment-recorder-0";
    stage
        .api
        .delete("ConfigMap", &ledger, shard, Cascade::Background)
        .await;
    let checked = Checked::of(&stage).await;
    assert_eq!((checked.broken(), checked.code), (vec!["ledger"], Some(1)));
    assert!(checked.what("ledger").contains("restore it from a backup"));
    stage.set("ledger-namespace", "nowhere-at-all");
    let checked = Checked::of(&stage).await;
    let failed = checked.failed();
    let made = failed
        .iter()
        .any(|it| it.contains("kubectl create namespace nowhere-at-all"));
    assert!(!made, "it may not read there: {failed:?}");
    assert!(checked.broken().contains(&"ledger") && checked.broken().contains(&"rights"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn names_of_this_cluster_that_the_ledger_lacks_are_told() {
    let mut stage = Stage::new("check-names").await;
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    stage.stop().await;
    let checked = Checked::of(&stage).await;
    checked.holds();
    let what = "the ledger knows all names that GitHub has of 1 of 1 digests that run";
    assert_eq!(checked.what("records"), what);
    // GitHub has acknowledged that digest, so that a 404 is not about it.
    let fault = Fault::once(FaultKind::Status { status: 404 });
    stage.github.fault(fault);
    let checked = Checked::of(&stage).await;
    assert_eq!(
        (checked.broken(), checked.code),
        (vec!["permission"], Some(1))
    );
    stage.github.fault(Fault::once(FaultKind::ShortList));
    let checked = Checked::of(&stage).await;
    checked.holds();
    let what = checked.what("records");
    assert!(
        what.starts_with("GitHub does not say that it lists all "),
        "{what}"
    );

    // The same cluster without its ledger, under another template: the old name is nobody's.
    stage.set("ledger-name", "another");
    stage.set("name-template", "{namespace}/{workload}/{container}");
    let checked = Checked::of(&stage).await;
    assert!(
        checked.broken().contains(&"ledger"),
        "its rights are for the other name"
    );
    let mut role = deployed("Role");
    let name = json!("another");
    for rule in role["rules"].as_array_mut().unwrap() {
        if let Some(names) = rule.get_mut("resourceNames") {
            *names = json!(["another", "another-0", "another-1", "another-255"]);
        }
    }
    role["metadata"]["name"] = name.clone();
    let mut binding = deployed("RoleBinding");
    binding["roleRef"]["name"] = name.clone();
    binding["metadata"] = json!({"name": name, "namespace": stage.ledger()});
    binding["subjects"] = stage.subjects();
    role["metadata"]["namespace"] = json!(stage.ledger());
    stage.create(&role).await;
    stage.create(&binding).await;
    let asked = json!({
        "verb": "update", "resource": "configmaps", "namespace": stage.ledger(), "name": "another",
    });
    stage.api.wait_for_right(&stage.user, true, &asked).await;
    let checked = Checked::of(&stage).await;
    checked.holds();
    let lacks = "the ledger lacks names of this cluster that GitHub has of 1 of 1 digests that run: \
                 check-names-web-app. With --namespaces they may be";
    checked.says("records", lacks);
    // Under the old template what runs takes its name with its first report.
    stage.set("name-template", "{namespace}-{workload}-{container}");
    let checked = Checked::of(&stage).await;
    checked.holds();
    checked.says("records", "the ledger knows all names");
}
