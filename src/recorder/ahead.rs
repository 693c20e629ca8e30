//! Writing ahead: what is about to be sent is stored before it leaves, and what was acknowledged a
//! little later. How it is stored is the store's matter.

use std::time::Duration;

use tokio::time::Instant;

use super::store::{Store, StoreError, Stored};
use super::{Error, Recorder, Transport, delivery};

impl<S: Transport> Recorder<S> {
    /// Stores what is about to be sent.
    pub(super) async fn write_ahead(&mut self) -> Result<Written, Error> {
        let template = self.settings.policy.template.to_string();
        self.ledger.set_template(template.into());
        let now = self.clock.now();
        let Some(store) = &mut self.store else {
            return Ok(Written::No);
        };
        let stop = self.stop.clone();
        // The root's swap is what keeps two from writing; this keeps one from trying.
        let storing = Box::pin(store.store(&mut self.ledger, &self.uids, now));
        let storing = self.lease.during(storing);
        let storing = self.status.alive(&self.clock, storing);
        let result = tokio::select! {
            biased;
            result = storing => result,
            () = delivery::long_after(&stop) => None,
        };
        if let Some(result) = result {
            return self.after_store(result);
        }
        // The cycle has taken the change that began it, so it does not come again by itself.
        self.schedule.again_at(Instant::now());
        Ok(Written::No)
    }

    fn after_store(&mut self, result: Result<Stored, StoreError>) -> Result<Written, Error> {
        match result {
            Ok(stored) => {
                self.schedule.stored();
                self.store_backoff = Duration::ZERO;
                self.status.lock().store_error = None;
                Ok(if stored == Stored::United {
                    Written::Anew
                } else {
                    Written::Yes
                })
            }
            Err(error) if error.is_passing() => {
                self.store_backoff =
                    (self.store_backoff * 2).clamp(Duration::from_secs(2), Duration::from_mins(1));
                self.schedule.again_at(Instant::now() + self.store_backoff);
                let message = super::chain(&error);
                tracing::error!(error = message, "ledger not stored, nothing is sent");
                self.status.lock().store_error = Some(message);
                Ok(Written::No)
            }
            Err(error) => Err(Error::Store(error)),
        }
    }

    /// Whether the store has all that it is to have; in a dry run that is nothing.
    pub(super) fn is_stored(&self) -> bool {
        let lacks = |store: &Store| !self.ledger.is_stored() || store.is_due();
        !self.store.as_ref().is_some_and(lacks)
    }

    /// Writes all of the ledger again: what somebody deleted or put back is found so, once an interval and
    /// when nobody waits for it.
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        self.schedule.renewed();
        if let Some(store) = &mut self.store {
            store.renew();
        }
        self.store_acknowledgements().await?;
        Ok(())
    }

    /// Stores acknowledgements, if there are any. Returns whether nothing is left to store.
    pub(super) async fn store_acknowledgements(&mut self) -> Result<bool, Error> {
        self.schedule.stored();
        if self.is_stored() || self.uids.is_empty() {
            return Ok(true);
        }
        let written = self.write_ahead().await?;
        if matches!(written, Written::Anew) {
            self.schedule.again_at(Instant::now());
        }
        Ok(!matches!(written, Written::No))
    }
}

/// What came of writing ahead.
pub(super) enum Written {
    /// It is stored.
    Yes,
    /// It is stored, and the store knew more: the plan is out of date.
    Anew,
    /// It is not stored.
    No,
}
