//! What GitHub documents and the schema lacks: headers, versions, and limits across the items of a
//! request. The facts and their sources are listed in `contract/README.md`. No state.

use std::collections::BTreeSet;

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::contract;
use super::endpoint::{Endpoint, Target};

/// The versions of the API that GitHub serves.
pub const VERSIONS: [&str; 2] = ["2022-11-28", "2026-03-10"];
/// Tags of one record.
pub const MAX_TAGS: usize = 5;
/// Characters of a tag's key and of its value.
pub const MAX_TAG_LENGTH: usize = 100;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// One line per complaint, where there can be several.
    pub(super) details: Vec<String>,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
        }
    }

    fn invalid(details: Vec<String>) -> Self {
        let message = format!("Invalid request.\n\n{}", details.join("\n"));
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            message,
            details,
        }
    }
}

/// The token of the Authorization header, as `Bearer` or `token`.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
    Some(token.trim()).filter(|token| known && !token.is_empty())
}

/// User agent and version of the API.
pub(super) fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("user-agent").is_none_or(|agent| agent.trim().is_empty()) {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "Request forbidden by administrative rules. Send a User-Agent header.",
        ));
    }
    match text("x-github-api-version") {
        None => Ok(()),
        Some(version) if VERSIONS.contains(&version) => Ok(()),
        Some(version) => Err(Refusal::new(
            StatusCode::GONE,
            format!(
                "X-GitHub-Api-Version {version} is not supported; use {}",
                VERSIONS.join(" or ")
            ),
        )),
    }
}

/// The body as JSON; `None` for what reads, and where a body may be left out and is.
pub(super) fn read_body(endpoint: Endpoint, bytes: &[u8]) -> Result<Option<Value>, Refusal> {
    let left_out = endpoint == Endpoint::CreateInstallationToken && bytes.is_empty();
    if !endpoint.writes() || left_out {
        return Ok(None);
    }
    match serde_json::from_slice(bytes) {
        Ok(body @ Value::Object(_)) => Ok(Some(body)),
        Ok(_) => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "Body should be a JSON object",
        )),
        Err(error) => {
            let message = format!("Problems parsing JSON: {error}");
            Err(Refusal::new(StatusCode::BAD_REQUEST, message))
        }
    }
}

/// Path and body against the contract and the documented limits.
pub(super) fn check(target: &Target, body: Option<&Value>) -> Result<(), Refusal> {
    let mut details = contract::check_parameters(target);
    if let Some(body) = body {
        details.extend(contract::check_body(target.endpoint, body));
        details.extend(items(body).flat_map(check_tags).take(5));
    }
    if !details.is_empty() {
        return Err(Refusal::invalid(details));
    }
    body.map_or(Ok(()), check_names)
}

/// The deployments of a request: the items of a batch, or the body itself.
pub(super) fn items(body: &Value) -> impl Iterator<Item = &Value> {
    match body.get("deployments") {
        Some(Value::Array(items)) => items.as_slice(),
        Some(_) | None => std::slice::from_ref(body),
    }
    .iter()
}

