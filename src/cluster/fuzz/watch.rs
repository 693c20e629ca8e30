//! Events of a watch, and what a mirror shows after them: what was named last under each name.

#![expect(
    clippy::indexing_slicing,
    reason = "of JSON, which has a null for what is not there"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kube::core::WatchEvent;
use kube::runtime::watcher::Event;
use serde_json::Value;

use super::super::convert::Converter;
use super::super::keep::{Pods, Shared};
use super::super::mirror::Mirror;
use super::super::place::Place;
use super::super::slim::SlimPod;
use super::super::wake::Wake;
use super::{is_readable, scope, slim, text};
use crate::model::workload::Kind;

type Key = (String, String);

/// What a mirror is to show: by namespace and name, the uid.
#[derive(Default)]
struct Shown {
    pods: BTreeMap<Key, String>,
    unreadable: BTreeSet<Key>,
}

/// A line of JSON for each event, as the API server writes them. `{"type": "LIST"}` begins a list,
/// whose objects are of the type `LISTED`; `{"type": "WHOLE"}` ends it.
pub(crate) fn watch(bytes: &[u8]) {
    let place = Place {
        kind: Kind::Pod,
        namespace: None,
    };
    let shared = Arc::new(Shared::new(Converter::new(scope())));
    let mirror = Mirror::new(place, Pods(shared), Wake::new());
    let (mut shown, mut fresh) = (Shown::default(), None::<Shown>);
    for line in bytes.split(|byte| *byte == b'\n') {
        let Ok(value) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let object = &value["object"];
        let part = |name| text(object, &format!("/metadata/{name}")).unwrap_or_default();
        let key: Key = (part("namespace").to_owned(), part("name").to_owned());
        let uid = is_readable(object).then(|| part("uid").to_owned());
        match value["type"].as_str().unwrap_or_default() {
            "LIST" => {
                mirror.take(Event::Init);
                fresh = Some(Shown::default());
            }
            "LISTED" => {
                mirror.take(Event::InitApply(slim(object)));
                if let Some(fresh) = &mut fresh {
                    let known = uid.is_none().then(|| shown.pods.get(&key)).flatten();
                    let known = known.cloned();
                    fresh.name(&key, uid);
                    fresh.pods.extend(known.map(|uid| (key, uid)));
                }
            }
            "WHOLE" => {
                mirror.take(Event::InitDone);
                shown = fresh.take().unwrap_or(shown);
            }
            "ADDED" | "MODIFIED" if value.get("object").is_some() => {
                mirror.take(Event::Apply(sent(&value)));
                if uid.is_some() {
                    shown.unreadable.remove(&key);
                }
                shown.name(&key, uid);
            }
            "DELETED" if value.get("object").is_some() => {
                mirror.take(Event::Delete(sent(&value)));
                shown.pods.remove(&key);
                shown.unreadable.remove(&key);
            }
            // Bookmarks and errors are kube's matter.
            _ => drop(serde_json::from_value::<WatchEvent<SlimPod>>(value)),
        }
        shows(&mirror, &shown);
    }
}

/// Whether a mirror shows that, and nothing else.
fn shows(mirror: &Mirror<Pods>, shown: &Shown) {
    let state = mirror.state();
    let pods = state.index.iter().map(|kept| {
        let pod = &kept.pod;
        let key = (pod.namespace.to_string(), pod.name.to_string());
        (key, pod.uid.to_string())
    });
    assert_eq!(pods.collect::<BTreeMap<Key, String>>(), shown.pods);
    assert_eq!(state.index.len(), shown.pods.len());
    let unreadable = state.index.unreadable();
    let unreadable = unreadable.map(|(namespace, name)| (namespace.to_string(), name.to_string()));
    assert_eq!(unreadable.as_ref(), shown.unreadable.first());
}

/// The object of an event, read as kube reads it.
fn sent(event: &Value) -> SlimPod {
    match serde_json::from_value(event.clone()) {
        Ok(WatchEvent::Added(pod) | WatchEvent::Modified(pod) | WatchEvent::Deleted(pod)) => pod,
        other => unreachable!("{other:?}"),
    }
}

impl Shown {
    /// An object came; without a uid it cannot be read.
    fn name(&mut self, key: &Key, uid: Option<String>) {
        match uid {
            Some(uid) => drop(self.pods.insert(key.clone(), uid)),
            None => drop(self.unreadable.insert(key.clone())),
        }
    }
}
