//! Tests of what is taken for found, for absent, and for neither. The answers are those of an API
//! server v1.36.3.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::Response;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// What stands at each path: a status, and a body of JSON or of text.
#[derive(Clone, Default)]
struct Server {
    answers: BTreeMap<&'static str, (u16, Value)>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// An API server with some groups of its own.
    fn new() -> Self {
        Self::default().with("/apis", 200, groups(&["apps", "batch"]))
    }

    fn with(mut self, path: &'static str, status: u16, body: impl Into<Value>) -> Self {
        self.answers.insert(path, (status, body.into()));
        self
    }

    /// What is said of a kind, and what was asked for it.
    async fn resolve(&self, kind: &Kind) -> (Result<Resolved, Trouble>, Vec<String>) {
        let this = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let this = this.clone();
            async move {
                assert_eq!(request.headers()[ACCEPT], "application/json");
                let path = request.uri().path().to_owned();
                this.asked.lock().unwrap().push(path.clone());
                let answer = this.answers.get(&*path).cloned();
                let (status, body) = answer.unwrap_or((404, "404 page not found\n".into()));
                if status == 0 {
                    std::future::pending::<()>().await;
                }
                let body = match body {
                    Value::String(text) => text,
                    json => json.to_string(),
                };
                let answer = Response::builder()
                    .status(status)
                    .body(Body::from(body.into_bytes()));
                answer.map_err(tower::BoxError::from)
            }
        });
        let client = Client::new(service, "default");
        let answer = resolve(&client, kind).await;
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        (answer, asked)
    }

    async fn says(&self, kind: &Kind) -> Result<Resolved, Trouble> {
        self.resolve(kind).await.0
    }
}

fn groups(names: &[&str]) -> Value {
    let groups: Value = names.iter().map(|name| json!({"name": name})).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// A group; the first version is the preferred one.
fn group(name: &str, versions: &[&str]) -> Value {
    let version = |it: &&str| json!({"groupVersion": format!("{name}/{it}"), "version": it});
    json!({
        "kind": "APIGroup", "apiVersion": "v1", "name": name,
        "versions": versions.iter().rev().map(version).collect::<Value>(),
        "preferredVersion": version(&versions[0]),
    })
}

/// A version with one kind, by its plural; empty: with none.
fn version(api_version: &str, plural: &str, kind: &str) -> Value {
    let whole = json!({
        "name": plural, "kind": kind, "namespaced": true,
        "verbs": ["delete", "get", "list", "patch", "create", "update", "watch"],
    });
    let status = json!({
        "name": format!("{plural}/status"), "kind": kind, "namespaced": true,
        "verbs": ["get", "patch", "update"],
    });
    let scale = json!({
        "name": format!("{plural}/scale"), "group": "autoscaling", "version": "v1",
        "kind": "Scale", "namespaced": true, "verbs": ["get", "patch", "update"],
    });
    let resources = if plural.is_empty() {
        json!([])
    } else {
        json!([status, whole, scale])
    };
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version,
        "resources": resources,
    })
}

fn rollout() -> Kind {
    Kind::new("argoproj.io", "Rollout")
}

fn found(group: &str, version: &str, kind: &str, plural: &str) -> Resolved {
    let api_version = format!("{group}/{version}");
    Resolved::Found(Served {
        resource: ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: api_version.trim_start_matches('/').to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        },
        namespaced: true,
    })
}

#[tokio::test]
async fn a_kind_is_found_by_asking_for_its_group_and_one_version_alone() {
    let server = Server::new()
        .with(
            "/apis/argoproj.io",
            200,
            group("argoproj.io", &["v1alpha1"]),
        )
        .with(
            "/apis/argoproj.io/v1alpha1",
            200,
            version("argoproj.io/v1alpha1", "rollouts", "Rollout"),
        );
    let (answer, asked) = server.resolve(&rollout()).await;
    let expected = found("argoproj.io", "v1alpha1", "Rollout", "rollouts");
    assert_eq!(answer, Ok(expected));
    assert_eq!(asked, ["/apis/argoproj.io", "/apis/argoproj.io/v1alpha1"]);
}

