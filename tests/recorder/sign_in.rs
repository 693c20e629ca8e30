//! The recorder as a GitHub App: its token ends, is revoked, cannot be had. What runs is recorded all
//! the same, at no other pace than with a token that never ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use deployment_recorder::sandbox::{AppChange, Endpoint, Entry, Fault, FaultKind, Permission};
use jiff::SignedDuration;
use serde_json::json;

use crate::objects::deployment;
use crate::world::{INTERVAL, MINUTE, SECOND, World};

/// An hour.
const HOUR: Duration = Duration::from_hours(1);

/// A world whose recorder signs in as an App, with nothing else accepted. The key's file is gone when
/// the first value is dropped.
pub fn world() -> (KeyFile, World) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("recorder-app-key-{}-{number}", std::process::id());
    let key = KeyFile(std::env::temp_dir().join(name));
    let world = World {
        app_key: Some(key.0.clone()),
        ..World::default()
    };
    std::fs::write(&key.0, world.github.app_key().unwrap()).unwrap();
    let only = AppChange {
        only: Some(true),
        ..AppChange::default()
    };
    world.github.change_app(only).unwrap();
    (key, world)
}

/// A file of its own with this in it.
pub fn file(content: &str) -> KeyFile {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("recorder-secret-{}-{number}", std::process::id());
    let file = KeyFile(std::env::temp_dir().join(name));
    file.write(content);
    file
}

/// The file with an App's key, or another secret.
pub struct KeyFile(PathBuf);

