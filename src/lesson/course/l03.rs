//! Lesson 3: FIN, RSV, opcode, MASK and seven bits of length.

use super::draw::{host, masking_key, phrase, pick};
use super::wire::{capture, frame_bytes, header_bytes, hex_block, masked, served};
use crate::lesson::{Answer, Choice, Instance, Layout, Make, decode, hex};
use crate::model::{CloseCode, FrameHeader, Opcode};
use crate::synth::Rng;
use crate::synth::handshake::{Request, Response};
use crate::ws::encode;

pub static EXERCISES: &[Make] = &[
    Make { id: "name-the-frame", make: name_the_frame },
    Make { id: "seven-bits-of-length", make: seven_bits_of_length },
    Make { id: "write-two-bytes", make: write_two_bytes },
    Make { id: "which-fail", make: which_fail },
];

/// The eight bits of a byte, in two groups.
fn bits(byte: u8) -> String {
    format!("{:04b} {:04b}", byte >> 4, byte & 0xF)
}

/// The kinds of frame that can be chosen, with their opcodes as people write them.
const KINDS: [(&str, &str); 7] = [
    ("continuation", "0x0"),
    ("text", "0x1"),
    ("binary", "0x2"),
    ("close", "0x8"),
    ("ping", "0x9"),
    ("pong", "0xA"),
    ("reserved", "0x3–0x7, 0xB–0xF"),
];

fn kind(opcode: Opcode) -> &'static str {
    match opcode {
        Opcode::CONTINUATION => "continuation",
        Opcode::TEXT => "text",
        Opcode::BINARY => "binary",
        Opcode::CLOSE => "close",
        Opcode::PING => "ping",
        Opcode::PONG => "pong",
        _ => "reserved",
    }
}

/// Whether the first bit of its opcode is set (RFC 6455 §5.5).
fn is_control(kind: &str) -> bool {
    matches!(kind, "close" | "ping" | "pong")
}

/// The opcode, among all that surrounds it.
fn name_the_frame(rng: &mut Rng) -> Instance {
    let opcode = match rng.below(6) {
        0 => Opcode::TEXT,
        1 => Opcode::BINARY,
        2 => Opcode::CLOSE,
        3 => Opcode::PING,
        4 => Opcode::PONG,
        _ => Opcode(pick(rng, &[0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF])),
    };
    let mut payload = format!("{}{:06}", phrase(rng), rng.below(1_000_000)).into_bytes();
    if opcode == Opcode::CLOSE {
        let code = pick(rng, &[1000_u16, 1001, 1008, 4000]);
        payload = encode::close(CloseCode(code), &payload);
    }
    let bytes = served(opcode, &payload);
    let right =
        decode(hex(&bytes).as_bytes()).frames.first().map_or("none", |frame| kind(frame.header.opcode));

    let upper = kind(Opcode(bytes[0] >> 4));
    let second = kind(Opcode(bytes[1] & 0xF));
    let reversed = kind(Opcode(bytes[0].reverse_bits() & 0xF));
    let mut instance = Instance::new(Answer::choice(right))
        .hole("bytes", hex_block(&bytes))
        .hole("first", hex(&bytes[..1]))
        .hole("bits", bits(bytes[0]))
        .hole("opcode", format!("0x{:X}", bytes[0] & 0xF))
        .choices(KINDS.map(|(id, _)| id))
        .command(["decode", &hex(&bytes)]);
    for (other, code) in KINDS.into_iter().filter(|(id, _)| *id != right) {
        let id = if other == upper {
            "upper-half"
        } else if other == second {
            "second-byte"
        } else if other == reversed {
            "bits-reversed"
        } else if other == "reserved" {
            "has-a-meaning"
        } else if is_control(other) == (bytes[0] & 0x8 != 0) {
            "another-opcode"
        } else {
            "data-for-control"
        };
        instance = instance.mistake_with(id, Answer::choice(other), &[("code", code)]);
    }
    instance
}

/// A length beside the MASK bit.
fn seven_bits_of_length(rng: &mut Rng) -> Instance {
    // Lengths of which both hexadecimal digits could be decimal ones.
    let length = 16 * (1 + rng.below(3)) + rng.below(10);
    let mut text = [phrase(rng), phrase(rng), phrase(rng), phrase(rng)].join("; ").into_bytes();
    text.truncate(length as usize);
    let bytes = masked(Opcode::TEXT, masking_key(rng), &text);
    let read = decode(hex(&bytes).as_bytes()).frames.first().map_or(0, |frame| frame.header.length);
    let number = Answer::Number;
    Instance::new(number(read))
        .hole("bytes", hex_block(&bytes))
        .hole("second", hex(&bytes[1..2]))
        .hole("rest", format!("{read:02x}"))
        .hole("high", read / 16)
        .hole("low", read % 16)
        .mistake("mask-bit-included", number(u64::from(bytes[1])))
        .mistake("read-as-decimal", number(read / 16 * 10 + read % 16))
        .mistake("key-counted", number(read + 4))
        .mistake("whole-frame", number(bytes.len() as u64))
        .command(["decode", &hex(&bytes)])
}

/// What is sent in [`write_two_bytes`]: a kind of frame, whether it is all of its message.
struct Sending {
    opcode: Opcode,
    fin: bool,
    /// The words for it, and for what comes after.
    said: &'static str,
    more: &'static str,
}

const SENDINGS: [Sending; 5] = [
    Sending { opcode: Opcode::TEXT, fin: true, said: "text", more: "more-text" },
    Sending { opcode: Opcode::BINARY, fin: true, said: "binary", more: "more-binary" },
    Sending { opcode: Opcode::PING, fin: true, said: "ping", more: "more-ping" },
    Sending { opcode: Opcode::TEXT, fin: false, said: "text-fragment", more: "more-text-fragment" },
    Sending { opcode: Opcode::BINARY, fin: false, said: "binary-fragment", more: "more-binary-fragment" },
];

