//! The view `bits`: a frame as RFC 6455 §5.2 draws it, with its own bits filled in.
//!
//! Unlike the RFC's figure, which leaves room for every form, a diagram shows
//! only the fields this frame has, each where it stands. What follows the header
//! is drawn as it is on the wire; when it is masked, what it means stands below.

use super::choice::Choice;
use super::columns::centred;
use super::json::Scope;
use super::outline::{Outline, looked_into};
use super::page::Page;
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::words::{MORE_BYTES, count};
use super::{Options, frames, rows, tree, verdicts};
use crate::model::{Body, Frame, LengthForm, Unit, Wants, hole};

/// A diagram for each frame, its fields in rows below; everything else as in [`tree::Tree`].
pub type Bits<W> = Screen<BitsLayout, W>;

/// See [`Bits`].
#[derive(Debug, Default)]
pub struct BitsLayout;

/// Its place in the list of views.
pub static VIEW: Choice =
    Choice::of::<BitsLayout>("bits", "Headers as RFC 6455 §5.2 draws them, with the actual bits", Scope::All);

impl Layout for BitsLayout {
    fn wants(options: &Options) -> Wants {
        looked_into(options)
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        match unit.body {
            Body::Frame(frame) => {
                tree::heading(outline, unit, frame, page);
                draw(page, frame);
                rows::say(unit, frame, page);
                verdicts::say(outline, unit, page);
            }
            _ => outline.unit(unit, page),
        }
    }
}

/// Where a diagram's left edge stands: after the byte offsets.
const EDGE: usize = 4;

/// Bits of a row.
const ROW: u64 = 32;

/// Rows that show payload; the first may be shared with the header.
const PAYLOAD_ROWS: u64 = 2;

/// A run of bits with a name.
pub(super) struct Part {
    /// As the RFC writes it, line by line.
    pub label: &'static [&'static str],
    /// The same where a second row continues it.
    continued: &'static str,
    pub start: u64,
    pub end: u64,
    pub kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One bit: its value needs no second form.
    Flag,
    /// Fewer bits than a byte, read in hexadecimal.
    Code,
    /// Fewer bits than a byte, read in decimal.
    Number,
    /// Whole bytes.
    Bytes,
    /// Whole bytes, masked or not.
    Payload,
}

/// One line of a row of the diagram.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Label(usize),
    Bits,
    Values,
    Unmasked,
}

/// Draws `frame`: ruler, rows, and what is left of the payload.
fn draw(page: &mut Page, frame: &Frame<'_>) {
    let parts = parts(frame);
    let end = parts.last().map_or(0, |part| part.end);
    ruler(page);
    for row in 0..end.div_ceil(ROW) {
        separator(page, &parts, row);
        let payload = parts.iter().any(|part| part.kind == Kind::Payload && touches(part, row));
        let masked = frame.header.masking_key.is_some() && payload;
        let labels = if row == 0 { 4 } else { 1 };
        for label in 0..labels {
            line(page, frame, &parts, row, Line::Label(label));
        }
        line(page, frame, &parts, row, Line::Bits);
        line(page, frame, &parts, row, Line::Values);
        if masked {
            line(page, frame, &parts, row, Line::Unmasked);
        }
    }
    separator(page, &parts, end.div_ceil(ROW));
    let drawn = end / 8 - u64::from(frame.header.header_length()).min(end / 8);
    let left = frame.header.length.saturating_sub(drawn);
    if left > 0 {
        let lang = page.lang();
        let words = lang.fill("payload continues, {}", &[&count(lang, left, MORE_BYTES)]);
        let inside = centred(&words, ROW as usize * 2 - 1);
        page.to(EDGE).put(Ink::Faint, ":").put(Ink::Plain, &inside).put(Ink::Faint, ":").line();
    }
}

