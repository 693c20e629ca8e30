//! What a test sees and waits for: requests, what GitHub holds, what is stored. Time passes only
//! while something is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use deployment_recorder::sandbox::{Fault, FaultKind, Status};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::ledger::{self, Stored};
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::world::{ENVIRONMENT, SECOND, World};

/// A request that GitHub got.
#[derive(Debug)]
pub struct Post {
    /// When, since the world began.
    pub at: Duration,
    /// The path.
    pub path: String,
    /// Its lines: status and name.
    pub lines: Vec<(String, String)>,
    /// The answer's status, if one was given.
    pub status: Option<u16>,
}

impl Post {
    /// The names of its lines.
    pub fn names(&self) -> Vec<&str> {
        self.lines.iter().map(|(_, name)| &**name).collect()
    }

    /// Whether it has a line of that name.
    pub fn has(&self, name: &str) -> bool {
        self.lines.iter().any(|(_, other)| other == name)
    }

    /// Whether all its lines say that something has ended.
    pub fn ends(&self) -> bool {
        self.lines
            .iter()
            .all(|(status, _)| status == "decommissioned")
    }
}

impl World {
    /// Lets time pass.
    pub async fn pass(&self, time: Duration) {
        sleep(time).await;
    }

    /// Waits until something holds, for at most `limit`.
    pub async fn within(&self, limit: Duration, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(
                start.elapsed() < limit,
                "not within {limit:?}: {what}\n{}",
                self.story()
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something holds at GitHub, for at most `limit`.
    pub async fn at_github(&self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let holds = timeout(limit, self.github.wait_until(|_| holds(self)));
        let held = holds.await.is_ok();
        assert!(held, "not within {limit:?}: {what}\n{}", self.story());
    }

    /// Waits half a minute at most until GitHub holds as deployed what is to run, and nothing else.
    pub async fn agreed(&self) {
        self.agreed_within(30 * SECOND).await;
    }

    /// The same with another limit.
    pub async fn agreed_within(&self, limit: Duration) {
        self.at_github(limit, "GitHub holds what runs", |world| {
            world.deployed() == world.wanted
        })
        .await;
    }

    /// What GitHub holds as deployed.
    pub fn deployed(&self) -> BTreeMap<(String, String), String> {
        let records = self.github.records().into_iter();
        records
            .filter(|record| record.status == Status::Deployed)
            .map(|record| {
                let key = (record.key.logical_environment, record.key.deployment_name);
                (key, record.digest)
            })
            .collect()
    }

    /// The requests that GitHub got after the first `after`.
    pub fn posts(&self, after: usize) -> Vec<Post> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = self.github.requests().into_iter().skip(after);
        entries
            .map(|entry| {
                let body = entry.body.as_deref().cloned().unwrap_or_default();
                let lines = body["deployments"].as_array().cloned().unwrap_or_default();
                Post {
                    at: entry.at,
                    path: entry.path,
                    lines: lines
                        .iter()
                        .map(|line| (text(&line["status"]), text(&line["deployment_name"])))
                        .collect(),
                    status: entry.status,
                }
            })
            .collect()
    }

    /// How many requests GitHub got.
    pub fn requests(&self) -> usize {
        usize::try_from(self.github.request_count()).unwrap()
    }

    /// How many requests had a line of that name, after the first `after`.
    pub fn sends_of(&self, after: usize, name: &str) -> usize {
        self.posts(after)
            .iter()
            .filter(|post| post.has(name))
            .count()
    }

    /// Waits until GitHub got so many requests.
    pub async fn requested(&self, count: usize, limit: Duration) {
        self.at_github(limit, &format!("{count} requests"), |world| {
            world.requests() >= count
        })
        .await;
    }

    /// The entry of that name in the stored ledger.
    pub fn entry(&self, name: &str) -> Value {
        let key = (ENVIRONMENT.to_owned(), name.to_owned());
        let entry = self.ledger().entries.remove(&key);
        entry.unwrap_or(Value::Null)
    }

    /// What GitHub holds as deployed under that name, if it does.
    pub fn digest_of(&self, name: &str) -> Option<String> {
        let key = (ENVIRONMENT.to_owned(), name.to_owned());
        self.deployed().remove(&key)
    }

    /// The reasons of all Gaps, and the reasons for withholding.
    pub fn reasons(&self) -> BTreeSet<String> {
        let status = self.status();
        let status = status.lock();
        let plan = status.plan.as_ref().expect("a plan");
        let gaps = plan.gaps.iter().map(|gap| gap.reason.to_string());
        let withheld = plan.withheld.iter().map(|(_, why)| why.to_string());
        gaps.chain(withheld).collect()
    }

    /// How many Gaps there are for that reason.
    pub fn gaps(&self, reason: &str) -> usize {
        let status = self.status();
        let status = status.lock();
        let gaps = status.plan.iter().flat_map(|plan| &plan.gaps);
        gaps.filter(|gap| gap.reason.to_string() == reason).count()
    }

    /// What GitHub does not let happen, in its words.
    pub fn blocked(&self) -> Vec<String> {
        let status = self.status();
        let status = status.lock();
        let blocked = status.blocked.values();
        blocked.map(|blocked| blocked.message.clone()).collect()
    }

    /// The stored ledger.
    pub fn ledger(&self) -> Stored {
        ledger::stored(&self.api)
    }

    /// A fault at GitHub.
    pub fn fault(&self, fault: Fault) {
        self.github.fault(fault);
    }

    /// A fault at GitHub for the next request.
    pub fn once(&self, kind: FaultKind) {
        self.fault(Fault::once(kind));
    }

    /// Every call takes a while: those to the API server `api`, those to GitHub `github`.
    pub fn slow(&self, api: Duration, github: Duration) {
        for verb in [Verb::Get, Verb::Create, Verb::Update] {
            self.api
                .fail(verb, "ConfigMap", ApiFault::Slow(api))
                .forever();
        }
        let millis = u64::try_from(github.as_millis()).unwrap();
        self.fault(Fault::new(FaultKind::Slow { millis }));
    }
}
