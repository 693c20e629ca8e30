//! What must hold of any text that the core reads: plain functions over bytes (`crate::fuzz`).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::{Context, is_repository};
use super::facts::Annotations;
use super::image::{self, ImageRef, running_digest};
use super::image_map::ImageMap;
use super::origin;
use super::record::{Destination, Identity};
use super::risk::Risk;
use super::selection::Pattern;
use super::template::Template;
use super::text_map::TextMap;
use super::workload::{Kind, Source, Workload};

fn lines(bytes: &[u8]) -> Option<Vec<&str>> {
    Some(str::from_utf8(bytes).ok()?.split('\n').collect())
}

fn line<'a>(lines: &[&'a str], number: usize) -> &'a str {
    lines.get(number).copied().unwrap_or_default()
}

/// An image as a pod's spec writes it, on the next line one as a runtime reports it.
pub(crate) fn image(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let (spec, status) = (line(&lines, 0), line(&lines, 1));
    for text in [spec, status] {
        let Some(read) = ImageRef::parse(text) else {
            continue;
        };
        let tag = read.tag.iter().map(|tag| format!(":{tag}"));
        let digest = read.digest.iter().map(|digest| format!("@{digest}"));
        let rest: String = tag.chain(digest).collect();
        assert_eq!(
            ImageRef::parse(&format!("{}{rest}", read.name)),
            Some(read.clone())
        );
        assert_eq!(image::normalised(&read.name).as_ref(), Some(&read.name));
        assert!(read.tag.is_none_or(|tag| text.contains(&format!(":{tag}"))));
    }
    if let Some(digest) = running_digest(spec, status) {
        let digest = digest.to_string();
        let named = [spec, status].map(|text| text.ends_with(&format!("@{digest}")));
        assert!(named.contains(&true), "{digest} is made up");
        let archive = status.starts_with("docker.io/library/import-");
        assert!(!archive || spec.ends_with(&digest));
    }
}

/// A pattern on one line, a text on the next.
pub(crate) fn pattern(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let (text, other) = (line(&lines, 0), line(&lines, 1));
    if text.len() > 1000 || other.len() > 1000 {
        return;
    }
    let pattern = Pattern::new(text);
    assert_eq!(
        pattern.matches(other),
        is_match(text, other),
        "{text} on {other}"
    );
    assert_eq!(pattern.to_string(), text);
    let exact = pattern.exact();
    assert!(exact.is_none_or(
        |exact| pattern.matches(&exact) && (exact == other.into()) == pattern.matches(other)
    ));
}

/// Whether a pattern describes a text, letter by letter: what is left of the text after each letter
/// of the pattern.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut rests = BTreeSet::from([text]);
    for letter in pattern.chars() {
        rests = if letter == '*' {
            let longest = rests.iter().max_by_key(|rest| rest.len()).copied();
            let longest = longest.unwrap_or_default();
            if rests.is_empty() {
                return false;
            }
            let starts = longest
                .char_indices()
                .map(|(at, _)| at)
                .chain([longest.len()]);
            starts.filter_map(|at| longest.get(at..)).collect()
        } else {
            rests
                .iter()
                .filter_map(|rest| rest.strip_prefix(letter))
                .collect()
        };
    }
    rests.contains("")
}

