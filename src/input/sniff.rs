//! Which format is this: a pure function of the first bytes.

use super::packed::Packing;
use crate::coding::wide::Order;
use crate::limits;

/// What the first bytes of an input are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Classic pcap, either byte order, microseconds or nanoseconds.
    Pcap,
    /// pcapng.
    PcapNg,
    /// Compressed, with something inside.
    Packed(Packing),
    /// Text in UTF-16, which is to be recognised as what it is in UTF-8.
    Wide(Order),
    /// Text that is not known to be something else, so hex is expected in it.
    Text,
    /// A JSON object, which a HAR file is.
    Har,
    /// Bytes of one direction of a connection, beginning with an HTTP head or a frame.
    Raw,
    /// A format that is known by name only, and what to do about it.
    Other(&'static str, &'static str),
}

/// What can be said from a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this.
    Is(Format),
    /// More bytes will tell.
    More,
    /// There are no bytes.
    Empty,
}

use Format::{Har, Other, Packed, Pcap, PcapNg, Raw, Text, Wide};

const CONVERT: &str = "convert it with: editcap -F pcapng IN OUT";
const UNPACK: &str = "unpack it first";
const ZIP: &str = "unpack it first; a session of Fiddler (.saz) or Charles (.chlz) is to be exported as HAR";
const NO_CAPTURE: &str = "expected a capture (pcap, pcapng), hex text or raw bytes";
const ARRAY: &str = "expected a HAR file, which is an object, a capture, hex text or raw bytes";

const FLOWS: &str = "make a HAR file of it: mitmdump -nr FILE --set hardump=out.har";
const TRACE: &str = "make a capture of it: pktmon etl2pcap FILE.etl, or etl2pcapng FILE.etl FILE.pcapng";
const LIST: &str = "save the packets themselves (File > Save As), or tick Bytes where the text is exported";
const KEYS: &str = "it holds no packets: name the capture that it belongs to";
const SUMMARY: &str = "let it write packets: tcpdump -w FILE, or -w - into a pipe";

/// Signatures at the start of a file. The first bytes of a WebSocket frame or of an
/// HTTP head are none of them, except by far-fetched reserved bits and opcodes.
const SIGNATURES: &[(&[u8], Format)] = &[
    (&[0xD4, 0xC3, 0xB2, 0xA1], Pcap),
    (&[0xA1, 0xB2, 0xC3, 0xD4], Pcap),
    (&[0x4D, 0x3C, 0xB2, 0xA1], Pcap),
    (&[0xA1, 0xB2, 0x3C, 0x4D], Pcap),
    (&[0x0A, 0x0D, 0x0D, 0x0A], PcapNg),
    (&[0x1F, 0x8B, 0x08], Packed(Packing::Gzip)),
    // At the usual and at the best level.
    (&[0x78, 0x9C], Packed(Packing::Zlib)),
    (&[0x78, 0xDA], Packed(Packing::Zlib)),
    (&[0x28, 0xB5, 0x2F, 0xFD], Packed(Packing::Zstd)),
    // What several threads have written begins with a frame to be skipped (RFC 8878 §3.1.2).
    (&[0x50, 0x2A, 0x4D, 0x18], Packed(Packing::Zstd)),
    (&[0xFD, b'7', b'z', b'X', b'Z', 0], Packed(Packing::Xz)),
    (b"BZh", Packed(Packing::Bzip2)),
    (&[0x34, 0xCD, 0xB2, 0xA1], Other("a \"modified\" pcap (Kuznetzov's, magic a1b2cd34)", CONVERT)),
    (&[0xA1, 0xB2, 0xCD, 0x34], Other("a \"modified\" pcap (Kuznetzov's, magic a1b2cd34)", CONVERT)),
    (&[0xCD, 0x34, 0xB2, 0xA1], Other("an IXIA or Nokia variant of pcap", CONVERT)),
    (&[0xA1, 0xB2, 0x34, 0xCD], Other("an IXIA or Nokia variant of pcap", CONVERT)),
    (b"snoop\0\0\0", Other("a snoop capture (RFC 1761)", CONVERT)),
    (b"RTSS", Other("a Network Monitor 1 capture", CONVERT)),
    (b"GMBU", Other("a Network Monitor 2 capture", CONVERT)),
    (b"TRSNIFF data    \x1A", Other("a Sniffer capture", CONVERT)),
    (b"XCP\0", Other("a NetXRay capture", CONVERT)),
    (&[0x1F, 0x9D], Other("data of compress", "unpack it first: gzip -dc FILE")),
    (b"LZIP", Other("lzip data", "unpack it first: lzip -dc FILE")),
    (b"PK\x03\x04", Other("a zip archive", ZIP)),
    (
        b"\xAC\xED\0\x05",
        Other("a session of Charles, or other data of Java", "export it as HAR: File > Export Session"),
    ),
    (&[0x04, 0x22, 0x4D, 0x18], Other("lz4 data", "unpack it first: lz4 -dc FILE")),
    (b"7z\xBC\xAF\x27\x1C", Other("a 7z archive", UNPACK)),
    (b"%PDF-", Other("a PDF document", NO_CAPTURE)),
    (b"\x89PNG\r\n\x1A\n", Other("a PNG image", NO_CAPTURE)),
    (b"\x7FELF", Other("an ELF program", NO_CAPTURE)),
    (b"<?xml", Other("an XML document", NO_CAPTURE)),
    (b"<!DOCTYPE", Other("an HTML document", NO_CAPTURE)),
    (b"<html", Other("an HTML document", NO_CAPTURE)),
];

