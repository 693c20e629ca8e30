//! Inputs of requests: those within the limits, and those near them on both sides.

use std::collections::BTreeSet;
use std::sync::Arc;

use deployment_recorder::model::image::{Digest, ImageRef};
use deployment_recorder::model::record::{Body, Destination, Identity, Line, Status};
use deployment_recorder::model::risk::{Risk, Risks};
use deployment_recorder::model::storage::{Shelf, StorageLine, StorageStatus, StorageStep};
use deployment_recorder::model::text_map::TextMap;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::BoxedStrategy;

/// How far texts go: to the limits or beyond.
#[derive(Clone, Copy)]
pub(crate) enum Reach {
    /// Every text is one that the field may have.
    Within,
    /// Most are, some are too long, empty or of other letters.
    Beyond,
}

type Text = BoxedStrategy<Arc<str>>;

impl Reach {
    /// A field of `least` to `most` bytes, of any letters.
    fn text(self, least: usize, most: usize) -> Text {
        let within = text(least, most);
        match self {
            Self::Within => within.boxed(),
            Self::Beyond => prop_oneof![9 => within, 1 => odd(most)].boxed(),
        }
    }

    /// A field of `least` to `most` letters that names may have.
    fn name(self, least: usize, most: usize) -> Text {
        let within = ("[a-zA-Z0-9]{1,6}", length(least, most));
        let within =
            within.prop_map(|(first, length)| format!("{first:x<length$}")[..length].into());
        match self {
            Self::Within => within.boxed(),
            Self::Beyond => prop_oneof![9 => within, 1 => odd(most)].boxed(),
        }
    }

    /// A URL of up to `most` bytes with its scheme.
    fn url(self, most: usize) -> Text {
        let within = "https://[a-z0-9.-]{1,20}(:[0-9]{1,4})?(/[a-zA-Z0-9._~!$&'()*+,;=:@%-]{0,9}){0,3}(\\?[a-z=/?]{0,9})?(#[a-z/?]{0,9})?";
        let within = within.prop_map(|url| Arc::from(url.replace('%', "%4f")));
        match self {
            Self::Within => within.boxed(),
            Self::Beyond => prop_oneof![4 => within, 4 => near_url(), 1 => odd(most)].boxed(),
        }
    }
}

/// Text of so many bytes, more often than not as few or as many as may be: some letters of any
/// kind, then one of one, two or four bytes again and again.
fn text(least: usize, most: usize) -> impl Strategy<Value = Arc<str>> {
    let first = prop::collection::vec(any::<char>(), 0..6);
    let filler = select(vec!['x', ' ', '\u{e9}', '\u{1d11e}']);
    (first, filler, length(least, most)).prop_map(move |(first, filler, length)| {
        let mut text = String::new();
        for letter in first.into_iter().chain(std::iter::repeat_n(filler, length)) {
            if text.len() + letter.len_utf8() <= length {
                text.push(letter);
            }
        }
        text.push_str(&"x".repeat(length - text.len()));
        text.into()
    })
}

fn length(least: usize, most: usize) -> impl Strategy<Value = usize> {
    prop_oneof![2 => least..=most, 1 => Just(least), 1 => Just(most)]
}

/// What is a URL but for a letter or two, if it is none.
pub(crate) fn near_url() -> impl Strategy<Value = Arc<str>> {
    let odd = "[ -~é]?";
    let path = format!("(/[a-z0-9]{{0,3}}{odd}[a-z0-9]{{0,3}}){{0,2}}");
    let near = format!("https://[a-z]{{0,3}}{odd}[a-z0-9]{{0,3}}{path}");
    let near = prop::string::string_regex(&near).unwrap();
    near.prop_map(Arc::from)
}

/// Letters that turn the writing, join, end a line or are none.
const ODD: [&str; 6] = [
    "\u{202e}a",
    "e\u{301}",
    "\u{2028}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{feff}",
];

/// What a field of up to `most` bytes may well not have.
fn odd(most: usize) -> impl Strategy<Value = Arc<str>> {
    let texts = [".", "..", "a/b", "a b", "%2e%2e", "\u{e9}", "\0", "\n"];
    prop_oneof![
        2 => Just(Arc::from("")),
        1 => select(texts.to_vec()).prop_map(Arc::from),
        1 => (most..most + 3).prop_map(|length| "x".repeat(length).into()),
        1 => (most / 2..most).prop_map(|length| "\u{e9}".repeat(length).into()),
        1 => any::<String>().prop_map(Arc::from),
        1 => select(ODD.to_vec()).prop_map(Arc::from),
    ]
}

/// A digest.
pub(crate) fn digest() -> impl Strategy<Value = Digest> {
    "sha256:[0-9a-f]{64}".prop_map(|digest| Digest::parse(&digest).unwrap())
}

/// The name of an organization.
pub(crate) fn organization(reach: Reach) -> Text {
    let is_step = |name: &Arc<str>| !matches!(&**name, "." | "..");
    let within = text(1, 40).prop_filter("a step", is_step);
    match reach {
        Reach::Within => within.boxed(),
        Reach::Beyond => {
            let steps = select(vec!["", ".", ".."]).prop_map(Arc::from);
            prop_oneof![6 => within, 2 => odd(40), 1 => steps].boxed()
        }
    }
}

