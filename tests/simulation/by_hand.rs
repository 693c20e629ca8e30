//! Another tool's records, and a person who takes them over with `verify --adopt`.

use std::sync::Arc;

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

use crate::ledger;
use crate::wire::HOST;
use crate::world::World;

impl World {
    /// Another tool left a record at GitHub; the recorder is stopped, a person adopts it, and the
    /// recorder comes again.
    pub async fn adopt(&mut self) -> Option<String> {
        if self.is_ledger_partial() || self.slots.len() > 1 {
            return None;
        }
        let process = self.slots[0].process.as_ref()?;
        process.stop();
        let name = format!("stray-{}", self.adopted);
        self.adopted += 1;
        self.strays.push(name.clone());
        let digest = format!("sha256:{:064x}", self.adopted);
        self.leave(&name, &digest).await;
        let process = self.slots[0].process.take()?;
        let end = process.end().await;
        self.story.tell(&format!("stopped for a person: {end}"));
        // Had it been killed just before, the Lease would have to lapse.
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        let taken = self.take_over(&name, &digest).await;
        if taken.is_ok() {
            self.strays.clear();
        }
        Some(format!("{name}: {taken:?}"))
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
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        let _ = service.call(request).await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
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

    async fn take_over(&mut self, name: &str, digest: &str) -> Result<usize, String> {
        let (candidate, store) = self.person();
        let hand = Hand::take(candidate, store, Absent::Begin).await;
        let mut hand = hand.map_err(|error| error.to_string())?;
        let body = Arc::new(Body {
            digest: Digest::parse(digest).unwrap(),
            name: "ghcr.io/acme/stray".into(),
            version: None,
            repository: None,
            tags: TextMap::default(),
            risks: Risks::default(),
        });
        let of = |host: &str| Identity {
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
        let found = [of(HOST), of("api.github.elsewhere")].map(|it| (it, body.clone(), None));
        let adopted = hand.adopt(found).await.map_err(|error| error.to_string());
        hand.give_back().await;
        adopted
    }
}
