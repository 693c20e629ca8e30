//! Another tool's records, and a person who takes them over with `verify --adopt`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployment_recorder::clock::Clock;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::record::{Body, Destination, Identity};
use deployment_recorder::model::risk::Risks;
use deployment_recorder::model::text_map::TextMap;
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

impl World {
    /// Another tool left a record at GitHub; the recorder is stopped, a person adopts it, and the
    /// recorder comes again.
    pub async fn adopt(&mut self) -> Option<String> {
        let is_stuck = |it: &Trouble| matches!(it.relief, Relief::Process(_));
        let stuck = self.troubles.iter().any(is_stuck);
        if stuck || self.is_ledger_partial() || self.slots.len() > 1 {
            return None;
        }
        self.stop_for_a_person().await?;
        let name = format!("stray-{}", self.adopted);
        self.adopted += 1;
        let digest = format!("sha256:{:064x}", self.adopted);
        self.strays.insert(name.clone(), digest.clone());
        self.leave(&name, &digest).await;
        let place = ("production".to_owned(), name.clone());
        if !self.held().contains_key(&place) {
            self.strays.remove(&name);
            return Some(format!("GitHub did not take {name}"));
        }
        Some(format!("{name}: {:?}", self.adopt_strays().await))
    }

    /// What a person could not adopt is adopted now that everything is well.
    pub async fn adopt_what_is_left(&mut self) {
        if !self.strays.is_empty() {
            while self.slots[0].process.is_none() {
                self.pass(Duration::from_secs(10)).await;
            }
            self.stop_for_a_person().await;
            let adopted = self.adopt_strays().await;
            assert!(adopted.is_ok(), "{adopted:?}");
        }
    }

    async fn stop_for_a_person(&mut self) -> Option<()> {
        let process = self.slots[0].process.take()?;
        process.stop();
        let end = process.end().await;
        self.story.tell(&format!("stopped for a person: {end}"));
        // Had it been killed just before, the Lease would have to lapse.
        tokio::time::sleep(Duration::from_secs(20)).await;
        Some(())
    }

    async fn adopt_strays(&mut self) -> Result<usize, String> {
        let taken = self.take_over().await;
        if taken.is_ok() {
            self.strays.clear();
        }
        taken
    }

    /// What another tool sends.
    async fn leave(&self, name: &str, digest: &str) {
        let body = json!({
            "logical_environment": "production",
            "deployments": [{
                "name": "ghcr.io/acme/stray", "digest": digest, "deployment_name": name,
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
    pub fn person(&mut self) -> (Candidate, Store) {
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
        let store = Store::new(client, ledger::NAMESPACE, ledger::NAME, holder);
        (candidate, store)
    }

    async fn take_over(&mut self) -> Result<usize, String> {
        let (candidate, store) = self.person();
        let hand = Hand::take(candidate, store, Absent::Begin).await;
        let mut hand = hand.map_err(|error| error.to_string())?;
        let body = |digest: &str| {
            Arc::new(Body {
                digest: Digest::parse(digest).unwrap(),
                name: "ghcr.io/acme/stray".into(),
                version: None,
                repository: None,
                tags: TextMap::default(),
                risks: Risks::default(),
            })
        };
        let of = |host: &str, name: &str| Identity {
            destination: Arc::new(Destination {
                host: host.into(),
                organization: "acme".into(),
                cluster: "main".into(),
                logical_environment: "production".into(),
                physical_environment: None,
            }),
            name: name.into(),
        };
        // One of a host that the recorder has no business with, too.
        let found = self.strays.iter().flat_map(|(name, digest)| {
            [HOST, "api.github.elsewhere"].map(|host| (of(host, name), body(digest), None))
        });
        let adopted = hand
            .adopt(found.collect::<Vec<_>>())
            .await
            .map_err(|error| error.to_string());
        hand.give_back().await;
        adopted
    }
}
