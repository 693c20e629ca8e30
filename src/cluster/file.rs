//! Facts from a file instead of a live cluster: what `kubectl get ... -o yaml` or `-o json` wrote.
//! Reads text that somebody else has read; everything behind the reading is the conversion that
//! live objects go through.

mod documents;
mod links;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::facts::{Coverage, Facts, Namespace, Object, Pod, Unreadable, View};
use crate::model::others;
use crate::model::selection::Selection;
use crate::model::workload::Kind;

use super::convert::Converter;
use super::namespace_kind;
use super::scope::Scope;
use super::slim::{SlimMeta, SlimPod};

use documents::{Document, documents};
use links::ReadLinks;

/// Why a file gives no facts.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct FileError {
    /// The line, from 1; that of the document where nothing nearer is known.
    pub line: usize,
    /// What is wrong there.
    pub problem: String,
}

/// The facts in `text`: YAML (one document or several) or JSON, of lists and single objects as
/// `kubectl get` writes them. Kinds of which it has neither an object nor a list are out of
/// Coverage; kinds that `scope` does not look at are skipped. A kind that is not built in is looked at
/// if a pod's owners end at it; one that the file lacks then counts as one that cannot be read.
pub fn facts(text: &str, scope: Scope) -> Result<Facts, FileError> {
    let mut reader = Reader::new(scope);
    for document in documents(text)? {
        let Document { line, value } = document;
        reader
            .read(value, None)
            .map_err(|problem| FileError { line, problem })?;
    }
    Ok(reader.facts())
}

/// What was read so far. An object that is there twice counts as it is there last.
struct Reader {
    converter: Converter,
    kinds: Vec<Kind>,
    selection: Selection,
    exact: Option<Vec<Arc<str>>>,
    seen: BTreeSet<Kind>,
    /// Kinds that are not built in of which an object lacks something.
    odd: BTreeSet<Kind>,
    pods: BTreeMap<(Arc<str>, Arc<str>), Arc<Pod>>,
    objects: BTreeMap<(Kind, Arc<str>, Arc<str>), Arc<Object>>,
    namespaces: BTreeMap<Arc<str>, Arc<Namespace>>,
    links: ReadLinks,
}

impl Reader {
    fn new(scope: Scope) -> Self {
        Self {
            kinds: scope.kinds(),
            selection: scope.selection.clone(),
            exact: scope.exact_namespaces(),
            links: ReadLinks::new(scope.links()),
            converter: Converter::new(scope),
            seen: BTreeSet::new(),
            odd: BTreeSet::new(),
            pods: BTreeMap::new(),
            objects: BTreeMap::new(),
            namespaces: BTreeMap::new(),
        }
    }

