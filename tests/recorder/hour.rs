//! An hour of everything at once: workloads that change all the time, a GitHub that limits, fails and
//! loses answers, tokens and keys that are replaced, clocks that differ. The same hour for the same
//! seed. At its end GitHub holds what runs, and was never asked more often than it allows.

use std::time::Duration;

use deployment_recorder::sandbox::{
    AppChange, Fault, FaultKind, POLITE_PER_HOUR, WRITES_PER_MINUTE,
};
use jiff::SignedDuration;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tokio::time::{Instant, sleep_until};

use crate::objects::deployment;
use crate::sign_in::{self, KeyFile};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// An hour.
const HOUR: Duration = Duration::from_hours(1);

const NAMESPACES: [&str; 3] = ["shop", "pay", "mail"];
const NAMES: [&str; 8] = ["web", "api", "cart", "db", "queue", "jobs", "cache", "auth"];

/// How the recorder signs in, and how that is replaced.
enum SignIn {
    /// With a token from a file.
    Token(std::path::PathBuf),
    /// As an App, with a key from a file.
    App(KeyFile),
}

/// An hour on its way.
struct Hour {
    rng: StdRng,
    world: World,
    sign_in: SignIn,
    /// What each image was called last.
    revision: usize,
    /// What GitHub has yet to do before it begins anew.
    faults: Vec<FaultKind>,
}

impl Hour {
    fn begin(seed: u64, as_app: bool, ahead: SignedDuration) -> Self {
        let (sign_in, mut world) = if as_app {
            let (key, world) = sign_in::world();
            (SignIn::App(key), world)
        } else {
            let file = format!("recorder-hour-{}-{seed}", std::process::id());
            let file = std::env::temp_dir().join(file);
            let token_file = Some(file.clone());
            let world = World {
                token_file,
                ..World::default()
            };
            (SignIn::Token(file), world)
        };
        (world.seed, world.ahead) = (seed, ahead);
        let mut hour = Self {
            rng: StdRng::seed_from_u64(seed),
            world,
            sign_in,
            revision: 1,
            faults: Vec::new(),
        };
        if let SignIn::Token(file) = &hour.sign_in {
            std::fs::write(file, "token-1").unwrap();
            hour.world.github.set_token(Some("token-1".to_owned()));
        }
        for name in NAMES {
            hour.world.run(&deployment("shop", name));
        }
        hour
    }

