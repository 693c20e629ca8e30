//! What a person can do about a failure. Why it failed is GitHub's to say, and stands before it.

use crate::github::answer::{Failure, Refusal};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Deployment or storage records are written.
    Writing,
    /// Something is read.
    Reading,
}

/// What to do about a failure, where GitHub's own words do not say it.
pub fn advice(failure: &Failure, about: About) -> Option<&'static str> {
    match failure {
        Failure::BadToken { .. } => Some(
            "the token is wrong, has ended or was revoked: see --github-token-file, GITHUB_TOKEN or \
             --github-app-id",
        ),
        Failure::Refused { status, .. } | Failure::NoAccess { status, .. } => {
            Some(match (status.as_u16(), about) {
                (403, About::Writing) => {
                    "the token needs the permission \"Artifact metadata: write\" on the repository \
                     that built the artifact, and access to the organization"
                }
                (403, About::Reading) => {
                    "the token needs the permission \"Artifact metadata: read\" and access to the \
                     organization"
                }
                (_, About::Writing) => {
                    "is the organization right, and may the token see it? An artifact without a \
                     provenance attestation needs its github_repository"
                }
                (_, About::Reading) => "is the organization right, and may the token see it?",
            })
        }
        Failure::NamesRepositories { status, .. } => Some(match (status.as_u16(), about) {
            (403, About::Writing) => {
                "give the token the permission \"Artifact metadata: write\" on these repositories"
            }
            (403, About::Reading) => {
                "give the token the permission \"Artifact metadata: read\" on these repositories"
            }
            (_, About::Writing) => "is the github_repository right, and may the token see it?",
            (_, About::Reading) => "may the token see these repositories?",
        }),
        Failure::Oversized => Some("give it in parts"),
        Failure::Limited { .. } => {
            Some("it waited as GitHub asks and was refused again: try later")
        }
        Failure::Unknown { .. } if about == About::Writing => {
            Some("GitHub may have taken it or not; the same command may be repeated")
        }
        Failure::Invalid { .. } | Failure::VersionWithdrawn { .. } | Failure::Unknown { .. } => {
            None
        }
    }
}

/// What to do about the refusal of one record among others.
pub fn of_refusal(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotFound => {
            "GitHub knows neither a provenance attestation for the digest nor the repository: give \
             github_repository"
        }
        Refusal::Unauthorized => {
            "the token needs the permission \"Artifact metadata: write\" on the repository that built \
             the artifact"
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn whoever_reads_is_not_told_to_ask_for_more() {
        for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            let (message, repositories) = (String::new(), vec!["shop".to_owned()]);
            let failures = [
                Failure::NoAccess {
                    status,
                    message: message.clone(),
                },
                Failure::NamesRepositories {
                    status,
                    repositories,
                    message,
                },
            ];
            for failure in failures {
                let told = advice(&failure, About::Reading).unwrap();
                assert!(!told.contains("write"), "{told}");
                assert_ne!(Some(told), advice(&failure, About::Writing));
            }
        }
    }
}
