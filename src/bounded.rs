//! One request over HTTP and its answer, read whole but never without end: for everybody who asks with
//! reqwest. Beside it, of lists in answers only the first elements. Who is asked, by which connections, what
//! answers mean and how much is too much is not known here.

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use thiserror::Error;

mod list;

pub(crate) use list::{First, FirstFields};

/// Why there is no answer. No text of it names the address: there may be a secret in that.
#[derive(Debug, Error)]
pub enum Broken {
    /// The request failed on its way, or its answer did.
    #[error("the connection failed")]
    Connection(#[source] reqwest::Error),
    /// The answer has more bytes than were allowed.
    #[error("the answer is too long")]
    TooLong,
}

impl From<reqwest::Error> for Broken {
    fn from(error: reqwest::Error) -> Self {
        Self::Connection(error.without_url())
    }
}

/// Sends `request` once and reads its whole answer, of at most `longest` bytes. One that announces more is
/// not begun, and one that turns out to have more is given up there.
///
/// # Errors
///
/// The connection failed, or the answer is longer.
pub async fn exchange(
    client: reqwest::Client,
    request: Request<Bytes>,
    longest: usize,
) -> Result<Response<Bytes>, Broken> {
    let request = reqwest::Request::try_from(request)?;
    let mut answer = client.execute(request).await?;
    if answer.content_length().unwrap_or_default() > longest as u64 {
        return Err(Broken::TooLong);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > longest {
            return Err(Broken::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const LONGEST: usize = 8;

    /// Asks a server on this machine that answers so and hangs up, with a secret in the address.
    async fn answered(answer: &'static str) -> Result<Response<Bytes>, Broken> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let _ = connection.read(&mut [0; 4096]).await.unwrap();
            connection.write_all(answer.as_bytes()).await.unwrap();
        });
        let request = Request::get(format!("http://{address}/?signature=secret"));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let exchanged = exchange(client, request.body(Bytes::new()).unwrap(), LONGEST).await;
        serving.await.unwrap();
        exchanged
    }

    #[tokio::test]
    async fn an_answer_as_long_as_is_allowed_is_read_whole_with_status_and_headers() {
        for answer in [
            "HTTP/1.1 404 Not Found\r\nX-Id: 7\r\nContent-Length: 8\r\n\r\n12345678",
            "HTTP/1.1 404 Not Found\r\nX-Id: 7\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\n12345\r\n3\r\n678\r\n0\r\n\r\n",
        ] {
            let answer = answered(answer).await.unwrap();
            assert_eq!(answer.status(), 404);
            assert_eq!(answer.headers()["x-id"], "7");
            assert_eq!(answer.body(), "12345678");
        }
    }

    #[tokio::test]
    async fn a_byte_more_than_is_allowed_is_too_long_announced_or_not() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
             5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n123456789",
        ] {
            let error = answered(answer).await.unwrap_err();
            assert!(matches!(error, Broken::TooLong), "{answer}: {error:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_none_and_its_error_does_not_name_the_address() {
        for answer in ["", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234567"] {
            let error = answered(answer).await.unwrap_err();
            assert!(matches!(error, Broken::Connection(_)), "{error:?}");
            let mut said = format!("{error:?} {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                said = format!("{said} {error}");
                cause = error.source();
            }
            assert!(
                !said.contains("127.0.0.1") && !said.contains("secret"),
                "{said}"
            );
        }
    }
}
