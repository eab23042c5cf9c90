//! The handshakes that come with the tool: `samples/handshakes/`.

use crate::http::{CONNECTION_RULES, RULES};

/// A handshake that can be played by name.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Its path in `samples/handshakes/`, without the ending.
    pub name: &'static str,
    /// What it shows; empty for what its name says.
    about: &'static str,
    /// The transcript.
    pub text: &'static [u8],
}

macro_rules! samples {
    ($($name:literal $about:literal)*) => {
        &[$(Sample {
            name: $name,
            about: $about,
            text: include_bytes!(concat!("../../samples/handshakes/", $name, ".http")),
        }),*]
    };
}

/// All of them: right ones, what middleboxes do, and a broken one for each rule, named by it.
pub static SAMPLES: &[Sample] = samples! {
    "rfc6455" "the handshake of RFC 6455 §1.2, with subprotocols"
    "rfc6455-minimal" "the same with what §4.1 requires and no more"
    "chromium" "what Chromium sends, and a server without extensions"
    "npm-ws" "client and server of the npm package ws"
    "python-websockets" "client and server of the Python package websockets"
    "permessage-deflate" "compression with limited windows (RFC 7692 §7.1)"
    "middlebox/downgraded-to-http-1.0" "a proxy made HTTP/1.0 of it"
    "middlebox/extensions-stripped" "a proxy took Sec-WebSocket-Extensions out"
    "middlebox/hop-by-hop-headers-dropped" "a proxy took Upgrade and Connection out"
    "middlebox/page-instead-of-websocket" "a web page answers"
    "middlebox/upgrade-lost-on-the-way" "the server never saw the Upgrade"
    "broken/accept-mismatch" ""
    "broken/connection-lacks-upgrade" ""
    "broken/data-before-handshake-complete" ""
    "broken/duplicate-extensions-in-response" ""
    "broken/duplicate-sec-websocket-accept" ""
    "broken/duplicate-sec-websocket-key" ""
    "broken/duplicate-sec-websocket-version" ""
    "broken/duplicate-subprotocol-in-response" ""
    "broken/duplicate-subprotocol-offer" ""
    "broken/fragment-in-request-target" ""
    "broken/handshake-redirected" ""
    "broken/handshake-rejected" ""
    "broken/http-version-too-old" ""
    "broken/invalid-sec-websocket-key" ""
    "broken/invalid-subprotocol-token" ""
    "broken/malformed-extensions-header" ""
    "broken/malformed-request" ""
    "broken/malformed-response" ""
    "broken/method-not-get" ""
    "broken/missing-connection" ""
    "broken/missing-host" ""
    "broken/missing-origin" ""
    "broken/missing-sec-websocket-accept" ""
    "broken/missing-sec-websocket-key" ""
    "broken/missing-sec-websocket-version" ""
    "broken/missing-upgrade" ""
    "broken/pmd-client-window-unsolicited" ""
    "broken/pmd-duplicate-param" ""
    "broken/pmd-invalid-param-value" ""
    "broken/pmd-no-context-takeover-unacknowledged" ""
    "broken/pmd-rsv1-conflict" ""
    "broken/pmd-server-window-larger-than-offer" ""
    "broken/pmd-small-window" ""
    "broken/pmd-unknown-param" ""
    "broken/rejected-without-http-error" ""
    "broken/request-target-mismatch" ""
    "broken/response-connection-invalid" ""
    "broken/response-upgrade-invalid" ""
    "broken/server-accepted-bad-handshake" ""
    "broken/subprotocol-case-mismatch" ""
    "broken/unknown-extension-param" ""
    "broken/unregistered-extension" ""
    "broken/unrequested-extension" ""
    "broken/unrequested-subprotocol" ""
    "broken/unsupported-version" ""
    "broken/upgrade-not-websocket" ""
    "broken/version-rejection-lacks-version" ""
};

impl Sample {
    /// What it shows.
    pub fn about(&self) -> &'static str {
        if !self.about.is_empty() {
            return self.about;
        }
        let id = self.name.rsplit('/').next().unwrap_or_default();
        RULES.iter().chain(CONNECTION_RULES).find(|rule| rule.id == id).map_or("", |rule| rule.title)
    }
}

/// The sample of that name, also without its folder.
pub fn named(name: &str) -> Option<&'static Sample> {
    let exact = SAMPLES.iter().find(|sample| sample.name == name);
    exact.or_else(|| SAMPLES.iter().find(|sample| sample.name.rsplit('/').next() == Some(name)))
}
