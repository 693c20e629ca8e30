//! The resources of the scripted API server, and what a path names.

use super::definitions::Definition;

/// The resources that the server has: plural, API group and version, kind.
pub(super) const RESOURCES: [(&str, &str, &str); 14] = [
    ("pods", "v1", "Pod"),
    ("replicationcontrollers", "v1", "ReplicationController"),
    ("namespaces", "v1", "Namespace"),
    ("configmaps", "v1", "ConfigMap"),
    ("replicasets", "apps/v1", "ReplicaSet"),
    ("deployments", "apps/v1", "Deployment"),
    ("statefulsets", "apps/v1", "StatefulSet"),
    ("daemonsets", "apps/v1", "DaemonSet"),
    ("jobs", "batch/v1", "Job"),
    ("cronjobs", "batch/v1", "CronJob"),
    ("leases", "coordination.k8s.io/v1", "Lease"),
    ("services", "v1", "Service"),
    ("ingresses", "networking.k8s.io/v1", "Ingress"),
    ("events", "events.k8s.io/v1", "Event"),
];

/// A resource.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) plural: String,
    /// Empty if the server has no such resource.
    pub(super) kind: String,
    /// Whether it is one that was defined, as by a `CustomResourceDefinition`.
    pub(super) custom: bool,
}

impl Resource {
    /// What stands in its objects: `apps/v1`, `v1`.
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// What stands in messages: `deployments.apps`, `pods`.
    pub(super) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Whether a PUT creates what is not there: `AllowCreateOnUpdate` in
    /// <https://github.com/kubernetes/kubernetes/tree/v1.36.0/pkg/registry>.
    pub(super) fn is_created_by_put(&self) -> bool {
        ["Lease", "Event", "Service"].contains(&&*self.kind)
    }

    /// Whether a PUT has to name the version that it replaces: no `AllowUnconditionalUpdate` there.
    pub(super) fn is_replaced_by_version_alone(&self) -> bool {
        self.custom || self.kind == "Lease"
    }
}

/// What a path names.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Groups, versions and resources, and no objects.
    Discovery,
    /// Objects of a resource.
    Objects,
    /// A resource that is not there, in a built-in group that is.
    NoResource,
    /// Nothing that the server knows.
    Nothing,
}

/// What the parts of a path say.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) target: Target,
    pub(super) resource: Resource,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
}

/// Reads a path.
pub(super) fn place(path: &str, definitions: &[Definition]) -> Place {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (group, version, rest) = match parts[..] {
        ["api", version, ref rest @ ..] => ("", version, rest),
        ["apis", group, version, ref rest @ ..] => (group, version, rest),
        _ => ("", "", &[] as &[&str]),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let mut resource = Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: rest.first().copied().unwrap_or_default().to_owned(),
        ..Resource::default()
    };
    let target = if is_discovery(path) {
        Target::Discovery
    } else if rest.len() > 2 {
        Target::NoResource
    } else {
        find(&mut resource, definitions)
    };
    Place {
        target,
        resource,
        namespace: namespace.map(str::to_owned),
        name: rest.get(1).map(|name| (*name).to_owned()),
    }
}

/// Gives a resource its kind, if there is one.
fn find(resource: &mut Resource, definitions: &[Definition]) -> Target {
    let api_version = resource.api_version();
    let built_in = |it: &&(&str, &str, &str)| it.1 == api_version && it.0 == resource.plural;
    if let Some(known) = RESOURCES.iter().find(built_in) {
        known.2.clone_into(&mut resource.kind);
        return Target::Objects;
    }
    let mut defined = definitions.iter();
    let named = |it: &Definition| it.named(&resource.group, &resource.version, &resource.plural);
    if let Some(kind) = defined.find_map(named) {
        kind.clone_into(&mut resource.kind);
        resource.custom = true;
        Target::Objects
    } else if RESOURCES.iter().any(|it| group_of(it.1) == resource.group) {
        Target::NoResource
    } else {
        Target::Nothing
    }
}

/// The group of an API version.
fn group_of(api_version: &str) -> &str {
    let group = api_version.split_once('/');
    group.map_or("", |(group, _)| group)
}

/// Whether a path is about groups and not about objects.
fn is_discovery(path: &str) -> bool {
    let parts = path.trim_matches('/').split('/').count();
    path == "/api/v1" || (path.starts_with("/apis") && parts <= 3)
}
