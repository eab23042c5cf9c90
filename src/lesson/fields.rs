//! Answers in bytes: what the learner's say, field by field, beside what was asked.

use super::answer::bytes_in_hex;
use crate::model::{FrameHeader, LengthForm, Opcode, Text};
use crate::ws::{header, mask};

/// What the bytes of an answer are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Just bytes.
    #[default]
    Bytes,
    /// Headers of frames, one behind the other, without masking keys and payloads.
    Headers,
    /// One whole frame.
    Frame,
}

/// Places that are named of bytes that are no frame.
const PLACES: usize = 6;

/// Each way in which the bytes given differ from those wanted, a sentence each. Fields are
/// named with both values; of mere bytes only the learner's own are shown.
pub fn differences(layout: Layout, wanted: &[u8], given: &[u8]) -> Vec<Text> {
    match layout {
        Layout::Bytes => bytes(wanted, given),
        Layout::Headers => headers(wanted, given),
        Layout::Frame => frame(wanted, given),
    }
}

fn bytes(wanted: &[u8], given: &[u8]) -> Vec<Text> {
    let mut texts = Vec::new();
    if wanted.len() != given.len() {
        let same = |(a, b): &(&u8, &u8)| a == b;
        let front = wanted.iter().zip(given).take_while(same).count();
        let back = wanted.iter().rev().zip(given.iter().rev()).take_while(same).count();
        texts.push(count(given.len(), wanted.len()));
        texts.push(match given.get(front) {
            Some(byte) if front < wanted.len() => {
                Text::with("The first byte that differs is at offset {}: yours is {}.", offset(front))
                    .and(format_args!("0x{byte:02x}"))
            }
            Some(_) => Text::with("All is right up to offset {}, where it should end.", offset(front)),
            None => Text::with("All that you gave is right, but more follow at offset {}.", offset(front)),
        });
        if back > 0 && front < wanted.len().min(given.len()) {
            texts.push(Text::with("Counted from the end, the first that differs is number {}.", back + 1));
        }
        return texts;
    }
    let mut places = places(wanted, given);
    let more = places.len().saturating_sub(PLACES);
    places.truncate(PLACES);
    for (from, to) in places {
        let yours = &given[from..to];
        texts.push(match yours {
            [byte] => Text::with("At offset {} yours is {}, in bits {}.", offset(from))
                .and(format_args!("{byte:02x}"))
                .and(format_args!("{:04b} {:04b}", byte >> 4, byte & 15)),
            _ => Text::with("From offset {} to {} yours are others: {}", offset(from))
                .and(offset(to - 1))
                .and(bytes_in_hex(yours)),
        });
    }
    if more > 0 {
        texts.push(Text::with("More places that differ: {}.", more));
    }
    texts
}

/// The runs of bytes that differ.
fn places(wanted: &[u8], given: &[u8]) -> Vec<(usize, usize)> {
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (at, _) in wanted.iter().zip(given).enumerate().filter(|(_, (a, b))| a != b) {
        match places.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => places.push((at, at + 1)),
        }
    }
    places
}

fn offset(at: usize) -> String {
    format!("0x{at:02x}")
}

fn count(given: usize, wanted: usize) -> Text {
    let text = match given {
        1 => Text::with("You gave {} byte; {} are wanted.", given),
        _ => Text::with("You gave {} bytes; {} are wanted.", given),
    };
    text.and(wanted)
}

fn headers(wanted: &[u8], given: &[u8]) -> Vec<Text> {
    let wanted: Vec<Head<'_>> = heads(wanted);
    let mut given = heads(given);
    let mut texts = Vec::new();
    if let [only] = &wanted[..] {
        // What is too much for one header is no second one.
        let rest: usize = given.iter().skip(1).map(|head| head.bytes.len()).sum();
        given.truncate(1);
        compare(only, given.first(), None, &mut texts);
        if rest > 0 {
            texts.push(Text::with("Behind your header stand more bytes: {}.", rest));
        }
        return texts;
    }
    for (number, head) in (1..).zip(&wanted) {
        compare(head, given.get(number - 1), Some(number), &mut texts);
    }
    if given.len() != wanted.len() {
        let text = Text::with("Read one by one, yours are {} headers; {} are wanted.", given.len());
        texts.push(text.and(wanted.len()));
    }
    texts
}

