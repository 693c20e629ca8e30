//! Advice: what each reason means, in one sentence, and the one thing that a person can do about it.
//! Events, `explain` and the pages of `docs` say the same words, because they are these. Nothing is
//! decided here.

use super::gap::Reason;
use super::image::ImageId;
use super::inventory::sight::Unselected;
use super::plan::{Row, State, Why};

impl Reason {
    /// What it means, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoDigest => "the container runtime names no digest of a manifest or index",
            Self::OtherDigest => "other ready pods run another digest",
            Self::InvalidImage => "the image as written is no image reference",
            Self::NameTooLong => "the image's name has more than 256 bytes",
            Self::ContextUnknown => {
                "its namespace or workload was not read, so tags, risks and environment are not known"
            }
            Self::NotCovered => "a kind that its presence depends on is not fully seen",
            Self::OwnerNotRead => "the object that its pod names as owner is not in what was read",
            Self::OwnerUnreadable => {
                "its workload is of a kind that cannot be read: recorded with what pod and namespace say"
            }
            Self::InvalidTag => {
                "a tag has an empty key or value, or one of more than 100 characters"
            }
            Self::TooManyTags => "more than five tags: the first five by key are recorded",
            Self::ExposureUnknown => {
                "whether traffic from outside reaches it cannot be told: that risk is as GitHub was told last"
            }
            Self::InvalidRisk => "a runtime risk that GitHub does not know",
            Self::InvalidRepository => {
                "the repository is not of the organization, or not of GitHub's form"
            }
            Self::InvalidOrganization => {
                "what its image or namespace says is no name of an organization: it goes where it would go \
                 without that"
            }
            Self::NotFound => "GitHub knows neither an attestation nor a repository for it",
            Self::Unauthorized => "the token may not write to its repository",
            Self::Invalid => "GitHub called the record invalid",
            Self::Unconfirmed => "GitHub named the record with a cause that is not documented",
        }
    }

    /// The one thing to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoDigest => {
                "pin the image to its digest (image: NAME:TAG@sha256:...), or have the node pull it \
                 from a registry instead of loading it from an archive"
            }
            Self::OtherDigest => {
                "nothing, if a rollout is under way, or is meant to stay so, as a canary; else the tag was \
                 moved: restart the workload, or pin the image to its digest"
            }
            Self::InvalidImage => "correct the image in the pod template",
            Self::NameTooLong => {
                "give the image a shorter name, or map a prefix of it to a shorter one with --image-map"
            }
            Self::ExposureUnknown => {
                "grant list and watch on the kind that its detail names; of a Gateway in another \
                 namespace, look at that namespace too (docs/risks.md)"
            }
            Self::ContextUnknown | Self::NotCovered => {
                "grant list and watch on what is not read (deployment-recorder check names each \
                 rule), or wait until it is read"
            }
            Self::OwnerNotRead => {
                "grant list and watch on the owner's kind (deployment-recorder check names the rule), \
                 or wait until it is read"
            }
            Self::OwnerUnreadable => "let its kind be read: grant list and watch on it",
            Self::InvalidTag => {
                "shorten the key or the value of the annotation to 100 characters, or remove it"
            }
            Self::TooManyTags => {
                "leave at most five annotations metadata.github.com/TAG on namespace, workload and pod \
                 together"
            }
            Self::InvalidRisk => {
                "use critical-resource, internet-exposed, lateral-movement or sensitive-data in \
                 metadata.github.com/runtime-risks"
            }
            Self::InvalidRepository => {
                "write the name of a repository of the organization in metadata.github.com/repository, \
                 as in web or ORG/web"
            }
            Self::InvalidOrganization => {
                "correct the namespace's label that --org-label names, or the rule of --org-map"
            }
            Self::NotFound => {
                "attest the image's provenance where it is built, or name its repository in the \
                 annotation metadata.github.com/repository"
            }
            Self::Unauthorized => {
                "give the token the permission \"Artifact metadata: write\" on the repository that built \
                 the image"
            }
            Self::Invalid => {
                "see the refusal in the recorder's log; change what the record says, or report it to \
                 this project"
            }
            Self::Unconfirmed => {
                "nothing at once: it is asked again; deployment-recorder verify shows what GitHub holds"
            }
        }
    }
}

