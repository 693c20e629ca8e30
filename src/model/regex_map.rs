//! Rules of the form `REGEX=VALUE`, tried in their order against the normalised name of an image:
//! `--repository-map`, `--org-map`. What a value may be is the business of whoever asks.

use std::fmt;
use std::sync::Arc;

use regex::Regex;

/// How large a compiled expression may be, in bytes: the one limit that a long one needs, since
/// matching takes time linear in the name (<https://docs.rs/regex/latest/regex/#untrusted-input>).
const LARGEST: usize = 1 << 20;

/// Expressions and what a name that matches stands for.
#[derive(Clone, Debug, Default)]
pub struct RegexMap {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    regex: Regex,
    /// As typed, for people.
    typed: Arc<str>,
    value: Arc<str>,
}

impl RegexMap {
    /// Reads rules of the form `REGEX=VALUE`, each split at its last `=`. An expression describes
    /// a whole name, from its first character to its last; `$1` or `${name}` in a value stands for
    /// what the group of that number or name matched. `is_valid` judges values without such a
    /// reference, which stand for themselves.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be read.
    pub fn parse<'a>(
        rules: impl IntoIterator<Item = &'a str>,
        is_valid: impl Fn(&str) -> bool,
    ) -> Result<Self, RegexMapError> {
        let rule = |typed: &str| {
            read(typed, &is_valid).map_err(|reason| RegexMapError {
                rule: typed.into(),
                reason,
            })
        };
        let rules = rules.into_iter().map(rule).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// What the first rule that describes the whole of `name` makes of it.
    pub fn apply(&self, name: &str) -> Option<Arc<str>> {
        self.find(name).map(|(value, _)| value)
    }

    /// The same, with the rule as typed.
    pub fn find(&self, name: &str) -> Option<(Arc<str>, &Arc<str>)> {
        self.rules.iter().find_map(|rule| {
            let groups = rule.regex.captures(name)?;
            if !rule.value.contains('$') {
                return Some((rule.value.clone(), &rule.typed));
            }
            let mut value = String::new();
            groups.expand(&rule.value, &mut value);
            Some((value.into(), &rule.typed))
        })
    }

    /// Whether it has no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Every value that stands for itself, in the order of the rules.
    pub fn fixed_values(&self) -> impl Iterator<Item = &Arc<str>> {
        let values = self.rules.iter().map(|rule| &rule.value);
        values.filter(|value| !value.contains('$'))
    }
}

fn read(typed: &str, is_valid: impl Fn(&str) -> bool) -> Result<Rule, Reason> {
    let (expression, value) = typed.rsplit_once('=').ok_or(Reason::NoEqualsSign)?;
    let (expression, value) = (expression.trim(), value.trim());
    if expression.is_empty() {
        return Err(Reason::NoExpression);
    }
    // By itself first: `a)|(b` is whole only between the parentheses that anchor it.
    Regex::new(expression).map_err(|error| Reason::NotAnExpression(error.to_string()))?;
    let regex = regex::RegexBuilder::new(&format!("^(?:{expression})$"))
        .size_limit(LARGEST)
        .build()
        .map_err(|error| Reason::NotAnExpression(error.to_string()))?;
    match missing_group(value, &regex) {
        Some(group) => return Err(Reason::NoSuchGroup(group)),
        None if !value.contains('$') && !is_valid(value) => {
            return Err(Reason::InvalidValue(value.into()));
        }
        None => {}
    }
    Ok(Rule {
        regex,
        typed: typed.into(),
        value: value.into(),
    })
}

/// The first reference of `value` to a group that `regex` does not have. Which text is a reference
/// is the rule of [`regex::Captures::expand`]: the longest name behind `$`, or what is in braces.
fn missing_group(value: &str, regex: &Regex) -> Option<String> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = value;
    while let Some((_, behind)) = rest.split_once('$') {
        if let Some(behind) = behind.strip_prefix('$') {
            rest = behind;
            continue;
        }
        let name = match behind.strip_prefix('{') {
            Some(braced) => braced.split('}').next().unwrap_or_default(),
            None => behind
                .split(|c| !is_of_a_name(c))
                .next()
                .unwrap_or_default(),
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => regex.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            return Some(name.into());
        }
        rest = behind;
    }
    None
}

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexMapError {
    /// The rule as typed.
    pub rule: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    NoEqualsSign,
    NoExpression,
    NotAnExpression(String),
    NoSuchGroup(String),
    InvalidValue(String),
}

