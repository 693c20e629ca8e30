//! Finding: which workloads a name stands for. A workload's own name comes first, then a pod's, then
//! that of an owner on the way, then a record's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::model::facts::{Annotations, Object, Pod};
use crate::model::ledger::Owner;
use crate::model::plan::Row;
use crate::model::record::{Identity, is_same_name};
use crate::model::text_map::TextMap;
use crate::model::workload::{Kind, Owners, Source, Walk, Workload, walk};

use super::ask::Asked;
use super::record::{self, Record};
use super::way::{self, Lost};
use super::{View, near};

/// What a name stands for.
pub enum Found {
    /// Workloads of that name, or the one behind it.
    Workloads(Vec<(Workload, How)>),
    /// A pod whose workload is not known.
    Stray(Lost),
    /// Records that are no source's.
    Unowned(Vec<(Record, Row)>),
    /// Nothing.
    Nothing(Missing),
}

/// How a name led to a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// It is the workload's.
    Workload,
    /// It is that of one of its pods.
    Pod(Arc<str>),
    /// It is that of an owner between pods and workload, as `ReplicaSet web-1`.
    Between(String),
    /// It is that of one of its records.
    Record(Arc<str>),
}

/// Nothing has that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is no such namespace.
    Namespace,
    /// The namespace is not looked at, or not read yet.
    NotLookedAt,
    /// The namespace has nothing of that name.
    Name {
        /// What is near it, as `Deployment/web`, the nearest first.
        near: Vec<String>,
        /// Whether the namespace has any workload at all.
        any: bool,
    },
    /// The workload has no container of that name.
    Container {
        /// Those that it has.
        near: Vec<Arc<str>>,
    },
}

