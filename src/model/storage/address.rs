//! The address of a registry: what GitHub would take as one, and whether it means the same place to
//! everybody.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

/// The most bytes that GitHub takes of an address, `https://` aside.
const MAX: usize = 256 - "https://".len();

/// A registry as it stands in a name, in one spelling: hosts have no case, 443 is the port of an
/// address without one, and Docker Hub has an older name.
pub fn registry(spelled: &str) -> String {
    let lower = spelled.to_lowercase();
    let host = lower.strip_suffix(":443").unwrap_or(&lower);
    match host {
        "index.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    }
}

/// Whether `https://` and `registry` is an address that the contract allows and that is not each
/// machine's own.
pub(super) fn is_shared(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let has_port = port.is_none_or(|port| port.parse::<NonZeroU16>().is_ok());
    registry.len() <= MAX && has_port && is_shared_host(host)
}

/// Whether a host is well-formed and not each machine's own.
fn is_shared_host(host: &str) -> bool {
    let inside = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    if let Some(address) = inside {
        let address = address.parse::<Ipv6Addr>();
        return address.is_ok_and(|it| !it.is_loopback() && !it.is_unspecified());
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return !address.is_loopback() && !address.is_unspecified();
    }
    host != "localhost" && !host.ends_with(".localhost")
}
