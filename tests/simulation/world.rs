//! A world: a cluster, GitHub, and one or two recorders between them. What is true of every world at
//! any time is checked here.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deployment_recorder::recorder::status::Shared;
use deployment_recorder::sandbox::{Sandbox, Settings, Status, Violation};
use tokio::time::Instant;

use crate::dice::Dice;
use crate::faults::{Fault, KINDS, Relief, Trouble};
use crate::land::{Land, NAMESPACES};
use crate::operations::Sequels;
use crate::oracle::{Held, Oracle};
use crate::parts::{Away, Missing, Parts};
use crate::process::{Process, Start};
use crate::story::{Guard, Story};
use crate::support::apiserver::Verb;
use crate::table::Table;
use crate::told::Told;
use crate::wire::Wire;

/// A place for a process, as a replica of a Deployment is one.
#[derive(Default)]
pub struct Slot {
    pub process: Option<Process>,
    /// When another one comes.
    again: Option<Instant>,
    /// Whether it comes in the same pod.
    same_pod: Option<usize>,
}

/// A world.
pub struct World {
    pub dice: Dice,
    pub told: Told,
    pub land: Land,
    pub sequels: Sequels,
    pub github: Sandbox,
    pub oracle: Arc<Mutex<Oracle>>,
    pub story: Story,
    pub guard: Guard,
    pub wire: Wire,
    pub missing: Missing,
    pub away: Away,
    pub parts: Parts,
    pub slots: Vec<Slot>,
    pub shift: &'static AtomicI64,
    pub troubles: Vec<Trouble>,
    /// What was over a while ago.
    pub shadows: Vec<(Fault, Instant)>,
    /// How often something went wrong.
    pub count: usize,
    pub table: Table,
    /// Whether GitHub may hold what the stored ledger does not know.
    pub is_apart: bool,
    pub seed: u64,
    pub starts: usize,
    cycles: (usize, u64),
    /// After how many requests everything was checked last.
    checked: u64,
    /// Until when a request that was applied late may be seen, and who led when that began.
    pub late: Option<(Instant, Option<usize>)>,
    /// What another tool left and nobody could adopt yet: digests by name.
    pub strays: BTreeMap<String, String>,
    pub adopted: usize,
    /// By kind: when its watches are told next how far they are.
    marks: BTreeMap<&'static str, Instant>,
}

