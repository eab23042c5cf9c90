//! Heads of extended CONNECT as those of the handshake of HTTP/1.1 that they stand for.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};

use super::dial::Asked;
use crate::http::{Head, StartLine, accept_value};
use crate::model::Text;

/// The key that no request over HTTP/2 has, for the rules that ask for one.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

/// Header fields of the handshake of HTTP/1.1 that have no place in HTTP/2 (RFC 8441 §5, RFC 9113 §8.2.2).
pub const FORBIDDEN: [&str; 8] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-connection",
    "sec-websocket-accept",
    "sec-websocket-key",
    "transfer-encoding",
    "upgrade",
];

/// A request as one of HTTP/1.1 that asks for the same: Upgrade, Connection and a key stand for `:protocol`.
pub fn request(uri: &Uri, headers: &HeaderMap) -> Vec<u8> {
    //= RFC 8441 §5
    //# Implementations using this extended CONNECT to bootstrap WebSockets do not do the processing of the
    //# Sec-WebSocket-Key and Sec-WebSocket- Accept header fields
    let mut head = first(&Method::GET, uri);
    head.extend(b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
    head.extend([KEY.as_bytes(), b"\r\n"].concat());
    fields(headers, &mut head);
    head
}

/// A request for something else as one of HTTP/1.1.
pub(super) fn ordinary(method: &Method, uri: &Uri, headers: &HeaderMap) -> Vec<u8> {
    let mut head = first(method, uri);
    fields(headers, &mut head);
    head
}

/// The first lines of a request as one of HTTP/1.1: the request line, and Host.
fn first(method: &Method, uri: &Uri) -> Vec<u8> {
    let target = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let host = uri.authority().map_or("", |authority| authority.as_str());
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n").into_bytes()
}

/// A response as one of HTTP/1.1 to a request with this key: any status that says yes is 101.
pub fn response(status: u16, headers: &HeaderMap, key: &[u8]) -> Vec<u8> {
    let mut head = if (200..300).contains(&status) {
        let accept = accept_value(key);
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n"
        )
        .into_bytes()
    } else {
        return plain(status, headers);
    };
    fields(headers, &mut head);
    head
}

/// A response as one of HTTP/1.1 with the fields that it has, and no others.
pub fn plain(status: u16, headers: &HeaderMap) -> Vec<u8> {
    let reason = hyper::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason.unwrap_or_default()).into_bytes();
    fields(headers, &mut head);
    head
}

/// An opening handshake of HTTP/1.1 as the extended CONNECT that asks for the same: Host becomes
/// `:authority`, Upgrade `:protocol`.
///
/// # Errors
/// What of it cannot be said over HTTP/2.
pub fn asked(head: &Head<'_>, is_secure: bool) -> Result<Asked, Text> {
    let StartLine::Request { target, .. } = head.start else {
        return Err("it is no request".into());
    };
    let value = |name| head.values(name).next().map(|value| value.text().into_owned());
    let protocol = value("upgrade").ok_or("over HTTP/2 :protocol is that of Upgrade, and there is none")?;
    let scheme = if is_secure { "https" } else { "http" };
    let uri = format!("{scheme}://{}{}", value("host").unwrap_or_default(), target.text());
    let mut request = Request::builder().method(Method::CONNECT).uri(&uri).version(Version::HTTP_2);
    for header in &head.headers {
        let name = header.name.text().to_ascii_lowercase();
        //= RFC 8441 §5
        //# [RFC6455] requires the use of Connection and Upgrade header fields that are not part of HTTP/2.
        if !FORBIDDEN.contains(&name.as_str()) {
            request = request.header(name, header.value.bytes);
        }
    }
    let request =
        request.body(()).map_err(|error| Text::with("{} cannot be asked for: {}", uri).and(error))?;
    Ok(Asked { request, protocol })
}

/// An answer of HTTP/1.1 as the one that says the same: 101 is 200, and fields that only mean something there
/// are left out. An answer that calls itself one of HTTP/2 goes as it is. `None` where it has no status.
pub(super) fn answer(head: &Head<'_>) -> Option<Response<()>> {
    let status = StatusCode::from_u16(head.status()?).ok()?;
    let is_as_it_is = head.version() == Some((2, 0));
    let mut response = Response::new(());
    *response.status_mut() = match status {
        StatusCode::SWITCHING_PROTOCOLS if !is_as_it_is => StatusCode::OK,
        status => status,
    };
    for header in &head.headers {
        let name = HeaderName::from_bytes(&header.name.bytes.to_ascii_lowercase());
        // What is none over HTTP/2 cannot be sent.
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value.bytes))
            && (is_as_it_is || !FORBIDDEN.contains(&name.as_str()))
        {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}

fn fields(headers: &HeaderMap, head: &mut Vec<u8>) {
    for (name, value) in headers {
        if !FORBIDDEN.contains(&name.as_str()) {
            head.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
    }
    head.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Outcome, check_request, check_response};
    use crate::model::SourceId;

    #[test]
    fn what_is_right_over_http_2_is_right_once_translated() {
        let asked = Request::builder()
            .uri("https://example.com/chat?x")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-protocol", "chat")
            .header("origin", "https://example.com")
            .body(())
            .unwrap();
        let bytes = request(asked.uri(), asked.headers());
        let asked = check_request(&Head::parse(&bytes, SourceId::Input, 0), false);
        assert!(asked.findings.is_empty(), "{:?}", asked.findings);
        let mut headers = HeaderMap::new();
        headers.insert("sec-websocket-protocol", HeaderValue::from_static("chat"));
        let bytes = response(200, &headers, asked.facts.key.as_deref().unwrap());
        let head = Head::parse(&bytes, SourceId::Input, 0);
        let answered = check_response(Some(&asked.facts), &head, Vec::new, false);
        assert_eq!(answered.facts.outcome, Outcome::Open, "{:?}", answered.findings);
        assert_eq!(answered.facts.subprotocol.as_deref(), Some("chat"));
        let bytes = response(403, &headers, b"");
        let head = Head::parse(&bytes, SourceId::Input, 0);
        let answered = check_response(Some(&asked.facts), &head, Vec::new, false);
        assert_eq!((answered.facts.outcome, answered.facts.status), (Outcome::Rejected, Some(403)));
    }

    #[test]
    fn an_answer_of_http_1_says_the_same_over_http_2() {
        let accept = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n";
        for (line, status, is_accept_kept) in [
            ("HTTP/1.1 101 Switching Protocols", 200, false),
            ("HTTP/1.1 403 Forbidden", 403, false),
            ("HTTP/1.1 103 Early Hints", 103, false),
            ("HTTP/2 101", 101, true),
            ("HTTP/2 204", 204, true),
        ] {
            let text = format!("{line}\r\n{accept}X-A: 1\r\nx-a: 2\r\n\r\n");
            let source = SourceId::Stream { conn: 1, dir: crate::model::Dir::Server };
            let response = answer(&Head::parse(text.as_bytes(), source, 0)).unwrap();
            assert_eq!(response.status(), status, "{line}");
            let has = |name: &str| response.headers().contains_key(name);
            assert_eq!([has("upgrade"), has("sec-websocket-accept")], [is_accept_kept; 2], "{line}");
            assert_eq!(response.headers().get_all("x-a").iter().count(), 2);
        }
        assert!(answer(&Head::parse(b"no head\r\n\r\n", SourceId::Input, 0)).is_none());
    }
}
