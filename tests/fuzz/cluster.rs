//! Clusters of a few objects, as `kubectl get` writes them, in which what the recorder tells apart
//! happens often: owners that are there, not there or of other kinds, names that collide, images of
//! every form, annotations and labels that are and are not allowed.

use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

const NAMESPACES: [&str; 3] = ["shop", "shop-web", "\u{e9}"];
const NAMES: [&str; 6] = ["web", "web-app", "WEB", "a", "cart-\u{130}", "shop"];
const CONTAINERS: [&str; 4] = ["main", "app-main", "Main", "sidecar"];
const KINDS: [(&str, &str); 9] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("v1", "ReplicationController"),
    ("argoproj.io/v1alpha1", "Rollout"),
    ("v1", "Node"),
];
const KEYS: [&str; 9] = [
    "team",
    "tier",
    "a",
    "b",
    "c",
    "d",
    "repository",
    "runtime-risks",
    "ignore",
];

fn one<'a>(rng: &mut StdRng, texts: &[&'a str]) -> &'a str {
    texts.choose(rng).unwrap()
}

fn long(rng: &mut StdRng) -> String {
    let letter = one(rng, &["x", "\u{e9}", "\u{1d11e}"]);
    letter.repeat([1, 63, 99, 100, 101, 128, 200, 256, 257][rng.random_range(0..9)])
}

fn name(rng: &mut StdRng, usual: &[&str]) -> String {
    if rng.random_bool(0.03) {
        long(rng)
    } else {
        one(rng, usual).to_owned()
    }
}

fn value(rng: &mut StdRng) -> String {
    match rng.random_range(0..6) {
        0 => long(rng),
        1 => one(
            rng,
            &[
                "",
                " ",
                "\n",
                "\0",
                "a\u{202e}b",
                "x,y",
                "acme/",
                "acme/acme/web",
            ],
        )
        .to_owned(),
        2 => one(
            rng,
            &[
                "true",
                "acme/web",
                "else/web",
                "web.js",
                "sensitive-data, none",
            ],
        )
        .to_owned(),
        3 => "internet-exposed,lateral-movement,critical-resource,sensitive-data".to_owned(),
        _ => one(rng, &["cart", "web", "storefront", "1"]).to_owned(),
    }
}

fn annotations(rng: &mut StdRng) -> Value {
    let mut annotations = json!({});
    if rng.random_bool(0.3) {
        for _ in 0..rng.random_range(0..8) {
            let key = if rng.random_bool(0.1) {
                long(rng)
            } else {
                one(rng, &KEYS).to_owned()
            };
            annotations[format!("metadata.github.com/{key}")] = value(rng).into();
        }
    }
    annotations
}

fn digest(rng: &mut StdRng) -> String {
    let digit = one(rng, &["0", "a", "b", "c"]);
    let digits = if rng.random_bool(0.9) { 64 } else { 63 };
    format!("sha256:{}", digit.repeat(digits))
}

fn image(rng: &mut StdRng) -> String {
    let repository = match rng.random_range(0..8) {
        0 => "nginx".to_owned(),
        1 => format!("ghcr.io/acme/{}", "x".repeat(rng.random_range(236..250))),
        2 => "registry.example:5000/team/web".to_owned(),
        3 => one(
            rng,
            &[
                "",
                "Acme/Web",
                "https://ghcr.io/web",
                "acme//web",
                "docker.io/library/import-2026",
            ],
        )
        .to_owned(),
        _ => format!("ghcr.io/acme/{}", one(rng, &["web", "cart", "other"])),
    };
    let tag = match rng.random_range(0..5) {
        0 => String::new(),
        1 => format!(":{}", "v".repeat(rng.random_range(98..130))),
        _ => format!(":{}", one(rng, &["1", "2", "latest", "-x", "\u{e9}"])),
    };
    let pin = if rng.random_bool(0.2) {
        format!("@{}", digest(rng))
    } else {
        String::new()
    };
    format!("{repository}{tag}{pin}")
}

fn image_id(rng: &mut StdRng) -> String {
    match rng.random_range(0..8) {
        0 => digest(rng),
        1 => format!("docker-pullable://ghcr.io/acme/web@{}", digest(rng)),
        2 => String::new(),
        _ => format!("ghcr.io/acme/web@{}", digest(rng)),
    }
}

fn container(rng: &mut StdRng) -> (Value, Value) {
    let name = name(rng, &CONTAINERS);
    let state = one(
        rng,
        &["running", "running", "running", "waiting", "terminated"],
    );
    let spec = json!({"name": name, "image": image(rng)});
    let status = json!({
        "name": name, "imageID": image_id(rng), "containerID": format!("containerd://{name}"),
        "restartCount": rng.random_range(0..2), "state": {state: {}}
    });
    (spec, status)
}

