//! What delivery lets others see: requests and their answers, what GitHub does not let happen, how
//! long a change took. Nothing is decided by it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use crate::github::answer::{Answer, Doubt, Failure};
use crate::github::auth::Errand;
use crate::github::exchange::Exchange;
use crate::github::pace::Access;
use crate::model::plan::Plan;
use crate::model::record::{Destination, Identity, Line, Status};

use super::batch::Batch;
use super::delivery::Run;
use super::status::{Blocked, Note};
use super::{Recorder, Transport};

impl<S: Transport> Recorder<S> {
    /// Since when there are changes that the organization of these lines is sent now: of this cycle, or of
    /// an earlier one whose changes it did not take.
    pub(super) fn changed_at(&self, lines: &[Line], run: &Run) -> Option<Instant> {
        let access = Access::from(&lines.first()?.identity.destination);
        self.late.get(&access).copied().or(run.changed_at)
    }

    /// Whether a line says something that GitHub has not acknowledged yet.
    fn is_news(&self, line: &Line) -> bool {
        let entry = self.ledger.entry(&line.identity);
        entry.is_none_or(|entry| match line.status {
            Status::Deployed => entry.is_tombstone() || entry.held.as_ref() != Some(&line.body),
            Status::Decommissioned => !entry.is_tombstone(),
        })
    }

    /// These changes are still to be sent. Late are those that were to be sent by `planned` already; what
    /// came meanwhile is not.
    pub(super) fn note_late(
        &mut self,
        planned: &Plan,
        waiting: &[Batch],
        changed_at: Option<Instant>,
    ) {
        let planned = planned.reports.iter().chain(&planned.decommissions);
        let planned: BTreeMap<&Identity, &Line> = planned
            .map(|step| (&step.line.identity, &step.line))
            .collect();
        let waiting = waiting.iter().flat_map(|batch| &batch.steps);
        let late = waiting.filter(|it| planned.get(&it.line.identity) == Some(&&it.line));
        let waiting: BTreeSet<Access> = late
            .map(|step| Access::from(&step.line.identity.destination))
            .collect();
        self.late.retain(|access, _| waiting.contains(access));
        for access in waiting {
            if let Some(changed_at) = changed_at {
                self.late.entry(access).or_insert(changed_at);
            }
        }
    }

    /// How long what is acknowledged now has taken, if it is new.
    pub(super) fn note_lag(&self, line: &Line, changed_at: Instant) {
        if self.is_news(line) {
            let lag = changed_at.elapsed().as_secs_f64();
            self.status.lock().report_lag.0.observe(lag);
        }
    }

    /// Whether an organization turned away what was sent last, or took it.
    pub(super) fn note_turn(&mut self, destination: &Destination, turned_away: bool) {
        let access = Access::from(destination);
        if turned_away {
            self.turned_away.insert(access);
        } else {
            self.turned_away.remove(&access);
        }
    }

    /// Forgets what organizations answered to which nothing goes any more and which hold nothing: nobody
    /// would hear from them again. Of the others it tells those that took something, or that `--org`
    /// names, from those that may be a mistake.
    pub(super) fn sort_organizations(&mut self, plan: &Plan) {
        let home = &self.settings.policy.destination;
        let entries = || self.ledger.entries();
        let names = plan.names.values().chain(entries().map(|(name, _)| name));
        let mut wanted = organizations(names);
        wanted.insert(Access::from(home));
        self.turned_away.retain(|access| wanted.contains(access));
        let now = Instant::now();
        self.doubts.keep(|access| wanted.contains(access));
        self.pace.keep(|access| wanted.contains(access), now);
        if let Some(github) = &mut self.github {
            // What was denied to a token is remembered together with the token.
            github.keep(|name| {
                let access = Access::new(&home.host, name);
                wanted.contains(&access) || self.pace.remembers(&access, now)
            });
        }
        let held = entries().filter(|(_, entry)| entry.held.is_some());
        self.pace.knows(home);
        for access in organizations(held.map(|(name, _)| name)) {
            self.pace.knows(access);
        }
        self.sort_blocked(&wanted, now);
    }

