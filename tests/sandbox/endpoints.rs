//! The seven endpoints without faults.

use std::time::Duration;

use deployment_recorder::sandbox::{Attestation, Endpoint, Sandbox, Settings, Status};
use http::Method;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::client::*;

fn strict() -> Sandbox {
    Sandbox::new(Settings {
        unknown_digests: true,
        ..Settings::default()
    })
}

#[tokio::test(start_paused = true)]
async fn a_set_writes_every_record_and_answers_them_without_status() {
    let sandbox = Sandbox::default();
    let items = [
        with(
            item("shop", 'a'),
            json!({"version": "1.0", "tags": {"team": "x"}}),
        ),
        with(item("cart", 'b'), json!({"status": "decommissioned"})),
    ];
    let got = post(&sandbox, SET, &batch(&items)).await;
    assert_contract(Endpoint::SetClusterRecords, &got);
    assert_eq!(got.body["total_count"], 2);
    let mut fields: Vec<&String> = got.body["deployment_records"][0]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    fields.sort();
    assert_eq!(
        fields,
        [
            "attestation_id",
            "cluster",
            "created_at",
            "deployment_name",
            "digest",
            "id",
            "logical_environment",
            "physical_environment",
            "runtime_risks",
            "tags",
            "updated_at",
        ]
    );
    let shop = sandbox.record("prod", "shop").unwrap();
    assert_eq!(
        (shop.version.as_deref(), shop.tags["team"].as_str()),
        (Some("1.0"), "x")
    );
    assert_eq!(
        (shop.status, shop.key.cluster.as_str()),
        (Status::Deployed, "prod-1")
    );
    assert_eq!(
        sandbox.record("prod", "cart").unwrap().status,
        Status::Decommissioned
    );
    assert_eq!(sandbox.violations(), []);
}

#[tokio::test(start_paused = true)]
async fn records_stay_out_of_the_answer_when_they_are_not_asked_for() {
    let sandbox = Sandbox::default();
    let body = with(
        batch(&[item("shop", 'a')]),
        json!({"return_records": false}),
    );
    let got = post(&sandbox, SET, &body).await;
    assert_contract(Endpoint::SetClusterRecords, &got);
    assert_eq!(got.body, json!({"total_count": 1}));
}

