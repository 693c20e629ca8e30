//! Labels of images: read beside the cycle, never on its way, and nothing flaps because of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest as hash};
use bytes::Bytes;
use deployment_recorder::registry::{LookUps, PlainHosts, Reader, Shown};
use http::{Request, Response};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::util::BoxCloneSyncService;

use crate::objects::{Deployment, deployment};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// Registries of a few lines, all with the same images.
#[derive(Clone, Default)]
pub struct Registries(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    content: BTreeMap<String, Bytes>,
    asked: Vec<(Instant, String)>,
    delay: Duration,
    /// Hosts that take a request and never answer.
    silent: BTreeSet<String>,
    /// What every host answers with instead, if anything.
    status: Option<u16>,
}

impl Registries {
    /// An image with this label, or without one, is there. Returns its digest.
    fn has(&self, name: &str, label: Option<&str>) -> String {
        let labels = label.map(|it| json!({"org.opencontainers.image.source": it}));
        let config = json!({"config": {"Labels": labels}, "name": name}).to_string();
        let size = config.len();
        let config = self.store(config);
        self.store(json!({"config": {"digest": config, "size": size}}).to_string())
    }

    fn store(&self, content: String) -> String {
        let digest = hash(&SHA256, content.as_bytes());
        let hex: Vec<String> = digest
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let digest = format!("sha256:{}", hex.join(""));
        self.0
            .lock()
            .unwrap()
            .content
            .insert(digest.clone(), content.into());
        digest
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        change(&mut self.0.lock().unwrap());
    }

    /// When which manifests were asked for.
    fn manifests(&self) -> Vec<(Instant, String)> {
        let asked = self.0.lock().unwrap().asked.clone();
        asked
            .into_iter()
            .filter(|(_, url)| url.contains("/manifests/"))
            .collect()
    }

    /// Reads labels from them until `stop`.
    pub fn read(&self, stop: CancellationToken) -> LookUps {
        let all = self.clone();
        let service = tower::service_fn(move |request: Request<Bytes>| {
            let all = all.clone();
            async move { all.answer(&request).await }
        });
        let service = BoxCloneSyncService::new(service);
        let look_ups = LookUps::default();
        let reader = Reader::new(service, PlainHosts::default(), look_ups.clone(), None);
        tokio::spawn(reader.run(stop));
        look_ups
    }

