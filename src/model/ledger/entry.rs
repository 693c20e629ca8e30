//! One entry of the ledger: what GitHub last acknowledged under an identity, and what it may hold
//! besides because an answer is missing.

use std::sync::Arc;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::moment::Moment;
use crate::model::record::{Body, Line, Status};

use super::refusal::Refusal;
use super::sent::{Fate, Owner, Sent};

mod copies;
mod doubts;

/// How many unanswered bodies of one name are remembered that differ in tags and risks alone.
const MOST_ALIKE: usize = 8;

/// What GitHub holds, or may hold, under one identity.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Whose name it is.
    pub owner: Owner,
    /// What GitHub last acknowledged. Of a tombstone: the body that was decommissioned.
    pub held: Option<Arc<Body>>,
    /// What is sent, or about to be, and not yet answered for good; the newest last.
    pub sent: Vec<Sent>,
    /// Whether GitHub has acknowledged its end once.
    tombstone: bool,
    /// Since when it is a tombstone, as far as this process knows.
    tombstone_since: Moment,
    /// When an outcome became unknown last, until a definite answer comes so late that nothing of
    /// it is applied after that.
    unknown_since: Option<Moment>,
    /// Whether something was acknowledged since.
    acknowledged_since: bool,
    /// Since when its source is missing.
    pub missing_since: Option<Moment>,
    /// The refusal of its last decommission.
    pub end_refusal: Option<Box<Refusal>>,
}

impl Entry {
    /// An entry that nothing was sent for yet.
    pub fn new(owner: Owner) -> Self {
        Self {
            owner,
            held: None,
            sent: Vec::new(),
            tombstone: false,
            tombstone_since: Moment::START,
            unknown_since: None,
            acknowledged_since: false,
            missing_since: None,
            end_refusal: None,
        }
    }

    /// The same entry as a tombstone, or not.
    #[must_use]
    pub fn with_tombstone(mut self, tombstone: bool) -> Self {
        self.tombstone = tombstone;
        self
    }

    /// Whether GitHub has acknowledged its end once.
    pub fn is_tombstone(&self) -> bool {
        self.tombstone
    }

    /// Whether GitHub has acknowledged it, as deployed.
    pub fn is_acknowledged(&self) -> bool {
        self.held.is_some() && !self.tombstone
    }

    fn unanswered(&self) -> impl DoubleEndedIterator<Item = &Sent> {
        self.sent.iter().filter(|sent| sent.fate == Fate::Unknown)
    }

    fn is_own_report(&self, sent: &Sent) -> bool {
        sent.status == Status::Deployed && sent.owner == self.owner
    }

    /// Whether what has to be stored of it is all older than what was acknowledged last.
    pub fn is_acknowledged_since(&self) -> bool {
        let is_stored = |sent: &&Sent| self.must_be_stored(sent);
        let mut stored = self.sent.iter().filter(is_stored).peekable();
        let is_any = stored.peek().is_some();
        is_any && self.acknowledged_since && stored.all(|sent| sent.fate == Fate::Unknown)
    }

    /// The same entry, of which something was acknowledged after all that is unanswered, or not.
    #[must_use]
    pub fn with_acknowledged_since(mut self, acknowledged: bool) -> Self {
        self.acknowledged_since = acknowledged;
        self
    }

