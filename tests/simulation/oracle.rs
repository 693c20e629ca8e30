//! The oracle: what GitHub is to hold, from the objects of the API server alone. It shares no code
//! with the program under test, and knows of no ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::seen::{self, Pod, Said, Source, Workload, anywhere, is_named, plain, tags_and_risks};
use crate::support::apiserver::Apiserver;
use crate::told::Told;

/// A record as GitHub is to hold it: image with its tag, digest, tags, risks.
pub type Held = (String, String, BTreeMap<String, String>, BTreeSet<String>);

/// What is to be at GitHub of a source.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// This record.
    Must(Held),
    /// What was there may stay.
    May,
    /// The same, but for no longer than a workload may be idle.
    Idle,
    /// The same, and it may be ended: a person opted out, and pods of before may say nothing of it.
    Doubtful,
}

/// What is known of a source: how it stands, since when right, and what was before.
#[derive(Debug, Default)]
pub struct Past {
    pub standing: Option<Standing>,
    pub right: Option<Instant>,
    /// When it was right last, and since when, if it is not there any more.
    pub gone: Option<(Option<Instant>, Instant)>,
}

/// All that is to be at GitHub.
pub struct Oracle {
    pub told: Told,
    read: seen::Read,
    pub sources: BTreeMap<Source, Past>,
    /// Since when a source is idle and never ran, in whatever environment.
    idle: BTreeMap<Source, Instant>,
    /// Every digest that a source ever ran, in whatever environment.
    pub digests: BTreeSet<(Source, String)>,
}

impl Oracle {
    pub fn new(told: Told) -> Self {
        Self {
            told,
            read: seen::Read::default(),
            sources: BTreeMap::new(),
            idle: BTreeMap::new(),
            digests: BTreeSet::new(),
        }
    }

    /// Looks at everything again.
    pub fn look(&mut self, api: &Apiserver) {
        let now = Instant::now();
        let mut seen = BTreeMap::new();
        for workload in seen::workloads(api, &mut self.read) {
            self.weigh(&workload, &mut seen);
            self.digests.extend(workload.ran());
        }
        for (source, past) in &mut self.sources {
            past.standing = None;
            if !seen.contains_key(source) {
                let right = past.right.take();
                past.gone.get_or_insert((right, now));
            }
        }
        for (source, standing) in seen {
            let past = self.sources.entry(source.clone()).or_default();
            past.right = (standing != Standing::Doubtful).then(|| past.right.unwrap_or(now));
            if matches!(standing, Standing::Idle | Standing::Doubtful) {
                self.idle.entry(anywhere(&source)).or_insert(now);
            } else if let Standing::Must((_, digest, ..)) = &standing {
                self.idle.remove(&anywhere(&source));
                self.digests.insert((anywhere(&source), digest.clone()));
            }
            (past.standing, past.gone) = (Some(standing), None);
        }
    }

    /// Whether a record called so with that digest may be of a source.
    pub fn owns(&self, source: &Source, name: &str, digest: &str) -> bool {
        let ran = (anywhere(source), digest.to_owned());
        is_named(name, &plain(source)) && self.digests.contains(&ran)
    }

    pub fn may_stay(&self, source: &Source, past: &Past) -> bool {
        let most = self.told.idle_after.unwrap_or(Duration::MAX);
        let idle = self.idle.get(&anywhere(source));
        let idle = idle.filter(|_| past.standing == Some(Standing::Idle));
        past.standing.is_some() && idle.is_none_or(|idle| idle.elapsed() < most)
    }

    /// In what GitHub differs from the cluster.
    pub fn differences(&self, held: &BTreeMap<(String, String), Held>) -> Vec<String> {
        let mut left = held.clone();
        let mut said = Vec::new();
        // What does not run stays where it was, although its namespace has moved.
        let mut may: Vec<&Source> = Vec::new();
        for (source, past) in &self.sources {
            match &past.standing {
                Some(Standing::Must(wanted)) => {
                    let is_it = |it: &(&(String, String), &Held)| {
                        it.0.0 == source.0 && is_named(&it.0.1, &plain(source)) && it.1 == wanted
                    };
                    match left.iter().find(is_it).map(|it| it.0.clone()) {
                        Some(key) => drop(left.remove(&key)),
                        None => said.push(format!("missing: {source:?} {wanted:?}")),
                    }
                }
                Some(_) if self.may_stay(source, past) => may.push(source),
                _ => {}
            }
        }
        for ((environment, name), held) in left {
            match may.iter().position(|it| self.owns(it, &name, &held.1)) {
                Some(index) => drop(may.remove(index)),
                None => said.push(format!("too much: {environment} {name} {held:?}")),
            }
        }
        said
    }

    /// How each source of a workload stands.
    fn weigh(&self, it: &Workload, seen: &mut BTreeMap<Source, Standing>) {
        let (kind, space) = (it.kind, &it.space);
        let is_out = self.told.by_workload_labels && it.own.is_out
            || self.told.by_namespace_labels && space.is_out
            || !self.told.namespaces.is_empty() && !self.told.namespaces.contains(&&*space.name)
            || self.told.excluded == Some(&*space.name)
            || !self.told.bare && (kind == "Job" || kind == "Pod");
        if is_out {
            return;
        }
        let completes = kind == "CronJob" || kind == "Job";
        let counts = |pod: &&Pod| completes || !pod.ended;
        let pods: Vec<&Pod> = it.pods.iter().map(|it| &**it).filter(counts).collect();
        let ignores = |it: &Said| it.annotations.contains(&("ignore".into(), "true".into()));
        let ignored = (pods.iter().map(|it| &it.own).chain([&it.own, space])).any(ignores);
        let any_runs = pods
            .iter()
            .any(|it| !it.leaving && it.containers.iter().any(|it| it.runs));
        // The newest pod in which something ran speaks alone for what runs to completion.
        let began = |pod: &&Pod| pod.containers.iter().any(|it| it.began);
        let newest = pods.iter().copied().filter(began).max_by_key(|it| &it.age);
        for name in ["main", "proxy", "log"] {
            let in_spec = pods.iter().any(|it| it.container(name).is_some());
            let running = pods.iter().copied().filter(|it| {
                !it.leaving && it.container(name).is_some_and(|container| container.runs)
            });
            let best = running.max_by_key(|it| (it.ready, &it.age));
            let speaker = if completes { newest } else { best };
            let held = speaker.and_then(|pod| {
                let container = pod.container(name)?;
                let (tags, risks) = tags_and_risks([space, &it.own, &pod.own]);
                let (image, digest) = (container.image.clone(), container.digest.clone()?);
                Some(Standing::Must((image, digest, tags, risks)))
            });
            let standing = match (pods.is_empty(), held) {
                (_, None) if ignored && !(in_spec || any_runs) => Standing::Doubtful,
                (true, _) if completes => Standing::May,
                (true, _) => Standing::Idle,
                (false, _) if ignored && in_spec => continue,
                (false, None) if !in_spec && any_runs && kind == "Rollout" => Standing::Idle,
                (false, None) if !in_spec && any_runs => continue,
                (false, held) => held.unwrap_or(Standing::May),
            };
            let environment = match &*space.environment {
                label if self.told.environments_by_label && !label.is_empty() => label,
                _ => "production",
            };
            let [environment, namespace, workload, name] =
                [environment, &space.name, &it.own.name, name].map(str::to_owned);
            seen.insert((environment, kind, namespace, workload, name), standing);
        }
    }
}