/// What the frame consists of, as far as it is at hand.
pub(super) fn parts(frame: &Frame<'_>) -> Vec<Part> {
    const FIN: &[&str] = &["F", "I", "N", ""];
    const RSV1: &[&str] = &["R", "S", "V", "1"];
    const RSV2: &[&str] = &["R", "S", "V", "2"];
    const RSV3: &[&str] = &["R", "S", "V", "3"];
    const MASK: &[&str] = &["M", "A", "S", "K"];
    const EXTENDED: &str = "Extended length (continued)";
    let mut parts = Vec::with_capacity(10);
    let mut part = |label, continued, bits: u64, kind| {
        let start = parts.last().map_or(0, |part: &Part| part.end);
        parts.push(Part { label, continued, start, end: start + bits, kind });
    };
    for flag in [FIN, RSV1, RSV2, RSV3] {
        part(flag, "", 1, Kind::Flag);
    }
    part(&[" opcode", "(4)"], "", 4, Kind::Code);
    part(MASK, "", 1, Kind::Flag);
    part(&["Payload len", "(7)"], "", 7, Kind::Number);
    match frame.header.length_form {
        LengthForm::Bits7 => {}
        LengthForm::Bits16 => part(&["Extended payload length", "(16)"], EXTENDED, 16, Kind::Bytes),
        LengthForm::Bits64 => part(&["Extended payload length", "(64)"], EXTENDED, 64, Kind::Bytes),
    }
    if frame.header.masking_key.is_some() {
        part(&["Masking-key", "(32)"], "Masking-key (continued)", 32, Kind::Bytes);
    }
    // Payload up to the end of the last row for it, and as far as it is at hand.
    let header = u64::from(frame.header.header_length());
    let room = (header * 8).div_ceil(ROW) * (ROW / 8) - header;
    let room = room + (if room > 0 { PAYLOAD_ROWS - 1 } else { PAYLOAD_ROWS }) * (ROW / 8);
    let at_hand = frame.payload.len() as u64 + hole::missing(frame.holes);
    let payload = room.min(frame.header.length).min(at_hand);
    if payload > 0 {
        part(&["Payload Data"], "Payload Data (continued)", payload * 8, Kind::Payload);
    }
    parts
}

fn touches(part: &Part, row: u64) -> bool {
    part.start < (row + 1) * ROW && row * ROW < part.end
}

/// The numbers of the bits, as in the RFC.
fn ruler(page: &mut Page) {
    let ones: Vec<String> = (0..ROW).map(|bit| (bit % 10).to_string()).collect();
    for tens in 0..=(ROW - 1) / 10 {
        page.to(EDGE + 1 + tens as usize * 20).put(Ink::Faint, &tens.to_string());
    }
    page.line();
    page.to(EDGE + 1).put(Ink::Faint, &ones.join(" ")).line();
}

/// The line between row `row - 1` and `row`: solid between fields, broken inside one.
fn separator(page: &mut Page, parts: &[Part], row: u64) {
    // Which part the bit `at` of the row above and below belongs to.
    let owner = |bit: Option<u64>| {
        bit.and_then(|bit| parts.iter().position(|part| (part.start..part.end).contains(&bit)))
    };
    let above = |at: u64| owner((row * ROW + at).checked_sub(ROW));
    let below = |at: u64| owner(Some(row * ROW + at));
    let end = (0..ROW).rev().find(|at| above(*at).is_some() || below(*at).is_some()).map_or(0, |at| at + 1);
    let inside = |at: u64| above(at).is_some() && above(at) == below(at);
    let edge = |at: u64| at == 0 || at == end || above(at) != above(at - 1) || below(at) != below(at - 1);
    let mut drawn = String::with_capacity(65);
    for at in 0..end {
        drawn.push(if edge(at) { '+' } else { '-' });
        drawn.push(if inside(at) { ' ' } else { '-' });
    }
    drawn.push('+');
    page.to(EDGE).put(Ink::Faint, &drawn).line();
}

/// One line of one row: `|` between the parts, each part's text centred.
fn line(page: &mut Page, frame: &Frame<'_>, parts: &[Part], row: u64, line: Line) {
    let here = || parts.iter().filter(|part| touches(part, row));
    if line == Line::Label(0)
        && row > 0
        && here().all(|part| part.kind == Kind::Payload && part.start < row * ROW)
    {
        return;
    }
    if line == Line::Bits {
        let offset = (row * ROW / 8).to_string();
        page.put_right(Ink::Faint, &offset, EDGE - 1);
    }
    page.to(EDGE).put(Ink::Faint, "|");
    for part in here() {
        let from = part.start.max(row * ROW);
        let to = part.end.min((row + 1) * ROW);
        let text = match line {
            Line::Label(at) => page.lang().words(label(part, row, at)).to_owned(),
            Line::Bits => bits(frame, from, to),
            Line::Values => values(frame, part, from, to),
            Line::Unmasked if part.kind == Kind::Payload => unmasked(frame, from, to),
            Line::Unmasked => String::new(),
        };
        let ink = if matches!(line, Line::Label(_)) { Ink::Plain } else { Ink::Strong };
        page.put(ink, &centred(&text, (to - from) as usize * 2 - 1)).put(Ink::Faint, "|");
    }
    let masked_payload = frame.header.masking_key.is_some() && here().any(|part| part.kind == Kind::Payload);
    match line {
        Line::Values if masked_payload => page.put(Ink::Plain, " ").word(Ink::Faint, "masked"),
        Line::Unmasked => page.put(Ink::Plain, " ").word(Ink::Faint, "unmasked"),
        _ => page,
    };
    page.line();
}

