//! Metrics: read from what the recorder lets others see whenever they are asked for, so that
//! nothing is counted twice. Every label has a fixed list of values, or one that settings bound;
//! all values of a fixed list are there from the start. `docs/metrics.md` is written from here.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::encoding::{EncodeGaugeValue, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::cluster::{MirrorHealth, MirrorState};
use crate::recorder::OPERATIONS;
use crate::recorder::events::RESULTS;
use crate::recorder::status::{LookUps, Outcome, Status, reasons};

use super::records::{Count, Counts};
use super::{Admin, VERSION};

mod format;
mod process;
#[cfg(test)]
mod tests;

pub(super) use format::Format;

/// What every name of a metric of ours begins with.
const PREFIX: &str = "deployment_recorder";

/// What a request to GitHub may come to, as far as it is documented: there from the start, so that
/// the first one of a kind shows in a rate.
const STATUSES: [&str; 17] = [
    "200", "201", "207", "400", "401", "403", "404", "409", "410", "413", "422", "429", "500",
    "502", "503", "timeout", "broken",
];

/// All metrics in the OpenMetrics text format.
pub(super) fn open_metrics(admin: &Admin) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry
        .sub_registry_with_prefix(PREFIX)
        .register_collector(Box::new(Ours(admin.clone())));
    registry.register_collector(Box::new(process::Process));
    let mut page = String::new();
    text::encode(&mut page, &registry)?;
    Ok(page)
}

/// The metrics of the recorder.
#[derive(Debug)]
struct Ours(Admin);

impl Collector for Ours {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let status = self.0.status();
        let mirrors = self.0.mirrors().unwrap_or_default();
        let mut page = Page(encoder);
        process_wide(&mut page, &status)?;
        recorded(&mut page, &status)?;
        of_mirrors(&mut page, &mirrors)?;
        of_github(&mut page, &status)?;
        of_pace(&mut page, &status)?;
        of_labels(&mut page, &status)?;
        of_events(&mut page, &status)
    }
}

fn process_wide(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let version = [(("version", VERSION), 1_u64)];
    page.gauges("build_info", "Always 1; which version this is.", version)?;
    page.gauge(
        "leader",
        "Whether this process is the one that writes.",
        &u64::from(status.leader),
    )?;
    page.counter("cycles", "Cycles that came to their end.", status.cycles)?;
    let last_success = status.last_success.map(|at| at.as_duration().as_secs_f64());
    page.gauge_in(
        "last_success_timestamp",
        "When GitHub was last known to have everything that was to be sent; 0 before the first time.",
        &Unit::Seconds,
        last_success.unwrap_or_default(),
    )?;
    let lag = &status.report_lag.0;
    let help = "From a change in the cluster being seen to its acknowledgement by GitHub, for each record.";
    let (unit, kind) = (Some(&Unit::Seconds), lag.metric_type());
    lag.encode(page.0.encode_descriptor("report_lag", help, unit, kind)?)
}

fn recorded(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let counts = Counts::new(status);
    page.counts(
        "records",
        "Records of the last plan, each in one state.",
        "state",
        &counts.records,
    )?;
    page.counts(
        "gaps",
        "Containers that are not recorded, or not as they should be.",
        "reason",
        &counts.gaps,
    )?;
    page.counts(
        "withheld",
        "Records that nothing is sent for.",
        "reason",
        &counts.withheld,
    )?;
    page.counts(
        "not_selected",
        "Containers of workloads that settings or annotations leave out.",
        "reason",
        &counts.not_selected,
    )?;
    page.counts(
        "storage_records",
        "Images that run, once for each registry, by what GitHub is told of that.",
        "state",
        &counts.storage,
    )?;
    page.gauge(
        "not_running",
        "Containers that have not run yet and were never recorded.",
        &counts.not_running,
    )?;
    page.gauge(
        "orphans",
        "Pods whose owner has been missing for at least a minute.",
        &status.orphans,
    )?;
    page.gauge(
        "ledger_records",
        "Entries of the ledger, tombstones included.",
        &status.ledger_records,
    )?;
    page.gauge(
        "ledger_store_failing",
        "Whether the ledger could not be stored when that was last tried; nothing is sent then.",
        &u64::from(status.store_error.is_some()),
    )?;
    page.gauge(
        "first_start",
        "Whether there was no ledger when this process started.",
        &u64::from(status.first_start),
    )
}

fn of_mirrors(page: &mut Page<'_>, mirrors: &[MirrorHealth]) -> fmt::Result {
    // With a mirror for each namespace: the least and the sum. Namespaces are no labels.
    let mut kinds: BTreeMap<String, (bool, usize)> = BTreeMap::new();
    // One that is done without is told of by its gaps, as nothing waits for it.
    for mirror in mirrors.iter().filter(|it| !it.is_done_without()) {
        let (synced, objects) = kinds.entry(mirror.kind.to_string()).or_insert((true, 0));
        *synced &= mirror.state == MirrorState::Synced;
        *objects += mirror.objects;
    }
    let synced = kinds
        .iter()
        .map(|(kind, (synced, _))| (("kind", kind.as_str()), u64::from(*synced)));
    page.gauges(
        "mirror_synced",
        "Whether the objects of this kind are fully seen, in every namespace that is looked at.",
        synced,
    )?;
    let objects = kinds
        .iter()
        .map(|(kind, (_, objects))| (("kind", kind.as_str()), *objects));
    page.gauges(
        "mirror_objects",
        "Objects of this kind that are seen.",
        objects,
    )
}

