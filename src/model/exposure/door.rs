//! Doors: the objects by which traffic from outside may come to pods, in plain values and in words.

use std::fmt;
use std::sync::Arc;

use super::internal::Internal;
use super::links::Link;

/// One object, by its names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Its kind.
    pub link: Link,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.link, self.namespace, self.name)
    }
}

/// An object by which traffic from outside may come to pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Door {
    /// The object: a Service, an Ingress or a Gateway.
    pub object: Named,
    /// What lies between it and the pods, in the order in which traffic passes it.
    pub through: Vec<Named>,
    /// Whether it lets anything in.
    pub state: DoorState,
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)?;
        for (number, link) in self.through.iter().enumerate() {
            let by = if number == 0 { " through" } else { "," };
            write!(f, "{by} {link}")?;
        }
        write!(f, ": {}", self.state)
    }
}

/// Whether a door lets anything in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorState {
    /// It does, from the internet.
    Open,
    /// It does not count.
    Closed(Closed),
    /// This, on its way, is not fully seen.
    Unread(Unread),
}

impl fmt::Display for DoorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open to the internet"),
            Self::Closed(closed) => closed.fmt(f),
            Self::Unread(unread) => unread.fmt(f),
        }
    }
}

/// Why a door does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// It is for private networks only.
    Internal(Internal),
    /// It has not accepted the route that is to be attached to it.
    NotAccepted,
    /// There is no such object.
    Missing,
    /// The Service is in another namespace than the route, and nothing there permits it.
    NotPermitted,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Internal(internal) => internal.fmt(f),
            Self::NotAccepted => f.write_str("it has not accepted the route"),
            Self::Missing => f.write_str("it does not exist"),
            Self::NotPermitted => {
                f.write_str("its route may not refer to a Service of this namespace")
            }
        }
    }
}

/// A kind that is not fully seen where it matters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unread {
    /// The kind.
    pub link: Link,
    /// The namespace; `None` where it matters everywhere.
    pub namespace: Option<Arc<str>>,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} in {namespace} is not fully seen", self.link),
            None => write!(f, "{} is not fully seen", self.link),
        }
    }
}