/// Tells the format from the first bytes; `ended` when there are no further ones.
///
/// Asks for more bytes only while they can change the answer, so that the few
/// bytes a live pipe has delivered are enough as soon as they decide.
pub fn recognise(first: &[u8], ended: bool) -> Verdict {
    if first.is_empty() {
        return if ended { Verdict::Empty } else { Verdict::More };
    }
    let mut undecided = false;
    for (signature, format) in SIGNATURES {
        if first.starts_with(signature) {
            return Verdict::Is(*format);
        }
        undecided |= signature.starts_with(first);
    }
    if undecided && !ended {
        return Verdict::More;
    }
    if let Some(order) = Order::of(first) {
        return Verdict::Is(Wide(order));
    }
    if is_event_trace(first) {
        return Verdict::Is(Other("an event trace of Windows (.etl)", TRACE));
    }
    if is_flow_file(first) {
        return Verdict::Is(Other("a file of mitmproxy's flows", FLOWS));
    }
    if !could_be_text(first) || is_http(first) {
        return Verdict::Is(Raw);
    }
    if !ended && first.len() < limits::SNIFF {
        return Verdict::More;
    }
    Verdict::Is(if is_json(first) {
        if first.trim_ascii_start().starts_with(b"[") { Other("a JSON array", ARRAY) } else { Har }
    } else if is_key_log(first) {
        Other("a TLS key log file", KEYS)
    } else if is_packet_list(first) {
        Other("Wireshark's packet list as text, without the bytes of the packets", LIST)
    } else if is_summary(first) {
        Other("tcpdump's text, without the bytes of the packets", SUMMARY)
    } else {
        Text
    })
}

/// Whether everything is printable UTF-8, apart from a character cut at the end.
fn could_be_text(first: &[u8]) -> bool {
    let valid = match std::str::from_utf8(first) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return false,
        Err(error) => std::str::from_utf8(&first[..error.valid_up_to()]).unwrap_or_default(),
    };
    // No text begins with what C2 leads in; the header of a compressed binary frame does.
    first[0] != 0xC2
        && (!valid.is_empty() || first.len() < 4)
        && valid.chars().all(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0C'))
}

/// Whether this begins as an HTTP/1 message does (RFC 9112 §3, §4).
fn is_http(first: &[u8]) -> bool {
    if first.starts_with(b"HTTP/1.") {
        return true;
    }
    let line = first.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let method = words.next().is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_uppercase));
    method && words.next().is_some() && words.next().is_some_and(|word| word.starts_with(b"HTTP/1."))
}

