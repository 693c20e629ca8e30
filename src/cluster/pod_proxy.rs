//! Asking a pod through the API server: `pods/proxy`, as `kubectl get --raw` does. Nothing of the
//! answer is understood here.
//! <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/>

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use tokio::time::timeout;

use super::calls::one_line;

/// How long the pod may take.
const WITHIN: Duration = Duration::from_secs(15);

/// The longest answer that is read.
const LONGEST: usize = 16 << 20;

/// The port where a pod answers that says none: that of `--listen` by default.
const USUAL_PORT: u16 = 8080;

/// Why a pod did not answer.
#[derive(Debug, thiserror::Error)]
pub enum PodProxyError {
    /// RBAC does not let it be asked.
    #[error(
        "pod {pod} may not be asked through the API server; this rule allows it: apiGroups: [\"\"], \
         resources: [pods/proxy], verbs: [get]"
    )]
    Forbidden {
        /// Namespace and name.
        pod: String,
    },
    /// The API server says why it did not reach it.
    #[error("pod {pod} was not reached through the API server: {message} ({code})")]
    NotReached {
        /// Namespace and name.
        pod: String,
        /// What the API server says.
        message: String,
        /// Its status.
        code: u16,
    },
    /// The call failed.
    #[error("asking pod {pod} failed: {problem}")]
    Failed {
        /// Namespace and name.
        pod: String,
        /// What is wrong.
        problem: String,
    },
}

/// What the API server says when it does not pass on an answer.
#[derive(Deserialize)]
struct Refusal {
    kind: String,
    message: String,
    code: u16,
}

/// Asks a pod for `path`, query included; what it answers, whatever that is.
pub async fn ask_pod(
    client: &Client,
    namespace: &str,
    name: &str,
    path: &str,
) -> Result<(StatusCode, Bytes), PodProxyError> {
    let pod = format!("{namespace}/{name}");
    // It may stand in a Lease, which others write too, and becomes a part of a path.
    if ![namespace, name].into_iter().all(is_name) {
        let problem = "that is no name of a pod".to_owned();
        return Err(PodProxyError::Failed { pod, problem });
    }
    let port = port_of(client, namespace, name).await.unwrap_or(USUAL_PORT);
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}");
    let (code, answer) = match call(client, &path).await {
        Ok(answered) => answered,
        Err(problem) => return Err(PodProxyError::Failed { pod, problem }),
    };
    match serde_json::from_slice::<Refusal>(&answer) {
        Ok(refusal) if refusal.kind == "Status" && !code.is_success() => Err(if code == 403 {
            PodProxyError::Forbidden { pod }
        } else {
            PodProxyError::NotReached {
                pod,
                message: one_line(&refusal.message),
                code: refusal.code,
            }
        }),
        _ => Ok((code, answer)),
    }
}

/// Whether `text` is made as names of objects are:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    starts && text.len() <= 253 && text.chars().all(is_allowed)
}

async fn call(client: &Client, path: &str) -> Result<(StatusCode, Bytes), String> {
    let request = Request::get(path).body(Body::empty());
    let request = request.map_err(|error| error.to_string())?;
    let answered = async {
        let answer = client.send(request).await;
        let answer = answer.map_err(|error| super::calls::describe(&error))?;
        let code = answer.status();
        let body = Limited::new(answer.into_body(), LONGEST).collect().await;
        let body = body.map_err(|error| one_line(&error.to_string()))?;
        Ok((code, body.to_bytes()))
    };
    let late = |_| format!("no answer within {} s", WITHIN.as_secs());
    timeout(WITHIN, answered).await.map_err(late)?
}

/// A pod, as far as its ports go.
#[derive(Deserialize)]
struct Pod {
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    ports: Vec<Port>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    #[serde(default)]
    name: String,
    container_port: u16,
}

/// The port of a pod that is called `http`, else its only one; `None` where that is not known, which
/// may be because pods may not be read.
async fn port_of(client: &Client, namespace: &str, name: &str) -> Option<u16> {
    let path = format!("/api/v1/namespaces/{namespace}/pods/{name}");
    let (code, answer) = call(client, &path).await.ok()?;
    if !code.is_success() {
        return None;
    }
    port(&answer)
}

