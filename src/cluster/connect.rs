//! The way to the API server: which one, and as whom.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};
use tower::util::MapErrLayer;

use super::calls::{bounded, chain, describe, held, one_line};
use super::proxy::{self, Environment};
use super::sign_in::Plugin;

/// What every request calls itself; kube sends nothing by itself.
const USER_AGENT_VALUE: &str = concat!("deployment-recorder/", env!("CARGO_PKG_VERSION"));

/// How long it may take to have a client: that is to read files, and to have a plugin of the kubeconfig
/// sign in.
const CLIENT_WITHIN: Duration = Duration::from_secs(30);

/// A client, and where it leads.
#[derive(Clone)]
pub struct Connection {
    /// The client. Its own retries are off: whoever calls decides whether and when to try again.
    /// Its errors hold no secrets, and no answer fills the memory.
    pub client: Client,
    /// The address of the API server.
    pub address: String,
    /// The proxy that leads there, if one does, as it may be shown.
    proxy: Option<String>,
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
    /// The proxy to the API server cannot be used.
    #[error("no way to the API server: {0}")]
    Proxy(String),
    /// A file or a plugin hangs.
    #[error(
        "--kubeconfig: no client within {} s: it, a file that it names or its plugin hangs",
        limit.as_secs()
    )]
    Hangs {
        /// How long it was waited for.
        limit: Duration,
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
/// Without `kubeconfig`, as kubectl has it: the files in the variable `KUBECONFIG`; else
/// `~/.kube/config`, if there is one; else, unless a context is asked for, that of the pod that this
/// runs in. Calls nobody, but may start the plugin that the kubeconfig names; that and reading files
/// are given up after half a minute.
pub async fn connect(
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Connection, ConnectError> {
    within(CLIENT_WITHIN, kubeconfig, context).await
}

async fn within(
    limit: Duration,
    kubeconfig: Option<&Path>,
    context: Option<&str>,
) -> Result<Connection, ConnectError> {
    let kubeconfig = kubeconfig.map(Path::to_path_buf);
    let context = context.map(str::to_owned);
    let runtime = Handle::current();
    // kube reads files and waits for a plugin on the thread that asks it to.
    let making =
        spawn_blocking(move || runtime.block_on(client(kubeconfig.as_deref(), context.as_deref())));
    match timeout(limit, making).await {
        Ok(Ok(made)) => made,
        Ok(Err(_)) | Err(_) => Err(ConnectError::Hangs { limit }),
    }
}

async fn client(
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
    let proxy = config.proxy_url.as_ref().map(proxy::shown);
    match ClientBuilder::try_from(config) {
        Ok(builder) => {
            let errors = MapErrLayer::new(move |error| plugin.without_secrets(error));
            let client = builder.with_layer(&errors).build();
            Ok(Connection {
                client: held(client),
                address,
                proxy,
            })
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
                return Err(ConnectError::Unreachable {
                    address: self.way(),
                    limit,
                    problem,
                });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Where it leads, and through what, for people.
    fn way(&self) -> String {
        match &self.proxy {
            None => self.address.clone(),
            Some(proxy) => format!("{} through the proxy {proxy}", self.address),
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
            None => match at_home() {
                Ok(found) => found,
                Err(path) => return by_its_proxy(of_the_pod(context, &path)?, None),
            },
        },
    };
    let kubeconfig = kubeconfig.map_err(|error| unusable(&error, &origin))?;
    let wanted = wanted(&kubeconfig, context, &origin)?;
    let proxy = proxy_of(&kubeconfig, &wanted);
    let options = KubeConfigOptions {
        context: Some(wanted),
        ..Default::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    by_its_proxy(
        config.map_err(|error| unusable(&error, &origin))?,
        proxy.as_deref(),
    )
}

/// The context that is asked for, or else the current one, if it is there.
fn wanted(
    kubeconfig: &Kubeconfig,
    context: Option<&str>,
    origin: &str,
) -> Result<String, ConnectError> {
    let contexts = kubeconfig.contexts.iter();
    let names: Vec<&str> = contexts.map(|context| context.name.as_str()).collect();
    let current = kubeconfig.current_context.as_deref();
    let wanted = context.or(current).unwrap_or_default().to_owned();
    if names.contains(&&*wanted) {
        return Ok(wanted);
    }
    let origin = origin.to_owned();
    let available = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    Err(if wanted.is_empty() {
        ConnectError::NoCurrentContext { origin, available }
    } else {
        ConnectError::NoContext {
            context: wanted,
            origin,
            available,
        }
    })
}

/// The `proxy-url` of the cluster of a context.
fn proxy_of(kubeconfig: &Kubeconfig, context: &str) -> Option<String> {
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|named| named.name == context)?;
    let cluster = &context.context.as_ref()?.cluster;
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|named| named.name == *cluster)?;
    cluster.cluster.as_ref()?.proxy_url.clone()
}

/// The same configuration, with the proxy that is to lead to its server.
fn by_its_proxy(mut config: Config, given: Option<&str>) -> Result<Config, ConnectError> {
    let environment = Environment::of_this_process();
    let proxy = environment.proxy(given, &config.cluster_url);
    config.proxy_url = proxy.map_err(|error| ConnectError::Proxy(error.to_string()))?;
    Ok(config)
}

/// Why a kubeconfig cannot be used. What is in it is not repeated.
fn unusable(error: &KubeconfigError, origin: &str) -> ConnectError {
    let problem = match error {
        KubeconfigError::ReadConfig(error, path) => format!("{}: {error}", path.display()),
        KubeconfigError::Parse(error) => one_line(&error.without_snippet().to_string()),
        KubeconfigError::ParseProxyUrl(_) => {
            let problem =
                "neither proxy-url in the kubeconfig nor HTTPS_PROXY may be anything but a URL";
            return ConnectError::Proxy(problem.to_owned());
        }
        KubeconfigError::ParseNoProxy(error) => {
            return ConnectError::Proxy(one_line(&format!("NO_PROXY: {error}")));
        }
        error => one_line(&error.to_string()),
    };
    ConnectError::Kubeconfig {
        origin: origin.to_owned(),
        problem,
    }
}

/// The kubeconfig in the home directory, and its path; the path alone where there is none.
fn at_home() -> Result<(Result<Kubeconfig, KubeconfigError>, String), PathBuf> {
    let home = std::env::home_dir().unwrap_or_default();
    let path = home.join(".kube").join("config");
    if path.exists() {
        Ok((Kubeconfig::read_from(&path), path.display().to_string()))
    } else {
        Err(path)
    }
}

/// The configuration of the pod that this runs in, which has no contexts. `path`: where no
/// kubeconfig is.
fn of_the_pod(context: Option<&str>, path: &Path) -> Result<Config, ConnectError> {
    let nowhere = |reason: &dyn std::fmt::Display| {
        ConnectError::Nowhere(format!("{reason}; no file {}", path.display()))
    };
    match Config::incluster_env() {
        Ok(_) if context.is_some() => Err(nowhere(&"a pod has no context")),
        Ok(config) => Ok(config),
        Err(error) => Err(nowhere(&error)),
    }
}

#[cfg(test)]
mod tests;