prop_compose! {
    /// A destination, with a cluster of at least so many letters.
    pub(crate) fn destination(reach: Reach, cluster: usize)(
        organization in organization(reach),
        cluster in reach.name(cluster, 128),
        logical_environment in reach.text(1, 128),
        physical_environment in prop::option::of(reach.text(0, 128)),
    ) -> Destination {
        let host = "api.github.com".into();
        Destination { host, organization, cluster, logical_environment, physical_environment }
    }
}

fn tags(reach: Reach) -> impl Strategy<Value = std::collections::BTreeMap<Arc<str>, Arc<str>>> {
    let most = match reach {
        Reach::Within => 5,
        Reach::Beyond => 6,
    };
    prop::collection::btree_map(text(0, 20), text(0, 100), 0..=most)
}

prop_compose! {
    fn body(reach: Reach, version: usize)(
        digest in digest(),
        name in reach.text(1, 256),
        version in prop::option::of(reach.text(version, 100)),
        repository in prop::option::of(reach.name(1, 100)),
        tags in tags(reach),
        risks in prop::collection::btree_set(select(Risk::ALL.to_vec()), 0..=4),
    ) -> Body {
        let (tags, risks) = (tags.into_iter().collect(), risks.into_iter().collect());
        Body { digest, name, version, repository, tags, risks }
    }
}

prop_compose! {
    /// One line for itself, which may be of no cluster.
    pub(crate) fn line(reach: Reach)(
        destination in destination(reach, 0),
        name in reach.text(1, 256),
        body in body(reach, 1),
        deployed in any::<bool>(),
    ) -> Line {
        made(&Arc::new(destination), name, body, deployed)
    }
}

prop_compose! {
    /// A destination and up to `most` lines for it.
    pub(crate) fn lines(reach: Reach, most: usize)(
        destination in destination(reach, 1),
        contents in prop::collection::vec((reach.text(1, 256), body(reach, 0), any::<bool>()), 1..most),
        strays in prop::option::weighted(0.05, 0..most),
    ) -> (Destination, Vec<Line>) {
        let shared = Arc::new(destination.clone());
        let cluster = format!("{}-2", destination.cluster).into();
        let elsewhere = Arc::new(Destination { cluster, ..destination.clone() });
        let stray = strays.filter(|_| matches!(reach, Reach::Beyond));
        let lines = contents.into_iter().enumerate().map(|(index, (name, body, deployed))| {
            let place = if stray == Some(index) { &elsewhere } else { &shared };
            made(place, name, body, deployed)
        });
        let mut taken = BTreeSet::new();
        let is_first = |line: &Line| matches!(reach, Reach::Beyond) || taken.insert(line.identity.clone());
        (destination, lines.filter(is_first).collect())
    }
}

fn made(destination: &Arc<Destination>, name: Arc<str>, body: Body, deployed: bool) -> Line {
    Line {
        identity: Identity {
            destination: destination.clone(),
            name,
        },
        body: body.into(),
        status: if deployed {
            Status::Deployed
        } else {
            Status::Decommissioned
        },
    }
}

prop_compose! {
    /// A storage record.
    pub(crate) fn storage(reach: Reach)(
        name in reach.text(1, 256),
        digest in digest(),
        version in prop::option::of(reach.text(1, 100)),
        registry_url in reach.url(256),
        artifact_url in prop::option::of(reach.url(152)),
        path in prop::option::of(reach.url(512)),
        repository in prop::option::of(reach.text(0, 128)),
        status in select(StorageStatus::ALL.to_vec()),
        github_repository in prop::option::of(reach.name(1, 100)),
    ) -> StorageLine {
        StorageLine {
            name, digest, version, registry_url, artifact_url, path, repository, status,
            github_repository,
        }
    }
}

/// What is told of an image that runs: those in registries near the borders of what has an address,
/// and only if it has one.
pub(crate) fn stored() -> impl Strategy<Value = StorageLine> {
    let registry = prop_oneof![
        "[a-zA-Z0-9._-]{1,12}\\.[a-z]{1,3}(:[0-9]{1,6})?",
        "\\[[0-9a-f:]{2,12}\\](:[0-9]{1,5})?",
        "(localhost|127\\.0\\.0\\.1|0x7f\\.1)(:[0-9]{1,5})?",
        "([a-z]{60}\\.){2,4}io(:5000)?",
    ];
    let image = (
        registry,
        "[a-z0-9]{1,9}([/._-][a-z0-9]{1,80}){0,3}(:[A-Za-z0-9_.-]{1,9})?",
    );
    image.prop_filter_map("it has no address", |(registry, path)| {
        let image = ImageRef::parse(&format!("{registry}/{path}"))?;
        let shelf = Shelf::of(&shared_destination(), &image.name);
        let body = Body {
            digest: Digest::parse(&format!("sha256:{}", "0f".repeat(32)))?,
            name: image.name.clone(),
            version: image.tag,
            repository: None,
            tags: TextMap::default(),
            risks: Risks::default(),
        };
        let is_told_of = shelf.has_address() && image.name.len() <= 256;
        let step = StorageStep {
            shelf: shelf.into(),
            place: shared_destination().into(),
            image: image.name,
            body: body.into(),
        };
        is_told_of.then(|| step.line())
    })
}

fn shared_destination() -> Destination {
    Destination {
        host: "api.github.com".into(),
        organization: "octo".into(),
        cluster: "prod".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    }
}
