// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses of the network that this machine is in, which nobody else may make it read.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// Anywhere: the user named the host.
    Any,
    /// Anywhere but link-local addresses, where machines are told their secrets.
    Internal,
    /// To public addresses only.
    Public,
}

impl Reach {
    /// Whether a request may go to this address.
    pub(crate) fn holds(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Internal => !is_metadata(address),
            Self::Public => is_public(address),
        }
    }

    /// Whether a request may go to this host, as far as its name says. What a name resolves to is another question.
    pub(crate) fn holds_host(self, url: &Url) -> bool {
        match (self, url.host()) {
            (Self::Any, _) => true,
            (_, Some(Host::Ipv4(address))) => self.holds(address.into()),
            (_, Some(Host::Ipv6(address))) => self.holds(address.into()),
            (Self::Internal, Some(Host::Domain(name))) => !is_metadata_name(name),
            (Self::Public, Some(Host::Domain(name))) => !is_internal_name(name),
            (_, None) => false,
        }
    }
}

/// Whether the host of a URL is an internal one by its name or number.
pub(crate) fn names_internal_host(url: &Url) -> bool {
    !Reach::Public.holds_host(url)
}

fn plain(name: &str) -> &str {
    name.trim_end_matches('.')
}

fn is_metadata_name(name: &str) -> bool {
    plain(name).eq_ignore_ascii_case("metadata.google.internal")
}

/// Names that mean this machine or its network wherever they are resolved.
fn is_internal_name(name: &str) -> bool {
    let name = plain(name).to_ascii_lowercase();
    let ends = |domain: &str| {
        name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    ["localhost", "localdomain", "local", "internal", "home.arpa"].into_iter().any(ends)
}

/// Whether an address is one of the services that tell machines their credentials.
fn is_metadata(address: IpAddr) -> bool {
    match narrowed(address) {
        IpAddr::V4(address) => {
            address.is_link_local()
                || address == Ipv4Addr::new(168, 63, 129, 16)
                || address == Ipv4Addr::new(100, 100, 100, 200)
                || address == Ipv4Addr::new(192, 0, 0, 192)
        }
        IpAddr::V6(address) => {
            address.is_unicast_link_local()
                || address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    }
}

/// Whether an address is one of the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    if is_metadata(address) {
        return false;
    }
    match narrowed(address) {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            !(first == 0
                || address.is_loopback()
                || address.is_private()
                || address.is_multicast()
                || first >= 240
                // Shared by carriers (RFC 6598), of the IETF (RFC 6890), for benchmarks (RFC 2544).
                || (first == 100 && (64..128).contains(&second))
                || (first == 192 && second == 0 && third == 0)
                || (first == 198 && (18..20).contains(&second)))
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || address.is_unique_local()
                // Site-local (RFC 3879), Teredo (RFC 4380), local NAT64 (RFC 8215).
                || (first & 0xffc0) == 0xfec0
                || (first == 0x2001 && second == 0)
                || (first == 0x64 && second == 0xff9b && address.segments()[2] == 1))
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, behind NAT64 (RFC 6052), 6to4 (RFC 3056).
fn narrowed(address: IpAddr) -> IpAddr {
    let IpAddr::V6(wide) = address else { return address };
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match wide.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => pair(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_addresses_in_every_spelling_are_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "017700000001",
            "0177.0.0.1",
            "127.0.0.1.",
            "0",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "169.254.169.254.",
            "0xa9fea9fe",
            "2852039166",
            "0251.0376.0251.0376",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[::ffff:0:10.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001:0:1::1]",
            "[fe80::1]",
            "[febf::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
            "localhost.localdomain",
            "printer.local",
            "metadata.google.internal",
            "Metadata.Google.Internal.",
            "ip-10-0-0-1.ec2.internal",
            "１２７.0.0.1",
            "127。0。0。1",
            "%31%32%37.0.0.1",
        ] {
            let url = Url::parse(&format!("http://{host}/x")).unwrap();
            assert!(!Reach::Public.holds_host(&url), "{host}");
            assert!(Reach::Any.holds_host(&url), "{host}");
        }
    }

    #[test]
    fn public_hosts_are_not() {
        for host in [
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "169.253.1.1",
            "192.0.2.1",
            "[2606:4700::1111]",
            "[64:ff9b::8.8.8.8]",
            "[::ffff:8.8.8.8]",
            "noaa-goes16.s3.amazonaws.com",
            "localhost.example.org",
            "notlocal",
            "internal.example.org",
        ] {
            let url = Url::parse(&format!("https://{host}/x")).unwrap();
            assert!(Reach::Public.holds_host(&url), "{host}");
        }
    }

    #[test]
    fn within_the_network_only_the_services_of_machines_are_refused() {
        let holds = |host: &str| {
            Reach::Internal.holds_host(&Url::parse(&format!("http://{host}/")).unwrap())
        };
        for host in ["127.0.0.1", "10.0.0.1", "localhost", "[::1]", "store.internal", "8.8.8.8"] {
            assert!(holds(host), "{host}");
        }
        for host in ["169.254.169.254", "[fe80::1]", "metadata.google.internal", "168.63.129.16"] {
            assert!(!holds(host), "{host}");
        }
    }
}
