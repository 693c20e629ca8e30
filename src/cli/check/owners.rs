//! What a check finds of owners that are not Kubernetes' own: which of them are read. What is done
//! without is the core's matter.

use super::report::Report;
use crate::model::facts::Facts;
use crate::model::workload::Kind;

/// Kinds that are not built in and own pods here. One that cannot be read fails nothing: its pods are
/// recorded all the same, with a Gap.
pub(super) fn check(facts: &Facts, report: &mut Report) {
    let coverage = &facts.coverage;
    for (kind, unreadable) in &coverage.unreadable {
        let what = format!(
            "of {kind} only the pods are seen, so neither its own tags and risks nor its end: {}. \
             Give that right, in the chart by rbac.owners",
            unreadable.lacks
        );
        report.skipped("owners", what);
    }
    let read = coverage.kinds.keys().filter(|kind| !kind.is_built_in());
    let read = read.filter(|kind| !coverage.unreadable.contains_key(*kind));
    let read: Vec<String> = read.map(Kind::to_string).collect();
    if !read.is_empty() {
        report.ok(
            "owners",
            format!("besides the usual ones: {}", read.join(", ")),
        );
    }
}