    /// Reads a list or an object, which has the kind `item_of` if it names none: so the items of a
    /// typed list come from the API server.
    fn read(&mut self, value: Value, item_of: Option<&Kind>) -> Result<(), String> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let kind = match (text("apiVersion"), text("kind"), item_of) {
            (Some(version), Some(kind), _) => Kind::new(
                version.rsplit_once('/').map_or("", |(group, _)| group),
                kind,
            ),
            (None, None, Some(kind)) => kind.clone(),
            _ => return Err(format!("{} is no object of Kubernetes", found(&value))),
        };
        match (value, kind.kind().strip_suffix("List")) {
            (Value::Object(mut list), Some(items_are)) if list.contains_key("items") => {
                // The items of a plain `List` name their own kinds.
                let item_kind = (!items_are.is_empty()).then(|| Kind::new(kind.group(), items_are));
                self.seen.extend(item_kind.clone());
                let Some(Value::Array(items)) = list.remove("items") else {
                    return Err("`items` of a list is no list".to_owned());
                };
                items
                    .into_iter()
                    .try_for_each(|item| self.read(item, item_kind.as_ref()))
            }
            (value, _) => self.object(&kind, value),
        }
    }

    fn object(&mut self, kind: &Kind, value: Value) -> Result<(), String> {
        let name = name_of(kind, &value);
        let unreadable =
            || format!("{name} lacks what `kubectl get` writes of it (name, uid, ...)");
        if *kind == namespace_kind() {
            let namespace = self.converter.namespace(&slim::<SlimMeta>(value)?);
            let namespace = namespace.ok_or_else(unreadable)?;
            if self.looks_at(&namespace.name) {
                self.namespaces
                    .insert(Arc::clone(&namespace.name), Arc::new(namespace));
            }
        } else if *kind == Kind::Pod {
            let pod = self
                .converter
                .pod(&slim::<SlimPod>(value)?, None)
                .ok_or_else(unreadable)?
                .pod;
            if self.looks_at(&pod.namespace) {
                self.pods
                    .insert((Arc::clone(&pod.namespace), Arc::clone(&pod.name)), pod);
            }
        } else if self.kinds.contains(kind) {
            let object = self.converter.object(kind, &slim::<SlimMeta>(value)?);
            self.keep(object.ok_or_else(unreadable)?);
        } else if let Some(link) = self.links.wanted(kind) {
            let exact = self.exact.as_ref();
            let looks_at = |namespace: &Arc<str>| exact.is_none_or(|it| it.contains(namespace));
            let read = self.links.read(&self.converter, link, value, looks_at)?;
            read.ok_or_else(unreadable)?;
        } else if others::are_selected(&self.selection) && !kind.is_built_in() {
            // Whether it matters is known only when all is read.
            match self.converter.object(kind, &slim::<SlimMeta>(value)?) {
                Some(object) => self.keep(object),
                None => drop(self.odd.insert(kind.clone())),
            }
        }
        self.seen.insert(kind.clone());
        Ok(())
    }

    fn keep(&mut self, object: Object) {
        if self.looks_at(&object.namespace) || object.namespace.is_empty() {
            let (namespace, name) = (Arc::clone(&object.namespace), Arc::clone(&object.name));
            self.objects
                .insert((object.kind.clone(), namespace, name), Arc::new(object));
        }
    }

    fn looks_at(&self, namespace: &Arc<str>) -> bool {
        self.exact
            .as_ref()
            .is_none_or(|exact| exact.contains(namespace))
    }

    fn facts(self) -> Facts {
        let whole = match self.exact {
            Some(exact) => View::Only(exact.into_iter().collect()),
            None => View::Everything,
        };
        let view = |kind: &Kind| {
            if self.seen.contains(kind) {
                whole.clone()
            } else {
                View::Nothing
            }
        };
        let (links, links_seen) = self.links.told(|link| view(&link.into()));
        let mut facts = Facts {
            links,
            coverage: Coverage {
                pods: view(&Kind::Pod),
                namespaces: view(&namespace_kind()),
                kinds: self
                    .kinds
                    .iter()
                    .map(|kind| (kind.clone(), view(kind)))
                    .collect(),
                unreadable: BTreeMap::new(),
                links: links_seen,
            },
            pods: self.pods.into_values().collect(),
            objects: self.objects.into_values().collect(),
            namespaces: self.namespaces.into_values().collect(),
            labels: Arc::default(),
            remembered: Vec::new(),
        };
        let others = others::at_the_end_of_walks(&facts, &self.selection);
        let matters =
            |object: &Arc<Object>| object.kind.is_built_in() || others.contains(&object.kind);
        facts.objects.retain(matters);
        for kind in others {
            if self.seen.contains(&kind) && !self.odd.contains(&kind) {
                facts.coverage.kinds.insert(kind, whole.clone());
            } else {
                let lacks = Unreadable {
                    lacks: format!("{kind} is not in the file").into(),
                    view: whole.clone(),
                };
                facts.coverage.unreadable.insert(kind, lacks);
            }
        }
        facts
    }
}

fn slim<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn name_of(kind: &Kind, value: &Value) -> String {
    let meta = |key: &str| {
        value
            .pointer(&format!("/metadata/{key}"))
            .and_then(Value::as_str)
    };
    let name = meta("name").unwrap_or("without a name");
    match meta("namespace") {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// What stands where an object should stand.
fn found(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests;
