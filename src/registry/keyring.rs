//! Pull secrets: which credentials of a pod are for which image, by the rules of the kubelet
//! (<https://kubernetes.io/docs/concepts/containers/images/#config-json>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/credentialprovider/keyring.go>). Pure; what
//! is secret is nowhere else in here than where it is needed.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// What a pull secret holds.
#[derive(Clone, Debug)]
pub enum PullSecret {
    /// Of type `kubernetes.io/dockerconfigjson`.
    Json(SecretString),
    /// Of type `kubernetes.io/dockercfg`, the older form.
    Cfg(SecretString),
}

/// A name and a password.
#[derive(Clone)]
pub(super) struct Credential {
    user: SecretString,
    password: SecretString,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential")
    }
}

impl Credential {
    /// As the header `Authorization` has it.
    pub(super) fn basic(&self) -> SecretString {
        let (user, password) = (self.user.expose_secret(), self.password.expose_secret());
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))).into()
    }
}

#[derive(Deserialize)]
struct Config {
    auths: Option<Auths>,
}

type Auths = BTreeMap<String, Option<Auth>>;

#[derive(Deserialize)]
struct Auth {
    username: Option<Hidden>,
    password: Option<Hidden>,
    /// Both in one, in base64.
    #[serde(rename = "auth")]
    both: Option<Hidden>,
}

/// A text of JSON that is secret from the moment it is read.
#[derive(Deserialize)]
#[serde(from = "String")]
pub(super) struct Hidden(pub(super) SecretString);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Auth {
    fn credential(self) -> Option<Credential> {
        let encoded = self.both.map(|Hidden(both)| both);
        let encoded = encoded.filter(|auth| !auth.expose_secret().is_empty());
        let (user, password) = match encoded {
            Some(auth) => {
                let decoded = STANDARD.decode(auth.expose_secret().trim()).ok()?;
                let decoded = SecretString::from(String::from_utf8(decoded).ok()?);
                let (user, password) = decoded.expose_secret().split_once(':')?;
                (user.into(), password.into())
            }
            None => (self.username?.0, self.password?.0),
        };
        Some(Credential { user, password })
    }
}

/// The credentials of `secrets` for the image of that normalised name (`docker.io/library/nginx`),
/// those that name it most exactly first. A secret that cannot be read has none.
pub(super) fn credentials(secrets: &[PullSecret], image: &str) -> Vec<Credential> {
    let mut found: Vec<(String, Credential)> = Vec::new();
    for (place, auth) in secrets.iter().flat_map(auths) {
        let key = key(&place);
        if let Some(credential) = auth.and_then(Auth::credential) {
            found.push((key, credential));
        }
    }
    // Longer paths come first, as with the kubelet; what is equal stays in the order of the secrets.
    found.sort_by(|(one, _), (other, _)| Reverse(one).cmp(&Reverse(other)));
    let (matching, rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|(key, _)| matches(key, image));
    let of_the_hub = image.starts_with("docker.io/");
    let chosen = if matching.is_empty() && of_the_hub {
        // The one name under which `docker login` keeps what is for Docker Hub.
        let is_hubs = |(key, _): &(String, Credential)| key == "index.docker.io";
        rest.into_iter().filter(is_hubs).collect()
    } else {
        matching
    };
    chosen
        .into_iter()
        .map(|(_, credential)| credential)
        .collect()
}

fn auths(secret: &PullSecret) -> Auths {
    match secret {
        PullSecret::Json(text) => {
            let config: Option<Config> = serde_json::from_str(text.expose_secret()).ok();
            config.and_then(|config| config.auths).unwrap_or_default()
        }
        PullSecret::Cfg(text) => serde_json::from_str(text.expose_secret()).unwrap_or_default(),
    }
}

/// What an entry is for: without its scheme, and without `/v1/` and `/v2/`, which stand for the whole
/// host.
fn key(place: &str) -> String {
    let place = place.strip_prefix("https://").unwrap_or(place);
    let place = place.strip_prefix("http://").unwrap_or(place);
    let (host, path) = place
        .split_at_checked(place.find('/').unwrap_or(place.len()))
        .unwrap_or((place, ""));
    let path = ["/v1/", "/v2/"]
        .iter()
        .find_map(|version| path.strip_prefix(version))
        .map_or(path, |rest| {
            path.get(path.len() - rest.len() - 1..).unwrap_or_default()
        });
    let path = if path == "/" { "" } else { path };
    format!("{host}{path}")
}

