//! The writer: says what the queue gives, one at a time, as long as this process may write.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::api::PostParams;
use kube::{Api, Error};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::clock::Clock;
use crate::recorder::chain;
use crate::recorder::lease::Tenure;
use crate::recorder::status::Shared;

use super::cause::Cause;
use super::queue::{Queue, Said};
use super::{Desk, FAILED, KNOWN, WRITTEN, Wrong, object};

/// How long one may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait where this process may not write.
const NOT_OURS: Duration = Duration::from_secs(15);

/// What events are written by.
pub(super) struct Writer {
    pub(super) desk: Desk,
    pub(super) lease: Tenure,
    pub(super) clock: Clock,
    pub(super) status: Shared,
}

impl Writer {
    /// Writes until nobody tells causes any more.
    pub(super) async fn write(self, mut causes: watch::Receiver<Arc<Wrong>>) {
        let mut queue = Queue::default();
        loop {
            let wrong = causes.borrow_and_update().clone();
            let now = Instant::now();
            queue.learn(wrong.clone(), now);
            let cause = match queue.next(now) {
                Ok(cause) => cause,
                Err(again) => {
                    tokio::select! {
                        changed = causes.changed() => if changed.is_err() {
                            return;
                        },
                        () = sleep_until(again.unwrap_or(now)), if again.is_some() => {}
                    }
                    continue;
                }
            };
            let version = wrong.get(&cause).and_then(Option::as_deref);
            let Some(said) = self.lease.during(self.say(&cause, version)).await else {
                sleep(NOT_OURS).await;
                continue;
            };
            let result = match said {
                Said::Written => WRITTEN,
                Said::Known => KNOWN,
                Said::Refused | Said::Failed => FAILED,
            };
            *self.status.lock().events.entry(result).or_default() += 1;
            queue.done(cause, said, Instant::now());
        }
    }

    async fn say(&self, cause: &Cause, version: Option<&str>) -> Said {
        let event = object::event(cause, version, &self.desk.instance, self.clock.wall());
        let namespace = &cause.workload.namespace;
        let api: Api<Event> = Api::namespaced(self.desk.client.clone(), namespace);
        let created = timeout(TIMEOUT, api.create(&PostParams::default(), &event)).await;
        let (said, error) = match created {
            Ok(Ok(_)) => return Said::Written,
            Ok(Err(Error::Api(status))) if status.code == 409 => return Said::Known,
            Ok(Err(error)) => (meaning(&error), chain(&error)),
            Err(_) => {
                let error = format!("no answer within {} s", TIMEOUT.as_secs());
                (Said::Failed, error)
            }
        };
        tracing::debug!(workload = %cause.workload, reason = %cause.reason, error, "event not written");
        said
    }
}

/// Whether it is about this namespace or this event, or about the API server and who asks it.
fn meaning(error: &Error) -> Said {
    match error {
        Error::Api(status) if matches!(status.code, 401 | 408 | 429) => Said::Failed,
        Error::Api(status) if (400..500).contains(&status.code) => Said::Refused,
        _ => Said::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_one_event_is_told_from_what_is_wrong_with_all() {
        for (code, expected) in [
            (400, Said::Refused),
            (403, Said::Refused),
            (404, Said::Refused),
            (422, Said::Refused),
            (401, Said::Failed),
            (408, Said::Failed),
            (429, Said::Failed),
            (500, Said::Failed),
            (503, Said::Failed),
        ] {
            let status = kube::core::Status {
                code,
                ..kube::core::Status::default()
            };
            assert_eq!(meaning(&Error::Api(status.boxed())), expected, "{code}");
        }
    }
}
