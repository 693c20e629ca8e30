//! Namespaces that are looked at one by one: each is read with a GET, because a watch of namespaces
//! needs rights on the whole cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use kube::{Api, Client};
use tokio::sync::Notify;

use crate::model::facts::{Namespace, View};

use super::calls::{code, describe};
use super::convert::Converter;
use super::coverage::Seen;
use super::health::{Health, Trouble};
use super::patience::Patience;
use super::place::Place;
use super::slim::{SlimMeta, resource};
use super::wake::Wake;
use super::{MirrorHealth, namespace_kind};

/// What the API server gives as the reason of its 404.
const NOT_FOUND: &str = "NotFound";

/// What is done with each of them, as RBAC calls it.
pub(super) const VERB: &str = "get";

/// A read must be answered within this time.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// What is known of the namespaces that were named.
#[derive(Debug)]
pub(super) struct ExactNamespaces {
    known: Mutex<BTreeMap<Arc<str>, Known>>,
    /// One of them is contradicted.
    doubt: Notify,
}

#[derive(Debug)]
struct Known {
    /// As it was read last; `None` where it does not exist.
    namespace: Option<Arc<Namespace>>,
    /// It did not exist when it was read last, and there is something in it.
    contradicted: bool,
    health: Health,
}

impl ExactNamespaces {
    /// Those of these names, none of them read yet.
    pub(super) fn new(names: Vec<Arc<str>>) -> Self {
        let known = |name| {
            (
                name,
                Known {
                    namespace: None,
                    contradicted: false,
                    health: Health::new(),
                },
            )
        };
        Self {
            known: Mutex::new(names.into_iter().map(known).collect()),
            doubt: Notify::new(),
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads each of them.
    pub(super) async fn refresh(&self, client: &Client, converter: &Converter, wake: &Wake) {
        let names = self.known().keys().cloned().collect();
        self.read(names, client, converter, wake).await;
    }

    /// Reads again, at growing pauses, those whose last read failed or is contradicted. Never ends: nobody
    /// changes anything when the API server is well again.
    pub(super) async fn read_again(
        &self,
        client: &Client,
        converter: &Converter,
        wake: &Wake,
        mut patience: Patience,
    ) -> Infallible {
        let mut changes = wake.health_changes();
        loop {
            let unread = self.unread();
            if unread.is_empty() {
                tokio::select! {
                    // The sender is in `wake`.
                    _ = changes.changed() => {}
                    () = self.doubt.notified() => {}
                }
                continue;
            }
            tokio::time::sleep(patience.wait()).await;
            self.read(unread, client, converter, wake).await;
        }
    }

    /// Those whose last read failed, or is contradicted.
    fn unread(&self) -> Vec<Arc<str>> {
        let all = self.known();
        let failed = all
            .iter()
            .filter(|(_, known)| known.contradicted || known.health.error().is_some());
        failed.map(|(name, _)| Arc::clone(name)).collect()
    }

    async fn read(
        &self,
        names: Vec<Arc<str>>,
        client: &Client,
        converter: &Converter,
        wake: &Wake,
    ) {
        let reads = names
            .into_iter()
            .map(async |name| (read(client, &name).await, name));
        for (answer, name) in join_all(reads).await {
            self.take(&name, answer, converter, wake);
        }
    }

    fn take(
        &self,
        name: &Arc<str>,
        answer: Result<Option<SlimMeta>, Trouble>,
        converter: &Converter,
        wake: &Wake,
    ) {
        let read = answer.and_then(|slim| match slim.map(|slim| converter.namespace(&slim)) {
            Some(None) => Err(trouble(false, "it cannot be read".to_owned())),
            Some(Some(namespace)) => Ok(Some(Arc::new(namespace))),
            None => Ok(None),
        });
        let mut all = self.known();
        let Some(known) = all.get_mut(name) else {
            return;
        };
        known.contradicted = false;
        let state_before = known.health.state().0;
        let mut matters = false;
        match read {
            Ok(namespace) => {
                let was_there = known.namespace.is_some() || !known.health.was_synced();
                if namespace.is_none() && was_there {
                    tracing::warn!(
                        namespace = &**name,
                        "a namespace that --namespaces names does not exist"
                    );
                }
                known.health.listed();
                matters = known.namespace != namespace;
                known.namespace = namespace;
            }
            Err(trouble) => known.health.failed(&trouble),
        }
        let state = known.health.state().0;
        let objects = usize::from(known.namespace.is_some());
        let error = known.health.error().cloned();
        drop(all);
        if state != state_before {
            place(name).log(state, objects, error.as_deref());
            wake.health_changed();
        }
        if matters || state != state_before {
            wake.changed();
        }
    }

    /// What is known, and of which namespaces it is known whether they exist. One in which there is something
    /// (`inhabited`) came back since it was not found: it is read again, and nothing is known of it until then.
    pub(super) fn facts(&self, inhabited: &BTreeSet<Arc<str>>) -> (Vec<Arc<Namespace>>, View) {
        let mut all = self.known();
        let mut seen = Seen::default();
        for (name, known) in all.iter_mut() {
            known.contradicted |= known.namespace.is_none() && inhabited.contains(name);
            if known.contradicted {
                self.doubt.notify_one();
            } else {
                seen.add(&place(name), known.health.state().0);
            }
        }
        (
            all.values()
                .filter_map(|known| known.namespace.clone())
                .collect(),
            seen.view(),
        )
    }

    /// How each of them is.
    pub(super) fn health(&self) -> Vec<MirrorHealth> {
        let all = self.known();
        let health = all.iter().map(|(name, known)| MirrorHealth {
            kind: namespace_kind(),
            namespace: Some(Arc::clone(name)),
            state: known.health.state().0,
            since: known.health.state().1,
            was_synced: known.health.was_synced(),
            error: known.health.error().cloned(),
            objects: usize::from(known.namespace.is_some()),
            given_up: false,
        });
        health.collect()
    }
}

/// Reads a namespace: `None` if it does not exist.
pub(super) async fn read(client: &Client, name: &str) -> Result<Option<SlimMeta>, Trouble> {
    let api: Api<SlimMeta> = Api::all_with(client.clone(), &resource("", "v1", "Namespace"));
    match tokio::time::timeout(READ_WITHIN, api.get(name)).await {
        Ok(Ok(namespace)) => Ok(Some(namespace)),
        Ok(Err(error)) if is_absent(&error) => Ok(None),
        Ok(Err(error)) => Err(trouble(code(&error) == Some(403), describe(&error))),
        Err(_) => Err(trouble(false, format!("no answer within {READ_WITHIN:?}"))),
    }
}

/// Whether the API server itself says that there is no such namespace: a 404 of anybody in between
/// is not of its form.
fn is_absent(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 404 && status.reason == NOT_FOUND)
}

/// A failed read: only the next one can mend it.
fn trouble(forbidden: bool, message: String) -> Trouble {
    Trouble {
        forbidden,
        needs_list: true,
        message: message.into(),
    }
}

fn place(name: &Arc<str>) -> Place {
    Place {
        kind: namespace_kind(),
        namespace: Some(Arc::clone(name)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use kube::core::Status;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;
    use crate::cluster::Scope;

    /// A log that a test reads.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Log {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    #[tokio::test]
    async fn a_namespace_that_does_not_exist_is_warned_of_once_until_it_comes() {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let name: Arc<str> = "shop".into();
        let exact = ExactNamespaces::new(vec![name.clone()]);
        let converter = Converter::new(Scope::default());
        let warnings = || {
            let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
            text.matches("that --namespaces names does not exist")
                .count()
        };
        let found = || {
            let json = serde_json::json!({"metadata": {"name": "shop"}});
            Ok(Some(serde_json::from_value(json).unwrap()))
        };
        let failed = || Err(trouble(false, "no answer".to_owned()));
        let answers = [
            (failed(), 0),
            (Ok(None), 1),
            (Ok(None), 1),
            (failed(), 1),
            (Ok(None), 1),
            (found(), 1),
            (Ok(None), 2),
        ];
        for (answer, expected) in answers {
            exact.take(&name, answer, &converter, &Wake::new());
            assert_eq!(warnings(), expected);
        }
    }

    #[test]
    fn promise_2_only_the_api_servers_own_404_says_that_a_namespace_is_gone() {
        let error = |code, reason: &str| {
            let status = Status::failure("", reason).with_code(code);
            kube::Error::Api(Box::new(status))
        };
        assert!(is_absent(&error(404, "NotFound")));
        assert!(!is_absent(&error(404, "Failed to parse error data")));
        assert!(!is_absent(&error(403, "Forbidden")));
        assert!(!is_absent(&error(410, "NotFound")));
    }
}
