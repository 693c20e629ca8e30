//! Listening: a port that is taken is known before anything else begins, and no client can hold a
//! connection for ever. What is answered is the router's matter.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Admin, router};

/// A request's header must be there within this time, counted from the connection's start or from
/// the answer before.
const HEADER_WITHIN: Duration = Duration::from_secs(20);

/// A connection is used for new requests no longer than this.
const LIVES: Duration = Duration::from_mins(2);

/// The last answer of a connection must be read within this time.
const LAST: Duration = Duration::from_secs(10);

/// The same once the process is to stop.
const LAST_ON_STOP: Duration = Duration::from_secs(2);

/// How many connections there are at once; more wait.
const CONNECTIONS: usize = 256;

/// The most that the headers of a request may be, in bytes; hyper wants at least 8 KiB.
const HEADER_BYTES: usize = 16 * 1024;

/// How long to wait when a connection cannot be taken: most likely there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// An address that is listened on.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// No address can be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "--listen: cannot listen on {tried}; give an address of this machine with a free port, such as `:8080` or `127.0.0.1:8080`"
)]
pub struct BindError {
    /// What was tried, with the reason of each failure.
    tried: String,
}

impl Bound {
    /// Listens on the first of `addresses` that can be.
    pub(super) async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let mut tried = String::new();
        for address in addresses {
            let listener = TcpListener::bind(address).await;
            match listener.and_then(|listener| Ok((listener.local_addr()?, listener))) {
                Ok((address, listener)) => return Ok(Self { listener, address }),
                Err(error) => {
                    let comma = if tried.is_empty() { "" } else { ", " };
                    // Writing to a String never fails.
                    let _ = write!(tried, "{comma}{address} ({error})");
                }
            }
        }
        Err(BindError { tried })
    }

    /// The address, with the port that was chosen if port 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, and then what is under way, within 2 s.
    pub async fn serve(self, admin: Admin, stop: CancellationToken) {
        let router = router::router(admin);
        let (tasks, places) = (TaskTracker::new(), Arc::new(Semaphore::new(CONNECTIONS)));
        let accept = async {
            while let Ok(place) = Arc::clone(&places).acquire_owned().await {
                let stream = match self.listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        pause(&error).await;
                        continue;
                    }
                };
                let (router, stop) = (router.clone(), stop.clone());
                tasks.spawn(async move {
                    answer(stream, router, stop).await;
                    drop(place);
                });
            }
        };
        stop.run_until_cancelled(accept).await;
        tasks.close();
        tasks.wait().await;
    }
}

async fn pause(error: &io::Error) {
    tracing::debug!(%error, "a connection to the admin server was not taken");
    sleep(PAUSE).await;
}

/// Answers the requests of one connection.
async fn answer<I>(io: I, router: Router, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_WITHIN)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(io), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let last = tokio::select! {
        ended = &mut connection => return log(ended),
        () = stop.cancelled() => LAST_ON_STOP,
        () = sleep(LIVES) => LAST,
    };
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = timeout(last, connection).await {
        log(ended);
    }
}

/// A client that goes away or talks nonsense is nobody's concern.
fn log(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the admin server ended");
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;

    use super::*;

    const LOCAL: [SocketAddr; 1] = [SocketAddr::V4(std::net::SocketAddrV4::new(
        std::net::Ipv4Addr::LOCALHOST,
        0,
    ))];

    #[tokio::test]
    async fn a_taken_port_is_an_error_that_names_the_flag_and_the_address() {
        let first = Bound::bind(&LOCAL).await.unwrap();
        let taken = first.address();
        let error = Bound::bind(&[taken]).await.unwrap_err().to_string();
        for words in ["--listen", &taken.to_string(), "in use"] {
            assert!(error.contains(words), "{error}");
        }
        assert!(!error.contains('\n'), "{error}");
        // The next address is as good.
        let second = Bound::bind(&[taken, LOCAL[0]]).await.unwrap();
        assert_ne!(second.address(), taken);
    }

    #[tokio::test]
    async fn the_unspecified_address_of_the_newer_protocol_is_reached_by_the_older_one() {
        let all = SocketAddr::from(([0_u16; 8], 0));
        let Ok(bound) = Bound::bind(&[all]).await else {
            // A machine without IPv6: the settings' next address is for it.
            return assert!(Bound::bind(&[all, LOCAL[0]]).await.is_ok());
        };
        let only_v6 = std::fs::read_to_string("/proc/sys/net/ipv6/bindv6only");
        if only_v6.is_ok_and(|only| only.trim() == "0") {
            let address = (std::net::Ipv4Addr::LOCALHOST, bound.address().port());
            tokio::net::TcpStream::connect(address).await.unwrap();
        }
    }

    #[tokio::test]
    async fn it_serves_over_a_socket_until_it_is_told_to_stop() {
        let bound = Bound::bind(&LOCAL).await.unwrap();
        let address = bound.address();
        let stop = CancellationToken::new();
        let (admin, _) = crate::admin::samples::admin();
        let served = tokio::spawn(bound.serve(admin, stop.clone()));
        let mut idle = tokio::net::TcpStream::connect(address).await.unwrap();
        let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
        client
            .write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        stop.cancel();
        served.await.unwrap();
        assert_eq!(idle.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(tokio::net::TcpStream::connect(address).await.is_err());
    }

    /// A client's end of a connection, and the task that answers it.
    fn connected(stop: &CancellationToken, page: &'static str) -> (DuplexStream, JoinHandle<()>) {
        let (client, server) = duplex(1024);
        let router = Router::new().route("/", axum::routing::get(move || async move { page }));
        (client, tokio::spawn(answer(server, router, stop.clone())))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_or_never_ends_its_header_is_cut_off() {
        for words in ["", "GET / HTTP/1.1\r\nHost:"] {
            let start = Instant::now();
            let (mut client, task) = connected(&CancellationToken::new(), "");
            client.write_all(words.as_bytes()).await.unwrap();
            task.await.unwrap();
            assert_eq!(start.elapsed().as_secs(), HEADER_WITHIN.as_secs());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_without_end_is_turned_down() {
        let (mut client, task) = connected(&CancellationToken::new(), "");
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let line = format!("x: {}\r\n", "y".repeat(500));
        let mut written = 0;
        while client.write_all(line.as_bytes()).await.is_ok() && written <= 2 * HEADER_BYTES {
            written += line.len();
        }
        let mut answer = String::new();
        let _ = client.read_to_string(&mut answer).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{written}: {answer}");
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_its_answer_is_cut_off() {
        static LONG: [u8; 100_000] = [b'x'; 100_000];
        let page = std::str::from_utf8(&LONG).unwrap();
        for (stop, after) in [(false, LIVES + LAST), (true, LAST_ON_STOP)] {
            let (start, token) = (Instant::now(), CancellationToken::new());
            let (mut client, task) = connected(&token, page);
            client
                .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                .await
                .unwrap();
            let mut first = [0; 12];
            client.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            if stop {
                token.cancel();
            }
            task.await.unwrap();
            assert_eq!(start.elapsed().as_secs(), after.as_secs());
        }
    }
}
