//! Everything the numbers rest on, each with the option that changes it.

use super::Scenario;
use super::words::{grouped, said, time};
use crate::model::Text;
use crate::model::report::Assumption;

/// What formulas, simulation and live runs share.
pub(super) fn common(s: &Scenario) -> Vec<Assumption> {
    let mut list = Vec::new();
    let mut add = |option, text: Text| list.push(Assumption { option, text });
    add(
        "--rate",
        Text::new("messages come at random moments at this mean rate, independently (a Poisson process)"),
    );
    let get = s.heads.get(None);
    let answer = s.heads.answer(s.payload);
    add(
        "--request-headers",
        said!(
            "HTTP heads of {} + {} bytes an exchange, {}",
            grouped(get.len()),
            grouped(answer.len()),
            s.heads.origin.clone()
        ),
    );
    let cookie = s.heads.request.field("cookie").map_or(0, str::len) as u64;
    add(
        "--cookies",
        if cookie == 0 {
            Text::new("no cookies")
        } else {
            said!("cookies of {} bytes with every request", grouped(cookie))
        },
    );
    add(
        "--http2",
        if s.http2 {
            said!(
                "HTTP/2 for all but the WebSocket: heads measured with a real HPACK encoder, {} + {} bytes \
                 once both ends have seen them; no flow control frames",
                super::http::Http::Two.size(&get, 0, super::http::Turn::Later),
                super::http::Http::Two.size(&answer, s.payload, super::http::Turn::Later)
            )
        } else {
            Text::new("HTTP/1.1, whose heads are not compressed")
        },
    );
    add(
        "--keep-alive",
        said!("an idle HTTP connection is kept for {} and then opened anew", time(s.keep_alive)),
    );
    add(
        "--closed-loop",
        if s.closed_loop {
            said!("a client asks again {} after it was answered", time(s.interval))
        } else {
            said!("a client asks every {} whether it was answered or not", time(s.interval))
        },
    );
    add(
        "--heartbeat",
        if s.heartbeat > 0.0 {
            said!(
                "a sign of life every {}: WebSocket ping 2 B and pong 6 B, a comment of an event stream, \
                 Engine.IO's 2 and 3; a long poll is let go empty after as long",
                time(s.heartbeat)
            )
        } else {
            Text::new("no heartbeats")
        },
    );
    let wire = s.wire;
    add(
        "--ipv6",
        said!(
            "{} bytes of headers a segment: {}, TCP {}",
            wire.headers(),
            if wire.ipv6 { "IPv6" } else { "IPv4" },
            if wire.timestamps { "with timestamps (--no-tcp-timestamps)" } else { "without timestamps" }
        ),
    );
    add("--mtu", said!("{} bytes a packet; Ethernet's own 18 bytes are not counted", grouped(wire.mtu)));
    add(
        "--ack-delay",
        said!(
            "a segment is acknowledged with what goes back within {}, else by a packet of its own; a second \
             segment at once",
            time(wire.ack_delay)
        ),
    );
    add(
        "--tls",
        if wire.tls {
            said!(
                "TLS 1.3: {} bytes a record (--tls-record); a handshake of {} bytes a connection \
                 (--tls-handshake)",
                wire.tls_record,
                grouped(wire.tls_handshake)
            )
        } else {
            said!("no TLS; with it, {} bytes a record and a handshake a connection", wire.tls_record)
        },
    );
    add("--event", said!("Socket.IO 4 events named {}: 42[{},\"...\"]", s.event_text(), s.event_text()));
    add(
        "",
        Text::new("a message is one frame, uncompressed, and sent by itself; polls bring all that has come"),
    );
    list
}

/// What the formulas assume.
pub(super) fn of_formulas(s: &Scenario) -> Vec<Assumption> {
    let mut list = common(s);
    list.push(left_out("bandwidth, loss"));
    list
}

/// That `what`, and the time of programs, count for nothing.
pub(super) fn left_out(what: &'static str) -> Assumption {
    let text = said!(
        "the first byte of an answer and the last arrive together: {} and the time of programs are nothing",
        what
    );
    Assumption { option: "", text }
}
