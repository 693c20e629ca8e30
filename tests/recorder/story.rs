//! What must be so at any time in any test, and the story of a test in which it was not.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::world::{SECOND, World};

impl World {
    /// What must be so at any time: nothing impolite or invalid was sent, nothing left without
    /// being stored, and nothing that GitHub holds as deployed is forgotten.
    pub fn check(&self) {
        assert_eq!(self.github.violations(), [], "{}", self.story());
        assert_eq!(
            self.forgotten.all(),
            Vec::<String>::new(),
            "{}",
            self.story()
        );
        let stored = self.ledger();
        for ((environment, name), digest) in self.deployed() {
            assert!(
                stored.knows(&environment, &name, &digest),
                "{name} is deployed and forgotten: {stored:#?}\n{}",
                self.story()
            );
        }
    }

    /// The end of a test: what must be so at any time, and a clean stop.
    pub async fn finish(mut self) {
        self.check();
        if self.running.is_some() {
            let took = self.stop().await;
            assert!(took <= 20 * SECOND, "stopping took {took:?}");
            self.check();
        }
    }

    /// What happened, for a test that failed.
    pub fn story(&self) -> String {
        let mut story = String::new();
        let deployed = self.deployed();
        let wanted: BTreeSet<_> = self.wanted.iter().collect();
        let held: BTreeSet<_> = deployed.iter().collect();
        let _ = writeln!(
            story,
            "missing at GitHub: {:?}",
            few(wanted.difference(&held))
        );
        let _ = writeln!(
            story,
            "too much at GitHub: {:?}",
            few(held.difference(&wanted))
        );
        for post in self.posts(self.requests().saturating_sub(40)) {
            let _ = writeln!(
                story,
                "{:?}: {} lines, {:?}: {:?}",
                post.at,
                post.lines.len(),
                few(post.lines.iter()),
                post.status
            );
        }
        if let Some(running) = &self.running {
            let status = running.status.lock();
            let _ = writeln!(
                story,
                "cycles {}, store error {:?}, blocked {:?}, ended {}",
                status.cycles,
                status.store_error,
                status.blocked,
                running.task.is_finished()
            );
            if let Some(plan) = &status.plan {
                let _ = writeln!(story, "withheld {:?}", few(plan.withheld.iter()));
                let _ = writeln!(story, "gaps {:?}", few(plan.gaps.iter()));
                let _ = writeln!(
                    story,
                    "reports {}, ends {}",
                    plan.reports.len(),
                    plan.decommissions.len()
                );
            }
        }
        story
    }
}

fn few<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.take(6).collect()
}
