//! The API server behind a proxy that is gone through by CONNECT, as the variables name it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::program::{Program, run_with};
use super::stage::Stage;

/// The API server's name, which only the proxy knows.
const API: &str = "api.cluster.test:6443";

/// `me:hunter2`, as the proxy is told.
const SIGNED_IN: &str = "Proxy-Authorization: Basic bWU6aHVudGVyMg==";

/// A proxy on this machine that leads to one server alone. Counts its tunnels.
async fn proxy(target: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tunnels = Arc::new(AtomicUsize::new(0));
    let opened = Arc::clone(&tunnels);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(tunnel(stream, target, Arc::clone(&opened)));
        }
    });
    (address, tunnels)
}

async fn tunnel(mut client: TcpStream, target: SocketAddr, opened: Arc<AtomicUsize>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let signed_in = head.to_lowercase().contains(&SIGNED_IN.to_lowercase());
    if !head.starts_with(&format!("CONNECT {API} HTTP/1.1\r\n")) || !signed_in {
        let _ = client.write_all(b"HTTP/1.1 407 No\r\n\r\n").await;
        return;
    }
    opened.fetch_add(1, Ordering::Relaxed);
    let mut server = TcpStream::connect(target).await.unwrap();
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut server).await;
}

/// The same kubeconfig for the name that only the proxy knows, and where that leads.
fn behind(kubeconfig: &Path, name: &str) -> (PathBuf, SocketAddr) {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let mut config: Value = serde_saphyr::from_str(&text).unwrap();
    let cluster = &mut config["clusters"][0]["cluster"];
    let server = cluster["server"].as_str().unwrap();
    let address = server.strip_prefix("https://").unwrap().parse().unwrap();
    cluster["server"] = json!(format!("https://{API}"));
    // One of those that its certificate has.
    cluster["tls-server-name"] = json!("kubernetes");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.kubeconfig"));
    std::fs::write(&path, config.to_string()).unwrap();
    (path, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn everything_goes_through_the_proxy_and_its_password_is_nowhere_in_what_is_said() {
    let mut stage = Stage::new("tunnel").await;
    let (kubeconfig, target) = behind(&stage.kubeconfig, "tunnel");
    let (address, tunnels) = proxy(target).await;
    stage.set("kubeconfig", kubeconfig.to_str().unwrap());
    stage.grant().await;
    stage.deploy("web", "acme/web:1").await;
    let proxy = format!("http://me:hunter2@{address}");
    let variables = [("HTTPS_PROXY", &*proxy), ("NO_PROXY", "127.0.0.1,.svc")];
    stage.recorder = Some(Program::start_with(
        "tunnel",
        &stage.arguments("run"),
        &variables,
    ));
    stage.runs("web", "app", "acme/web:1").await;
    stage.delete("Deployment", "web").await;
    stage.ends("web", "app").await;
    assert!(tunnels.load(Ordering::Relaxed) > 0);
    let said = stage.recorder().said();
    assert!(!said.contains("hunter2"), "{said}");
    stage.stop().await;

    for wrong in ["ftp://me:hunter2@proxy", "http://me:hun ter2@proxy"] {
        let ended = run_with(&stage.arguments("snapshot"), &[("HTTPS_PROXY", wrong)]).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.said.contains("HTTPS_PROXY"), "{}", ended.said);
        assert!(!ended.said.contains("hun"), "{}", ended.said);
    }
}
