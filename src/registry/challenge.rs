//! Challenges: how a registry asks to be signed in to, by the `WWW-Authenticate` of its 401
//! (<https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>,
//! <https://distribution.github.io/distribution/spec/auth/token/>). Pure.

use http::header::{HeaderMap, WWW_AUTHENTICATE};

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With a name and a password.
    Basic,
    /// With a token that a service gives out.
    Bearer {
        /// The address of the service.
        realm: String,
        /// The name of the registry there.
        service: Option<String>,
        /// What is to be allowed.
        scope: Option<String>,
    },
}

/// What these headers ask for; where there is a choice, a token.
pub(super) fn read(headers: &HeaderMap) -> Option<Challenge> {
    /// More than any challenge has, in bytes.
    const LONGEST: usize = 8192;
    let texts = headers.get_all(WWW_AUTHENTICATE).iter();
    let texts = texts.filter_map(|value| value.to_str().ok());
    let mut basic = None;
    for text in texts.filter(|text| text.len() <= LONGEST) {
        for challenge in challenges(text) {
            match challenge {
                Challenge::Bearer { .. } => return Some(challenge),
                Challenge::Basic => basic = Some(challenge),
            }
        }
    }
    basic
}

/// Those of one header that are known.
fn challenges(text: &str) -> Vec<Challenge> {
    let mut found: Vec<(&str, Vec<(String, String)>)> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let word = rest.split([' ', '\t', ',', '=']).next().unwrap_or_default();
        if word.is_empty() {
            break;
        }
        rest = rest.get(word.len()..).unwrap_or_default();
        let behind = rest.trim_start_matches([' ', '\t']);
        match (behind.strip_prefix('='), found.last_mut()) {
            (Some(behind), Some((_, parameters))) => {
                let (value, behind) = value(behind.trim_start_matches([' ', '\t']));
                parameters.push((word.to_ascii_lowercase(), value));
                rest = behind;
            }
            // A parameter of nothing.
            (Some(_), None) => break,
            (None, _) => found.push((word, Vec::new())),
        }
    }
    let known = found.into_iter().filter_map(|(scheme, parameters)| {
        let get = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone())
        };
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        let realm = get("realm").filter(|_| scheme.eq_ignore_ascii_case("bearer"))?;
        Some(Challenge::Bearer {
            realm,
            service: get("service"),
            scope: get("scope"),
        })
    });
    known.collect()
}

/// A value, in quotes or not, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', '\t', ',']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            _ => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(texts: &[&str]) -> Option<Challenge> {
        let value = |text: &&str| (WWW_AUTHENTICATE, HeaderValue::from_str(text).unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in texts.iter().map(value) {
            headers.append(name, value);
        }
        read(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn a_challenge_is_read_in_every_form_that_registries_give_it() {
        let pull = "repository:library/nginx:pull";
        let realm = "https://auth.docker.io/token";
        let service = "registry.docker.io";
        for (texts, expected) in [
            (
                // Docker Hub's, with a comma within quotes as GitLab has them.
                vec![
                    r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/nginx:pull""#,
                ],
                Some(bearer(realm, Some(service), Some(pull))),
            ),
            (
                vec![r#"Bearer realm="https://a.test/t",scope="repository:a:pull,push""#],
                Some(bearer(
                    "https://a.test/t",
                    None,
                    Some("repository:a:pull,push"),
                )),
            ),
            (
                vec![r#"bearer  Realm = "https://a.test/t" , SERVICE=a.test"#],
                Some(bearer("https://a.test/t", Some("a.test"), None)),
            ),
            (
                vec![r#"Basic realm="Registry Realm""#],
                Some(Challenge::Basic),
            ),
            (vec!["BASIC"], Some(Challenge::Basic)),
            // A choice, in one header or in two.
            (
                vec![r#"Basic realm="x, y=z", Bearer realm="https://a.test/t""#],
                Some(bearer("https://a.test/t", None, None)),
            ),
            (
                vec![r#"Basic realm="x""#, r#"Bearer realm="https://a.test/t""#],
                Some(bearer("https://a.test/t", None, None)),
            ),
            (
                vec![r#"Bearer realm="https://a.test/\"t\"""#],
                Some(bearer("https://a.test/\"t\"", None, None)),
            ),
            (vec![r#"Bearer error="invalid_token""#], None),
            (vec!["Negotiate"], None),
            (vec![r#"realm="https://a.test""#], None),
            (
                vec![r#"Bearer realm="https://a.test"#],
                Some(bearer("https://a.test", None, None)),
            ),
            (vec![",, ,"], None),
            (vec!["="], None),
            (vec![], None),
        ] {
            assert_eq!(of(&texts), expected, "{texts:?}");
        }
        let long = format!("Bearer realm=\"{}\"", "x".repeat(10_000));
        assert_eq!(of(&[&long]), None);
    }
}