/// Whether a key describes an image: the same port, a host of as many parts, each of which matches,
/// and a path that begins the image's.
fn matches(key: &str, image: &str) -> bool {
    let split = |text: &str| -> (String, Option<String>, String) {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port.to_owned())),
            _ => (authority, None),
        };
        (host.to_ascii_lowercase(), port, path.to_owned())
    };
    let (key_host, key_port, key_path) = split(key);
    let (host, port, path) = split(image);
    let parts: Vec<&str> = key_host.split('.').collect();
    let others: Vec<&str> = host.split('.').collect();
    key_port == port
        && parts.len() == others.len()
        && parts
            .iter()
            .zip(&others)
            .all(|(glob, part)| matches_part(glob, part))
        && path.starts_with(&key_path)
}

/// A part of a glob.
#[derive(Debug)]
enum Piece {
    /// `*`
    Any,
    /// `?`
    One,
    /// `[a-z]`, or `[^a-z]`, which is then negated.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// A letter that stands for itself.
    Letter(char),
}

impl Piece {
    fn fits(&self, letter: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Set { negated, ranges } => {
                let within = |(first, last): &(char, char)| (*first..=*last).contains(&letter);
                ranges.iter().any(within) != *negated
            }
            Self::Letter(own) => *own == letter,
        }
    }
}

/// Go's `filepath.Match` as far as a part of a host can have it: `*`, `?` and `[...]`. It takes no
/// more steps than the product of both lengths, whoever wrote the glob.
fn matches_part(glob: &str, part: &str) -> bool {
    let Some(pieces) = pieces(glob) else {
        return false;
    };
    let letters: Vec<char> = part.chars().collect();
    let (mut piece, mut letter) = (0, 0);
    // Where the last `*` stands, and from which letter on what follows it was tried.
    let mut star: Option<(usize, usize)> = None;
    while let Some(now) = letters.get(letter) {
        match (pieces.get(piece), star) {
            (Some(Piece::Any), _) => {
                star = Some((piece, letter));
                piece += 1;
            }
            (Some(it), _) if it.fits(*now) => {
                piece += 1;
                letter += 1;
            }
            (_, Some((at, from))) => {
                star = Some((at, from + 1));
                piece = at + 1;
                letter = from + 1;
            }
            (_, None) => return false,
        }
    }
    let mut rest = pieces.iter().skip(piece);
    rest.all(|it| matches!(it, Piece::Any))
}

/// `None` where it is no glob.
fn pieces(glob: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut letters = glob.chars();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' => Piece::Any,
            '?' => Piece::One,
            '[' => {
                let rest = letters.as_str();
                let (set, behind) = rest.split_once(']').filter(|(set, _)| !set.is_empty())?;
                letters = behind.chars();
                let (negated, set) = match set.strip_prefix('^') {
                    Some(set) => (true, set),
                    None => (false, set),
                };
                let ranges = ranges(&set.chars().collect::<Vec<char>>());
                Piece::Set { negated, ranges }
            }
            letter => Piece::Letter(letter),
        });
    }
    Some(pieces)
}

