//! The survey over a service in the same process. The clock is paused: no test waits.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tokio::time::{Instant, sleep};
use tower::Service;
use tower::service_fn;

use super::*;
use crate::clock::Clock;
use crate::github::api::{ApiUrl, ApiVersion};
use crate::github::auth::Credentials;
use crate::github::client::Client;

const HOST: &str = "api.github.test";

/// What GitHub answers: a status, what is left in the hour, a body.
type Reply = (u16, Option<&'static str>, String);

/// What came to GitHub.
#[derive(Default)]
struct Seen {
    paths: Mutex<Vec<String>>,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
}

fn digest(number: u64) -> Digest {
    Digest::parse(&format!("sha256:{number:064x}")).unwrap()
}

fn asked(organization: &str, count: u64) -> Asked {
    Asked::from([(organization.into(), (0..count).map(digest).collect())])
}

fn list(digest: &str, count: usize, total: Option<usize>) -> String {
    let record = |number| {
        format!(
            r#"{{"digest":"{digest}","logical_environment":"prod","cluster":"main",
            "deployment_name":"{number}","tags":{{}},"runtime_risks":[]}}"#
        )
    };
    let records: Vec<String> = (0..count).map(record).collect();
    let total = total.map_or("null".to_owned(), |total| total.to_string());
    let records = records.join(",");
    format!(r#"{{"total_count":{total},"deployment_records":[{records}]}}"#)
}

/// The digest in a path.
fn of(path: &str) -> &str {
    path.split('/')
        .find(|part| part.starts_with("sha256"))
        .unwrap()
}

/// GitHub: answers by `reply`, which is told the path and how many requests came before.
fn github<R: Fn(&str, usize) -> Reply + Clone + Send + Sync + 'static>(
    seen: &Arc<Seen>,
    reply: R,
) -> Reader<
    impl Service<Request<Bytes>, Response = Response<Bytes>, Error = io::Error> + Clone + use<R>,
> {
    let seen = Arc::clone(seen);
    let service = service_fn(move |request: Request<Bytes>| {
        let (seen, reply) = (Arc::clone(&seen), reply.clone());
        async move {
            let path = request.uri().path().replace("%3A", ":");
            let number = {
                let mut paths = seen.paths.lock().unwrap();
                paths.push(path.clone());
                paths.len() - 1
            };
            let now = seen.at_once.fetch_add(1, Ordering::Relaxed) + 1;
            seen.most_at_once.fetch_max(now, Ordering::Relaxed);
            sleep(Duration::from_secs(1)).await;
            seen.at_once.fetch_sub(1, Ordering::Relaxed);
            let (status, left, body) = reply(&path, number);
            let mut answer = Response::builder().status(status);
            if let Some(left) = left {
                answer = answer.header("x-ratelimit-remaining", left);
            }
            Ok::<_, io::Error>(answer.body(Bytes::from(body)).unwrap())
        }
    });
    let api = ApiUrl::parse(&format!("https://{HOST}"), false).unwrap();
    let version = ApiVersion::parse("2022-11-28").unwrap();
    let token = Credentials::from_value("token".to_owned().into());
    Client::new(service, api, version, token, Duration::from_secs(30)).reader()
}

/// What comes of asking for all of `asked`, and how many requests that took.
async fn survey(
    asked: &Asked,
    reply: impl Fn(&str, usize) -> Reply + Clone + Send + Sync + 'static,
) -> (Result<Lists, SurveyError>, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let progress = Progress::to(io::sink(), false);
    let waits = Waits::new(&progress, Clock::real());
    let survey = Survey::new(github(&seen, reply), HOST.into(), &progress, &waits);
    (survey.lists(asked).await, seen)
}

fn whole(path: &str, _: usize) -> Reply {
    (200, Some("4000"), list(of(path), 2, Some(2)))
}

