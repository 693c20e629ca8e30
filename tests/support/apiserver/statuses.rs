//! What the scripted API server answers where it does not do what is asked: Status objects in the
//! words of the real one, whose details name the object.

use axum::body::Body;
use http::Response;
use serde_json::{Value, json};

use super::asked::Asked;
use super::resources::Resource;

/// An answer with this body.
pub(super) fn json_answer(code: u16, body: &Value) -> Response<Body> {
    text_answer(code, body.to_string())
}

/// The same, written already.
pub(super) fn text_answer(code: u16, body: String) -> Response<Body> {
    let answer = Response::builder()
        .status(code)
        .header("content-type", "application/json");
    answer.body(Body::from(body)).unwrap()
}

/// A Status object with the usual reason of its code.
pub(super) fn status_object(code: u16, message: &str) -> Value {
    let reason = match code {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        _ => "InternalError",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code
    })
}

/// An answer that says what is wrong.
pub(super) fn status(code: u16, message: &str) -> Response<Body> {
    json_answer(code, &status_object(code, message))
}

/// An answer that says what is wrong with an object, or with all of its resource.
fn status_of(code: u16, message: &str, resource: &Resource, name: &str) -> Value {
    let mut status = status_object(code, message);
    status["details"] = details(resource, name);
    status
}

fn details(resource: &Resource, name: &str) -> Value {
    let mut details = json!({"kind": resource.plural});
    for (key, value) in [("name", name), ("group", &*resource.group)] {
        if !value.is_empty() {
            details[key] = json!(value);
        }
    }
    details
}

/// What an API server says of a path that it does not have.
pub(super) fn no_page() -> Response<Body> {
    let answer = Response::builder().status(404);
    let answer = answer.header("content-type", "text/plain; charset=utf-8");
    answer.body(Body::from("404 page not found\n")).unwrap()
}

/// What it says of a resource that it does not have, in a group that it has.
pub(super) fn no_resource() -> Response<Body> {
    let mut status = status_object(404, "the server could not find the requested resource");
    status["details"] = json!({});
    json_answer(404, &status)
}

/// The rights for this are missing.
pub(super) fn forbidden(asked: &Asked) -> Response<Body> {
    let (resource, name) = (&asked.place.resource, asked.name());
    let named = match name {
        "" => String::new(),
        name => format!(" \"{name}\""),
    };
    let place = match asked.namespace() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace \"{namespace}\""),
    };
    let message = format!(
        "{}{named} is forbidden: User \"it\" cannot {} resource \"{}\" in API group \"{}\" {place}",
        resource.qualified(),
        asked.verb.of_right(),
        resource.plural,
        resource.group,
    );
    json_answer(403, &status_of(403, &message, resource, name))
}

/// There is no such object.
pub(super) fn not_found(resource: &Resource, name: &str) -> Response<Body> {
    let message = format!("{} \"{name}\" not found", resource.qualified());
    json_answer(404, &status_of(404, &message, resource, name))
}

/// There is no such namespace to create something in.
pub(super) fn no_namespace(name: &str) -> Response<Body> {
    let namespaces = Resource {
        plural: "namespaces".to_owned(),
        ..Resource::default()
    };
    not_found(&namespaces, name)
}

/// There is such an object already.
pub(super) fn already_exists(resource: &Resource, name: &str) -> Response<Body> {
    let message = format!("{} \"{name}\" already exists", resource.qualified());
    let mut status = status_of(409, &message, resource, name);
    status["reason"] = json!("AlreadyExists");
    json_answer(409, &status)
}

/// The object is not the one that was meant, or not as it was.
pub(super) fn conflict(resource: &Resource, name: &str, why: &str) -> Response<Body> {
    let object = resource.qualified();
    let message = format!("Operation cannot be fulfilled on {object} \"{name}\": {why}");
    json_answer(409, &status_of(409, &message, resource, name))
}

/// The object cannot be like that.
pub(super) fn invalid(resource: &Resource, name: &str, why: &str) -> Response<Body> {
    let message = format!("{} \"{name}\" is invalid: {why}", resource.qualified());
    json_answer(422, &status_of(422, &message, resource, name))
}

/// The object is gone.
pub(super) fn deleted(resource: &Resource, name: &str, uid: &Value) -> Response<Body> {
    let mut details = details(resource, name);
    details["uid"] = uid.clone();
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
        "details": details
    });
    json_answer(200, &status)
}
