//! Sources in `/api/status`: what is recorded of each container of each workload, and its Gaps.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::admin::records;
use crate::model::gap::{Gap, Subject};
use crate::model::image::Digest;
use crate::model::ledger::Owner;
use crate::model::plan::{Plan, Row, Why};
use crate::model::record::{Body, Destination};
use crate::model::workload;
use crate::recorder::status::Unsent;

/// A source that is recorded, or has a Gap.
#[derive(Serialize)]
pub(super) struct Source<'a> {
    group: &'a str,
    kind: &'a str,
    namespace: &'a str,
    workload: &'a str,
    container: &'a str,
    row: Option<&'static str>,
    records: Vec<Record<'a>>,
    gaps: Vec<SourceGap<'a>>,
}

/// A record.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    name: &'a str,
    destination: To<'a>,
    state: &'static str,
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    body: Option<Content<'a>>,
}

#[derive(Serialize)]
struct To<'a> {
    host: &'a str,
    organization: &'a str,
    cluster: &'a str,
    logical_environment: &'a str,
    physical_environment: Option<&'a str>,
}

/// What a record says.
#[derive(Serialize)]
struct Content<'a> {
    image: &'a str,
    version: Option<&'a str>,
    #[serde(serialize_with = "as_text")]
    digest: Digest,
    repository: Option<&'a str>,
    tags: BTreeMap<&'a str, &'a str>,
    runtime_risks: Vec<&'static str>,
}

#[derive(Serialize)]
struct SourceGap<'a> {
    reason: &'static str,
    detail: &'a str,
}

fn as_text<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// Every source that has a record or a Gap, and the records that are no source's.
pub(super) fn all<'a>(plan: &'a Plan, unsent: &'a [Unsent]) -> (Vec<Source<'a>>, Vec<Record<'a>>) {
    let mut sources: BTreeMap<&workload::Source, Source<'a>> = BTreeMap::new();
    let mut others = Vec::new();
    for record in records::all(plan, unsent) {
        let shown = Record::new(&record);
        if let Owner::Source(source) = record.owner {
            entry(&mut sources, source, plan).records.push(shown);
        } else {
            others.push(shown);
        }
    }
    for Gap {
        subject,
        reason,
        detail,
    } in &plan.gaps
    {
        if let Subject::Source(source) = subject {
            let reason = reason.as_str();
            entry(&mut sources, source, plan)
                .gaps
                .push(SourceGap { reason, detail });
        }
    }
    (sources.into_values().collect(), others)
}

fn entry<'a, 'b>(
    sources: &'b mut BTreeMap<&'a workload::Source, Source<'a>>,
    source: &'a workload::Source,
    plan: &Plan,
) -> &'b mut Source<'a> {
    sources.entry(source).or_insert_with(|| Source {
        group: source.workload.kind.group(),
        kind: source.workload.kind.kind(),
        namespace: &source.workload.namespace,
        workload: &source.workload.name,
        container: &source.container,
        row: plan.rows.get(source).copied().map(Row::as_str),
        records: Vec::new(),
        gaps: Vec::new(),
    })
}

impl<'a> Record<'a> {
    fn new(record: &records::Record<'a>) -> Self {
        Self {
            name: &record.identity.name,
            destination: To::new(&record.identity.destination),
            state: record.state.as_str(),
            reason: record.why.map(Why::as_str),
            owner: match record.owner {
                Owner::Source(_) => None,
                Owner::Adopted => Some("adopted"),
                Owner::Unreadable(_) => Some("unreadable"),
            },
            body: record.body.map(Content::new),
        }
    }
}

impl<'a> To<'a> {
    fn new(destination: &'a Destination) -> Self {
        Self {
            host: &destination.host,
            organization: &destination.organization,
            cluster: &destination.cluster,
            logical_environment: &destination.logical_environment,
            physical_environment: destination.physical_environment.as_deref(),
        }
    }
}

impl<'a> Content<'a> {
    fn new(body: &'a Body) -> Self {
        Self {
            image: &body.name,
            version: body.version.as_deref(),
            digest: body.digest,
            repository: body.repository.as_deref(),
            tags: body
                .tags
                .iter()
                .map(|(key, text)| (&**key, &**text))
                .collect(),
            runtime_risks: body.risks.names(),
        }
    }
}
