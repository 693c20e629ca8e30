//! The rights that a recorder needs: to see its scope, to know its cluster, to keep its ledger and
//! the Lease for it. They are gathered from those who make the calls; none is listed here.

use std::sync::Arc;

use crate::cluster::{Right, Scope};

use super::{events, lease, store};

/// What a call asks of the API server, as RBAC has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The plural of the kind.
    pub resource: &'static str,
    /// What is done.
    pub verb: &'static str,
    /// The name of the object; `None` for one that is only to be created and has none yet.
    pub name: Option<String>,
}

/// What must be allowed for a recorder to do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// Each of these.
    pub all: Vec<Right>,
    /// One of these.
    pub any: Vec<Right>,
}

/// What a recorder of `scope` needs that keeps the ledger `name` in `namespace`. `shards`: how many it
/// has, as far as that is known. `dry`: it only reads.
pub fn needed(scope: &Scope, namespace: &Arc<str>, name: &str, shards: usize, dry: bool) -> Needed {
    let mut all = scope.rights();
    let mut access = store::access(name, shards);
    if dry {
        access.retain(|access| !access.writes());
    } else {
        access.extend(lease::access(name));
    }
    all.extend(access.into_iter().map(|access| access.within(namespace)));
    Needed {
        all,
        any: Right::to_identify(namespace).into(),
    }
}

impl Needed {
    /// The same, where events are written on workloads of that scope.
    #[must_use]
    pub fn and_events(mut self, scope: &Scope) -> Self {
        self.all.extend(events::rights(scope));
        self
    }
}

impl Access {
    fn writes(&self) -> bool {
        self.verb != "get"
    }

    fn within(self, namespace: &Arc<str>) -> Right {
        Right {
            group: self.group.to_owned(),
            resource: self.resource.to_owned(),
            namespace: Some(Arc::clone(namespace)),
            name: self.name.map(Arc::from),
            verb: self.verb,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_ledger(shards: usize, dry: bool) -> Vec<String> {
        let namespace = "recorder".into();
        let needed = needed(&Scope::default(), &namespace, "it", shards, dry);
        let own = needed.all.into_iter();
        let own = own.filter(|right| right.namespace.as_ref() == Some(&namespace));
        let said = own.map(|right| {
            let name = right.name.unwrap_or_default();
            format!("{} {} {name}", right.verb, right.resource)
        });
        said.collect()
    }

    #[test]
    fn the_ledger_is_read_and_written_by_name_and_created_without_one() {
        let expected = [
            "get configmaps it",
            "get configmaps it-0",
            "get configmaps it-1",
            "get configmaps it-255",
            "update configmaps it",
            "update configmaps it-0",
            "update configmaps it-1",
            "update configmaps it-255",
            "create configmaps ",
            "get leases it",
            "create leases ",
            "update leases it",
        ];
        assert_eq!(of_ledger(2, false), expected);
    }

    #[test]
    fn a_dry_run_only_reads() {
        let expected = [
            "get configmaps it",
            "get configmaps it-0",
            "get configmaps it-255",
        ];
        assert_eq!(of_ledger(0, true), expected);
    }

    #[test]
    fn a_full_ledger_names_its_last_shard_once() {
        let of_last = of_ledger(256, true);
        let of_last = of_last.iter().filter(|right| right.ends_with(" it-255"));
        assert_eq!(of_last.count(), 1);
    }
}
