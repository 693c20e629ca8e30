//! Organizations: to which of them a record goes. What an image's name says is nearer to the truth
//! than what its namespace says, because GitHub takes a record only where the artifact is; whatever
//! says nothing usable leaves the word to the next.

use std::fmt;
use std::sync::Arc;

use super::regex_map::{RegexMap, RegexMapError};

/// How many characters the name of an organization may have.
const LONGEST: usize = 39;

/// How images come to their organization.
#[derive(Clone, Debug, Default)]
pub struct Organizations(RegexMap);

/// What the rules say of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// No rule describes it.
    Silent,
    /// The first rule that describes it makes this organization.
    Organization {
        /// The organization.
        name: Arc<str>,
        /// The rule as typed.
        rule: Arc<str>,
    },
    /// The first rule that describes it makes something that is no name of an organization.
    Unusable(Unusable),
}

/// An organization, and what said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The organization.
    pub organization: Arc<str>,
    /// What said so.
    pub origin: Origin,
    /// What said something before it that is no name of an organization.
    pub unusable: Vec<Unusable>,
}

/// What says to which organization a record goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--org`.
    Default,
    /// The label of the namespace (`--org-label`).
    Label,
    /// This rule of `--org-map`, as typed.
    Rule(Arc<str>),
}

/// What somebody said that is no name of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// What was said.
    pub value: Arc<str>,
    /// Who said so.
    pub origin: Origin,
}

impl Organizations {
    /// Reads rules of the form `REGEX=ORG`.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be read.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, RegexMapError> {
        RegexMap::parse(rules, is_organization).map(Self)
    }

    /// Whether no rule is there, so that images say nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The organizations that rules name outright.
    pub fn fixed(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.fixed_values()
    }

    /// What the rules say of the image of that name, normalised and after `--image-map`.
    pub fn of_image(&self, image: &str) -> Ruling {
        match self.0.find(image) {
            None => Ruling::Silent,
            Some((name, rule)) if is_organization(&name) => Ruling::Organization {
                name,
                rule: rule.clone(),
            },
            Some((value, rule)) => Ruling::Unusable(Unusable {
                value,
                origin: Origin::Rule(rule.clone()),
            }),
        }
    }
}

impl Chosen {
    /// The organization of an image for which the rules say this, in a namespace with that label.
    pub fn new(ruling: Ruling, label: Option<&Arc<str>>, default: &Arc<str>) -> Self {
        let mut unusable = Vec::new();
        match ruling {
            Ruling::Organization { name, rule } => {
                return Self {
                    organization: name,
                    origin: Origin::Rule(rule),
                    unusable,
                };
            }
            Ruling::Unusable(made) => unusable.push(made),
            Ruling::Silent => {}
        }
        match label {
            Some(name) if is_organization(name) => Self {
                organization: name.clone(),
                origin: Origin::Label,
                unusable,
            },
            label => {
                unusable.extend(label.map(|value| Unusable {
                    value: value.clone(),
                    origin: Origin::Label,
                }));
                Self {
                    organization: default.clone(),
                    origin: Origin::Default,
                    unusable,
                }
            }
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = &self.value;
        match &self.origin {
            Origin::Default => write!(f, "{value} (--org)"),
            Origin::Label => write!(f, "{value} (the label of its namespace)"),
            Origin::Rule(rule) => write!(f, "{value} (--org-map {rule})"),
        }
    }
}

/// Whether `text` may be the name of an organization: 1 to 39 letters, digits and hyphens, none of
/// those in front. Anything else would be another path of the API, or none.
pub fn is_organization(text: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=LONGEST).contains(&text.len()) && !text.starts_with('-') && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: &str = "ghcr.io/acme/.*=acme";
    const GROUP: &str = "ghcr.io/([^/]+)/.*=$1";

    fn chosen(image: &str, label: Option<&str>) -> (String, Origin, Vec<String>) {
        let rules = Organizations::parse([FIXED, GROUP]).unwrap();
        let label = label.map(Arc::from);
        let found = Chosen::new(rules.of_image(image), label.as_ref(), &"home".into());
        let unusable = found.unusable.iter().map(ToString::to_string).collect();
        (found.organization.to_string(), found.origin, unusable)
    }

    #[test]
    fn the_rule_for_the_image_wins_then_the_label_then_the_setting() {
        let rule = |rule: &str| Origin::Rule(rule.into());
        for (image, label, organization, origin) in [
            ("ghcr.io/acme/web", Some("tools"), "acme", rule(FIXED)),
            ("ghcr.io/Other/web", None, "Other", rule(GROUP)),
            ("quay.io/acme/web", Some("tools"), "tools", Origin::Label),
            ("quay.io/acme/web", None, "home", Origin::Default),
        ] {
            let found = chosen(image, label);
            assert_eq!(found, (organization.into(), origin, vec![]), "{image}");
        }
    }

    #[test]
    fn what_is_no_name_of_an_organization_leaves_the_word_to_the_next_and_is_told() {
        let made = format!("a_b (--org-map {GROUP})");
        let label = "x.y (the label of its namespace)".to_owned();
        for (image, given, organization, unusable) in [
            (
                "ghcr.io/a_b/web",
                Some("tools"),
                "tools",
                vec![made.clone()],
            ),
            (
                "ghcr.io/a_b/web",
                Some("x.y"),
                "home",
                vec![made, label.clone()],
            ),
            ("quay.io/web", Some("x.y"), "home", vec![label]),
            ("ghcr.io/acme/web", Some("x.y"), "acme", vec![]),
        ] {
            let (found, _, told) = chosen(image, given);
            assert_eq!(
                (&*found, told),
                (organization, unusable),
                "{image} {given:?}"
            );
        }
    }

    #[test]
    fn names_of_organizations_are_letters_digits_and_hyphens() {
        let longest = "a".repeat(39);
        for name in ["acme", "Acme-2", "a", "a-", &longest] {
            assert!(is_organization(name), "{name}");
        }
        for name in ["", "-acme", "a_b", "a.b", "a/b", "é", "..", &"a".repeat(40)] {
            assert!(!is_organization(name), "{name}");
        }
    }

    #[test]
    fn a_rule_that_names_what_is_no_organization_is_refused() {
        let error = Organizations::parse(["ghcr.io/.*=a_b"]).unwrap_err();
        assert_eq!(error.to_string(), "`a_b` cannot be its value");
        let rules = Organizations::parse([FIXED, GROUP]).unwrap();
        assert_eq!(
            rules.fixed().map(|name| &**name).collect::<Vec<_>>(),
            ["acme"]
        );
        assert!(Organizations::default().is_empty() && !rules.is_empty());
    }
}
