//! Discovery: what the API server calls a kind that is not built in, and whether it serves it at all.
//! Only the kind's own group is asked for, never all of them: one aggregated API that is broken fails
//! the answer about everything. Who asks, how often, and what follows from the answer is not known here.

use std::time::Duration;

use http::Request;
use http::header::ACCEPT;
use kube::Client;
use kube::api::ApiResource;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use tokio::time::timeout;

use crate::model::workload::Kind;

use super::calls::{code, describe};
use super::health::Trouble;
use super::mirror::VERBS;

/// All questions about a kind together must be answered within this time.
const ANSWERED_WITHIN: Duration = Duration::from_secs(20);

/// What the API server says of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    /// It serves it, under this name.
    Found(Served),
    /// It does not: it answered whole, and neither the group nor any version of it has the kind.
    Absent,
}

/// A kind that is served, and can be listed and watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Served {
    /// Group, version, kind and plural.
    pub(super) resource: ApiResource,
    /// Whether its objects are in namespaces.
    pub(super) namespaced: bool,
}

/// Asks the API server what it calls `kind`. Everything but a whole answer is an error: 403 and 5xx,
/// time-outs, an answer of another form, a version that the group lists and that does not answer.
///
/// The API server's own 404 for a group that it does not have is plain text, as that of anybody in
/// between may be; so its list of groups decides, which has the broken ones too (seen at v1.36.3).
pub(super) async fn resolve(client: &Client, kind: &Kind) -> Result<Resolved, Trouble> {
    match timeout(ANSWERED_WITHIN, ask(client, kind)).await {
        Ok(answer) => answer,
        Err(_) => Err(trouble(format!(
            "the API server did not say within {ANSWERED_WITHIN:?} what it calls {kind}"
        ))),
    }
}

async fn ask(client: &Client, kind: &Kind) -> Result<Resolved, Trouble> {
    let group = kind.group();
    if group.is_empty() {
        let list: ResourceList = get(client, "/api/v1").await?.whole("/api/v1")?;
        return list.find(kind, "", "v1", "/api/v1");
    }
    // Anybody can write it into an owner reference, and it becomes a part of a path.
    if !is_group(group) {
        return Err(trouble(format!("`{group}` is no API group")));
    }
    let path = format!("/apis/{group}");
    let Answer::Whole(listed) = get::<Group>(client, &path).await? else {
        let groups: GroupList = get(client, "/apis").await?.whole("/apis")?;
        if groups.is_whole() && !groups.has(group) {
            return Ok(Resolved::Absent);
        }
        return Err(unlike(&path));
    };
    if listed.kind != "APIGroup" || listed.name != group || listed.versions.is_empty() {
        return Err(unlike(&path));
    }
    for version in listed.in_order() {
        let path = format!("/apis/{group}/{version}");
        let list: ResourceList = get(client, &path).await?.whole(&path)?;
        let found = list.find(kind, group, version, &path)?;
        if found != Resolved::Absent {
            return Ok(found);
        }
    }
    Ok(Resolved::Absent)
}

/// Whether `text` is made as names of groups are:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
fn is_group(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(is_allowed)
}

/// What came of one question.
enum Answer<T> {
    Whole(T),
    /// A 404, of whomever.
    NotFound,
}

impl<T> Answer<T> {
    /// What must be there.
    fn whole(self, path: &str) -> Result<T, Trouble> {
        match self {
            Self::Whole(answer) => Ok(answer),
            Self::NotFound => Err(trouble(format!("{path} is listed and answers 404"))),
        }
    }
}

async fn get<T: DeserializeOwned>(client: &Client, path: &str) -> Result<Answer<T>, Trouble> {
    // No other form: the aggregated one has all groups in it.
    let request = Request::get(path).header(ACCEPT, "application/json");
    let request = request.body(Vec::new());
    let request = request.map_err(|error| trouble(format!("{path}: {error}")))?;
    match client.request(request).await {
        Ok(answer) => Ok(Answer::Whole(answer)),
        Err(error) if code(&error) == Some(404) => Ok(Answer::NotFound),
        Err(error) => Err(Trouble {
            forbidden: code(&error) == Some(403),
            ..trouble(format!("{path}: {}", describe(&error)))
        }),
    }
}

