//! Workloads of one name: whose record is under it, while answers are lost, GitHub refuses, and one or
//! the other is gone, idle, or cannot be seen.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::facts::{Container, State};
use crate::model::fixtures::worlds::cases;
use crate::model::fixtures::{container, digest, minutes, source_of};
use crate::model::image::Digest;
use crate::model::ledger::Owner;
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Step};
use crate::model::record::Status;
use crate::model::workload::Kind;

use super::life::{Fate, Life, fates};

const KINDS: [Kind; 3] = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];

fn owner(kind: &Kind) -> Owner {
    Owner::Source(source_of(kind.clone(), "web", "app"))
}

/// How one of them is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Absent,
    Idle,
    Runs(u64),
    /// Its pod says no digest.
    Unknown(u64),
    NeverRan(u64),
}

/// What happens.
#[derive(Clone, Copy, Debug)]
enum Change {
    Is(usize, How),
    /// Whether its kind can be read.
    Seen(usize, bool),
    AllSeen,
    Moves(bool),
    Template(bool),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let how = prop_oneof![
        2 => Just(How::Absent),
        1 => Just(How::Idle),
        3 => (1..5u64).prop_map(How::Runs),
        1 => (1..5u64).prop_map(How::Unknown),
        1 => (1..5u64).prop_map(How::NeverRan),
    ];
    let one = prop_oneof![
        16 => (0..KINDS.len(), how).prop_map(|(number, how)| Change::Is(number, how)),
        2 => (0..KINDS.len(), any::<bool>()).prop_map(|(number, is)| Change::Seen(number, is)),
        2 => Just(Change::AllSeen),
        1 => any::<bool>().prop_map(Change::Moves),
        1 => any::<bool>().prop_map(Change::Template),
    ];
    vec(one, 4..20)
}

/// Pauses of minutes: shorter and longer than what settles, and than what counts as idle.
fn pauses() -> impl Strategy<Value = Vec<u64>> {
    vec(prop::sample::select(vec![0, 1, 3, 6, 11, 30, 61]), 1..10)
}

/// One of them, as it is.
#[derive(Clone, Copy)]
struct Rival {
    how: How,
    since: Moment,
    is_seen: bool,
    /// When a plan saw last that its record is to go.
    gone: Option<Moment>,
}

struct Rivals {
    life: Life,
    rivals: [Rival; 3],
}

impl Rivals {
    fn new() -> Self {
        let life = Life::new();
        let rival = Rival {
            how: How::Absent,
            since: life.scene.now,
            is_seen: true,
            gone: None,
        };
        let rivals = [rival; 3];
        Self { life, rivals }
    }

    fn happens(&mut self, change: Change) {
        let scene = &mut self.life.scene;
        match change {
            Change::Is(number, how) => {
                let rival = &mut self.rivals[number];
                if rival.how != how {
                    (rival.how, rival.since) = (how, scene.now);
                }
            }
            Change::Seen(number, is_seen) => self.rivals[number].is_seen = is_seen,
            Change::AllSeen => self.rivals.iter_mut().for_each(|it| it.is_seen = true),
            Change::Moves(away) => {
                let namespace = Arc::make_mut(&mut scene.facts.namespaces[0]);
                namespace.logical_environment = away.then(|| "staging".into());
            }
            Change::Template(short) => {
                let template = ["{namespace}-{workload}-{container}", "{workload}"];
                scene.policy.template = template[usize::from(short)].parse().unwrap();
            }
        }
        scene.facts.pods.clear();
        scene.facts.objects.clear();
        for (kind, rival) in KINDS.iter().zip(&self.rivals) {
            let of = |number: u64| container("app", &format!("ghcr.io/acme/web:{number}"), number);
            let container: Option<Container> = match rival.how {
                How::Absent | How::Idle => None,
                How::Runs(number) => Some(of(number)),
                How::Unknown(number) => Some(Container {
                    digest: None,
                    ..of(number)
                }),
                How::NeverRan(number) => Some(Container {
                    digest: None,
                    state: State::NeverRan,
                    ..of(number)
                }),
            };
            match container {
                Some(container) => scene.run(kind, "web", [container]),
                None if rival.how == How::Idle => drop(scene.add_workload(kind, "web")),
                None => {}
            }
            if rival.is_seen {
                scene.read(kind);
            } else {
                scene.forbid(kind);
            }
        }
    }

