//! A token service, as `auth: token` of docker-registry wants it
//! (<https://distribution.github.io/distribution/spec/auth/jwt/>): it knows `me` with the password `word`,
//! and lets everybody pull what is below `public/`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// `me:word`.
pub const BASIC: &str = "Basic bWU6d29yZA==";

/// Who asked for what: `Authorization` and scope.
pub type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// Starts one. Gives host and port, and what it will have been asked.
pub async fn start() -> (String, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route("/token", get(give))
        .with_state(asked.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, asked)
}

async fn give(
    State(asked): State<Asked>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let who = headers
        .get("authorization")
        .map(|it| it.to_str().unwrap().to_owned());
    let scope = query.get("scope").cloned().unwrap_or_default();
    let who = who.unwrap_or_default();
    asked.lock().unwrap().push((who.clone(), scope.clone()));
    if !matches!(&*who, "" | BASIC) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let parts: Vec<&str> = scope.split(':').collect();
    let ["repository", name, actions] = parts[..] else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let allowed: Vec<&str> = match &*who {
        BASIC => actions.split(',').collect(),
        _ if name.starts_with("public/") => vec!["pull"],
        _ => vec![],
    };
    Ok(Json(
        json!({"token": token(name, &allowed), "expires_in": 300}),
    ))
}

/// A token for a repository.
pub fn token(name: &str, actions: &[&str]) -> String {
    let chain = body(include_str!("token-service.crt"));
    let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [chain]});
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": "test", "sub": "", "aud": "registry", "jti": "1",
        "nbf": now - 60, "iat": now - 60, "exp": now + 300,
        "access": [{"type": "repository", "name": name, "actions": actions}],
    });
    let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
    let text = format!("{}.{}", part(&header), part(&claims));
    let key = STANDARD
        .decode(body(include_str!("token-service.key")))
        .unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key).unwrap();
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What stands in a PEM file, in one line.
fn body(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .collect()
}
