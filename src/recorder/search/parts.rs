//! Parts: what is sent again because it was turned down whole, and how much more of each organization
//! may be cut. The organizations take turns, so that one with hundreds of records at fault takes
//! neither the cuts nor the time of another.

use std::collections::{BTreeMap, VecDeque};

use crate::github::pace::Access;
use crate::recorder::batch::Batch;

/// How often one search cuts batches of one organization in two.
const CUTS: usize = 20;

/// The parts of each organization, whose turn it is first.
#[derive(Default)]
pub(super) struct Parts {
    turns: VecDeque<(Access, VecDeque<Batch>)>,
    /// How often each was cut.
    cuts: BTreeMap<Access, usize>,
}

impl Parts {
    /// Whether what goes there may be cut once more.
    pub(super) fn may_cut(&self, access: &Access) -> bool {
        self.cuts.get(access).is_none_or(|cuts| *cuts < CUTS)
    }

    /// What goes there was cut into these.
    pub(super) fn add(&mut self, access: Access, [first, second]: [Batch; 2]) {
        *self.cuts.entry(access.clone()).or_default() += 1;
        let known = self.turns.iter_mut().find(|(known, _)| *known == access);
        match known {
            Some((_, parts)) => parts.extend([second, first]),
            None => self.turns.push_back((access, [second, first].into())),
        }
    }

    /// The next part of whose turn it is: the last that was added, or where `from_the_start` says so,
    /// the first.
    pub(super) fn next(&mut self, from_the_start: impl Fn(&Access) -> bool) -> Option<Batch> {
        let (access, mut parts) = self.turns.pop_front()?;
        let part = if from_the_start(&access) {
            parts.pop_front()
        } else {
            parts.pop_back()
        };
        if !parts.is_empty() {
            self.turns.push_back((access, parts));
        }
        part
    }

    /// All that are left.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Batch> {
        self.turns.drain(..).flat_map(|(_, parts)| parts)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::github::pace::Purpose;
    use crate::model::fixtures::destination;

    fn access(organization: &str) -> Access {
        Access::new("api.github.com", organization)
    }

    fn batch() -> Batch {
        Batch {
            destination: Arc::new(destination()),
            steps: Vec::new(),
            purpose: Purpose::Snapshot,
            witnesses: 0,
        }
    }

    #[test]
    fn each_organization_is_cut_twenty_times_and_what_is_left_can_be_had() {
        let mut parts = Parts::default();
        let [one, other] = ["acme", "other"].map(access);
        for _ in 0..CUTS {
            assert!(parts.may_cut(&one));
            parts.add(one.clone(), [batch(), batch()]);
        }
        assert!(!parts.may_cut(&one) && parts.may_cut(&other));
        assert_eq!(parts.drain().count(), 2 * CUTS);
        assert_eq!(parts.drain().count(), 0);
    }
}
