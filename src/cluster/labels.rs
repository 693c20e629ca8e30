//! Label selectors as people type them, matched on our side: an object that leaves a selection must
//! still be seen as present, and a selector given to the server would make it look deleted.
//! kube has the expressions and their meaning; it has no parser for the text.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use kube::core::{Expression, Selector, SelectorExt};

/// A label selector: `app=web,tier!=cache,env in (prod, stage),!experimental`.
/// The syntax is that of `kubectl --selector`:
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector(Selector);

/// Why a text is no label selector.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{requirement}`: {problem}")]
pub struct LabelSelectorError {
    /// The part that is wrong.
    pub requirement: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl LabelSelector {
    /// Reads a selector. An empty one selects everything.
    pub fn parse(text: &str) -> Result<Self, LabelSelectorError> {
        if text.trim().is_empty() {
            return Ok(Self(Selector::default()));
        }
        requirements(text)
            .into_iter()
            .map(expression)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.0.matches(labels)
    }
}

impl FromStr for LabelSelector {
    type Err = LabelSelectorError;

    fn from_str(text: &str) -> Result<Self, LabelSelectorError> {
        Self::parse(text)
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The parts between the commas that stand outside of parentheses.
fn requirements(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|letter| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
    .map(str::trim)
    .collect()
}

fn expression(requirement: &str) -> Result<Expression, LabelSelectorError> {
    let wrong = |problem| LabelSelectorError {
        requirement: requirement.to_owned(),
        problem,
    };
    let key = |text: &str| key(text).map_err(wrong);
    let value = |text: &str| value(text).map_err(wrong);
    if let Some(absent) = requirement.strip_prefix('!') {
        return Ok(Expression::DoesNotExist(key(absent)?));
    }
    if let Some((left, right)) = requirement.split_once("!=") {
        return Ok(Expression::NotEqual(key(left)?, value(right)?));
    }
    if let Some((left, right)) = requirement.split_once('=') {
        return Ok(Expression::Equal(
            key(left)?,
            value(right.strip_prefix('=').unwrap_or(right))?,
        ));
    }
    let Some((left, set)) = requirement.split_once('(') else {
        return Ok(Expression::Exists(key(requirement)?));
    };
    let set = set
        .strip_suffix(')')
        .ok_or_else(|| wrong("the parenthesis is not closed"))?;
    let values = set.split(',').map(value).collect::<Result<_, _>>()?;
    let mut words = left.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(name), Some("in"), None) => Ok(Expression::In(key(name)?, values)),
        (Some(name), Some("notin"), None) => Ok(Expression::NotIn(key(name)?, values)),
        _ => Err(wrong(
            "allowed before a parenthesis are `KEY in` and `KEY notin`",
        )),
    }
}

/// A label key: an optional DNS prefix with a slash, and a name.
fn key(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let dns = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_dns = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|part| {
                part.starts_with(dns)
                    && part.ends_with(dns)
                    && part.chars().all(|c| dns(c) || c == '-')
            })
    };
    if !is_name(name) || !prefix.is_none_or(is_dns) {
        return Err("the key is not a label key");
    }
    Ok(text.to_owned())
}

/// A label value: empty or a name.
fn value(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() || is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("the value is not a label value")
    }
}

/// Up to 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let edge = |letter: char| letter.is_ascii_alphanumeric();
    let inner = |letter: char| edge(letter) || matches!(letter, '-' | '_' | '.');
    text.len() <= 63 && text.starts_with(edge) && text.ends_with(edge) && text.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn every_form_of_requirement_selects_what_kubectl_selects() {
        let web = labels(&[("app", "web"), ("tier", "front"), ("example.com/team", "a")]);
        for (text, expected) in [
            ("", true),
            ("  ", true),
            ("app", true),
            ("!app", false),
            ("! absent", true),
            ("app=web", true),
            ("app == web", true),
            ("app=api", false),
            ("app!=api", true),
            ("absent!=x", true),
            ("absent=", false),
            ("app=web,tier=front", true),
            ("app=web, tier=back", false),
            ("app in (web, api)", true),
            ("app in (api)", false),
            ("app notin (web,api)", false),
            ("absent notin (web)", true),
            (
                "app in (web),tier notin (back, middle),example.com/team",
                true,
            ),
            ("example.com/team=a", true),
        ] {
            assert_eq!(
                LabelSelector::parse(text).unwrap().matches(&web),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_with_the_part_that_is_wrong() {
        for (text, part) in [
            ("app=web,", ""),
            (",", ""),
            ("=web", "=web"),
            ("app web", "app web"),
            ("app=web api", "app=web api"),
            ("app in (web", "app in (web"),
            ("app within (web)", "app within (web)"),
            ("a,app=we*b", "app=we*b"),
            ("app=web!", "app=web!"),
            ("Example.com/app", "Example.com/app"),
            ("a/b/c", "a/b/c"),
            ("-app", "-app"),
            ("app>1", "app>1"),
        ] {
            let error = LabelSelector::parse(text).unwrap_err();
            assert_eq!(error.requirement, part, "{text}: {error}");
        }
    }
}
