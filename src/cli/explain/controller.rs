//! Explanations by the running controller: at a URL, or found by the Lease of its ledger and asked
//! through the API server.

use std::fmt::Write as _;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http::{Request, StatusCode};
use kube::Client;
use serde::Deserialize;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::super::settings::Ledger;
use super::Told;
use crate::admin::explain::{Explained, NotFound};
use crate::cluster::ask_pod;
use crate::github::api::ApiUrl;
use crate::github::transport::Transport;
use crate::model::explain::Asked;
use crate::recorder::lease;

/// How long a controller at a URL may take.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(15);

/// Why a controller has no answer.
#[derive(Deserialize)]
struct NotNow {
    error: String,
}

/// Asks the controller that serves its status at `url`.
pub(super) async fn at(url: &ApiUrl, asked: &Asked) -> anyhow::Result<Told> {
    let whole = format!("{url}{}", path(asked));
    let request = Request::get(whole)
        .body(Bytes::new())
        .context("--admin-url")?;
    let transport = Transport::new(url)?;
    let failed = || format!("the controller at {url} was not reached");
    let answer = timeout(WITHIN, transport.oneshot(request)).await;
    let answer = answer.with_context(failed)?.with_context(failed)?;
    read(&format!("at {url}"), answer.status(), answer.body())
}

/// Asks the controller whose pod holds the Lease of `ledger`.
pub(super) async fn found(client: &Client, ledger: &Ledger, asked: &Asked) -> anyhow::Result<Told> {
    let (namespace, name) = (ledger.namespace(), &ledger.name);
    let standing = lease::look(client.clone(), &namespace, name).await?;
    let place = super::place(ledger);
    let standing = standing.ok_or_else(|| anyhow!("there is no Lease {place}"))?;
    let Some(holder) = standing.holder else {
        bail!("nobody holds the Lease {place}");
    };
    let pod = standing
        .pod
        .ok_or_else(|| anyhow!("{holder} holds the Lease {place} and is no pod"))?;
    let (code, answer) = ask_pod(client, &namespace, &pod, &path(asked)).await?;
    read(&format!("pod {namespace}/{pod}"), code, &answer)
}

/// The path of the question.
fn path(asked: &Asked) -> String {
    let mut path = format!(
        "/api/status/explain?namespace={}&name={}",
        encoded(&asked.namespace),
        encoded(&asked.text)
    );
    if let Some(container) = &asked.container {
        path.push_str("&container=");
        path.push_str(&encoded(container));
    }
    path
}

/// Text as it stands in a query (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A String takes everything.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What a controller answered.
fn read(who: &str, code: StatusCode, answer: &[u8]) -> anyhow::Result<Told> {
    if code.is_success() {
        let explained: Explained = serde_json::from_slice(answer)
            .with_context(|| format!("the answer of the controller {who} is not understood"))?;
        let from = &explained.from;
        let cycles = from.cycles.unwrap_or_default();
        let (version, now) = (&from.version, &from.now);
        return Ok(Told::Explained {
            teller: format!("Told by the controller {who}, {version}, cycle {cycles}, {now}."),
            explained: Box::new(explained),
        });
    }
    if code == StatusCode::NOT_FOUND {
        return match serde_json::from_slice::<NotFound>(answer) {
            Ok(missing) => Ok(Told::Missing(missing)),
            Err(_) => bail!("the controller {who} does not explain: it is of another version"),
        };
    }
    match serde_json::from_slice::<NotNow>(answer) {
        Ok(NotNow { error }) => bail!("the controller {who} says: {error}"),
        Err(_) => bail!("the controller {who} answers {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_stands_in_a_question_as_it_is() {
        let asked = Asked::new("shop", "deploy/a b&c=é", Some("x+y"));
        let expected = "/api/status/explain?namespace=shop&name=deploy%2Fa%20b%26c%3D%C3%A9\
                        &container=x%2By";
        assert_eq!(path(&asked), expected);
    }

    #[test]
    fn what_is_no_explanation_is_told_as_what_it_is() {
        let said = |code: u16, answer: &str| {
            let code = StatusCode::from_u16(code).unwrap();
            match read("pod n/p", code, answer.as_bytes()) {
                Ok(Told::Explained { teller, .. }) => teller,
                Ok(Told::Missing(missing)) => missing.line(),
                Err(error) => format!("{error:#}"),
            }
        };
        let missing = r#"{"error": "none of that", "near": ["Deployment/web"]}"#;
        assert_eq!(said(404, missing), "none of that; there is Deployment/web");
        let older = "the controller pod n/p does not explain: it is of another version";
        assert_eq!(said(404, ""), older);
        let later = "the controller pod n/p says: later";
        assert_eq!(said(503, r#"{"error": "later"}"#), later);
        assert_eq!(
            said(502, "<html>"),
            "the controller pod n/p answers 502 Bad Gateway"
        );
        assert!(
            said(200, "{}").contains("is not understood"),
            "{}",
            said(200, "{}")
        );
        let fine = r#"{"from": {"way": "controller", "version": "1", "now": "then", "cycles": 3},
            "workloads": [], "stray": null, "later": true}"#;
        assert_eq!(
            said(200, fine),
            "Told by the controller pod n/p, 1, cycle 3, then."
        );
    }
}