impl Why {
    /// What it means, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ForeignHost => "it is of another API host, where no token goes",
            Self::UnreadableSource => {
                "its stored source is of a form that this version cannot read"
            }
            Self::NotCovered => "not all that decides about it is fully seen",
            Self::Adopted => "it was adopted, and not every kind is fully seen",
            Self::Moving => "GitHub has not yet acknowledged the record that takes its place",
            Self::Refused => "GitHub refuses the record that takes its place",
            Self::EndRefused => "GitHub refuses its decommission; it is asked again later",
            Self::MassDecommission => {
                "most records went missing at once, and this one not for long enough"
            }
        }
    }

    /// The one thing to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::ForeignHost => {
                "run with the former --github-api-url until its end is told, or give it up with \
                 deployment-recorder decommission --forget"
            }
            Self::UnreadableSource => "run the newer version of this program that wrote it",
            Self::NotCovered | Self::Adopted => {
                "grant list and watch on what is not read (deployment-recorder check names each \
                 rule), or wait until it is read"
            }
            Self::Moving => "nothing: its end is told when GitHub has taken the new record",
            Self::Refused => "see why the new record is refused; this one ends after it is taken",
            Self::EndRefused => {
                "give the token access to the repository that built the image, or give the record up \
                 with deployment-recorder decommission --forget"
            }
            Self::MassDecommission => {
                "make sure that these workloads are meant to be gone: GitHub is told after \
                 --mass-decommission-hold"
            }
        }
    }
}

impl Unselected {
    /// Which setting leaves it out.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Namespace => "--namespaces, --exclude-namespaces",
            Self::NamespaceLabels => "--namespace-selector",
            Self::Kind => "--kinds, --add-kinds",
            Self::WorkloadLabels => "--selector",
            Self::Image => "--images, --exclude-images",
            Self::OptedOut => "the annotation metadata.github.com/ignore: \"true\"",
        }
    }

    /// The one thing to do about it, if it is to be recorded.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Namespace => "have --namespaces and --exclude-namespaces let the namespace in",
            Self::NamespaceLabels => "label the namespace so that --namespace-selector matches",
            Self::Kind => "add its kind with --add-kinds",
            Self::WorkloadLabels => "label the workload so that --selector matches",
            Self::Image => "have --images and --exclude-images let the image in",
            Self::OptedOut => {
                "remove the annotation metadata.github.com/ignore, or set it to \"false\" on the pod"
            }
        }
    }
}

impl Row {
    /// What was seen, and so what is done, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Foreign => {
                "of another API host, or stored in a form that this version cannot read"
            }
            Self::Tombstone => "its end is acknowledged once",
            Self::Adopted => "found at GitHub by a person, and no workload's yet",
            Self::NamespaceGone => "its namespace does not exist",
            Self::NotSelected => "settings or an annotation leave it out",
            Self::NotCovered => "not all that decides about it is fully seen",
            Self::WorkloadGone => "its workload does not exist",
            Self::Refused => "GitHub refuses its record; it is asked again later",
            Self::Known => "it runs, under the name it has",
            Self::Moved => "it runs, under another name or in another environment than before",
            Self::New => "it runs and was never recorded",
            Self::NoDigest => "it runs, but there is no digest or no usable name to record",
            Self::NotRunning => "it is in some pod's spec and does not run",
            Self::Dropped => "its workload has pods, none of them with this container",
            Self::BetweenRuns => "a CronJob or Job without a pod",
            Self::Idle => "its workload has no pod",
        }
    }
}

