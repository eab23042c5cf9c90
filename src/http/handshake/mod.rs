//! The opening handshake (RFC 6455 §4): what the two heads agree on, and which rules they break.
//!
//! [`check_request`] and [`check_response`] each look at one head and report on
//! every header field; what the response must fit is carried over by [`RequestFacts`].
//! A request that asks for no WebSocket, and its response, are none of our
//! business: they are reported without a finding.

mod connect;
mod deflate;
mod exam;
mod extensions;
mod forwarded;
mod listed;
mod lists;
mod middlebox;
mod negotiate;
mod refusal;
mod request;
mod response;
mod site;
mod status;
mod usual;

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::exam::Exam;
use super::fields::Name;
use super::head::{Head, StartLine};
use crate::model::{Deflate, Diagnosis, Field, Finding, Header, Rule, Software};

pub use extensions::{Extension, Fault, Param, parse as parse_extensions};
pub use listed::{fields, usual_headers};
pub use lists::{Element, elements};
pub use middlebox::{PASS_ON, extensions_stripped, stripped};
pub use negotiate::{Acceptance, accept as accept_deflate, grant as grant_deflate, limits as deflate_limits};
pub use refusal::{certificate_missing, with_body};
pub use request::{check_request, is_absence};
pub use response::{check_response, refusal_rule};
pub use status::{Status, status};
pub use usual::{Usual, UsualRequest, UsualResponse};

/// What a request's head says.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestReport {
    /// The header fields with their verdicts; empty unless details were asked for.
    pub headers: Vec<Header<'static>>,
    /// Start line, header fields and their elements; empty unless details were asked for.
    pub fields: Vec<Field>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What may be behind the findings.
    pub diagnoses: Vec<Diagnosis>,
    /// What the response is held against.
    pub facts: RequestFacts,
}

/// What the response has to fit. Texts are as sent, and untrusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestFacts {
    /// The method; `GET` where it is right (RFC 6455 §4.1).
    pub method: String,
    /// The request target.
    pub target: String,
    /// Such as `1.1`; `None` when unreadable.
    pub http_version: Option<Cow<'static, str>>,
    /// The value of `Host`.
    pub host: Option<String>,
    /// The value of `Origin`; browsers send one.
    pub origin: Option<String>,
    /// It asks for a WebSocket, even if not rightly.
    pub is_upgrade: bool,
    /// The rules it breaks that a server must answer with an HTTP error.
    pub broken: Vec<&'static Rule>,
    /// The first `Sec-WebSocket-Key`.
    pub key: Option<Vec<u8>>,
    /// The first `Sec-WebSocket-Version`.
    pub version: Option<String>,
    /// All `Sec-WebSocket-Protocol` values, joined by commas.
    pub subprotocols: Option<String>,
    /// All `Sec-WebSocket-Extensions` values, joined by commas.
    pub extensions: Option<String>,
    /// It asks over HTTP/2, with an extended CONNECT (RFC 8441 §4).
    pub extended: bool,
    /// The client's address, as the first proxy on the way has it (`X-Forwarded-For`, `Forwarded`).
    pub forwarded: Option<Box<IpAddr>>,
}

impl RequestFacts {
    /// The offered subprotocols, best first.
    pub fn offered_subprotocols(&self) -> impl Iterator<Item = &str> {
        elements(self.subprotocols.as_deref().unwrap_or_default().as_bytes())
            .filter_map(|element| str::from_utf8(element.bytes).ok())
    }

    /// The offered extensions, best first, as far as they follow the grammar.
    pub fn offered_extensions(&self) -> Vec<Extension<'_>> {
        self.extensions.as_deref().map_or_else(Vec::new, |value| parse_extensions(value.as_bytes()).0)
    }
}

/// What a response's head says.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseReport {
    /// The header fields with their verdicts; empty unless details were asked for.
    pub headers: Vec<Header<'static>>,
    /// Start line, header fields and their elements; empty unless details were asked for.
    pub fields: Vec<Field>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What may be behind the findings, and what else is worth knowing.
    pub diagnoses: Vec<Diagnosis>,
    /// What holds from now on.
    pub facts: ResponseFacts,
}

