//! What views and selections come to, whether a message is told as one thing or as two.

use crate::decoder::{Decoder, Extensions};
use crate::limits;
use crate::model::sample::in_words;
use crate::model::{
    At, Dir, Flow, FlowId, Interest, ON, Opcode, Receipt, Side, Single, Sink, StreamEnd, Summary, Time, Unit,
    Wants,
};
use crate::render::json::{Json, Scope};
use crate::render::stats::Stats;
use crate::select::{Select, Selection};
use crate::ws::encode;

/// Every unit, word for word.
struct Log(Wants, Vec<String>);

impl Sink for Log {
    fn wants(&self) -> Wants {
        self.0
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.1.push(in_words(unit));
        ON
    }
}

/// How many messages of JSON are told as one thing.
struct AtOnce<S>(S, u64);

impl<S: Sink> Sink for AtOnce<S> {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.take(unit)
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        self.1 += u64::from(single.quoted.is_some());
        self.0.take_single(single)
    }
}

/// Has each whole message told as two units.
struct Apart<S>(S);

impl<S: Sink> Sink for Apart<S> {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.take(unit)
    }
}

/// What applications send: JSON of no protocol, and what looks like it.
const TEXTS: [&str; 21] = [
    r#"{"id":7,"text":"bid ask last bid ask last bid ask last"}"#,
    r#"["a \"quoted\" word","a \\ and a \/",-7.5e+3,true,null,{}]"#,
    r#" { "spaced" : [ ] } "#,
    r#"{"op":"ping","n":7}"#,
    r#"{"op":"7","what":"strong"}"#,
    r#"{"ümlaut":"7"}"#,
    r#"{"escaped":"\u00e9 7"}"#,
    r#"{"id":07,"phoenix":"no JSON"}"#,
    r#"{"id":07,"text":"no JSON, \"either\""}"#,
    r#"["07",07,"ping",ping]"#,
    r#"{"type":07,"or":ping"#,
    r#"{"say":"07" "ümlaut"}"#,
    "{\"lines\":\n\t7}",
    "{\"delete\":\"\u{7f}7777777\"}",
    "[7]",
    "hello 7",
    r#"{"open":"7"#,
    "{}",
    r#"[{"a":[7,[]]},"end"]"#,
    r#"{"jsonrpc":"2.0","id":7,"method":"a"}"#,
    r#"{"event":"pusher:ping","data":{}}"#,
];

/// How many of them are of no protocol that is followed from message to message.
const ALONE: usize = TEXTS.len() - 2;

/// Each says before long what no more of it is told at a glance.
const CONNECTIONS: u64 = 30;

/// What sinks come to that take frame and message at once, and what they come to if they do not.
#[test]
fn who_takes_frame_and_message_at_once_comes_to_the_same() {
    fn play<S: Sink>(sink: S, by_short_way: bool) -> (S, Summary) {
        let decoder = Decoder::new(sink);
        let mut decoder = if by_short_way { decoder } else { decoder.by_the_long_way() };
        for id in 0..CONNECTIONS {
            decoder.open_upgraded(FlowId(id as u32), None, Extensions::NONE);
        }
        let mut packet = 0;
        for turn in 0..600_u64 {
            let id = FlowId((turn % CONNECTIONS) as u32);
            let (from, dir) = if turn % 5 < 2 { (Side::A, Dir::Client) } else { (Side::B, Dir::Server) };
            // Some masked, some not, some with the wrong mask or text that is none; now and then a ping.
            let key = (dir == Dir::Client) ^ (turn % 97 == 50);
            let key = key.then_some((turn as u32).wrapping_mul(0x9E37_79B9).to_be_bytes());
            // One in three speaks more than JSON.
            let texts = if turn % 3 == 2 { TEXTS.len() } else { ALONE };
            let payload = match turn % 4 {
                0 => "{\"a\": 1}".repeat((turn * turn % 23) as usize).into_bytes(),
                _ => TEXTS[turn as usize / 3 % texts].replace('7', &turn.to_string()).into_bytes(),
            };
            let (opcode, payload) = match turn % 41 {
                0 => (Opcode::PING, vec![1, 2]),
                1 => (Opcode::BINARY, vec![0xFF; 300]),
                2 if turn > 300 => (Opcode::TEXT, vec![0xFF; 9]),
                3 => (Opcode::TEXT, "\u{e4}".repeat(40).into_bytes()),
                _ => (Opcode::TEXT, payload),
            };
            let mut bytes = encode::whole(opcode, key, &payload);
            if turn % 7 == 0 {
                bytes.extend(encode::whole(Opcode::TEXT, key.map(|_| [turn as u8, 7, 1, 2]), b"two"));
            }
            for piece in bytes.chunks(if turn % 11 == 0 { 5 } else { usize::MAX }) {
                packet += 1;
                let at = At { packet, byte: 54, time: Some(Time(packet * 1_000_000)) };
                decoder.tick(Time(packet * 1_000_000));
                assert_eq!(decoder.data(id, from, piece, at), Interest::Follow);
            }
        }
        for id in 0..CONNECTIONS {
            decoder.end(FlowId(id as u32), Side::B, StreamEnd::Rst, Receipt::default(), At::default());
        }
        decoder.finish()
    }
    let told = |stats: Stats| format!("{stats:?}");
    let (stats, summary) = play(Stats::new(), true);
    let expected = (told(stats), summary.clone());
    let (Apart(stats), summary) = play(Apart(Stats::new()), true);
    assert_eq!((told(stats), summary), expected, "as two units");
    let (stats, summary) = play(Stats::new(), false);
    assert_eq!((told(stats), summary), expected, "the long way");
    for selection in [Selection::default(), Selection { from: Some(Dir::Client), ..Selection::default() }] {
        let select = |stats| Select::new(selection.clone(), stats);
        let (at_once, _) = play(select(Stats::new()), true);
        let (Apart(apart), _) = play(Apart(select(Stats::new())), true);
        assert_eq!(at_once.verdict(), apart.verdict());
        assert_eq!(told(at_once.into_inner()), told(apart.into_inner()), "{selection:?}");
    }
    // Records: all of a payload is shown, or only its beginning; one a line, or all in one array.
    let records: [fn() -> Json<Vec<u8>>; 4] = [
        || Json::lines(Vec::new(), limits::PAYLOAD_SHOWN),
        || Json::lines(Vec::new(), 24),
        || Json::array(Vec::new(), limits::PAYLOAD_SHOWN),
        || Json::lines(Vec::new(), limits::PAYLOAD_SHOWN).only(Scope::Messages),
    ];
    for json in records {
        let written = |json: Json<Vec<u8>>| String::from_utf8(json.finish().unwrap()).unwrap();
        let at_once = written(play(json(), true).0);
        let Apart(apart) = play(Apart(json()), true).0;
        for (at_once, apart) in at_once.lines().zip(written(apart).lines()) {
            assert_eq!(at_once, apart);
        }
        assert!(written(play(json(), false).0) == at_once, "the long way");
        let AtOnce(json, singles) = play(AtOnce(json(), 0), true).0;
        assert!(written(json) == at_once && singles > 30, "the short way is taken {singles} times");
    }
    // Causes that hang on how many messages there were, and what messages mean.
    for app in [false, true] {
        let log = |at_once| play(Log(Wants { causes: true, app, ..Wants::NOTHING }, Vec::new()), at_once).0.1;
        assert_eq!(log(true), log(false));
    }
}
