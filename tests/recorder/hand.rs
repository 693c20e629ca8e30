//! The ledger in a person's hand: records adopted, forgotten and ended by a command, which holds the
//! Lease for it as `run` does.

use std::collections::BTreeMap;
use std::slice;
use std::sync::{Arc, Mutex};

use deployment_recorder::github::pace::Reason as Wait;
use deployment_recorder::github::writer::Writer;
use deployment_recorder::model::gap::Reason;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::organization::Organizations;
use deployment_recorder::model::plan::Why;
use deployment_recorder::model::record::{Body, Destination, Identity};
use deployment_recorder::model::risk::Risks;
use deployment_recorder::model::text_map::TextMap;
use deployment_recorder::recorder::hand::{Absent, End, Ended, Errand, Hand, HandError, News};
use deployment_recorder::recorder::lease::LeaseError;
use deployment_recorder::sandbox::{Fault, FaultKind, Status};
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::lease::holder;
use crate::ledger::{NAME, NAMESPACE};
use crate::objects::deployment;
use crate::support::apiserver::{Fault as ApiFault, Verb};
use crate::tap::{Away, Tap};
use crate::world::{INTERVAL, MINUTE, SECOND, World};

const WEB: &str = "shop-web-main";
const CART: &str = "shop-cart-main";

/// A hand on the ledger, and what it sends with.
struct Held {
    hand: Hand,
    github: Writer<Tap>,
    stop: CancellationToken,
    news: Arc<Mutex<Vec<News>>>,
}

impl Held {
    async fn end(&mut self, identities: &[Identity]) -> Ended {
        let news = Arc::clone(&self.news);
        let errand = Errand {
            github: &mut self.github,
            settle_after: INTERVAL,
            stop: self.stop.clone(),
            news: &move |it| news.lock().unwrap().push(it),
        };
        self.hand.end(identities, errand).await
    }

    /// The same, where all of it is stored: what became of each name.
    async fn ends(&mut self, identities: &[Identity]) -> BTreeMap<String, End> {
        let Ended { ends, stored } = self.end(identities).await;
        stored.expect("a ledger that is ours");
        let ends = ends.into_iter();
        ends.map(|(identity, end)| (identity.name.to_string(), end))
            .collect()
    }

    /// Whether a person was told of a wait for that reason.
    fn was_told_of(&self, reason: Wait) -> bool {
        let news = self.news.lock().unwrap();
        let is_it = |it: &News| matches!(it, News::Waits(slot) if slot.reason == reason);
        news.iter().any(is_it)
    }

    /// How many lines a person was told to be sent.
    fn sent(&self) -> usize {
        let news = self.news.lock().unwrap();
        let sent = news.iter().map(|it| match it {
            News::Sent(lines) => *lines,
            News::Waits(_) => 0,
        });
        sent.sum()
    }

    fn all(&self) -> Vec<Identity> {
        let entries = self.hand.ledger().entries();
        entries.map(|(identity, _)| identity.clone()).collect()
    }
}

impl World {
    async fn try_hold(&mut self, absent: Absent) -> Result<Held, HandError> {
        let (candidate, store, github) = self.command_with_store();
        Ok(Held {
            hand: Hand::take(candidate, store, absent).await?,
            github,
            stop: CancellationToken::new(),
            news: Arc::default(),
        })
    }

    async fn hold(&mut self) -> Held {
        let held = self.try_hold(Absent::GiveUp).await;
        held.map_err(|error| error.to_string()).unwrap()
    }

    fn identity(&self, name: &str) -> Identity {
        Identity {
            destination: self.policy.destination.clone(),
            name: name.into(),
        }
    }
}

fn body(number: u64) -> Arc<Body> {
    Arc::new(Body {
        digest: Digest::parse(&format!("sha256:{number:064x}")).unwrap(),
        name: "ghcr.io/acme/old".into(),
        version: None,
        repository: None,
        tags: TextMap::from([("team", "shop")]),
        risks: Risks::default(),
    })
}

/// A world in which `web` and `cart` were recorded by a recorder that was stopped.
async fn stopped() -> World {
    let mut world = World::with(&[deployment("shop", "web"), deployment("shop", "cart")]).await;
    world.pass(2 * SECOND).await;
    world.stop().await;
    world
}

