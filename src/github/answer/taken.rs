//! What a write came to: which records of the request GitHub took, and which it refused by name.

use std::collections::BTreeMap;

use super::super::wire;
use super::{Answer, Failure, Given, Received};
use crate::model::record::{Identity, Line};

/// GitHub took the request: it holds every record in it but these, which are named by their index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Definitely refused, in the order of the request.
    pub refused: Vec<(usize, Refusal)>,
    /// Named with a cause that nobody knows: neither held nor refused for certain.
    pub unknown: Vec<usize>,
}

/// Why GitHub refuses one record of a request that it otherwise takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// `not_found`: neither an attestation nor a known repository for the digest.
    NotFound,
    /// `unauthorized`: the token may not write for that repository.
    Unauthorized,
}

impl Refusal {
    /// The API's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
        }
    }

    /// The refusal of that name.
    pub(in super::super) fn parse(name: &str) -> Option<Self> {
        [Self::NotFound, Self::Unauthorized]
            .into_iter()
            .find(|refusal| refusal.as_str() == name)
    }
}

impl Given for Taken {
    fn kind(&self) -> &'static str {
        if self.is_whole() {
            "acknowledged"
        } else {
            "partial"
        }
    }
}

impl Taken {
    /// Whether every record of the request was taken.
    pub fn is_whole(&self) -> bool {
        self.refused.is_empty() && self.unknown.is_empty()
    }

    /// How many of a request's `sent` records GitHub holds for certain.
    pub fn count(&self, sent: usize) -> usize {
        sent.saturating_sub(self.refused.len() + self.unknown.len())
    }

    /// What an answer to a request that sets `lines` means for them. A 200 acknowledges every line.
    /// A 207 does so for those that it does not name, but only if each of its errors names one: an
    /// error about nothing we know may be about any of them, and so may one of more errors than a request
    /// has lines, which are not all read. The contract has no errors in a 200; should there be some, they
    /// are not overlooked.
    pub fn read(received: Received<'_>, lines: &[Line]) -> Answer<Self> {
        if !matches!(received.status.as_u16(), 200 | 207) {
            return Err(Failure::read(received));
        }
        let answer: wire::SetAnswer = received.object()?;
        let errors = answer.errors.unwrap_or_default();
        if errors.more > 0 {
            return Err(received.outside("it has more errors than a request has records"));
        }
        if errors.kept.is_empty() {
            let is_whole = received.status.as_u16() == 200;
            return if is_whole {
                Ok(Self::default())
            } else {
                Err(received.outside("it names no errors"))
            };
        }
        Self::but(&errors.kept, lines)
            .ok_or_else(|| received.outside("one of its errors names no record of the request"))
    }

    /// What an answer to a request that creates one record means for it: 200 as the contract says,
    /// and 201 because that is what such requests elsewhere at GitHub are answered with.
    pub fn read_one(received: Received<'_>) -> Answer<Self> {
        match received.status.as_u16() {
            200 | 201 => received
                .object::<wire::SetAnswer>()
                .map(|_| Self::default()),
            _ => Err(match Failure::read(received) {
                Failure::NoAccess { status, message } => Failure::Refused { status, message },
                failure => failure,
            }),
        }
    }

    /// Everything but what these errors name; `None` where one names no line of the request.
    fn but(errors: &[wire::Object<wire::RecordError>], lines: &[Line]) -> Option<Self> {
        let indices: BTreeMap<&Identity, usize> = lines
            .iter()
            .enumerate()
            .map(|(index, line)| (&line.identity, index))
            .collect();
        let mut outcomes: BTreeMap<usize, Option<Refusal>> = BTreeMap::new();
        for wire::Object(error) in errors {
            let index = named(error, &indices, lines)?;
            let refusal = error.cause.as_deref().and_then(Refusal::parse);
            // Named twice: refused only if both causes are refusals.
            let outcome = outcomes.entry(index).or_insert(refusal);
            *outcome = refusal.and(*outcome);
        }
        let refused = outcomes
            .iter()
            .filter_map(|(index, refusal)| Some((*index, (*refusal)?)));
        let unknown = outcomes
            .iter()
            .filter(|(_, refusal)| refusal.is_none())
            .map(|(index, _)| *index);
        Some(Self {
            refused: refused.collect(),
            unknown: unknown.collect(),
        })
    }
}

/// The index of the line that an error is about: that of its name, if a digest beside it agrees.
fn named(
    error: &wire::RecordError,
    indices: &BTreeMap<&Identity, usize>,
    lines: &[Line],
) -> Option<usize> {
    let wire::Object(deployment) = error.deployment.as_ref()?;
    let name = deployment.deployment_name.as_deref()?.into();
    let destination = &lines.first()?.identity.destination;
    let index = *indices.get(&Identity {
        destination: destination.clone(),
        name,
    })?;
    let digest = lines.get(index)?.body.digest.to_string();
    let agrees = deployment
        .digest
        .as_deref()
        .is_none_or(|given| given == digest);
    agrees.then_some(index)
}
