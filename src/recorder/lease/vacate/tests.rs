//! Making way, on the wire: what is asked of the API server, and what its answers mean.

use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::{Value, json};

use super::super::calls::{Leases, Written};
use super::super::look::look;
use super::*;

/// What was asked, in order: method, path, form and body.
type Asked = Arc<Mutex<Vec<(String, String, String, Value)>>>;

/// An API server that gives one answer after another, the last one for ever.
fn server(answers: Vec<(u16, Value)>) -> (Client, Asked) {
    let asked = Asked::default();
    let (log, answers) = (asked.clone(), Arc::new(answers));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (log, answers) = (log.clone(), answers.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let form = head.headers.get(http::header::CONTENT_TYPE);
            let form = form.map_or("", |form| form.to_str().unwrap());
            let mut log = log.lock().unwrap();
            let (status, answer) = &answers[log.len().min(answers.len() - 1)];
            log.push((
                head.method.to_string(),
                head.uri.path().to_owned(),
                form.to_owned(),
                serde_json::from_slice(&body).unwrap_or_default(),
            ));
            let mut response = Response::new(Body::from(answer.to_string().into_bytes()));
            *response.status_mut() = StatusCode::from_u16(*status).unwrap();
            Ok::<_, tower::BoxError>(response)
        }
    });
    (Client::new(service, "default"), asked)
}

fn failure(code: u16, reason: &str) -> (u16, Value) {
    said(code, reason, "what it says")
}

fn said(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    (code, status)
}

/// What RBAC says of who lacks that right.
fn lacks(verb: &str, resource: &str) -> (u16, Value) {
    let message = format!("\"it\" is forbidden: User \"me\" cannot {verb} resource \"{resource}\"");
    said(403, "Forbidden", &message)
}

/// A Scale as the API server answers it.
fn scale(pods: i32) -> (u16, Value) {
    let scale = json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "it", "namespace": "ns"},
        "spec": {}, "status": {"replicas": pods, "selector": "app=it"},
    });
    (200, scale)
}

/// The Lease, renewed at that second.
fn held(second: u32) -> (u16, Value) {
    let time = format!("2026-01-01T00:00:{second:02}.000000Z");
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": "it", "namespace": "ns", "resourceVersion": second.to_string()},
        "spec": {"holderIdentity": "pod/keeper/a-uid/-/-/-/tag", "renewTime": time},
    });
    (200, lease)
}

