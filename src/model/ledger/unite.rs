//! Uniting: what another copy of the ledger knows, put beside what this one knows.

use std::collections::btree_map;

use crate::model::moment::Moment;

use super::Ledger;

impl Ledger {
    /// Puts what a stored ledger knows and this one does not beside what this one knows: an answer
    /// of the store was lost, an older copy was restored under us, or a former writer was faster. Returns
    /// whether more may be held at GitHub than this one knew.
    pub fn unite(&mut self, stored: Self) -> bool {
        let mut is_news = false;
        for (identity, entry) in stored.entries {
            match self.entries.entry(identity) {
                // What is stored is from before it went.
                btree_map::Entry::Vacant(gone) if self.touched.contains(gone.key()) => {}
                btree_map::Entry::Vacant(free) => {
                    self.past.remove(free.key());
                    free.insert(entry);
                    is_news = true;
                }
                btree_map::Entry::Occupied(mut known) => is_news |= known.get_mut().unite(entry),
            }
        }
        for (identity, digest) in stored.past {
            if !self.entries.contains_key(&identity) {
                self.past.entry(identity).or_insert(digest);
            }
        }
        self.stock.unite(stored.stock);
        self.touch_all();
        is_news
    }

    /// The same of a copy that may be the newer one: what GitHub held by it may be what it holds.
    pub fn unite_strays(&mut self, strays: Self, now: Moment) {
        let copies = strays.entries.iter();
        let copies = copies.filter(|(identity, _)| self.entries.contains_key(identity));
        let copies: Vec<_> = copies
            .map(|(it, entry)| (it.clone(), entry.clone()))
            .collect();
        self.unite(strays);
        for (identity, copy) in copies {
            if let Some(known) = self.entries.get_mut(&identity) {
                known.doubt(&copy, now);
            }
        }
    }
}
