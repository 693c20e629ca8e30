//! A process that is killed: it gets so many steps further, and not one more.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// What ends a process at any await.
#[derive(Clone, Default)]
pub struct Fuse(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// How many steps are left, once that is decided.
    left: Option<usize>,
    /// Of each of its tasks, by number.
    wakers: BTreeMap<usize, Waker>,
    tasks: usize,
}

impl State {
    fn wake(&mut self) {
        std::mem::take(&mut self.wakers)
            .into_values()
            .for_each(Waker::wake);
    }
}

impl Fuse {
    /// From now on it gets so many steps further.
    pub fn light(&self, steps: usize) {
        let mut state = self.0.lock().unwrap();
        state.left = Some(steps);
        if steps == 0 {
            state.wake();
        }
    }

    /// `future` until it is killed, when it is dropped and this gives `None`.
    pub fn over<F: Future>(&self, future: F) -> impl Future<Output = Option<F::Output>> + use<F> {
        let fuse = self.clone();
        async move {
            let mut future = pin!(future);
            let number = {
                let mut state = fuse.0.lock().unwrap();
                state.tasks += 1;
                state.tasks
            };
            poll_fn(|context| {
                let mut state = fuse.0.lock().unwrap();
                state.wakers.insert(number, context.waker().clone());
                match &mut state.left {
                    Some(0) => return Poll::Ready(None),
                    Some(1) => {
                        state.left = Some(0);
                        state.wake();
                    }
                    Some(left) => *left -= 1,
                    None => {}
                }
                drop(state);
                future.as_mut().poll(context).map(Some)
            })
            .await
        }
    }
}
