//! Pages of the scripted API server's lists, and the tokens by which lists are continued. Clients have
//! no business in a token; it has the form of the real ones
//! (<https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/storage/continue.go>):
//! a version and where to go on.

use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::objects::{Expired, Objects};
use super::selection::Selection;

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Arc<Value>>,
    pub(super) version: u64,
    /// How the list is continued, unless this is its end.
    pub(super) next: Option<Token>,
    /// How many objects follow; nobody counts those that a selector takes.
    pub(super) remaining: Option<usize>,
}

/// Where a list goes on.
pub(super) struct Token {
    /// In the state of this version; without one in the present state.
    version: Option<u64>,
    start: String,
}

impl Token {
    /// Reads a token that somebody sent.
    pub(super) fn read(text: &str) -> Option<Self> {
        let json = URL_SAFE_NO_PAD.decode(text).ok()?;
        let json: Value = serde_json::from_slice(&json).ok()?;
        if json["v"] != "meta.k8s.io/v1" {
            return None;
        }
        Some(Self {
            version: u64::try_from(json["rv"].as_i64()?).ok(),
            start: json["start"].as_str()?.to_owned(),
        })
    }

    /// As it is sent.
    pub(super) fn text(&self) -> String {
        let version = self.version.map_or(json!(-1), |version| json!(version));
        let json = json!({"v": "meta.k8s.io/v1", "rv": version, "start": self.start});
        URL_SAFE_NO_PAD.encode(json.to_string())
    }

    /// The rest of the list, whatever has changed since.
    pub(super) fn in_the_present_state(self) -> Self {
        let version = None;
        Self { version, ..self }
    }
}

impl Objects {
    /// A page of a list: the first, or the one that goes on from `token`, in the same state.
    pub(super) fn page(
        &mut self,
        kind: &str,
        selection: &Selection,
        limit: usize,
        token: Option<&Token>,
    ) -> Result<Page, Expired> {
        let asked = token.and_then(|token| token.version);
        let version = asked.unwrap_or_else(|| self.version());
        let state = match asked {
            Some(version) => self.state_at(kind, version)?,
            None => self.state(kind),
        };
        let prefix = selection.prefix();
        let start = token.map_or(&*prefix, |token| &*token.start).max(&*prefix);
        let from_start = (Bound::Included(start), Bound::Unbounded);
        let mut rest = state
            .range::<str, _>(from_start)
            .take_while(|(key, _)| key.starts_with(&*prefix))
            .peekable();
        let (mut items, mut last) = (Vec::new(), "");
        while items.len() < limit
            && let Some((key, object)) = rest.next()
        {
            last = key;
            if selection.takes(object) {
                items.push(Arc::clone(object));
            }
        }
        let goes_on = rest.peek().is_some();
        let remaining = (goes_on && !selection.chooses()).then(|| rest.count());
        // The next object is the first whose key is greater.
        let start = format!("{last}\0");
        let version_after = Some(version);
        if goes_on {
            self.keep(kind, version, Arc::clone(&state));
        }
        Ok(Page {
            items,
            version,
            next: goes_on.then_some(Token {
                version: version_after,
                start,
            }),
            remaining,
        })
    }
}
