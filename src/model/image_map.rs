//! `--image-map`: registries that mirror others, so that a record has the name under which its
//! image was published. Works on normalised names only.

use std::fmt;
use std::sync::Arc;

use super::image::{is_host, is_path_component, is_registry, normalised};

/// Prefixes of image names and what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageMap {
    /// From and to, the longest `from` first.
    rules: Vec<(String, String)>,
}

impl ImageMap {
    /// Reads rules of the form `FROM=TO`: a registry each, with or without a part of a path
    /// behind it.
    ///
    /// # Errors
    ///
    /// The first rule that cannot be read, or that maps what another one maps already.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, ImageMapError> {
        let mut map = Self::default();
        for rule in rules {
            let fails = |reason| ImageMapError {
                rule: rule.into(),
                reason,
            };
            let (from, to) = rule
                .split_once('=')
                .ok_or_else(|| fails(Reason::NoEqualsSign))?;
            let from = prefix(from).ok_or_else(|| fails(Reason::NoPrefix(from.into())))?;
            let to = prefix(to).ok_or_else(|| fails(Reason::NoPrefix(to.into())))?;
            if map.rules.iter().any(|(other, _)| *other == from) {
                return Err(fails(Reason::Twice(from)));
            }
            map.rules.push((from, to));
        }
        map.rules.sort_by(|(one, _), (other, _)| {
            other.len().cmp(&one.len()).then_with(|| one.cmp(other))
        });
        Ok(map)
    }

    /// The name that the normalised `name` stands for, normalised too: `name` itself if no rule
    /// has a prefix of it that ends where a part of its path ends. One rule is applied once.
    pub fn apply(&self, name: &Arc<str>) -> Arc<str> {
        let mapped = self.rules.iter().find_map(|(from, to)| {
            let rest = name.strip_prefix(from.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then(|| format!("{to}{rest}"))
        });
        // A rule whose result would be a registry without a path says nothing about this name.
        let mapped = mapped.filter(|mapped| mapped.contains('/'));
        mapped
            .and_then(|mapped| normalised(&mapped))
            .unwrap_or_else(|| name.clone())
    }

    /// The rules as `FROM=TO`, in the order in which they are tried.
    pub fn rules(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(|(from, to)| format!("{from}={to}"))
    }
}

/// A registry with or without a path, without a slash at its end. `None` where it is neither.
fn prefix(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let (registry, path) = match text.split_once('/') {
        Some((registry, path)) => (registry, Some(path)),
        None => (text, None),
    };
    let is_path = |path: &str| path.split('/').all(is_path_component);
    if !is_registry(registry) || !is_host(registry) || !path.is_none_or(is_path) {
        return None;
    }
    let registry = if registry == "index.docker.io" {
        "docker.io"
    } else {
        registry
    };
    Some(path.map_or_else(|| registry.into(), |path| format!("{registry}/{path}")))
}

/// A rule that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageMapError {
    /// The rule as typed.
    pub rule: String,
    reason: Reason,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Reason {
    NoEqualsSign,
    NoPrefix(String),
    Twice(String),
}

impl fmt::Display for ImageMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Reason::NoEqualsSign => f.write_str("it has no `=`")?,
            Reason::NoPrefix(text) => write!(f, "`{text}` does not begin with a registry")?,
            Reason::Twice(text) => write!(f, "`{text}` is mapped twice")?,
        }
        f.write_str("; allowed is FROM=TO, such as mirror.example.com/hub=docker.io")
    }
}

impl std::error::Error for ImageMapError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_ends_with_a_part_of_the_path_is_replaced() {
        let map = ImageMap::parse([
            "mirror.example.com=quay.io",
            "mirror.example.com/hub/=docker.io",
            "mirror.example.com/hub/acme=ghcr.io/acme/images",
            "localhost:5000=index.docker.io",
            "[::1]:5000=ghcr.io",
            "quay.io/old=quay.io/new",
            "mirror.example.com/one/web=ghcr.io/acme/web",
            // Of an organization there. Docker's own image of that name is in `library`.
            "docker.io/nginx=quay.io/hub/nginx",
        ])
        .unwrap();
        for (name, mapped) in [
            (
                "mirror.example.com/hub/bitnami/redis",
                "docker.io/bitnami/redis",
            ),
            ("mirror.example.com/hub/nginx", "docker.io/library/nginx"),
            (
                "mirror.example.com/hub/library/nginx",
                "docker.io/library/nginx",
            ),
            ("mirror.example.com/hub", "mirror.example.com/hub"),
            ("mirror.example.com/hubs/web", "quay.io/hubs/web"),
            ("mirror.example.com/hub/acme/web", "ghcr.io/acme/images/web"),
            ("mirror.example.com/hub/acme-2/web", "docker.io/acme-2/web"),
            ("mirror.example.com/old/web", "quay.io/old/web"),
            (
                "docker.io/nginx/nginx-ingress",
                "quay.io/hub/nginx/nginx-ingress",
            ),
            ("docker.io/library/nginx", "docker.io/library/nginx"),
            ("mirror.example.com/one/web", "ghcr.io/acme/web"),
            ("mirror.example.com:443/web", "mirror.example.com:443/web"),
            ("localhost:5000/web", "docker.io/library/web"),
            ("[::1]:5000/acme/web", "ghcr.io/acme/web"),
            ("ghcr.io/acme/web", "ghcr.io/acme/web"),
        ] {
            assert_eq!(&*map.apply(&name.into()), mapped, "{name}");
        }
    }

    #[test]
    fn the_order_of_the_rules_does_not_matter() {
        let rules = ["a.io/x=b.io", "a.io=c.io", "d.io/x=e.io"];
        let backwards = rules.into_iter().rev();
        let map = ImageMap::parse(rules).unwrap();
        let printed: Vec<String> = map.rules().collect();
        assert_eq!(printed, ["a.io/x=b.io", "d.io/x=e.io", "a.io=c.io"]);
        assert_eq!(Ok(map), ImageMap::parse(backwards));
    }

    #[test]
    fn a_rule_that_cannot_be_read_is_refused_with_the_reason() {
        for (rule, error) in [
            ("", "it has no `=`"),
            ("ghcr.io", "it has no `=`"),
            ("=ghcr.io", "`` does not begin with a registry"),
            ("ghcr.io=", "`` does not begin with a registry"),
            ("nginx=ghcr.io", "`nginx` does not begin with a registry"),
            (
                "ghcr.io=acme/web",
                "`acme/web` does not begin with a registry",
            ),
            (
                "ghcr.io/Acme=quay.io",
                "`ghcr.io/Acme` does not begin with a registry",
            ),
            (
                "https://ghcr.io=quay.io",
                "`https://ghcr.io` does not begin with a registry",
            ),
            (
                "ghcr.io/a:1=quay.io",
                "`ghcr.io/a:1` does not begin with a registry",
            ),
            (
                "a.io=b.io=c.io",
                "`b.io=c.io` does not begin with a registry",
            ),
        ] {
            let found = ImageMap::parse([rule]).expect_err(rule);
            assert_eq!(found.rule, rule);
            assert!(
                found
                    .to_string()
                    .starts_with(&format!("{error}; allowed is ")),
                "{found}"
            );
        }
        let twice = ImageMap::parse(["docker.io=a.io", "index.docker.io/=b.io"]).unwrap_err();
        assert!(
            twice.to_string().starts_with("`docker.io` is mapped twice"),
            "{twice}"
        );
    }
}
