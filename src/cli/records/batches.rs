//! What a file says becomes lines, and those requests: where each record goes, in which batch, and
//! whether all of them keep the contract. Everything is checked before the first is sent.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use super::input::{Entry, InputError};
use crate::cli::settings::{Call, Place};
use crate::github::request::{self, MAX_JOB_LINES, MAX_LINES, RequestError};
use crate::model::image::Digest;
use crate::model::record::{Destination, Identity, Line};

/// Lines to send, those of one destination next to each other.
#[derive(Debug, Default)]
pub struct Batches {
    /// All of them.
    pub lines: Vec<Line>,
    /// Which of them go in one request.
    pub ranges: Vec<Range<usize>>,
}

/// How records are to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By requests that are answered when it is done.
    AtOnce,
    /// By jobs.
    Job,
}

impl Way {
    /// How many lines one request holds at most.
    fn most(self) -> usize {
        match self {
            Self::AtOnce => MAX_LINES,
            Self::Job => MAX_JOB_LINES,
        }
    }
}

impl Batches {
    /// Checks where each record goes and that each has a name of its own.
    pub fn new(
        entries: Vec<Entry>,
        place: &Place,
        call: &Call,
        way: Way,
    ) -> Result<Self, InputError> {
        let mut groups: Vec<(Arc<Destination>, Vec<Line>)> = Vec::new();
        let mut known: BTreeMap<Identity, String> = BTreeMap::new();
        for entry in entries {
            let destination = destination(&entry, place, call)?;
            let mut found = groups.iter().map(|(known, _)| known);
            let destination = found
                .find(|known| known.is_spelled_as(&destination))
                .cloned()
                .unwrap_or_else(|| Arc::new(destination));
            let identity = Identity {
                destination: destination.clone(),
                name: entry.name,
            };
            if let Some(other) = known.insert(identity.clone(), entry.label.clone()) {
                return Err(InputError(format!(
                    "{other} and {} are one to GitHub: each deployment_name may stand there once, \
                     letter case aside",
                    entry.label
                )));
            }
            let line = Line {
                identity,
                body: Arc::new(entry.body),
                status: entry.status,
            };
            let group = groups
                .iter_mut()
                .find(|(known, _)| Arc::ptr_eq(known, &destination));
            match group {
                Some((_, lines)) => lines.push(line),
                None => groups.push((destination, vec![line])),
            }
        }
        Ok(Self::gather(groups, way.most()))
    }

    fn gather(groups: Vec<(Arc<Destination>, Vec<Line>)>, most: usize) -> Self {
        let mut batches = Self::default();
        for (_, group) in groups {
            let (mut start, end) = (batches.lines.len(), batches.lines.len() + group.len());
            batches.lines.extend(group);
            while start < end {
                let next = end.min(start + most);
                batches.ranges.push(start..next);
                start = next;
            }
        }
        batches
    }

    /// Where records of one request have one digest and different names or versions: then GitHub takes
    /// those of the first for all of them (`contract/README.md`). Each digest is named once.
    pub fn mixed(&self) -> Vec<String> {
        let mut mixed = BTreeMap::new();
        for range in &self.ranges {
            let mut first: BTreeMap<Digest, &Line> = BTreeMap::new();
            for line in self.lines.get(range.clone()).unwrap_or_default() {
                let (body, digest) = (&line.body, line.body.digest);
                let known = *first.entry(digest).or_insert(line);
                if (&known.body.name, &known.body.version) != (&body.name, &body.version) {
                    mixed.entry(digest).or_insert_with(|| {
                        format!(
                            "{} and {} have one digest and another name or version: GitHub takes \
                             those of {0} for both",
                            known.identity.name, line.identity.name
                        )
                    });
                }
            }
        }
        mixed.into_values().collect()
    }

    /// The requests, without a token; an error if one would break the contract.
    pub fn requests(&self, call: &Call, way: Way) -> Result<Vec<Request<Bytes>>, RequestError> {
        let (api, version) = (&call.github.url, &call.github.version);
        let build = match way {
            Way::AtOnce => request::set_cluster_deployment_records,
            Way::Job => request::create_job,
        };
        let ranges = self.ranges.iter();
        let batches = ranges.filter_map(|range| self.lines.get(range.clone()));
        batches
            .filter_map(|lines| Some((&lines.first()?.identity.destination, lines)))
            .map(|(destination, lines)| build(api, version, destination, lines))
            .collect()
    }
}

/// Where a record goes: where the file says, or a flag where it does not. They may not differ: which
/// of them is wrong cannot be told.
fn destination(entry: &Entry, place: &Place, call: &Call) -> Result<Destination, InputError> {
    let said = &entry.place;
    let one = |field: &str, said: &Option<Arc<str>>, flag: &Option<Arc<str>>| {
        let dashed = field.replace('_', "-");
        match (said, flag) {
            (Some(said), Some(flag)) if said != flag => Err(InputError(format!(
                "{} is for the {field} {said:?}, but --{dashed} is {flag:?}",
                entry.label
            ))),
            (said, flag) => Ok(said.as_ref().or(flag.as_ref()).cloned()),
        }
    };
    let needed = |field: &str, value: Option<Arc<str>>| {
        value.ok_or_else(|| {
            let dashed = field.replace('_', "-");
            let label = &entry.label;
            InputError(format!("{label} is for no {field}: give --{dashed}"))
        })
    };
    one("org", &said.organization, &Some(call.organization.clone()))?;
    let cluster = one("cluster", &said.cluster, &place.cluster)?;
    let (logical, physical) = (&said.logical_environment, &said.physical_environment);
    let logical = one("logical_environment", logical, &place.logical_environment)?;
    let physical = one(
        "physical_environment",
        physical,
        &place.physical_environment,
    )?;
    Ok(Destination {
        host: call.github.url.host().clone(),
        organization: call.organization.clone(),
        cluster: needed("cluster", cluster)?,
        logical_environment: needed("logical_environment", logical)?,
        physical_environment: physical,
    })
}
