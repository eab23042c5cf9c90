//! The fuzz targets of `fuzz/`, run on stable with inputs mutated from the samples.
//!
//! The same inputs each time; `FUZZ_SEED` and `FUZZ_ROUNDS` ask for others and for
//! more, `FUZZ_TARGET` for one target. An input that fails is written to `target/tmp/`,
//! and belongs into `tests/decode/known_bugs.rs` when it is fixed.
use std::fs;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use wstool::input::PcapWriter;
use wstool::input::capture::ETHERNET;
use wstool::synth::{Rng, START, conversation, script};

use crate::targets;

/// Mutated inputs of each target.
const ROUNDS: u64 = 250;

/// Bytes of the longest input.
const LONGEST: usize = 6000;

#[test]
fn every_target_takes_whatever_comes() {
    let number = |name, otherwise| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (rounds, seed) = (number("FUZZ_ROUNDS", ROUNDS), number("FUZZ_SEED", 1));
    let only = std::env::var("FUZZ_TARGET").ok();
    let is_asked = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let asked: Vec<_> = targets::TARGETS.iter().filter(|(name, _)| is_asked(name)).collect();
    assert!(!asked.is_empty(), "there is no target {only:?}");
    for (name, target) in asked {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has nothing to begin with");
        for seed in &seeds {
            attempt(name, *target, seed);
        }
        let mut rng = Rng::new(seed);
        for _ in 0..rounds {
            let mut input = pick(&seeds, &mut rng).clone();
            for _ in 0..=rng.below(6) {
                mutate(&mut input, &seeds, &mut rng);
            }
            input.truncate(LONGEST);
            attempt(name, *target, &input);
        }
    }
}

/// What `cargo fuzz` runs are the same targets.
#[test]
fn every_target_is_one_of_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    for (name, _) in targets::TARGETS {
        let code = fs::read_to_string(root.join(format!("fuzz_targets/{name}.rs"))).expect("a target");
        assert!(code.contains(&format!("targets::{name}(data)")), "{name}");
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name}");
    }
    let files = fs::read_dir(root.join("fuzz_targets")).expect("a folder").count();
    assert_eq!(files, targets::TARGETS.len());
}

fn attempt(name: &str, target: fn(&[u8]), input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
        fs::write(&path, input).expect("there is room");
        panic!("{name} failed; its input is in {}", path.display());
    }
}

