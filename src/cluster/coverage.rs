//! Where a kind is fully seen, from the states of its mirrors.

use std::collections::BTreeSet;

use crate::model::facts::View;

use super::health::MirrorState;
use super::place::Place;

/// Where the mirrors of one kind are Synced.
#[derive(Debug, Default)]
pub(super) struct Seen(View);

impl Seen {
    /// Adds a mirror.
    pub(super) fn add(&mut self, place: &Place, state: MirrorState) {
        if state != MirrorState::Synced {
            return;
        }
        match (&mut self.0, &place.namespace) {
            (view, None) => *view = View::Everything,
            (View::Only(namespaces), Some(namespace)) => {
                namespaces.insert(namespace.clone());
            }
            (view @ View::Nothing, Some(namespace)) => {
                *view = View::Only(BTreeSet::from([namespace.clone()]));
            }
            (View::Everything, Some(_)) => {}
        }
    }

    /// The view that they give.
    pub(super) fn view(self) -> View {
        self.0
    }
}
