//! Chromium, which speaks RFC 8441 where it has a connection of HTTP/2 to the same origin.

use super::{Certificate, Listening};
use crate::peers::seen;

#[test]
fn a_browser_opens_websockets_on_streams_of_its_connection() {
    let certificate = Certificate::make("browser");
    let args = ["--cert", &certificate.cert, "--key", &certificate.key];
    let served = Listening::start("serve", &args);
    let Some(seen) = seen("http2-browser.mjs", [format!("https://{}", served.address)]) else { return };
    assert_eq!(seen["page"], "h2", "{seen:#}");
    // 101 would be HTTP/1.1's.
    assert_eq!(seen["status"], 200, "{seen:#}");
    assert_eq!(seen["came"], serde_json::json!(["first", "zweite Nachricht", "第三"]), "{seen:#}");
    assert_eq!((&seen["protocol"], &seen["extensions"]), (&"chat".into(), &"permessage-deflate".into()));
    assert_eq!((&seen["code"], &seen["clean"]), (&1000.into(), &true.into()), "{seen:#}");
    served.end();
}
