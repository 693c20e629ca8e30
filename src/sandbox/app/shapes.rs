//! How GitHub's answers to an App look: the schemas of `contract/apps.openapi.json`, with nothing in
//! them that nobody asked for.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{APP_ID, CLIENT_ID, Permission};
use crate::sandbox::answers::{self, Answer};

/// Where the pictures and pages would be.
const HOME: &str = "https://github.test";

/// The App's installation in an organization.
pub(super) fn installation(
    org: &str,
    number: u64,
    permission: Permission,
    suspended: Option<Timestamp>,
) -> Answer {
    let began = Timestamp::UNIX_EPOCH;
    let account = account(org, "Organization");
    let body = json!({
        "id": number,
        "account": account,
        "repository_selection": "all",
        "access_tokens_url": format!("{HOME}/app/installations/{number}/access_tokens"),
        "repositories_url": format!("{HOME}/installation/repositories"),
        "html_url": format!("{HOME}/organizations/{org}/settings/installations/{number}"),
        "app_id": APP_ID,
        "client_id": CLIENT_ID,
        "target_id": account.get("id"),
        "target_type": "Organization",
        "permissions": permissions(permission),
        "events": [],
        "created_at": began,
        "updated_at": began,
        "single_file_name": null,
        "has_multiple_single_files": false,
        "single_file_paths": [],
        "app_slug": "deployment-recorder",
        "suspended_by": suspended.map(|_| self::account("owner", "User")),
        "suspended_at": suspended,
    });
    answers::json(StatusCode::OK, &body)
}

/// A token that was minted.
pub(super) fn token(token: &str, ends: Timestamp, permission: Permission) -> Answer {
    let body = json!({
        "token": token,
        "expires_at": ends,
        "permissions": permissions(permission),
        "repository_selection": "all",
    });
    answers::json(StatusCode::CREATED, &body)
}

/// Every App can read the metadata of repositories.
fn permissions(permission: Permission) -> Value {
    if permission == Permission::None {
        return json!({"metadata": "read"});
    }
    json!({"metadata": "read", "artifact_metadata": permission})
}

fn account(login: &str, kind: &str) -> Value {
    let home = format!("{HOME}/users/{login}");
    let urls = [
        "events_url",
        "followers_url",
        "following_url",
        "gists_url",
        "organizations_url",
        "received_events_url",
        "repos_url",
        "starred_url",
        "subscriptions_url",
    ];
    let mut account: Map<String, Value> = urls
        .into_iter()
        .map(|name| (name.to_owned(), json!(format!("{home}/{name}"))))
        .collect();
    let fields = [
        ("login", json!(login)),
        ("id", json!(1)),
        ("node_id", json!("MDEyOk9yZ2FuaXphdGlvbjE=")),
        ("avatar_url", json!(format!("{HOME}/{login}.png"))),
        ("gravatar_id", json!("")),
        ("url", json!(home)),
        ("html_url", json!(format!("{HOME}/{login}"))),
        ("type", json!(kind)),
        ("site_admin", json!(false)),
    ];
    account.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(account)
}
