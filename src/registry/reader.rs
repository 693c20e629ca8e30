//! The reader: takes look-ups from the queue, a few at a time, and says what came of them. It runs in a
//! task of its own; nobody waits for it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use http::{Request, Response};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::model::image::ImageRef;
use crate::model::origin::Account;

use super::address::PlainHosts;
use super::client::{Client, Failure};
use super::keyring::{self, PullSecret};
use super::look_ups::{LookUps, Outcome};
use super::queue::{LookUp, Queue};

/// How many registries are asked at once: each may answer with as much as is ever read, and the memory of
/// the recorder is small.
const AT_ONCE: usize = 3;

/// How long one look-up may take, with everything.
const WITHIN: Duration = Duration::from_secs(30);

/// How many credentials are tried for one image.
const MOST_CREDENTIALS: usize = 5;

/// Reads the pull secrets of an account, or says why they cannot be read.
pub type Secrets =
    Arc<dyn Fn(Account) -> BoxFuture<'static, Result<Vec<PullSecret>, String>> + Send + Sync>;

/// Reads the labels that are wanted.
pub struct Reader<S> {
    client: Client<S>,
    look_ups: LookUps,
    secrets: Option<Secrets>,
}

impl<S> Reader<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// A reader that sends through `service` and speaks plain HTTP to `plain`. `secrets`: how pull
    /// secrets are read, if they may be used.
    pub fn new(service: S, plain: PlainHosts, look_ups: LookUps, secrets: Option<Secrets>) -> Self {
        Self {
            client: Client::new(service, plain),
            look_ups,
            secrets,
        }
    }

    /// Reads until it is told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut queue = Queue::default();
        let mut under_way = FuturesUnordered::new();
        let mut seen = 0;
        loop {
            let now = Instant::now();
            if let Some(unread) = self.look_ups.unread(&mut seen) {
                queue.want(&unread, now);
            }
            while under_way.len() < AT_ONCE
                && let Some(look_up) = queue.next(now)
            {
                under_way.push(self.look_up(look_up));
            }
            let due = queue.due().filter(|_| under_way.len() < AT_ONCE);
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.look_ups.wanted() => {}
                Some((look_up, ended)) = under_way.next() => self.note(&mut queue, &look_up, ended),
                () = sleep_until(due.unwrap_or(now)), if due.is_some() => {}
            }
        }
    }

    async fn look_up(&self, look_up: LookUp) -> (LookUp, Result<Option<String>, Failure>) {
        let asked = timeout(WITHIN, self.ask(&look_up)).await;
        (look_up, asked.unwrap_or(Err(Failure::Late)))
    }

    /// First as nobody: most images are public, and a secret that is not needed is not read.
    async fn ask(&self, look_up: &LookUp) -> Result<Option<String>, Failure> {
        let (place, digest) = (&look_up.place, &look_up.digest);
        let as_nobody = self.client.label(&place.image, digest, None).await;
        let mut failure = match as_nobody {
            Err(failure) if failure.may_be_for_want_of_rights() => failure,
            ended => return ended,
        };
        let (Some(secrets), Some(account)) = (&self.secrets, &place.account) else {
            return Err(failure);
        };
        let Some(image) = ImageRef::parse(&place.image) else {
            return Err(failure);
        };
        let secrets = secrets(account.clone()).await.map_err(Failure::Secrets)?;
        let credentials = keyring::credentials(&secrets, &image.name);
        for credential in credentials.iter().take(MOST_CREDENTIALS) {
            match self
                .client
                .label(&place.image, digest, Some(credential))
                .await
            {
                Err(denied) if denied.may_be_for_want_of_rights() => failure = denied,
                ended => return ended,
            }
        }
        Err(failure)
    }

    fn note(&self, queue: &mut Queue, look_up: &LookUp, ended: Result<Option<String>, Failure>) {
        let now = Instant::now();
        let (registry, image, digest) = (&look_up.registry, &*look_up.place.image, &look_up.digest);
        match ended {
            Ok(label) => {
                self.look_ups.learn(*digest, label.as_deref());
                let outcome = if label.is_some() {
                    Outcome::Label
                } else {
                    Outcome::None
                };
                self.look_ups.count(outcome, registry, None);
                queue.ended(look_up, None, now);
                tracing::debug!(image, %digest, outcome = outcome.as_str(), "read an image's label");
            }
            Err(failure) => {
                let (outcome, problem) = (failure.outcome(), failure.to_string());
                queue.ended(look_up, Some(failure.setback()), now);
                tracing::debug!(
                    image, %digest, outcome = outcome.as_str(), error = problem,
                    "could not read an image's label"
                );
                if self.look_ups.count(outcome, registry, Some(&problem)) {
                    tracing::warn!(
                        registry = &**registry,
                        image,
                        error = problem,
                        "labels of images cannot be read there, GitHub is told what else is known"
                    );
                }
            }
        }
    }
}