#[tokio::test(start_paused = true)]
async fn a_second_set_updates_and_never_deletes() {
    let sandbox = Sandbox::default();
    post(
        &sandbox,
        SET,
        &batch(&[item("shop", 'a'), item("cart", 'a')]),
    )
    .await;
    sleep(Duration::from_secs(5)).await;
    post(&sandbox, SET, &batch(&[item("shop", 'b')])).await;
    assert_eq!(sandbox.records().len(), 2);
    let history = sandbox.history("prod", "shop");
    assert_eq!(
        history.iter().map(|it| it.request).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(history[1].at, history[0].at + Duration::from_secs(5));
    assert_eq!(history[1].record.digest, digest('b'));
}

#[tokio::test(start_paused = true)]
async fn an_unattested_digest_without_repository_is_refused_alone_or_fails_all() {
    let sandbox = strict();
    sandbox.attest(Attestation {
        digest: digest('a'),
        repository: Some("shop".into()),
    });
    let items = [
        item("attested", 'a'),
        with(item("given", 'b'), json!({"github_repository": "cart"})),
        item("unknown", 'c'),
    ];
    let got = post(&sandbox, SET, &batch(&items)).await;
    assert_contract(Endpoint::SetClusterRecords, &got);
    assert_eq!(
        (got.status.as_u16(), &got.body["total_count"]),
        (207, &json!(2))
    );
    let error = &got.body["errors"][0];
    assert_eq!(error["cause"], "not_found");
    assert_eq!(error["deployment"]["deployment_name"], "unknown");
    let repository = |name| sandbox.record("prod", name).unwrap().github_repository;
    assert_eq!(repository("attested").as_deref(), Some("shop"));
    assert_eq!(repository("given").as_deref(), Some("cart"));

    let sandbox = strict();
    let all = with(batch(&items), json!({"partial_success": false}));
    let got = post(&sandbox, SET, &all).await;
    assert_eq!(got.status, 404);
    assert!(
        got.body["message"]["repositories"].is_array(),
        "{}",
        got.body
    );
    assert_eq!(sandbox.records(), []);
}

#[tokio::test(start_paused = true)]
async fn a_single_record_is_created_or_refused_in_words() {
    let sandbox = strict();
    let single = |extra: Value| {
        with(
            item("shop", 'a'),
            with(
                extra,
                json!({"logical_environment": "prod", "status": "deployed"}),
            ),
        )
    };
    let got = post(&sandbox, CREATE, &single(json!({"cluster": "c"}))).await;
    assert_contract(Endpoint::CreateDeploymentRecord, &got);
    assert_eq!(
        (got.status.as_u16(), got.message()),
        (404, "no artifacts found")
    );
    let got = post(
        &sandbox,
        CREATE,
        &single(json!({"github_repository": "shop"})),
    )
    .await;
    assert_contract(Endpoint::CreateDeploymentRecord, &got);
    assert_eq!(got.body["deployment_records"][0]["cluster"], "");
    let six: Value = (0..6).map(|i| (i.to_string(), json!("v"))).collect();
    let got = post(&sandbox, CREATE, &single(json!({"tags": six}))).await;
    assert_eq!(got.status, 422);
}

#[tokio::test(start_paused = true)]
async fn lists_show_the_records_of_one_digest_and_hide_their_status() {
    let sandbox = Sandbox::default();
    post(
        &sandbox,
        SET,
        &batch(&[item("shop", 'a'), item("cart", 'b'), item("mail", 'a')]),
    )
    .await;
    let path = format!(
        "/orgs/acme/artifacts/{}/metadata/deployment-records",
        digest('a')
    );
    let got = get(&sandbox, &path).await;
    assert_contract(Endpoint::ListDeploymentRecords, &got);
    assert_eq!(got.body["total_count"], 2);
    assert_eq!(got.body["deployment_records"][0].get("status"), None);
    let other = format!(
        "/orgs/other/artifacts/{}/metadata/deployment-records",
        digest('a')
    );
    assert_eq!(get(&sandbox, &other).await.body["total_count"], 0);
    let bad = get(
        &sandbox,
        "/orgs/acme/artifacts/sha256:1/metadata/deployment-records",
    )
    .await;
    assert_eq!(bad.status, 422);
}

#[tokio::test(start_paused = true)]
async fn storage_records_are_kept_and_listed() {
    let sandbox = Sandbox::default();
    let body = json!({"name": "shop", "digest": digest('a'), "registry_url": "https://ghcr.io/"});
    let got = post(&sandbox, STORE, &body).await;
    assert_contract(Endpoint::CreateStorageRecord, &got);
    let path = format!(
        "/orgs/acme/artifacts/{}/metadata/storage-records",
        digest('a')
    );
    let got = get(&sandbox, &path).await;
    assert_contract(Endpoint::ListStorageRecords, &got);
    assert_eq!(got.body["storage_records"][0]["status"], "active");
    let bad = with(body, json!({"registry_url": "http://ghcr.io"}));
    let got = post(&sandbox, STORE, &bad).await;
    assert_eq!(got.status, 422);
    assert!(got.message().contains("registry_url"), "{}", got.message());
}

#[tokio::test(start_paused = true)]
async fn a_job_runs_its_course_and_keeps_others_of_its_cluster_out() {
    let sandbox = strict();
    sandbox.attest(Attestation {
        digest: digest('a'),
        repository: None,
    });
    let body = json!({"logical_environment": "prod",
        "deployments": [item("shop", 'a'), item("unknown", 'b')]});
    let got = post(&sandbox, JOBS, &body).await;
    assert_contract(Endpoint::CreateJob, &got);
    let path = format!("{JOBS}/{}", got.body["job_id"]);
    let second = post(&sandbox, JOBS, &body).await;
    assert_contract(Endpoint::CreateJob, &second);
    assert_eq!(second.status, 409);
    let mut seen = Vec::new();
    for _ in 0..3 {
        let got = get(&sandbox, &path).await;
        assert_contract(Endpoint::GetJob, &got);
        seen.push(got.body["status"].clone());
        sleep(Duration::from_millis(1100)).await;
    }
    assert_eq!(seen, ["pending", "processing", "completed"]);
    let got = get(&sandbox, &path).await;
    assert_eq!(
        (
            &got.body["total_count"],
            got.body["errors"].as_array().unwrap().len()
        ),
        (&json!(2), 1)
    );
    assert_eq!(sandbox.records().len(), 1);
    let none = get(&sandbox, &format!("{JOBS}/99")).await;
    assert_contract(Endpoint::GetJob, &none);
    assert_eq!(none.status, 404);
}

#[tokio::test(start_paused = true)]
async fn requests_without_the_right_headers_method_or_path_are_refused() {
    let sandbox = Sandbox::default();
    let body = batch(&[item("shop", 'a')]);
    let good = || request(Method::POST, SET, &body);
    let without = |name: &str| {
        let mut request = good();
        request.headers_mut().remove(name);
        request
    };
    let replaced = |name: &'static str, value: &'static str| {
        let mut request = good();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let table = [
        (good(), 200),
        (without("authorization"), 401),
        (replaced("authorization", "Bearer "), 401),
        (without("user-agent"), 403),
        (without("x-github-api-version"), 200),
        (replaced("x-github-api-version", "2026-03-10"), 200),
        (replaced("x-github-api-version", "2020-01-01"), 410),
        (request(Method::PUT, SET, &body), 404),
        (request(Method::GET, SET, &body), 404),
        (request(Method::POST, "/orgs/acme/other", &body), 404),
        (request(Method::POST, SET, &json!([])), 400),
        (request(Method::POST, SET, &Value::Null), 400),
    ];
    for (request, wanted) in table {
        let what = format!("{request:?}");
        let got = send(&sandbox, request).await;
        assert_eq!(got.status.as_u16(), wanted, "{what}");
        assert!(got.header("x-github-request-id").is_some(), "{what}");
        assert!(got.header("date").is_some(), "{what}");
        assert_eq!(got.header("x-ratelimit-limit"), Some("5000"), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_fixed_token_is_accepted_and_it_can_change() {
    let sandbox = Sandbox::new(Settings {
        token: Some("other".into()),
        ..Settings::default()
    });
    let body = batch(&[item("shop", 'a')]);
    assert_eq!(post(&sandbox, SET, &body).await.status, 401);
    sandbox.set_token(Some("t0ken".into()));
    assert_eq!(post(&sandbox, SET, &body).await.status, 200);
    let entry = sandbox.requests().remove(0);
    assert_eq!((entry.status, entry.applied), (Some(401), 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_condition_ends_when_it_holds() {
    let sandbox = Sandbox::default();
    let writer = sandbox.clone();
    let task = tokio::spawn(async move {
        sleep(Duration::from_secs(30)).await;
        post(&writer, SET, &batch(&[item("shop", 'a')])).await;
    });
    sandbox
        .wait_until(|it| it.record("prod", "shop").is_some())
        .await;
    assert_eq!(sandbox.elapsed(), Duration::from_secs(30));
    task.await.unwrap();
}