fn label(part: &Part, row: u64, at: usize) -> &'static str {
    if part.start < row * ROW {
        return if at == 0 { part.continued } else { "" };
    }
    part.label.get(at).copied().unwrap_or_default()
}

fn bits(frame: &Frame<'_>, from: u64, to: u64) -> String {
    let mut out = String::with_capacity((to - from) as usize * 2);
    for bit in from..to {
        if bit > from {
            out.push(' ');
        }
        out.push(match frames::wire_byte(frame, bit / 8).map(|byte| byte >> (7 - bit % 8) & 1) {
            Some(0) => '0',
            Some(_) => '1',
            None => '?',
        });
    }
    out
}

fn values(frame: &Frame<'_>, part: &Part, from: u64, to: u64) -> String {
    match part.kind {
        Kind::Flag => String::new(),
        Kind::Code => format!("{:#x}", frame.header.opcode.0),
        Kind::Number => match frames::wire_byte(frame, 1) {
            Some(byte) => (byte & 0x7F).to_string(),
            None => String::new(),
        },
        Kind::Payload if frame.header.masking_key.is_none() => unmasked(frame, from, to),
        Kind::Bytes | Kind::Payload => bytes(from, to, |at| match frames::wire_byte(frame, at) {
            Some(byte) => format!("{byte:02x}"),
            None => "?".to_owned(),
        }),
    }
}

fn unmasked(frame: &Frame<'_>, from: u64, to: u64) -> String {
    let header = u64::from(frame.header.header_length());
    bytes(from, to, |at| match hole::byte(frame.payload, frame.holes, at - header) {
        Some(byte @ b'!'..=b'~') => format!("{byte:02x} {}", byte as char),
        Some(byte) => format!("{byte:02x}"),
        None => "?".to_owned(),
    })
}

/// `text` of each byte, centred over its eight bits.
fn bytes(from: u64, to: u64, text: impl Fn(u64) -> String) -> String {
    let all: Vec<String> = (from / 8..to / 8).map(|at| centred(&text(at), 15)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir;
    use crate::render::fixture::Show;
    use crate::render::scenes;

    fn show() -> Show<BitsLayout> {
        Show::new(Options::default())
    }

    /// The bits that stand in a diagram's rows, in order.
    fn drawn(text: &str) -> Vec<u8> {
        text.lines()
            .filter_map(|line| {
                let (offset, bits) = line.split_once('|')?;
                offset.trim().parse::<u64>().ok().map(|_| bits)
            })
            .flat_map(|bits| bits.bytes().filter(|byte| matches!(byte, b'0' | b'1')).map(|byte| byte - b'0'))
            .collect()
    }

    #[test]
    fn every_form_of_the_header_is_drawn_bit_for_bit() {
        let forms: [(u8, Vec<u8>, usize); 4] = [
            (0, vec![], 0),
            (5, vec![], 5),
            (126, vec![1, 0], 256),
            (127, vec![0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ];
        for (short, extended, length) in forms {
            for key in [&[][..], &[0x37, 0xfa, 0x21, 0x3d]] {
                let mask = if key.is_empty() { 0 } else { 0x80 };
                let header = [&[0xC2, mask | short], &extended[..], key].concat();
                let wire = [header.clone(), (0..length).map(|at| at as u8 ^ 0xA5).collect()].concat();
                let mut show = show();
                show.fields = false;
                show.frame(Dir::Client, &wire);
                let text = show.text();
                let bits = drawn(&text);
                assert!(bits.len() >= (header.len() + length.min(4)) * 8, "{text}");
                for (at, bit) in bits.into_iter().enumerate() {
                    assert_eq!(bit, wire[at / 8] >> (7 - at % 8) & 1, "bit {at} of\n{text}");
                }
                let rows: Vec<&str> = text.lines().filter(|line| line.get(4..5) == Some("|")).collect();
                assert!(rows.iter().all(|row| row.rfind('|') <= Some(68)), "{text}");
            }
        }
    }

    #[test]
    fn the_frames_of_rfc_6455_5_7() {
        let mut show = show();
        scenes::rfc_5_7(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn long_masked_and_cut_short() {
        let mut show = show();
        show.frame(Dir::Client, &scenes::masked(0x81, &b"0123456789".repeat(20)));
        show.frame(Dir::Server, &[0x82, 0x7F, 0, 0, 0, 1, 0, 0, 0, 5, 0xAB]);
        insta::assert_snapshot!(show.text());
    }
}
