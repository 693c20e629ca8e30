//! Tests of evidence: which container speaks, and for which digest.

use std::sync::Arc;

use super::*;
use crate::model::fixtures::{container, digest, pod};

const A: &str = "ghcr.io/acme/web:1";
const B: &str = "ghcr.io/acme/web:2";

/// A ready pod of that age whose container `app` runs.
fn web(name: &str, age: i64, image: &str, number: u64) -> Pod {
    pod(name, [container("app", image, number)]).created(age)
}

fn shared(pods: impl IntoIterator<Item = Pod>) -> Vec<Arc<Pod>> {
    pods.into_iter().map(Arc::new).collect()
}

type Spoken = (String, Option<Digest>, String, usize);

/// Image, digest and pod that speak for `app`, and how many other digests run.
fn speaks(pods: impl IntoIterator<Item = Pod>) -> Option<Spoken> {
    let mut pods = shared(pods);
    let found = of_service(&pods, "app");
    pods.reverse();
    let again = of_service(&pods, "app");
    let text = |evidence: Evidence| {
        (
            evidence.image.to_string(),
            evidence.digest,
            evidence.pod.name.to_string(),
            evidence.other_digests.len(),
        )
    };
    let found = found.map(text);
    assert_eq!(found, again.map(text), "the order of pods does not matter");
    found
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it is compared with what may be none"
)]
fn is(image: &str, number: u64, pod: &str, others: usize) -> Option<Spoken> {
    Some((image.into(), Some(digest(number)), pod.into(), others))
}

#[test]
fn a_rollout_that_never_gets_ready_is_not_reported() {
    let old = || web("old", 1, A, 1);
    let new = web("new", 2, B, 2);
    assert_eq!(speaks([old(), new.clone().not_ready()]), is(A, 1, "old", 0));
    assert_eq!(speaks([old(), new]), is(B, 2, "new", 1));
}

#[test]
fn a_rollback_is_reported() {
    let failed = web("failed", 2, B, 2).not_ready();
    let back = web("back", 3, A, 1);
    assert_eq!(speaks([failed.clone(), back.clone()]), is(A, 1, "back", 0));
    // The pod of the rollback that stayed is older than the failed one.
    assert_eq!(speaks([failed, back.created(1)]), is(A, 1, "back", 0));
}

#[test]
fn while_nothing_is_ready_the_newest_speaks_and_nothing_else_counts() {
    let pods = [
        web("a", 1, A, 1).not_ready(),
        web("b", 2, A, 2).not_ready(),
        web("c", 1, A, 1).not_ready(),
    ];
    assert_eq!(speaks(pods), is(A, 2, "b", 0));
}

#[test]
fn of_one_image_as_written_the_digest_that_most_ready_pods_run_speaks() {
    let three = |first, second, third| {
        [
            web("a", 1, A, first),
            web("b", 2, A, second),
            web("c", 3, A, third),
        ]
    };
    assert_eq!(speaks(three(1, 1, 2)), is(A, 1, "b", 1));
    assert_eq!(speaks(three(1, 2, 3)), is(A, 3, "c", 2), "then the newest");
    let tie = [web("a", 1, A, 1), web("b", 1, A, 2)];
    assert_eq!(speaks(tie), is(A, 2, "b", 1), "then the name");
    // Not ready ones have no vote.
    let mut pods = three(1, 2, 2);
    pods[1].ready = false;
    pods[2].ready = false;
    assert_eq!(speaks(pods), is(A, 1, "a", 0));
    // Nor has another image as written, however many run it.
    let pods = [web("a", 1, A, 1), web("b", 1, A, 1), web("c", 2, B, 2)];
    assert_eq!(speaks(pods), is(B, 2, "c", 1));
}

#[test]
fn a_ready_pod_without_a_digest_lets_the_others_of_its_image_speak() {
    let mut newest = web("new", 9, A, 1);
    newest.containers[0] = container("app", A, 1).without_digest();
    assert_eq!(
        speaks([web("old", 1, A, 1), newest.clone()]),
        is(A, 1, "old", 0)
    );
    let other_image = speaks([web("old", 1, B, 1), newest]);
    assert_eq!(
        other_image,
        Some((A.into(), None, "new".into(), 1)),
        "never another image's guess"
    );
}

