//! Selection: what a person wants recorded. Namespaces, images and kinds by flags; label selectors
//! are matched where labels are read and arrive here as `selected`.

use std::fmt;
use std::sync::Arc;

use super::exposure::Way;
use super::workload::Kind;

/// What is selected by flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `--namespaces`: any if empty.
    pub namespaces: Vec<Pattern>,
    /// `--exclude-namespaces`.
    pub exclude_namespaces: Vec<Pattern>,
    /// `--images`, on the normalised name: any if empty.
    pub images: Vec<Pattern>,
    /// `--exclude-images`, on the normalised name.
    pub exclude_images: Vec<Pattern>,
    /// `--kinds` and `--add-kinds`, in their order, each once.
    pub kinds: Vec<KindGroup>,
    /// Whether `--selector` is given.
    pub by_workload_labels: bool,
    /// Whether `--namespace-selector` is given.
    pub by_namespace_labels: bool,
    /// `--infer-risks`: by which ways traffic from outside is looked for, each once. No way: it is
    /// not looked for at all.
    pub ways: Vec<Way>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            namespaces: Vec::new(),
            exclude_namespaces: Vec::new(),
            images: Vec::new(),
            exclude_images: Vec::new(),
            kinds: KindGroup::DEFAULT.to_vec(),
            by_workload_labels: false,
            by_namespace_labels: false,
            ways: Vec::new(),
        }
    }
}

impl Selection {
    /// Whether the flags name `namespace`.
    pub fn has_namespace(&self, namespace: &str) -> bool {
        chosen(&self.namespaces, &self.exclude_namespaces, namespace)
    }

    /// Whether the flags name the image of that normalised name.
    pub fn has_image(&self, name: &str) -> bool {
        chosen(&self.images, &self.exclude_images, name)
    }

    /// The flag by which workloads are left out for their namespaces, if one is given.
    pub fn by_namespace(&self) -> Option<&'static str> {
        let given = [
            ("--namespaces", !self.namespaces.is_empty()),
            ("--exclude-namespaces", !self.exclude_namespaces.is_empty()),
            ("--namespace-selector", self.by_namespace_labels),
        ];
        let mut given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.next().map(|(flag, _)| flag)
    }

    /// Where `group` stands in the order of `--kinds`, if it is selected.
    pub fn rank(&self, group: KindGroup) -> Option<usize> {
        self.kinds.iter().position(|selected| *selected == group)
    }

    /// The namespaces to look at one by one: given when `--namespaces` has exact names only and
    /// nothing is excluded.
    pub fn exact_namespaces(&self) -> Option<Vec<Arc<str>>> {
        let exact = !self.namespaces.is_empty() && self.exclude_namespaces.is_empty();
        let names = self.namespaces.iter().map(Pattern::exact);
        if exact { names.collect() } else { None }
    }
}

fn chosen(included: &[Pattern], excluded: &[Pattern], text: &str) -> bool {
    let matches = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(text));
    (included.is_empty() || matches(included)) && !matches(excluded)
}

