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
        Failure::NamesRepositories { status, .. } => Some(if status.as_u16() == 403 {
            "give the token the permission \"Artifact metadata: write\" on these repositories"
        } else {
            "is the github_repository right, and may the token see it?"
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