/// What the response settles. Texts are as sent, and untrusted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseFacts {
    /// The status code; `None` when unreadable.
    pub status: Option<u16>,
    /// Such as `1.1`; `None` when unreadable.
    pub http_version: Option<Cow<'static, str>>,
    /// Whether the connection is a WebSocket from now on.
    pub outcome: Outcome,
    /// The chosen subprotocol.
    pub subprotocol: Option<String>,
    /// The agreed extensions as the response names them.
    pub extensions: Option<String>,
    /// The agreed parameters of permessage-deflate, when it is agreed.
    pub deflate: Option<Deflate>,
    /// The program that answered.
    pub software: Software,
}

impl ResponseFacts {
    /// Whether the connection, or the stream of HTTP/2, is a WebSocket from now on, rightly or not.
    pub fn opens(&self) -> bool {
        match self.status {
            Some(101) => self.http_version.as_deref() != Some("2"),
            Some(200..=299) => matches!(self.outcome, Outcome::Open | Outcome::Failed(_)),
            _ => false,
        }
    }
}

/// How a handshake ended, for a client that keeps to the rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// No handshake: an ordinary exchange.
    #[default]
    NotWebSocket,
    /// 100, 102 or 103: the real response is still to come.
    Interim,
    /// The WebSocket is open.
    Open,
    /// 101, but the client must fail the connection; the first cause.
    Failed(&'static Rule),
    /// Another status than 101.
    Rejected,
}

/// Whether a request asks for a WebSocket, however badly.
pub fn is_upgrade(head: &Head<'_>) -> bool {
    asks(&Exam::new(head, false))
}

/// Whether a response that switches protocols switches to WebSocket, however badly.
pub fn switches_to_websocket(head: &Head<'_>) -> bool {
    answers(&Exam::new(head, false))
}

/// Whether a response says that here is a WebSocket server, to a request that asked for none (RFC 9110
/// §15.5.22).
pub fn wants_websocket(head: &Head<'_>) -> bool {
    wants(&Exam::new(head, false))
}

/// Whether extensions were agreed on besides permessage-deflate: `agreed` is what the response says.
pub fn has_other_extensions(agreed: &str) -> bool {
    let (extensions, _) = parse_extensions(agreed.as_bytes());
    extensions.iter().any(|extension| !extension.name.eq_ignore_ascii_case("permessage-deflate"))
}

/// Whether a response that switches protocols switches to HTTP/2 (RFC 7540 §3.2).
pub fn switches_to_h2c(head: &Head<'_>) -> bool {
    Exam::new(head, false).listing(Name::Upgrade, "h2c").is_some()
}

/// The settings with which a request asks for HTTP/2 (RFC 7540 §3.2.1), if it does.
pub fn h2c_settings(head: &Head<'_>) -> Option<Vec<u8>> {
    Exam::new(head, false).listing(Name::Upgrade, "h2c")?;
    let settings = head.values("HTTP2-Settings").next()?;
    URL_SAFE_NO_PAD.decode(settings.bytes).ok()
}

fn wants(exam: &Exam<'_, '_>) -> bool {
    exam.head.status() == Some(426) && exam.listing(Name::Upgrade, "websocket").is_some()
}

fn answers(exam: &Exam<'_, '_>) -> bool {
    exam.first(Name::Accept).is_some() || exam.listing(Name::Upgrade, "websocket").is_some()
}

fn asks(exam: &Exam<'_, '_>) -> bool {
    let StartLine::Request { method, .. } = exam.head.start else { return false };
    if connect::asks(exam) {
        return true;
    }
    let speaks = [Name::Key, Name::Version, Name::OldKey1].iter().any(|name| exam.first(*name).is_some());
    (speaks || exam.listing(Name::Upgrade, "websocket").is_some()) && method.bytes != b"CONNECT"
}

#[cfg(test)]
mod tests;
