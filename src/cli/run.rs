//! `run`: puts the recorder together and runs it until a signal. What it does in a cycle is its own
//! matter.

use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::interrupt::{signalled_twice, signals};
use super::labels::Labels;
use super::look::reached;
use super::writer::writer;
use super::{github, settings};
use crate::admin::Admin;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::github::transport::Transport;
use crate::recorder::events::Desk;
use crate::recorder::lease::{Candidate, Patience, Tenure, machine};
use crate::recorder::status::Shared;
use crate::recorder::{Parts, REACH, Recorder, Settings};

/// Runs until it is told to stop. `given`: the settings that were given, for the log.
pub async fn execute(settings: settings::Run, given: &[String]) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let signals = signals()?;
    say(&settings, given);
    let bound = Admin::bind(&settings.listen).await?;
    tracing::info!(address = %bound.address(), "serving health, metrics and status");
    let (status, clock) = (Shared::default(), Clock::real());
    let timeout = settings.github.timeout;
    let admin = Admin::new(status.clone(), clock, timeout, summary(&settings, given));
    // It answers as long as the recorder runs, which is a while longer than until it is to stop.
    let over = CancellationToken::new();
    let serving = tokio::spawn(bound.serve(admin.clone(), over.clone()));
    let recorder = async {
        let ready = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            ready = prepare(settings, &stop, status, clock, &admin) => ready?,
        };
        let result = Box::pin(record(ready, &stop)).await;
        over.cancel();
        serving.await.context("the admin server")?;
        result
    };
    tokio::select! {
        ended = recorder => ended,
        () = signalled_twice(signals, &stop) => bail!("a second signal came before all was stored"),
    }
}

/// Who signs in at GitHub.
fn sign_in(settings: &settings::Run) -> String {
    let sign_in = settings.github.sign_in.as_ref();
    sign_in.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// The settings as `/api/status` shows them, without any secret.
fn summary(settings: &settings::Run, given: &[String]) -> Value {
    let destination = &settings.policy.destination;
    json!({
        "api": settings.github.url.to_string(),
        "organization": destination.organization,
        "cluster": destination.cluster,
        "logical_environment": destination.logical_environment,
        "physical_environment": destination.physical_environment,
        "sign_in": sign_in(settings),
        "storage_records": settings.policy.storage.is_some(),
        "read_image_labels": settings.policy.reads_labels,
        "interval_seconds": settings.interval.as_secs_f64(),
        "ledger": format!("{}/{}", settings.ledger.namespace(), settings.ledger.name),
        "dry_run": settings.dry_run,
        "events": settings.events,
        "given": given,
    })
}

fn say(settings: &settings::Run, given: &[String]) {
    let destination = &settings.policy.destination;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        organization = &*destination.organization,
        cluster = &*destination.cluster,
        api = %settings.github.url,
        sign_in = sign_in(settings),
        dry_run = settings.dry_run,
        settings = given.join(" "),
        "starting"
    );
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
}

/// Everything that a recorder needs, and who is to have the Lease for it; nobody in a dry run.
struct Ready {
    parts: Parts<Transport>,
    candidate: Option<Candidate>,
    labels: Option<Labels>,
}

/// Waits for the Lease, records until it is told to stop, and gives the Lease back: last of all,
/// when all is stored.
async fn record(ready: Ready, stop: &CancellationToken) -> anyhow::Result<()> {
    let Ready {
        mut parts,
        candidate,
        // Read as long as there is somebody who wants to know.
        labels: _labels,
    } = ready;
    let candidacy = candidate.map(Candidate::begin);
    if let Some(candidacy) = &candidacy {
        parts.lease = candidacy.tenure();
    }
    let recorded = async {
        let recorder = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(()),
            recorder = Recorder::start(parts) => recorder?,
        };
        recorder.run().await
    };
    let result = recorded.await;
    if let Some(candidacy) = candidacy {
        candidacy.end().await;
    }
    Ok(result?)
}

async fn prepare(
    settings: settings::Run,
    stop: &CancellationToken,
    status: Shared,
    clock: Clock,
    admin: &Admin,
) -> anyhow::Result<Ready> {
    let github = if settings.dry_run {
        None
    } else {
        github::parts(settings.github, clock).await?
    };
    let connection = reached(&settings.connection, REACH).await?;
    let namespace = settings.ledger.namespace();
    let patience = if settings.leader_elect {
        Patience::StandBy
    } else {
        Patience::Wait
    };
    let client = connection.client.clone();
    let events = settings.events.then(|| Desk {
        client: client.clone(),
        instance: super::variable("POD_NAME").unwrap_or_else(machine::host_name),
    });
    let (candidate, store) = writer(
        client.clone(),
        &settings.ledger,
        clock,
        status.clone(),
        patience,
    );
    let labels = settings.registries;
    let labels = labels.map(|it| Labels::start(it, client.clone(), stop.clone()));
    let labels = labels.transpose()?;
    let cluster = Cluster::start(connection.client, settings.scope, rand::random());
    let policy = Arc::new(settings.policy);
    admin.explain_by(Arc::clone(&policy));
    admin.show(cluster.health_handle());
    let parts = Parts {
        settings: Settings {
            policy,
            interval: settings.interval,
            ledger_namespace: namespace.to_string(),
        },
        cluster,
        github: github.map(github::Parts::client),
        store,
        labels: labels.as_ref().map(|labels| labels.look_ups.clone()),
        lease: Tenure::not_needed(clock),
        clock,
        events,
        seed: rand::random(),
        stop: stop.clone(),
        status,
    };
    Ok(Ready {
        parts,
        candidate: (!settings.dry_run).then_some(candidate),
        labels,
    })
}
