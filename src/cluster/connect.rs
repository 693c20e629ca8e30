//! The way to the API server: which one, and as whom.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use kube::client::ClientBuilder;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::time::Instant;
use tower::util::MapErrLayer;

use super::calls::{bounded, chain, describe, one_line};
use super::sign_in::Plugin;

/// What every request calls itself; kube sends nothing by itself.
const USER_AGENT_VALUE: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// A client, and where it leads.
#[derive(Clone)]
pub struct Connection {
    /// The client. Its own retries are off: whoever calls decides whether and when to try again.
    /// Its errors hold no secrets.
    pub client: Client,
    /// The address of the API server.
    pub address: String,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be used.
    #[error("--kubeconfig: cannot read {origin}: {problem}")]
    Kubeconfig {
        /// Which kubeconfig: a path, or where it was looked for.
        origin: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such context.
    #[error("--context: `{context}` is not in {origin}; there is {available}")]
    NoContext {
        /// The context that was asked for.
        context: String,
        /// Which kubeconfig: a path, or where it was looked for.
        origin: String,
        /// The contexts that are there.
        available: String,
    },
    /// No context was asked for, and the kubeconfig says none.
    #[error("--context: none given, and {origin} has no current one; there is {available}")]
    NoCurrentContext {
        /// Which kubeconfig: a path, or where it was looked for.
        origin: String,
        /// The contexts that are there.
        available: String,
    },
    /// Neither a kubeconfig nor the environment of a pod was found.
    #[error("--kubeconfig: none given, none found, and this is not a pod: {0}")]
    Nowhere(String),
    /// The configuration gives no client.
    #[error("--kubeconfig: no client for {address}: {problem}")]
    Client {
        /// The address of the API server.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// The API server does not answer.
    #[error("the API server at {address} was not reached within {} s: {problem}", limit.as_secs())]
    Unreachable {
        /// The address of the API server.
        address: String,
        /// How long it was tried.
        limit: Duration,
        /// What was said last.
        problem: String,
    },
}

/// A client for the API server that `kubeconfig` names, and its `context` (or its current one).
/// Without `kubeconfig`: the files in the variable `KUBECONFIG`; else, unless a context is asked
/// for, that of the pod that this runs in; else `~/.kube/config`. Calls nobody.
pub async fn connect(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Connection, ConnectError> {
    let mut config = configuration(kubeconfig, context).await?;
    let address = config.cluster_url.to_string();
    let agent = format!(
        "{USER_AGENT_VALUE} ({}/{})",
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let agent = HeaderValue::from_str(&agent)
        .unwrap_or_else(|_| HeaderValue::from_static(USER_AGENT_VALUE));
    config.headers.push((USER_AGENT, agent));
    config.default_retry = false;
    let plugin = Plugin::of(&config.auth_info);
    match ClientBuilder::try_from(config) {
        Ok(builder) => {
            let errors = MapErrLayer::new(move |error| plugin.without_secrets(error));
            let client = builder.with_layer(&errors).build();
            Ok(Connection { client, address })
        }
        Err(error) => Err(ConnectError::Client {
            address,
            problem: one_line(&chain(&*plugin.without_secrets(error.into()))),
        }),
    }
}

impl Connection {
    /// Waits until the API server answers anything at all, for up to `limit`.
    pub async fn reach(&self, limit: Duration) -> Result<(), ConnectError> {
        /// Between two tries.
        const PAUSE: Duration = Duration::from_secs(1);
        let client = bounded(self.client.clone());
        let until = Instant::now() + limit;
        let mut problem = "no answer".to_owned();
        loop {
            let Ok(request) = Request::get("/version").body(Vec::new()) else {
                return Ok(());
            };
            match tokio::time::timeout_at(until, client.request_text(request)).await {
                Ok(Ok(_) | Err(kube::Error::Api(_))) => return Ok(()),
                Ok(Err(error)) => problem = describe(&error),
                Err(_) => {}
            }
            if Instant::now() + PAUSE >= until {
                let address = self.address.clone();
                return Err(ConnectError::Unreachable {
                    address,
                    limit,
                    problem,
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn configuration(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Config, ConnectError> {
    let (kubeconfig, origin) = match kubeconfig {
        Some(path) => (Kubeconfig::read_from(path), path.display().to_string()),
        None => match Kubeconfig::from_env().transpose() {
            Some(found) => (found, "the files in KUBECONFIG".to_owned()),
            None => match Config::incluster_env() {
                Ok(config) if context.is_none() => return Ok(config),
                in_pod => at_home(in_pod.err())?,
            },
        },
    };
    let problem = |error: KubeconfigError| {
        let problem = if let KubeconfigError::ReadConfig(error, path) = &error {
            format!("{}: {error}", path.display())
        } else if let KubeconfigError::Parse(error) = &error {
            one_line(&error.without_snippet().to_string())
        } else {
            one_line(&error.to_string())
        };
        ConnectError::Kubeconfig {
            origin: origin.clone(),
            problem,
        }
    };
    let kubeconfig = kubeconfig.map_err(problem)?;
    let names: Vec<&str> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.as_str())
        .collect();
    let wanted = context
        .or(kubeconfig.current_context.as_deref())
        .unwrap_or_default();
    if !names.contains(&wanted) {
        let available = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(match wanted {
            "" => ConnectError::NoCurrentContext { origin, available },
            wanted => ConnectError::NoContext {
                context: wanted.to_owned(),
                origin,
                available,
            },
        });
    }
    let options = KubeConfigOptions {
        context: Some(wanted.to_owned()),
        ..Default::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(problem)
}

/// The kubeconfig in the home directory.
fn at_home(
    in_pod: Option<InClusterError>,
) -> Result<(Result<Kubeconfig, KubeconfigError>, String), ConnectError> {
    let home = std::env::home_dir().unwrap_or_default();
    let path: PathBuf = home.join(".kube").join("config");
    if path.exists() {
        return Ok((Kubeconfig::read_from(&path), path.display().to_string()));
    }
    let reason = in_pod.map_or_else(|| "no context".to_owned(), |error| error.to_string());
    Err(ConnectError::Nowhere(format!(
        "{reason}; no file {}",
        path.display()
    )))
}

#[cfg(test)]
mod tests;
