//! Lesson 11: what a server may answer to an offer, and messages that are compressed.

use super::draw::{host, phrase, pick};
use super::wire::{Deflater, capture};
use crate::http::head::Head;
use crate::http::{Outcome, check_request, check_response};
use crate::lesson::seen::SeenMessage;
use crate::lesson::{Answer, Choice, Instance, Layout, Make, decode, hex};
use crate::model::{Dir, FrameHeader, Opcode, SourceId};
use crate::synth::Rng;
use crate::synth::handshake::{Edits, Request, Response, key};
use crate::ws::deflate::TAIL;
use crate::ws::encode;

pub static EXERCISES: &[Make] = &[
    Make { id: "legal-subprotocol", make: legal_subprotocol },
    Make { id: "legal-deflate-answer", make: legal_deflate_answer },
    Make { id: "read-without-the-first", make: read_without_the_first },
    Make { id: "rsv1-headers", make: rsv1_headers },
    Make { id: "strip-the-tail", make: strip_the_tail },
];

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// An offer in one header field, to which answers are tried.
struct Offer {
    field: &'static str,
    request: Request,
    key: String,
}

impl Offer {
    fn new(rng: &mut Rng, field: &'static str, offer: &str) -> Self {
        let mut nonce = [0; 16];
        rng.fill(&mut nonce);
        let (host, offer) = (Some(host(rng)), Some(offer.to_owned()));
        let request = match field {
            PROTOCOL => Request { host, subprotocol: offer, ..Request::default() },
            _ => Request { host, extensions: offer, ..Request::default() },
        };
        Self { field, request, key: key(nonce) }
    }

    /// The request, and a 101 with this answer in the field; `None` leaves the field out.
    fn answered(&self, answer: Option<&str>) -> [Vec<u8>; 2] {
        let add = answer.map(|answer| format!("{}: {answer}", self.field)).into_iter().collect();
        let edits = Edits { drop: vec![self.field.to_owned()], add, ..Edits::default() };
        let response = Response { edits, ..Response::default() };
        [self.request.bytes(&self.key), response.bytes(&self.request, &self.key)]
    }

    /// Whether a client opens the WebSocket over it.
    fn is_legal(&self, answer: Option<&str>) -> bool {
        let [request, response] = self.answered(answer);
        let head = |bytes| Head::parse(bytes, SourceId::Input, 0);
        let facts = check_request(&head(&request), false).facts;
        check_response(Some(&facts), &head(&response), Vec::new, false).facts.outcome == Outcome::Open
    }
}

/// Answers by their ids, with what they say; `None` leaves the field out.
type Answers<'a> = Vec<(&'a str, Option<String>)>;

/// Those that are legal, after a change.
fn those(answers: &Answers, legal: impl Fn(&str, Option<&str>) -> bool) -> Answer {
    Answer::choices(answers.iter().filter(|(id, answer)| legal(id, answer.as_deref())).map(|(id, _)| *id))
}

/// The answers as options; what says nothing has its words in `lesson.toml`.
fn options(field: &str, answers: &Answers) -> Vec<Choice> {
    let option = |(id, answer): &(&str, Option<String>)| match answer.as_deref() {
        None | Some("") => Choice::from(*id),
        Some(answer) => {
            let line = format!("`{field}: {answer}`");
            Choice::from((*id, line))
        }
    };
    answers.iter().map(option).collect()
}

