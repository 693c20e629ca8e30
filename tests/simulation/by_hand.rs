//! Another tool's records, and a person who takes them over with `verify --adopt`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::clock::Clock;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity};
use deployment_recorder::model::risk::Risks;
use deployment_recorder::model::text_map::TextMap;
use deployment_recorder::model::workload::Source;
use deployment_recorder::recorder::hand::{Absent, Hand};
use deployment_recorder::recorder::lease::{Candidate, Patience};
use deployment_recorder::recorder::status::Shared;
use deployment_recorder::recorder::store::Store;
use http::Request;
use serde_json::json;
use tower::Service as _;

use crate::faults::{Relief, Trouble};
use crate::ledger;
use crate::wire::HOST;
use crate::world::World;

/// The image of another tool's records.
const STRAY: &str = "ghcr.io/acme/stray";

impl World {
    /// Another tool left a record at GitHub; the recorder is stopped, a person adopts it, and the
    /// recorder comes again.
    pub async fn adopt(&mut self) -> Option<String> {
        let is_stuck = |it: &Trouble| matches!(it.relief, Relief::Process(_));
        let stuck = self.troubles.iter().any(is_stuck);
        if stuck || self.missing.is_any() || self.slots.len() > 1 {
            return None;
        }
        self.stop_for_a_person().await?;
        let name = format!("stray-{}", self.adopted);
        self.adopted += 1;
        let digest = format!("sha256:{:064x}", self.adopted);
        self.strays.insert(name.clone(), digest.clone());
        self.leave(&name, &digest).await;
        if !self.is_left(&name) {
            // It may still do so.
            return Some(format!("GitHub did not take {name}"));
        }
        Some(format!("{name}: {:?}", self.adopt_strays().await))
    }

    /// What a person could not adopt is adopted now that everything is well.
    pub async fn adopt_what_is_left(&mut self) {
        if !self.strays.is_empty() {
            while self.slots[0].process.is_none() || self.missing.is_any() {
                self.pass(Duration::from_secs(10)).await;
            }
            self.stop_for_a_person().await;
            let adopted = self.adopt_strays().await;
            assert!(adopted.is_ok(), "{adopted:?}");
        }
    }

    pub async fn stop_for_a_person(&mut self) -> Option<()> {
        let process = self.slots[0].process.take()?;
        process.stop();
        let end = process.end().await;
        self.story.tell(&format!("stopped for a person: {end}"));
        // Had it been killed just before, the Lease would have to lapse.
        tokio::time::sleep(Duration::from_secs(20)).await;
        Some(())
    }

    /// Whether GitHub holds what another tool sent.
    fn is_left(&self, name: &str) -> bool {
        let place = ("production".to_owned(), name.to_owned());
        self.held().contains_key(&place)
    }

    async fn adopt_strays(&mut self) -> Result<usize, String> {
        let strays = self.strays.iter();
        let strays = strays.filter(|(name, _)| self.is_left(name));
        // One of a host that the recorder has no business with, too.
        let found = strays.flat_map(|(name, digest)| {
            [HOST, "api.github.elsewhere"]
                .map(|host| found(host, "production", name, STRAY, digest))
        });
        let found = found.collect();
        let taken = self.take_over(found).await;
        if taken.is_ok() {
            let late = |name: &String| !self.is_left(name);
            let late: Vec<String> = self.strays.keys().filter(|it| late(it)).cloned().collect();
            self.strays.retain(|name, _| late.contains(name));
        }
        taken
    }

    /// What another tool sends.
    async fn leave(&self, name: &str, digest: &str) {
        let body = json!({
            "logical_environment": "production",
            "deployments": [{
                "name": STRAY, "digest": digest, "deployment_name": name,
                "status": "deployed", "tags": {}, "runtime_risks": []
            }]
        });
        let path = "/orgs/acme/artifacts/metadata/deployment-record/cluster/main";
        let request = Request::post(format!("https://{HOST}{path}"))
            .header("authorization", "Bearer another")
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header("content-type", "application/json")
            .header("user-agent", "another-tool");
        let request = request.body(Bytes::from(body.to_string())).unwrap();
        let mut service = self.github.service();
        tokio::time::sleep(Duration::from_secs(2)).await;
        // GitHub may hang, and no trouble ends meanwhile.
        let _ = tokio::time::timeout(Duration::from_secs(30), service.call(request)).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }

    /// A person at a machine, with what it takes to hold the ledger.
    fn person(&mut self) -> (Candidate, Store) {
        self.starts += 1;
        let number = self.starts;
        let client = self.land.api.client();
        let text = format!("pod/by-hand-{number}/uid-by-hand-{number}/{number}/1/1/start-{number}");
        let candidate = Candidate {
            client: client.clone(),
            namespace: ledger::NAMESPACE.to_owned(),
            name: ledger::NAME.to_owned(),
            identity: text.parse().unwrap(),
            clock: Clock::adjustable(self.github.now(), self.shift),
            status: Shared::default(),
            seed: self.seed,
            patience: Patience::GiveUp,
        };
        let holder = format!("recorder-{number}");
        let store = self.told.store(client, holder);
        (candidate, store)
    }

    /// Takes the Lease and the ledger, and adopts them.
    pub async fn take_over(&mut self, found: Vec<Found>) -> Result<usize, String> {
        let (candidate, store) = self.person();
        let hand = Hand::take(candidate, store, Absent::Begin).await;
        let mut hand = hand.map_err(|error| error.to_string())?;
        let adopted = hand.adopt(found).await.map_err(|error| error.to_string());
        hand.give_back().await;
        adopted
    }
}

/// What somebody may adopt, for nobody.
pub(crate) type Found = (Identity, Arc<Body>, Option<Source>);

/// A record as the list of a digest has it; `image` without its tag.
pub(crate) fn found(host: &str, environment: &str, name: &str, image: &str, digest: &str) -> Found {
    let destination = Destination {
        host: host.into(),
        organization: "acme".into(),
        cluster: "main".into(),
        logical_environment: environment.into(),
        physical_environment: None,
    };
    let body = Body {
        digest: Digest::parse(digest).unwrap(),
        name: image.into(),
        version: None,
        repository: None,
        tags: TextMap::default(),
        risks: Risks::default(),
    };
    let identity = Identity {
        destination: Arc::new(destination),
        name: name.into(),
    };
    (identity, Arc::new(body), None)
}
