//! The way to a server: addresses that were named for it, and the proxy between.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Url;
use crate::model::Text;

/// An address to use for a host and port instead of what its name resolves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    host: String,
    port: u16,
    address: IpAddr,
}

impl Resolve {
    /// Reads `HOST:PORT:ADDRESS`, an IPv6 address in brackets or without.
    ///
    /// # Errors
    /// How it is written.
    pub fn parse(text: &str) -> Result<Self, String> {
        let problem = || "HOST:PORT:ADDRESS, such as example.com:443:127.0.0.1".to_owned();
        let (host, rest) = text.split_once(':').ok_or_else(problem)?;
        let (port, address) = rest.split_once(':').ok_or_else(problem)?;
        let address = address.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(address);
        let (port, address) = (port.parse().map_err(|_| problem())?, address.parse().map_err(|_| problem())?);
        if host.is_empty() {
            return Err(problem());
        }
        Ok(Self { host: host.to_ascii_lowercase(), port, address })
    }

    /// The address named for a host and port.
    pub fn find(all: &[Self], host: &str, port: u16) -> Option<IpAddr> {
        let is_it = |it: &&Self| it.host.eq_ignore_ascii_case(host) && it.port == port;
        all.iter().find(is_it).map(|it| it.address)
    }
}

/// An HTTP proxy that is asked for a tunnel (CONNECT, RFC 9110 §9.3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The value of Proxy-Authorization.
    pub authorization: Option<String>,
    /// What named it: `--proxy` or a variable.
    pub named_by: &'static str,
}

impl Proxy {
    /// Reads `http://[user:password@]host:port`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, named_by: &'static str) -> Result<Self, Text> {
        let problem =
            |what: &'static str| Text::new("{} `{}`: {}").and(named_by).and(text).word(Text::new(what));
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.to_ascii_lowercase().starts_with("socks") => {
                return Err(problem("SOCKS is not spoken here; name an HTTP proxy: http://host:port"));
            }
            Some(_) => return Err(problem("a proxy is written http://host:port")),
            None => text,
        };
        let rest = rest.trim_end_matches('/');
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        // The rules for host and port are those of every URL.
        let url = Url::parse(&format!("ws://{authority}"))
            .map_err(|_| problem("a proxy is written http://host:port"))?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).collect::<Vec<u8>>();
        Ok(Self {
            host: url.host,
            port: url.port,
            authorization: user.map(|user| format!("Basic {}", STANDARD.encode(decoded(user)))),
            named_by,
        })
    }
}

/// The proxy that the environment names for a URL, as curl has it: `https_proxy` for `wss`, `http_proxy` for
/// `ws`, or `all_proxy`, unless `no_proxy` names the host. `get` looks a variable up.
///
/// # Errors
/// What is wrong with the one named.
pub fn of_environment(url: &Url, get: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, Text> {
    let set = |name: &str| get(name).filter(|value| !value.trim().is_empty());
    let exempt = set("no_proxy").or_else(|| set("NO_PROXY")).unwrap_or_default();
    if is_exempt(&exempt, &url.host, url.port) {
        return Ok(None);
    }
    // HTTP_PROXY in capitals may be a header field of somebody's request (CVE-2016-5385).
    let names: &[&'static str] = if url.secure {
        &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    } else {
        &["http_proxy", "all_proxy", "ALL_PROXY"]
    };
    let named = names.iter().find_map(|name| Some((*name, set(name)?)));
    named.map(|(name, value)| Proxy::parse(value.trim(), name)).transpose()
}

/// Whether a list of hosts, domains and networks names a host: `localhost,.example.com,10.0.0.0/8,host:8080`.
fn is_exempt(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    list.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return is_within(&host, network, bits);
        }
        let (name, its_port) = match entry.rsplit_once(':') {
            Some((name, number)) if !name.contains(':') => (name, number.parse::<u16>().ok()),
            _ => (&*entry, None),
        };
        if its_port.is_some_and(|its_port| its_port != port) {
            return false;
        }
        let name = name.trim_start_matches("*.").trim_start_matches('.').trim_matches(['[', ']']);
        host == name || host.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
    })
}

fn is_within(host: &str, network: &str, bits: &str) -> bool {
    let (Ok(host), Ok(network), Ok(bits)) =
        (host.parse::<IpAddr>(), network.parse::<IpAddr>(), bits.parse::<u32>())
    else {
        return false;
    };
    match (host, network) {
        (IpAddr::V4(host), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
            bits <= 32 && (host.to_bits() ^ network.to_bits()) & mask == 0
        }
        (IpAddr::V6(host), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(bits)).unwrap_or(0);
            bits <= 128 && (host.to_bits() ^ network.to_bits()) & mask == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_named_as_curl_has_it() {
        let all = ["Example.com:443:127.0.0.1", "a:80:[::1]", "a:81:::1"]
            .map(|text| Resolve::parse(text).expect(text));
        assert_eq!(Resolve::find(&all, "example.COM", 443), Some([127, 0, 0, 1].into()));
        assert_eq!(Resolve::find(&all, "a", 80), Some("::1".parse().unwrap()));
        assert_eq!(Resolve::find(&all, "a", 81), Some("::1".parse().unwrap()));
        assert_eq!(Resolve::find(&all, "example.com", 80), None);
        for wrong in ["a", "a:80", "a:x:127.0.0.1", "a:80:b", ":80:127.0.0.1"] {
            assert!(Resolve::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_environment_names_proxies() {
        let find = |url: &str, variables: &[(&str, &str)]| {
            let get =
                |name: &str| variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).into());
            of_environment(&Url::parse(url).unwrap(), get).unwrap().map(|proxy| (proxy.host, proxy.port))
        };
        let all =
            [("http_proxy", "http://p:1"), ("HTTPS_PROXY", "q:2/"), ("no_proxy", ".a.de, b,10.0.0.0/8")];
        assert_eq!(find("ws://c", &all), Some(("p".into(), 1)));
        assert_eq!(find("wss://c", &all), Some(("q".into(), 2)));
        for exempt in ["ws://a.de", "ws://x.a.de", "wss://b:9", "ws://10.1.2.3"] {
            assert_eq!(find(exempt, &all), None, "{exempt}");
        }
        assert_eq!(find("ws://xa.de", &all), Some(("p".into(), 1)), "another domain");
        assert_eq!(find("ws://c", &[("HTTP_PROXY", "http://p:1")]), None);
        assert_eq!(find("wss://c", &[("all_proxy", "http://p:1"), ("no_proxy", "*")]), None);
        assert_eq!(
            find("ws://c:81", &[("all_proxy", "http://p"), ("no_proxy", "c:80")]),
            Some(("p".into(), 80))
        );
    }

    #[test]
    fn proxies_have_users_and_no_other_schemes() {
        let proxy = Proxy::parse("http://me:pa%3Ass@[::1]:3128", "--proxy").unwrap();
        assert_eq!((&*proxy.host, proxy.port), ("::1", 3128));
        assert_eq!(proxy.authorization.as_deref(), Some("Basic bWU6cGE6c3M="));
        for (wrong, word) in
            [("socks5://a:1", "SOCKS"), ("https://a:1", "http://host:port"), ("http://", "http")]
        {
            let problem = Proxy::parse(wrong, "--proxy").expect_err(wrong);
            assert!(problem.to_string().contains(word), "{problem}");
        }
    }
}
