//! Being told to end: a command stops at once and says honestly how far it came. What that means
//! for what it was doing is the command's own matter.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Does `work` until it is done; `None` if SIGINT or SIGTERM came first. What `work` was waiting
/// for is dropped then, an unanswered request with it.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> anyhow::Result<Option<T>> {
    let listen_for = |kind| signal(kind).context("signals cannot be listened for");
    let mut interrupt = listen_for(SignalKind::interrupt())?;
    let mut terminate = listen_for(SignalKind::terminate())?;
    Ok(tokio::select! {
        biased;
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        done = work => Some(done),
    })
}
