//! What a person should know of an error, and what its words tell about it.

use serde_json::Value;
use serde_json::value::RawValue;

use super::super::wire;
use super::tidy;
use crate::bounded::First;

/// Up to how many bytes what GitHub says is understood: far more than 500 characters, and little in the
/// memory whatever it is.
const LONGEST: usize = 16 << 10;

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
        let limit = |value: wire::Anything<'_>, words: &str| {
            let text = value.and_then(text);
            text.is_some_and(|text| text.to_ascii_lowercase().contains(words))
        };
        let names_limit = limit(message, "rate limit") || limit(documentation_url, "rate-limit");
        let about = message.and_then(|it| serde_json::from_str(it.get()).ok());
        let (main, repositories) = match about {
            Some(wire::AboutRepositories {
                cause,
                repositories,
            }) => (cause, repositories),
            None => (message, First::default()),
        };
        let parts = [main, errors].into_iter().flatten();
        let parts = parts.map(plain).filter(|part| !part.is_empty());
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
fn first<const MOST: usize>(repositories: &First<&RawValue, MOST>) -> Vec<String> {
    let named = repositories.kept.iter().map(|one| tidy(&plain(one)));
    let more = repositories.more;
    let more = (more > 0).then(|| format!("and {more} more"));
    named.chain(more).collect()
}

/// The text of a JSON value, if it is one of no uncommon length.
fn text(value: &RawValue) -> Option<String> {
    match short(value) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// A JSON value as a person would write it.
fn plain(value: &RawValue) -> String {
    text(value).unwrap_or_else(|| compact(value))
}

/// A JSON value without spaces; of one that is longer than anybody would write, the beginning as it came.
pub(in crate::github) fn compact(value: &RawValue) -> String {
    short(value).map_or_else(|| tidy(value.get()), |value| value.to_string())
}

fn short(value: &RawValue) -> Option<Value> {
    let text = Some(value.get()).filter(|text| text.len() <= LONGEST);
    text.and_then(|text| serde_json::from_str(text).ok())
}
