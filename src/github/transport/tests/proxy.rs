//! A forward proxy on this machine: requests in absolute form, and tunnels. It resolves every name
//! to one server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy does with what it is asked.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    Forward,
    Refuse,
    Hang,
}

/// A proxy that runs until the test's runtime ends.
pub(super) struct Proxy {
    /// Its address, as variables name it.
    pub(super) url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A proxy by which every name is the server at `target`.
    pub(super) async fn start(target: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            heads: Arc::default(),
        };
        let heads = proxy.heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(stream, target, manner, heads.clone()));
            }
        });
        proxy
    }

    /// The head of each request that it saw.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn pass(
    mut client: TcpStream,
    target: SocketAddr,
    manner: Manner,
    heads: Arc<Mutex<Vec<String>>>,
) {
    let mut read = Vec::new();
    let end = loop {
        if client.read_buf(&mut read).await.unwrap() == 0 {
            return;
        }
        if let Some(at) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let body = read.split_off(end);
    let head = String::from_utf8(read).unwrap();
    heads.lock().unwrap().push(head.clone());
    match manner {
        Manner::Forward => {}
        Manner::Refuse => {
            let refusal =
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            client.write_all(refusal).await.unwrap();
            return;
        }
        Manner::Hang => return std::future::pending().await,
    }
    let mut server = TcpStream::connect(target).await.unwrap();
    if head.starts_with("CONNECT ") {
        let stands = b"HTTP/1.1 200 Connection established\r\n\r\n";
        client.write_all(stands).await.unwrap();
    } else {
        let start = head.find("http://").unwrap();
        let path = start + head[start + 7..].find('/').unwrap() + 7;
        let head = [&head[..start], &head[path..]].concat();
        server.write_all(head.as_bytes()).await.unwrap();
    }
    server.write_all(&body).await.unwrap();
    // Whoever hangs up first ends it.
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
