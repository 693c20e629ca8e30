//! The sandbox over real connections: what only a socket can show, its own interface and its page.

use std::net::SocketAddr;
use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind, Sandbox, serve};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::*;

/// Whatever proxy the environment names is not asked.
fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

async fn start() -> (Sandbox, SocketAddr) {
    let sandbox = Sandbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve(listener, sandbox.clone()));
    (sandbox, address)
}

async fn post_to(client: &Client, address: SocketAddr, body: &Value) -> reqwest::Result<Response> {
    client
        .post(format!("http://{address}{SET}"))
        .header("authorization", "Bearer t0ken")
        .header("user-agent", "tests")
        .body(body.to_string())
        .send()
        .await
}

async fn read(client: &Client, address: SocketAddr, path: &str) -> Value {
    let answer = client
        .get(format!("http://{address}{path}"))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_good_request_is_applied_and_answered() {
    let (sandbox, address) = start().await;
    let answer = post_to(&client(), address, &batch(&[item("shop", 'a')]))
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("x-ratelimit-reset"));
    assert!(sandbox.record("prod", "shop").is_some());
}

#[tokio::test]
async fn the_app_is_served_to_whoever_wants_to_sign_in_and_changed_by_whoever_may() {
    let (sandbox, address) = start().await;
    let client = client();
    let app = read(&client, address, "/sandbox/app?org=acme").await;
    assert_eq!(app["app_id"], json!(7));
    assert_eq!(app["installation_id"], json!(sandbox.installation("acme")));
    assert_eq!(app["private_key"], json!(sandbox.app_key()));
    let change = async |body: Value| {
        let request = client.post(format!("http://{address}/sandbox/app"));
        let request = request.header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        answer.status().as_u16()
    };
    assert_eq!(
        change(json!({"rotate": true, "installed": {"acme": false}})).await,
        204
    );
    let changed = read(&client, address, "/sandbox/app?org=acme").await;
    assert_ne!(changed["private_key"], app["private_key"]);
    assert_eq!(changed["installation_id"], Value::Null);
    assert_eq!(change(json!({"public_key": "none"})).await, 422);
    assert_eq!(change(json!({"rotated": true})).await, 422);
    assert_eq!(
        read(&client, address, "/sandbox/app").await["private_key"],
        changed["private_key"]
    );
}

#[tokio::test]
async fn a_reset_breaks_the_connection_and_the_next_one_works() {
    let (sandbox, address) = start().await;
    let client = client();
    let body = batch(&[item("shop", 'a')]);
    for (kind, applied) in [(FaultKind::Reset, 0), (FaultKind::Lost { hang: false }, 1)] {
        sandbox.fault(Fault::once(kind));
        let error = post_to(&client, address, &body).await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
        assert_eq!(sandbox.records().len(), applied);
    }
    assert_eq!(
        post_to(&client, address, &body).await.unwrap().status(),
        200
    );
    assert_eq!(sandbox.request_count(), 3);
}

#[tokio::test]
async fn a_reset_sends_not_one_byte() {
    let (sandbox, address) = start().await;
    sandbox.fault(Fault::once(FaultKind::Reset));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head =
        format!("POST {SET} HTTP/1.1\r\nhost: x\r\nuser-agent: t\r\ncontent-length: 2\r\n\r\n{{}}");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    let end = stream.read_to_end(&mut got).await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(got.is_empty(), "{}", String::from_utf8_lossy(&got));
}

#[tokio::test]
async fn a_client_that_gives_up_on_a_hanging_answer_is_not_in_flight_any_more() {
    let (sandbox, address) = start().await;
    sandbox.fault(Fault::once(FaultKind::Lost { hang: true }));
    let client = Client::builder()
        .timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let body = batch(&[item("shop", 'a')]);
    let error = post_to(&client, address, &body).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(
        (sandbox.records().len(), sandbox.requests()[0].status),
        (1, None)
    );
    // The server learns of it a moment later, over the socket.
    let mut events = sandbox.subscribe();
    let over = tokio::time::timeout(
        Duration::from_secs(10),
        events.wait_for(|count| *count >= 2),
    );
    assert!(over.await.is_ok());
}

#[tokio::test]
async fn a_body_beyond_all_measure_is_413() {
    let (_, address) = start().await;
    let body = json!({"logical_environment": "x".repeat(33 << 20)});
    match post_to(&client(), address, &body).await {
        Ok(answer) => assert_eq!(answer.status(), 413),
        // The answer may overtake the body, and the connection ends before the rest is sent.
        Err(error) => assert!(error.is_request(), "{error:?}"),
    }
}