fn of_github(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let zeros = |operation| STATUSES.map(|status| ((operation, status), 0));
    let mut requests: BTreeMap<(&str, &str), u64> =
        OPERATIONS.into_iter().flat_map(zeros).collect();
    for ((operation, status), count) in &status.requests {
        *requests.entry((operation, status)).or_default() += count;
    }
    let requests = requests.into_iter().map(|((operation, status), count)| {
        ([("operation", operation), ("status", status)], count)
    });
    page.counters(
        "github_requests",
        "Requests to GitHub, by HTTP status; timeout and broken where no answer came.",
        requests,
    )?;
    page.counter(
        "github_auth_failures",
        "How often GitHub turned the token down, or there was none to send.",
        status.auth_failures,
    )?;
    page.gauge(
        "github_blocked",
        "Organizations that nothing can be written to: no access, no valid token, or a withdrawn API version.",
        &status.blocked.len(),
    )
}

/// What workloads were told.
fn of_events(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let count = |result| status.events.get(result).copied().unwrap_or_default();
    let events = RESULTS.map(|result| ([("result", result)], count(result)));
    page.counters(
        "events",
        "Events on workloads: written, known where one says the same already, failed.",
        events,
    )
}

/// What waits until it may be written, and how much may be.
fn of_pace(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let now = Instant::now();
    let mut waits: BTreeMap<&str, (f64, usize)> = reasons().map(|it| (it, (0.0, 0))).collect();
    for wait in &status.waits {
        let (seconds, records) = waits.entry(wait.reason).or_default();
        let left = wait.until.saturating_duration_since(now).as_secs_f64();
        (*seconds, *records) = (left.max(*seconds), *records + wait.records);
    }
    let of = |reason| ("reason", reason);
    page.gauges_in(
        "github_wait",
        "How long what waits has to wait until it may be written, by what decides that; 0 where nothing waits for it.",
        &Unit::Seconds,
        waits.iter().map(|(reason, (seconds, _))| (of(*reason), *seconds)),
    )?;
    page.gauges(
        "github_waiting_records",
        "Records that wait until they may be written, by what decides that.",
        waits
            .iter()
            .map(|(reason, (_, records))| (of(*reason), *records)),
    )?;
    let left = status.room.left(now).into_iter();
    page.gauges(
        "github_requests_left",
        "Requests that may still be written within the limits that this program keeps.",
        left.map(|(limit, count)| (("limit", limit), count)),
    )
}

fn of_labels(page: &mut Page<'_>, status: &Status) -> fmt::Result {
    let shown = status
        .labels
        .as_ref()
        .map(LookUps::shown)
        .unwrap_or_default();
    let count = |outcome: Outcome| shown.outcomes.get(&outcome).copied().unwrap_or_default();
    page.counters(
        "image_label_lookups",
        "Looks at a registry for what an image says of its source, by what came of them.",
        Outcome::ALL.map(|outcome| ([("outcome", outcome.as_str())], count(outcome))),
    )?;
    page.gauges(
        "image_labels",
        "Images whose own label would say where their code came from, by whether it is known.",
        [("known", shown.known), ("unread", shown.unread)]
            .map(|(state, count)| (("state", state), count)),
    )
}

/// Where metrics are written to.
struct Page<'a>(DescriptorEncoder<'a>);

impl Page<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: &impl EncodeGaugeValue) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(value)
    }

    fn gauge_in(&mut self, name: &str, help: &str, unit: &Unit, value: f64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, Some(unit), MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    /// One gauge for each value of a label.
    fn gauges<'l, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ((&'l str, &'l str), V)>,
    ) -> fmt::Result {
        self.family(name, help, None, values)
    }

    /// The same, with a unit that is added to the name.
    fn gauges_in<'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: &Unit,
        values: impl IntoIterator<Item = ((&'l str, &'l str), f64)>,
    ) -> fmt::Result {
        self.family(name, help, Some(unit), values)
    }

    fn family<'l, V: EncodeGaugeValue>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        values: impl IntoIterator<Item = ((&'l str, &'l str), V)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, unit, MetricType::Gauge)?;
        values.into_iter().try_for_each(|(label, value)| {
            let labels = [label];
            family.encode_family(&labels)?.encode_gauge(&value)
        })
    }

    fn counts(&mut self, name: &str, help: &str, label: &str, counts: &Count) -> fmt::Result {
        let values = counts
            .iter()
            .map(|(value, count)| ((label, *value), *count));
        self.gauges(name, help, values)
    }

    /// `_total` is added to the name.
    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<[(&str, &str); 0], _, f64>(&value, None)
    }

    /// The unit and `_total` are added to the name.
    fn counter_in(&mut self, name: &str, help: &str, unit: &Unit, value: f64) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, Some(unit), MetricType::Counter)?;
        metric.encode_counter::<[(&str, &str); 0], _, f64>(&value, None)
    }

    /// One counter for each set of labels. `_total` is added to the name.
    fn counters<L: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (L, u64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        values.into_iter().try_for_each(|(labels, value)| {
            family
                .encode_family(&labels)?
                .encode_counter::<[(&str, &str); 0], _, f64>(&value, None)
        })
    }
}
