//! The proxy on the way to the API server: the one that the kubeconfig names, else that of the
//! environment, by the rules of client-go, so that what kubectl reaches is reached. No password of
//! a proxy is ever in an error.
//!
//! kube 5 reads the variables too, but compares `NO_PROXY` with the proxy in place of the server,
//! and does not read them in a pod.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// The variables that name proxies, and the servers to which none leads.
#[derive(Debug, Default)]
pub(super) struct Environment {
    https: String,
    http: String,
    none: String,
}

/// A proxy that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{place} does not name a usable proxy: allowed is a URL such as http://proxy.example.com:3128"
)]
pub(super) struct ProxyError {
    /// The setting that names it.
    place: &'static str,
}

impl Environment {
    /// The variables of this process; those in capitals go before the others.
    pub(super) fn of_this_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "like KUBECONFIG these are about the way, and nothing of ours"
        )]
        let first = |names: [&str; 2]| {
            let mut values = names
                .into_iter()
                .filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self {
            https: first(["HTTPS_PROXY", "https_proxy"]),
            http: first(["HTTP_PROXY", "http_proxy"]),
            none: first(["NO_PROXY", "no_proxy"]),
        }
    }

    /// The proxy that leads to `server`; `given` is the `proxy-url` of its kubeconfig, for which no
    /// exceptions hold.
    pub(super) fn proxy(
        &self,
        given: Option<&str>,
        server: &Uri,
    ) -> Result<Option<Uri>, ProxyError> {
        let (place, proxy) = match given.filter(|given| !given.is_empty()) {
            Some(given) => ("proxy-url in the kubeconfig", given),
            None if is_this_machine(server) || self.excepts(server) => return Ok(None),
            None if is_https(server) => ("HTTPS_PROXY", &*self.https),
            None => ("HTTP_PROXY", &*self.http),
        };
        if proxy.is_empty() {
            return Ok(None);
        }
        usable(proxy).map(Some).ok_or(ProxyError { place })
    }

    /// Whether no proxy is to lead to `server`.
    fn excepts(&self, server: &Uri) -> bool {
        let port = port(server);
        let entries = self.none.split([',', ' ']);
        let entries: Vec<&str> = entries.filter_map(|entry| of_port(entry, port)).collect();
        let any = "http://proxy.invalid";
        let matcher = Matcher::builder().all(any).no(entries.join(",")).build();
        matcher.intercept(server).is_none()
    }
}

/// An entry of `NO_PROXY` without `*` before its dot and without its port; `None` if that is
/// another port.
fn of_port(entry: &str, port: Option<u16>) -> Option<&str> {
    let entry = entry.trim();
    let entry = entry
        .strip_prefix('*')
        .filter(|rest| rest.starts_with('.'))
        .unwrap_or(entry);
    match entry.rsplit_once(':') {
        // One colon: with more of them it is an address, unless that is in brackets.
        Some((host, of)) if !host.contains(':') || host.ends_with(']') => {
            (of.parse().ok() == port).then(|| without_brackets(host))
        }
        _ => Some(without_brackets(entry)),
    }
}