fn trouble(message: String) -> Trouble {
    Trouble {
        forbidden: false,
        needs_list: true,
        message: message.into(),
    }
}

fn unlike(path: &str) -> Trouble {
    trouble(format!("{path} does not answer as an API server does"))
}

/// `/apis/<group>`; its form: <https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api>.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    kind: String,
    name: String,
    #[serde(deserialize_with = "list")]
    versions: Vec<Version>,
    preferred_version: Option<Version>,
}

#[derive(Debug, Deserialize)]
struct Version {
    version: String,
}

impl Group {
    /// The versions that are served, the preferred one first.
    fn in_order(&self) -> impl Iterator<Item = &str> {
        let preferred = self.preferred_version.iter().map(|it| &*it.version);
        let first = self.preferred_version.as_ref().map(|it| &*it.version);
        let others = self.versions.iter().map(|it| &*it.version);
        preferred.chain(others.filter(move |version| Some(*version) != first))
    }
}

/// `/apis`.
#[derive(Debug, Deserialize)]
struct GroupList {
    #[serde(default)]
    kind: String,
    #[serde(deserialize_with = "list")]
    groups: Vec<GroupName>,
}

#[derive(Debug, Deserialize)]
struct GroupName {
    name: String,
}

impl GroupList {
    /// Whether it is one of an API server, which has at least its own groups.
    fn is_whole(&self) -> bool {
        self.kind == "APIGroupList" && self.has("apps")
    }

    fn has(&self, group: &str) -> bool {
        self.groups.iter().any(|it| it.name == group)
    }
}

/// `/apis/<group>/<version>`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceList {
    #[serde(default)]
    kind: String,
    group_version: String,
    #[serde(deserialize_with = "list")]
    resources: Vec<Listed>,
}

/// A resource, or a part of one (`deployments/status`).
#[derive(Debug, Deserialize)]
struct Listed {
    name: String,
    kind: String,
    namespaced: bool,
    /// Of a kind that an object's parts have in place of its own.
    #[serde(default)]
    group: String,
    #[serde(default, deserialize_with = "list")]
    verbs: Vec<String>,
}

/// A list as Go writes it, where one without an element may be `null`; that it is there at all is not
/// left out: <https://github.com/kubernetes/apimachinery/blob/v0.33.0/pkg/apis/meta/v1/types.go>.
fn list<'de, D, T>(input: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(input).map(Option::unwrap_or_default)
}

impl ResourceList {
    /// What this version says of the kind.
    fn find(
        &self,
        kind: &Kind,
        group: &str,
        version: &str,
        path: &str,
    ) -> Result<Resolved, Trouble> {
        let api_version = match group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        };
        if self.kind != "APIResourceList" || self.group_version != api_version {
            return Err(unlike(path));
        }
        let is_it = |it: &&Listed| {
            let whole = !it.name.contains('/') && [group, ""].contains(&&*it.group);
            whole && it.kind == kind.kind()
        };
        let Some(listed) = self.resources.iter().find(is_it) else {
            return Ok(Resolved::Absent);
        };
        let has = |verb: &&str| listed.verbs.iter().any(|listed| listed == verb);
        if !VERBS.iter().all(has) {
            let message = format!(
                "{} of {api_version} cannot be listed and watched",
                listed.name
            );
            return Err(trouble(message));
        }
        Ok(Resolved::Found(Served {
            resource: ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version,
                kind: kind.kind().to_owned(),
                plural: listed.name.clone(),
            },
            namespaced: listed.namespaced,
        }))
    }
}

#[cfg(test)]
mod tests;
