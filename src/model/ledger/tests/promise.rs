//! Promises 3 and 7 under random faults: a GitHub that loses answers and applies requests late, a
//! store, and a process that is killed. Nothing here asks the ledger what it thinks.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::fixtures::worlds::{World, cases, history};
use crate::model::fixtures::{Scene, as_stored, minutes, whole_view};
use crate::model::gap::Reason;
use crate::model::ledger::{Entry, Ledger, Outcome};
use crate::model::moment::Moment;
use crate::model::plan::{Plan, Step};
use crate::model::record::{Identity, Line, Status};

/// What happens to a line on its way.
#[derive(Clone, Copy, Debug)]
enum Fate {
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

fn fates() -> impl Strategy<Value = Vec<Fate>> {
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
struct Life {
    scene: Scene,
    store: BTreeMap<Identity, Entry>,
    github: BTreeMap<Identity, Line>,
    late: Vec<(Moment, Line)>,
}

impl Life {
    fn new() -> Self {
        Self {
            scene: Scene::new(),
            store: BTreeMap::new(),
            github: BTreeMap::new(),
            late: Vec::new(),
        }
    }

    fn live_in(&mut self, world: &World) {
        self.scene.facts = world.facts.clone();
        self.scene.policy = world.policy.clone();
    }

    fn store(&mut self) {
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

    fn wait(&mut self, time: Duration) {
        self.scene.wait(time);
        let now = self.scene.now;
        let due = self.late.extract_if(.., |(at, _)| *at <= now);
        for (_, line) in due {
            self.github.insert(line.identity.clone(), line);
        }
    }

    /// A cycle with the full snapshot. Whether it went through without a kill.
    fn cycle(&mut self, fates: &mut impl Iterator<Item = Fate>) -> Plan {
        let plan = self.scene.plan();
        let now = self.scene.now;
        self.scene.observe(&plan);
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
                self.killed();
                return plan;
            }
            self.scene.ledger.leaves(&step.line);
            let line = step.line.clone();
            let fate = match fate {
                Fate::Refused(_) if self.took(&line) => Fate::Answered,
                fate => fate,
            };
            let outcome = match fate {
                Fate::Answered => Outcome::Acknowledged,
                Fate::Refused(reason) => Outcome::Refused(reason),
                Fate::TurnedDown => Outcome::NotApplied,
                Fate::AnswerLost | Fate::RequestLost | Fate::Late(_) => Outcome::Unknown,
                Fate::Unconfirmed { .. } => Outcome::Unconfirmed,
                Fate::Killed { .. } => {
                    self.github.insert(line.identity.clone(), line);
                    self.killed();
                    return plan;
                }
            };
            match fate {
                Fate::Answered | Fate::AnswerLost | Fate::Unconfirmed { applied: true } => {
                    self.github.insert(line.identity.clone(), line);
                }
                Fate::Late(after) => self.late.push((now + minutes(after), line)),
                Fate::Refused(_)
                | Fate::TurnedDown
                | Fate::RequestLost
                | Fate::Unconfirmed { .. }
                | Fate::Killed { .. } => {}
            }
            let settle_after = self.scene.policy.settle_after;
            self.scene
                .ledger
                .answer(&step.line, outcome, now, settle_after);
        }
        plan
    }

    /// Whether GitHub holds just that, or is about to. It does not refuse what it took: else a refusal
    /// would say nothing.
    fn took(&self, line: &Line) -> bool {
        let late = self.late.iter().map(|(_, line)| line);
        self.github.values().chain(late).any(|known| known == line)
    }

    /// What GitHub holds or will hold as deployed and the ledger, or its store, has forgotten.
    fn forgotten(&self) -> Vec<&Line> {
        let late = self.late.iter().map(|(_, line)| line);
        let lines = self.github.values().chain(late);
        lines
            .filter(|line| line.status == Status::Deployed)
            .filter(|line| {
                let identity = &line.identity;
                self.scene.ledger.entry(identity).is_none() || !self.store.contains_key(identity)
            })
            .collect()
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn promise_3_what_github_may_hold_as_deployed_is_in_the_ledger_and_in_its_store(
        worlds in history(8), fates in fates(), pauses in vec(0..15u64, 1..10),
    ) {
        let mut life = Life::new();
        let mut fates = fates.into_iter().cycle();
        let mut pauses = pauses.into_iter().cycle();
        for world in &worlds {
            life.live_in(world);
            for pause in pauses.by_ref().take(3) {
                life.cycle(&mut fates);
                prop_assert!(life.forgotten().is_empty(), "{:?}", life.forgotten());
                if pause % 2 == 0 {
                    life.scene.ledger.take_back_unsent();
                    life.store();
                }
                life.wait(minutes(pause));
                prop_assert!(life.forgotten().is_empty(), "{:?}", life.forgotten());
            }
        }
    }

    #[test]
    fn promise_7_after_the_faults_github_holds_what_runs_and_nothing_else(
        worlds in history(5), fates in fates(), pauses in vec(0..15u64, 1..10),
    ) {
        let mut life = Life::new();
        let mut fates = fates.into_iter().cycle();
        let mut pauses = pauses.into_iter().cycle();
        for world in &worlds {
            life.live_in(world);
            for pause in pauses.by_ref().take(3) {
                life.cycle(&mut fates);
                life.wait(minutes(pause));
            }
        }
        life.scene.facts.coverage = whole_view();
        let mut well = std::iter::repeat(Fate::Answered);
        // Long enough for what is idle, for retries of a day, and for what moves.
        for _ in 0..20 {
            life.cycle(&mut well);
            life.wait(minutes(100));
        }
        let plan = life.cycle(&mut well);
        prop_assert!(plan.reports.is_empty() && plan.decommissions.is_empty());
        let host = &life.scene.policy.destination.host;
        let here = life.github.values().filter(|line| line.identity.destination.host == *host);
        let deployed: Vec<&Line> = here.filter(|line| line.status == Status::Deployed).collect();
        let sent: BTreeMap<&Identity, &Step> =
            plan.snapshot().into_iter().map(|step| (&step.line.identity, step)).collect();
        for line in &deployed {
            // Of a kind that cannot be read nothing ends while nobody can look, and what does not run
            // is not sent while something of it is unanswered.
            let withheld = plan.withheld.iter().any(|(identity, _)| *identity == line.identity)
                || plan.silent.contains(&line.identity);
            let said = sent.get(&line.identity).map(|step| &step.line);
            prop_assert!(said == Some(*line) || withheld, "{line:?}");
        }
        for step in plan.names.values() {
            prop_assert!(deployed.iter().any(|line| line.identity == *step));
        }
    }
}
