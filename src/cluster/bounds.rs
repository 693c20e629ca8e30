//! Bounds on what an API server may say in one breath: an answer, or a line of a watch. kube reads both
//! to their end, however far that is, and holds them in memory twice. What is asked for and what is
//! made of an answer is not known here.

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use http::{Request, Response};
use http_body_util::{BodyStream, StreamBody};
use hyper::body::{Body, Frame};
use tower::BoxError;

/// The longest answer to a question for many objects. A page of a hundred usual pods is a tenth of it.
const MANY: usize = 8 << 20;

/// The longest answer about one object, and the longest line of a watch. etcd takes 1.5 MiB of an
/// object (<https://etcd.io/docs/v3.6/dev-guide/limit/>), and JSON writes some letters with six.
const ONE: usize = 16 << 20;

/// An answer, or a line of a watch, that is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API server says more than {longest} bytes at once")]
pub(super) struct TooLong {
    longest: usize,
}

/// Whether that is why something failed.
pub(super) fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if cause.is::<TooLong>() {
            return true;
        }
        next = cause.source();
    }
    false
}

/// Whether `request` asks for a watch.
pub(super) fn is_watch<T>(request: &Request<T>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    query
        .split('&')
        .any(|part| ["watch=true", "watch=1"].contains(&part))
}

/// How much may be said at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    longest: usize,
    /// Whether each line is something for itself.
    by_line: bool,
}

impl Bound {
    /// That of the answer to `request`.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let query = request.uri().query().unwrap_or_default();
        let limit = query.split('&').find(|part| part.starts_with("limit="));
        let by_line = is_watch(request);
        let is_many = limit.is_some_and(|limit| limit != "limit=1") && !by_line;
        Self {
            longest: if is_many { MANY } else { ONE },
            by_line,
        }
    }

    /// The same answer, which fails where it says too much.
    pub(super) fn hold<B>(
        self,
        answer: Response<B>,
    ) -> Response<StreamBody<impl Stream<Item = Result<Frame<Bytes>, BoxError>> + use<B>>>
    where
        B: Body<Data = Bytes, Error: Into<BoxError>>,
    {
        let mut said = 0;
        answer.map(|body| {
            StreamBody::new(BodyStream::new(body).map(move |frame| {
                let frame = frame.map_err(Into::into)?;
                if let Some(data) = frame.data_ref() {
                    said = self.after(said, data);
                }
                if said > self.longest {
                    let longest = self.longest;
                    return Err(TooLong { longest }.into());
                }
                Ok(frame)
            }))
        })
    }

    /// How much is said at once by `data`, when so much was before.
    fn after(self, said: usize, data: &[u8]) -> usize {
        let line = data.iter().rposition(|byte| *byte == b'\n');
        match line.filter(|_| self.by_line) {
            Some(end) => data.len() - end - 1,
            None => said.saturating_add(data.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    fn bound(query: &str) -> Bound {
        let uri = format!("https://api.test/api/v1/pods?{query}");
        Bound::of(&Request::get(uri).body(()).unwrap())
    }

    #[test]
    fn what_is_asked_for_says_how_much_may_be_answered() {
        for (query, longest, by_line) in [
            ("", ONE, false),
            ("limit=100&continue=x", MANY, false),
            ("&limit=1", ONE, false),
            ("&watch=true&timeoutSeconds=290", ONE, true),
        ] {
            assert_eq!(bound(query), Bound { longest, by_line }, "{query}");
        }
    }

    #[tokio::test]
    async fn one_byte_more_than_may_be_said_is_an_error_that_is_known_through_others() {
        for (length, is_read) in [(MANY, true), (MANY + 1, false)] {
            let whole = Full::new(Bytes::from(vec![b' '; length]));
            let answer = bound("limit=9").hold(Response::new(whole));
            let read = BodyExt::collect(answer.into_body()).await;
            assert_eq!(read.is_ok(), is_read);
            if let Err(error) = read {
                let error = kube::Error::Service(Box::new(kube::Error::Service(error)));
                assert!(is_too_long(&error), "{error:?}");
            }
        }
        assert!(!is_too_long(&kube::Error::Service("another".into())));
    }

    #[test]
    fn lines_are_counted_each_for_itself() {
        let watch = bound("watch=true");
        assert_eq!(watch.after(7, b"abc"), 10);
        assert_eq!(watch.after(7, b"abc\nde"), 2);
        assert_eq!(watch.after(7, b"a\nb\n"), 0);
        assert_eq!(bound("limit=9").after(7, b"a\nb\n"), 11);
    }
}
