//! The template of record names (`--name-template`) and what it makes of a source. Whether a name
//! is free, and who gets it, is decided in `naming`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::workload::Source;

/// How many bytes a record name may have; the contract counts characters, of which there are never
/// more.
const LONGEST_NAME: usize = 256;

/// How many hexadecimal digits a shortened name ends with.
const SHORT_HASH: usize = 8;

/// A template of record names.
///
/// Two spellings are understood: `{namespace}-{workload}-{container}`, and the one of
/// github/deployment-tracker, `{{namespace}}/{{deploymentName}}/{{containerName}}`. Both are
/// printed in the first one, which is what the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Namespace,
    Workload,
    Container,
    Kind,
}

impl Field {
    const ALL: [Self; 4] = [Self::Namespace, Self::Workload, Self::Container, Self::Kind];

    fn as_str(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Workload => "workload",
            Self::Container => "container",
            Self::Kind => "kind",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "deploymentName" => Some(Self::Workload),
            "containerName" => Some(Self::Container),
            word => Self::ALL.into_iter().find(|field| field.as_str() == word),
        }
    }
}

impl Default for Template {
    /// `{namespace}-{workload}-{container}`, the form that GitHub recommends.
    fn default() -> Self {
        let dash = || Part::Text("-".into());
        let [namespace, workload, container] =
            [Field::Namespace, Field::Workload, Field::Container].map(Part::Field);
        Self(vec![namespace, dash(), workload, dash(), container])
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['{', '}']).unwrap_or(rest.len());
            let (literal, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            if literal.contains(char::is_control) {
                return Err(TemplateError::ControlCharacter);
            }
            if !literal.is_empty() {
                parts.push(Part::Text(literal.into()));
            }
            rest = behind;
            if !rest.is_empty() {
                let (word, behind) = placeholder(rest).ok_or(TemplateError::UnbalancedBrace)?;
                let field = Field::parse(word.trim())
                    .ok_or_else(|| TemplateError::UnknownPlaceholder(word.trim().into()))?;
                parts.push(Part::Field(field));
                rest = behind;
            }
        }
        let has_field = parts.iter().any(|part| matches!(part, Part::Field(_)));
        if has_field {
            Ok(Self(parts))
        } else {
            Err(TemplateError::NoPlaceholder)
        }
    }
}

/// The word in the single or double braces that `text` starts with, and what is behind them.
fn placeholder(text: &str) -> Option<(&str, &str)> {
    let (word, behind) = match text.strip_prefix("{{") {
        Some(inner) => inner.split_once("}}")?,
        None => text.strip_prefix('{')?.split_once('}')?,
    };
    (!word.contains(['{', '}'])).then_some((word, behind))
}

impl Template {
    /// The name of `source`: 1 to 256 bytes. A longer one is cut and ends with a hash of the
    /// source.
    pub fn render(&self, source: &Source) -> Arc<str> {
        let name = self.whole(source);
        if name.len() <= LONGEST_NAME {
            name.into()
        } else {
            shortened(&name, source, SHORT_HASH)
        }
    }

    /// The name of `source` for the case that [`Self::render`] gives one that is taken: ends with
    /// `hex_len` (at most 64) hexadecimal digits of the SHA-256 of the source.
    pub fn suffixed(&self, source: &Source, hex_len: usize) -> Arc<str> {
        shortened(&self.whole(source), source, hex_len)
    }

    fn whole(&self, source: &Source) -> String {
        let workload = &source.workload;
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(Field::Namespace) => name.push_str(&workload.namespace),
                Part::Field(Field::Workload) => name.push_str(&workload.name),
                Part::Field(Field::Container) => name.push_str(&source.container),
                Part::Field(Field::Kind) => name.push_str(&workload.kind.kind().to_lowercase()),
            }
        }
        name
    }
}

/// `name`, cut so that everything fits, `-`, and the first digits of the hash of `source`.
fn shortened(name: &str, source: &Source, hex_len: usize) -> Arc<str> {
    let hash = hash(source);
    let hash = hash.get(..hex_len).unwrap_or(&hash);
    let end = name.floor_char_boundary(LONGEST_NAME - 1 - hash.len());
    format!("{}-{hash}", name.get(..end).unwrap_or(name)).into()
}