#[tokio::test(start_paused = true)]
async fn every_digest_is_asked_for_once_in_its_organization_four_at_a_time() {
    let mut all = asked("acme", 20);
    all.extend(asked("other", 1));
    let start = Instant::now();
    let (lists, seen) = survey(&all, whole).await;
    let lists = lists.unwrap();
    assert_eq!(lists.len(), 20);
    assert_eq!(lists[&digest(0)].len(), 4, "of two organizations");
    let record = &lists[&digest(7)][0];
    let place = &record.identity.destination;
    assert_eq!((&*place.host, &*place.organization), (HOST, "acme"));
    assert_eq!((&*record.identity.name, record.digest), ("0", digest(7)));
    let mut paths = seen.paths.lock().unwrap().clone();
    assert_eq!(paths.len(), 21);
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 21);
    assert_eq!(seen.most_at_once.load(Ordering::Relaxed), 4);
    // The first alone, the others in fives.
    let took = start.elapsed();
    assert!(
        took >= Duration::from_secs(6) && took < Duration::from_secs(8),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn where_there_is_nothing_to_ask_nobody_is_asked() {
    let (lists, seen) = survey(&Asked::new(), whole).await;
    assert!(lists.unwrap().is_empty() && seen.paths.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_fifth_of_what_the_first_answer_leaves_is_used() {
    for (left, needed, calls) in [
        (Some("50"), 10, Some(10)),
        (Some("49"), 10, None),
        (Some("0"), 1, Some(1)),
        (Some("9"), 2, None),
        (None, 2000, Some(2000)),
    ] {
        let reply = move |path: &str, number| {
            let left = if number == 0 { left } else { Some("1") };
            (200, left, list(of(path), 0, Some(0)))
        };
        let (lists, seen) = survey(&asked("acme", needed), reply).await;
        let made = seen.paths.lock().unwrap().len();
        if let Some(calls) = calls {
            assert_eq!((lists.unwrap().len(), made), (calls, calls), "{left:?}");
            continue;
        }
        let error = lists.unwrap_err().to_string();
        let expected = format!(
            "it takes {needed} calls, and of the {} that GitHub leaves",
            left.unwrap()
        );
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(made, 1, "none is made for nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_again_is_within_the_same_share() {
    let reply = |path: &str, number| match number {
        0 | 2 => (200, Some("15"), list(of(path), 0, Some(0))),
        _ => (502, Some("15"), String::new()),
    };
    let (lists, seen) = survey(&asked("acme", 2), reply).await;
    assert_eq!(
        (lists.unwrap().len(), seen.paths.lock().unwrap().len()),
        (2, 3)
    );
    let (lists, seen) = survey(&asked("acme", 3), reply).await;
    assert!(
        matches!(lists, Err(SurveyError::TooMany { .. })),
        "{lists:?}"
    );
    assert_eq!(seen.paths.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_not_whole_is_no_answer() {
    for (total, said) in [
        (Some(3), "lists 2 records of sha256:"),
        (None, "does not say how many there are"),
    ] {
        let reply = move |path: &str, _| (200, None, list(of(path), 2, total));
        let (lists, _) = survey(&asked("acme", 1), reply).await;
        let error = lists.unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_asked_for_again_and_what_does_not_once() {
    for (status, calls) in [(502, 3), (429, 5), (401, 1), (403, 1), (404, 1)] {
        let reply = move |_: &str, _| (status, None, String::new());
        let (lists, seen) = survey(&asked("acme", 1), reply).await;
        let error = lists.unwrap_err().to_string();
        assert!(error.contains(&status.to_string()), "{error}");
        assert!(error.contains("in acme: "), "{error}");
        assert_eq!(seen.paths.lock().unwrap().len(), calls, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_github_does_not_find_has_no_records_where_another_one_is_answered() {
    let found = |number: u64| {
        move |path: &str, count| {
            if of(path) == digest(number).to_string() {
                whole(path, count)
            } else {
                (404, None, String::new())
            }
        }
    };
    for number in 0..3 {
        let (lists, seen) = survey(&asked("acme", 3), found(number)).await;
        let lists = lists.unwrap();
        let counts: Vec<usize> = lists.values().map(Vec::len).collect();
        let expected: Vec<usize> = (0..3).map(|it| if it == number { 2 } else { 0 }).collect();
        assert_eq!(counts, expected);
        assert_eq!(seen.paths.lock().unwrap().len(), 3);
    }
    // What another organization answers says nothing of this one.
    let mut all = asked("acme", 2);
    all.insert("other".into(), BTreeSet::from([digest(7)]));
    for (number, organization) in [(7, "acme"), (0, "other"), (9, "acme")] {
        let (lists, _) = survey(&all, found(number)).await;
        let error = lists.unwrap_err().to_string();
        let expected = format!("in {organization}: GitHub answered 404");
        assert!(error.contains(&expected), "{error}");
        assert!(
            error.contains("no such digest yet") && error.contains("--org"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_token_is_let_in_for_sure_nothing_found_is_nothing() {
    let seen = Arc::new(Seen::default());
    let progress = Progress::to(io::sink(), false);
    let waits = Waits::new(&progress, Clock::real());
    let reply = |_: &str, _| (404, Some("15"), String::new());
    let survey = Survey::new(github(&seen, reply), HOST.into(), &progress, &waits)
        .let_in_by(&|organization| organization == "acme");
    // Each time counts for itself.
    for _ in 0..2 {
        let lists = survey.lists(&asked("acme", 3)).await.unwrap();
        assert_eq!(lists.values().map(Vec::len).collect::<Vec<_>>(), [0; 3]);
    }
    assert!(survey.lists(&asked("other", 1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_organization_that_does_not_answer_is_named_and_the_others_are_told() {
    let mut all = asked("acme", 8);
    all.extend(asked("bank", 20));
    all.extend(asked("other", 8));
    for (away, status) in [
        ("acme", 502),
        ("bank", 502),
        ("other", 502),
        ("bank", 403),
        ("bank", 404),
    ] {
        let reply = move |path: &str, number| {
            if path.contains(&format!("/orgs/{away}/")) {
                (status, None, String::new())
            } else {
                whole(path, number)
            }
        };
        let seen = Arc::new(Seen::default());
        let progress = Progress::to(io::sink(), false);
        let waits = Waits::new(&progress, Clock::real());
        let survey = Survey::new(github(&seen, reply), HOST.into(), &progress, &waits);
        let (lists, unread) = survey.known_lists(&all).await.unwrap();
        let names: Vec<&str> = unread.keys().map(|name| &**name).collect();
        assert_eq!(names, [away]);
        let problem = unread[away].to_string();
        assert!(problem.contains(&format!("in {away}: ")), "{problem}");
        let found = lists.values().flatten();
        let found: BTreeSet<&str> = found
            .map(|record| &*record.identity.destination.organization)
            .collect();
        let expected = ["acme", "bank", "other"].into_iter();
        assert_eq!(found, expected.filter(|name| *name != away).collect());
        let asked = seen.paths.lock().unwrap().clone();
        let there = asked
            .iter()
            .filter(|path| path.contains(&format!("/orgs/{away}/")));
        let most = if status == 404 { 20 } else { 12 };
        assert!(there.count() <= most, "{status}: others wait for it");
        assert!(survey.lists(&all).await.is_err(), "not all of it is known");
    }
}

#[tokio::test(start_paused = true)]
async fn what_may_be_asked_is_found_out_where_an_organization_answers() {
    let mut all = asked("acme", 1);
    all.extend(asked("other", 30));
    let reply = |path: &str, _| {
        if path.contains("/orgs/acme/") {
            (401, None, String::new())
        } else {
            (200, Some("100"), list(of(path), 0, Some(0)))
        }
    };
    let (lists, seen) = survey(&all, reply).await;
    assert!(
        matches!(lists, Err(SurveyError::TooMany { .. })),
        "{lists:?}"
    );
    assert_eq!(seen.paths.lock().unwrap().len(), 2);
}