fn frame(wanted: &[u8], given: &[u8]) -> Vec<Text> {
    let (ours, yours) = (Head::of(wanted, true), Head::of(given, true));
    let mut texts = Vec::new();
    compare(&ours, Some(&yours), None, &mut texts);
    let (ours, yours) = (ours.payload(wanted), yours.payload(given));
    if ours != yours {
        if ours.len() != yours.len() {
            let text = Text::with("Bytes of payload behind your header: {}; {} are wanted.", yours.len());
            texts.push(text.and(ours.len()));
        }
        let first = ours.iter().zip(&yours).take_while(|(a, b)| a == b).count();
        if first < ours.len().min(yours.len()) {
            let text = Text::with("Your payload, unmasked, differs from its byte {} on: yours is {}.", first);
            texts.push(text.and(format_args!("0x{:02x}", yours[first])));
        }
    }
    texts
}

/// A header as far as its bytes are there.
struct Head<'b> {
    header: FrameHeader,
    bytes: &'b [u8],
}

impl<'b> Head<'b> {
    /// The header that `bytes` begin with; what is missing of it is read as zeros.
    fn of(bytes: &'b [u8], with_key: bool) -> Self {
        let mut padded = [0; header::LONGEST];
        let there = bytes.len().min(padded.len());
        padded[..there].copy_from_slice(&bytes[..there]);
        let header = header::decode(&padded).expect("no header is longer than the longest one");
        let key = if header.masking_key.is_some() && !with_key { 4 } else { 0 };
        let length = usize::from(header.header_length()) - key;
        Self { header, bytes: &bytes[..bytes.len().min(length)] }
    }

    fn payload(&self, whole: &[u8]) -> Vec<u8> {
        let mut payload = whole[self.bytes.len()..].to_vec();
        if let Some(key) = self.header.masking_key {
            let masked = payload.clone();
            mask::unmask_into(&mut payload, &masked, key, 0);
        }
        payload
    }
}

fn heads(mut bytes: &[u8]) -> Vec<Head<'_>> {
    let mut heads = Vec::new();
    while !bytes.is_empty() {
        let head = Head::of(bytes, false);
        bytes = &bytes[head.bytes.len()..];
        heads.push(head);
    }
    heads
}

/// Names the fields in which one header differs from another, the `number`th of several.
fn compare(wanted: &Head<'_>, given: Option<&Head<'_>>, number: Option<usize>, texts: &mut Vec<Text>) {
    let mut say = |text: Text| {
        texts.push(match number {
            Some(number) => Text::with("Header {}: {}", number).word(text),
            None => text,
        });
    };
    let Some(given) = given else {
        return say(Text::new("It is missing."));
    };
    let (ours, yours) = (&wanted.header, &given.header);
    let bits = [
        ("FIN", ours.fin, yours.fin),
        ("RSV1", ours.rsv1, yours.rsv1),
        ("RSV2", ours.rsv2, yours.rsv2),
        ("RSV3", ours.rsv3, yours.rsv3),
        ("MASK", ours.masking_key.is_some(), yours.masking_key.is_some()),
    ];
    // Of a header that ends before its second byte, the MASK bit is not known.
    let known = if given.bytes.len() < 2 { &bits[..4] } else { &bits[..] };
    for (name, ours, yours) in known {
        if ours != yours {
            say(values(Text::with("{}", name), u8::from(*yours), u8::from(*ours)));
        }
    }
    if ours.opcode != yours.opcode {
        say(values("opcode".into(), opcode(yours.opcode), opcode(ours.opcode)));
    }
    if given.bytes.len() < 2 {
        return say(Text::new("The second byte is missing."));
    }
    let form = |form: LengthForm| u64::from(form.bits());
    if ours.length_form != yours.length_form {
        let text = Text::with(
            "The form of your length is that of {} bits; {} is written with {}.",
            form(yours.length_form),
        );
        say(text.and(ours.length).and(form(ours.length_form)));
    }
    let needed = usize::from(yours.header_length()) - if yours.masking_key.is_some() { 4 } else { 0 };
    if given.bytes.len() < needed {
        let text =
            Text::with("It ends after {} bytes; with this form of length it has {}.", given.bytes.len());
        say(text.and(needed));
    } else if ours.length != yours.length {
        say(values("payload length".into(), yours.length, ours.length));
    }
}

