//! The checks behind `/livez` and `/readyz`: plain functions of what is known. None of them asks
//! anybody anything, so a probe costs nothing and never hangs.

use std::fmt;
use std::time::Duration;

use crate::cluster::{MirrorHealth, MirrorState};
use crate::model::moment::Moment;
use crate::recorder::status::Status;

/// The recorder's loop turns at least this often, the time of a request to GitHub apart. It beats
/// every 15 s while it waits, for the store too, and before every request. Before the first beat,
/// a start may wait 30 s for the API server, 30 s for the ledger and 60 s for the mirrors.
pub(super) const TURNS_WITHIN: Duration = Duration::from_mins(5);

/// One check and what came of it.
#[derive(Debug)]
pub(super) struct Check {
    name: String,
    /// A remark if it passed, else the reason.
    result: Result<Option<String>, String>,
}

impl Check {
    /// Whether it passed.
    pub(super) fn passed(&self) -> bool {
        self.result.is_ok()
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.result {
            Ok(None) => write!(f, "[+]{name} ok"),
            Ok(Some(remark)) => write!(f, "[+]{name} ok ({remark})"),
            Err(why) => write!(f, "[-]{name} failed: {why}"),
        }
    }
}

/// Whether the process is worth keeping: its loop has turned `within` that time.
pub(super) fn live(status: &Status, now: Moment, within: Duration) -> Vec<Check> {
    let quiet = now.since(status.heartbeat);
    let result = if quiet <= within {
        Ok(None)
    } else {
        Err(format!(
            "it turned last {} s ago, at most {} s are usual",
            quiet.as_secs(),
            within.as_secs()
        ))
    };
    let name = "recorder-loop".to_owned();
    vec![Check { name, result }]
}

/// Whether the start is over: the ledger is read, and each mirror has shown everything or is
/// forbidden to. `mirrors` is `None` before the cluster is reached.
///
/// While another process holds the Lease the ledger is that one's, and this one is ready to take
/// over. Were it not, a rollout that starts the new pod first would wait for it for ever.
///
/// A mirror that is interrupted after it was whole stays ready: nothing is served from it, what it
/// shows counts as incomplete until it is whole again, and a pod that turns unready whenever the
/// API server restarts would only hold up rollouts and raise alarms. `mirror_synced` tells of it.
pub(super) fn ready(status: &Status, mirrors: Option<&[MirrorHealth]>) -> Vec<Check> {
    let stands_by = status.holder.as_ref().is_some_and(|holder| !holder.ours);
    let ledger = if status.ledger_read {
        Ok(None)
    } else if stands_by {
        Ok(Some("another process keeps it".to_owned()))
    } else {
        Err("it is not read yet".to_owned())
    };
    let cluster = match mirrors {
        Some(_) => Ok(None),
        None => Err("its API server is not reached yet".to_owned()),
    };
    let named = |name: &str, result| Check {
        name: name.to_owned(),
        result,
    };
    let mut checks = vec![named("ledger", ledger), named("cluster", cluster)];
    let mirrors = mirrors.unwrap_or_default();
    checks.extend(
        mirrors
            .chunk_by(|one, next| one.kind == next.kind)
            .map(of_kind),
    );
    checks
}

/// The check of the mirrors of one kind: one, or one for each namespace.
fn of_kind(mirrors: &[MirrorHealth]) -> Check {
    let name = mirrors
        .first()
        .map(|mirror| format!("mirror-{}", mirror.kind))
        .unwrap_or_default();
    let waited_for = summary(mirrors, |mirror| !mirror.has_settled());
    let incomplete = summary(mirrors, |mirror| mirror.state != MirrorState::Synced);
    let result = waited_for.map_or(Ok(incomplete), Err);
    Check { name, result }
}

/// The first of those that `are_meant` in words, and how many more there are.
fn summary(mirrors: &[MirrorHealth], are_meant: impl Fn(&MirrorHealth) -> bool) -> Option<String> {
    let mut meant = mirrors.iter().filter(|mirror| are_meant(mirror));
    let first = describe(meant.next()?);
    Some(match meant.count() {
        0 => first,
        more => format!("{first}; and {more} more"),
    })
}

