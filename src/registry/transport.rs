//! The way to registries: connections, TLS, proxies. It sends each request once, follows no redirect,
//! and reads no answer without end. What answers mean is not known here.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use reqwest::redirect::Policy;
use thiserror::Error;
use tower::Service;

use super::address::PlainHosts;
use super::names::Names;
use crate::bounded::{self, Broken};

/// The longest answer that is read, in bytes. Registries have to take manifests of four times that
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>); those of
/// images have some kilobytes, and whoever makes a pod chooses what is read here.
pub(super) const LONGEST: usize = 1024 * 1024;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept: a look-up is over by then.
const IDLE: Duration = Duration::from_secs(20);

/// Sends requests over the network. The proxy variables of the environment hold, but for this machine
/// itself, and `SSL_CERT_FILE` names certificate authorities in place of the system's.
#[derive(Clone, Debug)]
pub struct Transport {
    usual: reqwest::Client,
    direct: reqwest::Client,
}

/// Why requests cannot be sent, or one was not answered.
#[derive(Debug, Error)]
pub enum TransportError {
    /// No connection could ever be made.
    #[error("HTTPS cannot be set up; are there certificate authorities on this system?")]
    Setup(#[source] reqwest::Error),
    /// The request failed on its way, or its answer did.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    /// The answer does not end.
    #[error("the answer is longer than {LONGEST} bytes")]
    TooLong,
}

impl From<Broken> for TransportError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Connection(error) => Self::Connection(error),
            Broken::TooLong => Self::TooLong,
        }
    }
}

impl Transport {
    /// A way to any registry. Names lead to this machine itself or the local link only if they are of
    /// `plain`, which a person has listed, or a proxy's, which `variable` of the environment names.
    ///
    /// # Errors
    ///
    /// No connection could ever be made.
    pub fn new(
        plain: &PlainHosts,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TransportError> {
        let names = Arc::new(Names::new(plain, variable));
        let builder = || {
            reqwest::Client::builder()
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .dns_resolver(Arc::clone(&names))
                .connect_timeout(CONNECT)
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(1)
        };
        let built =
            |builder: reqwest::ClientBuilder| builder.build().map_err(TransportError::Setup);
        Ok(Self {
            usual: built(builder())?,
            direct: built(builder().no_proxy())?,
        })
    }
}

impl Service<Request<Bytes>> for Transport {
    type Response = Response<Bytes>;
    type Error = TransportError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let host = request.uri().host().unwrap_or_default();
        let client = if super::address::is_nobodys(host) {
            self.direct.clone()
        } else {
            self.usual.clone()
        };
        Box::pin(exchange(client, request))
    }
}

/// Sends a request and reads its whole answer. Errors do not name the address: a redirect may have put
/// a signature into it.
async fn exchange(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, TransportError> {
    Ok(bounded::exchange(client, request, LONGEST).await?)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tower::ServiceExt as _;

    use super::*;

    /// What lies in the buffers of two sockets is taken besides: Linux lets them grow to some 10 MiB
    /// (`tcp_rmem` and `tcp_wmem`, <https://docs.kernel.org/networking/ip-sysctl.html>).
    const BUFFERS: usize = 16 * 1024 * 1024;

    /// A host that answers one request with `head` and then with zeros until nobody listens any more.
    /// Gives its address, and how many of them were taken.
    async fn endless(head: &'static str) -> (String, tokio::task::JoinHandle<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let sending = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await.unwrap();
            connection.write_all(head.as_bytes()).await.unwrap();
            let part = [b"10000\r\n".as_slice(), &vec![0; 0x10000], b"\r\n"].concat();
            let mut sent = 0;
            while connection.write_all(&part).await.is_ok() {
                sent += 0x10000;
            }
            sent
        });
        (address, sending)
    }

    async fn ask(address: &str) -> Result<Response<Bytes>, TransportError> {
        let request = Request::get(format!("http://{address}/v2/"))
            .body(Bytes::new())
            .unwrap();
        let transport = Transport::new(&PlainHosts::default(), |_| None).unwrap();
        transport.oneshot(request).await
    }

    #[tokio::test]
    async fn an_answer_without_an_end_is_given_up_and_no_more_of_it_taken() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let (address, sending) = endless(chunked).await;
        let error = ask(&address).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLong), "{error:?}");
        // Whoever can name an image could else stop all that is asked of this registry.
        let failure = crate::registry::client::Failure::broken(&error);
        assert_eq!(failure.setback(), crate::registry::queue::Setback::OfImage);
        let sent = sending.await.unwrap();
        assert!((LONGEST..LONGEST + BUFFERS).contains(&sent), "{sent}");
    }

    #[tokio::test]
    async fn an_answer_that_announces_too_much_is_not_even_begun() {
        let huge = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
        let (address, sending) = endless(huge).await;
        let error = ask(&address).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLong), "{error:?}");
        let sent = sending.await.unwrap();
        assert!(sent < BUFFERS, "{sent}");
        let said = error.to_string();
        assert!(!said.contains(&address), "{said}");
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_asked_unless_it_is_listed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("localhost:{}", listener.local_addr().unwrap().port());
        // It is refused for its name alone, and so is a name that only leads there.
        let direct = |plain: &[&str]| {
            let plain = PlainHosts::parse(plain.iter().copied()).unwrap();
            Transport::new(&plain, |_| None).unwrap().direct
        };
        let request = || {
            Request::get(format!("http://{address}/v2/"))
                .body(Bytes::new())
                .unwrap()
        };
        let error = exchange(direct(&[]), request()).await.unwrap_err();
        let failure = crate::registry::client::Failure::broken(&error);
        assert_eq!(failure.outcome(), crate::registry::Outcome::Refused);
        let serving = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 4096]).await.unwrap();
            let answer = "HTTP/1.1 204 No Content\r\n\r\n";
            connection.write_all(answer.as_bytes()).await.unwrap();
        });
        let answer = exchange(direct(&[&address]), request()).await.unwrap();
        assert_eq!(answer.status(), 204);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn nothing_is_followed_and_nothing_tried_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move {
            let mut requests = 0;
            let answers = [
                "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
                "",
            ];
            for answer in answers {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut request = [0; 4096];
                let _ = connection.read(&mut request).await.unwrap();
                requests += 1;
                connection.write_all(answer.as_bytes()).await.unwrap();
            }
            let more = tokio::time::timeout(Duration::from_millis(200), listener.accept()).await;
            requests + usize::from(more.is_ok())
        });
        assert_eq!(ask(&address).await.unwrap().status(), 302);
        assert!(matches!(
            ask(&address).await,
            Err(TransportError::Connection(_))
        ));
        assert_eq!(serving.await.unwrap(), 2);
    }
}