/// One name of those offered, spelt exactly so, or none.
fn legal_subprotocol(rng: &mut Rng) -> Instance {
    let number = 1000 + rng.below(9000);
    let stem = pick(rng, &["chat", "quotes", "board", "game", "sensor", "news"]);
    let names = [format!("v2.{stem}-{number}"), format!("v1.{stem}-{number}"), format!("{stem}-plain")];
    let other = pick(rng, &["mqtt", "wamp.2.json", "graphql-transport-ws", "v12.stomp"]);
    let offer = names.join(", ");
    let spelt = names[1].replacen("v1.", "V1.", 1);
    let answers: Answers = vec![
        ("first", Some(names[0].clone())),
        ("last", Some(names[2].clone())),
        ("none", None),
        ("list", Some(names[..2].join(", "))),
        ("case", Some(spelt.clone())),
        ("foreign", Some(other.to_owned())),
        ("empty", Some(String::new())),
    ];
    let tried = Offer::new(rng, PROTOCOL, &offer);
    let with = |more: &str| those(&answers, |id, answer| tried.is_legal(answer) || id == more);
    Instance::new(with(""))
        .hole("offer", offer)
        .mistake("first-only", Answer::choices(["first"]))
        .mistake("first-only", Answer::choices(["first", "none"]))
        .mistake("must-answer", those(&answers, |id, answer| tried.is_legal(answer) && id != "none"))
        .mistake("list-is-fine", with("list"))
        .mistake("case-does-not-matter", with("case"))
        .mistake("server-may-add", with("foreign"))
        .mistake("empty-means-none", with("empty"))
        .choices(options(PROTOCOL, &answers))
        .file("answer.http", tried.answered(Some(&spelt)).concat())
        .command(["replay", "{file:answer.http}"])
}

/// What permessage-deflate lets a server answer.
fn legal_deflate_answer(rng: &mut Rng) -> Instance {
    let bits = 10 + rng.below(5);
    let fewer = 9 + rng.below(bits - 9);
    let client = 9 + rng.below(6);
    let (offers_client_window, forbids_takeover) = (rng.one_in(2), rng.one_in(2));
    let takeover = if forbids_takeover { "; server_no_context_takeover" } else { "" };
    let (hint, most) = match (offers_client_window, rng.below(7)) {
        (false, _) => (String::new(), 15),
        (true, 0) => ("; client_max_window_bits".to_owned(), 15),
        (true, hint) => (format!("; client_max_window_bits={}", hint + 9), hint + 9),
    };
    // Whether an answer may be above the hint, §7.1.2.2 does not say clearly, and clients differ.
    let client = client.min(most);
    let offer = format!("permessage-deflate{hint}; server_max_window_bits={bits}{takeover}");
    let answer = |bits: u64, more: &str| {
        Some(format!("permessage-deflate; server_max_window_bits={bits}{takeover}{more}"))
    };
    let larger = answer(bits + 1, "");
    let answers: Answers = vec![
        ("same", answer(bits, "")),
        ("fewer", answer(fewer, "")),
        ("larger", larger.clone()),
        ("bare", Some("permessage-deflate".to_owned())),
        ("client-window", answer(bits, &format!("; client_max_window_bits={client}"))),
        ("unasked", answer(bits, "; client_no_context_takeover")),
        ("declined", None),
    ];
    let tried = Offer::new(rng, EXTENSIONS, &offer);
    let changed = |change: &str| those(&answers, |id, answer| tried.is_legal(answer) != (id == change));
    let instance = Instance::new(changed(""))
        .hole("offer", &offer)
        .hole("bits", bits)
        .mistake("window-is-a-wish", changed("larger"))
        .mistake("bare-is-always-fine", changed("bare"))
        .mistake("only-as-offered", Answer::choices(["same", "declined"]))
        .mistake("same-number-only", changed("fewer"))
        .mistake("nothing-unasked", changed("unasked"))
        .mistake("must-accept", changed("declined"))
        .mistake("client-window", changed("client-window"))
        .choices(options(EXTENSIONS, &answers))
        .file("answer.http", tried.answered(larger.as_deref()).concat())
        .command(["replay", "{file:answer.http}"]);
    let instance =
        instance.words("client", if offers_client_window { "window-offered" } else { "no-window" });
    if forbids_takeover { instance.words("takeover", "takeover") } else { instance.hole("takeover", "") }
}

/// A message behind the lost ones.
struct Message {
    id: &'static str,
    dir: Dir,
    compressed: bool,
    text: String,
    payload: Vec<u8>,
}

