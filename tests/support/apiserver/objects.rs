//! The objects of the scripted API server, with resource versions, the changes that watches can go
//! on from, and the states that lists can be continued in.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

/// So many changes of a kind are kept for watches to go on from.
const KEPT_CHANGES: usize = 2_000;

/// So many states of a kind are kept for lists to be continued in.
const KEPT_STATES: usize = 16;

/// The objects of a kind in the order of lists, which is the one of their keys as text:
/// `namespace/name`, or the name alone. A write copies it only while a list may be continued in it.
pub(super) type State = Arc<BTreeMap<Arc<str>, Arc<Value>>>;

/// What the server stores.
#[derive(Default)]
pub(super) struct Objects {
    version: u64,
    kinds: BTreeMap<String, OfKind>,
}

#[derive(Default)]
struct OfKind {
    state: State,
    changes: BTreeMap<u64, Arc<Change>>,
    /// Changes up to this version are forgotten.
    forgotten: u64,
    states: BTreeMap<u64, State>,
}

/// A change of an object.
pub(super) struct Change {
    /// The version that the server has since.
    pub(super) version: u64,
    /// The object since; if it was deleted, as it was last, with the version of its deletion.
    pub(super) object: Arc<Value>,
    /// The object before, if there was one.
    pub(super) before: Option<Arc<Value>>,
    /// Whether it was deleted.
    pub(super) deleted: bool,
}

/// The version asked for is too old.
pub(super) struct Expired;

impl Objects {
    /// The present version.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Creates or replaces an object.
    pub(super) fn apply(&mut self, mut object: Value) -> Arc<Change> {
        let (kind, key) = key(&object);
        self.version += 1;
        let version = self.version;
        let of_kind = self.kinds.entry(kind).or_default();
        let before = of_kind.state.get(&*key).cloned();
        let earlier = |field: &str| {
            let known = before.as_deref().map(|it| it["metadata"][field].clone());
            known.filter(|value| !value.is_null())
        };
        let uid = earlier("uid").unwrap_or_else(|| json!(format!("uid-{version}")));
        let created = earlier("creationTimestamp").unwrap_or_else(|| json!(time(version)));
        let meta = object["metadata"].as_object_mut().expect("metadata");
        meta.entry("uid").or_insert(uid);
        meta.entry("creationTimestamp").or_insert(created);
        meta.insert("resourceVersion".to_owned(), json!(version.to_string()));
        let object = Arc::new(object);
        Arc::make_mut(&mut of_kind.state).insert(key.into(), Arc::clone(&object));
        of_kind.note(Change {
            version,
            object,
            before,
            deleted: false,
        })
    }

    /// Deletes an object.
    pub(super) fn delete(
        &mut self,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Option<Arc<Change>> {
        let of_kind = self.kinds.get_mut(kind)?;
        let key = key_of(namespace, name);
        // Looked up first, because taking it may copy the state.
        let before = Arc::clone(of_kind.state.get(&*key)?);
        Arc::make_mut(&mut of_kind.state).remove(&*key);
        self.version += 1;
        let mut object = Value::clone(&before);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        Some(of_kind.note(Change {
            version: self.version,
            object: Arc::new(object),
            before: Some(before),
            deleted: true,
        }))
    }

    /// The object, if it exists.
    pub(super) fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        let state = &self.kinds.get(kind)?.state;
        state.get(&*key_of(namespace, name))
    }

    /// All objects of a kind as they are now.
    pub(super) fn state(&self, kind: &str) -> State {
        let of_kind = self.kinds.get(kind);
        of_kind.map(|it| it.state.clone()).unwrap_or_default()
    }

    /// The same as they were at `version`, if that was kept.
    pub(super) fn state_at(&self, kind: &str, version: u64) -> Result<State, Expired> {
        let states = self.kinds.get(kind).map(|it| &it.states);
        let state = states.and_then(|states| states.get(&version));
        state.cloned().ok_or(Expired)
    }

    /// Keeps a state, so that a list of it can be continued.
    pub(super) fn keep(&mut self, kind: &str, version: u64, state: State) {
        let states = &mut self.kinds.entry(kind.to_owned()).or_default().states;
        states.insert(version, state);
        if states.len() > KEPT_STATES {
            states.pop_first();
        }
    }

    /// The changes after `version`.
    pub(super) fn changes_since(
        &self,
        kind: &str,
        version: u64,
    ) -> Result<impl Iterator<Item = &Change>, Expired> {
        let of_kind = self.kinds.get(kind);
        if of_kind.is_some_and(|it| version < it.forgotten) {
            return Err(Expired);
        }
        let changes = of_kind.map(|it| it.changes.range(version.saturating_add(1)..));
        Ok(changes.into_iter().flatten().map(|(_, change)| &**change))
    }

    /// Forgets the changes of a kind and the states of lists that were begun.
    pub(super) fn expire(&mut self, kind: &str) {
        self.version += 1;
        let of_kind = self.kinds.entry(kind.to_owned()).or_default();
        of_kind.forgotten = self.version;
        of_kind.changes.clear();
        of_kind.states.clear();
    }

    /// Forgets the states of lists that were begun.
    pub(super) fn forget_states(&mut self, kind: &str) {
        if let Some(of_kind) = self.kinds.get_mut(kind) {
            of_kind.states.clear();
        }
    }
}

impl OfKind {
    fn note(&mut self, change: Change) -> Arc<Change> {
        let change = Arc::new(change);
        self.changes.insert(change.version, Arc::clone(&change));
        if self.changes.len() > KEPT_CHANGES
            && let Some((version, _)) = self.changes.pop_first()
        {
            self.forgotten = self.forgotten.max(version);
        }
        change
    }
}

fn key(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let meta = &object["metadata"];
    let (kind, name) = (text(&object["kind"]), text(&meta["name"]));
    assert!(
        !kind.is_empty() && !name.is_empty(),
        "kind and metadata.name: {object}"
    );
    (kind, key_of(&text(&meta["namespace"]), &name))
}

fn key_of(namespace: &str, name: &str) -> String {
    if namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}/{name}")
    }
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
