//! Origin: where the repository of a record comes from. What a person wrote goes before every rule,
//! and every rule before what an image says of itself; what a person got wrong is not replaced by a
//! guess.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::is_repository;
use super::facts::Pull;
use super::image::Digest;
use super::record::Destination;

/// The annotation of a manifest, or label of an image's configuration, that says where its source is:
/// <https://github.com/opencontainers/image-spec/blob/main/annotations.md>
pub const LABEL: &str = "org.opencontainers.image.source";

/// What [`LABEL`] says, for each image of which that was read; `None` for one that has no such label.
/// An image's digest is that of all it says, so this never changes.
pub type Labels = BTreeMap<Digest, Option<Arc<str>>>;

/// Images whose labels would decide something and are not read, each with where it can be asked for.
pub type Unread = BTreeMap<Digest, BTreeSet<Place>>;

/// Where an image was pulled from, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The image as a pod's spec writes it.
    pub image: Arc<str>,
    /// Whose pull secrets may be used; `None` where none are.
    pub account: Option<Account>,
}

/// Whose pull secrets an image was pulled with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The namespace of the pod.
    pub namespace: Arc<str>,
    /// What the pod names.
    pub pull: Arc<Pull>,
}

/// The object that an annotation stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The namespace.
    Namespace,
    /// The workload.
    Workload,
    /// The pod.
    Pod,
}

/// Where the repository of a record comes from, or why it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing says it.
    #[default]
    Nothing,
    /// The annotation of an object. If it is not of the API's form, the record has none.
    Annotation(Level),
    /// This rule of `--repository-map`, as typed. If what it makes of the image's name is not of
    /// the API's form, the record has none.
    Rule(Arc<str>),
    /// This label of the image.
    Label(Arc<str>),
    /// This label of the image points to no repository of the record's organization: it has none.
    Elsewhere(Arc<str>),
    /// The image's label, which is not read yet: the record keeps what the ledger has for the same
    /// digest.
    Unread,
}

