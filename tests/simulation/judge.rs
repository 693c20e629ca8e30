//! What must be so of every request at the moment at which it leaves.

use std::time::Duration;

use deployment_recorder::sandbox::{POLITE_PER_HOUR, Status};
use tokio::time::Instant;

use crate::ledger;
use crate::objects;
use crate::oracle::Oracle;
use crate::seen::is_named;
use crate::wire::{Acknowledged, Said, Wire};

const HOUR: Duration = Duration::from_hours(1);

impl Wire {
    /// All of it.
    pub fn judge(&self, environment: &str, said: &[Said]) {
        let stored = self.shared.missing.stored();
        self.judge_the_lease();
        self.judge_the_hour();
        let oracle = self.shared.oracle.lock().unwrap();
        let acknowledged = self.shared.acknowledged.lock().unwrap();
        for line in said {
            let Said { name, digest, .. } = line;
            let missing = &self.shared.missing;
            let is_hidden = || missing.hides(&stored, environment, name, digest);
            if !stored.knows(environment, name, digest) && !is_hidden() {
                self.is_wrong(format!(
                    "{environment} {name} {digest} leaves and is not stored"
                ));
            }
            let key = (environment.to_owned(), name.clone());
            if !line.ends {
                self.judge_a_report(line, &oracle);
            } else if let Some((at, held)) = acknowledged.get(&key) {
                // An older copy of the ledger knows another digest, or that it had ended.
                let is_older = held != digest || stored.tombstones().contains(&&**name);
                if !is_older || !self.is_set_back() {
                    self.judge_an_end(environment, line, (*at, held), &oracle);
                    self.judge_a_move(environment, line, *at, (&acknowledged, &oracle));
                }
            }
        }
        self.judge_the_mass(environment, said, (&acknowledged, &oracle));
    }

    /// What was right at every moment since it was acknowledged is not ended: neither what is named here
    /// nor what GitHub has under this name.
    fn judge_an_end(
        &self,
        environment: &str,
        Said { name, digest, .. }: &Said,
        (at, held): (Instant, &str),
        oracle: &Oracle,
    ) {
        let is_right = |digest: &str| oracle.is_right(environment, name, digest, at);
        // What was adopted for nobody is kept for who runs under this name, and for nobody else.
        let is_left = || oracle.runs(name, digest) && !self.is_elsewhere(name, digest);
        if (is_right(digest) || is_right(held)) && (!self.adopts() || is_left()) {
            self.is_wrong(format!(
                "{environment} {name} {digest} is ended and was right"
            ));
        }
    }

    /// What moved to another environment is ended in the old one once GitHub has acknowledged the new.
    fn judge_a_move(
        &self,
        environment: &str,
        Said { name, digest, .. }: &Said,
        at: Instant,
        (acknowledged, oracle): (&Acknowledged, &Oracle),
    ) {
        let moved = oracle.moved(environment, name, digest, at);
        let Some((there, plain)) = moved.filter(|_| !self.adopts()) else {
            return;
        };
        let mut all = acknowledged.keys();
        if !all.any(|it| it.0 == there && is_named(&it.1, &plain)) {
            self.is_wrong(format!(
                "{environment} {name} {digest} is ended and GitHub has nothing of it in {there}"
            ));
        }
    }

    /// What is reported ran, and its digest is its image's.
    fn judge_a_report(
        &self,
        Said {
            name,
            image,
            digest,
            ..
        }: &Said,
        oracle: &Oracle,
    ) {
        // What another tool left is told as it was found.
        let is_stray = name.starts_with("stray-");
        let is_true = || oracle.ever_ran(name, digest) && objects::digest(image) == *digest;
        if !is_stray && !is_true() {
            self.is_wrong(format!("{name} {image} {digest} is told and never ran"));
        }
    }

    /// Nearly all of what GitHub has does not end with one request, if it was there a moment ago.
    fn judge_the_mass(
        &self,
        environment: &str,
        said: &[Said],
        (acknowledged, oracle): (&Acknowledged, &Oracle),
    ) {
        let hold = oracle.told.hold;
        let is_young = |Said { name, digest, .. }: &&Said| {
            let key = (environment.to_owned(), name.clone());
            let gone = oracle.gone_for(environment, name, digest);
            acknowledged.contains_key(&key) && gone.is_some_and(|gone| gone < hold)
        };
        let ends = said.iter().filter(|it| it.ends);
        let (count, all) = (ends.filter(is_young).count(), acknowledged.len());
        if count >= 5 && 4 * count > 3 * all {
            self.is_wrong(format!(
                "{count} of {all} records end at once, none of them gone for {hold:?}"
            ));
        }
    }

    /// Only who has the Lease sends, and for no longer than it lasts: what counts is when the last
    /// renewal that was acknowledged began.
    fn judge_the_lease(&self) {
        let api = &self.shared.api;
        let lease = api.get("Lease", ledger::NAMESPACE, ledger::NAME);
        let mut spec = lease.unwrap_or_default()["spec"].take();
        let (holder, number) = (spec["holderIdentity"].take(), self.number);
        let is_holder = format!("/start-{number}");
        if !holder.as_str().unwrap_or_default().ends_with(&is_holder) {
            self.is_wrong(format!("recorder-{number} sends, {holder} has the Lease"));
        }
        let lasts = Duration::from_secs(spec["leaseDurationSeconds"].as_u64().unwrap_or_default());
        let renewed = self.line.as_ref().and_then(|it| it.written("/leases"));
        if renewed.is_none_or(|at| at.elapsed() > lasts) {
            let ago = renewed.map(|at| at.elapsed());
            self.is_wrong(format!("recorder-{number} sends, it renewed {ago:?} ago"));
        }
    }

    /// The hour's limit is a process's: none knows what another one sent before it.
    fn judge_the_hour(&self) {
        let now = Instant::now();
        let mut sends = self.sends.lock().unwrap();
        sends.push_back(now);
        while sends.front().is_some_and(|first| *first + HOUR <= now) {
            sends.pop_front();
        }
        if sends.len() > POLITE_PER_HOUR {
            let (number, count) = (self.number, sends.len());
            self.is_wrong(format!("recorder-{number} sends {count} times in an hour"));
        }
    }

    /// Whether GitHub holds what was called so under another name.
    fn is_elsewhere(&self, name: &str, digest: &str) -> bool {
        let records = self.shared.github.records().into_iter();
        let mut deployed = records.filter(|it| it.status == Status::Deployed);
        deployed.any(|it| it.digest == digest && it.key.deployment_name != name)
    }
}
