//! Addresses: where a registry is, and which addresses are never asked. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use crate::model::image::ImageRef;

/// Where Docker Hub's registry is, which is called `docker.io` in the names of images:
/// <https://github.com/containerd/containerd/blob/main/core/remotes/docker/registry.go>
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Registries that are spoken to by plain HTTP, each as images name it: with its port, if that is not
/// 80.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainHosts(BTreeSet<Box<str>>);

impl PlainHosts {
    /// Reads hosts, each with or without a port.
    ///
    /// # Errors
    ///
    /// The first that is none.
    pub fn parse<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let host = |typed: &str| {
            let url = Url::parse(&format!("http://{typed}")).ok();
            let url = url.filter(|url| url.path() == "/" && url.query().is_none());
            let bare = url.filter(|url| url.username().is_empty() && url.fragment().is_none());
            let named = bare.filter(|_| !typed.ends_with('/'));
            named
                .and_then(|url| at(&url))
                .ok_or_else(|| typed.to_owned())
        };
        let hosts = hosts.into_iter().map(|typed| host(typed.trim()));
        Ok(Self(hosts.collect::<Result<_, _>>()?))
    }

    /// The hosts without their ports.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|host| host.split(':').next())
    }

    fn has(&self, url: &Url) -> bool {
        at(url).is_some_and(|host| self.0.contains(&host))
    }
}

/// Host and port as they are compared: without the port that plain HTTP has anyway.
fn at(url: &Url) -> Option<Box<str>> {
    let host = url.host_str()?.trim_end_matches('.');
    Some(match url.port_or_known_default() {
        Some(80) | None => host.into(),
        Some(port) => format!("{host}:{port}").into(),
    })
}

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    /// The registry: scheme, host and port.
    pub(super) registry: Url,
    /// The name in it.
    pub(super) name: Box<str>,
}

impl Repository {
    /// Where an image was pulled from.
    pub(super) fn of(image: &str, plain: &PlainHosts) -> Result<Self, Refused> {
        let image = ImageRef::parse(image).ok_or(Refused::NoAddress)?;
        let (host, name) = image.name.split_once('/').ok_or(Refused::NoAddress)?;
        let host = if host == DOCKER_HUB.0 {
            DOCKER_HUB.1
        } else {
            host
        };
        let url =
            |scheme| Url::parse(&format!("{scheme}://{host}")).map_err(|_| Refused::NoAddress);
        let listed = url("http")?;
        let registry = if plain.has(&listed) {
            listed
        } else {
            url("https")?
        };
        judge(&registry, plain)?;
        Ok(Self {
            registry,
            name: name.into(),
        })
    }

    /// The address of a manifest or blob of that digest.
    pub(super) fn url(&self, kind: &str, digest: &str) -> Result<Url, Refused> {
        let path = format!("/v2/{}/{kind}/{digest}", self.name);
        self.registry.join(&path).map_err(|_| Refused::NoAddress)
    }
}

/// Whether this address may be asked.
pub(super) fn judge(url: &Url, plain: &PlainHosts) -> Result<(), Refused> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::User);
    }
    match url.scheme() {
        "https" | "http" if plain.has(url) => return Ok(()),
        "https" => {}
        "http" => return Err(Refused::Plain),
        _ => return Err(Refused::NoAddress),
    }
    let host = url.host_str().ok_or(Refused::NoAddress)?;
    if is_nobodys(host) {
        Err(Refused::Local)
    } else {
        Ok(())
    }
}

/// Whether a host is this machine, some machine on the local link, or none. Networks that are private
/// are not: registries are there.
pub(super) fn is_nobodys(host: &str) -> bool {
    let name = host.trim_end_matches('.');
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let address = name.trim_start_matches('[').trim_end_matches(']');
    address.parse().is_ok_and(is_nobodys_address)
}

/// The same of an address.
pub(super) fn is_nobodys_address(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_nobodys_v4(v4),
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unspecified()
                || v6.is_multicast()
                || inside(v6).is_some_and(is_nobodys_v4)
        }
    }
}

fn is_nobodys_v4(v4: Ipv4Addr) -> bool {
    v4.is_loopback()
        || v4.is_link_local()
        || v4.is_unspecified()
        || v4.is_multicast()
        || v4.is_broadcast()
}

/// The address to which one of a way from the one network into the other leads: of NAT64
/// (<https://www.rfc-editor.org/rfc/rfc6052#section-2.1>), "compatible" with IPv4
/// (<https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.1>) or of 6to4
/// (<https://www.rfc-editor.org/rfc/rfc3056#section-2>).
fn inside(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [0, 0, 0, 0, 0, 0, high, low]
    | [0x2002, high, low, ..]) = v6.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

