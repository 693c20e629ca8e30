//! Steps: how the reading of a watch went on, and what to do about an error of kube's watcher.

use kube::runtime::watcher::{self, Event};

use crate::cluster::bounds::is_too_long;
use crate::cluster::calls::{code, describe};
use crate::cluster::health::Trouble;

/// How the reading of a watch went on.
pub(super) enum Step<T> {
    Event(Event<T>),
    Failed {
        trouble: Trouble,
        start_anew: bool,
    },
    /// There is nothing of this name.
    Unknown(Trouble),
    /// So many objects are more than may be said at once.
    TooMuch(Trouble),
    /// The watch goes on, and there was nothing to say.
    CaughtUp,
}

/// Nothing more is waited for: everything is listed anew.
pub(super) fn given_up<T>(why: String) -> Step<T> {
    let trouble = Trouble {
        forbidden: false,
        needs_list: true,
        message: why.into(),
    };
    Step::Failed {
        trouble,
        start_anew: true,
    }
}

/// What to do about an error of the watcher: where it goes on from, and whether it can.
pub(super) fn failed<T>(error: &watcher::Error) -> Step<T> {
    let (needs_list, start_anew) = match error {
        watcher::Error::InitialListFailed(_) | watcher::Error::NoResourceVersion => (true, false),
        watcher::Error::WatchError(status) => (status.code == 410, false),
        // kube would ask for the same version again and again.
        watcher::Error::WatchStartFailed(error) => {
            (code(error) == Some(410), code(error) == Some(410))
        }
        // Nothing is lost with a connection: the watch goes on behind the last event. An event
        // that could not be read is lost.
        watcher::Error::WatchFailed(kube::Error::ReadEvents(_)) => (false, false),
        watcher::Error::WatchFailed(_) => (true, true),
    };
    let (forbidden, message) = match error {
        watcher::Error::InitialListFailed(source)
        | watcher::Error::WatchStartFailed(source)
        | watcher::Error::WatchFailed(source) => (code(source) == Some(403), describe(source)),
        watcher::Error::WatchError(status) => (status.code == 403, status.message.clone()),
        watcher::Error::NoResourceVersion => (false, error.to_string()),
    };
    let trouble = Trouble {
        forbidden,
        needs_list,
        message: message.into(),
    };
    match error {
        watcher::Error::InitialListFailed(source) if is_too_long(source) => Step::TooMuch(trouble),
        watcher::Error::InitialListFailed(source) | watcher::Error::WatchStartFailed(source)
            if code(source) == Some(404) =>
        {
            Step::Unknown(Trouble {
                needs_list: true,
                ..trouble
            })
        }
        _ => Step::Failed {
            trouble,
            start_anew,
        },
    }
}
