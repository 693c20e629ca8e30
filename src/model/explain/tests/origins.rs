//! Where everything comes from that a record says.

use proptest::prelude::*;

use crate::model::exposure::Way;
use crate::model::exposure::links::{Link, Service, Sort};
use crate::model::facts::Pod;
use crate::model::fixtures::annotations;
use crate::model::fixtures::worlds::{cases, world};
use crate::model::inventory::look::Level;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::organization::Organizations;
use crate::model::regex_map::RegexMap;
use crate::model::risk::Risk;
use crate::model::text_map::TextMap;

use super::*;

fn annotation(on: &Level, key: &str) -> Origin {
    Origin::Annotation {
        on: on.clone(),
        key: key.into(),
    }
}

#[test]
fn tags_repository_and_risks_name_the_object_that_says_them() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let mut shop = crate::model::fixtures::namespace("shop");
    shop.annotations = annotations(&[
        ("team", "platform"),
        ("tier", "one"),
        ("runtime-risks", "sensitive-data"),
    ]);
    shop.logical_environment = Some("staging".into());
    scene.facts.namespaces = vec![Arc::new(shop)];
    scene.change_object(&Kind::Deployment, |object| {
        object.annotations = annotations(&[
            ("team", "shop"),
            ("repository", "acme/web"),
            ("runtime-risks", "sensitive-data, internet-exposed"),
        ]);
    });
    let marks = [("ignore", "false"), ("slot", "a")];
    scene.change_pods("web", |pod| pod.annotations = annotations(&marks));
    let part = part(&scene, "web");
    let namespace = Level::Namespace("shop".into());
    let workload = Level::Workload(part.source.workload.clone());
    let pod = Level::Pod("web-0".into());
    let context = &part.context;
    let tags: Vec<(&str, &str, &Origin)> = context
        .tags
        .iter()
        .map(|tag| (&*tag.key, &*tag.value, &tag.origin))
        .collect();
    let expected = [
        ("slot", "a", &annotation(&pod, "slot")),
        ("team", "shop", &annotation(&workload, "team")),
        ("tier", "one", &annotation(&namespace, "tier")),
    ];
    assert_eq!(tags, expected);
    let repository = ("web".into(), annotation(&workload, "repository"));
    assert_eq!(context.repository, Some(repository));
    assert_eq!(
        context.ignore,
        Some(("false".into(), annotation(&pod, "ignore")))
    );
    let [namespace, workload] = [&namespace, &workload].map(|on| annotation(on, "runtime-risks"));
    let risks = [
        (Risk::InternetExposed, vec![workload.clone()]),
        (Risk::SensitiveData, vec![namespace, workload]),
    ];
    assert_eq!(context.risks, risks);
    let to = part.to.unwrap();
    assert_eq!(to.organization, Origin::Setting("--org"));
    let label = Origin::Label("--logical-environment-label");
    assert_eq!(
        (&*to.destination.logical_environment, to.logical_environment),
        ("staging", label)
    );
    assert_eq!(to.physical_environment, None);
}

#[test]
fn a_repository_that_no_annotation_names_is_that_of_a_rule() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.policy.repositories = RegexMap::parse(["ghcr.io/acme/(.+)=$1"], |_| true).unwrap();
    let origin = |scene: &Scene| part(scene, "web").context.repository.unwrap();
    let rule = Origin::Rule {
        flag: "--repository-map",
        rule: "ghcr.io/acme/(.+)=$1".into(),
    };
    assert_eq!(origin(&scene), ("web".into(), rule));
    let marks = [("repository", "shop")];
    scene.change_pods("web", |pod| pod.annotations = annotations(&marks));
    let pod = Level::Pod("web-0".into());
    let annotated = ("shop".into(), annotation(&pod, "repository"));
    assert_eq!(origin(&scene), annotated);
}

