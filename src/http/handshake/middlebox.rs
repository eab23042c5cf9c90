//! The usual signatures of proxies and gateways that do not know WebSocket.

use crate::model::{Case, Diagnosis, Finding, Rule, Text};

use super::super::fields::Name;
use super::super::{
    CONNECTION_LACKS_UPGRADE, EXTENSION_STRIPPED, HTTP_VERSION_TOO_OLD, MISSING_CONNECTION, MISSING_UPGRADE,
    RESPONSE_CONNECTION_INVALID,
};
use super::RequestFacts;
use super::exam::Exam;

/// What to change at proxies that drop Upgrade.
pub const PASS_ON: &str = "let every proxy on the way pass Upgrade and Connection on; nginx: \
                       proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                       proxy_set_header Connection \"upgrade\";";

/// What a request shows of the way it came.
pub(super) fn in_request(exam: &mut Exam<'_, '_>) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    let key = exam.first(Name::Key).is_some();
    let broken = |rules: [&Rule; 3]| exam.findings.iter().any(|finding| rules.contains(&finding.rule));
    if key
        // Nobody puts another protocol's name in its place.
        && broken([&MISSING_UPGRADE, &MISSING_CONNECTION, &CONNECTION_LACKS_UPGRADE])
    {
        found.push(hop_by_hop());
    }
    if key && exam.head.version().is_some_and(|version| version < (1, 1)) {
        found.push(downgraded());
    }
    if key && is_a_browsers(exam) && exam.first(Name::Extensions).is_none() {
        found.push(extensions_stripped());
        exam.findings
            .push(stripped("permessage-deflate, which browsers offer".into(), "no extensions".into()));
    }
    found
}

/// Whether a browser made the request, as far as heads tell: any script can give itself a browser's
/// User-Agent, and hardly one sends all else along that browsers send with each handshake.
fn is_a_browsers(exam: &Exam<'_, '_>) -> bool {
    let agent = exam.first(Name::UserAgent).is_some_and(|(_, agent)| agent.bytes.starts_with(b"Mozilla/"));
    let others = ["Pragma", "Cache-Control", "Accept-Encoding", "Accept-Language"];
    let sends = |name: &str| exam.head.headers.iter().any(|header| header.is(name));
    agent && exam.first(Name::Origin).is_some() && others.into_iter().all(sends)
}

/// What a response shows of the way it came. `html` says that its body is a page.
pub(super) fn in_response(
    exam: &Exam<'_, '_>,
    status: u16,
    request: Option<&RequestFacts>,
    html: bool,
) -> Vec<Diagnosis> {
    let mut found = Vec::new();
    if status == 101 {
        let upgrade = exam.first(Name::Upgrade).is_some();
        let connection = exam.findings.iter().all(|finding| finding.rule != &RESPONSE_CONNECTION_INVALID);
        if exam.first(Name::Accept).is_some() && !(upgrade && connection) {
            found.push(hop_by_hop());
        }
    }
    if (200..300).contains(&status) && html {
        found.push(Diagnosis::new(
            "page-instead-of-websocket",
            "the answer is a web page: the request reached a server, or a login or error page, that knows \
             no WebSocket here",
            "check the path, and that the proxy sends it to the WebSocket server and not to the site's files",
        ));
    }
    if status == 426 && asks_for_this(exam) && request.is_some_and(|request| request.broken.is_empty()) {
        found.push(Diagnosis::new(
            "upgrade-lost-on-the-way",
            "the request asks rightly for an upgrade, and the server says that it should: Upgrade was lost \
             behind this point",
            PASS_ON,
        ));
    }
    // Who answers an older request in HTTP/1.0 is not the one who made it older.
    let is_older = request.is_some_and(|request| request.broken.contains(&&HTTP_VERSION_TOO_OLD));
    if exam.head.version() == Some((1, 0)) && !is_older {
        found.push(Diagnosis::new(
            "answer-in-http-1.0",
            "the answer is in HTTP/1.0, which knows no Upgrade: a simple web server gave it, or an old proxy",
            "check host and port, and that every proxy on the way speaks HTTP/1.1",
        ));
    }
    found
}

/// Whether a 426 asks for what a right handshake is: not for another protocol (RFC 9110 §7.8; RFC 2817 for
/// TLS), and not for other versions of this one.
fn asks_for_this(exam: &Exam<'_, '_>) -> bool {
    //= RFC 6455 §4.4
    //# If the server doesn't support the requested version, it MUST respond with a
    //# |Sec-WebSocket-Version| header field (or multiple |Sec-WebSocket-Version| header fields)
    //# containing all versions it is willing to use.
    let names = |name: Name, value: &str| exam.count(name) == 0 || exam.listing(name, value).is_some();
    names(Name::Upgrade, "websocket") && names(Name::Version, "13")
}

fn hop_by_hop() -> Diagnosis {
    Diagnosis::new(
        "hop-by-hop-headers-dropped",
        "the WebSocket's own header fields arrived, Upgrade or Connection did not: they are meant for one \
         hop, and a proxy took them out",
        PASS_ON,
    )
}

fn downgraded() -> Diagnosis {
    Diagnosis::new(
        "downgraded-to-http-1.0",
        "HTTP/1.0 knows no Upgrade: mostly a proxy turned HTTP/1.1 into it (for long the default of nginx)",
        PASS_ON,
    )
}

/// What is found where a request has no extensions any longer.
pub fn stripped(expected: Text, got: Text) -> Finding {
    let what = "had Sec-WebSocket-Extensions (permessage-deflate) taken out on the way".into();
    Finding::new(&EXTENSION_STRIPPED, None, expected, got).like(Case::new(what, Vec::new()))
}

/// A proxy removed `Sec-WebSocket-Extensions`. Also for those who see compressed
/// frames on a connection that agreed to no extension.
pub fn extensions_stripped() -> Diagnosis {
    Diagnosis::new(
        "extensions-stripped",
        "Sec-WebSocket-Extensions seems to have been taken out on the way: browsers always offer \
         permessage-deflate",
        "let every proxy on the way pass Sec-WebSocket-Extensions on, in both directions, or switch \
         compression off at both ends",
    )
}