/// The two bytes of a frame that is described.
fn write_two_bytes(rng: &mut Rng) -> Instance {
    let sending = &SENDINGS[rng.below(5) as usize];
    let text = format!("{} {}", phrase(rng), phrase(rng));
    let length = text.len() as u64;
    let from_client = rng.one_in(2);
    let masking_key = from_client.then(|| masking_key(rng));
    let header = FrameHeader { fin: sending.fin, ..FrameHeader::of(sending.opcode, masking_key, length) };
    let bytes = frame_bytes(&header, text.as_bytes());
    let two = |header: FrameHeader| Answer::Hex(header_bytes(&header)[..2].to_vec());
    let sender = if from_client { "client" } else { "server" };
    let [first, second] = [bytes[0], bytes[1]];
    let decimal = u8::from_str_radix(&length.to_string(), 16).unwrap_or(0);
    let counted = FrameHeader { length: length + 2, ..header };
    let other_fin = if sending.fin { "fin-cleared" } else { "fin-set" };
    let other_mask = if from_client { "mask-missing" } else { "mask-set" };
    Instance::new(two(header))
        .laid_out(Layout::Headers)
        .words("sender", sender)
        .words("frame", sending.said)
        .words("more", sending.more)
        .hole("length", length)
        .hole("text", &text)
        .hole("fin", u8::from(sending.fin))
        .hole("opcode", format!("{:04b}", sending.opcode.0))
        .hole("bits-0", bits(first))
        .hole("mask", u8::from(from_client))
        .hole("length-bits", format!("{:07b}", second & 0x7F))
        .hole("bits-1", bits(second))
        .mistake(other_fin, Answer::Hex(vec![first ^ 0x80, second]))
        .mistake(other_mask, Answer::Hex(vec![first, second ^ 0x80]))
        .mistake("length-read-as-decimal", Answer::Hex(vec![first, second & 0x80 | decimal]))
        .mistake("header-counted", two(counted))
        .mistake("bytes-exchanged", Answer::Hex(vec![second, first]))
        .command(["decode", "--view", "bits", &hex(&bytes)])
}

/// Frames with and without reserved bits, each on a connection without extensions.
fn which_fail(rng: &mut Rng) -> Instance {
    let host = host(rng);
    let words = [0; 6].map(|_: u8| format!("{:04}", rng.below(10_000)));
    let frame = |header: FrameHeader, word: &str| {
        frame_bytes(&FrameHeader { length: word.len() as u64, ..header }, word.as_bytes())
    };
    let of = |opcode| FrameHeader::of(opcode, None, 0);
    let reserved = Opcode(pick(rng, &[0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD]));
    let third = rng.one_in(2);
    let headers = [
        ("fine", of(Opcode::BINARY)),
        ("first-fragment", FrameHeader { fin: false, ..of(Opcode::TEXT) }),
        ("ping", of(Opcode::PING)),
        ("rsv1", FrameHeader { rsv1: true, ..of(Opcode::TEXT) }),
        ("rsv-2-3", FrameHeader { rsv2: !third, rsv3: third, ..of(Opcode::TEXT) }),
        ("unknown", of(reserved)),
    ];
    let frames: Vec<_> =
        headers.iter().zip(&words).map(|((id, header), word)| (*id, frame(*header, word))).collect();
    let head = Response::default().bytes(&Request::default(), "");
    let fails = |bytes: &[u8]| {
        let seen = decode(&[&head, bytes].concat());
        seen.has("reserved-bit-set") || seen.has("reserved-opcode")
    };
    let right: Vec<_> = frames.iter().filter(|(_, bytes)| fails(bytes)).map(|(id, _)| *id).collect();
    let but = |left_out: &[&str]| Answer::choices(right.iter().copied().filter(|id| !left_out.contains(id)));
    let and = |more: &'static str| Answer::choices(right.iter().copied().chain([more]));
    let ended = |(id, bytes): &(&'static str, Vec<u8>)| {
        let more = match *id {
            "first-fragment" => "server continuation \"!\"\nclient close 1000\nserver close 1000\n",
            id if right.contains(&id) => "client close 1002\nserver close 1002\n",
            _ => "client close 1000\nserver close 1000\n",
        };
        visit(&host, bytes, more)
    };
    let visits: Vec<_> = frames.iter().map(ended).collect();
    let capture = capture(&visits.join("connection\n"), rng);
    let option = |(id, bytes): &(&str, Vec<u8>)| Choice::from((*id, format!("`{}`", hex(bytes))));
    Instance::new(Answer::choices(right.iter().copied()))
        .choices(frames.iter().map(option))
        .mistake("rsv-ignored", but(&["rsv1", "rsv-2-3"]))
        .mistake("rsv1-let-pass", but(&["rsv1"]))
        .mistake("opcode-let-pass", but(&["unknown"]))
        .mistake("fin-zero-refused", and("first-fragment"))
        .mistake("control-refused", and("ping"))
        .file("six.pcap", capture)
        .command(["decode", "--view", "table", "{file:six.pcap}"])
}

/// A connection on which the server sends these bytes first, as a script.
fn visit(host: &str, bytes: &[u8], more: &str) -> String {
    format!("handshake path=/live host={host}\nserver raw {}\n{more}wait 1s\n", hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_of_the_six_fail() {
        for seed in 0..10 {
            let instance = which_fail(&mut Rng::new(seed));
            assert_eq!(instance.right, Answer::choices(["rsv1", "rsv-2-3", "unknown"]));
        }
    }
}
