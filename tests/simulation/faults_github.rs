//! What GitHub does wrong.

use deployment_recorder::sandbox::{Fault as AtGithub, FaultKind};

use crate::faults::{Fault, Relief};
use crate::land::{NAMES, NAMESPACES};
use crate::world::World;

impl World {
    /// To requests, or to some records.
    pub fn strike_github(&mut self, fault: Fault, times: usize) -> (String, Relief) {
        let kind = self.kind_of(fault);
        let said = format!("{kind:?}");
        let mut fault_there = AtGithub::new(kind);
        let about_a_record = matches!(fault, Fault::RefusesRecord | Fault::RefusesRequest);
        if about_a_record {
            let namespace = *self.dice.one_of(&NAMESPACES);
            let name = *self.dice.one_of(&NAMES);
            fault_there = fault_there.record(&format!("{namespace}-{name}*"));
        } else {
            fault_there = fault_there.times(times as u64);
        }
        let on = fault_there.on.record.clone().unwrap_or_default();
        let number = self.github.fault(fault_there);
        (format!("{said} {on} {times} times"), Relief::Github(number))
    }

    fn kind_of(&mut self, fault: Fault) -> FaultKind {
        let seconds = self.dice.number(5, 60) as u64;
        match fault {
            Fault::Throttled => {
                let status = *self.dice.one_of(&[429, 403]);
                let (retry_after, reset_after) = *self.dice.one_of(&[
                    (Some(seconds), None),
                    (None, Some(seconds)),
                    (None, (status == 403).then_some(seconds)),
                ]);
                FaultKind::Throttled {
                    status,
                    retry_after,
                    reset_after,
                }
            }
            Fault::ServerError => {
                let status = *self.dice.one_of(&[500, 502, 503, 408, 409]);
                FaultKind::Status { status }
            }
            Fault::Reset => FaultKind::Reset,
            Fault::Hangs => FaultKind::Hang,
            Fault::AnswerLost => FaultKind::Lost {
                hang: self.dice.percent(50),
            },
            Fault::AppliedLate => FaultKind::Late { seconds },
            Fault::NoAnswer => {
                let applied = self.dice.percent(50);
                self.dice
                    .one_of(&[
                        FaultKind::Html { applied },
                        FaultKind::WrongShape { applied },
                        FaultKind::StrangeRecord,
                        FaultKind::StrangeCause,
                    ])
                    .clone()
            }
            Fault::Slow => FaultKind::Slow {
                millis: seconds * 400,
            },
            Fault::RefusesRecord => self
                .dice
                .one_of(&[FaultKind::UnknownDigest, FaultKind::Unauthorized])
                .clone(),
            Fault::RefusesRequest => {
                let status = *self.dice.one_of(&[400, 422]);
                FaultKind::Poison { status }
            }
            _ => {
                let status = *self.dice.one_of(&[401, 403, 404, 410]);
                FaultKind::Bare { status }
            }
        }
    }
}
