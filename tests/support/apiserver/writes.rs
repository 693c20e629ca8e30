//! Writes of single objects to the scripted API server by POST, PUT and DELETE, with the conditions
//! of the real one. Nothing but the object is looked at: no schema, no defaults, no finalizers.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::asked::Asked;
use super::forms::{Form, Shown};
use super::statuses::{
    already_exists, conflict, deleted, invalid, json_answer, no_namespace, not_found, status,
    status_object, text_answer,
};
use super::{Inner, Verb};

const MODIFIED: &str = "the object has been modified; please apply your changes to the latest \
     version and try again";

impl Inner {
    /// POST and PUT.
    pub(super) fn write(&mut self, asked: &Asked) -> Response<Body> {
        let mut object = match body(asked) {
            Ok(object) => object,
            Err(why) => return status(400, &why),
        };
        let refused = if asked.verb == Verb::Create {
            self.refuses_to_create(asked, &object)
        } else {
            self.refuses_to_replace(asked, &object)
        };
        if let Some(refused) = refused {
            return refused;
        }
        let (kind, namespace) = (asked.kind(), asked.namespace());
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let known = self.objects.get(kind, namespace, name);
        // These are the server's, whatever a client says.
        let meta = object["metadata"].as_object_mut().expect("metadata");
        for field in ["uid", "creationTimestamp", "resourceVersion"] {
            meta.remove(field);
            if let Some(known) = known {
                meta.insert(field.to_owned(), known["metadata"][field].clone());
            }
        }
        if known.is_some_and(|known| **known == object) {
            return json_answer(200, &object);
        }
        let code = if known.is_some() { 200 } else { 201 };
        let change = self.objects.apply(object);
        self.tell(&change);
        json_answer(code, &change.object)
    }

    /// Why an object cannot be created, if so.
    fn refuses_to_create(&self, asked: &Asked, object: &Value) -> Option<Response<Body>> {
        let (resource, namespace) = (&asked.place.resource, asked.namespace());
        let meta = &object["metadata"];
        let name = meta["name"].as_str().unwrap_or_default();
        if !namespace.is_empty() && self.objects.get("Namespace", "", namespace).is_none() {
            return Some(no_namespace(namespace));
        }
        if name.is_empty() {
            let why = "metadata.name: Required value: name or generateName is required";
            return Some(invalid(resource, name, why));
        }
        if asked.verb == Verb::Create && version(meta).is_some() {
            // An error that has no reason, at the real one too.
            let why = "resourceVersion should not be set on objects to be created";
            let mut status = status_object(500, why);
            status.as_object_mut()?.remove("reason");
            return Some(json_answer(500, &status));
        }
        let known = self.objects.get(asked.kind(), namespace, name);
        known.map(|_| already_exists(resource, name))
    }

    /// Why an object cannot be replaced, if so.
    fn refuses_to_replace(&self, asked: &Asked, object: &Value) -> Option<Response<Body>> {
        let (resource, name) = (&asked.place.resource, asked.name());
        let meta = &object["metadata"];
        let known = self.objects.get(asked.kind(), asked.namespace(), name);
        if known.is_none() && !resource.is_created_by_put() {
            return Some(not_found(resource, name));
        }
        let uid = known.map_or(&Value::Null, |known| &known["metadata"]["uid"]);
        if !meta["uid"].is_null() && meta["uid"] != *uid {
            let why = format!(
                "Precondition failed: UID in precondition: {}, UID in object meta: {uid}",
                meta["uid"]
            );
            return Some(conflict(resource, name, &why));
        }
        let Some(known) = known else {
            return self.refuses_to_create(asked, object);
        };
        match version(meta) {
            None if resource.is_replaced_by_version_alone() => {
                let why = "metadata.resourceVersion: Invalid value: 0: must be specified for an \
                     update";
                Some(invalid(resource, name, why))
            }
            Some(version) if known["metadata"]["resourceVersion"] != version => {
                Some(conflict(resource, name, MODIFIED))
            }
            _ => None,
        }
    }

    /// GET of one object.
    pub(super) fn read(&self, asked: &Asked) -> Response<Body> {
        let found = self
            .objects
            .get(asked.kind(), asked.namespace(), asked.name());
        match found {
            None => not_found(&asked.place.resource, asked.name()),
            Some(object) => {
                let shown = Shown(object, Form::of(asked.metadata_only()));
                text_answer(200, serde_json::to_string(&shown).expect("JSON"))
            }
        }
    }

    /// DELETE. The object is gone at once.
    pub(super) fn delete(&mut self, asked: &Asked) -> Response<Body> {
        let (resource, name) = (&asked.place.resource, asked.name());
        let (kind, namespace) = (asked.kind(), asked.namespace());
        let Some(known) = self.objects.get(kind, namespace, name) else {
            return not_found(resource, name);
        };
        let options: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        for field in ["uid", "resourceVersion"] {
            let (wanted, is) = (&options["preconditions"][field], &known["metadata"][field]);
            if !wanted.is_null() && wanted != is {
                let why = format!("the {field} in the precondition ({wanted}) is not {is}");
                return conflict(resource, name, &why);
            }
        }
        let change = self.objects.delete(kind, namespace, name);
        let change = change.expect("it was there");
        self.tell(&change);
        deleted(resource, name, &change.object["metadata"]["uid"])
    }
}

/// The version that an object names.
fn version(meta: &Value) -> Option<&str> {
    let version = meta["resourceVersion"].as_str();
    version.filter(|version| !["", "0"].contains(version))
}

/// The object that was sent, as one of its place; or why it cannot be.
fn body(asked: &Asked) -> Result<Value, String> {
    let kind = asked.kind();
    let object = serde_json::from_slice::<Value>(&asked.body);
    let Some(mut object) = object.ok().filter(Value::is_object) else {
        let why = format!("the object provided is unrecognized (must be of type {kind})");
        return Err(why);
    };
    let api_version = asked.place.resource.api_version();
    for (field, is) in [("kind", kind), ("apiVersion", &*api_version)] {
        if !object[field].is_null() && object[field] != is {
            return Err(format!("{} cannot be handled as a {kind}", object[field]));
        }
        object[field] = json!(is);
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    let meta = &mut object["metadata"];
    if let Some(namespace) = &asked.place.namespace {
        if !meta["namespace"].is_null() && meta["namespace"] != **namespace {
            let why = "the namespace of the provided object does not match the namespace sent on \
                 the request";
            return Err(why.to_owned());
        }
        meta["namespace"] = json!(namespace);
    }
    match (meta["name"].as_str(), &asked.place.name) {
        (None, Some(name)) => Err(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )),
        (Some(is), Some(name)) if is != name => Err(format!(
            "the name of the object ({is}) does not match the name on the URL ({name})"
        )),
        _ => Ok(object),
    }
}
