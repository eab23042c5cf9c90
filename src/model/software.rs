//! What answered a handshake, as far as the answer names it.

use super::text::Text;

/// The program that answered a handshake: what its response's `Server` and `Via` say (RFC 9110 §10.2.4,
/// §7.6.3). Behind a proxy that says nothing of itself it is the one behind that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Software {
    /// The response says nothing, or was not seen.
    #[default]
    Unnamed,
    /// None of those below.
    Other,
    /// nginx and what is made of it.
    Nginx,
    /// Envoy.
    Envoy,
    /// Cloudflare's proxies.
    Cloudflare,
    /// Heroku's router.
    Heroku,
    /// Google's front end.
    Google,
    /// Apache httpd.
    Apache,
    /// uvicorn.
    Uvicorn,
}

/// How they begin to name themselves in `Server`.
const NAMES: &[(&str, Software)] = &[
    ("nginx", Software::Nginx),
    ("openresty", Software::Nginx),
    ("tengine", Software::Nginx),
    ("envoy", Software::Envoy),
    ("istio-envoy", Software::Envoy),
    ("cloudflare", Software::Cloudflare),
    ("heroku", Software::Heroku),
    ("google", Software::Google),
    ("apache", Software::Apache),
    ("uvicorn", Software::Uvicorn),
];

impl Software {
    /// The same, now that a header field `Server` has this value.
    #[must_use]
    pub fn with_server(self, value: &[u8]) -> Self {
        // A proxy names itself in Via, and leaves Server as it was.
        if !matches!(self, Self::Unnamed | Self::Other) {
            return self;
        }
        let begins = |name: &str| {
            value.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        };
        NAMES.iter().find(|(name, _)| begins(name)).map_or(Self::Other, |(_, software)| *software)
    }

    /// The same, now that a header field `Via` has this value.
    #[must_use]
    pub fn with_via(self, value: &[u8]) -> Self {
        let last = value.rsplit(|b| *b == b',').next().unwrap_or_default().trim_ascii();
        // The protocol's version comes first, and a comment may follow.
        match last.split(|b| *b == b' ').nth(1) {
            Some(b"google") => Self::Google,
            Some(b"vegur" | b"heroku-router") => Self::Heroku,
            _ => self,
        }
    }

    /// The program, and its setting for idle connections, if it is one that passes `WebSockets` on.
    pub fn proxy(self) -> Option<Text> {
        Some(Text::new(match self {
            Self::Nginx => "nginx (proxy_read_timeout)",
            Self::Envoy => "Envoy (stream_idle_timeout)",
            Self::Cloudflare => "Cloudflare",
            Self::Heroku => "Heroku's router",
            Self::Google => "Google Cloud's load balancer",
            Self::Unnamed | Self::Other | Self::Apache | Self::Uvicorn => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answered_is_what_the_response_names() {
        let of = |server: &str| Software::Unnamed.with_server(server.as_bytes());
        assert_eq!(of("nginx/1.22.1"), Software::Nginx);
        assert_eq!(of("Apache/2.4.57 (Debian)"), Software::Apache);
        assert_eq!(of("cloudflare"), Software::Cloudflare);
        assert_eq!(of("Python/3.11 websockets/12.0"), Software::Other);
        let via = |via: &str| Software::Nginx.with_via(via.as_bytes());
        assert_eq!(via("1.1 vegur"), Software::Heroku);
        assert_eq!(via("1.1 varnish, 1.1 google"), Software::Google);
        assert_eq!(via("1.1 squid (google)"), Software::Nginx);
        assert_eq!(via("vegur"), Software::Nginx);
        assert_eq!(Software::Heroku.with_server(b"nginx"), Software::Heroku, "the router is before nginx");
    }
}
