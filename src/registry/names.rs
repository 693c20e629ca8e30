//! Names: to which addresses the name of a registry may lead. Whoever may create a pod chooses the name,
//! and whoever owns the name chooses the address.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tokio::net::lookup_host;

use super::address::{PlainHosts, is_nobodys_address};

/// Where the host of a proxy is named; the same in small letters.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// A name leads nowhere but to a machine itself, the local link, or no machine.
#[derive(Debug, Error)]
#[error("its name leads to an address of a machine itself or of the local link")]
pub(super) struct Nobodys;

/// Asks the system, and takes no address that would not be asked if it were written down. Names that a
/// person gave, of registries and of proxies, lead anywhere.
#[derive(Debug)]
pub(super) struct Names {
    trusted: Arc<BTreeSet<Box<str>>>,
}

impl Names {
    /// Trusts the hosts that are listed, and the proxies that variables of the environment name.
    pub(super) fn new(plain: &PlainHosts, variable: impl Fn(&str) -> Option<String>) -> Self {
        let named = PROXIES.iter().flat_map(|name| {
            let small = name.to_ascii_lowercase();
            [(*name).to_owned(), small].map(|name| variable(&name))
        });
        let proxies = named.filter_map(|value| proxy(&value?));
        let listed = plain.names().map(Box::from);
        Self {
            trusted: Arc::new(listed.chain(proxies).collect()),
        }
    }

    fn trusts(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.trusted.contains(&*name)
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let is_trusted = self.trusts(name.as_str());
        Box::pin(async move {
            // The port is that of the address that is asked for.
            let found = lookup_host((name.as_str(), 0)).await?.collect();
            let found = if is_trusted { found } else { others(found)? };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The host of a proxy; its scheme may be left out.
fn proxy(value: &str) -> Option<Box<str>> {
    let with_scheme = if value.contains("://") {
        value.to_owned()
    } else {
        format!("http://{value}")
    };
    let url = Url::parse(&with_scheme).ok()?;
    url.host_str().map(|host| host.to_ascii_lowercase().into())
}

/// Those addresses that are some other machine's.
fn others(mut found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Nobodys> {
    let were_any = !found.is_empty();
    found.retain(|address| !is_nobodys_address(address.ip()));
    if were_any && found.is_empty() {
        return Err(Nobodys);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_other_machines_are_left() {
        let of = |texts: &[&str]| {
            let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 443);
            let found = texts.iter().map(address);
            let left = others(found.collect()).map_err(|error| error.to_string());
            left.map(|left| {
                left.iter()
                    .map(|it| it.ip().to_string())
                    .collect::<Vec<_>>()
            })
        };
        let bad = [
            "127.0.0.1",
            "127.8.9.10",
            "169.254.169.254",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "ff02::1",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "::127.0.0.1",
            "2002:7f00:1::1",
        ];
        for text in bad {
            assert!(of(&[text]).is_err(), "{text}");
        }
        let mut mixed = bad.to_vec();
        mixed.extend(["10.0.0.7", "203.0.113.5", "fd00::5"]);
        let good = ["10.0.0.7", "203.0.113.5", "fd00::5"].map(String::from);
        assert_eq!(of(&mixed), Ok(good.to_vec()));
        assert_eq!(of(&[]), Ok(vec![]));
    }

    #[tokio::test]
    async fn a_name_leads_to_this_machine_only_if_a_person_gave_it() {
        let resolve = async |plain: &[&str], variable: &str, value: &str| {
            let plain = PlainHosts::parse(plain.iter().copied()).unwrap();
            let variable = |name: &str| (name == variable).then(|| value.to_owned());
            let found = Names::new(&plain, variable)
                .resolve("localhost".parse().unwrap())
                .await;
            found.map(Iterator::count)
        };
        for (plain, variable, value) in [
            (&[][..], "", ""),
            (&["registry.shop:5000", "127.0.0.1:80"], "", ""),
            (&[], "HTTPS_PROXY", "http://proxy.shop:3128"),
            (&[], "NO_PROXY", "localhost"),
        ] {
            let error = resolve(plain, variable, value).await.unwrap_err();
            assert!(error.is::<Nobodys>(), "{error}");
        }
        for plain in ["localhost:5000", "LOCALHOST"] {
            assert!(resolve(&[plain], "", "").await.unwrap() > 0);
        }
        for name in PROXIES {
            for name in [name.to_owned(), name.to_ascii_lowercase()] {
                let found = resolve(&[], &name, "http://Localhost:3128").await;
                assert!(found.unwrap() > 0, "{name}");
            }
        }
    }

    #[test]
    fn a_proxy_is_named_with_and_without_a_scheme() {
        for (value, expected) in [
            ("http://Proxy.shop:3128", Some("proxy.shop")),
            ("http://me:pw@proxy.shop", Some("proxy.shop")),
            ("localhost:3128", Some("localhost")),
            ("proxy.shop", Some("proxy.shop")),
            ("", None),
        ] {
            assert_eq!(proxy(value).as_deref(), expected, "{value}");
        }
    }
}
