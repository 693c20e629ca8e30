//! What is not there, not allowed, or not understood.

use serde_json::json;

use super::stage::Stage;

pub(crate) async fn a_resource_that_is_not_there_is_not_found(stage: Stage) {
    let ns = &stage.ns;
    for path in [
        "/api/v1/nothings".to_owned(),
        "/api/v1/nothings?watch=true".to_owned(),
        "/apis/apps/v1/nothings?limit=1".to_owned(),
        "/apis/apps/v9/deployments".to_owned(),
        format!("/api/v1/namespaces/{ns}/nothings"),
        format!("/api/v1/namespaces/{ns}/nothings/it"),
        format!("/api/v1/namespaces/{ns}/configmaps/it/nothing"),
    ] {
        let status = stage.get(&path).await.refuses(404, "NotFound");
        let message = "the server could not find the requested resource";
        assert_eq!(status["message"], message, "{path}");
        assert_eq!(status["details"], json!({}), "{path}");
    }
    let answer = stage.get("/apis/no.group/v1/things").await;
    assert_eq!(answer.code, 404);
    assert_eq!(answer.text, "404 page not found\n");
}

pub(crate) async fn what_one_has_no_right_to_is_forbidden(stage: Stage) {
    stage.create("it", "").await;
    let map = stage.map("it");
    let watch = format!("{}?watch=true", stage.maps());
    for (path, verb) in [(stage.maps(), "list"), (watch, "watch"), (map, "get")] {
        let status = stage.get_without_rights(&path).await;
        let status = status.refuses(403, "Forbidden");
        let mut details = json!({"kind": "configmaps"});
        let mut object = "configmaps".to_owned();
        if verb == "get" {
            details["name"] = json!("it");
            object += " \"it\"";
        }
        assert_eq!(status["details"], details);
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("{object} is forbidden: User ")));
        let what = format!(
            "cannot {verb} resource \"configmaps\" in API group \"\" in the namespace \"{}\"",
            stage.ns
        );
        assert!(message.ends_with(&what), "{message}");
    }
    let status = stage.get_without_rights("/api/v1/configmaps").await;
    let status = status.refuses(403, "Forbidden");
    let message = status["message"].as_str().unwrap();
    assert!(message.ends_with("at the cluster scope"), "{message}");
}

pub(crate) async fn a_malformed_token_is_a_bad_request(stage: Stage) {
    for name in ["a", "b"] {
        stage.create(name, "").await;
    }
    // The last one is base64 of `{"v":"x"}`.
    for token in ["nonsense", "-", "e30", "eyJ2IjoieCJ9"] {
        let path = format!("{}?limit=1&continue={token}", stage.maps());
        let status = stage.get(&path).await.refuses(400, "BadRequest");
        let message = status["message"].as_str().unwrap();
        assert!(message.starts_with("invalid continue token"), "{message}");
    }
    let first = stage.list("limit=1").await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let path = format!("{}?resourceVersion=1&continue={token}", stage.maps());
    stage.get(&path).await.refuses(400, "BadRequest");
    let path = format!("{}?limit=many", stage.maps());
    stage.get(&path).await.refuses(400, "BadRequest");
}