impl State {
    /// What it means, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Deployed => "it runs, and GitHub holds it as it is",
            Self::Reporting => "it runs, and GitHub is to be told",
            Self::Retained => "it is kept as GitHub holds it, and sent so with the full snapshot",
            Self::Silent => {
                "it is kept and not sent: what GitHub holds of it is not known, or GitHub will not have \
                 it now"
            }
            Self::Withheld => "nothing is sent for it, for a reason",
            Self::Decommissioning => "it is gone, and GitHub is to be told",
            Self::Tombstone => {
                "GitHub has acknowledged its end, and is told once more after a while"
            }
        }
    }
}

impl ImageId {
    /// What a container's status said, without a capital letter and a full stop.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Nothing => "the container's status names no image (imageID)",
            Self::Manifest => "the container runtime names it (imageID)",
            Self::Configuration => {
                "the container runtime names the image's configuration (a bare imageID), which no \
                 registry knows"
            }
            Self::Archive => {
                "the image was loaded into the node from an archive (imageID import-...), whose digest \
                 no registry knows"
            }
            Self::Other => "what the container runtime names (imageID) is no SHA-256 of a manifest",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::fixtures::assert_told_apart;

    const STATUS: &str = include_str!("../../docs/status.md");
    const EXPLAIN: &str = include_str!("../../docs/explain.md");

    /// Whether that page has a line of a table with these two cells, the second perhaps with more to
    /// say in further sentences.
    fn says(page: &str, name: &str, meaning: &str) -> bool {
        let ends = [" |", ". "];
        let said = |end| page.contains(&format!("| `{name}` | {meaning}{end}"));
        ends.into_iter().any(said)
    }

    #[test]
    fn the_page_about_the_status_says_what_each_word_means_as_explanations_do() {
        for reason in Reason::ALL {
            let name = reason.to_string();
            assert!(says(STATUS, &name, reason.meaning()), "{reason:?}");
        }
        for why in Why::ALL {
            assert!(says(STATUS, why.as_str(), why.meaning()), "{why}");
        }
        for row in Row::ALL {
            assert!(says(STATUS, row.as_str(), row.meaning()), "{row:?}");
        }
        for state in State::ALL {
            assert!(says(STATUS, state.as_str(), state.meaning()), "{state:?}");
        }
        let bare = STATUS.replace('`', "");
        for why in Unselected::ALL {
            let line = format!("| {} | {} |", why.as_str(), why.setting());
            assert!(bare.contains(&line), "{line}");
        }
    }

    #[test]
    fn the_page_about_explanations_gives_the_same_advice_as_they_do() {
        for reason in Reason::ALL {
            assert!(says(EXPLAIN, reason.as_str(), reason.advice()), "{reason}");
        }
        for why in Why::ALL {
            assert!(says(EXPLAIN, why.as_str(), why.advice()), "{why}");
        }
        for why in Unselected::ALL {
            assert!(says(EXPLAIN, why.as_str(), why.advice()), "{why:?}");
        }
    }

    #[test]
    fn what_a_status_said_of_an_image_is_told_apart() {
        use ImageId::{Archive, Configuration, Manifest, Nothing, Other};
        let all = [Nothing, Manifest, Configuration, Archive, Other];
        assert_told_apart(all.map(ImageId::meaning));
    }

    #[test]
    fn advice_is_one_short_sentence_to_follow_directly() {
        let reasons = Reason::ALL.map(Reason::advice).into_iter();
        let whys = Why::ALL.map(Why::advice);
        let unselected = Unselected::ALL.map(Unselected::advice);
        let all: Vec<&str> = reasons.chain(whys).chain(unselected).collect();
        for advice in &all {
            let short = (10..=180).contains(&advice.len()) && !advice.contains("  ");
            assert!(short && !advice.ends_with('.'), "{advice}");
            assert!(advice.starts_with(char::is_lowercase), "{advice}");
        }
        let told: BTreeSet<&str> = all.iter().copied().collect();
        assert!(
            told.len() + 3 >= all.len(),
            "hardly two have the same remedy"
        );
    }
}
