//! The contract as a judge of requests. It refuses every property that it does not name, and
//! asserts formats.

use std::collections::BTreeMap;

use bytes::Bytes;
use deployment_recorder::github::operation::Operation;
use http::Request;
use jsonschema::Validator;
use serde_json::Value;

const CONTRACT: &str = include_str!("../../contract/artifact-metadata.openapi.json");

/// One operation of the contract.
pub(crate) struct Rules {
    method: String,
    /// The path's segments; those in braces are parameters.
    path: Vec<String>,
    parameters: BTreeMap<String, Validator>,
    body: Option<Validator>,
}

/// The rules of every operation, by its name.
pub(crate) fn rules() -> BTreeMap<String, Rules> {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let mut rules = BTreeMap::new();
    for (path, methods) in contract["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            let name = name.strip_prefix("orgs/").unwrap().to_owned();
            rules.insert(name, Rules::read(path, method, operation));
        }
    }
    rules
}

impl Rules {
    fn read(path: &str, method: &str, operation: &Value) -> Self {
        let parameters = operation["parameters"].as_array().unwrap().iter();
        let parameters = parameters.map(|parameter| {
            assert_eq!(
                parameter["in"], "path",
                "a parameter elsewhere is not judged"
            );
            let name = parameter["name"].as_str().unwrap().to_owned();
            (name, validator(&parameter["schema"]))
        });
        let body = operation.pointer("/requestBody/content/application~1json/schema");
        Self {
            method: method.to_uppercase(),
            path: path.split('/').map(ToOwned::to_owned).collect(),
            parameters: parameters.collect(),
            body: body.map(validator),
        }
    }

    /// What speaks against this request.
    pub(crate) fn complaints(&self, request: &Request<Bytes>) -> Vec<String> {
        let mut complaints = Vec::new();
        if request.method().as_str() != self.method || request.uri().query().is_some() {
            complaints.push(format!("{} {}", request.method(), request.uri()));
        }
        let given: Vec<&str> = request.uri().path().split('/').collect();
        if given.len() != self.path.len() {
            complaints.push(format!("another path: {}", request.uri().path()));
        }
        for (given, expected) in given.iter().zip(&self.path) {
            let parameter = expected
                .strip_prefix('{')
                .and_then(|it| it.strip_suffix('}'));
            let Some(parameter) = parameter else {
                if given != expected {
                    complaints.push(format!("{given} in place of {expected}"));
                }
                continue;
            };
            if given.is_empty() || matches!(*given, "." | "..") {
                complaints.push(format!("{parameter} is {given:?}"));
            }
            complaints.extend(says(&self.parameters[parameter], &value(parameter, given)));
        }
        match &self.body {
            None if request.body().is_empty() => {}
            None => complaints.push("a body".to_owned()),
            Some(schema) => {
                let body = serde_json::from_slice(request.body()).unwrap();
                complaints.extend(says(schema, &body));
            }
        }
        complaints
    }

    /// Whether the contract takes this body.
    pub(crate) fn takes(&self, body: &Value) -> bool {
        self.body.as_ref().unwrap().is_valid(body)
    }
}

/// What speaks against a request for this operation.
pub(crate) fn complaints(operation: Operation, request: &Request<Bytes>) -> Vec<String> {
    thread_local! {
        static RULES: BTreeMap<String, Rules> = rules();
    }
    RULES.with(|rules| rules[operation.as_str()].complaints(request))
}

fn says(schema: &Validator, value: &Value) -> Vec<String> {
    let errors = schema.iter_errors(value);
    errors.map(|error| error.to_string()).collect()
}

/// What a segment of a path stands for.
fn value(parameter: &str, segment: &str) -> Value {
    if parameter == "job_id" {
        return serde_json::from_str(segment).unwrap();
    }
    let mut bytes = Vec::new();
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap(), rest.next().unwrap()];
        let digits = std::str::from_utf8(&digits).unwrap();
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
    }
    String::from_utf8(bytes).unwrap().into()
}

fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    refuse_the_unnamed(&mut schema);
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).unwrap()
}

/// Refuses properties that a schema does not name, at every level.
fn refuse_the_unnamed(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    if object.contains_key("properties") && !object.contains_key("additionalProperties") {
        object.insert("additionalProperties".to_owned(), false.into());
    }
    if let Some(Value::Object(properties)) = object.get_mut("properties") {
        properties.values_mut().for_each(refuse_the_unnamed);
    }
    object
        .get_mut("items")
        .into_iter()
        .for_each(refuse_the_unnamed);
}
