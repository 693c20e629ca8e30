//! Tests of facts from files.

use super::*;
use crate::model::exposure::Way;
use crate::model::exposure::links::Link;
use crate::model::selection::{Pattern, Selection};

const POD: &str = r"
apiVersion: v1
kind: Pod
metadata:
  name: web-1
  namespace: shop
  uid: u1
  creationTimestamp: '2026-01-02T03:04:05Z'
  managedFields: [{manager: x, fieldsV1: {'f:a': {}}}]
spec:
  containers: [{name: main, image: 'nginx:1'}]
status:
  phase: Running
";

fn owner(kind: &str, namespace: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: web, namespace: {namespace}, uid: d}}\n"
    )
}

fn read(text: &str) -> Facts {
    facts(text, Scope::default()).unwrap()
}

fn problem(text: &str) -> FileError {
    facts(text, Scope::default()).unwrap_err()
}

#[test]
fn every_form_that_kubectl_writes_is_read() {
    let pod: Value = serde_saphyr::from_str(POD).unwrap();
    let deployment: Value = serde_saphyr::from_str(&owner("Deployment", "shop")).unwrap();
    let list = serde_json::json!({
        "apiVersion": "v1", "kind": "List", "metadata": {}, "items": [pod, deployment]
    });
    let mut bare = pod.clone();
    bare.as_object_mut()
        .unwrap()
        .retain(|key, _| key != "kind" && key != "apiVersion");
    let pods = serde_json::json!({"apiVersion": "v1", "kind": "PodList", "items": [bare]});
    let deployments = serde_json::json!({
        "apiVersion": "apps/v1", "kind": "DeploymentList", "items": [deployment]
    });
    for text in [
        list.to_string(),
        serde_json::to_string_pretty(&list).unwrap(),
        format!("{pod}\n{deployment}\n"),
        format!("{pods}{deployments}"),
        format!("---\n{POD}---\n{}---\n", owner("Deployment", "shop")),
        serde_saphyr::to_string(&list).unwrap(),
    ] {
        let facts = read(&text);
        assert_eq!((facts.pods.len(), facts.objects.len()), (1, 1), "{text}");
        assert_eq!(&*facts.pods[0].name, "web-1");
        assert_eq!(facts.objects[0].kind, Kind::Deployment);
    }
}

#[test]
fn kinds_that_the_file_lacks_are_out_of_coverage() {
    let empty = "apiVersion: apps/v1\nkind: ReplicaSetList\nitems: []\n";
    let facts = read(&format!("{POD}---\n{empty}"));
    assert_eq!(facts.coverage.pods, View::Everything);
    assert_eq!(facts.coverage.kinds[&Kind::ReplicaSet], View::Everything);
    assert_eq!(facts.coverage.kinds[&Kind::Deployment], View::Nothing);
    assert_eq!(facts.coverage.namespaces, View::Nothing);
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, uid: n}\n";
    assert_eq!(read(namespace).coverage.namespaces, View::Everything);
}

#[test]
fn exact_namespaces_are_all_that_is_looked_at() {
    let namespaces = vec![Pattern::new("shop")];
    let selection = Selection {
        namespaces,
        ..Selection::default()
    };
    let scope = Scope {
        selection,
        ..Scope::default()
    };
    let text = format!(
        "{POD}---\n{}---\n{}",
        owner("Deployment", "bank"),
        POD.replace("shop", "bank")
    );
    let facts = facts(&text, scope).unwrap();
    assert_eq!((facts.pods.len(), facts.objects.len()), (1, 0));
    assert_eq!(
        facts.coverage.pods,
        View::Only(BTreeSet::from(["shop".into()]))
    );
}

#[test]
fn kinds_that_are_not_looked_at_are_skipped_and_an_object_counts_once() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n";
    let facts = read(&format!("{POD}---\n{service}---\n{POD}"));
    assert_eq!((facts.pods.len(), facts.objects.len()), (1, 0));
}