impl fmt::Display for RegexMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NoEqualsSign => f.write_str("it has no `=`"),
            Reason::NoExpression => f.write_str("there is no regular expression before the `=`"),
            Reason::NotAnExpression(error) => f.write_str(error),
            Reason::NoSuchGroup(group) => {
                write!(
                    f,
                    "the expression has no group `{group}`, to which the value refers; ${{1}} is the first group"
                )
            }
            Reason::InvalidValue(value) => write!(f, "`{value}` cannot be its value"),
        }
    }
}

impl std::error::Error for RegexMapError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rules: &[&str]) -> RegexMap {
        RegexMap::parse(rules.iter().copied(), |_| true).unwrap()
    }

    #[test]
    fn the_first_rule_that_describes_the_whole_name_wins() {
        let map = map(&[
            "ghcr.io/acme/web-[a-z]+=web",
            "ghcr.io/acme/(?P<name>[^/]+)=$name",
            "ghcr.io/acme/([^/]+)/([^/]+)=${1}-$2",
            "ghcr.io/a=b=c",
            "quay.io/(?P<the_name>[^/]+)=$the_name",
            ".*/(nginx|redis)=proxy",
            "x|ghcr.io/one=two",
        ]);
        for (name, value) in [
            ("ghcr.io/acme/web-shop", Some("web")),
            ("ghcr.io/acme/web-shop2", Some("web-shop2")),
            ("ghcr.io/acme/shop/cart", Some("shop-cart")),
            ("ghcr.io/a=b", Some("c")),
            ("quay.io/shop", Some("shop")),
            ("docker.io/library/nginx", Some("proxy")),
            ("docker.io/library/nginx-2", None),
            ("evil.example/ghcr.io/acme/web-shop", None),
            ("ghcr.io/one/more", None),
            ("ghcr.io/one", Some("two")),
            ("", None),
        ] {
            assert_eq!(map.apply(name).as_deref(), value, "{name}");
        }
        let found = map.find("ghcr.io/acme/web-shop");
        assert_eq!(
            found.map(|(_, rule)| &**rule),
            Some("ghcr.io/acme/web-[a-z]+=web")
        );
        assert_eq!(RegexMap::default().apply("ghcr.io/acme/web"), None);
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_refused_with_the_reason() {
        let huge = format!("{}=web", "[0-9a-z]{1000}".repeat(500));
        for (rule, reason) in [
            ("", "it has no `=`"),
            ("ghcr.io", "it has no `=`"),
            ("=web", "no regular expression"),
            ("ghcr.io/(=web", "unclosed group"),
            ("a)|(b=web", "unopened group"),
            ("ghcr.io/(.*)=$2", "no group `2`"),
            ("ghcr.io/(.*)=$1web", "no group `1web`"),
            ("ghcr.io/(.*)=${team}", "no group `team`"),
            ("ghcr.io/.*=", "`` cannot be its value"),
            ("ghcr.io/.*=a b", "`a b` cannot be its value"),
            (&huge, "size limit"),
        ] {
            let is_valid = |value: &str| !value.is_empty() && !value.contains(' ');
            let error = RegexMap::parse([rule], is_valid).expect_err(rule);
            assert_eq!(error.rule, rule);
            assert!(error.to_string().contains(reason), "{rule}: {error}");
        }
    }

    #[test]
    fn values_that_stand_for_themselves_are_known_beforehand() {
        let map = map(&["a=one", "b(.)=$1", "c=two"]);
        let fixed: Vec<&str> = map.fixed_values().map(|value| &**value).collect();
        assert_eq!(fixed, ["one", "two"]);
        assert!(!map.is_empty() && RegexMap::default().is_empty());
    }
}
