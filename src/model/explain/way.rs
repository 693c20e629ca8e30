//! Ways: how pods lead up to their workload, along which controllers, by name; and where a way ends
//! that leads to none.

use std::collections::HashMap;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::model::facts::{Facts, Object, Pod};
use crate::model::gap::Reason;
use crate::model::inventory::Inventory;
use crate::model::workload::{Owners, Walk, Workload, walk};

/// How some pods of a workload lead up to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The pods, by name.
    pub pods: Vec<Arc<str>>,
    /// The owners that were passed, from the pods up, as `ReplicaSet web-1`.
    pub passed: Vec<String>,
    /// Whether the pods are gone and only remembered.
    pub remembered: bool,
}

/// A pod whose workload is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its name.
    pub pod: Arc<str>,
    /// The owners that were passed, from the pod up.
    pub passed: Vec<String>,
    /// The owner at which the way ends, as `ReplicaSet web-1`.
    pub owner: String,
    /// Why it ends there.
    pub end: End,
}

/// Why a way ends before a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The owner is missing from a complete view of its kind.
    Orphan,
    /// The owner is missing from an incomplete view of its kind.
    NotRead,
    /// Nobody looks at the owner's kind, because no kind that is selected can be behind it.
    NotWatched,
}

impl End {
    /// Its name, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::NotRead => "not-read",
            Self::NotWatched => "not-watched",
        }
    }

    /// What it means, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Orphan => {
                "its owner does not exist: it was deleted and left its pods, or is about to go"
            }
            Self::NotRead => Reason::OwnerNotRead.meaning(),
            Self::NotWatched => "no kind of workload that is selected can be behind its owner",
        }
    }

    /// The one thing to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Orphan => "delete the pod, or have a workload adopt it",
            Self::NotRead => Reason::OwnerNotRead.advice(),
            Self::NotWatched => "add the kind of its workload with --add-kinds, or to --kinds",
        }
    }
}

/// The ways of a workload's pods, one for each chain of owners.
pub(super) fn all(inventory: &Inventory, facts: &Facts, workload: &Workload) -> Vec<Way> {
    let objects = by_uid(facts);
    let known: HashSet<&str> = facts.pods.iter().map(|pod| &*pod.uid).collect();
    let there = |pod: &Arc<Pod>| known.contains(&*pod.uid);
    let mut ways: BTreeMap<(bool, Vec<String>), Vec<Arc<str>>> = BTreeMap::new();
    for pod in inventory.pods(workload) {
        let key = (!there(pod), passed(pod, &objects));
        ways.entry(key).or_default().push(pod.name.clone());
    }
    let ways = ways.into_iter();
    ways.map(|((remembered, passed), pods)| Way {
        pods,
        passed,
        remembered,
    })
    .collect()
}

/// Where the way from `pod` ends, if that is at no workload.
pub(super) fn lost(pod: &Pod, facts: &Facts) -> Option<Lost> {
    let (owner, end) = match walk(pod, &Owners::new(facts)) {
        Walk::Orphan(owner) => (owner, End::Orphan),
        Walk::NotRead(owner) => (owner, End::NotRead),
        Walk::NotWatched(owner) => (owner, End::NotWatched),
        Walk::Workload { .. } | Walk::Bare => return None,
    };
    Some(Lost {
        pod: pod.name.clone(),
        passed: passed(pod, &by_uid(facts)),
        owner: super::shown(&owner),
        end,
    })
}

fn by_uid(facts: &Facts) -> HashMap<&str, &Object> {
    let objects = facts.objects.iter();
    objects.map(|object| (&*object.uid, &**object)).collect()
}

/// The owners that a walk from `pod` passes through, by name.
fn passed(pod: &Pod, objects: &HashMap<&str, &Object>) -> Vec<String> {
    let mut passed = Vec::new();
    let mut next = pod.controller.as_ref();
    while let Some(owner) = next {
        let object = objects.get(&*owner.uid);
        let above = object.filter(|object| object.kind.is_passed_through());
        next = above.and_then(|object| object.controller.as_ref());
        // As many as a walk takes; a ring of owners ends somewhere.
        if next.is_none() || passed.len() == 16 {
            break;
        }
        passed.push(super::shown(owner));
    }
    passed
}