/// Whether this begins as mitmproxy's flows do: lengths, then a word of the second one's length.
fn is_flow_file(first: &[u8]) -> bool {
    let mut parts = first.splitn(3, |&byte| byte == b':');
    let mut number = || {
        let digits = std::str::from_utf8(parts.next()?).ok()?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<usize>().ok())?
    };
    let (Some(whole), Some(word)) = (number(), number()) else { return false };
    let Some((word, rest)) = parts.next().and_then(|rest| rest.split_at_checked(word)) else { return false };
    whole > word.len() && word.iter().all(|b| b.is_ascii_lowercase() || *b == b'_') && rest.starts_with(b";")
}

/// Whether a line names a secret as TLS libraries log them.
fn is_key_log(first: &[u8]) -> bool {
    let lines = first.split(|&byte| byte == b'\n').filter(|line| !line.starts_with(b"#") && !line.is_empty());
    lines.take(1).any(|line| {
        let label = line.split(|&byte| byte == b' ').next().unwrap_or_default();
        label == b"RSA"
            || label == b"CLIENT_RANDOM"
            || label == b"EXPORTER_SECRET"
            || label.ends_with(b"_TRAFFIC_SECRET")
            || label.ends_with(b"_TRAFFIC_SECRET_0")
    })
}

/// Whether this begins as Event Tracing for Windows writes: the header of a buffer, then that of the first
/// event, which is the system's.
fn is_event_trace(first: &[u8]) -> bool {
    let Some((header, event)) = first.split_at_checked(72) else { return false };
    let size = header.first_chunk().map_or(0, |size| u32::from_le_bytes(*size));
    (1024..=16 << 20).contains(&size)
        && size.is_multiple_of(1024)
        && matches!(event, [2, 0, 1..=16, 0xC0, ..])
}

/// Whether the first line names the columns of Wireshark's packet list, and no dump follows it.
fn is_packet_list(first: &[u8]) -> bool {
    let text = String::from_utf8_lossy(first);
    let mut words = text.lines().next().unwrap_or_default().split_ascii_whitespace();
    let named = words.by_ref().take(3).eq(["No.", "Time", "Source"]);
    named && !text.contains("\n0000 ")
}

/// Whether the first line is one of tcpdump's, and no dump follows it.
fn is_summary(first: &[u8]) -> bool {
    let text = String::from_utf8_lossy(first);
    let words: Vec<&str> = text.lines().next().unwrap_or_default().split(' ').take(3).collect();
    let is_time = |word: &str| {
        word.len() >= 8
            && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'))
            && word.contains(':')
    };
    let is_protocol = |word: &str| matches!(word, "IP" | "IP6" | "ARP," | "STP" | "LLDP,");
    let named = words.windows(2).any(|pair| is_time(pair[0]) && is_protocol(pair[1]));
    named && !text.contains("0x0000:")
}

