//! The tasks of the mirrors, one each, and of namespaces that are read one by one; all of them ended
//! by one token.

use std::sync::Arc;

use kube::Client;
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::exact::ExactNamespaces;
use super::followed::Followed;
use super::keep::{Keep, Shared};
use super::mirror::Mirror;
use super::others::{self, Begun};
use super::patience::Patience;
use super::wake::Wake;

/// The running mirrors. They end when this is dropped.
pub(super) struct Tasks {
    client: Client,
    seed: u64,
    stop: CancellationToken,
    running: Mutex<JoinSet<()>>,
}

/// A mirror ended although nobody stopped it.
#[derive(Debug, thiserror::Error)]
#[error("a mirror of the cluster ended unexpectedly: {0}")]
pub struct MirrorEnded(String);

impl Tasks {
    /// No task yet; `seed`: where the random part of their waits comes from.
    pub(super) fn new(client: Client, seed: u64) -> Self {
        Self {
            client,
            seed,
            stop: CancellationToken::new(),
            running: Mutex::default(),
        }
    }

    /// Starts a mirror.
    pub(super) fn start<K: Keep>(&mut self, mirror: Mirror<K>) -> Arc<Mirror<K>> {
        let mirror = Arc::new(mirror);
        self.seed = self.seed.wrapping_add(1);
        let (client, seed, stop) = (self.client.clone(), self.seed, self.stop.clone());
        let running = Arc::clone(&mirror);
        self.running
            .get_mut()
            .spawn(async move { running.run(client, seed, stop).await });
        mirror
    }

    /// Starts to follow other kinds as they are begun.
    pub(super) fn start_others(&mut self, begun: Begun) {
        self.seed = self.seed.wrapping_add(1);
        let following = others::run(begun, self.client.clone(), self.seed);
        let stop = self.stop.clone();
        self.running.get_mut().spawn(async move {
            stop.run_until_cancelled(following).await;
        });
    }

    /// Starts to follow a kind that may come and go.
    pub(super) fn follow<K: Keep>(&mut self, followed: Followed<K>) -> Arc<Followed<K>> {
        let followed = Arc::new(followed);
        self.seed = self.seed.wrapping_add(1 << 16);
        let (client, seed, stop) = (self.client.clone(), self.seed, self.stop.clone());
        let running = Arc::clone(&followed);
        self.running.get_mut().spawn(async move {
            let following = running.follow(&client, seed);
            stop.run_until_cancelled(following).await;
        });
        followed
    }

    /// Starts to read again what of the namespaces could not be read.
    pub(super) fn start_reading(
        &mut self,
        exact: &Arc<ExactNamespaces>,
        shared: &Arc<Shared>,
        wake: &Wake,
    ) {
        self.seed = self.seed.wrapping_add(1);
        let patience = Patience::new(self.seed);
        let (client, stop) = (self.client.clone(), self.stop.clone());
        let (exact, shared, wake) = (Arc::clone(exact), Arc::clone(shared), wake.clone());
        self.running.get_mut().spawn(async move {
            let reading = exact.read_again(&client, &shared.converter, &wake, patience);
            stop.run_until_cancelled(reading).await;
        });
    }

    /// Waits until a mirror ends although nobody stopped it.
    pub(super) async fn failed(&self) -> MirrorEnded {
        let ended = self.running.lock().await.join_next().await;
        if self.stop.is_cancelled() {
            std::future::pending::<()>().await;
        }
        MirrorEnded(match ended {
            Some(Err(error)) => error.to_string(),
            Some(Ok(())) | None => "without an error".to_owned(),
        })
    }

    /// Ends them all.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        while self.running.lock().await.join_next().await.is_some() {}
    }
}
