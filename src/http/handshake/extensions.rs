//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1), in one pass.
//!
//! ```text
//! extension-list  = 1#extension
//! extension       = extension-token *( ";" extension-param )
//! extension-param = token [ "=" (token | quoted-string) ]
//! ```

use std::borrow::Cow;

use crate::model::Text;

use super::super::head::is_token;

/// Extensions of drafts that permessage-deflate replaced. Safari offered the first one until 2019.
pub const COMPRESSION_DRAFTS: &[&str] = &[
    "x-webkit-deflate-frame",
    "deflate-frame",
    "perframe-deflate",
    "permessage-compress",
    "x-webkit-permessage-compress",
];

/// An offered or accepted extension. Offsets are in the header field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// Its name, such as `permessage-deflate`.
    pub name: &'a str,
    /// Its parameters, in order.
    pub params: Vec<Param<'a>>,
    /// Offset of the name.
    pub at: usize,
}

/// A parameter of an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name, such as `server_max_window_bits`.
    pub name: &'a str,
    /// Without quotes and backslashes.
    pub value: Option<Cow<'a, str>>,
    /// Offset of the name.
    pub at: usize,
    /// Bytes from the name to the value's end.
    pub len: usize,
}

/// Where a value leaves the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Offset in the value.
    pub at: usize,
    /// What should stand there (RFC 6455 §9.1).
    pub expected: &'static str,
    /// What does.
    pub got: Text,
}

/// Reads a header field's value: the extensions up to the first fault, and that fault.
pub fn parse(value: &[u8]) -> (Vec<Extension<'_>>, Option<Fault>) {
    let mut scan = Scan { bytes: value, at: 0 };
    let mut found = Vec::new();
    loop {
        // Empty elements are allowed by the #rule.
        while scan.skip_space() == Some(b',') {
            scan.at += 1;
        }
        if scan.peek().is_none() {
            let none = found.is_empty();
            let fault = none.then(|| scan.fault("at least one extension"));
            return (found, fault);
        }
        match scan.extension() {
            Ok(extension) => found.push(extension),
            Err(fault) => return (found, Some(fault)),
        }
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips white space, folded lines included; what stands behind it.
    fn skip_space(&mut self) -> Option<u8> {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.peek()
    }

    fn extension(&mut self) -> Result<Extension<'a>, Fault> {
        let at = self.at;
        let name = self.token("an extension's name, which is a token")?;
        let mut params = Vec::new();
        loop {
            match self.skip_space() {
                None | Some(b',') => return Ok(Extension { name, params, at }),
                Some(b';') => {
                    self.at += 1;
                    self.skip_space();
                    params.push(self.param()?);
                }
                Some(_) => return Err(self.fault("a comma or a semicolon")),
            }
        }
    }

    fn param(&mut self) -> Result<Param<'a>, Fault> {
        let at = self.at;
        let name = self.token("a parameter's name, which is a token")?;
        let mut end = self.at;
        let mut value = None;
        if self.skip_space() == Some(b'=') {
            self.at += 1;
            value = Some(match self.skip_space() {
                Some(b'"') => Cow::Owned(self.quoted()?),
                _ => Cow::Borrowed(self.token("a parameter's value, which is a token or a quoted one")?),
            });
            end = self.at;
        }
        Ok(Param { name, value, at, len: end - at })
    }

    fn token(&mut self, expected: &'static str) -> Result<&'a str, Fault> {
        let from = self.at;
        while self.peek().is_some_and(is_token) {
            self.at += 1;
        }
        match str::from_utf8(&self.bytes[from..self.at]) {
            Ok(token) if !token.is_empty() => Ok(token),
            _ => Err(self.fault(expected)),
        }
    }

    fn quoted(&mut self) -> Result<String, Fault> {
        //= RFC 6455 §9.1
        //# When using the quoted-string syntax variant
        let expected = "a quoted string that holds a token";
        let open = self.at;
        let mut text = String::new();
        loop {
            self.at += 1;
            let mut byte = self.peek();
            if byte == Some(b'"') {
                break;
            }
            if byte == Some(b'\\') {
                self.at += 1;
                byte = self.peek();
            }
            match byte {
                Some(b) if is_token(b) => text.push(char::from(b)),
                Some(_) => return Err(self.fault(expected)),
                None => return Err(Fault { at: open, expected, got: Text::new("no closing quote") }),
            }
        }
        if text.is_empty() {
            return Err(self.fault(expected));
        }
        self.at += 1;
        Ok(text)
    }

    fn fault(&self, expected: &'static str) -> Fault {
        let got = match self.peek() {
            None => Text::new("the end of the value"),
            Some(b) if b.is_ascii_graphic() => Text::with("{} at offset {}", char::from(b)).and(self.at),
            Some(b) => Text::with("byte 0x{} at offset {}", format!("{b:02x}")).and(self.at),
        };
        Fault { at: self.at, expected, got }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(value: &str) -> String {
        let (found, fault) = parse(value.as_bytes());
        let param = |p: &Param<'_>| match &p.value {
            Some(value) => format!(";{}={value}", p.name),
            None => format!(";{}", p.name),
        };
        let mut parts: Vec<String> = found
            .iter()
            .map(|e| e.name.to_owned() + &e.params.iter().map(param).collect::<String>())
            .collect();
        parts.extend(fault.map(|f| format!("!{}", f.at)));
        parts.join(" ")
    }

    /// RFC 6455 §9.1, RFC 7692 §5.2, and what breaks the grammar.
    #[test]
    fn values_are_read_up_to_the_first_fault() {
        let cases = [
            ("foo, bar; baz=2", "foo bar;baz=2"),
            ("deflate-stream", "deflate-stream"),
            (
                "mux; max-channels=4; flow-control, deflate-stream",
                "mux;max-channels=4;flow-control deflate-stream",
            ),
            (
                "mux; max-channels=4; flow-control,\r\n deflate-stream",
                "mux;max-channels=4;flow-control deflate-stream",
            ),
            ("private-extension", "private-extension"),
            ("permessage-foo; x=\"10\"", "permessage-foo;x=10"),
            ("permessage-foo; use_y, permessage-foo", "permessage-foo;use_y permessage-foo"),
            ("a ; b = \"\\c\\d\" ,, b", "a;b=cd b"),
            ("", "!0"),
            (" , ", "!3"),
            ("a b", "!2"),
            ("a;", "!2"),
            ("a; =1", "!3"),
            ("a; b=", "!5"),
            ("a; b=c d", "!7"),
            ("ok, a; b=\"x", "ok !9"),
            ("a; b=\"x y\"", "!7"),
            ("a; b=\"\"", "!6"),
            ("a; b=\"x\\", "!5"),
            ("a/b", "!1"),
            ("\u{e9}", "!0"),
        ];
        for (value, expected) in cases {
            assert_eq!(shape(value), expected, "{value:?}");
        }
    }

    /// CVE-2020-7662, CVE-2020-7663 (websocket-extensions): an unclosed quoted string of
    /// `\c` pairs made a regular expression try every way to cut it. The scanner here
    /// only ever goes forward, so that its position bounds its work.
    #[test]
    fn cve_2020_7662_an_unclosed_string_is_read_once() {
        for size in [1 << 8, 1 << 12, 1 << 16] {
            let value = format!("a; b=\"{}", "\\c".repeat(size));
            let (found, fault) = parse(value.as_bytes());
            assert_eq!((found.len(), fault.map(|f| f.at)), (0, Some(5)));
        }
    }
}