impl KeyFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Puts another key into it.
    pub fn write(&self, key: &str) {
        std::fs::write(&self.0, key).unwrap();
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl World {
    /// How many requests there were to set records.
    fn writes(&self) -> usize {
        let entries = self.github.requests();
        let set = Some(Endpoint::SetClusterRecords);
        entries.iter().filter(|entry| entry.endpoint == set).count()
    }

    /// The requests for a token.
    fn mints(&self) -> Vec<Entry> {
        let mut entries = self.github.requests();
        entries.retain(|entry| entry.endpoint == Some(Endpoint::CreateInstallationToken));
        entries
    }

    /// How often GitHub answered with this status.
    fn answered(&self, status: u16) -> usize {
        let entries = self.github.requests();
        let entries = entries.iter();
        entries.filter(|entry| entry.status == Some(status)).count()
    }

    fn change(&self, change: AppChange) {
        self.github.change_app(change).unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn for_hours_each_token_is_renewed_before_its_end_and_nothing_is_refused() {
    for ahead in [0, 10, -10] {
        let (_key, mut world) = world();
        world.ahead = SignedDuration::from_mins(ahead);
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        for turn in 0..24 {
            world.pass(15 * MINUTE).await;
            let image = format!("ghcr.io/acme/web:{turn}");
            world.run(&deployment("shop", "web").image(&image));
            world.agreed_within(10 * SECOND).await;
        }
        let mints = world.mints();
        assert!(
            (6..=7).contains(&mints.len()),
            "{} tokens in 6 h",
            mints.len()
        );
        // Only a clock that is off is told so, once.
        assert_eq!(world.answered(401), usize::from(ahead != 0));
        assert_eq!(world.status().lock().auth_failures, 0);
        let requests = world.status().lock().requests.clone();
        let noted = requests.get(&("create-installation-access-token", "201".to_owned()));
        assert_eq!(noted.copied(), u64::try_from(mints.len()).ok());
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_revoked_is_replaced_by_one_more() {
    let (_key, mut world) = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.pass(5 * MINUTE).await;
    world.change(AppChange {
        revoke: true,
        ..AppChange::default()
    });
    world.run(&deployment("shop", "cart"));
    world.agreed_within(10 * SECOND).await;
    assert_eq!((world.mints().len(), world.answered(401)), (2, 1));
    assert_eq!(world.status().lock().auth_failures, 1);
    assert_eq!(world.blocked(), Vec::<String>::new());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_all_refused_are_asked_for_no_more_often_than_access_that_fails() {
    let (_key, mut world) = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    let before = world.requests();
    let kind = FaultKind::Status { status: 401 };
    world.fault(Fault::new(kind).at(Endpoint::SetClusterRecords));
    world.run(&deployment("shop", "cart"));
    world.pass(HOUR).await;
    let asked = world.requests() - before;
    assert!((10..=20).contains(&asked), "{asked} requests in an hour");
    world.github.clear();
    world.agreed_within(11 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn while_access_is_denied_there_is_no_more_than_one_token_for_each_try() {
    for kind in [
        FaultKind::Bare { status: 403 },
        FaultKind::Bare { status: 404 },
    ] {
        let (_key, mut world) = world();
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        world.fault(Fault::new(kind).at(Endpoint::SetClusterRecords));
        world.run(&deployment("shop", "cart"));
        world.pass(HOUR).await;
        let (mints, writes) = (world.mints().len(), world.writes());
        assert!(writes <= 12 && mints < writes, "{mints} for {writes}");
        world.github.clear();
        world.agreed_within(10 * MINUTE + 10 * SECOND).await;
        world.finish().await;
    }
}

/// How metrics call that answer.
fn told(kind: &FaultKind) -> &'static str {
    match kind {
        FaultKind::Status { status: 502 } => "502",
        FaultKind::Status { status: 403 } => "403",
        FaultKind::Status { status: 404 } => "404",
        FaultKind::Hang => "timeout",
        _ => "200",
    }
}

#[tokio::test(start_paused = true)]
async fn while_no_token_can_be_had_nothing_is_sent_and_all_is_right_soon_after() {
    let table = [
        (FaultKind::Status { status: 502 }, MINUTE, 60..=75),
        (FaultKind::Status { status: 403 }, 10 * MINUTE, 7..=10),
        (FaultKind::Status { status: 404 }, 10 * MINUTE, 7..=10),
        (FaultKind::Html { applied: false }, MINUTE, 60..=75),
        (FaultKind::Hang, MINUTE + 30 * SECOND, 35..=50),
    ];
    for (kind, pause, asked) in table {
        let (_key, mut world) = world();
        world.run(&deployment("shop", "web"));
        world.start();
        world.agreed().await;
        world.fault(Fault::new(kind.clone()).at(Endpoint::CreateInstallationToken));
        world.pass(HOUR + MINUTE).await;
        let (mints, writes) = (world.mints().len(), world.writes());
        world.run(&deployment("shop", "cart"));
        world.pass(HOUR).await;
        let during = world.mints().len() - mints;
        assert!(asked.contains(&during), "{kind:?}: {during} in an hour");
        assert_eq!(world.writes(), writes, "{}", world.story());
        let noted = world.status().lock().requests.clone();
        let failed = ("create-installation-access-token", told(&kind).to_owned());
        assert!(noted[&failed] > 0, "{kind:?}: {noted:?}");
        let blocked = world.blocked();
        assert!(
            blocked[0].contains("no token for installation 1001 of the App 7: "),
            "{kind:?}: {blocked:?}"
        );
        assert!(world.reasons().is_empty(), "{:?}", world.reasons());
        world.github.clear();
        world.agreed_within(pause + 10 * SECOND).await;
        assert_eq!(world.blocked(), Vec::<String>::new());
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_tokens_is_obeyed_as_its_headers_say() {
    let (_key, mut world) = world();
    world.run(&deployment("shop", "web"));
    let kind = FaultKind::Throttled {
        status: 429,
        retry_after: Some(200),
        reset_after: None,
    };
    world.once(kind);
    world.start();
    world.requested(1, MINUTE).await;
    let first = world.github.requests()[0].at;
    world.requested(2, 5 * MINUTE).await;
    let pause = world.github.requests()[1].at.checked_sub(first).unwrap();
    assert!((200..=202).contains(&pause.as_secs()), "{pause:?}");
    world.agreed().await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn promise_6_a_limit_on_tokens_is_obeyed_also_while_the_last_token_holds() {
    let (_key, mut world) = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    let minted = world.github.requests()[0].at;
    let sent = |world: &World| world.github.requests().last().unwrap().at;
    // It lasts for an hour, and is renewed five minutes before that.
    let limited = Fault::new(FaultKind::Throttled {
        status: 429,
        retry_after: Some(200),
        reset_after: None,
    });
    let renewal = limited.times(1).at(Endpoint::CreateInstallationToken);
    world.fault(renewal);
    while sent(&world) < minted + 55 * MINUTE {
        world.pass(SECOND).await;
    }
    let limited_at = sent(&world);
    world.roll_out(&deployment("shop", "cart"));
    world.pass(190 * SECOND).await;
    assert_eq!(sent(&world), limited_at, "{}", world.story());
    world.run(&deployment("shop", "cart"));
    world.agreed_within(MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_replaced_is_used_as_soon_as_it_is_there() {
    let (key, mut world) = world();
    world.run(&deployment("shop", "web"));
    world.start();
    world.agreed().await;
    world.change(AppChange {
        rotate: true,
        revoke: true,
        ..AppChange::default()
    });
    world.run(&deployment("shop", "cart"));
    world.pass(5 * MINUTE).await;
    assert!(
        world.blocked()[0].contains("GitHub answered 401"),
        "{:?}",
        world.blocked()
    );
    std::fs::write(&key.0, world.github.app_key().unwrap()).unwrap();
    world.agreed_within(20 * SECOND).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_installed_is_named_with_the_organization() {
    let (_key, mut world) = world();
    world.change(AppChange {
        installed: [("acme".to_owned(), false)].into(),
        ..AppChange::default()
    });
    world.run(&deployment("shop", "web"));
    world.start();
    world.pass(INTERVAL).await;
    let blocked = world.blocked();
    assert!(
        blocked[0].contains("the App 7 is not installed in acme: "),
        "{blocked:?}"
    );
    world.change(AppChange {
        installed: [("acme".to_owned(), true)].into(),
        ..AppChange::default()
    });
    world.agreed_within(10 * MINUTE).await;
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_permission_that_is_granted_late_is_used_at_the_next_try() {
    for permission in [Permission::None, Permission::Read] {
        let (_key, mut world) = world();
        let may = |permission| AppChange {
            permission: Some(permission),
            ..AppChange::default()
        };
        world.change(may(permission));
        world.run(&deployment("shop", "web"));
        world.start();
        world.pass(5 * HOUR).await;
        assert!(!world.blocked().is_empty(), "{}", world.story());
        // Each try has a token of its own at most, for which GitHub is asked twice.
        let (mints, writes) = (world.mints(), world.writes());
        assert!((30..=40).contains(&writes), "{writes} tries");
        assert!(mints.len() <= 2 * writes, "{} for {writes}", mints.len());
        let wide = mints.iter().filter(|mint| mint.status == Some(201));
        let wide: Vec<Duration> = wide.map(|mint| mint.at).collect();
        for two in wide.windows(2) {
            assert!(two[1].checked_sub(two[0]) >= Some(MINUTE), "{two:?}");
        }
        world.change(may(Permission::Write));
        world.agreed_within(10 * MINUTE + 10 * SECOND).await;
        assert_eq!(world.blocked(), Vec::<String>::new());
        let last = world.mints().pop().unwrap();
        let narrow = json!({"permissions": {"artifact_metadata": "write"}});
        assert_eq!(last.body.as_deref(), Some(&narrow));
        world.finish().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_token() {
    let (_key, mut world) = world();
    world.run(&deployment("shop", "web"));
    world.fault(Fault::new(FaultKind::Hang).at(Endpoint::CreateInstallationToken));
    world.start();
    world.requested(2, MINUTE).await;
    let took = world.stop().await;
    assert!(took <= SECOND, "{took:?}");
    world.finish().await;
}