/// The first message of each direction is lost; one of them goes on without it.
fn read_without_the_first(rng: &mut Rng) -> Instance {
    let (fresh, agreed, side) = pick(
        rng,
        &[
            (Dir::Server, "permessage-deflate; server_no_context_takeover", "server"),
            (Dir::Client, "permessage-deflate; client_no_context_takeover", "client"),
        ],
    );
    let mut script = vec![
        format!("handshake path=/live host={} extensions=\"{agreed}\"", host(rng)),
        "server text \"welcome\"".to_owned(),
        "client text \"thanks\"".to_owned(),
    ];
    let mut messages = Vec::new();
    let mut texts = Vec::new();
    for (dir, id, plain) in
        [(Dir::Server, "s-compressed", "s-plain"), (Dir::Client, "c-compressed", "c-plain")]
    {
        let (text, other) = (phrase(rng), phrase(rng));
        let mut deflater = Deflater::new();
        script.push(format!("{dir} text {} rsv1 lost", hex(&deflater.payload(text.as_bytes()))));
        if dir == fresh {
            deflater.begin_afresh();
        }
        let payload = deflater.payload(text.as_bytes());
        messages.push(Message { id, dir, compressed: true, text: text.clone(), payload });
        let payload = other.clone().into_bytes();
        messages.push(Message { id: plain, dir, compressed: false, text: other, payload });
        texts.push(text);
    }
    rng.shuffle(&mut messages);
    for Message { dir, compressed, payload, .. } in &messages {
        let rsv1 = if *compressed { " rsv1" } else { "" };
        script.push(format!("wait 40ms\n{dir} text {}{rsv1}", hex(payload)));
    }
    script.push("client close 1000\nserver close 1000".to_owned());
    let lost = capture(&script.join("\n"), rng);
    let seen = decode(&lost).messages;
    let those = |check: &dyn Fn(&Message) -> bool| {
        Answer::choices(messages.iter().filter(|said| check(said)).map(|said| said.id))
    };
    let is_read = |said: &Message| {
        let read =
            |m: &SeenMessage| m.dir == Some(said.dir) && m.complete && m.payload == said.text.as_bytes();
        seen.iter().any(read)
    };
    let instance = Instance::new(those(&is_read))
        .hole("agreed", agreed)
        .hole("text", &texts[0])
        .hole("other", &texts[1])
        .words("fresh", side)
        .mistake("each-alone", those(&|_| true))
        .mistake("other-side", those(&|said| !said.compressed || said.dir != fresh))
        .mistake("compression-is-lost", those(&|said| !said.compressed))
        .mistake("all-lost", those(&|_| false))
        .choices(messages.iter().map(|said| said.id))
        .in_this_order()
        .file("lost.pcap", lost)
        .command(["decode", "--view", "messages", "{file:lost.pcap}"]);
    messages
        .iter()
        .fold(instance, |instance, said| instance.hole(&format!("payload-{}", said.id), hex(&said.payload)))
}

/// A frame's header as a server writes it.
fn header(fin: bool, rsv1: bool, opcode: Opcode, length: usize) -> FrameHeader {
    FrameHeader { fin, rsv1, ..FrameHeader::of(opcode, None, length as u64) }
}

