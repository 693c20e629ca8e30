//! Faults of the scripted API server, and which requests meet them.

use std::time::Duration;

use super::Apiserver;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads a page of a list.
    List,
    /// Watches.
    Watch,
    /// Reads an object.
    Get,
    /// Creates an object (POST).
    Create,
    /// Replaces an object (PUT).
    Update,
    /// Deletes an object.
    Delete,
    /// Asks what there is; the kind of such a request is its path.
    Discover,
}

impl Verb {
    /// Whether it changes an object.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Create | Self::Update | Self::Delete)
    }

    /// What it is called in rights.
    pub(super) fn of_right(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Watch => "watch",
            Self::Get | Self::Discover => "get",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answered with this HTTP status, of which 403 is for lack of a right; nothing is done.
    Status(u16),
    /// The connection breaks before anything is done.
    Refused,
    /// Done, and the connection breaks before the answer.
    AnswerLost,
    /// Done, and half of the answer comes before the connection breaks.
    Cut,
    /// Nothing is done, and no answer ever comes.
    Hang,
    /// An answer begins (status 200) and never goes on.
    HangBody,
    /// Answered with status 200 and this text.
    Text(String),
    /// Done after this time.
    Slow(Duration),
}

/// A fault that waits for its requests.
pub(super) struct Rule {
    pub(super) verb: Verb,
    pub(super) kind: String,
    pub(super) fault: Fault,
    pub(super) skip: usize,
    pub(super) times: usize,
}

/// A planned fault: which requests meet it.
pub struct Planned<'a> {
    pub(super) server: &'a Apiserver,
    pub(super) rule: usize,
}

impl Planned<'_> {
    /// After this many requests that do not.
    pub fn skip(&self, requests: usize) -> &Self {
        self.server.inner().rules[self.rule].skip = requests;
        self
    }

    /// This many requests.
    pub fn times(&self, requests: usize) -> &Self {
        self.server.inner().rules[self.rule].times = requests;
        self
    }

    /// All of them, until [`Apiserver::heal`].
    pub fn forever(&self) -> &Self {
        self.times(usize::MAX)
    }
}