fn metadata(rng: &mut StdRng, namespace: &str, name: &str, uid: &str) -> Value {
    json!({
        "namespace": namespace, "name": name, "uid": uid, "annotations": annotations(rng),
        "creationTimestamp": format!("2026-01-0{}T00:00:00Z", rng.random_range(0..9))
    })
}

fn controlled_by(object: &Value) -> Value {
    json!([{
        "apiVersion": object["apiVersion"], "kind": object["kind"], "controller": true,
        "name": object["metadata"]["name"], "uid": object["metadata"]["uid"]
    }])
}

fn pod(rng: &mut StdRng, owner: Option<&Value>, number: usize) -> Value {
    let place = owner.and_then(|owner| owner["metadata"]["namespace"].as_str());
    let place = place.map_or_else(|| name(rng, &NAMESPACES), ToOwned::to_owned);
    let mut metadata = metadata(
        rng,
        &place,
        &format!("pod-{number}"),
        &format!("pod-{number}"),
    );
    if let Some(owner) = owner {
        metadata["ownerReferences"] = controlled_by(owner);
    }
    if rng.random_bool(0.1) {
        metadata["deletionTimestamp"] = "2026-01-02T00:00:00Z".into();
    }
    let (specs, statuses): (Vec<Value>, Vec<Value>) =
        (0..rng.random_range(1..3)).map(|_| container(rng)).unzip();
    let ready = one(rng, &["True", "True", "True", "False"]);
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"restartPolicy": one(rng, &["Always", "Always", "Never"]), "containers": specs},
        "status": {
            "phase": one(rng, &["Running", "Running", "Running", "Succeeded", "Pending"]),
            "conditions": [{"type": "Ready", "status": ready}], "containerStatuses": statuses
        }
    })
}

/// Namespaces, some with labels that name environments.
fn namespaces(rng: &mut StdRng) -> Vec<Value> {
    let mut items = Vec::new();
    for place in NAMESPACES {
        let mut labels = json!({});
        if rng.random_bool(0.2) {
            labels["env"] = one(rng, &["staging", "Staging", "", "\u{e9}"]).into();
            labels["region"] = one(rng, &["eu", "EU", ""]).into();
        }
        if rng.random_bool(0.9) {
            items.push(json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": place, "uid": place, "labels": labels, "annotations": annotations(rng)}
            }));
        }
    }
    items
}

/// Empty lists: kinds of which there is nothing.
fn lists(rng: &mut StdRng) -> Vec<Value> {
    let mut items = Vec::new();
    for kind in [
        "ReplicaSetList",
        "DeploymentList",
        "JobList",
        "CronJobList",
        "StatefulSetList",
        "DaemonSetList",
    ] {
        let version = if kind.contains("Job") {
            "batch/v1"
        } else {
            "apps/v1"
        };
        if rng.random_bool(0.9) {
            items.push(json!({"apiVersion": version, "kind": kind, "items": []}));
        }
    }
    items
}

/// Some cluster, as a list of all kinds.
pub(crate) fn any(rng: &mut StdRng) -> Value {
    let mut items = namespaces(rng);
    let mut pods = 0;
    for number in 0..rng.random_range(0..4) {
        let (version, kind) = KINDS[rng.random_range(0..KINDS.len())];
        let (place, name) = (name(rng, &NAMESPACES), name(rng, &NAMES));
        let owner = json!({
            "apiVersion": version, "kind": kind, "metadata": metadata(rng, &place, &name, &format!("owner-{number}"))
        });
        let between = match kind {
            "Deployment" => Some(("apps/v1", "ReplicaSet")),
            "CronJob" => Some(("batch/v1", "Job")),
            _ => None,
        };
        let maker = match between {
            None => owner.clone(),
            Some((version, kind)) => {
                let mut metadata = metadata(
                    rng,
                    &place,
                    &format!("{name}-1"),
                    &format!("maker-{number}"),
                );
                metadata["ownerReferences"] = controlled_by(&owner);
                json!({"apiVersion": version, "kind": kind, "metadata": metadata})
            }
        };
        for _ in 0..rng.random_range(0..3) {
            pods += 1;
            let is_owned = rng.random_bool(0.95);
            items.push(pod(rng, is_owned.then_some(&maker), pods));
        }
        let there = rng.random_bool(0.9);
        items.extend([owner, maker].into_iter().filter(|_| there));
    }
    items.extend(lists(rng));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}