/// Why an address is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is none, or none of HTTP.
    NoAddress,
    /// It has a user.
    User,
    /// It is of plain HTTP and not listed.
    Plain,
    /// It is this machine, on the local link, or no machine.
    Local,
    /// Its name leads there.
    Led,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAddress => "it has no address that can be asked",
            Self::User => "its address has a user",
            Self::Plain => "it is asked by plain HTTP only if --registry-allow-http lists it",
            Self::Local => {
                "an address of a machine itself is asked only if --registry-allow-http lists it"
            }
            Self::Led => {
                "its name leads to an address of a machine itself, which is asked only if \
                 --registry-allow-http lists the name"
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(hosts: &[&str]) -> PlainHosts {
        PlainHosts::parse(hosts.iter().copied()).unwrap()
    }

    #[test]
    fn a_registry_is_where_the_name_of_the_image_says() {
        let plain = plain(&[
            "registry.shop:5000",
            "127.0.0.1:5001",
            "old.example.com",
            "[::1]:81",
        ]);
        for (image, expected) in [
            ("nginx", Ok("https://registry-1.docker.io/ library/nginx")),
            ("acme/web:1", Ok("https://registry-1.docker.io/ acme/web")),
            (
                "index.docker.io/acme/web",
                Ok("https://registry-1.docker.io/ acme/web"),
            ),
            ("ghcr.io/acme/web:1", Ok("https://ghcr.io/ acme/web")),
            ("GHCR.io/acme/web", Ok("https://ghcr.io/ acme/web")),
            ("ghcr.io:443/acme/web", Ok("https://ghcr.io/ acme/web")),
            (
                "registry.shop:5000/a/b/c",
                Ok("http://registry.shop:5000/ a/b/c"),
            ),
            ("registry.shop/a", Ok("https://registry.shop/ a")),
            ("registry.shop:5001/a", Ok("https://registry.shop:5001/ a")),
            ("old.example.com/a", Ok("http://old.example.com/ a")),
            ("127.0.0.1:5001/a", Ok("http://127.0.0.1:5001/ a")),
            ("[::1]:81/a", Ok("http://[::1]:81/ a")),
            ("10.0.0.7:5000/a", Ok("https://10.0.0.7:5000/ a")),
            ("127.0.0.1:5002/a", Err(Refused::Local)),
            ("localhost:5001/a", Err(Refused::Local)),
            ("169.254.169.254/a", Err(Refused::Local)),
            ("a b", Err(Refused::NoAddress)),
            ("", Err(Refused::NoAddress)),
        ] {
            let found =
                Repository::of(image, &plain).map(|it| format!("{} {}", it.registry, it.name));
            assert_eq!(found.as_deref().map_err(|it| *it), expected, "{image}");
        }
    }

    #[test]
    fn an_address_of_nobody_elses_is_never_asked_however_it_is_written() {
        let plain = plain(&["10.0.0.7:5000"]);
        for (url, expected) in [
            ("https://ghcr.io/token", Ok(())),
            ("https://10.0.0.8/", Ok(())),
            ("http://10.0.0.7:5000/x", Ok(())),
            ("http://10.0.0.7/x", Err(Refused::Plain)),
            ("http://ghcr.io/token", Err(Refused::Plain)),
            ("https://localhost./", Err(Refused::Local)),
            ("https://a.localhost/", Err(Refused::Local)),
            ("https://127.1/", Err(Refused::Local)),
            ("https://2130706433/", Err(Refused::Local)),
            ("https://0x7f.0.0.1/", Err(Refused::Local)),
            ("https://0.0.0.0/", Err(Refused::Local)),
            ("https://169.254.169.254/latest", Err(Refused::Local)),
            ("https://[::1]/", Err(Refused::Local)),
            ("https://[::ffff:127.0.0.1]/", Err(Refused::Local)),
            ("https://[fe80::1]/", Err(Refused::Local)),
            ("https://[64:ff9b::169.254.169.254]/", Err(Refused::Local)),
            ("https://[64:ff9b::7f00:1]/", Err(Refused::Local)),
            ("https://[64:ff9b::10.0.0.8]/", Ok(())),
            ("https://[::127.0.0.1]/", Err(Refused::Local)),
            ("https://[::10.0.0.8]/", Ok(())),
            ("https://[2002:a9fe:a9fe::1]/", Err(Refused::Local)),
            ("https://[2002:7f00:1::]/", Err(Refused::Local)),
            ("https://[2002:a00:8::1]/", Ok(())),
            ("https://[::]/", Err(Refused::Local)),
            ("https://224.0.0.1/", Err(Refused::Local)),
            ("https://me@ghcr.io/", Err(Refused::User)),
            ("https://me:pw@ghcr.io/", Err(Refused::User)),
            ("ftp://ghcr.io/", Err(Refused::NoAddress)),
            ("data:text/plain,x", Err(Refused::NoAddress)),
        ] {
            assert_eq!(judge(&Url::parse(url).unwrap(), &plain), expected, "{url}");
        }
    }

    #[test]
    fn what_is_listed_is_a_host_and_nothing_more() {
        for typed in ["http://a", "a/b", "a/", "a?b", "me@a", "", "a b", "a:x"] {
            assert_eq!(PlainHosts::parse([typed]), Err(typed.to_owned()));
        }
        assert_eq!(
            plain(&["Registry.Shop:80", "a"]),
            plain(&["a:80", "registry.shop"])
        );
    }
}
