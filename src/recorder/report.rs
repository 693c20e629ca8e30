//! What a cycle says in the log: one line with its counts, a few that a person has to act on, and
//! in a dry run every line that would be sent. Fixed messages with fields.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::gap::Reason;
use crate::model::plan::{Plan, Step, Why};
use crate::model::storage::StorageStep;

/// What was said last, so that the same is not said again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    gaps: BTreeMap<Reason, usize>,
    withheld: BTreeMap<Why, usize>,
    respelled: usize,
}

/// Says what a cycle came to: what it had `plan`ned, and what is `left` wrong after it.
pub(super) fn cycle(
    plan: &Plan,
    left: &Plan,
    said: &mut Option<Said>,
    duration: Duration,
    requests: usize,
    ledger: usize,
) {
    tracing::info!(
        reports = plan.reports.len(),
        decommissions = plan.decommissions.len(),
        unchanged = plan.unchanged.len(),
        retained = plan.retained.len() + plan.silent.len(),
        withheld = left.withheld.len(),
        gaps = left.gaps.len(),
        not_running = plan.not_running,
        not_selected = plan.not_selected.values().sum::<usize>(),
        ledger,
        requests,
        duration_seconds = duration.as_secs_f64(),
        "cycle done"
    );
    let mut now = Said {
        respelled: left.respelled.len(),
        ..Said::default()
    };
    for gap in &left.gaps {
        *now.gaps.entry(gap.reason).or_default() += 1;
    }
    for (_, why) in &left.withheld {
        *now.withheld.entry(*why).or_default() += 1;
    }
    if said.as_ref() == Some(&now) {
        return;
    }
    for (reason, count) in &now.gaps {
        let example = left.gaps.iter().find(|gap| gap.reason == *reason);
        let (subject, detail) = example.map_or_else(Default::default, |gap| {
            (gap.subject.to_string(), gap.detail.to_string())
        });
        if *reason == Reason::OtherDigest {
            // What every rollout looks like for a moment.
            tracing::info!(%reason, count, subject, detail, "more than one digest runs");
            continue;
        }
        tracing::warn!(%reason, count, subject, detail, "not recorded as it should be");
    }
    for (why, count) in &now.withheld {
        let example = left.withheld.iter().find(|(_, other)| other == why);
        let record = example.map_or_else(String::new, |(identity, _)| identity.to_string());
        tracing::warn!(reason = %why, count, record, "withheld");
    }
    if let Some((here, ledger)) = left.respelled.first() {
        let count = left.respelled.len();
        tracing::warn!(
            count,
            here = here.destination.parts().join("/"),
            ledger = ledger.destination.parts().join("/"),
            "settings spell records otherwise than the ledger, whose spelling is sent"
        );
    }
    *said = Some(now);
}

/// What a dry run said last.
#[derive(Debug, Default)]
pub(super) struct WouldSend {
    records: Vec<Step>,
    storage: Vec<StorageStep>,
}

/// Says what would be sent, unless that was said already.
pub(super) fn dry_run(plan: &Plan, said: &mut WouldSend) {
    let records = plan.reports.iter().chain(&plan.decommissions);
    let records: Vec<Step> = records.cloned().collect();
    for step in records.iter().filter(|step| !said.records.contains(step)) {
        let line = &step.line;
        tracing::info!(
            record = %line.identity,
            status = line.status.as_str(),
            image = %line.body.name,
            version = line.body.version.as_deref(),
            digest = %line.body.digest,
            logical_environment = %line.identity.destination.logical_environment,
            "would send"
        );
    }
    // What is not recorded yet would be by then.
    let storage = plan.storage.due.iter().chain(&plan.storage.unrecorded);
    let storage: Vec<StorageStep> = storage.cloned().collect();
    for step in storage.iter().filter(|step| !said.storage.contains(step)) {
        let line = step.line();
        tracing::info!(
            image = &*line.name,
            version = line.version.as_deref(),
            digest = %line.digest,
            registry = &*line.registry_url,
            repository = line.repository.as_deref(),
            path = line.path.as_deref(),
            "would send storage record"
        );
    }
    *said = WouldSend { records, storage };
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::fixtures::{Scene, source};
    use crate::model::gap::{Gap, Subject};
    use crate::recorder::logged::Log;

    fn gap(workload: &str, reason: Reason) -> Gap {
        Gap {
            subject: Subject::Source(source(workload, "app")),
            reason,
            detail: "it is so".into(),
        }
    }

    fn said(left: &Plan, said: &mut Option<Said>) -> Log {
        let log = Log::default();
        let guard = log.begin();
        cycle(&Plan::default(), left, said, Duration::ZERO, 0, 0);
        drop(guard);
        assert_eq!(log.count("cycle done"), 1, "{}", log.text());
        log
    }

    #[test]
    fn what_is_wrong_is_said_with_its_count_and_an_example_when_it_changes() {
        let scene = Scene::new();
        let (api, web) = (
            scene.identity("shop-api-app"),
            scene.identity("shop-web-app"),
        );
        let mut left = Plan {
            gaps: vec![
                gap("api", Reason::NoDigest),
                gap("web", Reason::OtherDigest),
                gap("cart", Reason::NoDigest),
            ],
            withheld: vec![
                (api, Why::NotCovered),
                (web.clone(), Why::ForeignHost),
                (scene.identity("shop-cart-app"), Why::ForeignHost),
            ],
            ..Plan::default()
        };
        let mut before = None;
        let log = said(&left, &mut before);
        for (words, others) in [
            (
                "not recorded as it should be",
                "count=2 subject=\"Deployment shop/api",
            ),
            (
                "more than one digest runs",
                "count=1 subject=\"Deployment shop/web",
            ),
            (
                "withheld reason=not-covered",
                "count=1 record=\"shop-api-app\"",
            ),
            (
                "withheld reason=foreign-host",
                "count=2 record=\"shop-web-app\"",
            ),
        ] {
            let text = log.text();
            let mut lines = text.lines().filter(|line| line.contains(words));
            assert!(lines.next().unwrap().contains(others), "{text}");
            assert!(lines.next().is_none(), "{text}");
        }
        let again = said(&left, &mut before);
        assert_eq!(again.text().lines().count(), 1, "{}", again.text());
        left.respelled = vec![(web.clone(), web)];
        let log = said(&left, &mut before);
        assert_eq!(log.count("spell records otherwise"), 1);
        let again = said(&left, &mut before);
        assert_eq!(again.text().lines().count(), 1, "{}", again.text());
    }

    #[test]
    fn a_dry_run_says_each_line_that_would_be_sent_once() {
        let mut scene = Scene::new();
        scene.policy.storage = Some(crate::model::storage::StorageRule::default());
        scene.deploy("web", "app", 1);
        let (mut plan, mut before) = (scene.plan(), WouldSend::default());
        let mut said = |plan: &Plan| {
            let log = Log::default();
            let guard = log.begin();
            dry_run(plan, &mut before);
            drop(guard);
            [
                log.count("would send record="),
                log.count("would send storage record"),
            ]
        };
        assert_eq!(said(&plan), [1, 1]);
        assert_eq!(said(&plan), [0, 0]);
        let step = &mut plan.reports[0];
        step.line.body = Arc::new(crate::model::record::Body {
            version: Some("2".into()),
            ..(*step.line.body).clone()
        });
        assert_eq!(said(&plan), [1, 0]);
    }
}
