//! Calls of the API server: what is written, and what a failure says and means.

use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::{Body, Client};
use serde_json::{Value, json};

use super::super::config_map::{CallError, ConfigMaps, Version};
use super::super::part::PartError;
use super::super::{Store, StoreError};
use crate::model::moment::Moment;

/// The bodies that were sent.
type Sent = Arc<Mutex<Vec<Value>>>;

/// An API server that gives one answer.
fn server(status: u16, answer: Value) -> (Client, Sent) {
    let sent = Sent::default();
    let log = sent.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (log, answer) = (log.clone(), answer.to_string());
        async move {
            let body = request.into_body().collect().await?.to_bytes();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            log.lock().unwrap().push(body);
            let mut response = Response::new(Body::from(answer.into_bytes()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok::<_, tower::BoxError>(response)
        }
    });
    (Client::new(service, "default"), sent)
}

fn refusing(code: u16, message: &str) -> ConfigMaps {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "message": message, "reason": "it has one", "code": code,
    });
    ConfigMaps::new(server(code, status).0, "ns", "book")
}

/// The words of a failure, with those of its cause.
fn words(error: &StoreError) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

#[tokio::test]
async fn what_is_forbidden_names_the_part_what_was_tried_and_the_rule_that_allows_it() {
    let known = "ConfigMap book-3: replacing it failed: me cannot update resource it (403); the Role in its namespace lacks \
                 this rule: apiGroups: [\"\"], resources: [configmaps], verbs: [get, update], resourceNames: [book-3]";
    let new = "ConfigMap book: creating it failed: me cannot create resource it (403); the Role in its namespace lacks this \
               rule: apiGroups: [\"\"], resources: [configmaps], verbs: [create]";
    let version = serde_json::from_value(json!({"metadata": {"resourceVersion": "7"}}));
    let (there, _) = server(200, version.unwrap());
    let there = ConfigMaps::new(there, "ns", "book");
    let version = there.version(Some(3)).await.unwrap().unwrap();
    let refusing_to = |verb: &str| refusing(403, &format!("me cannot {verb} resource it"));
    let maps = refusing_to("update");
    let error = maps.write(Some(3), vec![], Some(&version)).await;
    assert_eq!(words(&error.unwrap_err()), known);
    let maps = refusing_to("create");
    let error = maps.write(None, vec![], Some(&Version::absent())).await;
    assert_eq!(words(&error.unwrap_err()), new);
    let error = refusing(500, "what it says")
        .version(None)
        .await
        .unwrap_err();
    assert_eq!(
        words(&error),
        "ConfigMap book: reading it failed: what it says (500)"
    );
}

#[tokio::test]
async fn what_a_quota_or_a_policy_refuses_asks_for_no_rule() {
    for message in [
        "configmaps \"book\" is forbidden: exceeded quota: few, requested: count/configmaps=1",
        "configmaps \"book\" is forbidden: ValidatingAdmissionPolicy 'no' denied request: no",
        "admission webhook \"no.example.com\" denied the request: you cannot have it",
    ] {
        let maps = refusing(403, message);
        let error = maps.write(None, vec![], None).await.unwrap_err();
        let expected = format!("ConfigMap book: creating it failed: {message} (403)");
        assert_eq!(words(&error), expected);
    }
}

#[tokio::test]
async fn what_is_written_carries_the_labels_by_which_it_is_found() {
    let written = json!({"metadata": {"name": "book", "resourceVersion": "8"}});
    let (client, sent) = server(201, written);
    let maps = ConfigMaps::new(client, "ns", "book");
    maps.write(None, b"it".to_vec(), None).await.unwrap();
    let sent = sent.lock().unwrap();
    assert_eq!(
        sent[0]["metadata"],
        json!({
            "name": "book", "namespace": "ns",
            "labels": {
                "app.kubernetes.io/name": "deployment-recorder",
                "app.kubernetes.io/component": "ledger",
                "app.kubernetes.io/managed-by": "deployment-recorder",
            },
        })
    );
    assert_eq!(sent[0]["binaryData"], json!({"ledger": "aXQ="}));
}

#[tokio::test]
async fn promise_3_only_the_api_servers_own_404_says_that_a_part_is_not_there() {
    let read = async |answer: &Value| {
        let maps = ConfigMaps::new(server(404, answer.clone()).0, "ns", "book");
        maps.version(None).await.map(|found| found.is_none())
    };
    let own = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound",
        "message": "configmaps \"book\" not found", "code": 404,
    });
    assert!(read(&own).await.unwrap());
    let page = json!("404 page not found");
    let error = read(&page).await.unwrap_err();
    assert!(error.is_passing() && !error.is_conflict(), "{error}");

    // Nor is a part gone that was there when it was read, or a ledger begun anew.
    let known = json!({"metadata": {"resourceVersion": "7"}});
    let known = ConfigMaps::new(server(200, known).0, "ns", "book");
    let known = known.version(None).await.unwrap().unwrap();
    for (answer, is_gone) in [(&own, true), (&page, false)] {
        let maps = ConfigMaps::new(server(404, answer.clone()).0, "ns", "book");
        let error = maps.write(None, vec![], Some(&known)).await.unwrap_err();
        assert!(error.is_passing(), "{error}");
        assert_eq!(error.is_conflict(), is_gone, "{error}");
    }
    let mut store = Store::new(server(404, page).0, "ns", "book", "it".to_owned());
    let error = store.load(Moment::START).await.unwrap_err();
    assert!(error.is_passing(), "{error}");
}

fn refused(code: u16, is_conflict: bool) -> StoreError {
    StoreError::Call {
        part: "book".to_owned(),
        source: CallError::Refused {
            what: "reading it",
            message: String::new(),
            code,
            is_conflict,
            rule: None,
        },
    }
}

fn unreadable(source: PartError) -> StoreError {
    StoreError::Unreadable {
        part: "book".to_owned(),
        source,
    }
}

#[test]
fn what_passes_what_is_a_conflict_and_what_is_damage_are_three_things() {
    let damaged = || PartError::damaged(&"it is torn");
    let cases = [
        (refused(500, false), [true, false, false]),
        (refused(409, true), [true, true, false]),
        (unreadable(damaged()), [false, false, true]),
        (unreadable(PartError::Foreign), [false, false, true]),
        (
            unreadable(PartError::Elsewhere { found: 1 }),
            [false, false, true],
        ),
        (
            unreadable(PartError::Newer { found: 9 }),
            [false, false, false],
        ),
    ];
    for (error, expected) in cases {
        let is = [error.is_passing(), error.is_conflict(), error.is_damage()];
        assert_eq!(is, expected, "{error}");
    }
}

#[test]
fn what_cannot_be_read_says_what_to_do_where_its_error_does_not() {
    let damaged = unreadable(PartError::damaged(&"it is torn")).to_string();
    assert!(damaged.contains("Restore it from a backup"), "{damaged}");
    let foreign = unreadable(PartError::Foreign).to_string();
    assert!(foreign.contains("--ledger-name"), "{foreign}");
    let newer = unreadable(PartError::Newer { found: 9 }).to_string();
    assert!(
        newer.ends_with("install the newer version again"),
        "{newer}"
    );
}

#[tokio::test]
async fn a_store_says_where_it_is() {
    let (client, _) = server(200, Value::Null);
    let store = Store::new(client, "ns", "book", "it".to_owned());
    assert_eq!((store.place(), store.shards()), (("ns", "book"), 0));
}
