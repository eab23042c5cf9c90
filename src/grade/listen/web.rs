//! What is no WebSocket: the page that grades the browser which opens it, and refusals.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::asked::{Asked, split};
use super::{Desk, FAREWELL, Line};
use crate::grade::case::Case;
use crate::http::Head;
use crate::http::handshake::RequestFacts;
use crate::lab::http2::EXTENDED_ONLY;
use crate::lab::pages::{POLICY, Site, grade, grade_asset, language};
use crate::lab::socket::Stream;
use crate::lang::Lang;
use crate::model::Text;

/// Status lines.
const OK: &str = "200 OK";
pub(super) const BAD: &str = "400 Bad Request";
pub(super) const FULL: &str = "503 Service Unavailable";
const NOT_FOUND: &str = "404 Not Found";
const NOT_ALLOWED: &str = "405 Method Not Allowed";
const UPGRADE: &str = "426 Upgrade Required";

impl Desk {
    /// Answers who asks for no WebSocket.
    pub(super) async fn answer(
        &self,
        head: &Head<'_>,
        facts: &RequestFacts,
        asked: &Result<Asked, Text>,
        line: Line,
    ) {
        let Line { stream, http2, .. } = line;
        let is_head = match facts.method.as_str() {
            "GET" => false,
            "HEAD" => true,
            _ => {
                return write(stream, NOT_ALLOWED, ("text/plain", "GET\n"), "Allow: GET, HEAD\r\n", false)
                    .await;
            }
        };
        let (path, query) = split(&facts.target);
        let named = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "lang");
        let accepts = head.values("accept-language").next().map(|value| value.text());
        let named = named.as_ref().map(|(_, code)| &**code);
        let (lang, named) = language(named, accepts.as_deref(), self.settings.lang);
        if let Some((kind, content)) = grade_asset(path) {
            return write(stream, OK, (kind, content), "", is_head).await;
        }
        match path {
            "/" => {
                let (address, secure) = (self.settings.ours, self.settings.tls.is_some());
                let page = grade(&Site { lang, named, address, secure, panel: "{}" });
                let policy = format!("Content-Security-Policy: {POLICY}\r\n");
                write(stream, OK, ("text/html", &page), &policy, is_head).await;
            }
            "/cases" => {
                write(stream, OK, ("application/json", &self.cases(lang).to_string()), "", is_head).await;
            }
            _ if !matches!(asked, Ok(Asked::Nothing)) && http2.is_some() => {
                write(stream, BAD, ("text/plain", &format!("{EXTENDED_ONLY}\n")), "", is_head).await;
            }
            _ if !matches!(asked, Ok(Asked::Nothing)) => {
                let fields = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
                let words = "this is a WebSocket: open it with a WebSocket client\n";
                write(stream, UPGRADE, ("text/plain", words), fields, is_head).await;
            }
            _ => write(stream, NOT_FOUND, ("text/plain", &format!("{}\n", self.how())), "", is_head).await,
        }
    }

    /// The cases that a browser can be asked, for its page.
    fn cases(&self, lang: Lang) -> Value {
        let cases = self.settings.cases.iter().enumerate().filter(|(_, case)| asks_browser(case));
        let told = cases.map(|(at, case)| {
            let facts = &case.facts;
            json!({
                "case": at + 1,
                "id": facts.id,
                "autobahn": facts.autobahn,
                "chapter": facts.chapter.name(),
                "about": lang.words(facts.chapter.title()),
                "title": facts.title.in_(lang),
                "mend": facts.mend.in_(lang),
            })
        });
        told.collect()
    }
}

/// Whether a browser can be asked. Where the answer to its handshake asks for a password or leads elsewhere
/// people are asked, not its WebSocket.
fn asks_browser(case: &Case) -> bool {
    case.response
        .as_deref()
        .is_none_or(|response| !["401", "407", "Location"].iter().any(|it| response.contains(it)))
}

/// Refuses, with the reason.
pub(super) async fn refuse(stream: Box<dyn Stream>, status: &str, why: &str) {
    write(stream, status, ("text/plain", &format!("{why}\n")), "", false).await;
}

/// Writes an answer, behind which the connection ends.
async fn write(
    mut stream: Box<dyn Stream>,
    status: &str,
    (kind, body): (&str, &str),
    fields: &str,
    is_head: bool,
) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{fields}Connection: {}close\r\n\r\n",
        body.len(),
        if status == UPGRADE { "Upgrade, " } else { "" },
    );
    let body = if is_head { "" } else { body };
    let written = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await?;
        // What is unread would turn the end into a reset, and the answer would be lost.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        std::io::Result::Ok(())
    };
    // Who is gone, or takes nothing, needs no answer.
    let _ = timeout(FAREWELL, written).await;
}