#[test]
fn what_is_being_deleted_finished_or_not_running_speaks_not() {
    let crashing = |state| {
        let mut pod = web("new", 9, A, 2);
        pod.containers[0] = container("app", A, 2).in_state(state);
        pod
    };
    for silent in [
        web("new", 9, A, 2).deleting(),
        web("new", 9, A, 2).finished(),
        crashing(State::Ran),
        crashing(State::NeverRan),
    ] {
        assert_eq!(speaks([silent.clone()]), None);
        assert_eq!(speaks([web("old", 1, A, 1), silent]), is(A, 1, "old", 0));
    }
    // A phase of Failed outlasts the word of a kubelet that is gone.
    let mut lost = web("new", 9, A, 2);
    lost.finished = true;
    assert_eq!(speaks([lost]), None);
}

#[test]
fn a_crash_looping_sidecar_silences_nobody_but_itself() {
    let sidecar = container("proxy", B, 2).in_state(State::Ran);
    let pod = pod("web", [container("app", A, 1), sidecar]).not_ready();
    assert_eq!(speaks([pod.clone()]), is(A, 1, "web", 0));
    assert!(of_service(&shared([pod.clone()]), "proxy").is_none());
    assert!(pod.runs() && pod.ran());
}

#[test]
fn of_a_job_the_newest_pod_in_which_a_container_ran_speaks_alone() {
    let ran = web("a", 1, A, 1).finished();
    let newer = web("b", 2, B, 2).finished().deleting();
    let waiting = {
        let mut pod = web("c", 3, A, 3);
        pod.containers[0] = container("app", A, 3)
            .in_state(State::NeverRan)
            .without_digest();
        pod
    };
    let pods = shared([newer, ran, waiting]);
    let evidence = of_job(&pods, "app").unwrap();
    assert_eq!(
        (&*evidence.pod.name, evidence.digest),
        ("b", Some(digest(2)))
    );
    assert!(evidence.other_digests.is_empty());
    assert!(of_job(&pods[2..], "app").is_none(), "nothing ran yet");
}

#[test]
fn the_newest_pod_of_a_job_speaks_for_all_its_containers() {
    let old = pod("a", [container("app", A, 1), container("dropped", A, 1)]).created(1);
    let late = container("late", B, 2)
        .in_state(State::NeverRan)
        .without_digest();
    let new = pod("b", [container("app", A, 1).in_state(State::Ran), late]).created(2);
    let pods = shared([old, new]);
    assert!(of_job(&pods, "dropped").is_none());
    assert!(of_job(&pods, "late").is_none());
    // A pin says what is to run, not that it does.
    let pinned = container("late", B, 2).in_state(State::NeverRan);
    let new = pod("b", [container("app", A, 1).in_state(State::Ran), pinned]);
    assert!(of_job(&shared([new]), "late").is_none());
}

#[test]
fn each_container_that_does_not_speak_has_its_reason() {
    let evidence = |ready: bool| {
        let mut best = web("best", 5, A, 1);
        best.ready = ready;
        of_service(&shared([best]), "app").unwrap()
    };
    let lost = |pod: &Pod, evidence: &Evidence| {
        Lost::of(pod, pod.container("app").unwrap(), Some(evidence), false)
    };
    let in_state = |state| pod("x", [container("app", A, 1).in_state(state)]);
    let without_digest = pod("x", [container("app", A, 2).without_digest()]);
    let mut lost_by_its_kubelet = web("x", 1, A, 1);
    lost_by_its_kubelet.finished = true;
    let beside_a_ready_one = [
        (web("x", 1, A, 1), None),
        (web("x", 1, A, 1).deleting(), Some(Lost::BeingDeleted)),
        (lost_by_its_kubelet, Some(Lost::Finished)),
        (in_state(State::NeverRan), Some(Lost::NeverRan)),
        (in_state(State::Ran), Some(Lost::NotRunning)),
        (web("x", 9, A, 2).not_ready(), Some(Lost::NotReady)),
        (web("x", 1, B, 1), Some(Lost::AnotherImage)),
        (web("x", 1, A, 2), Some(Lost::Outvoted)),
        (without_digest, Some(Lost::Older)),
    ];
    for (pod, reason) in beside_a_ready_one {
        assert_eq!(lost(&pod, &evidence(true)), reason, "{pod:?}");
    }
    for image in [A, B] {
        let older = web("x", 1, image, 2).not_ready();
        assert_eq!(lost(&older, &evidence(false)), Some(Lost::Older));
    }
    let ran = |state| {
        let pod = in_state(state);
        Lost::of(&pod, &pod.containers[0], None, true)
    };
    assert_eq!(ran(State::NeverRan), Some(Lost::NeverRan));
    assert_eq!(ran(State::Ran), Some(Lost::Older));
}
