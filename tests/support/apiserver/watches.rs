//! Watches of the scripted API server: how they begin, what they are told, how they end.

use std::borrow::Cow;
use std::task::Poll;

use axum::body::Body;
use futures::channel::mpsc;
use futures::channel::mpsc::UnboundedSender;
use futures::stream::poll_fn;
use futures::{FutureExt, StreamExt};
use http::Response;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use super::Inner;
use super::asked::Asked;
use super::forms::{Form, bookmark, event};
use super::objects::Change;
use super::selection::Selection;
use super::statuses::{status, status_object};

/// A watch that is open.
pub(super) struct OpenWatch {
    pub(super) kind: String,
    api_version: String,
    selection: Selection,
    form: Form,
    bookmarks: bool,
    ends: Instant,
    lines: UnboundedSender<Result<String, std::io::Error>>,
}

impl OpenWatch {
    /// Whether its client has gone.
    pub(super) fn is_closed(&self) -> bool {
        self.lines.is_closed()
    }

    /// Sends a line, unless it has ended and its client does not know yet.
    pub(super) fn send(&self, line: String) {
        if Instant::now() < self.ends {
            let _ = self.lines.unbounded_send(Ok(line));
        }
    }

    /// Breaks the connection.
    pub(super) fn reset(&self) {
        let error = std::io::Error::other("connection reset by the test");
        let _ = self.lines.unbounded_send(Err(error));
    }

    /// Says how far it is, if its client wants to know.
    pub(super) fn mark(&self, version: u64) {
        if self.bookmarks {
            self.send(bookmark(&self.kind, &self.api_version, version, self.form));
        }
    }

    /// Tells of a change what it means to what is selected: an object that no longer is has gone, as
    /// it was when it still was.
    fn tell(&self, change: &Change) {
        let before = change.before.as_deref();
        let before = before.filter(|it| self.selection.takes(it));
        let is_there = !change.deleted && self.selection.takes(&change.object);
        let (what, object) = match (before, is_there) {
            (None, false) => return,
            (None, true) => ("ADDED", Cow::Borrowed(&*change.object)),
            (Some(_), true) => ("MODIFIED", Cow::Borrowed(&*change.object)),
            (Some(_), false) if change.deleted => ("DELETED", Cow::Borrowed(&*change.object)),
            (Some(before), false) => {
                let mut last: Value = before.clone();
                last["metadata"]["resourceVersion"] = json!(change.version.to_string());
                ("DELETED", Cow::Owned(last))
            }
        };
        self.send(event(what, &object, self.form));
    }
}

impl Inner {
    /// Opens a watch.
    pub(super) fn watch(&mut self, asked: &Asked) -> Response<Body> {
        let selection = match asked.selection() {
            Ok(selection) => selection,
            Err(why) => return status(400, &why),
        };
        let numbers = [
            asked.number("resourceVersion"),
            asked.number("timeoutSeconds"),
        ];
        let [Ok(since), Ok(ends)] = numbers else {
            return status(400, "resourceVersion and timeoutSeconds are numbers");
        };
        let (lines, mut receiver) = mpsc::unbounded();
        let ends = Instant::now() + Duration::from_secs(ends.unwrap_or(1800));
        let watch = OpenWatch {
            kind: asked.kind().to_owned(),
            api_version: asked.place.resource.api_version(),
            selection,
            form: Form::of(asked.metadata_only()),
            bookmarks: asked.value("allowWatchBookmarks") == Some("true"),
            ends,
            lines,
        };
        if self.begin_watch(&watch, since.unwrap_or_default()) {
            self.watches.retain(|watch| !watch.is_closed());
            self.watches.push(watch);
        }
        // What was said before it ends is heard, however late.
        let mut ends = Box::pin(tokio::time::sleep_until(ends));
        let said = poll_fn(move |context| match receiver.poll_next_unpin(context) {
            Poll::Pending => ends.poll_unpin(context).map(|()| None),
            said @ Poll::Ready(_) => said,
        });
        let line = self.line_of(asked.kind());
        Response::new(line.carry(Body::from_stream(said)))
    }

    /// Tells a watch what came after `since`; without that, what is there. False if that is too long
    /// ago: then the watch is over.
    fn begin_watch(&self, watch: &OpenWatch, since: u64) -> bool {
        if since == 0 {
            for object in self.objects.state(&watch.kind).values() {
                if watch.selection.takes(object) {
                    watch.send(event("ADDED", object, watch.form));
                }
            }
            return true;
        }
        let changes = self.objects.changes_since(&watch.kind, since);
        let Ok(changes) = changes else {
            watch.send(gone());
            return false;
        };
        changes.for_each(|change| watch.tell(change));
        true
    }

    /// Tells the open watches of a change.
    pub(super) fn tell(&self, change: &Change) {
        let kind = change.object["kind"].as_str().unwrap_or_default();
        let watches = self.watches.iter().filter(|watch| watch.kind == kind);
        watches.for_each(|watch| watch.tell(change));
    }
}

/// The line that ends a watch whose version is too old.
pub(super) fn gone() -> String {
    let status = status_object(410, "too old resource version");
    event("ERROR", &status, Form::Whole)
}
