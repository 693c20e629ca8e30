//! What `verify` prints: each record that differs, as it is to be and as it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::survey::{SurveyError, Unread};
use crate::cli::output::Table;
use crate::cli::row::{IdentityRow, SourceRow, short};
use crate::model::comparison::{Comparison, Difference, DifferenceKind, Listed};
use crate::model::record::{Body, Status};

/// What GitHub holds, compared with what it is to hold.
#[derive(Debug, Serialize)]
pub(super) struct Verified {
    /// What differs, by record.
    pub differences: Vec<Row>,
    /// How many records are as they are to be.
    pub same: usize,
    /// Organizations that were not read, and of whose records nothing is said.
    pub unread: Vec<UnreadRow>,
}

/// An organization that was not read.
#[derive(Debug, Serialize)]
pub(super) struct UnreadRow {
    /// Which.
    pub organization: Arc<str>,
    /// Why not.
    pub problem: String,
}

/// A difference.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Its kind, as in `wrong-digest`.
    pub difference: &'static str,
    /// Which record.
    #[serde(flatten)]
    pub identity: IdentityRow,
    /// Whose it is; none where that is not known.
    pub source: Option<SourceRow>,
    /// What GitHub is to hold; none where that is not known.
    pub expected: Option<Side>,
    /// What GitHub lists; none where it lists nothing.
    pub found: Option<Side>,
    #[serde(skip)]
    kind: DifferenceKind,
}

/// A record as it is to be, or as it is.
#[derive(Debug, Serialize)]
pub(super) struct Side {
    /// The logical environment.
    pub logical_environment: Arc<str>,
    /// The physical environment.
    pub physical_environment: Option<Arc<str>>,
    /// The digest.
    pub digest: String,
    /// Tags.
    pub tags: BTreeMap<Arc<str>, Arc<str>>,
    /// Runtime risks.
    pub runtime_risks: Vec<Arc<str>>,
    /// `deployed` or `decommissioned`; none where GitHub does not tell.
    pub status: Option<&'static str>,
}

impl Side {
    fn expected(identity: &IdentityRow, body: &Body, status: Status) -> Self {
        let tags = body.tags.iter();
        Self {
            logical_environment: identity.logical_environment.clone(),
            physical_environment: identity.physical_environment.clone(),
            digest: body.digest.to_string(),
            tags: tags
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect(),
            runtime_risks: body.risks.names().into_iter().map(Into::into).collect(),
            status: Some(status.as_str()),
        }
    }

    fn found(record: &Listed) -> Self {
        let destination = &record.identity.destination;
        let tags = record.tags.iter();
        Self {
            logical_environment: destination.logical_environment.clone(),
            physical_environment: destination.physical_environment.clone(),
            digest: record.digest.to_string(),
            tags: tags
                .map(|(key, text)| (key.clone(), text.clone()))
                .collect(),
            runtime_risks: record.risks.iter().cloned().collect(),
            status: record.status.map(Status::as_str),
        }
    }

    /// What of it a difference of that kind is about.
    fn cell(&self, kind: DifferenceKind, on_a_terminal: bool) -> String {
        match kind {
            DifferenceKind::WrongEnvironment => match &self.physical_environment {
                Some(physical) => format!("{} / {physical}", self.logical_environment),
                None => self.logical_environment.to_string(),
            },
            DifferenceKind::WrongTags => {
                let tags = self.tags.iter();
                let tags: Vec<String> = tags.map(|(key, text)| format!("{key}={text}")).collect();
                tags.join(",")
            }
            DifferenceKind::WrongRisks => self.runtime_risks.join(","),
            DifferenceKind::WrongStatus => self.status.unwrap_or("as acknowledged").to_owned(),
            DifferenceKind::Missing
            | DifferenceKind::WrongDigest
            | DifferenceKind::Unknown
            | DifferenceKind::StatusNotKnown => short(&self.digest, on_a_terminal),
        }
    }
}

impl Verified {
    /// What came of `comparison`, in which these organizations are not.
    pub(super) fn new(comparison: &Comparison, unread: &Unread) -> Self {
        let differences = comparison.differences.iter();
        Self {
            differences: differences.map(Row::new).collect(),
            same: comparison.same,
            unread: unread.iter().map(UnreadRow::new).collect(),
        }
    }

    /// The table for people; on a terminal with short digests.
    pub(super) fn table(&self, on_a_terminal: bool) -> Table {
        let headings = [
            "DIFFERENCE",
            "RECORD",
            "ENVIRONMENT",
            "EXPECTED",
            "FOUND",
            "SOURCE",
        ];
        let mut table = Table::new(&headings);
        for row in &self.differences {
            let side = |side: &Option<Side>| {
                let cell = side.as_ref().map(|side| side.cell(row.kind, on_a_terminal));
                cell.unwrap_or_default()
            };
            let source = row.source.as_ref().map(SourceRow::cell);
            table.push(vec![
                row.difference.to_owned(),
                row.identity.record_name.to_string(),
                row.identity.environment(),
                side(&row.expected),
                side(&row.found),
                source.unwrap_or_default(),
            ]);
        }
        table
    }

