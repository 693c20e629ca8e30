//! A life under random faults: a recorder, its store, and a GitHub that loses answers and applies
//! requests late.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::model::fixtures::worlds::World;
use crate::model::fixtures::{Scene, as_stored, minutes, whole_view};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Outcome, Owner};
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Step};
use crate::model::record::{Identity, Line, Status};

/// What happens to a line on its way.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Answered,
    Refused(Reason),
    TurnedDown,
    AnswerLost,
    RequestLost,
    /// GitHub names it with a cause that nobody knows, and applied it or not.
    Unconfirmed {
        applied: bool,
    },
    /// The answer is lost, and the request applied after so many minutes.
    Late(u64),
    /// The process is killed before it leaves, or right behind it.
    Killed {
        left: bool,
    },
}

pub(super) fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let one = prop_oneof![
        10 => Just(Fate::Answered),
        1 => Just(Fate::Refused(Reason::NotFound)),
        1 => Just(Fate::Refused(Reason::Invalid)),
        1 => Just(Fate::TurnedDown),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::RequestLost),
        1 => any::<bool>().prop_map(|applied| Fate::Unconfirmed { applied }),
        2 => (1..10u64).prop_map(Fate::Late),
        1 => any::<bool>().prop_map(|left| Fate::Killed { left }),
    ];
    vec(one, 1..40)
}

/// A recorder, its store and a GitHub.
pub(super) struct Life {
    pub(super) scene: Scene,
    store: BTreeMap<Identity, Entry>,
    pub(super) github: BTreeMap<Identity, Record>,
    /// Who was last acknowledged under a name, with when that left, until its end or somebody else's
    /// report leaves and may be applied.
    pub(super) acknowledged: BTreeMap<Identity, (Owner, Moment)>,
    late: Vec<(Moment, Record)>,
}

/// What GitHub holds, or will.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) line: Line,
    /// For whom it was said last.
    pub(super) owner: Owner,
    /// When that left.
    pub(super) left: Moment,
}

impl Life {
    pub(super) fn new() -> Self {
        Self {
            scene: Scene::new(),
            store: BTreeMap::new(),
            github: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            late: Vec::new(),
        }
    }

    pub(super) fn live_in(&mut self, world: &World) {
        self.scene.facts = world.facts.clone();
        self.scene.policy = world.policy.clone();
    }

    pub(super) fn store(&mut self) {
        for identity in self.scene.ledger.touched() {
            match self.scene.ledger.entry(identity) {
                Some(entry) => drop(self.store.insert(identity.clone(), as_stored(entry))),
                None => drop(self.store.remove(identity)),
            }
        }
        self.scene.ledger.stored();
    }

    fn killed(&mut self) {
        let entries = self.store.clone();
        let template = Some(self.scene.policy.template.to_string().into());
        self.scene.ledger = Ledger::restore(template, entries, [], self.scene.now);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.scene.wait(time);
        let now = self.scene.now;
        let due = self.late.extract_if(.., |(at, _)| *at <= now);
        for (_, record) in due {
            self.github.insert(record.line.identity.clone(), record);
        }
    }

    /// A cycle with the full snapshot.
    pub(super) fn cycle(&mut self, fates: &mut impl Iterator<Item = Fate>) -> Plan {
        let plan = self.scene.plan();
        self.send(&plan, fates);
        plan
    }

