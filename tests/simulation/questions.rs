//! What the oracle is asked of a line at the moment at which it leaves: whether it may be said.

use std::time::Duration;

use tokio::time::Instant;

use crate::oracle::{Oracle, Past, Standing};
use crate::seen::{Source, anywhere, is_named, plain};

impl Oracle {
    fn owners<'a>(
        &'a self,
        environment: &'a str,
        name: &'a str,
        digest: &'a str,
    ) -> impl Iterator<Item = (&'a Source, &'a Past)> {
        let all = self.sources.iter().filter(move |it| it.0.0 == environment);
        all.filter(move |it| self.owns(it.0, name, digest))
    }

    /// Whether a record that GitHub acknowledged then has been right `since`. Where several may be called so
    /// it may be anybody's of them, but for who was gone long before.
    pub fn is_right(&self, environment: &str, name: &str, digest: &str, since: Instant) -> bool {
        let long_ago = |past: &Past| {
            let gone = past.gone.map(|it| it.1 + self.told.patience());
            gone.is_some_and(|over| over < since)
        };
        let owners = self.owners(environment, name, digest);
        let mut owners = owners.filter(|it| !long_ago(it.1)).peekable();
        let is_right = |past: &Past| past.right.is_some_and(|right| right <= since);
        owners.peek().is_some()
            && owners.all(|(source, past)| is_right(past) && self.may_stay(source, past))
    }

    /// Whether that digest runs for who may be called so.
    pub fn runs(&self, name: &str, digest: &str) -> bool {
        self.sources
            .iter()
            .any(|(source, past)| match &past.standing {
                Some(Standing::Must((_, now, ..))) => {
                    now == digest && is_named(name, &plain(source))
                }
                _ => false,
            })
    }

    /// Whether who may be called so ever ran that digest, wherever its namespace belonged.
    pub fn ever_ran(&self, name: &str, digest: &str) -> bool {
        let mut all = self.digests.iter();
        all.any(|(source, ran)| ran == digest && is_named(name, &plain(source)))
    }

    /// Where a record belongs that had been right `since` until its namespace moved, and whose workload has been
    /// right there ever since: environment, and name but for a hash.
    pub fn moved(
        &self,
        environment: &str,
        name: &str,
        digest: &str,
        since: Instant,
    ) -> Option<(&str, String)> {
        let (source, past) = self.owners(environment, name, digest).next()?;
        // Of several called so a watch that says nothing of its namespace has another one here.
        let all = self.sources.keys();
        let mut all = all.filter(|it| self.owns(it, name, digest));
        if all.any(|it| anywhere(it) != anywhere(source)) {
            return None;
        }
        let (right, until) = past.gone?;
        if right? > since {
            return None;
        }
        let mut others = self.sources.iter();
        let (other, _) = others.find(|(other, past)| {
            other.0 != environment
                && anywhere(other) == anywhere(source)
                && matches!(past.standing, Some(Standing::Must(_)))
                && past.right.is_some_and(|right| right <= until)
        })?;
        Some((&other.0, plain(other)))
    }

    /// How long who is called so has been gone, in whatever environment; none if it is there.
    pub fn gone_for(&self, environment: &str, name: &str, digest: &str) -> Option<Duration> {
        let owners = self.owners(environment, name, digest);
        let times = owners.map(|(source, past)| {
            let mut all = self.sources.iter();
            let is_there = all.any(|(other, past)| {
                past.standing.is_some() && anywhere(other) == anywhere(source)
            });
            past.gone.filter(|_| !is_there).map(|it| it.1.elapsed())
        });
        let times: Option<Vec<Duration>> = times.collect();
        times?.into_iter().max()
    }
}
