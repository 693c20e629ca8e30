//! What the API server calls a kind that may come and go, asked once for all mirrors of that kind; and
//! how such a mirror is kept.

use std::convert::Infallible;
use std::time::Duration;

use kube::Client;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::model::workload::Kind;

use super::discovery::{Resolved, resolve};
use super::health::Trouble;
use super::keep::Keep;
use super::mirror::Mirror;
use super::patience::Patience;

/// A kind that is not there is looked for again after this time.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);

/// The last answer about a kind.
#[derive(Debug)]
pub(super) struct Resolver {
    kind: Kind,
    answer: Mutex<Option<(Instant, Resolved)>>,
}

impl Resolver {
    /// Of a kind that nobody has asked for yet.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            answer: Mutex::default(),
        }
    }

    /// What the API server says of it; what it said since `since` is as good as a new answer. While
    /// one asks, the others wait for the same.
    async fn ask(&self, client: &Client, since: Instant) -> Result<Resolved, Trouble> {
        let mut known = self.answer.lock().await;
        if let Some((_, answer)) = known.as_ref().filter(|(at, _)| *at >= since) {
            return Ok(answer.clone());
        }
        let answer = resolve(client, &self.kind).await?;
        *known = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    /// Keeps a mirror of that kind for ever: watches while there is such a kind, and shows that there
    /// is nothing as long as the API server says that there is none.
    pub(super) async fn run<K: Keep>(
        &self,
        mirror: &Mirror<K>,
        client: Client,
        mut patience: Patience,
    ) -> Infallible {
        let mut since = Instant::now();
        loop {
            match self.ask(&client, since).await {
                Ok(Resolved::Found(served)) => {
                    mirror.watch(client.clone(), &served, &mut patience).await;
                    // It is gone, or has another version by now.
                    since = Instant::now();
                    sleep(patience.wait()).await;
                }
                Ok(Resolved::Absent) => {
                    mirror.show_nothing();
                    // An answer to another mirror of the kind will do, so that one of them asks.
                    since = Instant::now() + LOOK_AGAIN_AFTER / 2;
                    sleep(LOOK_AGAIN_AFTER).await;
                }
                Err(trouble) => {
                    mirror.fail(&trouble);
                    since = Instant::now();
                    sleep(patience.wait()).await;
                }
            }
        }
    }
}