/// The SHA-256 of the full source in hexadecimal digits.
fn hash(source: &Source) -> String {
    let hash = digest(&SHA256, source.text().as_bytes());
    let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Field(field) => write!(f, "{{{}}}", field.as_str()),
        })
    }
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// A placeholder that does not exist.
    UnknownPlaceholder(String),
    /// A brace without its other.
    UnbalancedBrace,
    /// Without a placeholder all sources had one name.
    NoPlaceholder,
    /// A line break or another control character.
    ControlCharacter,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPlaceholder(word) => write!(f, "{{{word}}} is no placeholder")?,
            Self::UnbalancedBrace => f.write_str("it has a brace without its other")?,
            Self::NoPlaceholder => f.write_str("it has no placeholder")?,
            Self::ControlCharacter => f.write_str("it has a control character")?,
        }
        f.write_str("; the placeholders are {namespace}, {workload}, {container} and {kind}")
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::workload::{Kind, Workload};
    use super::*;

    fn source(kind: Kind, namespace: &str, name: &str, container: &str) -> Source {
        let workload = Workload {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        };
        Source::new(workload, container.into())
    }

    #[test]
    fn a_template_names_a_source_and_prints_in_one_spelling() {
        let web = source(Kind::Deployment, "shop", "web", "nginx");
        for (text, canonical, name) in [
            ("{namespace}-{workload}-{container}", "", "shop-web-nginx"),
            (
                "{{namespace}}/{{deploymentName}}/{{containerName}}",
                "{namespace}/{workload}/{container}",
                "shop/web/nginx",
            ),
            (
                "{{ namespace }}:{ workload }",
                "{namespace}:{workload}",
                "shop:web",
            ),
            ("{kind}/{workload}.{container}", "", "deployment/web.nginx"),
            ("{container}", "", "nginx"),
            ("eu é {workload}{workload}", "", "eu é webweb"),
        ] {
            let template: Template = text.parse().expect(text);
            let canonical = if canonical.is_empty() {
                text
            } else {
                canonical
            };
            assert_eq!(template.to_string(), canonical);
            assert_eq!(canonical.parse(), Ok(template.clone()));
            assert_eq!(&*template.render(&web), name);
        }
        assert_eq!(
            Template::default().to_string().parse(),
            Ok(Template::default())
        );
    }

    #[test]
    fn what_is_no_template_is_refused_with_the_reason() {
        let unknown = |word: &str| TemplateError::UnknownPlaceholder(word.into());
        for (text, error) in [
            ("", TemplateError::NoPlaceholder),
            ("web", TemplateError::NoPlaceholder),
            ("{namespace", TemplateError::UnbalancedBrace),
            ("namespace}", TemplateError::UnbalancedBrace),
            ("{{namespace}", TemplateError::UnbalancedBrace),
            ("{namespace}}", TemplateError::UnbalancedBrace),
            ("{{namespace}}}", TemplateError::UnbalancedBrace),
            ("{{{namespace}}}", TemplateError::UnbalancedBrace),
            ("{name{space}}", TemplateError::UnbalancedBrace),
            ("{}", unknown("")),
            ("{pod}", unknown("pod")),
            ("{Namespace}", unknown("Namespace")),
            ("{workload}\n", TemplateError::ControlCharacter),
        ] {
            assert_eq!(text.parse::<Template>(), Err(error), "{text:?}");
        }
        assert_eq!(
            unknown("pod").to_string(),
            "{pod} is no placeholder; the placeholders are {namespace}, {workload}, {container} \
             and {kind}"
        );
    }

    #[test]
    fn a_name_over_256_bytes_is_cut_at_a_character_and_ends_with_a_hash() {
        let template: Template = format!("é{{workload}}{}", "é".repeat(150)).parse().unwrap();
        let name = template.render(&source(Kind::StatefulSet, "shop", "db", "postgres"));
        // 'é' has two bytes and the first one of 248 is odd, so 247 is in the middle of none.
        assert_eq!(name.len(), 255);
        // printf 'apps\nStatefulSet\nshop\ndb\npostgres' | sha256sum
        assert!(name.ends_with("é-c5a252d4"), "{name}");
        let exact = source(Kind::StatefulSet, "shop", &"x".repeat(256), "c");
        assert_eq!(template_of("{workload}").render(&exact).len(), 256);
        let longer = source(Kind::StatefulSet, "shop", &"x".repeat(257), "c");
        let name = template_of("{workload}").render(&longer);
        assert_eq!((name.len(), name.rfind('-')), (256, Some(247)));
    }

    fn template_of(text: &str) -> Template {
        text.parse().expect("a template")
    }

    #[test]
    fn a_suffix_tells_sources_of_one_name_apart() {
        let template = Template::default();
        let all = [
            source(Kind::Deployment, "a", "b-c", "d"),
            source(Kind::StatefulSet, "a", "b-c", "d"),
            source(Kind::Deployment, "a-b", "c", "d"),
            source(
                Kind::Other {
                    group: "x.io".into(),
                    kind: "Deployment".into(),
                },
                "a",
                "b-c",
                "d",
            ),
        ];
        let mut names: Vec<_> = all
            .iter()
            .map(|source| template.suffixed(source, 8))
            .collect();
        assert!(
            all.iter()
                .all(|source| &*template.render(source) == "a-b-c-d")
        );
        assert!(
            names
                .iter()
                .all(|name| name.starts_with("a-b-c-d-") && name.len() == 16)
        );
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 4);
        assert_eq!(template.suffixed(&all[0], 99).len(), "a-b-c-d-".len() + 64);
    }

    proptest! {
        #[test]
        fn every_name_is_of_the_length_the_api_takes(
            text in "[a-zé{}-]{0,20}\\{(namespace|workload|kind)\\}.{0,200}",
            name in "[a-z]{1,253}", hex_len in 0usize..70,
        ) {
            if let Ok(template) = text.parse::<Template>() {
                let source = source(Kind::Job, &name, &name, &name);
                prop_assert!((1..=256).contains(&template.render(&source).len()));
                let suffixed = template.suffixed(&source, hex_len);
                prop_assert!((1..=256).contains(&suffixed.len()));
                prop_assert!(suffixed.ends_with(&hash(&source)[..hex_len.min(64)]));
                prop_assert_eq!(template.to_string().parse(), Ok(template));
            }
        }
    }
}