fn values(field: Text, yours: impl ToString, ours: impl ToString) -> Text {
    Text::new("{}: yours is {}, asked for is {}.").word(field).and(yours).and(ours)
}

fn opcode(opcode: Opcode) -> String {
    format!("0x{:X} ({})", opcode.0, opcode.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(layout: Layout, wanted: &[u8], given: &[u8]) -> Vec<String> {
        differences(layout, wanted, given).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_of_a_header_are_named_with_both_values() {
        assert_eq!(
            said(Layout::Headers, &[0x82, 0xAC], &[0x02, 0x2C]),
            ["FIN: yours is 0, asked for is 1.", "MASK: yours is 0, asked for is 1."]
        );
        assert_eq!(
            said(Layout::Headers, &[0x82, 0xFE, 0x90, 0x5F], &[0x81, 0xFE, 0x5F, 0x90]),
            [
                "opcode: yours is 0x1 (text), asked for is 0x2 (binary).",
                "payload length: yours is 24464, asked for is 36959."
            ]
        );
        assert_eq!(
            said(Layout::Headers, &[0x82, 0x2F], &[0x82, 0x7E, 0x00, 0x2F]),
            ["The form of your length is that of 16 bits; 47 is written with 7."]
        );
        assert_eq!(
            said(Layout::Headers, &[0x82, 0xFE, 0x90, 0x5F], &[0x82, 0xFE, 0x90]),
            ["It ends after 3 bytes; with this form of length it has 4."]
        );
    }

    #[test]
    fn each_header_of_several_is_compared() {
        assert_eq!(
            said(Layout::Headers, &[0x41, 2, 0x89, 4, 0x80, 6], &[0x01, 2, 0xC9, 4]),
            [
                "Header 1: RSV1: yours is 0, asked for is 1.",
                "Header 2: RSV1: yours is 1, asked for is 0.",
                "Header 3: It is missing.",
                "Read one by one, yours are 2 headers; 3 are wanted."
            ]
        );
    }

    #[test]
    fn a_payload_is_compared_unmasked() {
        assert_eq!(
            said(Layout::Frame, &[0x81, 2, b'h', b'i'], &[0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'o' ^ 2]),
            [
                "MASK: yours is 1, asked for is 0.",
                "Your payload, unmasked, differs from its byte 1 on: yours is 0x6f."
            ]
        );
    }

    #[test]
    fn of_mere_bytes_each_place_is_named() {
        assert_eq!(
            said(Layout::Bytes, &[1, 2, 3, 4, 5], &[1, 9, 3, 8, 7]),
            [
                "At offset 0x01 yours is 09, in bits 0000 1001.",
                "From offset 0x03 to 0x04 yours are others: 08 07"
            ]
        );
        assert_eq!(
            said(Layout::Bytes, &[1, 2, 3, 4, 5], &[1, 9, 4, 5]),
            [
                "You gave 4 bytes; 5 are wanted.",
                "The first byte that differs is at offset 0x01: yours is 0x09.",
                "Counted from the end, the first that differs is number 3."
            ]
        );
        assert_eq!(
            said(Layout::Bytes, &[1, 2], &[1]),
            ["You gave 1 byte; 2 are wanted.", "All that you gave is right, but more follow at offset 0x01."]
        );
    }
}
