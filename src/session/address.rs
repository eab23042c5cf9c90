//! What addresses tell.

use std::net::IpAddr;

/// Whether an address is one of the open Internet, as far as addresses tell.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && b & 0xC0 == 64;
            let tests = a == 198 && b & 0xFE == 18 || (a, b, c) == (192, 0, 0);
            !(a == 0
                || a >= 224
                || shared
                || tests
                || v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_documentation())
        }
        // Global unicast (RFC 4291 §2.4) but for documentation (RFC 3849, RFC 9637).
        IpAddr::V6(v6) => {
            let [a, b, ..] = v6.segments();
            a & 0xE000 == 0x2000 && (a, b) != (0x2001, 0xDB8) && a != 0x3FFF
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_internet() {
        let public = ["1.2.3.4", "192.0.1.1", "2606:4700::1", "::ffff:1.2.3.4"];
        let own = [
            "10.0.0.1",
            "127.0.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "0.0.0.0",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
            "3fff::1",
            "::ffff:10.0.0.1",
            "ff02::1",
        ];
        for (addresses, expected) in [(&public[..], true), (&own[..], false)] {
            for address in addresses {
                assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
            }
        }
    }
}
