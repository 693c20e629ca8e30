//! What one answer of GitHub says of the version of its API, of whoever signs in, of permissions and of
//! the clock.

use jiff::{SignedDuration, Timestamp};

use super::{OF_AN_ANSWER, REACH};
use crate::cli::check::report::Report;
use crate::cli::settings::{Github, SignIn};
use crate::github::answer::Failure;
use crate::github::auth::Permitted;
use crate::github::exchange::Exchange;
use crate::github::records::{DeploymentRecord, Records};

/// How far this machine's clock may be from GitHub's. A GitHub App signs with the time, and to sign
/// 60 seconds into the past is what GitHub recommends against clocks that differ
/// (`contract/README.md`).
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

/// What to do where a permission is missing.
const PERMIT: &str = "give it the repository permission Artifact metadata: Read and write on every \
                      repository that built an image that runs; a GitHub App's new permission has \
                      to be accepted in the organization too";

/// What was asked of GitHub.
pub(super) struct Asked<'a> {
    pub(super) github: &'a Github,
    pub(super) sign_in: &'a SignIn,
    pub(super) organization: &'a str,
    /// What the token may do, where GitHub said so.
    pub(super) permitted: Option<Permitted>,
    /// Whether GitHub has acknowledged something that it was asked of.
    pub(super) has_held: bool,
    /// What this machine's clock showed between question and answer.
    pub(super) middle: Timestamp,
}

impl Asked<'_> {
    /// What the answer says.
    pub(super) fn judge(
        &self,
        exchange: &Exchange<Records<DeploymentRecord>>,
        report: &mut Report,
    ) {
        let api = &self.github.url;
        let untold = |report: &mut Report, checks: &[&'static str]| {
            for check in checks {
                report.skipped(check, "GitHub's answer does not tell");
            }
        };
        let failure = exchange.failure();
        if let Some(failure) = failure.filter(|failure| !is_telling(failure)) {
            report.failed("github", format!("{api}: {failure}"), REACH);
            untold(report, &OF_AN_ANSWER);
            return;
        }
        let status = exchange.status.map_or(0, |status| status.as_u16());
        let milliseconds = exchange.duration.as_millis();
        let what = format!("{api} answered {status} in {milliseconds} ms");
        report.ok("github", what);
        if let Some(failure @ Failure::VersionWithdrawn { .. }) = failure {
            let todo = "the versions that are served: \
                        https://docs.github.com/en/rest/about-the-rest-api/api-versions";
            report.failed("api-version", failure.to_string(), todo);
            untold(report, &["token", "permission"]);
        } else {
            let version = &self.github.version;
            report.ok("api-version", format!("{version} is served"));
            self.of_token(failure, report);
        }
        self.of_clock(exchange.date, report);
    }

    /// What the answer says of the token alone.
    pub(super) fn judge_token(
        &self,
        exchange: &Exchange<Records<DeploymentRecord>>,
        report: &mut Report,
    ) {
        match exchange.failure() {
            Some(failure) if !is_telling(failure) => {
                report.failed("token", failure.to_string(), REACH);
            }
            Some(failure @ Failure::VersionWithdrawn { .. }) => {
                report.skipped("token", failure.to_string());
            }
            failure => self.of_token(failure, report),
        }
    }

    fn of_token(&self, failure: Option<&Failure>, report: &mut Report) {
        let sign_in = self.sign_in;
        if let Some(failure @ Failure::BadToken { .. }) = failure {
            let todo = match sign_in {
                SignIn::App(_) => {
                    "see that the installation of the App is not suspended".to_owned()
                }
                SignIn::TokenFile(_) | SignIn::Token(_) => {
                    format!("put a token that is valid where {} says", sign_in.setting())
                }
            };
            report.failed("token", failure.to_string(), &todo);
            report.skipped("permission", "a token that is not valid has none");
            return;
        }
        report.ok("token", format!("{sign_in}: GitHub takes it"));
        match failure {
            None => self.of_permission(report),
            Some(failure) if failure.is_not_found() && sign_in.is_let_in() => {
                self.of_permission(report);
            }
            Some(failure) if failure.is_not_found() && !self.has_held => {
                let what = "404: either GitHub knows no such digest yet, or --org is not right or \
                            does not let the token in";
                report.skipped("permission", what);
            }
            Some(failure @ Failure::Limited { .. }) => {
                let todo = "check again when the limit is over; see who else uses the token";
                report.failed("permission", failure.to_string(), todo);
            }
            Some(failure) => {
                let what = format!("no artifact metadata of {}: {failure}", self.organization);
                let todo = format!(
                    "see that --org is right and lets the token in (404 says that neither is known); {PERMIT}"
                );
                report.failed("permission", what, &todo);
            }
        }
    }

    /// What the token may do, as far as that can be told where a read was answered.
    fn of_permission(&self, report: &mut Report) {
        match self.permitted {
            Some(Permitted::Write) => {
                report.ok("permission", "artifact metadata may be read and written");
            }
            Some(Permitted::Read) => {
                report.failed("permission", "artifact metadata may only be read", PERMIT);
            }
            Some(Permitted::Nothing) => {
                let what = "GitHub names no permission for artifact metadata with this token";
                report.failed("permission", what, PERMIT);
            }
            None => {
                let what = "artifact metadata may be read; whether it may be written shows only when \
                            something is";
                report.ok("permission", what);
            }
        }
    }

    fn of_clock(&self, date: Option<Timestamp>, report: &mut Report) {
        let Some(date) = date else {
            report.skipped("clock", "GitHub's answer has no date");
            return;
        };
        // It shows whole seconds.
        let date = date + SignedDuration::from_millis(500);
        let ahead = self.middle.duration_since(date);
        let seconds = ahead.abs().as_secs();
        let side = if ahead.is_negative() {
            "behind"
        } else {
            "ahead of"
        };
        let what = format!("this machine's clock is {seconds} s {side} GitHub's");
        if ahead.abs() <= TOLERATED {
            report.ok("clock", what);
        } else {
            let todo = "set the clock (NTP): a GitHub App signs with it, certificates and what people \
                        read of times go by it";
            report.failed("clock", what, todo);
        }
    }
}

/// Whether GitHub itself said something of whoever asked.
fn is_telling(failure: &Failure) -> bool {
    match failure {
        Failure::NoAccess { .. }
        | Failure::BadToken { .. }
        | Failure::Limited { .. }
        | Failure::VersionWithdrawn { .. } => true,
        Failure::Unknown { .. }
        | Failure::Invalid { .. }
        | Failure::Oversized
        | Failure::NamesRepositories { .. }
        | Failure::Refused { .. } => false,
    }
}
