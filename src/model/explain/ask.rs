//! What is asked for: a namespace and the name of a workload, a pod or a record in it, with a kind as
//! kubectl takes it or without one.

use std::sync::Arc;

use crate::model::workload::Kind;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The namespace.
    pub namespace: Arc<str>,
    /// All of the name as it was typed, which a record may have.
    pub text: Arc<str>,
    /// The kind in front of it, if there is one.
    pub(super) kind: Option<Word>,
    /// What is behind the kind.
    pub(super) name: Arc<str>,
    /// The one container that is of interest.
    pub container: Option<Arc<str>>,
}

impl Asked {
    /// Reads `[KIND/]NAME`.
    pub fn new(namespace: &str, text: &str, container: Option<&str>) -> Self {
        let (kind, name) = match text.split_once('/') {
            Some((kind, name)) => (Some(Word(kind.to_ascii_lowercase())), name),
            None => (None, text),
        };
        Self {
            namespace: namespace.into(),
            text: text.into(),
            kind,
            name: name.into(),
            container: container.map(Into::into),
        }
    }

    /// Whether a kind was given and it is that one, or none was.
    pub(super) fn takes(&self, kind: &Kind) -> bool {
        self.kind.as_ref().is_none_or(|word| word.names(kind))
    }
}

/// A kind as people type it: `deploy`, `deployments`, `deployment.apps`, `Deployment`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word(String);

/// kubectl's short names: <https://kubernetes.io/docs/reference/kubectl/#resource-types>.
const SHORT: [(&str, Kind); 7] = [
    ("deploy", Kind::Deployment),
    ("sts", Kind::StatefulSet),
    ("ds", Kind::DaemonSet),
    ("cj", Kind::CronJob),
    ("rs", Kind::ReplicaSet),
    ("rc", Kind::ReplicationController),
    ("po", Kind::Pod),
];

impl Word {
    pub(super) fn names(&self, kind: &Kind) -> bool {
        let (word, group) = match self.0.split_once('.') {
            Some((word, group)) => (word, Some(group)),
            None => (&*self.0, None),
        };
        if group.is_some_and(|group| !group.eq_ignore_ascii_case(kind.group())) {
            return false;
        }
        let short = SHORT.iter().any(|(short, of)| *short == word && of == kind);
        let name = kind.kind().to_ascii_lowercase();
        short || word == name || word == plural(&name)
    }
}

/// The plural as most definitions spell it.
fn plural(name: &str) -> String {
    let hisses = ["s", "x", "z", "ch", "sh"];
    if hisses.iter().any(|end| name.ends_with(end)) {
        return format!("{name}es");
    }
    let consonant = |stem: &str| !stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match name.strip_suffix('y') {
        Some(stem) if consonant(stem) => format!("{stem}ies"),
        _ => format!("{name}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_every_name_that_kubectl_takes() {
        let rollout = Kind::new("argoproj.io", "Rollout");
        let proxy = Kind::new("example.com", "Proxy");
        for (word, kind, is_it) in [
            ("deploy", &Kind::Deployment, true),
            ("deployment", &Kind::Deployment, true),
            ("deployments", &Kind::Deployment, true),
            ("Deployment", &Kind::Deployment, true),
            ("deployment.apps", &Kind::Deployment, true),
            ("deployments.apps", &Kind::Deployment, true),
            ("deployment.batch", &Kind::Deployment, false),
            ("deploys", &Kind::Deployment, false),
            ("sts", &Kind::StatefulSet, true),
            ("ds", &Kind::DaemonSet, true),
            ("cj", &Kind::CronJob, true),
            ("cronjobs.batch", &Kind::CronJob, true),
            ("job", &Kind::Job, true),
            ("rs", &Kind::ReplicaSet, true),
            ("rc", &Kind::ReplicationController, true),
            ("po", &Kind::Pod, true),
            ("pods", &Kind::Pod, true),
            ("po", &Kind::Deployment, false),
            ("rollout", &rollout, true),
            ("rollouts.argoproj.io", &rollout, true),
            ("rollouts.example.com", &rollout, false),
            ("proxies", &proxy, true),
        ] {
            let asked = Asked::new("shop", &format!("{word}/web"), None);
            assert_eq!(asked.takes(kind), is_it, "{word} {kind}");
            assert_eq!(&*asked.name, "web");
        }
        assert!(Asked::new("shop", "web", None).takes(&Kind::Job));
        assert_eq!(plural("ingress"), "ingresses");
        assert_eq!(plural("gateway"), "gateways");
    }
}
