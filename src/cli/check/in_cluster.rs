//! What a check finds in the cluster: the way there, rights, what is read.
//! Whatever does not depend on something that failed is looked at all the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kube::Client;

use super::owners;
use super::report::Report;
use super::rule::Rule;
use super::seen::{Seen, parts};
use super::stored::{of_lease, of_ledger};
use crate::cli::look::{FIRST_LISTS, Look, reached, told};
use crate::cli::settings;
use crate::cluster::{Cluster, ConnectError, Connection, Right, Unidentified};
use crate::model::comparison::Expected;
use crate::model::facts::Facts;
use crate::model::inventory::Inventory;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::others;
use crate::model::plan::Plan;
use crate::model::selection::Pattern;
use crate::recorder::chain;
use crate::recorder::rights::{self, Needed};

/// How long the API server may take to answer at all.
const REACH: Duration = Duration::from_secs(10);

/// Looks at the cluster.
pub(super) async fn check(run: &settings::Run, report: &mut Report) -> Seen {
    let Some(connection) = of_server(&run.connection, report).await else {
        for check in ["identity", "ledger", "lease", "rights", "mirrors"] {
            report.skipped(check, "the API server is not reached");
        }
        return Seen::default();
    };
    let client = connection.client;
    let namespace = run.ledger.namespace();
    // It reads while the rest is looked at.
    let cluster = Cluster::start(client.clone(), run.scope.clone(), rand::random());
    let identity = cluster.identity(&namespace).await;
    of_identity(identity.as_ref(), &namespace, report);
    let identity = identity.ok();
    let (shards, ledger) = of_ledger(run, &client, &cluster, identity.as_ref(), report).await;
    cluster.remember(ledger.as_ref().map(others::in_ledger).unwrap_or_default());
    of_lease(run, &client, report).await;
    let dry = run.dry_run;
    let needed = rights::needed(&run.scope, &namespace, &run.ledger.name, shards, dry);
    let needed = if run.events && !dry {
        needed.and_events(&run.scope)
    } else {
        needed
    };
    let is_known = of_rights(&client, &needed, report).await;

    // Nothing comes of waiting where the API server does not know who asks.
    let limit = if is_known {
        FIRST_LISTS
    } else {
        Duration::ZERO
    };
    cluster.first_look(limit).await;
    let look = Look { client, cluster };
    of_mirrors(&look, report);
    let facts = look.cluster.facts();
    look.cluster.stop().await;
    owners::check(&facts, report);
    of_namespaces(run, &facts, report);
    let (inventory, nothing) = (Inventory::new(&facts, &run.policy), Ledger::default());
    let known = ledger.as_ref().unwrap_or(&nothing);
    let plan = Plan::new(known, &inventory, &run.policy, Moment::START);
    Seen {
        organizations: parts(run, &inventory, &plan, known),
        expected: ledger.map(|ledger| Expected::new(&facts, &ledger, &run.policy)),
    }
}

async fn of_server(settings: &settings::Connection, report: &mut Report) -> Option<Connection> {
    match reached(settings, REACH).await {
        Ok(connection) => {
            report.ok("api-server", format!("{} answers", connection.address));
            Some(connection)
        }
        Err(error) => {
            let todo = match &error {
                ConnectError::Unreachable { .. } => {
                    "see that it runs and that the kubeconfig has its address and its authority"
                }
                ConnectError::Proxy(_) => {
                    "mend HTTPS_PROXY, NO_PROXY or the kubeconfig's proxy-url, or leave them out"
                }
                ConnectError::Hangs { .. } => {
                    "run the kubeconfig's plugin by hand, and see that its files can be read"
                }
                ConnectError::Kubeconfig { .. }
                | ConnectError::NoContext { .. }
                | ConnectError::NoCurrentContext { .. }
                | ConnectError::Nowhere(_)
                | ConnectError::Client { .. } => {
                    "set --kubeconfig and --context, or KUBECONFIG; in a pod, give it a service account"
                }
            };
            report.failed("api-server", chain(&error), todo);
            None
        }
    }
}