#[test]
fn a_kind_that_is_not_built_in_counts_as_read_only_if_the_file_has_it_whole() {
    let pod = POD.replace("  uid: u1\n", "  uid: u1\n  ownerReferences:\n  - {apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web, uid: r1, controller: true}\n");
    let kind = Kind::new("argoproj.io", "Rollout");
    let alone = read(&pod);
    assert!(!alone.coverage.covers(&kind, "shop"));
    let lacks = alone.coverage.lacks(&kind, "shop").map(|lacks| &**lacks);
    assert_eq!(lacks, Some("Rollout.argoproj.io is not in the file"));

    let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\n\
                   metadata: {namespace: shop, name: web, uid: r1, \
                   annotations: {metadata.github.com/team: cart}}\n";
    let both = read(&format!("{rollout}---\n{pod}"));
    assert!(both.coverage.covers(&kind, "shop"));
    assert_eq!(both.objects[0].annotations.len(), 1);

    let odd = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {namespace: shop}\n";
    let odd = read(&format!("{rollout}---\n{odd}---\n{pod}"));
    assert!(odd.coverage.lacks(&kind, "shop").is_some());
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    for (text, line, words) in [
        ("", 1, "nothing"),
        ("\n# nothing here\n", 1, "nothing"),
        ("just words", 1, "no object of Kubernetes"),
        ("- a\n- b\n", 1, "no object of Kubernetes"),
        ("a: b\n", 1, "no object of Kubernetes"),
        ("a: b\nc: [d\ne: f\n", 3, "not YAML"),
        ("{\"a\": 1,\n \"b\" 2}", 2, "not JSON"),
        ("{\"a\": 1}", 1, "no object of Kubernetes"),
        ("[\n{}]", 1, "no object of Kubernetes"),
        ("apiVersion: v1\nkind: PodList\nitems: none\n", 1, "no list"),
    ] {
        let error = problem(text);
        assert!(
            error.line == line && error.problem.contains(words),
            "{text}: {error}"
        );
    }
    let error = problem(&format!("{POD}---\n{}", POD.replace("  uid: u1\n", "")));
    assert!(
        error.line > 10 && error.problem.contains("Pod shop/web-1"),
        "{error}"
    );
}

#[test]
fn what_leads_traffic_in_is_read_where_somebody_asks_and_what_the_file_lacks_is_not_seen() {
    const LINKS: &str = r"
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {defaultBackend: {service: {name: web}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: eg}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web, namespace: shop}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web}]}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: web, namespace: cart}
spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: web}]}]}
";
    let scope = |ways: &[Way]| Scope {
        selection: Selection {
            namespaces: vec![Pattern::new("shop")],
            ways: ways.to_vec(),
            ..Selection::default()
        },
        ..Scope::default()
    };
    let text = format!("{POD}---{LINKS}");
    let read = |ways: &[Way]| facts(&text, scope(ways)).unwrap();
    let counts = |facts: &Facts| {
        let links = &facts.links;
        let (services, ingresses) = (links.services.len(), links.ingresses.len());
        (
            services,
            ingresses,
            links.gateways.len(),
            links.routes.len(),
        )
    };
    let none = read(&[]);
    assert_eq!(
        (counts(&none), none.coverage.links.len()),
        ((0, 0, 0, 0), 0)
    );
    assert_eq!(counts(&read(&[Way::NodePort])), (1, 0, 0, 0));
    assert_eq!(counts(&read(&[Way::Ingress])), (1, 1, 0, 0));
    let all = read(&Way::ALL);
    assert_eq!(counts(&all), (1, 1, 1, 1));
    let seen = |link: Link| all.coverage.covers_link(link, "shop");
    assert!(seen(Link::Service) && seen(Link::HttpRoute) && !seen(Link::GrpcRoute));
}

#[test]
fn what_leads_traffic_in_and_lacks_its_namespace_is_said_with_its_name() {
    let selection = Selection {
        ways: Way::ALL.to_vec(),
        ..Selection::default()
    };
    let scope = Scope {
        selection,
        ..Scope::default()
    };
    let error = facts(
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}",
        scope,
    );
    let problem = error.unwrap_err().problem;
    assert!(problem.contains("Service web lacks"), "{problem}");
}
