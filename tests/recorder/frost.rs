//! A process that is stopped and goes on, as by SIGSTOP and SIGCONT: nothing of it runs, and time
//! passes.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Makes what runs under it stand still, as a process that is stopped: it is not polled, and time
/// goes on.
#[derive(Clone, Default)]
pub struct Frost(Arc<Mutex<Frozen>>);

#[derive(Default)]
struct Frozen {
    still: bool,
    wakers: Vec<Waker>,
}

impl Frost {
    /// From now on all of it stands still.
    pub fn falls(&self) {
        self.0.lock().unwrap().still = true;
    }

    /// It goes on.
    pub fn thaws(&self) {
        let mut frozen = self.0.lock().unwrap();
        frozen.still = false;
        frozen.wakers.drain(..).for_each(Waker::wake);
    }

    /// `future`, under it.
    pub fn over<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let frost = self.clone();
        async move {
            let mut future = pin!(future);
            poll_fn(|context| {
                let mut frozen = frost.0.lock().unwrap();
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
