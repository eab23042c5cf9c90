//! Memory stays flat whatever the input declares, and however long it goes on.
//!
//! The peak of a process is read from the system and set back before each input, so
//! the test runs in a process of its own.
#![cfg(target_os = "linux")]
use std::io::{self, Read, Write};

use wstool::input;
use wstool::pipeline;
use wstool::render::views::Form;
use wstool::render::{Options, VIEWS, session, stats, table, tree};

use crate::alone::{self, forget_peak, peak};
use crate::run::hex;

/// Mebibytes a run may take above what the process had before.
const GROWTH: usize = 8;

/// Bytes of an endless input that are read before it ends after all.
const ENOUGH: u64 = 24 << 20;

/// The same of inputs that are frames of two or three bytes, which take longer to show.
const FRAMES: u64 = 1 << 17;

/// Payload bytes asked for of a message that inflates to much more, in mebibytes.
const SHOWN: u64 = 4;

/// An input that is made while it is read: a beginning, then the same over and over.
struct Endless {
    beginning: Vec<u8>,
    again: Vec<u8>,
    at: u64,
    end: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        let at = self.at as usize;
        let part = match at.checked_sub(self.beginning.len()) {
            None => &self.beginning[at..],
            Some(beyond) => &self.again[beyond % self.again.len().max(1)..],
        };
        let count = room.min(part.len());
        into[..count].copy_from_slice(&part[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

/// A frame of one compressed message, which inflates to 64 MiB of zeros.
fn bomb(first: u8) -> Vec<u8> {
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..64 {
        deflate.write_all(&vec![0; 1 << 20]).expect("memory takes it");
    }
    deflate.flush().expect("memory takes it");
    let payload = deflate.get_ref().strip_suffix(&[0, 0, 0xFF, 0xFF]).expect("a flush ends like this");
    let length = (payload.len() as u64).to_be_bytes();
    [&[first, 127][..], &length, payload].concat()
}

#[test]
fn memory_stays_flat() {
    if alone::which().is_none() {
        alone::said(alone::start("memory::memory_stays_flat", "all"), "memory_stays_flat");
        return;
    }
    let header = |text: &str| hex(text);
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    let upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        .to_vec();
    let inputs: Vec<(&str, Vec<u8>, Vec<u8>, u64)> = vec![
        // rust-websocket, CVE-2022-35922: what a header declared was allocated before it was there.
        ("4 GiB declared, none there", header("82ff000000010000000000000000"), vec![], 14),
        ("2^62 declared, none there", header("82ff400000000000000000000000"), vec![], 14),
        ("2^63-1 declared, many there", header("82ff7fffffffffffffff01020304"), vec![0x55], ENOUGH),
        ("2^32+5 declared, many there", header("82ff000000010000000501020304"), vec![0x55], ENOUGH),
        ("top bit set, many there", header("82ffffffffffffffffff01020304"), vec![0x55], ENOUGH),
        ("a text without end", header("817f0fffffffffffffff"), b"text ".to_vec(), ENOUGH),
        ("a ping without end", header("897f0fffffffffffffff"), vec![0x55], ENOUGH),
        // libhv #875: frames with FIN = 0 were appended for ever.
        ("fragments without end", header("0100"), header("0001 41"), FRAMES),
        ("empty fragments without end", header("0100"), header("0000"), FRAMES),
        ("pings without end", vec![], header("8900"), FRAMES),
        // ws, CVE-2026-48779: what is remembered of each frame costs more than its bytes.
        ("reserved opcodes without end", vec![], header("fb00"), FRAMES),
        ("messages in messages without end", vec![], header("0101 41 0201 42"), FRAMES),
        ("a head without end", head.clone(), b"X-Padding: abc\r\n".to_vec(), ENOUGH),
        ("a header without end", head, b"x".to_vec(), ENOUGH),
        ("early data without end", upgrade, header("8100"), FRAMES),
        ("zeros", vec![0], vec![0], FRAMES),
        (
            "a packet without end",
            [
                &b"\xD4\xC3\xB2\xA1\x02\0\x04\0\0\0\0\0\0\0\0\0\xFF\xFF\xFF\x7F\x01\0\0\0"[..],
                &[0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F],
            ]
            .concat(),
            vec![0],
            ENOUGH,
        ),
        (
            "a block without end",
            b"\x0A\x0D\x0D\x0A\xF0\xFF\xFF\x7F\x4D\x3C\x2B\x1A\x01\0\0\0".to_vec(),
            vec![0],
            ENOUGH,
        ),
    ];
    for (name, beginning, again, end) in inputs {
        let again = again.repeat(65_536_usize.div_ceil(again.len().max(1)));
        let quick = [&stats::VIEW, &tree::VIEW, &table::VIEW, &session::VIEW];
        let texts = quick.map(|view| (view, Form::Text));
        for (view, form) in texts.into_iter().chain([(&tree::VIEW, Form::Lines)]) {
            // Trees are large.
            let end = if form == Form::Text && *view == tree::VIEW && end == FRAMES { end / 8 } else { end };
            let reader = Endless { beginning: beginning.clone(), again: again.clone(), at: 0, end };
            let options = Options::default();
            let mut sink = view.over(io::sink(), form, &options);
            forget_peak();
            let before = peak();
            if let Ok(input) = input::open(Box::new(reader), "test") {
                pipeline::run(input, sink.as_mut(), &mut |_| {});
            }
            let growth = peak().saturating_sub(before) >> 20;
            assert!(growth <= GROWTH, "{name}, {} as {form:?}: {growth} MiB more", view.name);
        }
    }

    // What a message inflates to is kept once, as much of it as was asked for; its rows, many times as long,
    // are written as they are made.
    for (name, opcode) in [("a text that inflates", 0xC1), ("bytes that inflate", 0xC2)] {
        let bomb = bomb(opcode);
        let texts = VIEWS.map(|view| (view, Form::Text));
        for (view, form) in texts.into_iter().chain([(&tree::VIEW, Form::Lines)]) {
            let options = Options { payload: Some(SHOWN << 20), ..Options::default() };
            let mut sink = view.over(io::sink(), form, &options);
            forget_peak();
            let before = peak();
            let input = input::open(Box::new(io::Cursor::new(bomb.clone())), "test").expect("it is raw");
            pipeline::run(input, sink.as_mut(), &mut |_| {});
            let growth = peak().saturating_sub(before) >> 20;
            assert!(
                growth <= SHOWN as usize + GROWTH,
                "{name}, {} as {form:?}: {growth} MiB more",
                view.name
            );
        }
    }

    // The measure itself: what is used must show.
    forget_peak();
    let before = peak();
    drop(std::hint::black_box(vec![1_u8; 64 << 20]));
    assert!(peak() - before > 60 << 20, "the peak cannot be read, so nothing was tested");
}
