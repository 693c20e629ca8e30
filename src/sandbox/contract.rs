//! The contract as validators: request bodies, path parameters and answers, compiled once.
//! What GitHub documents outside the schema is in `rules.rs`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::endpoint::{Endpoint, Target};

/// GitHub's published description of the endpoints (see `contract/README.md`).
const DESCRIPTIONS: [&str; 2] = [
    include_str!("../../contract/artifact-metadata.openapi.json"),
    include_str!("../../contract/apps.openapi.json"),
];

/// How many complaints one request gets at most; a bad batch would repeat itself a thousand times.
const COMPLAINTS: usize = 5;

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::compile);

struct Contract {
    bodies: BTreeMap<Endpoint, Validator>,
    parameters: BTreeMap<(Endpoint, String), Validator>,
    answers: BTreeMap<(Endpoint, u16), Validator>,
}

/// What the contract says against this request body; empty if nothing.
pub(super) fn check_body(endpoint: Endpoint, body: &Value) -> Vec<String> {
    CONTRACT
        .bodies
        .get(&endpoint)
        .map_or_else(Vec::new, |validator| complaints(validator, body))
}

/// What the contract says against the path parameters; empty if nothing.
pub(super) fn check_parameters(target: &Target) -> Vec<String> {
    let mut said = Vec::new();
    for (name, value) in &target.parameters {
        let key = (target.endpoint, (*name).to_owned());
        let Some(validator) = CONTRACT.parameters.get(&key) else {
            continue;
        };
        let number = value.parse::<u64>().ok().map(Value::from);
        let text = Value::from(value.as_str());
        let value = number
            .filter(|number| validator.is_valid(number))
            .unwrap_or(text);
        said.extend(
            complaints(validator, &value)
                .iter()
                .map(|text| format!("{name}: {text}")),
        );
    }
    said
}

/// What the contract says against an answer with this status: `None` if it does not describe the
/// status, else the complaints.
pub fn check_answer(endpoint: Endpoint, status: u16, body: &Value) -> Option<Vec<String>> {
    CONTRACT
        .answers
        .get(&(endpoint, status))
        .map(|validator| complaints(validator, body))
}

fn complaints(validator: &Validator, value: &Value) -> Vec<String> {
    let say = |error: jsonschema::ValidationError<'_>| {
        let place = error.instance_path().to_string();
        let place = if place.is_empty() {
            "body"
        } else {
            place.trim_start_matches('/')
        };
        let text: String = error.to_string().chars().take(300).collect();
        format!("{place}: {text}")
    };
    validator
        .iter_errors(value)
        .take(COMPLAINTS)
        .map(say)
        .collect()
}

impl Contract {
    fn compile() -> Self {
        let descriptions = DESCRIPTIONS.map(|text| serde_json::from_str(text).unwrap_or_default());
        let mut contract = Self {
            bodies: BTreeMap::new(),
            parameters: BTreeMap::new(),
            answers: BTreeMap::new(),
        };
        for endpoint in Endpoint::ALL {
            let method = endpoint.method().as_str().to_lowercase();
            let operation = |description: &Value| {
                let path = description.get("paths")?.get(endpoint.template())?;
                path.get(&method).cloned()
            };
            if let Some(operation) = descriptions.iter().find_map(operation) {
                contract.add(endpoint, &operation);
            }
        }
        contract
    }

    fn add(&mut self, endpoint: Endpoint, operation: &Value) {
        const SCHEMA: &str = "/content/application~1json/schema";
        if let Some(schema) = operation
            .get("requestBody")
            .and_then(|body| body.pointer(SCHEMA))
        {
            self.bodies
                .extend(validator(schema).map(|compiled| (endpoint, compiled)));
        }
        let parameters = operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten() {
            let (Some(name), Some(schema)) = (
                parameter.get("name").and_then(Value::as_str),
                parameter.get("schema"),
            ) else {
                continue;
            };
            let compiled = validator(schema).map(|it| ((endpoint, name.to_owned()), it));
            self.parameters.extend(compiled);
        }
        let answers = operation.get("responses").and_then(Value::as_object);
        for (status, answer) in answers.into_iter().flatten() {
            if let (Ok(status), Some(schema)) = (status.parse(), answer.pointer(SCHEMA)) {
                self.answers
                    .extend(validator(schema).map(|it| ((endpoint, status), it)));
            }
        }
    }
}

fn validator(schema: &Value) -> Option<Validator> {
    let mut schema = schema.clone();
    tighten(&mut schema);
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .ok()
}

/// From OpenAPI 3.0 to JSON Schema, and stricter: an object with named properties has no others,
/// and `nullable` becomes a type.
fn tighten(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            tighten_object(object);
            object.values_mut().for_each(tighten);
        }
        Value::Array(items) => items.iter_mut().for_each(tighten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn tighten_object(object: &mut Map<String, Value>) {
    let is_schema = object.get("type").is_some_and(Value::is_string);
    if is_schema && object.get("properties").is_some_and(Value::is_object) {
        object.entry("additionalProperties").or_insert(json!(false));
    }
    if is_schema && object.remove("nullable") == Some(json!(true)) {
        let kind = object.remove("type");
        object.insert("type".to_owned(), json!([kind, "null"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_validators() {
        for endpoint in Endpoint::ALL {
            assert_eq!(
                CONTRACT.bodies.contains_key(&endpoint),
                endpoint.writes(),
                "{endpoint:?}"
            );
            let parameter = if endpoint == Endpoint::CreateInstallationToken {
                "installation_id"
            } else {
                "org"
            };
            assert!(
                CONTRACT
                    .parameters
                    .contains_key(&(endpoint, parameter.to_owned()))
            );
            let answered = CONTRACT.answers.keys().any(|(of, _)| *of == endpoint);
            assert!(answered, "{endpoint:?}");
        }
        assert!(
            CONTRACT
                .answers
                .contains_key(&(Endpoint::SetClusterRecords, 207))
        );
        assert!(CONTRACT.answers.contains_key(&(Endpoint::CreateJob, 409)));
    }

    #[test]
    fn a_bad_body_is_told_where_it_is_bad() {
        let body = json!({
            "logical_environment": "prod",
            "deployments": [{"name": "n", "deployment_name": "d", "digest": "sha256:1", "extra": 1}]
        });
        let said = check_body(Endpoint::SetClusterRecords, &body).join("\n");
        assert!(said.contains("deployments/0/digest"), "{said}");
        assert!(said.contains("'extra' was unexpected"), "{said}");
    }

    #[test]
    fn formats_are_asserted() {
        let body = |registry: &str| {
            json!({"name": "n", "digest": format!("sha256:{}", "a".repeat(64)),
                   "registry_url": registry, "artifact_url": registry})
        };
        let good = body("https://ghcr.io/");
        assert_eq!(
            check_body(Endpoint::CreateStorageRecord, &good),
            Vec::<String>::new()
        );
        let bad = body("https://a b");
        assert!(!check_body(Endpoint::CreateStorageRecord, &bad).is_empty());
    }
}