impl View<'_> {
    /// What `asked` stands for.
    pub(super) fn find(&self, asked: &Asked) -> Found {
        let all = self.workloads(&asked.namespace);
        let own = all
            .iter()
            .filter(|workload| workload.name == asked.name && asked.takes(&workload.kind));
        let own: Vec<_> = own.map(|it| (it.clone(), How::Workload)).collect();
        if !own.is_empty() {
            return Found::Workloads(own);
        }
        let found = self.by_pod(asked).or_else(|| self.by_owner(asked));
        let found = found.or_else(|| self.by_record(asked));
        let found = found.or_else(|| self.unowned(asked));
        found.unwrap_or_else(|| Found::Nothing(self.nothing(asked, &all)))
    }

    /// Every workload of a namespace that is seen or remembered.
    fn workloads(&self, namespace: &str) -> BTreeSet<Workload> {
        let seen = self.inventory.workloads().into_iter();
        let planned = self.books.plan.rows.keys();
        let known = self.books.known.iter();
        let known = known.filter_map(|known| known.owner.source());
        let remembered = planned.chain(known).map(|source| &source.workload);
        let all = seen.chain(remembered);
        all.filter(|it| *it.namespace == *namespace)
            .cloned()
            .collect()
    }

    fn by_pod(&self, asked: &Asked) -> Option<Found> {
        let is_it = |pod: &&Arc<Pod>| pod.namespace == asked.namespace && pod.name == asked.name;
        let facts = self.books.facts;
        let pod = facts
            .pods
            .iter()
            .find(is_it)
            .filter(|_| asked.takes(&Kind::Pod));
        self.above(pod?, How::Pod(pod?.name.clone()))
    }

    fn by_owner(&self, asked: &Asked) -> Option<Found> {
        let mut objects = self.books.facts.objects.iter();
        let object = objects.find(|object| {
            let is_it = object.namespace == asked.namespace && object.name == asked.name;
            is_it && object.kind.is_passed_through() && asked.takes(&object.kind)
        })?;
        let how = How::Between(format!("{} {}", object.kind, object.name));
        self.above(&under(object), how)
    }

    /// What is above `pod`.
    fn above(&self, pod: &Pod, how: How) -> Option<Found> {
        let facts = self.books.facts;
        match walk(pod, &Owners::new(facts)) {
            Walk::Workload { workload, .. } => Some(Found::Workloads(vec![(workload, how)])),
            Walk::Bare => None,
            Walk::Orphan(_) | Walk::NotRead(_) | Walk::NotWatched(_) => {
                way::lost(pod, facts).map(Found::Stray)
            }
        }
    }

    fn by_record(&self, asked: &Asked) -> Option<Found> {
        let is_it = |identity: &Identity, source: &Source| {
            let here = source.workload.namespace == asked.namespace;
            here && is_same_name(&identity.name, &asked.text)
        };
        let mut found: Vec<(Workload, How)> = Vec::new();
        for (identity, source) in self.named() {
            let workload = &source.workload;
            if is_it(identity, source) && !found.iter().any(|(known, _)| known == workload) {
                found.push((workload.clone(), How::Record(identity.name.clone())));
            }
        }
        (!found.is_empty()).then_some(Found::Workloads(found))
    }

    /// Records that are nobody's are of no namespace.
    fn unowned(&self, asked: &Asked) -> Option<Found> {
        let known = self.books.known.iter().filter(|known| {
            let nobody = known.owner.source().is_none();
            nobody && is_same_name(&known.identity.name, &asked.text)
        });
        let rows = known.map(|known| {
            let row = match known.owner {
                _ if known.memory.ends_again_at.is_some() => Row::Tombstone,
                Owner::Adopted => Row::Adopted,
                Owner::Source(_) | Owner::Unreadable(_) => Row::Foreign,
            };
            (record::of_known(known, self.books.plan), row)
        });
        let rows: Vec<(Record, Row)> = rows.collect();
        (!rows.is_empty()).then_some(Found::Unowned(rows))
    }

    /// The name of every record that is a source's.
    pub(super) fn named(&self) -> impl Iterator<Item = (&Identity, &Source)> {
        let plan = self.books.plan;
        let lists = [
            &plan.reports,
            &plan.unchanged,
            &plan.retained,
            &plan.decommissions,
        ];
        let steps = lists.into_iter().flatten();
        let steps = steps.map(|step| (&step.line.identity, &step.owner));
        let known = self.books.known.iter();
        let known = known.map(|known| (&known.identity, &known.owner));
        let owned = steps.chain(known);
        let owned = owned.filter_map(|(identity, owner)| Some((identity, owner.source()?)));
        let given = plan
            .names
            .iter()
            .map(|(source, identity)| (identity, source));
        owned.chain(given)
    }

    fn nothing(&self, asked: &Asked, all: &BTreeSet<Workload>) -> Missing {
        let namespace = &*asked.namespace;
        let coverage = self.inventory.coverage();
        if all.is_empty() && self.inventory.lacks_namespace(namespace) {
            return Missing::Namespace;
        }
        if all.is_empty() && !coverage.pods.covers(namespace) {
            return Missing::NotLookedAt;
        }
        let names = all.iter();
        let names = names.map(|it| (&*it.name, format!("{}/{}", it.kind, it.name)));
        let pods = self.books.facts.pods.iter();
        let pods = pods.filter(|pod| pod.namespace == asked.namespace);
        let pods = pods.map(|pod| (&*pod.name, format!("Pod/{}", pod.name)));
        let sources = self.inventory.sources();
        let mut sources = sources.filter(|source| {
            source.workload.namespace == asked.namespace && source.container == asked.name
        });
        let container = sources.next().map(|source| {
            let Workload { kind, name, .. } = &source.workload;
            format!("{kind}/{name} with a container of that name")
        });
        let mut near = near::few(&asked.name, names.chain(pods));
        near.splice(..0, container);
        Missing::Name {
            near,
            any: !all.is_empty(),
        }
    }
}

/// A pod as `object` would have one, for whoever walks up from there.
fn under(object: &Object) -> Pod {
    let controller = crate::model::facts::OwnerRef {
        kind: object.kind.clone(),
        name: object.name.clone(),
        uid: object.uid.clone(),
    };
    Pod {
        namespace: object.namespace.clone(),
        name: object.name.clone(),
        uid: "".into(),
        created: 0,
        deleting: false,
        finished: false,
        ready: false,
        restarts_always: true,
        controller: Some(controller),
        selected: true,
        annotations: Annotations::default(),
        labels: TextMap::default(),
        pull: None,
        containers: Box::default(),
    }
}