/// RSV1 says something about a message, and says it once.
fn rsv1_headers(rng: &mut Rng) -> Instance {
    let (opcode, kind) = pick(rng, &[(Opcode::TEXT, "text"), (Opcode::BINARY, "binary")]);
    let payload = Deflater::new().payload(phrase(rng).as_bytes());
    let (count, ping) = (2 + rng.below(3) as usize, 2 + rng.below(18) as usize);
    let mut cuts = vec![0, payload.len()];
    while cuts.len() < count + 1 {
        let cut = 1 + rng.below(payload.len() as u64 - 1) as usize;
        if !cuts.contains(&cut) {
            cuts.push(cut);
        }
    }
    cuts.sort_unstable();
    let fragments: Vec<&[u8]> = cuts.windows(2).map(|cut| &payload[cut[0]..cut[1]]).collect();
    // The frames in their order: which fragment, or the ping behind the first.
    let frames = |bit: &dyn Fn(usize) -> bool, on_ping: bool, again: Opcode| {
        let mut frames: Vec<(FrameHeader, Vec<u8>)> = Vec::new();
        for (at, fragment) in fragments.iter().enumerate() {
            let opcode = if at == 0 { opcode } else { again };
            frames.push((header(at + 1 == count, bit(at), opcode, fragment.len()), fragment.to_vec()));
            if at == 0 {
                frames.push((header(true, on_ping, Opcode::PING, ping), vec![b'p'; ping]));
            }
        }
        frames
    };
    let headers = |frames: Vec<(FrameHeader, Vec<u8>)>| {
        let mut out = Vec::new();
        for (header, _) in &frames {
            encode::header(header, &mut out);
        }
        Answer::Hex(out)
    };
    let on_first = |at: usize| at == 0;
    let right = frames(&on_first, false, Opcode::CONTINUATION);
    let mut wire = Vec::new();
    for (header, payload) in &right {
        encode::frame(header, payload, &mut wire);
    }
    let lengths: Vec<String> = fragments.iter().map(|fragment| fragment.len().to_string()).collect();
    Instance::new(headers(right))
        .laid_out(Layout::Headers)
        .words("kind", kind)
        .hole("total", payload.len())
        .hole("payload", hex(&payload))
        .hole("count", count)
        .hole("lengths", lengths.join(", "))
        .hole("ping", ping)
        .mistake("rsv1-on-each-fragment", headers(frames(&|_| true, false, Opcode::CONTINUATION)))
        .mistake("rsv1-on-the-ping", headers(frames(&on_first, true, Opcode::CONTINUATION)))
        .mistake("rsv1-on-the-ping", headers(frames(&|_| true, true, Opcode::CONTINUATION)))
        .mistake("rsv1-forgotten", headers(frames(&|_| false, false, Opcode::CONTINUATION)))
        .mistake("rsv1-on-the-last", headers(frames(&|at| at + 1 == count, false, Opcode::CONTINUATION)))
        .mistake("opcode-repeated", headers(frames(&on_first, false, opcode)))
        .command(["decode", "--view", "table", &hex(&wire)])
}

/// From DEFLATE's bytes to the frame.
fn strip_the_tail(rng: &mut Rng) -> Instance {
    let said = phrase(rng);
    let text = format!("{said}; I repeat: {said}");
    let deflated = Deflater::new().flushed(text.as_bytes());
    let sent = &deflated[..deflated.len() - TAIL.len()];
    let frame = |rsv1: bool, length: usize, payload: &[u8]| {
        let mut out = Vec::new();
        encode::frame(&header(true, rsv1, Opcode::TEXT, length), payload, &mut out);
        out
    };
    let right = frame(true, sent.len(), sent);
    let cut = &sent[..sent.len() - 1];
    Instance::new(Answer::Hex(right.clone()))
        .laid_out(Layout::Frame)
        .hole("text", &text)
        .hole("length", text.len())
        .hole("deflated", hex(&deflated))
        .hole("sent", sent.len())
        .mistake("tail-left-on", Answer::Hex(frame(true, deflated.len(), &deflated)))
        .mistake("cut-too-much", Answer::Hex(frame(true, cut.len(), cut)))
        .mistake("length-of-the-text", Answer::Hex(frame(true, text.len(), sent)))
        .mistake("rsv1-forgotten", Answer::Hex(frame(false, sent.len(), sent)))
        .mistake("not-compressed", Answer::Hex(frame(true, text.len(), text.as_bytes())))
        .command(["decode", &hex(&right)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decoder_reads_what_the_deflater_wrote() {
        for seed in 0..50 {
            let instance = strip_the_tail(&mut Rng::new(seed));
            let Answer::Hex(frame) = &instance.right else { panic!("a frame is wanted") };
            let seen = decode(hex(frame).as_bytes());
            assert_eq!(seen.messages[0].payload, instance.holes["text"].en.as_bytes());
            assert!(instance.holes["deflated"].en.ends_with("00 00 00 ff ff"), "{instance:?}");
        }
    }

    #[test]
    fn one_side_can_be_read_without_its_past() {
        for seed in 0..50 {
            let instance = read_without_the_first(&mut Rng::new(seed));
            let fresh = if instance.wordings["fresh"] == "server" { "s-compressed" } else { "c-compressed" };
            assert_eq!(instance.right, Answer::choices([fresh, "s-plain", "c-plain"]), "{instance:?}");
        }
    }
}