async fn tell(address: SocketAddr, path: &str, body: &Value) -> u16 {
    let request = client().post(format!("http://{address}/sandbox/{path}"));
    let request = request
        .header("content-type", "application/json")
        .body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn faults_attestations_and_switches_are_set_as_json() {
    let (sandbox, address) = start().await;
    let fault = json!({"kind": "unknown_digest", "on": {"record": "cart"}});
    assert_eq!(tell(address, "faults", &fault).await, 201);
    assert_eq!(
        tell(address, "faults", &json!({"kind": "nonsense"})).await,
        422
    );
    let attestation = json!({"digest": digest('a'), "repository": "shop"});
    assert_eq!(tell(address, "attestations", &attestation).await, 204);
    let switches = json!({"unknown_digests": true, "token": "t0ken"});
    assert_eq!(tell(address, "settings", &switches).await, 204);
    let given = json!({"github_repository": "cart"});
    let items = [
        item("shop", 'a'),
        item("mail", 'c'),
        with(item("cart", 'b'), given),
    ];
    let answer = post_to(&client(), address, &batch(&items)).await.unwrap();
    assert_eq!(answer.status(), 207);
    let names: Vec<_> = sandbox
        .records()
        .into_iter()
        .map(|it| it.key.deployment_name)
        .collect();
    assert_eq!(names, ["shop"]);
    assert_eq!(
        read(&client(), address, "/sandbox/faults").await["faults"][0]["number"],
        1
    );
    let cleared = client()
        .delete(format!("http://{address}/sandbox/faults"))
        .send()
        .await;
    assert_eq!(
        (cleared.unwrap().status().as_u16(), sandbox.faults().len()),
        (204, 0)
    );
}

#[tokio::test]
async fn the_sandbox_tells_what_it_holds_and_what_it_was_asked() {
    let (_, address) = start().await;
    let client = client();
    let gone = with(item("cart", 'b'), json!({"status": "decommissioned"}));
    post_to(&client, address, &batch(&[item("shop", 'a'), gone]))
        .await
        .unwrap();
    let health = read(&client, address, "/sandbox/healthz").await;
    assert_eq!(health["requests"], 1);
    let request = read(&client, address, "/sandbox/requests").await["requests"][0]["at"].take();
    let (now, then) = (health["at"].as_f64().unwrap(), request.as_f64().unwrap());
    assert!(now > then && now < then + 60.0, "{now} after {then}");
    let deployed = read(
        &client,
        address,
        "/sandbox/records?cluster=prod-1&status=deployed",
    )
    .await;
    assert_eq!(deployed["total_count"], 1);
    assert_eq!(deployed["records"][0]["deployment_name"], "shop");
    let none = read(&client, address, "/sandbox/records?name=mail").await;
    assert_eq!(none["total_count"], 0);
    let path = "/sandbox/records/history?environment=prod&name=shop";
    assert_eq!(
        read(&client, address, path).await["changes"][0]["request"],
        1
    );
    let requests = read(&client, address, "/sandbox/requests?after=0&limit=5").await;
    let request = &requests["requests"][0];
    assert_eq!(
        (&request["applied"], &request["status"]),
        (&json!(2), &json!(200))
    );
    assert_eq!(request["body"]["deployments"][0]["deployment_name"], "shop");
    assert_eq!(
        read(&client, address, "/sandbox/violations").await["total_count"],
        0
    );
}

#[tokio::test]
async fn the_page_shows_every_artifact_and_strikes_out_what_is_gone() {
    let (_, address) = start().await;
    let client = client();
    let gone = with(
        item("<cart>", 'b'),
        json!({"status": "decommissioned", "version": "2.0", "runtime_risks": ["sensitive-data"],
               "tags": {"team": "pay & co"}, "github_repository": "cart"}),
    );
    post_to(&client, address, &batch(&[item("shop", 'a'), gone]))
        .await
        .unwrap();
    let page = client
        .get(format!("http://{address}/"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for part in [
        "<td class=on><i title=deployed></i><span>shop</span>",
        "<td class=off><i title=decommissioned></i><span>&lt;cart&gt;</span>",
        "<span class=version>2.0</span>",
        "<span class=risk>sensitive-data</span>",
        "<span class=tag>team: pay &amp; co</span>",
        "<td class=whole>prod-1</td>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}