/// The repository of the record's organization that a label points to, without its owner; `None`
/// where it points to anything else.
///
/// Understood is what people and tools put there: addresses of pages and of clones, with or without
/// `.git`, and what leads deeper into a repository. An owner is the same in any letter case.
pub fn repository(label: &str, destination: &Destination) -> Option<Arc<str>> {
    let (host, path) = split(label.trim())?;
    if !is_same_host(host, &destination.host) {
        return None;
    }
    let end = path.find(['?', '#']).unwrap_or(path.len());
    let mut parts = path.get(..end)?.trim_end_matches('/').split('/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.strip_suffix(".git").unwrap_or(name);
    let organization = &destination.organization;
    let is_ours = organization.is_empty() || owner.eq_ignore_ascii_case(organization);
    let is_name = is_repository(name) && !matches!(name, "." | "..");
    (is_ours && is_name).then(|| name.into())
}

/// The label as it may be kept and shown: of bounded length, without a password that somebody left in
/// it.
pub fn tidy(label: &str) -> Arc<str> {
    /// More than any address of a repository has, in bytes.
    const LONGEST: usize = 512;
    let label = label.trim();
    let label = without_user(label);
    // Only now: the end of a long password would take the @ behind it along.
    let end = label.floor_char_boundary(LONGEST);
    label.get(..end).unwrap_or_default().into()
}

/// A label without its user. Without a scheme only a user with a password is one, because
/// `git@HOST:PATH` needs its own; what has an `@` before `://` has no scheme, and may have a password there.
fn without_user(label: &str) -> String {
    if let Some((scheme, rest)) = label.split_once("://") {
        let scheme = scheme
            .rfind('@')
            .and_then(|at| scheme.get(at..))
            .unwrap_or(scheme);
        let host = user_of(rest).and_then(|user| rest.get(user.len() + 1..));
        return format!("{scheme}://{}", host.unwrap_or(rest));
    }
    let (start, mut rest) = label.split_at(if label.starts_with("//") { 2 } else { 0 });
    // Behind a user that was taken out another one may begin.
    loop {
        let inside = rest.strip_prefix("//").unwrap_or(rest);
        let user = user_of(inside).filter(|user| user.contains(':'));
        match user.and_then(|user| inside.get(user.len() + 1..)) {
            Some(host) => rest = host,
            None => return format!("{start}{rest}"),
        }
    }
}

/// What stands before the last `@` of an address's authority.
fn user_of(rest: &str) -> Option<&str> {
    let authority = rest.find('/').map_or(rest, |end| rest.split_at(end).0);
    authority.rsplit_once('@').map(|(user, _)| user)
}

/// Host, without user and port, and path of an address: `SCHEME://[USER@]HOST[:PORT]/PATH` or, as git
/// has it for SSH, `USER@HOST:PATH`.
fn split(label: &str) -> Option<(&str, &str)> {
    const SCHEMES: [&str; 7] = [
        "https",
        "http",
        "ssh",
        "git",
        "git+https",
        "git+http",
        "git+ssh",
    ];
    let Some((scheme, rest)) = label.split_once("://") else {
        let (authority, path) = label.split_once(':')?;
        let (_, host) = authority.split_once('@')?;
        // Else the colon is one of a password, or of a path of this machine.
        let is_path = !path.split('/').next()?.contains('@') && !authority.contains('/');
        return is_path.then_some((host, path));
    };
    SCHEMES
        .iter()
        .find(|known| scheme.eq_ignore_ascii_case(known))?;
    let (authority, path) = rest.split_once('/')?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    Some((without_port(host), path))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether `host` is where the repositories are whose API is at `api`: `github.com` for
/// `api.github.com`, `SUBDOMAIN.ghe.com` for `api.SUBDOMAIN.ghe.com`
/// (<https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency/network-details-for-ghecom>),
/// and for any other API its own host.
fn is_same_host(host: &str, api: &str) -> bool {
    let api = without_port(api);
    let home = api.strip_prefix("api.").unwrap_or(api);
    let host = match host.get(..4) {
        // It redirects.
        Some(www) if www.eq_ignore_ascii_case("www.") => host.get(4..).unwrap_or_default(),
        _ => host,
    };
    host.eq_ignore_ascii_case(home)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fixtures::destination;

    fn at(host: &str, organization: &str) -> Destination {
        Destination {
            host: host.into(),
            organization: organization.into(),
            ..destination()
        }
    }

    #[test]
    fn a_label_names_a_repository_of_the_organization_in_any_form_that_people_write() {
        let acme = at("api.github.com", "acme");
        for (label, expected) in [
            ("https://github.com/acme/web", Some("web")),
            (" https://github.com/acme/web\n", Some("web")),
            ("https://github.com/acme/web/", Some("web")),
            ("https://github.com/acme/web.git", Some("web")),
            ("https://github.com/acme/web.git#main:app", Some("web")),
            ("https://github.com/acme/Web.js_2?ref=x", Some("Web.js_2")),
            ("https://github.com/acme/web/tree/main/app", Some("web")),
            ("HTTPS://GitHub.com:443/ACME/web", Some("web")),
            ("https://www.github.com/acme/web", Some("web")),
            ("http://github.com/acme/web", Some("web")),
            ("https://me:secret@github.com/acme/web", Some("web")),
            ("git://github.com/acme/web.git", Some("web")),
            ("git+https://github.com/acme/web.git", Some("web")),
            ("git@github.com:acme/web.git", Some("web")),
            ("ssh://git@github.com/acme/web.git", Some("web")),
            ("ssh://git@github.com:22/acme/web.git", Some("web")),
            ("git+ssh://git@github.com/acme/web", Some("web")),
            // Elsewhere, or nowhere.
            ("https://github.com/other/web", None),
            ("https://github.com/acme-2/web", None),
            ("https://gitlab.com/acme/web", None),
            ("https://github.com.evil.test/acme/web", None),
            ("https://github.com@evil.test/acme/web", None),
            ("https://github.com:evil/acme/web", None),
            ("https://evil.test/github.com/acme/web", None),
            ("https://api.github.com/acme/web", None),
            ("https://acme.github.io/web", None),
            ("https://github.com/acme", None),
            ("https://github.com/acme/", None),
            ("https://github.com//acme/web", None),
            ("https://github.com/acme/..", None),
            ("https://github.com/acme/.git", None),
            ("https://github.com/acme/w%65b", None),
            ("https://github.com/acme/wéb", None),
            ("git@gitlab.com:acme/web.git", None),
            ("github.com/acme/web", None),
            ("acme/web", None),
            ("file:///acme/web", None),
            ("ftp://github.com/acme/web", None),
            ("git@github.com:acme@evil.test/web", None),
            ("a/b@github.com:acme/web", None),
            ("m:p@a/b@github.com:acme/web", None),
            ("https://", None),
            ("https:///acme/web", None),
            (":", None),
            ("@:", None),
            ("", None),
        ] {
            assert_eq!(repository(label, &acme).as_deref(), expected, "{label:?}");
        }
        let long = format!("https://github.com/acme/{}", "w".repeat(101));
        assert_eq!(repository(&long, &acme), None);
    }

    #[test]
    fn repositories_are_at_the_host_that_belongs_to_the_api() {
        for (api, label, expected) in [
            (
                "api.octo.ghe.com",
                "https://octo.ghe.com/acme/web",
                Some("web"),
            ),
            (
                "api.octo.ghe.com",
                "git@octo.ghe.com:acme/web.git",
                Some("web"),
            ),
            ("api.octo.ghe.com", "https://github.com/acme/web", None),
            ("api.octo.ghe.com", "https://other.ghe.com/acme/web", None),
            ("api.github.com", "https://octo.ghe.com/acme/web", None),
            (
                "127.0.0.1:8090",
                "http://127.0.0.1:8090/acme/web",
                Some("web"),
            ),
            (
                "github.example.com",
                "https://github.example.com/acme/web",
                Some("web"),
            ),
        ] {
            let found = repository(label, &at(api, "acme"));
            assert_eq!(found.as_deref(), expected, "{api} {label}");
        }
        let any = repository("https://github.com/other/web", &at("api.github.com", ""));
        assert_eq!(any.as_deref(), Some("web"), "the organization is not known");
    }

    #[test]
    fn a_label_is_kept_without_a_password_and_without_its_end() {
        for (label, kept) in [
            (
                " https://github.com/acme/web ",
                "https://github.com/acme/web",
            ),
            (
                "https://me:secret@github.com/acme/web",
                "https://github.com/acme/web",
            ),
            ("https://me:se@cret@github.com", "https://github.com"),
            ("git@github.com:acme/web.git", "git@github.com:acme/web.git"),
            ("me:secret@github.com/acme/web", "github.com/acme/web"),
            ("me:se@cret@github.com:acme/web", "github.com:acme/web"),
            ("me@acme:secret@github.com/acme/web", "github.com/acme/web"),
            ("//me:secret@github.com/acme/web", "//github.com/acme/web"),
            ("git@github.com/acme/web", "git@github.com/acme/web"),
            (
                "scm:git:https://me:secret@github.com/acme/web",
                "scm:git:https://github.com/acme/web",
            ),
            (
                "me:secret@github.com/web?from=https://x",
                "@github.com/web?from=https://x",
            ),
            (
                "me:secret@https://me:secret@github.com/acme/web",
                "@https://github.com/acme/web",
            ),
            ("github.com/acme/web:1@2", "github.com/acme/web:1@2"),
            (
                "https://github.com/acme/web@1",
                "https://github.com/acme/web@1",
            ),
            ("", ""),
        ] {
            assert_eq!(&*tidy(label), kept);
        }
        assert!(tidy(&"é".repeat(1000)).len() <= 512);
        let secret = "s".repeat(600);
        for start in ["https://", "", "//"] {
            let label = format!("{start}x-access-token:{secret}@github.com/acme/web");
            assert_eq!(*tidy(&label), *format!("{start}github.com/acme/web"));
        }
    }
}