/// What a target's inputs are mutated from.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let samples = samples();
    let of = |extensions: &[&str]| -> Vec<Vec<u8>> {
        let fits = |name: &str| extensions.iter().any(|extension| name.ends_with(extension));
        samples.iter().filter(|(name, _)| fits(name)).map(|(_, bytes)| bytes.clone()).collect()
    };
    let mut seeds = match target {
        "capture" => {
            let played = of(&[".script"]).iter().filter_map(|text| played(text)).collect();
            [of(&[".pcap", ".pcapng", ".pcap.gz"]), played].concat()
        }
        "har" => of(&[".har"]),
        "script" => of(&[".script"]),
        "head" | "replay" => of(&[".http"]),
        "hex" => of(&[".hex"]),
        "raw" => {
            let texts = of(&[".hex"]);
            let chunks = texts
                .iter()
                .filter_map(|text| wstool::input::hex::parse(std::str::from_utf8(text).ok()?).ok());
            chunks.map(|chunks| chunks.into_iter().flat_map(|chunk| chunk.bytes).collect()).collect()
        }
        "values" => vec![
            b"\x83\xa2op\xa3add\xa4args\x92\x01\xcb\x3f\xf8\0\0\0\0\0\0\xa3b c\x81\xa1d\xc4\x02\xff\0"
                .to_vec(),
            b"\xa3\x62op\x63add\x64args\x9f\x01\xf9\x3e\x00\xff\x61n\xc1\x42\xff\0".to_vec(),
            b"\x08\x07\x12\x03ann\x1a\x03\x01\x02\x04\x2a\x02\x08\x01\x45\x01\0\0\0\x0b\x08\x01\x0c".to_vec(),
        ],
        "described" => {
            let wire = b"\0RV\x03\x03\0\x02\x07\0\x64\x01\x0a\x08\0\xff\x02\x00\xff\0\0zz";
            let json = br#"{"op":"create","id":1,"at":{"board":7},"task":{"title":"Buy milk"}}"#;
            let of_each =
                |file: &Vec<u8>| [[file, &wire[..]].concat(), [file, &b"\0"[..], &json[..]].concat()];
            of(&[".toml"]).iter().flat_map(of_each).collect()
        }
        "accept" => vec![b"dGhlIHNhbXBsZSBub25jZQ==s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_vec()],
        "http2" => {
            let part = |flags: u8, bytes: &[u8]| [&[flags, bytes.len() as u8], bytes].concat();
            let settings = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x08\x00\x00\x00\x01";
            let connect = b"\x00\x00\x32\x01\x04\x00\x00\x00\x01\x00\x07:method\x07CONNECT\x00\x09:protocol\
                \x09websocket\x86\x84\x01\x0bexample.com";
            let opens = [
                part(0x80, b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
                part(1, settings),
                part(0, connect),
                part(1, b"\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88"),
                part(0, b"\x00\x00\x08\x00\x00\x00\x00\x00\x01\x81\x82\x01\x02\x03\x04Ik"),
                part(1, b"\x00\x00\x06\x00\x09\x00\x00\x00\x01\x01\x81\x02Hi\x00"),
                part(0, b"\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x08"),
                part(1, b"\x00\x00\x0c\x07\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0bcalm"),
            ]
            .concat();
            vec![[&[0][..], &opens].concat(), [&[3][..], &opens].concat()]
        }
        "hpack" => {
            let part = |flags: u8, bytes: &[u8]| [&[flags, bytes.len() as u8], bytes].concat();
            let connect = b"\x40\x07:method\x07CONNECT\x40\x09:protocol\x09websocket\x86\x84\x41\x8c\
                \xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
            vec![
                [part(0, connect), part(1, b"\x88"), part(0, b"\xc0\xbf\x86\x84\xbe"), part(1, b"\x88")]
                    .concat(),
                [part(2, connect), part(5, b"\x3f\xe1\x1f\x48\x82\x64\x02"), part(0, b"\x20\x82\x87")]
                    .concat(),
            ]
        }
        "tls" => {
            let mut parts = Vec::new();
            for line in include_str!("../../fuzz/rfc8448.txt").lines() {
                let (who, record) = line.split_once(' ').expect("who, and what");
                for piece in crate::run::hex(record).chunks(255) {
                    parts.extend([u8::from(who == "server"), piece.len() as u8]);
                    parts.extend(piece);
                }
            }
            vec![parts]
        }
        "app" => {
            let part = |flags: u8, text: &str| [&[flags, text.len() as u8], text.as_bytes()].concat();
            let open =
                r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
            let said = [
                (0x00, vec![part(1, open), part(0, "40/admin,{}"), part(1, r#"42/admin,1["a",{"b":[1]}]"#)]),
                (
                    0x01,
                    vec![
                        part(1, open),
                        part(0, r#"451-["up",{"_placeholder":true,"num":0}]"#),
                        part(2, "\x04abc"),
                    ],
                ),
                (0x80, vec![part(1, open), b"40\x1e42[\"hi\"]\x1ebAQID".to_vec()]),
                (0xC1, vec![b"\x00\x01\x02\xFF40".to_vec(), b"2:40".to_vec()]),
                (
                    0x04,
                    vec![
                        part(0, r#"{"type":"connection_init"}"#),
                        part(1, r#"{"type":"next","id":"1","payload":{}}"#),
                    ],
                ),
                (
                    0x06,
                    vec![part(0, "CONNECT\naccept-version:1.2\n\n\0"), part(1, "MESSAGE\na:b\\c\n\nhi\0")],
                ),
                (
                    0x07,
                    vec![
                        part(2, "\x10\x0c\0\x04MQTT\x04\x02\0<\0\0"),
                        part(3, "\x20\x02\0\0"),
                        part(2, "\x30\x05\0\x01ahi"),
                    ],
                ),
                (
                    0x02,
                    vec![
                        part(0, "{\"protocol\":\"json\",\"version\":1}\x1e"),
                        part(1, "{\"type\":6}\x1e{\"type\":1,\"target\":\"a\",\"arguments\":[]}\x1e"),
                    ],
                ),
            ];
            said.into_iter().map(|(how, parts)| [vec![how], parts.concat()].concat()).collect()
        }
        "dialect" => {
            let part = |flags: u8, text: &str| [&[flags, text.len() as u8], text.as_bytes()].concat();
            let said = [
                vec![
                    part(12, r#"[2,"1","Heartbeat",{}]"#),
                    part(13, r#"[3,"1",{}]"#),
                    part(12, r#"[4,"1","GenericError","",{}]"#),
                ],
                vec![
                    part(24, r#"["hello","ho"]"#),
                    part(25, "o"),
                    part(25, r#"a["hi"]"#),
                    part(25, "c[1,\"\"]"),
                ],
                vec![
                    part(13, r#"{"type":"welcome"}"#),
                    part(12, r#"{"command":"subscribe","identifier":"{\"channel\":\"A\"}"}"#),
                    part(13, r#"{"identifier":"{\"channel\":\"A\"}","type":"confirm_subscription"}"#),
                ],
                vec![
                    part(8, r#"["1","2","a","phx_join",{}]"#),
                    part(9, r#"["1","2","a","phx_reply",{"status":"error","response":{"reason":"x"}}]"#),
                    part(10, "\0\x01\x01\x01\x0112ae!"),
                ],
                vec![
                    part(9, r#"{"event":"pusher:error","data":{"code":4001,"message":"x"}}"#),
                    part(8, r#"{"event":"pusher:subscribe","data":{"channel":"a"}}"#),
                ],
                vec![
                    part(
                        8,
                        r#"{"header":{"msg_id":"a","msg_type":"x_request"},"parent_header":{},"content":{}}"#,
                    ),
                    part(11, "\0\0\0\x01\0\0\0\x08{}"),
                    part(6, "\x06\0\0\0\0\0\0\0\x38\0\0\0\0\0\0\0\x38\0\0\0\0\0\0\0"),
                ],
                vec![
                    part(8, r#"{"id":1,"method":"Page.enable","sessionId":"A"}"#),
                    part(9, r#"{"id":1,"error":{"code":-32601,"message":"x"},"sessionId":"A"}"#),
                ],
                vec![
                    part(9, r#"{"type":"auth_required","ha_version":"1"}"#),
                    part(8, r#"{"type":"auth","access_token":"x"}"#),
                    part(9, r#"[{"id":1,"type":"result","success":false,"error":{"code":"x"}}]"#),
                ],
                vec![
                    part(
                        12,
                        "INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/WS a;branch=b\r\nl: 2\r\n\
                         CSeq: 1 INVITE\r\n\r\n",
                    ),
                    part(13, "SIP/2.0 200 OK\r\nv: SIP/2.0/WS a;branch=b\r\nCSeq: 1 INVITE\r\n\r\n"),
                ],
                vec![
                    part(12, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='a'/>"),
                    part(12, "<iq type='get' id='1'><ping xmlns='x'/></iq>"),
                    part(13, "<iq type='error' id='1'><error><gone/></error></iq>"),
                ],
                vec![
                    part(12, "Content-Length: 40\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}"),
                    part(13, r#"{"jsonrpc":"2.0","id":1,"result":0,"error":{"code":-32601}}"#),
                ],
                vec![part(12, r#"[1,"realm",{}]"#), part(13, r"[2,1,{}]"), part(12, r#"[48,1,{},"a"]"#)],
            ];
            said.into_iter().map(|parts| parts.concat()).collect()
        }
        _ => vec![
            b"\x00\x00\x0B\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58\x01\x04\x81\x02Hi\xFE\x00\xFF\x00"
                .to_vec(),
            b"\x02\x01\x09\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\x0E\x02\xC1\x03\x01\x07\x41\x03Hel\x80\x02lo"
                .to_vec(),
            b"\x05\x02\x06\x88\x80\x00\x00\x00\x00\x09\x08\x82\x7E\x01\x00\xAA\xAA\xAA\xAA".to_vec(),
        ],
    };
    for seed in &mut seeds {
        seed.truncate(LONGEST);
    }
    seeds
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("samples/ can be listed").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let mut bytes = fs::read(&path).expect("samples can be read");
                // Mutations of compressed data only damage the compression.
                if path.extension().is_some_and(|e| e == "gz") {
                    let mut inside = Vec::new();
                    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut inside).expect("samples are whole");
                    bytes = inside;
                }
                files.push((path.to_string_lossy().into_owned(), bytes));
            }
        }
    }
    files.sort();
    files
}

/// The capture of a script.
fn played(text: &[u8]) -> Option<Vec<u8>> {
    let steps = script::parse(std::str::from_utf8(text).ok()?).ok()?;
    let mut rng = Rng::new(1);
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).ok()?;
    conversation::play(&steps, START, &mut |bytes| rng.fill(bytes), &mut |time, packet| {
        let _ = writer.packet(time, packet);
    });
    writer.finish().ok()
}

fn pick<'a>(seeds: &'a [Vec<u8>], rng: &mut Rng) -> &'a Vec<u8> {
    &seeds[rng.below(seeds.len() as u64) as usize]
}

/// A place in `bytes`, its end among them.
fn place(bytes: &[u8], rng: &mut Rng) -> usize {
    rng.below(bytes.len() as u64 + 1) as usize
}

/// Changes an input in one of the ways that find things.
fn mutate(input: &mut Vec<u8>, seeds: &[Vec<u8>], rng: &mut Rng) {
    const BYTES: [u8; 12] = [0, 1, 0x0A, 0x20, 0x7D, 0x7E, 0x7F, 0x80, 0x81, 0x88, 0xFE, 0xFF];
    const NUMBERS: [u64; 8] = [0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX];
    let at = place(input, rng);
    let end = at + (rng.below(32) as usize).min(input.len() - at);
    match rng.below(9) {
        0 if at < input.len() => input[at] ^= 1 << rng.below(8),
        1 if at < input.len() => input[at] = BYTES[rng.below(12) as usize],
        2 if at < input.len() => input[at] = rng.next_u64() as u8,
        3 => {
            let number = NUMBERS[rng.below(8) as usize];
            let width = 1 << rng.below(4);
            let bytes = if rng.one_in(2) { number.to_be_bytes() } else { number.to_le_bytes() };
            let part = if bytes[0] == 0 { &bytes[8 - width..] } else { &bytes[..width] };
            for (to, from) in input[at..].iter_mut().zip(part) {
                *to = *from;
            }
        }
        4 => drop(input.drain(at..end)),
        5 => {
            let again = input[at..end].to_vec();
            let to = place(input, rng);
            input.splice(to..to, again);
        }
        6 => {
            let mut bytes = vec![0; 1 + rng.below(8) as usize];
            rng.fill(&mut bytes);
            input.splice(at..at, bytes);
        }
        7 => {
            let other = pick(seeds, rng);
            let from = place(other, rng);
            input.truncate(at);
            input.extend(&other[from..]);
        }
        _ => {
            let other = pick(seeds, rng);
            let from = place(other, rng);
            let until = (from + rng.below(64) as usize).min(other.len());
            input.splice(at..end, other[from..until].iter().copied());
        }
    }
}
