//! Kinds that come and go while the scripted API server runs, and what it says of all its groups, in
//! the form of an API server v1.36.3.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::resources::RESOURCES;
use super::statuses::{json_answer, no_page};

/// A kind that is served besides those that are built in.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The API group.
    pub group: &'static str,
    /// The versions that are served; the first is the preferred one.
    pub versions: Vec<&'static str>,
    /// What stands in a path.
    pub plural: &'static str,
    /// What stands in an object.
    pub kind: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
}

impl Definition {
    /// A kind with one version whose objects are in namespaces.
    pub fn new(
        group: &'static str,
        version: &'static str,
        plural: &'static str,
        kind: &'static str,
    ) -> Self {
        Self {
            group,
            versions: vec![version],
            plural,
            kind,
            namespaced: true,
        }
    }

    /// Its kind, if this is what it is called.
    pub(super) fn named(&self, group: &str, version: &str, plural: &str) -> Option<&'static str> {
        let is_it = self.group == group && self.plural == plural;
        (is_it && self.versions.contains(&version)).then_some(self.kind)
    }
}

/// What the server says at `path`, which is about groups and not about objects.
pub(super) fn discovery(path: &str, definitions: &[Definition]) -> Response<Body> {
    let of_group = |group: &str| {
        let defined = definitions.iter().filter(|it| it.group == group);
        let mut versions: Vec<&str> = defined.flat_map(|it| it.versions.clone()).collect();
        if RESOURCES.iter().any(|it| it.1 == format!("{group}/v1")) {
            versions.push("v1");
        }
        versions.dedup();
        versions
    };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts[..] {
        ["apis"] => {
            let built_in = ["apps", "batch", "coordination.k8s.io"];
            let defined = definitions.iter().map(|it| it.group);
            let groups = built_in.into_iter().chain(defined);
            let groups: Value = groups.map(|name| json!({"name": name})).collect();
            let list = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups});
            json_answer(200, &list)
        }
        ["apis", group] if of_group(group).is_empty() => no_page(),
        ["apis", group] => {
            let version =
                |it: &str| json!({"groupVersion": format!("{group}/{it}"), "version": it});
            let versions = of_group(group);
            json_answer(
                200,
                &json!({
                    "kind": "APIGroup", "apiVersion": "v1", "name": group,
                    "versions": versions.iter().map(|it| version(it)).collect::<Value>(),
                    "preferredVersion": version(versions[0]),
                }),
            )
        }
        ["apis", group, version] if !of_group(group).contains(&version) => no_page(),
        ["apis", group, version] => resources(&format!("{group}/{version}"), definitions),
        _ => resources("v1", definitions),
    }
}

fn resources(api_version: &str, definitions: &[Definition]) -> Response<Body> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let built_in = RESOURCES.iter().filter(|it| it.1 == api_version);
    let built_in = built_in.map(|it| (it.0, it.2, it.2 != "Namespace"));
    let defined = definitions.iter().filter(|it| it.group == group);
    let defined = defined.filter(|it| it.versions.contains(&version));
    let defined = defined.map(|it| (it.plural, it.kind, it.namespaced));
    let resources = built_in.chain(defined).map(|(name, kind, namespaced)| {
        json!({
            "name": name, "kind": kind, "namespaced": namespaced,
            "verbs": ["delete", "get", "list", "create", "update", "watch"],
        })
    });
    json_answer(
        200,
        &json!({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version,
            "resources": resources.collect::<Value>(),
        }),
    )
}
