//! GitHub as the benchmark sees it: github-sandbox as a process of its own, and which records came
//! to it when. What the records ought to be is told by the caller.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// Nothing takes longer than this.
const PATIENCE: Duration = Duration::from_mins(10);

/// github-sandbox. Dropping it ends it.
pub(crate) struct Github {
    child: Child,
    /// Where it is.
    pub(crate) url: String,
    http: reqwest::Client,
}

/// How a set of records came to GitHub.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// When the first request came.
    pub(crate) first: Instant,
    /// When the last of the records was acknowledged.
    pub(crate) complete: Instant,
    /// How many requests there were.
    pub(crate) requests: usize,
}

impl Github {
    pub(crate) fn start(program: &Path) -> Self {
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut url).unwrap();
        Self {
            child,
            url: url.trim().to_owned(),
            http: reqwest::Client::new(),
        }
    }

    /// Waits until GitHub has acknowledged these digests for these names in requests after the one
    /// numbered `after`.
    ///
    /// # Panics
    ///
    /// If that takes for ever.
    pub(crate) async fn wait(&self, mut wanted: BTreeMap<String, String>, after: u64) -> Arrival {
        let begun = Instant::now();
        let (mut first, mut seen) = (None, after);
        loop {
            let path = format!("sandbox/requests?after={seen}");
            let answer = self.get(&path).await;
            let requests = answer["requests"].as_array().unwrap();
            if !requests.is_empty() {
                first.get_or_insert_with(Instant::now);
            }
            for request in requests
                .iter()
                .take_while(|it| !it["answered_at"].is_null())
            {
                seen = request["sequence"].as_u64().unwrap();
                strike_off(&mut wanted, request);
            }
            if wanted.is_empty() {
                return Arrival {
                    first: first.unwrap_or(begun),
                    complete: Instant::now(),
                    requests: usize::try_from(seen - after).unwrap(),
                };
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{} records are missing, as {:?}",
                wanted.len(),
                wanted.first_key_value()
            );
            sleep(LOOK).await;
        }
    }

    /// How many requests there were so far.
    pub(crate) async fn requests(&self) -> u64 {
        self.get("sandbox/healthz").await["requests"]
            .as_u64()
            .unwrap()
    }

    /// How many of `wanted` GitHub shows as deployed with the digest, and how many records in all.
    pub(crate) async fn right(&self, wanted: &BTreeMap<String, String>) -> (usize, usize) {
        let answer = self.get("sandbox/records").await;
        let records = answer["records"].as_array().unwrap();
        let right = records.iter().filter(|record| {
            let name = record["deployment_name"].as_str().unwrap_or_default();
            record["status"] == "deployed"
                && wanted
                    .get(name)
                    .is_some_and(|digest| record["digest"] == **digest)
        });
        (right.count(), records.len())
    }

    /// How often a rule of the API was broken.
    pub(crate) async fn violations(&self) -> u64 {
        self.get("sandbox/violations").await["total_count"]
            .as_u64()
            .unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("{}/{path}", self.url);
        let answer = self.http.get(url).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

fn strike_off(wanted: &mut BTreeMap<String, String>, request: &Value) {
    if request["status"] != 200 {
        return;
    }
    for line in request["body"]["deployments"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = line["deployment_name"].as_str().unwrap_or_default();
        if wanted
            .get(name)
            .is_some_and(|digest| line["digest"] == **digest)
        {
            wanted.remove(name);
        }
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        // It is gone already if these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