/// What a set such as `a-z0` has.
fn ranges(set: &[char]) -> Vec<(char, char)> {
    let (mut ranges, mut rest) = (Vec::new(), set);
    while let [first, others @ ..] = rest {
        if let ['-', last, others @ ..] = others {
            ranges.push((*first, *last));
            rest = others;
        } else {
            ranges.push((*first, *first));
            rest = others;
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn json(auths: &Value) -> PullSecret {
        PullSecret::Json(json!({ "auths": auths }).to_string().into())
    }

    /// Those that are found, as `user:password`.
    fn found(secrets: &[PullSecret], image: &str) -> Vec<String> {
        let found = credentials(secrets, image).into_iter();
        let open = |basic: SecretString| {
            let encoded = basic
                .expose_secret()
                .strip_prefix("Basic ")
                .unwrap()
                .to_owned();
            String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
        };
        found.map(|credential| open(credential.basic())).collect()
    }

    #[test]
    fn a_key_describes_an_image_as_it_does_for_the_kubelet() {
        for (place, image, expected) in [
            ("ghcr.io", "ghcr.io/acme/web", true),
            ("https://ghcr.io", "ghcr.io/acme/web", true),
            ("http://ghcr.io/", "ghcr.io/acme/web", true),
            ("https://ghcr.io/v2/", "ghcr.io/acme/web", true),
            ("https://ghcr.io/v1/acme", "ghcr.io/acme/web", true),
            ("ghcr.io/acme", "ghcr.io/acme/web", true),
            ("ghcr.io/acme/web", "ghcr.io/acme/web", true),
            // A prefix of letters, not of parts: the kubelet has it so.
            ("ghcr.io/ac", "ghcr.io/acme/web", true),
            ("ghcr.io/other", "ghcr.io/acme/web", false),
            ("ghcr.io:443", "ghcr.io/acme/web", false),
            ("registry.shop:5000", "registry.shop:5000/web", true),
            ("registry.shop", "registry.shop:5000/web", false),
            ("*.azurecr.io", "acme.azurecr.io/web", true),
            ("*.azurecr.io", "azurecr.io/web", false),
            ("*.azurecr.io", "a.b.azurecr.io/web", false),
            ("*.*.azurecr.io", "a.b.azurecr.io/web", true),
            ("reg?stry.shop", "registry.shop/web", true),
            ("registry[0-9].shop", "registry7.shop/web", true),
            ("registry[^0-9].shop", "registry7.shop/web", false),
            ("registry[.shop", "registry7.shop/web", false),
            ("*.*", "ghcr.io/acme/web", true),
            ("g*r.i*", "ghcr.io/acme/web", true),
            ("*c*.io", "ghcr.io/acme/web", true),
            ("*x*.io", "ghcr.io/acme/web", false),
            ("gh?r.io", "ghcr.io/acme/web", true),
            ("ghcr?.io", "ghcr.io/acme/web", false),
            ("*", "ghcr.io/acme/web", false),
            ("*", "localhost/web", true),
            ("docker.io", "docker.io/library/nginx", true),
            ("docker.io/library", "docker.io/library/nginx", true),
            (
                "https://index.docker.io/v1/",
                "docker.io/library/nginx",
                true,
            ),
            ("index.docker.io", "docker.io/acme/web", true),
            ("https://index.docker.io/v1/", "ghcr.io/acme/web", false),
            // A bracket begins a set of letters, as it does for the kubelet.
            ("[::1]:5000", "[::1]:5000/web", false),
            ("", "ghcr.io/acme/web", false),
        ] {
            let secret = json(&json!({place: {"username": "me", "password": "pw"}}));
            let found = !found(&[secret], image).is_empty();
            assert_eq!(found, expected, "{place} {image}");
        }
    }

    #[test]
    fn no_glob_takes_long() {
        let glob = format!("{}b", "*a".repeat(2000));
        let part = "a".repeat(4000);
        assert!(!matches_part(&glob, &part));
        assert!(matches_part(&glob, &format!("{part}b")));
    }

    #[test]
    fn what_names_the_image_most_exactly_is_tried_first_and_all_of_it() {
        let auth = |user: &str| json!({"username": user, "password": "pw"});
        let one = json(
            &json!({"ghcr.io": auth("host"), "ghcr.io/acme": auth("path"),
            "quay.io": auth("other")}),
        );
        let two =
            json(&json!({"ghcr.io": auth("second"), "https://index.docker.io/v1/": auth("hub")}));
        let both = [one, two];
        assert_eq!(
            found(&both, "ghcr.io/acme/web"),
            ["path:pw", "host:pw", "second:pw"]
        );
        assert_eq!(found(&both, "docker.io/library/nginx"), ["hub:pw"]);
        assert_eq!(found(&both, "example.com/web"), [""; 0]);
    }

    #[test]
    fn both_forms_of_secrets_are_read_and_one_that_is_broken_has_nothing() {
        let auth = STANDARD.encode("me:p:w");
        let entry = json!({"ghcr.io": {"auth": auth, "username": "ignored", "email": "a@b"}});
        for (secret, expected) in [
            (json(&entry), vec!["me:p:w"]),
            (PullSecret::Cfg(entry.to_string().into()), vec!["me:p:w"]),
            (PullSecret::Json(entry.to_string().into()), vec![]),
            (json(&json!({"ghcr.io": {"auth": "%%%"}})), vec![]),
            (
                json(&json!({"ghcr.io": {"auth": STANDARD.encode("no-colon")}})),
                vec![],
            ),
            (json(&json!({"ghcr.io": {"username": "me"}})), vec![]),
            (json(&json!({"ghcr.io": {}})), vec![]),
            (json(&json!({"ghcr.io": null})), vec![]),
            (PullSecret::Json("{}".into()), vec![]),
            (PullSecret::Json("no JSON".into()), vec![]),
        ] {
            assert_eq!(
                found(std::slice::from_ref(&secret), "ghcr.io/acme/web"),
                expected
            );
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let secret = json(&json!({"ghcr.io": {"username": "user-x", "password": "word-x"}}));
        let credentials = credentials(std::slice::from_ref(&secret), "ghcr.io/a");
        let printed = format!("{secret:?} {credentials:?} {:?}", credentials[0].basic());
        assert!(
            !printed.contains("word-x") && !printed.contains("user-x"),
            "{printed}"
        );
        assert!(
            !printed.contains(&STANDARD.encode("user-x:word-x")),
            "{printed}"
        );
    }
}
