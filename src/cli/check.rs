//! `check`: whether everything is there that `run` needs, one line for each thing, with what to do
//! where it is not. It takes the settings of `run`, needs no more rights than that (but to ask for
//! them, which everybody may), and writes nothing anywhere. What is found in the cluster stands in
//! `in_cluster`, what is found at GitHub in `at_github`; here is only their order.

use super::settings;
use crate::clock::Clock;

mod at_github;
mod in_cluster;
mod owners;
mod report;
mod rule;
mod sample;
mod seen;
mod stored;

use report::Report;

/// Checks everything and prints what was found. Returns whether all of it holds.
pub async fn execute(settings: settings::Check) -> anyhow::Result<bool> {
    let settings::Check { run, form } = settings;
    let mut report = Report::default();
    of_settings(&run, &mut report);
    let seen = in_cluster::check(&run, &mut report).await;
    at_github::check(&run, &seen, Clock::real(), &mut report).await;
    super::print(|out| form.write(out, &report, Report::table))?;
    Ok(report.holds())
}

/// Settings that are not allowed end the command before it does anything.
fn of_settings(run: &settings::Run, report: &mut Report) {
    let destination = &run.policy.destination;
    let mut what = format!(
        "organization {}, cluster {}, environment {}",
        destination.organization, destination.cluster, destination.logical_environment
    );
    if let Some(physical) = &destination.physical_environment {
        what.push('/');
        what.push_str(physical);
    }
    for warning in &run.warnings {
        what.push_str("; ");
        what.push_str(warning);
    }
    report.ok("settings", what);
}