fn of_identity(
    identity: Result<&(Arc<str>, Arc<str>), &Unidentified>,
    ledger: &Arc<str>,
    report: &mut Report,
) {
    match identity {
        Ok((namespace, uid)) => {
            let what = format!("this cluster is told from others by namespace {namespace}, {uid}");
            report.ok("identity", what);
        }
        Err(_) => report.failed(
            "identity",
            format!("neither kube-system nor {ledger} can be read, so nothing is ever sent"),
            &to_identify(&Right::to_identify(ledger)),
        ),
    }
}

/// How to be allowed the first of these.
fn to_identify(any: &[Right]) -> String {
    let first = any.get(..1).unwrap_or_default();
    let rules = Rule::all(first).into_iter();
    rules.map(|rule| rule.todo()).collect()
}

/// Asks for rights. Returns whether the API server takes this for somebody.
async fn of_rights(client: &Client, needed: &Needed, report: &mut Report) -> bool {
    let Needed { all, any } = needed;
    let asked: Vec<Right> = all.iter().chain(any).cloned().collect();
    let answers = match Right::ask(client, &asked).await {
        Ok(answers) => answers,
        Err(error) => {
            let todo = match error.code {
                Some(401) => {
                    "renew what the kubeconfig signs in with, or the service account's token".into()
                }
                Some(403) => {
                    let rules = Rule::all(&[Right::to_ask()]).into_iter();
                    rules.map(|rule| rule.todo()).collect()
                }
                _ => String::from("check again"),
            };
            report.failed("rights", format!("could not be asked: {error}"), &todo);
            return error.code != Some(401);
        }
    };
    let (of_all, of_any) = answers.split_at(all.len().min(answers.len()));
    let lacking = all.iter().zip(of_all).filter(|(_, granted)| !**granted);
    let lacking: Vec<Right> = lacking.map(|(right, _)| right.clone()).collect();
    for rule in Rule::all(&lacking) {
        report.failed("rights", format!("may not {}", rule.what()), &rule.todo());
    }
    let identifies = of_any.contains(&true);
    if !identifies {
        let what = Rule::all(any).iter().map(Rule::what).collect::<Vec<_>>();
        let what = format!("may not {}, of which one is needed", what.join(", "));
        report.failed("rights", what, &to_identify(any));
    }
    if lacking.is_empty() && identifies {
        let what = format!("all {} that it takes are there", all.len());
        report.ok("rights", what);
    }
    true
}

fn of_mirrors(look: &Look, report: &mut Report) {
    let unread = look.unread();
    if unread.is_empty() {
        let objects: usize = look.cluster.health().iter().map(|it| it.objects).sum();
        report.ok(
            "mirrors",
            format!("all {objects} objects in scope are read"),
        );
    } else {
        let what = format!("not read: {}", told(&unread));
        report.failed(
            "mirrors",
            what,
            "see what is said of rights, and check again",
        );
    }
}

/// Namespaces that a person names and nobody has.
fn of_namespaces(run: &settings::Run, facts: &Facts, report: &mut Report) {
    let named = run.policy.selection.namespaces.iter();
    let named: BTreeSet<Arc<str>> = named.filter_map(Pattern::exact).collect();
    if named.is_empty() {
        return;
    }
    let exists = |name: &&Arc<str>| facts.namespaces.iter().any(|it| it.name == **name);
    let known = |name: &&Arc<str>| facts.coverage.namespaces.covers(name);
    let absent = named.iter().filter(known).filter(|name| !exists(name));
    let absent: Vec<&str> = absent.map(|name| &**name).collect();
    if !absent.is_empty() {
        let what = format!("--namespaces names {}, which nobody has", absent.join(", "));
        let todo = "correct the name, or make the namespace: nothing is recorded of it until then";
        report.failed("namespaces", what, todo);
    } else if named.iter().all(|name| known(&name)) {
        report.ok("namespaces", "all that --namespaces names are there");
    } else {
        report.skipped("namespaces", "not all of them could be read");
    }
}
