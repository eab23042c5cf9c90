//! Lesson 7: UTF-8.

use super::draw::{between, pick, word};
use super::wire::{capture, frame, served};
use crate::lesson::{Answer, Instance, Make, hex};
use crate::model::Opcode;
use crate::synth::Rng;
use crate::ws::utf8::Utf8Check;

pub(super) static EXERCISES: &[Make] = &[
    Make { id: "which-are-refused", make: which_are_refused },
    Make { id: "where-it-breaks", make: where_it_breaks },
    Make { id: "across-fragments", make: across_fragments },
    Make { id: "what-the-server-does", make: what_the_server_does },
];

const TWO: [&str; 6] = ["é", "ü", "ñ", "д", "λ", "ö"];
const THREE: [&str; 8] = ["你", "好", "再", "见", "水", "€", "한", "あ"];
const FOUR: [&str; 6] = ["🦀", "🚀", "😀", "🌍", "🎈", "𝄞"];
/// More bytes than the character needs.
const OVERLONG: [&[u8]; 5] = [b"\xC0\x80", b"\xC0\xAF", b"\xC1\x81", b"\xE0\x80\xAF", b"\xE0\x9F\xBF"];

/// The first letters of a word.
fn letters(rng: &mut Rng) -> &'static str {
    let word = word(rng);
    &word[..between(rng, 2, 3) as usize]
}

/// Valid, overlong, surrogate, cut.
fn which_are_refused(rng: &mut Rng) -> Instance {
    let surrogate = [0xED, between(rng, 0xA0, 0xBF) as u8, between(rng, 0x80, 0xBF) as u8];
    let cut = pick(rng, &THREE).as_bytes();
    let middles: [(&str, &str, &[u8], bool); 5] = [
        ("three", "h-three", pick(rng, &THREE).as_bytes(), true),
        ("four", "h-four", pick(rng, &FOUR).as_bytes(), true),
        ("overlong", "h-overlong", pick(rng, &OVERLONG), true),
        ("surrogate", "h-surrogate", &surrogate, true),
        ("cut", "h-cut", &cut[..2], false),
    ];
    let texts = middles.map(|(id, hole, middle, more)| {
        let end = if more { letters(rng) } else { "" };
        (id, hole, [letters(rng).as_bytes(), middle, end.as_bytes()].concat())
    });
    let refused: Vec<&str> =
        texts.iter().filter(|(_, _, text)| !valid(&[text])).map(|(id, ..)| *id).collect();
    let without = |out: &str| Answer::choices(refused.iter().copied().filter(|id| *id != out));
    let frames = texts.iter().map(|(_, _, text)| hex(&served(Opcode::TEXT, text)));
    let arguments = ["decode", "--view", "table"].map(str::to_owned).into_iter().chain(frames);
    let instance = Instance::new(Answer::choices(refused.iter().copied()))
        .choices(texts.iter().map(|(id, ..)| *id))
        .mistake("ascii-only", Answer::choices(texts.iter().map(|(id, ..)| *id)))
        .mistake("four-refused", Answer::choices(refused.iter().copied().chain(["four"])))
        .mistake("overlong-passed", without("overlong"))
        .mistake("surrogate-passed", without("surrogate"))
        .mistake("cut-passed", without("cut"))
        .command(arguments);
    texts.iter().fold(instance, |instance, (_, hole, text)| instance.hole(hole, hex(text)))
}

/// Whether the fragments' payloads are UTF-8 together.
fn valid(fragments: &[&[u8]]) -> bool {
    let mut check = Utf8Check::default();
    for fragment in fragments {
        check.push(fragment);
    }
    check.finish().is_none()
}

