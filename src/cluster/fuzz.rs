//! What must hold of whatever an API server or a file says of a cluster: plain functions over bytes
//! (`crate::fuzz`). Inputs are what goes over the wire; what is to be read of it is looked up here
//! once more, in the JSON itself.

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::convert::Converter;
use super::file;
use super::labels::LabelSelector;
use super::scope::Scope;
use super::slim::{ANNOTATION_PREFIX, MOST_TAGS, SlimMeta, SlimPod};
use super::soft::Brief;
use crate::model::context::NO_TAGS;
use crate::model::facts::Annotations;
use crate::model::workload::Kind;

mod link;
mod watch;

pub(crate) use link::link;
pub(crate) use watch::watch;

/// The labels by which namespaces name their environments here.
const LABELS: [&str; 2] = ["env", "region"];

/// What is looked at here: everything.
pub(crate) fn scope() -> Scope {
    let [logical, physical] = LABELS.map(|label| Some(label.to_owned()));
    Scope {
        logical_environment_label: logical,
        physical_environment_label: physical,
        ..Scope::default()
    }
}

/// Whatever JSON stands for an object, it is read: one odd object cannot fail a list.
fn slim<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Whether a pod tells what it must: which it is, and its containers.
fn is_readable(pod: &Value) -> bool {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array);
    let is_named = |container: &Value| container["name"].is_string();
    let ordinary = list("/spec/containers").filter(|containers| !containers.is_empty());
    let mut init = list("/spec/initContainers").into_iter().flatten();
    let mut names = ["name", "namespace", "uid"].into_iter();
    names.all(|name| text(pod, &format!("/metadata/{name}")).is_some())
        && ordinary.is_some_and(|containers| containers.iter().all(is_named))
        && init.all(is_named)
}

/// A pod as JSON.
pub(crate) fn pod(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let _ = serde_json::from_slice::<SlimPod>(bytes);
        return;
    };
    let (converter, wire) = (Converter::new(scope()), slim::<SlimPod>(&value));
    let kept = converter.pod(&wire, None);
    assert_eq!(kept.is_some(), is_readable(&value));
    let Some(kept) = kept else { return };
    let pod = &kept.pod;
    assert_eq!(text(&value, "/metadata/name"), Some(&*pod.name));
    assert_eq!(text(&value, "/metadata/namespace"), Some(&*pod.namespace));
    assert_eq!(text(&value, "/metadata/uid"), Some(&*pod.uid));
    annotated(&value, &pod.annotations);
    let again = converter.pod(&wire, Some(&kept)).unwrap();
    assert!(Arc::ptr_eq(&again.pod, pod), "the same is not built anew");
    let named = named_by(&value);
    for container in &pod.containers {
        let digest = container.digest.map(|digest| digest.to_string());
        let is_named = |digest: &str| named.iter().any(|image| image.contains(digest));
        assert!(
            digest.as_deref().is_none_or(is_named),
            "{digest:?} is made up"
        );
    }
    let mut later = value;
    for statuses in ["containerStatuses", "initContainerStatuses"] {
        let statuses = later.pointer_mut(&format!("/status/{statuses}"));
        for status in statuses.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(id) = status.get_mut("imageID") {
                *id = "sha256:0f".into();
            }
        }
    }
    let later: SlimPod = serde_json::from_value(later).unwrap();
    let later = converter.pod(&later, Some(&kept)).unwrap();
    for (before, after) in pod.containers.iter().zip(&later.pod.containers) {
        let stays = after.digest.is_none() || after.digest == before.digest;
        assert!(stays, "{before:?} becomes {after:?}");
    }
}

/// Every image and image ID.
fn named_by(pod: &Value) -> Vec<&str> {
    let lists = [
        ("/spec/containers", "image"),
        ("/spec/initContainers", "image"),
        ("/status/containerStatuses", "imageID"),
        ("/status/initContainerStatuses", "imageID"),
    ];
    let images = lists.into_iter().flat_map(|(pointer, field)| {
        let list = pod.pointer(pointer).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(move |it| it[field].as_str())
    });
    images.collect()
}

/// The annotations that are read are those of ours, as they are or cut, and all but the last of very
/// many tags.
fn annotated(object: &Value, read: &Annotations) {
    let all = object
        .pointer("/metadata/annotations")
        .and_then(Value::as_object);
    let ours = all
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.strip_prefix(ANNOTATION_PREFIX)?, value.as_str()?)));
    let ours = ours.map(|(key, value)| (key, Brief::of(value).into_text()));
    let mut ours: BTreeMap<&str, String> = ours.collect();
    let tags = ours.keys().filter(|key| !NO_TAGS.contains(key));
    let beyond: Vec<&str> = tags.skip(MOST_TAGS).copied().collect();
    ours.retain(|key, _| !beyond.contains(key));
    let read = read.iter();
    let read: BTreeMap<&str, String> = read.map(|(key, it)| (&**key, it.to_string())).collect();
    assert_eq!(read, ours);
}

