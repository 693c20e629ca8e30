//! What a workload runs changes: inside a pod that stays, forth and back within a minute, with an
//! error of GitHub in between, or not at all because nothing was ever pulled.

use deployment_recorder::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::objects::{deployment, digest};
use crate::world::{ENVIRONMENT, MINUTE, SECOND, World};

/// The digests that were sent under a name, in order, each once in a row.
fn sent(world: &World, name: &str) -> Vec<String> {
    let mut digests: Vec<String> = Vec::new();
    for entry in world.github.requests() {
        let body = entry.body.as_deref().cloned().unwrap_or_default();
        let lines = body["deployments"].as_array().cloned().unwrap_or_default();
        let lines = lines.iter().filter(|line| line["deployment_name"] == name);
        for digest in lines.filter_map(|line| line["digest"].as_str()) {
            if digests.last().map(String::as_str) != Some(digest) {
                digests.push(digest.to_owned());
            }
        }
    }
    digests
}

/// Changes the first pod of an app.
fn change_pod(world: &World, app: &str, change: impl Fn(&mut Value)) {
    let pods = world.api.all("Pod");
    let mut pod = pods
        .into_iter()
        .find(|pod| pod["metadata"]["labels"]["app"] == app)
        .expect("a pod");
    change(&mut pod);
    world.api.apply(pod);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_changed_inside_a_running_pod_reaches_github() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let patched = "ghcr.io/acme/web:patched";
    change_pod(&world, "web", |pod| {
        pod["spec"]["containers"][0]["image"] = json!(patched);
        let id = format!("ghcr.io/acme/web@{}", digest(patched));
        pod["status"]["containerStatuses"][0]["imageID"] = json!(id);
        pod["status"]["containerStatuses"][0]["containerID"] = json!("containerd://another");
    });
    world.want(&deployment("shop", "web").image(patched));
    world.agreed_within(10 * SECOND).await;
    world.finish().await;
}

/// The spec is changed first, by whoever does so; the status follows when the kubelet has ended the
/// container and started another one.
#[tokio::test(start_paused = true)]
async fn an_image_that_is_changed_in_place_is_not_told_before_it_runs() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let told = world.github.requests().len();
    let patched = "ghcr.io/acme/web:patched";
    change_pod(&world, "web", |pod| {
        pod["spec"]["containers"][0]["image"] = json!(patched);
    });
    world.pass(MINUTE).await;
    let since: Vec<_> = world.github.requests().split_off(told);
    let bodies = since.iter().filter_map(|entry| entry.body.as_deref());
    for body in bodies {
        assert!(!body.to_string().contains("patched"), "{body}");
    }
    change_pod(&world, "web", |pod| {
        let status = &mut pod["status"]["containerStatuses"][0];
        status["imageID"] = json!(format!("ghcr.io/acme/web@{}", digest(patched)));
        status["containerID"] = json!("containerd://another");
    });
    world.want(&deployment("shop", "web").image(patched));
    world.agreed_within(10 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_container_that_restarts_with_another_digest_of_its_tag_reaches_github() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let moved = digest("the tag has moved");
    change_pod(&world, "web", |pod| {
        let status = &mut pod["status"]["containerStatuses"][0];
        status["imageID"] = json!(format!("ghcr.io/acme/web@{moved}"));
        status["containerID"] = json!("containerd://restarted");
        status["restartCount"] = json!(1);
    });
    let key = (ENVIRONMENT.to_owned(), "shop-web-main".to_owned());
    world.wanted.insert(key, moved);
    world.agreed_within(10 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn forth_and_back_within_a_minute_the_old_image_is_reported_again() {
    let old = deployment("shop", "web");
    let new = old.clone().image("ghcr.io/acme/web:2");
    let mut world = World::with(std::slice::from_ref(&old)).await;
    for version in [&new, &old, &new, &old] {
        world.run(version);
        world.agreed_within(10 * SECOND).await;
    }
    let (old, new) = (digest("ghcr.io/acme/web:1"), digest("ghcr.io/acme/web:2"));
    let expected = [&old, &new, &old, &new, &old].map(Clone::clone);
    assert_eq!(sent(&world, "shop-web-main"), expected);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_failed_to_be_sent_is_never_sent_after_something_newer() {
    let web =
        |version: usize| deployment("shop", "web").image(&format!("ghcr.io/acme/web:{version}"));
    let mut world = World::with(&[web(1)]).await;
    world.fault(Fault::new(FaultKind::Status { status: 502 }).times(6));
    for version in 2..=6 {
        world.run(&web(version));
        world.pass(7 * SECOND).await;
    }
    world.agreed_within(2 * MINUTE).await;
    let digests: Vec<String> = (1..=6)
        .map(|it| digest(&format!("ghcr.io/acme/web:{it}")))
        .collect();
    let sent = sent(&world, "shop-web-main");
    let order: Vec<usize> = sent
        .iter()
        .map(|it| {
            digests
                .iter()
                .position(|known| known == it)
                .expect("a version")
        })
        .collect();
    assert!(order.is_sorted() && order.ends_with(&[5]), "{order:?}");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_workload_whose_last_pods_never_pulled_an_image_ends_with_what_was_held() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    world.roll_out(&deployment("shop", "web").image("ghcr.io/acme/web:2"));
    change_pod(&world, "web", |pod| {
        pod["status"] = json!({"phase": "Pending", "containerStatuses": [
            {"name": "main", "state": {"waiting": {"reason": "ImagePullBackOff"}}, "imageID": ""},
        ]});
    });
    world.pass(MINUTE).await;
    let name = "shop-web-main";
    assert!(world.digest_of(name).is_some(), "it is kept meanwhile");
    world.remove("shop", "web");
    world.agreed_within(10 * SECOND).await;
    assert_eq!(sent(&world, name), [digest("ghcr.io/acme/web:1")]);
    world.finish().await;
}