/// The cluster endpoints state no maximum of tags; that of the single endpoint is held to everywhere.
fn check_tags(item: &Value) -> Vec<String> {
    let Some(tags) = item.get("tags").and_then(Value::as_object) else {
        return Vec::new();
    };
    let name = item
        .get("deployment_name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut said = Vec::new();
    if tags.len() > MAX_TAGS {
        said.push(format!(
            "{name}: tags: {} of at most {MAX_TAGS}",
            tags.len()
        ));
    }
    for (key, value) in tags {
        let longest = key
            .chars()
            .count()
            .max(value.as_str().map_or(0, |it| it.chars().count()));
        if longest > MAX_TAG_LENGTH {
            said.push(format!(
                "{name}: tags: {key}: longer than {MAX_TAG_LENGTH} characters"
            ));
        }
    }
    said
}

fn check_names(body: &Value) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    let names = items(body).filter_map(|item| item.get("deployment_name").and_then(Value::as_str));
    for name in names {
        if !seen.insert(name) {
            let message = format!("Duplicate deployment_name: {name}");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cluster(name: &str) -> Target {
        let base = "/orgs/acme/artifacts/metadata/deployment-record/cluster";
        Target::read(&format!("{base}/{name}")).unwrap()
    }

    fn item(name: &str) -> Value {
        json!({"name": "n", "deployment_name": name, "digest": format!("sha256:{}", "a".repeat(64))})
    }

    fn batch(items: &[Value]) -> Value {
        json!({"logical_environment": "prod", "deployments": items})
    }

    fn with(mut item: Value, field: &str, value: Value) -> Value {
        item[field] = value;
        item
    }

    fn assert_statuses(table: &[(&str, Value, Option<u16>)]) {
        for (what, body, wanted) in table {
            let status = check(&cluster("c"), Some(body))
                .err()
                .map(|it| it.status.as_u16());
            assert_eq!(status, *wanted, "{what}");
        }
    }

    #[test]
    fn limits_of_a_batch_hold_at_their_borders() {
        let many = |n: usize| batch(&(0..n).map(|i| item(&i.to_string())).collect::<Vec<_>>());
        assert_statuses(&[
            ("a thousand items", many(1000), None),
            ("one more", many(1001), Some(422)),
            ("nothing", many(0), None),
            ("a name twice", batch(&[item("a"), item("a")]), Some(400)),
            ("a name of 256", batch(&[item(&"n".repeat(256))]), None),
            ("a name of 257", batch(&[item(&"n".repeat(257))]), Some(422)),
            (
                "no deployments",
                json!({"logical_environment": "prod"}),
                Some(422),
            ),
        ]);
    }

    #[test]
    fn limits_of_a_record_hold_at_their_borders() {
        let tags = |n: usize| {
            (0..n)
                .map(|i| (i.to_string(), json!("v")))
                .collect::<Value>()
        };
        let has = |field: &str, value: Value| batch(&[with(item("a"), field, value)]);
        assert_statuses(&[
            ("five tags", has("tags", tags(5)), None),
            ("six tags", has("tags", tags(6)), Some(422)),
            (
                "a tag of 100",
                has("tags", json!({ "k": "v".repeat(100) })),
                None,
            ),
            (
                "a tag of 101",
                has("tags", json!({ "k": "v".repeat(101) })),
                Some(422),
            ),
            (
                "a key of 101",
                has("tags", json!({ "k".repeat(101): "v" })),
                Some(422),
            ),
            ("an empty version", has("version", json!("")), None),
            (
                "a version of 101",
                has("version", json!("v".repeat(101))),
                Some(422),
            ),
            (
                "an owner",
                has("github_repository", json!("o/r")),
                Some(422),
            ),
            (
                "an unknown risk",
                has("runtime_risks", json!(["fire"])),
                Some(422),
            ),
            ("an unknown field", has("kind", json!("Pod")), Some(422)),
        ]);
    }

    #[test]
    fn a_job_takes_five_thousand_and_no_switches() {
        let path = "/orgs/acme/artifacts/metadata/deployment-record/cluster/c/jobs";
        let jobs = Target::read(path).unwrap();
        let items: Vec<Value> = (0..5000).map(|i| item(&i.to_string())).collect();
        assert_eq!(check(&jobs, Some(&batch(&items))), Ok(()));
        for switch in ["partial_success", "return_records"] {
            let body = with(batch(&[item("a")]), switch, json!(false));
            assert!(check(&jobs, Some(&body)).is_err(), "{switch}");
        }
    }

    #[test]
    fn a_cluster_name_outside_the_pattern_is_refused_and_named() {
        let refusal = check(&cluster("a%20b"), Some(&batch(&[]))).unwrap_err();
        assert_eq!(refusal.status, 422);
        assert!(refusal.message.contains("cluster"), "{}", refusal.message);
        assert_eq!(check(&cluster("A.b_c-9"), Some(&batch(&[]))), Ok(()));
        assert!(check(&cluster(&"c".repeat(129)), Some(&batch(&[]))).is_err());
    }

    #[test]
    fn headers_are_asked_for_as_github_asks_for_them() {
        let table = [
            (vec![("user-agent", "t")], None),
            (
                vec![("user-agent", "t"), ("x-github-api-version", "2022-11-28")],
                None,
            ),
            (
                vec![("user-agent", "t"), ("x-github-api-version", "2026-03-10")],
                None,
            ),
            (
                vec![("user-agent", "t"), ("x-github-api-version", "2021-01-01")],
                Some(410),
            ),
            (vec![], Some(403)),
        ];
        for (given, wanted) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in &given {
                headers.insert(*name, value.parse().unwrap());
            }
            let status = check_headers(&headers).err().map(|it| it.status.as_u16());
            assert_eq!(status, wanted, "{given:?}");
        }
    }
}
