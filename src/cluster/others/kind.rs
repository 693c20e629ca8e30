//! One kind that owns pods and is not built in: what of it cannot be read, and its end when nobody names
//! it any more. How it is followed is in `followed`.

use std::sync::Arc;

use kube::Client;
use tokio_util::sync::CancellationToken;

use crate::cluster::followed::Followed;
use crate::cluster::health::MirrorState;
use crate::cluster::keep::Owners;
use crate::cluster::mirror::{Mirror, State};
use crate::cluster::wake::Wake;
use crate::model::facts::Object;
use crate::model::workload::Kind;

/// A kind that is not built in, and its mirrors.
#[derive(Debug)]
pub(in crate::cluster) struct OtherKind {
    followed: Followed<Owners>,
    dropped: CancellationToken,
}

impl OtherKind {
    /// One that is to be looked at by these mirrors.
    pub(super) fn new(kind: &Kind, mirrors: Vec<Mirror<Owners>>, wake: &Wake) -> Self {
        Self {
            followed: Followed::new(kind, mirrors, wake),
            dropped: CancellationToken::new(),
        }
    }

    pub(super) fn followed(&self) -> &Followed<Owners> {
        &self.followed
    }

    /// What a mirror in this state lacks to read, in words.
    pub(super) fn lacks(&self, state: &State<Arc<Object>>) -> Arc<str> {
        let is_forbidden = state.shown() == MirrorState::Forbidden;
        let kind = self.followed.kind();
        let plural = self.followed.plural();
        let what = plural.as_deref().unwrap_or_else(|| kind.kind());
        let group = match kind.group() {
            "" => "the core group",
            group => group,
        };
        match state.error().filter(|_| !is_forbidden) {
            Some(error) => format!("cannot list and watch {what} in {group}: {error}").into(),
            None => format!("may not list and watch {what} in {group}").into(),
        }
    }

    /// Nobody names it any more.
    pub(super) fn drop_it(&self) {
        tracing::info!(kind = %self.followed.kind(), "a kind is no longer looked at");
        self.dropped.cancel();
    }

    /// Follows it until it is dropped. `seed`: where the random part of its waits comes from.
    pub(super) async fn run(&self, client: &Client, seed: u64) {
        let following = self.followed.follow(client, seed);
        self.dropped.run_until_cancelled(following).await;
    }
}
