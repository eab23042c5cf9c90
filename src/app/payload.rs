//! The bodies of Engine.IO's long polling: several packets, framed differently by each revision.

use percent_encoding::percent_decode;

use super::engineio::{Fault, Packet, binary, text};
use super::excerpt::quoted;
use super::json;
use crate::limits::POLLING_PACKETS;
use crate::model::Text;

/// The packets of a body, and what kept it from being read to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Those before it, in order.
    pub packets: Vec<Packet<'a>>,
    /// `None` where the whole body was read.
    pub fault: Option<Fault>,
}

impl<'a> Payload<'a> {
    fn take(&mut self, packet: Result<Packet<'a>, Fault>, at: usize, frame: usize) -> bool {
        match packet {
            Ok(packet) => self.packets.push(Packet { at, len: frame, ..packet }),
            Err(fault) => self.fault = self.fault.take().or(Some(Fault { at: at + fault.at, ..fault })),
        }
        self.packets.len() < POLLING_PACKETS
    }

    fn fail(mut self, at: usize, expected: &'static str, got: Text) -> Self {
        self.fault = self.fault.or(Some(Fault { at, expected, got }));
        self
    }
}

/// Divides a body of revision 4: packets joined by the record separator.
pub fn payload_v4(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    for part in body.split(|b| *b == 0x1E) {
        if !payload.take(text(part), at, part.len()) {
            break;
        }
        at += part.len() + 1;
    }
    payload
}

/// Divides a body of revision 3, which is text with lengths in UTF-16 code units, or binary (XHR2).
pub fn payload_v3(body: &[u8]) -> Payload<'_> {
    match body.first() {
        Some(0 | 1) => payload_xhr2(body),
        _ => payload_v3_text(body),
    }
}

fn payload_v3_text(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    while at < body.len() {
        let digits = body[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        let declared = str::from_utf8(&body[at..at + digits]).ok().and_then(|d| d.parse::<usize>().ok());
        let (Some(units), Some(b':')) = (declared, body.get(at + digits)) else {
            let got = Text::with("{}", quoted(&body[at..body.len().min(at + 16)]));
            return payload.fail(at, "a length and a colon", got);
        };
        let start = at + digits + 1;
        let Some(len) = utf16_prefix(&body[start..], units) else {
            let got = Text::with("a length of {}, which is more than there is", units);
            return payload.fail(at, "as many UTF-16 code units as the length says", got);
        };
        if !payload.take(text(&body[start..start + len]), start, len) {
            break;
        }
        at = start + len;
    }
    payload
}

/// Bytes of UTF-8 that make `units` code units of UTF-16.
fn utf16_prefix(bytes: &[u8], units: usize) -> Option<usize> {
    if units > bytes.len() {
        return None;
    }
    let (mut at, mut left) = (0, units);
    while left > 0 {
        let (len, cost) = match bytes.get(at)? {
            0..=0x7F => (1, 1),
            0xF0..=0xFF => (4, 2),
            0xE0..=0xEF => (3, 1),
            _ => (2, 1),
        };
        at += len;
        left = left.checked_sub(cost)?;
    }
    (at <= bytes.len()).then_some(at)
}

/// XHR2: a marker (0 string, 1 binary), the length as digits, 255, the packet.
fn payload_xhr2(body: &[u8]) -> Payload<'_> {
    let mut payload = Payload::default();
    let mut at = 0;
    while at < body.len() {
        let marker = body[at];
        let rest = &body[at + 1..];
        let digits = rest.iter().take_while(|b| **b <= 9).count();
        let declared = rest[..digits]
            .iter()
            .try_fold(0usize, |n, d| n.checked_mul(10)?.checked_add(usize::from(*d)))
            .filter(|_| digits > 0 && marker <= 1 && rest.get(digits) == Some(&0xFF));
        let Some(len) = declared else {
            return payload.fail(at, "0 or 1, a length in digits, and 255", Text::new("something else"));
        };
        let start = at + 1 + digits + 1;
        let Some(packet) = body.get(start..).and_then(|b| b.get(..len)) else {
            let got = Text::with("a length of {}, which is more than there is", len);
            return payload.fail(at, "as many bytes as the length says", got);
        };
        let read = if marker == 0 { text(packet) } else { binary(packet, 3) };
        if !payload.take(read, start, len) {
            break;
        }
        at = start + len;
    }
    payload
}

