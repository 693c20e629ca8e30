//! What is recorded: namespaces, labels, images, kinds.

use std::borrow::Cow;

use super::{SettingError, value};
use crate::cli::args::{DestinationArgs, ScopeArgs};
use crate::cluster::{LabelSelector, Scope};
use crate::model::exposure::Way;
use crate::model::image::ImageRef;
use crate::model::selection::{KindGroup, Pattern, Selection};

/// Checks what was typed.
pub(super) fn scope(
    args: &ScopeArgs,
    destination: &DestinationArgs,
) -> Result<Scope, SettingError> {
    let workload_labels = selector("selector", args.selector.as_deref())?;
    let namespace_labels = selector("namespace-selector", args.namespace_selector.as_deref())?;
    let selection = Selection {
        namespaces: patterns("namespaces", &args.namespaces, namespace)?,
        exclude_namespaces: patterns("exclude-namespaces", &args.exclude_namespaces, namespace)?,
        images: patterns("images", &args.images, image)?,
        exclude_images: patterns("exclude-images", &args.exclude_images, image)?,
        kinds: kinds(args)?,
        by_workload_labels: workload_labels.is_some(),
        by_namespace_labels: namespace_labels.is_some(),
        ways: ways(&args.infer_risks)?,
    };
    check_that_something_is_left(&selection)?;
    let logical = destination.logical_environment_label.as_deref();
    let physical = destination.physical_environment_label.as_deref();
    let organization = destination.org_label.as_deref();
    Ok(Scope {
        selection,
        workload_labels,
        namespace_labels,
        logical_environment_label: label("logical-environment-label", logical)?,
        physical_environment_label: label("physical-environment-label", physical)?,
        organization_label: label("org-label", organization)?,
        pull_secrets: false,
    })
}

fn label(flag: &'static str, text: Option<&str>) -> Result<Option<String>, SettingError> {
    text.filter(|text| !text.is_empty())
        .map(|text| value::label_key(flag, text))
        .transpose()
}

/// An empty selector selects everything, as kubectl's does.
fn selector(flag: &'static str, text: Option<&str>) -> Result<Option<LabelSelector>, SettingError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    LabelSelector::parse(text).map(Some).map_err(|error| {
        let problem = format!("{error}; allowed is what kubectl --selector takes");
        SettingError::invalid(flag, text, problem)
    })
}

/// What is wrong with a pattern.
type Problem = Cow<'static, str>;

fn patterns(
    flag: &'static str,
    texts: &[String],
    check: fn(&str) -> Result<(), Problem>,
) -> Result<Vec<Pattern>, SettingError> {
    let texts = texts.iter().map(|text| text.trim());
    texts
        .map(|text| match check(text) {
            Ok(()) => Ok(Pattern::new(text)),
            Err(problem) => Err(SettingError::invalid(flag, text, problem)),
        })
        .collect()
}

fn namespace(pattern: &str) -> Result<(), Problem> {
    let is_allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '*');
    let is_whole = pattern.contains('*') || pattern.len() <= 63;
    let at_an_end = pattern.starts_with('-') || pattern.ends_with('-');
    if !pattern.is_empty() && is_whole && !at_an_end && pattern.chars().all(is_allowed) {
        Ok(())
    } else {
        let problem =
            "a namespace has lower-case letters, digits and hyphens, and * stands for any text";
        Err(problem.into())
    }
}

