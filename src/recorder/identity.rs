//! Which cluster this is: known before anything is sent, and read again with each full cycle. By
//! what a cluster is known is the cluster's matter, whose the ledger is the store's.

use std::time::Duration;

use tokio::time::Instant;

use super::delivery::PATIENCE;
use super::{Error, Recorder, Transport};

/// No pause between two tries is longer.
const LONGEST: Duration = Duration::from_mins(1);

/// What came of the tries so far to know the cluster.
#[derive(Debug, Default)]
pub(super) struct Tries {
    /// Why it is not known, as it was last logged.
    said: Option<String>,
    pause: Duration,
}

impl<S: Transport> Recorder<S> {
    /// Reads which cluster this is. A failed read says nothing; another uid is another cluster.
    pub(super) async fn read_identity(&mut self) -> Result<(), Error> {
        let fallback = self.settings.ledger_namespace.clone();
        match self.cluster.identity(&fallback).await {
            Ok((namespace, uid)) => {
                if let Some(store) = &self.store {
                    store
                        .check_cluster(&namespace, &uid)
                        .map_err(Error::Store)?;
                }
                self.uids.insert(namespace.to_string(), uid.to_string());
            }
            Err(why) if self.uids.is_empty() && self.github.is_some() => {
                self.tries.note(why.to_string());
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Tries again after a pause that grows.
    pub(super) fn wait_for_identity(&mut self, now: Instant) {
        self.schedule.again_at(now + self.tries.pause());
    }
}

impl Tries {
    /// Says why the cluster is not known, each reason once.
    fn note(&mut self, why: String) {
        if self.said.as_ref() != Some(&why) {
            tracing::warn!(error = why, "cluster is not identified, nothing is sent");
            self.said = Some(why);
        }
    }

    fn pause(&mut self) -> Duration {
        self.pause = (self.pause * 2).clamp(PATIENCE, LONGEST);
        self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::logged::Log;

    #[test]
    fn why_the_cluster_is_not_known_is_said_when_it_is_another_reason() {
        let (mut tries, log) = (Tries::default(), Log::default());
        let guard = log.begin();
        for why in ["forbidden", "forbidden", "gone", "forbidden"] {
            tries.note(why.to_owned());
        }
        drop(guard);
        assert_eq!(log.count("cluster is not identified"), 3, "{}", log.text());
    }

    #[test]
    fn pauses_grow_to_a_minute() {
        let mut tries = Tries::default();
        let pauses: Vec<u64> = (0..6).map(|_| tries.pause().as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    }
}