/// Takes a body out of its JSONP wrapping: `___eio[0]("…");`. `None` when it has none.
pub fn from_jsonp(body: &[u8]) -> Option<String> {
    let body = str::from_utf8(body).ok()?.trim();
    let rest = body.strip_prefix("___eio[")?;
    let (index, rest) = rest.split_once("](")?;
    let literal = rest.strip_suffix(";").unwrap_or(rest).strip_suffix(')')?;
    index.bytes().all(|b| b.is_ascii_digit()).then(|| json::string(literal))?
}

/// Takes a body out of the form field JSONP posts it in: `d=<urlencoded>`. `None` when it has none.
pub fn from_form(body: &[u8]) -> Option<Vec<u8>> {
    let value = body.strip_prefix(b"d=")?;
    let value: Vec<u8> = value.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    // The reference client writes a line feed as \\n, and what was \\n already as \\\\n.
    let text = percent_decode(&value).decode_utf8().ok()?;
    let parts: Vec<String> = text.split("\\\\n").map(|part| part.replace("\\n", "\n")).collect();
    Some(parts.join("\\n").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(payload: &Payload<'_>) -> Vec<String> {
        payload
            .packets
            .iter()
            .map(|p| {
                let data = match p.text() {
                    Some(text) => text.to_owned(),
                    None => format!("{:02x?}", p.data),
                };
                format!("{}@{}+{} {data}", p.kind.name(), p.at, p.len)
            })
            .collect()
    }

    #[test]
    fn bodies_of_revision_4() {
        let payload = payload_v4(b"4hello\x1e2\x1e4world\x1ebAQIDBA==");
        assert_eq!(
            texts(&payload),
            ["message@0+6 hello", "ping@7+1 ", "message@9+6 world", "message@16+9 [01, 02, 03, 04]"]
        );
        assert_eq!(payload.fault, None);
        let broken = payload_v4(b"4a\x1e\x1e4b");
        assert_eq!((broken.packets.len(), broken.fault.map(|f| f.at)), (2, Some(3)));
    }

    #[test]
    fn bodies_of_revision_3_count_utf16() {
        assert_eq!(texts(&payload_v3("6:4hello2:4€".as_bytes())), ["message@2+6 hello", "message@10+4 €"]);
        let long = "34:42[\"chat message\",\"héllo € 你好 😀\"]2:40";
        let payload = payload_v3(long.as_bytes());
        assert_eq!((payload.packets.len(), &payload.fault), (2, &None));
        assert_eq!(payload.packets[0].text(), Some("2[\"chat message\",\"héllo € 你好 😀\"]"));
        assert_eq!(texts(&payload_v3(b"10:b4AQIDBA==")), ["message@3+10 [01, 02, 03, 04]"]);
        for (wire, at) in [("6:4hel", 0), ("2:4€x:", 6), ("1:2999999999999999999999:4", 3), ("2:😀4", 2)]
        {
            assert_eq!(payload_v3(wire.as_bytes()).fault.map(|f| f.at), Some(at), "{wire}");
        }
    }

    #[test]
    fn bodies_of_revision_3_in_binary() {
        let wire = b"\x00\x04\xff4\xe2\x82\xac\x01\x05\xff\x04\x01\x02\x03\x04";
        assert_eq!(texts(&payload_v3(wire)), ["message@3+4 €", "message@10+5 [01, 02, 03, 04]"]);
        for wire in [&b"\x00\x09\xff4"[..], b"\x00\xff4", b"\x00\x01", b"\x02", b"\x01"] {
            let payload = payload_v3(wire);
            assert!(payload.fault.is_some() && payload.packets.is_empty(), "{wire:?}");
        }
    }

    #[test]
    fn jsonp_both_ways() {
        assert_eq!(from_jsonp(br#"___eio[0]("4h\"i\u2028");"#).as_deref(), Some("4h\"i\u{2028}"));
        assert_eq!(from_jsonp(b"4hi"), None);
        assert_eq!(from_form(b"d=6%3A4hello+%E2%82%AC").unwrap(), "6:4hello €".as_bytes());
        assert_eq!(from_form(br"d=4%22a%5C%5Cnb%22%5Cn").unwrap(), b"4\"a\\nb\"\n");
        assert_eq!(from_form(b"x=1"), None);
        assert_eq!(from_form(b"d=%4%zz%41").unwrap(), b"%4%zzA");
        assert_eq!(from_form(b"d=%ff"), None);
    }
}