#[test]
fn a_repository_that_nobody_wrote_is_that_of_the_images_label() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    scene.policy.reads_labels = true;
    let context = |scene: &Scene| part(scene, "web").context;
    assert_eq!(context(&scene).label, Some(Label::Unread));
    let labelled = |scene: &mut Scene, text: &str| {
        let labels = [(digest(1), Some(Arc::from(text)))];
        scene.facts.labels = Arc::new(labels.into());
    };
    let ours = "https://github.com/acme/web";
    labelled(&mut scene, ours);
    let expected = ("web".into(), Origin::ImageLabel(ours.into()));
    assert_eq!(context(&scene).repository, Some(expected));
    let theirs = "https://github.com/nginx/nginx";
    labelled(&mut scene, theirs);
    let found = context(&scene);
    assert_eq!(found.repository, None);
    assert_eq!(found.label, Some(Label::Elsewhere(theirs.into())));
}

#[test]
fn an_organization_is_that_of_a_rule_a_label_or_the_setting() {
    let mut scene = Scene::new();
    scene.deploy("web", "app", 1);
    let of = |scene: &Scene| {
        let to = part(scene, "web").to.unwrap();
        (to.destination.organization.to_string(), to.organization)
    };
    assert_eq!(of(&scene), ("acme".into(), Origin::Setting("--org")));
    let mut shop = crate::model::fixtures::namespace("shop");
    shop.organization = Some("shop-org".into());
    scene.facts.namespaces = vec![Arc::new(shop)];
    assert_eq!(
        of(&scene),
        ("shop-org".into(), Origin::Label("--org-label"))
    );
    let rule: Arc<str> = "ghcr.io/acme/.*=other".into();
    scene.policy.organizations = Organizations::parse([&*rule]).unwrap();
    let flag = "--org-map";
    assert_eq!(of(&scene), ("other".into(), Origin::Rule { flag, rule }));
}

#[test]
fn a_risk_that_was_found_out_names_the_object_that_lets_traffic_in() {
    let mut scene = Scene::new();
    scene.policy.selection.ways = vec![Way::LoadBalancer];
    scene.deploy("web", "app", 1);
    let labels = TextMap::from([("app", "web")]);
    scene.change_pods("web", |pod| pod.labels = labels.clone());
    let links = &mut scene.facts.coverage.links;
    links.insert(Link::Service, crate::model::facts::View::Everything);
    scene.facts.links.services = vec![Arc::new(Service {
        namespace: "shop".into(),
        name: "front".into(),
        sort: Sort::LoadBalancer,
        selector: labels,
        class: None,
        source_ranges: Box::default(),
        annotations: TextMap::default(),
    })];
    let explanation = explained(&scene, "web");
    assert_eq!(
        explanation.doors[0].object.to_string(),
        "Service shop/front"
    );
    let [(Risk::InternetExposed, origins)] = &*explanation.parts[0].context.risks else {
        panic!("{explanation:?}")
    };
    assert_eq!(*origins, [Origin::Door(explanation.doors[0].clone())]);
    // It stays as GitHub holds it where the object is not seen any more, while another does not count.
    scene.cycle();
    let mut inner = (*scene.facts.links.services[0]).clone();
    inner.name = "inner".into();
    inner.annotations = TextMap::from([("networking.gke.io/load-balancer-type", "Internal")]);
    scene.facts.links.services = vec![inner.into()];
    let links = &mut scene.facts.coverage.links;
    links.insert(Link::Service, crate::model::facts::View::Nothing);
    let explanation = explained(&scene, "web");
    let said = explanation.doors_unseen[0].to_string();
    assert_eq!(said, "Service in shop is not fully seen");
    let held = [(Risk::InternetExposed, vec![Origin::Held])];
    assert_eq!(explanation.parts[0].context.risks, held);
    let links = &mut scene.facts.coverage.links;
    links.insert(Link::Service, crate::model::facts::View::Everything);
    let explanation = explained(&scene, "web");
    assert_eq!(
        explanation.doors[0].to_string(),
        "Service shop/inner: internal by its annotation networking.gke.io/load-balancer-type: Internal"
    );
    assert!(explanation.parts[0].context.risks.is_empty());
    scene.policy.selection.ways.clear();
    let explanation = explained(&scene, "web");
    assert!(explanation.doors.is_empty() && explanation.parts[0].context.risks.is_empty());
}