    async fn answer(&self, request: &Request<Bytes>) -> io::Result<Response<Bytes>> {
        let url = request.uri().to_string();
        let host = request.uri().host().unwrap().to_owned();
        let (delay, status) = {
            let mut inner = self.0.lock().unwrap();
            inner.asked.push((Instant::now(), url.clone()));
            (inner.delay, inner.status)
        };
        if self.0.lock().unwrap().silent.contains(&host) {
            std::future::pending::<()>().await;
        }
        sleep(delay).await;
        let content = self
            .0
            .lock()
            .unwrap()
            .content
            .get(url.rsplit('/').next().unwrap())
            .cloned();
        let (status, body) = match (status, content) {
            (Some(status), _) => (status, Bytes::new()),
            (None, Some(content)) => (200, content),
            (None, None) => (404, Bytes::new()),
        };
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// A world in which labels are read.
fn reading() -> (World, Registries) {
    let mut world = World::default();
    let registries = Registries::default();
    world.policy.reads_labels = true;
    world.registries = Some(registries.clone());
    (world, registries)
}

/// A Deployment of an image of that digest.
fn pinned(name: &str, digest: &str) -> Deployment {
    deployment("shop", name).image(&format!("ghcr.io/acme/{name}@{digest}"))
}

impl World {
    /// What the requests after the first `after` said of that record's repository, in their order.
    fn repositories(&self, after: usize, name: &str) -> Vec<Option<String>> {
        let requests = self.github.requests().into_iter().skip(after);
        let bodies = requests.filter_map(|it| it.body.as_deref().cloned());
        let lines =
            bodies.flat_map(|body| body["deployments"].as_array().cloned().unwrap_or_default());
        lines
            .filter(|line| line["deployment_name"] == name)
            .map(|line| line["github_repository"].as_str().map(str::to_owned))
            .collect()
    }

    /// How reading labels goes.
    fn shown(&self) -> Shown {
        let status = self.status();
        let status = status.lock();
        status
            .labels
            .as_ref()
            .map(LookUps::shown)
            .unwrap_or_default()
    }
}

fn said(repositories: &[Option<&str>]) -> Vec<Option<String>> {
    repositories
        .iter()
        .map(|it| it.map(str::to_owned))
        .collect()
}

const SOURCE: &str = "https://github.test/acme/web-source.git";
const WEB: &str = "shop-web-main";

#[tokio::test(start_paused = true)]
async fn a_report_does_not_wait_for_a_label_and_is_followed_by_one_with_it() {
    let (mut world, registries) = reading();
    registries.change(|it| it.delay = 10 * SECOND);
    world.roll_out(&pinned("web", &registries.has("web", Some(SOURCE))));
    world.start();
    world.requested(1, 10 * SECOND).await;
    assert_eq!(world.repositories(0, WEB), said(&[None]));
    world.requested(2, 30 * SECOND).await;
    assert_eq!(
        world.repositories(0, WEB),
        said(&[None, Some("web-source")])
    );
    world.pass(3 * INTERVAL).await;
    assert!(
        world
            .repositories(2, WEB)
            .iter()
            .all(|it| it.as_deref() == Some("web-source"))
    );
    assert_eq!(registries.manifests().len(), 1, "asked for once for good");
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_github_cannot_place_is_taken_as_soon_as_its_label_is_read() {
    let (mut world, registries) = reading();
    world.github.set_unknown_digests(true);
    registries.change(|it| it.delay = 10 * SECOND);
    world.roll_out(&pinned("web", &registries.has("web", Some(SOURCE))));
    world.start();
    world.requested(1, 10 * SECOND).await;
    assert!(world.deployed().is_empty());
    world
        .at_github(30 * SECOND, "it is taken", |world| {
            world.deployed().len() == 1
        })
        .await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_changes_at_github_because_of_a_restart_or_a_registry_that_is_down() {
    let (mut world, registries) = reading();
    let digest = registries.has("web", Some(SOURCE));
    world.roll_out(&pinned("web", &digest));
    world.start();
    world
        .at_github(MINUTE, "the repository", |world| {
            world.repositories(0, WEB).last() == Some(&Some("web-source".to_owned()))
        })
        .await;
    registries.change(|it| it.status = Some(500));
    world.kill().await;
    let before = world.requests();
    world.restart().await;
    world.pass(3 * INTERVAL).await;
    let after = world.repositories(before, WEB);
    assert!(after.len() >= 3, "{after:?}");
    assert!(
        after.iter().all(|it| it.as_deref() == Some("web-source")),
        "{after:?}"
    );
    assert_eq!(world.shown().unread, 1);
    let asked = registries.manifests().len();
    assert!(asked < 20, "it is left alone for longer each time: {asked}");
    // Well again, and it says nothing else.
    registries.change(|it| it.status = None);
    world
        .within(24 * 60 * MINUTE, "it is read", |world| {
            world.shown().known == 1
        })
        .await;
    let before = world.requests();
    world.pass(MINUTE).await;
    let after = world.repositories(before, WEB);
    assert!(
        after.iter().all(|it| it.as_deref() == Some("web-source")),
        "{after:?}"
    );
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_never_answers_holds_back_neither_cycles_nor_others() {
    let (mut world, registries) = reading();
    registries.change(|it| {
        it.silent.insert("silent.test".to_owned());
    });
    for number in 0..20 {
        let name = format!("slow{number}");
        let digest = registries.has(&name, None);
        world.roll_out(&deployment("shop", &name).image(&format!("silent.test/{name}@{digest}")));
    }
    world.roll_out(&pinned("web", &registries.has("web", Some(SOURCE))));
    world.start();
    world
        .at_github(10 * SECOND, "all are reported", |world| {
            world.deployed().len() == 21
        })
        .await;
    world
        .at_github(20 * SECOND, "one with its repository", |world| {
            world
                .repositories(0, WEB)
                .contains(&Some("web-source".to_owned()))
        })
        .await;
    world.roll_out(&deployment("shop", "new").image("ghcr.io/acme/new:1"));
    world
        .at_github(5 * SECOND, "a change goes out", |world| {
            world.deployed().len() == 22
        })
        .await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_is_asked_about_two_images_a_second_at_most_and_github_seldom() {
    let (mut world, registries) = reading();
    let mut shop = deployment("shop", "web");
    let image = |number: usize| {
        let digest = registries.has(&number.to_string(), Some(SOURCE));
        (
            format!("c{number:03}"),
            format!("ghcr.io/acme/i{number}@{digest}"),
        )
    };
    shop.containers = (0..200).map(image).collect();
    world.roll_out(&shop);
    world.start();
    world
        .within(3 * MINUTE, "all are read", |world| {
            world.shown().known == 200
        })
        .await;
    let asked = registries.manifests();
    assert_eq!(asked.len(), 200);
    let pairs = asked.iter().zip(asked.iter().skip(1));
    let least = pairs
        .map(|((one, _), (next, _))| next.duration_since(*one))
        .min()
        .unwrap();
    assert!(least >= SECOND / 2, "{least:?}");
    world.pass(MINUTE).await;
    assert!(world.requests() < 30, "{}", world.requests());
    let last = world.repositories(0, "shop-web-c199").pop();
    assert_eq!(last, Some(Some("web-source".to_owned())));
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_runs_nowhere_and_is_in_no_ledger_is_forgotten() {
    let (mut world, registries) = reading();
    world.roll_out(&pinned("web", &registries.has("web", Some(SOURCE))));
    world.roll_out(&pinned("cart", &registries.has("cart", None)));
    world.start();
    world
        .within(MINUTE, "both are read", |world| world.shown().known == 2)
        .await;
    assert!(world.shown().problems.is_empty());
    world.vanish("shop", "cart");
    world
        .within(5 * INTERVAL, "one is known", |world| {
            world.shown().known == 1
        })
        .await;
    world.finish().await;
}
