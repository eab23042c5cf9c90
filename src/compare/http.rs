//! How many bytes an HTTP exchange takes besides its bodies: over HTTP/1.1 as its
//! heads are written, over HTTP/2 as HPACK really encodes them (RFC 7541).

use httlib_hpack::Encoder;

use super::heads::Head;

/// Bytes of an HTTP/2 frame header (RFC 9113 §4.1).
const FRAME: u64 = 9;

/// Bytes of payload a frame may have unless the peer allows more (RFC 9113 §4.2).
const FRAME_HOLDS: u64 = 16_384;

/// Bytes of an HTTP/2 connection's beginning: the client's preface, SETTINGS with four entries and a
/// `WINDOW_UPDATE`, the server's SETTINGS with three, and both acknowledgements (RFC 9113 §3.4).
pub const HTTP2_CLIENT_OPENS: u64 = 24 + FRAME + 4 * 6 + FRAME + 4;
/// The same of the server.
pub const HTTP2_SERVER_OPENS: u64 = FRAME + 3 * 6 + FRAME;

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http {
    /// HTTP/1.1, where heads are text.
    One,
    /// HTTP/2, where heads are compressed (RFC 7541).
    Two,
}

/// Whether a head is the first of its connection or one like many before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing of it was sent before.
    First,
    /// HTTP/2 refers to what was sent before.
    Later,
}

impl Http {
    /// Bytes of a request or answer besides its body of `body` bytes.
    pub fn size(self, head: &Head, body: u64, turn: Turn) -> u64 {
        match self {
            Self::One => head.len(),
            Self::Two => FRAME + block(head, turn) + body.div_ceil(FRAME_HOLDS) * FRAME,
        }
    }

    /// Bytes around a piece of a body whose length is not known beforehand.
    pub fn around_chunk(self, length: u64) -> u64 {
        match self {
            // RFC 9112 §7.1: the length in hexadecimal and two line ends.
            Self::One => u64::from(length.max(1).ilog2() / 4 + 1) + 4,
            Self::Two => length.div_ceil(FRAME_HOLDS) * FRAME,
        }
    }
}

/// Bytes of a header block.
fn block(head: &Head, turn: Turn) -> u64 {
    let mut encoder = Encoder::default();
    let mut bytes = Vec::new();
    if turn == Turn::Later {
        // What changes from one exchange to the next was different before.
        let before = head.clone();
        let before = if head.field("date").is_some() {
            before.with("Date", "Fri, 20 Nov 2026 08:59:59 GMT")
        } else {
            before
        };
        encode(&mut encoder, &before, &mut bytes);
    }
    bytes.clear();
    encode(&mut encoder, head, &mut bytes);
    bytes.len() as u64
}

fn encode(encoder: &mut Encoder<'_>, head: &Head, bytes: &mut Vec<u8>) {
    let mut words = head.start.split(' ');
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or("/");
    if first.starts_with("HTTP/") {
        field(encoder, ":status", second, bytes);
    } else {
        field(encoder, ":method", first, bytes);
        field(encoder, ":authority", head.field("host").unwrap_or("example.com"), bytes);
        field(encoder, ":scheme", "https", bytes);
        field(encoder, ":path", second, bytes);
    }
    for (name, value) in &head.fields {
        let name = name.to_ascii_lowercase();
        // RFC 9113 §8.2.2: fields of the connection have no place in HTTP/2.
        if !matches!(name.as_str(), "host" | "connection" | "keep-alive" | "transfer-encoding" | "upgrade") {
            field(encoder, &name, value, bytes);
        }
    }
}

fn field(encoder: &mut Encoder<'_>, name: &str, value: &str, bytes: &mut Vec<u8>) {
    // A length hardly repeats: encoders leave it out of the table, as a request's path with its parameters.
    let fleeting = name == "content-length" || (name == ":path" && value.contains('?'));
    let indexing = if fleeting { 0 } else { Encoder::WITH_INDEXING };
    let flags = Encoder::HUFFMAN_NAME | Encoder::HUFFMAN_VALUE | Encoder::BEST_FORMAT | indexing;
    let field = (name.as_bytes().to_vec(), value.as_bytes().to_vec(), flags);
    // Encoding fails only for an index that is not in the table, and none is given.
    let _ = encoder.encode(field, bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::heads::Heads;

    /// RFC 7541 appendix C.4: the same connection, three requests with Huffman coding.
    #[test]
    fn the_examples_of_rfc_7541() {
        let mut encoder = Encoder::default();
        let mut lengths = Vec::new();
        for fields in [
            &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")][..],
            &[
                (":method", "GET"),
                (":scheme", "http"),
                (":path", "/"),
                (":authority", "www.example.com"),
                ("cache-control", "no-cache"),
            ],
            &[
                (":method", "GET"),
                (":scheme", "https"),
                (":path", "/index.html"),
                (":authority", "www.example.com"),
                ("custom-key", "custom-value"),
            ],
        ] {
            let mut bytes = Vec::new();
            for (name, value) in fields {
                field(&mut encoder, name, value, &mut bytes);
            }
            lengths.push(bytes.len());
        }
        assert_eq!(lengths, [17, 12, 24]);
    }

    #[test]
    fn a_head_seen_before_shrinks_to_a_few_bytes() {
        let heads = Heads::browser();
        let request = heads.get(None);
        let one = Http::One.size(&request, 0, Turn::Later);
        let first = Http::Two.size(&request, 0, Turn::First);
        let later = Http::Two.size(&request, 0, Turn::Later);
        assert!(first < one && later < 40, "{one} {first} {later}");
        let answer = Http::Two.size(&heads.answer(21), 21, Turn::Later);
        assert!(answer < 70, "{answer}");
    }

    #[test]
    fn chunks_count_their_digits() {
        for (length, around) in [(1, 5), (15, 5), (16, 6), (255, 6), (256, 7)] {
            assert_eq!(Http::One.around_chunk(length), around);
        }
    }
}