/// An owner, or a namespace, as JSON.
pub(crate) fn object(bytes: &[u8]) {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else {
        let _ = serde_json::from_slice::<SlimMeta>(bytes);
        return;
    };
    let (converter, wire) = (Converter::new(scope()), slim::<SlimMeta>(&value));
    let meta = |field: &str| text(&value, &format!("/metadata/{field}"));
    let object = converter.object(&Kind::Deployment, &wire);
    let is_whole = ["name", "namespace", "uid"].map(|field| meta(field).is_some());
    assert_eq!(object.is_some(), !is_whole.contains(&false));
    if let Some(object) = object {
        let told = [&*object.name, &*object.namespace, &*object.uid].map(Some);
        assert_eq!(told, [meta("name"), meta("namespace"), meta("uid")]);
        annotated(&value, &object.annotations);
        let controls = |owner: &&Value| owner["controller"] == true;
        let owners = value
            .pointer("/metadata/ownerReferences")
            .and_then(Value::as_array);
        let controller = owners.into_iter().flatten().find(controls);
        assert_eq!(object.controller.is_some(), controller.is_some());
        for (read, told) in object.controller.iter().zip(controller) {
            assert_eq!(&*read.uid, told["uid"].as_str().unwrap_or_default());
            assert_eq!(read.kind.kind(), told["kind"].as_str().unwrap_or_default());
        }
    }
    let namespace = converter.namespace(&wire);
    assert_eq!(namespace.as_ref().map(|it| &*it.name), meta("name"));
    let Some(namespace) = namespace else { return };
    annotated(&value, &namespace.annotations);
    let environments = [
        namespace.logical_environment,
        namespace.physical_environment,
    ];
    for (label, read) in LABELS.into_iter().zip(environments) {
        let told = meta(&format!("labels/{label}")).filter(|value| !value.is_empty());
        assert_eq!(read.as_deref(), told);
    }
}

/// A label selector on one line, then labels: `KEY=VALUE` on each.
pub(crate) fn selector(bytes: &[u8]) {
    let Ok(input) = str::from_utf8(bytes) else {
        return;
    };
    let mut lines = input.lines();
    let given = lines.next().unwrap_or_default();
    let labels = lines.filter_map(|line| line.split_once('='));
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let labels: BTreeMap<String, String> = labels.collect();
    let selector = match LabelSelector::parse(given) {
        Ok(selector) => selector,
        Err(error) => return assert!(given.contains(&error.requirement), "{error}"),
    };
    if !given.contains("!=") && !given.contains("==") {
        let twice = LabelSelector::parse(&given.replace('=', "=="));
        assert_eq!(twice.as_ref(), Ok(&selector), "two signs say what one does");
    }
    let printed = selector.to_string();
    let again = LabelSelector::parse(&printed).unwrap();
    assert_eq!(again, selector, "{printed}");
    assert_eq!(again.matches(&labels), selector.matches(&labels));
    // Each requirement by itself: all of them must hold.
    let parts = given.split(',').map(LabelSelector::parse);
    if let (false, Ok(parts)) = (given.contains('('), parts.collect::<Result<Vec<_>, _>>()) {
        let all = parts.iter().all(|part| part.matches(&labels));
        assert_eq!(selector.matches(&labels), all);
    }
}

/// What `--from` reads: YAML or JSON as `kubectl get` writes it.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let facts = match file::facts(text, scope()) {
        Ok(facts) => facts,
        Err(error) => {
            // YAML ends a line at a carriage return too.
            let lines = text.split(['\n', '\r']).count();
            assert!((1..=lines + 1).contains(&error.line), "{error} of {lines}");
            return assert!(!error.problem.contains('\n'), "{error}");
        }
    };
    let mut names: Vec<_> = facts
        .pods
        .iter()
        .map(|pod| (&pod.namespace, &pod.name))
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "a pod counts twice");
    if text.trim_start().starts_with(['{', '[']) {
        let documents = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let documents: Vec<Value> = documents.collect::<Result<_, _>>().unwrap();
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": documents});
        let same = file::facts(&list.to_string(), scope()).unwrap();
        assert_eq!(same.pods, facts.pods);
        assert_eq!(same.objects, facts.objects);
        assert_eq!(same.namespaces, facts.namespaces);
        assert_eq!(same.coverage, facts.coverage);
    }
}