#[tokio::test]
async fn a_deployment_is_scaled_by_one_number_and_not_read() {
    let (client, asked) = server(vec![scale(2)]);
    let scaled = scale_down(client, "ns", "it").await;
    assert_eq!(scaled, Ok(Scaled::Down { pods: 2 }));
    let path = "/apis/apps/v1/namespaces/ns/deployments/it/scale";
    let expected = (
        "PATCH".to_owned(),
        path.to_owned(),
        "application/merge-patch+json".to_owned(),
        json!({"spec": {"replicas": 0}}),
    );
    assert_eq!(*asked.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn only_the_api_servers_own_404_says_that_there_is_no_deployment() {
    let (client, _) = server(vec![failure(404, "NotFound")]);
    assert_eq!(scale_down(client, "ns", "it").await, Ok(Scaled::Absent));
    let (client, _) = server(vec![(404, json!("a proxy's page"))]);
    let error = scale_down(client, "ns", "it").await.unwrap_err();
    assert!(matches!(error, ScaleError::Failed { .. }), "{error}");
}

#[tokio::test]
async fn a_lease_that_a_quota_refuses_asks_for_no_rule() {
    let quota = "leases \"it\" is forbidden: exceeded quota: few, requested: count/leases=1";
    let (client, _) = server(vec![
        held(1),
        said(403, "Forbidden", quota),
        lacks("create", "leases"),
    ]);
    let leases = Leases::new(client, "ns", "it");
    let record = leases.read().await.unwrap().unwrap().record;
    let begun = "Lease ns/it: creating it is forbidden, so nothing is written.";
    let error = leases.write(None, &record).await.unwrap_err();
    let expected = format!("{begun} The API server says: {quota}");
    assert_eq!(error.to_string(), expected);
    let error = leases.write(None, &record).await.unwrap_err().to_string();
    let rule = "apiGroups: [coordination.k8s.io], resources: [leases], verbs: [create]";
    let expected = format!("{begun} The Role in its namespace lacks this rule: {rule}. The API");
    assert!(error.starts_with(&expected), "{error}");
}

#[tokio::test]
async fn only_the_api_servers_own_404_says_that_there_is_no_lease() {
    let (client, _) = server(vec![failure(404, "NotFound")]);
    let leases = Leases::new(client, "ns", "it");
    assert!(leases.read().await.unwrap().is_none());
    let (client, _) = server(vec![
        held(1),
        failure(404, "NotFound"),
        (404, json!("a proxy's page")),
    ]);
    let leases = Leases::new(client, "ns", "it");
    let seen = leases.read().await.unwrap().unwrap();
    let written = leases.write(Some(&seen), &seen.record).await;
    assert!(matches!(written, Ok(Written::Outrun)), "{written:?}");
    let written = leases.write(Some(&seen), &seen.record).await;
    assert!(
        matches!(written, Err(LeaseError::Failed { .. })),
        "{written:?}"
    );
    let read = leases.read().await;
    assert!(matches!(read, Err(LeaseError::Failed { .. })), "{read:?}");
}

#[tokio::test]
async fn a_403_names_the_rule_and_another_failure_what_was_said() {
    let (client, asked) = server(vec![
        lacks("patch", "deployments/scale"),
        failure(500, "InternalError"),
        said(403, "Forbidden", "denied by a policy"),
    ]);
    let error = scale_down(client.clone(), "ns", "it").await.unwrap_err();
    let expected = "Deployment ns/it: scaling it to 0 is forbidden, so nothing was done. The Role in \
                    its namespace lacks this rule: apiGroups: [apps], resources: \
                    [deployments/scale], verbs: [patch], resourceNames: [it]. The API server says: \
                    \"it\" is forbidden: User \"me\" cannot patch resource \"deployments/scale\"";
    assert_eq!(error.to_string(), expected);
    let error = scale_down(client.clone(), "ns", "it").await.unwrap_err();
    let expected = "Deployment ns/it: scaling it to 0 failed: what it says (500)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(asked.lock().unwrap().len(), 2, "neither is tried again");
    let error = scale_down(client, "ns", "it").await.unwrap_err();
    let expected = "Deployment ns/it: scaling it to 0 is forbidden, so nothing was done. The API \
                    server says: denied by a policy";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn how_it_stands_with_a_lease_is_told_with_the_pod_of_its_holder() {
    let mut released = held(2);
    released.1["spec"]["holderIdentity"] = "".into();
    let (client, _) = server(vec![held(1), released, failure(404, "NotFound")]);
    let standing = || look(client.clone(), "ns", "it");
    let now = standing().await.unwrap().unwrap();
    let holder = "pod keeper (pod/keeper/a-uid/-/-/-/tag)".to_owned();
    assert_eq!(now.holder, Some(holder));
    assert_eq!(now.pod.as_deref(), Some("keeper"));
    assert_eq!(now.renewed, "2026-01-01T00:00:01Z".parse().ok());
    let now = standing().await.unwrap().unwrap();
    assert_eq!((now.holder, now.pod), (None, None));
    assert_eq!(standing().await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_waited_for_until_nobody_renews_it() {
    // Twice it is renewed between two looks, then no more.
    let (client, _) = server([1, 2, 3, 4, 5, 5].map(held).into());
    let mut told = Vec::new();
    let within = Duration::from_mins(2);
    let free = until_free(&client, "ns", "it", within, |why| told.push(why.clone())).await;
    assert_eq!(free, Ok(()));
    assert_eq!(told.len(), 2);
    let (lease, holder) = told[0].holder().unwrap();
    assert_eq!(lease, "ns/it");
    assert_eq!(holder, "pod keeper (pod/keeper/a-uid/-/-/-/tag)");
}

#[tokio::test(start_paused = true)]
async fn it_is_waited_for_no_longer_than_that_and_its_holder_is_named() {
    let (client, _) = server((1..60).map(held).collect());
    let begun = Instant::now();
    let within = Duration::from_secs(20);
    let free = until_free(&client, "ns", "it", within, |_| ()).await;
    assert!(matches!(free, Err(LeaseError::Held { .. })), "{free:?}");
    let waited = begun.elapsed();
    assert!((within..within * 2).contains(&waited), "{waited:?}");

    let begun = Instant::now();
    let (client, _) = server((1..60).map(held).collect());
    let free = until_free(&client, "ns", "it", Duration::ZERO, |_| panic!("it waits")).await;
    assert!(matches!(free, Err(LeaseError::Held { .. })), "{free:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_is_waited_for_and_a_right_that_lacks_is_not() {
    let (client, asked) = server(vec![
        failure(500, "InternalError"),
        failure(503, "ServiceUnavailable"),
        failure(404, "NotFound"),
    ]);
    let (within, begun) = (Duration::from_mins(1), Instant::now());
    let mut told = 0;
    let free = until_free(&client, "ns", "it", within, |_| told += 1).await;
    assert_eq!((free, told), (Ok(()), 2), "there is no Lease");
    assert_eq!(asked.lock().unwrap().len(), 3);
    assert_eq!(begun.elapsed(), RETRY * 2);

    let (client, _) = server(vec![failure(403, "Forbidden")]);
    let free = until_free(&client, "ns", "it", within, |_| panic!("it waits")).await;
    assert!(
        matches!(free, Err(LeaseError::Forbidden { .. })),
        "{free:?}"
    );
}
