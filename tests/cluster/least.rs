//! The rules of `deploy/rbac.yaml` and `deploy/rbac-namespaced.yaml` are those that are needed and no
//! others: each is compared with the calls of all commands, by the API server's own audit log.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::calls::audited;
use super::grants::documents;
use super::owners::SERVICES;
use super::stage::Stage;
use super::{exposure, gateways};

/// One thing that may be done, or that was done: namespace (`None`: the whole cluster), API group,
/// resource, verb, and the class of the object's name (`None`: any object).
type Deed = (Option<String>, String, String, String, Option<String>);

/// Shards differ in their number alone: all of them are one class.
fn class(name: &str) -> String {
    match name.rsplit_once('-') {
        Some((ledger, number)) if number.parse::<u8>().is_ok() => format!("{ledger}-N"),
        _ => name.to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

/// What the Roles of a file allow on this stage.
fn allowed(stage: &Stage, file: &str) -> BTreeSet<Deed> {
    let mut allowed = BTreeSet::new();
    for object in documents(file) {
        let role = match object["kind"].as_str() {
            Some("ClusterRole") => object,
            Some("Role") => stage.placed(object),
            _ => continue,
        };
        let place = role["metadata"]["namespace"].as_str().map(str::to_owned);
        for rule in role["rules"].as_array().expect("rules") {
            let names = texts(&rule["resourceNames"]);
            let mut classes: Vec<_> = names.iter().map(|name| Some(class(name))).collect();
            if classes.is_empty() {
                classes.push(None);
            }
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    for verb in texts(&rule["verbs"]) {
                        let deeds = classes.iter().map(|class| {
                            let (group, resource) = (group.clone(), resource.clone());
                            (place.clone(), group, resource, verb.clone(), class.clone())
                        });
                        allowed.extend(deeds);
                    }
                }
            }
        }
    }
    allowed
}

/// What allows this call, of all that is allowed.
fn allowing<'a>(allowed: &'a BTreeSet<Deed>, call: &Value) -> Option<&'a Deed> {
    let asked = &call["objectRef"];
    let (namespace, name) = (text(&asked["namespace"]), text(&asked["name"]));
    let resource = match asked["subresource"].as_str() {
        Some(part) => format!("{}/{part}", text(&asked["resource"])),
        None => text(&asked["resource"]),
    };
    let deed = (text(&asked["apiGroup"]), resource, text(&call["verb"]));
    allowed
        .iter()
        .find(|(place, group, resource, verb, class_of)| {
            let is_there = place.as_ref().is_none_or(|place| *place == namespace);
            // Nobody can say by name what may be created.
            let is_meant = class_of.as_ref().is_none_or(|it| *it == class(&name));
            let is_it = (group, resource, verb) == (&deed.0, &deed.1, &deed.2);
            is_there && is_meant && is_it
        })
}

/// Everything that is done with these rights: each command before, beside and after a recorder.
async fn everything(stage: &mut Stage) {
    stage.deploy("web", "acme/web:1").await;
    stage.started("web", "acme/web:1").await;
    let ends = async |stage: &Stage, command: &str, more: &[&str], code: i32| {
        let ended = stage.run(command, more).await;
        assert_eq!(ended.code, Some(code), "{command}: {ended:?}");
    };
    ends(stage, "check", &[], 0).await;
    ends(stage, "snapshot", &[], 0).await;
    ends(stage, "diff", &[], 1).await;
    stage.start();
    stage.runs("web", "app", "acme/web:1").await;
    stage.roll("web", "acme/web:2").await;
    stage.runs("web", "app", "acme/web:2").await;
    ends(stage, "check", &[], 0).await;
    stage.stop().await;
    ends(stage, "diff", &[], 0).await;
    ends(stage, "verify", &[], 0).await;
    ends(stage, "verify", &["--adopt", "--yes", "--only=*"], 0).await;
    ends(stage, "decommission", &["--all", "--yes"], 0).await;
}

/// Compares the rules of a file, and what is allowed besides, with what was asked. Returns what was denied.
fn compare(stage: &Stage, file: &str, besides: &[Deed]) -> BTreeSet<(String, String, String)> {
    let mut allowed = allowed(stage, file);
    allowed.extend(besides.iter().cloned());
    let (mut used, mut denied) = (BTreeSet::new(), BTreeSet::new());
    for call in audited(&stage.user) {
        let asked = &call["objectRef"];
        // The version is told to everybody, and whoever signs in may ask for rights.
        if asked.is_null() || asked["resource"] == "selfsubjectaccessreviews" {
            continue;
        }
        let by_rule = allowing(&allowed, &call);
        let decision = &call["annotations"]["authorization.k8s.io/decision"];
        assert_eq!(by_rule.is_some(), decision == "allow", "{call}");
        if let Some(deed) = by_rule {
            used.insert(deed.clone());
        } else {
            let [resource, name] = ["resource", "name"].map(|key| text(&asked[key]));
            denied.insert((text(&call["verb"]), resource, name));
        }
    }
    let idle: Vec<&Deed> = allowed.difference(&used).collect();
    assert!(idle.is_empty(), "{file} allows what nobody does: {idle:#?}");
    denied
}

