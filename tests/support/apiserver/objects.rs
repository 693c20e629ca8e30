//! The objects of the scripted API server, with resource versions, the changes that watches can go
//! on from, and the rest of lists that were begun.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

/// Kind, namespace (empty for kinds without one) and name.
type Key = (String, String, String);

/// What the server stores.
#[derive(Default)]
pub(super) struct Objects {
    version: u64,
    stored: BTreeMap<Key, Value>,
    changes: Vec<Change>,
    /// By kind: changes up to this version are forgotten.
    forgotten: HashMap<String, u64>,
    /// What is left of lists that were begun, by their tokens.
    pages: HashMap<String, (String, u64, Vec<Value>)>,
}

struct Change {
    version: u64,
    kind: String,
    namespace: String,
    event: &'static str,
    object: Value,
}

/// A page of a list.
pub(super) struct Page {
    pub(super) items: Vec<Value>,
    pub(super) version: u64,
    pub(super) next: Option<String>,
    pub(super) remaining: usize,
}

/// The version asked for is too old.
pub(super) struct Expired;

impl Objects {
    /// Creates or replaces an object, and says which event that is.
    pub(super) fn apply(&mut self, mut object: Value) -> (&'static str, Value) {
        let key = key(&object);
        self.version += 1;
        let known = self.stored.get(&key);
        let event = if known.is_some() { "MODIFIED" } else { "ADDED" };
        let earlier = |field: &str| known.map(|known| known["metadata"][field].clone());
        let uid = earlier("uid").unwrap_or_else(|| json!(format!("uid-{}", self.version)));
        let created = earlier("creationTimestamp").unwrap_or_else(|| json!(time(self.version)));
        let meta = object["metadata"].as_object_mut().expect("metadata");
        meta.entry("uid").or_insert(uid);
        meta.entry("creationTimestamp").or_insert(created);
        meta.insert(
            "resourceVersion".to_owned(),
            json!(self.version.to_string()),
        );
        self.stored.insert(key.clone(), object.clone());
        self.note(key, event, &object);
        (event, object)
    }

    /// Deletes an object, which is returned as it was last, with the version of its deletion.
    pub(super) fn delete(&mut self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        let mut object = self.stored.remove(&key)?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.note(key, "DELETED", &object);
        Some(object)
    }

    fn note(&mut self, (kind, namespace, _): Key, event: &'static str, object: &Value) {
        // Nobody watches these, and they change all the time.
        if kind == "Lease" {
            return;
        }
        self.changes.push(Change {
            version: self.version,
            kind,
            namespace,
            event,
            object: object.clone(),
        });
    }

    /// The object, if it exists.
    pub(super) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.stored
            .get(&(kind.to_owned(), namespace.to_owned(), name.to_owned()))
    }

    /// All objects of a kind, or those in one namespace.
    pub(super) fn list(&self, kind: &str, namespace: Option<&str>) -> Vec<Value> {
        let wanted = |key: &&Key| key.0 == kind && namespace.is_none_or(|wanted| key.1 == wanted);
        let keys = self.stored.keys().filter(wanted);
        keys.map(|key| self.stored[key].clone()).collect()
    }

    /// The first page of a list.
    pub(super) fn first_page(&mut self, kind: &str, namespace: Option<&str>, limit: usize) -> Page {
        let items = self.list(kind, namespace);
        self.page(kind, self.version, items, limit)
    }

    /// A further page: of the same state as the first.
    pub(super) fn next_page(&mut self, token: &str, limit: usize) -> Result<Page, Expired> {
        let (kind, version, rest) = self.pages.remove(token).ok_or(Expired)?;
        Ok(self.page(&kind, version, rest, limit))
    }

    fn page(&mut self, kind: &str, version: u64, mut items: Vec<Value>, limit: usize) -> Page {
        let rest = items.split_off(limit.min(items.len()));
        let remaining = rest.len();
        let next = (remaining > 0).then(|| {
            let token = format!("{kind}.{version}.{remaining}.{}", self.pages.len());
            self.pages
                .insert(token.clone(), (kind.to_owned(), version, rest));
            token
        });
        Page {
            items,
            version,
            next,
            remaining,
        }
    }

    /// The changes after `version`.
    pub(super) fn changes_since(
        &self,
        kind: &str,
        namespace: Option<&str>,
        version: u64,
    ) -> Result<Vec<(&'static str, &Value)>, Expired> {
        if self
            .forgotten
            .get(kind)
            .is_some_and(|forgotten| version < *forgotten)
        {
            return Err(Expired);
        }
        let changes = self.changes.iter().filter(|change| {
            change.version > version
                && change.kind == kind
                && namespace.is_none_or(|wanted| change.namespace == wanted)
        });
        Ok(changes
            .map(|change| (change.event, &change.object))
            .collect())
    }

    /// Forgets the changes of a kind and its lists that were begun.
    pub(super) fn expire(&mut self, kind: &str) {
        self.version += 1;
        self.forgotten.insert(kind.to_owned(), self.version);
        self.forget_pages(kind);
    }

    /// Forgets lists that were begun.
    pub(super) fn forget_pages(&mut self, kind: &str) {
        self.pages.retain(|_, (of, _, _)| of != kind);
    }

    /// A bookmark at the present version.
    pub(super) fn bookmark(&self, kind: &str) -> String {
        let metadata = json!({"resourceVersion": self.version.to_string()});
        let object = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata});
        json!({"type": "BOOKMARK", "object": object}).to_string()
    }
}

fn key(object: &Value) -> Key {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let meta = &object["metadata"];
    let key = (
        text(&object["kind"]),
        text(&meta["namespace"]),
        text(&meta["name"]),
    );
    assert!(
        !key.0.is_empty() && !key.2.is_empty(),
        "kind and metadata.name: {object}"
    );
    key
}

/// Objects are created a second apart, in the order of their versions.
fn time(version: u64) -> String {
    let (minutes, seconds) = (version / 60, version % 60);
    format!(
        "2026-01-{:02}T{:02}:{:02}:{seconds:02}Z",
        1 + minutes / 1440,
        minutes / 60 % 24,
        minutes % 60
    )
}
