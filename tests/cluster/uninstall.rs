//! Taking the recorder away for good: `decommission --all --scale-down` stops the Deployment of a
//! recorder that still runs, waits for its Lease and ends what it reported, however often it is run.

use serde_json::json;

use super::api::{Cascade, PATIENCE, eventually};
use super::objects::deployment;
use super::program::{Ended, Program};
use super::stage::Stage;

/// The name of the recorder's Deployment.
const IT: &str = "recorder";

const UNINSTALL: [&str; 3] = ["--all", "--yes", "--scale-down=recorder"];

impl Stage {
    /// A Deployment for the recorder, beside the ledger, and the right to scale it down.
    async fn has_its_deployment(&self) {
        let ledger = self.ledger();
        self.api
            .wait_for("ServiceAccount", &ledger, "default")
            .await;
        let image = [("recorder", "acme/recorder:1")];
        self.create(&deployment(&ledger, IT, &image)).await;
        self.may_scale().await;
    }

    async fn may_scale(&self) {
        let rbac = "rbac.authorization.k8s.io";
        let metadata = json!({"name": "scale", "namespace": self.ledger()});
        let rule = json!({
            "apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"],
            "resourceNames": [IT],
        });
        let role = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": metadata,
            "rules": [rule],
        });
        let binding = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "scale"},
            "subjects": self.subjects(),
        });
        self.create(&role).await;
        self.create(&binding).await;
        let asked = json!({
            "verb": "patch", "group": "apps", "resource": "deployments", "subresource": "scale",
            "namespace": self.ledger(), "name": IT,
        });
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// How many pods the recorder's Deployment is to have.
    async fn replicas(&self) -> u64 {
        let it = self.api.get("Deployment", &self.ledger(), IT).await;
        it.expect("its Deployment")["spec"]["replicas"]
            .as_u64()
            .expect("a number")
    }

    /// Uninstalls, while a kubelet stops the recorder whose Deployment is scaled down: some time later.
    /// Gives what was said.
    async fn uninstall_as_a_kubelet_sees_it(&mut self) -> String {
        let mut arguments = self.arguments("decommission");
        arguments.extend(UNINSTALL.map(str::to_owned));
        let mut command = Program::start(&format!("{}-command", self.ns), &arguments);
        let waits = "it is waited for, at most 2m.";
        eventually(waits, async || command.said().contains(waits)).await;
        assert_eq!(self.replicas().await, 0);
        assert!(self.never_ended("web", "app"));
        self.stop().await;
        let status = command.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{}", command.said());
        command.said()
    }
}

fn said(ended: &Ended, expected: &str) {
    assert!(ended.said.contains(expected), "{expected:?} in {ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_recorder_is_stopped_and_all_that_it_reported_is_ended_and_once_more_changes_nothing() {
    let mut stage = Stage::new("uninstalled").await;
    let place = format!("{}/{IT}", stage.ledger());
    stage.has_its_deployment().await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;

    let said_then = stage.uninstall_as_a_kubelet_sees_it().await;
    let scaled = format!("Deployment {place} is scaled to 0");
    assert!(said_then.starts_with(&scaled), "{said_then}");
    let holder = format!(
        "Lease {}/deployment-recorder is held by process ",
        stage.ledger()
    );
    assert_eq!(said_then.matches(&holder).count(), 1, "{said_then}");
    stage.ends("web", "app").await;

    let again = stage.run("decommission", &UNINSTALL).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    said(&again, &scaled);
    assert_eq!(stage.replicas().await, 0);

    let cascade = Cascade::Background;
    let ledger = stage.ledger();
    stage.api.delete("Deployment", &ledger, IT, cascade).await;
    let gone = stage.run("decommission", &UNINSTALL).await;
    assert_eq!(gone.code, Some(0), "{gone:?}");
    said(
        &gone,
        &format!("There is no Deployment {place} to scale to 0."),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lease_that_is_not_given_back_in_time_is_named_with_its_holder_and_nothing_is_ended() {
    let mut stage = Stage::new("not-uninstalled").await;
    stage.has_its_deployment().await;
    stage.deploy("web", "acme/web:1").await;
    stage.begin().await;
    stage.runs("web", "app", "acme/web:1").await;
    let flags = [&UNINSTALL[..], &["--lease-timeout=5s"]].concat();
    let ended = stage.run("decommission", &flags).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let ledger = stage.ledger();
    said(
        &ended,
        &format!(
            "error: after 5s of waiting: Lease {ledger}/deployment-recorder is held by process "
        ),
    );
    assert!(stage.never_ended("web", "app"));
    assert!(stage.recorder().runs());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_that_never_recorded_is_gone_without_a_word_to_github_and_a_right_that_lacks_is_named()
{
    let stage = Stage::new("never-begun").await;
    stage.grant().await;
    let ledger = stage.ledger();
    let refused = stage.run("decommission", &UNINSTALL).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let rule = "lacks this rule: apiGroups: [apps], resources: [deployments/scale], verbs: [patch], \
                resourceNames: [recorder].";
    said(&refused, rule);

    stage.has_its_deployment().await;
    let nothing = format!(
        "There is no ledger deployment-recorder in namespace {ledger}, so there is nothing to end."
    );
    let ended = stage.run("decommission", &UNINSTALL).await;
    assert_eq!((ended.code, &*ended.out), (Some(0), ""), "{ended:?}");
    said(&ended, &nothing);
    assert_eq!(stage.replicas().await, 0);
    assert_eq!(stage.github.request_count(), 0);

    // By hand it is rather a name that is not right.
    let by_hand = stage.run("decommission", &["--all", "--yes"]).await;
    assert_eq!(by_hand.code, Some(1), "{by_hand:?}");
    said(&by_hand, "error: there is no ledger");
}
