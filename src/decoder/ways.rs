//! Handshakes by the short way, held against the long one.

use proptest::prelude::*;

use super::*;
use crate::model::sample::in_words;

// Both ways are compared where the views are, too.
#[cfg(feature = "cli")]
impl<S: Sink> Decoder<S> {
    /// The same, without the short ways of what is usual.
    pub(crate) fn by_the_long_way(mut self) -> Self {
        self.scratch = Scratch::default().without_short_way();
        self
    }
}

/// What happens on a connection.
#[derive(Clone, Debug)]
enum Event {
    Data(Side, Vec<u8>),
    Gap(Side),
    Behind(Side),
    End(Side, StreamEnd),
    Close,
}

/// Every unit, word for word, and what is wanted.
struct Log(Vec<String>, Wants);

/// Who only counts, and who looks into heads.
const READERS: [Wants; 2] = [Wants::NOTHING, Wants { payload: 1, ..Wants::NOTHING }];

impl Sink for Log {
    fn wants(&self) -> Wants {
        self.1
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.push(in_words(unit));
        ON
    }
}

/// The units that connections come to, each with its own events, taken in turns.
fn told(
    connections: &[Vec<Event>],
    by_short_way: bool,
    memory: usize,
    wants: Wants,
) -> (Vec<String>, Vec<usize>) {
    let mut decoder = Decoder::within(memory, Log(Vec::new(), wants));
    if !by_short_way {
        decoder.scratch = Scratch::within(memory).without_short_way();
        decoder.memory.spare = crate::session::Spare::closed();
    }
    let mut held = Vec::new();
    let longest = connections.iter().map(Vec::len).max().unwrap_or_default();
    let mut packet = 0;
    // What a connection leaves, another one gets.
    for _ in 0..2 {
        for (id, _) in connections.iter().enumerate() {
            // Some of the open Internet, some that come from the same address.
            let host = if id % 2 == 0 { "198.18.0.1" } else { "8.8.8.8" };
            let endpoints = [format!("{host}:{}", 5000 + id), format!("{host}:80")];
            let endpoints = endpoints.map(|endpoint| endpoint.parse().unwrap());
            decoder.open(FlowId(id as u32), &Beginning::opened(endpoints));
        }
        for turn in 0..longest {
            for (id, events) in connections.iter().enumerate() {
                let Some(event) = events.get(turn) else { continue };
                packet += 1;
                let (id, time) = (FlowId(id as u32), Some(Time(packet * 1_000_000)));
                let at = At { packet, byte: 54, time };
                decoder.tick(Time(packet * 1_000_000));
                if by_short_way {
                    // Whatever may rest does, and is woken by what comes.
                    decoder.rest_one();
                }
                let _ = match event {
                    Event::Data(from, bytes) => decoder.data(id, *from, bytes, at),
                    Event::Gap(from) => {
                        decoder.gap(id, *from, 5, (Some(packet), None), &crate::ws::TRUNCATED_FRAME)
                    }
                    Event::Behind(from) => {
                        decoder.behind(id, *from);
                        Interest::Follow
                    }
                    Event::End(from, how) => decoder.end(id, *from, *how, Receipt::default(), at),
                    Event::Close => {
                        let _ = decoder.close(id, StreamEnd::Capture, time);
                        Interest::Follow
                    }
                };
                held.push(decoder.held());
            }
        }
        for (id, _) in connections.iter().enumerate() {
            let _ = decoder.close(FlowId(id as u32), StreamEnd::Capture, Some(Time(packet * 1_000_000)));
        }
    }
    let (log, summary) = decoder.finish();
    (log.0.into_iter().chain([format!("{summary:?}")]).collect(), held)
}