    /// Takes note of whose record may go by what can be seen now.
    fn look(&mut self) {
        let now = self.life.scene.now;
        for rival in &mut self.rivals {
            let is_gone = match rival.how {
                How::Absent => true,
                How::Idle => now.since(rival.since) >= minutes(60),
                How::Runs(_) | How::Unknown(_) | How::NeverRan(_) => false,
            };
            if rival.is_seen && is_gone {
                rival.gone = Some(now);
            }
        }
    }

    /// Whether a step of a plan takes somebody's record away who may keep it.
    fn takes_away(&self, step: &Step) -> bool {
        let name = &step.line.identity;
        let record = self.life.github.get(name);
        let Some(record) = record.filter(|record| record.line.status == Status::Deployed) else {
            return false;
        };
        let goes_on = step.line.status == Status::Deployed && step.owner == record.owner;
        let mut rivals = KINDS.iter().zip(&self.rivals);
        let is_gone = rivals.any(|(kind, rival)| {
            record.owner == owner(kind) && rival.gone.is_some_and(|gone| gone >= record.left)
        });
        let place = &self.life.scene.facts.namespaces[0].logical_environment;
        let place = place.as_deref().unwrap_or("production");
        let mut acknowledged = self.life.acknowledged.iter();
        let has_moved = acknowledged.any(|(other, (owner, left))| {
            // At its present place what was acknowledged long ago is as good.
            let is_there = *other.destination.logical_environment == *place;
            other != name && *owner == record.owner && (is_there || *left >= record.left)
        });
        !goes_on && !is_gone && !has_moved
    }

    fn plan(&mut self) -> Plan {
        self.look();
        self.life.scene.plan()
    }
}

/// Lives all of it, and gives what takes somebody's record away.
fn lived(
    rivals: &mut Rivals,
    changes: Vec<Change>,
    fates: Vec<Fate>,
    pauses: Vec<u64>,
) -> Vec<Step> {
    let mut fates = fates.into_iter().cycle();
    let mut pauses = pauses.into_iter().cycle();
    for change in changes {
        rivals.happens(change);
        for pause in pauses.by_ref().take(2) {
            let plan = rivals.plan();
            let sent = plan.snapshot().into_iter().chain(&plan.decommissions);
            let taken = sent.filter(|step| rivals.takes_away(step));
            let taken: Vec<Step> = taken.cloned().collect();
            if !taken.is_empty() {
                return taken;
            }
            rivals.life.send(&plan, &mut fates);
            rivals.life.wait(minutes(pause));
        }
    }
    vec![]
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn promise_2_of_workloads_of_one_name_none_takes_a_record_away_that_another_may_keep(
        changes in changes(), fates in fates(), pauses in pauses(),
    ) {
        let taken = lived(&mut Rivals::new(), changes, fates, pauses);
        prop_assert!(taken.is_empty(), "{taken:?}");
    }

    #[test]
    fn promise_7_of_workloads_of_one_name_each_has_its_record_in_the_end_and_no_other(
        changes in changes(), fates in fates(), pauses in pauses(),
    ) {
        let mut rivals = Rivals::new();
        lived(&mut rivals, changes, fates, pauses);
        rivals.happens(Change::AllSeen);
        let plan = rivals.life.comes_to_rest();
        rivals.life.is_right_by(&plan)?;
        for (kind, rival) in KINDS.iter().zip(&rivals.rivals) {
            let owner = owner(kind);
            let records = rivals.life.github.values();
            let records = records.filter(|it| it.line.status == Status::Deployed && it.owner == owner);
            let digests: Vec<Digest> = records.map(|record| record.line.body.digest).collect();
            match rival.how {
                How::Runs(number) => prop_assert_eq!(digests, [digest(number)]),
                How::Absent | How::Idle => prop_assert_eq!(digests, []),
                How::Unknown(_) | How::NeverRan(_) => prop_assert!(digests.len() <= 1),
            }
        }
    }
}
