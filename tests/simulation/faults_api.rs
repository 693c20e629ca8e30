//! What the API server does wrong, to reads and to writes, and what people do to the ledger there.

use serde_json::json;

use crate::faults::{Fault, Relief};
use crate::ledger;
use crate::support::apiserver::{Fault as AtApi, Verb};
use crate::world::World;

impl World {
    /// To lists and watches of that kind.
    pub fn strike_reads(&mut self, fault: Fault, kind: &str, times: usize) -> (String, Relief) {
        let api = self.land.api.clone();
        let mut relief = Relief::Nothing;
        let mut said = kind.to_owned();
        match fault {
            Fault::WatchBroken => api.drop_watches(kind),
            Fault::WatchEnded => api.end_watches(kind),
            Fault::WatchSilent => {
                api.silence(kind);
                relief = Relief::Api;
            }
            Fault::Forbidden => {
                api.forbid(kind);
                api.drop_watches(kind);
                relief = Relief::Api;
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
    pub fn strike_writes(&mut self, fault: Fault, times: usize) -> String {
        let api = self.land.api.clone();
        let (kind, hows, times) = match fault {
            Fault::StoreConflict => return self.touch_ledger(),
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
        api.fail(Verb::Update, kind, how).skip(skip).times(times);
        said
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

    /// Somebody deletes a part of the ledger, or all of it, while a recorder has it in memory.
    pub fn delete_ledger(&mut self) -> Option<String> {
        let leads = self.leader().is_some();
        if !leads
            || self.wire.is_ledger_partial()
            || !self.troubles.is_empty()
            || self.is_short_of_processes()
        {
            return None;
        }
        let maps = self.land.api.all("ConfigMap");
        let one = self
            .dice
            .percent(50)
            .then(|| self.dice.number(0, maps.len() - 1));
        let mut names = Vec::new();
        for (index, map) in maps.iter().enumerate() {
            if one.is_none_or(|one| one == index) {
                let name = map["metadata"]["name"].as_str().unwrap();
                self.land.api.delete("ConfigMap", ledger::NAMESPACE, name);
                names.push(name.to_owned());
            }
        }
        self.wire.misses(&names);
        Some(names.join(", "))
    }
}