fn describe(mirror: &MirrorHealth) -> String {
    let seconds = mirror.since.elapsed().as_secs();
    let mut text = format!("{} for {seconds} s", mirror.state);
    if let Some(namespace) = &mirror.namespace {
        text.push_str(" in namespace ");
        text.push_str(namespace);
    }
    if let Some(error) = &mirror.error {
        text.push_str(": ");
        text.push_str(error);
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::model::workload::Kind;
    use crate::recorder::status::Holder;

    fn mirror(kind: &Kind, state: MirrorState, was_synced: bool) -> MirrorHealth {
        MirrorHealth {
            kind: kind.clone(),
            namespace: None,
            state,
            since: Instant::now(),
            was_synced,
            error: None,
            objects: 0,
            given_up: false,
        }
    }

    fn said(checks: &[Check]) -> Vec<String> {
        checks.iter().map(Check::to_string).collect()
    }

    #[test]
    fn the_loop_is_alive_until_it_has_not_turned_for_too_long() {
        let mut status = Status::default();
        let (beat, within) = (Moment::START + TURNS_WITHIN * 2, TURNS_WITHIN);
        status.heartbeat = beat;
        assert!(live(&status, beat + within, within)[0].passed());
        let late = live(&status, beat + within + Duration::from_secs(1), within);
        assert_eq!(
            said(&late),
            ["[-]recorder-loop failed: it turned last 301 s ago, at most 300 s are usual"]
        );
        // Before its first turn the start counts.
        let fresh = Status::default();
        assert!(live(&fresh, Moment::START + within, within)[0].passed());
        assert!(!live(&fresh, beat, within)[0].passed());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_ready_before_the_ledger_is_read_and_the_cluster_reached() {
        let mut status = Status::default();
        assert_eq!(
            said(&ready(&status, None)),
            [
                "[-]ledger failed: it is not read yet",
                "[-]cluster failed: its API server is not reached yet"
            ]
        );
        status.ledger_read = true;
        assert_eq!(
            said(&ready(
                &status,
                Some(&[mirror(&Kind::Pod, MirrorState::Synced, true)])
            )),
            ["[+]ledger ok", "[+]cluster ok", "[+]mirror-Pod ok"]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_stands_by_while_another_holds_the_lease_is_ready_without_a_ledger() {
        let mut status = Status::default();
        let mut holder = Holder {
            name: "another".to_owned(),
            since: None,
            ours: false,
        };
        status.holder = Some(holder.clone());
        assert_eq!(
            said(&ready(&status, Some(&[]))),
            ["[+]ledger ok (another process keeps it)", "[+]cluster ok"]
        );
        holder.ours = true;
        status.holder = Some(holder);
        assert!(!ready(&status, Some(&[]))[0].passed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_mirror_holds_readiness_up_only_until_it_was_whole_once_or_is_forbidden() {
        for (state, was_synced, passes) in [
            (MirrorState::Listing, false, false),
            (MirrorState::Interrupted, false, false),
            (MirrorState::Forbidden, false, true),
            (MirrorState::Synced, true, true),
            (MirrorState::Interrupted, true, true),
            (MirrorState::Forbidden, true, true),
        ] {
            let checks = ready(
                &Status::default(),
                Some(&[mirror(&Kind::CronJob, state, was_synced)]),
            );
            assert_eq!(checks[2].passed(), passes, "{state} {was_synced}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_mirrors_of_a_kind_are_one_check_that_names_the_first_that_fails() {
        let mut one = mirror(&Kind::Job, MirrorState::Listing, false);
        one.namespace = Some("shop".into());
        one.error = Some("connection refused".into());
        let mut two = one.clone();
        two.namespace = Some("web".into());
        let well = mirror(&Kind::Job, MirrorState::Synced, true);
        let forbidden = mirror(&Kind::CronJob, MirrorState::Forbidden, false);
        tokio::time::advance(Duration::from_secs(7)).await;
        let checks = ready(&Status::default(), Some(&[well, one, two, forbidden]));
        assert_eq!(
            said(&checks)[2..],
            [
                "[-]mirror-Job failed: listing for 7 s in namespace shop: connection refused; and 1 more",
                "[+]mirror-CronJob ok (forbidden for 7 s)"
            ]
        );
    }
}
