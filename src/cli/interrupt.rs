//! Being told to end: a command stops at once and says honestly how far it came, or is told so and
//! comes to a good end by itself, unless it is told twice. What that means for what it was doing is
//! the command's own matter.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Does `work` until it is done; `None` if SIGINT or SIGTERM came first. What `work` was waiting
/// for is dropped then, an unanswered request with it.
pub async fn unless_interrupted<T>(work: impl Future<Output = T>) -> anyhow::Result<Option<T>> {
    let [mut terminate, mut interrupt] = signals()?;
    Ok(tokio::select! {
        biased;
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        done = work => Some(done),
    })
}

/// What asks to stop.
pub fn signals() -> anyhow::Result<[Signal; 2]> {
    let listen_for = |kind| signal(kind).context("signals cannot be listened for");
    Ok([
        listen_for(SignalKind::terminate())?,
        listen_for(SignalKind::interrupt())?,
    ])
}

/// The first signal asks to stop; ends with the second.
pub async fn signalled_twice(
    [mut terminate, mut interrupt]: [Signal; 2],
    stop: &CancellationToken,
) {
    for _ in 0..2 {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        if !stop.is_cancelled() {
            tracing::info!("stopping");
        }
        stop.cancel();
    }
}
