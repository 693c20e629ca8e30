//! What the API server does wrong, to reads and to writes, and what people do to the ledger there.

use serde_json::json;

use crate::faults::{Fault, Relief};
use crate::support::apiserver::{Fault as AtApi, Verb};
use crate::world::World;

impl World {
    /// To lists and watches of that kind.
    pub fn strike_reads(
        &mut self,
        fault: Fault,
        kind: &'static str,
        times: usize,
    ) -> (String, Relief) {
        let api = self.land.api.clone();
        let mut said = kind.to_owned();
        let relief = match fault {
            Fault::WatchBroken | Fault::WatchEnded | Fault::Expired => Relief::Nothing,
            _ => Relief::Kinds([kind; 3]),
        };
        match fault {
            Fault::WatchBroken => api.drop_watches(kind),
            Fault::WatchEnded => api.end_watches(kind),
            Fault::WatchSilent => api.silence(kind),
            Fault::Forbidden => {
                api.forbid(kind);
                api.drop_watches(kind);
            }
            Fault::ListCut => {
                api.fail(Verb::List, kind, AtApi::Cut).times(times);
                api.expire(kind);
                said = format!("{kind}, {times} times");
            }
            Fault::ListExpired => {
                api.fail(Verb::List, kind, AtApi::Status(410)).skip(1);
                api.expire(kind);
                api.expire_lists(kind);
            }
            Fault::ApiErrors => {
                let status = *self.dice.one_of(&[429, 500, 503, 504]);
                for verb in [Verb::List, Verb::Watch] {
                    let planned = api.fail(verb, kind, AtApi::Status(status));
                    planned.times(4 * times);
                }
                api.drop_watches(kind);
                said = format!("{kind}: {status}");
            }
            Fault::ApiSlow => {
                for verb in [Verb::List, Verb::Watch] {
                    let slow = AtApi::Slow(self.dice.seconds(1, 25));
                    api.fail(verb, kind, slow).times(times);
                }
                api.expire(kind);
            }
            _ => api.expire(kind),
        }
        (said, relief)
    }

    /// To writes of the Lease and of the ledger.
    pub fn strike_writes(&mut self, fault: Fault, times: usize) -> (String, Relief) {
        let api = self.land.api.clone();
        let (kind, hows, times) = match fault {
            Fault::StoreConflict => return (self.touch_ledger(), Relief::Nothing),
            Fault::LeaseErrors => {
                let conflict = AtApi::Status(409);
                let hows = vec![
                    AtApi::Status(500),
                    AtApi::Refused,
                    AtApi::AnswerLost,
                    conflict,
                ];
                ("Lease", hows, 3 * times)
            }
            Fault::StoreAnswerLost => ("ConfigMap", vec![AtApi::AnswerLost], times),
            _ => {
                let hows = vec![AtApi::Status(500), AtApi::Refused, AtApi::Hang];
                ("ConfigMap", hows, times)
            }
        };
        let how = self.dice.one_of(&hows).clone();
        let said = format!("{how:?}");
        let skip = self.dice.number(0, 2);
        // Parts are created when shards are split, and where one was deleted.
        let creates = kind == "ConfigMap" && self.dice.percent(30);
        let verb = if creates { Verb::Create } else { Verb::Update };
        api.fail(verb, kind, how).skip(skip).times(times);
        (format!("{said} to {verb:?}"), Relief::Kinds([kind; 3]))
    }

    /// Somebody puts a label on a part of the ledger.
    fn touch_ledger(&mut self) -> String {
        let maps = self.land.api.all("ConfigMap");
        if maps.is_empty() {
            return "nothing to touch".to_owned();
        }
        let mut map = self.dice.one_of(&maps).clone();
        let number = self.dice.number(1, 1000);
        map["metadata"]["labels"]["touched"] = json!(format!("{number}"));
        let name = map["metadata"]["name"].to_string();
        self.land.api.apply(map);
        name
    }

    /// Somebody deletes a part of the ledger, some of several or all, while a recorder has it in memory.
    /// Who ends before it is written again is refused at the next start, so nothing else ends one then.
    pub fn delete_ledger(&mut self) -> Option<String> {
        let leader = self.leader();
        let has_read_it = leader.is_some_and(|it| it.status.lock().plan.is_some());
        let wrong = self.troubles.iter().map(|it| it.fault);
        let mut wrong = wrong.chain(self.shadows.iter().map(|it| it.0));
        if !has_read_it
            || self.missing.is_any()
            || wrong.any(Fault::may_end_a_process)
            || self.land.api.is_planned("Lease")
            || self.is_short_of_processes()
        {
            return None;
        }
        let mut names = self.part_names();
        let all = names.len();
        let count = match self.dice.number(0, 3) {
            0 | 1 => 1,
            2 => self.dice.number(1, all.min(4)),
            _ => all,
        };
        while names.len() > count {
            let spared = self.dice.number(0, names.len() - 1);
            names.remove(spared);
        }
        self.note_loss(names.len(), all);
        self.missing.delete(&names);
        Some(names.join(", "))
    }
}