    fn seconds(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.rng.random_range(least * 1000..most * 1000))
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.rng.random_range(0..all.len())]
    }

    /// A workload comes, goes, or is another one; or all of a namespace goes.
    fn change(&mut self) {
        let (namespace, name) = (self.one_of(&NAMESPACES), self.one_of(&NAMES));
        self.revision += 1;
        match self.rng.random_range(0..20) {
            0 => NAMES
                .iter()
                .for_each(|name| self.world.remove(namespace, name)),
            1..7 => self.world.remove(namespace, name),
            _ => {
                let image = format!("ghcr.io/acme/{name}:{}", self.revision);
                self.world.run(&deployment(namespace, name).image(&image));
            }
        }
    }

    /// Something that GitHub does for the next request, or for two: each of it as often as the others.
    fn fault(&mut self) {
        if self.faults.is_empty() {
            self.faults = self.kinds();
            self.faults.shuffle(&mut self.rng);
        }
        let kind = self.faults.pop().unwrap();
        let times = self.rng.random_range(1..3);
        self.world.fault(Fault::new(kind).times(times));
    }

    fn kinds(&mut self) -> Vec<FaultKind> {
        let some = self.rng.random_range(5..100);
        let throttled = |status, retry_after, reset_after| FaultKind::Throttled {
            status,
            retry_after,
            reset_after,
        };
        let location = None;
        vec![
            throttled(429, Some(some), None),
            throttled(429, None, None),
            throttled(429, None, Some(some)),
            throttled(403, Some(some), None),
            throttled(403, None, Some(some)),
            FaultKind::Status { status: 500 },
            FaultKind::Status { status: 502 },
            FaultKind::Bare { status: 503 },
            FaultKind::Reset,
            FaultKind::Hang,
            FaultKind::Lost { hang: false },
            FaultKind::Lost { hang: true },
            FaultKind::Late { seconds: some },
            FaultKind::Html { applied: true },
            FaultKind::Slow { millis: some * 50 },
            FaultKind::Redirect {
                status: 307,
                location,
            },
        ]
    }

    /// What is signed in with is replaced: at GitHub first, and a while later in the file.
    async fn replace(&mut self) {
        self.revision += 1;
        let between = self.seconds(0, 40);
        match &self.sign_in {
            SignIn::Token(file) => {
                let token = format!("token-{}", self.revision);
                self.world.github.set_token(Some(token.clone()));
                self.world.pass(between).await;
                std::fs::write(file, token).unwrap();
            }
            SignIn::App(key) => {
                let rotate = self.rng.random_bool(0.5);
                let change = AppChange {
                    rotate,
                    revoke: true,
                    ..AppChange::default()
                };
                self.world.github.change_app(change).unwrap();
                self.world.pass(between).await;
                key.write(&self.world.github.app_key().unwrap());
            }
        }
    }

    /// All of it.
    async fn pass(&mut self) {
        let start = Instant::now();
        let [mut change, mut fault, mut replacement, mut check] = [start; 4];
        while start.elapsed() < HOUR {
            let now = Instant::now();
            if change <= now {
                self.change();
                change = now + self.seconds(0, 12);
            }
            if fault <= now {
                self.fault();
                fault = now + self.seconds(20, 200);
            }
            if replacement <= now {
                self.replace().await;
                replacement = now + self.seconds(240, 720);
            }
            if check <= now {
                self.world.check();
                check = now + MINUTE;
            }
            sleep_until(change.min(fault).min(replacement)).await;
        }
    }

    /// How often GitHub answered so; `None`: not at all.
    fn answered(&self, status: Option<u16>) -> usize {
        let entries = self.world.github.requests();
        entries
            .iter()
            .filter(|entry| entry.status == status)
            .count()
    }
}

async fn an_hour(seed: u64, as_app: bool, ahead: i64) {
    let mut hour = Hour::begin(seed, as_app, SignedDuration::from_mins(ahead));
    hour.world.start();
    hour.pass().await;
    hour.world.github.clear();
    // What GitHub was promised or told may take as long as its longest wait, and as the interval.
    hour.world.agreed_within(INTERVAL + 3 * MINUTE).await;
    hour.world.pass(2 * INTERVAL + 2 * MINUTE).await;
    hour.world.agreed_within(SECOND).await;
    let live: Vec<&str> = hour.world.wanted.keys().map(|(_, name)| &**name).collect();
    assert_eq!(hour.world.ledger().names(), live, "{}", hour.world.story());

    for status in [
        Some(429),
        Some(403),
        Some(500),
        Some(502),
        Some(503),
        Some(401),
        None,
    ] {
        assert!(hour.answered(status) > 0, "{status:?} never happened");
    }
    let busiest = hour.world.github.busiest();
    assert!(busiest.minute <= WRITES_PER_MINUTE, "{busiest:?}");
    assert!(busiest.hour <= POLITE_PER_HOUR, "{busiest:?}");
    assert!(
        busiest.hour > 100,
        "an hour in which little happened: {busiest:?}"
    );
    if let SignIn::Token(file) = &hour.sign_in {
        std::fs::remove_file(file).unwrap();
    }
    hour.world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_hour_of_everything_at_once_github_holds_what_runs() {
    an_hour(1, false, -10).await;
}

#[tokio::test(start_paused = true)]
async fn so_does_it_for_an_app_whose_clock_is_off() {
    an_hour(2, true, 10).await;
    an_hour(3, true, -10).await;
}
