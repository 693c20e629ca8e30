//! Pull secrets as the API server has them: those that a pod names, and those of its service account,
//! read by name with the rights for that and no others.

use std::collections::BTreeSet;

use aws_lc_rs::digest::{SHA256, digest as hash};
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::calls::audited;
use super::objects::deployment;
use super::stage::Stage;

/// What is told to whoever signs in as `me`, by digest: a manifest that says where its code came from.
fn manifest(repository: &str) -> (String, String) {
    let source = format!("https://127.0.0.1/acme/{repository}");
    let text = json!({
        "annotations": {"org.opencontainers.image.source": source},
        "config": {"digest": format!("sha256:{:064x}", 1), "size": 1},
    })
    .to_string();
    let digest = hash(&SHA256, text.as_bytes());
    let hex: Vec<String> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    (format!("sha256:{}", hex.join("")), text)
}

/// A registry that lets in `me` with the password `hush-7`, and nobody else. Gives its address.
async fn registry(manifests: Vec<(String, String)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
        let manifests = manifests.clone();
        async move {
            let basic = format!("Basic {}", STANDARD.encode("me:hush-7"));
            if headers.get("authorization").is_none_or(|it| *it != *basic) {
                return (
                    StatusCode::UNAUTHORIZED,
                    [("WWW-Authenticate", "Basic realm=test")],
                    String::new(),
                );
            }
            let digest = uri.path().rsplit('/').next().unwrap_or_default().to_owned();
            let found = manifests.iter().find(|(known, _)| *known == digest);
            let text = found.map(|(_, text)| text.clone());
            let status = if text.is_some() {
                StatusCode::OK
            } else {
                StatusCode::NOT_FOUND
            };
            (status, [("WWW-Authenticate", "")], text.unwrap_or_default())
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The Role of what `--use-pull-secrets` needs, as the chart has it.
fn role() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/charts/deployment-recorder/files/watched.yaml"
    );
    let text = std::fs::read_to_string(file).expect("a file of the chart");
    let watched: Value = serde_saphyr::from_str(&text).expect("it is YAML");
    let rules: Vec<Value> = watched["pullSecrets"]
        .as_array()
        .expect("resources")
        .iter()
        .map(|it| json!({"apiGroups": [it["apiGroup"]], "resources": [it["resource"]], "verbs": ["get"]}))
        .collect();
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "rules": rules})
}

impl Stage {
    async fn grant_pull_secrets(&self) {
        let mut role = role();
        let metadata = json!({"namespace": self.ns, "name": "pulls"});
        role["metadata"] = metadata.clone();
        self.api.create(&role).await;
        let rbac = "rbac.authorization.k8s.io";
        self.api
            .create(&json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
                "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "pulls"},
                "subjects": self.subjects(),
            }))
            .await;
        let asked = json!({"verb": "get", "resource": "secrets", "namespace": self.ns});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    async fn pull_secret(&self, name: &str, host: &str, password: &str) {
        let auths = json!({"auths": {host: {"username": "me", "password": password}}});
        self.api
            .create(&json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson",
                "metadata": {"namespace": self.ns, "name": name},
                "data": {".dockerconfigjson": STANDARD.encode(auths.to_string())},
            }))
            .await;
    }

    /// What of Secrets and service accounts was read, by name.
    fn read(&self) -> BTreeSet<(String, String)> {
        let calls = audited(&self.user).into_iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        calls
            .filter(|call| {
                ["secrets", "serviceaccounts"]
                    .iter()
                    .any(|it| call["objectRef"]["resource"] == *it)
            })
            .map(|call| {
                assert_eq!(call["verb"], "get", "{call}");
                let allowed = &call["annotations"]["authorization.k8s.io/decision"];
                assert_eq!(allowed, "allow", "{call}");
                let asked = &call["objectRef"];
                (text(&asked["resource"]), text(&asked["name"]))
            })
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn pull_secrets_of_pods_and_of_their_service_accounts_are_read_where_a_registry_asks_for_them()
 {
    let mut stage = Stage::new("pulls").await;
    let (named, old) = (manifest("named-source"), manifest("old-source"));
    let host = registry(vec![named.clone(), old.clone()]).await;
    // This pod is older than what its service account names.
    let image = |digest: &str| format!("{host}/acme/web:1@{digest}");
    let of_old = image(&old.0);
    stage
        .create(&deployment(&stage.ns, "old", &[("app", &of_old)]))
        .await;
    stage.started("old", &of_old).await;
    stage.pull_secret("of-the-account", &host, "hush-7").await;
    stage.pull_secret("of-the-pod", &host, "hush-7").await;
    stage.pull_secret("of-nobody", &host, "hush-7").await;
    let account = json!({"imagePullSecrets": [{"name": "of-the-account"}]});
    stage
        .api
        .patch("ServiceAccount", &stage.ns, "default", &account)
        .await;
    let of_named = image(&named.0);
    let mut newer = deployment(&stage.ns, "named", &[("app", &of_named)]);
    newer["spec"]["template"]["spec"]["imagePullSecrets"] = json!([{"name": "of-the-pod"}]);
    stage.create(&newer).await;
    stage.grant_namespaced().await;
    stage.grant_pull_secrets().await;
    stage.set("read-image-labels", "");
    stage.set("use-pull-secrets", "");
    stage.set("registry-allow-http", &host);
    let checked = stage.run("check", &[]).await;
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert_eq!(
        stage.read(),
        BTreeSet::new(),
        "whoever only checks reads none"
    );
    stage.start();
    for (workload, repository) in [("named", "named-source"), ("old", "old-source")] {
        stage
            .until(&format!("{workload} is from {repository}"), |_| {
                let record = stage.record(workload, "app");
                record.is_some_and(|it| it.github_repository.as_deref() == Some(repository))
            })
            .await;
    }
    let expected = [
        ("secrets", "of-the-account"),
        ("secrets", "of-the-pod"),
        ("serviceaccounts", "default"),
    ];
    let expected = expected.map(|(resource, name)| (resource.to_owned(), name.to_owned()));
    assert_eq!(stage.read(), expected.into());
    let log = stage.recorder().said();
    assert!(
        !log.contains("hush-7") && !log.contains(&STANDARD.encode("me:hush-7")),
        "{log}"
    );
}
