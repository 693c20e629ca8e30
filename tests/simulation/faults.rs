//! What goes wrong in a world, each kind as often as the others, and how it is over again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::world::World;

/// Everything that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    WatchBroken,
    WatchEnded,
    WatchSilent,
    ListCut,
    Forbidden,
    Expired,
    ListExpired,
    ApiErrors,
    ApiSlow,
    ApiUnreachable,
    LeaseErrors,
    StoreConflict,
    StoreErrors,
    StoreAnswerLost,
    LedgerDeleted,
    Throttled,
    ServerError,
    Reset,
    Hangs,
    AnswerLost,
    AppliedLate,
    NoAnswer,
    Slow,
    RefusesRecord,
    RefusesRequest,
    AccessFails,
    GithubUnreachable,
    Killed,
    Stopped,
    Frozen,
    PausedAndCutOff,
    BlindStart,
    ClockJumps,
    Adopted,
}

impl Fault {
    pub const ALL: [Self; 34] = [
        Self::WatchBroken,
        Self::WatchEnded,
        Self::WatchSilent,
        Self::ListCut,
        Self::Forbidden,
        Self::Expired,
        Self::ListExpired,
        Self::ApiErrors,
        Self::ApiSlow,
        Self::ApiUnreachable,
        Self::LeaseErrors,
        Self::StoreConflict,
        Self::StoreErrors,
        Self::StoreAnswerLost,
        Self::LedgerDeleted,
        Self::Throttled,
        Self::ServerError,
        Self::Reset,
        Self::Hangs,
        Self::AnswerLost,
        Self::AppliedLate,
        Self::NoAnswer,
        Self::Slow,
        Self::RefusesRecord,
        Self::RefusesRequest,
        Self::AccessFails,
        Self::GithubUnreachable,
        Self::Killed,
        Self::Stopped,
        Self::Frozen,
        Self::PausedAndCutOff,
        Self::BlindStart,
        Self::ClockJumps,
        Self::Adopted,
    ];
}

impl Fault {
    /// Whether who writes may end by it.
    pub fn may_end_a_process(self) -> bool {
        matches!(
            self,
            Self::LeaseErrors
                | Self::ApiUnreachable
                | Self::Killed
                | Self::Stopped
                | Self::Frozen
                | Self::PausedAndCutOff
                | Self::BlindStart
        )
    }
}

/// How something is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relief {
    /// What the API server did to these kinds.
    Kinds([&'static str; 3]),
    /// A fault of GitHub.
    Github(u64),
    /// A process goes on, and reaches the API server and GitHub again.
    Process(usize),
    /// Nothing has to be done for it.
    Nothing,
}

/// Something that goes wrong at present.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    pub fault: Fault,
    /// When it is over.
    pub until: Instant,
    pub relief: Relief,
}

/// What recorders watch.
pub const KINDS: [&str; 10] = [
    "Pod",
    "ReplicaSet",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "Job",
    "Namespace",
    "Rollout",
    "ReplicationController",
];

impl World {
    /// Something goes wrong, if it can at present.
    pub async fn strike(&mut self, fault: Fault) {
        let times = self.dice.number(1, 3);
        let kind = *self.dice.one_of(&KINDS);
        let lasts = if self.dice.percent(85) {
            self.dice.seconds(10, 240)
        } else {
            self.dice.seconds(240, 2400)
        };
        if let Fault::Frozen | Fault::PausedAndCutOff = fault {
            // It is to be in the middle of something.
            self.operate();
        }
        let struck = match fault {
            _ if fault.may_end_a_process() && self.missing.is_any() => None,
            Fault::WatchBroken
            | Fault::WatchEnded
            | Fault::WatchSilent
            | Fault::ListCut
            | Fault::Forbidden
            | Fault::Expired
            | Fault::ListExpired
            | Fault::ApiErrors
            | Fault::ApiSlow => Some(self.strike_reads(fault, kind, times)),
            Fault::LeaseErrors
            | Fault::StoreConflict
            | Fault::StoreErrors
            | Fault::StoreAnswerLost => Some(self.strike_writes(fault, times)),
            Fault::LedgerDeleted => self.delete_ledger().map(|it| (it, Relief::Nothing)),
            Fault::Killed
            | Fault::Stopped
            | Fault::Frozen
            | Fault::PausedAndCutOff
            | Fault::ApiUnreachable
            | Fault::GithubUnreachable => self.strike_process(fault),
            Fault::ClockJumps => {
                let minutes = *self.dice.one_of(&[-90, -10, -1, 1, 10, 90]);
                self.shift.fetch_add(minutes * 60, Ordering::Relaxed);
                Some((format!("{minutes} minutes"), Relief::Nothing))
            }
            Fault::BlindStart => self.start_blind(times),
            Fault::Adopted => self.adopt().await.map(|it| (it, Relief::Nothing)),
            _ => Some(self.strike_github(fault, times)),
        };
        let Some((said, relief)) = struck else {
            return;
        };
        if fault == Fault::AppliedLate {
            self.note_late(lasts);
        }
        self.story.tell(&format!("{fault:?} for {lasts:?}: {said}"));
        self.count += 1;
        self.troubles.push(Trouble {
            fault,
            until: Instant::now() + lasts,
            relief,
        });
    }

    /// The process that writes ends, and who comes after it cannot read some kinds.
    fn start_blind(&mut self, times: usize) -> Option<(String, Relief)> {
        let (ended, _) = self.strike_process(Fault::BlindStart)?;
        let mut said = vec![ended];
        let mut kinds = [*self.dice.one_of(&KINDS); 3];
        for struck in kinds.iter_mut().take(times) {
            let kind = *self.dice.one_of(&KINDS);
            *struck = kind;
            let fault = *self.dice.one_of(&[
                Fault::Forbidden,
                Fault::Forbidden,
                Fault::ApiErrors,
                Fault::ListCut,
                Fault::ApiSlow,
            ]);
            let (how, _) = self.strike_reads(fault, kind, 3 * times);
            said.push(format!("{fault:?} {how}"));
        }
        Some((said.join("; "), Relief::Kinds(kinds)))
    }

    /// The API server does nothing wrong to this kind any more, unless something else still does.
    fn heal(&self, kind: &str) {
        let mut troubles = self.troubles.iter();
        let is_struck =
            |it: &Trouble| matches!(it.relief, Relief::Kinds(kinds) if kinds.contains(&kind));
        if !troubles.any(is_struck) {
            self.land.api.heal_kind(kind);
        }
    }

    /// Ends what is over by now.
    pub fn relieve(&mut self, all: bool) {
        let now = Instant::now();
        // Rows are counted for a while longer: what it led to comes after it.
        let lasting = Duration::from_mins(3);
        let (over, left) = std::mem::take(&mut self.troubles)
            .into_iter()
            .partition(|it: &Trouble| all || it.until <= now);
        self.troubles = left;
        let over: Vec<Trouble> = over;
        for trouble in over {
            self.story.tell(&format!("{:?} is over", trouble.fault));
            self.shadows.push((trouble.fault, now + lasting));
            match trouble.relief {
                Relief::Kinds(kinds) => kinds.iter().for_each(|kind| self.heal(kind)),
                Relief::Github(number) => self.github.clear_fault(number),
                Relief::Process(number) => {
                    self.relieve_process(number, trouble.fault == Fault::Killed);
                }
                Relief::Nothing => {}
            }
        }
        self.shadows.retain(|it| it.1 > now);
    }
}