/// Whether this begins as a JSON object or array of objects does; a C initialiser begins otherwise.
fn is_json(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first).trim_ascii_start();
    let (Some(open), rest) = (text.first(), text.get(1..).unwrap_or_default().trim_ascii_start()) else {
        return false;
    };
    match open {
        b'{' => rest.first() == Some(&b'"') && !rest.starts_with(b"\"\\x"),
        b'[' => rest.first() == Some(&b'{'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let table: &[(&[u8], Format)] = &[
            (b"\xD4\xC3\xB2\xA1\x02\0\x04\0", Pcap),
            (b"\xA1\xB2\x3C\x4D\0\x02", Pcap),
            (b"\x0A\x0D\x0D\x0A\x1C\0\0\0", PcapNg),
            (b"\x1F\x8B\x08\0", Packed(Packing::Gzip)),
            (b"\x78\x9C\xB4", Packed(Packing::Zlib)),
            (b"x^2", Text),
            (b"\x28\xB5\x2F\xFD\x24\x05", Packed(Packing::Zstd)),
            (b"\x50\x2A\x4D\x18\x04\0\0\0", Packed(Packing::Zstd)),
            (b"\xFD7zXZ\0\0\x04", Packed(Packing::Xz)),
            (b"BZh91AY&SY", Packed(Packing::Bzip2)),
            (b"81 05 48 65", Text),
            (b"\xEF\xBB\xBF81 05", Text),
            (b"\xFF\xFE8\x001\0", Wide(Order::Little)),
            (b"\xFE\xFF\x008", Wide(Order::Big)),
            (b"{\0\n\0 \0\"\0", Wide(Order::Little)),
            (b"To whom it may concern", Text),
            ("\u{4F60}\u{597D}".as_bytes(), Text),
            (b"{ \"log\": {", Har),
            (b"\xEF\xBB\xBF{\"log\":{", Har),
            (b"{0x81, 0x05}", Text),
            (b"{\"\\x81\"}", Text),
            (b"[0x81, 0x05]", Text),
            (b"81:05:48:65", Text),
            (b"12:00:01.2 IP a > b:\n\t0x0000:  4500", Text),
            (b"\x81\x05Hello", Raw),
            (b"\x81\x85\x37\xFA\x21\x3D", Raw),
            (b"\x01\x03Hel", Raw),
            (b"\x89\0", Raw),
            (b"\xC1\x07\xF2\x48", Raw),
            (b"\xC2\x83abcd", Raw),
            (b"\x81", Raw),
            (b"GET /chat HTTP/1.1\r\nHost: a\r\n", Raw),
            (b"GET / HTTP/1.1", Raw),
            (b"HTTP/1.1 101 Switching", Raw),
        ];
        for (first, format) in table {
            assert_eq!(recognise(first, true), Verdict::Is(*format), "{}", first.escape_ascii());
        }
        assert_eq!(recognise(b"", true), Verdict::Empty);
    }

    /// A buffer of 64 KiB, and the first event's header.
    const TRACED: [u8; 80] = {
        let mut all = [0; 80];
        (all[2], all[72], all[74], all[75]) = (1, 2, 2, 0xC0);
        all
    };

    #[test]
    fn known_formats_are_named() {
        for (first, name) in [
            (&b"PK\x03\x04\x14"[..], "zip"),
            (b"%PDF-1.7", "PDF"),
            (b"snoop\0\0\0\0\0\0\x02", "snoop"),
            (b"\x34\xCD\xB2\xA1", "modified"),
            (b"\xA1\xB2\xCD\x34", "modified"),
            (b"[\n {\"a\": 1}]", "JSON"),
            (b"1024:9:websocket;4:null~", "mitmproxy"),
            (b"# SSL/TLS secrets log file\nCLIENT_RANDOM 5d7c 11", "key log"),
            (b"SERVER_HANDSHAKE_TRAFFIC_SECRET 5d7c 11", "key log"),
            (b"12:00:01.250000 IP 10.0.0.1.5000 > 10.0.0.2.80: Flags [S]\n", "tcpdump"),
            (b"2024-01-01 12:00:01.250000 IP6 ::1.5000 > ::1.80: Flags [S]\n", "tcpdump"),
            (b"\x1F\x9D\x90", "compress"),
            (b"\xAC\xED\0\x05sr", "Charles"),
            (
                b"No.     Time           Source                Destination\n      1 0.000000 ::1",
                "packet list",
            ),
            (&TRACED, ".etl"),
        ] {
            let Verdict::Is(Other(what, _)) = recognise(first, true) else { panic!("{name}") };
            assert!(what.contains(name), "{what}");
        }
    }

    #[test]
    fn no_more_bytes_are_asked_for_than_decide() {
        assert_eq!(recognise(b"\x81", false), Verdict::Is(Raw));
        assert_eq!(recognise(b"\x89", false), Verdict::More, "could become a PNG image");
        assert_eq!(recognise(b"\x89\x00", false), Verdict::Is(Raw));
        assert_eq!(recognise(b"\xD4\xC3\xB2", false), Verdict::More);
        assert_eq!(recognise(b"\xD4\xC3\xB2\xA1", false), Verdict::Is(Pcap));
        assert_eq!(recognise(b"GET / HTTP/1.1", false), Verdict::Is(Raw));
        assert_eq!(recognise(b"81 05", false), Verdict::More);
    }
}
