//! A server's side of the opening handshake (RFC 6455 §4.2; over HTTP/2, RFC 8441 §5).

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN, UPGRADE};
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, StatusCode, Version};

use super::answer::{Answer, refuse};
use super::http2;
use crate::http::handshake::accept_deflate;
use crate::http::{
    FRAGMENT_IN_TARGET, Head, MISSING_VERSION, UNSUPPORTED_VERSION, accept_value, check_request,
};
use crate::model::{Deflate, Rule, SourceId};

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// Whom a server lets in, and what it is ready to agree on.
#[derive(Clone, Debug, Default)]
pub struct Welcome {
    /// Subprotocols that it speaks (RFC 6455 §1.9).
    pub subprotocols: Vec<String>,
    /// Its own limits to permessage-deflate (RFC 7692); `None` where it declines it.
    pub deflate: Option<Deflate>,
    /// Origins whose pages may connect (RFC 6455 §10.2); none for all. Who names no origin is no browser,
    /// and let in.
    pub origins: Vec<String>,
}

/// The target of a request as it came, where that is known: hyper leaves out what stands behind a `#`.
#[derive(Clone, Debug)]
pub(super) struct Target(pub Vec<u8>);

/// What a handshake agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// The parameters of permessage-deflate.
    pub deflate: Option<Deflate>,
}

impl Welcome {
    /// The answer to an opening handshake (RFC 6455 §4.2.2), and what it agrees on; or a refusal.
    ///
    /// # Errors
    /// The refusal.
    pub(super) fn answer(
        &self,
        request: &Request<Incoming>,
    ) -> Result<(Response<Answer>, Agreed), Box<Response<Answer>>> {
        let fields = request.headers();
        let is_stream = request.version() == Version::HTTP_2;
        let broken = broken(request);
        if let Some(rule) = broken {
            let is_version = [&UNSUPPORTED_VERSION, &MISSING_VERSION].contains(&rule);
            //= RFC 6455 §4.2.2
            //# the server MUST abort the WebSocket handshake described in this section and instead send an
            //# appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version|
            //# header field
            // Over HTTP/2 there is nothing to upgrade.
            let status =
                if is_version && !is_stream { StatusCode::UPGRADE_REQUIRED } else { StatusCode::BAD_REQUEST };
            let mut response = refuse(status, rule.title);
            if is_version {
                response.headers_mut().insert(VERSION, HeaderValue::from_static("13"));
                // RFC 9110 §15.5.22: a 426 says to what.
                if !is_stream {
                    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
                }
            }
            return Err(Box::new(response));
        }
        let key = fields.get(KEY).map_or(&b""[..], HeaderValue::as_bytes);
        if !self.lets_in(fields) {
            //= RFC 6455 §4.2.2
            //# it MUST return an appropriate HTTP error code (e.g., 403 Forbidden) and abort the WebSocket
            //# handshake
            return Err(Box::new(refuse(StatusCode::FORBIDDEN, "pages of this origin are not let in")));
        }
        let agreed = Agreed { subprotocol: self.choose(fields), deflate: None };
        let mut response = Response::new(Answer::whole(""));
        let headers = response.headers_mut();
        let mut insert = |name: HeaderName, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        };
        if !is_stream {
            insert(UPGRADE, "websocket".to_owned());
            insert(CONNECTION, "Upgrade".to_owned());
            insert(ACCEPT, accept_value(key));
        }
        if let Some(subprotocol) = &agreed.subprotocol {
            insert(PROTOCOL, subprotocol.clone());
        }
        let offers = listed(fields, &EXTENSIONS);
        let accepted = self.deflate.and_then(|limits| accept_deflate(&offers, limits));
        let deflate = accepted.map(|accepted| {
            insert(EXTENSIONS, accepted.value);
            accepted.agreed
        });
        if !is_stream {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        Ok((response, Agreed { deflate, ..agreed }))
    }

    fn lets_in(&self, fields: &HeaderMap) -> bool {
        let Some(origin) = fields.get(ORIGIN).filter(|_| !self.origins.is_empty()) else { return true };
        self.origins.iter().any(|known| origin.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
    }

    /// The first that the client asks for and the server speaks; the client names them by preference.
    fn choose(&self, fields: &HeaderMap) -> Option<String> {
        let asked = listed(fields, &PROTOCOL);
        let asked = String::from_utf8_lossy(&asked);
        let known = |name: &&str| self.subprotocols.iter().any(|known| known == name);
        asked.split(',').map(str::trim).find(known).map(str::to_owned)
    }
}

/// A rule that asks a server to refuse this request (RFC 6455 §4.2.1), as the decoder sees it.
fn broken(request: &Request<Incoming>) -> Option<&'static Rule> {
    let head = if request.version() == Version::HTTP_2 {
        http2::request(request.uri(), request.headers())
    } else {
        head(request)
    };
    let report = check_request(&Head::parse(&head, SourceId::Input, 0), false);
    // Servers may put up with a fragment; this one says what is wrong.
    let fragment = || report.findings.iter().map(|it| it.rule).find(|rule| *rule == &FRAGMENT_IN_TARGET);
    report.facts.broken.first().copied().or_else(fragment)
}

/// A request as it came.
fn head(request: &Request<Incoming>) -> Vec<u8> {
    let uri = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let target = request.extensions().get::<Target>().map_or(uri.as_bytes(), |target| &target.0);
    let version = format!("{:?}", request.version());
    let mut head =
        [request.method().as_str().as_bytes(), b" ", target, b" ", version.as_bytes(), b"\r\n"].concat();
    for (name, value) in request.headers() {
        head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The values of a field that may come several times, as one list (RFC 9110 §5.3).
fn listed(fields: &HeaderMap, name: &HeaderName) -> Vec<u8> {
    let values: Vec<&[u8]> = fields.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b","[..])
}