fn port(pod: &[u8]) -> Option<u16> {
    let pod: Pod = serde_json::from_slice(pod).ok()?;
    let ports = pod.spec.containers.iter().flat_map(|it| &it.ports);
    let ports: Vec<&Port> = ports.collect();
    let named = ports.iter().find(|port| port.name == "http");
    let only = ports.first().filter(|_| ports.len() == 1);
    named.or(only).map(|port| port.container_port)
}

#[cfg(test)]
mod tests {
    use http::Response;
    use serde_json::{Value, json};

    use super::*;

    /// An API server that has these answers by path.
    fn client(answers: Vec<(&'static str, u16, Value)>) -> Client {
        let service = tower::service_fn(move |request: Request<Body>| {
            let path = request.uri().path_and_query().unwrap().to_string();
            let mut found = answers.iter().filter(|(known, ..)| *known == path);
            let (code, json) = match found.next() {
                Some((_, code, json)) => (*code, json.clone()),
                None => (
                    403,
                    json!({"kind": "Status", "message": format!("no {path}"), "code": 403}),
                ),
            };
            async move {
                let body = Body::from(json.to_string().into_bytes());
                let answer = Response::builder().status(code).body(body).unwrap();
                Ok::<_, std::convert::Infallible>(answer)
            }
        });
        Client::new(service, "default")
    }

    fn pod(ports: &Value) -> Value {
        json!({"spec": {"containers": [{"name": "a"}, {"name": "b", "ports": ports}]}})
    }

    #[tokio::test]
    async fn a_pod_is_asked_at_the_port_that_it_calls_http() {
        let ports = json!([{"containerPort": 1}, {"name": "http", "containerPort": 9090}]);
        let client = client(vec![
            ("/api/v1/namespaces/n/pods/p", 200, pod(&ports)),
            (
                "/api/v1/namespaces/n/pods/p:9090/proxy/it?a=b",
                404,
                json!({"error": "none"}),
            ),
        ]);
        let (code, answer) = ask_pod(&client, "n", "p", "/it?a=b").await.unwrap();
        assert_eq!(
            (code.as_u16(), &*answer),
            (404, &br#"{"error":"none"}"#[..])
        );
    }

    #[tokio::test]
    async fn a_pod_that_may_not_be_read_is_asked_at_the_usual_port() {
        let path = "/api/v1/namespaces/n/pods/p:8080/proxy/it";
        let client = client(vec![(path, 200, json!({"fine": true}))]);
        let (code, _) = ask_pod(&client, "n", "p", "/it").await.unwrap();
        assert_eq!(code, 200);
    }

    #[tokio::test]
    async fn what_the_api_server_says_itself_is_no_answer_of_the_pod() {
        let path = "/api/v1/namespaces/n/pods/p:8080/proxy/it";
        let refusal = |code| json!({"kind": "Status", "message": "it\nis so", "code": code});
        let client = |code| client(vec![(path, code, refusal(code))]);
        let error = ask_pod(&client(403), "n", "p", "/it").await.unwrap_err();
        assert!(
            error
                .to_string()
                .contains("resources: [pods/proxy], verbs: [get]"),
            "{error}"
        );
        let error = ask_pod(&client(503), "n", "p", "/it").await.unwrap_err();
        let said = "pod n/p was not reached through the API server: it is so (503)";
        assert_eq!(error.to_string(), said);
    }

    #[test]
    fn of_several_ports_none_is_guessed() {
        let port = |ports: Value| super::port(pod(&ports).to_string().as_bytes());
        assert_eq!(port(json!([{"containerPort": 7}])), Some(7));
        assert_eq!(
            port(json!([{"containerPort": 7}, {"containerPort": 8}])),
            None
        );
        assert_eq!(port(json!([])), None);
        assert_eq!(super::port(b"no pod"), None);
    }
}