/// A pattern in which `*` stands for any text, the empty one too; everything else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// The pattern as written.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether all of `text` is what the pattern describes.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            match rest.split_once(part) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        true
    }

    /// The one text that it describes, if it has no `*`.
    pub fn exact(&self) -> Option<Arc<str>> {
        (!self.0.contains('*')).then(|| self.0.clone())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word of `--kinds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindGroup {
    /// `deployments`.
    Deployments,
    /// `statefulsets`.
    StatefulSets,
    /// `daemonsets`.
    DaemonSets,
    /// `cronjobs`.
    CronJobs,
    /// `replicasets`: those without a controller.
    ReplicaSets,
    /// `replicationcontrollers`: those without a controller.
    ReplicationControllers,
    /// `others`: kinds that are not built in and whose pods restart always.
    Others,
    /// `jobs`: those without a controller, and kinds that are not built in whose pods run to
    /// completion.
    Jobs,
    /// `pods`: those without a controller, or with a Node or a Pod as controller.
    Pods,
}

impl KindGroup {
    /// The default of `--kinds`.
    pub const DEFAULT: [Self; 7] = [
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::CronJobs,
        Self::ReplicaSets,
        Self::ReplicationControllers,
        Self::Others,
    ];

    /// Every word of `--kinds`.
    pub const ALL: [Self; 9] = [
        Self::Deployments,
        Self::StatefulSets,
        Self::DaemonSets,
        Self::CronJobs,
        Self::ReplicaSets,
        Self::ReplicationControllers,
        Self::Others,
        Self::Jobs,
        Self::Pods,
    ];

    /// The word as typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deployments => "deployments",
            Self::StatefulSets => "statefulsets",
            Self::DaemonSets => "daemonsets",
            Self::CronJobs => "cronjobs",
            Self::ReplicaSets => "replicasets",
            Self::ReplicationControllers => "replicationcontrollers",
            Self::Others => "others",
            Self::Jobs => "jobs",
            Self::Pods => "pods",
        }
    }

    /// The group of a workload of `kind`; for a kind that is not built in: that of pods that
    /// restart always, or not.
    pub fn of(kind: &Kind, restarts_always: bool) -> Self {
        match kind {
            Kind::Deployment => Self::Deployments,
            Kind::StatefulSet => Self::StatefulSets,
            Kind::DaemonSet => Self::DaemonSets,
            Kind::CronJob => Self::CronJobs,
            Kind::ReplicaSet => Self::ReplicaSets,
            Kind::ReplicationController => Self::ReplicationControllers,
            Kind::Pod => Self::Pods,
            Kind::Other { .. } if restarts_always => Self::Others,
            Kind::Job | Kind::Other { .. } => Self::Jobs,
        }
    }

    /// The kinds of objects to watch so that workloads of this group are found and their absence
    /// is seen.
    pub fn watched(self) -> &'static [Kind] {
        match self {
            Self::Deployments => &[Kind::ReplicaSet, Kind::Deployment],
            Self::StatefulSets => &[Kind::StatefulSet],
            Self::DaemonSets => &[Kind::DaemonSet],
            Self::CronJobs => &[Kind::Job, Kind::CronJob],
            Self::ReplicaSets => &[Kind::ReplicaSet],
            Self::ReplicationControllers => &[Kind::ReplicationController],
            Self::Others => &[Kind::ReplicaSet, Kind::ReplicationController],
            Self::Jobs => &[Kind::Job],
            Self::Pods => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::assert_told_apart;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("web", "web", true),
            ("web", "webs", false),
            ("web", "", false),
            ("", "", true),
            ("*", "", true),
            ("*", "anything", true),
            ("team-*", "team-", true),
            ("team-*", "team-a", true),
            ("team-*", "tea", false),
            ("*-prod", "shop-prod", true),
            ("*-prod", "shop-prod-old", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a*a", "a", false),
            ("*a*", "bab", true),
            ("ghcr.io/acme/*", "ghcr.io/acme/web/api", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn what_leaves_a_namespace_out_is_the_first_flag_that_is_given() {
        let patterns = vec![Pattern::new("team-*")];
        let mut selection = Selection::default();
        assert_eq!(selection.by_namespace(), None);
        selection.by_namespace_labels = true;
        assert_eq!(selection.by_namespace(), Some("--namespace-selector"));
        selection.exclude_namespaces.clone_from(&patterns);
        assert_eq!(selection.by_namespace(), Some("--exclude-namespaces"));
        selection.namespaces.clone_from(&patterns);
        assert_eq!(selection.by_namespace(), Some("--namespaces"));
        assert_eq!(patterns[0].to_string(), "team-*");
    }

    #[test]
    fn each_word_of_kinds_watches_the_kinds_of_its_workloads_and_of_what_is_between() {
        assert_told_apart(KindGroup::ALL.map(KindGroup::as_str));
        for group in KindGroup::ALL {
            let own = group.watched().iter().filter(|kind| {
                [true, false]
                    .into_iter()
                    .any(|always| KindGroup::of(kind, always) == group)
            });
            let expected = !matches!(group, KindGroup::Others | KindGroup::Pods);
            assert_eq!(own.count(), usize::from(expected), "{group:?}");
        }
        let between = |group: KindGroup| &group.watched()[0];
        assert_eq!(between(KindGroup::Deployments), &Kind::ReplicaSet);
        assert_eq!(between(KindGroup::CronJobs), &Kind::Job);
    }

    #[test]
    fn namespaces_are_looked_at_one_by_one_only_when_all_are_exact() {
        let selection = |namespaces: &[&str], excluded: &[&str]| Selection {
            namespaces: namespaces.iter().map(|text| Pattern::new(text)).collect(),
            exclude_namespaces: excluded.iter().map(|text| Pattern::new(text)).collect(),
            ..Selection::default()
        };
        assert_eq!(
            selection(&["a", "b"], &[]).exact_namespaces(),
            Some(vec!["a".into(), "b".into()])
        );
        assert_eq!(selection(&["a", "b*"], &[]).exact_namespaces(), None);
        assert_eq!(selection(&["a"], &["b"]).exact_namespaces(), None);
        assert_eq!(selection(&[], &[]).exact_namespaces(), None);
    }
}
