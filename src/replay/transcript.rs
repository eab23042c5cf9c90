//! Handshakes written down as text: a request, its response, perhaps more of them.
//!
//! Lines may end with CR LF, as on the wire, or with LF, as editors write them:
//! a text without a single CR is read as if each LF were CR LF. In any other text
//! a bare LF is what it looks like, and a finding. Lines that begin with `#` before
//! a head are comments.

use memchr::memchr;

use super::exchange::{Exchange, early_data};
use super::heard::{Heard, Progress, begins_head, begins_response};
use crate::limits;
use crate::model::SourceId;

/// Whether a text begins as a transcript does.
pub fn recognise(first: &[u8]) -> bool {
    let mut scan = Scan { text: first, at: 0, is_text: false };
    scan.skip_idle();
    begins_head(&first[scan.at..])
}

/// Reads all exchanges of a text, at most [`limits::TRANSCRIPT_EXCHANGES`] of them.
pub fn parse(text: &[u8], title: &str) -> Vec<Exchange> {
    let mut scan = Scan { text, at: 0, is_text: memchr(b'\r', text).is_none() };
    let mut exchanges = Vec::new();
    while exchanges.len() < limits::TRANSCRIPT_EXCHANGES {
        let Some(exchange) = scan.exchange(title) else { break };
        exchanges.push(exchange);
    }
    exchanges
}

struct Scan<'t> {
    text: &'t [u8],
    at: usize,
    /// It knows LF only.
    is_text: bool,
}

impl<'t> Scan<'t> {
    fn exchange(&mut self, title: &str) -> Option<Exchange> {
        self.skip_idle();
        let mut exchange = Exchange { title: title.to_owned(), ..Exchange::default() };
        match begins_response(self.rest()) {
            Some(true) => {}
            _ if self.rest().is_empty() => return None,
            // Whatever it is, it stands where a request should.
            _ => {
                let (mut request, _) = self.head();
                request.body = self.body(&request, None);
                exchange.request = Some(request);
                if !self.reach_response(&mut exchange) {
                    return Some(exchange);
                }
            }
        }
        let method = exchange.request.as_ref().map(|request| {
            String::from_utf8_lossy(request.bytes().split(|b| *b == b' ').next().unwrap_or_default())
                .into_owned()
        });
        loop {
            let (mut response, complete) = self.head();
            if response.is_interim() && complete && self.is_at_response() {
                continue;
            }
            response.body = self.body(&response, method.as_deref());
            let is_switch = response.head().status() == Some(101);
            exchange.response = Some(response);
            if is_switch {
                // What follows are frames; the next request, if there is one, begins a line.
                self.at = self.find_line(is_request_line).unwrap_or(self.text.len());
            }
            return Some(exchange);
        }
    }

    /// Goes on to the response of a request. Whatever stands before it was sent too early.
    fn reach_response(&mut self, exchange: &mut Exchange) -> bool {
        if self.is_at_response() {
            return true;
        }
        self.skip_idle();
        if self.rest().is_empty() || is_request_line(self.line()) {
            return false;
        }
        let from = self.at;
        let found = self.find_line(|line| is_request_line(line) || line.starts_with(b"HTTP/"));
        self.at = found.unwrap_or(self.text.len());
        let early = (self.at - from) as u64;
        exchange.around.push(early_data(SourceId::Input, from as u64, early));
        self.is_at_response()
    }

    fn is_at_response(&mut self) -> bool {
        let before = self.at;
        self.skip_idle();
        let is = begins_response(self.rest()) == Some(true);
        if !is {
            self.at = before;
        }
        is
    }

    /// Reads a head, and whether it is complete.
    fn head(&mut self) -> (Heard, bool) {
        let from = self.at;
        let mut heard = Heard::new(SourceId::Input, from as u64);
        self.at += heard.push(self.rest());
        let complete = heard.progress() == Progress::Whole;
        if self.is_text {
            heard = Heard::of_text(&self.text[from..self.at], SourceId::Input, from as u64);
        }
        (heard, complete)
    }

    /// Passes over the body behind a head, and gives the first of it.
    fn body(&mut self, behind: &Heard, method: Option<&str>) -> Vec<u8> {
        let mut body = behind.body_behind(method);
        // A body without a length would reach to the end of the text, over all that follows.
        let next = if body.is_until_close() { self.find_line(is_request_line) } else { None };
        let (used, _) = body.push(&self.text[self.at..next.unwrap_or(self.text.len())]);
        self.at += used;
        body.preview().to_vec()
    }

