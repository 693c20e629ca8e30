//! Outages: how long to wait where outcomes are unknown. What hides an outcome may be one
//! organization's own matter or everybody's (a broken network, a failing GitHub). Which of them it is
//! shows when GitHub answers another organization, so no organization waits for what happened to
//! others before it was tried itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::{Access, Backoff, MINUTE};

/// The longest pause of an organization while GitHub answers others: each try may hold these back for as
/// long as a request may take.
const ALONE: Duration = Duration::from_mins(10);

/// The pauses of organizations whose outcomes are unknown.
#[derive(Debug)]
pub(super) struct Outages {
    of: BTreeMap<Access, Outage>,
    /// Those that were not answered since GitHub answered anybody.
    silent: BTreeSet<Access>,
    /// The pause of all that are silent, once there are several: it is the host that fails, and one
    /// of them at a time looks whether it still does.
    host: Backoff,
}

#[derive(Debug)]
struct Outage {
    pause: Backoff,
    /// When it was seen last.
    last: Instant,
    /// Whether GitHub answered another organization since it began.
    alone: bool,
}

const fn backoff() -> Backoff {
    Backoff::new(Duration::from_secs(2), MINUTE)
}

impl Default for Outages {
    fn default() -> Self {
        Self {
            of: BTreeMap::new(),
            silent: BTreeSet::new(),
            host: backoff(),
        }
    }
}

impl Outages {
    /// Nothing is sent there before this.
    pub(super) fn until(&self, access: &Access) -> Option<Instant> {
        let own = self.of.get(access)?.pause.until();
        let is_of_host = self.silent.len() > 1 && self.silent.contains(access);
        let host = self.host.until().filter(|_| is_of_host);
        own.max(host)
    }

    /// When an outcome was unknown there last, if it was and nothing was acknowledged since.
    pub(super) fn last(&self, access: &Access) -> Option<Instant> {
        self.of.get(access).map(|outage| outage.last)
    }

    /// An outcome is unknown.
    pub(super) fn begin(&mut self, access: &Access, now: Instant) {
        self.silent.insert(access.clone());
        if self.silent.len() > 1 {
            self.host.begin(now);
            if let Some(outage) = self.of.get_mut(access) {
                outage.alone = false;
            }
        }
        self.begin_own(access, now);
    }

    /// Answers that were definite say no more than unknown ones would.
    pub(super) fn begin_own(&mut self, access: &Access, now: Instant) {
        let new = || Outage {
            pause: backoff(),
            last: now,
            alone: false,
        };
        let outage = self.of.entry(access.clone()).or_insert_with(new);
        let most = if outage.alone { ALONE } else { MINUTE };
        outage.pause.begin_within(most, now);
        outage.last = now;
    }

    /// GitHub answered this organization: what is silent still is so by itself.
    pub(super) fn heard(&mut self, answered: &Access) {
        self.silent.clear();
        self.host.end();
        let others = self.of.iter_mut().filter(|(access, _)| *access != answered);
        others.for_each(|(_, outage)| outage.alone = true);
    }

    /// Forgets all organizations but these.
    pub(super) fn keep(&mut self, is_wanted: impl Fn(&Access) -> bool) {
        self.of.retain(|access, _| is_wanted(access));
        self.silent.retain(is_wanted);
    }

    /// Something was acknowledged there.
    pub(super) fn end(&mut self, access: &Access) {
        self.of.remove(access);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(organization: &str) -> Access {
        Access::new("api.github.com", organization)
    }

    fn wait(outages: &Outages, organization: &str, now: Instant) -> u64 {
        let until = outages.until(&access(organization));
        until.map_or(0, |until| until.saturating_duration_since(now).as_secs())
    }

    #[test]
    fn an_outage_of_one_organization_is_its_own() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        for expected in [2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600] {
            outages.begin(&access("acme"), now);
            assert_eq!(wait(&outages, "acme", now), expected);
            assert_eq!(wait(&outages, "tools", now), 0);
            outages.heard(&access("tools"));
            assert_eq!(wait(&outages, "acme", now), expected, "tools was answered");
        }
        // Once others are silent too it is the host, which answers all again at one time.
        outages.begin(&access("tools"), now);
        outages.begin(&access("acme"), now);
        assert_eq!(wait(&outages, "acme", now), 60);
        outages.heard(&access("acme"));
        outages.end(&access("acme"));
        assert_eq!(wait(&outages, "acme", now), 0);
        outages.begin(&access("acme"), now);
        assert_eq!(wait(&outages, "acme", now), 2, "anew");
    }

    #[test]
    fn an_outage_that_nobody_else_can_be_compared_with_is_looked_at_once_a_minute() {
        let (mut outages, now) = (Outages::default(), Instant::now());
        for expected in [2, 4, 8, 16, 32, 60, 60] {
            outages.begin(&access("acme"), now);
            // What it says itself says nothing of others.
            outages.heard(&access("acme"));
            assert_eq!(wait(&outages, "acme", now), expected);
        }
    }

    #[test]
    fn where_the_host_fails_one_organization_at_a_time_looks_whether_it_still_does() {
        let (mut outages, mut now) = (Outages::default(), Instant::now());
        let names = ["acme", "tools", "games"];
        let mut tries = Vec::new();
        let start = now;
        while now < start + Duration::from_mins(30) {
            // Whoever was tried longest ago, as the recorder does.
            let ready = names.iter().filter(|name| wait(&outages, name, now) == 0);
            let next = ready.min_by_key(|name| outages.last(&access(name)));
            if let Some(name) = next {
                outages.begin(&access(name), now);
                tries.push(*name);
            }
            now += Duration::from_secs(1);
        }
        assert!((30..=42).contains(&tries.len()), "{}", tries.len());
        for name in names {
            let count = tries.iter().filter(|tried| *tried == &name).count();
            assert!(
                count >= tries.len() / 4,
                "{name}: {count} of {}",
                tries.len()
            );
        }
        // One that comes later is not held back by what it had no part in.
        assert_eq!(wait(&outages, "fresh", now), 0);
        outages.heard(&access("tools"));
        // What was silent with others before is not so with one that fails by itself now.
        let later = now + MINUTE;
        outages.begin(&access("games"), later);
        assert_eq!(wait(&outages, "acme", later), 0);
        outages.end(&access("tools"));
        assert_eq!(wait(&outages, "tools", now), 0);
        assert!(wait(&outages, "acme", now) <= 60);
    }
}