fn told(names: &[&str]) -> BTreeMap<String, End> {
    let told = names.iter().map(|name| ((*name).to_owned(), End::Told));
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn while_a_recorder_holds_the_lease_a_hand_is_refused_and_disturbs_nothing() {
    let mut world = World::with(&[deployment("shop", "web")]).await;
    let stores = world.api.count(Verb::Update, "ConfigMap");
    let error = world.try_hold(Absent::Begin).await.err().unwrap();
    assert!(
        matches!(error, HandError::Lease(LeaseError::Held { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("recorder-0"), "{error}");
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stores);
    assert!(world.running.as_ref().unwrap().leads());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_is_stored_before_it_is_sent_and_told_once_more_when_it_has_settled() {
    let mut world = stopped().await;
    let before = world.requests();
    let mut held = world.hold().await;
    assert_eq!(holder(&world), "start-2");
    let cart = world.identity(CART);
    assert_eq!(held.ends(slice::from_ref(&cart)).await, told(&[CART]));
    assert_eq!(world.digest_of(CART), None);
    assert!(world.digest_of(WEB).is_some());
    assert_eq!(world.sends_of(before, CART), 1);
    assert_eq!(world.ledger().tombstones(), [CART]);
    assert_eq!(world.forgotten.all(), Vec::<String>::new());

    let left = held.hand.settles_in([&cart], INTERVAL).unwrap();
    assert!(left + SECOND > INTERVAL && left <= INTERVAL, "{left:?}");
    world.pass(left / 2).await;
    assert_eq!(
        held.ends(slice::from_ref(&cart)).await,
        told(&[CART]),
        "too early"
    );
    world.pass(left / 2).await;
    let settled = BTreeMap::from([(CART.to_owned(), End::Settled)]);
    assert_eq!(held.ends(slice::from_ref(&cart)).await, settled);
    assert_eq!(world.ledger().names(), [WEB]);
    assert_eq!(held.hand.settles_in([&cart], INTERVAL), None);
    assert_eq!(held.ends(&[cart]).await, BTreeMap::new());
    held.hand.give_back().await;
    assert_eq!(holder(&world), "");
}

#[tokio::test(start_paused = true)]
async fn the_next_recorder_says_the_second_end_and_reports_what_still_runs() {
    let mut world = stopped().await;
    world.remove("shop", "cart");
    let mut held = world.hold().await;
    let all = held.all();
    assert_eq!(held.ends(&all).await, told(&[CART, WEB]));
    held.hand.give_back().await;
    assert_eq!(world.deployed(), BTreeMap::new());
    let before = world.requests();
    world.start();
    world.agreed().await;
    assert!(world.digest_of(WEB).is_some(), "it runs");
    world.pass(2 * INTERVAL).await;
    assert_eq!(world.sends_of(before, CART), 1);
    assert_eq!(world.ledger().names(), [WEB]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn what_github_refuses_is_named_and_kept_and_the_rest_goes() {
    for (fault, reason) in [
        (FaultKind::Unauthorized, Reason::Unauthorized),
        (FaultKind::UnknownDigest, Reason::NotFound),
    ] {
        let mut world = stopped().await;
        world.fault(Fault::new(fault).record(WEB));
        let mut held = world.hold().await;
        let all = held.all();
        let ends = held.ends(&all).await;
        assert_eq!(ends[WEB], End::Refused(reason));
        assert_eq!(ends[CART], End::Told);
        assert!(!ends[WEB].is_acknowledged() && ends[CART].is_acknowledged());
        assert_eq!(world.ledger().names().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_invalid_record_holds_back_no_other_and_is_named() {
    let mut world = World::default();
    let names = ["api", "cart", "mail", "web"];
    for name in names {
        world.run(&deployment("shop", name));
    }
    world.start();
    world.agreed().await;
    world.stop().await;
    world.fault(Fault::new(FaultKind::Poison { status: 422 }).record(WEB));
    let mut held = world.hold().await;
    let all = held.all();
    let ends = held.ends(&all).await;
    assert_eq!(ends[WEB], End::Refused(Reason::Invalid));
    let others: Vec<_> = ends.values().filter(|end| **end == End::Told).collect();
    assert_eq!(others.len(), 3);
    // Where nothing at all is taken, nobody knows that a record is at fault.
    held.hand.give_back().await;
    let mut held = world.hold().await;
    let ends = held.ends(&[world.identity(WEB)]).await;
    let End::NotTold(why) = &ends[WEB] else {
        panic!("{ends:?}")
    };
    assert!(why.contains("422"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_is_tried_again_and_then_named() {
    let mut world = stopped().await;
    let mut held = world.hold().await;
    let all = held.all();
    world.once(FaultKind::Lost { hang: false });
    assert_eq!(held.ends(&all).await, told(&[CART, WEB]));
    assert_eq!(world.deployed(), BTreeMap::new());

    let mut world = stopped().await;
    let mut held = world.hold().await;
    let limited = FaultKind::Throttled {
        status: 429,
        retry_after: Some(90),
        reset_after: None,
    };
    world.once(limited);
    let start = Instant::now();
    assert_eq!(held.ends(&all).await, told(&[CART, WEB]));
    assert!(start.elapsed() > 90 * SECOND);
    assert!(held.was_told_of(Wait::Told));

    let mut world = stopped().await;
    let mut held = world.hold().await;
    world.fault(Fault::new(FaultKind::Status { status: 502 }));
    let ends = held.ends(&all).await;
    let End::Unknown(why) = &ends[WEB] else {
        panic!("{ends:?}")
    };
    assert!(why.contains("502"), "{why}");
    let sent = &world.entry(WEB)["sent"];
    assert_eq!(sent[0]["status"], "decommissioned", "{sent}");
}

#[tokio::test(start_paused = true)]
async fn where_access_is_denied_nobody_waits_for_it() {
    for status in [401, 403, 404, 410] {
        let mut world = stopped().await;
        let mut held = world.hold().await;
        world.fault(Fault::new(FaultKind::Status { status }));
        let start = Instant::now();
        let all = held.all();
        let ends = held.ends(&all).await;
        let End::NotTold(why) = &ends[WEB] else {
            panic!("{status}: {ends:?}")
        };
        assert!(why.contains(&status.to_string()), "{why}");
        assert!(start.elapsed() < 10 * SECOND, "{:?}", start.elapsed());
        assert_eq!(world.ledger().tombstones(), Vec::<&str>::new());
        assert!(world.entry(WEB)["sent"].is_null(), "{}", world.entry(WEB));
    }
}

#[tokio::test(start_paused = true)]
async fn the_ends_of_one_organization_do_not_wait_for_another() {
    // A limit is everybody's, and who met it comes last.
    let away = [
        (Away::Answers(404), 10),
        (Away::Answers(502), 10),
        (Away::Limits, 610),
    ];
    for (away, limit) in away {
        let mut world = World::default();
        world.policy.organizations = Organizations::parse(["ghcr.io/tools/.*=tools"]).unwrap();
        let own = crate::sign_in::file("own");
        world.own_tokens = vec![("tools".into(), own.path().to_owned())];
        world.run(&deployment("shop", "web"));
        world.run(&deployment("shop", "lint").image("ghcr.io/tools/lint:1"));
        world.start();
        world.agreed().await;
        world.pass(2 * SECOND).await;
        world.stop().await;
        let mut held = world.hold().await;
        let all = held.all();
        world.gate.away("/orgs/acme/", away);
        let start = Instant::now();
        let mut ended = std::pin::pin!(held.ends(&all));
        let told = |world: &World| {
            let lint = world.github.record("production", "shop-lint-main").unwrap();
            lint.status == Status::Decommissioned
        };
        while !told(&world) {
            let pass = tokio::time::timeout(SECOND, &mut ended).await;
            assert!(start.elapsed() < limit * SECOND, "{away:?}: {pass:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_when_the_lease_is_lost_is_unknown_and_the_next_recorder_settles_it() {
    let mut world = stopped().await;
    let mut held = world.hold().await;
    world.fault(Fault::once(FaultKind::Lost { hang: true }));
    let all = held.all();
    let taken = async {
        world.pass(3 * SECOND).await;
        let mut lease = world.api.get("Lease", NAMESPACE, NAME).unwrap();
        lease["spec"]["holderIdentity"] = json!("somebody-else");
        world.api.apply(lease);
    };
    let (ended, ()) = tokio::join!(held.end(&all), taken);
    let error = ended.stored.unwrap_err();
    assert!(
        matches!(error, HandError::Lease(LeaseError::Lost { .. })),
        "{error}"
    );
    let is_unknown = |end: &End| matches!(end, End::Unknown(_));
    assert!(ended.ends.values().all(is_unknown), "{:?}", ended.ends);
    held.hand.give_back().await;
    world.remove("shop", "cart");
    world.start();
    world.pass(20 * SECOND).await;
    world.agreed().await;
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.ledger().names(), [WEB]);
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_renewed_lets_nothing_leave() {
    let mut world = stopped().await;
    let mut held = world.hold().await;
    for verb in [Verb::Get, Verb::Update] {
        world
            .api
            .fail(verb, "Lease", ApiFault::Status(503))
            .forever();
    }
    world.pass(11 * SECOND).await;
    let before = world.requests();
    let all = held.all();
    let ended = held.end(&all).await;
    assert!(
        matches!(ended.stored, Err(HandError::Lapsed)),
        "{:?}",
        ended.stored
    );
    assert_eq!(world.requests(), before);
    assert!(matches!(ended.ends.values().next(), Some(End::NotTold(_))));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_records_are_one_request_and_requests_are_a_second_apart() {
    let mut world = World::default();
    let mut held = world.try_hold(Absent::Begin).await.ok().unwrap();
    let records =
        (0..2100).map(|number| (world.identity(&format!("old-{number:04}")), body(1), None));
    assert_eq!(held.hand.adopt(records).await.unwrap(), 2100);
    assert_eq!(world.ledger().names().len(), 2100);
    let all = held.all();
    let ends = held.ends(&all).await;
    assert!(ends.len() == 2100 && ends.values().all(End::is_acknowledged));
    assert_eq!(held.sent(), 2100);
    let posts = world.posts(0);
    let sizes: Vec<usize> = posts.iter().map(|post| post.lines.len()).collect();
    assert_eq!(sizes, [1000, 1000, 100]);
    for pair in posts.windows(2) {
        assert!(pair[1].at >= pair[0].at + SECOND);
    }
    assert_eq!(world.forgotten.all(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_person_who_stops_it_leaves_the_rest_as_it_is() {
    let mut world = World::default();
    let mut held = world.try_hold(Absent::Begin).await.ok().unwrap();
    let records =
        (0..1500).map(|number| (world.identity(&format!("old-{number:04}")), body(1), None));
    held.hand.adopt(records).await.unwrap();
    let (all, stop) = (held.all(), held.stop.clone());
    let stopping = async {
        world.requested(1, MINUTE).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(held.end(&all), stopping);
    ended.stored.unwrap();
    let acknowledged = ended.ends.values().filter(|end| end.is_acknowledged());
    assert_eq!(acknowledged.count(), 1000);
    assert_eq!(world.ledger().tombstones().len(), 1000);
    assert_eq!(world.ledger().names().len(), 1500);
    assert!(world.entry("old-1499")["sent"].is_null());
}

#[tokio::test(start_paused = true)]
async fn what_is_at_another_host_is_withheld() {
    let mut world = stopped().await;
    let mut held = world.hold().await;
    let elsewhere = Identity {
        destination: Arc::new(Destination {
            host: "api.acme.ghe.com".into(),
            ..Destination::clone(&world.policy.destination)
        }),
        name: "moved".into(),
    };
    held.hand
        .adopt([(elsewhere.clone(), body(1), None)])
        .await
        .unwrap();
    let ends = held.ends(&[elsewhere, world.identity(WEB)]).await;
    assert_eq!(ends["moved"], End::Withheld(Why::ForeignHost));
    assert_eq!(ends[WEB], End::Told);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_stays_at_github_and_nothing_is_said_of_it() {
    let mut world = stopped().await;
    let before = world.requests();
    let mut held = world.hold().await;
    assert_eq!(held.hand.forget(&[world.identity(CART)]).await.unwrap(), 1);
    assert_eq!(held.hand.forget(&[world.identity(CART)]).await.unwrap(), 0);
    held.hand.give_back().await;
    assert_eq!(world.requests(), before);
    assert_eq!(world.ledger().names(), [WEB]);
    world.vanish("shop", "cart");
    world.start();
    world.pass(2 * INTERVAL).await;
    assert!(world.digest_of(CART).is_some(), "nobody cares for it");
    assert_eq!(world.sends_of(before, CART), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_forgotten_does_not_come_back_with_what_the_store_knew() {
    let mut world = stopped().await;
    let older = world.api.all("ConfigMap");
    world.run(&deployment("shop", "mail"));
    world.restart().await;
    world.agreed().await;
    world.stop().await;
    let mut held = world.hold().await;
    // Another hand on the store: what is in it is no longer as it was left.
    for map in older {
        world.api.apply(map);
    }
    assert_eq!(held.hand.forget(&[world.identity(CART)]).await.unwrap(), 1);
    held.hand.give_back().await;
    assert_eq!(world.ledger().names(), ["shop-mail-main", WEB]);
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_ledger_what_is_adopted_ends_unless_it_runs() {
    let mut world = stopped().await;
    world.remove("shop", "cart");
    let held = |name: &str| {
        let digest = Digest::parse(&world.digest_of(name).unwrap()).unwrap();
        let body = Body {
            digest,
            ..Body::clone(&body(1))
        };
        (world.identity(name), Arc::new(body), None)
    };
    let found = [held(WEB), held(CART)];
    for map in world.api.all("ConfigMap") {
        let name = map["metadata"]["name"].as_str().unwrap();
        world.api.delete("ConfigMap", NAMESPACE, name);
    }
    assert!(matches!(
        world.try_hold(Absent::GiveUp).await.err().unwrap(),
        HandError::NoLedger { .. }
    ));
    assert_eq!(holder(&world), "", "given back");
    let mut held = world.try_hold(Absent::Begin).await.ok().unwrap();
    assert_eq!(held.hand.adopt(found.clone()).await.unwrap(), 2);
    assert_eq!(held.hand.adopt(found).await.unwrap(), 0);
    held.hand.give_back().await;
    let before = world.requests();
    world.start();
    world.agreed().await;
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.sends_of(before, CART), 2, "its end, twice");
    assert_eq!(world.ledger().names(), [WEB]);
    assert!(world.digest_of(WEB).is_some());
    world.finish().await;
}

#[tokio::test(start_paused = true)]
async fn the_ledger_of_another_cluster_is_left_alone() {
    let mut world = stopped().await;
    world.api.delete("Namespace", "", "kube-system");
    world.api.apply(crate::objects::namespace("kube-system"));
    let stores = world.api.count(Verb::Update, "ConfigMap");
    let error = world.try_hold(Absent::Begin).await.err().unwrap();
    let said = deployment_recorder::recorder::chain(&error);
    assert!(said.contains("of another cluster"), "{said}");
    assert_eq!(world.api.count(Verb::Update, "ConfigMap"), stores);
    assert_eq!(holder(&world), "");
}

#[tokio::test(start_paused = true)]
async fn killed_on_the_way_it_has_stored_which_ends_it_was_telling() {
    let mut world = stopped().await;
    let before = world.requests();
    let mut held = world.hold().await;
    world.fault(Fault::once(FaultKind::Lost { hang: true }));
    let all = held.all();
    tokio::select! {
        ended = held.end(&all) => panic!("{ended:?}"),
        () = world.requested(before + 1, MINUTE) => {}
    }
    drop(held);
    for name in [WEB, CART] {
        let entry = world.entry(name);
        assert_eq!(entry["sent"][0]["status"], "decommissioned", "{entry}");
    }
    assert_eq!(world.deployed(), BTreeMap::new(), "it came");
    world.remove("shop", "cart");
    world.pass(20 * SECOND).await;
    world.start();
    world.agreed().await;
    world.pass(3 * INTERVAL).await;
    assert_eq!(world.ledger().names(), [WEB]);
    world.finish().await;
}