#[tokio::test]
async fn the_preferred_version_is_asked_first_and_the_others_where_it_has_not_the_kind() {
    let server = Server::new()
        .with("/apis/a.io", 200, group("a.io", &["v1", "v2", "v1beta1"]))
        .with("/apis/a.io/v1", 200, version("a.io/v1", "", ""))
        .with(
            "/apis/a.io/v1beta1",
            200,
            version("a.io/v1beta1", "things", "Thing"),
        )
        .with("/apis/a.io/v2", 200, version("a.io/v2", "", ""));
    let (answer, asked) = server.resolve(&Kind::new("a.io", "Thing")).await;
    assert_eq!(answer, Ok(found("a.io", "v1beta1", "Thing", "things")));
    assert_eq!(asked, ["/apis/a.io", "/apis/a.io/v1", "/apis/a.io/v1beta1"]);
    let (answer, asked) = server.resolve(&Kind::new("a.io", "Nothing")).await;
    assert_eq!(answer, Ok(Resolved::Absent), "every version was asked");
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn a_kind_of_the_core_group_and_one_without_a_namespace_are_found_too() {
    let mut list = version("v1", "gadgets", "Gadget");
    list["resources"][1]["namespaced"] = json!(false);
    let server = Server::new().with("/api/v1", 200, list);
    let (answer, asked) = server.resolve(&Kind::new("", "Gadget")).await;
    let Ok(Resolved::Found(served)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(
        (&*served.resource.api_version, served.namespaced),
        ("v1", false)
    );
    assert_eq!(asked, ["/api/v1"]);
    assert_eq!(
        server.says(&Kind::new("", "Thing")).await,
        Ok(Resolved::Absent)
    );
}

#[tokio::test]
async fn a_group_is_absent_if_the_list_of_groups_does_not_have_it() {
    let (answer, asked) = Server::new().resolve(&rollout()).await;
    assert_eq!(answer, Ok(Resolved::Absent));
    assert_eq!(asked, ["/apis/argoproj.io", "/apis"]);
}

#[tokio::test]
async fn promise_2_a_404_that_the_list_of_groups_does_not_bear_out_says_nothing() {
    let lists = [
        groups(&["apps", "argoproj.io"]),
        // Of somebody in between, or of an API server that is not all there.
        groups(&[]),
        json!({"kind": "APIGroup", "groups": [{"name": "apps"}]}),
        json!({"kind": "APIGroupList"}),
        json!([]),
        "<html>it works</html>".into(),
    ];
    for list in lists {
        let server = Server::new().with("/apis", 200, list.clone());
        assert!(server.says(&rollout()).await.is_err(), "{list}");
    }
    for status in [401, 403, 404, 429, 500, 502, 503, 504] {
        let server = Server::new().with("/apis", status, "an error\n");
        let answer = server.says(&rollout()).await;
        assert_eq!(answer.unwrap_err().forbidden, status == 403, "{status}");
    }
}

#[tokio::test]
async fn promise_2_a_version_that_does_not_answer_hides_nothing_and_shows_nothing() {
    // What an aggregated API without a server behind it answers.
    let two = || {
        Server::new()
            .with("/apis/a.io", 200, group("a.io", &["v1", "v2"]))
            .with("/apis/a.io/v1", 200, version("a.io/v1", "things", "Thing"))
            .with("/apis/a.io/v2", 503, "service unavailable\n")
    };
    let answer = two().says(&Kind::new("a.io", "Thing")).await;
    assert_eq!(answer, Ok(found("a.io", "v1", "Thing", "things")));
    let answer = two().says(&Kind::new("a.io", "Other")).await;
    let said = answer.unwrap_err().message;
    assert!(
        said.contains("/apis/a.io/v2") && said.contains("503"),
        "{said}"
    );

    let odd = [
        (404, json!("404 page not found\n")),
        (
            403,
            json!({"kind": "Status", "code": 403, "status": "Failure", "reason": "Forbidden"}),
        ),
        (200, version("a.io/v1", "", "")),
        (
            200,
            json!({"kind": "APIGroup", "groupVersion": "a.io/v2", "resources": []}),
        ),
        (
            200,
            json!({"kind": "APIResourceList", "groupVersion": "a.io/v2"}),
        ),
        (200, json!("")),
    ];
    for (status, body) in odd {
        let server = two().with("/apis/a.io/v2", status, body.clone());
        let answer = server.says(&Kind::new("a.io", "Other")).await;
        assert_eq!(answer.unwrap_err().forbidden, status == 403, "{body}");
    }
}

#[tokio::test]
async fn promise_2_an_answer_about_something_else_says_nothing() {
    let of_another = group("b.io", &["v1"]);
    let of_none = json!({"kind": "APIGroup", "name": "a.io", "versions": []});
    let of_another_form =
        json!({"kind": "Status", "name": "a.io", "versions": [{"version": "v1"}]});
    for body in [of_another, of_none, of_another_form, json!({}), json!("ok")] {
        let server = Server::new().with("/apis/a.io", 200, body.clone());
        assert!(
            server.says(&Kind::new("a.io", "Thing")).await.is_err(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_list_that_is_null_is_one_without_an_element() {
    let mut without_verbs = version("a.io/v1", "things", "Thing");
    without_verbs["resources"][1]["verbs"] = Value::Null;
    let mut beside = version("a.io/v1", "things", "Thing");
    beside["resources"][0]["verbs"] = Value::Null;
    let none = json!({"kind": "APIGroup", "name": "a.io", "versions": null});
    let v1 = || Server::new().with("/apis/a.io", 200, group("a.io", &["v1"]));
    let said = |message: &str| Err(message.to_owned());
    for (server, expected) in [
        (
            Server::new().with(
                "/apis",
                200,
                json!({"kind": "APIGroupList", "groups": null}),
            ),
            said("/apis/a.io does not answer as an API server does"),
        ),
        (
            Server::new().with("/apis/a.io", 200, none),
            said("/apis/a.io does not answer as an API server does"),
        ),
        (
            v1().with("/apis/a.io/v1", 200, without_verbs),
            said("things of a.io/v1 cannot be listed and watched"),
        ),
        (
            v1().with("/apis/a.io/v1", 200, beside),
            Ok(found("a.io", "v1", "Thing", "things")),
        ),
    ] {
        let answer = server.says(&Kind::new("a.io", "Thing")).await;
        let answer = answer.map_err(|trouble| trouble.message.to_string());
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn what_cannot_be_listed_and_watched_is_not_found_and_not_absent() {
    let mut list = version("a.io/v1", "reviews", "Review");
    list["resources"][1]["verbs"] = json!(["create"]);
    let server = Server::new()
        .with("/apis/a.io", 200, group("a.io", &["v1"]))
        .with("/apis/a.io/v1", 200, list);
    let said = server.says(&Kind::new("a.io", "Review")).await.unwrap_err();
    assert!(
        said.message.contains("reviews of a.io/v1"),
        "{}",
        said.message
    );
}

#[tokio::test(start_paused = true)]
async fn a_question_that_is_never_answered_is_given_up() {
    let hangs = Server::new().with("/apis/argoproj.io", 0, "");
    let said = hangs.says(&rollout()).await.unwrap_err().message;
    assert!(said.contains("within 20s"), "{said}");
}

#[tokio::test]
async fn a_version_that_says_null_for_a_list_has_an_empty_one() {
    let mut none = version("argoproj.io/v1alpha1", "", "");
    none["resources"] = json!(null);
    let server = Server::new()
        .with(
            "/apis/argoproj.io",
            200,
            group("argoproj.io", &["v1alpha1", "v1"]),
        )
        .with("/apis/argoproj.io/v1alpha1", 200, none.clone());
    let listed = version("argoproj.io/v1", "rollouts", "Rollout");
    let with_another = server.clone().with("/apis/argoproj.io/v1", 200, listed);
    let expected = found("argoproj.io", "v1", "Rollout", "rollouts");
    assert_eq!(with_another.says(&rollout()).await, Ok(expected));

    let mut second = none.clone();
    second["groupVersion"] = json!("argoproj.io/v1");
    let nothing = server
        .clone()
        .with("/apis/argoproj.io/v1", 200, second.clone());
    assert_eq!(nothing.says(&rollout()).await, Ok(Resolved::Absent));
    // One that does not say it at all says nothing.
    second.as_object_mut().unwrap().remove("resources");
    let odd = server.with("/apis/argoproj.io/v1", 200, second);
    assert!(odd.says(&rollout()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_none_is_no_way_to_another_path_and_says_nothing() {
    for group in [
        "../api/v1/secrets",
        "a/../b",
        "a?b",
        "a#b",
        "..",
        "a b",
        "a%2e",
        "é",
    ] {
        let (said, asked) = Server::new().resolve(&Kind::new(group, "Rollout")).await;
        let said = said.unwrap_err().message;
        assert!(said.contains("is no API group"), "{group}: {said}");
        assert_eq!(asked, Vec::<String>::new(), "{group}");
    }
}