    /// Shows no organization as blocked to which nothing goes, but does so again when something goes
    /// there while it is left alone still.
    fn sort_blocked(&mut self, wanted: &BTreeSet<Access>, now: Instant) {
        let access = |(host, organization): &(Arc<str>, Arc<str>)| Access::new(host, organization);
        let mut status = self.status.lock();
        let gone = status
            .blocked
            .extract_if(.., |of, _| !wanted.contains(&access(of)));
        self.blocked_before.extend(gone);
        let back = self
            .blocked_before
            .extract_if(.., |of, _| wanted.contains(&access(of)));
        let back = back.filter(|(of, _)| self.pace.remembers(&access(of), now));
        status.blocked.extend(back);
        drop(status);
        let pace = &self.pace;
        self.blocked_before
            .retain(|of, _| pace.remembers(&access(of), now));
    }

    /// A request was answered.
    pub(super) fn note(&self, operation: &'static str, lines: usize, exchange: &Exchange) {
        let status = match (exchange.failure(), exchange.status) {
            (
                Some(Failure::Unknown {
                    why: Doubt::Timeout(_),
                }),
                _,
            ) => "timeout".to_owned(),
            (_, Some(status)) => status.as_u16().to_string(),
            (_, None) => "broken".to_owned(),
        };
        let note = Note {
            at: self.clock.wall(),
            operation,
            lines,
            status,
            outcome: exchange.kind(),
            request_id: exchange.request_id.clone(),
            duration: exchange.duration,
        };
        self.show(note);
    }

    /// What a request was answered says something of its organization.
    pub(super) fn note_access(&self, destination: &Destination, answer: &Answer) {
        match answer.as_ref().err() {
            // GitHub has looked at the records.
            None | Some(Failure::Invalid { .. } | Failure::NamesRepositories { .. }) => {
                let access = access_of(destination);
                let blocked = self.status.lock().blocked.remove(&access);
                if blocked.is_some() {
                    let (host, organization) = (&*access.0, &*access.1);
                    tracing::info!(host, organization, "access to the organization is back");
                }
            }
            Some(Failure::BadToken { message }) => {
                self.status.lock().auth_failures += 1;
                self.block(destination, message);
            }
            Some(Failure::NoAccess { message, .. }) => self.block(destination, message),
            Some(withdrawn @ Failure::VersionWithdrawn { .. }) => {
                self.block(destination, &withdrawn.to_string());
            }
            Some(_) => {}
        }
    }

    /// A request for a token came back.
    pub(super) fn note_errand(&mut self, errand: &Errand) {
        let status = match errand.status {
            _ if errand.timed_out => "timeout".to_owned(),
            Some(status) => status.as_u16().to_string(),
            None => "broken".to_owned(),
        };
        let well = errand.status.is_some_and(|status| status.is_success());
        let note = Note {
            at: self.clock.wall(),
            operation: errand.operation,
            lines: 0,
            status,
            outcome: if well { "signed-in" } else { "not-signed-in" },
            request_id: errand.request_id.clone(),
            duration: errand.duration,
        };
        self.show(note);
    }

    fn show(&self, note: Note) {
        let mut status = self.status.lock();
        status.note(note);
        status.room = self.pace.room();
    }

    /// GitHub lets nothing happen at that destination.
    pub(super) fn block(&self, destination: &Destination, message: &str) {
        let blocked = Blocked {
            since: self.clock.wall(),
            message: message.to_owned(),
        };
        let access = access_of(destination);
        let mut status = self.status.lock();
        let known = status.blocked.get(&access);
        if known.is_none_or(|known| known.message != message) {
            let (host, organization) = (&*access.0, &*access.1);
            tracing::error!(
                host,
                organization,
                error = message,
                "no access to the organization"
            );
        }
        let known = status.blocked.entry(access).or_insert(blocked);
        message.clone_into(&mut known.message);
    }
}

/// The organizations of these records. Most have the destination of the one before, or a copy of it.
fn organizations<'a>(identities: impl Iterator<Item = &'a Identity>) -> BTreeSet<Access> {
    let (mut found, mut last) = (BTreeSet::new(), None);
    for destination in identities.map(|identity| &identity.destination) {
        if last != Some(destination) {
            found.insert(Access::from(destination));
        }
        last = Some(destination);
    }
    found
}

fn access_of(destination: &Destination) -> (Arc<str>, Arc<str>) {
    (destination.host.clone(), destination.organization.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::destination;

    #[test]
    fn each_organization_of_some_records_is_there_once() {
        let identity = |organization: &str| Identity {
            destination: Arc::new(Destination {
                organization: organization.into(),
                ..destination()
            }),
            name: "web".into(),
        };
        let all = ["acme", "acme", "other", "acme"].map(identity);
        let found = organizations(all.iter());
        let expected = ["acme", "other"].map(|name| Access::from(&identity(name).destination));
        assert_eq!(found, BTreeSet::from(expected));
    }
}