    /// Whether some record is missing.
    pub(super) fn has_missing(&self) -> bool {
        let mut differences = self.differences.iter();
        differences.any(|row| row.kind == DifferenceKind::Missing)
    }

    /// How many of what, in a line.
    pub(super) fn remark(&self) -> String {
        let mut parts = vec![format!("same: {}", self.same)];
        for kind in DifferenceKind::ALL {
            let differences = self.differences.iter();
            let count = differences.filter(|row| row.kind == kind).count();
            if count > 0 {
                parts.push(format!("{}: {count}", kind.as_str()));
            }
        }
        if !self.unread.is_empty() {
            let unread = self.unread.iter().map(|row| &*row.organization);
            let unread: Vec<&str> = unread.collect();
            parts.push(format!("not read: {}", unread.join(" ")));
        }
        parts.join(", ")
    }
}

impl UnreadRow {
    fn new((organization, error): (&Arc<str>, &SurveyError)) -> Self {
        Self {
            organization: organization.clone(),
            problem: error.to_string(),
        }
    }
}

impl Row {
    fn new(difference: &Difference) -> Self {
        let identity = IdentityRow::from(&difference.identity);
        let expected = difference.expected.as_ref();
        Self {
            difference: difference.kind.as_str(),
            source: difference.source.as_ref().map(SourceRow::from),
            expected: expected.map(|(body, status)| Side::expected(&identity, body, *status)),
            found: difference.found.as_ref().map(Side::found),
            identity,
            kind: difference.kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::Parser;
    use serde_json::json;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::cli::output::Form;
    use crate::cli::settings;
    use crate::cluster::file;
    use crate::model::comparison::Expected;
    use crate::model::image::Digest;
    use crate::model::ledger::Ledger;
    use crate::model::policy::Policy;
    use crate::model::record::Identity;
    use crate::model::text_map::TextMap;

    fn table_of(verified: &Verified) -> String {
        let mut out = Vec::new();
        let table = |verified: &Verified| verified.table(true);
        Form::Table.write(&mut out, verified, table).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// A record that GitHub lists.
    fn listed(policy: &Policy, digest: Digest, name: &str) -> Listed {
        Listed {
            identity: Identity {
                destination: policy.destination.clone(),
                name: name.into(),
            },
            digest,
            tags: TextMap::from([("team", "other")]),
            risks: BTreeSet::new(),
            status: Some(Status::Deployed),
            name: None,
            version: None,
            repository: None,
        }
    }

    #[test]
    fn what_differs_is_shown_as_it_is_to_be_and_as_it_is() {
        let typed = [
            "x",
            "verify",
            "--org=acme",
            "--cluster=prod",
            "--logical-environment=test",
        ];
        let Command::Verify(args) = Cli::try_parse_from(typed).unwrap().command else {
            panic!()
        };
        let token = Some("token".to_owned().into());
        let settings::Verify { scope, policy, .. } = settings::Verify::new(args, token).unwrap();
        let facts = file::facts(include_str!("../../../tests/cli/shop.yaml"), scope).unwrap();
        let expected = Expected::new(&facts, &Ledger::default(), &policy);
        let digests = expected.digests().values().flatten();
        let mut lists: BTreeMap<Digest, Vec<Listed>> =
            digests.map(|digest| (*digest, Vec::new())).collect();
        let missing = expected.compare(&lists).differences;
        let digest = missing[0].expected.as_ref().unwrap().0.digest;
        let found = ["shop-web-nginx", "by-hand"].map(|name| listed(&policy, digest, name));
        lists.insert(digest, found.to_vec());
        let verified = Verified::new(&expected.compare(&lists), &Unread::new());
        let shown = serde_json::to_value(&verified).unwrap();
        let [unknown, tags] = &shown["differences"].as_array().unwrap()[..2] else {
            panic!("{shown}")
        };
        assert_eq!(unknown["difference"], "unknown");
        assert_eq!(unknown["record_name"], "by-hand");
        assert_eq!(unknown["expected"], json!(null));
        assert_eq!(unknown["found"]["status"], "deployed");
        assert_eq!(tags["difference"], "wrong-tags");
        assert_eq!(tags["record_name"], "shop-web-nginx");
        assert_eq!(tags["source"]["workload"], "web");
        assert_eq!(tags["found"]["tags"], json!({"team": "other"}));
        assert_eq!(tags["expected"]["status"], "deployed");
        assert_eq!(tags["expected"]["digest"], digest.to_string());
        assert!(
            verified.remark().starts_with("same: 0, "),
            "{}",
            verified.remark()
        );
        let table = table_of(&verified);
        let line = |word: &str| {
            let mut lines = table.lines();
            lines
                .find(|line| line.starts_with(word))
                .unwrap_or_default()
        };
        assert!(line("wrong-tags").contains("team=other"), "{table}");
        assert!(
            line("wrong-tags").ends_with("shop Deployment/web nginx"),
            "{table}"
        );
        assert!(line("unknown").contains("by-hand"), "{table}");
    }
}