/// A proxy as kube takes it: with a scheme, of the kinds that can be gone through, with a host.
fn usable(proxy: &str) -> Option<Uri> {
    let with_scheme = if proxy.contains("://") {
        proxy.to_owned()
    } else {
        format!("http://{proxy}")
    };
    let uri: Uri = with_scheme.trim().parse().ok()?;
    let is_known = matches!(uri.scheme_str(), Some("http" | "https" | "socks5"));
    (is_known && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// A proxy as it may be shown: who signs in there is left out.
pub(super) fn shown(proxy: &Uri) -> String {
    let scheme = proxy.scheme_str().unwrap_or_default();
    let host = proxy.host().unwrap_or_default();
    let port = proxy.port_u16().map(|port| format!(":{port}"));
    format!("{scheme}://{host}{}", port.unwrap_or_default())
}

fn is_https(server: &Uri) -> bool {
    server.scheme_str() != Some("http")
}

fn port(server: &Uri) -> Option<u16> {
    let usual = if is_https(server) { 443 } else { 80 };
    server.port_u16().or(Some(usual))
}

fn without_brackets(host: &str) -> &str {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host)
}

fn is_this_machine(server: &Uri) -> bool {
    let host = without_brackets(server.host().unwrap_or_default());
    let address = host.parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "http://me:hunter2@proxy.example:3128";

    fn chosen(https: &str, none: &str, given: Option<&str>, server: &str) -> Option<String> {
        let environment = Environment {
            https: https.to_owned(),
            http: "http://other.example".to_owned(),
            none: none.to_owned(),
        };
        let server = server.parse().unwrap();
        let proxy = environment.proxy(given, &server).unwrap();
        proxy.as_ref().map(shown)
    }

    #[test]
    fn the_kubeconfig_goes_before_the_variable_and_has_no_exceptions() {
        let api = "https://api.example:6443";
        let proxy = |https, none, given| chosen(https, none, given, api);
        assert_eq!(proxy("", "", None), None);
        assert_eq!(
            proxy(PROXY, "", None).as_deref(),
            Some("http://proxy.example:3128")
        );
        assert_eq!(
            proxy("proxy:1", "", None).as_deref(),
            Some("http://proxy:1")
        );
        let given = Some("socks5://127.0.0.1:1080");
        assert_eq!(proxy(PROXY, "*", given).as_deref(), given);
        assert_eq!(proxy(PROXY, "*", Some("")), None);
        let plain = chosen(PROXY, "", None, "http://api.example");
        assert_eq!(plain.as_deref(), Some("http://other.example"));
    }

    #[test]
    fn no_proxy_of_the_environment_leads_to_this_machine() {
        for server in [
            "https://127.0.0.1:6443",
            "https://[::1]:6443",
            "https://localhost:6443",
        ] {
            assert_eq!(chosen(PROXY, "", None, server), None, "{server}");
            let given = chosen("", "", Some(PROXY), server);
            assert!(given.is_some(), "{server}");
        }
    }

    #[test]
    fn exceptions_are_hosts_domains_addresses_and_networks_and_may_have_a_port() {
        let table = [
            ("https://api.example:6443", "api.example", true),
            ("https://api.example:6443", "other,, API.example ,", true),
            ("https://api.example:6443", "api.example:6443", true),
            ("https://api.example:6443", "api.example:443", false),
            ("https://api.example", "api.example:443", true),
            ("https://api.example:6443", "example", true),
            ("https://api.example:6443", ".example", true),
            ("https://api.example:6443", "*.example", true),
            ("https://api.example:6443", "*", true),
            ("https://api.example:6443", "ample", false),
            ("https://api.example:6443", "proxy.example", false),
            ("https://10.0.0.1:443", "10.0.0.0/8", true),
            ("https://10.0.0.1:443", "10.0.0.1", true),
            ("https://10.0.0.1:443", "10.0.0.1:443", true),
            ("https://10.0.0.1:443", "192.168.0.0/16", false),
            ("https://[fd00::1]:443", "fd00::/8", true),
            ("https://[fd00::1]:443", "[fd00::1]", true),
            ("https://[fd00::1]:443", "[fd00::1]:443", true),
            ("https://[fd00::1]:443", "fd00::1", true),
            ("https://[fd00::1]:443", "fd00::2", false),
        ];
        for (server, none, excepted) in table {
            let proxy = chosen(PROXY, none, None, server);
            assert_eq!(proxy.is_none(), excepted, "{server} {none}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_a_word_of_it() {
        for proxy in [
            "ftp://me:hunter2@proxy",
            "http://me:hunter2@",
            "http://me:hun ter2@proxy",
        ] {
            let environment = Environment {
                https: proxy.to_owned(),
                ..Environment::default()
            };
            let server = "https://api.example".parse().unwrap();
            let error = environment.proxy(None, &server).unwrap_err();
            assert!(
                error.to_string().starts_with("HTTPS_PROXY does not"),
                "{error}"
            );
            assert!(!format!("{error:?}{error}").contains("hun"), "{error}");
            let error = environment.proxy(Some(proxy), &server).unwrap_err();
            assert!(error.to_string().starts_with("proxy-url in"), "{error}");
        }
    }
}
