//! What another copy of an entry knows, added to this one.

use crate::model::moment::Moment;
use crate::model::record::Status;

use super::Entry;
use crate::model::ledger::sent::{Fate, Sent};

impl Entry {
    /// Another copy, of which it is not known whether it is older, says that GitHub held something
    /// else: that may be so.
    pub(in crate::model::ledger) fn doubt(&mut self, other: &Self, now: Moment) {
        let Some(held) = &other.held else {
            return;
        };
        let is_said = self.held.as_ref() == Some(held) && self.tombstone == other.tombstone;
        if is_said && self.owner == other.owner {
            return;
        }
        let status = if other.tombstone {
            Status::Decommissioned
        } else {
            Status::Deployed
        };
        let sent = Sent {
            owner: other.owner.clone(),
            body: held.clone(),
            status,
            fate: Fate::Unknown,
        };
        self.sent.insert(0, sent);
        self.unknown_since = Some(now);
        self.acknowledged_since = false;
    }

    /// Adds what a stored copy of this entry says was sent: it may have been applied, and this one
    /// does not know of it. Returns whether there was any.
    pub(in crate::model::ledger) fn unite(&mut self, stored: Self) -> bool {
        let unknown = |sent: &Sent| {
            let it = (&sent.owner, &sent.body, sent.status);
            !self
                .sent
                .iter()
                .any(|known| (&known.owner, &known.body, known.status) == it)
        };
        let mut older: Vec<Sent> = stored.sent.into_iter().filter(unknown).collect();
        if older.is_empty() {
            return false;
        }
        self.unknown_since = self.unknown_since.max(stored.unknown_since);
        self.acknowledged_since = false;
        older.append(&mut self.sent);
        self.sent = older;
        true
    }
}
