//! What a person does to the ledger: adopts what GitHub holds, and forgets what nobody is to care
//! for any more.

use std::sync::Arc;

use crate::model::record::{Body, Identity};
use crate::model::workload::Source;

use super::{Entry, Ledger, Owner};

impl Ledger {
    /// Takes note that GitHub holds `body` under `identity`, as a person found it there: for
    /// `keeper` where one is known, so that it is kept as any record of that source is, and else
    /// for nobody. Returns false, and changes nothing, where the ledger has that name already.
    pub fn adopt(&mut self, identity: Identity, body: Arc<Body>, keeper: Option<Source>) -> bool {
        if self.entries.contains_key(&identity) {
            return false;
        }
        let mut entry = Entry::new(keeper.map_or(Owner::Adopted, Owner::Source));
        entry.held = Some(body);
        // A name that ended and that GitHub holds all the same has not ended.
        self.past.remove(&identity);
        self.touched.insert(identity.clone());
        self.entries.insert(identity, entry);
        true
    }

    /// Forgets what GitHub may hold under `identity`, without any word to GitHub: what it holds
    /// stays as it is. Returns whether there was an entry.
    pub fn forget(&mut self, identity: &Identity) -> bool {
        let known = self.entries.remove(identity).is_some();
        if known {
            self.touched.insert(identity.clone());
        }
        known
    }
}

#[cfg(test)]
mod tests {
    use crate::model::facts::State;
    use crate::model::fixtures::{Scene, minutes, names};
    use crate::model::ledger::Ledger;
    use crate::model::plan::Plan;
    use crate::model::workload::Kind;

    use super::*;

    const WEB: &str = "shop-web-app";

    /// A scene whose ledger was lost while `web` was recorded and after a person adopted it.
    fn adopted() -> (Scene, Arc<Body>) {
        let mut scene = Scene::recorded();
        let body = scene.entry(WEB).unwrap().held.clone().unwrap();
        scene.ledger = Ledger::default();
        assert!(scene.ledger.adopt(scene.identity(WEB), body.clone(), None));
        assert!(scene.ledger.touched().contains(&scene.identity(WEB)));
        (scene, body)
    }

    #[test]
    fn what_is_adopted_is_taken_over_by_what_runs_and_else_ends_as_it_was_found() {
        let (mut scene, body) = adopted();
        let stale = scene.identity("by-hand");
        assert!(scene.ledger.adopt(stale, body.clone(), None));
        let plan = scene.cycle();
        assert_eq!(names(&plan.reports), [WEB]);
        assert_eq!(names(&plan.decommissions), ["by-hand"]);
        assert_eq!(plan.decommissions[0].line.body, body);
        assert_eq!(scene.plan().unchanged.len(), 1);
    }

    #[test]
    fn what_is_adopted_for_its_source_is_kept_while_that_does_not_run() {
        let mut scene = Scene::recorded();
        let Entry { owner, held, .. } = scene.entry(WEB).unwrap();
        let (keeper, body) = (owner.source().cloned(), held.clone().unwrap());
        let web = scene.identity(WEB);
        scene.change_pods("web", |pod| {
            for container in &mut pod.containers {
                container.state = State::NeverRan;
                container.digest = None;
            }
        });
        scene.ledger = Ledger::default();
        assert!(scene.ledger.adopt(web.clone(), body.clone(), None));
        assert_eq!(names(&scene.plan().decommissions), [WEB], "nobody's");
        assert!(scene.ledger.forget(&web));
        assert!(scene.ledger.adopt(web, body, keeper));
        let plan = scene.plan();
        assert_eq!(names(&plan.decommissions), [""; 0]);
        assert_eq!(names(&plan.retained), [WEB]);
    }

    #[test]
    fn what_the_ledger_has_is_not_adopted_and_a_past_name_may_be() {
        let mut scene = Scene::recorded();
        let body = scene.entry(WEB).unwrap().held.clone().unwrap();
        let web = scene.identity(WEB);
        scene.ledger.stored();
        assert!(!scene.ledger.adopt(web.clone(), body.clone(), None));
        assert!(scene.ledger.touched().is_empty());
        scene.delete(&Kind::Deployment, "web");
        scene.cycle();
        scene.wait(minutes(10));
        scene.cycle();
        assert_eq!(scene.ledger.past().count(), 1);
        assert!(scene.ledger.adopt(web, body, None));
        assert_eq!((scene.ledger.past().count(), scene.ledger.len()), (0, 1));
    }

    #[test]
    fn what_is_forgotten_is_gone_from_the_ledger_and_nothing_is_said_of_it() {
        let mut scene = Scene::recorded();
        let web = scene.identity(WEB);
        scene.delete(&Kind::Deployment, "web");
        assert!(scene.ledger.forget(&web));
        assert!(scene.ledger.touched().contains(&web));
        assert!(!scene.ledger.forget(&web));
        let Plan {
            decommissions,
            reports,
            ..
        } = scene.plan();
        assert!(decommissions.is_empty() && reports.is_empty());
    }
}
