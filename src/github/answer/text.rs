//! What a person should know of an error, and what its words tell about it.

use serde_json::Value;

use super::super::wire;
use super::tidy;

/// How many repositories are named.
const MOST_NAMED: usize = 20;

/// What can be told from the body of an error.
pub(in crate::github) struct ErrorText {
    /// On one line; never empty.
    pub(in crate::github) text: String,
    /// The repositories that it names.
    pub(super) repositories: Vec<String>,
    /// Whether its words are those of a limit.
    pub(in crate::github) names_limit: bool,
}

impl ErrorText {
    pub(in crate::github) fn read(body: &[u8]) -> Self {
        let wire::ErrorBody {
            message,
            documentation_url,
            errors,
        } = serde_json::from_slice(body).unwrap_or_default();
        let limit = |value: &Value, words: &str| {
            value
                .as_str()
                .is_some_and(|text| text.to_ascii_lowercase().contains(words))
        };
        let names_limit = limit(&message, "rate limit") || limit(&documentation_url, "rate-limit");
        let (main, repositories) =
            match serde_json::from_value::<wire::AboutRepositories>(message.clone()) {
                Ok(about) => (about.cause, about.repositories),
                Err(_) => (message, Vec::new()),
            };
        let parts = [&main, &errors]
            .into_iter()
            .map(plain)
            .filter(|part| !part.is_empty());
        let text = parts.collect::<Vec<_>>().join(" ");
        Self {
            text: if text.is_empty() {
                "no message".to_owned()
            } else {
                tidy(&text)
            },
            repositories: first(&repositories),
            names_limit,
        }
    }
}

/// The first ones, and how many more there are: of a thousand lines each may have its own.
fn first(repositories: &[Value]) -> Vec<String> {
    let named = repositories.iter().take(MOST_NAMED);
    let named = named.map(|one| tidy(&plain(one)));
    let more = repositories.len().saturating_sub(MOST_NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    named.chain(more).collect()
}

/// A JSON value as a person would write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
