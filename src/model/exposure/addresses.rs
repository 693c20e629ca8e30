//! Ranges of addresses from which nothing of the internet can come.

use std::net::IpAddr;

/// Ranges that are not routed on the internet: private networks (RFC 1918), the shared ones of
/// carriers (RFC 6598), unique local ones (RFC 4193), link-local (RFC 3927, RFC 4291) and loopback
/// (RFC 1122, RFC 4291).
const PRIVATE: [&str; 9] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// Whether a range in CIDR notation lies within the private ones as a whole. What is no range does
/// not.
pub(super) fn is_private(range: &str) -> bool {
    let Some(range) = Range::parse(range.trim()) else {
        return false;
    };
    let mut private = PRIVATE.iter().filter_map(|range| Range::parse(range));
    private.any(|private| private.contains(range))
}

/// A range of addresses; those of IPv4 and IPv6 never meet.
#[derive(Clone, Copy)]
struct Range {
    is_v4: bool,
    /// The address, to the left of 128 bits.
    bits: u128,
    prefix: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let (is_v4, bits, longest) = match address.parse().ok()? {
            IpAddr::V4(address) => (true, u128::from(address.to_bits()) << 96, 32),
            IpAddr::V6(address) => (false, address.to_bits(), 128),
        };
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= longest)?;
        Some(Self {
            is_v4,
            bits,
            prefix,
        })
    }

    fn contains(self, other: Self) -> bool {
        let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or_default();
        let same = self.bits & mask == other.bits & mask;
        self.is_v4 == other.is_v4 && self.prefix <= other.prefix && same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_private_only_as_a_whole() {
        for (range, expected) in [
            ("10.0.0.0/8", true),
            ("10.1.2.3/32", true),
            (" 10.0.0.0/24 ", true),
            ("10.0.0.0/7", false),
            ("0.0.0.0/0", false),
            ("172.16.0.0/12", true),
            ("172.31.255.0/24", true),
            ("172.32.0.0/16", false),
            ("172.0.0.0/8", false),
            ("192.168.0.0/16", true),
            ("192.169.0.0/16", false),
            ("100.64.0.0/10", true),
            ("100.128.0.0/10", false),
            ("169.254.169.254/32", true),
            ("127.0.0.1/32", true),
            ("203.0.113.7/32", false),
            ("fd00:1::/64", true),
            ("fc00::/7", true),
            ("fc00::/6", false),
            ("fe80::/10", true),
            ("::1/128", true),
            ("::/0", false),
            ("2001:db8::/32", false),
            ("::ffff:10.0.0.0/104", false),
            ("10.0.0.0", false),
            ("10.0.0.0/33", false),
            ("10.0.0/8", false),
            ("", false),
            ("any", false),
        ] {
            assert_eq!(is_private(range), expected, "{range}");
        }
    }
}