const ASKS: &str = "GET /chat HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ANSWERS: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// Heads that are usual, or nearly.
fn heads(of: &'static str, others: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let broken = (any::<prop::sample::Index>(), any::<u8>()).prop_map(move |(at, value)| {
        let mut bytes = of.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = value;
        bytes
    });
    let more = prop::sample::select(others).prop_map(|head| head.as_bytes().to_vec());
    let offers = Just(of.replacen("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 1));
    prop_oneof![
        8 => Just(of.as_bytes().to_vec()),
        2 => offers.prop_map(String::into_bytes),
        2 => broken,
        1 => more,
    ]
}

/// What comes of a connection, cut and disturbed.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let asks =
        heads(ASKS, &["PUT / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PROXY UNKNOWN\r\n"]);
    let answers = heads(
        ANSWERS,
        &[
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        ],
    );
    let frames =
        prop::sample::select(vec![&b""[..], b"\x81\x02Hi", b"\x88\x02\x03\xE8", b"\x81", b"\xFF\xFF"]);
    let masked =
        prop::sample::select(vec![&b""[..], b"\x81\x82\x01\x02\x03\x04In", b"\x88\x80\x01\x02\x03\x04"]);
    let side = || prop::sample::select(vec![Side::A, Side::B]);
    let how = prop::sample::select(vec![StreamEnd::Fin, StreamEnd::Rst]);
    let odd = prop_oneof![
        side().prop_map(Event::Gap),
        side().prop_map(Event::Behind),
        (side(), how).prop_map(|(side, how)| Event::End(side, how)),
        Just(Event::Close),
        Just(Event::Data(Side::A, ASKS.as_bytes().to_vec())),
        Just(Event::Data(Side::B, ANSWERS.as_bytes().to_vec())),
    ];
    let cuts = prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..3);
    let odds = prop::collection::vec((any::<prop::sample::Index>(), odd), 0..2);
    (asks, answers, frames, masked, cuts, odds, any::<[bool; 2]>(), 0..8_u8).prop_map(
        |(mut asks, mut answers, frames, masked, cuts, odds, [early, late], order)| {
            // What is behind a head may come with it, or alone.
            let mut events = Vec::new();
            let (mut rest_a, mut rest_b) = (masked.to_vec(), frames.to_vec());
            if early {
                asks.append(&mut rest_a);
            }
            if late {
                answers.append(&mut rest_b);
            }
            events.extend([(Side::A, asks), (Side::B, answers), (Side::A, rest_a), (Side::B, rest_b)]);
            if order == 0 {
                events.swap(0, 1);
            }
            for (which, at) in cuts {
                let which = which.index(events.len());
                let (side, bytes) = &mut events[which];
                let (side, rest) = (*side, bytes.split_off(at.index(bytes.len() + 1)));
                events.insert(which + 1, (side, rest));
            }
            let data = |(side, bytes)| Event::Data(side, bytes);
            let mut events: Vec<Event> =
                events.into_iter().filter(|(_, bytes)| !bytes.is_empty()).map(data).collect();
            for (at, odd) in odds {
                events.insert(at.index(events.len() + 1), odd);
            }
            events
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_of_a_handshake_tells_the_same(connections in prop::collection::vec(events(), 1..4)) {
        for wants in READERS {
            let short = told(&connections, true, limits::MEMORY, wants);
            let long = told(&connections, false, limits::MEMORY, wants);
            for (short, long) in short.0.iter().zip(&long.0) {
                prop_assert_eq!(short, long);
            }
            prop_assert_eq!(short.0.len(), long.0.len());
        }
    }
}

#[test]
fn whichever_bit_of_a_handshake_is_wrong_both_ways_say_so() {
    let data = |side, text: &str| Event::Data(side, text.as_bytes().to_vec());
    let usual = vec![
        data(Side::A, ASKS),
        data(Side::B, ANSWERS),
        Event::Data(Side::B, b"\x81\x02Hi".to_vec()),
        Event::End(Side::A, StreamEnd::Fin),
    ];
    for wants in READERS {
        whichever_bit_is_wrong(&usual, wants);
    }
}

fn whichever_bit_is_wrong(usual: &Vec<Event>, wants: Wants) {
    let told = |events: &Vec<Event>, by_short_way| {
        told(std::slice::from_ref(events), by_short_way, limits::MEMORY, wants)
    };
    let right = told(usual, true);
    assert_eq!(right, told(usual, false), "what is held, too");
    let mut differently_told = 0;
    for which in [0, 1] {
        let length = if which == 0 { ASKS.len() } else { ANSWERS.len() };
        for bit in 0..length * 8 {
            let mut events = usual.clone();
            if let Event::Data(_, bytes) = &mut events[which] {
                bytes[bit / 8] ^= 0x80 >> (bit % 8);
            }
            let short = told(&events, true);
            assert_eq!(short, told(&events, false), "head {which}, bit {bit}");
            differently_told += usize::from(short.0 != right.0);
        }
    }
    assert!(differently_told > 1000, "{differently_told}");
}

/// Many that wait for their answer, in little memory: those that are given up are the same.
#[test]
fn short_of_memory_both_ways_give_the_same_up() {
    let asks = |n: usize| Event::Data(Side::A, ASKS.replace("/chat", &format!("/chat/{n}")).into_bytes());
    let connections: Vec<Vec<Event>> = (0..600).map(|n| vec![asks(n)]).collect();
    let short = told(&connections, true, 1 << 20, Wants::NOTHING);
    assert!(short.0.iter().any(|unit| unit.contains("memory-budget-reached")));
    let long = told(&connections, false, 1 << 20, Wants::NOTHING);
    assert_eq!(short.1, long.1, "what is held");
    if let Some((short, long)) = short.0.iter().zip(&long.0).find(|(short, long)| short != long) {
        panic!("{short}\nand\n{long}");
    }
    assert_eq!(short.0.len(), long.0.len());
}
