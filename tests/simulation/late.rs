//! What is said to a process that stands still or is cut off comes late or never: by that every seed's
//! recorder decides on what was so a while ago.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use serde_json::json;
use tokio::time::timeout;

use crate::frost::Frost;
use crate::support::apiserver::{Apiserver, Line};

/// A process that watches.
struct Watcher {
    api: Apiserver,
    frost: Frost,
    line: Line,
    said: BoxStream<'static, kube::Result<WatchEvent<ConfigMap>>>,
}

impl Watcher {
    async fn begun() -> Self {
        let (api, frost) = (Apiserver::new(), Frost::default());
        let gate = frost.clone();
        let line = Line::behind(move |context| gate.passes(context));
        let maps: Api<ConfigMap> = Api::namespaced(api.client_on(&line), "shop");
        let said = maps.watch(&WatchParams::default(), "0").await.unwrap();
        Self {
            api,
            frost,
            line,
            said: said.boxed(),
        }
    }

    fn come(&self, name: &str) {
        let metadata = json!({"namespace": "shop", "name": name});
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        self.api.apply(map);
    }

    /// What it hears next, if it hears anything for a while; an error if its watch broke.
    async fn hears(&mut self) -> Result<Option<String>, kube::Error> {
        let Ok(next) = timeout(Duration::from_mins(25), self.said.try_next()).await else {
            return Ok(None);
        };
        match next? {
            Some(WatchEvent::Added(map)) => Ok(map.metadata.name),
            other => panic!("{other:?}"),
        }
    }

    /// Two come, are not heard of, and are in their order once `again` was done.
    async fn hears_late(&mut self, again: impl Fn(&Self)) {
        self.come("first");
        self.come("second");
        assert_eq!(self.hears().await.unwrap(), None);
        again(self);
        for name in ["first", "second"] {
            assert_eq!(self.hears().await.unwrap().as_deref(), Some(name));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stands_still_hears_all_of_it_when_it_goes_on() {
    let mut watcher = Watcher::begun().await;
    watcher.frost.falls();
    watcher.hears_late(|it| it.frost.thaws()).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_cut_off_hears_all_of_it_when_its_line_is_mended() {
    let mut watcher = Watcher::begun().await;
    watcher.line.cut();
    watcher.hears_late(|it| it.line.mend()).await;
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_cut_off_for_too_long_has_to_ask_again() {
    let mut watcher = Watcher::begun().await;
    watcher.line.cut();
    watcher.come("first");
    assert_eq!(watcher.hears().await.unwrap(), None);
    watcher.line.mend_anew();
    assert!(watcher.hears().await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_silent_says_all_of_it_at_once() {
    let mut watcher = Watcher::begun().await;
    watcher.api.silence("ConfigMap");
    watcher.hears_late(|it| it.api.heal()).await;
}
