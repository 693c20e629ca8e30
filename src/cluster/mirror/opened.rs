//! Opened: when the API server began to answer a watch. kube's watcher tells of events alone, and a watch of
//! what seldom changes may have none for hours; that it goes on shows in the answer's status.

use std::time::Duration;

use http::{Request, StatusCode};
use kube::Client;
use kube::client::Body;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::bounds::is_watch;

/// What came to pass while there was no watch is said first. So long after it was opened this is over, as is an
/// error in place of it (410 with the status 200), and an API server that lags behind another has caught up.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(5);

/// No sooner after it was opened is a watch that ended in good order opened again. kube's watcher does that
/// without a pause and without a word, and what is in between may end each answer at once. Whoever asks so often
/// sees all changes nevertheless: each answer goes on where the one before it ended.
const OPENED_AGAIN_AFTER: Duration = Duration::from_secs(6);

/// When the watch that goes on now was opened, or the one that ended in good order.
#[derive(Debug)]
pub(super) struct Opened(watch::Sender<Option<Instant>>);

impl Opened {
    /// There is no watch yet.
    pub(super) fn not_yet() -> Self {
        Self(watch::Sender::new(None))
    }

    /// The same client, which says here that a watch is opened.
    pub(super) fn said_by(&self, client: Client) -> Client {
        let namespace = client.default_namespace().to_owned();
        let opened = self.0.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (client, opened) = (client.clone(), opened.clone());
            async move {
                let is_watch = is_watch(&request);
                let before = *opened.borrow();
                if let Some(before) = before.filter(|_| is_watch) {
                    tokio::time::sleep_until(before + OPENED_AGAIN_AFTER).await;
                }
                let answer = client.send(request).await?;
                if is_watch && answer.status() == StatusCode::OK {
                    opened.send_replace(Some(Instant::now()));
                }
                Ok::<_, kube::Error>(answer)
            }
        });
        Client::new(service, namespace)
    }

    /// The watch that was opened goes on no more.
    pub(super) fn failed(&self) {
        self.0.send_replace(None);
    }

    /// Waits until a watch is open and has said what it had to.
    pub(super) async fn caught_up(&self) {
        let mut opened = self.0.subscribe();
        // The sender is here: it is never closed.
        let at = opened.wait_for(Option::is_some).await.ok();
        if let Some(at) = at.and_then(|at| *at) {
            tokio::time::sleep_until(at + CATCHES_UP_WITHIN).await;
        }
    }
}