/// The offset, in bytes of the payload, where the sequence begins.
fn where_it_breaks(rng: &mut Rng) -> Instance {
    loop {
        let good = format!(
            "{}{}{}{}",
            letters(rng),
            pick(rng, &TWO),
            letters(rng),
            if rng.one_in(2) { pick(rng, &THREE) } else { pick(rng, &FOUR) }
        );
        let good = format!("{good}{}", if rng.one_in(2) { letters(rng) } else { "" });
        let begun = &pick(rng, &FOUR).as_bytes()[..3];
        let payload = [good.as_bytes(), begun, letters(rng).as_bytes()].concat();
        let mut check = Utf8Check::default();
        check.push(&payload);
        let Some(offset) = check.bad() else { continue };
        let bytes = served(Opcode::TEXT, &payload);
        return Instance::new(Answer::Number(offset))
            .mistake("in-characters", Answer::Number(good.chars().count() as u64))
            .mistake("from-the-frame", Answer::Number(offset + (bytes.len() - payload.len()) as u64))
            .mistake("where-it-shows", Answer::Number(offset + begun.len() as u64))
            .mistake("counted-from-one", Answer::Number(offset + 1))
            .hole("bytes", hex(&bytes))
            .hole("payload", hex(&payload))
            .hole("good", good)
            .hole("lead", hex(&begun[..1]))
            .command(["decode", &hex(&bytes), "--findings"]);
    }
}

/// Messages in two fragments: valid as a whole, or not.
fn across_fragments(rng: &mut Rng) -> Instance {
    let text = |rng: &mut Rng| format!("{}{}{}", letters(rng), pick(rng, &THREE), letters(rng)).into_bytes();
    // Where the character of three bytes begins: behind the letters.
    let begins = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii()).count();
    let split = |text: &[u8], at: usize| [text[..at].to_vec(), text[at..].to_vec()];
    let between_characters = text(rng);
    let inside = text(rng);
    let (mut broken, open) = (text(rng), text(rng));
    let cut = begins(&inside) + between(rng, 1, 2) as usize;
    // A letter stands where the character should go on.
    let cut_broken = begins(&broken) + 1;
    broken[cut_broken] = b'a' + rng.below(26) as u8;
    let open = &open[..begins(&open) + 2];
    let messages = [
        ("between", "h-between", split(&between_characters, begins(&between_characters) + 3)),
        ("inside", "h-inside", split(&inside, cut)),
        ("broken", "h-broken", split(&broken, cut_broken)),
        ("open", "h-open", split(open, begins(open))),
    ];
    let delivered: Vec<&str> =
        messages.iter().filter(|(_, _, [a, b])| valid(&[a, b])).map(|(id, ..)| *id).collect();
    let each_frame: Vec<&str> =
        messages.iter().filter(|(_, _, [a, b])| valid(&[a]) && valid(&[b])).map(|(id, ..)| *id).collect();
    let and = |more| Answer::choices(delivered.iter().copied().chain([more]));
    let stream = |id: &str| {
        let (_, _, [first, last]) =
            messages.iter().find(|(known, ..)| *known == id).expect("it is one of these");
        hex(&[frame(Opcode::TEXT, false, None, first), frame(Opcode::CONTINUATION, true, None, last)]
            .concat())
    };
    let instance = Instance::new(Answer::choices(delivered.iter().copied()))
        .choices(messages.iter().map(|(id, ..)| *id))
        .mistake("per-frame", Answer::choices(each_frame))
        .mistake("open-passed", and("open"))
        .mistake("cut-unchecked", and("broken"))
        .mistake("all", Answer::choices(messages.iter().map(|(id, ..)| *id)))
        .command(["decode".to_owned(), "--view".into(), "table".into(), stream("inside"), stream("broken")]);
    messages.iter().fold(instance, |instance, (_, hole, [first, last])| {
        instance.hole(hole, format!("{} | {}", hex(first), hex(last)))
    })
}

/// Failing the connection, against the closing handshake.
fn what_the_server_does(rng: &mut Rng) -> Instance {
    let bad = [letters(rng).as_bytes(), pick(rng, &OVERLONG), letters(rng).as_bytes()].concat();
    let ping = word(rng);
    let code = pick(rng, &[1000, 1001]);
    let script = format!("client text {}\nclient ping \"{ping}\"\nclient close {code}", hex(&bad));
    let pcap = capture(&format!("{script}\nfin server"), rng);
    Instance::new(Answer::choice("fail"))
        .choices(["fail", "handshake", "pong-first", "drop"])
        .mistake("handshake", Answer::choice("handshake"))
        .mistake("pong-first", Answer::choice("pong-first"))
        .mistake("drop", Answer::choice("drop"))
        .hole("bad", hex(&bad))
        .hole("ping", ping)
        .hole("code", code)
        .file("bad-text.pcap", pcap)
        .command(["decode", "{file:bad-text.pcap}", "--view", "table"])
}