/// Patterns are matched against whole names, so one that can match none is a mistake; given alone it
/// would end every record.
fn image(pattern: &str) -> Result<(), Problem> {
    const HUB: &str = "index.docker.io";
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:[]*".contains(c);
    let (registry, path) = pattern.split_once('/').unwrap_or((pattern, ""));
    if pattern.is_empty() || !pattern.chars().all(is_allowed) {
        let problem =
            "an image's name has letters, digits and . _ - / :, and * stands for any text";
        return Err(problem.into());
    }
    if pattern.contains("//") || pattern.ends_with('/') {
        let problem = "a pattern is matched with the image's name, which has no scheme and no empty \
                       part: ghcr.io/acme/web, not https://ghcr.io/acme/web";
        return Err(problem.into());
    }
    if path.contains(':') || has_tag(pattern) {
        return Err("a pattern is matched with the image's name, which has no tag".into());
    }
    let whole = |name: &str| {
        format!("a pattern is matched with the image's full name: {pattern} is {name}").into()
    };
    if !pattern.contains('*') {
        return match ImageRef::parse(pattern) {
            Some(image) if *image.name == *pattern => Ok(()),
            Some(image) => Err(whole(&image.name)),
            None => Err("no image has this name".into()),
        };
    }
    let is_registry = registry.contains(['.', ':', '*']) || registry == "localhost";
    if registry == HUB {
        return Err(whole(&pattern.replacen(HUB, "docker.io", 1)));
    }
    if !is_registry {
        let problem =
            "a pattern is matched with the image's full name: nginx is docker.io/library/nginx";
        return Err(problem.into());
    }
    if path.contains(char::is_uppercase) {
        let problem = format!(
            "a pattern is matched with the image's full name, which has upper case in its registry \
             alone: write {registry}/{}",
            path.to_lowercase()
        );
        return Err(problem.into());
    }
    Ok(())
}

/// Whether what stands behind the last colon of a pattern with `*` can be no part of a registry: a
/// port, or the end of an IPv6 address, with the path behind it. A name without `*` is parsed whole.
fn has_tag(pattern: &str) -> bool {
    let Some((_, behind)) = pattern.rsplit_once(':').filter(|_| pattern.contains('*')) else {
        return false;
    };
    let Some(end) = behind.find(['/', '*']) else {
        return true;
    };
    let is_allowed = |c: char| c.is_ascii_hexdigit() || c == ']';
    !behind.chars().take(end).all(is_allowed)
}

fn kinds(args: &ScopeArgs) -> Result<Vec<KindGroup>, SettingError> {
    let mut kinds = Vec::new();
    if args.kinds.is_empty() {
        kinds.extend(KindGroup::DEFAULT);
    }
    let typed = args.kinds.iter().map(|word| ("kinds", word));
    let added = args.add_kinds.iter().map(|word| ("add-kinds", word));
    for (flag, word) in typed.chain(added) {
        let mut all = KindGroup::ALL.into_iter();
        let Some(kind) = all.find(|kind| kind.as_str() == word.trim()) else {
            let words = KindGroup::ALL.map(KindGroup::as_str).join(", ");
            return Err(SettingError::invalid(
                flag,
                word,
                format!("allowed are {words}"),
            ));
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

fn ways(words: &[String]) -> Result<Vec<Way>, SettingError> {
    let mut ways = Vec::new();
    for word in words {
        let Some(way) = Way::parse(word.trim()) else {
            let words = Way::ALL.map(Way::as_str).join(", ");
            let problem = format!("allowed are {words}");
            return Err(SettingError::invalid("infer-risks", word, problem));
        };
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    Ok(ways)
}

/// A selection that can hold nothing would end every record: rather a mistake than a wish.
fn check_that_something_is_left(selection: &Selection) -> Result<(), SettingError> {
    let nothing = |flag, pattern: &Pattern, included: &'static str| {
        let problem = format!("with {included} this leaves nothing to record");
        Err(SettingError::invalid(flag, &pattern.to_string(), problem))
    };
    // No name is as short: only what is made of `*`, beside an image's one slash, matches that.
    for (flag, included, excluded, of, shortest) in [
        (
            "exclude-namespaces",
            &selection.namespaces,
            &selection.exclude_namespaces,
            "--namespaces",
            "",
        ),
        (
            "exclude-images",
            &selection.images,
            &selection.exclude_images,
            "--images",
            "/",
        ),
    ] {
        let mut every = excluded.iter().filter(|pattern| pattern.matches(shortest));
        if let Some(every) = every.next() {
            return nothing(flag, every, "whatever else is given");
        }
        // Of a pattern that matches another one's text, whose `*` only its own `*` can match, all is
        // matched that the other one matches.
        let covers = |included: &Pattern| {
            let text = included.to_string();
            excluded.iter().find(|excluded| excluded.matches(&text))
        };
        let covered: Option<Vec<&Pattern>> = included.iter().map(covers).collect();
        if let Some(pattern) = covered.unwrap_or_default().first() {
            return nothing(flag, pattern, of);
        }
    }
    Ok(())
}