impl World {
    /// The world of a seed, in which nothing runs yet.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 0);
        let told = Told::thrown(&mut dice, &NAMESPACES);
        let github = Sandbox::new(Settings {
            epoch: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            ..Settings::default()
        });
        let land = Land::new(Dice::new(seed, 1));
        let times = (0..17).map(|_| dice.millis(2, 300)).collect();
        land.api.writes_take(times);
        let oracle = Arc::new(Mutex::new(Oracle::new(told.clone())));
        let story = Story::begun();
        story.tell(&format!("seed {seed}: {told:?}"));
        let missing = Missing::none(land.api.clone());
        let wire = Wire::new(
            &github,
            (land.api.clone(), missing.clone()),
            story.clone(),
            oracle.clone(),
            Dice::new(seed, 2),
        );
        let slots = if dice.percent(50) { 2 } else { 1 };
        Self {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            dice,
            told,
            land,
            sequels: Sequels::default(),
            github,
            oracle,
            guard: story.of_seed(seed),
            story,
            wire,
            missing,
            away: Away::default(),
            parts: Parts::default(),
            shift: Box::leak(Box::new(AtomicI64::new(0))),
            troubles: Vec::new(),
            shadows: Vec::new(),
            count: 0,
            table: Table::default(),
            is_apart: false,
            seed,
            starts: 0,
            cycles: (0, 0),
            checked: 0,
            late: None,
            strays: BTreeMap::new(),
            adopted: 0,
            marks: BTreeMap::new(),
        }
    }

    fn begin(&mut self, pod: Option<usize>) -> Process {
        self.starts += 1;
        self.story.tell(&format!("recorder-{} begins", self.starts));
        Start {
            number: self.starts,
            pod: pod.unwrap_or(self.starts),
            told: self.told.clone(),
            api: self.land.api.clone(),
            wire: self.wire.clone(),
            wall: self.github.now(),
            shift: self.shift,
            seed: self.dice.seed(),
        }
        .now()
    }

    /// Looks after the processes: one that ended is followed by another.
    pub async fn mind(&mut self) {
        for index in 0..self.slots.len() {
            let now = Instant::now();
            let slot = &mut self.slots[index];
            if let Some(process) = slot.process.take_if(|it| it.is_over()) {
                let (number, pod) = (process.number, process.pod);
                let end = process.end().await;
                self.story.tell(&format!("recorder-{number} ended: {end}"));
                let wait = self.dice.seconds(2, 40);
                let slot = &mut self.slots[index];
                slot.again = Some(now + wait);
                slot.same_pod = self.dice.percent(70).then_some(pod);
            }
            let slot = &self.slots[index];
            if slot.process.is_none() && slot.again.is_none_or(|at| at <= now) {
                let process = self.begin(slot.same_pod);
                self.slots[index].process = Some(process);
            }
        }
    }

    /// The process that takes itself for the one that writes.
    pub fn leader(&self) -> Option<&Process> {
        let mut all = self.slots.iter().filter_map(|it| it.process.as_ref());
        all.find(|it| !it.is_over() && it.status.lock().leader)
    }

    /// Whether one of them is not there.
    pub fn is_short_of_processes(&self) -> bool {
        let is_there = |it: &Slot| it.process.as_ref().is_some_and(|it| !it.is_over());
        !self.slots.iter().all(is_there)
    }

    /// Something happens to the process that writes.
    pub fn strike_process(&mut self, fault: Fault) -> Option<(String, Relief)> {
        let steps = self.dice.number(0, 300);
        let process = self.leader()?;
        let number = process.number;
        let relief = Relief::Process(number);
        match fault {
            Fault::Killed => process.fuse.light(steps),
            Fault::BlindStart => process.fuse.light(0),
            Fault::Stopped => process.stop(),
            Fault::Frozen => self.freeze(process, steps),
            Fault::ApiUnreachable => process.line.cut(),
            Fault::GithubUnreachable => self.wire.cut(number),
            _ => {
                self.freeze(process, steps);
                process.line.cut();
                self.wire.cut(number);
            }
        }
        Some((format!("recorder-{number}, after {steps} steps"), relief))
    }

    /// Right behind the next write of the ledger if there is one soon, or after so many steps: between
    /// what is stored and what is sent there is hardly any time.
    fn freeze(&self, process: &Process, steps: usize) {
        if steps.is_multiple_of(4) {
            process.frost.falls_after(steps);
            return;
        }
        let (api, frost) = (self.land.api.clone(), process.frost.clone());
        frost.comes();
        let writes = move || api.count(Verb::Update, "ConfigMap");
        tokio::spawn(async move {
            let before = writes();
            for _ in 0..500 {
                tokio::time::sleep(Duration::from_millis(16)).await;
                if writes() > before {
                    tokio::time::sleep(Duration::from_millis(steps as u64)).await;
                    return frost.falls_if_it_comes();
                }
            }
        });
    }

    /// That is over. Who was to be killed has had its time.
    pub fn relieve_process(&mut self, number: usize, is_killed: bool) {
        self.wire.mend(number);
        let turn = self.dice.number(0, 99);
        let breaks = self.dice.percent(50);
        let mut all = self.slots.iter().filter_map(|it| it.process.as_ref());
        if let Some(process) = all.find(|it| it.number == number) {
            if breaks {
                process.line.mend_anew();
            } else {
                process.line.mend();
            }
            process.frost.thaws_from(turn);
            if is_killed {
                process.fuse.light(0);
            }
        }
    }

    /// What GitHub holds as deployed, by environment and name.
    pub fn held(&self) -> BTreeMap<(String, String), Held> {
        let records = self.github.records().into_iter();
        let deployed = records.filter(|it| it.status == Status::Deployed);
        deployed
            .map(|it| {
                let key = (it.key.logical_environment, it.key.deployment_name);
                let version = it.version.map(|it| format!(":{it}")).unwrap_or_default();
                let image = format!("{}{version}", it.name);
                let risks = it.runtime_risks.into_iter().collect();
                (key, (image, it.digest, it.tags, risks))
            })
            .collect()
    }

    /// In what GitHub differs from the cluster.
    pub fn differences(&self) -> Vec<String> {
        self.oracle.lock().unwrap().differences(&self.held())
    }

    /// Looks at the cluster again, after something happened to it.
    pub fn look(&self) {
        self.oracle.lock().unwrap().look(&self.land.api);
    }

    /// What must be so at any time.
    pub fn check(&mut self) {
        let mut wrong: Vec<String> = self.wire.wrong().drain(..).collect();
        for (sequence, violation) in self.github.violations() {
            // The wire judges that for each process.
            if !matches!(violation, Violation::PoliteHour(_)) {
                wrong.push(format!("request {sequence}: {violation:?}"));
            }
        }
        if !self.is_apart {
            wrong.extend(self.forgotten());
        }
        self.must_be(&wrong);
    }

    /// From now on GitHub applies requests late, for so long: each by a minute at most, and what that did is
    /// put right by the next snapshot.
    pub fn note_late(&mut self, lasts: Duration) {
        let snapshot = self.told.interval.mul_f64(1.1) + Duration::from_mins(2);
        let until = Instant::now() + lasts + Duration::from_mins(1) + snapshot;
        self.late = Some((until, self.leader().map(|it| it.number)));
    }

    /// Whether what GitHub holds may be of a leader that is none any more: who leads now cannot know of a
    /// repetition that was under way, which is judged apart.
    fn may_be_of_a_former_leader(&self) -> bool {
        let led = self.late.filter(|it| it.0 > Instant::now());
        led.is_some_and(|(_, led)| led != self.leader().map(|it| it.number))
    }

    /// What GitHub holds as deployed and is not in the stored ledger, as far as that is there.
    pub fn forgotten(&mut self) -> Vec<String> {
        let stored = self.missing.stored();
        self.note_shards(&stored);
        let is_late = self.may_be_of_a_former_leader();
        let is_older = |environment: &str, name: &str| {
            is_late && !stored.digests(environment, name).is_empty()
        };
        let held = self.held().into_iter();
        let unknown = held.filter(|((environment, name), (_, digest, ..))| {
            !stored.knows(environment, name, digest)
                && !is_older(environment, name)
                && !self.strays.contains_key(name)
                && !self.missing.hides(&stored, environment, name, digest)
        });
        unknown
            .map(|((environment, name), (_, digest, ..))| {
                format!("{environment} {name} {digest} is deployed and forgotten")
            })
            .collect()
    }

    /// Fails where something is wrong.
    pub fn must_be(&self, wrong: &[String]) {
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Notes which rows of the truth table applied while something was wrong.
    pub fn note_rows(&mut self) {
        let Some(process) = self.leader() else {
            return;
        };
        let status: Shared = process.status.clone();
        let status = status.lock();
        let now = (process.number, status.cycles);
        if now == self.cycles {
            return;
        }
        self.cycles = now;
        let Some(plan) = &status.plan else {
            return;
        };
        let faults = self.troubles.iter().map(|it| it.fault);
        let faults: Vec<Fault> = faults.chain(self.shadows.iter().map(|it| it.0)).collect();
        self.table.note(&faults, plan);
    }

    /// About once a minute the API server tells a watch how far it is, though nothing changed.
    fn mark_watches(&mut self) {
        let now = Instant::now();
        for kind in KINDS {
            if self.marks.get(kind).is_none_or(|at| *at <= now) {
                self.land.api.bookmark(kind);
                self.marks.insert(kind, now + self.dice.seconds(50, 70));
            }
        }
    }

    /// Lets time pass.
    pub async fn pass(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let hop = Duration::from_secs(2).min(until - Instant::now());
            tokio::time::sleep(hop).await;
            let followed = self.land.follow(&mut self.sequels);
            for said in &followed {
                self.story.tell(said);
            }
            if !followed.is_empty() {
                self.look();
            }
            self.mark_watches();
            self.relieve(false);
            self.mind().await;
            self.note_rows();
            self.note_missing(hop);
            let requests = self.github.request_count();
            if requests != self.checked {
                self.checked = requests;
                self.check();
            }
        }
    }
}