/// Which of them there are follows from how much there is to remember, so no test has all.
#[test]
fn both_files_name_the_root_and_every_shard_that_a_ledger_can_have() {
    let shards = (0..256).map(|number| format!("deployment-recorder-{number}"));
    let expected: BTreeSet<String> = shards.chain(["deployment-recorder".to_owned()]).collect();
    for file in ["rbac.yaml", "rbac-namespaced.yaml"] {
        let roles = documents(file).into_iter();
        let rules = roles.filter_map(|mut role| role["rules"].as_array_mut().map(std::mem::take));
        let of_the_ledger = rules.flatten().filter(|rule| {
            rule["resources"] == json!(["configmaps"]) && rule["verbs"] != json!(["create"])
        });
        let names: Vec<Vec<String>> = of_the_ledger
            .map(|rule| texts(&rule["resourceNames"]))
            .collect();
        assert!(!names.is_empty(), "{file}");
        for names in names {
            assert_eq!(BTreeSet::from_iter(names), expected, "{file}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_right_in_the_whole_cluster_is_used_and_nothing_else_is_asked_for() {
    let mut stage = Stage::new("least").await;
    stage.look_at_the_whole_cluster();
    stage.grant().await;
    everything(&mut stage).await;
    assert_eq!(compare(&stage, "rbac.yaml", &[]), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_further_right_to_infer_risks_is_used_and_nothing_else_is_asked_for() {
    let mut stage = Stage::new("least-exposure").await;
    gateways::install(&stage.api).await;
    stage.look_at_the_whole_cluster();
    stage.set("infer-risks", "loadbalancer,ingress,gateway,nodeport");
    stage.grant().await;
    exposure::grant_links(&stage, &[]).await;
    everything(&mut stage).await;
    let mut besides = Vec::new();
    for rule in exposure::rules() {
        let (group, resources) = (texts(&rule["apiGroups"]), texts(&rule["resources"]));
        for (resource, verb) in resources.iter().flat_map(|resource| {
            texts(&rule["verbs"])
                .into_iter()
                .map(move |verb| (resource, verb))
        }) {
            besides.push((None, group[0].clone(), resource.clone(), verb, None));
        }
    }
    assert_eq!(compare(&stage, "rbac.yaml", &besides), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_right_in_single_namespaces_is_used_and_only_the_cluster_cannot_be_asked_for() {
    let mut stage = Stage::new("least-namespaced").await;
    stage.grant_namespaced().await;
    everything(&mut stage).await;
    // A Role reaches no other namespace, so the cluster is told by that of the ledger.
    let cluster = ["get", "namespaces", "kube-system"].map(str::to_owned);
    let [verb, resource, name] = cluster;
    let expected = BTreeSet::from([(verb, resource, name)]);
    assert_eq!(compare(&stage, "rbac-namespaced.yaml", &[]), expected);
}

/// What the chart's presets for owners allow: group, resource.
fn presets() -> BTreeSet<(String, String)> {
    let file = "charts/deployment-recorder/files/owners.yaml";
    let file = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    let yaml = std::fs::read_to_string(file).expect("the chart's presets");
    let presets: Value = serde_saphyr::from_str(&yaml).expect("it is YAML");
    let presets = presets.as_object().expect("presets by name").values();
    let entries = presets.flat_map(|entries| entries.as_array().expect("entries"));
    let each = entries.flat_map(|entry| {
        let resources = texts(&entry["resources"]).into_iter();
        resources.map(|resource| (text(&entry["apiGroup"]), resource))
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn each_right_of_the_presets_for_owners_is_used_and_nothing_else_is_asked_for() {
    let mut stage = Stage::new("least-owners").await;
    stage.look_at_the_whole_cluster();
    let crds = SERVICES.map(|(crd, _)| crd);
    let named = crds.map(|crd| (crd.group.to_owned(), crd.plural.to_owned()));
    assert_eq!(presets(), BTreeSet::from(named.clone()));
    for crd in &crds {
        crd.define(&stage.api).await;
    }
    stage.grant().await;
    stage.grant_owners(&crds).await;
    for (crd, name) in &SERVICES {
        stage.own(crd, name, ("app", "acme/owned:1")).await;
    }
    everything(&mut stage).await;
    for (_, name) in &SERVICES {
        assert!(!stage.history(name, "app").is_empty(), "{name}");
    }
    let besides: Vec<Deed> = named
        .into_iter()
        .flat_map(|(group, resource)| {
            ["list", "watch"].map(|verb| {
                let verb = verb.to_owned();
                (None, group.clone(), resource.clone(), verb, None)
            })
        })
        .collect();
    assert_eq!(compare(&stage, "rbac.yaml", &besides), BTreeSet::new());
}