    /// Skips a byte order mark, empty lines and comments.
    fn skip_idle(&mut self) {
        if self.at == 0 && self.text.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        loop {
            match self.rest() {
                [b'\r' | b'\n', ..] => self.at += 1,
                [b'#', ..] => self.at += self.line().len(),
                _ => return,
            }
        }
    }

    fn rest(&self) -> &'t [u8] {
        &self.text[self.at..]
    }

    /// This line with its end.
    fn line(&self) -> &'t [u8] {
        let rest = self.rest();
        &rest[..memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)]
    }

    /// The first place from here on where a line begins that `is` one.
    fn find_line(&self, is: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let mut scan = Scan { ..*self };
        while !scan.rest().is_empty() {
            if is(scan.line()) {
                return Some(scan.at);
            }
            scan.at += scan.line().len();
        }
        None
    }
}

/// Whether a line is a request line of HTTP/1 (RFC 9112 §3).
fn is_request_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let method = line.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let version = line.len().checked_sub(9).map(|at| &line[at..]);
    method > 1
        && line.get(method) == Some(&b' ')
        && version.is_some_and(|version| version.starts_with(b" HTTP/1."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str = "GET / HTTP/1.1\nHost: a\nUpgrade: websocket\n\n";

    fn shapes(text: &str) -> Vec<(Option<usize>, Option<usize>, usize)> {
        let length = |heard: &Option<Heard>| heard.as_ref().map(|heard| heard.length() as usize);
        parse(text.as_bytes(), "t")
            .iter()
            .map(|e| (length(&e.request), length(&e.response), e.around.len()))
            .collect()
    }

    #[test]
    fn exchanges_are_told_apart() {
        let r = REQUEST.len();
        for (text, expected) in [
            (String::new(), vec![]),
            ("\n# only a comment\n".to_owned(), vec![]),
            (REQUEST.to_owned(), vec![(Some(r), None, 0)]),
            (format!("{REQUEST}HTTP/1.1 101 X\n\n"), vec![(Some(r), Some(16), 0)]),
            (format!("# a\n# b\n\n{REQUEST}\n# c\nHTTP/1.1 101 X\n\n"), vec![(Some(r), Some(16), 0)]),
            ("HTTP/1.1 101 X\n\n".to_owned(), vec![(None, Some(16), 0)]),
            (format!("{REQUEST}{REQUEST}"), vec![(Some(r), None, 0); 2]),
            (
                format!(
                    "{REQUEST}HTTP/1.1 403 X\n\nno\n{REQUEST}HTTP/1.1 101 X\n\n\u{81}\u{5}Hello\n{REQUEST}"
                ),
                vec![(Some(r), Some(16), 0), (Some(r), Some(16), 0), (Some(r), None, 0)],
            ),
            (
                format!("{REQUEST}HTTP/1.1 100 X\n\nHTTP/1.1 400 X\nContent-Length: 3\n\nno\n{REQUEST}"),
                vec![(Some(r), Some(34), 0), (Some(r), None, 0)],
            ),
            (format!("{REQUEST}early\nHTTP/1.1 101 X\n\n"), vec![(Some(r), Some(16), 1)]),
            ("G".to_owned(), vec![(Some(1), None, 0)]),
        ] {
            assert_eq!(shapes(&text), expected, "{text}");
            let wire = text.replace('\n', "\r\n");
            assert_eq!(shapes(&wire).len(), expected.len(), "{wire}");
        }
    }

    #[test]
    fn a_text_with_lf_only_is_no_bare_lf() {
        let exchange = &parse(REQUEST.as_bytes(), "t")[0];
        let request = exchange.request.as_ref().expect("a request");
        assert_eq!(request.head().findings, []);
        let wire = REQUEST.replace('\n', "\r\n");
        assert_eq!(request.bytes(), wire.as_bytes());
        let mixed = REQUEST.replacen('\n', "\r\n", 1);
        let exchange = &parse(mixed.as_bytes(), "t")[0];
        assert_eq!(exchange.request.as_ref().expect("a request").head().findings.len(), 1);
        // Spans lead back to the text as it was given.
        for (word, line) in [("GET", 0), ("Host", 1), ("Upgrade", 2)] {
            let at = wire.find(word).expect("there") as u64;
            assert_eq!(at - request.original(at * 8) / 8, line);
        }
    }

    #[test]
    fn transcripts_are_recognised() {
        for text in ["GET / HTTP/1.1\r\n", "# c\n\nGET /", "\u{feff}HTTP/1.1 101", "post /x HTTP/1.1"] {
            assert!(recognise(text.as_bytes()), "{text}");
        }
        for text in ["", "# only", "81 05 48 65", "\u{81}\u{5}Hello", "{\"log\": 1}"] {
            assert!(!recognise(text.as_bytes()), "{text}");
        }
    }
}
