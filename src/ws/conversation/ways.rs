//! The short way of whole frames and the long way of all others give the same units.

use proptest::prelude::*;

use super::*;
use crate::model::sample::in_words;
use crate::model::{Body, Emitter, Sink, Time, Unit, Wants};
use crate::ws::half::Scratch;
use crate::ws::mask;

/// All that a unit says.
struct Told(Wants, Vec<String>);

impl Sink for Told {
    fn wants(&self) -> Wants {
        self.0
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if !matches!(unit.body, Body::Summary(_)) {
            let told = in_words(unit);
            self.1.push(told);
        }
        ON
    }
}

/// What an endpoint sends in one go, and how it is cut.
type Sent = (Dir, Vec<u8>, Vec<usize>);

fn told(sent: &[Sent], wants: Wants, extensions: Extensions, mut scratch: Scratch) -> Vec<String> {
    let mut told = Told(wants, Vec::new());
    let mut out = Emitter::new(&mut told);
    let mut talk = Conversation::new(1, [100, 200], extensions);
    let mut at = At::default();
    for (dir, bytes, cuts) in sent {
        let mut rest = bytes.as_slice();
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            at = At { packet: at.packet + 1, byte: 54, time: Some(Time(700_000_000 * at.packet)) };
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap_or(&usize::MAX)));
            assert!(talk.push(*dir, now, at, &mut out, &mut scratch).is_continue());
            rest = later;
        }
    }
    let counts = talk.counts();
    assert!(talk.finish(StreamEnd::Fin, at.time, at.time, &mut out, &mut scratch).is_continue());
    out.finish(0, 0, None);
    told.1.push(format!("{counts:?}"));
    told.1
}

/// A frame of `dir`, right but for what chance wants.
fn frame(dir: Dir) -> impl Strategy<Value = Vec<u8>> {
    // Mostly whole messages: the long way's own business is tested elsewhere.
    let first = prop_oneof![
        30 => prop::sample::select(vec![0x81_u8, 0x82]),
        3 => prop::sample::select(vec![0x89, 0x8A, 0x88, 0x01, 0x02, 0x80, 0x00]),
        1 => any::<u8>(),
    ];
    let text = prop_oneof![
        8 => "[ -~]{0,130}",
        1 => (65_530..65_540_usize).prop_map(|length| "x".repeat(length)),
        4 => "\\PC{0,140}",
    ];
    let content = prop_oneof![
        6 => text.prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..140),
    ];
    let key = prop_oneof![4 => any::<u32>(), 1 => 0..6_u32];
    let masked = prop::bool::weighted(if dir == Dir::Client { 0.97 } else { 0.03 });
    let form = prop_oneof![12 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    (first, content, key, masked, form).prop_map(|(first, content, key, masked, form)| {
        let mut bytes = vec![first];
        let length = content.len();
        let bit = if masked { 0x80 } else { 0 };
        let minimal = u8::from(length > 125) + u8::from(length > 0xFFFF);
        match form.unwrap_or(minimal).max(minimal) {
            0 => bytes.push(bit | length as u8),
            1 => {
                bytes.push(bit | 0x7E);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(bit | 0x7F);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        if masked {
            bytes.extend(key.to_be_bytes());
            mask::append(&mut bytes, &content, key.to_be_bytes(), 0);
        } else {
            bytes.extend(content);
        }
        bytes
    })
}

/// A Close frame of `dir` with a code and nothing else.
fn parting(dir: Dir) -> impl Strategy<Value = Vec<u8>> {
    let code = prop::sample::select(vec![1000_u16, 1000, 1001, 1002, 1005, 1010, 3000, 999]);
    (code, any::<u32>()).prop_map(move |(code, key)| {
        if dir == Dir::Server {
            return [&[0x88, 2][..], &code.to_be_bytes()].concat();
        }
        let mut bytes = [&[0x88, 0x82][..], &key.to_be_bytes()].concat();
        mask::append(&mut bytes, &code.to_be_bytes(), key.to_be_bytes(), 0);
        bytes
    })
}

/// Several frames of an endpoint, perhaps with one bit turned over, and cut anywhere.
fn sent() -> impl Strategy<Value = Sent> {
    prop_oneof![Just(Dir::Client), Just(Dir::Server)].prop_flat_map(|dir| {
        let frames = prop::collection::vec(prop_oneof![5 => frame(dir), 1 => parting(dir)], 1..6)
            .prop_map(|frames| frames.concat());
        let broken = prop::option::weighted(0.2, (any::<prop::sample::Index>(), 0..8_u8));
        let cuts = prop_oneof![
            2 => Just(vec![usize::MAX]),
            2 => prop::collection::vec(1..200_usize, 1..8),
            1 => prop::collection::vec(1..8_usize, 1..8),
        ];
        (frames, broken, cuts).prop_map(move |(mut bytes, broken, cuts)| {
            if let Some((at, bit)) = broken {
                // In a header rather than in a long payload.
                let at = at.index(bytes.len().min(200));
                bytes[at] ^= 1_u8 << bit;
            }
            (dir, bytes, cuts)
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_tells_the_same(
        sent in prop::collection::vec(sent(), 1..8),
        payload in prop::sample::select(vec![0, 7, 200, u64::MAX]),
        known in any::<bool>(),
        fields in any::<bool>(),
    ) {
        let extensions = if known { Extensions::NONE } else { Extensions::UNKNOWN };
        let wants = Wants { fields, payload, ..Wants::NOTHING };
        let short = told(&sent, wants, extensions, Scratch::default());
        let long = told(&sent, wants, extensions, Scratch::default().without_short_way());
        for (short, long) in short.iter().zip(&long) {
            prop_assert_eq!(short, long);
        }
        prop_assert_eq!(short.len(), long.len());
    }
}

/// One bit turned over at each place of a conversation.
#[test]
fn whichever_bit_is_wrong_both_ways_say_so() {
    let frames: [(Dir, &[u8]); 7] = [
        (Dir::Server, b"\x81\x05Hello"),
        (Dir::Client, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        (Dir::Server, b"\x89\x01x\x82\x03\0\xFF\x01\x81\x02\xC3\xA9"),
        (Dir::Client, b"\x82\x82\x37\xfa\x21\x3e\x7f\x9f\x8A\x81\0\0\0\x01y\x81\x80\x01\x02\x03\x04"),
        (Dir::Server, b"\x88\x02\x03\xE8"),
        (Dir::Client, b"\x88\x82\x05\x06\x07\x08\x06\xEE"),
        (Dir::Server, b"\x89\x01x\x88\x02\x03\xE8\x81\x01x"),
    ];
    let wants = Wants { payload: 50, ..Wants::NOTHING };
    let mut differently_told = 0;
    let right: Vec<Sent> =
        frames.iter().map(|(dir, bytes)| (*dir, bytes.to_vec(), vec![usize::MAX])).collect();
    let usual = told(&right, wants, Extensions::NONE, Scratch::default());
    for (which, (_, bytes)) in frames.iter().enumerate() {
        for bit in 0..bytes.len() * 8 {
            let mut sent = right.clone();
            sent[which].1[bit / 8] ^= 0x80 >> (bit % 8);
            let short = told(&sent, wants, Extensions::NONE, Scratch::default());
            let long = told(&sent, wants, Extensions::NONE, Scratch::default().without_short_way());
            assert_eq!(short, long, "frame {which}, bit {bit}");
            differently_told += usize::from(short != usual);
        }
    }
    assert!(differently_told > 100, "{differently_told}");
}