#[test]
fn what_is_kept_for_a_kind_that_cannot_be_read_is_githubs_own() {
    let mut scene = Scene::new();
    let kind = crate::model::fixtures::rollout();
    scene.run(&kind, "web", [container("app", &image("web"), 1)]);
    scene.read(&kind);
    let marks = [("team", "shop"), ("runtime-risks", "sensitive-data")];
    scene.change_object(&kind, |object| object.annotations = annotations(&marks));
    scene.cycle();
    scene.refuse(&kind);
    let part = part(&scene, "web");
    assert_eq!(part.context.tags[0].origin, Origin::Held);
    assert_eq!(
        part.context.risks,
        [(Risk::SensitiveData, vec![Origin::Held])]
    );
}

/// The value of the annotation that an origin names, for what is in that namespace.
fn value_of<'a>(origin: &Origin, namespace: &str, facts: &'a Facts) -> Option<&'a str> {
    let Origin::Annotation { on, key } = origin else {
        return None;
    };
    let mut levels = facts.namespaces.iter();
    let annotations = match on {
        Level::Namespace(name) => &levels.find(|it| it.name == *name)?.annotations,
        Level::Workload(workload) => {
            let mut objects = facts.objects.iter();
            let found = objects.find(|it| {
                let place = (&it.namespace, &it.name);
                it.kind == workload.kind && place == (&workload.namespace, &workload.name)
            });
            &found?.annotations
        }
        Level::Pod(name) => {
            let gone = facts.remembered.iter().map(|(_, pod)| pod);
            let mut pods = facts.pods.iter().chain(gone);
            let is_it = |pod: &&Arc<Pod>| (&*pod.namespace, &pod.name) == (namespace, name);
            &pods.find(is_it)?.annotations
        }
    };
    annotations.get(key).map(|value| &**value)
}

proptest! {
    #![proptest_config(cases(200))]
    #[test]
    fn whatever_a_record_says_stands_where_its_origin_says(world in world()) {
        let inventory = Inventory::new(&world.facts, &world.policy);
        let ledger = Ledger::default();
        let plan = Plan::new(&ledger, &inventory, &world.policy, Moment::START);
        let books = Books { facts: &world.facts, policy: &world.policy, plan: &plan, known: &[] };
        for source in inventory.sources() {
            let Source { .. } = &source;
            let workload = &source.workload;
            let name = format!("{}/{}", workload.kind, workload.name);
            let asked = Asked::new(&workload.namespace, &name, Some(&source.container));
            let Answer::Explained(found) = Answer::new(&asked, books) else {
                return Err(TestCaseError::fail(format!("{name} is not found")));
            };
            let parts = found.iter().flat_map(|one| &one.parts);
            for part in parts.filter(|part| part.source == source) {
                prop_assert_eq!(part.row, plan.rows.get(&source).copied());
                for tag in &part.context.tags {
                    prop_assert_eq!(value_of(&tag.origin, &workload.namespace, &world.facts), Some(&*tag.value));
                }
                for (risk, origins) in &part.context.risks {
                    for origin in origins {
                        let list = value_of(origin, &workload.namespace, &world.facts).unwrap_or_default();
                        prop_assert!(list.contains(risk.as_str()), "{:?}", origin);
                    }
                }
                if let Some((repository, origin)) = &part.context.repository {
                    let value = value_of(origin, &workload.namespace, &world.facts).unwrap_or_default();
                    prop_assert!(value.ends_with(&**repository), "{}", value);
                }
            }
        }
    }
}