    /// Sends the full snapshot of a plan, unless it is killed over that.
    pub(super) fn send(&mut self, plan: &Plan, fates: &mut impl Iterator<Item = Fate>) {
        let now = self.scene.now;
        self.scene.observe(plan);
        let steps: Vec<&Step> = plan
            .snapshot()
            .into_iter()
            .chain(&plan.decommissions)
            .collect();
        for step in &steps {
            self.scene.ledger.intend(&step.line, &step.owner);
        }
        self.store();
        for step in steps {
            let fate = fates.next().unwrap();
            if let Fate::Killed { left: false } = fate {
                return self.killed();
            }
            self.scene.ledger.leaves(&step.line);
            let line = &step.line;
            let record = Record {
                line: line.clone(),
                owner: step.owner.clone(),
                left: now,
            };
            let fate = match fate {
                Fate::Refused(_) if self.took(line) => Fate::Answered,
                fate => fate,
            };
            if !matches!(fate, Fate::Refused(_) | Fate::TurnedDown) {
                self.may_undo(step);
            }
            let outcome = match fate {
                Fate::Answered => Outcome::Acknowledged,
                Fate::Refused(reason) => Outcome::Refused(reason),
                Fate::TurnedDown => Outcome::NotApplied,
                Fate::AnswerLost | Fate::RequestLost | Fate::Late(_) => Outcome::Unknown,
                Fate::Unconfirmed { .. } => Outcome::Unconfirmed,
                Fate::Killed { .. } => {
                    self.github.insert(line.identity.clone(), record);
                    return self.killed();
                }
            };
            match fate {
                Fate::Answered | Fate::AnswerLost | Fate::Unconfirmed { applied: true } => {
                    self.github.insert(line.identity.clone(), record);
                }
                Fate::Late(after) => self.late.push((now + minutes(after), record)),
                Fate::Refused(_)
                | Fate::TurnedDown
                | Fate::RequestLost
                | Fate::Unconfirmed { .. }
                | Fate::Killed { .. } => {}
            }
            if let Outcome::Acknowledged = outcome {
                self.acknowledge(step);
            }
            let settle_after = self.scene.policy.settle_after;
            self.scene.ledger.answer(line, outcome, now, settle_after);
        }
    }

    fn may_undo(&mut self, step: &Step) {
        let name = &step.line.identity;
        let goes_on = |(owner, _): &(Owner, Moment)| {
            step.line.status == Status::Deployed && *owner == step.owner
        };
        if !self.acknowledged.get(name).is_some_and(goes_on) {
            self.acknowledged.remove(name);
        }
    }

    fn acknowledge(&mut self, step: &Step) {
        if step.line.status == Status::Deployed {
            let said = (step.owner.clone(), self.scene.now);
            self.acknowledged.insert(step.line.identity.clone(), said);
        }
    }

    /// What GitHub holds or will hold.
    fn lines(&self) -> impl Iterator<Item = &Line> {
        let late = self.late.iter().map(|(_, record)| record);
        self.github.values().chain(late).map(|record| &record.line)
    }

    /// Whether GitHub holds just that, or is about to. It does not refuse what it took: else a refusal
    /// would say nothing.
    fn took(&self, line: &Line) -> bool {
        self.lines().any(|known| known == line)
    }

    /// What GitHub holds or will hold as deployed and the ledger, or its store, has forgotten.
    pub(super) fn forgotten(&self) -> Vec<&Line> {
        self.lines()
            .filter(|line| line.status == Status::Deployed)
            .filter(|line| {
                let identity = &line.identity;
                self.scene.ledger.entry(identity).is_none() || !self.store.contains_key(identity)
            })
            .collect()
    }

    /// Everything can be seen and nothing fails any more, for long enough for what is idle, for retries
    /// of a day, and for what moves. The plan behind that.
    pub(super) fn comes_to_rest(&mut self) -> Plan {
        self.scene.facts.coverage = whole_view();
        let mut well = std::iter::repeat(Fate::Answered);
        for _ in 0..20 {
            self.cycle(&mut well);
            self.wait(minutes(100));
        }
        self.cycle(&mut well)
    }

    /// Whether GitHub holds what a plan at rest says, and nothing else.
    pub(super) fn is_right_by(&self, plan: &Plan) -> TestCaseResult {
        prop_assert!(plan.reports.is_empty() && plan.decommissions.is_empty());
        let host = &self.scene.policy.destination.host;
        let lines = self.github.values().map(|record| &record.line);
        let here = lines.filter(|line| line.identity.destination.host == *host);
        let deployed: Vec<&Line> = here
            .filter(|line| line.status == Status::Deployed)
            .collect();
        let sent: BTreeMap<&Identity, &Step> = plan
            .snapshot()
            .into_iter()
            .map(|step| (&step.line.identity, step))
            .collect();
        for line in &deployed {
            // Of a kind that cannot be read nothing ends while nobody can look, and what does not run
            // is not sent while something of it is unanswered.
            let mut withheld = plan.withheld.iter().map(|(identity, _)| identity);
            let is_left = withheld.any(|identity| *identity == line.identity)
                || plan.silent.contains(&line.identity);
            let said = sent.get(&line.identity).map(|step| &step.line);
            prop_assert!(said == Some(*line) || is_left, "{line:?}");
        }
        for name in plan.names.values() {
            prop_assert!(deployed.iter().any(|line| line.identity == *name));
        }
        Ok(())
    }
}
