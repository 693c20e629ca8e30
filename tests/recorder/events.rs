//! Events on workloads: what a person can do something about stands where they look.

use deployment_recorder::sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::objects::{deployment, namespace};
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

fn world() -> World {
    World {
        events: true,
        ..World::default()
    }
}

impl World {
    /// The events that there are: the workload and the reason.
    fn events(&self) -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let events = self.api.all("Event").into_iter();
        let mut said: Vec<String> = events
            .map(|event| {
                let on = &event["regarding"];
                assert_eq!(event["metadata"]["namespace"], on["namespace"]);
                let deployment =
                    self.api
                        .get("Deployment", &text(&on["namespace"]), &text(&on["name"]));
                assert_eq!(on["uid"], deployment.unwrap()["metadata"]["uid"]);
                assert_eq!(
                    (&on["kind"], &on["apiVersion"]),
                    (&json!("Deployment"), &json!("apps/v1"))
                );
                format!(
                    "{}/{} {}",
                    text(&on["namespace"]),
                    text(&on["name"]),
                    text(&event["reason"])
                )
            })
            .collect();
        said.sort();
        said
    }

    /// How often somebody tried to write one.
    fn event_calls(&self) -> usize {
        let calls = self.api.calls();
        calls.iter().filter(|call| call.kind == "Event").count()
    }

    /// Says something wrong for a whole namespace.
    fn misspell(&self, name: &str) {
        let mut namespace = namespace(name);
        let wrong = json!({"metadata.github.com/runtime-risks": "cats"});
        namespace["metadata"]["annotations"] = wrong;
        self.api.apply(namespace);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_annotation_and_a_refusal_are_said_at_each_workload_once_over_many_cycles() {
    let mut world = world();
    world.misspell("shop");
    world.fault(Fault::new(FaultKind::UnknownDigest).record("other-*"));
    world.run(&deployment("shop", "web"));
    world.run(&deployment("shop", "api"));
    world.roll_out(&deployment("other", "nginx"));
    world.start();
    world.pass(30 * SECOND).await;
    let expected = [
        "other/nginx RecordNotFound",
        "shop/api InvalidRisk",
        "shop/web InvalidRisk",
    ];
    assert_eq!(world.events(), expected);
    world.pass(3 * INTERVAL).await;
    world.run(&deployment("shop", "cart"));
    world.pass(30 * SECOND).await;
    assert_eq!(world.events().len(), 4);
    let calls = world.event_calls();
    assert!(calls <= 7, "{calls} calls");
    // After a restart they are found as they are.
    world.stop().await;
    world.restart().await;
    world.pass(MINUTE).await;
    assert_eq!(world.events().len(), 4);
    assert!(world.event_calls() <= calls + 4);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn events_that_cannot_be_written_hold_nothing_back_and_are_no_error() {
    for fault in [ApiFault::Hang, ApiFault::Status(403), ApiFault::Refused] {
        let mut world = world();
        let faults = world.api.fail(Verb::Create, "Event", fault.clone());
        faults.forever();
        world.misspell("shop");
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        world.pass(MINUTE).await;
        world.run(&deployment("shop", "api"));
        world.agreed_within(5 * SECOND).await;
        world.pass(2 * INTERVAL).await;
        let calls = world.event_calls();
        assert!((2..=8).contains(&calls), "{fault:?}: {calls} calls");
        let failed = world.status().lock().events.get("failed").copied();
        assert!(failed > Some(1), "{failed:?}");
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_event_is_written_unless_it_is_wanted_and_none_in_a_dry_run() {
    for (events, dry_run) in [(false, false), (true, true)] {
        let mut world = World {
            events,
            dry_run,
            ..World::default()
        };
        world.misspell("shop");
        world.roll_out(&deployment("shop", "web"));
        world.start();
        world.pass(INTERVAL).await;
        assert_eq!(world.event_calls(), 0);
        world.stop().await;
    }
}
