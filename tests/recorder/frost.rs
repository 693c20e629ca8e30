//! A process that is stopped and goes on, as by SIGSTOP and SIGCONT: nothing of it runs, and time
//! passes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

/// Makes what runs under it stand still, as a process that is stopped: it is not polled, and time
/// goes on.
#[derive(Clone, Default)]
pub struct Frost(Arc<Mutex<Frozen>>);

#[derive(Default)]
struct Frozen {
    still: bool,
    /// After how many steps it stands still, once that is decided.
    left: Option<usize>,
    wakers: Vec<Waker>,
}

impl Frost {
    /// From now on all of it stands still.
    pub fn falls(&self) {
        self.0.lock().unwrap().still = true;
    }

    /// It stands still as soon as it is so many steps further: between two awaits, where a process
    /// that waits for time to pass never is.
    pub fn falls_after(&self, steps: usize) {
        self.0.lock().unwrap().left = Some(steps);
    }

    /// From now on it is about to stand still, until it is told to go on.
    pub fn comes(&self) {
        self.falls_after(usize::MAX);
    }

    /// All of it stands still, if it was about to and was not told to go on since.
    pub fn falls_if_it_comes(&self) {
        let mut frozen = self.0.lock().unwrap();
        frozen.still |= frozen.left.is_some();
    }

    /// It goes on.
    pub fn thaws(&self) {
        self.thaws_from(0);
    }

    /// It goes on, beginning with this one of its tasks: which one that is, the scheduler decides.
    pub fn thaws_from(&self, turn: usize) {
        let mut frozen = self.0.lock().unwrap();
        (frozen.still, frozen.left) = (false, None);
        let mut wakers = std::mem::take(&mut frozen.wakers);
        drop(frozen);
        let first = turn.checked_rem(wakers.len()).unwrap_or_default();
        wakers.rotate_left(first);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready unless it stands still: for what others bring to a process.
    pub fn passes(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut frozen = self.0.lock().unwrap();
        if frozen.still {
            frozen.wakers.push(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// `future`, under it.
    pub fn over<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let frost = self.clone();
        async move {
            let mut future = pin!(future);
            poll_fn(|context| {
                let mut frozen = frost.0.lock().unwrap();
                match &mut frozen.left {
                    Some(0) => frozen.still = true,
                    Some(left) => *left -= 1,
                    None => {}
                }
                if frozen.still {
                    frozen.wakers.push(context.waker().clone());
                    return Poll::Pending;
                }
                drop(frozen);
                future.as_mut().poll(context)
            })
            .await
        }
    }
}