/// A template of names, then the parts of a source: group, kind, namespace, workload, container.
pub(crate) fn template(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let Ok(template) = line(&lines, 0).parse::<Template>() else {
        return;
    };
    let printed = template.to_string();
    assert_eq!(printed.parse(), Ok(template.clone()), "{printed}");
    let part = |number| Arc::<str>::from(line(&lines, number));
    // Each of them has a name in any cluster.
    let or = |text: Arc<str>, other: &str| if text.is_empty() { other.into() } else { text };
    let workload = Workload {
        kind: Kind::new(&part(1), &or(part(2), "Deployment")),
        namespace: or(part(3), "default"),
        name: or(part(4), "web"),
    };
    let source = Source::new(workload, or(part(5), "main"));
    let name = template.render(&source);
    assert!((1..=256).contains(&name.len()), "{name}");
    for digits in [8, 16, 64] {
        let suffixed = template.suffixed(&source, digits);
        assert!((1..=256).contains(&suffixed.len()));
        let hash = suffixed
            .rsplit_once('-')
            .map(|(_, hash)| hash)
            .unwrap_or_default();
        assert_eq!(hash.len(), digits);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

/// The host of an API, an organization, an image's label: a repository is one that the API takes, and
/// no password is kept of it.
pub(crate) fn label(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let label = lines.iter().skip(2).copied().collect::<Vec<_>>().join("\n");
    let destination = Destination {
        host: line(&lines, 0).into(),
        organization: line(&lines, 1).into(),
        cluster: "prod".into(),
        logical_environment: "production".into(),
        physical_environment: None,
    };
    let found = origin::repository(&label, &destination);
    if let Some(name) = &found {
        assert!(is_repository(name), "{name}");
        assert!(label.contains(&**name), "{name}");
    }
    let tidy = origin::tidy(&label);
    assert!(tidy.len() <= 512);
    if label.trim().len() <= 512 {
        assert_eq!(origin::repository(&tidy, &destination), found, "{tidy}");
    }
    if let Some((_, rest)) = tidy.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        assert!(!authority.contains('@'), "{tidy}");
    } else {
        let rest = tidy.strip_prefix("//").unwrap_or(&tidy);
        let authority = rest.split('/').next().unwrap_or_default();
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        assert!(!user.contains(':'), "{tidy}");
    }
}

/// The name of an image, then a rule of `--image-map` on each line.
pub(crate) fn image_map(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let Some((name, rules)) = lines.split_first() else {
        return;
    };
    let Ok(map) = ImageMap::parse(rules.iter().copied()) else {
        return;
    };
    let printed: Vec<String> = map.rules().collect();
    assert_eq!(
        ImageMap::parse(printed.iter().map(String::as_str)),
        Ok(map.clone())
    );
    let backwards = rules.iter().rev().copied();
    assert_eq!(
        ImageMap::parse(backwards),
        Ok(map.clone()),
        "the order counts"
    );
    let Some(name) = image::normalised(name) else {
        return;
    };
    let mapped = map.apply(&name);
    assert_eq!(
        image::normalised(&mapped).as_ref(),
        Some(&mapped),
        "not normalised"
    );
    assert!(rules.iter().any(|rule| !rule.is_empty()) || mapped == name);
}

/// Annotations: `LEVEL KEY=VALUE` on each line, the levels being namespace, workload and pod. In
/// values `\` stands for a line break.
pub(crate) fn context(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let of = |level: &str| -> Annotations {
        let lines = lines.iter().filter_map(|line| line.strip_prefix(level));
        let pairs = lines.filter_map(|rest| rest.strip_prefix(' ')?.split_once('='));
        pairs
            .map(|(key, value)| (key.into(), value.replace('\\', "\n").into()))
            .collect()
    };
    let levels = ["namespace", "workload", "pod"].map(of);
    let [namespace, workload, pod] = levels.each_ref().map(Some);
    let context = Context::merge(namespace, workload, pod, "acme");
    assert!(context.tags.len() <= 5);
    for text in context.tags.iter().flat_map(|(key, value)| [key, value]) {
        assert!((1..=100).contains(&text.chars().count()));
    }
    assert!(context.repository.as_deref().is_none_or(is_repository));
    let dropped: usize = context
        .gaps
        .iter()
        .map(|(_, detail)| detail.chars().count())
        .max()
        .unwrap_or(0);
    assert!(dropped <= 101 * levels.iter().map(TextMap::len).sum::<usize>().max(1));
    // A risk that is said anywhere counts.
    for risk in Risk::ALL {
        let says = |annotations: &Annotations| {
            let words = annotations
                .get("runtime-risks")
                .map(|words| words.split(',').map(str::trim).collect::<Vec<_>>());
            words.unwrap_or_default().contains(&risk.as_str())
        };
        assert_eq!(
            context.risks.contains(risk),
            levels.iter().any(says),
            "{risk:?}"
        );
    }
    // Nothing is read that is not said, and the pod says it last.
    for (key, value) in context.tags.iter() {
        let [namespace, workload, pod] = levels.each_ref().map(|level| level.get(key));
        assert_eq!(pod.or(workload).or(namespace), Some(value));
    }
    let once = Context::merge(None, None, pod, "acme");
    assert_eq!(Context::merge(pod, pod, pod, "acme"), once);
}

/// Two keys of records on a line each: host, organization, cluster, environments and name, with a
/// `|` between them.
pub(crate) fn identity(bytes: &[u8]) {
    let Some(lines) = lines(bytes) else { return };
    let identity = |number| {
        let mut parts = line(&lines, number).split('|').map(Arc::<str>::from);
        let mut part = || parts.next().unwrap_or_default();
        let destination = Destination {
            host: part(),
            organization: part(),
            cluster: part(),
            logical_environment: part(),
            physical_environment: Some(part()).filter(|part| !part.is_empty()),
        };
        Identity {
            destination: Arc::new(destination),
            name: part(),
        }
    };
    let (one, other) = (identity(0), identity(1));
    assert_eq!(one.cmp(&other), other.cmp(&one).reverse());
    assert_eq!(one == other, one.folded() == other.folded());
    assert!(one == other || !one.is_spelled_as(&other));
    assert_eq!(one.cmp(&one.clone()), std::cmp::Ordering::Equal);
}