    /// Whether some outcome is unknown.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered().next().is_some()
    }

    /// When what is unanswered is to be asked: at once, or if something was acknowledged since, when
    /// an answer can settle it.
    pub fn settles_at(&self, settle_after: Duration) -> Option<Moment> {
        let waits = self.unknown_since.filter(|_| self.acknowledged_since);
        let at = waits.map_or(Moment::START, |since| since + settle_after);
        self.is_unanswered().then_some(at)
    }

    /// When its end is to be said a second time: one settling time after the acknowledgement of
    /// the first and after the last unknown outcome.
    pub fn ends_again_at(&self, settle_after: Duration) -> Moment {
        let unknown = self.unknown_since.unwrap_or_default();
        self.tombstone_since.max(unknown) + settle_after
    }

    /// The bodies that GitHub may hold, the likeliest first: what is unanswered, then what is held.
    pub fn bodies(&self) -> Vec<&Arc<Body>> {
        let mut bodies: Vec<&Arc<Body>> = Vec::new();
        let sent = self
            .sent
            .iter()
            .rev()
            .filter(|sent| sent.fate != Fate::Intended);
        for body in sent.map(|sent| &sent.body).chain(&self.held) {
            if !bodies.contains(&body) {
                bodies.push(body);
            }
        }
        bodies
    }

    /// The copy of `body` that this entry has, if it has one: what stays from plan to plan is held
    /// once.
    pub fn own_copy(&self, body: &Arc<Body>) -> Arc<Body> {
        let sent = self.sent.iter().map(|sent| &sent.body);
        let mut own = self.held.iter().chain(sent);
        own.find(|own| *own == body).unwrap_or(body).clone()
    }

    /// Whether nothing was ever sent for it that GitHub may hold.
    pub(super) fn is_void(&self) -> bool {
        self.held.is_none() && self.sent.is_empty()
    }

    pub(super) fn begin_anew(&mut self, now: Moment) {
        self.tombstone_since = now;
        self.unknown_since = (!self.sent.is_empty()).then_some(now);
        self.sent
            .iter_mut()
            .for_each(|sent| sent.fate = Fate::Unknown);
    }

    /// Whether `sent` has to be stored before it leaves, and as long as it is not answered for good. What says
    /// again what is held has to be only where it came after what may have undone that.
    pub fn must_be_stored(&self, sent: &Sent) -> bool {
        let is_since = sent.fate != Fate::Intended && !self.acknowledged_since;
        !self.is_said_again(sent) || (is_since && self.may_be_undone())
    }

    /// Whether it says again what is held, but for tags and risks.
    fn is_said_again(&self, sent: &Sent) -> bool {
        let held = self.held.as_ref();
        let is_held = held.is_some_and(|held| held.names_the_same_as(&sent.body));
        is_held && !self.tombstone && self.is_own_report(sent)
    }

    /// Whether what has to be stored has changed.
    pub(super) fn intend(&mut self, line: &Line, owner: &Owner) -> bool {
        let is_intended = self.sent.iter().any(|sent| {
            let it = (&sent.owner, &sent.body, sent.status);
            sent.fate == Fate::Intended && it == (owner, &line.body, line.status)
        });
        if is_intended {
            return false;
        }
        let taken_back = self.take_back_unsent();
        if self.is_void() {
            self.owner = owner.clone();
        }
        let sent = Sent {
            owner: owner.clone(),
            body: line.body.clone(),
            status: line.status,
            fate: Fate::Intended,
        };
        let store = self.must_be_stored(&sent);
        // Thousands of entries have one, hardly any has two.
        self.sent.reserve_exact(1);
        self.sent.push(sent);
        store || taken_back
    }

    /// Returns whether what has to be stored has changed.
    pub(super) fn leaves(&mut self, line: &Line) -> bool {
        // One line may leave twice in a cycle, first as a witness.
        let changed = self.under_way(line).is_none() && self.intend(line, &self.owner.clone());
        if let Some(sent) = self.under_way(line) {
            sent.fate = Fate::Left;
        }
        changed
    }

    /// What is under way of `line`: at most one request is.
    fn under_way(&mut self, line: &Line) -> Option<&mut Sent> {
        self.sent.iter_mut().find(|sent| {
            sent.fate != Fate::Unknown && sent.body == line.body && sent.status == line.status
        })
    }

    /// Nothing of `line` was applied. Returns whether what is stored has changed.
    pub(super) fn turned_down(&mut self, line: &Line) -> bool {
        self.drop_sent(|sent| {
            sent.fate != Fate::Unknown && sent.body == line.body && sent.status == line.status
        })
    }

    /// A report is refused. Returns whether what is stored has changed. Late enough, the refusal says
    /// of the same body that no earlier request created it either. Other bodies that may have been
    /// applied stay, for the end of the record, until something is acknowledged.
    pub(super) fn refused(&mut self, line: &Line, now: Moment, settle_after: Duration) -> bool {
        let settled = self.settles(now, settle_after);
        self.drop_sent(|sent| {
            let it = sent.body == line.body && sent.status == line.status;
            it && (settled || sent.fate != Fate::Unknown)
        })
    }

    /// Whether a definite answer at `now` comes so late that nothing unknown is applied after it.
    fn settles(&mut self, now: Moment, settle_after: Duration) -> bool {
        self.unknown_since = self.unknown_since.filter(|at| now < *at + settle_after);
        self.unknown_since.is_none()
    }

    /// Drops what was sent, or is to be; whether something of it had to be stored.
    fn drop_sent(&mut self, goes: impl Fn(&Sent) -> bool) -> bool {
        let (gone, kept) = std::mem::take(&mut self.sent).into_iter().partition(goes);
        let gone: Vec<Sent> = gone;
        self.sent = kept;
        gone.iter().any(|sent| self.must_be_stored(sent))
    }

    /// No answer came. Returns whether what is to be stored has changed.
    pub(super) fn lost(&mut self, line: &Line, now: Moment) -> bool {
        self.unknown_since = Some(now);
        self.acknowledged_since = false;
        self.sent.retain(|sent| {
            sent.fate != Fate::Unknown || sent.body != line.body || sent.status != line.status
        });
        let Some(sent) = self.under_way(line) else {
            return false;
        };
        sent.fate = Fate::Unknown;
        let lost = sent.clone();
        self.forget_one_like(&lost);
        self.is_said_again(&lost) && self.may_be_undone()
    }

    /// However often tags change while nothing is answered, few are remembered of what is the same but
    /// for them: the end of each ends the others too. The oldest stay, and the newest.
    fn forget_one_like(&mut self, lost: &Sent) {
        let is_like = |sent: &Sent| {
            let is_for = sent.owner == lost.owner && sent.status == lost.status;
            is_for && sent.fate == Fate::Unknown && sent.body.names_the_same_as(&lost.body)
        };
        let places = self.sent.iter().enumerate();
        let like: Vec<usize> = places
            .filter(|(_, sent)| is_like(sent))
            .map(|(place, _)| place)
            .collect();
        if let [.., before, _] = like[..]
            && like.len() > MOST_ALIKE
        {
            self.sent.remove(before);
        }
    }

    /// A report is acknowledged. Returns whether what is to be stored has changed.
    pub(super) fn reported(&mut self, line: &Line, now: Moment, settle_after: Duration) -> bool {
        let known = self.held.as_ref() == Some(&line.body);
        let mut changed = !known || self.tombstone || self.is_unanswered();
        if let Some(owner) = self.under_way(line).map(|sent| sent.owner.clone())
            && owner != self.owner
        {
            changed = true;
            self.owner = owner;
        }
        self.turned_down(line);
        self.held = Some(line.body.clone());
        self.tombstone = false;
        self.end_refusal = None;
        self.acknowledge(now, settle_after);
        changed
    }

    /// A decommission is acknowledged. Returns whether that was the second time.
    pub(super) fn ended(&mut self, line: &Line, now: Moment, settle_after: Duration) -> bool {
        self.turned_down(line);
        self.held = Some(line.body.clone());
        self.end_refusal = None;
        let again = self.tombstone && now >= self.ends_again_at(settle_after);
        if !self.tombstone {
            self.tombstone = true;
            self.tombstone_since = now;
        }
        self.acknowledge(now, settle_after);
        again
    }

    pub(super) fn end_refused(&mut self, line: &Line, reason: Reason, now: Moment) {
        let refusal = Refusal::of_end(self.end_refusal.as_deref(), &line.body, reason, now);
        self.end_refusal = Some(Box::new(refusal));
    }

    fn acknowledge(&mut self, now: Moment, settle_after: Duration) {
        self.acknowledged_since = true;
        if self.settles(now, settle_after) {
            self.sent.retain(|sent| sent.fate != Fate::Unknown);
        }
    }

    /// Takes back what never left. Returns whether something of it had to be stored.
    pub(super) fn take_back_unsent(&mut self) -> bool {
        self.drop_sent(|sent| sent.fate == Fate::Intended)
    }

    pub(super) fn observe(&mut self, missing: bool, now: Moment) {
        self.missing_since = missing.then(|| self.missing_since.unwrap_or(now));
    }
}
