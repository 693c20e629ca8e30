//! A person's plan: the end of the records that somebody names, whatever runs. What a cycle would
//! do about them is decided elsewhere.

use crate::model::ledger::{Ledger, Owner};
use crate::model::moment::Moment;
use crate::model::record::{Identity, Line, Status};

use super::body::{self, Canon};
use super::{Plan, Step, Why};

impl Plan {
    /// The decommissions of these entries of the ledger, because a person says so: nobody is asked
    /// what runs. What is at another API host than `host` is withheld, as by row 1, and so is what
    /// GitHub refused with every body that it may hold, until a retry is due.
    pub fn of_ends<'a>(
        ledger: &Ledger,
        identities: impl IntoIterator<Item = &'a Identity>,
        host: &str,
        now: Moment,
    ) -> Self {
        let canon = Canon::new(std::iter::empty(), ledger);
        let mut plan = Self::default();
        for identity in identities {
            let Some((identity, entry)) = ledger.entry_of(identity) else {
                continue;
            };
            if !identity.destination.host.eq_ignore_ascii_case(host) {
                plan.withheld.push((identity.clone(), Why::ForeignHost));
                continue;
            }
            let Some(body) = body::of_end(identity, entry, &canon, now) else {
                plan.withheld.push((identity.clone(), Why::EndRefused));
                continue;
            };
            plan.decommissions.push(Step {
                line: Line {
                    identity: identity.clone(),
                    body,
                    status: Status::Decommissioned,
                },
                owner: Owner::clone(&entry.owner),
                fresh: false,
            });
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::{Scene, digest, names};
    use crate::model::gap::Reason;
    use crate::model::ledger::Outcome;
    use crate::model::record::Destination;

    const WEB: &str = "shop-web-app";

    fn ends(scene: &Scene, host: &str) -> Plan {
        let identities: Vec<Identity> = scene
            .ledger
            .entries()
            .map(|(identity, _)| identity.clone())
            .collect();
        Plan::of_ends(&scene.ledger, &identities, host, scene.now)
    }

    #[test]
    fn what_a_person_ends_ends_as_it_is_held_although_it_runs() {
        let scene = Scene::recorded();
        let plan = ends(&scene, "API.github.com");
        assert_eq!(names(&plan.decommissions), [WEB]);
        let line = &plan.decommissions[0].line;
        let held = scene.entry(WEB).unwrap().held.as_ref();
        assert_eq!(
            (Some(&line.body), line.status),
            (held, Status::Decommissioned)
        );
        let nobody = Plan::of_ends(&scene.ledger, [&scene.identity("nobody")], "", scene.now);
        assert!(nobody.decommissions.is_empty() && nobody.withheld.is_empty());
    }

    #[test]
    fn what_is_at_another_host_is_withheld() {
        let scene = Scene::recorded();
        let plan = ends(&scene, "api.acme.ghe.com");
        assert!(plan.decommissions.is_empty());
        assert_eq!(plan.withheld, [(scene.identity(WEB), Why::ForeignHost)]);
    }

    #[test]
    fn what_github_does_not_find_is_ended_with_the_other_body_and_then_withheld() {
        let mut scene = Scene::recorded();
        scene.change_pods("web", |pod| pod.containers[0].digest = Some(digest(2)));
        scene.cycle_with(|_| Outcome::Unknown);
        for number in [2, 1] {
            let plan = ends(&scene, "api.github.com");
            let step = &plan.decommissions[0];
            assert_eq!(step.line.body.digest, digest(number));
            scene.ledger.intend(&step.line, &step.owner);
            scene.ledger.leaves(&step.line);
            let refused = Outcome::Refused(Reason::NotFound);
            let settle_after = scene.policy.settle_after;
            scene
                .ledger
                .answer(&step.line, refused, scene.now, settle_after);
        }
        let plan = ends(&scene, "api.github.com");
        assert_eq!(plan.withheld, [(scene.identity(WEB), Why::EndRefused)]);
    }

    #[test]
    fn it_is_sent_as_the_ledger_spells_it() {
        let scene = Scene::recorded();
        let web = scene.identity(WEB);
        let typed = Identity {
            destination: Destination {
                cluster: "PROD".into(),
                ..Destination::clone(&web.destination)
            }
            .into(),
            name: WEB.to_uppercase().into(),
        };
        let plan = Plan::of_ends(&scene.ledger, [&typed], "api.github.com", scene.now);
        assert!(plan.decommissions[0].line.identity.is_spelled_as(&web));
    }
}
